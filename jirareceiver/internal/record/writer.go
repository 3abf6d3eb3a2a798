// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// writer writes the attributes of one record, within the options and the budget of the record. It removes control
// characters and writes no empty values.
//
// Methods whose names start with put write one attribute. All other methods write the attributes of one object, such as
// comment(c).
type writer struct {
	opts   *Options
	attrs  pcommon.Map
	budget *budget
	parent string     // key of the attribute whose value is the map attrs; "" if attrs are the attributes of the record
	logins siteHasher // hashes of login names
}

// into returns a writer of a map in the attribute parent.
func (w writer) into(attrs pcommon.Map, parent string) writer {
	w.attrs, w.parent = attrs, parent
	return w
}

// putID writes an id or a key. An id that was cut is worthless, so the limit is above all real ids.
func (w writer) putID(key, value string) {
	if value != "" { // half of all values
		w.put(key, w.id(key, value))
	}
}

// putText writes a text or a name that people have written, as one line.
func (w writer) putText(key, value string) {
	if value != "" {
		w.put(key, w.text(key, value))
	}
}

// putURL writes an address.
func (w writer) putURL(key, value string) {
	w.put(key, stripControl(w.take(key, value, jira.MaxURL)))
}

// putTexts writes a list of names.
func (w writer) putTexts(key string, names jira.Names) {
	if names.IsCut {
		w.budget.markCut(key)
	}
	w.putList(key, len(names.List), func(i int) string { return w.text(key, names.List[i]) })
}

// putList writes a list of n values, without its empty values.
func (w writer) putList(key string, n int, value func(i int) string) {
	if n == 0 {
		return
	}
	list := w.attrs.PutEmptySlice(key)
	list.EnsureCapacity(n)
	for i := range n {
		if s := value(i); s != "" {
			list.AppendEmpty().SetStr(s)
		}
	}
	if list.Len() == 0 {
		w.attrs.Remove(key)
	}
}

func (w writer) putInt(key string, value *int64) {
	if value != nil {
		w.attrs.PutInt(key, *value)
	}
}

func (w writer) putBool(key string, value *bool) {
	if value != nil {
		w.attrs.PutBool(key, *value)
	}
}

// putTime writes a time in UTC.
func (w writer) putTime(key string, t time.Time) {
	if !t.IsZero() {
		w.attrs.PutStr(key, t.UTC().Format(jira.TimeFormat))
	}
}

// putSeconds writes the time from one instant to another in whole seconds. It writes nothing if the start is unknown,
// or if the result is negative because a clock was wrong.
func (w writer) putSeconds(key string, from, to time.Time) {
	if duration := to.Sub(from).Round(time.Second); !from.IsZero() && duration >= 0 {
		w.attrs.PutInt(key, int64(duration/time.Second))
	}
}

func (w writer) put(key, value string) {
	if value != "" {
		w.attrs.PutStr(key, value)
	}
}

// id returns the part of an id that may be written.
func (w writer) id(key, value string) string {
	return stripControl(w.take(key, value, jira.MaxID))
}

// text returns the part of a text that may be written, as one line.
func (w writer) text(key, value string) string {
	return stripControl(w.take(key, truncateRunes(value, w.opts.MaxText), jira.MaxText))
}

// take returns at most maxBytes bytes of the value of an attribute, within the budget of the record.
func (w writer) take(key, value string, maxBytes int) string {
	return w.budget.take(cmp.Or(w.parent, key), value, maxBytes)
}

// finish writes the keys of the attributes that a limit has cut, and reports whether there are any.
func (w writer) finish() (isCut bool) {
	w.putList(attrRecordTruncated, len(w.budget.cut), func(i int) string { return w.budget.cut[i] })
	return len(w.budget.cut) > 0
}

// body writes the display line of a record.
func (w writer) body(record plog.LogRecord, line string) {
	line = truncateRunes(collapseSpace(line), min(w.opts.MaxText, maxLine))
	record.Body().SetStr(w.take("", line, jira.MaxText))
}

// payload writes the body of the delivery, with its control characters.
func (w writer) payload(body []byte) {
	kept := jira.Cut(body, w.budget.left)
	if len(kept) < len(body) {
		w.budget.markCut(attrRecordOriginal)
	}
	w.put(attrRecordOriginal, w.take(attrRecordOriginal, validUTF8(string(kept)), jira.MaxText))
}

func (w writer) delivery(ev *jira.Event, d Delivery) {
	w.putID(attrWebhookEvent, ev.Name)
	w.putID(attrWebhookIssueEventType, ev.IssueEventType)
	w.putID(attrWebhookID, validUTF8(d.ID))
	w.putID(attrWebhookFlow, validUTF8(d.Flow))
	w.putID(attrWebhookSource, string(ev.Source))
	w.putInt(attrWebhookRetryCount, d.RetryCount)
}

// extra writes the attributes whose keys the record does not contain yet.
func (w writer) extra(attrs []Attribute) {
	for _, attr := range attrs {
		if _, exists := w.attrs.Get(attr.Key); !exists {
			w.putText(attr.Key, validUTF8(attr.Value))
		}
	}
}

func validUTF8(s string) string {
	return strings.ToValidUTF8(s, "\uFFFD")
}

// truncateRunes returns the first maxRunes runes of a text. It copies them, so that the record does not keep the whole
// text in memory.
func truncateRunes(s string, maxRunes int) string {
	if len(s) <= maxRunes { // no text has more runes than bytes
		return s
	}
	runes := 0
	for i := range s {
		if runes == maxRunes {
			return strings.Clone(s[:i])
		}
		runes++
	}
	return s
}
