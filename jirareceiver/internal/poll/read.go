// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otel-jira/collector/jirareceiver/internal/history"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

const (
	// maxBatch is the number of events from which on they are handed on.
	maxBatch = 200
	// maxPending is the number of issues from which on the mark moves, also if they have no events.
	maxPending = 1000
	// progressInterval is the shortest time between two reports of the progress.
	progressInterval = 10 * time.Second
)

// The times between the attempts to hand events on to a pipeline that refuses them.
const (
	minRefusedRetry = time.Second
	maxRefusedRetry = 30 * time.Second
)

// Progress is the progress of a run or of the back-fill. After an interruption, the numbers start anew.
type Progress struct {
	IsBackfill   bool
	Issues       int       // that were read
	TotalIssues  int       // that are to be read
	Events       int       // that were handed on
	CreatedUntil time.Time // creation of the last issue: issues are read in this order
	Took         time.Duration
}

// reading is the state of reading the issues of a run.
type reading struct {
	*Poller
	session  *Session // at the start; a run in between may replace that of the poller
	run      *run
	progress Progress
	started  time.Time
	reported time.Time
	events   []Event       // that are not handed on yet
	again    []string      // uids of the events of issues that were handed on by an earlier attempt of a back-fill
	issues   []markedIssue // whose events are handed on or in events, and that are not yet behind the mark
}

// read hands on the events of all issues of a run, from its mark on. It calls between, if that is not nil, after each
// issue.
func (p *Poller) read(
	ctx context.Context, source Source, r *run, between func(context.Context) error,
) (Progress, error) {
	now := p.opts.Clock.Now()
	rd := &reading{
		Poller: p, session: p.session, run: r, started: now, reported: now,
		progress: Progress{IsBackfill: r.isBackfill()},
	}
	err := rd.readDeletedWorklogs(ctx, source)
	if err == nil {
		err = rd.readIssues(ctx, source, between)
	}
	if flushed := rd.flush(ctx); err == nil { // also after an error: these issues need not be read again
		err = flushed
	}
	return rd.current(), err
}

func (rd *reading) readIssues(ctx context.Context, source Source, between func(context.Context) error) error {
	resumed := rd.run.Mark
	for issue, err := range source.Changed(ctx, rd.query()) {
		if err != nil {
			return err
		}
		if of := (markedIssue{issue.Issue.ID, issue.Issue.Created}); !resumed.covers(of) {
			if err := rd.add(ctx, issue, of); err != nil {
				return err
			}
		}
		if between != nil {
			if err := between(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (rd *reading) query() jiraapi.Query {
	return jiraapi.Query{
		Since:        rd.run.From,
		HistorySince: rd.run.From,
		CreatedFrom:  rd.run.Mark.createdFrom(),
		Projects:     rd.opts.Projects,
		JQL:          rd.opts.JQL,
		OnTotal:      func(issues int) { rd.progress.TotalIssues = issues },
	}
}

// add adds the events of an issue, and hands on all events if there are many.
func (rd *reading) add(ctx context.Context, issue jiraapi.Issue, of markedIssue) error {
	rd.progress.Issues++
	switch {
	case issue.IsMissing:
		rd.opts.Observer.Skipped(SkippedMissing)
		return nil
	case issue.IsIncomplete:
		rd.opts.Observer.Skipped(SkippedIncomplete)
	}
	if rd.opts.OnIssue != nil && !rd.run.isBackfill() {
		rd.opts.OnIssue(issue, rd.run.From, rd.run.end())
	}
	for _, ev := range rd.eventsOf(issue) {
		rd.addEvent(ev)
	}
	rd.issues = append(rd.issues, of)
	if len(rd.events) < maxBatch && len(rd.issues) < maxPending {
		return nil
	}
	if err := rd.flush(ctx); err != nil {
		return err
	}
	rd.saveIfDue(ctx)
	rd.report()
	return nil
}

func (rd *reading) eventsOf(issue jiraapi.Issue) []*jira.Event {
	input := history.Input{
		Issue: issue.Issue, Histories: issue.Histories, Comments: issue.Comments, Worklogs: issue.Worklogs,
		IsDataCenter: rd.session.IsDataCenter, Categories: rd.session.Categories, FieldIDs: rd.session.FieldIDs,
	}
	return input.Events(rd.run.From, rd.run.end())
}

// addEvent adds an event unless it is excluded or was handed on before.
func (rd *reading) addEvent(ev *jira.Event) {
	ev.Source = rd.opts.Source
	if ev.Source == jira.SourceRepair && !history.HasWebhook(ev) {
		ev.Source = jira.SourcePoll
	}
	if rd.run.isBackfill() {
		ev.Source = jira.SourceBackfill
	}
	switch uid := rd.opts.Sink.UID(ev); {
	case uid == "" || rd.known.contains(uid):
	case rd.run.HandedOn[uid]:
		rd.again = append(rd.again, uid)
	default:
		rd.events = append(rd.events, Event{ev, uid})
	}
}

// readDeletedWorklogs hands on an event for each worklog that was deleted. Jira returns nothing but its id and the
// time.
func (rd *reading) readDeletedWorklogs(ctx context.Context, source Source) error {
	if !rd.opts.DeletedWorklogs || rd.run.HasDeleted {
		return nil
	}
	var all []jira.WorklogChange
	for deleted, err := range source.WorklogsDeleted(ctx, rd.run.From) {
		if kind := jiraapi.KindOf(err); kind == jiraapi.KindForbidden || kind == jiraapi.KindNotFound {
			rd.opts.Observer.Skipped(SkippedForbidden)
			break
		}
		if err != nil {
			return err
		}
		all = append(all, deleted)
	}
	for _, deleted := range all {
		if !deleted.Time.Before(rd.run.From) && deleted.Time.Before(rd.run.end()) {
			rd.addEvent(history.WorklogDeleted(deleted))
		}
	}
	err := rd.flush(ctx)
	rd.run.HasDeleted = err == nil
	return err
}

// flush hands on the events, and moves the mark behind their issues. After an error, the issues must be read again.
func (rd *reading) flush(ctx context.Context) error {
	events, again, issues := rd.events, rd.again, rd.issues
	rd.events, rd.again, rd.issues = nil, nil, nil
	for batch := range slices.Chunk(events, maxBatch) {
		if err := rd.handOn(ctx, batch); err != nil {
			return err
		}
	}
	for _, issue := range issues {
		rd.run.Mark.advance(issue)
	}
	for _, ev := range events {
		delete(rd.run.HandedOn, ev.UID)
	}
	for _, uid := range again {
		delete(rd.run.HandedOn, uid)
	}
	return nil
}

// handOn hands events on. It repeats a refused call for an interval, and then returns the error.
func (rd *reading) handOn(ctx context.Context, events []Event) error {
	first := rd.opts.Clock.Now()
	for wait := minRefusedRetry; ; wait = min(2*wait, maxRefusedRetry) {
		err := rd.opts.Sink.Consume(ctx, events)
		switch {
		case err == nil:
			rd.progress.Events += len(events)
			rd.remember(events)
			return nil
		case consumererror.IsPermanent(err):
			return rd.handOnHalves(ctx, events)
		case rd.opts.Clock.Now().Add(wait).Sub(first) > rd.opts.Interval:
			return err
		}
		if err := rd.opts.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// handOnHalves hands on events of which the pipeline refuses at least one for good. It skips an event that is refused
// alone.
func (rd *reading) handOnHalves(ctx context.Context, events []Event) error {
	if len(events) == 1 {
		rd.opts.Observer.Skipped(SkippedRefused)
		rd.remember(events)
		return nil
	}
	half := len(events) / 2
	if err := rd.handOn(ctx, events[:half]); err != nil {
		return err
	}
	return rd.handOn(ctx, events[half:])
}

// remember keeps events from being handed on again, even if their issues are read again after an error.
func (rd *reading) remember(events []Event) {
	for _, ev := range events {
		if !rd.run.isBackfill() { // runs do not overlap with the back-fill
			rd.known.add(ev.UID, ev.Timestamp)
			continue
		}
		if rd.run.HandedOn == nil {
			rd.run.HandedOn = map[string]bool{}
		}
		rd.run.HandedOn[ev.UID] = true
	}
}

// report reports the progress of a long run.
func (rd *reading) report() {
	if now := rd.opts.Clock.Now(); now.Sub(rd.reported) >= progressInterval {
		rd.reported = now
		rd.opts.Observer.Progress(rd.current())
	}
}

func (rd *reading) current() Progress {
	p := rd.progress
	p.CreatedUntil = rd.run.Mark.Created
	p.Took = rd.opts.Clock.Now().Sub(rd.started)
	return p
}
