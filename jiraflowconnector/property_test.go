// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

// result is everything that the connector makes of some records.
type result struct {
	records []string // sorted
	values  map[string]string
	state   string
}

// play consumes batches of events, lets the issues settle after the last batch, and finds the stuck issues.
func play(t *testing.T, batches ...[]event) result {
	t.Helper()
	r := newRig(t, func(cfg *Config) {
		cfg.Metrics.Temporality = Delta
		cfg.Stuck.Limits = map[string]time.Duration{"processing": 2 * hour, "waiting": 5 * hour}
	})
	r.wait(30 * 24 * hour)
	r.start()
	for _, batch := range batches {
		r.consume(batch...)
	}
	r.settle()
	r.flush()
	var all result
	for _, name := range []string{attr.EventLifecycle, attr.EventStuck, attr.EventUnstuck} {
		for _, lr := range r.records(name) {
			content, err := json.Marshal(lr.Attributes().AsRaw())
			require.NoError(t, err)
			all.records = append(all.records, name+" "+string(content))
		}
	}
	slices.Sort(all.records)
	all.values = r.values()
	all.state = stateOf(r)
	r.shutdown()
	return all
}

// stateOf returns all issues as text.
func stateOf(r *rig) string {
	var lines []string
	for issue := range r.core.tracker.store.All() {
		timeline := issue.Timeline(r.core.tracker.rules)
		lines = append(lines, fmt.Sprintf("%s %+v %+v %+v %d %d %+v", issue.Key.ID, issue.About, issue.Assigned,
			issue.Flagged, issue.LastChange, issue.DeletedAt, timeline))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// team returns the records of some issues in the order of their times: from webhooks, post-functions and rules, with
// comments, moves to another project, deletions, and records that are lost.
func team(random *rand.Rand) []event {
	var events []event
	for i := range 1 + random.IntN(4) {
		events = append(events, randomLife(random, strconv.Itoa(40+i))...)
	}
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	return events
}

func randomLife(random *rand.Rand, issue string) (events []event) {
	statuses := []flow.Status{todo, progress, review, blocked, done}
	project, current := "OPS", todo
	at := time.Duration(random.IntN(100)) * time.Minute
	emit := func(e event) {
		e.more = map[string]any{attr.ProjectKey: project}
		if random.IntN(3) == 0 {
			e.more[attr.AssigneeID] = "712020:9c8b"
		}
		if random.IntN(10) > 0 { // others are lost
			events = append(events, e)
		}
	}
	emit(created(issue, at, current))
	for change := range random.IntN(10) {
		at += time.Duration(random.ExpFloat64()*300*60) * time.Second
		switch random.IntN(8) {
		case 0:
			emit(event{name: "jira.comment.created", issue: issue, at: at, to: current})
		case 1:
			project = []string{"OPS", "WEB"}[random.IntN(2)]
			emit(event{name: "jira.issue.updated", issue: issue, at: at, changelog: 100 + change, to: current})
		default:
			next := statuses[random.IntN(len(statuses))]
			if next == current {
				continue
			}
			for _, e := range reports(random, moved(issue, at, 100+change, current, next)) {
				emit(e)
			}
			current = next
		}
	}
	if random.IntN(10) == 0 {
		emit(event{name: attr.EventIssueDeleted, issue: issue, at: at + time.Hour, to: current})
	}
	return events
}

// reports returns the records of a move, by one or several senders.
func reports(random *rand.Rand, webhook event) []event {
	postFunction := webhook
	postFunction.name, postFunction.source, postFunction.changelog = attr.EventIssueTransitioned, "post_function", 0
	postFunction.at += time.Duration(random.IntN(4000)-2000) * time.Millisecond
	postFunction.from.ID, postFunction.to.ID = "", ""
	poll := webhook.by("poll")
	poll.at -= time.Duration(random.IntN(20)) * time.Millisecond
	switch random.IntN(6) {
	case 0:
		return []event{postFunction, webhook}
	case 1:
		return []event{webhook, poll}
	case 2:
		return []event{postFunction}
	case 3:
		return []event{webhook.by("backfill")}
	default:
		return []event{webhook}
	}
}

// TestAnyOrder compares the outputs and the state of random histories with those of the same records in another order,
// with repetitions, and in other batches.
func TestAnyOrder(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	var records, outputs int
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 18))
		events := team(random)
		want := play(t, events)
		for range 3 {
			shuffled := slices.Concat(events, events[:random.IntN(len(events)+1)])
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			cut := random.IntN(len(shuffled) + 1)
			got := play(t, shuffled[:cut], shuffled[cut:])
			require.Equal(t, want.state, got.state, "seed %d", seed)
			require.Equal(t, want.records, got.records, "seed %d", seed)
			require.Equal(t, want.values, got.values, "seed %d", seed)
		}
		records += len(events)
		outputs += len(want.records)
	}
	t.Logf("%d histories of %d records, each in 4 orders: %d records of the connector", rounds, records, outputs)
}

// TestLateRecords lets the issues settle in the middle of the records, in a random order. Then the final numbers need
// corrections, but each move counts once.
func TestLateRecords(t *testing.T) {
	for seed := range 200 {
		random := rand.New(rand.NewPCG(uint64(seed), 19))
		events := slices.DeleteFunc(team(random), func(e event) bool {
			return e.name == attr.EventIssueTransitioned || e.name == attr.EventIssueDeleted || e.source == "backfill"
		})
		if len(events) == 0 {
			continue
		}
		inOrder, want := lastRecords(t, events)
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		shuffled, got := lastRecords(t, events)
		assert.Equal(t, inOrder, shuffled, "seed %d", seed)
		assert.Equal(t, want, got, "seed %d", seed)
	}
}

// lastRecords returns the numbers of the last revision of each lifecycle record, and some totals. The issues settle
// after each record.
func lastRecords(t *testing.T, events []event) (last map[any]any, totals []int) {
	t.Helper()
	r := newRig(t, func(cfg *Config) {
		cfg.Metrics.Temporality = Delta
		cfg.Lifecycle.Corrections = true
	})
	r.start()
	for _, e := range events {
		r.consume(e)
		r.settle()
	}
	r.flush()
	last = map[any]any{}
	for _, lr := range r.records(attr.EventLifecycle) {
		attributes := lr.Attributes().AsRaw()
		delete(attributes, attr.Revision)
		for _, key := range []string{attr.ProjectKey, attr.IssueKey} { // of the time of the record
			delete(attributes, key)
		}
		last[attributes[attr.UID]] = attributes
	}
	totals = []int{r.total("jira.issue.created"), r.total("jira.issue.transitions")}
	r.shutdown()
	return last, totals
}

// FuzzOrder reads an order of the records of a life from the input.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6})
	f.Add([]byte{6, 5, 4, 3, 2, 1, 0})
	f.Add([]byte{3, 3, 13, 0, 250, 1, 2, 14, 4, 5, 6})
	f.Fuzz(func(t *testing.T, order []byte) {
		all := life()
		for _, e := range life()[1:] {
			e.changelog, e.name, e.source = 0, attr.EventIssueTransitioned, "post_function"
			e.at += 3 * time.Second
			all = append(all, e)
		}
		var events []event
		seen := map[int]bool{}
		for _, i := range order {
			at := int(i) % len(all)
			events = append(events, all[at])
			seen[at] = true
		}
		if len(events) == 0 || len(events) > 100 {
			return
		}
		var inOrder []event
		for i := range all {
			if seen[i] {
				inOrder = append(inOrder, all[i])
			}
		}
		want, got := play(t, inOrder), play(t, events)
		assert.Equal(t, want, got)
	})
}
