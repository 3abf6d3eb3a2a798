// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package connlimit limits the number of open connections of a server, and the time for which senders may still send
// when the server stops.
//
// Some listeners stop accepting at their limit, for example golang.org/x/net/netutil.LimitListener. Unauthenticated
// senders can then lock out all other senders: they occupy the open connections and fill the accept queue of the
// kernel. This listener continues to accept, and closes a connection that is not authenticated.
package connlimit

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Listener limits the number of open connections. A connection that may carry several requests at a time, such as an
// HTTP/2 connection, counts for each of them until it is authenticated, because each takes as much memory as a
// connection. It is safe for concurrent use.
type Listener struct {
	net.Listener
	limit   int
	onEvict func()

	stopped atomic.Bool

	mu     sync.Mutex
	open   map[*Conn]struct{}
	load   int // of all connections
	peers  map[netip.Prefix]*peer
	stopAt time.Time // read deadline of all connections; zero until StopReading
}

// New returns a Listener that accepts the connections of another listener. It calls onEvict for each connection that it
// closes to stay within the limit.
func New(listener net.Listener, limit int, onEvict func()) *Listener {
	return &Listener{
		Listener: listener, limit: limit, onEvict: onEvict, open: map[*Conn]struct{}{}, peers: map[netip.Prefix]*peer{},
	}
}

// Accept returns a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) { // only StopAccepting sets a deadline
		return nil, errors.Join(net.ErrClosed, l.Close())
	}
	if err != nil {
		return nil, err
	}
	conn := &Conn{Conn: accepted, listener: l}
	l.evict(l.add(conn))
	return conn, nil
}

func (l *Listener) evict(conn *Conn) {
	if conn != nil {
		_ = conn.Close()
		l.onEvict()
	}
}

// acceptGrace is the time for which the listener still accepts connections that the kernel has already established.
// Closing the listener at once would reset them.
const acceptGrace = time.Millisecond

// StopAccepting makes Accept close the listener after it has accepted the connections in the accept queue.
func (l *Listener) StopAccepting() {
	l.stopped.Store(true)
	listener, ok := l.Listener.(interface {
		SetDeadline(deadline time.Time) error
	})
	if !ok || listener.SetDeadline(time.Now().Add(acceptGrace)) != nil {
		_ = l.Close()
	}
}

// IsStopped reports whether StopAccepting was called.
func (l *Listener) IsStopped() bool { return l.stopped.Load() }

// Len returns the number of open connections.
func (l *Listener) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// add registers a connection. It returns the connection to close, which may be the new one, or nil.
func (l *Listener) add(conn *Conn) (evicted *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopAt.IsZero() {
		conn.stopReading(l.stopAt)
	}
	conn.weight = 1
	l.load++
	l.open[conn] = struct{}{}
	l.peerOf(conn).add(conn)
	return l.excess()
}

// excess returns the connection to close, or nil if the limit is not exceeded or all open connections are
// authenticated. It returns the oldest connection of the peer with the highest load, so that no peer loses connections
// because another peer opens many.
func (l *Listener) excess() *Conn {
	if l.load <= l.limit {
		return nil
	}
	var largest *peer
	for _, p := range l.peers {
		if largest == nil || p.load > largest.load || p.load == largest.load && p.oldest().accepted.Before(largest.oldest().accepted) {
			largest = p
		}
	}
	if largest == nil {
		return nil
	}
	return largest.oldest()
}

func (l *Listener) remove(conn *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
	l.reweigh(conn, 0)
	l.forget(conn)
}

// reweigh changes the weight of a connection in all loads.
func (l *Listener) reweigh(conn *Conn, weight int) {
	l.load += weight - conn.weight
	if conn.place.peer != nil {
		conn.place.peer.load += weight - conn.weight
	}
	conn.weight = weight
}

// StopReading sets the latest read deadline of all connections. Responses can still be written after it.
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
	authenticated atomic.Bool

	// Guarded by listener.mu.
	accepted time.Time
	place    place
	weight   int // 0 once it is closed

	mu     sync.Mutex // makes the deadlines of the server and of StopReading consistent
	stopAt time.Time
	shared bool // whether several requests share the connection
}

// Authenticated marks the connection as authenticated. The listener then never closes it to make room for other
// connections.
func (c *Conn) Authenticated() {
	if c.authenticated.Swap(true) {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.listener.reweigh(c, min(c.weight, 1))
	c.listener.forget(c)
}

// Share announces that the connection may carry a number of requests at a time. It exempts the connection from
// StopReading, because a stalled request must not end the others.
func (c *Conn) Share(requests int) {
	c.exempt()
	c.listener.evict(c.weigh(1 + requests))
}

func (c *Conn) weigh(weight int) (evicted *Conn) {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	if c.weight != 1 || c.place.peer == nil { // closed, authenticated or already shared
		return nil
	}
	c.listener.reweigh(c, weight)
	return c.listener.excess()
}

func (c *Conn) exempt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared {
		return
	}
	c.shared = true
	if !c.stopAt.IsZero() {
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
}

func (c *Conn) stopReading(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopAt = at
	if !c.shared {
		_ = c.Conn.SetReadDeadline(at)
	}
}

// SetReadDeadline sets the read deadline, but not later than the deadline of StopReading.
func (c *Conn) SetReadDeadline(deadline time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopAt.IsZero() && !c.shared && (deadline.IsZero() || deadline.After(c.stopAt)) {
		deadline = c.stopAt
	}
	return c.Conn.SetReadDeadline(deadline)
}

// SetDeadline sets the read deadline and the write deadline.
func (c *Conn) SetDeadline(deadline time.Time) error {
	if err := c.SetReadDeadline(deadline); err != nil {
		return err
	}
	return c.SetWriteDeadline(deadline)
}

// Close closes the connection and makes room for another one.
func (c *Conn) Close() error {
	c.listener.remove(c)
	return c.Conn.Close()
}
