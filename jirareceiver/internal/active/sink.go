// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/ledger"
	"github.com/otel-jira/collector/jirareceiver/internal/pipeline"
	"github.com/otel-jira/collector/jirareceiver/internal/poll"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// sink hands events to the pipeline as records.
type sink struct {
	opts     *Options
	aborted  <-chan struct{} // closed when the call of the pipeline must end
	identity *identityCheck
	webhooks *registration.Watch
	records  *record.Builder
}

var _ poll.Sink = (*sink)(nil)

// setSite sets the site of the following events.
func (s *sink) setSite(url string) { s.records = s.opts.NewRecord(url) }

// UID implements [poll.Sink].
func (s *sink) UID(ev *jira.Event) string {
	classified := s.records.Classify(ev)
	if !s.opts.Events.Admits(classified.Type.Name) || s.mayDouble(classified) {
		return ""
	}
	return record.ChangeUID(classified)
}

// mayDouble reports whether a webhook may have delivered the event under another uid.
func (s *sink) mayDouble(ev record.ClassifiedEvent) bool {
	return ev.Source == jira.SourceRepair && record.RestsOnChangelog(ev) && s.identity.hasFailed()
}

// Consume implements [poll.Sink]. A call of the pipeline outlives the polling: the end of ctx does not cancel it.
func (s *sink) Consume(ctx context.Context, events []poll.Event) error {
	ctx, cancel := s.untilAborted(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	events, recording, err := s.begin(ctx, events)
	defer recording.release()
	if err != nil || len(events) == 0 {
		return err
	}
	ctx = s.opts.ObsReport.StartLogsOp(ctx)
	logs, built := s.build(events)
	count := logs.LogRecordCount()
	err = s.opts.Next.ConsumeLogs(ctx, logs)
	s.opts.ObsReport.EndLogsOp(ctx, s.opts.Format, count, err)
	if err != nil {
		return pipelineError{err}.classified()
	}
	recording.commit()
	for _, b := range built {
		if b.Source == jira.SourceRepair {
			s.webhooks.Missed(b.Timestamp)
		}
		s.recordEvent(ctx, b.ClassifiedEvent)
		s.opts.OnRecords(ctx, b.remarks)
	}
	return nil
}

// untilAborted returns a context that ends when the call of the pipeline must end, and not when ctx ends.
func (s *sink) untilAborted(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	select {
	case <-s.aborted:
		cancel()
		return ctx, cancel
	default:
	}
	go func() {
		select {
		case <-s.aborted:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// recording is the recording of several events.
type recording []ledger.Transaction

func (r recording) commit() {
	for _, tx := range r {
		tx.Commit()
	}
}

func (r recording) release() {
	for _, tx := range r {
		tx.Release()
	}
}

// begin begins the recording of the events that neither side has recorded, and returns these events. The caller must
// release the recording in any case.
func (s *sink) begin(ctx context.Context, events []poll.Event) ([]poll.Event, recording, error) {
	var missed []poll.Event
	var r recording
	for _, ev := range events {
		if ev.Source == jira.SourceBackfill && ev.Timestamp.Before(s.opts.Now().Add(-ledger.Window)) {
			missed = append(missed, ev) // no webhook of this time is in the ledger, which a back-fill would fill up
			continue
		}
		tx, err := s.opts.Ledger.Begin(ctx, ev.UID, ledger.REST)
		if err != nil {
			return nil, r, err
		}
		if !tx.Duplicate {
			missed, r = append(missed, ev), append(r, tx)
		}
	}
	return missed, r, nil
}

// builtEvent is an event whose records are built, with the remarks about them.
type builtEvent struct {
	record.ClassifiedEvent
	remarks record.Remarks
}

// build returns the records of all events.
func (s *sink) build(events []poll.Event) (plog.Logs, []builtEvent) {
	now := s.opts.Now()
	merged := plog.NewLogs()
	built := make([]builtEvent, 0, len(events))
	for _, ev := range events {
		classified := s.records.Classify(ev.Event)
		logs, remarks := s.records.Build(classified, record.Delivery{Received: now, ChangeUID: ev.UID})
		pipeline.Merge(merged, logs)
		built = append(built, builtEvent{classified, remarks})
	}
	return merged, built
}

func (s *sink) recordEvent(ctx context.Context, ev record.ClassifiedEvent) {
	s.opts.Metrics.ReceiverJiraPollEvents.Add(ctx, 1, s.opts.ByReceiver, metric.WithAttributes(
		attribute.String("event", ev.Type.Name),
		attribute.String("source", string(ev.Source)),
	))
}

// pipelineError is an error of the pipeline. Its text is not logged: the pipeline may put the content of records in it.
type pipelineError struct{ err error }

func (pipelineError) Error() string {
	return "the pipeline refuses the events of a run; check the exporters"
}

// classified returns an error that is permanent only if no later attempt can succeed. The error of the pipeline itself
// may contain a permanent error of one of several pipelines.
func (e pipelineError) classified() error {
	if pipeline.Classify(e.err) == pipeline.Permanent {
		return consumererror.NewPermanent(e)
	}
	return e
}
