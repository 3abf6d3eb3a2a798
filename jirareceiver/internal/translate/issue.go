package translate

import (
	"cmp"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/status"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// putIssue writes the attributes of the event's issue, its status and its project.
func (t *Translator) putIssue(w writer, site string, ev *webhook.Event) Unmapped {
	issue := ev.Issue
	w.exact(attrIssueID, issue.ID)
	w.exact(attrIssueKey, issue.Key)
	if site != "" && issue.Key != "" {
		w.exact(attrURLFull, site+"/browse/"+issue.Key)
	}
	w.exact(attrIssuePreviousKey, previousKey(ev.Changelog))
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

	project := projectOf(issue)
	w.project(project)
	return t.putStatuses(w, project.Key, ev)
}

func (w writer) project(p webhook.Project) {
	w.exact(attrProjectID, p.ID)
	w.exact(attrProjectKey, p.Key)
	w.text(attrProjectName, p.Name)
	w.text(attrProjectCategory, p.Category)
}

// projectOf takes the key of the project from the issue's when the body says no more.
func projectOf(issue *webhook.Issue) webhook.Project {
	project := issue.Project
	project.Key = cmp.Or(project.Key, projectKey(issue.Key))
	return project
}

// projectKey returns the key of the project that an issue key begins with: OPS-42 is an issue of OPS.
func projectKey(issueKey string) string {
	key, _, _ := strings.Cut(issueKey, "-")
	return key
}

func (t *Translator) putStatuses(w writer, project string, ev *webhook.Event) (unmapped Unmapped) {
	current, previous := statuses(ev)
	w.exact(attrStatusID, current.ID)
	w.text(attrStatusName, current.Name)
	w.exact(attrStatusCategory, current.Category)
	unmapped.Current = t.putMapped(w, attrStatusMapped, project, current)

	// A move to another project leaves the old status to the old project.
	project = cmp.Or(projectKey(previousKey(ev.Changelog)), project)
	w.exact(attrPreviousStatusID, previous.ID)
	w.text(attrPreviousStatusName, previous.Name)
	unmapped.Previous = t.putMapped(w, attrPreviousStatusMapped, project, previous)
	return unmapped
}

// putMapped returns the status if it maps to nothing, else an empty one.
func (t *Translator) putMapped(w writer, key, project string, s webhook.Status) (unmapped webhook.Status) {
	mapped, ok := t.opts.Statuses.Map(project, status.Status{ID: s.ID, Name: s.Name, Category: s.Category})
	if !ok {
		return s
	}
	w.exact(key, mapped)
	return webhook.Status{}
}

// statuses returns the status of the event's issue and, if the event is a transition, the one before.
func statuses(ev *webhook.Event) (current, previous webhook.Status) {
	current = ev.Issue.Status
	change, isTransition := transition(ev.Changelog)
	if !isTransition {
		return current, previous
	}
	if current.Named == (webhook.Named{}) {
		current.Named = webhook.Named{ID: change.To, Name: change.ToText}
	}
	previous.Named = webhook.Named{ID: change.From, Name: change.FromText}
	return current, previous
}
