// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"container/heap"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// workflows are the statuses that an issue usually goes through, by issue type.
var workflows = map[issueType][]status{
	story:    {toDo, inProgress, inReview, done},
	task:     {toDo, inProgress, done},
	bug:      {open, inProgress, inReview, resolved, closed},
	incident: {open, inProgress, resolved, closed},
}

// Team returns the endless history of a team that works in sprints.
func Team(s Site) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		t := plannedTeam(s)
		for {
			t.runNext()
			for _, d := range t.take() {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// plannedTeam returns a team that begins its first sprint.
func plannedTeam(s Site) *team {
	t := newTeam(s)
	t.plan(office(t.now), t.beginSprint)
	return t
}

func newTeam(s Site) *team {
	source := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, n)) } //nolint:gosec // not a secret
	return &team{liveSite: newLiveSite(s), random: source(0), trouble: source(1)}
}

const (
	sprintLength = 14 * 24 * time.Hour
	planned      = 20 // issues per sprint
	maxIncidents = 3  // per sprint
)

// team is a site with people who work on it.
type team struct {
	*liveSite
	random  *rand.Rand
	trouble *rand.Rand // for obstacles, which change nothing else in a history
	agenda  agenda
	planned int // number of all actions so far
	sprints int
	sprint  *sprint
	version *version
	issues  []*issue // of this sprint
}

// action is a planned action.
type action struct {
	at  time.Time
	seq int // order of actions at the same time
	do  func()
}

// agenda is a heap of actions, with the next action first.
type agenda []action

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, k int) bool {
	return a[i].at.Before(a[k].at) || a[i].at.Equal(a[k].at) && a[i].seq < a[k].seq
}
func (a agenda) Swap(i, k int) { a[i], a[k] = a[k], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(action)) }

func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func (t *team) plan(at time.Time, do func()) {
	t.planned++
	heap.Push(&t.agenda, action{at, t.planned, do})
}

// step is an action that follows another.
type step struct {
	after      time.Duration
	do         func()
	endsReview bool
}

// follow plans one step after the other. The function later decides which time counts between two steps: working hours,
// or all hours.
func (t *team) follow(steps []step, later func(time.Time, time.Duration) time.Time) {
	if len(steps) == 0 {
		return
	}
	t.plan(later(t.now, steps[0].after), func() {
		steps[0].do()
		t.follow(steps[1:], later)
	})
}

func (t *team) between(from, to time.Duration) time.Duration {
	return from + time.Duration(t.random.Int64N(int64(to-from)))
}

func (t *team) chance(percent int) bool { return t.random.IntN(100) < percent }

func pick[T any](t *team, from ...T) T { return from[t.random.IntN(len(from))] }

// beginSprint ends the previous sprint, and plans this sprint, its incidents, and the start of the next sprint.
func (t *team) beginSprint() {
	if t.sprint != nil {
		t.closeSprint(t.sprint)
		t.release(t.version)
	}
	t.sprints++
	end := t.now.Add(sprintLength)
	t.sprint = t.createSprint(fmt.Sprintf("Sprint %d", t.sprints), pick(t, goals...), t.now, end)
	t.version = t.createVersion(webShop, fmt.Sprintf("4.%d", t.sprints))
	t.issues = nil
	obstacles := t.obstacles()
	for n := range planned * t.Load {
		t.plan(t.now.Add(time.Duration(n+1)*4*time.Minute/time.Duration(t.Load)), func() {
			t.refine(t.newIssue(pick(t, story, story, task, bug)), obstacles[n%planned])
		})
	}
	t.plan(t.now.Add(time.Hour), func() { t.startSprint(t.sprint) })
	for range 1 + t.random.IntN(maxIncidents) {
		t.plan(t.now.Add(t.between(2*time.Hour, sprintLength)), t.burn)
	}
	t.plan(workLater(t.now, t.between(20*time.Hour, 60*time.Hour)), func() { t.refine(t.newIssue(bug), none) })
	t.plan(end, t.beginSprint)
}

// newIssue returns an issue that the site does not contain yet.
func (t *team) newIssue(kind issueType) *issue {
	thing := pick(t, things...)
	summary := strings.ReplaceAll(pick(t, summaries[kind]...), "%", thing)
	return &issue{
		kind: kind, project: pick(t, operations, webShop, webShop, billing), reporter: pick(t, people...),
		priority: pick(t, highest, high, medium, medium, low), component: thing, points: 1 + t.random.IntN(8),
		summary: summary, description: strings.Repeat(summary+", as agreed in the review. ", 20), labels: []string{thing},
	}
}

// refine creates an issue and plans its history.
func (t *team) refine(i *issue, o obstacle) {
	t.create(i)
	t.addToSprint(i, t.sprint, i.reporter)
	if i.project == webShop {
		t.fixIn(i, t.version, i.reporter)
	}
	if len(t.issues) > 0 && t.chance(20) {
		t.link(i, pick(t, t.issues...))
	}
	t.issues = append(t.issues, i)
	t.follow(t.obstruct(t.life(i), i, o), workLater)
}

// life returns the steps of an issue of the sprint. Most issues are done in the end.
func (t *team) life(i *issue) []step {
	who := pick(t, people...)
	steps := []step{
		t.step(time.Hour, 36*time.Hour, func() { t.assign(i, who, i.reporter) }),
		t.step(time.Minute, time.Hour, func() { t.transition(i, inProgress, who) }),
	}
	steps = append(steps, t.work(i, who)...)
	switch {
	case t.chance(4):
		return append(steps, t.step(time.Hour, 4*time.Hour, func() { t.remove(i, who) }))
	case t.chance(6):
		return append(steps, t.step(time.Hour, 8*time.Hour, func() { t.transition(i, canceled, who) }))
	case t.chance(8):
		steps = append(steps, t.step(time.Minute, time.Hour, func() { t.move(i, elsewhere(i.project), who) }))
	}
	steps = append(steps, t.finish(i, who)...)
	if t.chance(12) {
		steps = append(steps,
			t.step(time.Hour, 10*time.Hour, func() { t.transition(i, reopenedAs(i.kind), i.reporter) }),
			t.comments(i, "It is still there with %."),
			t.step(time.Minute, 2*time.Hour, func() { t.transition(i, inProgress, who) }))
		steps = append(steps, t.finish(i, who)...)
	}
	return steps
}

func (t *team) step(from, to time.Duration, do func()) step {
	return step{after: t.between(from, to), do: do}
}

// work returns the steps while the issue is in progress.
func (t *team) work(i *issue, who person) (steps []step) {
	for range t.random.IntN(5) {
		steps = append(steps, t.comments(i, pick(t, remarks...)))
	}
	if t.chance(20) {
		steps = append(steps, t.step(time.Minute, time.Hour, func() { t.attach(i, who, "screenshot.png", "image/png", 48213) }))
	}
	if t.chance(15) {
		steps = append(steps, t.step(time.Minute, time.Hour, func() { t.prioritise(i, highest, i.reporter) }))
	}
	spent := t.between(30*time.Minute, 6*time.Hour).Truncate(time.Minute)
	return append(steps, t.logs(i, who, spent))
}

// logs returns a step in which a person logs work, and may correct or delete it a little later.
func (t *team) logs(i *issue, who person, spent time.Duration) step {
	edits, deletes := t.chance(20), t.chance(15)
	return t.step(time.Hour, 6*time.Hour, func() {
		w := t.logWork(i, who, spent)
		if edits {
			t.plan(t.now.Add(2*time.Minute), func() { t.editWork(w, w.spent+10*time.Minute) })
		}
		if deletes {
			t.plan(t.now.Add(5*time.Minute), func() { t.deleteWork(w) })
		}
	})
}

// comments returns a step in which a person writes a comment, and may edit it a little later.
func (t *team) comments(i *issue, text string) step {
	by, edits := pick(t, people...), t.chance(15)
	return t.step(10*time.Minute, 4*time.Hour, func() {
		t.comment(i, by, strings.ReplaceAll(text, "%", i.component))
		if written := i.comments[len(i.comments)-1]; edits {
			t.plan(t.now.Add(2*time.Minute), func() { t.editComment(i, written, written.text+" (edited)") })
		}
	})
}

// finish returns the steps of an issue in progress through the rest of its workflow.
func (t *team) finish(i *issue, who person) (steps []step) {
	rest := workflows[i.kind]
	now := slices.IndexFunc(rest, func(s status) bool { return s.id == inProgress.id })
	for n, next := range rest[now+1:] {
		s := t.step(time.Hour, 8*time.Hour, func() { t.transition(i, next, who) })
		s.endsReview = rest[now+n].id == inReview.id
		steps = append(steps, s)
	}
	return steps
}

// burn opens an incident. Incidents also happen outside working hours.
func (t *team) burn() {
	i := t.newIssue(incident)
	i.project, i.priority, i.labels = operations, pick(t, highest, high), append(i.labels, "incident")
	t.create(i)
	who := pick(t, people...)
	t.follow([]step{
		t.step(time.Minute, 10*time.Minute, func() { t.assign(i, who, who) }),
		t.step(time.Minute, 5*time.Minute, func() { t.transition(i, inProgress, who) }),
		t.comments(i, "Looking into %."),
		t.step(5*time.Minute, 3*time.Hour, func() { t.transition(i, resolved, who) }),
		t.step(time.Hour, 20*time.Hour, func() { t.transition(i, closed, ada) }),
	}, time.Time.Add)
}

// reopenedAs returns the status of a reopened issue.
func reopenedAs(kind issueType) status {
	if kind == bug {
		return reopened
	}
	return toDo
}

func elsewhere(p project) project {
	if p == operations {
		return webShop
	}
	return operations
}

// Working hours are from nine to five, from Monday to Friday.
const (
	opens  = 9 * time.Hour
	closes = 17 * time.Hour
)

// office returns t, or the start of the next working hours if t is outside working hours.
func office(t time.Time) time.Time {
	for {
		midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
		weekend := t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
		switch {
		case weekend || !t.Before(midnight.Add(closes)):
			t = midnight.Add(24 * time.Hour)
		case t.Before(midnight.Add(opens)):
			return midnight.Add(opens)
		default:
			return t
		}
	}
}

// workLater returns the time after d of working hours.
func workLater(t time.Time, d time.Duration) time.Time {
	for {
		t = office(t)
		closing := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone).Add(closes)
		if left := closing.Sub(t); d >= left {
			d -= left
			t = closing
			continue
		}
		return t.Add(d)
	}
}

// Texts that people write. The percent sign is replaced with the subject of the issue.
var (
	goals  = []string{"Ship the new checkout", "Fewer incidents", "Ready for the season 🚀"}
	things = []string{"payments", "invoices", "orders", "refunds", "shipments"}

	summaries = map[issueType][]string{
		story:    {"Export % as a spreadsheet", "Show % on the start page", "Filter % by date", "Let partners see their %"},
		task:     {"Deploy the service for %", "Renew the certificates of %", "Archive old %"},
		bug:      {"Wrong total in %", "Page of % is blank after a time-out", "Old % come twice"},
		incident: {"No % for some customers", "Many errors in %", "Slow answers from %"},
	}
	remarks = []string{"The change to % is on staging.", "Who knows how % worked before?", "Rolled out to the first region."}
)
