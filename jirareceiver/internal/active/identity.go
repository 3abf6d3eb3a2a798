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
	// maxPending is the number of changes that wait for their issue to be read. The check needs only some of them.
	maxPending = 10_000
	// enoughUnmatched is the number of unmatched changes from which on the ids may be different ones. A few may be
	// unmatched for other reasons: Jira deletes histories with projects and fields.
	enoughUnmatched = 3
)

// identityCheck compares the ids of changelogs in webhooks with the ids of histories in the REST API. The uids of updates
// rest on both being the same id. This is not documented by Atlassian.
type identityCheck struct {
	mu                 sync.Mutex
	pending            map[string][]delivered // by id of the issue
	count              int                    // of pending
	matched, unmatched int
}

// delivered is a change that a webhook has delivered.
type delivered struct {
	changelogID string
	at          time.Time
}

func newIdentityCheck() *identityCheck { return &identityCheck{pending: map[string][]delivered{}} }

// add adds a change that a webhook has delivered.
func (c *identityCheck) add(issueID, changelogID string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count < maxPending {
		c.count++
		c.pending[issueID] = append(c.pending[issueID], delivered{changelogID, at})
	}
}

// compare looks for the changes of an issue among its histories, which are complete from a time on. It returns the
// number of changes that it has found and has not found.
func (c *identityCheck) compare(issue jiraapi.Issue, from time.Time) (matched, unmatched int) {
	if issue.IsMissing || issue.IsIncomplete {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	changes := c.pending[issue.Issue.ID]
	delete(c.pending, issue.Issue.ID)
	c.count -= len(changes)
	for _, change := range changes {
		isFound := slices.ContainsFunc(issue.Histories, func(h jira.History) bool { return h.ID == change.changelogID })
		switch {
		case isFound:
			matched++
		case change.at.After(from):
			unmatched++
		}
	}
	c.matched += matched
	c.unmatched += unmatched
	return matched, unmatched
}

// hasFailed reports whether the ids are different ones, so that webhooks and the REST API give one change two uids.
func (c *identityCheck) hasFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unmatched >= enoughUnmatched && c.unmatched > c.matched
}
