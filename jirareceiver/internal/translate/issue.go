package translate

import (
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/status"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// putIssue writes the attributes of the event's issue, its status and its project. It returns the unmapped statuses.
func (t *Translator) putIssue(w writer, site string, ev *webhook.Event) (unmapped []webhook.Status) {
	issue := ev.Issue
	w.text(attrIssueID, issue.ID)
	w.text(attrIssueKey, issue.Key)
	if site != "" && issue.Key != "" {
		w.text(attrURLFull, site+"/browse/"+issue.Key)
	}
	w.text(attrIssuePreviousKey, previousKey(ev.Changelog))
	w.text(attrIssueSummary, issue.Summary)
	if t.opts.Description {
		w.text(attrIssueDescription, issue.Description)
	}
	w.text(attrIssueTypeID, issue.Type.ID)
	w.text(attrIssueTypeName, issue.Type.Name)
	w.text(attrIssuePriorityID, issue.Priority.ID)
	w.text(attrIssuePriorityName, issue.Priority.Name)
	w.text(attrIssueResolutionID, issue.Resolution.ID)
	w.text(attrIssueResolutionName, issue.Resolution.Name)
	w.text(attrIssueParentID, issue.Parent.ID)
	w.text(attrIssueParentKey, issue.Parent.Key)
	w.text(attrIssueSecurityLevel, issue.SecurityLevel.Name)
	w.texts(attrIssueLabels, issue.Labels)
	w.texts(attrIssueComponents, issue.Components)
	w.texts(attrIssueFixVersions, issue.FixVersions)
	w.texts(attrIssueAffectedVersions, issue.AffectedVersions)
	w.instant(attrIssueCreatedAt, issue.Created)
	w.instant(attrIssueUpdatedAt, issue.Updated)
	w.instant(attrIssueResolvedAt, issue.Resolved)
	w.text(attrIssueDueDate, issue.DueDate)
	w.user(assigneeKeys, issue.Assignee, t.opts.UserDetails)
	w.user(reporterKeys, issue.Reporter, t.opts.UserDetails)
	w.user(creatorKeys, issue.Creator, t.opts.UserDetails)

	project := projectOf(issue)
	w.project(project)
	return t.putStatuses(w, project.Key, ev)
}

func (w writer) project(p webhook.Project) {
	w.text(attrProjectID, p.ID)
	w.text(attrProjectKey, p.Key)
	w.text(attrProjectName, p.Name)
	w.text(attrProjectCategory, p.Category)
}

// projectOf takes the key of the project from the issue's when the body says no more: OPS-42 is an issue of OPS.
func projectOf(issue *webhook.Issue) webhook.Project {
	project := issue.Project
	if project.Key == "" {
		project.Key, _, _ = strings.Cut(issue.Key, "-")
	}
	return project
}

func (t *Translator) putStatuses(w writer, project string, ev *webhook.Event) (unmapped []webhook.Status) {
	current, previous := statuses(ev)

	w.text(attrStatusID, current.ID)
	w.text(attrStatusName, current.Name)
	w.text(attrStatusCategory, current.Category)
	w.text(attrPreviousStatusID, previous.ID)
	w.text(attrPreviousStatusName, previous.Name)

	for _, side := range []struct {
		key    string
		status webhook.Status
	}{{attrStatusMapped, current}, {attrPreviousStatusMapped, previous}} {
		mapped, ok := t.opts.Statuses.Map(project, status.Status{
			ID: side.status.ID, Name: side.status.Name, Category: side.status.Category,
		})
		w.text(side.key, mapped)
		if !ok && side.status != (webhook.Status{}) {
			side.status.ID, side.status.Name, side.status.Category = w.clip(side.status.ID), w.clip(side.status.Name), w.clip(side.status.Category)
			unmapped = append(unmapped, side.status)
		}
	}
	return unmapped
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
