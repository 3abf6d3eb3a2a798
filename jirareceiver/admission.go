package jirareceiver

import (
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

// admit turns away a delivery whose body will not fit, before any of it is read. One that would never fit is larger than
// max_request_body_size, which is no more than the limit, and must not come back. The lease must be released.
func (a *admission) admit(r *http.Request) (*lease, error) {
	switch {
	case r.ContentLength > a.limit:
		return nil, failed(kindTooLarge, nil)
	case !a.hasRoomFor(max(r.ContentLength, 1)):
		return nil, failed(kindOverCapacity, nil)
	}
	l := leases.Get().(*lease)
	l.admission, l.bytes = a, 0
	return l, nil
}

// lease is the room that one delivery takes up, and the buffer that holds its body.
type lease struct {
	*admission
	bytes  int64
	buffer []byte
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
	if cap(l.buffer) <= maxPooled {
		leases.Put(l)
	}
}

// leases are used again with their buffers, since most of what a delivery allocates is its body.
var leases = sync.Pool{New: func() any { return new(lease) }}

const (
	// maxPooled is how many bytes a buffer may have to be kept for another delivery.
	maxPooled = 256 << 10
	// How many bytes are set aside for a body before any of it has arrived.
	minBuffer  = 4 << 10  // when nobody says how long it will be
	maxReserve = 64 << 10 // when it is said to be longer
	// maxRead is how many bytes may have arrived without being counted. A chunked body is read until there are as many as
	// were asked for.
	maxRead = 64 << 10
)

// read returns the body, decompressed and bounded by confighttp. It is valid until the lease is released.
func (l *lease) read(r *http.Request) ([]byte, error) {
	body := l.buffer[:0]
	for {
		if len(body) == cap(body) {
			body = append(make([]byte, 0, nextCapacity(len(body), r.ContentLength)), body...)
			l.buffer = body
		}
		n, err := r.Body.Read(body[len(body):min(cap(body), len(body)+maxRead)])
		body = body[:len(body)+n]
		if full := l.grow(n); full != nil {
			return nil, readFailure(r.Context(), full)
		}
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, readFailure(r.Context(), err)
		}
	}
}

// nextCapacity doubles a buffer until it can hold a body of the announced length, which is negative when nobody has
// announced one, and one byte more: to read the end of the body takes room as well.
func nextCapacity(capacity int, announced int64) int {
	next := max(2*capacity, minBuffer)
	if capacity == 0 && announced > 0 {
		next = maxReserve
	}
	if whole := announced + 1; whole > int64(capacity) {
		next = int(min(int64(next), whole))
	}
	return next
}
