// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestObstacles reads the webhooks of teams. In the third sprint, the issues of the second sprint that have met an
// obstacle are stuck.
func TestObstacles(t *testing.T) {
	t.Parallel()
	const seeds = 5
	stuck := map[string]int{}
	for seed := range uint64(seeds) {
		end := start.Add(32 * 24 * time.Hour)
		for kind, n := range stuckAt(t, Site{Seed: seed, Start: start}, end) {
			stuck[kind] += n
		}
	}
	assert.GreaterOrEqual(t, stuck["unassigned, not flagged, new"], seeds)
	assert.GreaterOrEqual(t, stuck["assigned, flagged, indeterminate"], seeds)
	assert.GreaterOrEqual(t, stuck["assigned, not flagged, indeterminate"], seeds)
	assert.Len(t, stuck, 3, "no other issue stays for as long: %v", stuck)
}

// stuckAt returns the number of issues that have been in an open status for ten days at a time, by their kind.
func stuckAt(t *testing.T, site Site, end time.Time) map[string]int {
	t.Helper()
	kinds, since := map[any]string{}, map[any]time.Time{}
	for d := range Team(site) {
		if d.At.After(end) {
			break
		}
		body := decoded(t, d.Body)
		issue := at(body, "issue")
		fields := at(issue, "fields")
		id, category := at(issue, "id"), at(fields, "status", "statusCategory", "key")
		switch {
		case strings.HasSuffix(d.About, "jira:issue_deleted") || category == doneCategory:
			delete(kinds, id)
		case strings.HasSuffix(d.About, "jira:issue_created") || strings.HasSuffix(d.About, "jira:issue_updated"):
			if kind := fmt.Sprintf("%s, %s, %s", word(fields, "assignee", "assigned", "unassigned"),
				word(fields, flagField, "flagged", "not flagged"), category); kinds[id] != kind {
				kinds[id], since[id] = kind, d.At
			}
		}
	}
	stuck := map[string]int{}
	for id, kind := range kinds {
		if end.Sub(since[id]) > 10*24*time.Hour {
			stuck[kind]++
		}
	}
	return stuck
}

// word returns a word that depends on whether a field has a value.
func word(fields any, name, some, none string) string {
	if at(fields, name) == nil {
		return none
	}
	return some
}
