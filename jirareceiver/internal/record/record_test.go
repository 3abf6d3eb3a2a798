// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

var received = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newBuilder(change func(*Options)) *Builder {
	opts := Options{
		Statuses: status.NewMapper(status.Options{UseDefault: true, CategoryFallback: true}),
		MaxText:  4096,
	}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

// build returns the record of a body, and its attributes.
func build(t *testing.T, builder *Builder, body string, d Delivery) (record plog.LogRecord, attrs map[string]any) {
	t.Helper()
	ev, err := jira.NewDecoder(nil).Decode([]byte(body))
	require.NoError(t, err)
	d.Payload, d.Received = []byte(body), received
	logs, _ := builder.Build(builder.Classify(ev), d)
	require.Equal(t, 1, logs.LogRecordCount())
	record = logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	return record, record.Attributes().AsRaw()
}

func TestEventNames(t *testing.T) {
	for name, want := range map[string]string{
		"jira:issue_created":                         "jira.issue.created",
		"jira:issue_updated":                         "jira.issue.updated",
		"jira:issue_deleted":                         "jira.issue.deleted",
		"jira:issue_unknown":                         "jira.issue.unknown",
		"issue_property_set":                         "jira.issue_property.set",
		"issue_property_deleted":                     "jira.issue_property.deleted",
		"comment_created":                            "jira.comment.created",
		"worklog_updated":                            "jira.worklog.updated",
		"jira:worklog_updated":                       "jira.issue.worklog_updated",
		"attachment_deleted":                         "jira.attachment.deleted",
		"issuelink_created":                          "jira.issue_link.created",
		"issuetype_updated":                          "jira.issue_type.updated",
		"project_created":                            "jira.project.created",
		"project_soft_deleted":                       "jira.project.soft_deleted",
		"project_restored_archived":                  "jira.project.restored_archived",
		"jira:version_released":                      "jira.version.released",
		"filter_created":                             "jira.filter.created",
		"user_created":                               "jira.user.created",
		"option_voting_changed":                      "jira.option.voting_changed",
		"option_timetracking_provider_changed":       "jira.option.timetracking_provider_changed",
		"sprint_started":                             "jira.sprint.started",
		"sprint_paused":                              "jira.sprint.paused",
		"board_deleted":                              "jira.board.deleted",
		"board_configuration_changed":                "jira.board.configuration_changed",
		"app_access_to_objects_blocked":              "jira.app.access_to_objects_blocked",
		"app_access_to_objects_in_container_blocked": "jira.app.access_to_objects_in_container_blocked",
		"jira_expression_evaluation_failed":          "jira.expression.evaluation_failed",
		"jira:portfolio_rebalanced":                  "jira.portfolio_rebalanced",
		"something":                                  "jira.something",
		"comment_":                                   "jira.comment_",
		strings.Repeat("a", 64):                      "jira." + strings.Repeat("a", 64),
		strings.Repeat("a", 65):                      "jira.unknown",
		"jira:":                                      "jira.unknown",
		"Sprint_Started":                             "jira.unknown",
		"sprint_started\n":                           "jira.unknown",
		"sprint started by jane@example.com":         "jira.unknown",
	} {
		assert.Equal(t, want, eventTypeOf(&jira.Event{Name: name, Source: jira.SourceWebhook}).Name, name)
	}
}

func TestEventTime(t *testing.T) {
	for body, want := range map[string]string{
		`{"timestamp": 1595970774883, "issue": {"fields": {"updated": "2020-01-01T00:00:00.000+0000"}}}`:                         "2020-07-28T21:12:54.883Z",
		`{"comment": {"created": "2020-01-01T00:00:00.000+0000", "updated": "2020-01-02T00:00:00.000+0100"}}`:                    "2020-01-01T23:00:00.000Z",
		`{"comment": {"created": "2020-01-01T00:00:00.000+0000"}, "issue": {"fields": {"updated": "2020-01-03T00:00:00.000Z"}}}`: "2020-01-01T00:00:00.000Z",
		`{"issue": {"fields": {"updated": "2020-01-03T00:00:00.000Z", "created": "2020-01-01T00:00:00.000Z"}}}`:                  "2020-01-03T00:00:00.000Z",
		`{"issue": {"fields": {"created": "2020-01-01T00:00:00.000Z"}}}`:                                                         "2020-01-01T00:00:00.000Z",
		`{}`: "2026-05-01T12:00:00.000Z",
	} {
		record, _ := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, want, record.Timestamp().AsTime().Format(jira.TimeFormat), body)
		assert.Equal(t, received, record.ObservedTimestamp().AsTime())
	}
}

func TestResource(t *testing.T) {
	for _, tt := range []struct{ name, siteURL, body, site, deployment string }{
		{"cloud link", "", `{"issue": {"self": "https://acme.atlassian.net/rest/api/2/10001"}}`, "https://acme.atlassian.net", "cloud"},
		{"context path", "", `{"issue": {"self": "https://jira.example.com/context/rest/api/2/issue/1"}, "user": {"key": "k"}}`, "https://jira.example.com/context", "data_center"},
		{"port", "", `{"issue": {"self": "http://jira:8080/rest/api/2/issue/1"}, "user": {"name": "k"}}`, "http://jira:8080", "data_center"},
		{"link of an entity", "", `{"sprint": {"self": "https://acme.atlassian.net/rest/agile/1.0/sprint/12"}}`, "https://acme.atlassian.net", "cloud"},
		{"link of a user", "", `{"user": {"self": "https://acme.atlassian.net/rest/api/2/user?accountId=1"}}`, "https://acme.atlassian.net", "cloud"},
		{"own domain, account id", "", `{"user": {"accountId": "1", "key": "k", "self": "https://jira.acme.com/rest/api/2/user"}}`, "https://jira.acme.com", "cloud"},
		{"account id of the reporter", "", `{"user": {"key": "k"}, "issue": {"fields": {"reporter": {"accountId": "1"}}}}`, "", "cloud"},
		{"gateway", "", `{"issue": {"self": "https://api.atlassian.com/ex/jira/1/rest/api/2/1", "fields": {"creator": {"accountId": "1"}}}}`, "", "cloud"},
		{"gateway, configured", "https://acme.atlassian.net/", `{"issue": {"self": "https://api.atlassian.com/ex/jira/1/rest/api/2/1"}}`, "https://acme.atlassian.net", "cloud"},
		{"configured wins", "https://b.example.com", `{"issue": {"self": "https://a.example.com/rest/api/2/1"}}`, "https://b.example.com", ""},
		{"credentials in the link", "", `{"issue": {"self": "https://u:p@a.example.com/rest/api/2/1"}}`, "https://a.example.com", ""},
		{"no link", "", `{"issue": {"self": "10001"}}`, "", ""},
		{"another scheme", "", `{"issue": {"self": "file:///rest/api"}}`, "", ""},
		{"a look-alike", "", `{"issue": {"self": "https://atlassian.net.example.com/rest/api/2/1"}}`, "https://atlassian.net.example.com", ""},
		{"port of a cloud site", "https://acme.atlassian.net:443", `{}`, "https://acme.atlassian.net", "cloud"},
		{"spelling", "", `{"issue": {"self": "HTTPS://Jira.Example.com.:443/Context/rest/api/2/1"}}`, "https://jira.example.com/Context", ""},
		{"spelling, configured", "http://Jira.Example.com.:80/Context/", `{}`, "http://jira.example.com/Context", ""},
		{"port of the other scheme", "", `{"issue": {"self": "http://jira.example.com:443/rest/api/2/1"}}`, "http://jira.example.com:443", ""},
		{"IPv6", "", `{"issue": {"self": "https://[2001:DB8::1]:8443/rest/api/2/1"}}`, "https://[2001:db8::1]:8443", ""},
		{"no host", "", `{"issue": {"self": "https://:443/rest/api/2/1"}}`, "", ""},
		{"gateway, spelt otherwise", "", `{"issue": {"self": "https://API.Atlassian.com:443/ex/jira/1/rest/api/2/1"}}`, "", ""},
		{"gateway and a link to the site", "", `{"issue": {"self": "https://api.atlassian.com/ex/jira/1/rest/api/2/1", "fields": {
			"reporter": {"self": "https://acme.atlassian.net/rest/api/2/user?accountId=1"}}}}`, "https://acme.atlassian.net", "cloud"},
		{"gateway and a link of the project", "", `{"comment": {"self": "https://api.atlassian.com/ex/jira/1/rest/api/2/1"},
			"issue": {"fields": {"project": {"self": "https://acme.atlassian.net/rest/api/2/project/1"}}}}`, "https://acme.atlassian.net", "cloud"},
		{"gateway and a link of the author", "", `{"comment": {"self": "https://api.atlassian.com/ex/jira/1/rest/api/2/1",
			"updateAuthor": {"self": "https://acme.atlassian.net/rest/api/2/user"}}}`, "https://acme.atlassian.net", "cloud"},
		{"gateway of the government cloud", "", `{"issue": {"self": "https://api.atlassian-us-gov-mod.com/ex/jira/1/rest/api/2/1"}}`, "", ""},
		{"gateway of a staging cloud", "", `{"issue": {"self": "https://api.stg.atlassian.com/ex/jira/1/rest/api/2/1"}}`, "", ""},
		{"gateway of a cloud to come", "", `{"issue": {"self": "https://api.atlassian-elsewhere.com/ex/jira/1/rest/api/2/1"}}`, "", ""},
		{"gateway without the path of a product", "", `{"issue": {"self": "https://api.stg.atlassian.com/rest/api/2/1"}}`, "", ""},
		{"a Data Center of Atlassian", "", `{"issue": {"self": "https://jira.atlassian.com/rest/api/2/issue/1"}}`, "https://jira.atlassian.com", ""},
		{"an API host of another vendor", "", `{"issue": {"self": "https://api.example.com/rest/api/2/issue/1"}}`, "https://api.example.com", ""},
		{"government cloud", "", `{"issue": {"self": "https://acme.atlassian-us-gov-mod.net/rest/api/2/1"}}`, "https://acme.atlassian-us-gov-mod.net", "cloud"},
		{"staging of the government cloud", "", `{"issue": {"self": "https://acme.stg.atlassian-us-gov-mod.net/rest/api/2/1"}}`, "https://acme.stg.atlassian-us-gov-mod.net", "cloud"},
		{"staging", "", `{"issue": {"self": "https://acme.jira-dev.com/rest/api/2/1"}}`, "https://acme.jira-dev.com", "cloud"},
		{"a user of another site", "", `{"user": {"self": "https://people.example.com/rest/api/2/user?username=a"}, "issue": {"self": "https://jira.example.com/rest/api/2/issue/1"}}`, "https://jira.example.com", ""},
		{"a user of another site, and a project", "", `{"user": {"self": "https://people.example.com/rest/api/2/user?username=a"},
			"issue": {"fields": {"project": {"self": "https://jira.example.com/rest/api/2/project/1"}}}}`, "https://jira.example.com", ""},
		{"a link that is too long", "", `{"issue": {"self": "https://a.example.com/` + strings.Repeat("a", 3000) + `/rest/api/2/1"}}`, "", ""},
		{"a look-alike path", "https://jira.example.com/a.jira.com", `{}`, "https://jira.example.com/a.jira.com", ""},
		{"nothing", "", `{}`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ev, err := jira.NewDecoder(nil).Decode([]byte(tt.body))
			require.NoError(t, err)
			builder := newBuilder(func(o *Options) { o.SiteURL = tt.siteURL })
			logs, _ := builder.Build(builder.Classify(ev), Delivery{Payload: []byte(tt.body), Received: received})
			want := map[string]any{"service.name": "jira"}
			if tt.site != "" {
				want["jira.site.url"] = tt.site
			}
			if tt.deployment != "" {
				want["jira.site.type"] = tt.deployment
			}
			assert.Equal(t, want, logs.ResourceLogs().At(0).Resource().Attributes().AsRaw())
		})
	}
}

func TestTextIsCut(t *testing.T) {
	body := `{"webhookEvent": "jira:issue_updated", "issue": {"key": "PLAT-1", "fields": {"status": {"name": "In Progress"}, "summary": "äöüÄÖÜß", "labels": ["abcdefg", "abc"], "description": "wxyzä"}},
		"changelog": {"items": [{"field": "summary", "toString": "äöüÄÖÜß"}]}}`
	builder := newBuilder(func(o *Options) {
		o.MaxText, o.Description, o.Payload, o.SiteURL = 4, true, true, "https://acme.atlassian.net"
	})
	record, attrs := build(t, builder, body, Delivery{ID: "delivery"})
	assert.Equal(t, "äöüÄ", attrs["jira.issue.summary"])
	assert.Equal(t, []any{"abcd", "abc"}, attrs["jira.issue.labels"])
	assert.Equal(t, "wxyz", attrs["jira.issue.description"])
	assert.Equal(t, "PLAT", record.Body().Str())
	assert.Equal(t, "In P", attrs["jira.issue.status.name"])
	for key, want := range map[string]string{
		"jira.issue.key": "PLAT-1", "jira.project.key": "PLAT", "url.full": "https://acme.atlassian.net/browse/PLAT-1",
		"jira.webhook.event": "jira:issue_updated", "jira.webhook.id": "delivery", "jira.issue.status.mapped": "processing",
	} {
		assert.Equal(t, want, attrs[key], "an identifier is whole: %s", key)
	}
	assert.Len(t, attrs["log.record.uid"], 32)
	assert.Equal(t, []any{map[string]any{"field": "summ", "to_string": "äöüÄ"}}, attrs["jira.changelog.items"])
	assert.Equal(t, body, attrs["log.record.original"], "the payload is whole or not there")
}

func TestDeliveryAttributes(t *testing.T) {
	retries := int64(0)
	_, attrs := build(t, newBuilder(nil), `{}`, Delivery{ID: "a\xffb", Flow: "Secondary", RetryCount: &retries})
	assert.Equal(t, "a\uFFFDb", attrs["jira.webhook.id"])
	assert.Equal(t, "Secondary", attrs["jira.webhook.flow"])
	assert.Equal(t, int64(0), attrs["jira.webhook.retry_count"])
	assert.Equal(t, "unknown", attrs["jira.webhook.source"])
	assert.NotContains(t, attrs, "log.record.original")
}

func TestActor(t *testing.T) {
	for body, want := range map[string]any{
		`{"user": {"accountId": "a"}, "comment": {"author": {"accountId": "b"}}}`:         "a",
		`{"comment": {"author": {"accountId": "b"}, "updateAuthor": {"accountId": "c"}}}`: "c",
		`{"worklog": {"author": {"accountId": "b"}}}`:                                     "b",
		`{"user": {"key": "JIRAUSER1", "name": "jdoe"}}`:                                  "JIRAUSER1",
		`{"webhookEvent": "user_updated", "user": {"accountId": "a"}}`:                    nil,
		`{"user": {"name": "jdoe"}}`:                                                      nil,
	} {
		_, attrs := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, want, attrs["user.id"], body)
	}
	_, attrs := build(t, newBuilder(func(o *Options) { o.UserDetails = true }),
		`{"user": {"key": "JIRAUSER1", "name": "jdoe", "displayName": "J. Doe", "emailAddress": "j@example.com"}}`, Delivery{})
	assert.Equal(t, "jdoe", attrs["user.name"])
	assert.Equal(t, "J. Doe", attrs["user.full_name"])
	assert.Equal(t, "j@example.com", attrs["user.email"])
}

func TestTransition(t *testing.T) {
	_, attrs := build(t, newBuilder(nil), `{"issue": {"key": "A-1", "fields": {}}, "changelog": {"items": [
		{"field": "resolution", "to": "1"},
		{"field": "Status", "from": "1", "fromString": "Open", "to": "5", "toString": "Resolved"}]}}`, Delivery{})
	assert.Equal(t, "5", attrs["jira.issue.status.id"], "the issue says nothing of its status")
	assert.Equal(t, "Resolved", attrs["jira.issue.status.name"])
	assert.Equal(t, "done", attrs["jira.issue.status.mapped"])
	assert.Equal(t, "1", attrs["jira.issue.status.previous.id"])
	assert.Equal(t, "Open", attrs["jira.issue.status.previous.name"])
	assert.Equal(t, "processing", attrs["jira.issue.status.previous.mapped"])
	assert.Equal(t, "A", attrs["jira.project.key"], "from the key of the issue")
}

func TestUnmappedStatuses(t *testing.T) {
	ev, err := jira.NewDecoder(nil).Decode([]byte(`{"issue": {"fields": {"status": {"id": "7", "name": "Parked"}}},
		"changelog": {"items": [{"fieldId": "status", "field": "Статус", "from": "8", "fromString": "Held"}]}}`))
	require.NoError(t, err)
	logs, remarks := newBuilder(nil).Build(newBuilder(nil).Classify(ev), Delivery{Received: received})
	assert.Equal(t, Unmapped{
		Current:  jira.Status{Named: jira.Named{ID: "7", Name: "Parked"}},
		Previous: jira.Status{Named: jira.Named{ID: "8", Name: "Held"}},
	}, remarks.Unmapped)
	attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
	assert.Equal(t, "[2J", printable(jira.Status{Named: jira.Named{Name: "\x1b[2J"}}).Name, "it is logged")
	assert.NotContains(t, attrs, "jira.issue.status.mapped")
	assert.NotContains(t, attrs, "jira.issue.status.previous.mapped")
}

// TestPeopleInChanges uses whole changes, because Jira does not send which custom fields are user pickers.
func TestPeopleInChanges(t *testing.T) {
	const accountID = "557058:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"
	jdoe, kim := hashFor("", "jdoe"), hashFor("", "kim")
	for _, tt := range []struct{ change, from, hash, text any }{
		{`{"field": "assignee", "from": "jdoe", "fromString": "J. Doe"}`, nil, jdoe, nil},
		{`{"fieldId": "reporter", "from": "JDoe", "fromString": "J. Doe"}`, nil, jdoe, nil},
		{`{"field": "Creator", "from": "JIRAUSER10200", "fromString": "J. Doe"}`, "JIRAUSER10200", nil, nil},
		{`{"field": "assignee", "from": "12345", "fromString": "J. Doe"}`, nil, hashFor("", "12345"), nil},
		{`{"field": "assignee", "from": "J. Doe (x)", "fromString": "J. Doe"}`, nil, hashFor("", "j. doe (x)"), nil},
		{`{"field": "Watcher", "from": "10", "fromString": "J. Doe", "tmpFromAccountId": "10"}`, "10", nil, nil},
		{`{"field": "assignee", "from": "jdoe", "fromString": "J. Doe", "tmpFromAccountId": "` + accountID + `"}`, accountID, nil, nil},
		{`{"field": "assignee", "from": "jdoe", "fromString": "J. Doe", "tmpFromAccountId": null}`, nil, jdoe, nil},
		{`{"field": "priority", "from": "3", "fromString": "Medium"}`, "3", nil, "Medium"},
		{`{"fieldtype": "custom", "from": "` + accountID + `", "fromString": "J. Doe"}`, accountID, nil, nil},
		{`{"fieldtype": "custom", "from": "[` + accountID + `, ` + accountID + `]", "fromString": "J. Doe"}`, "[" + accountID + ", " + accountID + "]", nil, nil},
		{`{"fieldtype": "custom", "from": "5cedcb4355a88a0fc86388ba", "fromString": "J. Doe"}`, "5cedcb4355a88a0fc86388ba", nil, nil},
		{`{"fieldtype": "custom", "from": "JIRAUSER10200", "fromString": "J. Doe"}`, "JIRAUSER10200", nil, nil},
		{`{"fieldtype": "custom", "from": "jdoe", "fromString": "J. Doe"}`, nil, jdoe, nil},
		{`{"fieldtype": "custom", "from": "[jdoe(JIRAUSER10100)]", "fromString": "J. Doe"}`, "[JIRAUSER10100]", nil, nil},
		{`{"fieldtype": "custom", "from": "[jdoe(jdoe)]", "fromString": "[J. Doe(jdoe)]"}`, nil, "[" + jdoe + "]", nil},
		{`{"fieldtype": "custom", "from": "[jdoe(JIRAUSER10100), Kim(kim), jdoe(jdoe)]"}`, "[JIRAUSER10100]", "[" + kim + ", " + jdoe + "]", nil},
		{`{"fieldtype": "custom", "from": "` + accountID + `, jdoe"}`, accountID, jdoe, nil},
		{`{"fieldtype": "custom", "from": "some words of jdoe"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "from": "[jdoe(jdoe]"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "from": "[jdoe"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "from": "jdoe` + strings.Repeat(", jdoe", maxLogins) + `"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "from": "` + strings.Repeat("j", maxIDs+1) + `"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "fromString": "[J. Doe(jdoe)]"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "fromString": "Kim Dvorak(kim), Jane Doe(jdoe)"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "fromString": "Doe, Jane(jdoe)"}`, nil, nil, nil},
		{`{"fieldtype": "custom", "fromString": "Berlin (HQ)"}`, nil, nil, "Berlin (HQ)"},
		{`{"fieldtype": "custom", "fromString": "Blue(light grey)"}`, nil, nil, "Blue(light grey)"},
		{`{"fieldtype": "custom", "fromString": "(a)"}`, nil, nil, "(a)"},
		{`{"field": "Approver", "from": "jdoe", "fromString": "J. Doe"}`, nil, jdoe, nil}, // without a type
		{`{"field": "Approver", "from": "[jdoe(jdoe), Kim(kim)]"}`, nil, "[" + jdoe + ", " + kim + "]", nil},
		{`{"field": "Approver", "fieldtype": "x", "fromString": "[J. Doe(jdoe)]"}`, nil, nil, nil},
		{`{"field": "Approver", "fieldtype": null, "from": "10035", "fromString": "Option"}`, "10035", nil, "Option"},
		{`{"field": "status", "from": "Open", "fromString": "Open"}`, "Open", nil, "Open"},
		{`{"field": "Link", "fieldtype": "jira", "from": "OPS-1", "fromString": "blocks OPS-1"}`, "OPS-1", nil, "blocks OPS-1"},
		{`{"fieldtype": "custom", "from": "10035", "fromString": "Option"}`, "10035", nil, "Option"},
		{`{"fieldtype": "custom", "from": "12, 13", "fromString": "Sprint 5, Sprint 6"}`, "12, 13", nil, "Sprint 5, Sprint 6"},
		{`{"fieldtype": "custom", "from": "2026-01-01T10:00:00.0+0000", "fromString": "01/Jan/26"}`, "2026-01-01T10:00:00.0+0000", nil, "01/Jan/26"},
		{`{"fieldtype": "custom", "from": null, "fromString": "3.5"}`, nil, nil, "3.5"},
		{`{"fieldtype": "custom", "from": "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f", "fromString": "Red team"}`, "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f", nil, "Red team"},
		{
			`{"fieldtype": "custom", "from": "[3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f:88, 3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f:89]", "fromString": "Pump 3, Pump 4"}`,
			"[3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f:88, 3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f:89]", nil, "Pump 3, Pump 4",
		},
		{`{"fieldtype": "custom", "from": "ari:cloud:identity::team/3a1b2c3d", "fromString": "Red team"}`, "ari:cloud:identity::team/3a1b2c3d", nil, "Red team"},
		{`{"fieldtype": "custom", "from": "ari:cloud:identity::user/712020:3a1b2c3d", "fromString": "Jane Doe"}`, "712020:3a1b2c3d", nil, nil},
		{`{"fieldtype": "custom", "from": "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f, jdoe", "fromString": "Jane Doe"}`, nil, hashFor("", "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f") + ", " + jdoe, nil},
	} {
		_, attrs := build(t, newBuilder(nil), fmt.Sprintf(`{"changelog": {"items": [%s]}}`, tt.change), Delivery{})
		item := attrs["jira.changelog.items"].([]any)[0].(map[string]any)
		assert.Equal(t, tt.from, item["from"], tt.change)
		assert.Equal(t, tt.hash, item["from_hash"], tt.change)
		assert.Equal(t, tt.text, item["from_string"], tt.change)
	}
}

// TestPeopleInRecordsOfChanges looks for the people in all texts of the records of changed fields.
func TestPeopleInRecordsOfChanges(t *testing.T) {
	w := newWriting(func(o *Options) { o.SplitChanges = true })
	logs := w.logs(t, []byte(issueUpdated("", `[
		{"field": "Approver", "from": "jdoe", "fromString": "Jane Doe", "to": "kim", "toString": "Kim Dvorak"},
		{"field": "Approvers", "fieldtype": "custom", "toString": "Kim Dvorak(kim), Jane Doe(jdoe)"}]`)), Delivery{})
	assert.Equal(t, 3, logs.LogRecordCount())
	for _, text := range textsOf(logs) {
		for _, personal := range []string{"Jane Doe", "jdoe", "Dvorak", "kim"} {
			assert.NotContains(t, text.value, personal, text.key)
		}
	}
}

// TestCustomFieldsAreNoTransitions has fields of a site that are called as Jira's own.
func TestCustomFieldsAreNoTransitions(t *testing.T) {
	record, attrs := build(t, newBuilder(nil), `{"webhookEvent": "jira:issue_updated", "issue": {"key": "A-1"}, "changelog": {"items": [
		{"field": "Status", "fieldtype": "custom", "fromString": "Green", "toString": "Red"},
		{"field": "Key", "fieldtype": "custom", "fromString": "B-1", "toString": "B-2"}]}}`, Delivery{})
	assert.Equal(t, "A-1 updated (Status, Key)", record.Body().Str())
	assert.NotContains(t, attrs, "jira.issue.status.previous.name")
	assert.NotContains(t, attrs, "jira.issue.previous_key")
}

func TestPreviousStatusOfAMove(t *testing.T) {
	builder := newBuilder(func(o *Options) {
		o.Statuses = status.NewMapper(status.Options{Projects: map[string]status.Mapping{"OPS": {"parked": {"Blocked"}}, "WEB": {"waiting": {"Blocked"}}}})
	})
	_, attrs := build(t, builder, `{"issue": {"key": "WEB-8", "fields": {"status": {"name": "Blocked"}}}, "changelog": {"items": [
		{"field": "status", "fromString": "Blocked", "toString": "Blocked"}, {"field": "Key", "fromString": "OPS-42", "toString": "WEB-8"}]}}`, Delivery{})
	assert.Equal(t, "waiting", attrs["jira.issue.status.mapped"])
	assert.Equal(t, "parked", attrs["jira.issue.status.previous.mapped"])
	assert.Equal(t, "OPS-42", attrs["jira.issue.previous_key"])
}

// TestStatusesOfSites maps a status of the same project key in two sites, by the link in the body or the configured site.
func TestStatusesOfSites(t *testing.T) {
	const body = `{"issue": {"key": "OPS-1", "self": "%s/rest/api/2/issue/1", "fields": {"status": {"name": "Verified"}}}, "changelog": {"items": [
		{"field": "status", "fromString": "Blocked", "toString": "Verified"}]}}`
	const acme, branch = "https://acme.atlassian.net", "https://jira.example.com/context"
	for _, tt := range []struct{ configured, link, want, previous string }{
		{"", acme, "done", "waiting"},
		{"", branch, "processing", "parked"},
		{"", "https://JIRA.example.com:443/context/", "processing", "parked"},
		{"", "https://jira.example.com/other", "done", "waiting"},
		{branch, acme, "processing", "parked"},
	} {
		builder := newBuilder(func(o *Options) {
			o.SiteURL = tt.configured
			o.Statuses = status.NewMapper(status.Options{
				Mapping: status.Mapping{"done": {"Verified"}, "waiting": {"Blocked"}},
				Sites: map[string]status.Site{branch: {
					Mapping: status.Mapping{"parked": {"Blocked"}}, Projects: map[string]status.Mapping{"OPS": {"processing": {"Verified"}}},
				}},
			})
		})
		_, attrs := build(t, builder, fmt.Sprintf(body, tt.link), Delivery{})
		assert.Equal(t, tt.want, attrs["jira.issue.status.mapped"], tt)
		assert.Equal(t, tt.previous, attrs["jira.issue.status.previous.mapped"], tt)
	}
}

func TestDisplayLineIsOneLine(t *testing.T) {
	record, _ := build(t, newBuilder(nil), `{"webhookEvent": "jira:issue_updated", "issue": {"key": "A-1", "fields": {"summary": "x\n\u2028B-2 \u001b[2J\u202e deleted\u0000now\t"}},
		"changelog": {"items": [{"fieldId": "labels"}]}}`, Delivery{})
	assert.Equal(t, "A-1 updated (labels): x B-2 [2J deletednow", record.Body().Str())
}

// TestRecordIsUTF8 has bytes that are not, wherever they can come in. Receivers of OTLP refuse whole batches for one.
func TestRecordIsUTF8(t *testing.T) {
	builder := newBuilder(func(o *Options) { o.Payload, o.Description = true, true })
	record, attrs := build(t, builder, "{\"issue\": {\"key\": \"A-\xff\", \"fields\": {\"summary\": \"\xff\", \"description\": {\"a\": \"\xff\"}}}}",
		Delivery{ID: "\xff", Flow: "\xff"})
	assert.True(t, utf8.ValidString(record.Body().Str()))
	for key, value := range attrs {
		assert.True(t, utf8.ValidString(value.(string)), key)
	}
	assert.Contains(t, attrs, "log.record.original")
	assert.Contains(t, attrs, "jira.issue.description")
}

func TestNothingEmptyIsWritten(t *testing.T) {
	_, attrs := build(t, newBuilder(func(o *Options) { o.UserDetails, o.Description = true, true }),
		`{"webhookEvent": "", "user": {}, "issue": {"key": "", "fields": {"labels": [], "components": [{}], "status": {"name": ""}}}, "changelog": {"id": "", "items": []}}`, Delivery{})
	assert.Equal(t, []string{"jira.webhook.source", "log.record.uid"}, sortedKeys(attrs))
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
