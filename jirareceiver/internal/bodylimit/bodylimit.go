// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package bodylimit bounds the bytes of the bodies that are held at a time, and reads bodies into buffers that are used again.
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
	ErrOverCapacity = errors.New("over capacity")   // there is no room for the body now
	ErrTooLarge     = errors.New("above the limit") // there is never room for the body
)

// Limiter bounds the bytes of the bodies that are held at a time. Bytes count when they have arrived and not when they are
// announced: a sender could announce many bytes, send none, and keep others out. It is safe for concurrent use.
//
// A body whose signature is not verified yet may come from an unauthenticated sender. Such bodies make room for others: the body
// that has been read for the longest time is given up first. A delivery of Jira arrives within milliseconds.
type Limiter struct {
	limit int64 // bytes

	mu         sync.Mutex
	held       int64     // bytes of all bodies
	unverified int64     // bytes of the bodies that are not verified
	waiting    list.List // of *Reader, the unverified ones, the longest-waiting first
}

// New returns a Limiter of so many bytes.
func New(limit int64) *Limiter { return &Limiter{limit: limit} }

// HasRoomFor reports whether n bytes fit beside the bodies that cannot be given up.
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

// Connection ends the reading of a body by a deadline in the past. *http.ResponseController is one.
type Connection interface {
	SetReadDeadline(deadline time.Time) error
}

// Acquire returns a Reader for a body of an announced length in bytes, negative if the request announces none. The error is
// ErrTooLarge or ErrOverCapacity. Until the body is verified, it may be given up through its connection. The Reader must be
// released.
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
	givenUp  bool
}

// grow counts n bytes that have arrived.
func (r *Reader) grow(n int) error {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	if r.givenUp {
		return ErrOverCapacity
	}
	r.count(int64(n))
	for r.limiter.held > r.limiter.limit && r.limiter.waiting.Len() > 0 {
		r.limiter.waiting.Front().Value.(*Reader).giveUp()
	}
	if r.givenUp || r.limiter.held > r.limiter.limit {
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

// giveUp counts the body as gone, and ends the reading of it, which returns its memory a moment later.
func (r *Reader) giveUp() {
	r.givenUp = true
	r.count(-r.bytes)
	r.settle()
	if !r.complete {
		_ = r.connection.SetReadDeadline(time.Unix(1, 0)) // at the worst, the sender's next byte ends the reading
	}
}

// settle takes the body from those that may be given up.
func (r *Reader) settle() {
	if r.place != nil {
		r.limiter.unverified -= r.bytes
		r.limiter.waiting.Remove(r.place)
		r.place = nil
	}
}

// Bytes returns the body that Read has read. It is valid until Release.
func (r *Reader) Bytes() []byte { return r.body }

// Verified keeps the body from being given up, also if that happened after it was complete.
func (r *Reader) Verified() {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	r.settle()
	if r.givenUp {
		r.givenUp = false
		r.count(int64(len(r.body)))
	}
}

// Release gives up the room. The body is no longer valid.
func (r *Reader) Release() {
	r.limiter.mu.Lock()
	r.settle()
	r.count(-r.bytes)
	r.limiter.mu.Unlock()
	r.connection, r.body = nil, nil
	if cap(r.buffer) <= maxPooled {
		readers.Put(r)
	}
}

// readers are used again with their buffers, since most of what a delivery allocates is its body.
var readers = sync.Pool{New: func() any { return new(Reader) }}

const (
	// maxPooled is how many bytes a buffer may have to be kept for another delivery.
	maxPooled = 256 << 10
	// How many bytes are set aside for a body before any of it has arrived.
	minBuffer  = 4 << 10  // when the request has no Content-Length
	maxReserve = 64 << 10 // when Content-Length is larger
	// maxRead is how many bytes may have arrived without being counted. A chunked body is read until there are as many as
	// were asked for.
	maxRead = 64 << 10
)

// Read reads the content of a body of an announced length in bytes, negative if there is none. The error is ErrOverCapacity or an
// error of content.
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

// end keeps the connection of a body that has arrived from being disturbed.
func (r *Reader) end() {
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	r.complete = true
}

// nextCapacity doubles a buffer until it can hold a body of the announced length, which is negative when the request
// announces none, and one byte more: to read the end of the body takes room as well.
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
