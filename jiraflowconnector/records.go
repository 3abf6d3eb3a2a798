// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

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

	"github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// outputKind is the kind of a record of the connector.
type outputKind int

const (
	kindLifecycle outputKind = iota
	kindStuck
	kindUnstuck
)

// output is a record to send. It holds copies of the facts of the issue, which may change until the record is sent.
type output struct {
	kind     outputKind
	issue    *state.Issue // for accept
	key      state.Key
	about    state.About
	summary  state.Summary
	assigned state.Flag
	flagged  state.Flag

	lifecycle flow.Lifecycle // of kindLifecycle
	sum       uint32
	revision  uint8

	stuck    state.Stuck // of kindStuck and kindUnstuck
	duration time.Duration
	limit    time.Duration // of kindStuck
	leftAt   int64         // of kindUnstuck
}

func newOutput(issue *state.Issue, kind outputKind) output {
	return output{
		kind: kind, issue: issue, key: issue.Key, about: issue.About, summary: issue.Summary,
		assigned: issue.Assigned, flagged: issue.Flagged, stuck: issue.Stuck,
	}
}

// at returns the time of the event.
func (o *output) at() int64 {
	switch o.kind {
	case kindLifecycle:
		return o.lifecycle.Resolution.At
	case kindStuck:
		return o.stuck.At
	default:
		return o.leftAt
	}
}

// buildLogs returns the records of outputs, in the order of their times, with a resource for each site.
func buildLogs(outputs []output, now time.Time, setScope func(pcommon.InstrumentationScope)) plog.Logs {
	slices.SortStableFunc(outputs, func(a, b output) int {
		return cmp.Or(cmp.Compare(a.at(), b.at()), cmp.Compare(a.key.ID, b.key.ID))
	})
	logs := plog.NewLogs()
	sites := map[state.Text]plog.LogRecordSlice{}
	for i := range outputs {
		out := &outputs[i]
		records, found := sites[out.key.Site]
		if !found {
			resource := logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutStr("service.name", "jira")
			putText(resource.Resource().Attributes(), attrSiteURL, out.key.Site.String())
			scope := resource.ScopeLogs().AppendEmpty()
			setScope(scope.Scope())
			records = scope.LogRecords()
			sites[out.key.Site] = records
		}
		out.write(records.AppendEmpty(), now)
	}
	return logs
}

func (o *output) write(lr plog.LogRecord, now time.Time) {
	lr.SetTimestamp(pcommon.NewTimestampFromTime(time.UnixMilli(o.at())))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	attributes := lr.Attributes()
	attributes.EnsureCapacity(32)
	o.writeIssue(attributes)
	switch o.kind {
	case kindLifecycle:
		lr.SetEventName(eventLifecycle)
		attributes.PutStr(attrUID, o.uid(eventLifecycle, o.resolutionID()))
		lr.Body().SetStr(o.lifecycleLine())
		o.writeLifecycle(attributes)
	case kindStuck:
		lr.SetEventName(eventStuck)
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		attributes.PutStr(attrUID, o.uid(eventStuck, o.stayID()))
		lr.Body().SetStr(o.about.Key + " has been in " + nameOf(o.stuck.Status.Get()) + " for " + inWords(o.duration) +
			", longer than " + inWords(o.limit))
		o.writeStuck(attributes)
	case kindUnstuck:
		lr.SetEventName(eventUnstuck)
		attributes.PutStr(attrUID, o.uid(eventUnstuck, o.stayID()))
		lr.Body().SetStr(o.about.Key + " was stuck in " + nameOf(o.stuck.Status.Get()) + " and left after " +
			inWords(o.duration))
		o.writeUnstuck(attributes)
	}
}

func (o *output) writeIssue(attributes pcommon.Map) {
	attributes.PutStr(attrIssueID, o.key.ID)
	putText(attributes, attrIssueKey, o.about.Key)
	if site := o.key.Site.String(); site != "" && o.about.Key != "" {
		attributes.PutStr(attrURL, site+"/browse/"+o.about.Key)
	}
	putText(attributes, attrProjectKey, o.about.Project.String())
	putText(attributes, attrIssueTypeName, o.about.Type.String())
	putText(attributes, attrPriorityName, o.about.Priority.String())
	putTime(attributes, attrCreatedAt, o.summary.Created)
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
	putText(attributes, attrStatusID, s.ID)
	putText(attributes, attrStatusName, s.Name)
	putText(attributes, attrStatusMapped, s.Mapped)
}

func putPrevious(attributes pcommon.Map, s flow.Status) {
	putText(attributes, attrPreviousID, s.ID)
	putText(attributes, attrPreviousName, s.Name)
	putText(attributes, attrPreviousMapped, s.Mapped)
}

func (o *output) writeLifecycle(attributes pcommon.Map) {
	l := &o.lifecycle
	putStatus(attributes, l.Resolution.To)
	putTime(attributes, attrResolvedAt, l.Resolution.At)
	putText(attributes, attrChangelogID, changelogID(l.Resolution.ID))
	if l.HasLead {
		putSeconds(attributes, attrLeadTime, l.Lead)
	}
	if l.HasCycle {
		putTime(attributes, attrCycleStartedAt, l.CycleStart)
		putSeconds(attributes, attrCycleTime, l.Cycle)
		putSeconds(attributes, attrActiveTime, l.Active)
		putSeconds(attributes, attrWaitingTime, l.Waiting)
	}
	if share, exists := l.FlowEfficiency(); exists {
		attributes.PutDouble(attrFlowEfficiency, share)
	}
	attributes.PutInt(attrReopenCount, int64(l.Reopenings))
	attributes.PutBool(attrComplete, len(l.Incomplete) == 0)
	if len(l.Incomplete) > 0 {
		reasons := attributes.PutEmptySlice(attrIncompleteReasons)
		for _, reason := range l.Incomplete {
			reasons.AppendEmpty().SetStr(string(reason))
		}
	}
	if o.revision > 0 {
		attributes.PutInt(attrRevision, int64(o.revision))
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
		attributes.PutEmptySlice(attrTruncated).AppendEmpty().SetStr(attrTimeInStatuses)
	}
	if len(statuses) == 0 {
		return
	}
	for _, spent := range mapped {
		addSeconds(attributes, prefixTimeInMapped+suffixOf(cmp.Or(spent.Status.Mapped, aggregate.Unmapped)), spent.Time)
	}
	list := attributes.PutEmptySlice(attrTimeInStatuses)
	list.EnsureCapacity(len(statuses))
	for _, spent := range statuses {
		addSeconds(attributes, prefixTimeInStatus+suffixOf(nameOf(spent.Status)), spent.Time)
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

func (o *output) lifecycleLine() string {
	l := &o.lifecycle
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

func (o *output) writeStuck(attributes pcommon.Map) {
	putStatus(attributes, o.stuck.Status.Get())
	putTime(attributes, attrStatusSince, o.stuck.Since)
	putSeconds(attributes, attrStatusDuration, o.duration)
	if !o.summary.IsKnown {
		attributes.PutBool(attrStatusAtLeast, true)
	}
	putSeconds(attributes, attrStuckLimit, o.limit)
	if o.assigned.At != 0 {
		attributes.PutBool(attrAssigned, o.assigned.Is)
	}
	if o.flagged.Is {
		attributes.PutBool(attrFlagged, true)
	}
}

func (o *output) writeUnstuck(attributes pcommon.Map) {
	putPrevious(attributes, o.stuck.Status.Get())
	putSeconds(attributes, attrPreviousDuration, o.duration)
	putStatus(attributes, o.summary.Status.Get())
}

// resolutionID identifies the resolution of an issue: by the id of the changelog, otherwise by time and status.
func (o *output) resolutionID() string {
	m := &o.lifecycle.Resolution
	if m.ID != 0 {
		return strconv.FormatUint(m.ID, 10)
	}
	return strconv.FormatInt(m.At, 10) + "/" + cmp.Or(m.To.ID, m.To.Name)
}

// stayID identifies the stay of an issue in the status in which it is stuck.
func (o *output) stayID() string {
	s := o.stuck.Status.Get()
	return strconv.FormatInt(o.stuck.Since, 10) + "/" + cmp.Or(s.ID, s.Name)
}

// uid returns the log.record.uid of a record: a hash as the receiver makes it, over the site, the event, the issue and
// the id of the change. It is the same after a restart, and in another instance.
func (o *output) uid(event, change string) string {
	const size = 16
	var content []byte
	for _, part := range []string{o.key.Site.String(), event, o.key.ID, change} {
		content = binary.AppendUvarint(content, uint64(len(part)))
		content = append(content, part...)
	}
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:size])
}
