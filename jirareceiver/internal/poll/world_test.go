// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// epoch is the time at which a world begins.
var epoch = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// world is a Jira, a pipeline, a storage and an observer, in virtual time. It is the Source, the Sink, the Observer and
// the Clock of its pollers.
type world struct {
	now      time.Time     // on the collector's clock
	ahead    time.Duration // of Jira's clock
	timeline []happening   // of the future, in order

	// before and after are called before and after the effect of each call, if they are not nil. If before returns an
	// error, the call has no effect and returns the error.
	before func(context.Context, call) error
	after  func(call)
	calls  map[call]int // that succeeded

	issues   []*issue // in the order of creation
	changes  []change // of all issues
	deleted  []change // of worklogs
	lastID   int
	lag      func() time.Duration // of the search index; nil for none
	pageSize int
	queries  []jiraapi.Query
	site     string

	excluded map[string]bool // uids of events that the configuration excludes
	refused  map[string]bool // uids of events that the pipeline refuses for good
	handedOn []Event
	stored   map[string][]byte

	runs          []ended
	backfills     []ended
	reports       []Progress
	skipped       map[SkipReason]int
	storageErrors int
	startedAnew   []error
	onEnd         func() // after each attempt of a run or a back-fill
}

// call is a kind of a call of a poller.
type call string

const (
	callConnect    call = "connect"
	callServerInfo call = "server info"
	callSearch     call = "search"
	callRead       call = "read"
	callWorklogs   call = "deleted worklogs"
	callConsume    call = "consume"
	callLoad       call = "load"
	callSave       call = "save"
)

// happening is something that happens at a time, on the collector's clock.
type happening struct {
	at time.Time
	do func()
}

// issue is an issue and its state in the search index.
type issue struct {
	jira.Issue
	histories    []jira.History
	comments     []jira.Comment
	states       []state
	isMissing    bool
	isIncomplete bool
}

// state is a time of update, and the time on the collector's clock at which the index shows it.
type state struct{ shown, updated time.Time }

// change is a change that has an event.
type change struct {
	uid  string
	at   time.Time // on the collector's clock
	time time.Time // on Jira's clock
}

// ended is the outcome of an attempt.
type ended struct {
	at       time.Time
	progress Progress
	err      error
}

func newWorld() *world {
	return &world{
		now: epoch, calls: map[call]int{}, pageSize: 2, site: "https://acme.atlassian.net",
		excluded: map[string]bool{}, refused: map[string]bool{}, stored: map[string][]byte{}, skipped: map[SkipReason]int{},
	}
}

// poller returns a poller of the world, with an interval of 5 minutes and an overlap of 10.
func (w *world) poller(change func(*Options)) *Poller {
	opts := Options{
		Source:  jira.SourcePoll,
		Connect: w.connect, Sink: w, Storage: disk{world: w}, Observer: w, Clock: w,
		Interval: 5 * time.Minute, Overlap: 10 * time.Minute,
	}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

// run runs a poller for a time, and then stops it.
func (w *world) run(p *Poller, d time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.schedule(w.now.Add(d), cancel)
	return p.Run(ctx)
}

// fail lets the next calls of a kind fail with the errors, one after another. A nil error lets a call succeed.
func (w *world) fail(c call, errs ...error) {
	w.before = func(_ context.Context, now call) error {
		if now != c || len(errs) == 0 {
			return nil
		}
		err := errs[0]
		errs = errs[1:]
		return err
	}
}

// wait lets time pass without a poller.
func (w *world) wait(d time.Duration) { w.pass(context.Background(), d) }

func (w *world) schedule(at time.Time, do func()) {
	w.timeline = append(w.timeline, happening{at, do})
	slices.SortStableFunc(w.timeline, func(a, b happening) int { return a.at.Compare(b.at) })
}

// pass lets time pass, or less if the context ends.
func (w *world) pass(ctx context.Context, d time.Duration) {
	until := w.now.Add(d)
	for len(w.timeline) > 0 && !w.timeline[0].at.After(until) {
		next := w.timeline[0]
		w.timeline = w.timeline[1:]
		if next.at.After(w.now) {
			w.now = next.at
		}
		next.do()
		if ctx.Err() != nil {
			return
		}
	}
	if until.After(w.now) {
		w.now = until
	}
}

// Now and Sleep implement jiraapi.Clock.
func (w *world) Now() time.Time { return w.now }

func (w *world) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() == nil {
		w.pass(ctx, d)
	}
	return ctx.Err()
}

func (w *world) jiraNow() time.Time { return w.now.Add(w.ahead) }

// The changes of the world. They return the uids of their events.

func (w *world) create(id string) string {
	i := &issue{Issue: jira.Issue{ID: id, Created: w.jiraNow()}}
	w.issues = append(w.issues, i)
	return w.changed(i, "created "+id)
}

func (w *world) update(id string) string {
	i := w.issue(id)
	history := jira.History{Changelog: jira.Changelog{ID: w.newID()}, Created: w.jiraNow()}
	i.histories = append(i.histories, history)
	return w.changed(i, "updated "+history.ID)
}

func (w *world) comment(id string) string {
	i := w.issue(id)
	comment := jira.Comment{Entity: jira.Entity{ID: w.newID()}, Revision: jira.Revision{Created: w.jiraNow()}}
	i.comments = append(i.comments, comment)
	return w.changed(i, "commented "+comment.ID)
}

// edit edits the last comment of an issue.
func (w *world) edit(id string) string {
	i := w.issue(id)
	i.comments = slices.Clone(i.comments) // events contain comments
	comment := &i.comments[len(i.comments)-1]
	comment.Updated = w.jiraNow()
	return w.changed(i, "edited "+comment.ID)
}

func (w *world) deleteWorklog() string {
	deleted := change{"deleted " + w.newID(), w.now, w.jiraNow()}
	w.deleted = append(w.deleted, deleted)
	w.changes = append(w.changes, deleted)
	return deleted.uid
}

func (w *world) changed(i *issue, uid string) string {
	i.Updated = w.jiraNow()
	shown := w.now
	if w.lag != nil {
		shown = shown.Add(w.lag())
	}
	i.states = append(i.states, state{shown, i.Updated})
	w.changes = append(w.changes, change{uid, w.now, i.Updated})
	return uid
}

func (w *world) newID() string {
	w.lastID++
	return strconv.Itoa(w.lastID)
}

func (w *world) issue(id string) *issue {
	return w.issues[slices.IndexFunc(w.issues, func(i *issue) bool { return i.ID == id })]
}

// call performs the effect of a call.
func (w *world) call(ctx context.Context, c call, effect func()) error {
	if w.before != nil {
		if err := w.before(ctx, c); err != nil {
			return err
		}
	}
	effect()
	w.calls[c]++
	if w.after != nil {
		w.after(c)
	}
	return nil
}

func (w *world) connect(ctx context.Context) (*Session, error) {
	return &Session{Site: w.site, Source: w, Backfill: w}, w.call(ctx, callConnect, func() {})
}

// ServerInfo implements Source.
func (w *world) ServerInfo(ctx context.Context) (info jiraapi.ServerInfo, err error) {
	err = w.call(ctx, callServerInfo, func() { info.Time = w.jiraNow() })
	return info, err
}

// Changed implements Source as Jira Cloud does: the index decides which issues are returned, and contents are current.
func (w *world) Changed(ctx context.Context, query jiraapi.Query) iter.Seq2[jiraapi.Issue, error] {
	return func(yield func(jiraapi.Issue, error) bool) {
		w.queries = append(w.queries, query)
		var found []*issue
		if err := w.call(ctx, callSearch, func() { found = w.search(query) }); err != nil {
			yield(jiraapi.Issue{}, err)
			return
		}
		query.OnTotal(len(found))
		for page := range slices.Chunk(found, w.pageSize) {
			var contents []jiraapi.Issue
			err := w.call(ctx, callRead, func() {
				for _, i := range page {
					contents = append(contents, i.read(query.HistorySince))
				}
			})
			if err != nil {
				yield(jiraapi.Issue{}, err)
				return
			}
			for _, content := range contents {
				if !yield(content, nil) {
					return
				}
			}
		}
	}
}

// search returns the issues that the index shows, in the order of creation. The index stores seconds: issues of the
// same second have the reverse order.
func (w *world) search(query jiraapi.Query) []*issue {
	var found []*issue
	for _, i := range w.issues {
		updated := i.indexed(w.now)
		if !updated.IsZero() && !updated.Before(query.Since) && !i.Created.Before(query.CreatedFrom) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *issue) int {
		return cmp.Or(cmp.Compare(a.Created.Unix(), b.Created.Unix()), strings.Compare(b.ID, a.ID))
	})
	return found
}

// indexed returns the time of update that the index shows, or zero if it does not show the issue.
func (i *issue) indexed(now time.Time) time.Time {
	for _, s := range slices.Backward(i.states) {
		if !s.shown.After(now) {
			return s.updated
		}
	}
	return time.Time{}
}

func (i *issue) read(historySince time.Time) jiraapi.Issue {
	if i.isMissing {
		return jiraapi.Issue{Snapshot: jira.Snapshot{Issue: &jira.Issue{ID: i.ID}}, IsMissing: true}
	}
	now := i.Issue
	first := slices.IndexFunc(i.histories, func(h jira.History) bool { return !h.Created.Before(historySince) })
	return jiraapi.Issue{
		Snapshot: jira.Snapshot{
			Issue: &now, Histories: i.histories[max(0, first):], // a source may leave out the histories before
			Comments: i.comments,
		},
		IsIncomplete: i.isIncomplete,
	}
}

// WorklogsDeleted implements Source. Jira leaves out the last minute, and may return more than it is asked for.
func (w *world) WorklogsDeleted(ctx context.Context, since time.Time) iter.Seq2[jira.WorklogChange, error] {
	return func(yield func(jira.WorklogChange, error) bool) {
		for page := range slices.Chunk(append([]change{{}}, w.deleted...), w.pageSize) { // at least one page
			if err := w.call(ctx, callWorklogs, func() {}); err != nil {
				yield(jira.WorklogChange{}, err)
				return
			}
			for _, c := range page {
				deleted := jira.WorklogChange{ID: strings.TrimPrefix(c.uid, "deleted "), Time: c.time}
				isShown := !c.time.Before(since.Add(-time.Second)) && c.at.Before(w.now.Add(-time.Minute))
				if isShown && !yield(deleted, nil) {
					return
				}
			}
		}
	}
}

// UID implements Sink.
func (w *world) UID(ev *jira.Event) string {
	uid := ""
	switch {
	case ev.Changelog.ID != "":
		uid = "updated " + ev.Changelog.ID
	case ev.Worklog != nil:
		uid = "deleted " + ev.Worklog.ID
	case ev.Comment == nil:
		uid = "created " + ev.Issue.ID
	case ev.Name == "comment_updated":
		uid = "edited " + ev.Comment.ID
	default:
		uid = "commented " + ev.Comment.ID
	}
	if w.excluded[uid] {
		return ""
	}
	return uid
}

// Consume implements Sink.
func (w *world) Consume(ctx context.Context, events []Event) (err error) {
	failed := w.call(ctx, callConsume, func() {
		if slices.ContainsFunc(events, func(ev Event) bool { return w.refused[ev.UID] }) {
			err = consumererror.NewPermanent(errors.New("refused for good"))
		} else {
			w.handedOn = append(w.handedOn, events...)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// uids returns the uids that were handed on, in order.
func (w *world) uids() []string {
	uids := []string{}
	for _, ev := range w.handedOn {
		uids = append(uids, ev.UID)
	}
	return uids
}

// disk is the storage of a world, without the methods that a poller does not use.
type disk struct {
	storage.Client
	world *world
}

func (d disk) Get(ctx context.Context, key string) (content []byte, err error) {
	err = d.world.call(ctx, callLoad, func() { content = d.world.stored[key] })
	return content, err
}

func (d disk) Batch(ctx context.Context, operations ...*storage.Operation) error {
	return d.world.call(ctx, callSave, func() {
		for _, operation := range operations {
			if operation.Type == storage.Delete {
				delete(d.world.stored, operation.Key)
			} else {
				d.world.stored[operation.Key] = operation.Value
			}
		}
	})
}

// The methods of Observer.

func (w *world) RunEnded(_ time.Duration, err error) {
	w.runs = append(w.runs, ended{at: w.now, err: err})
	w.end()
}

func (w *world) BackfillEnded(p Progress, err error) {
	w.backfills = append(w.backfills, ended{w.now, p, err})
	w.end()
}

func (w *world) end() {
	if w.onEnd != nil {
		w.onEnd()
	}
}

func (w *world) Progress(p Progress)       { w.reports = append(w.reports, p) }
func (w *world) Skipped(reason SkipReason) { w.skipped[reason]++ }
func (w *world) StorageFailed(error)       { w.storageErrors++ }
func (w *world) StartedAnew(reason error)  { w.startedAnew = append(w.startedAnew, reason) }
