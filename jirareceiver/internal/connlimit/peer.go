package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"time"
)

// peer is a sender with connections that are not authenticated.
type peer struct {
	address     netip.Prefix
	connections list.List // of *Conn, the oldest first
	load        int       // of its connections
}

// place is where a connection stands among those of its peer. An authenticated or closed connection has none.
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

// forget takes a connection from its peer, and the peer from the listener with its last one.
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

// networkBits is how much of an IPv6 address one sender usually has to itself.
const networkBits = 64

// addressOf returns the IPv4 address or the IPv6 network of a sender, and the zero prefix for a Unix socket.
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
	prefix, _ := address.Prefix(bits) // of as many bits as the address has, or fewer
	return prefix
}
