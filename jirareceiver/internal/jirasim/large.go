// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LargeSite is a site with many issues. It computes each issue from its number, and keeps none in memory. The issues
// exist before Site.Start. From then on, changes hit the issues in turns, in a scattered order: seven of ten changes
// are transitions, two are comments, and one is a worklog. A search always finds the first status of an issue.
type LargeSite struct {
	Site
	Issues         int // default: 1,000,000
	ChangesPerHour int // default: 2,000
	Changes        int // number of changes after which nothing happens; default: no limit
}

// Deliveries returns the deliveries of changes by their numbers, from the first one until another. The numbers begin
// with 0 at Site.Start. The site must be a Jira Cloud: Data Center sends more than one delivery for some changes.
func (s LargeSite) Deliveries(first, until int) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		l := newLarge(s)
		for change := first; change < until; change++ {
			if !yield(l.delivery(change)) {
				return
			}
		}
	}
}

// The first ids of issues and of changes. The id of a change is also the id of its history, comment or worklog.
const (
	largeIssueID  = 100_000
	largeChangeID = 1_000_000_000
)

// large numbers issues and changes from 0.
type large struct {
	LargeSite
	interval time.Duration // between two changes
	stride   int           // from the issue of a change to the issue of the next change
	inverse  int           // of stride, modulo the number of issues
	now      time.Time
}

func newLarge(s LargeSite) *large {
	s.Site = s.withDefaults()
	s.Issues, s.ChangesPerHour = cmp.Or(s.Issues, 1_000_000), cmp.Or(s.ChangesPerHour, 2_000)
	l := &large{LargeSite: s, interval: time.Hour / time.Duration(s.ChangesPerHour), stride: 1}
	const golden = 0.618 // scatters well
	issues := big.NewInt(int64(s.Issues))
	for l.stride = max(1, int(golden*float64(s.Issues))); ; l.stride++ {
		if inverse := new(big.Int).ModInverse(big.NewInt(int64(l.stride)), issues); inverse != nil {
			l.inverse = int(inverse.Int64())
			return l
		}
	}
}

func (l *large) catchUp(now time.Time)       { l.now = now }
func (l *large) version(at time.Time) int    { return l.changesUntil(at) }
func (l *large) close()                      {}
func (l *large) issueOf(change int) int      { return change % l.Issues * l.stride % l.Issues }
func (l *large) firstChange(n int) int       { return n * l.inverse % l.Issues }
func (l *large) timeOf(change int) time.Time { return l.offset(change) }
func (l *large) created(n int) time.Time     { return l.offset(n - l.Issues) }
func (l *large) offset(intervals int) time.Time {
	return l.Start.Add(time.Duration(intervals) * l.interval).Truncate(time.Millisecond)
}

// changesUntil returns the number of changes until a time.
func (l *large) changesUntil(at time.Time) int {
	if at.Before(l.Start) {
		return 0
	}
	n := int(at.Sub(l.Start) / l.interval)
	for !l.timeOf(n).After(at) { // times are rounded
		n++
	}
	if l.Changes > 0 {
		return min(n, l.Changes)
	}
	return n
}

// changesBefore returns the number of changes before a time.
func (l *large) changesBefore(at time.Time) int { return l.changesUntil(at.Add(-time.Nanosecond)) }

func (l *large) candidates(b bounds, at time.Time) []int {
	first := l.firstCreated(b.created)
	from, to := l.changesBefore(b.updated), l.changesUntil(at)
	if b.updated.After(l.created(l.Issues-1)) && to-from < l.Issues {
		return l.changed(from, to, first)
	}
	ids := make([]int, 0, l.Issues-first)
	for n := first; n < l.Issues; n++ {
		ids = append(ids, largeIssueID+n)
	}
	return ids
}

// firstCreated returns the number of the first issue that was created at or after a time.
func (l *large) firstCreated(at time.Time) int {
	if at.IsZero() {
		return 0
	}
	intervals := math.Ceil(float64(at.Sub(l.Start)) / float64(l.interval))
	return min(max(0, l.Issues+int(intervals)), l.Issues)
}

// changed returns the ids of the issues from first on that some changes hit.
func (l *large) changed(from, to, first int) []int {
	ids := make([]int, 0, max(0, to-from)) // from is later if a search asks for changes of the future
	for change := from; change < to; change++ {
		if n := l.issueOf(change); n >= first {
			ids = append(ids, largeIssueID+n)
		}
	}
	slices.Sort(ids)
	return ids
}

func (l *large) row(id int, at time.Time) (row, bool) {
	n := id - largeIssueID
	if n < 0 || n >= l.Issues || l.created(n).After(at) {
		return row{}, false
	}
	i := l.bare(n)
	if change, changes := l.firstChange(n), l.changesUntil(at); change < changes {
		i.updated = l.timeOf(change + (changes-1-change)/l.Issues*l.Issues)
	}
	return l.Site.row(i), true
}

var largeProjects = []project{operations, webShop, billing}

// bare returns an issue before its first change.
func (l *large) bare(n int) *issue {
	p := largeProjects[n%len(largeProjects)]
	return &issue{
		id: largeIssueID + n, key: p.key + "-" + strconv.Itoa(n+1), project: p, kind: task, status: toDo, priority: medium,
		summary: "Issue " + strconv.Itoa(n), reporter: people[n%len(people)], component: things[n%len(things)],
		created: l.created(n), updated: l.created(n),
	}
}

// read returns an issue with all its changes.
func (l *large) read(n int) *issue {
	i := l.bare(n)
	i.description = strings.Repeat(i.summary+", as agreed in the review. ", 20)
	for change, changes := l.firstChange(n), l.changesUntil(l.now); change < changes; change += l.Issues {
		l.apply(i, change)
	}
	return i
}

// Kinds of changes of a large site.
type largeKind int

const (
	largeTransition largeKind = iota
	largeComment
	largeWorklog
)

// kindOf varies the kind of the changes of one issue, too.
func (l *large) kindOf(change int) largeKind {
	switch (change + change/l.Issues) % 10 {
	case 7, 8:
		return largeComment
	case 9:
		return largeWorklog
	default:
		return largeTransition
	}
}

// apply makes a change of an issue.
func (l *large) apply(i *issue, change int) {
	id, at, by := largeChangeID+change, l.timeOf(change), people[change%len(people)]
	i.updated = at
	switch l.kindOf(change) {
	case largeComment:
		i.comments = append(i.comments, &comment{id, by, "Comment " + strconv.Itoa(change), at, at})
	case largeWorklog:
		i.worklogs = append(i.worklogs, &worklog{
			id: id, issue: i, author: by, spent: time.Hour, started: at.Add(-time.Hour), created: at, updated: at,
		})
	case largeTransition:
		steps := workflows[task]
		to := steps[(slices.Index(statusIDs(steps), i.status.id)+1)%len(steps)]
		i.histories = append(i.histories, history{id: id, by: by, at: at, changes: l.setStatus(i, to, at)})
	}
}

// delivery returns the delivery of a change.
func (l *large) delivery(number int) Delivery {
	l.catchUp(l.timeOf(number))
	i := l.read(l.issueOf(number))
	j := &liveSite{Site: l.Site, now: l.now, count: number}
	switch l.kindOf(number) {
	case largeComment:
		j.postComment(Primary, "comment_created", i, i.comments[len(i.comments)-1])
	case largeWorklog:
		j.postWorklog("worklog_created", "issue_work_logged", i.worklogs[len(i.worklogs)-1], change{})
	case largeTransition:
		h := i.histories[len(i.histories)-1]
		j.postIssue("jira:issue_updated", "issue_generic", i, h.by, object{"changelog": j.changelog(h.id, h.changes)})
	}
	return j.take()[0]
}

func statusIDs(statuses []status) []string {
	ids := make([]string, 0, len(statuses))
	for _, s := range statuses {
		ids = append(ids, s.id)
	}
	return ids
}

// find finds issues that exist at the time of the last catchUp.
func (l *large) find(idOrKey string) *issue {
	id, err := strconv.Atoi(idOrKey)
	n := id - largeIssueID
	if key, number, found := strings.Cut(idOrKey, "-"); err != nil && found {
		n, err = strconv.Atoi(number)
		n--
		if err != nil || n < 0 || largeProjects[n%len(largeProjects)].key != key {
			return nil
		}
	}
	if err != nil || n < 0 || n >= l.Issues || l.created(n).After(l.now) {
		return nil
	}
	return l.read(n)
}

// feed returns no deleted worklogs, because a large site deletes none.
func (l *large) feed(since, until time.Time, deleted bool, limit int) (found []*worklog) {
	for change := l.changesBefore(since); !deleted && change < l.changesUntil(until) && len(found) < limit; change++ {
		if w := l.worklog(largeChangeID + change); w != nil {
			found = append(found, w)
		}
	}
	return found
}

func (l *large) worklog(id int) *worklog {
	change := id - largeChangeID
	if change < 0 || change >= l.changesUntil(l.now) || l.kindOf(change) != largeWorklog {
		return nil
	}
	for _, w := range l.read(l.issueOf(change)).worklogs {
		if w.id == id {
			return w
		}
	}
	return nil
}
