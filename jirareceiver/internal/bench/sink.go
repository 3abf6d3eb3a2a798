// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"
)

// sink is a backend for OTLP over HTTP on loopback. It counts the log records, and keeps none.
type sink struct {
	url     string
	server  *http.Server
	records atomic.Int64
	observe func(request []byte) error // may be nil
}

func newSink(observe func(request []byte) error) (*sink, error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: "http://" + listener.Addr().String(), observe: observe}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: waitTimeout}
	go s.server.Serve(listener) //nolint:errcheck // returns when the sink is closed
	return s, nil
}

func (s *sink) close() { _ = s.server.Close() }

// sinkBuffers are pooled, because the sink shares the cores with the contenders.
type sinkBuffers struct {
	compressed gzip.Reader
	body       []byte
}

var sinkPool = sync.Pool{New: func() any { return new(sinkBuffers) }}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	buffers := sinkPool.Get().(*sinkBuffers)
	defer sinkPool.Put(buffers)
	err := buffers.read(r)
	if err == nil && s.observe != nil {
		err = s.observe(buffers.body)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.records.Add(int64(countRecords(buffers.body)))
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func (b *sinkBuffers) read(r *http.Request) error {
	if err := b.compressed.Reset(r.Body); err != nil {
		return err
	}
	b.body = b.body[:0]
	for {
		if len(b.body) == cap(b.body) {
			b.body = append(b.body, 0)[:len(b.body)]
		}
		n, err := b.compressed.Read(b.body[len(b.body):cap(b.body)])
		b.body = b.body[:len(b.body)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// countRecords counts the log records of an ExportLogsServiceRequest without decoding them: resource_logs, scope_logs
// and log_records have the fields 1, 2 and 2.
func countRecords(request []byte) int { return countFields(request, 1, 2, 2) }

// countFields counts the messages at the end of a path of field numbers.
func countFields(message []byte, path ...protowire.Number) (n int) {
	if len(path) == 0 {
		return 1
	}
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return n
		}
		value := message[length:]
		size := protowire.ConsumeFieldValue(number, kind, value)
		if size < 0 {
			return n
		}
		if number == path[0] && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(value)
			n += countFields(content, path[1:]...)
		}
		message = value[size:]
	}
	return n
}

// await waits until a number of records has arrived.
func (s *sink) await(ctx context.Context, records int64) error {
	for deadline := time.Now().Add(settleTimeout); s.records.Load() < records; {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d accepted records have arrived", s.records.Load(), records)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
