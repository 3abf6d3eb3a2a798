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
	l.add(conn)
	l.makeRoom()
	return conn, nil
}

// makeRoom closes connections until the limit is met, or all open connections are authenticated.
func (l *Listener) makeRoom() {
	for {
		conn := l.takeExcess()
		if conn == nil {
			return
		}
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

// add registers a connection.
func (l *Listener) add(conn *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopAt.IsZero() {
		conn.stopReading(l.stopAt)
	}
	conn.weight = 1
	l.load++
	l.open[conn] = struct{}{}
	l.peerOf(conn).add(conn)
}

// takeExcess unregisters a connection and returns it, or nil if the limit is met or all open connections are
// authenticated. It takes the oldest connection of the peer with the highest load, so that no peer loses connections
// because another peer opens many.
func (l *Listener) takeExcess() *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.load <= l.limit {
		return nil
	}
	var largest *peer
	for _, p := range l.peers {
		if largest == nil || p.load > largest.load ||
			p.load == largest.load && p.oldest().accepted.Before(largest.oldest().accepted) {
			largest = p
		}
	}
	if largest == nil {
		return nil
	}
	conn := largest.oldest()
	l.unregister(conn)
	return conn
}

// unregister removes a connection from all loads. The caller holds the lock.
func (l *Listener) unregister(conn *Conn) {
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
	shared bool // whether several requests may be under way
}

// MarkAuthenticated marks the connection as authenticated. The listener then never closes it to make room for other
// connections.
func (c *Conn) MarkAuthenticated() {
	if c.authenticated.Swap(true) {
		return
	}
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.listener.reweigh(c, min(c.weight, 1))
	c.listener.forget(c)
}

// BeginRequests announces a request on a connection that may carry a number of requests at a time. Until EndRequests,
// it exempts the connection from StopReading, because a stalled request must not end the others.
func (c *Conn) BeginRequests(requests int) {
	c.exempt()
	c.weigh(1 + requests)
	c.listener.makeRoom()
}

// idleGrace is the time for which a shared connection without a request stays open after StopReading, so that the
// server can flush its last response.
const idleGrace = 500 * time.Millisecond

// EndRequests announces that a shared connection carries no request. When it stops, net/http ends only the HTTP/2
// connections that it knows by then. A connection that is set up later would stay open until its idle timeout.
func (c *Conn) EndRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shared = false
	if c.stopAt.IsZero() {
		return
	}
	if end := time.Now().Add(idleGrace); c.stopAt.Before(end) {
		c.stopAt = end
	}
	_ = c.Conn.SetReadDeadline(c.stopAt)
}

func (c *Conn) weigh(weight int) {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	if c.weight == 1 && c.place.peer != nil { // neither closed, authenticated nor already shared
		c.listener.reweigh(c, weight)
	}
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
	c.listener.mu.Lock()
	c.listener.unregister(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
