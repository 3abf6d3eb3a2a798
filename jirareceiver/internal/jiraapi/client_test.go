// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensionauth"
)

func TestParseEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://acme.atlassian.net":                "https://acme.atlassian.net",
		"https://acme.atlassian.net/":               "https://acme.atlassian.net",
		"https://api.atlassian.com/ex/jira/1a-2b/":  "https://api.atlassian.com/ex/jira/1a-2b",
		"http://jira.example.com:8080/context//":    "http://jira.example.com:8080/context",
		"https://jira.example.com/restaurant":       "https://jira.example.com/restaurant",
		"":                                          "",
		"acme.atlassian.net":                        "",
		"ftp://acme.atlassian.net":                  "",
		"https://":                                  "",
		"https://user:secret@acme.atlassian.net":    "",
		"https://user:sec%zzret@acme.atlassian.net": "",
		"https://acme.atlassian.net?token=secret":   "",
		"https://acme.atlassian.net/#secret":        "",
		"https://acme.atlassian.net/rest/api/2":     "",
		"https://api.atlassian.com":                 "",
		"https://api.atlassian.com/ex/jira":         "",
	} {
		u, err := ParseEndpoint(endpoint)
		if want == "" {
			require.Error(t, err, endpoint)
			assert.NotContains(t, err.Error(), "sec")
			continue
		}
		require.NoError(t, err, endpoint)
		assert.Equal(t, want, u.String())
		assert.Equal(t, strings.Contains(want, "/ex/jira/"), IsGateway(u))
	}
}

// TestEndpointForms checks the path of a request below each form of the endpoint.
func TestEndpointForms(t *testing.T) {
	for _, base := range []string{"", "/", "/jira", "/ex/jira/1a-2b"} {
		s := newSite(t, map[string]http.HandlerFunc{"/": answer(`{"accountId": "5b1"}`)})
		s.url += base
		_, err := s.client(t, nil).Myself(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"GET " + strings.TrimSuffix(base, "/") + "/rest/api/2/myself"}, s.requests())
	}
}

func TestRequestHeaders(t *testing.T) {
	var get, post http.Header
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/myself": func(w http.ResponseWriter, r *http.Request) {
			get = r.Header
			assert.Zero(t, r.ContentLength, "Jira Cloud does not accept the login of a GET request with a body")
			writeJSON(w, http.StatusOK, `{"name": "n"}`)
		},
		"POST /rest/api/2/search": func(w http.ResponseWriter, r *http.Request) {
			post = r.Header
			writeJSON(w, http.StatusOK, `{"issues": []}`)
		},
	})
	c := s.client(t, func(o *Options) { o.UserAgent = "otelcol-jira/1.2" })
	_, err := c.Myself(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Source(DataCenter, Contents{}).CheckBounds(t.Context(), start))
	for _, h := range []http.Header{get, post} {
		assert.Equal(t, "otelcol-jira/1.2", h.Get("User-Agent"))
		assert.Equal(t, "application/json", h.Get("Accept"))
	}
	assert.Equal(t, "application/json", post.Get("Content-Type"))
}

// tokenExtension is an authenticator extension.
type tokenExtension struct {
	component.StartFunc
	component.ShutdownFunc
	err error
}

var _ extensionauth.HTTPClient = tokenExtension{}

func (e tokenExtension) RoundTripper(next http.RoundTripper) (http.RoundTripper, error) {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer secret")
		if e.err != nil {
			return nil, e.err
		}
		return next.RoundTrip(r)
	}), nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

func clientWithExtension(t *testing.T, s *site, ext tokenExtension) *Client {
	t.Helper()
	id := component.MustNewID("token")
	opts := Options{Config: confighttp.NewDefaultClientConfig(), RequestsPerSecond: 1e6, Clock: s.clock}
	opts.Config.Endpoint = s.url
	opts.Config.Auth = configoptional.Some(configauth.Config{AuthenticatorID: id})
	client, err := New(t.Context(), hostWith{id: ext}, componenttest.NewNopTelemetrySettings(), opts)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// TestAuthenticator checks that the extension adds the credentials, and that another host does not receive them.
func TestAuthenticator(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host received a request") }))
	defer other.Close()
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/myself": func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
			http.Redirect(w, r, other.URL+"/login?token=secret", http.StatusFound)
		},
	})
	_, err := clientWithExtension(t, s, tokenExtension{}).Myself(t.Context())
	assert.Equal(t, KindRedirected, KindOf(err))
	assert.NotContains(t, err.Error(), "secret")
	assert.Len(t, s.requests(), 1)
}

// TestErrorsContainNoSecrets uses errors of an extension that quote addresses and the answer of a token server.
func TestErrorsContainNoSecrets(t *testing.T) {
	s := newSite(t, nil)
	for _, cause := range []error{
		errors.New("oauth2: cannot fetch token: 400\nResponse: {\"client_secret\": \"secret\"}"),
		&url.Error{Op: "Post", URL: "https://a/?x=secret", Err: errors.New("refused by https://user:secret@host/path?token=secret now")},
		errors.New(`Get "https://a/b?token=secret#secret": failed`),
	} {
		_, err := clientWithExtension(t, s, tokenExtension{err: cause}).Myself(t.Context())
		assert.Equal(t, KindTemporary, KindOf(err))
		assert.NotContains(t, err.Error(), "secret")
		assert.NotContains(t, err.Error(), s.url, "the address of the request")
		require.ErrorIs(t, err, cause)
		failure, ok := errors.AsType[*Error](err)
		require.True(t, ok)
		require.Len(t, failure.Facts(), 2)
		assert.Equal(t, "/rest/api/2/myself", failure.Facts()[0])
		assert.NotContains(t, failure.Facts()[1], "secret")
	}
	_, err := collect(s.client(t, nil).Source(DataCenter, Contents{}).Changed(t.Context(), Query{JQL: "assignee = secret"}))
	assert.Equal(t, "jira api: search (/rest/api/2/search): status 404: Jira has no such resource, or hides it from the account", err.Error())
}

// TestTextsOfKinds checks that each kind has a message, and that the text of an error contains its message and its hint.
func TestTextsOfKinds(t *testing.T) {
	for _, k := range Kinds() {
		assert.NotEmpty(t, k.Message())
		err := &Error{Kind: k, Operation: OperationMyself, Resource: "/rest/api/2/myself", Status: 401}
		assert.Contains(t, err.Error(), k.Message())
		assert.Contains(t, err.Error(), k.Hint())
		assert.Equal(t, []string{"/rest/api/2/myself", "status 401"}, err.Facts())
	}
	assert.Len(t, Kinds(), 12)
}

// TestKinds checks the kind of each status code and of each odd answer, and how many attempts there are.
func TestKinds(t *testing.T) {
	header := func(key, value string, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set(key, value); next(w, r) }
	}
	html := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<html>Log in</html>")
		}
	}
	for name, tt := range map[string]struct {
		answer   http.HandlerFunc
		want     Kind
		attempts int
	}{
		"success": {answer(`{"accountId": "5b1"}`), "", 1},
		"other JSON type": {header("Content-Type", "x", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.atl+json")
			_, _ = io.WriteString(w, `{"key": "k"}`)
		}), "", 1},
		"no account":      {answer(`{}`), KindUnauthorized, 1},
		"400":             {status(400, `{}`), KindBadRequest, 1},
		"401":             {status(401, `{}`), KindUnauthorized, 1},
		"401 as HTML":     {html(401), KindUnauthorized, 1},
		"403":             {status(403, `{}`), KindForbidden, 1},
		"404":             {status(404, `{}`), KindNotFound, 1},
		"404 as HTML":     {html(404), KindNotFound, 1},
		"405":             {status(405, `{}`), KindBadRequest, 1},
		"408":             {status(408, `{}`), KindTemporary, maxAttempts},
		"410":             {status(410, `{}`), KindGone, 1},
		"429":             {status(429, `{}`), KindThrottled, maxAttempts},
		"429 as HTML":     {html(429), KindThrottled, maxAttempts},
		"500":             {status(500, `{}`), KindTemporary, maxAttempts},
		"502 as HTML":     {html(502), KindTemporary, maxAttempts},
		"503":             {status(503, `{}`), KindThrottled, maxAttempts},
		"204":             {status(204, ``), KindNotJSON, 1},
		"login page":      {html(200), KindNotJSON, 1},
		"no content type": {header("Content-Type", "", answer(`{"accountId": "5b1"}`)), "", 1},
		"HTML as JSON":    {answer(`<html>`), KindNotJSON, 1},
		"cut JSON":        {answer(`{"accountId": "5b1"`), KindNotJSON, 1},
		"array":           {answer(`[]`), KindUnexpected, 1},
		"login failed":    {header("X-Seraph-LoginReason", "AUTHENTICATED_FAILED", answer(`{"accountId": "5b1"}`)), KindUnauthorized, 1},
		"login denied":    {header("X-Seraph-LoginReason", "AUTHENTICATION_DENIED", html(403)), KindUnauthorized, 1},
		"CAPTCHA":         {header("X-Authentication-Denied-Reason", "CAPTCHA_CHALLENGE; login-url=x", html(403)), KindUnauthorized, 1},
		"login OK":        {header("X-Seraph-LoginReason", "OK", answer(`{"accountId": "5b1"}`)), "", 1},
		"same host":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login.jsp", http.StatusFound) }, KindRedirected, 1},
		"cut connection": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"accountId":`)
		}, KindTemporary, maxAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, map[string]http.HandlerFunc{"/": tt.answer})
			var reported []Kind
			c := s.client(t, func(o *Options) { o.OnRequest = func(_ Operation, k Kind) { reported = append(reported, k) } })
			_, err := c.Myself(t.Context())
			assert.Equal(t, tt.want, KindOf(err), err)
			assert.Equal(t, tt.want == "", err == nil)
			assert.Len(t, s.requests(), tt.attempts)
			require.Len(t, reported, tt.attempts)
			assert.Equal(t, tt.want == KindUnauthorized && name == "no account", reported[0] != tt.want)
		})
	}
}

func TestMessagesOfBadRequests(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": status(400, `{"errorMessages": ["Field 'x' does not exist"], "errors": {}}`)})
	_, err := s.client(t, nil).Myself(t.Context())
	failure, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	assert.Equal(t, []string{"Field 'x' does not exist"}, failure.Messages)
	assert.NotContains(t, err.Error(), "Field")
}

func TestNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newSite(t, nil)
	s.url = "http://" + listener.Addr().String()
	listener.Close()
	_, err = s.client(t, nil).ServerInfo(t.Context())
	assert.Equal(t, KindTemporary, KindOf(err))
	assert.Equal(t, []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}, longSleeps(s.clock))
}

// longSleeps returns the times that the client slept, without those for the pace.
func longSleeps(clock *fakeClock) (slept []time.Duration) {
	for _, d := range clock.slept {
		if d > time.Millisecond {
			slept = append(slept, d.Round(time.Millisecond))
		}
	}
	return slept
}

// TestRecovery checks that a request succeeds after failures that pass, and that a 429 makes it wait as long as it
// asks.
func TestRecovery(t *testing.T) {
	var calls atomic.Int32
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.Header().Set("Retry-After", "17")
			writeJSON(w, 429, `{}`)
		case 2:
			w.Header().Set("Date", start.Format(http.TimeFormat))
			w.Header().Set("Retry-After", start.Add(40*time.Second).Format(http.TimeFormat))
			writeJSON(w, 503, `{}`)
		case 3:
			writeJSON(w, 500, `{}`)
		default:
			writeJSON(w, 200, `{"accountId": "5b1"}`)
		}
	}})
	var paused time.Duration
	_, err := s.client(t, func(o *Options) { o.OnPause = func(d time.Duration) { paused += d } }).Myself(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{17 * time.Second, 40 * time.Second, 8 * time.Second}, longSleeps(s.clock))
	assert.Equal(t, 57*time.Second, paused)
}

// TestLongPause checks that no request waits for an hour: all fail until the pause ends.
func TestLongPause(t *testing.T) {
	throttled := true
	s := newSite(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		if !throttled {
			writeJSON(w, 200, `{"accountId": "5b1"}`)
			return
		}
		w.Header().Set("Retry-After", "86400") // more than the client accepts
		writeJSON(w, 429, `{}`)
	}})
	c := s.client(t, nil)
	for range 2 {
		_, err := c.Myself(t.Context())
		failure, ok := errors.AsType[*Error](err)
		require.True(t, ok)
		assert.Equal(t, KindThrottled, failure.Kind)
		assert.WithinDuration(t, start.Add(time.Hour), failure.RetryAt, time.Second)
	}
	assert.Len(t, s.requests(), 1)
	throttled = false
	s.clock.now = start.Add(51 * time.Minute)
	_, err := c.Myself(t.Context())
	require.NoError(t, err)
	assert.False(t, s.clock.Now().Before(start.Add(time.Hour)))
}

// TestBodyLimit uses an answer that is small only as long as it is compressed, and one whose length says that it is
// large.
func TestBodyLimit(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	const maxBody = 100_000
	_, err := io.WriteString(w, `{"accountId": "`+strings.Repeat("x", maxBody)+`"}`)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s := newSite(t, map[string]http.HandlerFunc{
		"/rest/api/2/myself": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			writeJSON(w, 200, zipped.String())
		},
		"/rest/api/2/serverInfo": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(maxBody+1))
			writeJSON(w, 200, `{`)
		},
	})
	assert.Equal(t, int64(64<<20), s.client(t, nil).opts.MaxBody)
	c := s.client(t, func(o *Options) { o.MaxBody = maxBody })
	_, err = c.Myself(t.Context())
	assert.Equal(t, KindTooLarge, KindOf(err), err)
	_, err = c.ServerInfo(t.Context())
	assert.Equal(t, KindTooLarge, KindOf(err), err)
	assert.Len(t, s.requests(), 2, "a large answer is not asked for again")
}

func TestCancellation(t *testing.T) {
	arrived := make(chan struct{})
	s := newSite(t, map[string]http.HandlerFunc{"/": func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}})
	c := s.client(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("shutdown")
	go func() { <-arrived; cancel(cause) }()
	_, err := c.Myself(ctx)
	assert.Equal(t, KindCanceled, KindOf(err))
	require.ErrorIs(t, err, cause)
	_, err = c.Myself(ctx)
	assert.Equal(t, KindCanceled, KindOf(err), "a request with a canceled context is not sent")
	assert.Len(t, s.requests(), 1)
}

// TestTimeout checks that the timeout of the configuration is a failure that passes, and not a cancellation.
func TestTimeout(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	c := s.client(t, func(o *Options) { o.Config.Timeout = time.Millisecond })
	_, err := c.Myself(t.Context())
	assert.Equal(t, KindTemporary, KindOf(err), err)
	assert.Equal(t, defaultTimeout, s.client(t, nil).http.Timeout)
}
