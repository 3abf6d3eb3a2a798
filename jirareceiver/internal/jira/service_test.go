// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

// moment is a time in the format of Jira Service Management, some hours after noon.
func moment(hours int) string {
	t := noon.Add(time.Duration(hours) * time.Hour)
	return fmt.Sprintf(`{"iso8601": %q, "jira": %q, "friendly": "Today", "epochMillis": %d}`,
		t.Format("2006-01-02T15:04:05-0700"), t.Format("2006-01-02T15:04:05.000-0700"), t.UnixMilli())
}

// withoutMarks removes the facts that only the decoder needs.
func withoutMarks(value any) any {
	if sla, isSLA := value.(*SLA); isSLA {
		sla.isUnreadable, sla.Ongoing.hasContent, sla.Completed.hasContent = false, false, false
	}
	if approval, isApproval := value.(*Approval); isApproval {
		approval.isApproval = false
	}
	return value
}

func TestDecodeSLA(t *testing.T) {
	const durations = `"goalDuration": {"millis": 14400000, "friendly": "4h"}, "elapsedTime": {"friendly": "5h", "millis": 18000000}, "remainingTime": {"millis": -3600000}`
	cycle := Cycle{Goal: new(int64(14400000)), Elapsed: new(int64(18000000)), Remaining: new(int64(-3600000))}
	ongoing := cycle
	ongoing.Started, ongoing.Breach, ongoing.Breached, ongoing.Paused = noon, noon.Add(4*time.Hour), new(true), new(false)
	completed := func(stopped int) string {
		return `{"stopTime": ` + moment(stopped) + `, "breached": true, "startTime": ` + moment(stopped-1) + `, ` + durations + `}`
	}
	last := cycle
	last.Started, last.Stopped, last.Breached = noon.Add(8*time.Hour), noon.Add(9*time.Hour), new(true)
	for value, want := range map[string]SLA{
		`{"id": "2", "name": "Time to resolution", "completedCycles": [], "slaDisplayFormat": "NEW_SLA_FORMAT"}`: {ID: "2", Name: "Time to resolution"},
		`{"id": 2, "completedCycles": null, "ongoingCycle": null}`:                                               {ID: "2"},
		`{"ongoingCycle": {"startTime": ` + moment(0) + `, "breachTime": ` + moment(4) + `, "breached": true, "paused": false, ` + durations + `}, "id": "2"}`: {
			ID: "2", Ongoing: ongoing,
		},
		`{"completedCycles": [` + completed(9) + `, ` + completed(5) + `]}`:                     {Completed: last},
		`{"completedCycles": [` + completed(5) + `, ` + completed(9) + `]}`:                     {Completed: last},
		`{"completedCycles": [{"breached": true}, {"breached": false}]}`:                        {Completed: Cycle{Breached: new(false)}},
		`{"completedCycles": {"breached": "true"}}`:                                             {Completed: Cycle{Breached: new(true)}},
		`{"ongoingCycle": {"startTime": {"iso8601": "2026-03-06T13:00:00+0100"}}}`:              {Ongoing: Cycle{Started: noon}},
		`{"ongoingCycle": {"startTime": "2026-03-06T12:00:00.000+0000"}}`:                       {Ongoing: Cycle{Started: noon}},
		`{"ongoingCycle": {"elapsedTime": 1.5E3, "remainingTime": "-5", "goalDuration": null}}`: {Ongoing: Cycle{Elapsed: new(int64(1500)), Remaining: new(int64(-5))}},
		`[{"ongoingCycle": {"breached": true}}]`:                                                {Ongoing: Cycle{Breached: new(true)}},
	} {
		field := decodeField(t, value)
		require.NotNil(t, field, value)
		assert.Equal(t, &want, withoutMarks(field.Service), value)
		assert.Nil(t, field.Value, value)
		assert.False(t, field.IsUnreadable, value)
	}
}

func TestDecodeApprovals(t *testing.T) {
	approver := func(id, decision string) string {
		return `{"approver": {"accountId": "` + id + `", "displayName": "Ada Lindqvist"}, "approverDecision": "` + decision + `"}`
	}
	approval := func(id, decision string, created int) string {
		return `{"id": "` + id + `", "finalDecision": "` + decision + `", "createdDate": ` + moment(created) + `, "approvers": []}`
	}
	user := func(id string) User { return User{AccountID: id, DisplayName: "Ada Lindqvist"} }
	for value, want := range map[string]Approval{
		`[{"createdDate": ` + moment(1) + `, "id": 7, "name": "CAB", "finalDecision": "APPROVED", "canAnswerApproval": false, "completedDate": ` + moment(2) +
			`, "approvers": [` + approver("5b1", "approved") + `, ` + approver("5b2", "Declined") + `, ` + approver("5b3", "pending") + `], "condition": {"type": "number", "value": "1"}}]`: {
			ID: "7", Name: "CAB", Decision: "approved", Created: noon.Add(time.Hour), Completed: noon.Add(2 * time.Hour),
			Approvers: Approvers{Users: []User{user("5b1"), user("5b2"), user("5b3")}, Total: 3, Approved: 1, Declined: 1},
			Condition: ApprovalCondition{"number", new(int64(1))},
		},
		`[` + approval("1", "pending", 1) + `, ` + approval("2", "approved", 2) + `]`:          {ID: "1", Decision: "pending", Created: noon.Add(time.Hour)},
		`[` + approval("2", "declined", 2) + `, ` + approval("1", "pending", 1) + `]`:          {ID: "1", Decision: "pending", Created: noon.Add(time.Hour)},
		`[` + approval("2", "declined", 2) + `, ` + approval("1", "approved", 1) + `]`:         {ID: "2", Decision: "declined", Created: noon.Add(2 * time.Hour)},
		`[` + approval("1", "approved", 1) + `, ` + approval("2", "declined", 2) + `]`:         {ID: "2", Decision: "declined", Created: noon.Add(2 * time.Hour)},
		`[{"id": "1", "finalDecision": "approved"}, {"id": "2", "finalDecision": "approved"}]`: {ID: "2", Decision: "approved"},
		`{"finalDecision": "pending", "approvers": ["x", null, {}]}`:                           {Decision: "pending", Approvers: Approvers{Total: 1}},
	} {
		field := decodeField(t, value)
		require.NotNil(t, field, value)
		assert.Equal(t, &want, withoutMarks(field.Service), value)
		assert.Nil(t, field.Value, value)
		assert.False(t, field.IsUnreadable, value)
	}
}

func TestDecodeRequests(t *testing.T) {
	for value, want := range map[string]CustomField{
		`{"requestType": {"id": "25", "name": "Get a laptop"}, "currentStatus": {"status": "Open", "statusCategory": "NEW", "statusDate": ` + moment(0) + `}}`: {
			Value: "Get a laptop", Service: &Request{Named{"25", "Get a laptop"}, RequestStatus{"Open", "new", noon}},
		},
		`{"requestType": "Get a laptop"}`:                    {Value: "Get a laptop", Service: &Request{Type: Named{Name: "Get a laptop"}}},
		`{"requestType": {"id": 25}}`:                        {Value: "25", Service: &Request{Type: Named{ID: "25"}}},
		`{"currentStatus": {"status": "Open"}}`:              {Service: &Request{Status: RequestStatus{Name: "Open"}}},
		`{"rating": 4}`:                                      {Value: 4.0, Service: &Satisfaction{Rating: new(int64(4))}},
		`{"rating": "4", "comment": "Fine"}`:                 {Value: "4", Service: &Satisfaction{new(int64(4)), "Fine"}},
		`{"type": "csat", "rating": 4.5, "comment": {}}`:     {Value: 4.5, Service: &Satisfaction{}},
		`{"comment": {"body": "Fine"}, "rating": 1}`:         {Value: 1.0, Service: &Satisfaction{new(int64(1)), "Fine"}},
		`{"value": "Blue", "comment": "not satisfaction"}`:   {Value: "Blue"},
		`{"name": "a", "id": "1", "createdDate": "2026-03"}`: {Value: "a"},
	} {
		want.ID = "customfield_1"
		assert.Equal(t, &want, decodeField(t, value), value)
	}
}

// TestDecodeUnreadableServiceFields uses objects of which the decoder understands nothing, or only a part.
func TestDecodeUnreadableServiceFields(t *testing.T) {
	for _, value := range []string{
		`{"ongoingCycle": "running"}`,
		`{"currentStatus": {"surprise": 1}}`,
		`{"ongoingCycle": {"clock": "running"}}`,
		`{"completedCycles": [{"breached": true}, 7]}`,
		`{"completedCycles": [{"elapsedTime": "2h"}]}`,
		`[{"completedCycles": []}, {"completedCycles": []}]`, // two SLAs in one field
		`[{"completedCycles": []}, {"finalDecision": "pending"}]`,
		`[{"finalDecision": "pending"}, {"approvers": {"surprise": 1}, "finalDecision": {}}, {"approvers": null}]`,
	} {
		assert.True(t, decodeField(t, value).IsUnreadable, value)
	}
}

// TestDecodeFieldTimes uses texts that are times, and texts that only look like times.
func TestDecodeFieldTimes(t *testing.T) {
	for value, want := range map[string]any{
		"2026-03-06T13:00:00.000+0100":        noon,
		"2026-03-06T12:00:00.000Z":            noon,
		"2026-03-06T12:00:00Z":                noon,
		"2026-03-06T12:00:00":                 "2026-03-06T12:00:00",
		"2026-03-06T12:00:00.000Z or later":   "2026-03-06T12:00:00.000Z or later",
		"9999-03-06T12:00:00.000Z":            "9999-03-06T12:00:00.000Z", // too late for a record
		strings.Repeat("2026-03-06T12:00", 9): strings.Repeat("2026-03-06T12:00", 9),
	} {
		assert.Equal(t, want, decodeField(t, `"`+value+`"`).Value)
	}
}

// TestManyCyclesAndApprovers uses as many elements as the limit permits, and one more.
func TestManyCyclesAndApprovers(t *testing.T) {
	for n, isCut := range map[int]bool{MaxEntries: false, MaxEntries + 1: true} {
		cycles := strings.Repeat(`{"breached": true},`, n-1) + `{"breached": false}`
		sla := decodeField(t, `{"completedCycles": [`+cycles+`]}`).Service.(*SLA)
		assert.Equal(t, isCut, sla.IsCut)
		assert.Equal(t, isCut, *sla.Completed.Breached)
		approvers := strings.Repeat(`{"approver": {"key": "a"}, "approverDecision": "approved"},`, n-1) + `{}`
		approval := decodeField(t, `{"approvers": [`+approvers+`]}`).Service.(*Approval)
		assert.Equal(t, isCut, approval.Approvers.IsCut)
		assert.EqualValues(t, MaxEntries, approval.Approvers.Total)
	}
}

func TestRequestChannel(t *testing.T) {
	for property, want := range map[string]string{
		`{"key": "request.channel.type", "value": {"value": "portal"}}`: "portal",
		`{"value": {"value": "email"}, "key": "request.channel.type"}`:  "email",
		`{"key": "request.channel.type", "value": "portal"}`:            "",
		`{"key": "request.channel.type", "value": {"value": {}}}`:       "",
		`{"key": "com.example.app", "value": {"value": "secret"}}`:      "",
	} {
		ev := decode(t, `{"webhookEvent": "issue_property_set", "property": `+property+`}`)
		assert.Equal(t, want, ev.Property.RequestChannel(), property)
	}
}
