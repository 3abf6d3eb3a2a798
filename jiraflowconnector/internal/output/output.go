// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package output makes log records about the flow of issues. It does no I/O and reads no clock.
package output

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// Kind is the kind of a record of the connector.
type Kind int

// The kinds.
const (
	KindLifecycle Kind = iota
	KindStuck
	KindUnstuck
)

// Output is a record to send. It holds copies of the facts of the issue, which may change until the record is sent.
type Output struct {
	Kind     Kind
	Issue    *state.Issue // to mark it when the record is sent
	key      state.Key
	about    state.About
	summary  state.Summary
	assigned state.Flag
	flagged  state.Flag

	Lifecycle flow.Lifecycle // of KindLifecycle
	Sum       uint32
	Revision  uint8

	Stuck    state.Stuck // of KindStuck and KindUnstuck
	Duration time.Duration
	Limit    time.Duration // of KindStuck
	LeftAt   int64         // of KindUnstuck: when the issue left its status
}

// New returns an output with the facts of an issue.
func New(issue *state.Issue, kind Kind) Output {
	return Output{
		Kind: kind, Issue: issue, key: issue.Key, about: issue.About, summary: issue.Summary,
		assigned: issue.Assigned, flagged: issue.Flagged, Stuck: issue.Stuck,
	}
}

// at returns the time of the event. If the move that ends a stuck stay arrives late, after the record that the issue is
// stuck, its time may be before that record. The end is later than that record all the same, so that the last record of
// an issue shows whether it is stuck.
func (o *Output) at() int64 {
	switch o.Kind {
	case KindLifecycle:
		return o.Lifecycle.Resolution.At
	case KindStuck:
		return o.Stuck.At
	default:
		return max(o.LeftAt, o.Stuck.At+1)
	}
}

// Build returns the records of outputs, in the order of their times, with a resource for each site.
func Build(outputs []Output, now time.Time, setScope func(pcommon.InstrumentationScope)) plog.Logs {
	slices.SortStableFunc(outputs, func(a, b Output) int {
		return cmp.Or(cmp.Compare(a.at(), b.at()), cmp.Compare(a.key.ID, b.key.ID))
	})
	logs := plog.NewLogs()
	sites := map[state.Text]plog.LogRecordSlice{}
	for i := range outputs {
		out := &outputs[i]
		records, found := sites[out.key.Site]
		if !found {
			resource := logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutStr(attr.ServiceName, "jira")
			putText(resource.Resource().Attributes(), attr.SiteURL, out.key.Site.String())
			scope := resource.ScopeLogs().AppendEmpty()
			setScope(scope.Scope())
			records = scope.LogRecords()
			sites[out.key.Site] = records
		}
		out.write(records.AppendEmpty(), now)
	}
	return logs
}

func (o *Output) write(lr plog.LogRecord, now time.Time) {
	lr.SetTimestamp(pcommon.NewTimestampFromTime(time.UnixMilli(o.at())))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	attributes := lr.Attributes()
	attributes.EnsureCapacity(32)
	o.writeIssue(attributes)
	switch o.Kind {
	case KindLifecycle:
		lr.SetEventName(attr.EventLifecycle)
		attributes.PutStr(attr.UID, o.uid(attr.EventLifecycle, o.resolutionID()))
		lr.Body().SetStr(o.lifecycleLine())
		o.writeLifecycle(attributes)
	case KindStuck:
		lr.SetEventName(attr.EventStuck)
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		attributes.PutStr(attr.UID, o.uid(attr.EventStuck, o.stayID()))
		lr.Body().SetStr(o.about.Key + " has been in " + nameOf(o.Stuck.Status.Get()) + " for " + inWords(o.Duration) +
			", longer than " + inWords(o.Limit))
		o.writeStuck(attributes)
	case KindUnstuck:
		lr.SetEventName(attr.EventUnstuck)
		attributes.PutStr(attr.UID, o.uid(attr.EventUnstuck, o.stayID()))
		lr.Body().SetStr(o.about.Key + " was stuck in " + nameOf(o.Stuck.Status.Get()) + " and left after " +
			inWords(o.Duration))
		o.writeUnstuck(attributes)
	}
}

func (o *Output) writeIssue(attributes pcommon.Map) {
	attributes.PutStr(attr.IssueID, o.key.ID)
	putText(attributes, attr.IssueKey, o.about.Key)
	if site := o.key.Site.String(); site != "" && o.about.Key != "" {
		attributes.PutStr(attr.URL, site+"/browse/"+o.about.Key)
	}
	putText(attributes, attr.ProjectKey, o.about.Project.String())
	putText(attributes, attr.IssueTypeName, o.about.Type.String())
	putText(attributes, attr.PriorityName, o.about.Priority.String())
	putTime(attributes, attr.CreatedAt, o.summary.Created)
}

func putText(attributes pcommon.Map, key, text string) {
	if text != "" {
		attributes.PutStr(key, text)
	}
}

// putTime writes a time as the receiver does.
func putTime(attributes pcommon.Map, key string, millis int64) {
	if millis != 0 {
		attributes.PutStr(key, time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}

func putSeconds(attributes pcommon.Map, key string, d time.Duration) {
	attributes.PutInt(key, int64(d/time.Second))
}

func putStatus(attributes pcommon.Map, s flow.Status) {
	putText(attributes, attr.StatusID, s.ID)
	putText(attributes, attr.StatusName, s.Name)
	putText(attributes, attr.StatusMapped, s.Mapped)
}

func putPrevious(attributes pcommon.Map, s flow.Status) {
	putText(attributes, attr.PreviousID, s.ID)
	putText(attributes, attr.PreviousName, s.Name)
	putText(attributes, attr.PreviousMapped, s.Mapped)
}

func (o *Output) writeLifecycle(attributes pcommon.Map) {
	l := &o.Lifecycle
	putStatus(attributes, l.Resolution.To)
	putTime(attributes, attr.ResolvedAt, l.Resolution.At)
	putText(attributes, attr.ChangelogID, changelogID(l.Resolution.ID))
	if l.HasLead {
		putSeconds(attributes, attr.LeadTime, l.Lead)
	}
	if l.HasCycle {
		putTime(attributes, attr.CycleStartedAt, l.CycleStart)
		putSeconds(attributes, attr.CycleTime, l.Cycle)
		putSeconds(attributes, attr.ActiveTime, l.Active)
		putSeconds(attributes, attr.WaitingTime, l.Waiting)
	}
	if share, exists := l.FlowEfficiency(); exists {
		attributes.PutDouble(attr.FlowEfficiency, share)
	}
	attributes.PutInt(attr.ReopenCount, int64(l.Reopenings))
	attributes.PutBool(attr.Complete, len(l.Incomplete) == 0)
	if len(l.Incomplete) > 0 {
		reasons := attributes.PutEmptySlice(attr.IncompleteReasons)
		for _, reason := range l.Incomplete {
			reasons.AppendEmpty().SetStr(string(reason))
		}
	}
	if o.Revision > 0 {
		attributes.PutInt(attr.Revision, int64(o.Revision))
	}
	writeTimes(attributes, l)
}

// changelogID returns the id of the changelog, or "" if the change had none or its id is not a number.
func changelogID(id uint64) string {
	if id == 0 || id >= 1<<63 {
		return ""
	}
	return strconv.FormatUint(id-1, 10)
}

// maxStatuses is the largest number of statuses in a lifecycle record.
const maxStatuses = 64

// writeTimes writes the time in each status: as flat attributes, for backends that cannot query lists, and as a list.
func writeTimes(attributes pcommon.Map, l *flow.Lifecycle) {
	statuses, mapped := l.Statuses, l.Mapped
	if len(statuses) > maxStatuses || len(mapped) > maxStatuses {
		statuses, mapped = statuses[:min(len(statuses), maxStatuses)], mapped[:min(len(mapped), maxStatuses)]
		attributes.PutEmptySlice(attr.Truncated).AppendEmpty().SetStr(attr.TimeInStatuses)
	}
	if len(statuses) == 0 {
		return
	}
	for _, spent := range mapped {
		addSeconds(attributes, attr.TimeInMapped+suffixOf(cmp.Or(spent.Status.Mapped, attr.Unmapped)), spent.Time)
	}
	list := attributes.PutEmptySlice(attr.TimeInStatuses)
	list.EnsureCapacity(len(statuses))
	for _, spent := range statuses {
		addSeconds(attributes, attr.TimeInStatus+suffixOf(nameOf(spent.Status)), spent.Time)
		entry := list.AppendEmpty().SetEmptyMap()
		putText(entry, "id", spent.Status.ID)
		putText(entry, "name", spent.Status.Name)
		putText(entry, "mapped", spent.Status.Mapped)
		putSeconds(entry, "seconds", spent.Time)
		entry.PutInt("visits", int64(spent.Visits))
	}
}

// addSeconds adds to an attribute, because the names of two statuses can have the same suffix.
func addSeconds(attributes pcommon.Map, key string, d time.Duration) {
	value, _ := attributes.GetOrPutEmpty(key)
	value.SetInt(value.Int() + int64(d/time.Second))
}

// suffixOf returns the end of the name of an attribute: In Progress becomes in_progress. Letters of all languages remain.
func suffixOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return cmp.Or(strings.Join(words, "_"), "other")
}

func nameOf(s flow.Status) string { return cmp.Or(s.Name, s.ID, "an unknown status") }

func (o *Output) lifecycleLine() string {
	l := &o.Lifecycle
	line := cmp.Or(o.about.Key, o.key.ID) + " was resolved as " + nameOf(l.Resolution.To)
	if l.HasLead {
		line += " after " + inWords(l.Lead)
	}
	if l.HasCycle {
		line += ", " + inWords(l.Cycle) + " of it in the cycle"
	}
	return line
}

// inWords returns a duration such as 76h 10m.
func inWords(d time.Duration) string {
	minutes := int64(d / time.Minute)
	if minutes < 60 {
		return strconv.FormatInt(minutes, 10) + "m"
	}
	return strconv.FormatInt(minutes/60, 10) + "h " + strconv.FormatInt(minutes%60, 10) + "m"
}

func (o *Output) writeStuck(attributes pcommon.Map) {
	putStatus(attributes, o.Stuck.Status.Get())
	putTime(attributes, attr.StatusSince, o.Stuck.Since)
	putSeconds(attributes, attr.StatusDuration, o.Duration)
	if !o.summary.IsKnown {
		attributes.PutBool(attr.StatusAtLeast, true)
	}
	putSeconds(attributes, attr.StuckLimit, o.Limit)
	if o.assigned.At != 0 {
		attributes.PutBool(attr.Assigned, o.assigned.Is)
	}
	if o.flagged.Is {
		attributes.PutBool(attr.Flagged, true)
	}
}

func (o *Output) writeUnstuck(attributes pcommon.Map) {
	putPrevious(attributes, o.Stuck.Status.Get())
	putSeconds(attributes, attr.PreviousDuration, o.Duration)
	putStatus(attributes, o.summary.Status.Get())
}

// resolutionID identifies the resolution of an issue: by the id of the changelog, otherwise by time and status.
func (o *Output) resolutionID() string {
	m := &o.Lifecycle.Resolution
	if m.ID != 0 {
		return strconv.FormatUint(m.ID, 10)
	}
	return strconv.FormatInt(m.At, 10) + "/" + cmp.Or(m.To.ID, m.To.Name)
}

// stayID identifies the stay of an issue in the status in which it is stuck.
func (o *Output) stayID() string {
	s := o.Stuck.Status.Get()
	return strconv.FormatInt(o.Stuck.Since, 10) + "/" + cmp.Or(s.ID, s.Name)
}

// uid returns the log.record.uid of a record: a hash as the receiver makes it, over the site, the event, the issue and
// the id of the change. It is the same after a restart, and in another instance.
func (o *Output) uid(event, change string) string {
	const size = 16
	var content []byte
	for _, part := range []string{o.key.Site.String(), event, o.key.ID, change} {
		content = binary.AppendUvarint(content, uint64(len(part)))
		content = append(content, part...)
	}
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:size])
}
