// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
)

func TestLifecycleRecords(t *testing.T) {
	r := newRig(t, nil)
	r.start()
	r.consume(life()...)
	r.settle()

	records := r.records(attr.EventLifecycle)
	require.Len(t, records, 2)
	first, second := records[0].Attributes().AsRaw(), records[1].Attributes().AsRaw()
	assert.NotEqual(t, first[attr.UID], second[attr.UID])
	delete(first, attr.UID)
	assert.Equal(t, map[string]any{
		"jira.issue.id":                                       "42",
		"jira.issue.key":                                      "OPS-42",
		"url.full":                                            "https://acme.atlassian.net/browse/OPS-42",
		"jira.project.key":                                    "OPS",
		"jira.issue.type.name":                                "Task",
		"jira.issue.priority.name":                            "High",
		"jira.issue.created_at":                               "2026-03-02T09:00:00.000Z",
		"jira.issue.resolved_at":                              "2026-03-02T19:00:00.000Z",
		"jira.issue.status.id":                                "10003",
		"jira.issue.status.name":                              "Done",
		"jira.issue.status.mapped":                            "done",
		"jira.changelog.id":                                   "14",
		"jira.issue.lead_time_seconds":                        int64(10 * 3600),
		"jira.issue.cycle_started_at":                         "2026-03-02T10:00:00.000Z",
		"jira.issue.cycle_time_seconds":                       int64(9 * 3600),
		"jira.issue.active_time_seconds":                      int64(6 * 3600),
		"jira.issue.waiting_time_seconds":                     int64(3 * 3600),
		"jira.issue.flow_efficiency":                          2.0 / 3,
		"jira.issue.reopen_count":                             int64(0),
		"jira.issue.lifecycle.complete":                       true,
		"jira.issue.time_in_mapped_status_seconds.planned":    int64(3600),
		"jira.issue.time_in_mapped_status_seconds.processing": int64(6 * 3600),
		"jira.issue.time_in_mapped_status_seconds.waiting":    int64(3 * 3600),
		"jira.issue.time_in_status_seconds.to_do":             int64(3600),
		"jira.issue.time_in_status_seconds.in_progress":       int64(2 * 3600),
		"jira.issue.time_in_status_seconds.blocked":           int64(3 * 3600),
		"jira.issue.time_in_status_seconds.in_review":         int64(4 * 3600),
		"jira.issue.time_in_statuses": []any{
			map[string]any{"id": "10000", "name": "To Do", "mapped": "planned", "seconds": int64(3600), "visits": int64(1)},
			map[string]any{"id": "3", "name": "In Progress", "mapped": "processing", "seconds": int64(2 * 3600), "visits": int64(1)},
			map[string]any{"id": "10002", "name": "Blocked", "mapped": "waiting", "seconds": int64(3 * 3600), "visits": int64(1)},
			map[string]any{"id": "10001", "name": "In Review", "mapped": "processing", "seconds": int64(4 * 3600), "visits": int64(1)},
		},
	}, first)
	assert.Equal(t, int64(1), second["jira.issue.reopen_count"])
	assert.Equal(t, int64(14*3600), second["jira.issue.cycle_time_seconds"])
	assert.Equal(t, "OPS-42 was resolved as Done after 10h 0m, 9h 0m of it in the cycle", records[0].Body().Str())
	assert.Equal(t, start.Add(10*time.Hour), records[0].Timestamp().AsTime())
	resource := r.logs.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, map[string]any{"service.name": "jira", "jira.site.url": site}, resource)

	r.consume(life()...)
	r.settle()
	assert.Len(t, r.records(attr.EventLifecycle), 2, "each output once")
	r.shutdown()
}

func TestMetrics(t *testing.T) {
	r := newRig(t, nil)
	r.start()
	r.consume(life()...)
	r.consume(
		created("43", 1*time.Hour, todo).with(attr.AssigneeID, "712020:9c8b"),
		created("44", 2*time.Hour, todo), moved("44", 3*time.Hour, 21, todo, progress).with(attr.Flagged, true),
		moved("45", 4*time.Hour, 22, progress, blocked),
	)
	r.settle()
	r.flush()
	assert.Equal(t, "0", r.values()["jira.issue.resolved done Task OPS"], "a new series begins with 0")
	r.flush()
	assert.Equal(t, map[string]string{
		"jira.issue.created Task OPS":                        "3",
		"jira.issue.resolved done Task OPS":                  "2",
		"jira.issue.reopened Task OPS":                       "1",
		"jira.issue.transitions processing planned Task OPS": "2",
		"jira.issue.transitions waiting processing Task OPS": "2",
		"jira.issue.transitions processing waiting Task OPS": "1",
		"jira.issue.transitions done processing Task OPS":    "2",
		"jira.issue.transitions processing done Task OPS":    "1",
		"jira.issue.time_in_status planned Task OPS":         "2 in 14400",
		"jira.issue.time_in_status processing Task OPS":      "3 in 32400",
		"jira.issue.time_in_status waiting Task OPS":         "1 in 10800",
		"jira.issue.time_in_status done Task OPS":            "1 in 7200",
		"jira.issue.lead_time done Task OPS":                 "2 in 90000",
		"jira.issue.cycle_time done Task OPS":                "2 in 82800",
		"jira.issue.open planned Task OPS":                   "1",
		"jira.issue.open processing Task OPS":                "1",
		"jira.issue.open waiting Task OPS":                   "1",
		"jira.issue.unassigned planned Task OPS":             "0",
		"jira.issue.unassigned processing Task OPS":          "1",
		"jira.issue.unassigned waiting Task OPS":             "1",
		"jira.issue.flagged planned Task OPS":                "0",
		"jira.issue.flagged processing Task OPS":             "1",
		"jira.issue.flagged waiting Task OPS":                "0",
		"jira.issue.stuck planned Task OPS":                  "0",
		"jira.issue.stuck processing Task OPS":               "0",
		"jira.issue.stuck waiting Task OPS":                  "0",
		"jira.issue.creation_unseen planned Task OPS":        "0",
		"jira.issue.creation_unseen processing Task OPS":     "0",
		"jira.issue.creation_unseen waiting Task OPS":        "1",
		"jira.issue.oldest_age planned Task OPS":             "86411",
		"jira.issue.oldest_age processing Task OPS":          "86411",
		"jira.issue.oldest_age waiting Task OPS":             "86411",
		"jira.issue.longest_in_status planned Task OPS":      "86411",
		"jira.issue.longest_in_status processing Task OPS":   "75611",
		"jira.issue.longest_in_status waiting Task OPS":      "72011",
	}, r.values())
	r.shutdown()
}

// TestFactory runs the connector as the collector does, with its own clock and loops.
func TestFactory(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.SettleTime = time.Millisecond
	cfg.Metrics.FlushInterval = time.Second
	logs, metrics := &consumertest.LogsSink{}, &consumertest.MetricsSink{}
	settings := connectortest.NewNopSettings(metadata.Type)
	toMetrics, err := factory.CreateLogsToMetrics(t.Context(), settings, cfg, metrics)
	require.NoError(t, err)
	toLogs, err := factory.CreateLogsToLogs(t.Context(), settings, cfg, logs)
	require.NoError(t, err)
	require.NoError(t, toMetrics.Start(t.Context(), componenttest.NewNopHost()))
	assert.False(t, toMetrics.(*metricsOutput).core.isRunning, "the logs pipeline may not have started")
	require.NoError(t, toLogs.Start(t.Context(), componenttest.NewNopHost()))

	require.NoError(t, toMetrics.ConsumeLogs(t.Context(), logsOf(life()...)))
	require.NoError(t, toLogs.ConsumeLogs(t.Context(), logsOf(life()...)))
	assert.Eventually(t, func() bool {
		return logs.LogRecordCount() == 2 && metrics.DataPointCount() > 0
	}, 5*time.Second, 10*time.Millisecond)

	require.NoError(t, toMetrics.Shutdown(t.Context()))
	require.NoError(t, toLogs.Shutdown(t.Context()))
	assert.Equal(t, 2, logs.LogRecordCount())
}

// TestShutdown covers issues that have not settled.
func TestShutdown(t *testing.T) {
	r := newRig(t, nil)
	r.start()
	r.consume(life()...)
	assert.Empty(t, r.records(attr.EventLifecycle))
	r.shutdown()
	assert.Len(t, r.records(attr.EventLifecycle), 2)
	assert.Equal(t, "2", r.values()["jira.issue.resolved done Task OPS"], "the last flush does not begin with 0")
}

func TestOneSignal(t *testing.T) {
	t.Run("logs", func(t *testing.T) {
		r := newRig(t, nil)
		r.startWith(r.logs, nil)
		r.consume(life()...)
		r.flush()
		r.shutdown()
		assert.Len(t, r.records(attr.EventLifecycle), 2)
	})
	t.Run("metrics", func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Stuck.Limits = map[string]time.Duration{"planned": time.Hour} })
		r.startWith(nil, r.metrics)
		r.consume(life()...)
		r.consume(created("43", 0, todo))
		r.flush()
		r.shutdown()
		assert.Equal(t, "2", r.values()["jira.issue.resolved done Task OPS"])
		assert.Equal(t, "1", r.values()["jira.issue.stuck planned Task OPS"])
	})
}
