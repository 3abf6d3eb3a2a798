// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

func deduplicate(cfg *Config) { cfg.Jira.Deduplication.Enabled = true }

// delivery is one that is posted, what the pipeline says to it, and how long after the last one it is.
type delivery struct {
	option func(*http.Request)
	body   string
	err    error
	after  time.Duration
	status int
}

// TestDeduplication posts deliveries one after another, and counts what became of them.
func TestDeduplication(t *testing.T) {
	full, permanent := errors.New("full"), consumererror.NewPermanent(errors.New("bad"))
	bodyOf := func(site string) string {
		return fmt.Sprintf(`{"webhookEvent": "jira:issue_created", "issue": {"key": "A-1", "self": "%s/rest/api/2/issue/1"}}`, site)
	}
	one, other := bodyOf("https://one.example.com"), bodyOf("https://other.example.com")
	first, second, unnumbered := numbered("1"), numbered("2"), withHeader("X-Other", "1")
	signed := func(r *http.Request) { first(r); signedWith(secret, one)(r) }
	for _, tt := range []struct {
		name      string
		configure func(*JiraConfig)
		posted    []delivery
		want      map[outcome]int64
		kept      int64
	}{
		{"repeated", nil, []delivery{{first, one, nil, 0, 200}, {first, one, nil, 0, 200}}, map[outcome]int64{accepted: 1, duplicate: 1}, 1},
		{"with another body", nil, []delivery{{first, one, nil, 0, 200}, {first, one + " ", nil, 0, 200}}, map[outcome]int64{accepted: 1, duplicate: 1}, 1},
		{"another number", nil, []delivery{{first, one, nil, 0, 200}, {second, one, nil, 0, 200}}, map[outcome]int64{accepted: 2}, 2},
		{"another site", nil, []delivery{{first, one, nil, 0, 200}, {first, other, nil, 0, 200}}, map[outcome]int64{accepted: 2}, 2},
		{
			"one site by configuration", func(c *JiraConfig) { c.SiteURL = "https://one.example.com" },
			[]delivery{{first, one, nil, 0, 200}, {first, other, nil, 0, 200}},
			map[outcome]int64{accepted: 1, duplicate: 1},
			1,
		},
		{"without a number", nil, []delivery{{unnumbered, one, nil, 0, 200}, {unnumbered, one, nil, 0, 200}}, map[outcome]int64{accepted: 2}, 0},
		{
			"after the pipeline failed", nil,
			[]delivery{{first, one, full, 0, 503}, {first, one, full, 0, 503}, {first, one, nil, 0, 200}, {first, one, full, 0, 200}},
			map[outcome]int64{refused: 2, accepted: 1, duplicate: 1},
			1,
		},
		{"after the pipeline refused for good", nil, []delivery{{first, one, permanent, 0, 422}, {first, one, nil, 0, 200}}, map[outcome]int64{refused: 1, accepted: 1}, 1},
		{
			"excluded", func(c *JiraConfig) { c.Events.Exclude = []string{"jira.issue.*"} },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, 0, 200}},
			map[outcome]int64{excluded: 2},
			0,
		},
		{"after one that was not JSON", nil, []delivery{{first, "x", nil, 0, 400}, {first, one, nil, 0, 200}}, map[outcome]int64{accepted: 1}, 1},
		{
			"after one that was not authentic", func(c *JiraConfig) { c.Signature.Secrets = append(c.Signature.Secrets, secret) },
			[]delivery{{first, one, nil, 0, 401}, {signed, one, nil, 0, 200}},
			map[outcome]int64{accepted: 1},
			1,
		},
		{
			"within the window", func(c *JiraConfig) { c.Deduplication.Window = time.Hour },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, time.Hour - 1, 200}},
			map[outcome]int64{accepted: 1, duplicate: 1},
			1,
		},
		{
			"after the window", func(c *JiraConfig) { c.Deduplication.Window = time.Hour },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, time.Hour, 200}},
			map[outcome]int64{accepted: 2},
			1,
		},
		{
			"pushed out", func(c *JiraConfig) { c.Deduplication.MaxEntries = 1 },
			[]delivery{{first, one, nil, 0, 200}, {second, one, nil, 0, 200}, {first, one, nil, 0, 200}},
			map[outcome]int64{accepted: 3},
			1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			r := start(t, next, func(cfg *Config) {
				deduplicate(cfg)
				if tt.configure != nil {
					tt.configure(&cfg.Jira)
				}
			})
			r.postAll(t, next, tt.posted)
			assertDeliveries(t, r, "jira.issue.created", tt.want)
			assert.Equal(t, tt.want[accepted], int64(next.LogRecordCount()))
			assertRemembered(t, r, tt.kept)
		})
	}
}

// TestConflictsAreCounted posts one number with different bodies. The second gets the answer of a duplicate.
func TestConflictsAreCounted(t *testing.T) {
	next := &sink{}
	r := start(t, next, deduplicate)
	conflict := "A delivery has the ID of an accepted delivery and another payload"
	r.postAll(t, next, []delivery{{numbered("1"), createdBody, nil, 0, 200}, {numbered("1"), createdBody, nil, 0, 200}})
	assert.Zero(t, r.logs.FilterMessageSnippet(conflict).Len())
	r.postAll(t, next, []delivery{{numbered("1"), createdBody + " ", nil, 0, 200}, {numbered("1"), createdBody + "  ", nil, 0, 200}})
	metadatatest.AssertEqualReceiverJiraDeduplicationConflicts(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2, Attributes: byReceiver}}, measured()...)
	assertDeliveries(t, r, "jira.issue.created", map[outcome]int64{accepted: 1, duplicate: 3})
	assert.Equal(t, 1, next.LogRecordCount())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet(conflict).Len(), "one warning a minute")
}

func (r *running) postAll(t *testing.T, next *sink, posted []delivery) {
	t.Helper()
	for i, d := range posted {
		r.clock.advance(d.after)
		next.err = d.err
		response, _ := r.post(t, []byte(d.body), d.option)
		assert.Equal(t, d.status, response.StatusCode, "delivery %d", i)
	}
}

func TestNoDeduplication(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Jira.Deduplication.Enabled = false })
	r.postAll(t, next, []delivery{{numbered("1"), createdBody, nil, 0, 200}, {numbered("1"), createdBody, nil, 0, 200}})
	assertDeliveries(t, r, "jira.issue.created", map[outcome]int64{accepted: 2})
	_, err := r.telemetry.GetMetric("otelcol_receiver_jira_deduplication_entries")
	assert.Error(t, err, "nothing is remembered that could be measured")
}

// firstGated holds the first call until it is let go, and then has it end in its own way. All others succeed at once.
type firstGated struct {
	consumertest.LogsSink
	calls            atomic.Int64
	entered, release chan struct{}
	end              func() error
}

func (g *firstGated) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if g.calls.Add(1) == 1 {
		close(g.entered)
		<-g.release
		if err := g.end(); err != nil {
			return err
		}
	}
	return g.LogsSink.ConsumeLogs(ctx, logs)
}

// TestTwins has a delivery come while one with the same number is in the pipeline.
func TestTwins(t *testing.T) {
	for _, tt := range []struct {
		name  string
		end   func() error // of the first
		first int
		want  map[outcome]int64
	}{
		{"first succeeds", func() error { return nil }, http.StatusOK, map[outcome]int64{accepted: 1, duplicate: 1}},
		{"first fails", func() error { return errors.New("full") }, http.StatusServiceUnavailable, map[outcome]int64{refused: 1, accepted: 1}},
		{"first panics", func() error { panic("hunter2") }, http.StatusInternalServerError, map[outcome]int64{accepted: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &firstGated{entered: make(chan struct{}), release: make(chan struct{}), end: tt.end}
			r := start(t, next, deduplicate)
			first := r.inBackground(t, numbered("1"))
			wait(t, next.entered, "first delivery")
			twin := r.inBackground(t, numbered("1"))
			r.awaitHeld(t, 2*len(createdBody))
			assert.Equal(t, int64(1), next.calls.Load(), "the twin waits")
			close(next.release)
			assert.Equal(t, tt.first, wait(t, first, "first answer"))
			assert.Equal(t, http.StatusOK, wait(t, twin, "answer to the twin"))
			assert.Equal(t, 1, next.LogRecordCount())
			assertDeliveries(t, r, "jira.issue.created", tt.want)
			assertRemembered(t, r, 1)
		})
	}
}

// TestTwinThatWaitsTooLong comes again, as it was told to, and is a duplicate then.
func TestTwinThatWaitsTooLong(t *testing.T) {
	next := newGated()
	r := start(t, next, deduplicate)
	r.handler.cache = dedup.New(dedup.Options{Window: time.Hour, MaxEntries: 1, WaitTimeout: time.Millisecond, Now: r.clock.Now})
	first := r.inBackground(t, numbered("1"))
	wait(t, next.entered, "first delivery")
	response, answer := r.post(t, []byte(createdBody), numbered("1"))
	assertTold(t, toldInProgress, response, answer)
	assertRejected(t, r, "in_progress")
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
	response, answer = r.post(t, []byte(createdBody), numbered("1"))
	assertTold(t, toldOK, response, answer)
	assertDeliveries(t, r, "jira.issue.created", map[outcome]int64{accepted: 1, duplicate: 1})
}

// TestManyTwins has many senders deliver the same events at the same time into a pipeline that often fails, each until it is
// told that the event is accepted.
func TestManyTwins(t *testing.T) {
	const events, twins = 20, 10
	var calls atomic.Int64
	next := &consumertest.LogsSink{}
	r := start(t, consumerFunc(func(ctx context.Context, logs plog.Logs) error {
		if calls.Add(1)%3 != 0 {
			return errors.New("full")
		}
		return next.ConsumeLogs(ctx, logs)
	}), deduplicate)
	url := r.url()
	var senders sync.WaitGroup
	for sender := range events * twins {
		senders.Go(func() {
			for postNumbered(url, sender%events) != http.StatusOK {
				continue
			}
		})
	}
	senders.Wait()
	assert.Equal(t, events, next.LogRecordCount())
	assertRemembered(t, r, events)
	assertInFlight(t, r, 0)
}

func postNumbered(url string, event int) (status int) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(createdBody))
	if err != nil {
		panic(err)
	}
	request.Header.Set(headerDeliveryID, strconv.Itoa(event))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0 // the connection was closed while idle
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// TestTwinThatHangsUp does not take the first one along.
func TestTwinThatHangsUp(t *testing.T) {
	next := newGated()
	r := start(t, next, deduplicate)
	first := r.inBackground(t, numbered("1"))
	wait(t, next.entered, "first delivery")
	twin := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\n%s: 1\r\nContent-Length: %d\r\n\r\n%s", headerDeliveryID, len(createdBody), createdBody))
	r.awaitHeld(t, 2*len(createdBody))
	require.NoError(t, twin.Close())
	r.awaitHeld(t, len(createdBody))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
	assert.Equal(t, 1, next.LogRecordCount())
}
