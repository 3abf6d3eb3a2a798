// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// benchmark contains a handler, and one that only reads the body and verifies its signature.
type benchmark struct {
	body         []byte
	signed       string
	whole, floor http.Handler
	next         *consumertest.LogsSink
}

func newBenchmark(tb testing.TB, name string) *benchmark {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Signature.Secrets = []configopaque.String{currentSecret}
	cfg.Deduplication.ByEvent = false // all deliveries have the same event
	next := &consumertest.LogsSink{}
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), cfg, next, time.Now)
	require.NoError(tb, err)
	body := testbodies.Read(tb, "bench/"+name)
	floor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := h.readAuthenticated(w, r)
		if err != nil {
			h.reject(w, r, err)
			return
		}
		payload.Release()
		writeResponse(w, r, nil, h.retryAfter)
	})
	return &benchmark{body: body, signed: signature.Sign([]byte(currentSecret), body), whole: h, floor: floor, next: next}
}

// call lets h process the body once, and returns the status code of the response.
func (d *benchmark) call(h http.Handler) int {
	request := httptest.NewRequest(http.MethodPost, defaultPath, bytes.NewReader(d.body))
	request.Header.Set(signature.Header, d.signed)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder.Code
}

// assertRecorded checks that deliveries had records.
func (d *benchmark) assertRecorded(tb testing.TB) {
	tb.Helper()
	require.NotZero(tb, d.next.LogRecordCount())
	d.next.Reset()
}

// limitRecords limits the memory of a long benchmark. It keeps some records for assertRecorded.
func (d *benchmark) limitRecords(i int) {
	if i%1000 == 0 {
		d.next.Reset()
	}
}

// BenchmarkDelivery measures whole deliveries and their floor, as calls in the process and over a socket. The bodies
// are a small one, a typical one, and a large one with many custom fields and changes.
func BenchmarkDelivery(b *testing.B) {
	for _, name := range []string{"comment", "issue_10k", "issue_100k"} {
		d := newBenchmark(b, name)
		b.Run(name+"/call/floor", func(b *testing.B) { d.measureCalls(b, d.floor) })
		b.Run(name+"/call/whole", func(b *testing.B) {
			d.measureCalls(b, d.whole)
			d.assertRecorded(b)
		})
		b.Run(name+"/socket/floor", func(b *testing.B) { d.measureSocket(b, d.floor) })
		b.Run(name+"/socket/whole", func(b *testing.B) {
			d.measureSocket(b, d.whole)
			d.assertRecorded(b)
		})
	}
}

func (d *benchmark) measureCalls(b *testing.B, h http.Handler) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(d.body)))
	for i := 0; b.Loop(); i++ {
		if status := d.call(h); status != http.StatusOK {
			b.Fatal(status)
		}
		d.limitRecords(i)
	}
}

func (d *benchmark) measureSocket(b *testing.B, h http.Handler) {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(d.body)))
	for i := 0; b.Loop(); i++ {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+defaultPath, bytes.NewReader(d.body))
		require.NoError(b, err)
		request.Header.Set(signature.Header, d.signed)
		response, err := server.Client().Do(request)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		d.limitRecords(i)
	}
}

// changeIDs are the parts of bodies that contain the id of the change.
var changeIDs = map[string]string{
	"comment": `"id":"10301"`, "issue_10k": `"changelog":{"id":"10503"`, "issue_100k": `"changelog":{"id":"10503"`,
}

// distinct is a body whose event is another one each time.
type distinct struct {
	before, after []byte
	count         int
}

func newDistinct(tb testing.TB, name string) *distinct {
	tb.Helper()
	part := changeIDs[name]
	before, after, found := bytes.Cut(testbodies.Read(tb, "bench/"+name), []byte(part))
	require.True(tb, found)
	const digits = len(`10301"`)
	return &distinct{before: slices.Concat(before, []byte(part[:len(part)-digits])), after: after}
}

// request returns the request of the next event.
func (d *distinct) request() *http.Request {
	d.count++
	body := slices.Concat(d.before, fmt.Appendf(nil, `%09d"`, d.count), d.after)
	request := httptest.NewRequest(http.MethodPost, defaultPath, bytes.NewReader(body))
	request.Header.Set(signature.Header, signature.Sign([]byte(currentSecret), body))
	return request
}

// contender is a handler with or without the ledger of events.
type contender struct {
	handler http.Handler
	next    *consumertest.LogsSink
	took    []time.Duration
}

func newContender(tb testing.TB, byEvent bool) *contender {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Signature.Secrets = []configopaque.String{currentSecret}
	cfg.Deduplication.ByEvent = byEvent
	next := &consumertest.LogsSink{}
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), cfg, next, time.Now)
	require.NoError(tb, err)
	require.Equal(tb, byEvent, h.ledger != nil)
	return &contender{handler: h, next: next}
}

func (c *contender) call(tb testing.TB, request *http.Request) {
	tb.Helper()
	recorder := httptest.NewRecorder()
	started := time.Now()
	c.handler.ServeHTTP(recorder, request)
	c.took = append(c.took, time.Since(started))
	if recorder.Code != http.StatusOK {
		tb.Fatal(recorder.Code)
	}
	if len(c.took)%1000 == 0 {
		require.Equal(tb, 1000, c.next.LogRecordCount(), "each event is recorded")
		c.next.Reset()
	}
}

func median(times []time.Duration) float64 {
	times = slices.Sorted(slices.Values(times))
	return float64(times[len(times)/2].Nanoseconds())
}

// BenchmarkLedger compares deliveries with and without the ledger, one after the other, so that the load of the machine
// is the same. All events are distinct. ns/op is the time of both; the other times are medians: with and without the
// ledger, and of the difference of two deliveries in a row. The allocations include those of the request.
func BenchmarkLedger(b *testing.B) {
	for _, name := range []string{"comment", "issue_10k", "issue_100k"} {
		b.Run(name, func(b *testing.B) {
			events := newDistinct(b, name)
			contenders := map[string]*contender{"without": newContender(b, false), "with": newContender(b, true)}
			order := []string{"without", "with"}
			for b.Loop() {
				slices.Reverse(order)
				for _, which := range order {
					contenders[which].call(b, events.request())
				}
			}
			var more []time.Duration
			for i, took := range contenders["with"].took {
				more = append(more, took-contenders["without"].took[i])
			}
			b.ReportMetric(median(more), "more-ns")
			for which, c := range contenders {
				b.ReportMetric(median(c.took), which+"-ns")
				allocs := testing.AllocsPerRun(200, func() { c.call(b, events.request()) })
				b.ReportMetric(allocs, which+"-allocs")
			}
		})
	}
}

// TestAllocations limits the allocations of a delivery, without those of reading and verifying it. Unlike times, they
// hardly differ between machines.
func TestAllocations(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector changes allocations")
	}
	for name, most := range map[string]float64{"comment": 100, "issue_10k": 160, "issue_100k": 475} {
		b := newBenchmark(t, name)
		floor := testing.AllocsPerRun(200, func() { b.call(b.floor) })
		whole := testing.AllocsPerRun(200, func() { b.call(b.whole) })
		b.assertRecorded(t)
		t.Logf("%s: %.0f, of which %.0f to read and verify", name, whole, floor)
		assert.LessOrEqual(t, whole-floor, most, name)
	}
}
