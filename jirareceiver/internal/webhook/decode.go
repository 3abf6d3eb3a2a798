// Package webhook decodes the bodies that Jira posts. It knows Jira's wire and nothing of OpenTelemetry.
//
// Jira's bodies are documented in part and vary by product, version and sender: an id is a string here and a number
// there, an object may be null, a bare string or missing, field names are localised, and the list of events is open.
// Decoding is therefore strict about JSON and lenient about everything else: a value of an unexpected type counts as
// absent, and no body that is a JSON object is refused.
//
// # The decoder
//
// A body is read once, by go-faster/jx, a pull parser: what an [Event] needs is picked up on the way and all else is
// skipped, so that nothing is built for the nine tenths of a body that nobody asks for.
// On one machine and the body of BenchmarkDecode, 6.3 KB: Decode 10 to 12 µs, of which skipping through the body is 5.2 µs;
// encoding/json 39 to 48 µs to fill six fields of a struct. valyala/fastjson parses the body in 4.4 µs, but into a tree of
// 80-byte nodes, with which 25 MB of "[" and "]" become a gigabyte, and it takes 1.2.3, 01 and nan for numbers and raw line
// breaks for text. jx refuses what is not JSON, is maintained, and has two small dependencies.
package webhook

import (
	"errors"
	"io"

	"github.com/go-faster/jx"
)

// The reasons for which Decode refuses a body.
var (
	ErrNotJSON   = errors.New("body is not JSON")
	ErrNotObject = errors.New("body is not a JSON object")
)

// Decode reads the body of a delivery. An empty body is an empty event: a webhook registered with "exclude body" sends
// none. The error is one of this package's sentinels and holds nothing of the body.
func Decode(body []byte) (*Event, error) {
	if len(body) == 0 {
		return &Event{Source: SourceUnknown}, nil
	}
	d := jx.DecodeBytes(body) // none from jx's pool, which would keep the body
	isObject := d.Next() == jx.Object
	var b envelope
	if err := b.decode(d); err != nil {
		return nil, ErrNotJSON
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) { // anything behind the first value
		return nil, ErrNotJSON
	}
	if !isObject {
		return nil, ErrNotObject
	}
	return b.event(), nil
}

// envelope is the top level of a body, before it is known what sent it.
type envelope struct {
	Event
	bare         Issue // Automation sends the issue itself as the body
	isBare       bool
	isTransition bool // workflow post-functions say which transition ran
	hasEntity    bool
	keys         int
	accountID    string // "user deleted" is an account id and a user name, and nothing else
	hasUsername  bool
}

func (e *envelope) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
		e.keys++
		switch string(key) {
		case "webhookEvent":
			return text(d, &e.Name)
		case "issue_event_type_name":
			return text(d, &e.IssueEventType)
		case "timestamp":
			return instant(d, &e.Timestamp)
		case "user":
			return e.User.decode(d)
		case "issue":
			return e.decodeIssue(d)
		case "changelog":
			return e.Changelog.decode(d)
		case "transition":
			e.isTransition = d.Next() == jx.Object
			return d.Skip()
		case "accountId":
			return text(d, &e.accountID)
		case "username":
			e.hasUsername = true
			return d.Skip()
		case "fields":
			e.isBare = d.Next() == jx.Object
			return e.bare.decodeFields(d)
		case "id", "key", "self":
			return e.bare.decodeField(d, key)
		case "comment", "worklog", "attachment", "issueLink", "sprint", "board", "configuration", "project", "version", "filter", "issuetype":
			return e.decodeEntity(d)
		default:
			return d.Skip()
		}
	})
}

func (e *envelope) decodeIssue(d *jx.Decoder) error {
	if d.Next() != jx.Object {
		return d.Skip()
	}
	e.Issue = &Issue{}
	return e.Issue.decode(d)
}

// decodeEntity takes the first, so that no two are mixed. Events are about one.
func (e *envelope) decodeEntity(d *jx.Decoder) error {
	if e.hasEntity || d.Next() != jx.Object {
		return d.Skip()
	}
	e.hasEntity = true
	return e.Entity.decode(d)
}

func (e *envelope) event() *Event {
	if e.keys == 2 && e.hasUsername {
		e.DeletedUser = e.accountID
	}
	if e.Issue == nil && e.isBare {
		e.Issue = &e.bare
	}
	e.Source = e.source()
	return &e.Event
}

func (e *envelope) source() Source {
	switch {
	case e.Name != "":
		return SourceWebhook
	case e.isTransition:
		return SourcePostFunction
	case e.Issue != nil:
		return SourceAutomation
	case e.DeletedUser != "":
		return SourceWebhook
	default:
		return SourceUnknown
	}
}

func (i *Issue) decode(d *jx.Decoder) error { return object(d, i.decodeField) }

func (i *Issue) decodeField(d *jx.Decoder, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &i.ID)
	case "key":
		return text(d, &i.Key)
	case "self":
		return text(d, &i.Self)
	case "fields":
		return i.decodeFields(d)
	default:
		return d.Skip()
	}
}

func (i *Issue) decodeFields(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
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
		case "assignee":
			return i.Assignee.decode(d)
		case "reporter":
			return i.Reporter.decode(d)
		case "creator":
			return i.Creator.decode(d)
		case "project":
			return i.Project.decode(d)
		default:
			return d.Skip()
		}
	})
}

// decode also takes a bare name: some senders write a priority or a status that way.
func (n *Named) decode(d *jx.Decoder) error {
	if d.Next() == jx.String {
		return text(d, &n.Name)
	}
	return object(d, n.decodeField)
}

func (n *Named) decodeField(d *jx.Decoder, key []byte) error {
	switch string(key) {
	case "id":
		return text(d, &n.ID)
	case "name":
		return text(d, &n.Name)
	default:
		return d.Skip()
	}
}

func (s *Status) decode(d *jx.Decoder) error {
	if d.Next() == jx.String {
		return text(d, &s.Name)
	}
	return object(d, func(d *jx.Decoder, key []byte) error {
		if string(key) != "statusCategory" {
			return s.decodeField(d, key)
		}
		return object(d, func(d *jx.Decoder, key []byte) error {
			if string(key) != "key" {
				return d.Skip()
			}
			return text(d, &s.Category)
		})
	})
}

func (r *Reference) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &r.ID)
		case "key":
			return text(d, &r.Key)
		default:
			return d.Skip()
		}
	})
}

func (p *Project) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &p.ID)
		case "key":
			return text(d, &p.Key)
		case "name":
			return text(d, &p.Name)
		case "projectCategory":
			var category Named
			err := category.decode(d)
			p.Category = category.Name
			return err
		default:
			return d.Skip()
		}
	})
}

func (u *User) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
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
		default:
			return d.Skip()
		}
	})
}

func (c *Changelog) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &c.ID)
		case "items":
			c.Items = nil
			return array(d, func(d *jx.Decoder) error {
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
	})
}

func (c *Change) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
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
	})
}

func (e *Entity) decode(d *jx.Decoder) error {
	return object(d, func(d *jx.Decoder, key []byte) error {
		switch string(key) {
		case "id":
			return text(d, &e.ID)
		case "self":
			return text(d, &e.Self)
		case "created":
			return instant(d, &e.Created)
		case "updated":
			return instant(d, &e.Updated)
		case "author":
			return e.Author.decode(d)
		case "updateAuthor":
			return e.UpdateAuthor.decode(d)
		default:
			return d.Skip()
		}
	})
}
