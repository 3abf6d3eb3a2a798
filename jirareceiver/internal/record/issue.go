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
	w.flag(in.Event)
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
	w.links(issue.Links)
	w.subtasks(issue.Subtasks)
	w.sprints(issue.Sprints)
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

// Values of the key direction of a link. A link of the type Blocks is outward on the issue that blocks, and inward on
// the issue that is blocked.
const (
	directionOutward = "outward"
	directionInward  = "inward"
)

// links writes the links of the issue to other issues, as a list of maps.
func (w writer) links(links jira.Links) {
	if len(links.List) == 0 {
		return
	}
	if links.IsCut {
		w.budget.markCut(attrIssueLinks)
	}
	list := w.attrs.PutEmptySlice(attrIssueLinks)
	list.EnsureCapacity(len(links.List))
	for _, link := range links.List {
		item := w.into(list.AppendEmpty().SetEmptyMap(), attrIssueLinks)
		item.attrs.EnsureCapacity(linkKeys)
		item.link(link)
	}
}

func (w writer) link(link jira.Link) {
	w.putID(keyID, link.ID)
	w.putID(keyTypeID, link.Type.ID)
	w.putText(keyTypeName, link.Type.Name)
	direction, issue := directionOutward, link.Outward
	if issue == (jira.Reference{}) {
		direction, issue = directionInward, link.Inward
	}
	if issue != (jira.Reference{}) {
		w.putID(keyDirection, direction)
	}
	w.putID(keyIssueID, issue.ID)
	w.putID(keyIssueKey, issue.Key)
}

func (w writer) subtasks(subtasks jira.References) {
	if subtasks.IsCut {
		w.budget.markCut(attrIssueSubtaskIDs)
		w.budget.markCut(attrIssueSubtaskKeys)
	}
	w.putList(attrIssueSubtaskIDs, len(subtasks.List), func(i int) string {
		return w.id(attrIssueSubtaskIDs, subtasks.List[i].ID)
	})
	w.putList(attrIssueSubtaskKeys, len(subtasks.List), func(i int) string {
		return w.id(attrIssueSubtaskKeys, subtasks.List[i].Key)
	})
}

// sprints writes the sprint of the issue, and the closed sprints that the issue was in before.
func (w writer) sprints(sprints jira.SprintRefs) {
	sprint := currentSprint(sprints.List)
	w.putID(attrIssueSprintID, sprint.ID)
	w.putText(attrIssueSprintName, sprint.Name)
	w.putID(attrIssueSprintState, sprint.State)
	if sprints.IsCut {
		w.budget.markCut(attrIssueClosedSprintIDs)
	}
	w.putList(attrIssueClosedSprintIDs, len(sprints.List), func(i int) string {
		if sprints.List[i].State != jira.SprintClosed {
			return ""
		}
		return w.id(attrIssueClosedSprintIDs, sprints.List[i].ID)
	})
}

// currentSprint returns the active sprint, otherwise the first future sprint, otherwise the zero value. Jira keeps an
// issue in one such sprint at a time, but fields of other apps may contain several.
func currentSprint(sprints []jira.SprintRef) (current jira.SprintRef) {
	for _, sprint := range sprints {
		switch {
		case sprint.State == jira.SprintActive:
			return sprint
		case sprint.State == jira.SprintFuture && current == (jira.SprintRef{}):
			current = sprint
		}
	}
	return current
}

// flag writes whether the issue is flagged. Jira sends no value for an issue that is not flagged, so that only the
// event that removes the flag shows it.
func (w writer) flag(ev *jira.Event) {
	isFlagged := ev.Issue.IsFlagged
	isKnown := isFlagged
	for _, change := range ev.Changelog.Items {
		if strings.EqualFold(change.Field, fieldFlagged) {
			isFlagged, isKnown = change.To != "" || change.ToText != "", true
		}
	}
	if isKnown {
		w.putBool(attrIssueFlagged, &isFlagged)
	}
}

func (w writer) transition(t *jira.Transition) {
	w.putID(attrTransitionID, t.ID)
	w.putText(attrTransitionName, t.Name)
	w.putID(attrWorkflowID, t.Workflow.ID)
	w.putText(attrWorkflowName, t.Workflow.Name)
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
	if current.Category != "" {
		w.putTime(attrStatusCategoryChangedAt, in.Issue.CategorySince)
	}
	mapper := w.opts.Statuses.ForSite(in.Site.URL)
	mapped, isMapped := w.mappedStatus(attrStatusMapped, mapper, project, current)
	if !isMapped {
		unmapped.Current = printable(current)
	}
	now := completionOf(mapped, current.Category)

	// Before a move to another project, the mapping of the old project applies.
	project = cmp.Or(projectKey(in.previousKey), project)
	w.putID(attrPreviousStatusID, previous.ID)
	w.putText(attrPreviousStatusName, previous.Name)
	mapped, isMapped = w.mappedStatus(attrPreviousStatusMapped, mapper, project, previous)
	if !isMapped {
		unmapped.Previous = printable(previous)
	}
	before := completionBefore(in, completionOf(mapped, previous.Category), current, now)
	return resolutionChange(in.Event, before, now), unmapped
}

func (w writer) mappedStatus(
	key string, mapper *status.Mapper, project string, s jira.Status,
) (mapped string, isMapped bool) {
	mapped, isMapped = mapper.Map(project, status.Status{ID: s.ID, Name: s.Name, Category: s.Category})
	w.putID(key, mapped)
	return mapped, isMapped
}

// printable returns a copy of a status that is safe to log.
func printable(s jira.Status) jira.Status {
	s.ID = stripControl(jira.Cut(s.ID, jira.MaxID))
	s.Name = stripControl(jira.Cut(s.Name, jira.MaxID))
	return s
}

// statusesOf returns the status of the event's issue and, if the event is a transition, the status before it. The
// issue in the body may be ahead of the event, if a second transition has followed, or behind it, in a post-function.
// Its status therefore counts only as the description of the status that it has in common with the transition.
func statusesOf(ev *jira.Event) (current, previous jira.Status) {
	from, to, isTransition := transition(ev)
	if !isTransition {
		return ev.Issue.Status, previous
	}
	if to == (jira.Named{}) {
		return ev.Issue.Status, describe(from, ev.Issue.Status)
	}
	return describe(to, ev.Issue.Status), describe(from, ev.Issue.Status)
}

// describe returns a status of a transition, with the id and the category of the issue's status if it is the same.
func describe(s jira.Named, ofIssue jira.Status) jira.Status {
	if !isSameStatus(s, ofIssue.Named) {
		return jira.Status{Named: s}
	}
	return jira.Status{
		Named:    jira.Named{ID: cmp.Or(ofIssue.ID, s.ID), Name: cmp.Or(ofIssue.Name, s.Name)},
		Category: ofIssue.Category,
	}
}

func isSameStatus(a, b jira.Named) bool {
	if a.ID != "" && b.ID != "" {
		return a.ID == b.ID
	}
	return a.Name != "" && strings.EqualFold(strings.TrimSpace(a.Name), strings.TrimSpace(b.Name))
}

// transition returns the statuses before and after the event, if the event has moved the issue. The changelog counts
// more than the transition, because it has ids, and a transition may lack its statuses.
func transition(ev *jira.Event) (from, to jira.Named, isTransition bool) {
	change, isTransition := findChange(ev.Changelog, fieldStatus)
	from, to = jira.Named{ID: change.From, Name: change.FromText}, jira.Named{ID: change.To, Name: change.ToText}
	if ev.Transition != nil {
		return cmp.Or(from, ev.Transition.From), cmp.Or(to, ev.Transition.To), true
	}
	return from, to, isTransition
}
