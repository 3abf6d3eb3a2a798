// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

const (
	mebibyte = 1 << 20
	// maxBody is the default of max_request_body_size.
	maxBody = 25 * mebibyte
)

// forged is a well-formed wrong signature, so that the receiver has to read the whole body. Without a signature it
// reads no body.
const (
	forged       = "sha256=0000000000000000000000000000000000000000000000000000000000000000"
	forgedHeader = signature.Header + ": " + forged + "\r\n"
)

// TestFloods attacks a collector with the default limits as an unauthenticated sender, while Jira delivers.
func TestFloods(t *testing.T) {
	var rows []row
	for _, flood := range []struct {
		name   string
		attack func(t *testing.T, f *flooder)
		most   int64 // limit of the resident memory in bytes
		cut    bool  // whether the collector closes the connections, within about a minute
	}{
		{"no flood", func(*testing.T, *flooder) {}, 256 * mebibyte, false},
		{"slow senders", slowSenders, 512 * mebibyte, true},
		{"idle connections", idleConnections, 768 * mebibyte, true},
		{"oversized bodies", oversizedBodies, 1024 * mebibyte, false},
		{"zip bombs", zipBombs, 1024 * mebibyte, false},
		{"encoded bodies without end", encodedWithoutEnd, 256 * mebibyte, false},
		{"headers without end", headersWithoutEnd, 256 * mebibyte, false},
		{"pipelined garbage", pipelinedGarbage, 256 * mebibyte, false},
		{"30 deliveries of 25 MiB", largestDeliveries, 1536 * mebibyte, false},
	} {
		t.Run(flood.name, func(t *testing.T) {
			row, peak := deliverAmid(t, flood.attack, flood.cut)
			row.scenario, row.note = flood.name, fmt.Sprintf("at most %d MiB resident", peak/mebibyte)
			assert.Zero(t, row.lost)
			assert.Zero(t, row.givenUp)
			assert.Less(t, peak, flood.most)
			rows = append(rows, row)
		})
	}
	t.Log(table(rows))
}

// deliverAmid delivers while an attack continues.
func deliverAmid(t *testing.T, attack func(*testing.T, *flooder), cut bool) (row row, peak int64) {
	t.Helper()
	b := startBackend(t, willing)
	c := start(t, t.TempDir(), writeConfig(t, rotated, address(t), secret, b.url()))
	jira, _ := connect(t, c, normalCompression)
	f := newFlooder(t, c)
	attack(t, f)
	results := jira.DeliverAll(t.Context(), jirasim.NewScript(site).Deliveries(0, form(200, 5000)), pending)
	if cut && form(0, 1) == 1 {
		require.Eventually(t, func() bool { return f.open.Load() == 0 }, 5*waitLimit, time.Second, "connections are still open")
	}
	f.end()
	results = append(results, f.results...)
	peak = c.memory(t, "VmHWM")
	c.terminate(t)
	return b.compare(t, results), peak
}

// flooder attacks in the background.
type flooder struct {
	url, address string
	results      []jirasim.Result // results of deliveries that belong to the attack; read after end

	open    atomic.Int64 // number of open connections
	ctx     context.Context
	cancel  context.CancelFunc
	attacks sync.WaitGroup
}

func newFlooder(t *testing.T, c *collector) *flooder {
	t.Helper()
	parsed, err := url.Parse(c.url)
	require.NoError(t, err)
	f := &flooder{url: c.url, address: parsed.Host}
	f.ctx, f.cancel = context.WithCancel(t.Context())
	return f
}

// end stops endless attacks, and waits for the other attacks.
func (f *flooder) end() {
	f.cancel()
	f.attacks.Wait()
}

// connection sends begin over a connection, and then repeatedly the result of next, until the collector closes the
// connection or the attack ends.
func (f *flooder) connection(t *testing.T, begin []byte, next func() []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", f.address)
	require.NoError(t, err)
	f.open.Add(1)
	f.attacks.Go(func() {
		defer f.open.Add(-1)
		defer conn.Close()
		stop := context.AfterFunc(f.ctx, func() { conn.Close() })
		defer stop()
		if _, err := conn.Write(begin); err != nil {
			return
		}
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			_, _ = io.Copy(io.Discard, conn)
		}()
		for next != nil {
			select {
			case <-cut:
				return
			case <-time.After(50 * time.Millisecond):
				if _, err := conn.Write(next()); err != nil {
					return
				}
			}
		}
		<-cut
	})
}

// slowSenders sends headers or bodies byte by byte.
func slowSenders(t *testing.T, f *flooder) {
	t.Helper()
	letter := func() []byte { return []byte("x") }
	for range form(100, 1000) {
		f.connection(t, []byte("POST /jira/events HTTP/1.1\r\nHost: jira\r\nX-Slow: "), letter)
		f.connection(t, []byte("POST /jira/events HTTP/1.1\r\nHost: jira\r\n"+signature.Header+": "+forged+"\r\nContent-Length: 20000000\r\n\r\n{\""), letter)
	}
}

// idleConnections opens connections and sends nothing.
func idleConnections(t *testing.T, f *flooder) {
	t.Helper()
	connections := form(1000, 10_000)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if allowed := int(limit.Cur) - 500; allowed < connections {
		t.Logf("%d connections and not %d: see ulimit -n", allowed, connections)
		connections = allowed
	}
	for range connections {
		f.connection(t, nil, nil)
	}
}

// post sends an unauthenticated request and checks the response. The collector may also close the connection during the
// body.
func (f *flooder) post(t *testing.T, body io.Reader, encoding string, expected ...int) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, f.url, body)
	if !assert.NoError(t, err) {
		return
	}
	request.Header.Set(signature.Header, forged)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	assert.Contains(t, expected, response.StatusCode)
}

// oversizedBodies sends bodies that are too large, with and without Content-Length.
func oversizedBodies(t *testing.T, f *flooder) {
	t.Helper()
	body := bytes.Repeat([]byte(" "), maxBody+1)
	for range 10 {
		f.attacks.Go(func() {
			for range form(1, 20) {
				f.post(t, bytes.NewReader(body), "", http.StatusRequestEntityTooLarge, http.StatusTooManyRequests)
				f.post(t, io.MultiReader(bytes.NewReader(body)), "", http.StatusRequestEntityTooLarge, http.StatusTooManyRequests)
			}
		})
	}
}

// zipBombs sends bodies whose decoded content is much larger than the limit.
func zipBombs(t *testing.T, f *flooder) {
	t.Helper()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := io.CopyN(w, zeros{}, int64(form(100, 1000))*mebibyte)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	// A snappy block with an announced decoded size of 2 GiB.
	snappy := append([]byte{0x80, 0x80, 0x80, 0x80, 0x08}, bytes.Repeat([]byte{0xfe, 0x01, 0x00}, 1000)...)
	for range 10 {
		f.attacks.Go(func() {
			for range form(1, 20) {
				f.post(t, bytes.NewReader(bomb.Bytes()), "gzip", http.StatusRequestEntityTooLarge, http.StatusTooManyRequests)
				f.post(t, bytes.NewReader(snappy), "snappy", http.StatusUnsupportedMediaType)
				f.post(t, bytes.NewReader(snappy), "gzip, gzip", http.StatusUnsupportedMediaType)
			}
		})
	}
}

// encodedWithoutEnd sends encoded bodies with a large block, which some decoders read completely before they decode any
// of it.
func encodedWithoutEnd(t *testing.T, f *flooder) {
	t.Helper()
	begin := append([]byte("POST /jira/events HTTP/1.1\r\nHost: jira\r\n"+signature.Header+": "+forged+"\r\nContent-Encoding: snappy\r\nContent-Length: 26000000\r\n\r\n\x80\x80\x04"),
		bytes.Repeat([]byte("x"), 25_000_000)...)
	for range form(40, 100) {
		f.connection(t, begin, nil)
	}
}

// headersWithoutEnd sends headers up to the default limit of net/http.
func headersWithoutEnd(t *testing.T, f *flooder) {
	t.Helper()
	begin := []byte("POST /jira/events HTTP/1.1\r\nHost: jira\r\n" + strings.Repeat("X-Flood: "+strings.Repeat("x", 90)+"\r\n", 10_000))
	for range form(200, 1000) {
		f.connection(t, begin, nil)
	}
}

// pipelinedGarbage sends much garbage or many requests at once.
func pipelinedGarbage(t *testing.T, f *flooder) {
	t.Helper()
	noise := make([]byte, 64<<10)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	pipeline := []byte(strings.Repeat("DELETE /jira/events HTTP/1.1\r\nHost: jira\r\n\r\nPOST /jira/events HTTP/1.1\r\nHost: jira\r\n"+signature.Header+": "+forged+"\r\nContent-Length: 2\r\n\r\n{}", 500))
	for range form(20, 200) {
		f.connection(t, noise, func() []byte { return noise })
		f.connection(t, append([]byte("POST /jira/events HTTP/1.1\r\nHost: jira\r\n"+signature.Header+": "+forged+"\r\nTransfer-Encoding: chunked\r\n\r\n"), noise...), nil)
		f.connection(t, pipeline, nil)
	}
}

// largestDeliveries sends the largest load of Jira Cloud: 20 and 10 concurrent requests of at most 25 MiB.
func largestDeliveries(t *testing.T, f *flooder) {
	t.Helper()
	script := jirasim.NewScript("https://jira.example.com") // not the events of the concurrent deliveries
	var deliveries []jirasim.Delivery
	for n := range 30 {
		d := script.Delivery(n)
		d.Flow = []jirasim.Flow{jirasim.Primary, jirasim.Primary, jirasim.Secondary}[n%3]
		filling := []string{`"x",`, `{"a":[]},`}[n%2] // long texts, or many nested values
		d.Body = fmt.Appendf(d.Body[:len(d.Body)-1], `, "padding": [%s0]}`, strings.Repeat(filling, (maxBody-8192)/len(filling)))
		require.LessOrEqual(t, len(d.Body), maxBody)
		deliveries = append(deliveries, d)
	}
	jira := jirasim.New(jirasim.Options{URL: f.url, Compression: slowCompression, Timeout: waitLimit, Seed: 1})
	jira.SetSecret([]byte(secret))
	f.attacks.Go(func() { f.results = jira.DeliverAll(t.Context(), deliveries, len(deliveries)) })
}
