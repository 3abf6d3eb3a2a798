// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

var (
	cloudInfo      = ServerInfo{Deployment: Cloud, Versions: []int64{1001}}
	oldServer      = ServerInfo{Deployment: DataCenter, Versions: []int64{9, 12, 7}}
	modernServer   = ServerInfo{Deployment: DataCenter, Versions: []int64{10, 3, 1}}
	someSettings   = WebhookSettings{Name: "n", URL: "https://a/hook?token=t0ken", Events: []string{"e1", "e2"}, JQL: "project = A", Secret: "hunter2"}
	plainSettings  = WebhookSettings{Name: "n", URL: "https://a/hook", Events: []string{"e1"}}
	keptSettings   = WebhookSettings{Name: "n", URL: "https://a/hook", Events: []string{"e1"}, Description: "d", SkipsTLSVerification: true}
	everyWebhookOf = []ServerInfo{cloudInfo, oldServer, modernServer}
)

// TestWebhooksOf checks which administration each version has.
func TestWebhooksOf(t *testing.T) {
	c := newSite(t, nil).client(t, nil)
	for _, tt := range []struct {
		info             ServerInfo
		isModern, canSig bool
	}{
		{cloudInfo, false, true},
		{ServerInfo{Deployment: Cloud}, false, true},
		{oldServer, false, false},
		{modernServer, true, true},
		{ServerInfo{Deployment: DataCenter, Versions: []int64{11}}, true, true},
		{ServerInfo{Deployment: DataCenter, Version: "10.0.1"}, true, true},
		{ServerInfo{Deployment: DataCenter, Version: "9.17.0"}, false, false},
		{ServerInfo{Deployment: DataCenter, Version: "x"}, false, false},
		{ServerInfo{Deployment: DataCenter}, false, false},
	} {
		w := c.Webhooks(tt.info)
		assert.Equal(t, []any{tt.isModern, tt.canSig, tt.info.Deployment}, []any{w.HasStatistics(), w.CanSign(), w.Deployment()}, tt.info)
	}
}

// TestWebhookBodies checks the path and the body of each request that writes.
func TestWebhookBodies(t *testing.T) {
	var method, path, body string
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		method, path, body = r.Method, r.URL.Path, string(content)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusCreated)
	}})
	c := s.client(t, nil)
	for _, tt := range []struct {
		info       ServerInfo
		id         string
		settings   WebhookSettings
		path, want string
	}{
		{cloudInfo, "", someSettings, "/rest/webhooks/1.0/webhook", `{"name": "n", "url": "https://a/hook?token=t0ken", "events": ["e1", "e2"],
			"filters": {"issue-related-events-section": "project = A"}, "excludeBody": false, "secret": "hunter2"}`},
		{cloudInfo, "72", keptSettings, "/rest/webhooks/1.0/webhook/72", `{"name": "n", "description": "d", "url": "https://a/hook", "events": ["e1"],
			"filters": {"issue-related-events-section": ""}, "excludeBody": false, "enabled": true}`},
		{oldServer, "", someSettings, "/rest/webhooks/1.0/webhook", `{"name": "n", "url": "https://a/hook?token=t0ken", "events": ["e1", "e2"],
			"filters": {"issue-related-events-section": "project = A"}, "excludeBody": false}`},
		{modernServer, "", someSettings, "/rest/jira-webhook/1.0/webhooks", `{"name": "n", "url": "https://a/hook?token=t0ken", "events": ["e1", "e2"],
			"active": true, "scopeType": "global", "configuration": {"EXCLUDE_BODY": "false", "FILTERS": "project = A", "SECRET": "hunter2"},
			"sslVerificationRequired": true}`},
		{modernServer, "3", keptSettings, "/rest/jira-webhook/1.0/webhooks/3", `{"id": 3, "name": "n", "url": "https://a/hook", "events": ["e1"],
			"active": true, "scopeType": "global", "configuration": {"EXCLUDE_BODY": "false", "DESCRIPTION": "d"}, "sslVerificationRequired": false}`},
	} {
		w, want := c.Webhooks(tt.info), http.MethodPost
		if tt.id == "" {
			require.NoError(t, w.Create(t.Context(), tt.settings))
		} else {
			require.NoError(t, w.Update(t.Context(), tt.id, tt.settings))
			want = http.MethodPut
		}
		assert.Equal(t, want, method)
		assert.Equal(t, tt.path, path)
		assert.JSONEq(t, tt.want, body)
	}
	require.NoError(t, c.Webhooks(cloudInfo).Update(t.Context(), "../../7?x", plainSettings))
	assert.Contains(t, s.requests(), "PUT /rest/webhooks/1.0/webhook/..%2F..%2F7%3Fx", "an id is one part of the path")
	err := c.Webhooks(modernServer).Update(t.Context(), "x", plainSettings)
	assert.Equal(t, KindBadRequest, KindOf(err))
}

// TestAnswersToWrites checks that each write is sent once, which answers are a success, and after which failures Jira may
// have done it.
func TestAnswersToWrites(t *testing.T) {
	body := func(code int, contentType, content string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, content)
		}
	}
	for name, tt := range map[string]struct {
		answer    http.HandlerFunc
		want      Kind
		ambiguous bool
	}{
		"200":        {answer(`{}`), "", false},
		"201":        {status(201, `{}`), "", false},
		"201 empty":  {body(201, "", ""), "", false},
		"204":        {body(204, "", ""), "", false},
		"202 text":   {body(202, "text/plain", "true"), "", false},
		"login page": {body(200, "text/html;charset=UTF-8", "<html>"), KindNotJSON, true},
		"400":        {status(400, `{}`), KindBadRequest, false},
		"401":        {status(401, `{}`), KindUnauthorized, false},
		"403":        {status(403, `{}`), KindForbidden, false},
		"404":        {status(404, `{}`), KindNotFound, false},
		"409":        {status(409, `{}`), KindBadRequest, false},
		"410":        {status(410, `{}`), KindGone, false},
		"429":        {status(429, `{}`), KindThrottled, false},
		"500":        {status(500, `{}`), KindTemporary, true},
		"502 page":   {body(502, "text/html", "<html>"), KindTemporary, true},
		"503":        {status(503, `{}`), KindThrottled, true},
		"408":        {status(408, `{}`), KindTemporary, true},
		"redirect":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, KindRedirected, true},
		"no answer":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, KindTemporary, true},
		"cut answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"self":`)
		}, KindTemporary, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, info := range everyWebhookOf {
				s := newSite(t, map[string]http.HandlerFunc{"/": tt.answer})
				w := s.client(t, nil).Webhooks(info)
				for n, write := range []func() error{
					func() error { return w.Create(t.Context(), someSettings) },
					func() error { return w.Update(t.Context(), "1", someSettings) },
				} {
					err := write()
					assert.Equal(t, tt.want, KindOf(err), err)
					assert.Equal(t, tt.want == "", err == nil)
					assert.Equal(t, tt.ambiguous, MayHaveSucceeded(err))
					if err != nil {
						assert.NotContains(t, err.Error(), "hunter2")
						assert.NotContains(t, err.Error(), "t0ken")
					}
					assert.Len(t, s.requests(), n+1, "each write is sent once")
				}
			}
		})
	}
	assert.True(t, MayHaveSucceeded(errors.New("other")))
	assert.False(t, MayHaveSucceeded(nil))
	assert.False(t, MayHaveSucceeded(&Error{Kind: KindThrottled}), "a request that waits for the end of a pause is not sent")
}

// TestNoRepetitionByTheTransport ends a connection that was used before, during a request that writes. net/http repeats
// a request that reads in this case.
func TestNoRepetitionByTheTransport(t *testing.T) {
	var writes atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			writeJSON(w, 200, `[]`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		writes.Add(1)
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
	}))
	defer server.Close()
	s := newSite(t, nil)
	s.url = server.URL
	w := s.client(t, nil).Webhooks(cloudInfo)
	for n := range int32(3) {
		_, err := w.List(t.Context())
		require.NoError(t, err)
		err = w.Update(t.Context(), "1", plainSettings)
		assert.True(t, MayHaveSucceeded(err))
		assert.Equal(t, n+1, writes.Load())
	}
}

// TestMessagesContainNoSecret uses a Jira whose explanation repeats the request.
func TestMessagesContainNoSecret(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		text, _ := json.Marshal(string(content))
		writeJSON(w, 400, `{"messages": [`+string(text)+`, "JQL"], "errors": [{"message": "hunter2 is not valid"}]}`)
	}})
	for _, info := range []ServerInfo{cloudInfo, modernServer} {
		err := s.client(t, nil).Webhooks(info).Create(t.Context(), someSettings)
		failure, ok := errors.AsType[*Error](err)
		require.True(t, ok)
		require.Len(t, failure.Messages, 3)
		assert.Contains(t, failure.Messages[0], "https://a/hook[REDACTED]")
		assert.Equal(t, []string{"JQL", "[REDACTED] is not valid"}, failure.Messages[1:])
		text := fmt.Sprintf("%+v %v", failure, failure.Messages)
		assert.NotContains(t, text, "hunter2")
		assert.NotContains(t, text, "t0ken")
	}
}

func TestSecretsAreNotFormatted(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		assert.NotContains(t, fmt.Sprintf(format, someSettings), "hunter2")
		assert.Equal(t, "[REDACTED]", fmt.Sprintf(format, someSettings.Secret))
	}
}

func TestRedirectOfAWrite(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host received a request") }))
	defer other.Close()
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/?secret=hunter2", http.StatusTemporaryRedirect)
	}})
	for _, info := range everyWebhookOf {
		err := s.client(t, nil).Webhooks(info).Create(t.Context(), someSettings)
		assert.Equal(t, KindRedirected, KindOf(err))
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func webhookIDs(webhooks []jira.Webhook) (ids []string) {
	for _, w := range webhooks {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestListOldWebhooks(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/webhooks/1.0/webhook": answer(`[{"name": "a", "self": "https://other.example.com/rest/webhooks/1.0/webhook/72"}, {"self": "https://a/73"}]`),
	})
	for _, info := range []ServerInfo{cloudInfo, oldServer} {
		got, err := s.client(t, nil).Webhooks(info).List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"72", "73"}, webhookIDs(got))
	}
}

// TestListPages uses lists that are shorter and longer than pages, and a Jira that ignores the position.
func TestListPages(t *testing.T) {
	for _, size := range []int{1, 2, 3, 25, 1000} {
		for _, count := range []int{0, 1, 2, 3, 4, 24, 25, 26, 49, 50, 51} {
			for _, ignoresStart := range []bool{false, true} {
				if ignoresStart && size < count || size == 1 && count > 1 {
					continue // such a Jira does not return the whole list
				}
				s := newSite(t, map[string]http.HandlerFunc{"GET /rest/jira-webhook/1.0/webhooks": func(w http.ResponseWriter, r *http.Request) {
					start, _ := strconv.Atoi(r.FormValue("start"))
					if ignoresStart {
						start = 0
					}
					assert.Equal(t, "1000", r.FormValue("limit"))
					list := numbers(1, count)[min(start, count):]
					writeJSON(w, 200, rows(list[:min(size, len(list))]))
				}})
				got, err := s.client(t, nil).Webhooks(modernServer).List(t.Context())
				require.NoError(t, err)
				assert.Equal(t, numbers(1, count), webhookIDs(got), "%d in pages of %d", count, size)
			}
		}
	}
}

// TestListThatChanges deletes a webhook between two pages, once and before each page.
func TestListThatChanges(t *testing.T) {
	for _, deletions := range []int{1, 50} {
		list := numbers(1, 60)
		requests := 0
		s := newSite(t, map[string]http.HandlerFunc{"GET /rest/jira-webhook/1.0/webhooks": func(w http.ResponseWriter, r *http.Request) {
			start, _ := strconv.Atoi(r.FormValue("start"))
			if start > 0 && requests < deletions {
				requests++
				list = slices.Delete(list, 0, 1)
			}
			page := list[min(start, len(list)):]
			writeJSON(w, 200, rows(page[:min(25, len(page))]))
		}})
		got, err := s.client(t, nil).Webhooks(modernServer).List(t.Context())
		if deletions > 1 {
			assert.Equal(t, KindUnexpected, KindOf(err))
			assert.Empty(t, got)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, numbers(2, 60), webhookIDs(got))
	}
}

// TestIncompleteLists uses answers after which a webhook must not be registered.
func TestIncompleteLists(t *testing.T) {
	for body, want := range map[string]Kind{
		`[{"name": "without id"}]`: KindUnexpected, `{}`: KindUnexpected, `null`: KindUnexpected, `<html>`: KindNotJSON, `[{"id": 1}`: KindNotJSON,
	} {
		s := newSite(t, map[string]http.HandlerFunc{"/": answer(body)})
		for _, info := range everyWebhookOf {
			_, err := s.client(t, nil).Webhooks(info).List(t.Context())
			assert.Equal(t, want, KindOf(err), body)
		}
	}
}

func TestWebhookStatistics(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"GET /rest/jira-webhook/1.0/webhooks/3/statistics": answer(
		`{"counts": {"successes": 1, "failures": 2, "errors": 3, "window": {"start": 1706692865788, "duration": 60000}},
			"lastError": {"finish": 1706692865788, "result": {"description": "Connect to https://u:hunter2@a/hook?token=hunter2 failed\nhunter2"}}}`)})
	got, err := s.client(t, nil).Webhooks(modernServer).Statistics(t.Context(), "3")
	require.NoError(t, err)
	at := time.UnixMilli(1706692865788).UTC()
	assert.Equal(t, jira.WebhookStatistics{
		Successes: new(int64(1)), Failures: new(int64(2)), Errors: new(int64(3)), Start: at, Duration: time.Minute,
		LastErrorAt: at, LastError: "Connect to https://a/hook failed",
	}, got)
}

func TestIsAdministrator(t *testing.T) {
	for body, want := range map[string]bool{
		`{"permissions": {"ADMINISTER": {"havePermission": true}}}`:  true,
		`{"permissions": {"ADMINISTER": {"havePermission": false}}}`: false,
		`{"permissions": {}}`: false,
	} {
		s := newSite(t, map[string]http.HandlerFunc{"GET /rest/api/2/mypermissions": answer(body)})
		is, err := s.client(t, nil).IsAdministrator(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, is)
		assert.Equal(t, []string{"GET /rest/api/2/mypermissions?permissions=ADMINISTER"}, s.requests())
	}
}

func TestCanBrowse(t *testing.T) {
	for body, want := range map[string]bool{
		`{"permissions": {"BROWSE_PROJECTS": {"havePermission": true}}}`:  true,
		`{"permissions": {"BROWSE_PROJECTS": {"havePermission": false}}}`: false,
	} {
		s := newSite(t, map[string]http.HandlerFunc{"GET /rest/api/2/mypermissions": answer(body)})
		can, err := s.client(t, nil).CanBrowse(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, can)
		assert.Equal(t, []string{"GET /rest/api/2/mypermissions?permissions=BROWSE_PROJECTS"}, s.requests())
	}
}

func TestStatuses(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"GET /rest/api/2/status": answer(`[{"id": "1", "name": "Open", "statusCategory": {"key": "new"}}]`)})
	got, err := s.client(t, nil).Statuses(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []jira.StatusInfo{{Status: jira.Status{Named: jira.Named{ID: "1", Name: "Open"}, Category: "new"}}}, got)
}

func TestProjectStatuses(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/project/{key}/statuses": answer(`[{"statuses": [{"id": "1", "name": "Open"}]}, {"statuses": [{"id": "1"}]}]`),
		"GET /rest/api/2/project/NOPE/statuses":  status(http.StatusNotFound, `{"errorMessages": ["No project could be found with key 'NOPE'."]}`),
	})
	client := s.client(t, nil)
	got, err := client.ProjectStatuses(t.Context(), "OPS")
	require.NoError(t, err)
	assert.Equal(t, []jira.StatusInfo{{Status: jira.Status{Named: jira.Named{ID: "1", Name: "Open"}}}}, got)
	_, err = client.ProjectStatuses(t.Context(), "NOPE")
	assert.Equal(t, KindNotFound, KindOf(err))
	_, err = client.ProjectStatuses(t.Context(), "../OPS")
	require.NoError(t, err)
	assert.Equal(t, "GET /rest/api/2/project/..%2FOPS/statuses", s.requests()[2])
}

func TestProjects(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/project/search": answer(`{"values": [{"key": "OPS"}, {}, {"key": "WEB"}], "total": 70, "isLast": false}`),
		"GET /rest/api/2/project":        answer(`[{"key": "WEB"}, {"key": "BILL"}, {"key": "OPS"}]`),
	})
	client := s.client(t, nil)
	keys, total, err := client.Projects(t.Context(), Cloud, 3)
	require.NoError(t, err)
	assert.Equal(t, []string{"OPS", "WEB"}, keys)
	assert.Equal(t, 70, total)
	keys, total, err = client.Projects(t.Context(), DataCenter, 2)
	require.NoError(t, err)
	assert.Equal(t, []string{"BILL", "OPS"}, keys)
	assert.Equal(t, 3, total)
	assert.Equal(t, []string{
		"GET /rest/api/2/project/search?action=browse&maxResults=3&orderBy=key&startAt=0", "GET /rest/api/2/project",
	}, s.requests())
}
