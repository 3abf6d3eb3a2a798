// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// TestOverCapacity sends a body that exceeds the limit together with the delivery in the pipeline. The announced length
// is more than the 256 KiB that net/http would read before it answers, to keep the connection.
func TestOverCapacity(t *testing.T) {
	t.Parallel()
	const left = 300 << 10
	const head = "POST /jira/events HTTP/1.1\r\nHost: a\r\n"
	long := fmt.Sprintf(`{"a": %q}`, strings.Repeat("a", 3*left))
	compressed := string(gzipped(long))
	require.Less(t, len(compressed), left)
	for _, tt := range []struct{ name, sent string }{
		{"announced, and not sent", fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head, left+1)},
		{"announced, and to be sent when the receiver is ready", fmt.Sprintf("%sContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", head, left+1)},
		{"not announced", fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(long), long)},
		{"compressed", fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", head, len(compressed), compressed)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, finish := states{t}.busy(len(createdBody) + left)
			response, answer := r.readResponse(t, r.dial(t, tt.sent))
			r.assertResponse(t, "over_capacity", response, answer)
			r.assertRejected(t, "over_capacity")
			r.assertInFlight(t, int64(len(createdBody)))
			finish()
			r.assertInFlight(t, 0)
			response, answer = r.post(t, []byte(`{}`))
			r.assertResponse(t, "", response, answer)
		})
	}
}

// TestUnauthenticatedBodiesAreNotRead announces bodies and does not send them. Senders without credentials that a body
// could confirm get the response at once, and take no bytes in flight.
func TestUnauthenticatedBodiesAreNotRead(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"missing_signature":     "",
		"malformed_signature":   "X-Hub-Signature: abc\r\n",
		"unsupported_algorithm": "X-Hub-Signature: md5=00\r\n",
		"missing_signature ":    "Content-Encoding: gzip\r\n",
		"malformed_signature ":  "X-Hub-Signature: sha256=00\r\n",
		"bad_token":             "X-Jira-Token: another\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, consumertest.NewNop(), func(cfg *Config) { requireSignature(cfg); requireToken(cfg) })
			const announced = 1000 // net/http would read so many bytes before it answers
			response, _ := r.readResponse(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n{", header, announced)))
			assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
			r.assertRejected(t, strings.TrimSpace(name))
			r.assertInFlight(t, 0)
		})
	}
}

// TestInFlightBytesReachTheLimit sends a delivery that is just small enough.
func TestInFlightBytesReachTheLimit(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, func(cfg *Config) {
		cfg.ServerConfig.MaxRequestBodySize = int64(2 * len(createdBody))
		cfg.Admission.MaxInFlightBytes = int64(2 * len(createdBody))
	})
	first, second := r.inBackground(t), r.inBackground(t)
	wait(t, next.entered, "delivery")
	r.awaitHeld(t, 2*len(createdBody))
	r.assertInFlight(t, int64(2*len(createdBody)))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "answer"))
	assert.Equal(t, http.StatusOK, wait(t, second, "answer"))
	r.assertInFlight(t, 0)
}

// TestAnnouncedBytesAreNotInFlight announces as many bytes as the limit allows, and sends very few.
func TestAnnouncedBytesAreNotInFlight(t *testing.T) {
	t.Parallel()
	const limit, stalling = 1000, 20
	r := start(t, &sink{}, func(cfg *Config) {
		cfg.ServerConfig.MaxRequestBodySize = limit
		cfg.Admission.MaxInFlightBytes = limit
	})
	for range stalling {
		r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n{", limit-stalling))
	}
	r.awaitHeld(t, stalling)
	response, answer := r.post(t, []byte(createdBody))
	r.assertResponse(t, "", response, answer)
}

// TestBytesCountAsTheyArrive stalls within a chunk.
func TestBytesCountAsTheyArrive(t *testing.T) {
	t.Parallel()
	const sent = 1000 << 10
	r := start(t, &sink{}, nil)
	r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", 2*sent, strings.Repeat(" ", sent)))
	require.Eventually(t, func() bool { return r.handler.bodies.Held() > sent-64<<10 }, waitLimit, time.Millisecond)
}

// TestInFlightBytesAreReleased ends deliveries in each possible way.
func TestInFlightBytesAreReleased(t *testing.T) {
	t.Parallel()
	post := withTarget(http.MethodPost, defaultPath)
	for _, tt := range []struct {
		name      string
		next      func() error
		configure func(*Config)
		body      string
		option    func(*http.Request)
		status    int
	}{
		{"accepted", func() error { return nil }, nil, createdBody, post, 200},
		{"refused by the pipeline", func() error { return errors.New("full") }, nil, createdBody, post, 503},
		{"panic", func() error { panic("hunter2") }, nil, createdBody, post, 500},
		{"excluded", nil, func(cfg *Config) { cfg.Events.Exclude = []string{"*"} }, createdBody, post, 200},
		{"malformed", nil, nil, "hunter2", post, 400},
		{"unauthenticated", nil, requireToken, createdBody, post, 401},
		{"too large", nil, func(cfg *Config) { cfg.ServerConfig.MaxRequestBodySize = 10 }, createdBody, post, 413},
		{"undecodable", nil, nil, string(append(gzipped(createdBody)[:40], make([]byte, 80)...)), withHeader("Content-Encoding", "gzip"), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			held := int64(0)
			var r *testReceiver
			r = start(t, &sink{consume: func(context.Context, plog.Logs) error {
				held = r.handler.bodies.Held()
				return tt.next()
			}}, tt.configure)
			response, _ := r.post(t, []byte(tt.body), tt.option)
			assert.Equal(t, tt.status, response.StatusCode)
			r.assertInFlight(t, 0)
			if tt.next != nil {
				assert.Equal(t, int64(len(tt.body)), held, "while the pipeline had it")
			}
		})
	}
}

func TestInFlightBytesOfInterruptedSendersAreReleased(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, nil)
	connections := make([]net.Conn, 0, 5)
	for range cap(connections) {
		connections = append(connections, r.dial(t, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"a\": 1"))
	}
	r.awaitHeld(t, 7*len(connections))
	r.assertInFlight(t, int64(7*len(connections)))
	for _, conn := range connections {
		require.NoError(t, conn.Close())
	}
	r.awaitHeld(t, 0)
}

// TestUnverifiedBodiesMakeRoom reaches the limit with bodies that are not verified and do not end.
func TestUnverifiedBodiesMakeRoom(t *testing.T) {
	t.Parallel()
	const limit, senders, each = 10_000, 7, 2000
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.ServerConfig.MaxRequestBodySize, cfg.Admission.MaxInFlightBytes = limit, limit
	})
	connections := make([]net.Conn, senders)
	for i := range connections {
		connections[i] = r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nContent-Length: 9000\r\n\r\n%s", forgedSignature, strings.Repeat(" ", each)))
		r.awaitHeld(t, min((i+1)*each, limit))
	}
	r.assertHealth(t, "", "unverified bodies are evicted when needed")
	for _, conn := range connections[:2] {
		response, answer := r.readResponse(t, conn)
		r.assertResponse(t, "over_capacity", response, answer)
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"a": %q}`, strings.Repeat("a", i*each))
		response, answer := r.post(t, []byte(body), withSignature(currentSecret, body))
		r.assertResponse(t, "", response, answer)
	}
	assert.Equal(t, 3, next.LogRecordCount())
}

// TestVerifiedBodiesMakeNoRoom sends an unverified body while a verified one is in the pipeline.
func TestVerifiedBodiesMakeNoRoom(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.ServerConfig.MaxRequestBodySize, cfg.Admission.MaxInFlightBytes = 1000, 1000
	})
	status := r.inBackground(t, withSignature(currentSecret, createdBody))
	wait(t, next.entered, "delivery")
	response, answer := r.readResponse(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nTransfer-Encoding: chunked\r\n\r\n3e0\r\n%s", forgedSignature, strings.Repeat(" ", 0x3e0))))
	r.assertResponse(t, "over_capacity", response, answer)
	r.assertInFlight(t, int64(len(createdBody)))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, status, "answer"))
}

// fakeDisks are the free bytes of disks by directory.
type fakeDisks map[string]uint64

func (d fakeDisks) free(dir string) (uint64, error) {
	free, found := d[dir]
	if !found {
		return 0, os.ErrNotExist
	}
	return free, nil
}

// watchDisks replaces the guard of the disks.
func (r *testReceiver) watchDisks(free func(string) (uint64, error), directories ...string) {
	guard := diskguard.New(diskguard.Options{
		Directories: directories, MinFree: 1000, Free: free, Now: r.clock.Now, Warnings: r.handler.telemetry.warnings,
	})
	r.handler.disk, r.handler.health.disk = guard, guard
}

// TestDiskFull fills one of two disks, and frees it again. The free space is read once per interval.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disks := fakeDisks{"/a": 1000, "/b": 1000}
	r := start(t, &sink{}, nil)
	r.watchDisks(disks.free, "/a", "/b")
	assertAnswer := func(reason, when string) {
		response, answer := r.post(t, []byte(createdBody))
		r.assertResponse(t, reason, response, answer)
		r.assertHealth(t, reason, when)
	}
	assertAnswer("", "just enough")
	disks["/a"] = 999
	r.clock.advance(diskguard.Interval - 1)
	assertAnswer("", "the free space is not read again")
	r.clock.advance(1)
	assertAnswer("disk_full", "too little on one disk")
	r.assertRejected(t, "disk_full")
	disks["/a"] = 1000
	r.clock.advance(diskguard.Interval)
	assertAnswer("", "enough again")
}

// TestDiskFullReadsNoBody announces a body and does not send it. The response to unauthenticated senders does not
// disclose that the disk is full.
func TestDiskFullReadsNoBody(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, func(cfg *Config) {
		requireToken(cfg)
		cfg.Admission.Disk.Directories = []string{"/a"}
	})
	r.watchDisks(fakeDisks{"/a": 0}.free, "/a")
	announce := "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n"
	response, answer := r.readResponse(t, r.dial(t, announce+"\r\n"))
	r.assertResponse(t, "missing_token", response, answer)
	response, answer = r.readResponse(t, r.dial(t, announce+"X-Jira-Token: "+token+"\r\n\r\n"))
	r.assertResponse(t, "disk_full", response, answer)
}

// TestDiskThatCannotBeRead checks that deliveries are accepted, with one warning a minute.
func TestDiskThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, nil)
	r.watchDisks(fakeDisks{}.free, "/missing")
	for range 3 {
		response, answer := r.post(t, []byte(createdBody))
		r.assertResponse(t, "", response, answer)
		r.clock.advance(diskguard.Interval)
	}
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Cannot read the free space").Len())
	r.assertRejected(t, "")
}

// TestDiskThatHangs checks that a disk that hangs delays one delivery and no other.
func TestDiskThatHangs(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, &sink{}, nil)
	r.watchDisks(func(string) (uint64, error) {
		close(entered)
		<-release
		return 0, errors.New("late")
	}, "/a")
	first := r.inBackground(t)
	wait(t, entered, "look at the disk")
	response, answer := r.post(t, []byte(createdBody))
	r.assertResponse(t, "", response, answer)
	close(release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
}

// TestUnauthenticatedConnectionsMakeRoom opens more connections than the limit. A sender of authentic deliveries keeps
// its connection, and a new sender gets one.
func TestUnauthenticatedConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	const limit = 4
	next := &sink{}
	r := start(t, next, func(cfg *Config) { requireSignature(cfg); cfg.MaxConnections = limit })
	jira := r.newClient(t)
	authentic := func() *http.Request {
		return r.request(t, []byte(createdBody), withSignature(currentSecret, createdBody))
	}
	status, _, err := r.send(jira, authentic())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	var others []net.Conn
	for i := range 3 * limit {
		sent := []string{"", "POST /jira/events HTTP/1.1\r\nHost: ", fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nX-Hub-Signature: %s\r\nContent-Length: 9\r\n\r\n{", forgedSignature)}[i%3]
		others = append(others, r.dial(t, sent))
		require.Eventually(t, func() bool { return r.server.Connections() == min(i+2, limit) }, waitLimit, time.Millisecond)
	}
	for i, conn := range others[:len(others)-limit+1] {
		_, err := io.Copy(io.Discard, conn) // a response does not matter
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "connection %d is still open", i)
	}
	for _, client := range []*http.Client{jira, r.newClient(t)} {
		status, _, err := r.send(client, authentic())
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Equal(t, 3, next.LogRecordCount())
	metadatatest.AssertEqualReceiverJiraEvictedConnections(t, r.telemetry,
		r.points(2*limit+2), r.metricOptions()...)
	assert.Len(t, r.logs.FilterMessageSnippet("max_connections").All(), 1)
}

// TestConnectionsAreEqualWithoutAuthentication checks that without authentication no connection can keep others out.
func TestConnectionsAreEqualWithoutAuthentication(t *testing.T) {
	t.Parallel()
	const limit = 4
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.MaxConnections = limit })
	for range 2 * limit {
		response, err := r.newClient(t).Do(r.request(t, []byte(createdBody)))
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
}

// TestHeadersAreBounded sends more headers than Jira and any proxy send.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), nil)
	conn := r.dial(t, "POST /jira/events HTTP/1.1\r\nHost: a\r\n"+strings.Repeat("a:\r\n", 3100)+"\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
	response, _ = r.post(t, []byte(createdBody), withHeader("X-Proxy", strings.Repeat("a", 7000)))
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

// startStream opens an HTTP/2 connection that has no window for responses, and starts a request with full data frames
// and without an end. It returns the settings of the server.
func (r *testReceiver) startStream(t *testing.T, method string, frames int) map[http2.SettingID]uint32 {
	t.Helper()
	conn := tls.Client(r.dial(t, ""), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	_, err := io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	require.NoError(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	frame, err := framer.ReadFrame()
	require.NoError(t, err)
	settings := map[http2.SettingID]uint32{}
	require.NoError(t, frame.(*http2.SettingsFrame).ForeachSetting(func(s http2.Setting) error {
		settings[s.ID] = s.Val
		return nil
	}))
	require.NoError(t, framer.WriteSettingsAck())
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "a"}, {":path", defaultPath}} {
		require.NoError(t, encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	for range frames {
		require.NoError(t, framer.WriteData(1, false, make([]byte, 16<<10)))
	}
	return settings
}

// TestHTTP2IsBounded reads the limits that the server sends for a connection.
func TestHTTP2IsBounded(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) { requireSignature(cfg); withTLS(t, cfg) })
	settings := r.startStream(t, http.MethodPost, 0)
	assert.EqualValues(t, 30, settings[http2.SettingMaxConcurrentStreams])
	assert.EqualValues(t, 16<<10, settings[http2.SettingMaxFrameSize])
	assert.EqualValues(t, 128<<10, settings[http2.SettingInitialWindowSize])
	assert.LessOrEqual(t, settings[http2.SettingMaxHeaderListSize], uint32(9<<10))
}

// TestHTTP2CountsForItsRequests opens two connections that may each carry more than half of the allowed requests.
func TestHTTP2CountsForItsRequests(t *testing.T) {
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		requireSignature(cfg)
		withTLS(t, cfg)
		cfg.MaxConnections = 2 * 30
	})
	r.startStream(t, http.MethodGet, 0)
	require.Eventually(t, func() bool { return r.server.Connections() == 1 }, waitLimit, time.Millisecond)
	r.startStream(t, http.MethodGet, 0)
	require.Eventually(t, func() bool { return r.logs.FilterMessageSnippet("max_connections").Len() == 1 }, waitLimit, time.Millisecond)
	require.Eventually(t, func() bool { return r.server.Connections() == 1 }, waitLimit, time.Millisecond)
	client := r.newClient(t)
	for range 2 * 30 {
		status, version, err := r.send(client, r.request(t, []byte(createdBody), withSignature(currentSecret, createdBody)))
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK*2, status*version)
	}
}

// TestSendersThatTakeNoAnswer checks that a sender that reads no response delays neither the end of its request nor a
// shutdown, although write_timeout is an hour.
func TestSendersThatTakeNoAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for two grace periods of the server")
	}
	t.Parallel()
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		requireSignature(cfg)
		withTLS(t, cfg)
		cfg.ServerConfig.WriteTimeout = time.Hour
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r.startStream(t, method, 5)
	}
	require.Eventually(t, func() bool { return len(r.telemetry.SpanRecorder.Ended()) >= 2 }, waitLimit, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	assert.NoError(t, wait(t, stopped, "shutdown"))
}
