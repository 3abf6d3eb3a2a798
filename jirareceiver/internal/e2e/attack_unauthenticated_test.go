// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

const (
	requestLine = "POST /jira/events HTTP/1.1\r\nHost: jira\r\n"
	// formerHeader and header are the header bytes that net/http accepts with a limit of 64 KiB and of 8 KiB: the limit
	// plus 4 KiB.
	formerHeader = 68_000
	header       = 12_000
)

// attacksBeforeAuthentication are attacks without a secret and without a token.
func attacksBeforeAuthentication() []attack {
	return []attack{
		{name: "a1 many short headers, 68 KB", run: shortHeaders(formerHeader)},
		{name: "a2 many short headers, 12 KB", run: shortHeaders(header)},
		{name: "a3 many short headers, 68 KB, TLS", tls: true, run: shortHeaders(formerHeader)},
		{name: "a4 streams of HTTP/2, 64 KiB of headers each", tls: true, run: headersOfStreams(60 << 10)},
		{name: "a5 streams of HTTP/2, 8 KiB of headers each", tls: true, run: headersOfStreams(8 << 10)},
		{name: "a6 bodies over HTTP/2 whose answer is not taken", tls: true, run: bodiesOverHTTP2},
		{name: "b1 connections held open", run: heldConnections},
		{name: "b2 connections held open, TLS", tls: true, run: heldConnectionsTLS},
		{name: "c announced bodies that cannot authenticate", run: answeredBeforeBody},
		{name: "d slow bodies with a wrong signature", args: smallAdmission(), run: slowBodies},
		{name: "g garbage instead of TLS handshakes", tls: true, run: garbageHandshakes},
	}
}

// shortNames returns header fields without values, in about the given number of bytes. Each has a different name of
// three letters.
func shortNames(size int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var b bytes.Buffer
	for n := 0; b.Len()+6 <= size; n++ {
		b.Write([]byte{letters[n%36], letters[n/36%36], letters[n/1296%36], ':', '\r', '\n'})
	}
	return b.Bytes()
}

// shortHeaders sends headers without an end.
func shortHeaders(size int) func(*testing.T, *attacker) {
	return func(t *testing.T, a *attacker) {
		t.Helper()
		begin := append([]byte(requestLine), shortNames(size-len(requestLine))...)
		connections := form(900, 20_000)
		if a.tls != nil {
			connections = form(900, 6000)
		}
		a.hold(files(t, connections), func(_ int, conn net.Conn) { _, _ = conn.Write(begin) })
		a.pause(time.Duration(form(2, 20)) * time.Second)
	}
}

// headersOfStreams opens streams whose responses cannot be sent, because the client never opens the flow-control
// window.
func headersOfStreams(size int) func(*testing.T, *attacker) {
	return func(t *testing.T, a *attacker) {
		t.Helper()
		const streams = 100
		for range form(50, 1000) {
			if !a.c.alive() {
				return
			}
			conn, err := a.dial("h2")
			if err != nil {
				continue
			}
			if negotiated := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; negotiated != "h2" {
				t.Logf("no HTTP/2: %q", negotiated)
				return
			}
			_ = conn.SetWriteDeadline(time.Now().Add(waitLimit))
			a.running.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // without it, the server would stop reading
			_, _ = conn.Write(manyStreams(streams, size))
		}
		a.pause(time.Duration(form(2, 20)) * time.Second)
	}
}

// fieldOverhead is the number of bytes that HTTP/2 counts for each field in addition to its name and value.
const fieldOverhead = 32

// manyStreams returns the bytes of a connection with streams without an end. Each stream has a list of fields of the
// given size, as HTTP/2 counts it, and a well-formed wrong signature.
func manyStreams(streams, size int) []byte {
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&b, nil)
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for stream := range streams {
		block.Reset()
		counted := 0
		field := func(name, value string) {
			_ = encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: true}) // prevents compression
			counted += len(name) + len(value) + fieldOverhead
		}
		field(":method", "POST")
		field(":scheme", "https")
		field(":authority", "jira")
		field(":path", "/jira/events")
		field(strings.ToLower(signature.Header), forged)
		const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
		for n := 0; counted < size-2*fieldOverhead; n++ {
			field(string([]byte{letters[n%36], letters[n/36%36], letters[n/1296%36]}), "")
		}
		writeHeaders(framer, uint32(2*stream+1), block.Bytes())
	}
	return b.Bytes()
}

// bodiesOverHTTP2 sends a megabyte of a body without a signature on each connection, and opens no window for the
// response.
func bodiesOverHTTP2(t *testing.T, a *attacker) {
	t.Helper()
	var b, block bytes.Buffer
	b.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&b, nil)
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "jira"}, {":path", "/jira/events"}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	writeHeaders(framer, 1, block.Bytes())
	for range 64 {
		_ = framer.WriteData(1, false, make([]byte, 16<<10))
	}
	a.hold(files(t, form(300, 3000)), func(_ int, conn net.Conn) {
		_ = conn.SetWriteDeadline(time.Now().Add(waitLimit))
		a.running.Go(func() { _, _ = io.Copy(io.Discard, conn) }) // without it, the server would stop reading
		_, _ = conn.Write(b.Bytes())
	}, "h2")
	a.pause(time.Duration(form(2, 20)) * time.Second)
}

func writeHeaders(framer *http2.Framer, stream uint32, block []byte) {
	const maxFrame = 16 << 10
	first := block[:min(len(block), maxFrame)]
	rest := block[len(first):]
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		next := rest[:min(len(rest), maxFrame)]
		rest = rest[len(next):]
		_ = framer.WriteContinuation(stream, len(rest) == 0, next)
	}
}

// heldConnections opens connections of four kinds: without a request, with half a header, with an announced body that
// it does not send, and with a slow body with a well-formed wrong signature.
func heldConnections(t *testing.T, a *attacker) {
	t.Helper()
	holdMix(a, files(t, form(2000, 20_000)))
}

func heldConnectionsTLS(t *testing.T, a *attacker) {
	t.Helper()
	holdMix(a, files(t, form(1000, 10_000)))
}

func holdMix(a *attacker, connections int) {
	a.hold(connections, func(n int, conn net.Conn) {
		switch n % 4 {
		case 1:
			_, _ = io.WriteString(conn, requestLine+"X-Half: ")
		case 2:
			_, _ = io.WriteString(conn, requestLine+"Content-Length: 1000000\r\n\r\n")
		case 3:
			_, _ = io.WriteString(conn, requestLine+forgedHeader+"Content-Length: 1000000\r\n\r\n")
			a.running.Go(func() { trickle(a.ctx, conn) })
		}
	})
	a.pause(time.Duration(form(3, 60)) * time.Second)
}

// trickle sends one byte every second.
func trickle(ctx context.Context, conn net.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		_ = conn.SetWriteDeadline(time.Now().Add(waitLimit))
		if _, err := io.WriteString(conn, " "); err != nil {
			return
		}
	}
}

// answeredBeforeBody announces bodies and does not send them. The response must arrive long before the timeout of the
// receiver for a body, which is 30 seconds.
func answeredBeforeBody(t *testing.T, a *attacker) {
	t.Helper()
	for _, announced := range []struct{ name, fields string }{
		{"gzip without a signature", "Content-Encoding: gzip\r\n"},
		{"deflate without a signature", "Content-Encoding: deflate\r\n"},
		{"gzip in chunks without a signature", "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"},
		{"gzip with a signature that is too short", "Content-Encoding: gzip\r\n" + signature.Header + ": sha256=00\r\n"},
		{"a signature that is too short", signature.Header + ": sha256=00\r\n"},
		{"a signature that is too long", signature.Header + ": " + forged + "00\r\n"},
		{"a digest of another method", signature.Header + ": sha512=" + strings.TrimPrefix(forged, "sha256=") + "\r\n"},
	} {
		fields := announced.fields
		if !strings.Contains(fields, "chunked") {
			fields += "Content-Length: 1000\r\n"
		}
		conn, err := a.dial()
		require.NoError(t, err)
		_, err = io.WriteString(conn, requestLine+fields+"\r\n")
		require.NoError(t, err)
		_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if assert.NoError(t, err, "%s: no answer before the body", announced.name) {
			assert.Equal(t, http.StatusUnauthorized, response.StatusCode, announced.name)
		}
		conn.Close()
	}
}

// smallAdmission returns the arguments for a limit of bodies that a few senders reach. The long form uses the default
// limit.
func smallAdmission() []string {
	if form(0, 1) == 1 {
		return nil
	}
	return []string{
		"--set", fmt.Sprintf("receivers::jira::admission::max_in_flight_bytes=%d", 4*mebibyte),
		"--set", fmt.Sprintf("receivers::jira::max_request_body_size=%d", mebibyte),
	}
}

// slowBodies fills the room for unverified bodies. Each sender sends its share of the room within a second and stalls
// until the receiver gives its body up, so that only a few bytes of room are left. With the default limits that takes
// 4.5 MB/s in all. The collector must accept good deliveries, and must be healthy.
func slowBodies(t *testing.T, a *attacker) {
	t.Helper()
	const senders = 65
	size, end := form(1_000_000, 25_000_000), time.Now().Add(time.Duration(form(6, 90))*time.Second)
	share := form(4, 128)*mebibyte/senders - 1
	begin := fmt.Sprintf("%s%sContent-Length: %d\r\n\r\n", requestLine, forgedHeader, size)
	for range senders {
		a.running.Go(func() {
			for a.ctx.Err() == nil && time.Now().Before(end) {
				if conn, err := a.dial(); err == nil {
					_, _ = io.WriteString(conn, begin)
					sendSlowly(a.ctx, conn, share, share, end)
					conn.Close()
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	sick, asked := 0, 0
	for ; time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		asked++
		if status := a.c.health(); status != http.StatusOK {
			sick++
		}
	}
	assert.Zero(t, sick, "responses of /health other than 200, of %d", asked)
}

// sendSlowly sends bytes and then stalls. It returns when the receiver closes the connection.
func sendSlowly(ctx context.Context, conn net.Conn, size, bytesPerSecond int, end time.Time) {
	const pause = 50 * time.Millisecond
	step := bytes.Repeat([]byte(" "), bytesPerSecond*int(pause)/int(time.Second))
	var closed atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		closed.Store(true)
	}()
	for sent := 0; ctx.Err() == nil && !closed.Load() && time.Now().Before(end); sent += len(step) {
		if _, err := conn.Write(step[:min(len(step), max(size-sent, 0))]); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// health returns the status code of health_path, or 0 without a response.
func (c *collector) health() int {
	response, err := http.Get(strings.TrimSuffix(c.url, "/jira/events") + "/health")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// garbageHandshakes sends garbage instead of TLS handshakes, which must not fill the log.
func garbageHandshakes(t *testing.T, a *attacker) {
	t.Helper()
	before := strings.Count(a.c.output(), "\n")
	garbage := []string{"GET / HTTP/1.1\r\n\r\n", "no handshake\r\n", "\x16\x03\x01\x00\x05hello"}
	for n := range form(500, 8000) {
		conn, err := a.dialPlain()
		if err != nil {
			continue
		}
		_, _ = io.WriteString(conn, garbage[n%len(garbage)])
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	a.pause(time.Second)
	logged := strings.SplitAfter(a.c.output(), "\n")[before:]
	assert.LessOrEqual(t, len(logged), 6, "lines of the log")
	for _, line := range logged {
		assert.NotContains(t, line, "127.0.0.1:")
		assert.NotContains(t, line, "net/http.", "a stack")
		if t.Failed() {
			return
		}
	}
}
