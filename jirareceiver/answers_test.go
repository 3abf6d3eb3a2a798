// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.uber.org/zap"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// told is an answer.
type told struct {
	status     int
	body       string
	retryAfter string
	allow      string
}

// The answers that there are, to the letter.
var (
	toldOK            = told{200, `{"status": "ok"}`, "", ""}
	toldMalformed     = told{400, `{"error": "body is not a JSON object"}`, "", ""}
	toldUndecodable   = told{400, `{"error": "content encoding cannot be decoded"}`, "", ""}
	toldUnsupported   = told{415, `{"error": "content encoding not supported"}`, "", ""}
	toldUnauthorized  = told{401, `{"error": "unauthorized"}`, "", ""}
	toldNotFound      = told{404, `{"error": "no such path"}`, "", ""}
	toldPostOnly      = told{405, `{"error": "method not allowed"}`, "", "POST"}
	toldGetOnly       = told{405, `{"error": "method not allowed"}`, "", "GET, HEAD"}
	toldInterrupted   = told{408, `{"error": "body incomplete"}`, "", ""}
	toldTooLarge      = told{413, `{"error": "body too large"}`, "", ""}
	toldPermanent     = told{422, `{"error": "pipeline refused the event"}`, "", ""}
	toldExhausted     = told{429, `{"error": "pipeline over capacity"}`, "30", ""}
	toldOverCapacity  = told{429, `{"error": "over capacity"}`, "30", ""}
	toldInternalError = told{500, `{"error": "internal error"}`, "", ""}
	toldUnavailable   = told{503, `{"error": "pipeline unavailable"}`, "30", ""}
	toldInProgress    = told{503, `{"error": "the same delivery is in progress"}`, "30", ""}
	toldDiskFull      = told{503, `{"error": "disk full"}`, "30", ""}
	toldShuttingDown  = told{503, `{"error": "shutting down"}`, "30", ""}
)

func assertTold(t *testing.T, want told, response *http.Response, body string) {
	t.Helper()
	assert.Equal(t, want.status, response.StatusCode)
	if response.Request == nil || response.Request.Method != http.MethodHead {
		assert.JSONEq(t, want.body, body)
	}
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	assert.Equal(t, want.retryAfter, response.Header.Get("Retry-After"))
	assert.Equal(t, want.allow, response.Header.Get("Allow"))
	assert.NotContains(t, fmt.Sprint(response.Header), "hunter2")
}

// assertReason checks under which reason a single refusal was counted. No reason is none.
func assertReason(t *testing.T, reason string, r *running) {
	t.Helper()
	if reason == "" {
		assertNothingRejected(t, r)
		return
	}
	assertRejected(t, r, reason)
}

func at(method, path string) func(*http.Request) {
	return func(r *http.Request) { r.Method, r.URL.Path = method, path }
}

// forged is a signature that only the whole body shows to be wrong.
var forged = signature.Sign([]byte("another secret"), nil)

func gzipped(body string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(body))
	_ = w.Close()
	return b.Bytes()
}

// TestAnswers covers what Jira is told of a request, whatever the pipeline does.
func TestAnswers(t *testing.T) {
	post := at(http.MethodPost, defaultPath)
	encoded := withHeader("Content-Encoding", "gzip")
	limit := func(cfg *Config) { cfg.Server.MaxRequestBodySize = 1000 }
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		body      []byte
		option    func(*http.Request)
		want      told
		reason    string
	}{
		{"event", nil, []byte(createdBody), post, toldOK, ""},
		{"form content type", nil, []byte(createdBody), withHeader("Content-Type", "application/x-www-form-urlencoded"), toldOK, ""},
		{"query of the sender", nil, []byte(createdBody), withQuery("user_id=hunter2&user_key=hunter2"), toldOK, ""},
		{"gzip", nil, gzipped(createdBody), encoded, toldOK, ""},
		{"empty body", nil, nil, post, toldOK, ""},
		{"unknown object", nil, []byte(`{"hunter2": 1}`), post, toldOK, ""},
		{"excluded", func(cfg *Config) { cfg.Jira.Events.Exclude = []string{"*"} }, []byte(createdBody), post, toldOK, ""},
		{"health", nil, nil, at(http.MethodGet, "/health"), toldOK, ""},
		{"health by HEAD", nil, nil, at(http.MethodHead, "/health"), toldOK, ""},
		{"not JSON", nil, []byte(`<hunter2/>`), post, toldMalformed, "malformed"},
		{"no object", nil, []byte(`["hunter2"]`), post, toldMalformed, "malformed"},
		{"gzip by another name", nil, gzipped(createdBody), withHeader("Content-Encoding", "X-GZip"), toldOK, ""},
		{"no encoding, by name", nil, []byte(createdBody), withHeader("Content-Encoding", "Identity"), toldOK, ""},
		{"unknown encoding", nil, []byte(createdBody), withHeader("Content-Encoding", "hunter2"), toldUnsupported, "unsupported_encoding"},
		{"two encodings", nil, gzipped(createdBody), withHeader("Content-Encoding", "gzip, gzip"), toldUnsupported, "unsupported_encoding"},
		{"gzip by its other name in the configuration", func(cfg *Config) { cfg.Server.CompressionAlgorithms = []string{"x-gzip"} }, gzipped(createdBody), encoded, toldOK, ""},
		{"encoding not allowed", func(cfg *Config) { cfg.Server.CompressionAlgorithms = []string{"deflate"} }, gzipped(createdBody), encoded, toldUnsupported, "unsupported_encoding"},
		{"unauthenticated, unknown encoding", requireSignature, []byte(createdBody), withHeader("Content-Encoding", "hunter2"), toldUnauthorized, "missing_signature"},
		{"truncated gzip", nil, gzipped(createdBody)[:40], encoded, toldUndecodable, "undecodable"},
		{"empty gzip", nil, nil, encoded, toldUndecodable, "undecodable"},
		{"not gzip", nil, []byte(createdBody), encoded, toldUndecodable, "undecodable"},
		{"broken gzip", nil, append(gzipped(createdBody)[:40], make([]byte, 80)...), encoded, toldUndecodable, "undecodable"},
		{"no signature", requireSignature, []byte(createdBody), post, toldUnauthorized, "missing_signature"},
		{"wrong signature", requireSignature, []byte(createdBody), withHeader(signature.Header, forged), toldUnauthorized, "bad_signature"},
		{"signature too short", requireSignature, []byte(createdBody), withHeader(signature.Header, "sha256=00"), toldUnauthorized, "malformed_signature"},
		{"secret in the URL", requireSignature, []byte(createdBody), withQuery("secret=hunter2"), toldUnauthorized, "secret_in_query"},
		{"no token", requireToken, []byte(createdBody), post, toldUnauthorized, "missing_token"},
		{"wrong token", requireToken, []byte(createdBody), withQuery("token=hunter2"), toldUnauthorized, "bad_token"},
		{"unauthenticated and not JSON", requireToken, []byte("hunter2"), post, toldUnauthorized, "missing_token"},
		{"wrong path", nil, []byte(createdBody), at(http.MethodPost, "/jira/hunter2"), toldNotFound, "wrong_path"},
		{"path to be cleaned", nil, []byte(createdBody), at(http.MethodPost, "//jira/events"), toldNotFound, "wrong_path"},
		{"escaped slash", nil, []byte(createdBody), func(r *http.Request) { r.URL.RawPath = "/jira%2fevents" }, toldNotFound, "wrong_path"},
		{"escaped letter", nil, []byte(createdBody), func(r *http.Request) { r.URL.RawPath = "/%6Aira/events" }, toldNotFound, "wrong_path"},
		{"no health path", func(cfg *Config) { cfg.Jira.HealthPath = "" }, nil, at(http.MethodGet, "/health"), toldNotFound, "wrong_path"},
		{"wrong method", nil, nil, at(http.MethodGet, defaultPath), toldPostOnly, "wrong_method"},
		{"unknown method", nil, nil, at("HUNTER2", defaultPath), toldPostOnly, "wrong_method"},
		{"health by post", nil, nil, at(http.MethodPost, "/health"), toldGetOnly, "wrong_method"},
		{"too large", limit, bytes.Repeat([]byte(" "), 1001), post, toldTooLarge, "too_large"},
		{"too large after decompression", limit, gzipped(strings.Repeat(" ", 100000)), encoded, toldTooLarge, "too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, &sink{}, tt.configure)
			response, answer := r.post(t, tt.body, tt.option)
			assertTold(t, tt.want, response, answer)
			assertReason(t, tt.reason, r)
		})
	}
}

// TestPipelineErrors covers what Jira is told when the pipeline does not take the event.
func TestPipelineErrors(t *testing.T) {
	inner := errors.New("queue of customer hunter2 is full")
	exhausted := status.Error(grpccodes.ResourceExhausted, "hunter2")
	permanent := consumererror.NewPermanent
	for _, tt := range []struct {
		name   string
		err    error
		want   told
		reason string
	}{
		{"plain", inner, toldUnavailable, "unavailable"},
		{"retryable", consumererror.NewRetryableError(inner), toldUnavailable, "unavailable"},
		{"unavailable", status.Error(grpccodes.Unavailable, "hunter2"), toldUnavailable, "unavailable"},
		{"cancelled", context.Canceled, toldUnavailable, "unavailable"},
		{"queue full", exporterhelper.ErrQueueIsFull, toldUnavailable, "unavailable"},
		{"exhausted", fmt.Errorf("wrapped: %w", exhausted), toldExhausted, "resource_exhausted"},
		{"exhausted, from OTLP over gRPC", consumererror.NewOTLPGRPCError(nil, status.New(grpccodes.ResourceExhausted, "hunter2")), toldExhausted, "resource_exhausted"},
		{"exhausted, from OTLP over HTTP", consumererror.NewOTLPHTTPError(inner, 429), toldExhausted, "resource_exhausted"},
		{"exhausted, called permanent", permanent(exhausted), toldExhausted, "resource_exhausted"},
		{"permanent in one pipeline of two", errors.Join(permanent(inner), inner), toldUnavailable, "unavailable"},
		{"permanent, for two reasons", permanent(errors.Join(inner, inner)), toldPermanent, "permanent"},
		{"exhausted in the second pipeline", errors.Join(permanent(status.Error(grpccodes.InvalidArgument, "")), permanent(exhausted)), toldExhausted, "resource_exhausted"},
		{"permanent in both", errors.Join(permanent(inner), permanent(inner)), toldPermanent, "permanent"},
		{"permanent", fmt.Errorf("wrapped: %w", permanent(inner)), toldPermanent, "permanent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, &sink{err: tt.err}, nil)
			response, answer := r.post(t, []byte(createdBody))
			assertTold(t, tt.want, response, answer)
			assertRejected(t, r, tt.reason)
			assertRecords(t, r, 0, 1)
		})
	}
}

// TestAnswersOfStates covers what Jira is told of a good delivery when the receiver or a real component behind it is in a
// state in which it takes none.
func TestAnswersOfStates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		setUp  func(*testing.T) *running
		want   told
		reason string
	}{
		{"queue full", withFullQueue, toldUnavailable, "unavailable"},
		{"memory limiter", func(t *testing.T) *running {
			t.Helper()
			return start(t, newCacheLimiter(t), nil)
		}, toldUnavailable, "unavailable"},
		{"backend refuses for good", func(t *testing.T) *running {
			t.Helper()
			refuse := func(context.Context, plog.Logs) error { return consumererror.NewPermanent(errors.New("hunter2")) }
			return start(t, newExporter(t, true, refuse), nil)
		}, toldPermanent, "permanent"},
		{"over capacity", func(t *testing.T) *running {
			t.Helper()
			r, _ := withHeld(t, len(createdBody), nil)
			return r
		}, toldOverCapacity, "over_capacity"},
		{"twin in progress", withTwin, toldInProgress, "in_progress"},
		{"shutting down", func(t *testing.T) *running {
			t.Helper()
			r := start(t, consumertest.NewNop(), nil)
			r.handler.calls.Abort(0)
			return r
		}, toldShuttingDown, "shutting_down"},
		{"panic", func(t *testing.T) *running {
			t.Helper()
			return start(t, consumerFunc(func(context.Context, plog.Logs) error { panic("hunter2") }), nil)
		}, toldInternalError, "internal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.setUp(t)
			response, answer := r.post(t, []byte(createdBody), numbered("1"))
			assertTold(t, tt.want, response, answer)
			assertRejected(t, r, tt.reason)
		})
	}
}

// newExporter returns an exporter whose queue holds one request.
func newExporter(t *testing.T, waitForResult bool, send func(context.Context, plog.Logs) error) consumer.Logs {
	t.Helper()
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize, queue.NumConsumers, queue.WaitForResult = 1, 1, waitForResult
	settings := exporter.Settings{ID: component.MustNewID("test"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	e, err := exporterhelper.NewLogs(t.Context(), settings, &struct{}{}, send, exporterhelper.WithQueue(configoptional.Some(queue)))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, e.Shutdown(context.Background())) })
	return e
}

// withFullQueue has one request under way to a backend that does not answer, and one in the queue.
func withFullQueue(t *testing.T) *running {
	t.Helper()
	backend := newGated()
	next := newExporter(t, false, backend.ConsumeLogs)
	t.Cleanup(func() { close(backend.release) })
	require.NoError(t, next.ConsumeLogs(t.Context(), aRecord()))
	wait(t, backend.entered, "export")
	for next.ConsumeLogs(t.Context(), aRecord()) == nil {
		continue // an exporter may take one to hand while another is under way
	}
	return start(t, next, nil)
}

func aRecord() plog.Logs {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	return logs
}

// newCacheLimiter returns a memory_limiter that refuses, since no test gets by with its limit.
func newCacheLimiter(t *testing.T) consumer.Logs {
	t.Helper()
	factory := memorylimiterprocessor.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"check_interval": "1ms", "limit_mib": 1}).Unmarshal(cfg))
	settings := processor.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	limiter, err := factory.CreateLogs(t.Context(), settings, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, limiter.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, limiter.Shutdown(context.Background())) })
	require.Eventually(t, func() bool { return limiter.ConsumeLogs(t.Context(), aRecord()) != nil }, patience, time.Millisecond)
	return limiter
}

// withTwin has a delivery with the number 1 under way, and no time to wait for it.
func withTwin(t *testing.T) *running {
	t.Helper()
	next := newGated()
	r := start(t, next, deduplicate)
	r.handler.cache = dedup.New(dedup.Options{Window: time.Hour, MaxEntries: 1, WaitTimeout: time.Millisecond, Now: r.clock.Now})
	r.inBackground(t, numbered("1"))
	wait(t, next.entered, "first delivery")
	t.Cleanup(func() { close(next.release) })
	return r
}

// TestAnnouncedTooLarge has bodies that would never fit: Jira is not to send them again.
func TestAnnouncedTooLarge(t *testing.T) {
	for _, length := range []int64{defaultMaxInFlight + 1, math.MaxInt64} {
		r := start(t, consumertest.NewNop(), nil)
		response, answer := readAnswer(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", length)))
		assertTold(t, toldTooLarge, response, answer)
		assertRejected(t, r, "too_large")
	}
}

// TestNoHealthPath has a request whose path is as empty as the one configured.
func TestNoHealthPath(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.Jira.HealthPath = "" })
	response, answer := readAnswer(t, r.dial(t, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"))
	assertTold(t, toldNotFound, response, answer)
}

// TestOptionsOfServer has the one request that net/http would answer itself.
func TestOptionsOfServer(t *testing.T) {
	response, answer := readAnswer(t, start(t, consumertest.NewNop(), nil).dial(t, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"))
	assertTold(t, toldNotFound, response, answer)
}

// TestInterruptedBody checks that a sender that stalls gets a code on which Jira tries again.
func TestInterruptedBody(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Server.ReadTimeout = 50 * time.Millisecond })
	conn := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(createdBody), createdBody[:20]))
	response, answer := readAnswer(t, conn)
	assertTold(t, toldInterrupted, response, answer)
	assertRejected(t, r, "interrupted")
	assert.Zero(t, next.LogRecordCount())
}

func TestPanicIsAnswered(t *testing.T) {
	r := start(t, consumerFunc(func(context.Context, plog.Logs) error { panic("hunter2") }), nil)
	response, answer := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
	assert.JSONEq(t, `{"error": "internal error"}`, answer)
	assertRejected(t, r, "internal")
	assert.Len(t, r.telemetry.SpanRecorder.Ended(), 2, "the server's span and obsreport's")
	logged := r.logs.FilterLevelExact(zap.ErrorLevel).All()
	require.Len(t, logged, 1)
	assert.NotContains(t, fmt.Sprint(logged[0].ContextMap()), "hunter2")
	response, _ = r.post(t, nil, withHeader("X-Other", "still serving"))
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
}

// TestNothingConfidentialIsTold looks for what came in where it must not come out: logs, answers and internal telemetry.
func TestNothingConfidentialIsTold(t *testing.T) {
	r := start(t, &sink{err: errors.New("full")}, func(cfg *Config) { requireSignature(cfg); requireToken(cfg) })
	body := `{"hunter2": "hunter2", "issue": {"key": "hunter2"`
	for _, option := range []func(*http.Request){
		withQuery("token=hunter2&user_id=hunter2"),
		withQuery("secret=hunter2"),
		withHeader("X-Jira-Token", "hunter2"),
		withHeader(signature.Header, "hunter2=hunter2"),
		withHeader("Content-Encoding", "hunter2"),
		signedWith(secret, body),
		signedWith(secret, body+"}}"),
	} {
		for _, b := range []string{body, body + "}}"} {
			_, answer := r.post(t, []byte(b), option)
			assert.NotContains(t, answer, "hunter2")
		}
	}
	for _, entry := range r.logs.All() {
		text := entry.Message + fmt.Sprint(entry.ContextMap())
		for _, confidential := range []string{"hunter2", secret, oldSecret, token} {
			assert.NotContains(t, text, confidential)
		}
	}
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		assert.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events()), "hunter2")
	}
}
