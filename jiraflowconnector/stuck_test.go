// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
)

func limitsOf(limits map[string]time.Duration, rules ...StuckRule) func(*Config) {
	return func(cfg *Config) { cfg.Stuck = StuckConfig{Limits: limits, Rules: rules} }
}

func TestStuck(t *testing.T) {
	r := newRig(t, limitsOf(map[string]time.Duration{"processing": 30 * hour}))
	r.start()
	r.consume(life()[:2]...) // in progress since 1 h; the clock shows 24 h
	r.settle()
	r.flush()
	assert.Empty(t, r.records(attr.EventStuck))
	r.wait(8 * hour)
	r.flush()
	r.flush()
	records := r.records(attr.EventStuck)
	require.Len(t, records, 1, "once")
	stuck := records[0].Attributes().AsRaw()
	uid := stuck[attr.UID]
	delete(stuck, attr.UID)
	assert.Equal(t, map[string]any{
		"jira.issue.id":                      "42",
		"jira.issue.key":                     "OPS-42",
		"url.full":                           "https://acme.atlassian.net/browse/OPS-42",
		"jira.project.key":                   "OPS",
		"jira.issue.type.name":               "Task",
		"jira.issue.priority.name":           "High",
		"jira.issue.created_at":              "2026-03-02T09:00:00.000Z",
		"jira.issue.status.id":               "3",
		"jira.issue.status.name":             "In Progress",
		"jira.issue.status.mapped":           "processing",
		"jira.issue.status.since":            "2026-03-02T10:00:00.000Z",
		"jira.issue.status.duration_seconds": int64(31*3600 + 11),
		"jira.issue.stuck.limit_seconds":     int64(30 * 3600),
		"jira.issue.assigned":                false,
	}, stuck)
	assert.Equal(t, "OPS-42 has been in In Progress for 31h 0m, longer than 30h 0m", records[0].Body().Str())
	assert.Equal(t, "1", r.values()["jira.issue.stuck processing Task OPS"])

	r.consume(event{name: "jira.comment.created", issue: "42", at: 32 * hour, to: progress})
	r.settle()
	assert.Empty(t, r.records(attr.EventUnstuck), "a comment is no move")
	r.consume(moved("42", 33*hour, 12, progress, review))
	r.settle()
	records = r.records(attr.EventUnstuck)
	require.Len(t, records, 1)
	unstuck := records[0].Attributes().AsRaw()
	assert.Equal(t, int64(32*3600), unstuck[attr.PreviousDuration])
	assert.Equal(t, "In Progress", unstuck[attr.PreviousName])
	assert.Equal(t, "In Review", unstuck[attr.StatusName])
	assert.NotEqual(t, uid, unstuck[attr.UID])
	r.flush()
	assert.Equal(t, "0", r.values()["jira.issue.stuck processing Task OPS"])
	r.wait(100 * hour)
	r.settle()
	r.flush()
	assert.Len(t, r.records(attr.EventStuck), 2, "in the next status")
	r.consume(moved("42", 140*hour, 13, review, done))
	r.settle()
	assert.Len(t, r.records(attr.EventUnstuck), 2, "resolved")
	r.shutdown()
}

// TestStuckAgain covers an issue that leaves its status and comes back before it settles. Its moves arrive after the
// record that it is stuck, but happened before.
func TestStuckAgain(t *testing.T) {
	r := newRig(t, limitsOf(map[string]time.Duration{"processing": 2 * hour}))
	r.start()
	r.consume(life()[:2]...)
	r.flush()
	assert.Empty(t, r.records(attr.EventStuck), "a later record may arrive")
	r.settle()
	r.flush()
	r.consume(moved("42", 20*hour, 12, progress, blocked), moved("42", 21*hour, 13, blocked, progress))
	r.settle()
	r.settle()
	require.Len(t, r.records(attr.EventUnstuck), 1)
	end := r.records(attr.EventUnstuck)[0]
	assert.Equal(t, int64(19*3600), end.Attributes().AsRaw()[attr.PreviousDuration])
	assert.Greater(t, end.Timestamp(), r.records(attr.EventStuck)[0].Timestamp(), "the last record shows the state")
	r.flush()
	assert.Len(t, r.records(attr.EventStuck), 2)
	r.shutdown()
}

// TestStuckAtLeast covers an issue whose move to its status was not seen.
func TestStuckAtLeast(t *testing.T) {
	r := newRig(t, limitsOf(map[string]time.Duration{"processing": 10 * hour}))
	r.start()
	r.consume(event{name: "jira.comment.created", issue: "42", at: 20 * hour, to: progress})
	r.settle()
	r.flush()
	assert.Empty(t, r.records(attr.EventStuck), "since 4 h at least")
	r.wait(8 * hour)
	r.flush()
	require.Len(t, r.records(attr.EventStuck), 1)
	assert.Equal(t, true, r.records(attr.EventStuck)[0].Attributes().AsRaw()[attr.StatusAtLeast])
	r.consume(moved("42", 2*hour, 11, todo, progress))
	r.settle()
	r.flush()
	assert.Len(t, r.records(attr.EventStuck), 1, "it is the same stay")
	assert.Empty(t, r.records(attr.EventUnstuck))
	r.shutdown()
}

func TestStuckLimits(t *testing.T) {
	limit := func(d time.Duration) *time.Duration { return &d }
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   int
	}{
		{"no limit", nil, 0},
		{"of another status", limitsOf(map[string]time.Duration{"planned": hour}), 0},
		{"of the status", limitsOf(map[string]time.Duration{"processing": hour}), 1},
		{"a rule without conditions", limitsOf(nil, StuckRule{Limit: limit(hour)}), 1},
		{"a rule counts more", limitsOf(map[string]time.Duration{"processing": hour}, StuckRule{Limit: limit(100 * hour)}), 0},
		{"no limit by a rule", limitsOf(map[string]time.Duration{"processing": hour}, StuckRule{Priorities: []string{"High"}, Limit: limit(0)}), 0},
		{"rule of another project", limitsOf(nil, StuckRule{Projects: []string{"WEB"}, Limit: limit(hour)}), 0},
		{"rule of the project, the priority and the status", limitsOf(nil, StuckRule{
			Projects:   []string{"WEB", "OPS"},
			Priorities: []string{"High"}, Statuses: []string{"processing"}, Limit: limit(hour),
		}), 1},
		{"the first rule that matches", limitsOf(nil, StuckRule{Projects: []string{"OPS"}, Limit: limit(100 * hour)}, StuckRule{Limit: limit(hour)}), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.change)
			r.start()
			r.consume(life()[:2]...)
			r.settle()
			r.flush()
			assert.Len(t, r.records(attr.EventStuck), tt.want)
			r.shutdown()
		})
	}
}

// TestManyStuck has more stuck issues than a flush sends records.
func TestManyStuck(t *testing.T) {
	const issues = maxOutputs + maxOutputs/2
	r := newRig(t, func(cfg *Config) { cfg.Stuck.Limits = map[string]time.Duration{"planned": hour} })
	r.start()
	var events []event
	for i := range issues {
		events = append(events, created(strconv.Itoa(i), 0, todo))
	}
	r.consume(events...)
	r.settle()
	for _, want := range []int{maxOutputs, issues, issues} {
		r.flush()
		assert.Len(t, r.records(attr.EventStuck), want)
		assert.Equal(t, strconv.Itoa(issues), r.values()["jira.issue.stuck planned Task OPS"])
	}
	r.shutdown()
}
