// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/statuslog"
)

// outcome is what became of a delivery that was authentic and a JSON object.
type outcome string

const (
	accepted  outcome = "accepted"
	duplicate outcome = "duplicate"
	excluded  outcome = "excluded"
	refused   outcome = "refused" // by the pipeline
)

// otherEvents stands for the names of events that Jira does not document, of which there may be any number.
const otherEvents = "other"

// telemetry holds the metrics and the rate-limited log of the receiver. The attributes of what each delivery counts are made once.
type telemetry struct {
	metrics    *metadata.TelemetryBuilder
	byReceiver metric.MeasurementOption
	deliveries map[series][]metric.AddOption
	warnings   *zap.Logger // logs each message once a minute
	statuses   *statuslog.Log

	logger *zap.Logger
	now    func() time.Time
	mu     sync.Mutex
	logged map[string]time.Time // the last line about each reason of a rejection
}

// series is one of the time series that deliveries are counted in.
type series struct {
	event   string
	outcome outcome
}

func newTelemetry(settings receiver.Settings, now func() time.Time) (*telemetry, error) {
	metrics, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	id := attribute.String("receiver", settings.ID.String())
	t := &telemetry{
		metrics:    metrics,
		byReceiver: metric.WithAttributeSet(attribute.NewSet(id)),
		deliveries: map[series][]metric.AddOption{},
		warnings:   settings.Logger.WithOptions(zap.WrapCore(oncePerMinute)),
		statuses:   statuslog.New(settings.Logger, statuslog.Interval),
		logger:     settings.Logger,
		now:        now,
		logged:     map[string]time.Time{},
	}
	for _, event := range append(record.EventNames(), otherEvents) {
		for _, o := range []outcome{accepted, duplicate, excluded, refused} {
			set := attribute.NewSet(id, attribute.String("event", event), attribute.String("outcome", string(o)))
			t.deliveries[series{event, o}] = []metric.AddOption{metric.WithAttributeSet(set)}
		}
	}
	return t, nil
}

// registerGauges makes the held bytes and the remembered deliveries readable.
func (t *telemetry) registerGauges(h *handler) error {
	heldBytes := func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(h.bodies.Held(), t.byReceiver)
		return nil
	}
	if err := t.metrics.RegisterReceiverJiraInFlightBytesCallback(heldBytes); err != nil || h.cache == nil {
		return err
	}
	return t.metrics.RegisterReceiverJiraDeduplicationEntriesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(h.cache.Len()), t.byReceiver)
		return nil
	})
}

// shutdown logs what is pending and removes the gauges.
func (t *telemetry) shutdown() {
	t.statuses.Shutdown()
	t.metrics.Shutdown()
}

const logInterval = time.Minute

func oncePerMinute(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, logInterval, 1, 0)
}

// recordResult counts a delivery, as far as it got.
func (t *telemetry) recordResult(ctx context.Context, r result) {
	if r.authentic {
		t.metrics.ReceiverJiraBodySize.Record(ctx, int64(r.bodySize), t.byReceiver)
	}
	if r.outcome == "" {
		return
	}
	event := otherEvents
	if r.eventType.Known {
		event = r.eventType.Name
	}
	t.metrics.ReceiverJiraDeliveries.Add(ctx, 1, t.deliveries[series{event, r.outcome}]...)
	if r.conflict {
		t.metrics.ReceiverJiraDeduplicationConflicts.Add(ctx, 1, t.byReceiver)
		t.warnings.Warn("A delivery has the ID of an accepted delivery and another body: it was answered with 200 and not recorded")
	}
	if r.outcome == accepted {
		t.recordAccepted(ctx, r)
	}
}

func (t *telemetry) recordAccepted(ctx context.Context, r result) {
	if r.happened.Before(r.received) { // an event without a time has no lag
		t.metrics.ReceiverJiraDeliveryLag.Record(ctx, r.received.Sub(r.happened).Seconds(), t.byReceiver)
	}
	if r.remarks.Truncated > 0 {
		t.metrics.ReceiverJiraTruncatedRecords.Add(ctx, int64(r.remarks.Truncated), t.byReceiver)
	}
	t.recordUnmapped(ctx, "previous", r.remarks.Previous)
	t.recordUnmapped(ctx, "current", r.remarks.Current)
	// Jira does not send the category of a previous status, by which it may well be mapped while it is the current one.
	if current := r.remarks.Current; current != (jira.Status{}) {
		t.statuses.Add(current.Name, current.ID)
	}
}

func (t *telemetry) recordUnmapped(ctx context.Context, side string, status jira.Status) {
	if status != (jira.Status{}) {
		t.metrics.ReceiverJiraUnmappedStatuses.Add(ctx, 1, t.byReceiver, metric.WithAttributes(attribute.String("side", side)))
	}
}

// recordRejection counts a rejected request, and logs each reason once a minute.
func (t *telemetry) recordRejection(ctx context.Context, r *rejection) {
	t.metrics.ReceiverJiraRejectedDeliveries.Add(ctx, 1, t.byReceiver, metric.WithAttributes(attribute.String("reason", r.reason)))
	if t.isDue(r.reason) {
		t.logger.Warn("Rejected webhook request", zap.String("reason", r.reason), zap.String("hint", r.hint))
	}
}

func (t *telemetry) isDue(reason string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if last, logged := t.logged[reason]; logged && now.Sub(last) < logInterval {
		return false
	}
	t.logged[reason] = now
	return true
}

// recordEviction counts and, once a minute, logs a connection that was closed to make room for another.
func (t *telemetry) recordEviction() {
	t.metrics.ReceiverJiraEvictedConnections.Add(context.Background(), 1, t.byReceiver)
	t.warnings.Warn("Closed a connection without an authentic delivery: max_connections are open")
}

// recordStorageError counts and, once a minute, logs that deliveries could not be loaded or saved.
func (t *telemetry) recordStorageError(ctx context.Context, err error) {
	t.metrics.ReceiverJiraDeduplicationStorageErrors.Add(ctx, 1, t.byReceiver)
	t.warnings.Warn("Cannot use deduplication::file or deduplication::storage; deduplication works in memory only", zap.Error(err))
}

// recordDamage counts and logs the pages of a file that could not be used.
func (t *telemetry) recordDamage(ctx context.Context, file string, pages int) {
	t.metrics.ReceiverJiraDeduplicationStorageErrors.Add(ctx, int64(pages), t.byReceiver)
	t.warnings.Warn("The deduplication file is damaged: repetitions of the deliveries in the damaged pages are recorded twice",
		zap.String("file", file), zap.Int("damaged_pages", pages))
}
