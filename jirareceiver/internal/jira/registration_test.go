// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cloudWebhook is the example of Atlassian's page about webhooks of Jira Cloud.
const cloudWebhook = `{"name": "my first webhook via rest", "description": "d", "url": "https://example.com/hook",
	"excludeBody": false, "events": ["jira:issue_created", "jira:issue_updated", null, 7, {}],
	"filters": {"issue-related-events-section": "Project = JRA AND resolution = Fixed", "other": "x"}, "enabled": true,
	"self": "https://your-domain.atlassian.net/rest/webhooks/1.0/webhook/72", "lastUpdated": 1706692865788, "isSigned": true}`

// dataCenterWebhook is a webhook of Data Center 10.
const dataCenterWebhook = `{"id": 3, "name": "n", "url": "https://example.com/hook", "events": ["comment_created"],
	"createdDate": 1706692865000, "updatedDate": 1706692865788, "active": false, "scopeType": "global",
	"configuration": {"FILTERS": "project = A", "EXCLUDE_BODY": "true", "DESCRIPTION": "d", "SECRET": "hunter2"},
	"credentials": {"username": "u", "password": null}, "sslVerificationRequired": false, "statistics": {}}`

var updated = time.UnixMilli(1706692865788).UTC()

func TestDecodeWebhooks(t *testing.T) {
	for body, want := range map[string][]Webhook{
		`[]`: nil,
		`[` + cloudWebhook + `]`: {{
			ID: "72", Name: "my first webhook via rest", URL: "https://example.com/hook", Description: "d",
			Events: []string{"jira:issue_created", "jira:issue_updated", "7"}, JQL: "Project = JRA AND resolution = Fixed",
			HasSecret: new(true), Updated: updated,
		}},
		`[` + dataCenterWebhook + `]`: {{
			ID: "3", Name: "n", URL: "https://example.com/hook", Description: "d", Events: []string{"comment_created"},
			JQL: "project = A", IsDisabled: true, ExcludesBody: true, HasSecret: new(true), HasCredentials: true,
			SkipsTLSVerification: true, Updated: updated,
		}},
		`[null, 1, {}, {"self": "https://a/webhook/5/"}, {"self": "6"}, {"self": "https://a/8", "id": 7}]`: {
			{}, {ID: "5"}, {ID: "6"}, {ID: "7"},
		},
		`[{"configuration": {"SECRET": "", "EXCLUDE_BODY": "false"}, "credentials": null, "enabled": "true"}]`: {{}},
		`[{"isSigned": false, "filters": "a = b", "sslVerificationRequired": true, "active": true}]`:           {{HasSecret: new(false), JQL: "a = b"}},
		`[{"filters": {}, "configuration": {"FILTERS": {"issue-related-events-section": "a = b"}}}]`:           {{JQL: "a = b"}},
	} {
		got, err := DecodeWebhooks(strings.NewReader(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for _, body := range []string{`{}`, `{"values": []}`, `null`, `1`} {
		_, err := DecodeWebhooks(strings.NewReader(body))
		assert.Equal(t, ErrNoList, err, "%s is not an empty list", body)
	}
}

// TestDecodeWebhooksWithoutSecrets checks that no field contains a secret, wherever Jira returns it.
func TestDecodeWebhooksWithoutSecrets(t *testing.T) {
	body := strings.ReplaceAll(`[{"id": 1, "name": "n", "secret": "SECRET", "configuration": {"SECRET": "hunter2", "secret": "hunter2"},
		"credentials": {"username": "hunter2", "password": "hunter2"}, "statistics": {"lastError": "hunter2"}}]`, `"SECRET"`, `"hunter2"`)
	got, err := DecodeWebhooks(strings.NewReader(body))
	require.NoError(t, err)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "hunter2")
	assert.True(t, got[0].HasCredentials)
}

func TestDecodeWebhookStatistics(t *testing.T) {
	for body, want := range map[string]WebhookStatistics{
		`{"counts": {"successes": 90, "failures": 4, "errors": 1, "window": {"start": 1706692865788, "duration": 3600000}},
			"lastError": {"id": 1, "finish": 1706692865788, "request": {"url": "https://a/?token=hunter2"},
				"result": {"outcome": "FAILURE", "description": "503"}}}`: {
			Successes: new(int64(90)), Failures: new(int64(4)), Errors: new(int64(1)), Start: updated, Duration: time.Hour,
			LastErrorAt: updated, LastError: "503",
		},
		`{"counts": {"successes": null, "window": {"duration": -1}}, "lastError": null}`: {},
		`{"counts": {"window": {"duration": 9223372036854775807, "start": 5}}}`:          {},
	} {
		got, err := DecodeWebhookStatistics(strings.NewReader(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for _, body := range []string{`{}`, `{"counts": []}`, `{"lastError": {}}`} {
		_, err := DecodeWebhookStatistics(strings.NewReader(body))
		assert.Equal(t, ErrNoList, err, body)
	}
	_, err := DecodeWebhookStatistics(strings.NewReader(`[]`))
	assert.Equal(t, ErrNotObject, err)
}

func TestDecodePermissions(t *testing.T) {
	got, err := DecodePermissions(strings.NewReader(`{"permissions": {
		"ADMINISTER": {"id": "0", "havePermission": true}, "B": {"havePermission": false}, "C": {}, "D": null, "E": {"havePermission": "true"}}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"ADMINISTER", "E"}, got)
	for _, body := range []string{`{}`, `{"permissions": null}`, `{"permissions": []}`} {
		_, err := DecodePermissions(strings.NewReader(body))
		assert.Equal(t, ErrNoList, err, body)
	}
	many := `{"permissions": {"A": ` + strings.TrimSuffix(strings.Repeat(`{},"A":`, maxRows+1), `,"A":`) + `}}`
	_, err = DecodePermissions(strings.NewReader(many))
	assert.Equal(t, ErrTooLong, err)
}

func TestDecodeStatuses(t *testing.T) {
	got, err := DecodeStatuses(strings.NewReader(`[{"id": "1", "name": "Open", "statusCategory": {"id": 2, "key": "new", "name": "To Do"}},
		null, {"name": "without id"}, {"id": 2, "name": "Open", "scope": {"type": "PROJECT", "project": {"id": "10010"}}}]`))
	require.NoError(t, err)
	assert.Equal(t, []StatusInfo{
		{Status: Status{Named: Named{"1", "Open"}, Category: "new"}},
		{Status: Status{Named: Named{"2", "Open"}}, ProjectID: "10010"},
	}, got)
}

func TestDecodeProjectStatuses(t *testing.T) {
	got, err := DecodeProjectStatuses(strings.NewReader(`[
		{"id": "10001", "name": "Story", "statuses": [{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}, null, {"name": "without id"}]},
		null, 7, {"name": "without statuses"}, {"statuses": {}},
		{"id": "10003", "statuses": [{"id": 1, "name": "Open"}, {"id": "3", "name": "In Progress"}]}]`))
	require.NoError(t, err)
	assert.Equal(t, []StatusInfo{
		{Status: Status{Named: Named{"1", "Open"}, Category: "new"}},
		{Status: Status{Named: Named{"3", "In Progress"}}},
	}, got)
	for _, body := range []string{`{}`, `null`, `{"errorMessages": ["No project could be found with key 'X'."]}`} {
		_, err := DecodeProjectStatuses(strings.NewReader(body))
		assert.Equal(t, ErrNoList, err, body)
	}
}

func TestDecodeProjects(t *testing.T) {
	const list = `[{"id": "10010", "key": "OPS", "name": "Operations"}, null, {"name": "without key"}, {"key": "WEB"}]`
	want := []Project{{Entity: Entity{ID: "10010"}, Key: "OPS", Name: "Operations"}, {Key: "WEB"}}
	got, err := DecodeProjects(strings.NewReader(list))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	page, err := DecodeProjectPage(strings.NewReader(`{"values": ` + list + `, "total": 70, "isLast": false}`))
	require.NoError(t, err)
	assert.Len(t, page.Entries, 4, "odd entries count for the position of the next page")
	assert.Equal(t, int64(70), *page.Total)
	_, err = DecodeProjectPage(strings.NewReader(`[]`))
	assert.Equal(t, ErrNotObject, err)
}

// TestDecodeMessagesOfWebhooks uses the forms of errors of the resources of webhooks.
func TestDecodeMessagesOfWebhooks(t *testing.T) {
	for body, want := range map[string][]string{
		`{"messages": ["a", {}, "b"]}`: {"a", "b"},
		`{"errors": [{"context": "url", "message": "a", "exceptionName": "x"}, {"message": null}, "b"]}`: {"a"},
	} {
		got, err := DecodeMessages(strings.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// FuzzDecodeRegistrations compares the decoders with encoding/json: which input is JSON, and which lists have which
// entries. It also compares input at once with input in pieces.
func FuzzDecodeRegistrations(f *testing.F) {
	for _, seed := range []string{
		`[` + cloudWebhook + `]`, `[` + dataCenterWebhook + `]`, `[null, 1, {}]`, `{"permissions": {"A": {"havePermission": true}}}`,
		`{"counts": {"successes": 1, "window": {"start": 1706692865788, "duration": 5}}, "lastError": {"result": {"description": "d"}}}`,
		`[{"id": 1, "name": "n", "scope": {"project": {"id": 2}}}]`, `{"messages": ["a"], "errors": [{"message": "b"}]}`,
		`[{"statuses": [{"id": 1, "name": "n"}]}]`, `{"values": [{"key": "OPS"}], "total": 1}`,
	} {
		f.Add([]byte(seed))
	}
	decoders := map[string]func(io.Reader) (any, error){
		"webhooks":              func(r io.Reader) (any, error) { return DecodeWebhooks(r) },
		"statistics":            func(r io.Reader) (any, error) { return DecodeWebhookStatistics(r) },
		"permissions":           func(r io.Reader) (any, error) { return DecodePermissions(r) },
		"statuses":              func(r io.Reader) (any, error) { return DecodeStatuses(r) },
		"messages":              func(r io.Reader) (any, error) { return DecodeMessages(r) },
		"statuses of a project": func(r io.Reader) (any, error) { return DecodeProjectStatuses(r) },
		"projects":              func(r io.Reader) (any, error) { return DecodeProjects(r) },
		"a page of projects":    func(r io.Reader) (any, error) { return DecodeProjectPage(r) },
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		isJSON := json.Valid(trimMark(body))
		for name, decode := range decoders {
			got, err := decode(bytes.NewReader(body))
			if err == nil && !isJSON {
				t.Fatalf("%s: accepts input that is not JSON", name)
			}
			if isJSON && err == ErrNotJSON { //nolint:errorlint // decoders return the error itself
				t.Fatalf("%s: takes JSON for something else", name)
			}
			inPieces, errInPieces := decode(iotest.OneByteReader(bytes.NewReader(body)))
			if err != errInPieces || err == nil && !assert.ObjectsAreEqual(got, inPieces) { //nolint:errorlint // as above
				t.Fatalf("%s: %v and %v in pieces", name, err, errInPieces)
			}
		}
		var plain []map[string]any
		webhooks, err := DecodeWebhooks(bytes.NewReader(body))
		if err != nil || json.Unmarshal(trimMark(body), &plain) != nil {
			return
		}
		plain = slices.DeleteFunc(plain, func(w map[string]any) bool { return w == nil })
		if len(webhooks) != len(plain) {
			t.Fatalf("%d webhooks, encoding/json: %d", len(webhooks), len(plain))
		}
	})
}
