// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package record builds OpenTelemetry log records from Jira events. No other package knows the attributes, the event
// names and the display lines of a record.
//
// The words of the package:
//
//   - An event is a change in Jira, such as a new comment. [jira.Event] is the decoded body that reports it.
//   - The event type is the name that the record of an event gets, such as jira.issue.updated.
//   - The site is the Jira that sent the event.
//   - A delivery is an event that Jira posts for one webhook. Several deliveries can contain the same event.
//   - A record is a log record. An event has one record of its own, and, with [Options].SplitChanges, one more for each
//     changed field of an issue.
package record

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// serviceName is the service.name of all records.
const serviceName = "jira"

// Capacities for which memory is reserved: the usual number of attributes of the record of an issue event and of the
// record of a changed field, and the usual largest number of keys of an item of a changelog and of a link.
const (
	eventAttributes  = 48
	changeAttributes = 20
	itemKeys         = 7
	linkKeys         = 6
)

// Options define the content of records.
type Options struct {
	ScopeName    string
	ScopeVersion string
	SiteURL      string // https://host[/context]; if empty, the site comes from the links in the body
	Statuses     *status.Mapper
	MaxText      int                            // runes; longer texts are cut
	CustomFields map[string]string              // aliases of custom fields, by field id
	Severities   map[string]plog.SeverityNumber // by folded name or id of a priority; all other priorities have INFO
	UserHashKey  string                         // key of the hashes of login names; if empty, the site is the key
	SplitChanges bool                           // add one record for each changed field of an issue

	// Content that is, or may be, about people. Records contain it only if the option is set.
	UserDetails bool // login names, full names and e-mail addresses
	Description bool // descriptions and environments of issues
	CommentBody bool // texts of comments and worklogs
	Payload     bool // the whole body
}

// Delivery holds the facts about an event that come from the HTTP request and not from the decoded body, and the body
// itself.
type Delivery struct {
	ID         string // the same for all attempts of the delivery; "" if Jira sent none
	Flow       string // Primary, Secondary or ""
	RetryCount *int64 // nil on the first attempt
	Received   time.Time
	ChangeUID  string // result of [ChangeUID] for the event if the caller knows it, or ""
	Payload    []byte
	Extra      []Attribute // attributes for facts that bodies do not contain
}

// Attribute is an attribute that does not come from the body. Attributes with an empty value are not written.
type Attribute struct{ Key, Value string }

// Builder builds log records. It is safe for concurrent use.
type Builder struct {
	opts   Options
	site   Site // the configured site, or the zero value
	logins loginHasher
}

// New returns a Builder.
func New(opts Options) *Builder {
	return &Builder{opts: opts, site: parseSite(opts.SiteURL), logins: loginHasher{key: opts.UserHashKey}}
}

// ClassifiedEvent is a decoded event with its event type and its site.
type ClassifiedEvent struct {
	*jira.Event
	Type EventType
	Site Site
}

// Classify returns the event with its event type and its site. Data Center has an event of its own for changes of the
// worklogs of an issue, but its histories do not contain the name of the event: the changed fields decide.
func (b *Builder) Classify(ev *jira.Event) ClassifiedEvent {
	classified := ClassifiedEvent{Event: ev, Type: eventTypeOf(ev), Site: b.siteOf(ev)}
	if classified.Type.Name == eventIssueUpdated && ev.Changelog.IsWorklog() && siteType(classified) == siteDataCenter {
		classified.Type = worklogUpdated
	}
	return classified
}

// Remarks are facts about the records of an event that the caller counts and logs.
type Remarks struct {
	Unmapped
	Truncated  int      // number of records that a limit has cut
	Unreadable []string // ids of the custom fields with a value that the decoder does not understand
}

// Unmapped holds the statuses of an event that have no mapped value. A field is the zero value if the event has no such
// status, or if the status is mapped.
type Unmapped struct{ Current, Previous jira.Status }

// recordInput holds the facts that all records of one delivery share.
type recordInput struct {
	ClassifiedEvent
	delivery    Delivery
	uid         string // log.record.uid of the record of the event
	issueURL    string // address of the issue, or ""
	previousKey string // key of the issue before a move to another project, or ""
	severity    plog.SeverityNumber
	bytesLeft   *int            // bytes of text that the records that are still to be built may contain together
	visible     []visibleChange // changes of the record of the event, for the records of the changed fields; may be nil
}

// Build returns the log records of an event, and remarks about them.
func (b *Builder) Build(ev ClassifiedEvent, d Delivery) (logs plog.Logs, remarks Remarks) {
	bytesLeft := jira.MaxEvent
	in := recordInput{
		ClassifiedEvent: ev,
		delivery:        d,
		uid:             recordUID(ev, d),
		issueURL:        issueURL(ev),
		previousKey:     previousKey(ev.Changelog),
		severity:        b.severity(ev.Event),
		bytesLeft:       &bytesLeft,
	}
	isSplit := b.opts.SplitChanges && ev.Issue != nil
	if isSplit {
		in.visible = make([]visibleChange, len(ev.Changelog.Items))
	}
	remarks.Unreadable = unreadable(ev.Issue)
	logs, records := b.newLogs(ev)
	event, unmapped := b.appendEvent(records, in)
	remarks.Unmapped = unmapped
	if isSplit {
		remarks.Truncated = b.appendChanges(records, event, in)
	}
	if event.finish() {
		remarks.Truncated++
	}
	return logs, remarks
}

// newLogs returns logs with the resource of the event's site, and their list of records, which is empty.
func (b *Builder) newLogs(ev ClassifiedEvent) (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.SetSchemaUrl(schemaURL)
	putResource(resourceLogs.Resource().Attributes(), ev)
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	scopeLogs.SetSchemaUrl(schemaURL)
	scopeLogs.Scope().SetName(b.opts.ScopeName)
	scopeLogs.Scope().SetVersion(b.opts.ScopeVersion)
	scopeLogs.Scope().Attributes().PutStr(attrSchemaVersion, SchemaVersion)
	return logs, scopeLogs.LogRecords()
}

func putResource(attrs pcommon.Map, ev ClassifiedEvent) {
	attrs.PutStr(attrServiceName, serviceName)
	if ev.Site.URL != "" {
		attrs.PutStr(attrSiteURL, stripControl(ev.Site.URL))
	}
	if kind := siteType(ev); kind != "" {
		attrs.PutStr(attrSiteType, kind)
	}
}

// appendEvent appends the record of the event itself. The caller finishes the writer after it has appended the records
// of the changed fields, because their limits are marked on this record too.
func (b *Builder) appendEvent(records plog.LogRecordSlice, in recordInput) (w writer, unmapped Unmapped) {
	record, w := b.appendRecord(records, in.Type.Name, in.uid, eventAttributes, in)
	w.body(record, displayLine(in.Type, in.Event))
	unmapped = w.issue(in)
	w.subjects(in.Type, in.Event)
	w.changelog(in.Changelog, in.visible)
	w.extra(in.delivery.Extra)
	if b.opts.Payload && !in.HasHeaders { // last, because the payload may use up the budget of the record
		w.payload(in.delivery.Payload)
	}
	return w, unmapped
}

// appendChanges appends one record for each changed field of an issue until the budget of the event is used up. It
// returns the number of these records that a limit has cut.
func (b *Builder) appendChanges(records plog.LogRecordSlice, event writer, in recordInput) (truncated int) {
	if in.Changelog.IsCut {
		event.budget.markCut(attrChangeField)
	}
	uids := changeUIDs(in.uid, in.Changelog.Items)
	for i, change := range in.visible {
		if *in.bytesLeft < minRecord {
			event.budget.markCut(attrChangeField)
			break
		}
		if b.appendChange(records, uids[i], change, in) {
			truncated++
		}
	}
	return truncated
}

// appendChange appends the record of one changed field, and reports whether a limit has cut the record.
func (b *Builder) appendChange(
	records plog.LogRecordSlice, uid string, change visibleChange, in recordInput,
) (isCut bool) {
	record, w := b.appendRecord(records, EventFieldChanged, uid, changeAttributes, in)
	w.body(record, changeLine(in.Issue, change))
	w.issueIdentity(in)
	w.project(projectOf(in.Event))
	w.putID(attrChangelogID, in.Changelog.ID)
	w.changedField(change)
	return w.finish()
}

// appendRecord appends a record with the fields and attributes that all records of an event have.
func (b *Builder) appendRecord(
	records plog.LogRecordSlice, name, uid string, attributes int, in recordInput,
) (plog.LogRecord, writer) {
	record := records.AppendEmpty()
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(EventTime(in.Event, in.delivery.Received)))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(in.delivery.Received))
	record.SetSeverityNumber(in.severity)

	record.Attributes().EnsureCapacity(attributes)
	w := writer{
		opts:   &b.opts,
		attrs:  record.Attributes(),
		budget: newBudget(in.bytesLeft),
		logins: siteHasher{&b.logins, in.Site.URL},
	}
	w.putID(attrRecordUID, uid)
	w.delivery(in.Event, in.delivery)
	w.user(actorKeys, actor(in.Type, in.Event))
	return record, w
}

// EventTime returns the time that the body contains for the event, otherwise the time of the last change of the event's
// subject or issue, otherwise the time at which the delivery was received.
func EventTime(ev *jira.Event, receivedAt time.Time) time.Time {
	revision, issue := ev.Revision(), cmp.Or(ev.Issue, &jira.Issue{})
	return cmp.Or(ev.Timestamp, revision.Updated, revision.Created, issue.Updated, issue.Created, receivedAt)
}

// actor returns the user who caused the event, or the zero value. Comments, worklogs and attachments contain only their
// author and their last editor. Jira does not send the user who deleted a comment or a worklog. The user of a user
// event is the user whose account changed, not the user who changed it.
func actor(et EventType, ev *jira.Event) jira.User {
	switch {
	case strings.HasPrefix(et.Name, userNamespace):
		return jira.User{}
	case strings.HasSuffix(et.Name, actionDeleted):
		return ev.User
	default:
		revision := ev.Revision()
		return cmp.Or(ev.User, revision.UpdateAuthor, revision.Author)
	}
}
