package jira

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/go-faster/jx"
)

// issueKey and projectKey match keys where a body has nothing else, as those that people write by hand.
var (
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]+-\d+$`)
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
	digits     = regexp.MustCompile(`^\d+$`)
)

// bareIssue is the issue of a body that has only its key or id, or nil.
func bareIssue(keyOrID string) *Issue {
	switch {
	case len(keyOrID) > MaxID: // regular expressions are slow
		return nil
	case issueKey.MatchString(keyOrID):
		return &Issue{Key: keyOrID}
	case digits.MatchString(keyOrID):
		return &Issue{ID: keyOrID}
	default:
		return nil
	}
}

func (dec *Decoder) issue(i *Issue) member {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &i.ID)
		case "key":
			return text(d, &i.Key)
		case "self":
			return text(d, &i.Self)
		case "fields":
			*i = Issue{ID: i.ID, Key: i.Key, Self: i.Self}
			return object(d, dec.fields(i))
		default:
			return d.Skip()
		}
	}
}

func (dec *Decoder) fields(i *Issue) member {
	return func(d *decoding, key []byte) error {
		switch string(key) {
		case "summary":
			return text(d, &i.Summary)
		case "description":
			return markup(d, &i.Description)
		case "labels":
			return names(d, &i.Labels)
		case "components":
			return names(d, &i.Components)
		case "fixVersions":
			return names(d, &i.FixVersions)
		case "versions":
			return names(d, &i.AffectedVersions)
		case "created":
			return instant(d, &i.Created)
		case "updated":
			return instant(d, &i.Updated)
		case "resolutiondate":
			return instant(d, &i.Resolved)
		case "duedate":
			return date(d, &i.DueDate)
		case "issuetype":
			return i.Type.decode(d)
		case "status":
			return i.Status.decode(d)
		case "priority":
			return i.Priority.decode(d)
		case "resolution":
			return i.Resolution.decode(d)
		case "security":
			return i.SecurityLevel.decode(d)
		case "parent":
			return i.Parent.decode(d)
		case "project":
			return i.Project.decode(d)
		default:
			return dec.peopleOrCustom(d, key, i)
		}
	}
}

// peopleOrCustom reads the rest of the fields.
func (dec *Decoder) peopleOrCustom(d *decoding, key []byte, i *Issue) error {
	switch string(key) {
	case "assignee":
		return i.Assignee.decode(d)
	case "reporter":
		return i.Reporter.decode(d)
	case "creator":
		return i.Creator.decode(d)
	default:
		return dec.customField(d, key, i)
	}
}

func (dec *Decoder) customField(d *decoding, key []byte, i *Issue) error {
	if !bytes.HasPrefix(key, []byte(customFieldPrefix)) || !dec.customFields[string(key)] {
		return d.Skip()
	}
	id := string(key)
	i.CustomFields = slices.DeleteFunc(i.CustomFields, func(f CustomField) bool { return f.ID == id }) // of an equal member before
	return customField(d, id, &i.CustomFields)
}

// decode also takes a bare name: some senders write a priority or a status that way.
func (n *Named) decode(d *decoding) error {
	if d.Next() == jx.String {
		n.ID = ""
		return text(d, &n.Name)
	}
	return replace(d, n, (*Named).member)
}

func (n *Named) member(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &n.ID)
	case "name":
		return text(d, &n.Name)
	default:
		return d.Skip()
	}
}

func (s *Status) decode(d *decoding) error {
	if d.Next() == jx.String {
		*s = Status{}
		return text(d, &s.Name)
	}
	return replace(d, s, (*Status).member)
}

func (s *Status) member(d *decoding, key []byte) error {
	if string(key) != "statusCategory" {
		return s.Named.member(d, key)
	}
	s.Category = ""
	return object(d, func(d *decoding, key []byte) error {
		if string(key) != "key" {
			return d.Skip()
		}
		return text(d, &s.Category)
	})
}

func (r *Reference) decode(d *decoding) error {
	if d.Next() != jx.Object {
		*r = Reference{}
		var s string
		err := text(d, &s)
		if i := bareIssue(s); i != nil {
			*r = Reference{ID: i.ID, Key: i.Key}
		}
		return err
	}
	return replace(d, r, (*Reference).member)
}

func (r *Reference) member(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &r.ID)
	case "key":
		return text(d, &r.Key)
	default:
		return d.Skip()
	}
}

func (u *User) decode(d *decoding) error { return replace(d, u, (*User).member) }

func (u *User) member(d *decoding, key []byte) error {
	switch string(key) {
	case "self":
		return text(d, &u.Self)
	case "accountId":
		return text(d, &u.AccountID)
	case "key":
		return text(d, &u.Key)
	case "name":
		return text(d, &u.Name)
	case "displayName":
		return text(d, &u.DisplayName)
	case "emailAddress":
		return text(d, &u.Email)
	case "active":
		return boolean(d, &u.Active)
	case "accountType":
		return text(d, &u.AccountType)
	default:
		return d.Skip()
	}
}

func (c *Changelog) decode(d *decoding) error { return replace(d, c, (*Changelog).member) }

func (c *Changelog) member(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &c.ID)
	case "items":
		c.Items, c.IsCut = nil, false
		return entries(d, &c.IsCut, func(d *decoding) error {
			var change Change
			err := change.decode(d)
			if change != (Change{}) {
				c.Items = append(c.Items, change)
			}
			return err
		})
	default:
		return d.Skip()
	}
}

func (c *Change) decode(d *decoding) error { return replace(d, c, (*Change).member) }

func (c *Change) member(d *decoding, key []byte) error {
	switch string(key) {
	case "field":
		return text(d, &c.Field)
	case "fieldId":
		return text(d, &c.FieldID)
	case "fieldtype":
		return text(d, &c.FieldType)
	case "from":
		return markup(d, &c.From)
	case "fromString":
		return markup(d, &c.FromText)
	case "to":
		return markup(d, &c.To)
	case "toString":
		return markup(d, &c.ToText)
	case "tmpFromAccountId", "tmpToAccountId":
		c.OfUser = true
		return d.Skip()
	default:
		return d.Skip()
	}
}

func (t *Transition) member(d *decoding, key []byte) error {
	switch string(key) {
	case "transitionId":
		return text(d, &t.ID)
	case "transitionName":
		return text(d, &t.Name)
	case "workflowId":
		return text(d, &t.Workflow.ID)
	case "workflowName":
		return text(d, &t.Workflow.Name)
	case "from_status":
		return t.From.decode(d)
	case "to_status":
		return t.To.decode(d)
	default:
		return d.Skip()
	}
}
