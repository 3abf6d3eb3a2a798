// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

var (
	eventName = regexp.MustCompile(`^jira\.[a-z0-9_.]+$`)
	recordID  = regexp.MustCompile(`^([0-9a-f]{32})?$`)
)

// latest is the last instant that a log record can hold.
var latest = time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC)

// FuzzBuild looks for bodies whose records no receiver of OTLP would take, or that break a promise of the
// documentation.
func FuzzBuild(f *testing.F) {
	testbodies.AddTo(f)
	fields := maps.Clone(serviceFields)
	maps.Copy(fields, map[string]string{"customfield_1": "one", "customfield_10016": "story_points", "customfield_10020": "sprint"})
	dec := jira.NewDecoder(slices.Collect(maps.Keys(fields)))
	builder := newBuilder(func(o *Options) {
		o.SplitChanges, o.CustomFields = true, fields
		o.UserDetails, o.Description, o.CommentBody, o.Payload = true, true, true, true
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		ev, err := dec.Decode(body)
		if err != nil {
			return
		}
		logs, remarks := builder.Build(builder.Classify(ev), Delivery{ID: string(body), Payload: body, Received: received})
		records := 1
		if ev.Issue != nil {
			records += len(ev.Changelog.Items)
		}
		got := logs.LogRecordCount()
		if wanted := got == records || remarks.Truncated > 0 && got < records; !wanted {
			t.Fatalf("%d records, want %d", got, records)
		}
		requireValid(t, logs)
		requireNoControl(t, logs)
	})
}

func requireValid(t *testing.T, logs plog.Logs) {
	t.Helper()
	resource := logs.ResourceLogs().At(0)
	requireUTF8(t, "resource", resource.Resource().Attributes().AsRaw())
	for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
		if !eventName.MatchString(record.EventName()) {
			t.Fatalf("event name: %q", record.EventName())
		}
		if at := record.Timestamp().AsTime(); at.Before(time.Unix(0, 1)) || at.After(latest) {
			t.Fatalf("timestamp: %s", at)
		}
		requireOneLine(t, record.Body().Str())
		requireUTF8(t, "attributes", record.Attributes().AsRaw())
		if uid, found := record.Attributes().Get(attrRecordUID); found && !recordID.MatchString(uid.Str()) {
			t.Fatalf("log.record.uid: %q", uid.Str())
		}
		if record.Attributes().Len() == 0 || record.Body().Type() != pcommon.ValueTypeStr {
			t.Fatal("the record says nothing")
		}
	}
	if _, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs); err != nil {
		t.Fatal(err)
	}
	if _, err := (&plog.JSONMarshaler{}).MarshalLogs(logs); err != nil {
		t.Fatal(err)
	}
}

func requireOneLine(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) || strings.ContainsAny(line, "\n\r\x00\x1b\u2028") || utf8.RuneCountInString(line) > 4096 {
		t.Fatalf("display line: %q", line)
	}
}

// requireUTF8 looks into all that is below a value, keys included.
func requireUTF8(t *testing.T, key string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			requireUTF8(t, "key", key)
			requireUTF8(t, key, member)
		}
	case []any:
		for _, element := range value {
			requireUTF8(t, key, element)
		}
	case string:
		if !utf8.ValidString(value) {
			t.Fatalf("%s is not UTF-8: %q", key, value)
		}
	}
}
