// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// delivery is sent by postAll. The pipeline returns err for it.
type delivery struct {
	option func(*http.Request)
	body   string
	err    error
	after  time.Duration // the last delivery
	status int
}

func (r *testReceiver) postAll(t *testing.T, next *sink, deliveries []delivery) {
	t.Helper()
	for i, d := range deliveries {
		r.clock.advance(d.after)
		next.err = d.err
		response, _ := r.post(t, []byte(d.body), d.option)
		assert.Equal(t, d.status, response.StatusCode, "delivery %d", i)
	}
}

// TestDeduplication sends deliveries one after another, and compares their outcomes.
func TestDeduplication(t *testing.T) {
	t.Parallel()
	full, permanent := errors.New("full"), consumererror.NewPermanent(errors.New("bad"))
	bodyOf := func(site string) string {
		return fmt.Sprintf(`{"webhookEvent": "jira:issue_created", "issue": {"key": "A-1", "self": "%s/rest/api/2/issue/1"}}`, site)
	}
	one, other := bodyOf("https://one.example.com"), bodyOf("https://other.example.com")
	first, second, withoutID := withDeliveryID("1"), withDeliveryID("2"), withHeader("X-Other", "1")
	signed := func(r *http.Request) { first(r); withSignature(currentSecret, one)(r) }
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		sent      []delivery
		want      map[outcome]int64
		entries   int64
	}{
		{"repeated", nil, []delivery{{first, one, nil, 0, 200}, {first, one, nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1}, 1},
		{"with another body", nil, []delivery{{first, one, nil, 0, 200}, {first, one + " ", nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1}, 1},
		{"another ID", nil, []delivery{{first, one, nil, 0, 200}, {second, one, nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 2}, 2},
		{"another site", nil, []delivery{{first, one, nil, 0, 200}, {first, other, nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 2}, 2},
		{
			"one site by configuration", func(c *Config) { c.SiteURL = "https://one.example.com" },
			[]delivery{{first, one, nil, 0, 200}, {first, other, nil, 0, 200}},
			map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1},
			1,
		},
		{"without an ID", nil, []delivery{{withoutID, one, nil, 0, 200}, {withoutID, one, nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 2}, 0},
		{
			"after the pipeline failed", nil,
			[]delivery{{first, one, full, 0, 503}, {first, one, full, 0, 503}, {first, one, nil, 0, 200}, {first, one, full, 0, 200}},
			map[outcome]int64{outcomeRefused: 2, outcomeAccepted: 1, outcomeDuplicate: 1},
			1,
		},
		{"after the pipeline refused for good", nil, []delivery{{first, one, permanent, 0, 422}, {first, one, nil, 0, 200}}, map[outcome]int64{outcomeRefused: 1, outcomeAccepted: 1}, 1},
		{
			"excluded", func(c *Config) { c.Events.Exclude = []string{"jira.issue.*"} },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, 0, 200}},
			map[outcome]int64{outcomeExcluded: 2},
			0,
		},
		{"after one that was not JSON", nil, []delivery{{first, "x", nil, 0, 400}, {first, one, nil, 0, 200}}, map[outcome]int64{outcomeAccepted: 1}, 1},
		{
			"after one that was not authentic", func(c *Config) { c.Signature.Secrets = append(c.Signature.Secrets, currentSecret) },
			[]delivery{{first, one, nil, 0, 401}, {signed, one, nil, 0, 200}},
			map[outcome]int64{outcomeAccepted: 1},
			1,
		},
		{
			"within the window", func(c *Config) { c.Deduplication.Window = time.Hour },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, time.Hour - 1, 200}},
			map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1},
			1,
		},
		{
			"after the window", func(c *Config) { c.Deduplication.Window = time.Hour },
			[]delivery{{first, one, nil, 0, 200}, {first, one, nil, time.Hour, 200}},
			map[outcome]int64{outcomeAccepted: 2},
			1,
		},
		{
			"pushed out", func(c *Config) { c.Deduplication.MaxEntries = 1 },
			[]delivery{{first, one, nil, 0, 200}, {second, one, nil, 0, 200}, {first, one, nil, 0, 200}},
			map[outcome]int64{outcomeAccepted: 3},
			1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := &sink{}
			r := start(t, next, func(cfg *Config) {
				deduplicate(cfg)
				if tt.configure != nil {
					tt.configure(cfg)
				}
			})
			r.postAll(t, next, tt.sent)
			r.assertDeliveries(t, "jira.issue.created", tt.want)
			assert.Equal(t, tt.want[outcomeAccepted], int64(next.LogRecordCount()))
			r.assertCacheEntries(t, tt.entries)
		})
	}
}

// TestConflictsAreCounted sends different bodies with one ID. They get the response of a duplicate.
func TestConflictsAreCounted(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, deduplicate)
	conflict := "A delivery has the ID of an accepted delivery and another payload"
	r.postAll(t, next, []delivery{{withDeliveryID("1"), createdBody, nil, 0, 200}, {withDeliveryID("1"), createdBody, nil, 0, 200}})
	assert.Zero(t, r.logs.FilterMessageSnippet(conflict).Len())
	r.postAll(t, next, []delivery{{withDeliveryID("1"), createdBody + " ", nil, 0, 200}, {withDeliveryID("1"), createdBody + "  ", nil, 0, 200}})
	metadatatest.AssertEqualReceiverJiraDeduplicationConflicts(t, r.telemetry,
		r.points(2), r.metricOptions()...)
	r.assertDeliveries(t, "jira.issue.created", map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 3})
	assert.Equal(t, 1, next.LogRecordCount())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet(conflict).Len(), "one warning a minute")
}

func TestNoDeduplication(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Deduplication.Enabled = false })
	r.postAll(t, next, []delivery{{withDeliveryID("1"), createdBody, nil, 0, 200}, {withDeliveryID("1"), createdBody, nil, 0, 200}})
	r.assertDeliveries(t, "jira.issue.created", map[outcome]int64{outcomeAccepted: 2})
	_, err := r.telemetry.GetMetric("otelcol_receiver_jira_deduplication_entries")
	assert.Error(t, err, "without a cache there is no gauge")
}

// limitWait replaces the cache by one in which an attempt waits for an earlier attempt for a millisecond only.
func (r *testReceiver) limitWait() {
	r.handler.cache = dedup.New(dedup.Options{Window: time.Hour, MaxEntries: 1, WaitTimeout: time.Millisecond, Now: r.clock.Now})
}

// TestConcurrentAttempts sends a second attempt of a delivery while the first is in the pipeline.
func TestConcurrentAttempts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		first      func() error // the pipeline returns it for the first attempt
		wantStatus int          // of the first attempt
		want       map[outcome]int64
	}{
		{"first succeeds", func() error { return nil }, http.StatusOK, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1}},
		{"first fails", func() error { return errors.New("full") }, http.StatusServiceUnavailable, map[outcome]int64{outcomeRefused: 1, outcomeAccepted: 1}},
		{"first panics", func() error { panic("hunter2") }, http.StatusInternalServerError, map[outcome]int64{outcomeAccepted: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := newGated()
			next.first = tt.first
			r := start(t, next, deduplicate)
			first := r.inBackground(t, withDeliveryID("1"))
			wait(t, next.entered, "first attempt")
			second := r.inBackground(t, withDeliveryID("1"))
			r.awaitHeld(t, 2*len(createdBody))
			assert.Equal(t, int64(1), next.calls.Load(), "the second attempt waits")
			close(next.release)
			assert.Equal(t, tt.wantStatus, wait(t, first, "first response"))
			assert.Equal(t, http.StatusOK, wait(t, second, "second response"))
			assert.Equal(t, 1, next.LogRecordCount())
			r.assertDeliveries(t, "jira.issue.created", tt.want)
			r.assertCacheEntries(t, 1)
		})
	}
}

// TestSecondAttemptThatWaitsTooLong repeats the delivery after the response with Retry-After.
func TestSecondAttemptThatWaitsTooLong(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, deduplicate)
	r.limitWait()
	first := r.inBackground(t, withDeliveryID("1"))
	wait(t, next.entered, "first attempt")
	response, answer := r.post(t, []byte(createdBody), withDeliveryID("1"))
	r.assertResponse(t, "in_progress", response, answer)
	r.assertRejected(t, "in_progress")
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
	response, answer = r.post(t, []byte(createdBody), withDeliveryID("1"))
	r.assertResponse(t, "", response, answer)
	r.assertDeliveries(t, "jira.issue.created", map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1})
}

// TestManyConcurrentAttempts lets many senders send the same deliveries at the same time to a pipeline that often
// fails. Each sender repeats its delivery until it is accepted.
func TestManyConcurrentAttempts(t *testing.T) {
	t.Parallel()
	const deliveries, senders = 20, 10
	var calls atomic.Int64
	next := &consumertest.LogsSink{}
	r := start(t, &sink{consume: func(ctx context.Context, logs plog.Logs) error {
		if calls.Add(1)%3 != 0 {
			return errors.New("full")
		}
		return next.ConsumeLogs(ctx, logs)
	}}, deduplicate)
	var sending sync.WaitGroup
	for sender := range deliveries * senders {
		sending.Go(func() {
			id := withDeliveryID(strconv.Itoa(sender % deliveries))
			for status := 0; status != http.StatusOK; {
				status, _, _ = r.send(r.client, r.request(t, []byte(createdBody), id)) // an error if the connection was idle
			}
		})
	}
	sending.Wait()
	assert.Equal(t, deliveries, next.LogRecordCount())
	r.assertCacheEntries(t, deliveries)
	r.assertInFlight(t, 0)
}

// TestSecondAttemptThatHangsUp checks that the first attempt goes on when the sender of the second attempt hangs up.
func TestSecondAttemptThatHangsUp(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, deduplicate)
	first := r.inBackground(t, withDeliveryID("1"))
	wait(t, next.entered, "first attempt")
	second := r.dial(t, fmt.Sprintf("POST /jira/events HTTP/1.1\r\nHost: a\r\n%s: 1\r\nContent-Length: %d\r\n\r\n%s", headerDeliveryID, len(createdBody), createdBody))
	r.awaitHeld(t, 2*len(createdBody))
	require.NoError(t, second.Close())
	r.awaitHeld(t, len(createdBody))
	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
	assert.Equal(t, 1, next.LogRecordCount())
}

// assertOutcomes sends deliveries with the IDs, and compares the outcomes of all deliveries so far.
func (r *testReceiver) assertOutcomes(t *testing.T, want map[outcome]int64, ids ...string) {
	t.Helper()
	for _, id := range ids {
		response, _ := r.post(t, []byte(createdBody), withDeliveryID(id))
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	r.assertDeliveries(t, "jira.issue.created", want)
}

func startWithFile(t *testing.T, path string) *testReceiver {
	t.Helper()
	return start(t, &sink{}, func(cfg *Config) {
		deduplicate(cfg)
		cfg.Deduplication.File = path
	})
}

func TestRestartWithFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "deliveries")
	before := startWithFile(t, path)
	before.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 2}, "1", "2")
	require.NoError(t, before.Shutdown(t.Context()))

	after := startWithFile(t, path)
	after.assertCacheEntries(t, 2)
	after.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 2}, "1", "2", "3")
	assert.Zero(t, after.storageErrors())
}

// TestDamagedFile checks that damage is counted and logged, that deliveries are accepted, and that the file is
// replaced.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deliveries")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("hunter2"), 8000), 0o600)) // three pages
	r := startWithFile(t, path)
	assert.EqualValues(t, 3, r.storageErrors())
	damaged := r.logs.FilterMessageSnippet("The deduplication file is damaged")
	require.Equal(t, 1, damaged.Len())
	assert.Equal(t, map[string]any{"file": path, "damaged_pages": int64(3)}, damaged.All()[0].ContextMap())
	r.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1}, "1", "1")
	require.NoError(t, r.Shutdown(t.Context()))

	after := startWithFile(t, path)
	after.assertOutcomes(t, map[outcome]int64{outcomeDuplicate: 1}, "1")
	assert.Zero(t, after.storageErrors())
}

// TestFileThatCannotBeOpened configures a directory as the file.
func TestFileThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	r := startWithFile(t, t.TempDir())
	assert.EqualValues(t, 1, r.storageErrors())
	assert.Equal(t, 1, r.storageWarnings())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("the receiver keeps in memory only what it has recorded").Len())
	r.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 1}, "1", "1")
	response, _ := r.post(t, []byte(createdBody), withDeliveryID("2"))
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

// fakeStorage is a storage extension and its only client. It returns the errors that are set.
type fakeStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu                         sync.Mutex
	content                    map[string][]byte
	clientErr, loadErr, saving error
	closed                     int
}

var (
	_ storage.Extension = (*fakeStorage)(nil)
	_ storage.Client    = (*fakeStorage)(nil)
)

// id returns the ID of the extension.
func (*fakeStorage) id() component.ID { return component.MustNewIDWithName("file_storage", "jira") }

func (s *fakeStorage) configure(cfg *Config) {
	deduplicate(cfg)
	id := s.id()
	cfg.Deduplication.Storage = &id
	cfg.Deduplication.ByEvent = false // which has a client of its own
}

func (s *fakeStorage) start(t *testing.T) *testReceiver {
	t.Helper()
	r := create(t, consumertest.NewNop(), s.configure, map[component.ID]component.Component{s.id(): s})
	require.NoError(t, r.Start(t.Context(), r.host))
	return r
}

func (s *fakeStorage) GetClient(
	_ context.Context, kind component.Kind, id component.ID, name string,
) (storage.Client, error) {
	if kind != component.KindReceiver || id.String() != "jira" || name != deliveryStorage {
		return nil, errors.New("not ours")
	}
	return s, s.clientErr
}

func (s *fakeStorage) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content[key], s.loadErr
}

func (s *fakeStorage) Batch(_ context.Context, operations ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saving != nil {
		return s.saving
	}
	for _, operation := range operations {
		s.content[operation.Key] = slices.Clone(operation.Value)
	}
	return nil
}

func (s *fakeStorage) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

func (*fakeStorage) Set(context.Context, string, []byte) error { return errors.New("not atomic") }

func (*fakeStorage) Delete(context.Context, string) error { return errors.New("not atomic") }

func TestRestartForgetsNothing(t *testing.T) {
	t.Parallel()
	s := &fakeStorage{content: map[string][]byte{}}
	before := s.start(t)
	before.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 2}, "1", "2")
	require.NoError(t, before.Shutdown(t.Context()))
	require.NoError(t, before.Shutdown(t.Context()))
	assert.Equal(t, 1, s.closed)

	after := s.start(t)
	after.assertCacheEntries(t, 2)
	after.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 1, outcomeDuplicate: 2}, "1", "2", "3")
}

func TestStorageMustBeOne(t *testing.T) {
	t.Parallel()
	var storageExtension *fakeStorage
	for _, tt := range []struct {
		name       string
		extensions map[component.ID]component.Component
		want       string
	}{
		{"missing", nil, "deduplication::storage: the extension file_storage/jira does not exist; add it"},
		{"another kind", map[component.ID]component.Component{storageExtension.id(): authExtension{}}, "deduplication::storage: file_storage/jira is not a storage extension"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := create(t, consumertest.NewNop(), storageExtension.configure, tt.extensions)
			require.ErrorContains(t, r.Start(t.Context(), r.host), tt.want)
			assert.Nil(t, r.server)
			assert.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

// TestStorageIsNotNeeded configures a storage that does not exist, without deduplication.
func TestStorageIsNotNeeded(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, func(cfg *Config) {
		(*fakeStorage)(nil).configure(cfg)
		cfg.Deduplication.Enabled = false
	})
	r.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 2}, "1", "1")
}

// storageErrors returns the value of the metric.
func (r *testReceiver) storageErrors() int64 {
	metric, err := r.telemetry.GetMetric("otelcol_receiver_jira_deduplication_storage_errors")
	if err != nil {
		return 0
	}
	return metric.Data.(metricdata.Sum[int64]).DataPoints[0].Value
}

// storageWarnings returns the number of logged warnings about the file or the storage.
func (r *testReceiver) storageWarnings() int {
	return r.logs.FilterMessageSnippet("deduplication::storage or poll::storage").Len()
}

func (r *testReceiver) awaitStorageErrors(t *testing.T, atLeast int64) {
	t.Helper()
	require.Eventually(t, func() bool { return r.storageErrors() >= atLeast }, waitLimit, time.Millisecond)
}

// TestDeliveriesGoOnWithoutStorage lets the storage fail in each way, and checks that deduplication works all the same.
func TestDeliveriesGoOnWithoutStorage(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	for _, tt := range []struct {
		name    string
		storage *fakeStorage
		errors  int64
	}{
		{"no client", &fakeStorage{clientErr: broken}, 1},
		{"cannot be loaded", &fakeStorage{loadErr: broken, content: map[string][]byte{}}, 1},
		{"cannot be saved", &fakeStorage{saving: broken}, 2},
		{"neither", &fakeStorage{loadErr: broken, saving: broken}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := tt.storage.start(t)
			r.assertOutcomes(t, map[outcome]int64{outcomeAccepted: 2, outcomeDuplicate: 1}, "1", "2", "1")
			r.awaitStorageErrors(t, tt.errors)
			assert.Equal(t, 1, r.storageWarnings(), "one warning, however often it fails")
			r.assertHealth(t, "", "a failing storage")
		})
	}
}
