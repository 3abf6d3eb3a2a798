// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jiraflowconnector/internal/calendar"
)

var (
	todo     = Ref(Status{"10000", "To Do", "planned"})
	progress = Ref(Status{"3", "In Progress", "processing"})
	review   = Ref(Status{"10001", "In Review", "processing"})
	blocked  = Ref(Status{"10002", "Blocked", "waiting"})
	done     = Ref(Status{"10003", "Done", "done"})
	closed   = Ref(Status{"6", "Closed", "done"})
)

var rules = &Rules{
	Start:   map[string]bool{"processing": true},
	End:     map[string]bool{"done": true, "canceled": true},
	Active:  map[string]bool{"processing": true},
	Between: calendar.Elapsed,
}

func hour(h float64) int64 { return 1_772_000_000_000 + int64(h*3_600_000) }

func creation(to StatusRef) Change {
	return Change{ID: CreationID, At: hour(0), To: to, Marks: Live}
}

func move(at float64, id uint64, from, to StatusRef) Change {
	return Change{ID: id, At: hour(at), From: from, To: to, Marks: Live}
}

// life is an issue that is resolved at hour 10, reopened at hour 12, and resolved again at hour 15.
func life() []Change {
	return []Change{
		creation(todo),
		move(1, 11, todo, progress),
		move(3, 12, progress, blocked),
		move(6, 13, blocked, review),
		move(10, 14, review, done),
		move(12, 15, done, progress),
		move(15, 16, progress, closed),
	}
}

func historyOf(changes ...Change) *History {
	h := &History{}
	h.SetCreated(hour(0))
	for _, c := range changes {
		h.Add(c)
	}
	return h
}

func TestLifecycle(t *testing.T) {
	timeline := historyOf(life()...).Timeline(rules)

	var kinds []Kind
	for _, m := range timeline.Moves {
		kinds = append(kinds, m.Kind)
	}
	assert.Equal(t, []Kind{Plain, Plain, Plain, Plain, Resolved, Reopened, Resolved}, kinds)
	assert.False(t, timeline.IsOpen)
	assert.Equal(t, hour(15), timeline.ResolvedAt)

	first := timeline.Lifecycle(4, rules)
	assert.Empty(t, first.Incomplete)
	assert.Equal(t, 10*time.Hour, first.Lead)
	assert.Equal(t, 9*time.Hour, first.Cycle)
	assert.Equal(t, 6*time.Hour, first.Active, "2 in progress, 4 in review")
	assert.Equal(t, 3*time.Hour, first.Waiting)
	assert.Zero(t, first.Reopenings)

	second := timeline.Lifecycle(6, rules)
	assert.Equal(t, 15*time.Hour, second.Lead)
	assert.Equal(t, 14*time.Hour, second.Cycle)
	assert.Equal(t, 9*time.Hour, second.Active)
	assert.Equal(t, 3*time.Hour, second.Waiting, "the two hours in Done are neither")
	assert.Equal(t, 1, second.Reopenings)
	share, exists := second.FlowEfficiency()
	assert.True(t, exists)
	assert.InDelta(t, 0.75, share, 1e-9)
	assert.Equal(t, []Spent{
		{todo.Get(), time.Hour, 1},
		{progress.Get(), 5 * time.Hour, 2},
		{blocked.Get(), 3 * time.Hour, 1},
		{review.Get(), 4 * time.Hour, 1},
		{done.Get(), 2 * time.Hour, 1},
	}, second.Statuses)
	assert.Equal(t, []Spent{
		{Status{Mapped: "done"}, 2 * time.Hour, 1},
		{Status{Mapped: "planned"}, time.Hour, 1},
		{Status{Mapped: "processing"}, 9 * time.Hour, 3},
		{Status{Mapped: "waiting"}, 3 * time.Hour, 1},
	}, second.Mapped)
}

func TestIncomplete(t *testing.T) {
	all := life()
	for _, tt := range []struct {
		name    string
		changes []Change
		want    []Reason
		known   []Status // statuses whose beginning and end were seen
	}{
		{"without the creation", all[1:5], []Reason{CreationNotSeen}, []Status{progress.Get(), blocked.Get(), review.Get()}},
		{"without a transition", []Change{all[0], all[1], all[3], all[4]}, []Reason{TransitionNotSeen}, []Status{todo.Get(), review.Get()}},
		{"the resolution only", all[4:5], []Reason{CreationNotSeen}, nil},
		{"without both", []Change{all[1], all[4]}, []Reason{CreationNotSeen, TransitionNotSeen}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeline := historyOf(tt.changes...).Timeline(rules)
			l := timeline.Lifecycle(len(timeline.Moves)-1, rules)
			assert.Equal(t, tt.want, l.Incomplete)
			assert.True(t, l.HasLead, "records contain the time of the creation")
			assert.False(t, l.HasCycle, "not guessed")
			var known []Status
			for _, spent := range l.Statuses {
				known = append(known, spent.Status)
			}
			assert.Equal(t, tt.known, known)
		})
	}
}

// TestSenders combines records of one move that several senders report.
func TestSenders(t *testing.T) {
	named := Ref(Status{Name: "In Progress"})
	at := func(minutes float64) float64 { return 1 + minutes/60 }
	for _, tt := range []struct {
		name    string
		changes []Change
		want    int // moves, without the creation
	}{
		{"webhook and post-function", []Change{move(1, 11, todo, progress), move(at(0.02), 0, Ref(Status{Name: "to do"}), named)}, 1},
		{"post-function first", []Change{move(at(-0.02), 0, todo, named), move(1, 11, todo, progress)}, 1},
		{"post-function and rule", []Change{move(1, 0, todo, named), move(at(0.5), 0, StatusRef{}, progress)}, 1},
		{"webhook and history", []Change{move(1, 11, todo, progress), move(at(-0.01), 11, todo, progress)}, 1},
		{"long apart", []Change{move(1, 11, todo, progress), move(at(2), 0, todo, progress)}, 2},
		{"there and back within a minute", []Change{
			move(1, 11, todo, progress), move(at(0.2), 12, progress, todo), move(at(0.4), 0, todo, progress),
		}, 3},
		{"other statuses", []Change{move(1, 11, todo, progress), move(at(0.1), 0, progress, review)}, 2},
		{"a loop", []Change{move(1, 0, progress, named)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeline := historyOf(append(tt.changes, creation(todo))...).Timeline(rules)
			assert.Len(t, timeline.Moves, 1+tt.want)
		})
	}
}

func TestKinds(t *testing.T) {
	unmapped := func(name string) StatusRef { return Ref(Status{Name: name}) }
	hinted := func(c Change, hint Hint) Change { c.Hint = hint; return c }
	for _, tt := range []struct {
		name    string
		changes []Change
		want    Kind
	}{
		{"resolved", []Change{move(1, 11, progress, done)}, Resolved},
		{"from done to closed", []Change{move(1, 11, done, closed)}, Plain},
		{"reopened", []Change{move(1, 11, closed, todo)}, Reopened},
		{"created as done", []Change{creation(done)}, Resolved},
		{"previous status is not known", []Change{move(1, 11, StatusRef{}, done)}, Plain},
		{"previous status is known from the move before", []Change{move(1, 11, todo, progress), move(2, 12, StatusRef{}, done)}, Resolved},
		{"unmapped, and the receiver knows", []Change{hinted(move(1, 11, unmapped("Fertig"), done), HintResolved)}, Resolved},
		{"unmapped, mapped by another record", []Change{
			move(1, 11, todo, Ref(Status{"7", "Abgenommen", "done"})), move(2, 12, Ref(Status{"7", "Abgenommen", ""}), closed),
		}, Plain},
		{"mapped values count more than the hint", []Change{hinted(move(1, 11, done, closed), HintResolved)}, Plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeline := historyOf(tt.changes...).Timeline(rules)
			assert.Equal(t, tt.want, timeline.Moves[len(timeline.Moves)-1].Kind)
		})
	}
}

func TestCurrent(t *testing.T) {
	type sighting struct {
		status StatusRef
		at     float64
	}
	for _, tt := range []struct {
		name    string
		changes []Change
		seen    []sighting
		want    Stay
	}{
		{"nothing", nil, nil, Stay{}},
		{"after a move", life()[:2], nil, Stay{Status: progress.Get(), Since: hour(1), IsKnown: true}},
		{"after the creation", life()[:1], nil, Stay{Status: todo.Get(), Since: hour(0), IsKnown: true}},
		{"seen before the move", life()[:2], []sighting{{todo, 0.5}}, Stay{Status: progress.Get(), Since: hour(1), IsKnown: true}},
		{"the body is behind", life()[:2], []sighting{{todo, 1.01}}, Stay{Status: progress.Get(), Since: hour(1), IsKnown: true}},
		{"seen only", nil, []sighting{{todo, 5}, {todo, 2}}, Stay{Status: todo.Get(), Since: hour(2), IsAtLeast: true}},
		{"seen after an unseen move", life()[:2], []sighting{{blocked, 4}, {blocked, 6}}, Stay{Status: blocked.Get(), Since: hour(4), IsAtLeast: true}},
		{"seen there and back", nil, []sighting{{todo, 1}, {blocked, 2}, {todo, 3}}, Stay{Status: todo.Get(), Since: hour(3), IsAtLeast: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := historyOf(tt.changes...)
			for _, s := range tt.seen {
				h.See(s.status, hour(s.at))
			}
			assert.Equal(t, tt.want, h.Timeline(rules).Current)
		})
	}
}

// TestCreationAhead covers a board that creates an issue and moves it at once: the body of the first event may contain
// the status after the second.
func TestCreationAhead(t *testing.T) {
	timeline := historyOf(creation(progress), move(0.001, 11, todo, progress), move(2, 12, progress, done)).Timeline(rules)
	l := timeline.Lifecycle(2, rules)
	assert.Empty(t, l.Incomplete)
	assert.Equal(t, todo.Get(), l.Statuses[0].Status)
}

func TestCut(t *testing.T) {
	h := historyOf(creation(todo))
	for i := range MaxChanges + 10 {
		from, to := todo, progress
		if i%2 == 1 {
			from, to = progress, todo
		}
		h.Add(move(float64(i+1), uint64(i+1), from, to))
	}
	assert.Len(t, h.Changes, MaxChanges)
	assert.False(t, h.Add(move(1, 1, todo, progress)), "it was dropped before")
	timeline := h.Timeline(rules)
	assert.True(t, timeline.IsCreation)
	assert.True(t, timeline.IsCut)
	assert.Contains(t, timeline.incomplete(timeline.Moves), HistoryCut)
}

// TestMerge covers two records of one change, of which each lacks what the other contains.
func TestMerge(t *testing.T) {
	backfill := Change{ID: 11, At: hour(1), From: Ref(Status{ID: "10000", Name: "To Do"}), To: progress}
	webhook := Change{ID: 11, At: hour(1) + 5, From: todo, To: Ref(Status{Name: "In Progress"}), Marks: Live}
	for _, h := range []*History{historyOf(backfill, webhook), historyOf(webhook, backfill)} {
		assert.Equal(t, []Change{{ID: 11, At: hour(1), From: todo, To: progress, Marks: Live}}, h.Changes)
	}
}

func TestChangeID(t *testing.T) {
	assert.Zero(t, ChangeID(""))
	seen := map[uint64]string{CreationID: "the creation"}
	for _, text := range []string{"0", "1", "10503", "4294967296", "99999999999999999999", "abc", "1-2"} {
		id := ChangeID(text)
		assert.NotZero(t, id)
		assert.Empty(t, seen[id], text)
		seen[id] = text
	}
	assert.Less(t, ChangeID("9"), ChangeID("10"))
}

// TestOrder applies random histories in random orders, with repetitions.
func TestOrder(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 7))
		changes, sightings := randomHistory(random)
		want := apply(changes, sightings)
		for range 3 {
			doubled := slices.Concat(changes, changes[:random.IntN(len(changes)+1)])
			random.Shuffle(len(doubled), func(i, j int) { doubled[i], doubled[j] = doubled[j], doubled[i] })
			random.Shuffle(len(sightings), func(i, j int) { sightings[i], sightings[j] = sightings[j], sightings[i] })
			got := apply(doubled, sightings)
			require.Equal(t, want, got, "seed %d", seed)
			require.Equal(t, want.Timeline(rules), got.Timeline(rules), "seed %d", seed)
		}
	}
}

func apply(changes []Change, sightings []Sighting) *History {
	h := &History{}
	for i, c := range changes {
		if i%2 == 0 {
			h.SetCreated(c.At)
		}
		h.Add(c)
	}
	h.Created = hour(0)
	for _, s := range sightings {
		h.See(s.Status, s.First)
	}
	return h
}

// randomHistory returns the records of an issue, some of them from two senders.
func randomHistory(random *rand.Rand) (changes []Change, sightings []Sighting) {
	statuses := []StatusRef{todo, progress, review, blocked, done, closed}
	at, current := 0.0, todo
	if random.IntN(4) > 0 {
		changes = append(changes, creation(todo))
	}
	for i := range random.IntN(12) {
		at += random.ExpFloat64() * 0.5
		next := statuses[random.IntN(len(statuses))]
		if next == current {
			continue
		}
		c := move(at, uint64(i+1), current, next)
		if random.IntN(5) == 0 {
			c.Marks = 0
		}
		if random.IntN(4) > 0 {
			changes = append(changes, c)
		}
		if random.IntN(3) == 0 {
			named := c
			named.ID, named.At = 0, c.At+int64(random.IntN(4000))-2000
			named.To = Ref(Status{Name: next.Get().Name})
			changes = append(changes, named)
		}
		if random.IntN(3) == 0 {
			sightings = append(sightings, Sighting{Status: next, First: c.At + int64(random.IntN(1_000_000))})
		}
		current = next
	}
	return changes, sightings
}
