// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// benchmarkBodies are a small body, one as most are, and a large one: many custom fields, many changes.
var benchmarkBodies = []string{"comment", "issue_10k", "issue_100k"}

// bench has a handler, and a floor beside it: to read the body and verify its signature.
type bench struct {
	body         []byte
	signed       string
	whole, floor http.Handler
	next         *consumertest.LogsSink
}

func newBench(tb testing.TB, name string) *bench {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Jira.Signature.Secrets = []configopaque.String{secret}
	next := &consumertest.LogsSink{}
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), cfg, next, time.Now)
	require.NoError(tb, err)
	body := testbodies.Read(tb, "bench/"+name)
	return &bench{body: body, signed: signature.Sign([]byte(secret), body), whole: h, floor: readAuthenticated(h), next: next}
}

// readAuthenticated is the first half of a delivery, and an answer.
func readAuthenticated(h *handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := h.readAuthenticated(w, r)
		if err != nil {
			h.reject(w, r, err)
			return
		}
		payload.Release()
		answer(w, r, nil, h.retryAfter)
	})
}

// call has the handler process the body once, and returns the status of its answer.
func (b *bench) call(handler http.Handler) int {
	request := httptest.NewRequest(http.MethodPost, defaultPath, bytes.NewReader(b.body))
	request.Header.Set(signature.Header, b.signed)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code
}

// assertRecorded sees that the work was done.
func (b *bench) assertRecorded(tb testing.TB) {
	tb.Helper()
	require.NotZero(tb, b.next.LogRecordCount())
	b.next.Reset()
}

// BenchmarkDelivery sets a whole delivery beside its floor: as calls in the process, and over a socket.
func BenchmarkDelivery(b *testing.B) {
	for _, name := range benchmarkBodies {
		bench := newBench(b, name)
		b.Run(name+"/call/floor", func(b *testing.B) { benchmarkCall(b, bench, bench.floor) })
		b.Run(name+"/call/whole", func(b *testing.B) {
			benchmarkCall(b, bench, bench.whole)
			bench.assertRecorded(b)
		})
		b.Run(name+"/socket/floor", func(b *testing.B) { benchmarkSocket(b, bench, bench.floor) })
		b.Run(name+"/socket/whole", func(b *testing.B) {
			benchmarkSocket(b, bench, bench.whole)
			bench.assertRecorded(b)
		})
	}
}

func benchmarkCall(b *testing.B, bench *bench, handler http.Handler) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(bench.body)))
	for i := 0; b.Loop(); i++ {
		if status := bench.call(handler); status != http.StatusOK {
			b.Fatal(status)
		}
		forgetSome(bench, i)
	}
}

func benchmarkSocket(b *testing.B, bench *bench, handler http.Handler) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	b.ReportAllocs()
	b.SetBytes(int64(len(bench.body)))
	for i := 0; b.Loop(); i++ {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+defaultPath, bytes.NewReader(bench.body))
		require.NoError(b, err)
		request.Header.Set(signature.Header, bench.signed)
		response, err := server.Client().Do(request)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		forgetSome(bench, i)
	}
}

// forgetSome keeps the records of a long benchmark from filling the memory, but not all of them.
func forgetSome(bench *bench, i int) {
	if i%1000 == 0 {
		bench.next.Reset()
	}
}
