// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"time"
)

// peer is a sender with unauthenticated connections.
type peer struct {
	address     netip.Prefix
	connections list.List // of *Conn, the oldest first
	load        int       // of its connections
}

// place is the position of a connection in the list of its peer. It is the zero value for an authenticated or a closed
// connection.
type place struct {
	peer    *peer
	element *list.Element
}

func (p *peer) add(conn *Conn) {
	conn.accepted = time.Now()
	conn.place = place{p, p.connections.PushBack(conn)}
	p.load += conn.weight
}

func (p *peer) oldest() *Conn { return p.connections.Front().Value.(*Conn) }

// peerOf returns the peer of a connection.
func (l *Listener) peerOf(conn *Conn) *peer {
	address := addressOf(conn.RemoteAddr())
	p, known := l.peers[address]
	if !known {
		p = &peer{address: address}
		l.peers[address] = p
	}
	return p
}

// forget removes a connection from its peer. If it was the last connection, forget removes the peer from the listener.
func (l *Listener) forget(conn *Conn) {
	p := conn.place.peer
	if p == nil {
		return
	}
	p.connections.Remove(conn.place.element)
	p.load -= conn.weight
	conn.place = place{}
	if p.connections.Len() == 0 {
		delete(l.peers, p.address)
	}
}

// networkBits is the length of the IPv6 prefix that usually belongs to a single sender.
const networkBits = 64

// addressOf returns the IPv4 address or the IPv6 network of a sender, or the zero prefix for a Unix socket.
func addressOf(remote net.Addr) netip.Prefix {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = networkBits
	}
	prefix, _ := address.Prefix(bits) // cannot fail: bits is at most the length of the address
	return prefix
}
