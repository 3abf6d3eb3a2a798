// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// issue writes the attributes of the event's issue, its project, its statuses and its transition.
func (w writer) issue(in recordInput) (unmapped Unmapped) {
	project := projectOf(in.Event)
	if in.Issue == nil {
		w.project(project)
		return unmapped
	}
	w.issueIdentity(in)
	w.fields(in.Issue)
	w.project(project)
	change, unmapped := w.statuses(project.Key, in)
	w.putID(attrResolutionChange, change)
	w.durations(in, change)
	if in.Transition != nil {
		w.transition(in.Transition)
	}
	return unmapped
}

func (w writer) issueIdentity(in recordInput) {
	w.putID(attrIssueID, in.Issue.ID)
	w.putID(attrIssueKey, in.Issue.Key)
	w.putURL(attrURLFull, in.issueURL)
	w.putID(attrIssuePreviousKey, in.previousKey)
}

func (w writer) fields(issue *jira.Issue) {
	w.putText(attrIssueSummary, issue.Summary)
	if w.opts.Description {
		w.putText(attrIssueDescription, issue.Description)
	}
	w.putID(attrIssueTypeID, issue.Type.ID)
	w.putText(attrIssueTypeName, issue.Type.Name)
	w.putID(attrIssuePriorityID, issue.Priority.ID)
	w.putText(attrIssuePriorityName, issue.Priority.Name)
	w.putID(attrIssueResolutionID, issue.Resolution.ID)
	w.putText(attrIssueResolutionName, issue.Resolution.Name)
	w.putID(attrIssueParentID, issue.Parent.ID)
	w.putID(attrIssueParentKey, issue.Parent.Key)
	w.putText(attrIssueSecurityLevel, issue.SecurityLevel.Name)
	w.putTexts(attrIssueLabels, issue.Labels)
	w.putTexts(attrIssueComponents, issue.Components)
	w.putTexts(attrIssueFixVersions, issue.FixVersions)
	w.putTexts(attrIssueAffectedVersions, issue.AffectedVersions)
	w.putTime(attrIssueCreatedAt, issue.Created)
	w.putTime(attrIssueUpdatedAt, issue.Updated)
	w.putTime(attrIssueResolvedAt, issue.Resolved)
	w.putID(attrIssueDueDate, issue.DueDate)
	w.user(assigneeKeys, issue.Assignee)
	w.user(reporterKeys, issue.Reporter)
	w.user(creatorKeys, issue.Creator)
	w.customFields(issue.CustomFields)
}

func (w writer) transition(transition *jira.Transition) {
	w.putID(attrTransitionID, transition.ID)
	w.putText(attrTransitionName, transition.Name)
	w.putID(attrWorkflowID, transition.Workflow.ID)
	w.putText(attrWorkflowName, transition.Workflow.Name)
}

// issueURL returns the address of the event's issue, or "". If the key is too long, so is the address: putURL then cuts
// and marks it, as putID does with the key.
func issueURL(ev ClassifiedEvent) string {
	if ev.Site.URL == "" || ev.Issue == nil || ev.Issue.Key == "" {
		return ""
	}
	return ev.Site.URL + "/browse/" + jira.Cut(ev.Issue.Key, jira.MaxURL)
}

// projectOf returns the project of the issue, otherwise the project that the event is about. If the issue has no
// project key, the key comes from the issue key.
func projectOf(ev *jira.Event) jira.Project {
	var project jira.Project
	if ev.Issue != nil {
		project = ev.Issue.Project
		project.Key = cmp.Or(project.Key, projectKey(ev.Issue.Key))
	}
	if project == (jira.Project{}) && ev.Project != nil {
		project = *ev.Project
	}
	if project == (jira.Project{}) && ev.Version != nil {
		project.ID = ev.Version.ProjectID
	}
	return project
}

// projectKey returns the project key that an issue key starts with, such as OPS for OPS-42, or "".
func projectKey(issueKey string) string {
	key, _, found := strings.Cut(issueKey, "-")
	if !found {
		return ""
	}
	return key
}

// statuses writes the current and the previous status of the event's issue. It returns the resolution change, because
// the statuses decide it, and the statuses that are not mapped.
func (w writer) statuses(project string, in recordInput) (change string, unmapped Unmapped) {
	current, previous := statusesOf(in.Event)
	w.putID(attrStatusID, current.ID)
	w.putText(attrStatusName, current.Name)
	w.putID(attrStatusCategory, current.Category)
	mapped, isMapped := w.mappedStatus(attrStatusMapped, project, current)
	if !isMapped {
		unmapped.Current = printable(current)
	}
	now := completionOf(mapped, current.Category)

	// Before a move to another project, the mapping of the old project applies.
	project = cmp.Or(projectKey(in.previousKey), project)
	w.putID(attrPreviousStatusID, previous.ID)
	w.putText(attrPreviousStatusName, previous.Name)
	mapped, isMapped = w.mappedStatus(attrPreviousStatusMapped, project, previous)
	if !isMapped {
		unmapped.Previous = printable(previous)
	}
	return resolutionChange(in.Event, completionBefore(in, mapped, now), now), unmapped
}

func (w writer) mappedStatus(key, project string, s jira.Status) (mapped string, isMapped bool) {
	mapped, isMapped = w.opts.Statuses.Map(project, status.Status{ID: s.ID, Name: s.Name, Category: s.Category})
	w.putID(key, mapped)
	return mapped, isMapped
}

// printable returns a copy of a status that is safe to log.
func printable(s jira.Status) jira.Status {
	s.ID = stripControl(jira.Cut(s.ID, jira.MaxID))
	s.Name = stripControl(jira.Cut(s.Name, jira.MaxID))
	return s
}

// statusesOf returns the status of the event's issue and, if the event is a transition, the status before it.
func statusesOf(ev *jira.Event) (current, previous jira.Status) {
	current = ev.Issue.Status
	from, to, isTransition := transition(ev)
	if !isTransition {
		return current, previous
	}
	previous.Named = from
	// A post-function may run before the issue has its new status.
	if current.Named == (jira.Named{}) || ev.Transition != nil && to.Name != "" && current.Name != to.Name {
		current = jira.Status{Named: to}
	}
	return current, previous
}

// transition returns the statuses before and after the event, if the event has moved the issue.
func transition(ev *jira.Event) (from, to jira.Named, isTransition bool) {
	if ev.Transition != nil {
		return ev.Transition.From, ev.Transition.To, true
	}
	change, isTransition := findChange(ev.Changelog, fieldStatus)
	return jira.Named{ID: change.From, Name: change.FromText}, jira.Named{ID: change.To, Name: change.ToText}, isTransition
}
