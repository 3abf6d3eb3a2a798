// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// alertNamesByAction has the event name for each action on an alert. It repeats the table of the code on purpose.
var alertNamesByAction = map[string]string{
	"Acknowledge":       "jira.alert.acknowledged",
	"AddNote":           "jira.alert.note_added",
	"AddRecipient":      "jira.alert.recipient_added",
	"AddResponder":      "jira.alert.responder_added",
	"AddTags":           "jira.alert.tags_added",
	"AddTeam":           "jira.alert.team_added",
	"AssignOwnership":   "jira.alert.ownership_assigned",
	"Close":             "jira.alert.closed",
	"Create":            "jira.alert.created",
	"Delete":            "jira.alert.deleted",
	"Escalate":          "jira.alert.escalated",
	"EscalateNext":      "jira.alert.escalated",
	"EscalateToNext":    "jira.alert.escalated",
	"RemoveTags":        "jira.alert.tags_removed",
	"RestartServer":     "jira.alert.restart_server", // a custom action
	"Snooze":            "jira.alert.snoozed",
	"SnoozeEnded":       "jira.alert.snooze_ended",
	"TakeOwnership":     "jira.alert.ownership_taken",
	"UnAcknowledge":     "jira.alert.unacknowledged",
	"UpdateDescription": "jira.alert.description_updated",
	"UpdateMessage":     "jira.alert.message_updated",
	"UpdatePriority":    "jira.alert.priority_updated",
}

func alertBody(action, members string) string {
	return fmt.Sprintf(`{"action": %q, "alert": {"alertId": "1", %s}, "integrationId": "2"}`, action, members)
}

func TestAlertNames(t *testing.T) {
	for action, want := range alertNamesByAction {
		got := alertType(action)
		assert.Equal(t, want, got.Name)
		assert.Equal(t, action != "RestartServer", got.Known, action)
	}
	for action, want := range map[string]EventType{
		"create":               {Name: "jira.alert.created", Known: true},
		"Unacknowledge":        {Name: "jira.alert.unacknowledged", Known: true},
		"Add Details":          {Name: "jira.alert.add_details"},
		"SlaBreached":          {Name: "jira.alert.sla_breached"},
		" Restart-Server2Now ": {Name: "jira.alert.restart_server2_now"},
		"Call kim@example.com": {Name: "jira.unknown", Known: true},
		"再起動":                  {Name: "jira.unknown", Known: true},
		"jira.issue.created":   {Name: "jira.unknown", Known: true},
		// These would get the names of documented actions.
		"closed":                {Name: "jira.unknown", Known: true},
		"Snooze ended":          {Name: "jira.unknown", Known: true},
		"note-added":            {Name: "jira.unknown", Known: true},
		strings.Repeat("a", 65): {Name: "jira.unknown", Known: true},
	} {
		got := alertType(action)
		assert.Equal(t, want.Name, got.Name, action)
		assert.Equal(t, want.Known, got.Known, action)
	}
	for _, name := range alertNames() {
		assert.Contains(t, EventNames(), name)
	}
	assert.Empty(t, Undocumented([]string{"jira.alert.*", "jira.alert.closed"}))
}

// TestOtherBodiesAreNoAlerts has bodies with some of the members of an alert, or with more.
func TestOtherBodiesAreNoAlerts(t *testing.T) {
	const alert = `"alert": {"alertId": "1", "message": "Disk is full"}`
	for body, want := range map[string]string{
		`{"action": "Create", ` + alert + `}`:                                              "jira.alert.created",
		`{"action": "Create", ` + alert + `, "webhookEvent": "jira:issue_updated"}`:        "jira.issue.updated",
		`{"action": "Create", ` + alert + `, "webhookEvent": "sprint_started"}`:            "jira.sprint.started",
		`{"action": "Create", ` + alert + `, "issue": {"key": "OPS-1"}}`:                   "jira.automation.triggered",
		`{"action": "Create", ` + alert + `, "id": "1", "fields": {}}`:                     "jira.automation.triggered",
		`{"action": "Create", ` + alert + `, "transition": {}}`:                            "jira.issue.transitioned",
		`{"action": {}, "issue": {"key": "OPS-1"}, "comment": {"id": "1"}}`:                "jira.automation.triggered",
		`{"action": "Create", "issue": {"key": "OPS-1"}}`:                                  "jira.automation.triggered",
		`{"action": {}, ` + alert + `}`:                                                    "jira.unknown",
		`{` + alert + `}`:                                                                  "jira.unknown",
		`{"action": "Create"}`:                                                             "jira.unknown",
		`{"action": "Create", "alert": "1"}`:                                               "jira.unknown",
		`{"action": "Create", "alert": {"id": "1"}}`:                                       "jira.unknown",
		`{"action": "Create", "alert": {"alertId": ""}}`:                                   "jira.unknown",
		`{"action": "created", "incident": {"id": "1"}, "source": {"name": "statuspage"}}`: "jira.unknown",
	} {
		record, attrs := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, want, record.EventName(), body)
		_, isAlert := attrs[attrAlertID]
		assert.Equal(t, strings.HasPrefix(want, alertNamespace), isAlert, body)
	}
}

// TestAlertUID has repetitions of one action, and actions that differ in one value.
func TestAlertUID(t *testing.T) {
	uid := func(body string) any {
		_, attrs := build(t, newBuilder(func(o *Options) { o.SiteURL = "https://acme.atlassian.net" }), body, Delivery{})
		require.Contains(t, attrs, attrRecordUID)
		return attrs[attrRecordUID]
	}
	const at = `"updatedAt": 1772528471009000001`
	base := uid(alertBody("AddNote", at))
	assert.Equal(t, base, uid(alertBody("AddNote", at+`, "message": "x"`)), "more members")
	assert.Equal(t, base, uid(strings.Replace(alertBody("AddNote", at), `"integrationId": "2"`, `"integrationId": "3"`, 1)), "another integration")
	distinct := map[any]string{base: "the base"}
	for _, body := range []string{
		alertBody("AddTags", at),
		alertBody("Test", at), alertBody("Test2", at),
		alertBody("再起動", at), alertBody("停止", at),
		alertBody("AddNote", `"updatedAt": 1772528471009000002`),
		alertBody("AddNote", `"updatedAt": 1772528471009`),
		strings.Replace(alertBody("AddNote", at), `"alertId": "1"`, `"alertId": "2"`, 1),
		alertBody("Escalate", `"a": 1`), alertBody("Escalate", `"a": 2`), // without a time, the whole body counts
		// Several people, at the same time.
		alertBody("AddNote", at+`, "userId": "5b10ac8d82e05b22cc7d4ef5"`),
		alertBody("AddNote", at+`, "userId": "5b10ac8d82e05b22cc7d4ef6"`),
		alertBody("AddNote", at+`, "username": "kim@example.com"`),
		alertBody("AddNote", at+`, "username": "noor@example.com"`),
		alertBody("AddNote", at+`, "recipient": {"id": "5b10ac8d82e05b22cc7d4ef5"}`),
		alertBody("AddNote", at+`, "recipient": {"id": "5b10ac8d82e05b22cc7d4ef6"}`),
		alertBody("AddNote", at+`, "recipient": "kim@example.com"`),
		alertBody("AddNote", at+`, "recipient": "noor@example.com"`),
		`{"escalationId": "1", ` + alertBody("AddNote", at)[1:],
		`{"escalationId": "2", ` + alertBody("AddNote", at)[1:],
	} {
		id := uid(body)
		assert.Empty(t, distinct[id], "same uid as %s", body)
		distinct[id] = body
		assert.Equal(t, id, uid(strings.Replace(body, `"integrationId": "2"`, `"integrationId": "3", "integrationName": "a"`, 1)), "another integration")
	}
}

// TestNamesStayOutOfUIDsOfAlerts shows that log.record.uid, whose hash has no key, does not contain the name of a person
// beside values that the record contains.
func TestNamesStayOutOfUIDsOfAlerts(t *testing.T) {
	for _, members := range []string{`"username": "kim@example.com"`, `"recipient": "kim@example.com"`} {
		ev, err := jira.NewDecoder(nil).Decode([]byte(alertBody("AddNote", `"updatedAt": 1772528471009000001, `+members)))
		require.NoError(t, err)
		_, change := byAlert(ev)
		assert.Empty(t, change, "the whole payload identifies the action")
	}
}

func TestAlertTimes(t *testing.T) {
	for members, want := range map[string]string{
		`"createdAt": 1772528471009, "updatedAt": 1772528531016000001`:     "2026-03-03T09:02:11.016000001Z",
		`"createdAt": 1772528471009, "updatedAt": "1772528531016000001"`:   "2026-03-03T09:02:11.016000001Z",
		`"createdAt": 1772528471009, "updatedAt": 1772528531016`:           "2026-03-03T09:02:11.016Z",
		`"createdAt": 1772528471009`:                                       "2026-03-03T09:01:11.009Z",
		`"createdAt": "2026-03-03T09:01:11.009Z"`:                          "2026-03-03T09:01:11.009Z",
		`"createdAt": 1772528471009, "updatedAt": 1772528531016000`:        "2026-03-03T09:01:11.009Z", // no unit that is known
		`"createdAt": 1772528471009, "updatedAt": 99999999999999999999999`: "2026-03-03T09:01:11.009Z",
		`"a": 1`: "2026-05-01T12:00:00Z",
	} {
		record, _ := build(t, newBuilder(nil), alertBody("AddNote", members), Delivery{})
		assert.Equal(t, want, record.Timestamp().AsTime().Format("2006-01-02T15:04:05.999999999Z07:00"), members)
	}
}

// TestTokenInHeadersIsLeftOut has a body that repeats the headers of its request, and the token among them.
func TestTokenInHeadersIsLeftOut(t *testing.T) {
	body := testbodies.Read(t, "senders/operations_escalated_with_headers")
	require.Contains(t, string(body), "not-a-real-token")
	w := newWriting(func(o *Options) { o.UserDetails, o.Description, o.CommentBody, o.Payload = true, true, true, true })
	for _, text := range textsOf(w.logs(t, body, Delivery{})) {
		assert.NotContains(t, text.value, "not-a-real-token", text.key)
	}
	for _, body := range []string{
		`{"action": "Create", "alert": {"message": "x"}, "headers": {"X-Token": "hunter2"}}`,
		`{"alert": {"alertId": "1"}, "headers": {"X-Token": "hunter2"}}`,
		`{"action": "Create", "alert": {"alertId": "1"}, "issue": "OPS-1", "headers": {"X-Token": "hunter2"}}`,
		`{"webhookEvent": "jira:issue_updated", "headers": {"X-Token": "hunter2"}}`,
		`{"transition": {}, "Headers": [{"X-Token": "hunter2"}]}`,
		`{"HEADERS": "X-Token: hunter2", "headers": null}`,
		`{"header\u0073": {"X-Token": "hunter2"}}`,
	} {
		for _, text := range textsOf(w.logs(t, []byte(body), Delivery{})) {
			assert.NotContains(t, text.value, "hunter2", body)
		}
	}
	record := w.record(t, testbodies.Read(t, "events/jira.alert.escalated"))
	_, found := record.Attributes().Get(attrRecordOriginal)
	assert.True(t, found, "other bodies of alerts are recorded")
}

func TestAlertSeverity(t *testing.T) {
	builder := newBuilder(func(o *Options) { o.Severities = map[string]plog.SeverityNumber{"p1": plog.SeverityNumberError} })
	for priority, want := range map[string]plog.SeverityNumber{"P1": plog.SeverityNumberError, "P2": plog.SeverityNumberInfo} {
		record, _ := build(t, builder, alertBody("Create", `"priority": "`+priority+`"`), Delivery{})
		assert.Equal(t, want, record.SeverityNumber(), priority)
	}
}

// TestAlertPeople has people in each place, by default and with their names.
func TestAlertPeople(t *testing.T) {
	const id, team = "712020:7c6b5a49-3827-4165-9403-f2e1d0c9b8a7", "8a745a79-3ed3-4044-8427-67e067c0623c"
	ada, maximiliane := hashFor("", "ada@example.com"), hashFor("", "max")
	for members, want := range map[string][2]map[string]any{
		`"userId": "` + id + `", "username": "ada@example.com", "userFullName": "Ada Lindqvist"`: {
			{"user.id": id}, {"user.id": id, "user.name": "ada@example.com", "user.full_name": "Ada Lindqvist"},
		},
		`"userId": "ada@example.com"`:                                  {{"user.hash": ada}, {"user.hash": ada, "user.name": "ada@example.com"}},
		`"userId": "maximiliane-schneider-braun-2", "username": "Max"`: {{"user.hash": maximiliane}, {"user.hash": maximiliane, "user.name": "Max"}},
		`"owner": "ada@example.com"`: {
			{"jira.alert.owner.hash": ada}, {"jira.alert.owner.hash": ada, "jira.alert.owner.name": "ada@example.com"},
		},
		`"owner": "` + id + `"`:       {{"jira.alert.owner.id": id}, {"jira.alert.owner.id": id}},
		`"source": "ada@example.com"`: {{}, {"jira.alert.source": "ada@example.com"}},
		`"source": "Max", "username": "Max"`: {
			{"user.hash": maximiliane}, {"jira.alert.source": "Max", "user.hash": maximiliane, "user.name": "Max"},
		},
		`"source": "Zabbix"`: {{}, {"jira.alert.source": "Zabbix"}}, // the body does not contain who created the alert
		`"responders": ["ada@example.com", {"id": "` + team + `", "type": "team", "name": "Databases"}, null, {"name": "Ada"}]`: {
			{"jira.alert.responders": []any{map[string]any{"id": team, "type": "team"}}},
			{"jira.alert.responders": []any{
				map[string]any{"name": "ada@example.com"},
				map[string]any{"id": team, "type": "team", "name": "Databases"},
				map[string]any{"name": "Ada"},
			}},
		},
		`"responders": ["ada@example.com"]`: {{}, {"jira.alert.responders": []any{map[string]any{"name": "ada@example.com"}}}},
		`"recipient": "ada@example.com"`:    {{}, {"jira.alert.recipient.name": "ada@example.com"}},
		`"responder": {"id": "` + id + `", "type": "user", "name": "Ada"}`: {
			{"jira.alert.recipient.id": id, "jira.alert.recipient.type": "user"},
			{"jira.alert.recipient.id": id, "jira.alert.recipient.type": "user", "jira.alert.recipient.name": "Ada"},
		},
	} {
		for i, details := range []bool{false, true} {
			_, attrs := build(t, newBuilder(func(o *Options) { o.UserDetails = details }), alertBody("Create", members), Delivery{})
			for _, key := range []string{attrRecordUID, attrWebhookSource, attrAlertID, attrAlertAction, attrAlertIntegrationID} {
				delete(attrs, key)
			}
			assert.Equal(t, want[i], attrs, members)
		}
	}
}

// TestAlertSources has sources that are tools and sources that are, or may be, people.
func TestAlertSources(t *testing.T) {
	for _, tt := range []struct{ name, action, origin, source, people, alertSource, actionSource string }{
		{"an integration creates it", "Create", "Zabbix", `{"name": "Zabbix prod", "type": "Zabbix"}`, "", "Zabbix", "Zabbix prod"},
		{"an API call creates it", "create", "10.0.0.1", `{"name": "deploy", "type": "API"}`, "", "10.0.0.1", "deploy"},
		{"an integration closes its alert", "Close", "zabbix ", `{"name": "Zabbix", "type": "Zabbix"}`, "", "zabbix ", "Zabbix"},
		{"an integration closes the alert of a person", "Close", "Jane Doe", `{"name": "Zabbix", "type": "Zabbix"}`, "", "", "Zabbix"},
		{"a person acknowledges the alert of another", "Acknowledge", "Jane Doe", `{"name": "", "type": "web"}`, `, "userFullName": "Kim Dvorak"`, "", ""},
		{"a person creates it", "Create", "Jane Doe", `{"name": "Jane Doe", "type": "Web"}`, "", "", ""},
		{"a person creates it by mail", "Create", "Jane Doe", `{"name": "Jane Doe", "type": " email"}`, "", "", ""},
		{"no type", "Create", "Jane Doe", `{"name": "Jane Doe"}`, "", "", ""},
		{"another letter case", "Create", " jane doe", `{"name": "jane doe", "type": "API"}`, `, "userFullName": "Jane Doe"`, "", ""},
		{"the owner", "Create", "JDOE", `{"name": "jdoe ", "type": "API"}`, `, "owner": "jdoe"`, "", ""},
		{"the recipient", "Create", "Jane Doe", `{"name": "jane doe", "type": "API"}`, `, "recipient": {"name": "Jane Doe"}`, "", ""},
		{"a responder", "Create", "Jane Doe", `{"name": "jane doe", "type": "API"}`, `, "responders": [{"name": "Jane Doe"}]`, "", ""},
		{"an address", "Create", "jane@example.com", `{"name": "jane@example.com", "type": "API"}`, "", "", ""},
	} {
		body := fmt.Sprintf(`{"action": %q, "alert": {"alertId": "1", "source": %q%s}, "source": %s}`, tt.action, tt.origin, tt.people, tt.source)
		_, attrs := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, tt.alertSource, stringOrEmpty(attrs[attrAlertSource]), tt.name)
		assert.Equal(t, tt.actionSource, stringOrEmpty(attrs[attrAlertActionSourceName]), tt.name)
		_, attrs = build(t, newBuilder(func(o *Options) { o.UserDetails = true }), body, Delivery{})
		assert.Equal(t, tt.origin, attrs[attrAlertSource], tt.name)
	}
}

// TestAlertIsBounded has lists and texts that are too long.
func TestAlertIsBounded(t *testing.T) {
	for members, want := range map[string][]any{
		`"tags": ` + many(`"a"`, 4*jira.MaxEntries):                            {"jira.alert.tags"},
		`"addedTags": "` + strings.Repeat("a,", jira.MaxEntries+1) + `"`:       {"jira.alert.added_tags"},
		`"addedTags": "` + strings.Repeat("a,", jira.MaxEntries) + `"`:         nil,
		`"teams": ` + many(`"a"`, 4*jira.MaxEntries):                           {"jira.alert.teams"},
		`"responders": ` + many(`{"type":"user"}`, 16*jira.MaxEntries):         {"jira.alert.responders"},
		`"responders": [{"type": ` + long(2*jira.MaxText) + `}], "alias": "a"`: nil, // max_text_length is no limit of ours
		`"tinyId": ` + long(jira.MaxID+1):                                      {"jira.alert.tiny_id"},
	} {
		logs, _, _ := hostileRecords(t, alertBody("Create", members), func(*Options) {})
		attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
		if want == nil {
			assert.Nil(t, attrs[attrRecordTruncated], members[:20])
			continue
		}
		assert.Equal(t, want, attrs[attrRecordTruncated], members[:20])
	}
}

// alertMember sorts the members of the body of an alert, and reports whether the member is one of them.
func (s *bodyTexts) alertMember(key string, value any, parent map[string]any) bool {
	switch {
	case hasAny(parent, "alertId"):
		return s.memberOfAlert(key, value)
	case !hasAny(parent, "alert"):
		return false
	case key == "escalationNotify", key == "recipient":
		s.responder(value)
	case key == "source":
		s.addSource(textAt(value, "name"))
		s.walk(textAt(value, "type"))
	case key == "headers":
		s.addTexts(ofLinks, value) // no option writes them
	default:
		return false
	}
	return true
}

func (s *bodyTexts) memberOfAlert(key string, value any) bool {
	switch key {
	case "username", "userFullName", "owner":
		s.addPerson(value)
	case "userId":
		s.addPerson(value)
	case "source":
		s.addSource(value)
	case "description", "details":
		s.addTexts(ofDescription, value)
	case "note":
		s.addTexts(ofComment, value)
	case "recipient", "responder":
		s.responder(value)
	case "responders":
		list, _ := value.([]any)
		for _, element := range list {
			s.responder(element)
		}
	default:
		return false
	}
	return true
}

func (s *bodyTexts) responder(value any) {
	object, isObject := value.(map[string]any)
	switch {
	case !isObject:
		s.addPerson(value)
	case textAt(object, "entity", "type") == "user":
		s.addPerson(object["name"])
		s.addPerson(object["id"])
	default:
		s.walk(object)
	}
}

// addPerson adds an id of a person, or a name.
func (s *bodyTexts) addPerson(value any) {
	if text, _ := value.(string); accountOrKey.MatchString(text) || strings.Count(text, "-") == 4 {
		s.ids[text] = true
		return
	}
	s.addTexts(ofUser, value)
}

// addSource adds a source, which is a person unless it is one of the tools of the examples.
func (s *bodyTexts) addSource(value any) {
	if value == "Prometheus" {
		s.walk(value)
		return
	}
	s.addTexts(ofUser, value)
}
