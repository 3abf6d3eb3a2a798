// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Script is an endless history of the issues of a site. One issue follows the other, and each has the same eight
// events.
type Script struct {
	site       *liveSite
	deliveries []Delivery
}

// NewScript returns a new history of a site, given as https://host. No two histories have an event in common.
func NewScript(site string) *Script {
	return &Script{site: newLiveSite(Site{URL: site, Seed: rand.Uint64(), Start: time.Now()})} //nolint:gosec // not a secret
}

// live adds the events of one more issue.
func (s *Script) live() {
	i := &issue{
		kind: task, project: operations, priority: high, reporter: ada, assignee: noor, component: "payments",
		summary: "Deploy payment service", description: "As agreed in the review.", labels: []string{"release", "payments"},
	}
	s.site.create(i)
	s.site.transition(i, inProgress, noor)
	s.site.comment(i, noor, "Rolled out to the first region.")
	s.site.logWork(i, noor, time.Hour)
	s.site.transition(i, done, noor)
	s.site.remove(i, ada)
	s.site.createSprint("OPS Sprint", "", s.site.now, s.site.now)
	s.deliveries = append(s.deliveries, s.site.take()...)
}

// Delivery returns the delivery with the index n, counted from 0.
func (s *Script) Delivery(n int) Delivery { return s.Deliveries(n, n+1)[0] }

// Deliveries returns a range of the history.
func (s *Script) Deliveries(from, to int) []Delivery {
	for len(s.deliveries) < to {
		s.live()
	}
	return s.deliveries[from:to:to]
}

// BulkEdit returns the deliveries of a bulk edit that changes the priority of n issues of a site.
func BulkEdit(site string, n int) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		j := newLiveSite(Site{URL: site, Seed: rand.Uint64(), Start: time.Now()}) //nolint:gosec // not a secret
		for range n {
			i := &issue{kind: task, project: operations, priority: high, reporter: ada, assignee: noor, summary: "Deploy payment service"}
			j.create(i)
			j.take() // the issue exists before the bulk edit
			j.prioritise(i, highest, ada)
			for _, d := range j.take() {
				if !yield(d) {
					return
				}
			}
		}
	}
}
