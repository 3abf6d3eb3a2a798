// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// TestSubjects has one event about each type of subject, with all members that a body can contain.
func TestSubjects(t *testing.T) {
	const times = `"created": "2026-03-02T10:00:00.000+0100", "updated": "2026-03-03T10:00:00.000+0100", "author": {"accountId": "a"}, "updateAuthor": {"accountId": "b"}`
	for _, tt := range []struct{ event, members, line, attributes string }{
		{"comment_created", `"comment": {"id": 7, "body": "words", "jsdPublic": false, ` + times + `}`, "Jira: comment created", `
			jira.comment.author.id=a jira.comment.created_at=2026-03-02T09:00:00.000Z jira.comment.id=7 jira.comment.public=false
			jira.comment.update_author.id=b jira.comment.updated_at=2026-03-03T09:00:00.000Z user.id=b`},
		{"worklog_updated", `"worklog": {"id": 7, "comment": "words", "issueId": 9, "timeSpentSeconds": 60, "started": 1595970774883, ` + times + `}`, "Issue 9: worklog updated", `
			jira.issue.id=9 jira.worklog.author.id=a jira.worklog.created_at=2026-03-02T09:00:00.000Z jira.worklog.id=7
			jira.worklog.started_at=2020-07-28T21:12:54.883Z jira.worklog.time_spent_seconds=60 jira.worklog.update_author.id=b
			jira.worklog.updated_at=2026-03-03T09:00:00.000Z user.id=b`},
		{"attachment_created", `"attachment": {"id": 7, "filename": "a.txt", "size": 12, "mimeType": "text/plain", ` + times + `}`, "Jira: attachment created: a.txt", `jira.attachment.author.id=a jira.attachment.created_at=2026-03-02T09:00:00.000Z jira.attachment.filename=a.txt jira.attachment.id=7
				jira.attachment.mime_type=text/plain jira.attachment.size=12 user.id=b`},
		{"issuelink_created", `"issueLink": {"id": 7, "sourceIssueId": 1, "destinationIssueId": 2, "systemLink": true, "issueLinkType": {"id": 3, "name": "Blocks"}}`, "Jira: issue link created: Blocks", `
			jira.issue_link.destination_issue.id=2 jira.issue_link.id=7 jira.issue_link.source_issue.id=1 jira.issue_link.system=true
			jira.issue_link.type.id=3 jira.issue_link.type.name=Blocks`},
		{"issue_property_set", `"property": {"key": "app.state", "value": "secret"}, "issue": {"id": 1}`, "Issue 1: issue property set: app.state", `
			jira.issue.id=1 jira.issue_property.key=app.state`},
		{"issue_property_deleted", `"propertyKey": "app.state"`, "Jira: issue property deleted: app.state", `jira.issue_property.key=app.state`},
		{"issuetype_created", `"issuetype": {"id": 7, "name": "Change"}`, "Jira: issue type created: Change", `
			jira.issue.type.id=7 jira.issue.type.name=Change`},
		{"issuetype_updated", `"issuetype": {"id": 7}, "issue": {"fields": {"issuetype": {"name": "Bug"}}}`, "Jira: issue type updated", `
			jira.issue.type.name=Bug`},
		{"project_created", `"project": {"id": 7, "key": "OPS", "name": "Operations", "projectCategory": {"name": "Inner"}, "projectLead": {"key": "kim", "displayName": "Kim Dvorak"}}`, "Jira: project created: OPS", `
			jira.project.category=Inner jira.project.id=7 jira.project.key=OPS jira.project.lead.hash=69a86456dbee1dae9ef230ecb4704a0e jira.project.name=Operations`},
		{
			"jira:version_deleted", `"version": {"id": 7, "name": "1.3", "released": true, "archived": false, "startDate": "2026-03-01", "releaseDate": "2026-03-31", "projectId": 1}, "mergedTo": {"id": 8, "name": "1.4"}`,
			"Jira: version deleted, merged into 1.4: 1.3", `
			jira.project.id=1 jira.version.archived=false jira.version.id=7 jira.version.merged_into.id=8 jira.version.name=1.3
			jira.version.release_date=2026-03-31 jira.version.released=true jira.version.start_date=2026-03-01`,
		},
		{"sprint_closed", `"sprint": {"id": 7, "name": "S5", "state": "closed", "goal": "Ship", "originBoardId": 3, "createdDate": 1595970774883,
			"startDate": "2026-03-02T09:00:00Z", "endDate": "2026-03-16T09:00:00Z", "completeDate": "2026-03-17T09:00:00Z"}`, "Jira: sprint closed: S5", `
			jira.board.id=3 jira.sprint.completed_at=2026-03-17T09:00:00.000Z jira.sprint.created_at=2020-07-28T21:12:54.883Z
			jira.sprint.end_at=2026-03-16T09:00:00.000Z jira.sprint.goal=Ship jira.sprint.id=7 jira.sprint.name=S5
			jira.sprint.start_at=2026-03-02T09:00:00.000Z jira.sprint.state=closed`},
		{"board_updated", `"board": {"id": 3, "name": "Team", "type": "scrum"}`, "Jira: board updated: Team", `
			jira.board.id=3 jira.board.name=Team jira.board.type=scrum`},
		{"board_configuration_changed", `"configuration": {"id": 3, "name": "Team", "type": "kanban"}`, "Jira: board configuration changed: Team", `
			jira.board.id=3 jira.board.name=Team jira.board.type=kanban`},
		{"filter_updated", `"filter": {"id": 7, "name": "Open"}`, "Jira: filter updated: Open", `jira.filter.id=7 jira.filter.name=Open`},
		{"option_voting_changed", `"property": {"key": "jira.option.voting", "value": true}`, "Jira: option voting changed: jira.option.voting", `
			jira.option.key=jira.option.voting jira.option.value=true`},
		{"user_created", `"user": {"accountId": "a", "displayName": "Ada Lindqvist", "active": true, "accountType": "customer"}`, "Jira: user created", `
			jira.user.account_type=customer jira.user.active=true jira.user.id=a`},
		{"app_access_to_objects_blocked", `"app": {}`, "Jira: app access to objects blocked", ``},
		{"jira_expression_evaluation_failed", `"expression": "x"`, "Jira: expression evaluation failed", ``},
		{"portfolio_rebalanced", `"portfolio": {}`, "Jira: portfolio rebalanced", ``},
	} {
		t.Run(tt.event, func(t *testing.T) {
			record, attrs := build(t, newBuilder(nil), fmt.Sprintf(`{"webhookEvent": %q, %s}`, tt.event, tt.members), Delivery{})
			for _, key := range []string{"jira.webhook.event", "jira.webhook.source", "log.record.uid"} {
				assert.Contains(t, attrs, key)
				delete(attrs, key)
			}
			written := []string{}
			for _, key := range sortedKeys(attrs) {
				written = append(written, fmt.Sprintf("%s=%v", key, attrs[key]))
			}
			assert.Equal(t, strings.Fields(tt.attributes), written)
			assert.Equal(t, tt.line, record.Body().Str())
		})
	}
}

// TestKnownEvents checks that only events that Jira documents are known. Metrics contain the names of known events, and
// a sender can make up other names.
func TestKnownEvents(t *testing.T) {
	for name, want := range map[string]EventType{
		"jira:issue_created":    {Name: "jira.issue.created", Known: true},
		"issue_created":         {Name: "jira.issue.created", Known: true}, // without the prefix that it has
		"jira:sprint_started":   {Name: "jira.sprint.started", Known: true},
		"version_released":      {Name: "jira.version.released", Known: true},
		"worklog_updated":       {Name: "jira.worklog.updated", Known: true},
		"jira:worklog_updated":  {Name: "jira.issue.worklog_updated", Known: true},
		"comment_hidden":        {Name: "jira.comment.hidden"},
		"jira:worklog_started":  {Name: "jira.issue.worklog_started"},
		"worklog_started":       {Name: "jira.worklog.started"},
		"issue_property_moved":  {Name: "jira.issue_property.moved"},
		"jira_expression_ended": {Name: "jira.expression.ended"},
		"jira_is_down":          {Name: "jira.jira_is_down"},
		"Комментарий":           {Name: "jira.unknown", Known: true},
		// These would get the names of other events.
		"jira:issue_field_changed":   {Name: "jira.unknown", Known: true},
		"issue_field_changed":        {Name: "jira.unknown", Known: true},
		"jira:issue_transitioned":    {Name: "jira.unknown", Known: true},
		"jira:issue_worklog_updated": {Name: "jira.unknown", Known: true},
		"unknown":                    {Name: "jira.unknown", Known: true},
	} {
		got := eventTypeOf(&jira.Event{Name: name})
		assert.Equal(t, want.Name, got.Name, name)
		assert.Equal(t, want.Known, got.Known, name)
	}
	for body, want := range map[string]string{
		`{"transition": {}}`:                 "jira.issue.transitioned",
		`{"issue": "OPS-1"}`:                 "jira.automation.triggered",
		`{"fields": {}}`:                     "jira.automation.triggered",
		`{"accountId": "1", "username": ""}`: "jira.user.deleted",
		`{"a": 1}`:                           "jira.unknown",
		`{"webhookEvent": null}`:             "jira.unknown",
	} {
		record, _ := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, want, record.EventName(), body)
	}
}

func TestParseSeverity(t *testing.T) {
	severity := plog.SeverityNumberUnspecified
	for _, name := range []string{"trace", "debug", "info", "warn", "error", "fatal"} {
		for _, number := range []string{"", "2", "3", "4"} {
			severity++
			for _, spelt := range []string{name + number, strings.ToUpper(name + number), strings.ToUpper(name[:1]) + name[1:] + number} {
				got, isKnown := ParseSeverity(spelt)
				assert.True(t, isKnown, spelt)
				assert.Equal(t, severity, got, spelt)
			}
		}
	}
	assert.Equal(t, plog.SeverityNumberFatal4, severity)
	for _, name := range []string{"", "unspecified", "info1", "info5", "warning", "9", " info"} {
		_, isKnown := ParseSeverity(name)
		assert.False(t, isKnown, name)
	}
}

func TestSeverity(t *testing.T) {
	builder := newBuilder(func(o *Options) {
		o.SplitChanges = true
		o.Severities = map[string]plog.SeverityNumber{"highest": plog.SeverityNumberFatal, "2": plog.SeverityNumberWarn2}
	})
	for priority, want := range map[string]plog.SeverityNumber{
		`{"id": "1", "name": "HIGHEST"}`: plog.SeverityNumberFatal,
		`{"id": 2, "name": "Highest"}`:   plog.SeverityNumberWarn2, // the id counts more
		`"highest"`:                      plog.SeverityNumberFatal,
		`{"id": "3", "name": "Medium"}`:  plog.SeverityNumberInfo,
		`null`:                           plog.SeverityNumberInfo,
	} {
		for _, record := range split(t, builder, `{"issue": {"fields": {"priority": `+priority+`}}, "changelog": {"items": [{"field": "x"}]}}`) {
			assert.Equal(t, want, record.SeverityNumber(), priority)
			assert.Empty(t, record.SeverityText(), "Jira sends no severity")
		}
	}
	record, _ := build(t, builder, `{"webhookEvent": "sprint_started"}`, Delivery{})
	assert.Equal(t, plog.SeverityNumberInfo, record.SeverityNumber())
}

// split returns all records of a body.
func split(t *testing.T, builder *Builder, body string) (records []plog.LogRecord) {
	t.Helper()
	ev, err := jira.NewDecoder(nil).Decode([]byte(body))
	require.NoError(t, err)
	logs, _ := builder.Build(builder.Classify(ev), Delivery{ID: "d", Flow: "Primary", Payload: []byte(body), Received: received})
	require.Equal(t, 1, logs.ResourceLogs().Len())
	require.Equal(t, 1, logs.ResourceLogs().At(0).ScopeLogs().Len(), "all in one batch")
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		records = append(records, record)
	}
	return records
}

func TestSplitChanges(t *testing.T) {
	const site = "https://acme.atlassian.net"
	builder := newBuilder(func(o *Options) { o.SplitChanges, o.SiteURL = true, site })
	records := split(t, builder, `{"webhookEvent": "jira:issue_updated", "timestamp": 1595970774883, "user": {"accountId": "a", "displayName": "Ada Lindqvist"},
		"issue": {"id": "1", "key": "OPS-2", "fields": {"summary": "s", "project": {"id": 5, "name": "Operations"}}}, "changelog": {"id": "9", "items": [
		{"field": "Status", "fieldId": "status", "from": "1", "fromString": "Open", "to": "3", "toString": "In Progress"},
		{"field": "assignee", "from": "ada", "fromString": "Ada Lindqvist", "to": "noor", "toString": "Noor Haddad"},
		{"field": "description", "fromString": "old words", "toString": "new words"},
		{"field": "labels", "toString": "a b"}]}}`)
	require.Len(t, records, 5)
	assert.Equal(t, "jira.issue.updated", records[0].EventName())
	_, listed := records[0].Attributes().Get("jira.changelog.items")
	assert.True(t, listed, "the record of the event is the same in both modes")
	uids := map[any]bool{}
	for i, want := range []struct {
		line    string
		changed map[string]any
	}{
		{"OPS-2 Status changed from Open to In Progress", map[string]any{
			"jira.change.field": "Status", "jira.change.field_id": "status", "jira.change.from": "1", "jira.change.from_string": "Open",
			"jira.change.to": "3", "jira.change.to_string": "In Progress",
		}},
		{"OPS-2 assignee changed", map[string]any{"jira.change.field": "assignee", "jira.change.from_hash": hashFor(site, "ada"), "jira.change.to_hash": hashFor(site, "noor")}},
		{"OPS-2 description changed", map[string]any{"jira.change.field": "description"}},
		{"OPS-2 labels changed to a b", map[string]any{"jira.change.field": "labels", "jira.change.to_string": "a b"}},
	} {
		record := records[i+1]
		assert.Equal(t, "jira.issue.field_changed", record.EventName())
		assert.Equal(t, records[0].Timestamp(), record.Timestamp())
		assert.Equal(t, want.line, record.Body().Str())
		attrs := record.Attributes().AsRaw()
		uids[attrs["log.record.uid"]] = true
		delete(attrs, "log.record.uid")
		maps.Copy(want.changed, map[string]any{
			"jira.webhook.event": "jira:issue_updated", "jira.webhook.id": "d", "jira.webhook.flow": "Primary", "jira.webhook.source": "webhook",
			"user.id": "a", "jira.issue.id": "1", "jira.issue.key": "OPS-2", "url.full": "https://acme.atlassian.net/browse/OPS-2",
			"jira.project.id": "5", "jira.project.key": "OPS", "jira.project.name": "Operations", "jira.changelog.id": "9",
		})
		assert.Equal(t, want.changed, attrs)
	}
	assert.Len(t, uids, 4)

	assert.Len(t, split(t, builder, `{"webhookEvent": "sprint_updated", "sprint": {"name": "a"}, "oldValue": {"name": "b"}}`), 1, "a sprint is no issue")
	named := split(t, newBuilder(func(o *Options) { o.SplitChanges, o.UserDetails = true, true }),
		`{"issue": {"key": "OPS-2"}, "changelog": {"items": [{"field": "assignee", "from": "ada", "fromString": "Ada Lindqvist"}]}}`)
	assert.Equal(t, "OPS-2 assignee changed from Ada Lindqvist", named[1].Body().Str())
}

// TestDisplayLines reads as people will.
func TestDisplayLines(t *testing.T) {
	const status = `{"field": "status", "fromString": "To Do", "toString": "In Progress"}`
	for body, want := range map[string]string{
		`{"webhookEvent": "jira:issue_created", "issue": {"key": "OPS-1", "fields": {"summary": "Deploy"}}}`:                            "OPS-1 created: Deploy",
		`{"webhookEvent": "jira:issue_created", "issue": {"key": "OPS-1"}, "changelog": {"items": [` + status + `]}}`:                   "OPS-1 created",
		`{"webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1"}, "changelog": {"items": [` + status + `]}}`:                   "OPS-1 moved from To Do to In Progress",
		`{"webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1"}, "changelog": {"items": [{"field": "a"}, {"fieldId": "b"}]}}`: "OPS-1 updated (a, b)",
		`{"webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1"}, "changelog": {"items": []}}`:                                 "OPS-1 updated",
		`{"webhookEvent": "jira:issue_updated", "issue": {"id": "7", "fields": {"summary": "secret"}}}`:                                 "Issue 7: updated",
		`{"webhookEvent": "comment_created", "comment": {"self": "https://a/rest/api/2/issue/7/comment/8"}}`:                            "Issue 7: comment created",
		`{"webhookEvent": "comment_created", "issue": {"key": "OPS-1"}, "comment": {"body": "words"}}`:                                  "OPS-1 comment created",
		`{"webhookEvent": "sprint_updated", "sprint": {"name": "S5", "goal": "a"}, "oldValue": {"name": "S5"}}`:                         "Jira: sprint updated (goal): S5",
		`{"transition": {"from_status": "To Do", "to_status": "Done"}, "issue": {"key": "OPS-1"}}`:                                      "OPS-1 moved from To Do to Done",
		`{"transition": {"transitionName": "Start"}, "issue": {"key": "OPS-1"}}`:                                                        "OPS-1 transitioned",
		`{"issue": "OPS-1"}`: "OPS-1 automation triggered",
		`{"webhookEvent": "project_deleted", "project": {"name": "Operations"}}`: "Jira: project deleted: Operations",
		`{"webhookEvent": "Hello, world"}`:                                       "Jira: unknown event",
		`{"a": 1}`:                                                               "Jira: unknown event",
	} {
		record, _ := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, want, record.Body().Str(), body)
	}
}

// TestCustomFields has the ids of people or the hashes of their login names by default, and their names beside them
// when asked for.
func TestCustomFields(t *testing.T) {
	const fields = `{"issue": {"fields": {"customfield_1": {"accountId": "a", "displayName": "Ada Lindqvist"},
		"customfield_2": [{"accountId": "b", "displayName": "Noor Haddad"}, {"name": "rmontero", "displayName": "Rosa Montero"}],
		"customfield_3": 5, "customfield_4": "äöüÄÖÜ", "customfield_5": [{"value": "Europe"}, 2.5, true]}}}`
	aliases := map[string]string{"customfield_1": "approver", "customfield_2": "team", "customfield_3": "points", "customfield_4": "text", "customfield_5": "mixed"}
	custom := func(details bool) map[string]any {
		builder := newBuilder(func(o *Options) { o.CustomFields, o.MaxText, o.UserDetails = aliases, 4, details })
		ev, err := jira.NewDecoder([]string{"customfield_1", "customfield_2", "customfield_3", "customfield_4", "customfield_5"}).Decode([]byte(fields))
		require.NoError(t, err)
		logs, _ := builder.Build(builder.Classify(ev), Delivery{Payload: []byte(fields), Received: received})
		attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
		delete(attrs, "log.record.uid")
		delete(attrs, "jira.webhook.source")
		return attrs
	}
	want := map[string]any{
		"jira.issue.custom.approver": "a", "jira.issue.custom.team": []any{"b"},
		"jira.issue.custom_person.hash.team": []any{hashFor("", "rmontero")}, "jira.issue.custom.points": 5.0,
		"jira.issue.custom.text": "äöüÄ", "jira.issue.custom.mixed": []any{"Euro", 2.5, true},
	}
	assert.Equal(t, want, custom(false))
	want["jira.issue.custom_person.name.team"] = []any{"rmon"}
	want["jira.issue.custom_person.full_name.approver"] = "Ada "
	want["jira.issue.custom_person.full_name.team"] = []any{"Noor", "Rosa"}
	assert.Equal(t, want, custom(true))
}

// TestUnreadableCustomFields reports the fields whose values the decoder does not understand, and writes the rest.
func TestUnreadableCustomFields(t *testing.T) {
	const body = `{"issue": {"fields": {"customfield_1": {"surprise": "Ada Lindqvist"}, "customfield_2": ["a", {"surprise": 1}], "customfield_3": 5}}}`
	w := newWriting(func(o *Options) {
		o.CustomFields = map[string]string{"customfield_1": "one", "customfield_2": "two", "customfield_3": "three"}
	})
	ev, err := w.decoder.Decode([]byte(body))
	require.NoError(t, err)
	logs, remarks := w.builder.Build(w.builder.Classify(ev), Delivery{Payload: []byte(body), Received: received})
	assert.Equal(t, []string{"customfield_1", "customfield_2"}, remarks.Unreadable)
	attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
	assert.Equal(t, []any{"a"}, attrs["jira.issue.custom.two"])
	assert.InDelta(t, 5, attrs["jira.issue.custom.three"], 0)
	assert.NotContains(t, attrs, "jira.issue.custom.one")
}

// TestExtraAttributes never overrules the body.
func TestExtraAttributes(t *testing.T) {
	extra := []Attribute{{"jira.issue.key", "OPS-9"}, {"jira.sprint.id", "12"}, {"team", "a\xffb"}, {"empty", ""}, {"team", "second"}}
	_, attrs := build(t, newBuilder(nil), `{"issue": "OPS-1"}`, Delivery{Extra: extra})
	assert.Equal(t, "OPS-1", attrs["jira.issue.key"])
	assert.Equal(t, "12", attrs["jira.sprint.id"])
	assert.Equal(t, "a\uFFFDb", attrs["team"])
	assert.NotContains(t, attrs, "empty")

	ev, err := jira.NewDecoder(nil).Decode(nil)
	require.NoError(t, err)
	logs, _ := newBuilder(nil).Build(newBuilder(nil).Classify(ev), Delivery{Extra: extra, Received: received})
	key, _ := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("jira.issue.key")
	assert.Equal(t, "OPS-9", key.Str(), "all that is known of a delivery without a body")
}
