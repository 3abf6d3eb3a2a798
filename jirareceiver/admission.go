package jirareceiver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// errOverCapacity ends the reading of a body for which there is no room any more.
var errOverCapacity = errors.New("over capacity")

// admission bounds the bodies that are held at a time. Bytes count when they have arrived and not when they are announced: a
// sender could announce many, send none, and keep others out.
type admission struct {
	limit int64 // bytes
	held  atomic.Int64
}

func (a *admission) hasRoomFor(n int64) bool { return a.held.Load()+n <= a.limit }

// admit turns away a delivery whose body will not fit, before any of it is read. The lease must be released.
func (a *admission) admit(r *http.Request) (*lease, error) {
	if !a.hasRoomFor(max(r.ContentLength, 1)) {
		return nil, failed(kindOverCapacity, nil)
	}
	return &lease{admission: a, buffer: buffers.Get().(*bytes.Buffer)}, nil
}

// lease is the room that one delivery takes up, and the buffer that holds its body.
type lease struct {
	*admission
	bytes  int64
	buffer *bytes.Buffer
}

func (l *lease) grow(n int) error {
	l.bytes += int64(n)
	if l.held.Add(int64(n)) > l.limit {
		return errOverCapacity
	}
	return nil
}

// release gives up the room. The body is no longer valid.
func (l *lease) release() {
	l.held.Add(-l.bytes)
	if l.buffer.Cap() <= maxPooled {
		l.buffer.Reset()
		buffers.Put(l.buffer)
	}
}

// buffers are used again, since most of what a delivery allocates is its body.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const (
	// maxPooled is how many bytes a buffer may have to be kept for another delivery.
	maxPooled = 256 << 10
	// maxReserve is how many bytes are set aside for a body because its sender says that it will be that long.
	maxReserve = 64 << 10
)

// read returns the body, decompressed and bounded by confighttp. It is valid until the lease is released.
func (l *lease) read(r *http.Request) ([]byte, error) {
	l.buffer.Grow(int(min(max(r.ContentLength, 0), maxReserve)) + bytes.MinRead)
	if _, err := l.buffer.ReadFrom(leasedReader{r.Body, l}); err != nil {
		return nil, readFailure(err)
	}
	return l.buffer.Bytes(), nil
}

type leasedReader struct {
	io.Reader
	lease *lease
}

func (r leasedReader) Read(p []byte) (n int, err error) {
	n, err = r.Reader.Read(p)
	if full := r.lease.grow(n); full != nil {
		return n, full
	}
	return n, err
}
