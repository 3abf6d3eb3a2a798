package jira

import (
	"time"

	"github.com/go-faster/jx"
)

// The functions of this file decode what events are about, besides issues. What the bodies of filters, issue types, issue
// properties and options hold is documented nowhere; read is what they can be expected to hold.

func (e *Entity) member(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &e.ID)
	case "self":
		return text(d, &e.Self)
	default:
		return d.Skip()
	}
}

func (r *Revision) member(d *decoding, key []byte, otherwise member) error {
	switch string(key) {
	case "created":
		return instant(d, &r.Created)
	case "updated":
		return instant(d, &r.Updated)
	case "author":
		return r.Author.decode(d)
	case "updateAuthor":
		return r.UpdateAuthor.decode(d)
	default:
		return otherwise(d, key)
	}
}

func (c *Comment) member(d *decoding, key []byte) error {
	switch string(key) {
	case "body":
		return markup(d, &c.Body)
	case "jsdPublic":
		return boolean(d, &c.Public)
	default:
		return c.Revision.member(d, key, c.Entity.member)
	}
}

func (w *Worklog) member(d *decoding, key []byte) error {
	switch string(key) {
	case "issueId":
		return text(d, &w.IssueID)
	case "started":
		return instant(d, &w.Started)
	case "timeSpentSeconds":
		return integer(d, &w.TimeSpent)
	case "comment":
		return markup(d, &w.Comment)
	default:
		return w.Revision.member(d, key, w.Entity.member)
	}
}

func (a *Attachment) member(d *decoding, key []byte) error {
	switch string(key) {
	case "filename":
		return text(d, &a.Filename)
	case "size":
		return integer(d, &a.Size)
	case "mimeType":
		return text(d, &a.MIMEType)
	default:
		return a.Revision.member(d, key, a.Entity.member)
	}
}

func (l *IssueLink) member(d *decoding, key []byte) error {
	switch string(key) {
	case "issueLinkType":
		return l.Type.decode(d)
	case "sourceIssueId":
		return text(d, &l.Source)
	case "destinationIssueId":
		return text(d, &l.Destination)
	case "systemLink":
		return boolean(d, &l.System)
	default:
		return l.Entity.member(d, key)
	}
}

func (p *Property) member(d *decoding, key []byte) error {
	switch string(key) {
	case "key":
		return text(d, &p.Key)
	case "value":
		return scalarText(d, &p.Value)
	default:
		return d.Skip()
	}
}

// scalarText reads an option's value: Jira's options are on or off, numbers or words.
func scalarText(d *decoding, s *string) error {
	if d.Next() != jx.Bool {
		return text(d, s)
	}
	raw, err := d.Raw()
	*s = string(raw)
	return err
}

func (t *IssueType) member(d *decoding, key []byte) error {
	if string(key) == "name" {
		return text(d, &t.Name)
	}
	return t.Entity.member(d, key)
}

func (f *Filter) member(d *decoding, key []byte) error {
	if string(key) == "name" {
		return text(d, &f.Name)
	}
	return f.Entity.member(d, key)
}

func (s *Sprint) member(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return text(d, &s.Name)
	case "state":
		return text(d, &s.State)
	case "goal":
		return text(d, &s.Goal)
	case "createdDate":
		return instant(d, &s.Created)
	case "startDate":
		return instant(d, &s.Start)
	case "endDate":
		return instant(d, &s.End)
	case "completeDate":
		return instant(d, &s.Completed)
	case "originBoardId":
		return text(d, &s.BoardID)
	default:
		return s.Entity.member(d, key)
	}
}

// since lists what is different from an earlier state of the sprint. Fields have the names that Jira gives them.
func (s *Sprint) since(old *Sprint) []Change {
	var changes []Change
	for _, f := range []struct{ field, from, to string }{
		{"name", old.Name, s.Name},
		{"state", old.State, s.State},
		{"goal", old.Goal, s.Goal},
		{"startDate", rfc3339(old.Start), rfc3339(s.Start)},
		{"endDate", rfc3339(old.End), rfc3339(s.End)},
		{"completeDate", rfc3339(old.Completed), rfc3339(s.Completed)},
		{"originBoardId", old.BoardID, s.BoardID},
	} {
		if f.from != f.to {
			changes = append(changes, Change{Field: f.field, FromText: f.from, ToText: f.to})
		}
	}
	return changes
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00") // as Jira writes the times of sprints
}

func (b *Board) member(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return text(d, &b.Name)
	case "type":
		return text(d, &b.Type)
	default:
		return b.Entity.member(d, key)
	}
}

func (v *Version) member(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return text(d, &v.Name)
	case "released":
		return boolean(d, &v.Released)
	case "archived":
		return boolean(d, &v.Archived)
	case "startDate":
		return date(d, &v.StartDate)
	case "releaseDate":
		return date(d, &v.ReleaseDate)
	case "projectId":
		return text(d, &v.ProjectID)
	default:
		return v.Entity.member(d, key)
	}
}

// decode also takes a bare key.
func (p *Project) decode(d *decoding) error {
	if d.Next() == jx.Object {
		return replace(d, p, (*Project).member)
	}
	*p = Project{}
	var s string
	err := text(d, &s)
	switch {
	case len(s) > MaxID: // regular expressions are slow
	case projectKey.MatchString(s):
		p.Key = s
	case digits.MatchString(s):
		p.ID = s
	}
	return err
}

func (p *Project) member(d *decoding, key []byte) error {
	switch string(key) {
	case "key":
		return text(d, &p.Key)
	case "name":
		return text(d, &p.Name)
	case "projectCategory":
		var category Named
		err := category.decode(d)
		p.Category = category.Name
		return err
	case "projectLead", "lead":
		return p.Lead.decode(d)
	default:
		return p.Entity.member(d, key)
	}
}
