// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package bodylimit limits the bytes of all bodies in memory, and reads bodies into pooled buffers.
package bodylimit

import (
	"container/list"
	"errors"
	"io"
	"sync"
	"time"
)

// The reasons for which a body is not read.
var (
	ErrOverCapacity = errors.New("over capacity")   // the body does not fit now
	ErrTooLarge     = errors.New("above the limit") // the body can never fit
)

// Limiter limits the bytes of all bodies in memory. It counts bytes when they arrive, not when a request announces
// them: otherwise a sender could announce many bytes, send none, and lock out other senders. It is safe for concurrent
// use.
//
// A body whose signature is not verified yet may come from an unauthenticated sender. The Limiter evicts such bodies to
// make room for others, the body with the earliest start first. A delivery of Jira arrives within milliseconds, so it
// is rarely the earliest.
type Limiter struct {
	limit int64 // bytes

	mu         sync.Mutex
	held       int64     // bytes of all bodies
	unverified int64     // bytes of the bodies that are not verified
	waiting    list.List // *Reader of each body that waits for its verification, the earliest first
}

// New returns a Limiter with a limit in bytes.
func New(limit int64) *Limiter { return &Limiter{limit: limit} }

// HasRoomFor reports whether n bytes fit beside the verified bodies.
func (l *Limiter) HasRoomFor(n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held-l.unverified+n <= l.limit
}

// Held returns the bytes of all bodies.
func (l *Limiter) Held() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// Connection is the connection of a body. A read deadline in the past ends the reading. *http.ResponseController
// implements it.
type Connection interface {
	SetReadDeadline(deadline time.Time) error
}

// Acquire returns a Reader for a body of an announced length in bytes, negative if the request announces none. The
// error is ErrTooLarge or ErrOverCapacity. Until the body is verified, the Limiter may evict it, and then ends its
// reading through the connection. The caller must release the Reader.
func (l *Limiter) Acquire(length int64, verified bool, connection Connection) (*Reader, error) {
	switch {
	case length > l.limit:
		return nil, ErrTooLarge
	case !l.HasRoomFor(max(length, 1)):
		return nil, ErrOverCapacity
	}
	r := readers.Get().(*Reader)
	*r = Reader{limiter: l, connection: connection, buffer: r.buffer}
	if !verified {
		l.mu.Lock()
		defer l.mu.Unlock()
		r.place = l.waiting.PushBack(r)
	}
	return r, nil
}

// Reader reads one body and holds it.
type Reader struct {
	limiter    *Limiter
	connection Connection
	buffer     []byte
	body       []byte // a part of buffer

	// Guarded by limiter.mu.
	bytes    int64
	place    *list.Element // in waiting; nil for a verified body
	complete bool          // the body has been read
	evicted  bool
}

// grow counts n bytes that have arrived.
func (r *Reader) grow(n int) error {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	if r.evicted {
		return ErrOverCapacity
	}
	r.count(int64(n))
	for r.limiter.held > r.limiter.limit && r.limiter.waiting.Len() > 0 {
		r.limiter.waiting.Front().Value.(*Reader).evict()
	}
	if r.evicted || r.limiter.held > r.limiter.limit {
		return ErrOverCapacity
	}
	return nil
}

func (r *Reader) count(n int64) {
	r.bytes += n
	r.limiter.held += n
	if r.place != nil {
		r.limiter.unverified += n
	}
}

// evict ends the reading of the body and no longer counts its bytes. The memory is in use a moment longer, until Read
// returns and the caller releases the Reader.
func (r *Reader) evict() {
	r.evicted = true
	r.count(-r.bytes)
	r.removeFromWaiting()
	if !r.complete {
		_ = r.connection.SetReadDeadline(time.Unix(1, 0)) // if this fails, grow ends the reading after the next byte
	}
}

// removeFromWaiting removes the body from the bodies that the Limiter may evict.
func (r *Reader) removeFromWaiting() {
	if r.place != nil {
		r.limiter.unverified -= r.bytes
		r.limiter.waiting.Remove(r.place)
		r.place = nil
	}
}

// Bytes returns the body that Read has read. It is valid until Release.
func (r *Reader) Bytes() []byte { return r.body }

// MarkVerified protects the body from eviction. It also takes back a body that was evicted after it was complete.
func (r *Reader) MarkVerified() {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	r.removeFromWaiting()
	if r.evicted {
		r.evicted = false
		r.count(int64(len(r.body)))
	}
}

// Release returns the room of the body. The body is no longer valid.
func (r *Reader) Release() {
	r.limiter.mu.Lock()
	r.removeFromWaiting()
	r.count(-r.bytes)
	r.limiter.mu.Unlock()
	r.connection, r.body = nil, nil
	if cap(r.buffer) <= maxPooled {
		readers.Put(r)
	}
}

// readers pools Readers with their buffers, because the body is the largest allocation of a delivery.
var readers = sync.Pool{New: func() any { return new(Reader) }}

const (
	// maxPooled is the size of the largest buffer that is kept for another delivery.
	maxPooled = 256 << 10
	// The size of the buffer for a body before any byte of it has arrived.
	minBuffer  = 4 << 10  // if the request has no Content-Length
	maxReserve = 64 << 10 // if Content-Length is larger
	// maxRead is the largest number of bytes that may arrive before they are counted. A read of a chunked body does not
	// return before it has all requested bytes.
	maxRead = 64 << 10
)

// Read reads the content of a body of an announced length in bytes, negative if the request announces none. The error
// is ErrOverCapacity or an error of content.
func (r *Reader) Read(content io.Reader, length int64) error {
	body := r.buffer[:0]
	for {
		if len(body) == cap(body) {
			body = append(make([]byte, 0, nextCapacity(len(body), length)), body...)
			r.buffer = body
		}
		n, err := content.Read(body[len(body):min(cap(body), len(body)+maxRead)])
		body = body[:len(body)+n]
		if full := r.grow(n); full != nil {
			return full
		}
		switch {
		case errors.Is(err, io.EOF):
			r.end()
			r.body = body
			return nil
		case err != nil:
			return err
		}
	}
}

// end marks the body as complete, so that evict does not disturb its connection.
func (r *Reader) end() {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	r.complete = true
}

// nextCapacity doubles a buffer until it can hold the announced length and one byte more, because reading the end of
// the body also needs room. The length is negative if the request announces none.
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
