// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
)

// TestRestart stops the connector after each event of a life. In the end, each output was made once.
func TestRestart(t *testing.T) {
	s := newMemoryStorage()
	r := newRig(t, func(cfg *Config) { cfg.Metrics.Temporality = Delta }).withStorage(s)
	events := life()
	for i := range events {
		r.start()
		r.consume(events[:i+1]...)
		r.shutdown()
	}
	assert.Len(t, r.records(attr.EventLifecycle), 2)
	assert.Equal(t, true, r.records(attr.EventLifecycle)[1].Attributes().AsRaw()[attr.Complete])
	assert.Equal(t, 2, r.total("jira.issue.resolved"))
	assert.Equal(t, 6, r.total("jira.issue.transitions"))
	assert.Equal(t, 1, r.total("jira.issue.created"))
}

// total returns the sum of all increments of a counter.
func (r *rig) total(name string) (sum int) {
	for _, metrics := range r.metrics.AllMetrics() {
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, metric := range resource.ScopeMetrics().At(0).Metrics().All() {
				if metric.Name() != name {
					continue
				}
				for _, point := range metric.Sum().DataPoints().All() {
					sum += int(point.IntValue())
				}
			}
		}
	}
	return sum
}

// TestCrash ends the connector between a save and the outputs, between the outputs and a save, and without the save of
// the last records.
func TestCrash(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Stuck.Limits = map[string]time.Duration{"processing": hour} }).
		withStorage(newMemoryStorage())
	r.start()
	r.consume(life()[:5]...)
	r.core.save(t.Context())
	r.crash()

	r.start()
	r.settle()
	assert.Len(t, r.records(attr.EventLifecycle), 1, "the crash came before the record")
	r.core.save(t.Context())
	r.consume(life()[5])
	r.crash()

	r.start()
	r.consume(life()[6]) // the reopening before it is lost
	r.settle()
	records := r.records(attr.EventLifecycle)
	require.Len(t, records, 2)
	assert.Equal(t, []any{"transition_not_seen"}, records[1].Attributes().AsRaw()[attr.IncompleteReasons])
	r.shutdown()
}

// TestCrashAfterBackfill ends the connector after the save of a back-fill that has not settled.
func TestCrashAfterBackfill(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Metrics.CountBackfill = true }).withStorage(newMemoryStorage())
	r.start()
	for _, e := range life()[:4] { // not resolved, so that no record is due
		r.consume(e.by("backfill"))
	}
	r.core.save(t.Context())
	r.crash()

	r.start()
	r.shutdown()
	assert.Equal(t, "1", r.values()["jira.issue.created Task OPS"])
}

func TestStuckAfterRestart(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.Stuck.Limits = map[string]time.Duration{"processing": hour} }).
		withStorage(newMemoryStorage())
	r.start()
	r.consume(life()[:2]...)
	r.settle()
	r.flush()
	r.shutdown()
	r.start()
	r.flush()
	assert.Len(t, r.records(attr.EventStuck), 1, "not again after a restart")
	r.consume(life()[2])
	r.shutdown()
	assert.Len(t, r.records(attr.EventUnstuck), 1)
}

func TestStorageWrites(t *testing.T) {
	s := newMemoryStorage()
	r := newRig(t, nil).withStorage(s)
	r.start()
	r.consume(life()...)
	r.core.save(t.Context())
	assert.Equal(t, 1, s.writes, "one page")
	r.core.save(t.Context())
	assert.Equal(t, 1, s.writes, "nothing has changed")
	r.consume(life()...)
	r.core.save(t.Context())
	assert.Equal(t, 1, s.writes, "repeated records change nothing")
	r.shutdown()
}

func TestStorageFails(t *testing.T) {
	s := newMemoryStorage()
	r := newRig(t, nil).withStorage(s)
	r.start()
	s.err = errors.New("disk full")
	r.consume(life()...)
	r.core.save(t.Context())
	s.err = nil
	r.core.save(t.Context())
	assert.Len(t, s.values, 1, "the page is saved later")
	r.shutdown()
	errorsCounted, err := r.telemetry.GetMetric("otelcol_connector_jira_flow_storage_errors")
	require.NoError(t, err)
	assert.NotEmpty(t, errorsCounted)
}

// TestStorageNotRead checks that issues remain in a storage that fails while the connector reads it.
func TestStorageNotRead(t *testing.T) {
	s := newMemoryStorage()
	r := newRig(t, nil).withStorage(s)
	r.start()
	r.consume(life()...)
	r.shutdown()
	stored := maps.Clone(s.values)
	s.err = errors.New("input/output error")
	r.start()
	s.err = nil
	r.consume(moved("42", 50*hour, 30, done, progress))
	r.shutdown()
	assert.Equal(t, stored, s.values)
	r.start()
	issues, _ := r.core.tracker.sizes()
	assert.Equal(t, 1, issues)
	r.shutdown()
}

func TestDamagedStorage(t *testing.T) {
	s := newMemoryStorage()
	r := newRig(t, nil).withStorage(s)
	r.start()
	r.consume(life()...)
	r.shutdown()
	for key := range maps.Keys(s.values) {
		s.values[key] = append([]byte{}, s.values[key]...)
		s.values[key][10] ^= 1
	}
	r.start()
	issues, _ := r.core.tracker.sizes()
	assert.Zero(t, issues)
	r.consume(life()...)
	r.shutdown()
	r.start()
	issues, _ = r.core.tracker.sizes()
	assert.Equal(t, 1, issues, "the damaged page was replaced")
	r.shutdown()
}

func TestStorageMistakes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		extensions map[component.ID]component.Component
		want       string
	}{
		{"missing", nil, "storage: the extension file_storage does not exist"},
		{
			"of another kind",
			map[component.ID]component.Component{storageID: componenttest.NewNopHost().GetExtensions()[storageID]},
			"storage: file_storage is not a storage extension",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Storage = &storageID
			c, err := NewFactory().CreateLogsToLogs(t.Context(), connectortest.NewNopSettings(metadata.Type), cfg,
				consumertest.NewNop())
			require.NoError(t, err)
			assert.ErrorContains(t, c.Start(t.Context(), storageHost{tt.extensions}), tt.want)
			require.NoError(t, c.Shutdown(t.Context()))
		})
	}
}
