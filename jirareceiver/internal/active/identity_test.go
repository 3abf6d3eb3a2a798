// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func issueWith(id string, histories ...string) jiraapi.Issue {
	issue := jiraapi.Issue{Snapshot: jira.Snapshot{Issue: &jira.Issue{ID: id}}}
	for _, history := range histories {
		issue.Histories = append(issue.Histories, jira.History{Changelog: jira.Changelog{ID: history}})
	}
	return issue
}

func TestIdentityCheck(t *testing.T) {
	c := newIdentityCheck()
	c.add("1", "100", noon)
	c.add("1", "101", noon)
	c.add("1", "90", noon.Add(-time.Hour))
	c.add("2", "200", noon)
	matched, unmatched := c.compare(issueWith("1", "100", "99"), noon.Add(-time.Minute), noon.Add(time.Minute))
	assert.Equal(t, []int{1, 1}, []int{matched, unmatched}, "Jira returns no histories of an hour ago")
	matched, unmatched = c.compare(issueWith("1", "100"), noon.Add(-time.Minute), noon.Add(time.Minute))
	assert.Equal(t, []int{0, 0}, []int{matched, unmatched}, "each change is compared once")
	incomplete := issueWith("2")
	incomplete.IsIncomplete = true
	matched, unmatched = c.compare(incomplete, noon.Add(-time.Minute), noon.Add(time.Minute))
	assert.Equal(t, []int{0, 0}, []int{matched, unmatched})
	matched, unmatched = c.compare(issueWith("2", "200"), noon.Add(-time.Minute), noon.Add(time.Minute))
	assert.Equal(t, []int{1, 0}, []int{matched, unmatched}, "it waits until the issue is complete")
}

// TestIdentityFails checks from which numbers on the ids count as different ones.
func TestIdentityFails(t *testing.T) {
	for _, test := range []struct {
		matched, unmatched int
		fails              bool
	}{{0, 2, false}, {0, 3, true}, {3, 3, false}, {3, 4, true}} {
		c := newIdentityCheck()
		for n := range test.matched + test.unmatched {
			id := strconv.Itoa(n)
			c.add(id, id, noon)
			issue := issueWith(id)
			if n < test.matched {
				issue = issueWith(id, id)
			}
			c.compare(issue, noon.Add(-time.Minute), noon.Add(time.Minute))
		}
		assert.Equal(t, test.fails, c.hasFailed(), test)
	}
}

// TestIdentityCheckIsBounded checks that a busy site is checked by a sample, also if polling does not read most issues.
func TestIdentityCheckIsBounded(t *testing.T) {
	c := newIdentityCheck()
	for n := range maxPending + 1 {
		c.add(strconv.Itoa(n), "1", noon)
	}
	assert.Len(t, c.pending, maxPending)
	matched, _ := c.compare(issueWith("17", "1"), noon.Add(-time.Minute), noon.Add(time.Minute))
	assert.Equal(t, 1, matched)
	assert.Equal(t, maxPending-1, c.count)

	c.compare(issueWith("18", "1"), noon.Add(time.Minute), noon.Add(2*time.Minute))
	assert.Empty(t, c.pending, "no later run reads their histories")
	assert.Zero(t, c.count)
	c.add("new", "1", noon.Add(time.Minute))
	assert.Len(t, c.pending, 1)
}

// TestChangeDuringRun keeps a change that happened after the issue was read, until the next run reads the issue.
func TestChangeDuringRun(t *testing.T) {
	c := newIdentityCheck()
	c.add("1", "100", noon)
	matched, unmatched := c.compare(issueWith("1"), noon.Add(-time.Hour), noon)
	assert.Equal(t, []int{0, 0}, []int{matched, unmatched})
	matched, unmatched = c.compare(issueWith("1", "100"), noon.Add(-time.Hour), noon.Add(time.Hour))
	assert.Equal(t, []int{1, 0}, []int{matched, unmatched})
}
