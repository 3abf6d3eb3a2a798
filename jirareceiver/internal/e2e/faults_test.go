// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const (
	site = "https://acme.atlassian.net"
	// With normalCompression, Jira's retries outlast a restart of the collector: ten minutes pass in a second.
	normalCompression = 600
	// slowCompression leaves time for the largest bodies on a busy computer: ten minutes of Jira pass in four seconds.
	slowCompression = 150
	// fastCompression is for faults that end at once.
	fastCompression = 10_000
	// pending is the default for the largest number of deliveries that are in progress, or wait for their next attempt,
	// at a time.
	pending = 60
)

// row is a line of the table of faults.
type row struct {
	scenario                                              string
	sent, acknowledged, givenUp, delivered, lost, doubled int
	note                                                  string
}

// TestFaults breaks the collector and the systems around it. The backend must have every event that Jira has a 200 for.
func TestFaults(t *testing.T) {
	var rows []row
	for _, fault := range []struct {
		name  string
		cause func(t *testing.T) row
	}{
		{"backend down, then up", backendDown},
		{"backend loses its answers", backendLosesAnswers},
		{fmt.Sprintf("%d SIGKILLs under load", form(10, 48)), kills},
		{"random refusals, no queue", randomRefusals},
		{"one poison record in a group, no queue", poison},
		{"every third request refused, no queue", everyThirdRefused},
		{"queue in memory full", queueFull},
		{"disk of deduplication full", diskFull},
		{"more than the queue holds", queueOnSmallDiskFull},
		{"disk of the queue full", queueDiskFull},
		{"secret changed under load", secretChanged},
		{"restart amid retries", restartAmidRetries},
		{"bulk edit", bulkEdit},
	} {
		t.Run(fault.name, func(t *testing.T) {
			row := fault.cause(t)
			row.scenario = fault.name
			assert.Zero(t, row.lost, "acknowledged and not delivered")
			rows = append(rows, row)
		})
	}
	t.Log(table(rows))
}

func table(rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprint(w, "\n| fault\t sent\t acknowledged\t given up\t delivered\t lost\t doubled\t |\n")
	for _, r := range rows {
		fmt.Fprintf(w, "| %s\t %d\t %d\t %d\t %d\t %d\t %d\t %s |\n", r.scenario, r.sent, r.acknowledged, r.givenUp, r.delivered, r.lost, r.doubled, r.note)
	}
	w.Flush()
	return b.String()
}

// form returns one of two numbers: for the short form of the suite, or for the long form with JIRA_FAULTS=long.
func form(short, long int) int {
	if os.Getenv("JIRA_FAULTS") == "long" {
		return long
	}
	return short
}

// seeded returns the random numbers of a test. JIRA_FAULTS_SEED selects other numbers.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("JIRA_FAULTS_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	t.Logf("JIRA_FAULTS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// wire is the connection between Jira and the collector. It counts the responses, and can lose them.
type wire struct {
	*http.Transport
	answers, rejected atomic.Int64
	losesAnswers      atomic.Bool
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.answers.Add(1)
	if response.StatusCode != http.StatusOK {
		w.rejected.Add(1)
	}
	if w.losesAnswers.Load() {
		response.Body.Close()
		return nil, http.ErrServerClosed
	}
	return response, nil
}

func (w *wire) await(t *testing.T, counter *atomic.Int64, atLeast int) {
	t.Helper()
	require.Eventually(t, func() bool { return counter.Load() >= int64(atLeast) }, 2*waitLimit, time.Millisecond, "too few responses")
}

// connect returns a Jira that posts to a collector, and the wire between them.
func connect(t *testing.T, c *collector, compression float64) (*jirasim.Sender, *wire) {
	t.Helper()
	w := &wire{Transport: jirasim.NewTransport()}
	t.Cleanup(w.CloseIdleConnections)
	c.hangUp = w.CloseIdleConnections
	jira := jirasim.New(jirasim.Options{URL: c.url, Compression: compression, Timeout: waitLimit, Transport: w, Seed: 1})
	jira.SetSecret([]byte(secret))
	return jira, w
}

// inBackground delivers while the test continues.
func inBackground(t *testing.T, jira *jirasim.Sender, deliveries []jirasim.Delivery) (results func() []jirasim.Result) {
	t.Helper()
	done := make(chan []jirasim.Result, 1)
	go func() { done <- jira.DeliverAll(t.Context(), deliveries, pending) }()
	return func() []jirasim.Result { return <-done }
}

// durable returns the arguments for examples/durable.yaml on this machine, with shorter pauses.
func durable(t *testing.T, b *backend) []string {
	t.Helper()
	config, err := filepath.Abs(root + "/examples/durable.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	return []string{
		config,
		"--set", "receivers::jira::deduplication::file=" + filepath.Join(dir, "deliveries"),
		"--set", "receivers::jira::endpoint=" + address(t),
		"--set", "receivers::jira::tls=null",
		"--set", "receivers::jira::admission::disk::directories=[" + dir + "]",
		"--set", "extensions::file_storage::directory=" + dir,
		"--set", "extensions::health_check::endpoint=" + address(t),
		"--set", "exporters::otlp_http::endpoint=" + b.url(),
		"--set", "exporters::otlp_http::retry_on_failure::initial_interval=50ms",
		"--set", "exporters::otlp_http::retry_on_failure::max_interval=500ms",
	}
}

func startDurable(t *testing.T, args []string) *collector {
	t.Helper()
	return start(t, t.TempDir(), args[0], append(args[1:], "--set", "service::telemetry::metrics::level=none")...)
}

// backendDown accepts no connection until Jira has sent all deliveries.
func backendDown(t *testing.T) row {
	t.Helper()
	b := newBackend(t)
	c := startDurable(t, durable(t, b))
	jira, _ := connect(t, c, fastCompression)
	n := form(400, 8000)
	results := jira.DeliverAll(t.Context(), jirasim.NewScript(site).Deliveries(0, n), pending)
	b.start(t)
	b.await(results)
	c.terminate(t)
	row := b.compare(t, results)
	assert.Equal(t, n, row.acknowledged)
	assert.Zero(t, row.doubled)
	return row
}

// directly is a configuration without a queue: the response to Jira depends on the backend.
const directly = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
processors:
  memory_limiter: { check_interval: 1ms, limit_mib: %d, spike_limit_mib: 15, min_gc_interval_when_soft_limited: 100ms }
exporters:
  otlp_http:
    endpoint: %s
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }
service:
  pipelines: { logs: { receivers: [jira], processors: [memory_limiter], exporters: [otlp_http] } }
`

const plenty = 4096 // MiB

// backendLosesAnswers makes the backend store events and lose its responses. Jira repeats the events, and the backend
// has them twice with the same uid.
func backendLosesAnswers(t *testing.T) row {
	t.Helper()
	random := seeded(t)
	b := startBackend(t, func() reply { return reply{status: http.StatusOK, losesReply: random.IntN(5) == 0} })
	c := start(t, t.TempDir(), writeConfig(t, directly, address(t), plenty, b.url()))
	jira, _ := connect(t, c, fastCompression)
	results := jira.DeliverAll(t.Context(), jirasim.NewScript(site).Deliveries(0, form(300, 5000)), pending)
	c.terminate(t)
	row := b.compare(t, results)
	assert.Positive(t, row.doubled)
	return row
}

// kills checks each copy of an event: only a crash may have caused it.
func kills(t *testing.T) row {
	t.Helper()
	n, random := form(1000, 50_000), seeded(t)
	moments := make([]int, form(10, 48)) // number of responses to Jira before each kill
	for kill := range moments {
		share := n / (len(moments) + 1)
		moments[kill] = share*kill + 1 + random.IntN(share)
	}
	b := startBackend(t, func() reply {
		return reply{status: []int{http.StatusOK, http.StatusServiceUnavailable}[random.IntN(10)/9]}
	})
	args := durable(t, b)
	c := startDurable(t, args)
	jira, wire := connect(t, c, normalCompression)
	results := inBackground(t, jira, jirasim.NewScript(site).Deliveries(0, n))
	for _, moment := range moments {
		wire.await(t, &wire.answers, moment)
		c.kill(t)
		b.nextLife()
		c = startDurable(t, args)
	}
	all := results()
	b.await(all)
	c.terminate(t)
	row := b.compare(t, all)
	for _, result := range all {
		lives := b.lives(result.Delivery)
		if len(lives) > 1 && len(slices.Compact(slices.Clone(lives))) == 1 {
			assert.Greater(t, len(result.Attempts), 1, "doubled without a crash: %s", result.Delivery.ID)
		}
	}
	return row
}

// randomRefusals mixes all kinds of refusals of a pipeline without a queue. For every event, the response to Jira must
// be true.
func randomRefusals(t *testing.T) row {
	t.Helper()
	random := seeded(t)
	statuses := []int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	b := startBackend(t, func() reply {
		switch random.IntN(4) {
		case 0:
			return reply{status: statuses[random.IntN(len(statuses))]}
		case 1:
			return reply{status: http.StatusOK, after: time.After(20 * time.Millisecond)}
		default:
			return reply{status: http.StatusOK}
		}
	})
	metrics := address(t)
	c := start(t, t.TempDir(), writeConfig(t, directly, address(t), 40, b.url()), withMetrics(metrics)...)
	jira, _ := connect(t, c, fastCompression)
	deliveries := jirasim.NewScript(site).Deliveries(0, form(400, 5000))
	for i := 0; i < len(deliveries); i += 25 {
		deliveries[i].Body = padded(deliveries[i].Body, 4<<20) // reaches the limit of the memory limiter
	}
	results := jira.DeliverAll(t.Context(), deliveries, pending)
	byLimiter := metric(t, metrics, "otelcol_processor_memory_limiter_refused_log_records")
	c.terminate(t)
	for _, result := range results {
		copies := 0
		if result.Acknowledged {
			copies = 1
		}
		assert.Len(t, b.lives(result.Delivery), copies, "%s after %v", result.Delivery.ID, result.Attempts)
	}
	assert.Positive(t, byLimiter, "the memory limiter refused no event")
	row := b.compare(t, results)
	row.note = fmt.Sprintf("%.0f refusals by the memory limiter; %d attempts", byLimiter, attempts(results))
	return row
}

// poison has a few events that the backend refuses for good, together with the whole request that contains them. All
// other events of such a group must arrive, once, and Jira must get the true response for each.
func poison(t *testing.T) row {
	t.Helper()
	b := newBackend(t)
	b.plan = func() reply { return reply{status: http.StatusOK, after: time.After(5 * time.Millisecond)} }
	deliveries := jirasim.NewScript(site).Deliveries(0, form(400, 5000))
	b.poison = map[string]bool{}
	for i := 0; i < len(deliveries); i += 40 {
		b.poison[deliveries[i].ID] = true
	}
	b.start(t)
	c := start(t, t.TempDir(), writeConfig(t, directly, address(t), plenty, b.url()))
	jira, _ := connect(t, c, fastCompression)
	results := jira.DeliverAll(t.Context(), deliveries, pending)
	c.terminate(t)
	for _, result := range results {
		assert.Equal(t, !b.poison[result.Delivery.ID], result.Acknowledged, "%s after %v", result.Delivery.ID, result.Attempts)
	}
	assert.Greater(t, b.largest, 1, "no groups")
	row := b.compare(t, results)
	assert.Zero(t, row.doubled)
	row.note = fmt.Sprintf("at most %d records in a request", b.largest)
	return row
}

// everyThirdRefused makes the backend refuse every third request, with all events of its group. For every event, the
// response to Jira must be true.
func everyThirdRefused(t *testing.T) row {
	t.Helper()
	requests := 0
	b := startBackend(t, func() reply {
		requests++
		if requests%3 == 0 {
			return reply{status: http.StatusServiceUnavailable}
		}
		return reply{status: http.StatusOK, after: time.After(5 * time.Millisecond)}
	})
	c := start(t, t.TempDir(), writeConfig(t, directly, address(t), plenty, b.url()))
	jira, _ := connect(t, c, fastCompression)
	results := jira.DeliverAll(t.Context(), jirasim.NewScript(site).Deliveries(0, form(400, 5000)), pending)
	c.terminate(t)
	for _, result := range results {
		assert.Equal(t, result.Acknowledged, len(b.lives(result.Delivery)) == 1, "%s after %v", result.Delivery.ID, result.Attempts)
	}
	assert.Greater(t, b.largest, 1, "no groups")
	row := b.compare(t, results)
	assert.Zero(t, row.doubled)
	row.note = fmt.Sprintf("%d attempts", attempts(results))
	return row
}

// bulkEdit edits many issues at once, with the configuration that loses no event.
func bulkEdit(t *testing.T) row {
	t.Helper()
	b := startBackend(t, willing)
	c := startDurable(t, durable(t, b))
	jira, _ := connect(t, c, normalCompression)
	deliveries := slices.Collect(jirasim.BulkEdit(site, form(1000, 50_000)))
	start := time.Now()
	results := jira.DeliverAll(t.Context(), deliveries, pending)
	acknowledged := time.Since(start)
	b.await(results)
	stored := time.Since(start)
	c.terminate(t)
	row := b.compare(t, results)
	assert.Equal(t, len(deliveries), row.acknowledged)
	assert.Zero(t, row.doubled)
	row.note = fmt.Sprintf("%d attempts; acknowledged after %s, stored after %s", attempts(results), acknowledged.Round(time.Millisecond), stored.Round(time.Millisecond))
	return row
}

// padded adds a long member to a JSON object.
func padded(body []byte, size int) []byte {
	return fmt.Appendf(body[:len(body)-1:len(body)-1], `, "padding": %q}`, strings.Repeat("x", size))
}

func attempts(results []jirasim.Result) (n int) {
	for _, result := range results {
		n += len(result.Attempts)
	}
	return n
}

const queueInMemory = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
exporters:
  otlp_http:
    endpoint: %s
    sending_queue: { queue_size: 20, num_consumers: 2 }
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0 }
service:
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// queueFull blocks the backend until enough deliveries were rejected. After that, the backend fails for a while.
func queueFull(t *testing.T) row {
	t.Helper()
	random := seeded(t)
	released := make(chan time.Time)
	b := startBackend(t, always(reply{status: http.StatusOK, after: released}))
	c := start(t, t.TempDir(), writeConfig(t, queueInMemory, address(t), b.url()))
	jira, wire := connect(t, c, normalCompression)
	n := form(400, 4000)
	results := inBackground(t, jira, jirasim.NewScript(site).Deliveries(0, n))
	wire.await(t, &wire.rejected, pending)
	close(released)
	b.follow(func() reply {
		return reply{status: []int{http.StatusOK, http.StatusTooManyRequests, http.StatusServiceUnavailable}[max(random.IntN(12)-9, 0)]}
	})
	all := results()
	b.await(all) // at a stop, a queue in memory loses the events that wait for the backend
	c.terminate(t)
	for _, result := range all {
		assert.Equal(t, result.Acknowledged, len(b.lives(result.Delivery)) == 1, "%s after %v", result.Delivery.ID, result.Attempts)
	}
	row := b.compare(t, all)
	row.note = fmt.Sprintf("%d attempts rejected", wire.rejected.Load())
	return row
}
