// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

// TestSecondComputation compares lifecycles with a clock that looks at the issue each minute, and counts the minutes in
// each status: with and without working hours, over a month with a change of daylight saving time.
func TestSecondComputation(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	lifecycles := 0
	for seed := range uint64(24) {
		random := rand.New(rand.NewPCG(seed, 20))
		hasHours := seed%2 == 0
		r := newRig(t, func(cfg *Config) {
			if hasHours {
				cfg.Calendar = &CalendarConfig{
					TimeZone: "Europe/Berlin", Weekdays: defaultWeekdays, Hours: []string{"08:30-12:00", "13:00-17:00"},
					Holidays: []string{"2026-03-17"},
				}
			}
		})
		isWork := func(at time.Time) bool {
			local := at.In(berlin)
			minute := local.Hour()*60 + local.Minute()
			isDay := local.Weekday() != time.Saturday && local.Weekday() != time.Sunday && local.Day() != 17
			return !hasHours || isDay && (minute >= 8*60+30 && minute < 12*60 || minute >= 13*60 && minute < 17*60)
		}
		events := completeLife(random)
		r.start()
		r.consume(events...)
		r.shutdown()
		for _, lr := range r.records(attr.EventLifecycle) {
			lifecycles++
			got := lr.Attributes().AsRaw()
			want := minutes(events, lr.Timestamp().AsTime(), isWork)
			assert.Equal(t, want.lead, got[attr.LeadTime], "seed %d", seed)
			if want.hasCycle {
				assert.Equal(t, want.cycle, got[attr.CycleTime], "seed %d", seed)
				assert.Equal(t, want.active, got[attr.ActiveTime], "seed %d", seed)
				assert.Equal(t, want.waiting, got[attr.WaitingTime], "seed %d", seed)
			} else {
				assert.NotContains(t, got, attr.CycleTime)
			}
			for mapped, spent := range want.mapped {
				assert.Equal(t, spent, got[attr.TimeInMapped+mapped], "seed %d", seed)
			}
		}
	}
	assert.Greater(t, lifecycles, 50)
}

// completeLife returns up to 30 moves at whole minutes of a month.
func completeLife(random *rand.Rand) []event {
	statuses := []flow.Status{todo, progress, review, blocked, done}
	events := []event{created("42", 0, todo)}
	current := todo
	at := time.Duration(0)
	for change := range 30 {
		at += time.Duration(1+random.ExpFloat64()*1500) * time.Minute
		next := statuses[random.IntN(len(statuses))]
		if next != current {
			events = append(events, moved("42", at, change+1, current, next))
		}
		current = next
	}
	return events
}

// clocked holds the times that the clock has counted, in seconds.
type clocked struct {
	lead, cycle, active, waiting int64
	hasCycle                     bool
	mapped                       map[string]int64
}

func minutes(events []event, until time.Time, isWork func(time.Time) bool) (c clocked) {
	c.mapped = map[string]int64{}
	for _, e := range events {
		if start.Add(e.at).Before(until) {
			c.mapped[e.to.Mapped] = 0
		}
	}
	next, status := 0, flow.Status{}
	for at := start; at.Before(until); at = at.Add(time.Minute) {
		for next < len(events) && !start.Add(events[next].at).After(at) {
			status = events[next].to
			next++
		}
		c.hasCycle = c.hasCycle || status.Mapped == "processing"
		if !isWork(at) {
			continue
		}
		c.lead += 60
		c.mapped[status.Mapped] += 60
		if !c.hasCycle {
			continue
		}
		c.cycle += 60
		switch status.Mapped {
		case "processing":
			c.active += 60
		case "done":
		default:
			c.waiting += 60
		}
	}
	return c
}
