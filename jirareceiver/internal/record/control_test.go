// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// hostile has an escape sequence, line breaks of all kinds, marks of direction, and C0, C1 and DEL.
const hostile = "a\x1b[2Jb\x00c\r\nd\te\u202ef\u009bg\u0085h\u2028i\u2029j\vk\fl\x7fm\u200fn\u2066o\u061cp\rq"

// TestNoControlCharacters puts control characters into each string of each body, of the headers and of the address.
func TestNoControlCharacters(t *testing.T) {
	fields := maps.Clone(serviceFields)
	maps.Copy(fields, map[string]string{"customfield_10016": "story_points", "customfield_10020": "sprint", "customfield_10201": "any"})
	builder := newBuilder(func(o *Options) {
		o.UserDetails, o.Description, o.CommentBody, o.Payload, o.SplitChanges = true, true, true, true, true
		o.CustomFields = fields
	})
	dec := jira.NewDecoder(slices.Collect(maps.Keys(fields)))
	for file, body := range bodies(t) {
		injected, err := json.Marshal(inject(treeOf(t, body)))
		require.NoError(t, err)
		ev, err := dec.Decode(injected)
		require.NoError(t, err)
		classified := builder.Classify(ev)
		classified.Site.URL += hostile
		logs, _ := builder.Build(classified, Delivery{
			ID: hostile, Flow: hostile, Payload: injected, Received: received, Extra: []Attribute{{"extra", hostile}},
		})
		requireNoControl(t, logs)
		record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
		assert.Equal(t, "a[2Jbc d efg h i j k lmnop q", record["extra"], file)
		if !ev.HasHeaders {
			assert.Equal(t, string(injected), record[attrRecordOriginal], file)
		}
	}
}

// inject adds control characters to each string of a tree, except the strings by which the decoder recognizes names and
// formats.
func inject(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if !slices.Contains([]string{"type", "fieldId", "timestamp"}, key) {
				value[key] = inject(member)
			}
		}
	case []any:
		for i, element := range value {
			value[i] = inject(element)
		}
	case string:
		return value + hostile
	}
	return value
}

// requireNoControl looks at all strings of all records.
func requireNoControl(t *testing.T, logs plog.Logs) {
	t.Helper()
	resource := logs.ResourceLogs().At(0)
	requirePlain(t, "resource", resource.Resource().Attributes().AsRaw())
	for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
		requirePlain(t, "body", record.Body().AsRaw())
		requirePlain(t, "attributes", record.Attributes().AsRaw())
	}
}

func requirePlain(t *testing.T, key string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if key != attrRecordOriginal {
				requirePlain(t, key, member)
			}
		}
	case []any:
		for _, element := range value {
			requirePlain(t, key, element)
		}
	case string:
		if strings.ContainsFunc(value, isControl) {
			t.Fatalf("%s has a control character: %q", key, value)
		}
	}
}

func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

func TestStripControl(t *testing.T) {
	assert.Equal(t, "a[2Jbc d efg h i j k lmnop q", stripControl(hostile))
	assert.Equal(t, "Größe 🚀  日本", stripControl("Größe 🚀\r\n\r\n日本"))
	for _, s := range []string{"", "plain", "Größe 🚀"} {
		assert.Equal(t, s, stripControl(s))
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() { stripControl("plain, Größe 🚀") }), "what is clean is not copied")
}
