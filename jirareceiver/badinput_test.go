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

// The inputs follow from these numbers: the input of a failure is made anew from its own.
const (
	badInputSeed   = 20260501
	badInputBatch  = 1000              // inputs that a receiver gets before it has to show that it is well
	fewBadInputs   = badInputBatch / 5 // with -short
	shortBadInputs = 4 * badInputBatch
	longBadInputs  = 120 * badInputBatch
)

// badInputs returns the number of inputs. The variable is the same for all tests that break things.
func badInputs() int {
	switch {
	case os.Getenv("JIRA_FAULTS") == "long":
		return longBadInputs
	case testing.Short():
		return fewBadInputs
	default:
		return shortBadInputs
	}
}

// TestBadInputs sends what no Jira sends over sockets. Nothing gets 200 that is not both authentic and a JSON object, nothing
// is answered with 500, and a good delivery is accepted afterwards.
func TestBadInputs(t *testing.T) {
	var answers sync.Map
	for first := 0; first < badInputs(); first += badInputBatch {
		sendBatch(t, uint64(first), uint64(min(first+badInputBatch, badInputs())), &answers)
	}
	answers.Range(func(status, count any) bool {
		t.Logf("answered with %v: %d", status, count.(*atomic.Int64).Load())
		return true
	})
	t.Logf("inputs: %d", badInputs())
}

// sendBatch sends the inputs from first to end to a receiver of its own, because the telemetry of tests keeps all measurements.
func sendBatch(t *testing.T, first, end uint64, answers *sync.Map) {
	t.Helper()
	var records, accepted atomic.Int64
	r := start(t, consumerFunc(func(_ context.Context, logs plog.Logs) error {
		records.Add(int64(logs.LogRecordCount()))
		return nil
	}), func(cfg *Config) {
		requireSignature(cfg)
		cfg.Jira.HealthPath = "" // which anybody gets 200 from
		cfg.Server.MaxRequestBodySize = 64 << 10
	})
	address, next := r.server.Listener().Addr().String(), atomic.Uint64{}
	next.Store(first)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for i := next.Add(1) - 1; i < end; i = next.Add(1) - 1 {
				accepted.Add(sendBad(t, address, i, answers))
			}
		})
	}
	senders.Wait()
	assert.Equal(t, accepted.Load(), records.Load(), "what got 200 is in the pipeline, and nothing else")
	response, answer := r.post(t, []byte(createdBody), signedWith(secret, createdBody))
	assertTold(t, toldOK, response, answer)
	r.awaitHeld(t, 0)
	assertInFlight(t, r, 0)
	assert.Empty(t, r.logs.FilterLevelExact(zap.ErrorLevel).All(), "no panic")
	require.NoError(t, r.Shutdown(t.Context()))
}

// sendBad sends an input, checks all answers, and returns how many of them are 200.
func sendBad(t *testing.T, address string, number uint64, answers *sync.Map) (accepted int64) {
	t.Helper()
	input := badInput(number)
	conn, err := net.Dial("tcp", address)
	if !assert.NoError(t, err) {
		return 0
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_ = conn.(*net.TCPConn).SetLinger(0) // else the ports run out
	_, _ = conn.Write(input)             // the receiver may have heard enough
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
		assert.NotContains(t, []int{429, 500, 502, 503}, response.StatusCode, "input %d: %.500q", number, input)
		if response.StatusCode == http.StatusOK {
			accepted++
		}
	}
	assert.LessOrEqual(t, accepted, acceptable(input), "input %d: %.500q", number, input)
	return accepted
}

// acceptable counts the requests in an input that may be answered with 200. It trusts nothing of the receiver.
func acceptable(input []byte) (count int64) {
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
		signed := request.Header.Get(signature.Header)
		for _, plain := range decodings(body) {
			if request.Method == http.MethodPost && request.URL.Path == defaultPath && isSigned(signed, plain) && isObject(plain) {
				count++
				break
			}
		}
	}
}

// decodings are what a body may mean, whatever its encoding is said to be.
func decodings(body []byte) [][]byte {
	plain := [][]byte{body}
	if r, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		content, _ := io.ReadAll(r)
		plain = append(plain, content)
	}
	if r, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
		content, _ := io.ReadAll(r)
		plain = append(plain, content)
	}
	return plain
}

func isSigned(header string, body []byte) bool {
	return strings.EqualFold(header, signature.Sign([]byte(secret), body))
}

// isObject says yes to no body at all, as it comes from webhooks that exclude it.
func isObject(body []byte) bool {
	var object map[string]json.RawMessage
	return len(bytes.TrimSpace(body)) == 0 || json.Unmarshal(body, &object) == nil && object != nil
}

// message is a request that is about to be spoilt.
type message struct {
	method, path, version string
	headers               []string
	encoding              string
	body                  []byte // decompressed
	signed                bool   // whatever becomes of the body
	raw                   []func(*rand.Rand, []byte) []byte
}

// badInput makes the input of a number.
func badInput(number uint64) []byte {
	rnd := rand.New(rand.NewPCG(badInputSeed, number))
	m := &message{method: http.MethodPost, path: defaultPath, version: "HTTP/1.1", body: []byte(createdBody), signed: true}
	for range 1 + rnd.IntN(3) {
		pick(rnd, spoilers)(rnd, m)
	}
	text := m.text()
	for _, spoil := range m.raw {
		text = spoil(rnd, text)
	}
	return text
}

func (m *message) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\nHost: a\r\n", m.method, m.path, m.version)
	if m.signed {
		fmt.Fprintf(&b, "%s: %s\r\n", signature.Header, signature.Sign([]byte(secret), m.body))
	}
	body := m.body
	switch m.encoding {
	case "gzip":
		body = gzipped(string(body))
	case "deflate":
		var compressed bytes.Buffer
		w := zlib.NewWriter(&compressed)
		_, _ = w.Write(body)
		_ = w.Close()
		body = compressed.Bytes()
	}
	if m.encoding != "" {
		fmt.Fprintf(&b, "Content-Encoding: %s\r\n", m.encoding)
	}
	for _, header := range m.headers {
		b.WriteString(header + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}

func pick[T any](rnd *rand.Rand, choices []T) T { return choices[rnd.IntN(len(choices))] }

// spoilers make of a good request one that is bad, or might be.
var spoilers = []func(*rand.Rand, *message){
	func(rnd *rand.Rand, m *message) { m.body = flipped(rnd, m.body) },
	func(rnd *rand.Rand, m *message) { m.body = m.body[:rnd.IntN(len(m.body)+1)] },
	func(rnd *rand.Rand, m *message) { m.body = noise(rnd, rnd.IntN(1000)) },
	func(rnd *rand.Rand, m *message) { m.body = []byte(pick(rnd, badBodies)) },
	func(rnd *rand.Rand, m *message) { m.body = nested(rnd) },
	func(rnd *rand.Rand, m *message) { m.body = bytes.Repeat([]byte(" "), rnd.IntN(200<<10)) },
	func(rnd *rand.Rand, m *message) { m.signed, m.headers = false, append(m.headers, badSignature(rnd)) },
	func(_ *rand.Rand, m *message) { m.signed = false },
	func(rnd *rand.Rand, m *message) { m.encoding = pick(rnd, encodings) },
	func(rnd *rand.Rand, m *message) { m.method = pick(rnd, methods) },
	func(rnd *rand.Rand, m *message) { m.path = pick(rnd, paths) },
	func(rnd *rand.Rand, m *message) { m.version = pick(rnd, versions) },
	func(rnd *rand.Rand, m *message) { m.headers = append(m.headers, badHeader(rnd)) },
	func(_ *rand.Rand, m *message) { m.raw = append(m.raw, flipped) },
	func(_ *rand.Rand, m *message) { m.raw = append(m.raw, truncated) },
	func(_ *rand.Rand, m *message) { m.raw = append(m.raw, doubled) },
	func(_ *rand.Rand, m *message) { m.raw = append(m.raw, withNoise) },
}

var (
	badBodies = []string{
		"", " ", "\x00", "null", "true", "1", `""`, "[]", "[{}]", "{", "}", "{}}", "{}{}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`,
		"\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "<xml/>", "a=1&b=2", `{"a": NaN}`, `{"a": 01}`, `{"a": "\x"}`, `{"a": "` + "\xff\xfe" + `"}`,
		`{"issue": 1}`, `{"issue": [], "user": "x", "timestamp": {}}`, `{"timestamp": 1e999}`, `{"webhookEvent": {"a": []}}`, "{}\n//",
	}
	encodings = []string{"gzip", "deflate", "zlib", "zstd", "snappy", "x-snappy-framed", "lz4", "br", "identity", "gzip, gzip", "GZIP", "\t", "hunter2"}
	methods   = []string{"GET", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "post", "PO ST", "", "\x00", "PRI"}
	paths     = []string{
		"/", "*", "", "//jira/events", "/jira/events/", "/jira/../jira/events", "/jira%2Fevents", "/JIRA/EVENTS", "/jira/events?secret=hunter2",
		"/jira/events?token=%zz", "/jira/events#a", "http://other/jira/events", "http://", "/health", "/\x00", "/jira/events\x7f", "/%", "a",
	}
	versions = []string{"HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1.1", "http/1.1", "", "HTTP/-1", "ICY"}
)

func badSignature(rnd *rand.Rand) string {
	good := signature.Sign([]byte(secret), []byte(createdBody))
	return signature.Header + ": " + pick(rnd, []string{
		"", "=", "sha256", "sha256=", "sha256=zz", "sha1=" + good[7:], "md5=00", "sha512=" + good[7:], good[7:], good[:len(good)-2], good + "00",
		" " + good + " x", strings.ToUpper(good), good + "\r\n" + signature.Header + ": " + good, signature.Sign([]byte("x"), []byte(createdBody)),
		"sha256=" + strings.Repeat("00", rnd.IntN(5000)), string(flipped(rnd, []byte(good))), strings.ToValidUTF8(string(noise(rnd, 40)), "?"),
	})
}

func badHeader(rnd *rand.Rand) string {
	return pick(rnd, []string{
		"Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1", "Content-Length: x", "Content-Length:",
		"Transfer-Encoding: chunked", "Transfer-Encoding: hunter2", "Transfer-Encoding: chunked, chunked", "Expect: 100-continue", "Expect: hunter2",
		"Connection: close", "Connection: upgrade\r\nUpgrade: h2c", "Upgrade: websocket", "Host: b", "Host: \x00", "X: " + strings.Repeat("a", 1<<rnd.IntN(15)),
		": empty", "no colon", " folded: a", "X\x00: a", "X: \x00", "X-Atlassian-Webhook-Identifier: " + strings.Repeat("1", 1<<rnd.IntN(12)),
		"X-Atlassian-Webhook-Retry: " + strconv.Itoa(rnd.Int()), "X-Atlassian-Webhook-Retry: -x", "Content-Type: \xff", "Trailer: X-Hub-Signature",
		"Authorization: Basic " + strings.Repeat("=", rnd.IntN(100)), string(append([]byte("X: "), noise(rnd, 50)...)),
	})
}

func nested(rnd *rand.Rand) []byte {
	depth := 1 + rnd.IntN(9000) // encoding/json takes 10000
	return []byte(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth-rnd.IntN(2)) + "}")
}

func noise(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.UintN(256))
	}
	return b
}

func flipped(rnd *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + rnd.IntN(4) {
		if len(b) > 0 {
			b[rnd.IntN(len(b))] ^= 1 << rnd.UintN(8)
		}
	}
	return b
}

func truncated(rnd *rand.Rand, b []byte) []byte { return b[:rnd.IntN(len(b)+1)] }

// doubled sends another request after the first without waiting, a good one or what is left of it.
func doubled(rnd *rand.Rand, b []byte) []byte {
	good := (&message{method: http.MethodPost, path: defaultPath, version: "HTTP/1.1", body: []byte(createdBody), signed: rnd.IntN(2) == 0}).text()
	return append(bytes.Clone(b), good[:rnd.IntN(len(good)+1)]...)
}

func withNoise(rnd *rand.Rand, b []byte) []byte {
	at := rnd.IntN(len(b) + 1)
	return bytes.Join([][]byte{b[:at], noise(rnd, 1+rnd.IntN(50)), b[at:]}, nil)
}
