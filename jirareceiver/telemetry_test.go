// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// TestObsreport checks that each delivery starts one operation, and ends it with its outcome.
func TestObsreport(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, requireSignature)
	good := withSignature(currentSecret, createdBody)
	r.post(t, []byte(createdBody), good)
	r.post(t, []byte(createdBody), good)
	r.post(t, []byte(createdBody))
	r.post(t, []byte("x"), withSignature(currentSecret, "x"))
	next.err = errors.New("full")
	r.post(t, []byte(createdBody), good)

	r.assertRecords(t, 2, 1)
	assert.Equal(t, []codes.Code{codes.Unset, codes.Unset, codes.Error, codes.Error, codes.Error}, r.operations())
	assert.Len(t, r.telemetry.SpanRecorder.Started(), len(r.telemetry.SpanRecorder.Ended()))
}

// TestDeliveriesAreCounted sends a delivery for each outcome. Event types that Jira does not document are counted as
// other, because senders choose their names.
func TestDeliveriesAreCounted(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Events = EventsConfig{Include: []string{"jira.*"}, Exclude: []string{"jira.sprint.*"}}
	})
	post := func(name string, status int) {
		response, _ := r.post(t, fmt.Appendf(nil, `{"webhookEvent": %q, "n": 1}`, name))
		assert.Equal(t, status, response.StatusCode, name)
	}
	post("comment_created", http.StatusOK)
	post("comment_created", http.StatusOK)
	post("sprint_started", http.StatusOK)
	post("sprint_paused", http.StatusOK)
	post("hunter2", http.StatusOK)
	post("issue_hunter3", http.StatusOK)
	post("Hunter 4", http.StatusOK)
	assert.Equal(t, 5, next.LogRecordCount(), "an excluded delivery makes no record")
	next.err = errors.New("full")
	post("comment_created", http.StatusServiceUnavailable)
	r.post(t, []byte(`no JSON`)) // counted as rejected, and not here

	point := func(event, label string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("outcome", label), attribute.String("receiver", "jira"))}
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, []metricdata.DataPoint[int64]{
		point("jira.comment.created", "accepted", 2),
		point("jira.comment.created", "refused", 1),
		point("jira.sprint.started", "excluded", 1),
		point("other", "excluded", 1),
		point("other", "accepted", 2),
		point("jira.unknown", "accepted", 1),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// TestOutcomesAreCounted covers all outcomes, and a body without an event type.
func TestOutcomesAreCounted(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		deduplicate(cfg)
		cfg.Events.Exclude = []string{"jira.unknown"}
	})
	r.postAll(t, next, []delivery{
		{withDeliveryID("1"), `{}`, nil, 0, 200},
		{withDeliveryID("2"), createdBody, assert.AnError, 0, 503},
		{withDeliveryID("2"), createdBody, nil, 0, 200},
		{withDeliveryID("2"), createdBody, nil, 0, 200},
	})
	point := func(event string, o outcome) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("outcome", string(o)), attribute.String("receiver", "jira"))}
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, []metricdata.DataPoint[int64]{
		point("jira.unknown", outcomeExcluded), point("jira.issue.created", outcomeRefused),
		point("jira.issue.created", outcomeAccepted), point("jira.issue.created", outcomeDuplicate),
	}, r.metricOptions()...)
}

// TestEventNamesAreBounded sends many different event types that Jira does not document.
func TestEventNamesAreBounded(t *testing.T) {
	t.Parallel()
	const names = 1000
	r := start(t, &sink{}, nil)
	for i := range names {
		r.post(t, fmt.Appendf(nil, `{"webhookEvent": "sprint_paused_%d"}`, i))
	}
	r.assertDeliveries(t, "other", map[outcome]int64{outcomeAccepted: names})
}

// TestUnreadableCustomFields has fields with values of an unknown kind. The log names each field once, and no value.
func TestUnreadableCustomFields(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, func(cfg *Config) {
		cfg.CustomFields = map[string]string{"customfield_1": "a", "customfield_2": "b"}
	})
	for range 2 {
		r.post(t, []byte(`{"issue": {"fields": {"customfield_1": {"surprise": "hunter2"}, "customfield_2": "text"}}}`))
	}
	r.post(t, []byte(`{"issue": {"fields": {"customfield_1": "text", "customfield_2": ["text", {"surprise": "hunter2"}]}}}`))
	count := func(field string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(
			attribute.String("custom_field", field), attribute.String("receiver", "jira"))}
	}
	metadatatest.AssertEqualReceiverJiraUnreadableCustomFields(t, r.telemetry,
		[]metricdata.DataPoint[int64]{count("customfield_1", 2), count("customfield_2", 1)}, r.metricOptions()...)
	var logged []map[string]any
	for _, entry := range r.logs.FilterMessageSnippet("Cannot read the value of a custom field").All() {
		logged = append(logged, entry.ContextMap())
	}
	assert.Equal(t, []map[string]any{{"custom_field": "customfield_1"}, {"custom_field": "customfield_2"}}, logged)
	assert.NotContains(t, fmt.Sprint(r.logs.All()), "hunter2")
}

// TestBodySize checks that authentic bodies are measured after decompression, also if they are not JSON.
func TestBodySize(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, requireToken)
	authentic := withHeader("X-Jira-Token", token)
	long := fmt.Sprintf(`{"a": %q}`, strings.Repeat("a", 2000))
	r.post(t, []byte("not authentic"))
	r.post(t, []byte("x"), authentic)
	r.post(t, gzipped(long), authentic, withHeader("Content-Encoding", "gzip"))
	size := int64(len(long))
	metadatatest.AssertEqualReceiverJiraBodySize(t, r.telemetry, []metricdata.HistogramDataPoint[int64]{{
		Attributes: r.points(0)[0].Attributes, Count: 2, Sum: 1 + size, Min: metricdata.NewExtrema[int64](1), Max: metricdata.NewExtrema(size),
		Bounds:       []float64{256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216},
		BucketCounts: []uint64{1, 0, 1, 0, 0, 0, 0, 0, 0, 0},
	}}, r.metricOptions()...)
}

// TestDeliveryLag checks that only accepted events with a time in the past are measured.
func TestDeliveryLag(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, nil)
	happened := func(secondsAgo int64) string {
		return fmt.Sprintf(`{"webhookEvent": "jira:issue_created", "timestamp": %d}`, observedAt.UnixMilli()-secondsAgo*1000)
	}
	r.postAll(t, next, []delivery{
		{withDeliveryID("1"), happened(3), nil, 0, 200},
		{withDeliveryID("2"), happened(600), nil, 0, 200},
		{withDeliveryID("3"), happened(-60), nil, 0, 200},
		{withDeliveryID("4"), `{"webhookEvent": "jira:issue_created"}`, nil, 0, 200},
		{withDeliveryID("5"), happened(1), assert.AnError, 0, 503},
	})
	metadatatest.AssertEqualReceiverJiraDeliveryLag(t, r.telemetry, []metricdata.HistogramDataPoint[float64]{{
		Attributes: r.points(0)[0].Attributes, Count: 2, Sum: 603, Min: metricdata.NewExtrema[float64](3), Max: metricdata.NewExtrema[float64](600),
		Bounds:       []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 7200},
		BucketCounts: []uint64{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0},
	}}, r.metricOptions()...)
}

func TestUnmappedStatusesAreReported(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, nil)
	body := func(name string) []byte {
		return fmt.Appendf(nil, `{"issue": {"fields": {"status": {"id": "7", "name": %q}}}}`, name)
	}
	next.err = errors.New("full")
	r.post(t, body("Parked"))
	assert.Empty(t, r.logs.FilterMessageSnippet("No mapping").All(), "counted when it is accepted")
	next.err = nil
	for _, name := range []string{"Parked", "Parked", "PARKED", "Done"} {
		r.post(t, body(name))
	}
	r.post(t, []byte(`{"issue": {"fields": {"status": {"name": "Review", "statusCategory": {"key": "indeterminate"}}}},
		"changelog": {"items": [{"field": "status", "fromString": "Queued", "toString": "Review"}]}}`))
	assert.Equal(t, []string{"Parked (7)"}, r.loggedStatuses(), "a name once, and a previous status never")
	metadatatest.AssertEqualReceiverJiraUnmappedStatuses(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 3, Attributes: attribute.NewSet(attribute.String("side", "current"), attribute.String("receiver", "jira"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("side", "previous"), attribute.String("receiver", "jira"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	r.post(t, body("Waiting"))
	assert.Len(t, r.loggedStatuses(), 1, "too soon after the first line")
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, []string{"Parked (7)", "Waiting (7)"}, r.loggedStatuses(), "pending statuses are logged at the end")
}

// loggedStatuses returns the statuses of all log lines about unmapped statuses.
func (r *testReceiver) loggedStatuses() (statuses []string) {
	for _, entry := range r.logs.FilterMessageSnippet("No mapping for Jira statuses").All() {
		for _, status := range entry.ContextMap()["statuses"].([]any) {
			statuses = append(statuses, status.(string))
		}
	}
	return statuses
}

// TestTelemetryOfTheServer checks that spans and metrics contain no text of a request, also if it is not a delivery.
func TestTelemetryOfTheServer(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), requireToken)
	for i := range 3 {
		request := r.request(t, []byte(createdBody), withQuery("token=hunter2"), withHeader("User-Agent", "hunter2"), withHeader("X-Forwarded-For", "hunter2"))
		request.Host = fmt.Sprintf("hunter2-%d.example.com", i)
		r.do(t, request)
	}
	elsewhere := r.request(t, nil, withQuery("hunter2"), withHeader("User-Agent", "hunter2"))
	elsewhere.URL.Path, elsewhere.Method = "/hunter2", "HUNTER2"
	r.do(t, elsewhere)
	spans := r.telemetry.SpanRecorder.Ended()
	assert.Contains(t, fmt.Sprint(spans[len(spans)-1].Attributes()), "network.peer.address", "the server's spans have attributes")
	for _, span := range spans {
		assert.NotContains(t, strings.ToLower(fmt.Sprint(span.Name(), span.Attributes())), "hunter2")
	}
	metrics := metricdata.ResourceMetrics{}
	require.NoError(t, r.telemetry.Reader.Collect(t.Context(), &metrics))
	assert.Contains(t, fmt.Sprint(metrics), "server.address")
	assert.NotContains(t, fmt.Sprint(metrics), "hunter2")
}

// TestFailedHandshakesAreLoggedOncePerMinute connects without TLS.
func TestFailedHandshakesAreLoggedOncePerMinute(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) { withTLS(t, cfg) })
	for range 20 {
		_, _ = io.Copy(io.Discard, r.dial(t, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	require.Eventually(t, func() bool { return r.logs.FilterMessage("TLS handshake failed").Len() == 1 }, waitLimit, time.Millisecond)
	logged := r.logs.FilterMessage("TLS handshake failed").All()[0]
	assert.Equal(t, zap.WarnLevel, logged.Level)
	assert.Equal(t, "client sent an HTTP request to an HTTPS server", logged.ContextMap()["error"])
	assert.Empty(t, logged.Stack)
	assert.Empty(t, r.logs.FilterLevelExact(zap.ErrorLevel).All())
}
