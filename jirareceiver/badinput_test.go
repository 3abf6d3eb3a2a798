// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// TestBadInputs sends damaged requests over sockets. The receiver accepts only authentic JSON objects, answers no
// request with 500, and accepts a good delivery afterwards. The environment variable is the same for all tests that
// break things.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	const batch = 1000 // inputs for one receiver, because the telemetry of tests keeps all measurements
	inputs := 4 * batch
	switch {
	case os.Getenv("JIRA_FAULTS") == "long":
		inputs = 120 * batch
	case testing.Short():
		inputs = batch / 5
	}
	var answers sync.Map
	for first := 0; first < inputs; first += batch {
		sendBadInputs(t, uint64(first), uint64(min(first+batch, inputs)), &answers)
	}
	answers.Range(func(status, count any) bool {
		t.Logf("answered with %v: %d", status, count.(*atomic.Int64).Load())
		return true
	})
	t.Logf("inputs: %d", inputs)
}

// sendBadInputs sends the inputs from first to end to one receiver.
func sendBadInputs(t *testing.T, first, end uint64, answers *sync.Map) {
	t.Helper()
	var records, responses atomic.Int64 // responses with 200
	r := start(t, &sink{consume: func(_ context.Context, logs plog.Logs) error {
		records.Add(int64(logs.LogRecordCount()))
		return nil
	}}, func(cfg *Config) {
		requireSignature(cfg)
		cfg.HealthPath = "" // any probe gets 200
		cfg.ServerConfig.MaxRequestBodySize = 64 << 10
	})
	next := atomic.Uint64{}
	next.Store(first)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for i := next.Add(1) - 1; i < end; i = next.Add(1) - 1 {
				responses.Add(newBadRequest(i).send(t, r.server.Listener().Addr().String(), answers))
			}
		})
	}
	senders.Wait()
	assert.Equal(t, responses.Load(), records.Load(), "records in the pipeline are those of the responses with 200")
	response, answer := r.post(t, []byte(createdBody), withSignature(currentSecret, createdBody))
	r.assertResponse(t, "", response, answer)
	r.awaitHeld(t, 0)
	r.assertInFlight(t, 0)
	assert.Empty(t, r.logs.FilterLevelExact(zap.ErrorLevel).All(), "no panic")
	require.NoError(t, r.Shutdown(t.Context()))
}

// badRequest is a request that is damaged step by step. Its number determines all random decisions.
type badRequest struct {
	*rand.Rand
	number                uint64
	method, path, version string
	headers               []string
	encoding              string
	body                  []byte // decompressed
	signed                bool   // with the final body
	damages               []func([]byte) []byte
}

func newBadRequest(number uint64) *badRequest {
	const seed = 20260501
	return &badRequest{
		Rand: rand.New(rand.NewPCG(seed, number)), number: number,
		method: http.MethodPost, path: defaultPath, version: "HTTP/1.1", body: []byte(createdBody), signed: true,
	}
}

// send sends the damaged request, checks all responses, and returns the number of responses with 200.
func (b *badRequest) send(t *testing.T, address string, answers *sync.Map) (accepted int64) {
	t.Helper()
	input := b.damaged()
	conn, err := net.Dial("tcp", address)
	if !assert.NoError(t, err) {
		return 0
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(waitLimit))
	_ = conn.(*net.TCPConn).SetLinger(0) // else the ports run out
	_, _ = conn.Write(input)             // the receiver may close the connection early
	_ = conn.(*net.TCPConn).CloseWrite()
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			break
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		count, _ := answers.LoadOrStore(response.StatusCode, &atomic.Int64{})
		count.(*atomic.Int64).Add(1)
		assert.NotContains(t, []int{429, 500, 502, 503}, response.StatusCode, "input %d: %.500q", b.number, input)
		if response.StatusCode == http.StatusOK {
			accepted++
		}
	}
	assert.LessOrEqual(t, accepted, b.acceptable(input), "input %d: %.500q", b.number, input)
	return accepted
}

// acceptable counts the requests in an input that the receiver may accept. It uses no code of the receiver.
func (b *badRequest) acceptable(input []byte) (count int64) {
	reader := bufio.NewReader(bytes.NewReader(input))
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return count
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return count
		}
		if slices.ContainsFunc(b.decodings(body), func(body []byte) bool { return b.isAcceptable(request, body) }) {
			count++
		}
	}
}

// decodings returns the body with each possible content encoding, whatever the header contains.
func (*badRequest) decodings(body []byte) [][]byte {
	bodies := [][]byte{body}
	if r, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		content, _ := io.ReadAll(r)
		bodies = append(bodies, content)
	}
	if r, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
		content, _ := io.ReadAll(r)
		bodies = append(bodies, content)
	}
	return bodies
}

func (*badRequest) isAcceptable(request *http.Request, body []byte) bool {
	var object map[string]json.RawMessage
	content := bytes.TrimPrefix(body, []byte("\ufeff")) // one byte order mark
	isObject := len(bytes.TrimSpace(content)) == 0 || json.Unmarshal(content, &object) == nil && object != nil
	isSigned := strings.EqualFold(request.Header.Get(signature.Header), signature.Sign([]byte(currentSecret), body))
	return request.Method == http.MethodPost && request.URL.Path == defaultPath && isSigned && isObject
}

// damaged damages the request one to three times, and returns its bytes.
func (b *badRequest) damaged() []byte {
	steps := []func(){
		func() { b.body = b.flip(b.body) },
		func() { b.body = b.truncate(b.body) },
		func() { b.body = b.noise(b.IntN(1000)) },
		func() { b.body = []byte(b.badBody()) },
		func() { b.body = b.nest() },
		func() { b.body = bytes.Repeat([]byte(" "), b.IntN(200<<10)) },
		func() { b.signed, b.headers = false, append(b.headers, b.badSignature()) },
		func() { b.signed = false },
		func() {
			b.encoding = b.pick("gzip", "deflate", "zlib", "zstd", "snappy", "x-snappy-framed", "lz4", "br", "identity", "gzip, gzip", "GZIP", "\t", "hunter2")
		},
		func() {
			b.method = b.pick("GET", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "post", "PO ST", "", "\x00", "PRI")
		},
		func() { b.path = b.badPath() },
		func() {
			b.version = b.pick("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1.1", "http/1.1", "", "HTTP/-1", "ICY")
		},
		func() { b.headers = append(b.headers, b.badHeader()) },
		func() { b.damages = append(b.damages, b.flip) },
		func() { b.damages = append(b.damages, b.truncate) },
		func() { b.damages = append(b.damages, b.pipeline) },
		func() { b.damages = append(b.damages, b.insert) },
	}
	for range 1 + b.IntN(3) {
		steps[b.IntN(len(steps))]()
	}
	content := b.bytes()
	for _, damage := range b.damages {
		content = damage(content)
	}
	return content
}

func (b *badRequest) bytes() []byte {
	var content bytes.Buffer
	fmt.Fprintf(&content, "%s %s %s\r\nHost: a\r\n", b.method, b.path, b.version)
	if b.signed {
		fmt.Fprintf(&content, "%s: %s\r\n", signature.Header, signature.Sign([]byte(currentSecret), b.body))
	}
	body := b.body
	switch b.encoding {
	case "gzip":
		body = gzipped(string(body))
	case "deflate":
		var compressed bytes.Buffer
		w := zlib.NewWriter(&compressed)
		_, _ = w.Write(body)
		_ = w.Close()
		body = compressed.Bytes()
	}
	if b.encoding != "" {
		fmt.Fprintf(&content, "Content-Encoding: %s\r\n", b.encoding)
	}
	for _, header := range b.headers {
		content.WriteString(header + "\r\n")
	}
	fmt.Fprintf(&content, "Content-Length: %d\r\n\r\n", len(body))
	content.Write(body)
	return content.Bytes()
}

func (b *badRequest) pick(choices ...string) string { return choices[b.IntN(len(choices))] }

func (b *badRequest) badBody() string {
	return b.pick(
		"", " ", "\x00", "null", "true", "1", `""`, "[]", "[{}]", "{", "}", "{}}", "{}{}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`,
		"\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "<xml/>", "a=1&b=2", `{"a": NaN}`, `{"a": 01}`, `{"a": "\x"}`, `{"a": "`+"\xff\xfe"+`"}`,
		`{"issue": 1}`, `{"issue": [], "user": "x", "timestamp": {}}`, `{"timestamp": 1e999}`, `{"webhookEvent": {"a": []}}`, "{}\n//",
	)
}

func (b *badRequest) badPath() string {
	return b.pick(
		"/", "*", "", "//jira/events", "/jira/events/", "/jira/../jira/events", "/jira%2Fevents", "/JIRA/EVENTS", "/jira/events?secret=hunter2",
		"/jira/events?token=%zz", "/jira/events#a", "http://other/jira/events", "http://", "/health", "/\x00", "/jira/events\x7f", "/%", "a",
	)
}

func (b *badRequest) badSignature() string {
	good := signature.Sign([]byte(currentSecret), []byte(createdBody))
	return signature.Header + ": " + b.pick(
		"", "=", "sha256", "sha256=", "sha256=zz", "sha1="+good[7:], "md5=00", "sha512="+good[7:], good[7:], good[:len(good)-2], good+"00",
		" "+good+" x", strings.ToUpper(good), good+"\r\n"+signature.Header+": "+good, signature.Sign([]byte("x"), []byte(createdBody)),
		"sha256="+strings.Repeat("00", b.IntN(5000)), string(b.flip([]byte(good))), strings.ToValidUTF8(string(b.noise(40)), "?"),
	)
}

func (b *badRequest) badHeader() string {
	return b.pick(
		"Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1", "Content-Length: x", "Content-Length:",
		"Transfer-Encoding: chunked", "Transfer-Encoding: hunter2", "Transfer-Encoding: chunked, chunked", "Expect: 100-continue", "Expect: hunter2",
		"Connection: close", "Connection: upgrade\r\nUpgrade: h2c", "Upgrade: websocket", "Host: b", "Host: \x00", "X: "+strings.Repeat("a", 1<<b.IntN(15)),
		": empty", "no colon", " folded: a", "X\x00: a", "X: \x00", "X-Atlassian-Webhook-Identifier: "+strings.Repeat("1", 1<<b.IntN(12)),
		"X-Atlassian-Webhook-Retry: "+strconv.Itoa(b.Int()), "X-Atlassian-Webhook-Retry: -x", "Content-Type: \xff", "Trailer: X-Hub-Signature",
		"Authorization: Basic "+strings.Repeat("=", b.IntN(100)), string(append([]byte("X: "), b.noise(50)...)),
	)
}

func (b *badRequest) nest() []byte {
	depth := 1 + b.IntN(9000) // encoding/json accepts 10000
	return []byte(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth-b.IntN(2)) + "}")
}

func (b *badRequest) noise(n int) []byte {
	random := make([]byte, n)
	for i := range random {
		random[i] = byte(b.UintN(256))
	}
	return random
}

func (b *badRequest) flip(content []byte) []byte {
	content = bytes.Clone(content)
	for range 1 + b.IntN(4) {
		if len(content) > 0 {
			content[b.IntN(len(content))] ^= 1 << b.UintN(8)
		}
	}
	return content
}

func (b *badRequest) truncate(content []byte) []byte { return content[:b.IntN(len(content)+1)] }

// pipeline appends a good request or a part of it, without waiting for the response.
func (b *badRequest) pipeline(content []byte) []byte {
	good := newBadRequest(0)
	good.signed = b.IntN(2) == 0
	next := good.bytes()
	return append(bytes.Clone(content), next[:b.IntN(len(next)+1)]...)
}

func (b *badRequest) insert(content []byte) []byte {
	i := b.IntN(len(content) + 1)
	return bytes.Join([][]byte{content[:i], b.noise(1 + b.IntN(50)), content[i:]}, nil)
}
