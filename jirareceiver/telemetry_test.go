// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// byReceiver are the attributes that all measurements have.
var byReceiver = attribute.NewSet(attribute.String("receiver", "jira"))

func measured() []metricdatatest.Option {
	return []metricdatatest.Option{metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars()}
}

func assertDeliveries(t *testing.T, r *running, event string, want map[outcome]int64) {
	t.Helper()
	points := make([]metricdata.DataPoint[int64], 0, len(want))
	for o, count := range maps.All(want) {
		points = append(points, metricdata.DataPoint[int64]{Value: count, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("outcome", string(o)), attribute.String("receiver", "jira"))})
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, points, measured()...)
}

func assertInFlight(t *testing.T, r *running, bytes int64) {
	t.Helper()
	metadatatest.AssertEqualReceiverJiraInFlightBytes(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: bytes, Attributes: byReceiver}}, measured()...)
}

func assertRemembered(t *testing.T, r *running, entries int64) {
	t.Helper()
	metadatatest.AssertEqualReceiverJiraDeduplicationEntries(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: entries, Attributes: byReceiver}}, measured()...)
}

// TestEventNamesAreBounded posts more names of events than any backend wants to see.
func TestEventNamesAreBounded(t *testing.T) {
	const names = 1000
	r := start(t, &sink{}, nil)
	for i := range names {
		r.post(t, fmt.Appendf(nil, `{"webhookEvent": "sprint_paused_%d"}`, i))
	}
	assertDeliveries(t, r, "other", map[outcome]int64{accepted: names})
}

// TestBodySize measures what is authentic, decompressed, also when it is not JSON.
func TestBodySize(t *testing.T) {
	r := start(t, &sink{}, requireToken)
	authentic := withHeader("X-Jira-Token", token)
	long := fmt.Sprintf(`{"a": %q}`, strings.Repeat("a", 2000))
	r.post(t, []byte("not authentic"))
	r.post(t, []byte("x"), authentic)
	r.post(t, gzipped(long), authentic, withHeader("Content-Encoding", "gzip"))
	size := int64(len(long))
	metadatatest.AssertEqualReceiverJiraBodySize(t, r.telemetry, []metricdata.HistogramDataPoint[int64]{{
		Attributes: byReceiver, Count: 2, Sum: 1 + size, Min: metricdata.NewExtrema[int64](1), Max: metricdata.NewExtrema(size),
		Bounds:       []float64{256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216},
		BucketCounts: []uint64{1, 0, 1, 0, 0, 0, 0, 0, 0, 0},
	}}, measured()...)
}

// TestDeliveryLag measures what is accepted and has a time of its own that is not in the future.
func TestDeliveryLag(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	happened := func(secondsAgo int64) string {
		return fmt.Sprintf(`{"webhookEvent": "jira:issue_created", "timestamp": %d}`, observedAt.UnixMilli()-secondsAgo*1000)
	}
	r.postAll(t, next, []delivery{
		{numbered("1"), happened(3), nil, 0, 200},
		{numbered("2"), happened(600), nil, 0, 200},
		{numbered("3"), happened(-60), nil, 0, 200},
		{numbered("4"), `{"webhookEvent": "jira:issue_created"}`, nil, 0, 200},
		{numbered("5"), happened(1), assert.AnError, 0, 503},
	})
	metadatatest.AssertEqualReceiverJiraDeliveryLag(t, r.telemetry, []metricdata.HistogramDataPoint[float64]{{
		Attributes: byReceiver, Count: 2, Sum: 603, Min: metricdata.NewExtrema[float64](3), Max: metricdata.NewExtrema[float64](600),
		Bounds:       []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 7200},
		BucketCounts: []uint64{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0},
	}}, measured()...)
}

// TestOutcomesAreCounted has every outcome and a body without a name.
func TestOutcomesAreCounted(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		deduplicate(cfg)
		cfg.Jira.Events.Exclude = []string{"jira.unknown"}
	})
	r.postAll(t, next, []delivery{
		{numbered("1"), `{}`, nil, 0, 200},
		{numbered("2"), createdBody, assert.AnError, 0, 503},
		{numbered("2"), createdBody, nil, 0, 200},
		{numbered("2"), createdBody, nil, 0, 200},
	})
	point := func(event string, o outcome) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("outcome", string(o)), attribute.String("receiver", "jira"))}
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, []metricdata.DataPoint[int64]{
		point("jira.unknown", excluded), point("jira.issue.created", refused),
		point("jira.issue.created", accepted), point("jira.issue.created", duplicate),
	}, measured()...)
}
