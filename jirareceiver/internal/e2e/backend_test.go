// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"compress/gzip"
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// backend is the target of the exporter, over OTLP/HTTP. Its plan decides its replies.
type backend struct {
	address string
	server  *http.Server

	mu       sync.Mutex
	plan     func() reply
	life     int              // life of the collector: the number of its kills so far
	arrivals map[string][]int // lives in which a delivery arrived, by delivery ID
	poison   map[string]bool  // IDs of deliveries for which the backend refuses a whole request with 400
	largest  int              // records of the largest request that was stored
	uids     map[string]string
	mixedUp  []string // uids with two deliveries, and second uids of a delivery
}

// reply is the reaction of the backend to a request. The backend stores the events of a request if it responds with
// 200, or if it loses that response.
type reply struct {
	status     int
	after      <-chan time.Time // nil to reply at once
	losesReply bool
}

func always(r reply) func() reply { return func() reply { return r } }

var willing = always(reply{status: http.StatusOK})

// newBackend returns a backend that is down.
func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{address: address(t), plan: willing, arrivals: map[string][]int{}, uids: map[string]string{}}
	t.Cleanup(b.stop)
	return b
}

func startBackend(t *testing.T, plan func() reply) *backend {
	t.Helper()
	b := newBackend(t)
	b.plan = plan
	b.start(t)
	return b
}

func (b *backend) url() string { return "http://" + b.address }

type lifeKey struct{}

// start records the life of the collector for each connection, because the backend may read a request after the
// collector was killed.
func (b *backend) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", b.address)
	require.NoError(t, err)
	b.server = &http.Server{Handler: b, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		b.mu.Lock()
		defer b.mu.Unlock()
		return context.WithValue(ctx, lifeKey{}, b.life)
	}}
	go b.server.Serve(listener)
}

func (b *backend) stop() {
	if b.server != nil {
		b.server.Close()
	}
}

func (b *backend) follow(plan func() reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan = plan
}

func (b *backend) nextLife() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.life++
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	reply := b.plan()
	b.mu.Unlock()
	request, err := readLogs(r)
	if err != nil {
		return // the collector was killed
	}
	if reply.after != nil {
		<-reply.after
	}
	if b.poisoned(request) {
		reply.status = http.StatusBadRequest
	}
	if reply.status == http.StatusOK {
		b.store(request, r.Context().Value(lifeKey{}).(int))
	}
	if reply.losesReply {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(reply.status)
}

func readLogs(r *http.Request) (plogotlp.ExportRequest, error) {
	request := plogotlp.NewExportRequest()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		decompressed, err := gzip.NewReader(body)
		if err != nil {
			return request, err
		}
		body = decompressed
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return request, err
	}
	return request, request.UnmarshalProto(content)
}

func (b *backend) poisoned(request plogotlp.ExportRequest) bool {
	for id := range deliveryIDs(request) {
		if b.poison[id] {
			return true
		}
	}
	return false
}

// deliveryIDs returns the delivery IDs and the uids of the records in a request.
func deliveryIDs(request plogotlp.ExportRequest) iter.Seq2[string, string] {
	return func(yield func(id, uid string) bool) {
		for _, resource := range request.Logs().ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					uid, _ := record.Attributes().Get("log.record.uid")
					id, _ := record.Attributes().Get("jira.webhook.id")
					if !yield(id.Str(), uid.Str()) {
						return
					}
				}
			}
		}
	}
}

func (b *backend) store(request plogotlp.ExportRequest, life int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.largest = max(b.largest, request.Logs().LogRecordCount())
	for id, uid := range deliveryIDs(request) {
		if known, found := b.uids[uid]; found != (len(b.arrivals[id]) > 0) || found && known != id {
			b.mixedUp = append(b.mixedUp, uid)
		}
		b.uids[uid] = id
		b.arrivals[id] = append(b.arrivals[id], life)
	}
}

// lives returns the lives of the collector in which a delivery arrived, once for each arrival.
func (b *backend) lives(d jirasim.Delivery) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrivals[d.ID]
}

// await waits for all acknowledged deliveries, as long as more of them arrive, and returns the number of missing ones.
func (b *backend) await(results []jirasim.Result) (missing int) {
	missing = b.missing(results)
	for deadline := time.Now().Add(waitLimit); missing > 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		before := missing
		if missing = b.missing(results); missing < before {
			deadline = time.Now().Add(waitLimit)
		}
	}
	return missing
}

func (b *backend) missing(results []jirasim.Result) (missing int) {
	for _, result := range results {
		if result.Acknowledged && len(b.lives(result.Delivery)) == 0 {
			missing++
		}
	}
	return missing
}

// compare compares the results in Jira with the events in the backend. It fails if a delivery has two uids: a user who
// keeps one record for each uid would keep two copies.
func (b *backend) compare(t *testing.T, results []jirasim.Result) row {
	t.Helper()
	row := row{sent: len(results)}
	for _, result := range results {
		copies := len(b.lives(result.Delivery))
		if result.Acknowledged {
			row.acknowledged++
		} else {
			row.givenUp++
		}
		switch {
		case copies > 0:
			row.delivered++
			row.doubled += copies - 1
		case result.Acknowledged:
			row.lost++
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(t, b.mixedUp, "one uid for each event")
	assert.Len(t, b.uids, len(b.arrivals))
	return row
}
