// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

func decode(t *testing.T, body string) *Event {
	t.Helper()
	ev, err := NewDecoder(nil).Decode([]byte(body))
	require.NoError(t, err, body)
	return ev
}

func TestDecodeRejectsOnlyNonObjects(t *testing.T) {
	for body, want := range map[string]error{
		`{`:                            ErrNotJSON,
		`{"a":1,}`:                     ErrNotJSON,
		`{"a":1} x`:                    ErrNotJSON,
		`{"a":1}{}`:                    ErrNotJSON,
		`{"timestamp":01}`:             ErrNotJSON,
		`{"issue":{"key":"A-1}`:        ErrNotJSON,
		`{"issue":{"id":"a` + "\n\"}}": ErrNotJSON,
		"  ":                           ErrNotJSON,
		`<html></html>`:                ErrNotJSON,
		`[]`:                           ErrNotObject,
		`[{"webhookEvent":"a"}]`:       ErrNotObject,
		`"text"`:                       ErrNotObject,
		`null`:                         ErrNotObject,
		`42`:                           ErrNotObject,
	} {
		_, err := NewDecoder(nil).Decode([]byte(body))
		assert.Equal(t, want, err, body)
	}
}

func TestDecodeTakesAnyType(t *testing.T) {
	values := []string{`null`, `""`, `"text"`, `0`, `-1.5e3`, `true`, `[]`, `{}`, `[null, 1, "a", {}, []]`, `{"id": {}, "name": [], "items": 1, "fields": null}`}
	keys := []string{
		"webhookEvent", "issue_event_type_name", "timestamp", "user", "issue", "changelog", "transition", "accountId",
		"fields", "id", "key", "self", "comment", "version",
	}
	fields := []string{
		"summary", "description", "labels", "components", "fixVersions", "versions", "created", "updated", "resolutiondate", "duedate",
		"issuetype", "status", "priority", "resolution", "security", "parent", "assignee", "reporter", "creator", "project",
	}
	for _, value := range values {
		for _, key := range keys {
			decode(t, `{"`+key+`": `+value+`}`)
		}
		for _, field := range fields {
			decode(t, `{"issue": {"fields": {"`+field+`": `+value+`}}}`)
		}
		decode(t, `{"issue": {"fields": {"status": {"statusCategory": `+value+`}, "project": {"projectCategory": `+value+`}}}}`)
		decode(t, `{"changelog": {"items": [`+value+`, {"field": `+value+`, "from": `+value+`, "tmpToAccountId": `+value+`}]}}`)
	}
}

func TestDecodeSource(t *testing.T) {
	for body, want := range map[string]Source{
		``:                                   SourceUnknown,
		`{}`:                                 SourceUnknown,
		`{"anything": 1}`:                    SourceUnknown,
		`{"webhookEvent": "sprint_started"}`: SourceWebhook,
		`{"webhookEvent": "jira:issue_updated", "transition": {}, "issue": {}}`: SourceWebhook,
		`{"transition": {}, "issue": {}, "comment": ""}`:                        SourcePostFunction,
		`{"issue": {}}`:                                          SourceAutomation,
		`{"id": 10, "key": "A-1", "fields": {}}`:                 SourceAutomation,
		`{"id": 10, "key": "A-1"}`:                               SourceUnknown,
		`{"accountId": "5b1", "username": "u"}`:                  SourceWebhook,
		`{"accountId": "5b1", "message": "deploy started"}`:      SourceUnknown,
		`{"accountId": "5b1", "username": "u", "message": "hi"}`: SourceUnknown,
		`{"accountId": "5b1"}`:                                   SourceUnknown,
		`{"accountId": "5b1", "issue": {"id": "1"}}`:             SourceAutomation,
	} {
		assert.Equal(t, want, decode(t, body).Source, body)
	}
}

func TestDecodeIssueOfAutomation(t *testing.T) {
	bare := decode(t, `{"self": "https://a/rest/api/2/issue/7", "id": 7, "key": "A-1", "fields": {"summary": "s", "created": 1595886387039}}`)
	wrapped := decode(t, `{"issue": {"self": "https://a/rest/api/2/issue/7", "id": 7, "key": "A-1", "fields": {"summary": "s", "created": 1595886387039}}}`)
	assert.Equal(t, bare, wrapped)
	assert.Equal(t, &Issue{
		ID: "7", Key: "A-1", Self: "https://a/rest/api/2/issue/7", Summary: "s",
		Created: time.Date(2020, 7, 27, 21, 46, 27, 39e6, time.UTC),
	}, bare.Issue)
	assert.Equal(t, "9", decode(t, `{"id": 7, "fields": {}, "issue": {"id": 9}}`).Issue.ID, "the issue by name wins over the bare one")
}

func TestDecodeInstants(t *testing.T) {
	want := time.Date(2020, 7, 28, 21, 12, 54, 883e6, time.UTC)
	for value, want := range map[string]time.Time{
		`1595970774883`:                       want,
		`"1595970774883"`:                     want,
		`"2020-07-28T14:12:54.883-0700"`:      want,
		`"2020-07-28T14:12:54.883-07:00"`:     want,
		`"2020-07-28T21:12:54.883Z"`:          want,
		`"2020-07-28T21:12:54Z"`:              want.Truncate(time.Second),
		`1595970774883.0`:                     want,
		`1.595970774883E12`:                   want,
		`"1.595970774883e12"`:                 want,
		`1595970774`:                          want.Truncate(time.Second),
		`"1595970774"`:                        want.Truncate(time.Second),
		`1595970774.883`:                      want,
		`1.595970774E9`:                       want.Truncate(time.Second),
		`999999999`:                           time.Date(2001, 9, 9, 1, 46, 39, 0, time.UTC),
		`99999999`:                            {}, // as seconds and as milliseconds, in the seventies
		`99999999999`:                         {},
		`9999999999`:                          {}, // as seconds, after 2262
		`"9223372036854"`:                     time.UnixMilli(9223372036854).UTC(),
		`"9223372036855"`:                     {},
		`"2300-01-01T00:00:00.000+0000"`:      {},
		`"0x1p40"`:                            {}, // a spelling of Go
		`"0x_1p40"`:                           {},
		`"+1595970774883"`:                    {},
		`"1_595_970_774_883"`:                 {},
		`"Infinity"`:                          {},
		`-1`:                                  {},
		`0`:                                   {},
		`1.5`:                                 {},
		`99999999999999999999999`:             {},
		`"[2026-01-01 10:00:00] info: hello"`: {},
	} {
		assert.Equal(t, want, decode(t, `{"timestamp": `+value+`}`).Timestamp, value)
	}
}

// TestDecodeByteOrderMark uses bodies that start with byte order marks. The first one does not count.
func TestDecodeByteOrderMark(t *testing.T) {
	const mark, body = "\xef\xbb\xbf", `{"webhookEvent": "a"}`
	assert.Equal(t, decode(t, body), decode(t, mark+body))
	assert.Equal(t, decode(t, ""), decode(t, mark))
	assert.Equal(t, Fingerprint([]byte(body)), Fingerprint([]byte(mark+body)))
	assert.True(t, IsEmpty([]byte(mark)))
	for _, other := range []string{mark + mark + body, " " + mark + body, mark[:2] + body, body + mark} {
		_, err := NewDecoder(nil).Decode([]byte(other))
		assert.Equal(t, ErrNotJSON, err, "%q", other)
	}
}

func TestDecodeText(t *testing.T) {
	for value, want := range map[string]string{
		`"a \u00e4 \ud83d\ude80 \" \n"`: "a ä 🚀 \" \n",
		`"lone \ud83d surrogate"`:       "lone \uFFFD surrogate",
		"\"not \xff UTF-8\"":            "not \uFFFD UTF-8",
		`12.50`:                         "12.5",
		`20001.0`:                       "20001",
		`1.001E4`:                       "10010",
		`-1.5e-3`:                       "-0.0015",
		`0.0`:                           "0",
		`1e999`:                         "1e999",
		`"20001.0"`:                     "20001.0", // a text is not a number
		`true`:                          "",
	} {
		assert.Equal(t, want, decode(t, `{"webhookEvent": `+value+`}`).Name, value)
	}
	document := `{"type": "table", "content": []}`
	assert.Equal(t, document, decode(t, `{"issue": {"fields": {"description": `+document+`}}}`).Issue.Description)
	assert.Equal(t, "2026-03-06", decode(t, `{"issue": {"fields": {"duedate": "2026-03-06"}}}`).Issue.DueDate)
	assert.Empty(t, decode(t, `{"issue": {"fields": {"duedate": "6/Mar/26"}}}`).Issue.DueDate)
}

// TestDecodeEntities uses each key under which events contain their subject, and one body with two subjects.
func TestDecodeEntities(t *testing.T) {
	for _, key := range []string{"comment", "worklog", "attachment", "issueLink", "sprint", "board", "configuration", "project", "version", "filter", "issuetype"} {
		assert.Equal(t, "7", decode(t, `{"webhookEvent": "a", "`+key+`": {"id": 7}}`).Entity().ID, key)
	}
	assert.Equal(t, Entity{ID: "1"}, decode(t, `{"comment": "", "version": {"id": "1"}, "project": {"id": "2", "self": "x"}}`).Entity())
}

func TestDecodeSmallObjects(t *testing.T) {
	ev := decode(t, `{"issue": {"fields": {"status": "Open", "priority": "High", "labels": ["a", null, {"name": "b"}, 1]}}, "changelog": {"items": [null, 1, {}, {"field": "x"}]}}`)
	assert.Equal(t, "Open", ev.Issue.Status.Name)
	assert.Equal(t, "High", ev.Issue.Priority.Name)
	assert.Equal(t, []string{"a", "b"}, ev.Issue.Labels.List)
	assert.Equal(t, []Change{{Field: "x"}}, ev.Changelog.Items, "an empty entry is not a change")
}

func TestDecodeDuplicateKeysLastWins(t *testing.T) {
	ev := decode(t, `{"webhookEvent": "a", "webhookEvent": "b", "changelog": {"items": [{"to": "1"}, {"to": "2"}]}, "changelog": {"items": [{"to": "3"}]}}`)
	assert.Equal(t, "b", ev.Name)
	assert.Len(t, ev.Changelog.Items, 1)
}

// FuzzDecode compares the decoder with encoding/json: both accept the same bodies, and read the same event name.
func FuzzDecode(f *testing.F) {
	testbodies.AddTo(f)
	for _, seed := range []string{`[]`, `{"a":1}{}`, `{"timestamp":1e400}`, `{"webhookEvent":"\ud800"}`, "{\"key\":\"\xff\"}", `nul`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ev, err := NewDecoder(nil).Decode(body)
		var plain map[string]json.RawMessage
		body = trimMark(body)
		isObject := json.Unmarshal(body, &plain) == nil && plain != nil
		if accepted := err == nil; accepted != (isObject || len(body) == 0) {
			t.Fatalf("accepted: %v, is an object: %v", accepted, isObject)
		}
		if err != nil || len(body) == 0 {
			return
		}
		if !utf8.ValidString(ev.Name) || ev.Issue != nil && !utf8.ValidString(ev.Issue.Summary) {
			t.Fatal("text is not UTF-8")
		}
		var name string
		sameText := utf8.Valid(body) && !strings.Contains(string(body), `\u`)
		if sameText && json.Unmarshal(plain["webhookEvent"], &name) == nil && name != ev.Name {
			t.Fatalf("webhookEvent: %q, encoding/json: %q", ev.Name, name)
		}
	})
}

// BenchmarkDecode compares the decoder with encoding/json, which fills only six fields.
func BenchmarkDecode(b *testing.B) {
	dec := NewDecoder(nil)
	for _, name := range []string{"comment", "issue_10k", "issue_100k"} {
		body := testbodies.Read(b, "bench/"+name)
		b.Run(name+"/jx", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if ev, err := dec.Decode(body); err != nil || ev.Issue.Key != "OPS-42" {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding_json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var ev sixFields
				if err := json.Unmarshal(body, &ev); err != nil || ev.Issue.Key != "OPS-42" {
					b.Fatal(err)
				}
			}
		})
	}
}

type sixFields struct {
	WebhookEvent string
	Timestamp    int64
	Issue        struct {
		ID, Key string
		Fields  struct {
			Summary string
			Status  struct{ Name string }
		}
	}
}
