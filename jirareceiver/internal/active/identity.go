// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"slices"
	"sync"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// The limits of an identityCheck.
const (
	// maxPending is the number of changes that wait for their issue to be read. Beyond it, changes are not checked: a
	// busy site has more of them in the time of a run, and a sample is enough.
	maxPending = 10_000
	// enoughUnmatched is the number of unmatched changes from which on the ids may be different ones. A few may be
	// unmatched for other reasons: Jira deletes histories with projects and fields.
	enoughUnmatched = 3
	// skew is the largest difference between the time of a webhook and the time of the history of the same change.
	skew = time.Second
)

// identityCheck compares the ids of changelogs in webhooks with the ids of histories in the REST API. The uids of updates
// rest on both being the same id. Atlassian does not document this.
type identityCheck struct {
	mu                 sync.Mutex
	pending            map[string][]webhookChange // by id of the issue
	count              int                        // of pending
	from               time.Time                  // since which the last run knows the histories
	matched, unmatched int
	failed             bool
}

// webhookChange is a change that a webhook has delivered.
type webhookChange struct {
	changelogID string
	at          time.Time
}

func newIdentityCheck() *identityCheck { return &identityCheck{pending: map[string][]webhookChange{}} }

// add adds a change that a webhook has delivered.
func (c *identityCheck) add(issueID, changelogID string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == maxPending {
		return
	}
	c.count++
	c.pending[issueID] = append(c.pending[issueID], webhookChange{changelogID, at})
}

// compare looks for the changes of an issue among its histories, which are complete between two times. It returns the
// number of changes that it has found and has not found.
func (c *identityCheck) compare(issue jiraapi.Issue, from, until time.Time) (matched, unmatched int) {
	if issue.IsMissing || issue.IsIncomplete {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(from)
	var later []webhookChange
	for _, change := range c.pending[issue.Issue.ID] {
		isFound := slices.ContainsFunc(issue.Histories, func(h jira.History) bool { return h.ID == change.changelogID })
		switch {
		case isFound:
			matched++
		case !change.at.Before(until.Add(-skew)):
			later = append(later, change)
		case change.at.After(from.Add(skew)):
			unmatched++
		}
	}
	c.count -= len(c.pending[issue.Issue.ID]) - len(later)
	c.pending[issue.Issue.ID] = later
	if len(later) == 0 {
		delete(c.pending, issue.Issue.ID)
	}
	c.matched += matched
	c.unmatched += unmatched
	c.failed = c.failed || c.unmatched >= enoughUnmatched && c.unmatched > c.matched
	return matched, unmatched
}

// forget removes the changes of issues that polling has not read, at the start of a run that no longer reads their time.
// The caller holds the mutex.
func (c *identityCheck) forget(from time.Time) {
	if !from.After(c.from) {
		return
	}
	c.from = from
	for issue, changes := range c.pending {
		kept := slices.DeleteFunc(changes, func(change webhookChange) bool { return change.at.Before(from.Add(-skew)) })
		c.count -= len(changes) - len(kept)
		if c.pending[issue] = kept; len(kept) == 0 {
			delete(c.pending, issue)
		}
	}
}

// hasFailed reports whether the ids are different ones, so that webhooks and the REST API give one change two uids.
func (c *identityCheck) hasFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}
