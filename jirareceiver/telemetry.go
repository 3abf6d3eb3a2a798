package jirareceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// outcome is what became of a delivery that was authentic and understood.
type outcome string

const (
	accepted  outcome = "accepted"
	duplicate outcome = "duplicate"
	excluded  outcome = "excluded"
	refused   outcome = "refused" // by the pipeline
)

// otherEvents stands for the names of events that Jira does not document: there is no end of them.
const otherEvents = "other"

// meter counts what the receiver does. The attributes of what each delivery counts are made once.
type meter struct {
	telemetry  *metadata.TelemetryBuilder
	byReceiver metric.MeasurementOption
	deliveries map[series][]metric.AddOption
	warnings   *zap.Logger // logs each message once a minute
}

// series is one of the time series that deliveries are counted in.
type series struct {
	event   string
	outcome outcome
}

func newMeter(telemetry *metadata.TelemetryBuilder, settings receiver.Settings) *meter {
	id := attribute.String("receiver", settings.ID.String())
	m := &meter{
		telemetry:  telemetry,
		byReceiver: metric.WithAttributeSet(attribute.NewSet(id)),
		deliveries: map[series][]metric.AddOption{},
		warnings:   settings.Logger.WithOptions(zap.WrapCore(oncePerMinute)),
	}
	for _, event := range append(record.EventNames(), otherEvents) {
		for _, o := range []outcome{accepted, duplicate, excluded, refused} {
			set := attribute.NewSet(id, attribute.String("event", event), attribute.String("outcome", string(o)))
			m.deliveries[series{event, o}] = []metric.AddOption{metric.WithAttributeSet(set)}
		}
	}
	return m
}

// observe lets the metrics of what is held at the moment be read when they are asked for.
func (m *meter) observe(h *handler) error {
	heldBytes := func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(h.admission.heldBytes(), m.byReceiver)
		return nil
	}
	if err := m.telemetry.RegisterReceiverJiraInFlightBytesCallback(heldBytes); err != nil || h.memory == nil {
		return err
	}
	return m.telemetry.RegisterReceiverJiraDeduplicationEntriesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(h.memory.Len()), m.byReceiver)
		return nil
	})
}

func oncePerMinute(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
}

// delivered counts a delivery that was authentic and understood.
func (m *meter) delivered(ctx context.Context, k record.Kind, o outcome) {
	event := otherEvents
	if k.Known {
		event = k.Name
	}
	m.telemetry.ReceiverJiraDeliveries.Add(ctx, 1, m.deliveries[series{event, o}]...)
}

// rejected counts and, once in a while, logs what was not accepted.
func (m *meter) rejected(ctx context.Context, k *kind) {
	m.telemetry.ReceiverJiraRejectedDeliveries.Add(ctx, 1, m.byReceiver, metric.WithAttributes(attribute.String("reason", k.reason)))
	m.warnings.Warn("Refused what was posted: " + k.reason + ": " + k.advice)
}

// size measures a body.
func (m *meter) size(ctx context.Context, body []byte) {
	m.telemetry.ReceiverJiraBodySize.Record(ctx, int64(len(body)), m.byReceiver)
}

// lag measures how late an event is. Without a time of its own it is not.
func (m *meter) lag(ctx context.Context, happened, received time.Time) {
	if happened.Before(received) {
		m.telemetry.ReceiverJiraDeliveryLag.Record(ctx, received.Sub(happened).Seconds(), m.byReceiver)
	}
}

// unmapped counts a status that maps to nothing.
func (m *meter) unmapped(ctx context.Context, side string) {
	m.telemetry.ReceiverJiraUnmappedStatuses.Add(ctx, 1, m.byReceiver, metric.WithAttributes(attribute.String("side", side)))
}

// evicted counts and, once in a while, logs that a connection was closed to make room for another.
func (m *meter) evicted() {
	m.telemetry.ReceiverJiraEvictedConnections.Add(context.Background(), 1, m.byReceiver)
	m.warnings.Warn("Closed a connection without an authentic delivery: max_connections are open")
}

// truncated counts records that were cut at a limit.
func (m *meter) truncated(ctx context.Context, records int) {
	if records > 0 {
		m.telemetry.ReceiverJiraTruncatedRecords.Add(ctx, int64(records), m.byReceiver)
	}
}

// conflicting counts and, once in a while, logs that a delivery ID came with another body than before. No signature covers
// the ID.
func (m *meter) conflicting(ctx context.Context) {
	m.telemetry.ReceiverJiraDeduplicationConflicts.Add(ctx, 1, m.byReceiver)
	m.warnings.Warn("A delivery has the ID of an accepted delivery and another body: it was answered with 200 and not recorded")
}

// storageFailed counts and, once in a while, logs that the memory of deliveries could not be loaded or saved.
func (m *meter) storageFailed(ctx context.Context, err error) {
	m.telemetry.ReceiverJiraDeduplicationStorageErrors.Add(ctx, 1, m.byReceiver)
	m.warnings.Warn("Cannot use deduplication::file or deduplication::storage; deduplication works in memory only", zap.Error(err))
}

// storageDamaged counts and logs the pages of a file that could not be used.
func (m *meter) storageDamaged(ctx context.Context, file string, pages int) {
	m.telemetry.ReceiverJiraDeduplicationStorageErrors.Add(ctx, int64(pages), m.byReceiver)
	m.warnings.Warn("The deduplication file is damaged: repetitions of the deliveries in the damaged pages are recorded twice",
		zap.String("file", file), zap.Int("damaged_pages", pages))
}
