// Package translate turns a Jira event into an OpenTelemetry log record. It is the one place that knows the record's
// attributes, event names and texts.
package translate

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/status"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// serviceName is the service.name of all records.
const serviceName = "jira"

const severityText = "INFO"

// attributeCapacity is how many attributes the record of an issue event has, most of the time.
const attributeCapacity = 48

// Options say what a record holds.
type Options struct {
	ScopeName    string
	ScopeVersion string
	SiteURL      string // https://host[/context]; derived from the event when empty
	Statuses     *status.Mapper
	MaxText      int // runes kept of any text

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
}

// Translator writes records. It is safe for concurrent use.
type Translator struct {
	opts Options
	site site // as configured
}

// New returns a Translator.
func New(opts Options) *Translator {
	return &Translator{opts: opts, site: configuredSite(opts.SiteURL)}
}

// Unmapped are the statuses of an event that map to nothing. Those that map, or are not there, are empty.
type Unmapped struct{ Current, Previous webhook.Status }

// Translate returns the log record of an event, and its statuses that map to nothing.
func (t *Translator) Translate(ev *webhook.Event, d Delivery) (logs plog.Logs, unmapped Unmapped) {
	from := t.siteOf(ev)
	e := classify(ev)
	logs, record := t.newRecord(from, ev)
	record.SetEventName(e.name)
	record.SetTimestamp(pcommon.NewTimestampFromTime(eventTime(ev, d.Received)))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(d.Received))

	w := writer{attrs: record.Attributes(), maxText: t.opts.MaxText}
	record.Body().SetStr(w.clip(displayLine(e.name, ev)))
	w.exact(attrRecordUID, recordUID(from.url, e, ev, d))
	w.delivery(ev, d)
	w.user(actorKeys, actor(e.name, ev), t.opts.UserDetails)
	if ev.Issue != nil {
		unmapped = t.putIssue(w, from.url, ev)
	}
	t.putChangelog(w, ev.Changelog)
	if t.opts.Payload {
		w.exact(attrRecordOriginal, validUTF8(string(d.Body)))
	}
	return logs, unmapped
}

// newRecord returns a record with all that does not depend on what has happened.
func (t *Translator) newRecord(from site, ev *webhook.Event) (plog.Logs, plog.LogRecord) {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	resourceLogs.SetSchemaUrl(schemaURL)
	putResource(resourceLogs.Resource().Attributes(), from, ev)
	scopeLogs := resourceLogs.ScopeLogs().AppendEmpty()
	scopeLogs.SetSchemaUrl(schemaURL)
	scopeLogs.Scope().SetName(t.opts.ScopeName)
	scopeLogs.Scope().SetVersion(t.opts.ScopeVersion)
	record := scopeLogs.LogRecords().AppendEmpty()
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText(severityText)
	record.Attributes().EnsureCapacity(attributeCapacity)
	return logs, record
}

func putResource(attrs pcommon.Map, from site, ev *webhook.Event) {
	attrs.PutStr(attrServiceName, serviceName)
	if from.url != "" {
		attrs.PutStr(attrSiteURL, from.url)
	}
	if deployment := deploymentType(from, ev); deployment != "" {
		attrs.PutStr(attrDeploymentType, deployment)
	}
}

// eventTime is the time that the body gives for the event, else for the thing that changed, else the time of receipt.
func eventTime(ev *webhook.Event, received time.Time) time.Time {
	instants := []time.Time{ev.Timestamp, ev.Entity.Updated, ev.Entity.Created}
	if ev.Issue != nil {
		instants = append(instants, ev.Issue.Updated, ev.Issue.Created)
	}
	return cmp.Or(append(instants, received)...)
}

func (w writer) delivery(ev *webhook.Event, d Delivery) {
	w.exact(attrWebhookEvent, ev.Name)
	w.exact(attrWebhookIssueEventType, ev.IssueEventType)
	w.exact(attrWebhookID, validUTF8(d.ID))
	w.exact(attrWebhookFlow, validUTF8(d.Flow))
	w.exact(attrWebhookSource, string(ev.Source))
	if d.RetryCount != nil {
		w.attrs.PutInt(attrWebhookRetryCount, *d.RetryCount)
	}
}

// actor is who caused the event. Comments and worklogs name only who wrote them, and who edited them last. The user of a user
// event is not who caused it, but whom it happened to.
func actor(name string, ev *webhook.Event) webhook.User {
	if strings.HasPrefix(name, userNamespace) {
		return webhook.User{}
	}
	return cmp.Or(ev.User, ev.Entity.UpdateAuthor, ev.Entity.Author)
}

func validUTF8(s string) string {
	return strings.ToValidUTF8(s, "\uFFFD")
}
