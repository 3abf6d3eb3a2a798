// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// step is a change of the status in a changelog, such as step("1 Open", "3 In Progress").
func step(from, to string) string {
	fromID, fromName, _ := strings.Cut(from, " ")
	toID, toName, _ := strings.Cut(to, " ")
	return fmt.Sprintf(`{"field": "status", "fieldId": "status", "fieldtype": "jira", "from": %q, "fromString": %q, "to": %q, "toString": %q}`,
		fromID, fromName, toID, toName)
}

// The statuses of the issue in the bodies.
const (
	openStatus     = `{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}`
	progressStatus = `{"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}}`
	doneStatus     = `{"id": "5", "name": "Done", "statusCategory": {"key": "done"}}`
)

// TestTransitions uses bodies whose issue agrees with the transition, is ahead of it, is behind it, or has no status.
func TestTransitions(t *testing.T) {
	type status struct{ id, name, category, mapped string }
	for _, tt := range []struct {
		name, status, members string
		current, previous     status
		line                  string
	}{
		{
			"the issue agrees", progressStatus, `"changelog": {"items": [` + step("1 Open", "3 In Progress") + `]}`,
			status{"3", "In Progress", "indeterminate", "processing"},
			status{"1", "Open", "", "processing"},
			"A-1 moved from Open to In Progress",
		},
		{
			"the issue is ahead", doneStatus, `"changelog": {"items": [` + step("1 Open", "3 In Progress") + `]}`,
			status{"3", "In Progress", "", "processing"},
			status{"1", "Open", "", "processing"},
			"A-1 moved from Open to In Progress",
		},
		{
			"the issue is behind", `{"id": "7", "name": "Geparkt", "statusCategory": {"key": "new"}}`, `"changelog": {"items": [` + step("7 Geparkt", "5 Done") + `]}`,
			status{"5", "Done", "", "done"},
			status{"7", "Geparkt", "", "planned"},
			"A-1 moved from Geparkt to Done",
		},
		{
			"two steps", doneStatus, `"changelog": {"items": [` + step("1 Open", "3 In Progress") + `, {"field": "x"}, ` + step("3 In Progress", "5 Done") + `]}`,
			status{"5", "Done", "done", "done"},
			status{"1", "Open", "", "processing"},
			"A-1 moved from Open to Done",
		},
		{
			"statuses with one name", `{"id": "8", "name": "Done", "statusCategory": {"key": "new"}}`, `"changelog": {"items": [` + step("1 Open", "5 Done") + `]}`,
			status{"5", "Done", "", "done"},
			status{"1", "Open", "", "processing"},
			"A-1 moved from Open to Done",
		},
		{
			"no ids", `"in progress "`, `"changelog": {"items": [{"field": "Status", "fromString": "Open", "toString": "In Progress"}]}`,
			status{"", "in progress ", "", "processing"},
			status{"", "Open", "", "processing"},
			"A-1 moved from Open to In Progress",
		},
		{
			"no status in the issue", `null`, `"changelog": {"items": [` + step("1 Open", "3 In Progress") + `]}`,
			status{"3", "In Progress", "", "processing"},
			status{"1", "Open", "", "processing"},
			"A-1 moved from Open to In Progress",
		},
		{
			"a transition without statuses", doneStatus, `"transition": {"transitionId": 5}, "changelog": {"items": [` + step("3 In Progress", "5 Done") + `]}`,
			status{"5", "Done", "done", "done"},
			status{"3", "In Progress", "", "processing"},
			"A-1 moved from In Progress to Done",
		},
		{
			"a transition without statuses and changes", doneStatus, `"transition": {"transitionId": 5}`,
			status{"5", "Done", "done", "done"},
			status{},
			"A-1 transitioned",
		},
		{
			"a post-function before the transition", `{"id": "4", "name": "Zurück", "statusCategory": {"key": "new"}}`,
			`"transition": {"from_status": "Zurück", "to_status": "Testing"}`,
			status{"", "Testing", "", ""},
			status{"4", "Zurück", "", "planned"},
			"A-1 moved from Zurück to Testing",
		},
		{
			"a post-function after the transition", progressStatus, `"transition": {"from_status": "Open", "to_status": "In Progress"}`,
			status{"3", "In Progress", "indeterminate", "processing"},
			status{"", "Open", "", "processing"},
			"A-1 moved from Open to In Progress",
		},
		{
			"a post-function of a loop", progressStatus, `"transition": {"from_status": "In Progress", "to_status": "In Progress"}`,
			status{"3", "In Progress", "indeterminate", "processing"},
			status{"3", "In Progress", "", "processing"},
			"A-1 moved from In Progress to In Progress",
		},
		{
			"a field that is not a status", openStatus, `"changelog": {"items": [{"field": "Status", "fieldtype": "custom", "fromString": "Red", "toString": "Green"}]}`,
			status{"1", "Open", "new", "processing"},
			status{},
			"A-1 updated (Status)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := `"webhookEvent": "jira:issue_updated", `
			if strings.HasPrefix(tt.members, `"transition"`) && !strings.Contains(tt.members, "changelog") {
				event = ""
			}
			record, attrs := build(t, newBuilder(nil), fmt.Sprintf(`{%s"issue": {"key": "A-1", "fields": {"status": %s}}, %s}`, event, tt.status, tt.members), Delivery{})
			get := func(key string) string { return stringOrEmpty(attrs["jira.issue.status."+key]) }
			current := status{get("id"), get("name"), get("category"), get("mapped")}
			assert.Equal(t, tt.current, current)
			previous := status{get("previous.id"), get("previous.name"), "", get("previous.mapped")}
			assert.Equal(t, tt.previous, previous)
			assert.Equal(t, tt.line, record.Body().Str())
		})
	}
}

// TestQuickMovesResolveOnce delivers two moves whose bodies contain the issue as it is after both, and then as it was
// before both. The issue is resolved once, with one lead time.
func TestQuickMovesResolveOnce(t *testing.T) {
	for name, statuses := range map[string][2]string{
		"ahead": {doneStatus, doneStatus}, "behind": {openStatus, openStatus}, "on time": {progressStatus, doneStatus},
	} {
		var changes, leadTimes []any
		for i, items := range []string{step("1 Open", "3 In Progress"), step("3 In Progress", "5 Done")} {
			body := fmt.Sprintf(`{"webhookEvent": "jira:issue_updated", "timestamp": 177252847%d009, "issue": {"key": "A-1", "fields": {
				"created": "2026-03-03T09:00:00.000+0000", "status": %s}}, "changelog": {"items": [%s]}}`, i+1, statuses[i], items)
			_, attrs := build(t, newBuilder(nil), body, Delivery{})
			changes = append(changes, attrs["jira.issue.resolution.change"])
			leadTimes = append(leadTimes, attrs["jira.issue.lead_time_seconds"])
		}
		assert.Equal(t, []any{nil, "resolved"}, changes, name)
		assert.Equal(t, []any{nil, int64(72)}, leadTimes, name)
	}
}

// TestResolutionInSteps sets and clears the resolution within one changelog.
func TestResolutionInSteps(t *testing.T) {
	const set, cleared = `{"field": "resolution", "to": "1", "toString": "Fixed"}`, `{"field": "resolution", "from": "1", "fromString": "Fixed"}`
	for items, want := range map[string]any{
		set: "resolved", cleared: "reopened", set + "," + cleared: nil, cleared + "," + set: nil,
	} {
		_, attrs := build(t, newBuilder(nil), `{"webhookEvent": "jira:issue_updated", "issue": {"key": "A-1"}, "changelog": {"items": [`+items+`]}}`, Delivery{})
		assert.Equal(t, want, attrs["jira.issue.resolution.change"], items)
	}
}

// TestCategoryChange writes the time of the category only with the category.
func TestCategoryChange(t *testing.T) {
	const fields = `"statuscategorychangedate": "2026-03-03T10:01:11.009+0100", "status": ` + progressStatus
	for members, want := range map[string]any{
		``: "2026-03-03T09:01:11.009Z",
		`, "changelog": {"items": [` + step("1 Open", "3 In Progress") + `]}`: "2026-03-03T09:01:11.009Z",
		`, "changelog": {"items": [` + step("1 Open", "5 Done") + `]}`:        nil,
	} {
		_, attrs := build(t, newBuilder(nil), `{"issue": {"key": "A-1", "fields": {`+fields+`}}`+members+`}`, Delivery{})
		assert.Equal(t, want, attrs["jira.issue.status.category_changed_at"], members)
	}
}

// TestHistories uses bodies of Automation, whose changelog is a list of changes.
func TestHistories(t *testing.T) {
	const (
		started = `{"id": 7, "created": 1772528400000, "items": [{"field": "status", "from": "1", "fromString": "Open", "to": "3", "toString": "In Progress"}]}`
		solved  = `{"id": "8", "created": "2026-03-03T09:01:11.009+0000", "items": [{"field": "status", "from": "3", "fromString": "In Progress", "to": "5", "toString": "Done"}]}`
	)
	const updated, later = "1772528471009", "1772528480000"
	for _, tt := range []struct {
		name, histories, updated string
		id, previous             any
	}{
		{"one", solved, updated, "8", "In Progress"},
		{"the newest first", solved + "," + started, updated, "8", "In Progress"},
		{"the newest last", started + "," + solved, updated, "8", "In Progress"},
		{"an update that followed", started + "," + solved, later, nil, nil},
		{"no time of the update", started, "null", "7", "Open"},
		{"no time of the change", `{"items": [{"field": "status", "fromString": "Open", "toString": "Done"}]}`, updated, nil, "Open"},
		{"no items", `{"id": 9, "created": 1772528471009}`, updated, nil, nil},
		{"none", ``, updated, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changelog := `"changelog": {"startAt": 0, "total": 2, "histories": [` + tt.histories + `]}`
			fields := `"fields": {"updated": ` + tt.updated + `, "status": ` + doneStatus + `}`
			for _, body := range []string{
				`{"id": 1, "key": "A-1", ` + changelog + `, ` + fields + `}`,
				`{"issue": {"id": 1, "key": "A-1", ` + fields + `, ` + changelog + `}}`,
			} {
				_, attrs := build(t, newBuilder(nil), body, Delivery{})
				assert.Equal(t, tt.id, attrs["jira.changelog.id"], body)
				assert.Equal(t, tt.previous, attrs["jira.issue.status.previous.name"], body)
			}
		})
	}
	_, attrs := build(t, newBuilder(nil), `{"issue": {"changelog": {"histories": [`+solved+`]}}, "changelog": {"id": "1", "items": [{"field": "x"}]}}`, Delivery{})
	assert.Equal(t, "1", attrs["jira.changelog.id"], "the change of the event counts more")
}
