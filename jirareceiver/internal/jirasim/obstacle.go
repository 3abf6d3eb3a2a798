// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"slices"
	"time"
)

// obstacle is the reason why an issue gets stuck for some weeks.
type obstacle int

const (
	none         obstacle = iota
	nobody                // no person takes the issue, so that it stays in its first status
	otherTeam             // the issue is blocked by another team and flagged, while it is in progress
	longReview            // no person reviews the issue; if it needs no review, no person completes it
	lastObstacle = longReview
)

// Working hours that an obstacle costs: four to eight weeks.
const (
	shortestObstacle = 160 * time.Hour
	longestObstacle  = 320 * time.Hour
)

// obstacles returns the obstacles of the issues of a sprint. In each sprint, one issue meets each obstacle.
func (t *team) obstacles() []obstacle {
	all := make([]obstacle, planned)
	for n, at := range t.trouble.Perm(planned)[:lastObstacle] {
		all[at] = obstacle(n + 1)
	}
	return all
}

// obstruct adds an obstacle to the steps of an issue.
func (t *team) obstruct(steps []step, i *issue, o obstacle) []step {
	cost := shortestObstacle + time.Duration(t.trouble.Int64N(int64(longestObstacle-shortestObstacle)))
	switch o {
	case nobody:
		steps[0].after += cost
	case otherTeam:
		const inProgress = 2 // steps until then
		return slices.Insert(steps, inProgress,
			step{after: 10 * time.Minute, do: func() { t.comment(i, i.assignee, "Blocked: another team has to change its part first.") }},
			step{after: time.Minute, do: func() { t.flag(i, true, i.assignee) }},
			step{after: cost, do: func() { t.flag(i, false, i.assignee) }})
	case longReview:
		at := slices.IndexFunc(steps, func(s step) bool { return s.endsReview })
		if at < 0 {
			at = len(steps) - 1
		}
		steps[at].after += cost
	case none:
	}
	return steps
}
