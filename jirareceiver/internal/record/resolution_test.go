// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// TestResolutionChange contains histories of issues, in the different forms in which Jira sends them. An issue is
// resolved once, and again only after it was reopened.
func TestResolutionChange(t *testing.T) {
	const (
		toDone   = `{"fieldId": "status", "field": "status", "from": "3", "fromString": "In Progress", "to": "5", "toString": "Done"}`
		fromDone = `{"field": "Status", "from": "5", "fromString": "Done", "to": "3", "toString": "In Progress"}`
		set      = `{"fieldId": "resolution", "field": "resolution", "from": null, "fromString": null, "to": "1", "toString": "Fixed"}`
		cleared  = `{"field": "resolution", "from": "1", "fromString": "Fixed", "to": null, "toString": ""}`
		other    = `{"field": "resolution", "from": "1", "fromString": "Fixed", "to": "2", "toString": "Won't do"}`
		rank     = `{"field": "Rank", "fieldtype": "custom", "toString": "Ranked higher"}`
		isDone   = `"status": {"name": "Done", "statusCategory": {"key": "done"}}`
		isOpen   = `"status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}`
		fixed    = `"resolution": {"id": "1", "name": "Fixed"}`
		// Of a site in another language, whose previous statuses nothing maps.
		toFertig   = `{"fieldId": "status", "field": "Status", "fromString": "In Arbeit", "toString": "Fertig"}`
		fromFertig = `{"fieldId": "status", "field": "Status", "fromString": "Fertig", "toString": "In Arbeit"}`
		isFertig   = `"status": {"name": "Fertig", "statusCategory": {"key": "done"}}`
		isInArbeit = `"status": {"name": "In Arbeit", "statusCategory": {"key": "indeterminate"}}`
		isUnclear  = `"status": {"name": "Geparkt", "statusCategory": {"key": "undefined"}}`
		toUnclear  = `{"fieldId": "status", "fromString": "In Progress", "toString": "Geparkt"}`
	)
	for _, tt := range []struct{ name, event, fields, changes, want string }{
		{"resolved by a transition", "jira:issue_updated", isDone + "," + fixed, set + "," + toDone, "resolved"},
		{"in a workflow without resolutions", "jira:issue_updated", isDone, toDone, "resolved"},
		{"the resolution comes later, from a rule", "jira:issue_updated", isDone + "," + fixed, set, ""},
		{"the resolution comes before the transition", "jira:issue_updated", isOpen + "," + fixed, set, ""},
		{"the transition after that resolution", "jira:issue_updated", isDone + "," + fixed, toDone, "resolved"},
		{"another resolution", "jira:issue_updated", isDone + "," + fixed, other, ""},
		{"from one done status to another", "jira:issue_updated", `"status": {"name": "Closed"}`, `{"field": "status", "fromString": "Resolved", "toString": "Closed"}`, ""},
		{"canceled", "jira:issue_updated", `"status": {"name": "Cancelled"}`, `{"field": "status", "fromString": "Open", "toString": "Cancelled"}`, "resolved"},
		{"an edit of a resolved issue", "jira:issue_updated", isDone + "," + fixed, rank, ""},
		{"reopened", "jira:issue_updated", isOpen, cleared + "," + fromDone, "reopened"},
		{"reopened, and the workflow leaves the resolution", "jira:issue_updated", isOpen + "," + fixed, fromDone, "reopened"},
		{"that resolution is tidied up", "jira:issue_updated", isOpen, cleared, ""},
		{"from one open status to another", "jira:issue_updated", isOpen, `{"field": "status", "fromString": "To Do", "toString": "In Progress"}`, ""},

		{"localised, resolved", "jira:issue_updated", isFertig + "," + fixed, set + "," + toFertig, "resolved"},
		{"localised, in a workflow without resolutions", "jira:issue_updated", isFertig, toFertig, "resolved"},
		{"localised, from one done status to another", "jira:issue_updated", isFertig + "," + fixed, toFertig, ""},
		{"localised, from one done status to another, with another resolution", "jira:issue_updated", isFertig + "," + fixed, other + "," + toFertig, ""},
		{"localised, done without the resolution that it had", "jira:issue_updated", isFertig, cleared + "," + toFertig, ""},
		{"localised, reopened", "jira:issue_updated", isInArbeit, cleared + "," + fromFertig, "reopened"},
		{"localised, and the workflow leaves the resolution", "jira:issue_updated", isInArbeit + "," + fixed, fromFertig, ""},
		{"localised, open with a resolution", "jira:issue_updated", isInArbeit + "," + fixed, set + "," + fromFertig, ""},
		{"unclear, resolved", "jira:issue_updated", isUnclear + "," + fixed, set + "," + toUnclear, "resolved"},
		{"unclear, reopened", "jira:issue_updated", isUnclear, cleared + "," + toUnclear, "reopened"},
		{"unclear", "jira:issue_updated", isUnclear, toUnclear, ""},
		{"no status in the body", "jira:issue_updated", fixed, set, "resolved"},
		{"no status and no ids in the body", "jira:issue_updated", "", `{"field": "resolution", "fromString": "Fixed"}`, "reopened"},

		{"created", "jira:issue_created", isOpen, `{"field": "Status", "toString": "In Progress"}`, ""},
		{"created done", "jira:issue_created", isDone, `{"field": "Status", "toString": "Done"}`, "resolved"},
		{"created done, without changelog", "jira:issue_created", isDone, "", "resolved"},
		{"deleted when done", "jira:issue_deleted", isDone + "," + fixed, "", ""},
		{"commented when done", "comment_created", isDone + "," + fixed, "", ""},
		{"a custom field that is called resolution", "jira:issue_updated", "", `{"field": "Resolution", "fieldtype": "custom", "toString": "4K"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, attrs := build(t, newBuilder(nil), fmt.Sprintf(
				`{"webhookEvent": %q, "issue": {"key": "OPS-1", "fields": {%s}}, "changelog": {"items": [%s]}}`, tt.event, tt.fields, tt.changes), Delivery{})
			assert.Equal(t, tt.want, stringOrEmpty(attrs["jira.issue.resolution.change"]))
		})
	}
}

func stringOrEmpty(value any) string {
	s, _ := value.(string)
	return s
}

// TestResolutionChangeByMapping contains statuses that only the configuration maps, one of them to a value that is not
// built in.
func TestResolutionChangeByMapping(t *testing.T) {
	builder := newBuilder(func(o *Options) {
		o.Statuses = status.NewMapper(status.Options{Mapping: status.Mapping{
			"done": {"Verified"}, "processing": {"Parked"}, "shipped": {"Live"},
		}})
	})
	for _, tt := range []struct{ from, to, category, want string }{
		{"Parked", "Verified", "indeterminate", "resolved"},
		{"Verified", "Parked", "done", "reopened"},
		{"Parked", "Live", "done", "resolved"},
		{"Parked", "Live", "new", ""},
		{"Parked", "Live", "undefined", ""},
		{"Live", "Parked", "new", ""}, // Jira does not send the category of the previous status
	} {
		body := fmt.Sprintf(`{"webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1", "fields": {"status": {"name": %q, "statusCategory": {"key": %q}}}},
			"changelog": {"items": [{"field": "status", "fromString": %q, "toString": %q}]}}`, tt.to, tt.category, tt.from, tt.to)
		_, attrs := build(t, builder, body, Delivery{})
		assert.Equal(t, tt.want, stringOrEmpty(attrs["jira.issue.resolution.change"]), body)
	}
}

func TestResolutionChangeOfPostFunction(t *testing.T) {
	_, attrs := build(t, newBuilder(nil), `{"timestamp": 1772528471009, "transition": {"from_status": "In Progress", "to_status": "Done"},
		"issue": {"key": "OPS-1", "fields": {"created": "2026-03-03T09:01:01.009Z", "status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}}}}`, Delivery{})
	assert.Equal(t, "resolved", attrs["jira.issue.resolution.change"], "the issue does not have its new status yet")
	assert.Equal(t, int64(10), attrs["jira.issue.lead_time_seconds"])
	_, attrs = build(t, newBuilder(nil), `{"timestamp": 1772528471009, "transition": {"to_status": "Done"},
		"issue": {"key": "OPS-1", "fields": {"status": {"name": "Done", "statusCategory": {"key": "done"}}}}}`, Delivery{})
	assert.NotContains(t, attrs, "jira.issue.resolution.change", "no mapping can supply the previous status")
}

// TestResolutionChangeByTimeOfCategory has moves from statuses that nothing maps, in workflows without resolutions. The
// time of the last change of the category decides.
func TestResolutionChangeByTimeOfCategory(t *testing.T) {
	for _, tt := range []struct{ name, from, to, category, since, want string }{
		{"the category changed now", "In Arbeit", "Fertig", "done", "2026-03-03T09:01:10.900+0000", "resolved"},
		{"after the event, by another clock", "In Arbeit", "Fertig", "done", "2026-03-03T09:01:12.000+0000", "resolved"},
		{"from done to done", "Geschlossen", "Done", "done", "2026-03-01T09:01:10.900+0000", ""},
		{"Data Center sends no time", "Geschlossen", "Done", "done", "", "resolved"},
		{"between open statuses", "In Arbeit", "Wartet", "indeterminate", "2026-03-01T09:01:10.900+0000", ""},
		{"to another category that is open", "Fertig", "Wartet", "indeterminate", "2026-03-03T09:01:10.900+0000", ""},
		{"from a status that is mapped", "Done", "Fertig", "done", "2026-03-03T09:01:10.900+0000", ""},
		{"no previous status", "", "Done", "done", "", ""},
	} {
		body := fmt.Sprintf(`{"timestamp": 1772528471009, "webhookEvent": "jira:issue_updated", "issue": {"key": "OPS-1", "fields": {
			"statuscategorychangedate": %q, "status": {"name": %q, "statusCategory": {"key": %q}}}},
			"changelog": {"items": [{"field": "status", "fromString": %q, "toString": %q}]}}`, tt.since, tt.to, tt.category, tt.from, tt.to)
		_, attrs := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, tt.want, stringOrEmpty(attrs["jira.issue.resolution.change"]), tt.name)
	}
}

func TestDurations(t *testing.T) {
	const (
		resolved = `"status": {"name": "Done"}, "created": "2026-03-02T10:00:00.000+0100"`
		toDone   = `{"field": "status", "fromString": "In Progress", "toString": "Done"}`
		set      = `{"field": "resolution", "toString": "Done"}`
	)
	for _, tt := range []struct {
		name, event, timestamp, fields, changes string
		age, lead                               any
	}{
		{"an edit", "updated", "1772442061500", `"created": "2026-03-02T10:00:00.000+0100"`, "", int64(62), nil},
		{"resolved", "updated", "1772442061499", resolved, toDone, int64(61), int64(61)},
		{"the resolution date of this event", "updated", "1772442062000", resolved + `, "resolutiondate": "2026-03-02T10:01:00.000+0100"`, set + "," + toDone, int64(62), int64(60)},
		{"a resolution date that was left over", "updated", "1772442062000", resolved + `, "resolutiondate": "2026-03-02T10:00:10.000+0100"`, toDone, int64(62), int64(62)},
		{"imported", "created", "1772442062000", resolved + `, "resolutiondate": "2026-03-02T10:00:10.000+0100"`, "", int64(62), int64(10)},
		{"created done", "created", "1772442000400", resolved, "", int64(0), int64(0)},
		{"without timestamp", "updated", "null", resolved + `, "updated": "2026-03-02T10:00:30.000+0100"`, toDone, int64(30), int64(30)},
		{"a clock that is a little slow", "updated", "1772441999600", resolved, toDone, int64(0), int64(0)},
		{"a clock that is wrong", "updated", "1772441990000", resolved, toDone, nil, nil},
		{"creation unknown", "updated", "1772442062000", `"status": {"name": "Done"}`, toDone, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, attrs := build(t, newBuilder(nil), fmt.Sprintf(
				`{"timestamp": %s, "webhookEvent": "jira:issue_%s", "issue": {"key": "OPS-1", "fields": {%s}}, "changelog": {"items": [%s]}}`,
				tt.timestamp, tt.event, tt.fields, tt.changes), Delivery{})
			assert.Equal(t, tt.age, attrs["jira.issue.age_seconds"])
			assert.Equal(t, tt.lead, attrs["jira.issue.lead_time_seconds"])
		})
	}
}
