// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// subjects writes the attributes of the event's subjects. The project is written with the issue.
func (w writer) subjects(et EventType, ev *jira.Event) {
	for subject := range ev.Subjects {
		switch s := subject.(type) {
		case *jira.Comment:
			w.comment(s)
		case *jira.Worklog:
			w.worklog(s)
		case *jira.Attachment:
			w.attachment(s)
		case *jira.IssueLink:
			w.issueLink(s)
		case *jira.Property:
			w.property(et, s)
		case *jira.IssueType:
			if ev.Issue == nil { // otherwise these attributes are the type of the issue
				w.issueType(s)
			}
		case *jira.Sprint:
			w.sprint(s)
		case *jira.Board:
			w.board(s)
		case *jira.Version:
			w.version(s)
		case *jira.Filter:
			w.filter(s)
		case *jira.Alert:
			w.alert(s)
		}
	}
	if strings.HasPrefix(et.Name, userNamespace) {
		w.account(ev.User)
	}
}

func (w writer) comment(c *jira.Comment) {
	w.putID(attrCommentID, c.ID)
	w.person(commentAuthorKeys, c.Author)
	w.person(commentUpdateAuthorKeys, c.UpdateAuthor)
	w.putTime(attrCommentCreatedAt, c.Created)
	w.putTime(attrCommentUpdatedAt, c.Updated)
	w.putBool(attrCommentPublic, c.Public)
	w.putID(attrCommentVisibilityType, c.Visibility.Type)
	w.putText(attrCommentVisibilityValue, c.Visibility.Name())
	if w.opts.CommentBody {
		w.putText(attrCommentBody, c.Body)
	}
}

func (w writer) worklog(l *jira.Worklog) {
	w.putID(attrWorklogID, l.ID)
	w.person(worklogAuthorKeys, l.Author)
	w.person(worklogUpdateAuthorKeys, l.UpdateAuthor)
	w.putTime(attrWorklogStartedAt, l.Started)
	w.putTime(attrWorklogCreatedAt, l.Created)
	w.putTime(attrWorklogUpdatedAt, l.Updated)
	w.putInt(attrWorklogTimeSpent, l.TimeSpent)
	w.putID(attrWorklogVisibilityType, l.Visibility.Type)
	w.putText(attrWorklogVisibilityValue, l.Visibility.Name())
	if w.opts.CommentBody {
		w.putText(attrWorklogComment, l.Comment)
	}
}

func (w writer) attachment(a *jira.Attachment) {
	w.putID(attrAttachmentID, a.ID)
	w.putText(attrAttachmentFilename, a.Filename)
	w.putInt(attrAttachmentSize, a.Size)
	w.putText(attrAttachmentMIMEType, a.MIMEType)
	w.putTime(attrAttachmentCreatedAt, a.Created)
	w.person(attachmentAuthorKeys, a.Author)
}

func (w writer) issueLink(l *jira.IssueLink) {
	w.putID(attrIssueLinkID, l.ID)
	w.putID(attrIssueLinkTypeID, l.Type.ID)
	w.putText(attrIssueLinkTypeName, l.Type.Name)
	w.putID(attrIssueLinkSourceID, l.Source)
	w.putID(attrIssueLinkDestinationID, l.Destination)
	w.putBool(attrIssueLinkSystem, l.System)
}

// property does not write the values of issue properties, because apps may store any data in them. The channel of a
// request is an exception.
func (w writer) property(et EventType, p *jira.Property) {
	if !strings.HasPrefix(et.Name, optionNamespace) {
		w.putText(attrIssuePropertyKey, p.Key)
		w.putText(attrIssuePropertyChannel, p.RequestChannel())
		return
	}
	w.putText(attrOptionKey, p.Key)
	w.putText(attrOptionValue, p.Value)
}

func (w writer) issueType(t *jira.IssueType) {
	w.putID(attrIssueTypeID, t.ID)
	w.putText(attrIssueTypeName, t.Name)
}

func (w writer) sprint(s *jira.Sprint) {
	w.putID(attrSprintID, s.ID)
	w.putText(attrSprintName, s.Name)
	w.putText(attrSprintState, s.State)
	w.putText(attrSprintGoal, s.Goal)
	w.putTime(attrSprintCreatedAt, s.Created)
	w.putTime(attrSprintStartAt, s.Start)
	w.putTime(attrSprintEndAt, s.End)
	w.putTime(attrSprintCompletedAt, s.Completed)
	w.putID(attrBoardID, s.BoardID)
}

func (w writer) board(b *jira.Board) {
	w.putID(attrBoardID, b.ID)
	w.putText(attrBoardName, b.Name)
	w.putText(attrBoardType, b.Type)
}

func (w writer) version(v *jira.Version) {
	w.putID(attrVersionID, v.ID)
	w.putText(attrVersionName, v.Name)
	w.putBool(attrVersionReleased, v.Released)
	w.putBool(attrVersionArchived, v.Archived)
	w.putID(attrVersionStartDate, v.StartDate)
	w.putID(attrVersionReleaseDate, v.ReleaseDate)
	w.putID(attrVersionMergedIntoID, v.MergedInto.ID)
}

func (w writer) filter(f *jira.Filter) {
	w.putID(attrFilterID, f.ID)
	w.putText(attrFilterName, f.Name)
}

// account writes the user that a user event is about.
func (w writer) account(u jira.User) {
	w.user(subjectKeys, u)
	w.putBool(attrUserActive, u.Active)
	w.putText(attrUserAccountType, u.AccountType)
}

func (w writer) project(p jira.Project) {
	w.putID(attrProjectID, p.ID)
	w.putID(attrProjectKey, p.Key)
	w.putText(attrProjectName, p.Name)
	w.putText(attrProjectCategory, p.Category)
	w.person(projectLeadKeys, p.Lead)
}
