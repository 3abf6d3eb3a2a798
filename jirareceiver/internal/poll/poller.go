// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// Options configure a [Poller].
type Options struct {
	// Connect returns a session after it has proved that the Jira can be read. The poller connects again after each error
	// of Jira, and after SessionAge.
	Connect func(context.Context) (*Session, error)
	Sink    Sink
	// Storage keeps the checkpoint. A client that stores nothing makes each start the first one.
	Storage storage.Client
	// Observer receives the results of runs.
	Observer Observer
	Clock    jiraapi.Clock

	Interval time.Duration // between the starts of two runs
	Overlap  time.Duration // how late the search index may show a change
	// Grace is how long a change is left to its webhook before it is handed on. A run reads until its start less grace.
	Grace    time.Duration
	Projects []string // keys; empty for all
	JQL      string   // further restriction, or ""
	// DeletedWorklogs reads the worklogs that were deleted, on the whole site. Jira does not return their issues.
	DeletedWorklogs bool
	// Source is the source of the events of all runs but the back-fill.
	Source jira.Source
	// OnIssue is called for each issue that a run reads, with the times between which its histories are known. It may be
	// nil.
	OnIssue func(issue jiraapi.Issue, from, until time.Time)
	// Since is the time since which the receiver knows the webhooks. With a grace, the first run of all reads no earlier
	// changes. Default: the time of New.
	Since time.Time
	// StartFrom is the time from which the back-fill reads, or zero for none.
	StartFrom time.Time
}

// Session is a connection to a Jira.
type Session struct {
	Site     string // address; a checkpoint of another site is not used
	Source   Source
	Backfill Source // the same Jira at a slower pace
	// IsDataCenter, Categories and FieldIDs are facts about the histories of the site: see [history.Input].
	IsDataCenter bool
	Categories   map[string]string
	FieldIDs     map[string][]string
}

// Source is the part of [jiraapi.Source] that a poller uses.
type Source interface {
	ServerInfo(ctx context.Context) (jiraapi.ServerInfo, error)
	Changed(ctx context.Context, query jiraapi.Query) iter.Seq2[jiraapi.Issue, error]
	WorklogsDeleted(ctx context.Context, since time.Time) iter.Seq2[jira.WorklogChange, error]
}

// Event is an event with its log.record.uid.
type Event struct {
	*jira.Event
	UID string
}

// Sink receives the events.
type Sink interface {
	// UID returns the log.record.uid of an event, or "" if the configuration excludes the event.
	UID(ev *jira.Event) string
	// Consume hands events on. An error that [consumererror.IsPermanent] reports is final for at least one of them.
	Consume(ctx context.Context, events []Event) error
}

// Observer receives the results of runs.
type Observer interface {
	// RunEnded is called after each attempt of a run. The error is nil if the run is complete.
	RunEnded(took time.Duration, err error)
	// BackfillEnded is called after each attempt of the back-fill. The error is nil if the back-fill is complete.
	BackfillEnded(p Progress, err error)
	// Progress is called during a long run, and during the back-fill.
	Progress(p Progress)
	// Skipped is called when an event, an issue or a list is left out.
	Skipped(reason SkipReason)
	// StorageFailed is called if the checkpoint cannot be read or written.
	StorageFailed(err error)
	// StartedAnew is called if there is a checkpoint that cannot be used. Changes since that checkpoint are lost.
	StartedAnew(reason error)
}

// SkipReason is a reason to leave out an event, an issue or a list. It is the value of an attribute of a metric.
type SkipReason string

// The reasons.
const (
	SkippedRefused    SkipReason = "refused"    // the pipeline refuses the event for good
	SkippedMissing    SkipReason = "missing"    // Jira lists the issue and does not return it
	SkippedIncomplete SkipReason = "incomplete" // Jira does not return all changes, comments or worklogs of the issue
	SkippedForbidden  SkipReason = "forbidden"  // the account may not read the list of deleted worklogs
)

// SessionAge is the time after which a poller connects again, to learn of new fields.
const SessionAge = time.Hour

// Poller reads one Jira. Its methods are not safe for concurrent use, but for [Poller.LastRun].
type Poller struct {
	opts    Options
	store   store
	session *Session
	expires time.Time // of the session

	isLoaded bool
	state    checkpoint
	known    *uidSet
	saved    time.Time
	cursor   atomic.Pointer[instant]

	due      time.Time // of the next run
	failures int       // runs in a row
}

// New returns a Poller. It reads nothing.
func New(opts Options) *Poller {
	if opts.Since.IsZero() {
		opts.Since = opts.Clock.Now()
	}
	return &Poller{opts: opts, store: store{opts.Storage}, known: newUIDSet(maxUIDs)}
}

// LastRun returns the time on the collector's clock at which the last complete run started, or false before the first.
func (p *Poller) LastRun() (time.Time, bool) {
	cursor := p.cursor.Load()
	if cursor == nil {
		return time.Time{}, false
	}
	return cursor.Collector.Add(p.opts.Grace), true
}

// Run polls until the context ends, or until Jira returns an error that no later request can mend, which it returns.
func (p *Poller) Run(ctx context.Context) error {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		defer cancel()
		p.save(ctx)
	}()
	for ctx.Err() == nil {
		err := p.poll(ctx)
		if err == nil {
			err = p.backfill(ctx)
		}
		if isFinal(err) {
			return err
		}
		_ = p.opts.Clock.Sleep(ctx, p.due.Sub(p.opts.Clock.Now())) // ends early only with the context
	}
	return nil
}

func isFinal(err error) bool { return jiraapi.KindOf(err) == jiraapi.KindGone }

// poll attempts a run, reports its outcome, and sets the time of the next one.
func (p *Poller) poll(ctx context.Context) error {
	started := p.opts.Clock.Now()
	err := p.complete(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := p.opts.Clock.Now()
	p.opts.Observer.RunEnded(now.Sub(started), err)
	if err == nil {
		p.failures = 0
		p.due = started.Add(p.opts.Interval)
		return nil
	}
	p.failures++
	p.due = now.Add(backoff(err, p.failures, p.opts.Interval))
	if failure, ok := errors.AsType[*jiraapi.Error](err); ok {
		p.session = nil
		if failure.RetryAt.After(p.due) {
			p.due = failure.RetryAt
		}
	}
	return err
}

// The times between the attempts of a run.
const (
	minRetry             = 10 * time.Second
	minUnauthorizedRetry = time.Minute // failed logins lock an account
	maxUnauthorizedRetry = 15 * time.Minute
)

// backoff returns the time until the next attempt after a number of failures in a row.
func backoff(err error, failures int, interval time.Duration) time.Duration {
	shortest, longest := minRetry, interval
	switch jiraapi.KindOf(err) {
	case jiraapi.KindUnauthorized, jiraapi.KindForbidden:
		shortest, longest = minUnauthorizedRetry, maxUnauthorizedRetry
	default:
	}
	const maxShift = 10
	return min(longest, shortest<<min(failures-1, maxShift))
}

// complete finishes the unfinished run, or begins and finishes the next one.
func (p *Poller) complete(ctx context.Context) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	if p.state.Run == nil {
		if err := p.begin(ctx); err != nil {
			return err
		}
	}
	r := p.state.Run
	if _, err := p.read(ctx, p.session.Source, r, nil); err != nil {
		p.save(ctx) // the next attempt goes on from the mark
		return err
	}
	cursor := r.Start.add(-p.opts.Grace)
	p.state.Cursor, p.state.Run = &cursor, nil
	p.cursor.Store(p.state.Cursor)
	p.state.Starts = startsSince(p.state.Starts, shownUntil(cursor, p.opts.Overlap))
	next := bound(cursor, p.state.Starts, p.opts.Overlap)
	p.known.prune(next.Add(-margin)) // the time of the next request for Jira's time may differ
	p.save(ctx)
	return nil
}

// connect makes sure that there is a session and that the checkpoint of its site is loaded.
func (p *Poller) connect(ctx context.Context) error {
	now := p.opts.Clock.Now()
	if p.session == nil || now.After(p.expires) {
		session, err := p.opts.Connect(ctx)
		if err != nil {
			return err
		}
		p.session, p.expires = session, now.Add(SessionAge)
	}
	if p.isLoaded && p.state.Site == p.session.Site {
		return nil
	}
	state, known, err := p.store.load(ctx, maxUIDs)
	switch {
	case errors.Is(err, errDamaged) || errors.Is(err, errForeign):
		p.opts.Observer.StartedAnew(err)
	case err != nil:
		p.storageFailed(ctx, err)
		return err
	case state.Site != "" && state.Site != p.session.Site:
		p.opts.Observer.StartedAnew(errOtherSite)
		state = checkpoint{}
		known.prune(endOfTime)
	}
	p.state, p.known, p.isLoaded = state, known, true
	p.state.Site = p.session.Site
	p.cursor.Store(p.state.Cursor)
	return nil
}

var errOtherSite = errors.New("the checkpoint is of another Jira")

// begin begins the next run. The first run begins at the cursor now.
func (p *Poller) begin(ctx context.Context) error {
	info, err := p.session.Source.ServerInfo(ctx)
	if err != nil {
		return err
	}
	start := instant{info.Time, p.opts.Clock.Now()} // not before: the request may have waited for its turn
	cursor := start.add(-p.opts.Grace)
	if p.state.Cursor != nil {
		cursor = *p.state.Cursor
	}
	p.state.Starts = append(p.state.Starts, start)
	p.state.Run = &run{Start: start, From: bound(cursor, p.state.Starts, p.opts.Overlap)}
	if p.opts.Grace > 0 {
		p.state.Run.Until = until(start, p.state.Starts, p.opts.Grace)
	}
	if p.state.Cursor == nil && p.opts.Grace > 0 && p.opts.StartFrom.IsZero() {
		p.state.Since = p.opts.Since // webhooks before the first start are not in the ledger of the receiver
	}
	if since := p.state.Since.Add(leastAhead(p.state.Starts)); !p.state.Since.IsZero() && p.state.Run.From.Before(since) {
		p.state.Run.From = since
	}
	if p.state.ReadFrom.IsZero() {
		p.state.ReadFrom = p.state.Run.From
	}
	p.save(ctx) // so that a crash during the first run does not move its bound
	return nil
}

// backfill reads the past from the configured start, if it has not been read. In between, it polls when a run is due.
func (p *Poller) backfill(ctx context.Context) error {
	r := p.state.Backfill
	from := p.opts.StartFrom
	switch {
	case from.IsZero() || !from.Before(p.state.ReadFrom):
		return nil
	case r == nil || !r.From.Equal(from):
		r = &run{From: from, To: p.state.ReadFrom}
		p.state.Backfill = r
	}
	site := p.state.Site
	progress, err := p.read(ctx, p.session.Backfill, r, p.pollIfDue)
	if p.state.Site != site { // a run in between has found another Jira at the endpoint, and its checkpoint
		return nil
	}
	if jiraapi.KindOf(err) != "" {
		p.session = nil
	}
	if err == nil {
		p.state.ReadFrom, p.state.Backfill = r.From, nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.save(ctx)
	p.opts.Observer.BackfillEnded(progress, err)
	return err
}

// pollIfDue attempts a run if it is due. It returns an error only if no later attempt can succeed.
func (p *Poller) pollIfDue(ctx context.Context) error {
	if p.opts.Clock.Now().Before(p.due) {
		return nil
	}
	if err := p.poll(ctx); isFinal(err) || ctx.Err() != nil {
		return err
	}
	return nil
}

// saveInterval is the shortest time between two saves during a run. After a crash, the events since the last save are
// handed on again.
const saveInterval = 250 * time.Millisecond

// saveTimeout is the time for the last save.
const saveTimeout = 10 * time.Second

// saveIfDue saves the checkpoint during a run.
func (p *Poller) saveIfDue(ctx context.Context) {
	if p.opts.Clock.Now().Sub(p.saved) >= saveInterval {
		p.save(ctx)
	}
}

// save saves the checkpoint. If that fails, the poller goes on, and the next save contains everything.
func (p *Poller) save(ctx context.Context) {
	if !p.isLoaded {
		return
	}
	p.saved = p.opts.Clock.Now()
	if err := p.store.save(ctx, p.state, p.known); err != nil {
		p.storageFailed(ctx, err)
	}
}

// storageFailed reports an error of the storage, unless the poller is stopping: then Run saves the checkpoint at its
// end.
func (p *Poller) storageFailed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		p.opts.Observer.StorageFailed(err)
	}
}
