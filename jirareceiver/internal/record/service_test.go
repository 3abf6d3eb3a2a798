// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// serviceRecord returns the attributes of a record with a custom field, whose alias is one, and the ids of the fields
// that the decoder does not understand.
func serviceRecord(t *testing.T, field string, change func(*Options)) (attrs map[string]any, unreadable []string) {
	t.Helper()
	logs, remarks, _ := hostileRecords(t, issueUpdated(`"customfield_1": `+field, "[]"), func(o *Options) {
		o.UserDetails, o.CommentBody = false, false
		change(o)
	})
	attrs = map[string]any{}
	for key, value := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw() {
		if rest, found := strings.CutPrefix(key, "jira.issue."); found && strings.Contains(rest, ".one") {
			attrs[rest] = value
		}
	}
	return attrs, remarks.Unreadable
}

func TestServiceFields(t *testing.T) {
	const approver = `{"approver": {"accountId": "5b1", "displayName": "Ada Lindqvist", "emailAddress": "ada@example.com"}, "approverDecision": "approved"}`
	details, comments := func(o *Options) { o.UserDetails = true }, func(o *Options) { o.CommentBody = true }
	for _, tt := range []struct {
		name, field string
		change      func(*Options)
		want        map[string]any
	}{
		{
			"running SLA", `{"name": "Resolution", "ongoingCycle": {"breached": true, "paused": false, "remainingTime": {"millis": -1500}, "elapsedTime": {"millis": 499}, "goalDuration": {"millis": 500}}}`, nil,
			map[string]any{
				"sla.name.one": "Resolution", "sla.ongoing.breached.one": true, "sla.ongoing.paused.one": false,
				"sla.ongoing.remaining_seconds.one": int64(-2), "sla.ongoing.elapsed_seconds.one": int64(0), "sla.ongoing.goal_seconds.one": int64(1),
			},
		},
		{
			"completed SLA", `{"completedCycles": [{"stopTime": {"epochMillis": 1772528471009}, "breached": false}]}`, nil,
			map[string]any{"sla.completed.stopped_at.one": "2026-03-03T09:01:11.009Z", "sla.completed.breached.one": false},
		},
		{
			"approval", `[{"finalDecision": "approved", "approvers": [` + approver + `, {}]}]`, nil,
			map[string]any{
				"approval.state.one": "completed", "approval.decision.one": "approved", "approval.approver_count.one": int64(2),
				"approval.approved_count.one": int64(1), "approval.declined_count.one": int64(0), "approval.approver.id.one": []any{"5b1"},
			},
		},
		{
			"approval with names", `[{"finalDecision": "pending", "approvers": [` + approver + `]}]`, details,
			map[string]any{
				"approval.state.one": "pending", "approval.approver_count.one": int64(1), "approval.approved_count.one": int64(1),
				"approval.declined_count.one": int64(0), "approval.approver.id.one": []any{"5b1"}, "approval.approver.full_name.one": []any{"Ada Lindqvist"},
			},
		},
		{
			"approval with a condition", `[{"finalDecision": "pending", "condition": {"type": "number", "value": "2"}}]`, nil,
			map[string]any{"approval.state.one": "pending", "approval.required_count.one": int64(2)},
		},
		{
			"approval with a share", `[{"finalDecision": "pending", "condition": {"type": "percent", "value": "50"}}]`, nil,
			map[string]any{"approval.state.one": "pending", "approval.required_percent.one": int64(50)},
		},
		{
			"request", `{"requestType": {"id": "25", "name": "Laptop"}, "currentStatus": {"status": "Open", "statusCategory": "NEW"}}`, nil,
			map[string]any{
				"custom.one": "Laptop", "request.type.id.one": "25", "request.type.name.one": "Laptop",
				"request.status.name.one": "Open", "request.status.category.one": "new",
			},
		},
		{
			"satisfaction", `{"rating": 5, "comment": {"body": "Thank you"}}`, nil,
			map[string]any{"custom.one": 5.0, "satisfaction.rating.one": int64(5)},
		},
		{
			"satisfaction with its comment", `{"rating": 5, "comment": "Thank you"}`, comments,
			map[string]any{"custom.one": 5.0, "satisfaction.rating.one": int64(5), "satisfaction.comment.one": "Thank you"},
		},
		{"time", `"2026-03-06T13:00:00.000+0100"`, nil, map[string]any{"custom.one": "2026-03-06T12:00:00.000Z"}},
		{
			"times", `["2026-03-06T13:00:00.000+0100", {"value": "Normal"}]`, nil,
			map[string]any{"custom.one": []any{"2026-03-06T12:00:00.000Z", "Normal"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*Options) {}
			}
			attrs, unreadable := serviceRecord(t, tt.field, change)
			assert.Equal(t, tt.want, attrs)
			assert.Empty(t, unreadable)
		})
	}
	_, unreadable := serviceRecord(t, `{"ongoingCycle": "running"}`, func(*Options) {})
	assert.Equal(t, []string{"customfield_1"}, unreadable)
}

// TestServiceFieldsMatchTheirBodies compares the SLAs and approvals of all bodies with what encoding/json reads in
// them.
func TestServiceFieldsMatchTheirBodies(t *testing.T) {
	all := testbodies.All(t)
	w := newWriting(func(o *Options) { o.CustomFields = testbodies.CustomFields(t, all) })
	slas, approvals := 0, 0
	for _, body := range all {
		if body.Odd() {
			continue
		}
		fields, _ := valueAt(readTree(t, body.Content), "issue.fields").(map[string]any)
		for id, value := range fields {
			alias := w.opts.CustomFields[id]
			switch {
			case alias == "":
			case valueAt(value, "completedCycles") != nil:
				slas++
				assertSLA(t, w.record(t, body.Content).Attributes(), alias, value)
			case isApprovals(value):
				approvals++
				assertApprovals(t, w.record(t, body.Content).Attributes(), alias, value.([]any))
			}
		}
	}
	t.Logf("%d SLAs, %d fields with approvals", slas, approvals)
	assert.Positive(t, slas)
	assert.Positive(t, approvals)
}

func assertSLA(t *testing.T, attrs pcommon.Map, alias string, sla any) {
	t.Helper()
	assertText(t, attrs, "jira.issue.sla.name."+alias, textAt(sla, "name"))
	completed, _ := valueAt(sla, "completedCycles").([]any)
	var last any
	if len(completed) == 1 {
		last = completed[0]
	}
	for part, cycle := range map[string]any{"ongoing": valueAt(sla, "ongoingCycle"), "completed": last} {
		key := func(name string) string { return "jira.issue.sla." + part + "." + name + "." + alias }
		assertText(t, attrs, key("goal_seconds"), secondsAt(t, cycle, "goalDuration"))
		assertText(t, attrs, key("elapsed_seconds"), secondsAt(t, cycle, "elapsedTime"))
		assertText(t, attrs, key("remaining_seconds"), secondsAt(t, cycle, "remainingTime"))
		assertText(t, attrs, key("started_at"), timeAt(t, cycle, "startTime"))
		assertText(t, attrs, key("breach_at"), timeAt(t, cycle, "breachTime"))
		breached := ""
		if value := valueAt(cycle, "breached"); value != nil {
			breached = fmt.Sprint(value)
		}
		assertText(t, attrs, key("breached"), breached)
	}
}

func isApprovals(value any) bool {
	list, _ := value.([]any)
	return len(list) > 0 && valueAt(list[0], "finalDecision") != nil
}

// assertApprovals expects the pending approval, otherwise the only one.
func assertApprovals(t *testing.T, attrs pcommon.Map, alias string, approvals []any) {
	t.Helper()
	current := approvals[0]
	for _, approval := range approvals {
		if textAt(approval, "finalDecision") == "pending" {
			current = approval
		}
	}
	key := func(name string) string { return "jira.issue.approval." + name + "." + alias }
	assertText(t, attrs, key("id"), textAt(current, "id"))
	assertText(t, attrs, key("created_at"), timeAt(t, current, "createdDate"))
	assertText(t, attrs, key("completed_at"), timeAt(t, current, "completedDate"))
	approvers, _ := valueAt(current, "approvers").([]any)
	approved := 0
	for _, approver := range approvers {
		if textAt(approver, "approverDecision") == "approved" {
			approved++
		}
	}
	if len(approvers) > 0 {
		assertText(t, attrs, key("approver_count"), strconv.Itoa(len(approvers)))
		assertText(t, attrs, key("approved_count"), strconv.Itoa(approved))
	}
}

func assertText(t *testing.T, attrs pcommon.Map, key, want string) {
	t.Helper()
	got := ""
	if value, found := attrs.Get(key); found {
		got = value.AsString()
	}
	assert.Equal(t, want, got, key)
}

func secondsAt(t *testing.T, cycle any, path string) string {
	t.Helper()
	millis, found := valueAt(cycle, path+".millis").(json.Number)
	if !found {
		return ""
	}
	n, err := millis.Float64()
	assert.NoError(t, err)
	return strconv.FormatInt(int64(math.Round(n/1000)), 10)
}

func timeAt(t *testing.T, object any, path string) string {
	t.Helper()
	text := textAt(object, path+".jira")
	if text == "" {
		return ""
	}
	at, err := time.Parse("2006-01-02T15:04:05.000-0700", text)
	assert.NoError(t, err)
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}
