// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

func TestLinks(t *testing.T) {
	_, attrs := build(t, newBuilder(nil), `{"issue": {"key": "A-1", "fields": {
		"issuelinks": [
			{"id": 10, "type": {"id": 100, "name": "Blocks", "inward": "is blocked by"}, "outwardIssue": {"id": 2, "key": "A-2", "fields": {"summary": "secret"}}},
			{"id": "11", "type": {"id": "101", "name": "Causes"}, "inwardIssue": {"id": "3", "key": "B-3"}},
			{"id": "12"}, {}, null, 1],
		"subtasks": [{"id": 4, "key": "A-4", "fields": {"summary": "secret"}}, {"key": "A-5"}, {}, null]}}}`, Delivery{})
	assert.Equal(t, []any{
		map[string]any{"id": "10", "type_id": "100", "type_name": "Blocks", "direction": "outward", "issue_id": "2", "issue_key": "A-2"},
		map[string]any{"id": "11", "type_id": "101", "type_name": "Causes", "direction": "inward", "issue_id": "3", "issue_key": "B-3"},
		map[string]any{"id": "12"},
	}, attrs["jira.issue.links"])
	assert.Equal(t, []any{"4"}, attrs["jira.issue.subtask.ids"])
	assert.Equal(t, []any{"A-4", "A-5"}, attrs["jira.issue.subtask.keys"])

	_, attrs = build(t, newBuilder(nil), `{"issue": {"key": "A-1", "fields": {"issuelinks": [], "subtasks": null}}}`, Delivery{})
	assert.Equal(t, []string{"jira.issue.key", "jira.project.key", "jira.webhook.source", "log.record.uid"}, sortedKeys(attrs))
}

// TestLongListsOfIssues uses more links, subtasks and sprints than a list may have entries.
func TestLongListsOfIssues(t *testing.T) {
	list := func(entry string) string { return "[" + strings.Repeat(entry+",", jira.MaxEntries) + entry + "]" }
	_, attrs := build(t, newBuilder(nil), fmt.Sprintf(`{"issue": {"key": "A-1", "fields": {"issuelinks": %s, "subtasks": %s, "customfield_1": %s}}}`,
		list(`{"id": 1}`), list(`{"id": 2, "key": "A-2"}`), list(`{"id": 3, "state": "closed", "boardId": 1}`)), Delivery{})
	for _, key := range []string{"jira.issue.links", "jira.issue.subtask.ids", "jira.issue.subtask.keys", "jira.issue.closed_sprint.ids"} {
		assert.Len(t, attrs[key], jira.MaxEntries, key)
		assert.Contains(t, attrs["jira.record.truncated"], key)
	}
}

// TestSprintsOfIssues finds the sprints of an issue in a custom field that the configuration does not name.
func TestSprintsOfIssues(t *testing.T) {
	const text = `"com.atlassian.greenhopper.service.sprint.Sprint@1a[id=%d,rapidViewId=9,state=%s,name=Run %[1]d,startDate=<null>,goal=]"`
	const object = `{"id": %d, "name": "Run %[1]d", "state": "%s", "boardId": 9, "goal": ""}`
	for layout, state := range map[string]func(string) string{text: strings.ToUpper, object: strings.ToLower} {
		sprint := func(id int, of string) string { return fmt.Sprintf(layout, id, state(of)) }
		for _, tt := range []struct {
			sprints              []string
			id, name, of, closed any
		}{
			{[]string{sprint(1, "active")}, "1", "Run 1", "active", nil},
			{[]string{sprint(1, "closed"), sprint(2, "closed"), sprint(3, "future")}, "3", "Run 3", "future", []any{"1", "2"}},
			{[]string{sprint(1, "closed")}, nil, nil, nil, []any{"1"}},
			{[]string{sprint(1, "future"), sprint(2, "future"), sprint(3, "active")}, "3", "Run 3", "active", nil},
			{[]string{sprint(1, "future"), sprint(2, "future")}, "1", "Run 1", "future", nil},
			{nil, nil, nil, nil, nil},
		} {
			body := `{"issue": {"fields": {"customfield_1": [{"id": 4, "name": "Board", "boardId": 9}], "customfield_2": [` + strings.Join(tt.sprints, ",") + `]}}}`
			_, attrs := build(t, newBuilder(nil), body, Delivery{})
			assert.Equal(t, tt.id, attrs["jira.issue.sprint.id"], body)
			assert.Equal(t, tt.name, attrs["jira.issue.sprint.name"], body)
			assert.Equal(t, tt.of, attrs["jira.issue.sprint.state"], body)
			assert.Equal(t, tt.closed, attrs["jira.issue.closed_sprint.ids"], body)
		}
	}
}

func TestFlag(t *testing.T) {
	const (
		flagged = `"customfield_1": [{"value": "Impediment", "id": "10019"}]`
		other   = `"customfield_1": [{"value": "Impediments", "id": "1"}, {"name": "Impediment"}, "Impediment"]`
		set     = `{"field": "Flagged", "fieldId": "customfield_1", "fieldtype": "custom", "from": "", "fromString": "", "to": "[10019]", "toString": "Impediment"}`
		removed = `{"field": "Flagged", "fieldtype": "custom", "from": "[10019]", "fromString": "Hindernis", "to": "", "toString": null}`
	)
	for _, tt := range []struct {
		fields, items string
		want          any
	}{
		{flagged, "", true},
		{other, "", nil},
		{`"customfield_1": null`, "", nil},
		{flagged, set, true},
		{"", set, true}, // of a site that has translated the option
		{"", removed, false},
		{flagged, removed, false}, // the issue is behind
		{"", set + "," + removed, false},
	} {
		_, attrs := build(t, newBuilder(nil), `{"issue": {"fields": {`+tt.fields+`}}, "changelog": {"items": [`+tt.items+`]}}`, Delivery{})
		assert.Equal(t, tt.want, attrs["jira.issue.flagged"], tt.fields+tt.items)
	}
}

func TestVisibility(t *testing.T) {
	for value, want := range map[string][2]any{
		`{"type": "role", "value": "Administrators"}`:                     {"role", "Administrators"},
		`{"type": "group", "value": "jira-users", "identifier": "276f"}`:  {"group", "jira-users"},
		`{"type": "group", "value": null, "identifier": "276f955c-63d7"}`: {"group", "276f955c-63d7"},
		`null`: {nil, nil},
		`{}`:   {nil, nil},
	} {
		for _, subject := range []string{"comment", "worklog"} {
			_, attrs := build(t, newBuilder(nil), fmt.Sprintf(`{"webhookEvent": "%s_created", %[1]q: {"id": "1", "visibility": %s}}`, subject, value), Delivery{})
			assert.Equal(t, want[0], attrs["jira."+subject+".visibility.type"], value)
			assert.Equal(t, want[1], attrs["jira."+subject+".visibility.value"], value)
		}
	}
}
