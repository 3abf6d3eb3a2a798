// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
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

	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// TestRejections compares the table with metadata.yaml, and checks the table itself.
func TestRejections(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	documented := regexp.MustCompile(`(?s)\n {2}reason:.*?enum: \[(.*?)\]`).FindStringSubmatch(string(content))
	require.NotEmpty(t, documented)
	reasons := []string{internalFault.reason}
	for _, row := range rejections {
		assert.Same(t, row, rejectionOf(row.cause), row.reason)
		assert.Same(t, row, rejectionOf(fmt.Errorf("wrapped: %w", row.cause)), row.reason)
		assert.GreaterOrEqual(t, row.status, 400, row.reason)
		assert.NotEmpty(t, row.message, row.reason)
		assert.NotEmpty(t, row.hint, row.reason)
		reasons = append(reasons, row.reason)
	}
	slices.Sort(reasons)
	assert.Equal(t, documented[1], strings.Join(slices.Compact(reasons), ", "))
	assert.Same(t, internalFault, rejectionOf(errors.New("a new sentinel")), "no error without an answer")
	assert.Equal(t, errPermanent, rejectionOf(&pipelineError{errPermanent, jira.ErrNotJSON}).cause, "whatever the pipeline returns")
}

// TestOperationsPage compares the table of reasons and the table of status codes on the page with the code.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	type cells struct{ reason, hint string }
	var rows []cells
	codes := map[cells][]string{}
	for _, rejected := range append(slices.Clone(rejections), internalFault) {
		row, code := cells{rejected.reason, rejected.hint}, strconv.Itoa(rejected.status)
		assert.Contains(t, string(page), "\n| "+code+" | ", "the table of status codes")
		if codes[row] == nil {
			rows = append(rows, row)
		}
		if !slices.Contains(codes[row], code) {
			codes[row] = append(codes[row], code)
		}
	}
	table := []string{"| `reason` | status code | what to do |", "|---|---|---|"}
	for _, row := range rows {
		slices.Sort(codes[row])
		table = append(table, "| `"+row.reason+"` | "+strings.Join(codes[row], " or ")+" | "+row.hint+" |")
	}
	documented := regexp.MustCompile("(?m)^\\| `reason` .*\n(\\|.*\n)*").FindString(string(page))
	assert.Equal(t, strings.Join(table, "\n")+"\n", documented, "the table of reasons")
}

// TestAnswers covers the responses that do not depend on the pipeline.
func TestAnswers(t *testing.T) {
	t.Parallel()
	post := withTarget(http.MethodPost, defaultPath)
	encoded := withHeader("Content-Encoding", "gzip")
	limit := func(cfg *Config) { cfg.ServerConfig.MaxRequestBodySize = 1000 }
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		body      []byte
		option    func(*http.Request)
		reason    string
	}{
		{"event", nil, []byte(createdBody), post, ""},
		{"form content type", nil, []byte(createdBody), withHeader("Content-Type", "application/x-www-form-urlencoded"), ""},
		{"query of the sender", nil, []byte(createdBody), withQuery("user_id=hunter2&user_key=hunter2"), ""},
		{"gzip", nil, gzipped(createdBody), encoded, ""},
		{"empty body", nil, nil, post, ""},
		{"unknown object", nil, []byte(`{"hunter2": 1}`), post, ""},
		{"excluded", func(cfg *Config) { cfg.Events.Exclude = []string{"*"} }, []byte(createdBody), post, ""},
		{"health", nil, nil, withTarget(http.MethodGet, "/health"), ""},
		{"health by HEAD", nil, nil, withTarget(http.MethodHead, "/health"), ""},
		{"not JSON", nil, []byte(`<hunter2/>`), post, "malformed"},
		{"not an object", nil, []byte(`["hunter2"]`), post, "malformed"},
		{"gzip by another name", nil, gzipped(createdBody), withHeader("Content-Encoding", "X-GZip"), ""},
		{"no encoding, by name", nil, []byte(createdBody), withHeader("Content-Encoding", "Identity"), ""},
		{"unknown encoding", nil, []byte(createdBody), withHeader("Content-Encoding", "hunter2"), "undecodable by name"},
		{"two encodings", nil, gzipped(createdBody), withHeader("Content-Encoding", "gzip, gzip"), "undecodable by name"},
		{"gzip by its other name in the configuration", func(cfg *Config) { cfg.ServerConfig.CompressionAlgorithms = []string{"x-gzip"} }, gzipped(createdBody), encoded, ""},
		{"encoding not allowed", func(cfg *Config) { cfg.ServerConfig.CompressionAlgorithms = []string{"deflate"} }, gzipped(createdBody), encoded, "undecodable by name"},
		{"unauthenticated, unknown encoding", requireSignature, []byte(createdBody), withHeader("Content-Encoding", "hunter2"), "missing_signature"},
		{"truncated gzip", nil, gzipped(createdBody)[:40], encoded, "undecodable"},
		{"empty gzip", nil, nil, encoded, "undecodable"},
		{"not gzip", nil, []byte(createdBody), encoded, "undecodable"},
		{"broken gzip", nil, append(gzipped(createdBody)[:40], make([]byte, 80)...), encoded, "undecodable"},
		{"no signature", requireSignature, []byte(createdBody), post, "missing_signature"},
		{"wrong signature", requireSignature, []byte(createdBody), withHeader(signature.Header, forgedSignature), "bad_signature"},
		{"signature too short", requireSignature, []byte(createdBody), withHeader(signature.Header, "sha256=00"), "malformed_signature"},
		{"secret in the URL", requireSignature, []byte(createdBody), withQuery("secret=hunter2"), "secret_in_query"},
		{"no token", requireToken, []byte(createdBody), post, "missing_token"},
		{"wrong token", requireToken, []byte(createdBody), withQuery("token=hunter2"), "bad_token"},
		{"unauthenticated and not JSON", requireToken, []byte("hunter2"), post, "missing_token"},
		{"wrong path", nil, []byte(createdBody), withTarget(http.MethodPost, "/jira/hunter2"), "wrong_path"},
		{"path to be cleaned", nil, []byte(createdBody), withTarget(http.MethodPost, "//jira/events"), "wrong_path"},
		{"escaped slash", nil, []byte(createdBody), func(r *http.Request) { r.URL.RawPath = "/jira%2fevents" }, "wrong_path"},
		{"escaped letter", nil, []byte(createdBody), func(r *http.Request) { r.URL.RawPath = "/%6Aira/events" }, "wrong_path"},
		{"no health path", func(cfg *Config) { cfg.HealthPath = "" }, nil, withTarget(http.MethodGet, "/health"), "wrong_path"},
		{"wrong method", nil, nil, withTarget(http.MethodGet, defaultPath), "wrong_method"},
		{"unknown method", nil, nil, withTarget("HUNTER2", defaultPath), "wrong_method"},
		{"health by post", nil, nil, withTarget(http.MethodPost, "/health"), "wrong_method of health"},
		{"too large", limit, bytes.Repeat([]byte(" "), 1001), post, "too_large"},
		{"too large after decompression", limit, gzipped(strings.Repeat(" ", 100000)), encoded, "too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, &sink{}, tt.configure)
			response, answer := r.post(t, tt.body, tt.option)
			r.assertResponse(t, tt.reason, response, answer)
			r.assertRejected(t, tt.reason)
		})
	}
}

// TestConfiguredPathIsLogged checks that the log contains the configured path once a minute, and not the path of the
// request, which may contain anything.
func TestConfiguredPathIsLogged(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, func(cfg *Config) { cfg.Path = "/hooks/jira" })
	for _, path := range []string{"/jira/events", "/hunter2", "/hooks/jira/"} {
		r.post(t, []byte(createdBody), withTarget(http.MethodPost, path))
	}
	require.Equal(t, 1, r.logs.FilterMessage("Rejected webhook request").Len())
	assert.Equal(t, map[string]any{
		"reason": "wrong_path", "hint": "set the path of the URL in Jira to exactly the configured path", "configured_path": "/hooks/jira",
	}, r.logs.FilterMessage("Rejected webhook request").All()[0].ContextMap())
}

// TestPipelineErrors covers the responses to deliveries that the pipeline refuses.
func TestPipelineErrors(t *testing.T) {
	t.Parallel()
	inner := errors.New("queue of customer hunter2 is full")
	exhausted := status.Error(grpccodes.ResourceExhausted, "hunter2")
	permanent := consumererror.NewPermanent
	for _, tt := range []struct {
		name   string
		err    error
		reason string
	}{
		{"plain", inner, "unavailable"},
		{"retryable", consumererror.NewRetryableError(inner), "unavailable"},
		{"unavailable", status.Error(grpccodes.Unavailable, "hunter2"), "unavailable"},
		{"cancelled", context.Canceled, "unavailable"},
		{"queue full", exporterhelper.ErrQueueIsFull, "unavailable"},
		{"exhausted", fmt.Errorf("wrapped: %w", exhausted), "resource_exhausted"},
		{"exhausted, from OTLP over gRPC", consumererror.NewOTLPGRPCError(nil, status.New(grpccodes.ResourceExhausted, "hunter2")), "resource_exhausted"},
		{"exhausted, from OTLP over HTTP", consumererror.NewOTLPHTTPError(inner, 429), "resource_exhausted"},
		{"exhausted, called permanent", permanent(exhausted), "resource_exhausted"},
		{"permanent in one pipeline of two", errors.Join(permanent(inner), inner), "unavailable"},
		{"permanent, for two reasons", permanent(errors.Join(inner, inner)), "permanent"},
		{"exhausted in the second pipeline", errors.Join(permanent(status.Error(grpccodes.InvalidArgument, "")), permanent(exhausted)), "resource_exhausted"},
		{"permanent in both", errors.Join(permanent(inner), permanent(inner)), "permanent"},
		{"permanent", fmt.Errorf("wrapped: %w", permanent(inner)), "permanent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, &sink{err: tt.err}, nil)
			response, answer := r.post(t, []byte(createdBody))
			r.assertResponse(t, tt.reason, response, answer)
			r.assertRejected(t, tt.reason)
			r.assertRecords(t, 0, 1)
		})
	}
}

// TestAnswersOfStates sends a good delivery to a receiver that cannot accept it in its state, or whose pipeline cannot.
func TestAnswersOfStates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		setUp  func(states) *testReceiver
		reason string
	}{
		{"queue full", states.queueFull, "unavailable"},
		{"memory limiter", states.memoryLimiter, "unavailable"},
		{"permanent error of the backend", states.permanentError, "permanent"},
		{"over capacity", func(s states) *testReceiver {
			r, _ := s.busy(len(createdBody))
			return r
		}, "over_capacity"},
		{"earlier attempt in progress", states.inProgress, "in_progress"},
		{"shutting down", states.shuttingDown, "shutting_down"},
		{"panic", states.panicking, "internal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := tt.setUp(states{t})
			response, answer := r.post(t, []byte(createdBody), withDeliveryID("1"))
			r.assertResponse(t, tt.reason, response, answer)
			r.assertRejected(t, tt.reason)
		})
	}
}

// states starts receivers that cannot accept a delivery.
type states struct{ *testing.T }

// queueFull has one request in progress, to a backend that does not answer, and one in the queue.
func (s states) queueFull() *testReceiver {
	s.Helper()
	backend := newGated()
	next := s.exporter(false, backend.ConsumeLogs)
	s.Cleanup(func() { close(backend.release) })
	require.NoError(s, next.ConsumeLogs(s.Context(), s.record()))
	wait(s.T, backend.entered, "export")
	for next.ConsumeLogs(s.Context(), s.record()) == nil {
		continue // an exporter may take a request out of the queue while another one is in progress
	}
	return start(s.T, next, nil)
}

// memoryLimiter has a memory_limiter that refuses all records, since no test needs less memory than its limit.
func (s states) memoryLimiter() *testReceiver {
	s.Helper()
	factory := memorylimiterprocessor.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(s, confmap.NewFromStringMap(map[string]any{"check_interval": "1ms", "limit_mib": 1}).Unmarshal(cfg))
	settings := processor.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	limiter, err := factory.CreateLogs(s.Context(), settings, cfg, consumertest.NewNop())
	require.NoError(s, err)
	require.NoError(s, limiter.Start(s.Context(), componenttest.NewNopHost()))
	s.Cleanup(func() { assert.NoError(s, limiter.Shutdown(context.Background())) })
	require.Eventually(s, func() bool { return limiter.ConsumeLogs(s.Context(), s.record()) != nil }, waitLimit, time.Millisecond)
	return start(s.T, limiter, nil)
}

func (s states) permanentError() *testReceiver {
	s.Helper()
	return start(s.T, s.exporter(true, func(context.Context, plog.Logs) error {
		return consumererror.NewPermanent(errors.New("hunter2"))
	}), nil)
}

// busy has a delivery in the pipeline, whose bytes are those of createdBody, and a limit for the bytes in flight. The
// function ends the delivery.
func (s states) busy(maxInFlight int) (r *testReceiver, finish func()) {
	s.Helper()
	next := newGated()
	r = start(s.T, next, func(cfg *Config) {
		cfg.ServerConfig.MaxRequestBodySize = int64(maxInFlight)
		cfg.Admission.MaxInFlightBytes = int64(maxInFlight)
	})
	answered := r.inBackground(s.T)
	wait(s.T, next.entered, "delivery")
	release := sync.OnceFunc(func() { close(next.release) })
	s.Cleanup(release)
	return r, func() {
		release()
		assert.Equal(s, http.StatusOK, wait(s.T, answered, "answer"))
	}
}

// inProgress has a delivery with the ID 1 in progress, and almost no time to wait for it.
func (s states) inProgress() *testReceiver {
	s.Helper()
	next := newGated()
	r := start(s.T, next, deduplicate)
	r.limitWait()
	r.inBackground(s.T, withDeliveryID("1"))
	wait(s.T, next.entered, "first attempt")
	s.Cleanup(func() { close(next.release) })
	return r
}

func (s states) shuttingDown() *testReceiver {
	s.Helper()
	r := start(s.T, consumertest.NewNop(), nil)
	r.handler.calls.Abort(0)
	return r
}

func (s states) panicking() *testReceiver {
	s.Helper()
	return start(s.T, &sink{consume: func(context.Context, plog.Logs) error { panic("hunter2") }}, nil)
}

// exporter returns an exporter whose queue holds one request.
func (s states) exporter(waitForResult bool, export func(context.Context, plog.Logs) error) consumer.Logs {
	s.Helper()
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize, queue.NumConsumers, queue.WaitForResult = 1, 1, waitForResult
	settings := exporter.Settings{ID: component.MustNewID("test"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	e, err := exporterhelper.NewLogs(s.Context(), settings, &struct{}{}, export, exporterhelper.WithQueue(configoptional.Some(queue)))
	require.NoError(s, err)
	require.NoError(s, e.Start(s.Context(), componenttest.NewNopHost()))
	s.Cleanup(func() { assert.NoError(s, e.Shutdown(context.Background())) })
	return e
}

func (states) record() plog.Logs {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	return logs
}

// TestAnnouncedTooLarge announces bodies that can never be accepted, so that Jira must not send them again.
func TestAnnouncedTooLarge(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{defaultMaxInFlight + 1, math.MaxInt64} {
		r := start(t, consumertest.NewNop(), nil)
		response, answer := r.readResponse(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", length)))
		r.assertResponse(t, "too_large", response, answer)
		r.assertRejected(t, "too_large")
	}
}

// TestNoHealthPath sends a request whose path is empty, as the configured path of health is.
func TestNoHealthPath(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.HealthPath = "" })
	response, answer := r.readResponse(t, r.dial(t, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"))
	r.assertResponse(t, "wrong_path", response, answer)
}

// TestOptionsOfServer sends the only request that net/http would answer itself.
func TestOptionsOfServer(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	response, answer := r.readResponse(t, r.dial(t, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"))
	r.assertResponse(t, "wrong_path", response, answer)
}

// TestInterruptedBody checks that a sender that stalls gets a status code after which Jira repeats the delivery.
func TestInterruptedBody(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.ServerConfig.ReadTimeout = 50 * time.Millisecond })
	conn := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(createdBody), createdBody[:20]))
	response, answer := r.readResponse(t, conn)
	r.assertResponse(t, "interrupted", response, answer)
	r.assertRejected(t, "interrupted")
	assert.Zero(t, next.LogRecordCount())
}

// TestCutShortDecoding interrupts compressed bodies. The response must not be that to a damaged body.
func TestCutShortDecoding(t *testing.T) {
	t.Parallel()
	compressed := gzipped(string(bytes.Repeat([]byte(createdBody), 100)))
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.ServerConfig.ReadTimeout = 50 * time.Millisecond })
	for _, sent := range []int{0, 5, len(compressed) / 2} {
		conn := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(compressed), compressed[:sent]))
		response, answer := r.readResponse(t, conn)
		r.assertResponse(t, "interrupted", response, answer)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{consume: func(context.Context, plog.Logs) error { panic("hunter2") }}, nil)
	response, answer := r.post(t, []byte(createdBody))
	r.assertResponse(t, "internal", response, answer)
	r.assertRejected(t, "internal")
	assert.Len(t, r.telemetry.SpanRecorder.Ended(), 2, "the server's span and obsreport's")
	logged := r.logs.FilterLevelExact(zap.ErrorLevel).All()
	require.Len(t, logged, 1)
	assert.NotContains(t, fmt.Sprint(logged[0].ContextMap()), "hunter2")
	response, _ = r.post(t, nil, withHeader("X-Other", "still serving"))
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
}

// TestNothingConfidentialIsDisclosed checks that logs, responses and internal telemetry contain no text of a request.
func TestNothingConfidentialIsDisclosed(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{err: errors.New("full")}, func(cfg *Config) { requireSignature(cfg); requireToken(cfg) })
	body := `{"hunter2": "hunter2", "issue": {"key": "hunter2"`
	for _, option := range []func(*http.Request){
		withQuery("token=hunter2&user_id=hunter2"),
		withQuery("secret=hunter2"),
		withHeader("X-Jira-Token", "hunter2"),
		withHeader(signature.Header, "hunter2=hunter2"),
		withHeader("Content-Encoding", "hunter2"),
		withSignature(currentSecret, body),
		withSignature(currentSecret, body+"}}"),
	} {
		for _, b := range []string{body, body + "}}"} {
			_, answer := r.post(t, []byte(b), option)
			assert.NotContains(t, answer, "hunter2")
		}
	}
	for _, entry := range r.logs.All() {
		text := entry.Message + fmt.Sprint(entry.ContextMap())
		for _, confidential := range []string{"hunter2", currentSecret, oldSecret, token} {
			assert.NotContains(t, text, confidential)
		}
	}
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		assert.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events()), "hunter2")
	}
}

// TestRejectionsAreLoggedOncePerMinute finds each reason with its hint in the log, and not each rejected request.
func TestRejectionsAreLoggedOncePerMinute(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), requireSignature)
	for minute := 1; minute <= 2; minute++ {
		for range 5 {
			r.post(t, []byte(createdBody))
			r.post(t, []byte(createdBody), withSignature("x", createdBody))
			r.post(t, []byte(createdBody), withQuery("secret=hunter2"))
		}
		rejected := r.logs.FilterMessage("Rejected webhook request")
		assert.Equal(t, 3*minute, rejected.Len())
		for _, cause := range []error{signature.ErrMissing, signature.ErrMismatch, auth.ErrSecretInQuery} {
			row := rejectionOf(cause)
			logged := rejected.FilterField(zap.String("reason", row.reason)).FilterField(zap.String("hint", row.hint))
			assert.Equal(t, minute, logged.Len(), row.reason)
		}
		r.clock.advance(time.Minute)
	}
}
