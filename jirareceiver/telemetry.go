// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jirareceiver/internal/bodylimit"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
	"github.com/otel-jira/collector/jirareceiver/internal/statuslog"
)

// outcome is the result of an authentic delivery that the receiver accepted, recognised as recorded before or excluded, or
// that the pipeline refused.
type outcome string

const (
	outcomeAccepted  outcome = "accepted"
	outcomeDuplicate outcome = "duplicate"
	outcomeExcluded  outcome = "excluded"
	outcomeRefused   outcome = "refused"  // by the pipeline
	outcomeRepaired  outcome = "repaired" // polling has recorded the event before
)

// result holds the facts about a delivery that serve records. A field is the zero value if the receiver rejected the
// delivery before it knew the fact.
type result struct {
	authentic   bool
	payloadSize int // bytes
	eventType   record.EventType
	outcome     outcome // "" if the receiver rejected the delivery before the pipeline returned
	records     int
	happened    time.Time // time of the event
	received    time.Time // time of the delivery
	remarks     record.Remarks
	conflict    bool // the payload differs from the payload of the accepted delivery with the same ID
}

// otherEvents replaces event types that Jira does not document, because their number is not bounded.
const otherEvents = "other"

// telemetry holds the metrics and the rate-limited log of the receiver. It makes the attribute sets of deliveries once.
type telemetry struct {
	metrics    *metadata.TelemetryBuilder
	byReceiver metric.MeasurementOption
	deliveries map[series][]metric.AddOption
	warnings   *zap.Logger // logs each message once a minute
	statuses   *statuslog.Log
	// wrongSignatures is the number of requests with a wrong signature.
	wrongSignatures atomic.Uint64

	logger     *zap.Logger
	path       string // of deliveries, as configured
	now        func() time.Time
	mu         sync.Mutex
	logged     map[string]time.Time // time of the last line, by reason of a rejection
	unreadable map[string]bool      // custom fields that have been logged
}

// series is a time series of receiver_jira_deliveries.
type series struct {
	event   string
	outcome outcome
}

func newTelemetry(settings receiver.Settings, path string, now func() time.Time) (*telemetry, error) {
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
		path:       path,
		now:        now,
		logged:     map[string]time.Time{},
		unreadable: map[string]bool{},
	}
	for _, event := range append(record.EventNames(), otherEvents) {
		for _, o := range []outcome{outcomeAccepted, outcomeDuplicate, outcomeExcluded, outcomeRefused, outcomeRepaired} {
			set := attribute.NewSet(id, attribute.String("event", event), attribute.String("outcome", string(o)))
			t.deliveries[series{event, o}] = []metric.AddOption{metric.WithAttributeSet(set)}
		}
	}
	return t, nil
}

// registerGauges registers the gauges of the held bytes and of the cache.
func (t *telemetry) registerGauges(bodies *bodylimit.Limiter, cache *dedup.Cache) error {
	heldBytes := func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(bodies.Held(), t.byReceiver)
		return nil
	}
	if err := t.metrics.RegisterReceiverJiraInFlightBytesCallback(heldBytes); err != nil || cache == nil {
		return err
	}
	entries := func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(cache.Len()), t.byReceiver)
		return nil
	}
	return t.metrics.RegisterReceiverJiraDeduplicationEntriesCallback(entries)
}

// shutdown logs the pending statuses and removes the gauges.
func (t *telemetry) shutdown() {
	t.statuses.Shutdown()
	t.metrics.Shutdown()
}

const logInterval = time.Minute

func oncePerMinute(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, logInterval, 1, 0)
}

// recordResult records the metrics of a delivery, and logs a conflict.
func (t *telemetry) recordResult(ctx context.Context, r result) {
	if r.authentic {
		t.metrics.ReceiverJiraBodySize.Record(ctx, int64(r.payloadSize), t.byReceiver)
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
		t.warnings.Warn("A delivery has the ID of an accepted delivery and another payload; " +
			"the receiver responded with 200 and did not record it")
	}
	if r.outcome == outcomeAccepted {
		t.recordAccepted(ctx, r)
	}
}

func (t *telemetry) recordAccepted(ctx context.Context, r result) {
	if r.happened.Before(r.received) { // an event without a time has no lag
		t.metrics.ReceiverJiraDeliveryLag.Record(ctx, r.received.Sub(r.happened).Seconds(), t.byReceiver)
	}
	t.recordRemarks(ctx, r.remarks)
}

// recordRemarks counts and logs the remarks about the records of an accepted event.
func (t *telemetry) recordRemarks(ctx context.Context, remarks record.Remarks) {
	if remarks.Truncated > 0 {
		t.metrics.ReceiverJiraTruncatedRecords.Add(ctx, int64(remarks.Truncated), t.byReceiver)
	}
	t.recordUnreadable(ctx, remarks.Unreadable)
	t.recordUnmapped(ctx, "previous", remarks.Previous)
	t.recordUnmapped(ctx, "current", remarks.Current)
	// The log names only current statuses. A previous status may be unmapped only because Jira sends no category of it:
	// as a current status it is then mapped by its category.
	if current := remarks.Current; current != (jira.Status{}) {
		t.statuses.Add(current.Name, current.ID)
	}
}

func (t *telemetry) recordUnmapped(ctx context.Context, side string, status jira.Status) {
	if status != (jira.Status{}) {
		bySide := metric.WithAttributes(attribute.String("side", side))
		t.metrics.ReceiverJiraUnmappedStatuses.Add(ctx, 1, t.byReceiver, bySide)
	}
}

// recordUnreadable counts the custom fields with a value that the receiver does not understand, and logs each field
// once.
func (t *telemetry) recordUnreadable(ctx context.Context, fields []string) {
	for _, field := range fields {
		byField := metric.WithAttributes(attribute.String("custom_field", field))
		t.metrics.ReceiverJiraUnreadableCustomFields.Add(ctx, 1, t.byReceiver, byField)
		if t.isNewUnreadable(field) {
			t.logger.Warn("Cannot read the value of a custom field: records lack the value or a part of it",
				zap.String("custom_field", field))
		}
	}
}

func (t *telemetry) isNewUnreadable(field string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	isNew := !t.unreadable[field]
	t.unreadable[field] = true
	return isNew
}

// recordRejection counts a rejected request, and logs each reason once a minute.
func (t *telemetry) recordRejection(ctx context.Context, r *rejection) {
	if errors.Is(r.cause, signature.ErrMismatch) {
		t.wrongSignatures.Add(1)
	}
	byReason := metric.WithAttributes(attribute.String("reason", r.reason))
	t.metrics.ReceiverJiraRejectedDeliveries.Add(ctx, 1, t.byReceiver, byReason)
	if !t.isDue(r.reason) {
		return
	}
	expected := zap.Skip()
	if r.cause == errWrongPath { //nolint:errorlint // the cause of a row, not an error of a request
		expected = zap.String("configured_path", t.path) // never the path of the request
	}
	t.logger.Warn("Rejected webhook request", zap.String("reason", r.reason), zap.String("hint", r.hint), expected)
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

// recordEviction counts a connection that was closed to make room for another, and logs it once a minute.
func (t *telemetry) recordEviction() {
	t.metrics.ReceiverJiraEvictedConnections.Add(context.Background(), 1, t.byReceiver)
	t.warnings.Warn("Closed a connection without an authentic delivery, because max_connections was reached")
}

// recordStorageOpenError counts and logs an error of opening the file or the storage.
func (t *telemetry) recordStorageOpenError(ctx context.Context, err error) {
	t.metrics.ReceiverJiraDeduplicationStorageErrors.Add(ctx, 1, t.byReceiver)
	t.warnings.Warn("Cannot open deduplication::file, deduplication::storage or poll::storage; "+
		"until its next start, the receiver keeps in memory only what it has recorded", zap.Error(err))
}

// recordStorageError counts an error of loading or saving the cache, and logs it once a minute.
func (t *telemetry) recordStorageError(ctx context.Context, err error) {
	t.metrics.ReceiverJiraDeduplicationStorageErrors.Add(ctx, 1, t.byReceiver)
	t.warnings.Warn("Cannot read or write deduplication::file, deduplication::storage or poll::storage; "+
		"the receiver tries a failed save again", zap.Error(err))
}

// recordDamage counts and logs the damaged pages of a file.
func (t *telemetry) recordDamage(ctx context.Context, file string, pages int) {
	t.metrics.ReceiverJiraDeduplicationStorageErrors.Add(ctx, int64(pages), t.byReceiver)
	t.warnings.Warn("The deduplication file is damaged; duplicates of the deliveries in the damaged pages are "+
		"recorded again",
		zap.String("file", file), zap.Int("damaged_pages", pages))
}
