// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
)

// withHeld returns a receiver with so many bytes of room, of which a delivery in the pipeline takes up those of createdBody,
// and a function that ends it.
func withHeld(t *testing.T, room int, configure func(*Config)) (*running, func()) {
	t.Helper()
	next := newGated()
	r := start(t, next, func(cfg *Config) {
		cfg.Server.MaxRequestBodySize = int64(room)
		cfg.Jira.Admission.MaxInFlightBytes = int64(room)
		if configure != nil {
			configure(cfg)
		}
	})
	status := r.inBackground(t)
	wait(t, next.entered, "delivery")
	release := sync.OnceFunc(func() { close(next.release) })
	t.Cleanup(release)
	return r, func() {
		release()
		assert.Equal(t, http.StatusOK, wait(t, status, "answer"))
	}
}

func (r *running) awaitHeld(t *testing.T, bytes int) {
	t.Helper()
	require.Eventually(t, func() bool { return r.handler.bodies.Held() == int64(bytes) }, patience, time.Millisecond)
}

// TestOverCapacity sends more than there is room for beside a delivery that is in the pipeline. What is announced is more than
// the 256 KiB that net/http reads of its own accord before it answers, to spare the connection.
func TestOverCapacity(t *testing.T) {
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
			r, finish := withHeld(t, len(createdBody)+left, nil)
			response, answer := readAnswer(t, r.dial(t, tt.sent))
			assertTold(t, toldOverCapacity, response, answer)
			assertRejected(t, r, "over_capacity")
			assertInFlight(t, r, int64(len(createdBody)))
			finish()
			assertInFlight(t, r, 0)
			response, answer = r.post(t, []byte(`{}`))
			assertTold(t, toldOK, response, answer)
		})
	}
}

// TestStrangersAreNotRead announces bodies that are never sent. Who has no proof that a body could confirm has the answer at once,
// and none of what others may need.
func TestStrangersAreNotRead(t *testing.T) {
	for name, header := range map[string]string{
		"missing_signature":     "",
		"malformed_signature":   "X-Hub-Signature: abc\r\n",
		"unsupported_algorithm": "X-Hub-Signature: md5=00\r\n",
		"missing_signature ":    "Content-Encoding: gzip\r\n",
		"malformed_signature ":  "X-Hub-Signature: sha256=00\r\n",
		"bad_token":             "X-Jira-Token: another\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, consumertest.NewNop(), func(cfg *Config) { requireSignature(cfg); requireToken(cfg) })
			const announced = 1000 // which net/http would read of its own accord before it answers
			response, _ := readAnswer(t, r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n{", header, announced)))
			assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
			assertRejected(t, r, strings.TrimSpace(name))
			assertInFlight(t, r, 0)
		})
	}
}

// TestRoomIsUsed has a delivery pass that is just small enough.
func TestRoomIsUsed(t *testing.T) {
	next := newGated()
	r := start(t, next, func(cfg *Config) {
		cfg.Server.MaxRequestBodySize = int64(2 * len(createdBody))
		cfg.Jira.Admission.MaxInFlightBytes = int64(2 * len(createdBody))
	})
	first, second := r.inBackground(t), r.inBackground(t)
	wait(t, next.entered, "delivery")
	wait(t, next.entered, "delivery beside it")
	assertInFlight(t, r, int64(2*len(createdBody)))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "answer"))
	assert.Equal(t, http.StatusOK, wait(t, second, "answer"))
	assertInFlight(t, r, 0)
}

// TestAnnouncedBytesTakeNoRoom has senders that announce all the room there is, and send next to nothing.
func TestAnnouncedBytesTakeNoRoom(t *testing.T) {
	const room, stalling = 1000, 20
	r := start(t, &sink{}, func(cfg *Config) {
		cfg.Server.MaxRequestBodySize = room
		cfg.Jira.Admission.MaxInFlightBytes = room
	})
	for range stalling {
		r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n{", room-stalling))
	}
	r.awaitHeld(t, stalling)
	response, answer := r.post(t, []byte(createdBody))
	assertTold(t, toldOK, response, answer)
}

// TestBytesCountAsTheyArrive has a sender that stalls within a chunk.
func TestBytesCountAsTheyArrive(t *testing.T) {
	const sent = 1000 << 10
	r := start(t, &sink{}, nil)
	r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", 2*sent, strings.Repeat(" ", sent)))
	require.Eventually(t, func() bool { return r.handler.bodies.Held() > sent-64<<10 }, patience, time.Millisecond)
}

// TestRoomIsGivenBack looks for what a delivery leaves behind, however it ends.
func TestRoomIsGivenBack(t *testing.T) {
	post := at(http.MethodPost, defaultPath)
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
		{"excluded", nil, func(cfg *Config) { cfg.Jira.Events.Exclude = []string{"*"} }, createdBody, post, 200},
		{"malformed", nil, nil, "hunter2", post, 400},
		{"unauthenticated", nil, requireToken, createdBody, post, 401},
		{"too large", nil, func(cfg *Config) { cfg.Server.MaxRequestBodySize = 10 }, createdBody, post, 413},
		{"undecodable", nil, nil, string(append(gzipped(createdBody)[:40], make([]byte, 80)...)), withHeader("Content-Encoding", "gzip"), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			held := int64(0)
			var r *running
			r = start(t, consumerFunc(func(context.Context, plog.Logs) error {
				held = r.handler.bodies.Held()
				return tt.next()
			}), tt.configure)
			response, _ := r.post(t, []byte(tt.body), tt.option)
			assert.Equal(t, tt.status, response.StatusCode)
			assertInFlight(t, r, 0)
			if tt.next != nil {
				assert.Equal(t, int64(len(tt.body)), held, "while the pipeline had it")
			}
		})
	}
}

func TestRoomOfInterruptedSendersIsGivenBack(t *testing.T) {
	r := start(t, &sink{}, nil)
	connections := make([]net.Conn, 0, 5)
	for range cap(connections) {
		connections = append(connections, r.dial(t, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"a\": 1"))
	}
	r.awaitHeld(t, 7*len(connections))
	assertInFlight(t, r, int64(7*len(connections)))
	for _, conn := range connections {
		require.NoError(t, conn.Close())
	}
	r.awaitHeld(t, 0)
}
