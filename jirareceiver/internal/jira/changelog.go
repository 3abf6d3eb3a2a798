// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"cmp"
	"strings"
	"time"
)

// Changelog holds the fields that an update has changed, in Jira's order.
type Changelog struct {
	ID    string
	Items []Change
	IsCut bool // whether the body contains more than MaxEntries changes

	created time.Time  // time of the change; only in a history
	latest  *Changelog // the latest history
}

func (c *Changelog) decode(d *decoding) error { return decodeInto(d, c, (*Changelog).decodeMember) }

func (c *Changelog) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &c.ID)
	case "items":
		return c.decodeItems(d)
	case "histories":
		return c.decodeHistories(d)
	case "created":
		return decodeTime(d, &c.created)
	default:
		return d.Skip()
	}
}

func (c *Changelog) decodeItems(d *decoding) error {
	c.Items, c.IsCut = nil, false
	return decodeEntries(d, &c.IsCut, func(d *decoding) error {
		var change Change
		err := change.decode(d)
		if change != (Change{}) {
			c.Items = append(c.Items, change)
		}
		return err
	})
}

// decodeHistories reads the histories of the issue: Jira's REST API, and Automation, send a list of all changes instead
// of the items of one change. Only the latest one can be the change that the event is about.
func (c *Changelog) decodeHistories(d *decoding) error {
	c.latest = nil
	var history Changelog
	return decodeArray(d, func(d *decoding) error {
		err := history.decode(d)
		if len(history.Items) > 0 && (c.latest == nil || history.created.After(c.latest.created)) {
			*reset(&c.latest) = history
		}
		return err
	})
}

// maxUpdateDelay is the largest time between a change and the time at which Jira says that the issue was updated.
const maxUpdateDelay = time.Second

// resolve returns the changelog itself if it has items, otherwise its latest history. It leaves the history out if the
// issue was updated later: then another change, such as a comment, has caused the event.
func (c Changelog) resolve(updated time.Time) Changelog {
	latest := c.latest
	c.latest, c.created = nil, time.Time{}
	if len(c.Items) > 0 || latest == nil || !latest.created.IsZero() && updated.Sub(latest.created) > maxUpdateDelay {
		return c
	}
	return Changelog{ID: latest.ID, Items: latest.Items, IsCut: latest.IsCut}
}

// Change is a changed field. From and To are the values for machines, such as ids. FromText and ToText are the values
// for people, such as names.
type Change struct {
	Field     string // display name, in the language of the site and in varying letter case
	FieldID   string // stable id; Data Center does not send it
	FieldType string // jira or custom
	From      string
	FromText  string
	To        string
	ToText    string
	OfUser    bool // whether the values are ids and names of people

	// The account ids of the people in From and To. Jira Cloud sends them for its own user fields.
	FromAccountID string
	ToAccountID   string
}

// The types of fields: Jira's own fields, and the fields that a site has added. Some senders leave the type out.
const (
	fieldTypeJira   = "jira"
	fieldTypeCustom = "custom"
)

// IsOwn reports whether the body says that the changed field is one of Jira's own.
func (c Change) IsOwn() bool { return c.FieldType == fieldTypeJira }

// IsCustom reports whether the changed field is one that the site has added. It may have the name of one of Jira's own
// fields.
func (c Change) IsCustom() bool { return c.FieldType == fieldTypeCustom }

// FieldKey returns the id of the changed field in lower case, or the display name if the body contains no id, as the
// bodies of Data Center. For many of Jira's own fields, both are the same word. It returns "" for a text that is too
// long to be either.
func (c Change) FieldKey() string {
	name := cmp.Or(c.FieldID, c.Field)
	if len(name) > MaxID {
		return ""
	}
	return strings.ToLower(name)
}

// fieldWorklogID is the key of the field that contains the id of a worklog.
const fieldWorklogID = "worklogid"

// timeTracking holds the keys of the fields of [Change.IsTimeTracking].
var timeTracking = map[string]bool{
	fieldWorklogID: true, "worklogtimespent": true, "timespent": true, "timeestimate": true, "timeoriginalestimate": true,
}

// IsTimeTracking reports whether the field changes when work on the issue is logged, edited or deleted.
func (c Change) IsTimeTracking() bool { return !c.IsCustom() && timeTracking[c.FieldKey()] }

// IsWorklog reports whether work on the issue was logged, edited or deleted, and nothing else was changed. If work is
// logged on the screen of a transition, the changelog also contains the transition.
func (c Changelog) IsWorklog() bool {
	isWorklog := false
	for _, change := range c.Items {
		if !change.IsTimeTracking() {
			return false
		}
		isWorklog = isWorklog || change.FieldKey() == fieldWorklogID
	}
	return isWorklog
}

func (c *Change) decode(d *decoding) error { return decodeInto(d, c, (*Change).decodeMember) }

func (c *Change) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "field":
		return decodeText(d, &c.Field)
	case "fieldId":
		return decodeText(d, &c.FieldID)
	case "fieldtype":
		return decodeText(d, &c.FieldType)
	case "from":
		return decodeMarkup(d, &c.From)
	case "fromString":
		return decodeMarkup(d, &c.FromText)
	case "to":
		return decodeMarkup(d, &c.To)
	case "toString":
		return decodeMarkup(d, &c.ToText)
	case "tmpFromAccountId":
		c.OfUser = true
		return decodeText(d, &c.FromAccountID)
	case "tmpToAccountId":
		c.OfUser = true
		return decodeText(d, &c.ToAccountID)
	default:
		return d.Skip()
	}
}
