// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package connlimit

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const waitTimeout = 10 * time.Second

// server is a listener on the loopback address with its clients.
type server struct {
	*Listener
	t       *testing.T
	evicted int
}

func newServer(t *testing.T, limit int) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	s := &server{t: t}
	s.Listener = New(listener, limit, func() { s.evicted++ })
	return s
}

func (s *server) connect() (client net.Conn, accepted *Conn) {
	s.t.Helper()
	client, err := net.Dial("tcp", s.Addr().String())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { client.Close() })
	require.NoError(s.t, client.SetDeadline(time.Now().Add(waitTimeout)))
	conn, err := s.Accept()
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	return client, conn.(*Conn)
}

// isOpen reports whether a byte reaches the client of an accepted connection.
func isOpen(t *testing.T, client net.Conn, accepted *Conn) bool {
	t.Helper()
	if _, err := accepted.Write([]byte("x")); err != nil {
		return false
	}
	_, err := io.ReadFull(client, make([]byte, 1))
	return err == nil
}

func TestOldestUnauthenticatedMakesRoom(t *testing.T) {
	s := newServer(t, 3)
	first, firstAccepted := s.connect()
	second, secondAccepted := s.connect()
	third, thirdAccepted := s.connect()
	firstAccepted.MarkAuthenticated()
	firstAccepted.MarkAuthenticated()
	fourth, fourthAccepted := s.connect()

	assert.Equal(t, 1, s.evicted)
	assert.Equal(t, 3, s.Len())
	assert.True(t, isOpen(t, first, firstAccepted), "it is authenticated")
	assert.False(t, isOpen(t, second, secondAccepted), "it is the oldest unauthenticated connection")
	assert.True(t, isOpen(t, third, thirdAccepted))
	assert.True(t, isOpen(t, fourth, fourthAccepted))
}

func TestUnauthenticatedDoNotReplaceAuthenticated(t *testing.T) {
	s := newServer(t, 2)
	first, firstAccepted := s.connect()
	second, secondAccepted := s.connect()
	firstAccepted.MarkAuthenticated()
	secondAccepted.MarkAuthenticated()
	third, thirdAccepted := s.connect()

	assert.Equal(t, 1, s.evicted)
	assert.True(t, isOpen(t, first, firstAccepted))
	assert.True(t, isOpen(t, second, secondAccepted))
	assert.False(t, isOpen(t, third, thirdAccepted))
}

func TestClosedConnectionsMakeRoom(t *testing.T) {
	s := newServer(t, 2)
	_, closed := s.connect()
	_, authenticated := s.connect()
	authenticated.MarkAuthenticated()
	require.NoError(t, authenticated.Close())
	require.NoError(t, closed.Close())
	_ = closed.Close()
	s.connect()
	s.connect()
	assert.Zero(t, s.evicted)
	assert.Equal(t, 2, s.Len())
	require.Len(t, s.peers, 1)
	for _, p := range s.peers {
		assert.Equal(t, 2, p.load)
		assert.Equal(t, 2, p.connections.Len())
	}
}

// TestSharedConnectionsCountForTheirRequests uses connections with several requests, as HTTP/2 does.
func TestSharedConnectionsCountForTheirRequests(t *testing.T) {
	s := newServer(t, 10)
	first, firstAccepted := s.connect()
	second, secondAccepted := s.connect()
	secondAccepted.BeginRequests(8)
	secondAccepted.BeginRequests(8)
	assert.Zero(t, s.evicted)
	third, thirdAccepted := s.connect()
	assert.Equal(t, 1, s.evicted)
	assert.False(t, isOpen(t, first, firstAccepted), "it is the oldest")
	firstAccepted.BeginRequests(8)
	assert.Equal(t, 1, s.evicted, "it is closed")
	thirdAccepted.BeginRequests(1)
	assert.Equal(t, 2, s.evicted)
	assert.False(t, isOpen(t, second, secondAccepted), "it is the oldest")

	thirdAccepted.MarkAuthenticated()
	assert.Equal(t, 1, s.load)
	_, fourthAccepted := s.connect()
	fourthAccepted.MarkAuthenticated()
	fourthAccepted.BeginRequests(100)
	assert.Equal(t, 2, s.load, "authenticated connections count once")
	assert.True(t, isOpen(t, third, thirdAccepted))
	require.NoError(t, thirdAccepted.Close())
	require.NoError(t, fourthAccepted.Close())
	_ = fourthAccepted.Close()
	assert.Zero(t, s.load)
	assert.Empty(t, s.peers)
}

// addressed is an open connection with a given remote address.
type addressed struct {
	net.Conn
	remote net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.remote }

// accepts is a listener that returns the connections of a channel.
type accepts struct {
	net.Listener
	conns chan net.Conn
}

func (l accepts) Accept() (net.Conn, error) { return <-l.conns, nil }

// TestPeersDoNotPushEachOtherOut opens more and more connections of one sender beside connections of others.
func TestPeersDoNotPushEachOtherOut(t *testing.T) {
	const limit = 10
	inner := accepts{conns: make(chan net.Conn, 1)}
	evicted := 0
	l := New(inner, limit, func() { evicted++ })
	accept := func(address string) *Conn {
		end, other := net.Pipe()
		t.Cleanup(func() { end.Close(); other.Close() })
		inner.conns <- addressed{end, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))}
		conn, err := l.Accept()
		require.NoError(t, err)
		return conn.(*Conn)
	}
	isOpen := func(c *Conn) bool { _, open := l.open[c]; return open }
	good := []*Conn{accept("192.0.2.1:1"), accept("[::ffff:192.0.2.1]:2"), accept("[2001:db8:1::1]:1"), accept("192.0.2.2:1")}
	flood := make([]*Conn, 0, 100)
	for i := range cap(flood) {
		flood = append(flood, accept(fmt.Sprintf("[2001:db8:2::%x]:%d", i, i+1)))
	}
	for i, c := range good {
		assert.True(t, isOpen(c), i)
	}
	for i, c := range flood {
		assert.Equal(t, i >= len(flood)-limit+len(good), isOpen(c), i)
	}
	assert.Len(t, l.peers, 4)
	assert.Equal(t, len(flood)-limit+len(good), evicted)

	shared := accept("192.0.2.3:1")
	shared.BeginRequests(8)
	assert.False(t, isOpen(shared), "its requests are more than the others' connections")
	assert.True(t, isOpen(good[0]))
}

// TestEqualPeers checks that the oldest of all connections is closed if all senders have the same load.
func TestEqualPeers(t *testing.T) {
	assert.Equal(t, netip.Prefix{}, addressOf(&net.UnixAddr{}))
	inner := accepts{conns: make(chan net.Conn, 1)}
	l := New(inner, 5, func() {})
	var conns []*Conn
	for i := range 8 {
		end, other := net.Pipe()
		t.Cleanup(func() { end.Close(); other.Close() })
		inner.conns <- addressed{end, &net.TCPAddr{IP: net.IPv4(192, 0, 2, byte(i)), Port: 1}}
		conn, err := l.Accept()
		require.NoError(t, err)
		conns = append(conns, conn.(*Conn))
	}
	for i, c := range conns {
		_, open := l.open[c]
		assert.Equal(t, i >= 3, open, i)
	}
}

// TestStopReading sets later deadlines before and after StopReading, as a server does for each request.
func TestStopReading(t *testing.T) {
	for name, setLater := range map[string]func(*Conn) error{
		"none": func(*Conn) error { return nil },
		"read": func(c *Conn) error { return c.SetReadDeadline(time.Now().Add(time.Hour)) },
		"both": func(c *Conn) error { return c.SetDeadline(time.Now().Add(time.Hour)) },
		"zero": func(c *Conn) error { return c.SetReadDeadline(time.Time{}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, 2)
			client, accepted := s.connect()
			require.NoError(t, setLater(accepted))
			s.StopReading(time.Now())
			require.NoError(t, setLater(accepted))
			_, late := s.connect()
			require.NoError(t, setLater(late))
			for _, conn := range []*Conn{accepted, late} {
				_, err := conn.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			}
			assert.True(t, isOpen(t, client, accepted), "answers can still be written")
		})
	}
}

func TestSharedConnectionsGoOnReading(t *testing.T) {
	for name, inOrder := range map[string]func(s *server, c *Conn){
		"before": func(s *server, c *Conn) { c.BeginRequests(1); s.StopReading(time.Now()) },
		"after":  func(s *server, c *Conn) { s.StopReading(time.Now()); c.BeginRequests(1); c.BeginRequests(1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, 5)
			client, accepted := s.connect()
			inOrder(s, accepted)
			require.NoError(t, accepted.SetReadDeadline(time.Now().Add(waitTimeout)))
			_, err := client.Write([]byte("x"))
			require.NoError(t, err)
			_, err = accepted.Read(make([]byte, 1))
			require.NoError(t, err)
		})
	}
}

// TestSharedConnectionMakesAllItsRoom opens connections of weight 1 up to the limit. The last one then needs the room
// of all others.
func TestSharedConnectionMakesAllItsRoom(t *testing.T) {
	const limit = 10
	s := newServer(t, limit)
	var last *Conn
	for range limit {
		_, last = s.connect()
	}
	last.BeginRequests(limit - 1)
	assert.Equal(t, limit-1, s.evicted)
	assert.Equal(t, limit, s.load)
	assert.Equal(t, 1, s.Len())
}

// TestIdleSharedConnectionEnds has a connection without a request, before or after the server stops.
func TestIdleSharedConnectionEnds(t *testing.T) {
	for name, inOrder := range map[string]func(s *server, c *Conn){
		"before": func(s *server, c *Conn) { c.BeginRequests(1); c.EndRequests(); s.StopReading(time.Now()) },
		"after":  func(s *server, c *Conn) { s.StopReading(time.Now()); c.BeginRequests(1); c.EndRequests() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, 5)
			_, accepted := s.connect()
			inOrder(s, accepted)
			_, err := accepted.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		})
	}
}

func TestAcceptFailsWithTheListener(t *testing.T) {
	s := newServer(t, 1)
	require.NoError(t, s.Close())
	_, err := s.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

// TestStopAccepting leaves established connections in the accept queue of the kernel.
func TestStopAccepting(t *testing.T) {
	s := newServer(t, 5)
	waiting, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer waiting.Close()
	s.StopAccepting()
	conn, err := s.Accept()
	require.NoError(t, err)
	defer conn.Close()
	_, err = s.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = net.Dial("tcp", s.Addr().String())
	require.Error(t, err)

	withoutDeadline := New(struct{ net.Listener }{newServer(t, 1)}, 1, func() {})
	withoutDeadline.StopAccepting()
	_, err = withoutDeadline.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}
