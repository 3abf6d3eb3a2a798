// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
)

const site = "https://acme.atlassian.net"

// start is the time of the first event of tests: a Monday, 09:00 UTC.
var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

var (
	todo     = flow.Status{ID: "10000", Name: "To Do", Mapped: "planned"}
	progress = flow.Status{ID: "3", Name: "In Progress", Mapped: "processing"}
	review   = flow.Status{ID: "10001", Name: "In Review", Mapped: "processing"}
	blocked  = flow.Status{ID: "10002", Name: "Blocked", Mapped: "waiting"}
	done     = flow.Status{ID: "10003", Name: "Done", Mapped: "done"}
)

// event is a record of the receiver in a short form.
type event struct {
	name      string
	issue     string // id
	at        time.Duration
	changelog int
	from, to  flow.Status
	source    string
	more      map[string]any
}

func created(issue string, at time.Duration, to flow.Status) event {
	return event{name: attr.EventIssueCreated, issue: issue, at: at, to: to}
}

func moved(issue string, at time.Duration, changelog int, from, to flow.Status) event {
	return event{name: "jira.issue.updated", issue: issue, at: at, changelog: changelog, from: from, to: to}
}

// with returns the event with another attribute.
func (e event) with(key string, value any) event {
	more := maps.Clone(e.more)
	if more == nil {
		more = map[string]any{}
	}
	more[key] = value
	e.more = more
	return e
}

func (e event) by(source string) event {
	e.source = source
	return e
}

func (e event) write(lr plog.LogRecord) {
	at := start.Add(e.at)
	lr.SetEventName(e.name)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
	attributes := lr.Attributes()
	putText(attributes, attr.IssueID, e.issue)
	attributes.PutStr(attr.IssueKey, "OPS-"+e.issue)
	attributes.PutStr(attr.ProjectKey, "OPS")
	attributes.PutStr(attr.IssueTypeName, "Task")
	attributes.PutStr(attr.PriorityName, "High")
	attributes.PutStr(attr.CreatedAt, start.Format(time.RFC3339Nano))
	attributes.PutStr(attr.Source, cmp.Or(e.source, "webhook"))
	putText(attributes, attr.StatusID, e.to.ID)
	putText(attributes, attr.StatusName, e.to.Name)
	putText(attributes, attr.StatusMapped, e.to.Mapped)
	putText(attributes, attr.PreviousID, e.from.ID)
	putText(attributes, attr.PreviousName, e.from.Name)
	putText(attributes, attr.PreviousMapped, e.from.Mapped)
	if e.changelog != 0 {
		attributes.PutStr(attr.ChangelogID, strconv.Itoa(e.changelog))
	}
	for key, value := range e.more {
		if value == nil {
			attributes.Remove(key)
			continue
		}
		_ = attributes.PutEmpty(key).FromRaw(value)
	}
}

func putText(attributes pcommon.Map, key, text string) {
	if text != "" {
		attributes.PutStr(key, text)
	}
}

func logsOf(events ...event) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr(attr.SiteURL, site)
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for _, e := range events {
		e.write(records.AppendEmpty())
	}
	return logs
}

// life is the life of the issue 42: 1 h planned, 2 h in progress, 3 h blocked, 4 h in review; then resolved for 2 h,
// reopened for 3 h, and resolved again.
func life() []event {
	const issue, hour = "42", time.Hour
	return []event{
		created(issue, 0, todo),
		moved(issue, 1*hour, 11, todo, progress),
		moved(issue, 3*hour, 12, progress, blocked),
		moved(issue, 6*hour, 13, blocked, review),
		moved(issue, 10*hour, 14, review, done),
		moved(issue, 12*hour, 15, done, progress),
		moved(issue, 15*hour, 16, progress, done),
	}
}

// rig is a connector that is made by the factory, with sinks behind it. Its clock stands still.
type rig struct {
	t       *testing.T
	cfg     *Config
	logs    *consumertest.LogsSink
	metrics *consumertest.MetricsSink
	host    component.Host

	mu    sync.Mutex
	clock time.Time

	logsInput, metricsInput connector.Logs
	core                    *core
	telemetry               *componenttest.Telemetry
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	r := &rig{
		t: t, cfg: cfg, logs: &consumertest.LogsSink{}, metrics: &consumertest.MetricsSink{},
		host: componenttest.NewNopHost(), clock: start.Add(24 * time.Hour), telemetry: componenttest.NewTelemetry(),
	}
	t.Cleanup(func() { _ = r.telemetry.Shutdown(context.WithoutCancel(t.Context())) })
	return r
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

// wait sets the clock ahead.
func (r *rig) wait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

// start starts both halves. It stops the loops, so that the test decides when issues settle.
func (r *rig) start() {
	r.t.Helper()
	r.startWith(r.logs, r.metrics)
}

func (r *rig) startWith(logs consumer.Logs, metrics consumer.Metrics) {
	r.t.Helper()
	shared := newRegistry(r.now)
	settings := nopSettings(r)
	var err error
	if logs != nil {
		r.logsInput, err = shared.createLogsToLogs(r.t.Context(), settings, r.cfg, logs)
		require.NoError(r.t, err)
	}
	if metrics != nil {
		r.metricsInput, err = shared.createLogsToMetrics(r.t.Context(), settings, r.cfg, metrics)
		require.NoError(r.t, err)
	}
	r.core = shared.cores[r.cfg]
	for _, input := range r.inputs() {
		require.NoError(r.t, input.Start(r.t.Context(), r.host))
	}
	r.core.cancel()
	r.core.running.Wait()
}

func nopSettings(r *rig) connector.Settings {
	settings := connectortest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	return settings
}

func (r *rig) inputs() (inputs []connector.Logs) {
	for _, input := range []connector.Logs{r.logsInput, r.metricsInput} {
		if input != nil {
			inputs = append(inputs, input)
		}
	}
	return inputs
}

func (r *rig) consume(events ...event) {
	r.t.Helper()
	for _, input := range r.inputs() {
		require.NoError(r.t, input.ConsumeLogs(r.t.Context(), logsOf(events...)))
	}
}

// settle lets all issues settle.
func (r *rig) settle() {
	r.wait(r.cfg.SettleTime + time.Second)
	r.core.settle(r.t.Context(), false)
}

func (r *rig) flush() { r.core.flush(r.t.Context(), false) }

func (r *rig) shutdown() {
	r.t.Helper()
	for _, input := range r.inputs() {
		require.NoError(r.t, input.Shutdown(r.t.Context()))
	}
	r.logsInput, r.metricsInput = nil, nil
}

// crash ends the connector without a shutdown.
func (r *rig) crash() {
	r.core.telemetry.shutdown()
	r.logsInput, r.metricsInput = nil, nil
}

// records returns the records of an event that the connector has sent.
func (r *rig) records(name string) (records []plog.LogRecord) {
	for _, logs := range r.logs.AllLogs() {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, lr := range scope.LogRecords().All() {
					if lr.EventName() == name {
						records = append(records, lr)
					}
				}
			}
		}
	}
	return records
}

// values returns the latest values of all time series as text: a number, or the count and the sum of a histogram.
func (r *rig) values() map[string]string {
	values := map[string]string{}
	for _, metrics := range r.metrics.AllMetrics() {
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, metric := range scope.Metrics().All() {
					addValues(values, metric)
				}
			}
		}
	}
	return values
}

func addValues(values map[string]string, metric pmetric.Metric) {
	number := func(points pmetric.NumberDataPointSlice) {
		for _, point := range points.All() {
			value := strconv.FormatFloat(point.DoubleValue(), 'g', -1, 64)
			if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
				value = strconv.FormatInt(point.IntValue(), 10)
			}
			values[seriesName(metric, point.Attributes())] = value
		}
	}
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		number(metric.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		number(metric.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			values[seriesName(metric, point.Attributes())] = strconv.FormatUint(point.Count(), 10) + " in " +
				strconv.FormatFloat(point.Sum(), 'g', -1, 64)
		}
	}
}

// seriesName returns the name of a metric and the values of the attributes in the order of their names.
func seriesName(metric pmetric.Metric, attributes pcommon.Map) string {
	parts := []string{metric.Name()}
	for _, key := range slices.Sorted(maps.Keys(attributes.AsRaw())) {
		value, _ := attributes.Get(key)
		parts = append(parts, value.AsString())
	}
	return strings.Join(parts, " ")
}

// memoryStorage is a storage extension and its only client.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	values map[string][]byte
	err    error
	writes int
}

func newMemoryStorage() *memoryStorage { return &memoryStorage{values: map[string][]byte{}} }

func (s *memoryStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *memoryStorage) Get(ctx context.Context, key string) ([]byte, error) {
	operation := storage.GetOperation(key)
	err := s.Batch(ctx, operation)
	return operation.Value, err
}

func (s *memoryStorage) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

func (s *memoryStorage) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

func (s *memoryStorage) Batch(_ context.Context, operations ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, operation := range operations {
		if s.err != nil {
			return s.err
		}
		switch operation.Type {
		case storage.Get:
			operation.Value = s.values[operation.Key]
		case storage.Set:
			s.values[operation.Key] = operation.Value
			s.writes++
		case storage.Delete:
			delete(s.values, operation.Key)
		}
	}
	return nil
}

func (*memoryStorage) Close(context.Context) error { return nil }

var storageID = component.MustNewID("file_storage")

// storageHost is a host with a storage extension.
type storageHost struct {
	extensions map[component.ID]component.Component
}

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// withStorage lets the connector keep its state in a storage.
func (r *rig) withStorage(s *memoryStorage) *rig {
	r.cfg.Storage = &storageID
	r.host = storageHost{map[component.ID]component.Component{storageID: s}}
	return r
}

// consumerOf returns a consumer that calls a function.
func consumerOf(consume func(plog.Logs) error) consumer.Logs {
	c, _ := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error { return consume(logs) })
	return c
}
