// Package record turns a Jira event into an OpenTelemetry log record. It is the one place that knows the record's
// attributes, event names and texts.
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

// How many attributes the records of an issue event have, most of the time, and how many keys an item of a changelog has at most.
const (
	eventAttributes  = 48
	changeAttributes = 20
	itemKeys         = 7
)

// Options say what a record holds.
type Options struct {
	ScopeName    string
	ScopeVersion string
	SiteURL      string // https://host[/context]; derived from the event when empty
	Statuses     *status.Mapper
	MaxText      int                            // runes kept of any text
	CustomFields map[string]string              // aliases of custom fields, by id
	Severities   map[string]plog.SeverityNumber // by folded name or id of a priority; INFO for all others
	SplitChanges bool                           // write one more record for each changed field of an issue

	// What is left out unless asked for, because it is about people or may be.
	UserDetails bool
	Description bool
	CommentBody bool
	Payload     bool
}

// Delivery is what is known of an event besides what its body tells.
type Delivery struct {
	ID         string // the same for all attempts to deliver one event; "" when Jira did not number it
	Flow       string
	RetryCount *int64 // nil on a first attempt
	Received   time.Time
	Body       []byte
	Extra      []Attribute // for what the body does not tell
}

// Attribute is an attribute that comes from elsewhere than the body. An empty value is none.
type Attribute struct{ Key, Value string }

// Translator writes records. It is safe for concurrent use.
type Translator struct {
	opts Options
	site Site // as configured
}

// New returns a Translator.
func New(opts Options) *Translator {
	return &Translator{opts: opts, site: siteAt(opts.SiteURL)}
}

// Remarks are facts about the records of an event that the caller counts and logs.
type Remarks struct {
	Unmapped
	Truncated int // number of records that were cut at a limit
}

// Unmapped are the statuses of an event that map to nothing. Those that map, or are not there, are empty.
type Unmapped struct{ Current, Previous jira.Status }

// Occurrence is an event of which it is known what kind it is and where it happened.
type Occurrence struct {
	*jira.Event
	Kind Kind
	Site Site
}

// Recognize tells what kind of event a body is about, and from which site it is.
func (t *Translator) Recognize(ev *jira.Event) Occurrence {
	return Occurrence{Event: ev, Kind: kindOf(ev), Site: t.siteOf(ev)}
}

// delivered is an occurrence as one delivery tells it.
type delivered struct {
	Occurrence
	uid         string
	url         string // of the issue
	previousKey string // of an issue that was moved to another project
	severity    plog.SeverityNumber
	left        *int // bytes that the texts of further records may have
	delivery    Delivery
}

// Translate returns the log records of an event, and remarks about them.
func (t *Translator) Translate(o Occurrence, d Delivery) (logs plog.Logs, remarks Remarks) {
	left := jira.MaxEvent
	whole := delivered{o, recordUID(o, d), urlOf(o), previousKey(o.Changelog), t.severity(o.Event), &left, d}
	logs, records := t.newLogs(o)
	event, unmapped := t.appendEvent(records, whole)
	remarks.Unmapped = unmapped
	if t.opts.SplitChanges && o.Issue != nil {
		remarks.Truncated = t.appendChanges(records, event, whole)
	}
	if event.finish() {
		remarks.Truncated++
	}
	return logs, remarks
}

// appendEvent appends the record of the event as a whole. It is to be finished when the records of changes are there.
func (t *Translator) appendEvent(records plog.LogRecordSlice, o delivered) (w writer, unmapped Unmapped) {
	record, w := t.appendRecord(records, o.Kind.Name, o.uid, eventAttributes, o)
	w.line(record, displayLine(o.Kind, o.Event))
	unmapped = t.putIssue(w, o)
	t.putSubject(w, o.Kind, o.Event)
	t.putChangelog(w, o.Changelog)
	w.extra(o.delivery.Extra)
	if t.opts.Payload { // last, because it may use up the budget of the record
		w.original(o.delivery.Body)
	}
	return w, unmapped
}

// newLogs returns an empty list of records, from the site of an event.
func (t *Translator) newLogs(o Occurrence) (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.SetSchemaUrl(schemaURL)
	putResource(resourceLogs.Resource().Attributes(), o)
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	scopeLogs.SetSchemaUrl(schemaURL)
	scopeLogs.Scope().SetName(t.opts.ScopeName)
	scopeLogs.Scope().SetVersion(t.opts.ScopeVersion)
	return logs, scopeLogs.LogRecords()
}

// appendRecord appends a record with what all records of an event have.
func (t *Translator) appendRecord(records plog.LogRecordSlice, name, uid string, attributes int, o delivered) (plog.LogRecord, writer) {
	record := records.AppendEmpty()
	record.SetEventName(name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(EventTime(o.Event, o.delivery.Received)))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(o.delivery.Received))
	record.SetSeverityNumber(o.severity)
	record.SetSeverityText(strings.ToUpper(o.severity.String()))

	record.Attributes().EnsureCapacity(attributes)
	w := writer{attrs: record.Attributes(), maxText: t.opts.MaxText, budget: newBudget(o.left)}
	w.exact(attrRecordUID, uid)
	w.delivery(o.Event, o.delivery)
	w.user(actorKeys, actor(o.Kind, o.Event), t.opts.UserDetails)
	return record, w
}

func putResource(attrs pcommon.Map, o Occurrence) {
	attrs.PutStr(attrServiceName, serviceName)
	if o.Site.URL != "" {
		attrs.PutStr(attrSiteURL, oneLineText(o.Site.URL))
	}
	if deployment := deploymentType(o); deployment != "" {
		attrs.PutStr(attrDeploymentType, deployment)
	}
}

// EventTime is the time that the body gives for the event, else for the thing that changed, else the time of receipt.
func EventTime(ev *jira.Event, received time.Time) time.Time {
	revision, issue := ev.Revision(), cmp.Or(ev.Issue, &jira.Issue{})
	return cmp.Or(ev.Timestamp, revision.Updated, revision.Created, issue.Updated, issue.Created, received)
}

func (w writer) delivery(ev *jira.Event, d Delivery) {
	w.exact(attrWebhookEvent, ev.Name)
	w.exact(attrWebhookIssueEventType, ev.IssueEventType)
	w.exact(attrWebhookID, validUTF8(d.ID))
	w.exact(attrWebhookFlow, validUTF8(d.Flow))
	w.exact(attrWebhookSource, string(ev.Source))
	if d.RetryCount != nil {
		w.attrs.PutInt(attrWebhookRetryCount, *d.RetryCount)
	}
}

// extra writes what no attribute of that name tells yet.
func (w writer) extra(attrs []Attribute) {
	for _, attr := range attrs {
		if _, told := w.attrs.Get(attr.Key); !told {
			w.text(attr.Key, validUTF8(attr.Value))
		}
	}
}

// actor is who caused the event. Comments, worklogs and attachments name only who made them and who edited them last; of one
// that was deleted nobody says by whom. The user of a user event is not who caused it, but whom it happened to.
func actor(k Kind, ev *jira.Event) jira.User {
	switch {
	case strings.HasPrefix(k.Name, userNamespace):
		return jira.User{}
	case strings.HasSuffix(k.Name, actionDeleted):
		return ev.User
	default:
		revision := ev.Revision()
		return cmp.Or(ev.User, revision.UpdateAuthor, revision.Author)
	}
}

func validUTF8(s string) string {
	return strings.ToValidUTF8(s, "\uFFFD")
}
