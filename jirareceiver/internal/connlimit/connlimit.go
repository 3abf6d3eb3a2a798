// Package connlimit bounds the open connections of a server, and the time that senders have left when the server stops.
//
// A listener that stops accepting at its limit, as golang.org/x/net/netutil.LimitListener does, lets strangers keep everybody
// else out: they hold what is open, and fill the queue of the kernel. This one goes on accepting, and closes the connection
// that has waited longest without proving who sends.
package connlimit

import (
	"container/list"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener keeps at most a number of connections open. It is safe for concurrent use.
type Listener struct {
	net.Listener
	limit   int
	onEvict func()

	mu        sync.Mutex
	open      map[*Conn]struct{}
	strangers list.List // of *Conn, the oldest first
	stopAt    time.Time // read deadline of all connections; zero until StopReading
}

// New returns a Listener that accepts from another. It calls onEvict for each connection that it closes to stay within limit.
func New(listener net.Listener, limit int, onEvict func()) *Listener {
	return &Listener{Listener: listener, limit: limit, onEvict: onEvict, open: map[*Conn]struct{}{}}
}

// Accept returns a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &Conn{Conn: accepted, listener: l}
	evicted := l.add(conn)
	if evicted != nil {
		_ = evicted.Close()
		l.onEvict()
	}
	return conn, nil
}

// Len returns the number of open connections.
func (l *Listener) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// add returns the connection to close. That is the new one itself if all others are authenticated.
func (l *Listener) add(conn *Conn) (evicted *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopAt.IsZero() {
		conn.stopReading(l.stopAt)
	}
	conn.place = l.strangers.PushBack(conn)
	l.open[conn] = struct{}{}
	if len(l.open) <= l.limit {
		return nil
	}
	return l.strangers.Front().Value.(*Conn)
}

func (l *Listener) remove(conn *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
	l.strangers.Remove(conn.place) // which does nothing if it is not in there
}

// StopReading sets the latest read deadline of all connections. Answers can still be written after it.
func (l *Listener) StopReading(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopAt = at
	for conn := range l.open {
		conn.stopReading(at)
	}
}

// Conn is a connection of a [Listener].
type Conn struct {
	net.Conn
	listener      *Listener
	place         *list.Element // in listener.strangers
	authenticated atomic.Bool

	mu          sync.Mutex // orders the deadlines that the server sets with that of StopReading
	stopAt      time.Time
	multiplexed bool
}

// Authenticated exempts the connection from being closed to make room for others.
func (c *Conn) Authenticated() {
	if c.authenticated.Swap(true) {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.listener.strangers.Remove(c.place)
}

// Multiplexed exempts the connection from StopReading: it carries several requests, and one that stalls must not end the
// others.
func (c *Conn) Multiplexed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.multiplexed {
		return
	}
	c.multiplexed = true
	if !c.stopAt.IsZero() {
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
}

func (c *Conn) stopReading(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopAt = at
	if !c.multiplexed {
		_ = c.Conn.SetReadDeadline(at)
	}
}

// SetReadDeadline sets the deadline, or that of StopReading if it is earlier.
func (c *Conn) SetReadDeadline(deadline time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopAt.IsZero() && !c.multiplexed && (deadline.IsZero() || deadline.After(c.stopAt)) {
		deadline = c.stopAt
	}
	return c.Conn.SetReadDeadline(deadline)
}

// SetDeadline sets both deadlines, as SetReadDeadline and SetWriteDeadline do.
func (c *Conn) SetDeadline(deadline time.Time) error {
	if err := c.SetReadDeadline(deadline); err != nil {
		return err
	}
	return c.SetWriteDeadline(deadline)
}

// Close closes the connection and makes room for another.
func (c *Conn) Close() error {
	c.listener.remove(c)
	return c.Conn.Close()
}
