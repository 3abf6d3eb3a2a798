// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package history makes events of what Jira's REST API returns about an issue: the events that webhooks would have
// carried for the same changes. It does no I/O and reads no clock.
//
// # Contents as of the change
//
// The REST API returns an issue as it is now, and its histories: which fields changed when, from which value to which.
// The package goes back in time, from the issue as it is now, and undoes one history after the other. An event contains
// a field of the issue only if no later history changed the field, or if the earliest later change contains the value
// from which the field came:
//
//   - Exact: summary, description, key, project, status, priority, resolution, issue type, security level, due date,
//     parent, assignee, reporter, labels and the flag.
//   - Components and versions are exact unless one of them was renamed or deleted. They may have another order.
//   - Links are exact until a link was removed, because a history does not contain its id and its type.
//   - Sprints are exact if the current value contains them. Jira has no history of the state of a sprint, so that the
//     state follows from the start and the end of the sprint. People can change the start.
//   - The category of a status is as it is now, from [Input.Categories]. Without it, the category is known if the status is
//     the status now, or if the issue did not leave its category since.
//   - The resolution date is known if no later history changed the resolution.
//   - A custom field is absent before a change, unless it contains a number or a plain text. Histories of Data Center
//     contain only the names of fields: see [Input.FieldIDs].
//   - Jira has no history of subtasks, approvals, SLAs and the satisfaction of customers. They are in the events that
//     are at least as new as the last update of the issue, and an SLA has no elapsed time, because time passes.
//
// Names of things, such as projects and priorities, and the category and the lead of a project, are as they are now
// unless a history contains them. Histories may contain the names in another language than issues. The people that a
// history contains have no login name and no e-mail address. The time of the last update of the issue is the time of the
// change. Jira sets it up to 30 ms before it writes the history.
//
// # Differences from webhooks
//
//   - A new issue has no changelog. On Jira Cloud, its webhook has one with the first value of each field, and with an
//     id that the REST API does not know. The parent of a new subtask is absent if Jira wrote a history for it.
//   - Comments and worklogs have the fields of the issue that comments have in webhooks of Jira Cloud: summary, type,
//     project, assignee, priority and status. In webhooks, worklogs have only the id of the issue, and so have comments
//     on Data Center.
//   - The REST API returns only the last version of a comment or a worklog. The event of its creation has neither text
//     nor visibility if it was edited later, and only the last edit is an event.
//   - On Data Center, webhooks report each comment a second time, as an update of the issue without a changelog. The
//     identity of that update contains the time of the delivery, so that there is no such event.
//   - Some histories have no webhook, for example those of workflows, of links to other web sites, and of epics on Data
//     Center. They are updates of the issue too.
//   - Deleted issues and comments have no event, and neither have attachments and links: Jira shows them as changes of
//     the issue. A deleted worklog has an event with nothing but its id: see [WorklogDeleted].
//   - The name of the type of the issue event is absent, and the source is left to the caller.
package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// The names that webhooks have for the events.
const (
	issueCreated   = "jira:issue_created"
	issueUpdated   = "jira:issue_updated"
	worklogLogged  = "jira:worklog_updated" // an event of the issue; only Data Center
	commentCreated = "comment_created"
	commentUpdated = "comment_updated"
	worklogCreated = "worklog_created"
	worklogUpdated = "worklog_updated"
	worklogDeleted = "worklog_deleted"
)

// Input is an issue as it is now, and its past.
type Input struct {
	Issue *jira.Issue
	// Histories are the changes of the issue, in any order. They must be complete from the start of the window to the
	// time at which the issue was read. Equal ones count once.
	Histories []jira.History
	Comments  []jira.Comment
	Worklogs  []jira.Worklog

	IsDataCenter bool
	// Categories are the categories of the statuses of the site by id. Without them, only the category of the status now
	// is known.
	Categories map[string]string
	// FieldIDs are the ids of the custom fields by display name. Data Center allows several fields with the same name.
	// Without the name of a changed field, every custom field may have changed, and is absent before the change. Only
	// histories without ids of fields need it.
	FieldIDs map[string][]string
}

// change is one thing that happened to the issue.
type change struct {
	at      time.Time
	kind    kind
	id      string
	history *jira.History
	comment *jira.Comment
	worklog *jira.Worklog
}

// kind is the kind of a change. The order decides between changes of the same time: an issue is created first, and a
// comment has the contents of the issue after the histories of the same millisecond.
type kind int

const (
	creation kind = iota
	update
	newComment
	editedComment
	newWorklog
	editedWorklog
)

// Events returns the events from one instant up to, but not including, another, in the order of their times. The events
// share memory with each other and with the input, so that the caller must not change them.
func (in Input) Events(from, to time.Time) []*jira.Event {
	if in.Issue == nil {
		return nil
	}
	var events []*jira.Event
	past := newPast(in)
	for _, c := range slices.Backward(in.changes()) {
		if c.at.Before(from) {
			break
		}
		past.learnCategory(c)
		if c.at.Before(to) {
			events = append(events, in.event(c, past))
		}
		if c.kind == update {
			past.undo(c.history)
		}
	}
	slices.Reverse(events)
	return events
}

// changes returns all that happened to the issue, in order.
func (in Input) changes() []change {
	changes := make([]change, 0, 1+len(in.Histories)+len(in.Comments)+len(in.Worklogs))
	add := func(c change) {
		if !c.at.IsZero() {
			changes = append(changes, c)
		}
	}
	add(change{at: in.Issue.Created, kind: creation})
	for i := range in.Histories {
		h := &in.Histories[i]
		add(change{at: h.Created, kind: update, id: h.ID, history: h})
	}
	for i := range in.Comments {
		c := &in.Comments[i]
		add(change{at: c.Created, kind: newComment, id: c.ID, comment: c})
		if isEdited(c.Revision) {
			add(change{at: c.Updated, kind: editedComment, id: c.ID, comment: c})
		}
	}
	for i := range in.Worklogs {
		w := &in.Worklogs[i]
		add(change{at: w.Created, kind: newWorklog, id: w.ID, worklog: w})
		if isEdited(w.Revision) {
			add(change{at: w.Updated, kind: editedWorklog, id: w.ID, worklog: w})
		}
	}
	slices.SortStableFunc(changes, compareChanges)
	return slices.CompactFunc(changes, func(a, b change) bool { return a.id != "" && compareChanges(a, b) == 0 })
}

func compareChanges(a, b change) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), jira.CompareIDs(a.id, b.id))
}

func isEdited(r jira.Revision) bool { return r.Updated.After(r.Created) }

// event returns the event of a change. The past has the contents of the issue after the change.
func (in Input) event(c change, past *past) *jira.Event {
	ev := &jira.Event{Timestamp: c.at}
	switch c.kind {
	case creation:
		ev.Name, ev.User, ev.Issue = issueCreated, in.Issue.Creator, past.issueAt(c)
	case update:
		ev.Name, ev.User, ev.Issue = issueUpdated, c.history.Author, past.issueAt(c)
		ev.Changelog = c.history.Changelog
		if in.IsDataCenter && ev.Changelog.IsWorklog() {
			ev.Name = worklogLogged
		}
	case newComment:
		ev.Name, ev.Comment, ev.Issue = commentCreated, firstComment(*c.comment), partial(past.issueAt(c))
	case editedComment:
		ev.Name, ev.Comment, ev.Issue = commentUpdated, c.comment, partial(past.issueAt(c))
	case newWorklog:
		ev.Name, ev.Worklog, ev.Issue = worklogCreated, firstWorklog(*c.worklog), partial(past.issueAt(c))
	case editedWorklog:
		ev.Name, ev.Worklog, ev.Issue = worklogUpdated, c.worklog, partial(past.issueAt(c))
	}
	return ev
}

// silentFields are the keys of the changes that have no webhook: of migrated workflows, of links, and of the issues of an
// epic. Jira sends its own webhooks for attachments and, on Jira Cloud, for worklogs.
var silentFields = map[string]bool{
	"workflow": true, "remoteissuelink": true, "link": true, "issuelinks": true, "epic child": true, "attachment": true,
	"epic link": true, "issueparentassociation": true,
}

// HasWebhook reports whether Jira sends a webhook for an event. Updates without one contain nothing but fields that Jira
// does not report, or reports by an event of their own.
func HasWebhook(ev *jira.Event) bool {
	if ev.Name != issueUpdated || len(ev.Changelog.Items) == 0 {
		return true
	}
	return slices.ContainsFunc(ev.Changelog.Items, func(c jira.Change) bool {
		return !silentFields[strings.ToLower(c.FieldKey())] && !silentFields[strings.ToLower(c.Field)] && !c.IsTimeTracking()
	})
}

// WorklogDeleted returns the event of the deletion of a worklog. Its issue is not known.
func WorklogDeleted(change jira.WorklogChange) *jira.Event {
	return &jira.Event{
		Name: worklogDeleted, Timestamp: change.Time, Worklog: &jira.Worklog{Entity: jira.Entity{ID: change.ID}},
	}
}

// partial returns the fields of an issue that comments on Jira Cloud have in webhooks.
func partial(i *jira.Issue) *jira.Issue {
	return &jira.Issue{
		ID: i.ID, Key: i.Key, Self: i.Self, Summary: i.Summary, Type: i.Type, Project: i.Project, Assignee: i.Assignee,
		Priority: i.Priority, Status: i.Status,
	}
}

// firstComment returns a comment as it was created. An edit may have changed its text and its visibility.
func firstComment(c jira.Comment) *jira.Comment {
	if !isEdited(c.Revision) {
		return &c
	}
	return &jira.Comment{Entity: c.Entity, Revision: firstRevision(c.Revision)}
}

// firstWorklog returns a worklog as it was created. An edit may have changed everything else.
func firstWorklog(w jira.Worklog) *jira.Worklog {
	if !isEdited(w.Revision) {
		return &w
	}
	return &jira.Worklog{Entity: w.Entity, Revision: firstRevision(w.Revision), IssueID: w.IssueID}
}

// firstRevision returns the revision that a subject had before its first edit: its author is its last editor.
func firstRevision(r jira.Revision) jira.Revision {
	return jira.Revision{Created: r.Created, Updated: r.Created, Author: r.Author, UpdateAuthor: r.Author}
}
