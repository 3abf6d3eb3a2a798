package record

import (
	"cmp"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// putIssue writes the attributes of the event's issue, its project, its status and its transition.
func (t *Translator) putIssue(w writer, o delivered) (unmapped Unmapped) {
	project := projectOf(o.Event)
	if o.Issue == nil {
		w.project(project)
		return unmapped
	}
	w.issueIdentity(o)
	t.putFields(w, o.Issue)
	w.project(project)
	change, unmapped := t.putStatuses(w, project.Key, o)
	w.exact(attrResolutionChange, change)
	w.putDurations(o, change)
	if o.Transition != nil {
		w.transition(o.Transition)
	}
	return unmapped
}

func (w writer) issueIdentity(o delivered) {
	w.exact(attrIssueID, o.Issue.ID)
	w.exact(attrIssueKey, o.Issue.Key)
	w.url(attrURLFull, o.url)
	w.exact(attrIssuePreviousKey, o.previousKey)
}

func (t *Translator) putFields(w writer, issue *jira.Issue) {
	w.text(attrIssueSummary, issue.Summary)
	if t.opts.Description {
		w.text(attrIssueDescription, issue.Description)
	}
	w.exact(attrIssueTypeID, issue.Type.ID)
	w.text(attrIssueTypeName, issue.Type.Name)
	w.exact(attrIssuePriorityID, issue.Priority.ID)
	w.text(attrIssuePriorityName, issue.Priority.Name)
	w.exact(attrIssueResolutionID, issue.Resolution.ID)
	w.text(attrIssueResolutionName, issue.Resolution.Name)
	w.exact(attrIssueParentID, issue.Parent.ID)
	w.exact(attrIssueParentKey, issue.Parent.Key)
	w.text(attrIssueSecurityLevel, issue.SecurityLevel.Name)
	w.texts(attrIssueLabels, issue.Labels)
	w.texts(attrIssueComponents, issue.Components)
	w.texts(attrIssueFixVersions, issue.FixVersions)
	w.texts(attrIssueAffectedVersions, issue.AffectedVersions)
	w.instant(attrIssueCreatedAt, issue.Created)
	w.instant(attrIssueUpdatedAt, issue.Updated)
	w.instant(attrIssueResolvedAt, issue.Resolved)
	w.exact(attrIssueDueDate, issue.DueDate)
	w.user(assigneeKeys, issue.Assignee, t.opts.UserDetails)
	w.user(reporterKeys, issue.Reporter, t.opts.UserDetails)
	w.user(creatorKeys, issue.Creator, t.opts.UserDetails)
	t.putCustomFields(w, issue.CustomFields)
}

func (w writer) transition(transition *jira.Transition) {
	w.exact(attrTransitionID, transition.ID)
	w.text(attrTransitionName, transition.Name)
	w.exact(attrWorkflowID, transition.Workflow.ID)
	w.text(attrWorkflowName, transition.Workflow.Name)
}

// urlOf returns the address of the event's issue, or "". With a key that is too long, it is too long as well, so that it is cut
// and marked like the key.
func urlOf(o Occurrence) string {
	if o.Site.URL == "" || o.Issue == nil || o.Issue.Key == "" {
		return ""
	}
	return o.Site.URL + "/browse/" + jira.Cut(o.Issue.Key, jira.MaxURL)
}

// projectOf returns the project of the issue, or else the one that the body is about. The key is also the first part of an
// issue's.
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

// projectKey returns the key of the project that an issue key begins with: OPS-42 is an issue of OPS.
func projectKey(issueKey string) string {
	key, _, found := strings.Cut(issueKey, "-")
	if !found {
		return ""
	}
	return key
}

// putStatuses also returns whether the event resolves or reopens the issue, as they and its resolution tell.
func (t *Translator) putStatuses(w writer, project string, o delivered) (change string, unmapped Unmapped) {
	current, previous := statuses(o.Event)
	w.exact(attrStatusID, current.ID)
	w.text(attrStatusName, current.Name)
	w.exact(attrStatusCategory, current.Category)
	mapped, isMapped := t.putMapped(w, attrStatusMapped, project, current)
	if !isMapped {
		unmapped.Current = printable(current)
	}
	now := completionOf(mapped, current.Category)

	// A move to another project leaves the old status to the old project.
	project = cmp.Or(projectKey(o.previousKey), project)
	w.exact(attrPreviousStatusID, previous.ID)
	w.text(attrPreviousStatusName, previous.Name)
	mapped, isMapped = t.putMapped(w, attrPreviousStatusMapped, project, previous)
	if !isMapped {
		unmapped.Previous = printable(previous)
	}
	return resolutionChange(o.Event, completionBefore(o, mapped, now), now), unmapped
}

func (t *Translator) putMapped(w writer, key, project string, s jira.Status) (mapped string, isMapped bool) {
	mapped, isMapped = t.opts.Statuses.Map(project, status.Status{ID: s.ID, Name: s.Name, Category: s.Category})
	w.exact(key, mapped)
	return mapped, isMapped
}

// printable returns a status that can be logged.
func printable(s jira.Status) jira.Status {
	s.ID = oneLineText(jira.Cut(s.ID, jira.MaxID))
	s.Name = oneLineText(jira.Cut(s.Name, jira.MaxID))
	return s
}

// statuses returns the status of the event's issue and, if the event is a transition, the one before.
func statuses(ev *jira.Event) (current, previous jira.Status) {
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

// transition returns the statuses between which the event has moved the issue.
func transition(ev *jira.Event) (from, to jira.Named, isTransition bool) {
	if ev.Transition != nil {
		return ev.Transition.From, ev.Transition.To, true
	}
	change, isTransition := find(ev.Changelog, fieldStatus)
	return jira.Named{ID: change.From, Name: change.FromText}, jira.Named{ID: change.To, Name: change.ToText}, isTransition
}
