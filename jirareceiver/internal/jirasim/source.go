// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"iter"
	"time"
)

// source is the content of a site at the time of its last catchUp.
type source interface {
	// catchUp lets the history happen until a time. An earlier time than before takes back what happened since.
	catchUp(now time.Time)
	// version returns a number that differs if a search at that time can have other results.
	version(at time.Time) int
	// candidates returns the ids of all issues that a search with these bounds can find, in the order of creation.
	candidates(b bounds, at time.Time) []int
	// row returns the row of an issue in the search index at a time, or false if there was none.
	row(id int, at time.Time) (row, bool)
	// find returns an existing issue by its id or key, or nil.
	find(idOrKey string) *issue
	// feed returns worklogs that were updated or deleted between two times, oldest first, also of issues that no longer
	// exist. It may return more than limit.
	feed(since, until time.Time, deleted bool, limit int) []*worklog
	// worklog returns a worklog that was not deleted, or nil.
	worklog(id int) *worklog
	close()
}

// bounds are the lower bounds of a search; zero if there are none.
type bounds struct{ updated, created time.Time }

// played is the content of a site whose history is played event by event, so that each answer is exactly as of its
// time.
type played struct {
	*register
	begin func() *team // returns the history from its start

	now  time.Time
	due  time.Time // time before which nothing else happens
	next func() (time.Time, bool)
	stop func()
	over bool
}

func newPlayed(begin func() *team) *played {
	p := &played{begin: begin}
	p.restart()
	return p
}

func (p *played) restart() {
	p.close()
	t := p.begin()
	t.register = newRegister()
	p.register = t.register
	p.next, p.stop = iter.Pull(t.play())
	p.due, p.now, p.over = time.Time{}, time.Time{}, false
}

func (p *played) catchUp(now time.Time) {
	if now.Before(p.now) {
		p.restart()
	}
	p.now = now
	for !p.over && !p.due.After(now) {
		due, more := p.next()
		p.due, p.over = due, !more
	}
}

func (p *played) candidates(bounds, time.Time) []int { return p.issues }

func (p *played) feed(since, until time.Time, deleted bool, _ int) []*worklog {
	return p.register.feed(since, until, deleted)
}

func (p *played) close() {
	if p.stop != nil {
		p.stop()
	}
}

// play lets the history happen. Before each event, it yields the time before which the event does not happen.
func (t *team) play() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		ended := false
		wait := func(until time.Time) { ended = ended || !yield(until) }
		t.posted = func() { wait(t.now) }
		for !ended && t.agenda.Len() > 0 {
			wait(t.agenda[0].at.Truncate(time.Millisecond))
			if !ended {
				t.runNext()
				t.take()
			}
		}
	}
}
