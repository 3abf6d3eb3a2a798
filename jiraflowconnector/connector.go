// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"
	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
	"github.com/otel-jira/collector/jiraflowconnector/internal/output"
)

// registry holds one core for each configuration: the collector makes a connector for each signal of the pipelines to
// which it writes, and both need the same state.
type registry struct {
	now   func() time.Time
	mu    sync.Mutex
	cores map[*Config]*core
}

func newRegistry(now func() time.Time) *registry {
	return &registry{now: now, cores: map[*Config]*core{}}
}

// get returns the core of a configuration for another half.
func (r *registry) get(settings connector.Settings, cfg *Config) (*core, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, found := r.cores[cfg]
	if !found {
		var err error
		if c, err = newCore(settings, cfg, r.now); err != nil {
			return nil, err
		}
		r.cores[cfg] = c
		c.onShutdown = func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.cores, cfg)
		}
	}
	c.halves++
	return c, nil
}

// core is the connector: both halves share it.
type core struct {
	cfg        *Config
	settings   connector.Settings
	tracker    *tracker
	telemetry  *telemetry
	now        func() time.Time
	logs       consumer.Logs    // nil without a logs pipeline
	metrics    consumer.Metrics // nil without a metrics pipeline
	onShutdown func()

	mu        sync.Mutex
	halves    int // not shut down
	started   int
	isRunning bool
	client    storage.Client // nil without storage
	cancel    context.CancelFunc
	running   sync.WaitGroup
}

func newCore(settings connector.Settings, cfg *Config, now func() time.Time) (*core, error) {
	c := &core{cfg: cfg, settings: settings, now: now}
	c.tracker = newTracker(cfg, aggregate.New(aggregate.Options{
		IsDelta:   cfg.Metrics.Temporality == Delta,
		Buckets:   seconds(cfg.Metrics.Buckets),
		MaxSeries: cfg.Metrics.MaxSeries,
		Start:     now(),
		Scope:     c.setScope,
	}))
	var err error
	c.telemetry, err = newTelemetry(settings, c.tracker)
	return c, err
}

func seconds(durations []time.Duration) []float64 {
	list := make([]float64, len(durations))
	for i, d := range durations {
		list[i] = d.Seconds()
	}
	return list
}

func (c *core) setScope(scope pcommon.InstrumentationScope) {
	scope.SetName(metadata.ScopeName)
	scope.SetVersion(c.settings.BuildInfo.Version)
	scope.Attributes().PutStr(attr.JiraSchemaVersion, attr.SchemaVersion)
}

func (c *core) setLogs(next consumer.Logs) {
	c.logs, c.tracker.hasLogs = next, true
}

// half is the connector to the pipelines of one signal.
type half struct{ core *core }

// Start starts the core when all halves are started, because only then can all pipelines consume outputs. The first
// half loads the state.
func (h half) Start(ctx context.Context, host component.Host) error { return h.core.start(ctx, host) }

// Shutdown makes the last outputs with the first half, while all pipelines can consume them, and saves the state with
// the last half.
func (h half) Shutdown(ctx context.Context) error { return h.core.shutdown(ctx) }

// logsOutput is the half that writes to logs pipelines.
type logsOutput struct {
	half
	next consumer.Logs
}

// Capabilities reports that the connector changes records if it passes them on.
func (l *logsOutput) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: l.core.cfg.PassThrough}
}

// ConsumeLogs reads records, and passes them on with pass_through. The sender may repeat records that the pipeline has
// refused: they change nothing in the state.
func (l *logsOutput) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	l.core.consume(ctx, logs, outputLogs, l.core.cfg.PassThrough)
	if !l.core.cfg.PassThrough {
		return nil
	}
	return l.next.ConsumeLogs(ctx, logs)
}

// metricsOutput is the half that writes to metrics pipelines.
type metricsOutput struct{ half }

// Capabilities reports that the connector does not change records.
func (*metricsOutput) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs reads records.
func (m *metricsOutput) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	m.core.consume(ctx, logs, outputMetrics, false)
	return nil
}

func (c *core) consume(ctx context.Context, logs plog.Logs, signal string, addDurations bool) {
	read, withoutIssue, n := c.tracker.consume(logs, c.now(), addDurations)
	c.telemetry.recordRead(ctx, signal, read, withoutIssue, n)
}

// storageName distinguishes the storage client of the issues from clients that the connector may have later.
const storageName = "issues"

func (c *core) start(ctx context.Context, host component.Host) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started == 0 && c.cfg.Storage != nil {
		if err := c.openStorage(ctx, host); err != nil {
			return err
		}
	}
	c.started++
	if c.started == c.halves {
		c.run(context.WithoutCancel(ctx))
	}
	return nil
}

// openStorage loads the issues. It returns an error only if the configured extension is missing or is not a storage. A
// storage that fails is logged, and does not stop the start.
func (c *core) openStorage(ctx context.Context, host component.Host) error {
	extension, found := host.GetExtensions()[*c.cfg.Storage]
	if !found {
		return fmt.Errorf("storage: the extension %s does not exist; add it under extensions and service::extensions",
			c.cfg.Storage)
	}
	backend, ok := extension.(storage.Extension)
	if !ok {
		return fmt.Errorf("storage: %s is not a storage extension; name a storage extension, such as file_storage",
			c.cfg.Storage)
	}
	client, err := backend.GetClient(ctx, component.KindConnector, c.settings.ID, storageName)
	if err != nil {
		c.telemetry.recordLoadError(ctx, err)
		return nil
	}
	c.client = client
	begin := time.Now()
	damaged, err := c.tracker.load(ctx, client, c.now())
	if err != nil {
		// A save would replace pages that were not loaded.
		c.telemetry.recordLoadError(ctx, errors.Join(err, c.closeStorage(ctx)))
		return nil
	}
	if damaged > 0 {
		c.telemetry.recordDamage(ctx, damaged)
	}
	issues, _ := c.tracker.sizes()
	c.settings.Logger.Info("Loaded the issues", zap.Int("issues", issues), zap.Duration("duration", time.Since(begin)))
	return nil
}

const (
	// tickInterval is the time between two searches for settled issues, and between two saves. A crash loses the changes
	// of this time.
	tickInterval = time.Second
	// storeTimeout limits each save, if the storage observes its context.
	storeTimeout = 10 * time.Second
)

// run starts the loops. Saves have a loop of their own, because a disk may hang.
func (c *core) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	c.cancel, c.isRunning = cancel, true
	c.running.Go(func() {
		lastFlush := c.now()
		every(ctx, tickInterval, func() {
			c.settle(ctx, false)
			if now := c.now(); now.Sub(lastFlush) >= c.cfg.Metrics.FlushInterval {
				lastFlush = now
				c.flush(ctx, false)
			}
		})
	})
	if c.client != nil {
		c.running.Go(func() { every(ctx, tickInterval, func() { c.save(ctx) }) })
	}
}

func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// settle sends the records of the issues that have settled.
func (c *core) settle(ctx context.Context, isLast bool) {
	for hasMore := true; hasMore; {
		var outputs []output.Output
		outputs, hasMore = c.tracker.settle(c.now(), isLast)
		if !c.send(ctx, outputs) {
			return
		}
	}
}

// send hands records to the logs pipeline, and reports whether it has taken them. A permanent error will not go away,
// so that the records count as sent.
func (c *core) send(ctx context.Context, outputs []output.Output) bool {
	if len(outputs) == 0 {
		return true
	}
	err := c.logs.ConsumeLogs(ctx, output.Build(outputs, c.now(), c.setScope))
	if err != nil {
		c.telemetry.recordRefused(ctx, outputLogs, err)
		if !consumererror.IsPermanent(err) {
			c.tracker.postponeOutputs(outputs, c.now())
			return false
		}
	}
	c.tracker.accept(outputs)
	return true
}

// flush sends the metrics, and the records of issues that are stuck.
func (c *core) flush(ctx context.Context, isLast bool) {
	metrics, outputs := c.tracker.flush(c.now(), isLast)
	c.telemetry.recordOverflows(ctx, c.tracker.takeOverflows())
	c.sendMetrics(ctx, metrics)
	c.send(ctx, outputs)
}

func (c *core) sendMetrics(ctx context.Context, metrics pmetric.Metrics) {
	if c.metrics == nil || metrics.DataPointCount() == 0 {
		c.tracker.commit()
		return
	}
	err := c.metrics.ConsumeMetrics(ctx, metrics)
	if err != nil {
		c.telemetry.recordRefused(ctx, outputMetrics, err)
		if !consumererror.IsPermanent(err) {
			return // the next flush contains the values too
		}
	}
	c.tracker.commit()
}

func (c *core) save(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := c.tracker.save(ctx, c.client); err != nil {
		c.telemetry.recordSaveError(ctx, err)
	}
}

func (c *core) shutdown(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.halves == 0 {
		return nil
	}
	c.halves--
	if c.isRunning {
		c.isRunning = false
		c.cancel()
		c.running.Wait()
		c.settle(ctx, true)
		c.flush(ctx, true)
	}
	if c.halves > 0 {
		return nil
	}
	c.onShutdown()
	c.telemetry.shutdown()
	if c.client == nil {
		return nil
	}
	c.save(context.WithoutCancel(ctx))
	return c.closeStorage(ctx)
}

func (c *core) closeStorage(ctx context.Context) error {
	err := c.client.Close(ctx)
	c.client = nil
	return err
}
