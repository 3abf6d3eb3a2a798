package jirareceiver

import (
	"container/list"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// errOverCapacity ends the reading of a body for which there is no room any more.
var errOverCapacity = errors.New("over capacity")

// admission bounds the bytes of the bodies that are held at a time. Bytes count when they have arrived and not when they are
// announced: a sender could announce many, send none, and keep others out.
//
// A body whose signature is still to be verified may be a stranger's. Such bodies make room for others: the one that has been
// read for the longest time is given up first. A delivery of Jira is there within milliseconds, and is not the one.
type admission struct {
	limit int64 // bytes

	mu         sync.Mutex
	held       int64     // bytes of all bodies
	unverified int64     // bytes of the bodies that may be a stranger's
	waiting    list.List // of *lease, the unverified ones, the longest-waiting first
}

// hasRoomFor reports whether n bytes fit beside what cannot be given up.
func (a *admission) hasRoomFor(n int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held-a.unverified+n <= a.limit
}

// heldBytes returns the bytes of all bodies.
func (a *admission) heldBytes() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}

// admit rejects a delivery whose body will not fit, before any of it is read. A body that would never fit is larger than
// max_request_body_size, which is no more than the limit, and must not come back. The lease must be released.
func (a *admission) admit(w http.ResponseWriter, r *http.Request, verified bool) (*lease, error) {
	switch {
	case r.ContentLength > a.limit:
		return nil, failed(kindTooLarge, nil)
	case !a.hasRoomFor(max(r.ContentLength, 1)):
		return nil, failed(kindOverCapacity, nil)
	}
	l := leases.Get().(*lease)
	*l = lease{admission: a, w: w, buffer: l.buffer}
	if !verified {
		a.mu.Lock()
		defer a.mu.Unlock()
		l.place = a.waiting.PushBack(l)
	}
	return l, nil
}

// lease is the room that one delivery takes up, and the buffer that holds its body.
type lease struct {
	*admission
	w      http.ResponseWriter // of the delivery
	buffer []byte

	// Guarded by admission.mu.
	bytes    int64
	place    *list.Element // in waiting; nil for a verified body
	complete bool          // the body has been read
	givenUp  bool
}

// grow counts n bytes that have arrived.
func (l *lease) grow(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.givenUp {
		return errOverCapacity
	}
	l.count(int64(n))
	for l.held > l.limit && l.waiting.Len() > 0 {
		l.waiting.Front().Value.(*lease).giveUp()
	}
	if l.givenUp || l.held > l.limit {
		return errOverCapacity
	}
	return nil
}

func (l *lease) count(n int64) {
	l.bytes += n
	l.held += n
	if l.place != nil {
		l.unverified += n
	}
}

// giveUp counts the body as gone, and ends the reading of it, which returns its memory a moment later.
func (l *lease) giveUp() {
	l.givenUp = true
	l.count(-l.bytes)
	l.settle()
	if !l.complete {
		_ = http.NewResponseController(l.w).SetReadDeadline(time.Unix(1, 0)) // at the worst, the sender's next byte ends the reading
	}
}

// settle takes the body from those that may be given up.
func (l *lease) settle() {
	if l.place != nil {
		l.unverified -= l.bytes
		l.waiting.Remove(l.place)
		l.place = nil
	}
}

// verified keeps the body from being given up, also if that happened after it was complete.
func (l *lease) verified(body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	if l.givenUp {
		l.givenUp = false
		l.count(int64(len(body)))
	}
}

// release gives up the room. The body is no longer valid.
func (l *lease) release() {
	l.mu.Lock()
	l.settle()
	l.count(-l.bytes)
	l.mu.Unlock()
	l.w = nil
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
	minBuffer  = 4 << 10  // when the request has no Content-Length
	maxReserve = 64 << 10 // when Content-Length is larger
	// maxRead is how many bytes may have arrived without being counted. A chunked body is read until there are as many as
	// were asked for.
	maxRead = 64 << 10
)

// read returns the content of a body, of which length bytes were announced, or a negative number if none were. It is valid until
// the lease is released.
func (l *lease) read(content io.Reader, length int64) ([]byte, error) {
	body := l.buffer[:0]
	for {
		if len(body) == cap(body) {
			body = append(make([]byte, 0, nextCapacity(len(body), length)), body...)
			l.buffer = body
		}
		n, err := content.Read(body[len(body):min(cap(body), len(body)+maxRead)])
		body = body[:len(body)+n]
		if full := l.grow(n); full != nil {
			return nil, full
		}
		switch {
		case errors.Is(err, io.EOF):
			l.end()
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}

// end keeps the connection of a body that has arrived from being disturbed.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complete = true
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
