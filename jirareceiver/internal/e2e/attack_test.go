// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// memoryLimit is the limit of the collector's data segment. The Go runtime ends the process if it needs more.
const memoryLimit = 1024 * mebibyte

// mostResident is the largest resident memory of the process under attack. It is less than the limit.
const mostResident = 900 * mebibyte

// limited wraps a command in a shell that sets the memory limit and replaces itself with the collector, which keeps the
// process ID.
func limited(c *exec.Cmd) *exec.Cmd {
	script := fmt.Sprintf(`ulimit -d %d; exec "$0" "$@"`, memoryLimit>>10)
	c.Args = append([]string{"sh", "-c", script, c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
	return c
}

// startLimited starts a collector under the memory limit.
func startLimited(t *testing.T, dir, config string, args ...string) *collector {
	t.Helper()
	c := run(t, dir, limited(command(t, append([]string{"--config", config}, args...)...)))
	c.awaitListening(t)
	return c
}

// attackRow is a line of the table of attacks.
type attackRow struct {
	attack   string
	sent     int64 // bytes of the attack
	peak     int64 // largest resident memory in bytes
	ended    bool  // whether the process has ended
	cpu      time.Duration
	stopTime time.Duration // time from a signal until the process has ended or listens again
	measured bool          // whether stopTime was measured
	good     goodDeliveries
	note     string
}

// goodDeliveries counts the outcomes of the deliveries beside an attack.
type goodDeliveries struct {
	sent, atFirst, tooMany, unavailable, failed, givenUp, lost int
}

// attackRows collects rows of concurrent attacks.
type attackRows struct {
	mu   sync.Mutex
	rows []attackRow
}

func (r *attackRows) add(row attackRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row)
}

// log writes the table, sorted by name.
func (r *attackRows) log(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.rows, func(a, b attackRow) int { return strings.Compare(a.attack, b.attack) })
	t.Log(attackTable(r.rows))
}

func attackTable(rows []attackRow) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprint(w, "\n| attack\t sent, MB\t peak, MiB\t CPU, s\t not listening, s\t good\t at first\t 429\t 503\t no response\t given up\t lost\t |\n")
	for _, r := range rows {
		peak, stopTime := strconv.FormatInt(r.peak/mebibyte, 10), ""
		if r.ended {
			peak = "**ended** at " + peak
		}
		if r.measured {
			stopTime = fmt.Sprintf("%.1f", r.stopTime.Seconds())
		}
		g := r.good
		fmt.Fprintf(w, "| %s\t %.1f\t %s\t %.1f\t %s\t %d\t %d\t %d\t %d\t %d\t %d\t %d\t %s |\n", r.attack, float64(r.sent)/1e6, peak,
			r.cpu.Seconds(), stopTime, g.sent, g.atFirst, g.tooMany, g.unavailable, g.failed, g.givenUp, g.lost, r.note)
	}
	w.Flush()
	return b.String()
}

// observer records the memory and the CPU time of a process, which may end at any time.
type observer struct {
	pid         int
	peak, ticks atomic.Int64
	stop, done  chan struct{}
}

func observe(c *collector) *observer {
	o := &observer{pid: c.command.Process.Pid, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(o.done)
		for {
			o.look()
			select {
			case <-o.stop:
				o.look()
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return o
}

// look reads the figures, and keeps the last ones after the end of the process.
func (o *observer) look() {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "VmHWM:" {
			kibibytes, _ := strconv.ParseInt(fields[1], 10, 64)
			o.peak.Store(max(o.peak.Load(), kibibytes<<10))
		}
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	if fields := strings.Fields(after); len(fields) > 12 {
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		o.ticks.Store(max(o.ticks.Load(), user+system))
	}
}

// end returns the largest resident memory, and the CPU time.
func (o *observer) end() (peak int64, cpu time.Duration) {
	close(o.stop)
	<-o.done
	const ticksPerSecond = 100
	return o.peak.Load(), time.Duration(o.ticks.Load()) * time.Second / ticksPerSecond
}

// alive reports whether the process is running.
func (c *collector) alive() bool { return c.command.Process.Signal(syscall.Signal(0)) == nil }

// attacker opens connections to a collector and counts the bytes that it sends.
type attacker struct {
	c       *collector
	address string
	tls     *tls.Config // nil without TLS
	sent    atomic.Int64
	opened  atomic.Int64
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newAttacker(t *testing.T, c *collector, config *tls.Config) *attacker {
	t.Helper()
	parsed, err := url.Parse(c.url)
	require.NoError(t, err)
	a := &attacker{c: c, address: parsed.Host, tls: config}
	a.ctx, a.cancel = context.WithCancel(t.Context())
	a.running.Go(func() { watch(a.ctx, c.alive, a.cancel) })
	return a
}

// end closes all connections and waits for all goroutines of the attack.
func (a *attacker) end() {
	a.cancel()
	a.running.Wait()
}

// countedConn counts the written bytes. It closes with a reset, so that its port is free at once.
type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// dialPlain opens a connection without TLS. The attack closes it at its end.
func (a *attacker) dialPlain() (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: waitLimit}).DialContext(a.ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	context.AfterFunc(a.ctx, func() { conn.Close() })
	a.opened.Add(1)
	return countedConn{conn, &a.sent}, nil
}

// dial opens a connection, with TLS if the collector has TLS. It negotiates the first of the protocols.
func (a *attacker) dial(protocols ...string) (net.Conn, error) {
	conn, err := a.dialPlain()
	if err != nil || a.tls == nil {
		return conn, err
	}
	config := a.tls.Clone()
	config.NextProtos = protocols
	client := tls.Client(conn, config)
	if err := client.HandshakeContext(a.ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return client, nil
}

// hold opens connections, a few at a time, and leaves them open until the attack ends or the collector closes them. It
// calls use to send data over the n-th connection. hold returns when all connections are open or the collector accepts
// no more.
func (a *attacker) hold(connections int, use func(n int, conn net.Conn), protocols ...string) {
	const dialers = 16
	numbers := make(chan int)
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for n := range numbers {
				conn, err := a.dial(protocols...)
				if err != nil {
					continue
				}
				_ = conn.SetWriteDeadline(time.Now().Add(waitLimit))
				use(n, conn)
			}
		})
	}
	for n := range connections {
		if a.ctx.Err() != nil || !a.c.alive() {
			break
		}
		numbers <- n
	}
	close(numbers)
	dialing.Wait()
}

// pause waits while the attack continues, or until the process ends.
func (a *attacker) pause(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && a.c.alive(); {
		time.Sleep(20 * time.Millisecond)
	}
}

// files returns the number of connections that this process may hold. It reserves some file descriptors for other uses.
func files(t *testing.T, wanted int) int {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if allowed := int(limit.Cur) - 500; allowed < wanted {
		t.Logf("%d connections instead of %d: see ulimit -n", allowed, wanted)
		return allowed
	}
	return wanted
}

// leisurely is the pause between good deliveries beside an attack.
const leisurely = 20 * time.Millisecond

// beside delivers while an attack continues, with a pause after each delivery, and returns the results after the end of
// both. It stops when the receiving process ends.
func beside(
	t *testing.T, alive func() bool, jira *jirasim.Sender, pause time.Duration, attack func(),
) []jirasim.Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan struct{})
	var results []jirasim.Result
	var mu sync.Mutex
	var delivering sync.WaitGroup
	delivering.Go(func() {
		jira.DeliverEach(ctx, paced(jirasim.NewScript(site), pause, over), 500, func(_ int, r jirasim.Result) {
			mu.Lock()
			defer mu.Unlock()
			results = append(results, r)
		})
	})
	go watch(ctx, alive, cancel)
	attack()
	close(over)
	delivering.Wait()
	return results
}

// watch calls cancel when a process has ended.
func watch(ctx context.Context, alive func() bool, cancel func()) {
	for ctx.Err() == nil && alive() {
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
}

// paced yields deliveries one after the other until over is closed.
func paced(script *jirasim.Script, pause time.Duration, over <-chan struct{}) iter.Seq[jirasim.Delivery] {
	return func(yield func(jirasim.Delivery) bool) {
		for n := 0; yield(script.Delivery(n)); n++ {
			select {
			case <-over:
				return
			case <-time.After(pause):
			}
		}
	}
}

// countGood compares the results in Jira with the events in the backend, after the collector has sent all events.
func (b *backend) countGood(results []jirasim.Result) (g goodDeliveries) {
	g.sent = len(results)
	for _, r := range results {
		for i, attempt := range r.Attempts {
			switch {
			case attempt.Err != nil:
				g.failed++
			case attempt.Status == http.StatusTooManyRequests:
				g.tooMany++
			case attempt.Status == http.StatusServiceUnavailable:
				g.unavailable++
			case i == 0 && attempt.Status == http.StatusOK:
				g.atFirst++
			}
		}
		if !r.Acknowledged {
			g.givenUp++
		}
	}
	g.lost = b.missing(results)
	return g
}

// guarded is the configuration under attack: the defaults, and an exporter to the backend.
const guarded = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
exporters:
  otlp_http:
    endpoint: %s
service:
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// attack is one way to harm a collector.
type attack struct {
	name string
	tls  bool
	args []string
	run  func(t *testing.T, a *attacker) // returns when the attack is over
}

// attackBeside runs an attack on a separate collector, beside good deliveries, and adds a row.
func attackBeside(t *testing.T, rows *attackRows, attack attack) {
	t.Helper()
	b := startBackend(t, willing)
	args, config := attack.args, (*tls.Config)(nil)
	if attack.tls {
		var more []string
		more, config = withTLS(t)
		args = slices.Concat(args, more)
	}
	c := startLimited(t, t.TempDir(), writeConfig(t, guarded, address(t), b.url()), args...)
	o := observe(c)
	jira, wire := connect(t, c, normalCompression)
	wire.TLSClientConfig = config
	a := newAttacker(t, c, config)
	results := beside(t, c.alive, jira, leisurely, func() {
		attack.run(t, a)
		a.end()
	})
	row := attackRow{attack: attack.name, sent: a.sent.Load()}
	row.ended = !c.alive()
	if !row.ended {
		b.await(results)
	}
	row.peak, row.cpu = o.end()
	row.good = b.countGood(results)
	row.note = fmt.Sprintf("%d connections", a.opened.Load())
	rows.add(row)
	requireUnharmed(t, c, row)
	assert.Less(t, row.peak, int64(mostResident), "most memory")
	c.terminate(t)
}

// requireUnharmed fails the test if the attack has ended the process.
func requireUnharmed(t *testing.T, c *collector, row attackRow) {
	t.Helper()
	assert.Positive(t, row.good.sent)
	assert.Zero(t, row.good.lost, "good deliveries acknowledged and not delivered")
	assert.Zero(t, row.good.givenUp, "good deliveries given up")
	require.False(t, row.ended, "the attack ended the process: %s", lastLines(c.output(), 5))
}

// lastLines returns the first line with a fatal error, or otherwise the last lines.
func lastLines(output string, n int) string {
	if i := strings.Index(output, "fatal error"); i >= 0 {
		line, _, _ := strings.Cut(output[i:], "\n")
		return line
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "\n")
}

// TestAttacks runs attacks by unauthenticated senders, and by a Jira that sends harmful bodies. Each runs on a separate
// collector under a memory limit. JIRA_FAULTS=long runs them in full size.
func TestAttacks(t *testing.T) {
	rows := &attackRows{}
	defer rows.log(t)
	for _, attack := range slices.Concat(attacksBeforeAuthentication(), attacksWithBodies()) {
		t.Run(attack.name, func(t *testing.T) { attackBeside(t, rows, attack) })
	}
	t.Run("queue", func(t *testing.T) { harmfulBodiesFromQueue(t, rows) })
	t.Run("stalled", func(t *testing.T) { stopsBesideStalledRequests(t, rows) })
}
