// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// upstream is a collector behind a balancer.
type upstream struct {
	address string
	healthy atomic.Bool
}

// balancer behaves as nginx does with `proxy_next_upstream error`. It reads a whole request and sends it to the
// upstreams in turn. It sends a POST to another upstream only if no connection could be made, so that no byte of the
// request was sent. It responds to any later failure with 502. With polls, it skips upstreams whose /health is not 200.
type balancer struct {
	upstreams []*upstream
	transport *http.Transport
	polls     bool
	turn      atomic.Int64

	elsewhere, failed atomic.Int64
}

func newBalancer(t *testing.T, polls bool, addresses ...string) (b *balancer, url string) {
	t.Helper()
	b = &balancer{polls: polls, transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	for _, address := range addresses {
		b.upstreams = append(b.upstreams, &upstream{address: address})
	}
	t.Cleanup(b.transport.CloseIdleConnections)
	ctx, cancel := context.WithCancel(t.Context())
	var polling sync.WaitGroup
	for _, u := range b.upstreams {
		u.healthy.Store(true)
		if polls {
			polling.Go(func() { u.poll(ctx) })
		}
	}
	server := httptest.NewServer(b)
	t.Cleanup(func() {
		server.Close()
		cancel()
		polling.Wait()
	})
	return b, server.URL + "/jira/events"
}

// poll requests the health of an upstream four times a second. A single failure counts.
func (u *upstream) poll(ctx context.Context) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		response, err := client.Get("http://" + u.address + "/health")
		u.healthy.Store(err == nil && response.StatusCode == http.StatusOK)
		if err == nil {
			response.Body.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// inTurn returns the upstreams in the order in which a request tries them.
func (b *balancer) inTurn() (ordered []*upstream) {
	first := int(b.turn.Add(1))
	for i := range b.upstreams {
		if u := b.upstreams[(first+i)%len(b.upstreams)]; u.healthy.Load() {
			ordered = append(ordered, u)
		}
	}
	return ordered
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	for i, u := range b.inTurn() {
		if i > 0 {
			b.elsewhere.Add(1)
		}
		response, err := b.pass(r, u, body)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			continue
		}
		if err != nil {
			break
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
		response.Body.Close()
		return
	}
	b.failed.Add(1)
	w.WriteHeader(http.StatusBadGateway)
}

func (b *balancer) pass(r *http.Request, u *upstream, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+u.address+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	return b.transport.RoundTrip(request)
}

// TestRollingRestarts restarts two collectors behind a balancer one after the other, while a Data Center delivers,
// which sends each delivery once. With a shutdown delay, a balancer that polls /health loses no delivery. A balancer
// that relies on connection errors sends new connections until the listener closes, and the kernel may reset the last
// one.
func TestRollingRestarts(t *testing.T) {
	const header = "\n| balancer\t shutdown_delay\t restarts\t sent\t elsewhere\t 502\t not acknowledged\t lost\t |\n"
	lines := header
	for _, mode := range []struct {
		name  string
		delay time.Duration
		polls bool
		loses bool
	}{
		{"next upstream on connection errors", 0, false, true},
		{"polls /health", 0, true, true},
		{"next upstream on connection errors", time.Duration(form(1, 5)) * time.Second, false, false},
		{"polls /health", time.Duration(form(1, 5)) * time.Second, true, false},
	}[form(2, 0):] {
		t.Run(fmt.Sprintf("%s, %v", mode.name, mode.delay), func(t *testing.T) {
			restarts := form(2, 8)
			b := startBackend(t, willing)
			var proxy *balancer
			results := rollingRestarts(t, b, mode.delay, restarts, func(addresses []string) (url string) {
				proxy, url = newBalancer(t, mode.polls, addresses...)
				return url
			})
			lost, refused := b.missing(results), notAcknowledged(results)
			lines += fmt.Sprintf("| %s | %v | %d | %d | %d | %d | %d | %d |\n", mode.name, mode.delay, restarts, len(results),
				proxy.elsewhere.Load(), proxy.failed.Load(), refused, lost)
			assert.Zero(t, lost)
			switch {
			case mode.loses:
			case mode.polls:
				assert.Zero(t, refused, "not acknowledged: Data Center does not repeat")
			default:
				assert.LessOrEqual(t, refused, restarts, "not acknowledged")
			}
		})
	}
	t.Log(lines)
}

func notAcknowledged(results []jirasim.Result) (n int) {
	for _, r := range results {
		if !r.Acknowledged {
			n++
		}
	}
	return n
}

// rollingRestarts restarts two collectors in turn while a Data Center delivers to the URL that balance returns for
// their addresses.
func rollingRestarts(
	t *testing.T, b *backend, delay time.Duration, restarts int, balance func([]string) string,
) []jirasim.Result {
	t.Helper()
	var args []string
	if delay > 0 {
		args = []string{"--set", "receivers::jira::shutdown_delay=" + delay.String()}
	}
	dir, addresses := t.TempDir(), []string{address(t), address(t)}
	var collectors []*collector
	var configs []string
	for _, address := range addresses {
		config := writeConfig(t, queued, address, b.url(), t.TempDir())
		configs = append(configs, config)
		collectors = append(collectors, start(t, dir, config, args...))
	}
	jira := jirasim.New(jirasim.Options{URL: balance(addresses), Deployment: jirasim.DataCenter, Timeout: waitLimit, Seed: 1})
	jira.SetSecret([]byte(secret))
	results := beside(t, func() bool { return true }, jira, time.Millisecond, func() {
		for n := range restarts {
			i := n % len(collectors)
			restartBehind(t, collectors[i], delay)
			restarted := start(t, dir, configs[i], args...)
			collectors[i] = restarted
			awaitHealthy(t, restarted)
			time.Sleep(500 * time.Millisecond) // time for the balancer to poll
		}
	})
	b.await(results) // at a stop, unsent events stay in the queue
	for _, c := range collectors {
		c.terminate(t)
	}
	return results
}

// restartBehind stops and restarts a collector. During the shutdown delay, the collector is unhealthy and accepts
// deliveries.
func restartBehind(t *testing.T, c *collector, delay time.Duration) {
	t.Helper()
	require.NoError(t, c.command.Process.Signal(syscall.SIGTERM))
	if delay > 0 {
		require.Eventually(t, func() bool { return c.health() == http.StatusServiceUnavailable }, waitLimit, 10*time.Millisecond, "health is never 503")
		response, err := http.Post(c.url, "application/json", bytes.NewReader([]byte("{}")))
		if assert.NoError(t, err, "the receiver listens during the delay") {
			response.Body.Close()
			assert.True(t, response.Close, "the response carries Connection: close")
		}
	}
	select {
	case err := <-c.exited:
		require.NoError(t, err, c.output())
	case <-time.After(waitLimit):
		require.FailNow(t, "the collector does not end", c.output())
	}
}

func awaitHealthy(t *testing.T, c *collector) {
	t.Helper()
	require.Eventually(t, func() bool { return c.health() == http.StatusOK }, waitLimit, 10*time.Millisecond)
}
