// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/poll"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// observer reports what the poller does, in metrics, log and status.
type observer struct {
	opts      *Options
	status    *status
	site      string // that was logged last
	isReady   bool   // whether a run was complete
	hasFailed bool   // whether the last run has failed
	// hasFailedIdentity means that webhooks and the REST API have different ids for the same change.
	hasFailedIdentity bool

	webhooks *registration.Watch
	clock    jiraapi.Clock
	isSilent bool // at the end of the last run
}

var _ poll.Observer = (*observer)(nil)

func newObserver(opts *Options, host component.Host, clock jiraapi.Clock) *observer {
	return &observer{
		opts: opts, status: &status{host: host}, clock: clock, webhooks: registration.NewWatch(clock.Now()),
	}
}

// errFirstRun is the status until the first run is complete.
var errFirstRun = errors.New("the first run of polling is not complete yet")

// resultOK is the result of a request or a run without an error.
const resultOK = "ok"

// The results of runs that do not fail because of Jira.
const (
	resultRefused = "refused"
	resultBusy    = "busy"
	resultStorage = "storage"
)

func (o *observer) registerLag(lastRun func() (time.Time, bool)) error {
	return o.opts.Metrics.RegisterReceiverJiraPollLagCallback(func(_ context.Context, m metric.Float64Observer) error {
		if last, found := lastRun(); found {
			m.Observe(o.clock.Now().Sub(last).Seconds(), o.opts.ByReceiver)
		}
		return nil
	})
}

// recordRequest counts a request. The kind is "" if it succeeded.
func (o *observer) recordRequest(operation jiraapi.Operation, kind jiraapi.Kind) {
	result := string(kind)
	if result == "" {
		result = resultOK
	}
	o.opts.Metrics.ReceiverJiraAPIRequests.Add(context.Background(), 1, o.opts.ByReceiver, metric.WithAttributes(
		attribute.String("operation", string(operation)), attribute.String("result", result),
	))
}

func (o *observer) recordPause(pause time.Duration) {
	o.opts.Metrics.ReceiverJiraAPIThrottledTime.Add(context.Background(), pause.Seconds(), o.opts.ByReceiver)
	o.opts.Warnings.Warn("Jira limits the rate of requests; the receiver pauses", zap.Duration("pause", pause))
}

// waiting sets the status until the first run is complete.
func (o *observer) waiting() { o.status.set(partPolling, errFirstRun) }

// connected logs a new connection to a site.
func (o *observer) connected(site string, info jiraapi.ServerInfo) {
	if site == o.site {
		return
	}
	o.site = site
	o.opts.Settings.Logger.Info("Polling Jira", zap.String("site", site),
		zap.String("deployment", string(info.Deployment)), zap.String("version", info.Version),
		zap.Duration("interval", o.opts.Poll.Interval))
}

// RunEnded implements [poll.Observer].
func (o *observer) RunEnded(took time.Duration, err error) {
	o.opts.Metrics.ReceiverJiraPollRunDuration.Record(context.Background(), took.Seconds(), o.opts.ByReceiver,
		metric.WithAttributes(attribute.String("result", resultOf(err))))
	if o.opts.Poll.Mode == ModeRepair {
		o.checkSilence()
	}
	if err != nil {
		o.fail("A run of polling failed; the next one goes on from where it ended", err)
		return
	}
	if o.hasFailed {
		o.hasFailed = false
		o.opts.Settings.Logger.Info("Polling works again")
	}
	if !o.isReady {
		o.isReady = true
		o.opts.Settings.Logger.Info("The first run of polling is complete", zap.Duration("took", took))
	}
	o.status.set(partPolling, nil)
}

// checkSilence reports that Jira changes and no webhook arrives, and the end of this silence.
func (o *observer) checkSilence() {
	finding, isSilent := o.webhooks.Finding(o.clock.Now())
	switch {
	case isSilent && !o.isSilent:
		o.opts.Settings.Logger.Warn(finding.Message(), zap.String("finding", string(finding.Kind)),
			zap.String("hint", finding.Hint()))
	case !isSilent && o.isSilent:
		o.opts.Settings.Logger.Info("Webhooks arrive again")
	default:
	}
	o.setSilence(context.Background(), finding, isSilent)
}

// setSilence sets the status and the metric.
func (o *observer) setSilence(ctx context.Context, finding registration.Finding, isSilent bool) {
	o.isSilent = isSilent
	count, err := int64(0), error(nil)
	if isSilent {
		count, err = 1, finding
	}
	o.status.set(partSilence, err)
	o.opts.Metrics.ReceiverJiraRegistrationFindings.Record(ctx, count, o.opts.ByReceiver,
		metric.WithAttributes(attribute.String("finding", string(registration.KindSilent))))
}

var errIdentity = errors.New("a change has another id in webhooks than in the REST API of Jira; " +
	"the receiver does not repair changes of issues, which it could record twice")

// identityFailed logs that the ids differ, and sets the status until the next start.
func (o *observer) identityFailed() {
	if o.hasFailedIdentity {
		return
	}
	o.hasFailedIdentity = true
	o.opts.Settings.Logger.Error("The repair of changes of issues has ended until the next start", zap.Error(errIdentity))
	o.status.set(partIdentity, errIdentity)
}

// recordIdentity counts the changes of webhooks that were found, and not found, in the REST API.
func (o *observer) recordIdentity(matched, unmatched int) {
	for result, count := range map[string]int{"matched": matched, "unmatched": unmatched} {
		if count > 0 {
			o.opts.Metrics.ReceiverJiraPollIdentityChecks.Add(context.Background(), int64(count), o.opts.ByReceiver,
				metric.WithAttributes(attribute.String("identity", result)))
		}
	}
}

// hints name the options to check after a failure of a kind.
var hints = map[jiraapi.Kind]string{
	jiraapi.KindUnauthorized: "check the token, and that api::auth names its extension",
	jiraapi.KindNotFound:     "check api::endpoint and its context path",
	jiraapi.KindNotJSON:      "check api::endpoint and its context path",
	jiraapi.KindRedirected:   "check api::endpoint and its context path",
	jiraapi.KindBadRequest:   "check poll::projects and poll::jql with jiracheck",
	jiraapi.KindThrottled:    "lower api::requests_per_second",
}

// fail logs an error and sets the status.
func (o *observer) fail(message string, err error) {
	o.hasFailed = true
	fields := []zap.Field{zap.Error(err)}
	if hint := hints[jiraapi.KindOf(err)]; hint != "" {
		fields = append(fields, zap.String("hint", hint))
	}
	o.opts.Warnings.Warn(message, fields...)
	if failure, ok := errors.AsType[*jiraapi.Error](err); ok && len(failure.Messages) > 0 {
		// They repeat parts of poll::jql, which may contain names.
		o.opts.Settings.Logger.Debug("Jira explains why it does not accept a request",
			zap.Strings("messages", failure.Messages))
	}
	if jiraapi.KindOf(err) != jiraapi.KindGone {
		o.status.set(partPolling, err)
	}
}

// panicked logs a panic and sets the status.
func (o *observer) panicked(err error) {
	o.opts.Settings.Logger.Error("A run of polling failed with a panic", zap.Error(err), zap.Stack("stack"))
	o.status.set(partPolling, err)
}

// ended sets the status after an error that no later request can mend.
func (o *observer) ended(err error) {
	o.opts.Settings.Logger.Error("Polling has ended until the next start", zap.Error(err))
	o.status.end(err)
}

func resultOf(err error) string {
	if err == nil {
		return resultOK
	}
	if kind := jiraapi.KindOf(err); kind != "" {
		return string(kind)
	}
	if _, isPipeline := errors.AsType[pipelineError](err); isPipeline {
		return resultRefused
	}
	if errors.Is(err, dedup.ErrInProgress) {
		return resultBusy
	}
	return resultStorage
}

// Progress implements [poll.Observer].
func (o *observer) Progress(p poll.Progress) {
	message := "A long run of polling is in progress"
	if p.IsBackfill {
		message = "The back-fill is in progress"
	}
	o.opts.Settings.Logger.Info(message, progressFields(p)...)
}

// BackfillEnded implements [poll.Observer].
func (o *observer) BackfillEnded(p poll.Progress, err error) {
	if err != nil {
		o.fail("The back-fill was interrupted; it goes on after the next run", err)
		return
	}
	o.opts.Settings.Logger.Info("The back-fill is complete", progressFields(p)...)
}

func progressFields(p poll.Progress) []zap.Field {
	return []zap.Field{
		zap.Int("issues", p.Issues),
		zap.Int("of_issues", p.TotalIssues),
		zap.Int("events", p.Events),
		zap.Time("issues_created_until", p.CreatedUntil),
		zap.Float64("issues_per_second", perSecond(p.Issues, p.Took)),
	}
}

// perSecond returns a rate with one decimal.
func perSecond(count int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(int(10*float64(count)/took.Seconds())) / 10
}

// Skipped implements [poll.Observer].
func (o *observer) Skipped(reason poll.SkipReason) {
	o.opts.Metrics.ReceiverJiraPollSkipped.Add(context.Background(), 1, o.opts.ByReceiver,
		metric.WithAttributes(attribute.String("skip_reason", string(reason))))
	o.opts.Warnings.Warn(skipMessages[reason])
}

var skipMessages = map[poll.SkipReason]string{
	poll.SkippedRefused: "The pipeline refuses an event for good; the event is lost",
	poll.SkippedMissing: "Jira lists an issue and does not return it; " +
		"the issue was deleted, archived or hidden from the account meanwhile",
	poll.SkippedIncomplete: "Jira does not return all changes, comments or worklogs of an issue",
	poll.SkippedForbidden:  "The account may not read the list of deleted worklogs; deletions of worklogs are not recorded",
}

// StorageFailed implements [poll.Observer].
func (o *observer) StorageFailed(err error) {
	o.opts.Warnings.Warn("Cannot read or write poll::storage; "+
		"after a crash, events may be recorded again or be lost", zap.Error(err))
}

// StartedAnew implements [poll.Observer].
func (o *observer) StartedAnew(reason error) {
	o.opts.Settings.Logger.Error("Cannot use the position in poll::storage: polling begins now; "+
		"changes since the last run are lost unless poll::start_from covers them", zap.Error(reason))
}
