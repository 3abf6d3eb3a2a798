// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

var storageID = component.MustNewIDWithName("file_storage", "jira")

// fakeStorage is a storage extension and its only client. It fails with the errors that are set, and saves nothing while
// hanging is not nil.
type fakeStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu                         sync.Mutex
	content                    map[string][]byte
	clientErr, loadErr, saving error
	hanging                    chan struct{}
	closed                     int
}

var (
	_ storage.Extension = (*fakeStorage)(nil)
	_ storage.Client    = (*fakeStorage)(nil)
)

func newStorage(content map[string][]byte) *fakeStorage { return &fakeStorage{content: content} }

func (s *fakeStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if kind != component.KindReceiver || id.String() != "jira" || name != storageName {
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
	if s.hanging != nil {
		<-s.hanging
	}
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

func (s *fakeStorage) failSaving(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saving = err
}

// snapshot is what a process finds that starts now.
func (s *fakeStorage) snapshot() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.content)
}

// awaitSaved waits until so many deliveries are in the storage.
func (s *fakeStorage) awaitSaved(t *testing.T, deliveries int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.snapshot()["page-0"]) == deliveries*entrySize }, patience, time.Millisecond)
}

// entrySize is what a delivery takes up in a page: 12 bytes that identify it, 4 of a checksum of its body, and its time in milliseconds.
const entrySize = 24

func withStorage(cfg *Config) {
	deduplicate(cfg)
	cfg.Jira.AllowUnauthenticated = true
	cfg.Server.NetAddr.Endpoint = "localhost:0"
	cfg.Jira.Deduplication.Storage = &storageID
}

func startWithStorage(t *testing.T, s component.Component) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	withStorage(cfg)
	return startConfigured(t, consumertest.NewNop(), cfg, map[component.ID]component.Component{storageID: s})
}

// assertOutcomes posts deliveries with one number after the other, and counts what becomes of all so far.
func (r *running) assertOutcomes(t *testing.T, want map[outcome]int64, ids ...string) {
	t.Helper()
	for _, id := range ids {
		response, _ := r.post(t, []byte(createdBody), numbered(id))
		assert.Equal(t, http.StatusOK, response.StatusCode)
	}
	assertDeliveries(t, r, "jira.issue.created", want)
}

func TestRestartForgetsNothing(t *testing.T) {
	s := newStorage(map[string][]byte{})
	before := startWithStorage(t, s)
	before.assertOutcomes(t, map[outcome]int64{accepted: 2}, "1", "2")
	require.NoError(t, before.Shutdown(t.Context()))
	require.NoError(t, before.Shutdown(t.Context()))
	assert.Equal(t, 1, s.closed)

	after := startWithStorage(t, s)
	assertRemembered(t, after, 2)
	after.assertOutcomes(t, map[outcome]int64{accepted: 1, duplicate: 2}, "1", "2", "3")
}

// TestKillForgetsNothingThatWasSaved starts anew from what the storage holds while the first process is still running.
func TestKillForgetsNothingThatWasSaved(t *testing.T) {
	s := newStorage(map[string][]byte{})
	killed := startWithStorage(t, s)
	killed.assertOutcomes(t, map[outcome]int64{accepted: 1}, "1")
	s.awaitSaved(t, 1)
	after := startWithStorage(t, newStorage(s.snapshot()))
	after.assertOutcomes(t, map[outcome]int64{accepted: 1, duplicate: 1}, "1", "2")
}

func TestStorageMustBeOne(t *testing.T) {
	for _, tt := range []struct {
		name       string
		extensions map[component.ID]component.Component
		want       string
	}{
		{"missing", nil, "deduplication::storage: the extension file_storage/jira does not exist; add it"},
		{"another kind", map[component.ID]component.Component{storageID: authExtension{}}, "deduplication::storage: file_storage/jira is not a storage extension"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			withStorage(cfg)
			r := create(t, consumertest.NewNop(), cfg, tt.extensions)
			require.ErrorContains(t, r.Start(t.Context(), r.host), tt.want)
			assert.Nil(t, r.server)
			assert.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

// TestStorageIsNotNeeded names a storage that does not exist where nothing is to be kept.
func TestStorageIsNotNeeded(t *testing.T) {
	r := start(t, &sink{}, func(cfg *Config) {
		withStorage(cfg)
		cfg.Jira.Deduplication.Enabled = false
	})
	r.assertOutcomes(t, map[outcome]int64{accepted: 2}, "1", "1")
}

// storageErrors is how often the storage has failed by now.
func (r *running) storageErrors() int64 {
	metric, err := r.telemetry.GetMetric("otelcol_receiver_jira_deduplication_storage_errors")
	if err != nil {
		return 0
	}
	return metric.Data.(metricdata.Sum[int64]).DataPoints[0].Value
}

func (r *running) awaitStorageErrors(t *testing.T, atLeast int64) {
	t.Helper()
	require.Eventually(t, func() bool { return r.storageErrors() >= atLeast }, patience, time.Millisecond)
}

// TestDeliveriesGoOnWithoutStorage has the storage fail in each way, and deliver and deduplicate all the same.
func TestDeliveriesGoOnWithoutStorage(t *testing.T) {
	failure := errors.New("disk full")
	for _, tt := range []struct {
		name    string
		storage *fakeStorage
		errors  int64
	}{
		{"no client", &fakeStorage{clientErr: failure}, 1},
		{"cannot be loaded", &fakeStorage{loadErr: failure, content: map[string][]byte{}}, 1},
		{"cannot be saved", &fakeStorage{saving: failure}, 2},
		{"neither", &fakeStorage{loadErr: failure, saving: failure}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startWithStorage(t, tt.storage)
			r.assertOutcomes(t, map[outcome]int64{accepted: 2, duplicate: 1}, "1", "2", "1")
			r.awaitStorageErrors(t, tt.errors)
			assert.Equal(t, 1, r.logs.FilterMessageSnippet("Cannot use deduplication::file").Len(), "one warning, however often it fails")
			r.assertHealth(t, toldOK, "the storage is no reason not to deliver")
		})
	}
}

func TestStorageRecovers(t *testing.T) {
	s := newStorage(map[string][]byte{})
	s.failSaving(errors.New("disk full"))
	r := startWithStorage(t, s)
	r.assertOutcomes(t, map[outcome]int64{accepted: 2}, "1", "2")
	r.awaitStorageErrors(t, 3) // more than there were deliveries: it tries again
	assert.Empty(t, s.snapshot())
	s.failSaving(nil)
	s.awaitSaved(t, 2)
	after := startWithStorage(t, newStorage(s.snapshot()))
	after.assertOutcomes(t, map[outcome]int64{duplicate: 2}, "1", "2")
}

// TestStorageHangs has a disk that never answers: deliveries go on, and a shutdown does not wait for it, but for a moment.
func TestStorageHangs(t *testing.T) {
	t.Parallel()
	s := &fakeStorage{content: map[string][]byte{}, hanging: make(chan struct{})}
	t.Cleanup(func() { close(s.hanging) })
	r := startWithStorage(t, s)
	r.assertOutcomes(t, map[outcome]int64{accepted: 2, duplicate: 1}, "1", "2", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, r.Shutdown(ctx), context.DeadlineExceeded)
	assert.Empty(t, s.snapshot())
}

// TestLastSave is of a shutdown whose time is up before the storage has its turn.
func TestLastSave(t *testing.T) {
	s := newStorage(map[string][]byte{})
	s.failSaving(errors.New("disk full"))
	r := startWithStorage(t, s)
	r.assertOutcomes(t, map[outcome]int64{accepted: 1}, "1")
	r.awaitStorageErrors(t, 1)
	s.failSaving(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.Shutdown(ctx) // of the server, which may or may not be idle already
	after := startWithStorage(t, newStorage(s.snapshot()))
	after.assertOutcomes(t, map[outcome]int64{duplicate: 1}, "1")
}

// TestDamagedPages starts from what no receiver has written like that.
func TestDamagedPages(t *testing.T) {
	s := newStorage(map[string][]byte{})
	writer := startWithStorage(t, s)
	writer.assertOutcomes(t, map[outcome]int64{accepted: 2}, "1", "2")
	require.NoError(t, writer.Shutdown(t.Context()))
	page := s.snapshot()["page-0"]
	require.Len(t, page, 2*entrySize)
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
		known  int64 // of the two
	}{
		{"none", func(p []byte) []byte { return p }, 2},
		{"lost", func([]byte) []byte { return nil }, 0},
		{"truncated in the second entry", func(p []byte) []byte { return p[:entrySize+10] }, 1},
		{"truncated in the first entry", func(p []byte) []byte { return p[:10] }, 0},
		{"rubbish at the end", func(p []byte) []byte { return append(p, "hunter2"...) }, 2},
		{"rubbish", func([]byte) []byte { return []byte("hunter2 and more of the like, longer than an entry") }, 0},
		{"first entry overwritten", func(p []byte) []byte { return append(make([]byte, entrySize), p[entrySize:]...) }, 1},
		{"twice the same", func(p []byte) []byte { return append(p, p...) }, 2},
		{"before the window", func(p []byte) []byte { return dated(p, observedAt.Add(-defaultWindow).UnixMilli()) }, 0},
		{"before all time", func(p []byte) []byte { return dated(p, math.MinInt64) }, 0},
		{"from the future", func(p []byte) []byte { return dated(p, observedAt.Add(time.Hour).UnixMilli()) }, 2},
		{"from the end of time", func(p []byte) []byte { return dated(p, math.MaxInt64) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startWithStorage(t, newStorage(map[string][]byte{"page-0": tt.damage(slices.Clone(page))}))
			want := map[outcome]int64{}
			for o, count := range map[outcome]int64{duplicate: tt.known, accepted: 2 - tt.known} {
				if count > 0 {
					want[o] = count
				}
			}
			r.assertOutcomes(t, want, "1", "2")
			r.clock.advance(defaultWindow)
			assertRemembered(t, r, 0) // and no entry stays for longer than the window
		})
	}
}

func dated(page []byte, milliseconds int64) []byte {
	for entry := page; len(entry) >= entrySize; entry = entry[entrySize:] {
		binary.BigEndian.PutUint64(entry[entrySize-8:], uint64(milliseconds))
	}
	return page
}
