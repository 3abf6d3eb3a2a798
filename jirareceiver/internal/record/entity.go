package record

import (
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// putSubject writes the attributes of what the event is about, besides the issue.
func (t *Translator) putSubject(w writer, k Kind, ev *jira.Event) {
	if ev.Comment != nil {
		t.putComment(w, ev.Comment)
	}
	if ev.Worklog != nil {
		t.putWorklog(w, ev.Worklog)
	}
	if ev.Attachment != nil {
		w.attachment(ev.Attachment)
	}
	if ev.IssueLink != nil {
		w.issueLink(ev.IssueLink)
	}
	if ev.Property != nil {
		w.property(k, ev.Property)
	}
	if ev.IssueType != nil {
		w.exact(attrIssueTypeItemID, ev.IssueType.ID)
		w.text(attrIssueTypeItem, ev.IssueType.Name)
	}
	if ev.Sprint != nil {
		w.sprint(ev.Sprint)
	}
	if ev.Board != nil {
		w.board(ev.Board)
	}
	if ev.Version != nil {
		w.version(ev.Version)
	}
	if ev.Filter != nil {
		w.exact(attrFilterID, ev.Filter.ID)
		w.text(attrFilterName, ev.Filter.Name)
	}
	if strings.HasPrefix(k.Name, userNamespace) {
		t.putUser(w, ev.User)
	}
}

func (t *Translator) putComment(w writer, c *jira.Comment) {
	w.exact(attrCommentID, c.ID)
	w.exact(attrCommentAuthorID, c.Author.ID())
	w.exact(attrCommentUpdateAuthorID, c.UpdateAuthor.ID())
	w.instant(attrCommentCreatedAt, c.Created)
	w.instant(attrCommentUpdatedAt, c.Updated)
	w.boolean(attrCommentPublic, c.Public)
	if t.opts.CommentBody {
		w.text(attrCommentBody, c.Body)
	}
}

func (t *Translator) putWorklog(w writer, l *jira.Worklog) {
	w.exact(attrWorklogID, l.ID)
	w.exact(attrWorklogAuthorID, l.Author.ID())
	w.exact(attrWorklogUpdateAuthorID, l.UpdateAuthor.ID())
	w.instant(attrWorklogStartedAt, l.Started)
	w.instant(attrWorklogCreatedAt, l.Created)
	w.instant(attrWorklogUpdatedAt, l.Updated)
	w.integer(attrWorklogTimeSpent, l.TimeSpent)
	if t.opts.CommentBody {
		w.text(attrWorklogComment, l.Comment)
	}
}

func (w writer) attachment(a *jira.Attachment) {
	w.exact(attrAttachmentID, a.ID)
	w.text(attrAttachmentFilename, a.Filename)
	w.integer(attrAttachmentSize, a.Size)
	w.text(attrAttachmentMIMEType, a.MIMEType)
	w.instant(attrAttachmentCreatedAt, a.Created)
	w.exact(attrAttachmentAuthorID, a.Author.ID())
}

func (w writer) issueLink(l *jira.IssueLink) {
	w.exact(attrIssueLinkID, l.ID)
	w.exact(attrIssueLinkTypeID, l.Type.ID)
	w.text(attrIssueLinkTypeName, l.Type.Name)
	w.exact(attrIssueLinkSourceID, l.Source)
	w.exact(attrIssueLinkDestinationID, l.Destination)
	w.boolean(attrIssueLinkSystem, l.System)
}

// property writes no values of issue properties: apps keep there whatever they like.
func (w writer) property(k Kind, p *jira.Property) {
	if !strings.HasPrefix(k.Name, optionNamespace) {
		w.text(attrIssuePropertyKey, p.Key)
		return
	}
	w.text(attrOptionKey, p.Key)
	w.text(attrOptionValue, p.Value)
}

func (w writer) sprint(s *jira.Sprint) {
	w.exact(attrSprintID, s.ID)
	w.text(attrSprintName, s.Name)
	w.text(attrSprintState, s.State)
	w.text(attrSprintGoal, s.Goal)
	w.instant(attrSprintCreatedAt, s.Created)
	w.instant(attrSprintStartAt, s.Start)
	w.instant(attrSprintEndAt, s.End)
	w.instant(attrSprintCompletedAt, s.Completed)
	w.exact(attrBoardID, s.BoardID)
}

func (w writer) board(b *jira.Board) {
	w.exact(attrBoardID, b.ID)
	w.text(attrBoardName, b.Name)
	w.text(attrBoardType, b.Type)
}

func (w writer) version(v *jira.Version) {
	w.exact(attrVersionID, v.ID)
	w.text(attrVersionName, v.Name)
	w.boolean(attrVersionReleased, v.Released)
	w.boolean(attrVersionArchived, v.Archived)
	w.exact(attrVersionStartDate, v.StartDate)
	w.exact(attrVersionReleaseDate, v.ReleaseDate)
	w.exact(attrVersionMergedIntoID, v.MergedInto.ID)
}

func (t *Translator) putUser(w writer, u jira.User) {
	w.user(subjectKeys, u, t.opts.UserDetails)
	w.boolean(attrUserActive, u.Active)
	w.text(attrUserAccountType, u.AccountType)
}

func (w writer) project(p jira.Project) {
	w.exact(attrProjectID, p.ID)
	w.exact(attrProjectKey, p.Key)
	w.text(attrProjectName, p.Name)
	w.text(attrProjectCategory, p.Category)
	w.exact(attrProjectLeadID, p.Lead.ID())
}
