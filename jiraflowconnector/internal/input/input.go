// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package input reads what log records contain about issues. It does no I/O and reads no clock.
package input

import (
	"cmp"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// fields are the attributes of a record that the connector reads.
type fields struct {
	issueID, issueKey              string
	project, issueType, priority   string
	created, changelog             string
	source, resolution, category   string
	status, previous               flow.Status
	hasAssignee, hasFlag, isMarked bool
}

func readFields(attributes pcommon.Map) (f fields) {
	for key, value := range attributes.All() {
		switch key {
		case attr.IssueID:
			f.issueID = value.Str()
		case attr.IssueKey:
			f.issueKey = value.Str()
		case attr.ProjectKey:
			f.project = value.Str()
		case attr.IssueTypeName:
			f.issueType = value.Str()
		case attr.PriorityName:
			f.priority = value.Str()
		case attr.CreatedAt:
			f.created = value.Str()
		case attr.ChangelogID:
			f.changelog = value.Str()
		case attr.Source:
			f.source = value.Str()
		case attr.ResolutionChange:
			f.resolution = value.Str()
		case attr.AssigneeID, attr.AssigneeHash, attr.AssigneeName:
			f.hasAssignee = true
		case attr.Flagged:
			f.hasFlag, f.isMarked = true, value.Bool()
		default:
			f.readStatus(key, value)
		}
	}
	return f
}

func (f *fields) readStatus(key string, value pcommon.Value) {
	switch key {
	case attr.StatusID:
		f.status.ID = value.Str()
	case attr.StatusCategory:
		f.category = value.Str()
	case attr.StatusName:
		f.status.Name = value.Str()
	case attr.StatusMapped:
		f.status.Mapped = value.Str()
	case attr.PreviousID:
		f.previous.ID = value.Str()
	case attr.PreviousName:
		f.previous.Name = value.Str()
	case attr.PreviousMapped:
		f.previous.Mapped = value.Str()
	}
}

// IsIgnored reports whether a record repeats what another record contains: a changed field is in the update of the
// issue too, and records of a connector follow from records of the receiver.
func IsIgnored(event string) bool {
	switch event {
	case attr.EventFieldChanged, attr.EventLifecycle, attr.EventStuck, attr.EventUnstuck:
		return true
	default:
		return false
	}
}

// Read returns the observation of an issue in a record. It returns false for a record without the id of an issue.
func Read(lr plog.LogRecord, site state.Text, now time.Time) (o state.Observation, found bool) {
	f := readFields(lr.Attributes())
	if f.issueID == "" {
		return o, false
	}
	event := lr.EventName()
	o = state.Observation{
		Key:       state.Key{Site: site, ID: f.issueID},
		At:        timeOf(lr, now),
		Created:   parseTime(f.created),
		IsDeleted: event == attr.EventIssueDeleted,
		Status:    refOf(f.status),
	}
	o.Change, o.HasChange = f.change(event, &o)
	o.About = f.about(o.At)
	if f.created != "" || f.hasAssignee { // the record contains the whole issue, or at least the assignee
		o.Assigned = state.Flag{At: o.At, Is: f.hasAssignee}
	}
	if f.hasFlag { // a record without it may come from a site in another language: see docs/attributes.md
		o.Flagged = state.Flag{At: o.At, Is: f.isMarked}
	}
	return o, true
}

// SiteOf returns the site of a resource, or the zero value if it is not known.
func SiteOf(resource pcommon.Resource) state.Text {
	url, found := resource.Attributes().Get(attr.SiteURL)
	if !found {
		return state.Text{}
	}
	return state.TextOf(url.Str())
}

// timeOf returns the time of the event in milliseconds.
func timeOf(lr plog.LogRecord, now time.Time) int64 {
	at := cmp.Or(lr.Timestamp(), lr.ObservedTimestamp())
	if at == 0 {
		return now.UnixMilli()
	}
	return at.AsTime().UnixMilli()
}

// parseTime returns milliseconds since 1970, or 0 if the text is not a time.
func parseTime(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0
	}
	return t.UnixMilli()
}

// refOf returns the zero value for a status with neither an id nor a name.
func refOf(s flow.Status) flow.StatusRef {
	if s.ID == "" && s.Name == "" {
		return flow.StatusRef{}
	}
	return flow.Ref(s)
}

// change returns the change that a record contains. A transition without its previous status, which some post-functions
// send, is a change too.
func (f *fields) change(event string, o *state.Observation) (flow.Change, bool) {
	c := flow.Change{At: o.At, From: refOf(f.previous), To: o.Status}
	switch {
	case event == attr.EventIssueCreated:
		c.ID, c.At, c.From = flow.CreationID, cmp.Or(o.Created, o.At), flow.StatusRef{}
	case c.To == flow.StatusRef{}, c.From == flow.StatusRef{} && event != attr.EventIssueTransitioned:
		return flow.Change{}, false
	default:
		c.ID = flow.ChangeID(f.changelog)
	}
	if f.source != attr.SourceBackfill {
		c.Marks |= flow.Live
	}
	if c.ID == flow.CreationID && f.category == attr.CategoryToDo {
		c.Marks |= flow.ToDo
	}
	switch f.resolution {
	case attr.ChangeResolved:
		c.Hint = flow.HintResolved
	case attr.ChangeReopened:
		c.Hint = flow.HintReopened
	}
	return c, true
}

func (f *fields) about(at int64) state.About {
	if f.project == "" && f.issueType == "" && f.issueKey == "" {
		return state.About{}
	}
	return state.About{
		At:        at,
		IsPartial: f.project == "" || f.issueType == "",
		Key:       f.issueKey,
		Project:   state.TextOf(f.project),
		Type:      state.TextOf(f.issueType),
		Priority:  state.TextOf(f.priority),
	}
}
