// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// Alert is an alert of Jira Service Management, with the action that the body reports. The bodies are those of
// Opsgenie.
type Alert struct {
	AlertAction

	ID               string
	TinyID           string // short number for people
	Alias            string // key by which the creator of the alert recognises it
	Message          string
	Description      string
	Details          string // custom properties, as JSON
	Note             string // text that the user wrote with the action
	Priority         string // P1 to P5
	PreviousPriority string
	Origin           string // tool, address or user that created the alert
	Concern          string // thing that the alert is about, such as a host
	Tags             Names
	AddedTags        Names
	RemovedTags      Names
	Count            *int64 // number of occurrences
	Created          time.Time
	Updated          time.Time // time of the action, in nanoseconds
	User             User      // user who performed the action
	Owner            User
	Team             string // name
	Teams            Names  // ids
	Responders       []Responder
	RespondersCut    bool      // whether the body contains more than MaxEntries responders
	Recipient        Responder // added or notified by the action

	responder Responder // added by the action
}

// AlertAction is an action on an alert.
type AlertAction struct {
	Action      string // name, as sent
	SourceName  string // tool or interface through which the action was performed
	SourceType  string
	Integration Named // integration that sent the body
	Escalation  Named
}

// Responder is a user, team, schedule or escalation. Its ID is not the name of a person.
type Responder struct{ ID, Type, Name string }

// Title returns the message.
func (a *Alert) Title() string { return a.Message }

func (a *Alert) entity() Entity { return Entity{ID: a.ID} }

func (a *Alert) revision() Revision { return Revision{Created: a.Created, Updated: a.Updated} }

// alertEnvelope collects the members of the body of an alert while the body is read. Other bodies may have members with
// the same names.
type alertEnvelope struct {
	action    AlertAction
	alert     *Alert
	notified  Responder // by an escalation
	recipient Responder
}

func (e *alertEnvelope) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "alert":
		return decodePointer(d, &e.alert, (*Alert).decodeMember)
	case "action":
		return decodeText(d, &e.action.Action)
	case "source":
		e.action.SourceName, e.action.SourceType = "", ""
		return decodeObject(d, e.action.decodeSource)
	case "integrationId":
		return decodeText(d, &e.action.Integration.ID)
	case "integrationName":
		return decodeText(d, &e.action.Integration.Name)
	case "escalationId":
		return decodeText(d, &e.action.Escalation.ID)
	case "escalationName":
		return decodeText(d, &e.action.Escalation.Name)
	case "escalationNotify":
		return e.notified.decode(d)
	case "recipient":
		return e.recipient.decode(d)
	default:
		return d.Skip()
	}
}

func (a *AlertAction) decodeSource(d *decoding, key []byte) error {
	switch string(key) {
	case "name":
		return decodeText(d, &a.SourceName)
	case "type":
		return decodeText(d, &a.SourceType)
	default:
		return d.Skip()
	}
}

// finish returns the alert, or nil if the body does not report an action on an alert. A body of Automation may contain
// an action, but no alert with an id.
func (e *alertEnvelope) finish() *Alert {
	if e.action.Action == "" || e.alert == nil || e.alert.ID == "" {
		return nil
	}
	a := e.alert
	a.AlertAction = e.action
	a.User, a.Owner = identified(a.User), identified(a.Owner)
	a.Recipient = cmp.Or(a.Recipient, a.responder, e.recipient, e.notified)
	return a
}

func (a *Alert) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "alertId":
		return decodeText(d, &a.ID)
	case "tinyId":
		return decodeText(d, &a.TinyID)
	case "alias":
		return decodeText(d, &a.Alias)
	case "message":
		return decodeText(d, &a.Message)
	case "description":
		return decodeMarkup(d, &a.Description)
	case "details":
		return decodeDetails(d, &a.Details)
	case "note":
		return decodeMarkup(d, &a.Note)
	case "priority":
		return decodeText(d, &a.Priority)
	case "oldPriority":
		return decodeText(d, &a.PreviousPriority)
	case "source":
		return decodeText(d, &a.Origin)
	case "entity":
		return decodeText(d, &a.Concern)
	case "tags":
		return decodeTags(d, &a.Tags)
	case "addedTags":
		return decodeTags(d, &a.AddedTags)
	case "removedTags":
		return decodeTags(d, &a.RemovedTags)
	case "count":
		return decodeInt(d, &a.Count)
	case "createdAt":
		return decodeAlertTime(d, &a.Created)
	case "updatedAt":
		return decodeAlertTime(d, &a.Updated)
	default:
		return a.decodePeople(d, key)
	}
}

// decodePeople reads the members about users and teams.
func (a *Alert) decodePeople(d *decoding, key []byte) error {
	switch string(key) {
	case "userId":
		return decodeText(d, &a.User.AccountID)
	case "username":
		return decodeText(d, &a.User.Name)
	case "userFullName":
		return decodeText(d, &a.User.DisplayName)
	case "owner":
		return decodeText(d, &a.Owner.Name)
	case "team":
		return decodeText(d, &a.Team)
	case "teams":
		return decodeTeams(d, &a.Teams)
	case "responders":
		return a.decodeResponders(d)
	case "recipient":
		return a.Recipient.decode(d)
	case "responder":
		return a.responder.decode(d)
	default:
		return d.Skip()
	}
}

func (a *Alert) decodeResponders(d *decoding) error {
	a.Responders, a.RespondersCut = nil, false
	return decodeEntries(d, &a.RespondersCut, func(d *decoding) error {
		var r Responder
		err := r.decode(d)
		if r != (Responder{}) {
			a.Responders = append(a.Responders, r)
		}
		return err
	})
}

// decode reads an object, or a string with the id or the name.
func (r *Responder) decode(d *decoding) error {
	*r = Responder{}
	if d.Next() != jx.Object {
		err := decodeText(d, &r.ID)
		r.separateName()
		return err
	}
	var entity string // of an escalation, whose type is the rule that chose the user
	err := decodeObject(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "id":
			return decodeText(d, &r.ID)
		case "name":
			return decodeText(d, &r.Name)
		case "type":
			return decodeText(d, &r.Type)
		case "entity":
			return decodeText(d, &entity)
		default:
			return d.Skip()
		}
	})
	r.Type = cmp.Or(entity, r.Type)
	r.separateName()
	return err
}

// separateName keeps only an id that does not reveal a person, and uses any other id as the name.
func (r *Responder) separateName() {
	if !isOpaque(r.ID) {
		r.ID, r.Name = "", cmp.Or(r.Name, r.ID)
	}
}

// isOpaque reports whether an id does not reveal a person: the id of an account, or the UUID of a user, a team, a
// schedule or an escalation. Users of Opsgenie log in with their e-mail addresses, and some senders use the address as
// the id.
func isOpaque(id string) bool {
	first, second, isPair := strings.Cut(id, ":")
	return isAccountID(id) || isHexID(first) && (!isPair || isHexID(second))
}

// identified returns the user with an account id only if the id is opaque.
func identified(u User) User {
	if u.AccountID == "" {
		u.AccountID, u.Name = u.Name, ""
	}
	if !isOpaque(u.AccountID) {
		u.AccountID, u.Name = "", cmp.Or(u.Name, u.AccountID)
	}
	return u
}

// decodeTags reads a list of tags, or a string in which commas separate them.
func decodeTags(d *decoding, tags *Names) error {
	if d.Next() != jx.String {
		return decodeNames(d, tags)
	}
	*tags = Names{}
	var joined string
	err := decodeText(d, &joined)
	for tag := range strings.SplitSeq(joined, ",") {
		if tag = strings.TrimSpace(tag); tag == "" {
			continue
		}
		if len(tags.List) == MaxEntries {
			tags.IsCut = true
			break
		}
		tags.List = append(tags.List, tag)
	}
	return err
}

// decodeTeams reads a list of the ids of teams, or of objects with an id.
func decodeTeams(d *decoding, teams *Names) error {
	*teams = Names{}
	return decodeEntries(d, &teams.IsCut, func(d *decoding) error {
		var team Named
		err := team.decode(d)
		if id := cmp.Or(team.ID, team.Name); id != "" {
			teams.List = append(teams.List, id)
		}
		return err
	})
}

// decodeDetails reads an object and keeps it as JSON.
func decodeDetails(d *decoding, s *string) error {
	*s = ""
	if d.Next() != jx.Object {
		return d.Skip()
	}
	raw, err := d.Raw()
	if len(raw) > len("{}") {
		*s = d.texts.copy(raw)
	}
	return err
}

// minNanos is the smallest number that counts as nanoseconds since the epoch: a time in 1973, and in milliseconds a
// time after the year 5000.
const minNanos = int64(1e17)

// decodeAlertTime reads a point in time like decodeTime, or as nanoseconds since the epoch: the creation of an alert is
// in milliseconds, its last update in nanoseconds.
func decodeAlertTime(d *decoding, t *time.Time) error {
	s, err := decodeScalar(d)
	if nanos, isWhole := parseWhole(s); isWhole && nanos >= minNanos {
		*t = time.Unix(0, nanos).UTC()
		return err
	}
	*t = parseTime(s)
	return err
}
