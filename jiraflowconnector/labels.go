// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"cmp"
	"slices"
	"time"

	"github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"
	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// labeler makes the labels of time series from the dimensions.
type labeler struct{ site, project, issueType, priority, status bool }

func newLabeler(dimensions []string) labeler {
	has := func(attribute string) bool { return slices.Contains(dimensions, attribute) }
	return labeler{
		site: has(attr.SiteURL), project: has(attr.ProjectKey), issueType: has(attr.IssueTypeName),
		priority: has(attr.PriorityName), status: has(attr.StatusName),
	}
}

// of returns the labels of an issue, without a status.
func (b labeler) of(issue *state.Issue) aggregate.Labels {
	l := aggregate.Labels{Site: issue.Key.Site, HasSite: b.site}
	if b.project {
		l.Project = issue.About.Project
	}
	if b.issueType {
		l.Type = issue.About.Type
	}
	if b.priority {
		l.Priority = issue.About.Priority
	}
	return l
}

// in returns the labels of an issue in a status.
func (b labeler) in(issue *state.Issue, s flow.Status) aggregate.Labels {
	l := b.of(issue)
	l.Mapped, l.HasMapped = state.TextOf(s.Mapped), true
	if b.status {
		l.Status = state.TextOf(s.Name)
	}
	return l
}

// from returns the labels of a move from one status to another.
func (b labeler) from(issue *state.Issue, before, after flow.Status) aggregate.Labels {
	l := b.in(issue, after)
	l.Previous, l.HasPrevious = state.TextOf(before.Mapped), true
	return l
}

// open returns the labels of an open issue in its current status.
func (b labeler) open(issue *state.Issue) aggregate.Labels {
	l := b.of(issue)
	l.Mapped, l.HasMapped = issue.Summary.Mapped, true
	if b.status {
		l.Status = issue.Summary.Name
	}
	return l
}

// stuckLimits holds the longest time in a status.
type stuckLimits struct {
	byMapped map[string]time.Duration
	rules    []StuckRule
}

func newStuckLimits(cfg *StuckConfig) stuckLimits {
	return stuckLimits{byMapped: cfg.Limits, rules: cfg.Rules}
}

// of returns the limit of an issue in its current status, or 0 if it has none.
func (s *stuckLimits) of(issue *state.Issue) time.Duration {
	if len(s.byMapped) == 0 && len(s.rules) == 0 {
		return 0
	}
	mapped := cmp.Or(issue.Summary.Mapped.String(), attr.Unmapped)
	for i := range s.rules {
		if r := &s.rules[i]; matches(r.Projects, issue.About.Project.String()) &&
			matches(r.Priorities, issue.About.Priority.String()) && matches(r.Statuses, mapped) {
			return *r.Limit
		}
	}
	return s.byMapped[mapped]
}

func matches(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
