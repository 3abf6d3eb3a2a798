// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// errAPI returns an error of Jira.
func errAPI(kind jiraapi.Kind) error { return &jiraapi.Error{Kind: kind} }

// repeat returns an error a number of times.
func repeat(err error, times int) []error { return slices.Repeat([]error{err}, times) }

// times returns the times since epoch of the calls of a kind. The calls take no time unless the test has set before.
func (w *world) times(c call) *[]time.Duration {
	times := &[]time.Duration{}
	before := w.before
	w.before = func(ctx context.Context, now call) error {
		if now == c {
			*times = append(*times, w.now.Sub(epoch))
		}
		if before == nil {
			return nil
		}
		return before(ctx, now)
	}
	return times
}

func TestFirstRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.ahead = time.Hour
	w.create("1")
	w.wait(time.Minute)
	updated := w.update("1")
	w.wait(11 * time.Minute)
	p := w.poller(func(o *Options) { o.Projects, o.JQL = []string{"ABC"}, "type = Bug" })
	_, hasCursor := p.LastRun()
	assert.False(t, hasCursor)
	started := w.now
	require.NoError(t, w.run(p, time.Second))
	require.Len(t, w.queries, 1, "at once")
	query := w.queries[0]
	query.OnTotal = nil
	since := w.now.Add(time.Hour - time.Second - 11*time.Minute) // on Jira's clock
	assert.Equal(t, jiraapi.Query{Since: since, HistorySince: since, Projects: []string{"ABC"}, JQL: "type = Bug"}, query)
	cursor, hasCursor := p.LastRun()
	assert.True(t, hasCursor)
	assert.Equal(t, started, cursor)
	assert.Equal(t, []string{updated}, w.uids(), "the bound is inclusive, and the event before is left out")
	assert.Equal(t, jira.SourcePoll, w.handedOn[0].Source)
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes time.Duration
		want  []time.Duration
	}{
		"from start to start": {2 * time.Minute, []time.Duration{0, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}},
		"no overlap":          {7 * time.Minute, []time.Duration{0, 7 * time.Minute, 14 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.before = func(ctx context.Context, c call) error {
				if c == callSearch {
					w.pass(ctx, tt.takes)
				}
				return nil
			}
			starts := w.times(callServerInfo)
			require.NoError(t, w.run(w.poller(nil), 20*time.Minute))
			assert.Equal(t, tt.want, *starts)
			for i, run := range w.runs {
				require.NoError(t, run.err)
				assert.Equal(t, epoch.Add(tt.want[i]+tt.takes), run.at)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	others := []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 5 * m, 5 * m}
	credentials := []time.Duration{m, 2 * m, 4 * m, 8 * m, 15 * m, 15 * m}
	for name, tt := range map[string]struct {
		call call
		err  error
		want []time.Duration // between the attempts
	}{
		"temporary":    {callSearch, errAPI(jiraapi.KindTemporary), others},
		"connect":      {callConnect, errAPI(jiraapi.KindUnexpected), others},
		"time of Jira": {callServerInfo, errAPI(jiraapi.KindNotFound), others},
		"storage":      {callLoad, errors.New("locked"), others},
		"unauthorized": {callConnect, errAPI(jiraapi.KindUnauthorized), credentials},
		"forbidden":    {callRead, errAPI(jiraapi.KindForbidden), credentials},
		"end of a pause": {
			callSearch, &jiraapi.Error{Kind: jiraapi.KindThrottled, RetryAt: epoch.Add(32 * m)},
			[]time.Duration{32 * m, 20 * s, 40 * s},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			w.fail(tt.call, repeat(tt.err, len(tt.want))...)
			attempts := w.times(tt.call)
			var wait time.Duration
			for _, d := range tt.want {
				wait += d
			}
			require.NoError(t, w.run(w.poller(nil), wait+6*m))
			var got []time.Duration
			for i := range tt.want {
				got = append(got, (*attempts)[i+1]-(*attempts)[i])
				assert.Equal(t, tt.err, w.runs[i].err)
			}
			assert.Equal(t, tt.want, got)
			require.Greater(t, len(w.runs), len(tt.want)+1)
			assert.NoError(t, w.runs[len(tt.want)].err)
			assert.Equal(t, 5*m, w.runs[len(tt.want)+1].at.Sub(w.runs[len(tt.want)].at), "after a success")
		})
	}
}

func TestBackoffAfterSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld()
	temporary := errAPI(jiraapi.KindTemporary)
	w.fail(callSearch, temporary, temporary, nil, temporary)
	attempts := w.times(callSearch)
	require.NoError(t, w.run(w.poller(nil), 6*time.Minute))
	const s = time.Second
	assert.Equal(t, []time.Duration{0, 10 * s, 30 * s, 330 * s, 340 * s}, *attempts)
}

func TestGone(t *testing.T) {
	t.Parallel()
	gone := errAPI(jiraapi.KindGone)
	for _, c := range []call{callConnect, callServerInfo, callSearch} {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.fail(c, gone)
			require.ErrorIs(t, w.run(w.poller(nil), time.Hour), gone)
			assert.Equal(t, epoch, w.now)
			assert.Equal(t, []ended{{at: epoch, err: gone}}, w.runs)
		})
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	temporary, full, locked := errAPI(jiraapi.KindTemporary), errors.New("full"), errors.New("locked")
	for name, tt := range map[string]struct {
		call  call
		errs  []error
		after time.Duration
		want  int
	}{
		"not after a run":             {"", nil, 61 * time.Minute, 1},
		"after the age of a session":  {"", nil, 66 * time.Minute, 2},
		"after an error of Jira":      {callRead, []error{temporary}, time.Minute, 2},
		"not after a refusal":         {callConsume, repeat(full, 20), 6 * time.Minute, 1},
		"not after a storage failure": {callLoad, []error{locked}, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			w.fail(tt.call, tt.errs...)
			require.NoError(t, w.run(w.poller(nil), tt.after))
			assert.Equal(t, tt.want, w.calls[callConnect])
			assert.Equal(t, []string{"created 1"}, w.uids())
		})
	}
}

// TestNoEventTwice checks that the runs of an hour hand on each event once, although their times overlap.
func TestNoEventTwice(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := []string{w.create("1")}
	for at := range time.Duration(20) {
		w.schedule(epoch.Add(at*3*time.Minute+time.Second), func() {
			want = append(want, w.update("1"), w.comment("1"))
			w.wait(time.Millisecond)
			want = append(want, w.edit("1"))
		})
	}
	require.NoError(t, w.run(w.poller(nil), 70*time.Minute))
	assert.Len(t, w.runs, 14)
	assert.Equal(t, want, w.uids())
}

// TestResume checks that a run goes on behind the last issue whose events were handed on, after an error and after a
// stop. The issues of one second have no certain order in the search index.
func TestResume(t *testing.T) {
	t.Parallel()
	temporary := errAPI(jiraapi.KindTemporary)
	for name, isStopped := range map[string]bool{"failure": false, "stop": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			var want []string
			for id := range 10 {
				want = append(want, w.create(strconv.Itoa(id)))
				w.wait(200 * time.Millisecond)
			}
			w.fail(callRead, nil, nil, nil, temporary)
			p := w.poller(nil)
			if isStopped {
				require.NoError(t, w.run(p, time.Second))
				p = w.poller(nil)
			}
			require.NoError(t, w.run(p, 10*time.Minute))

			assert.ElementsMatch(t, want, w.uids())
			require.Greater(t, len(w.queries), 1)
			assert.Zero(t, w.queries[0].CreatedFrom)
			assert.Equal(t, w.queries[0].Since, w.queries[1].Since)
			last := w.issue("9").Created // the index returns 4, 3, 2, 1, 0, 9
			assert.Equal(t, last.Add(-margin), w.queries[1].CreatedFrom)
			assert.Zero(t, w.queries[2].CreatedFrom, "the next run")
		})
	}
}

// TestRefusal checks that a run waits for a pipeline that refuses events, and fails after an interval.
func TestRefusal(t *testing.T) {
	t.Parallel()
	full := errors.New("the queue is full")
	w := newWorld()
	w.create("1")
	w.fail(callConsume, repeat(full, 15)...)
	attempts := w.times(callConsume)
	p := w.poller(nil)
	var cursors []bool
	w.onEnd = func() {
		_, hasCursor := p.LastRun()
		cursors = append(cursors, hasCursor)
	}
	require.NoError(t, w.run(p, 5*time.Minute))
	require.Len(t, w.runs, 2)
	assert.Equal(t, full, w.runs[0].err)
	assert.Equal(t, []bool{false, true}, cursors)
	var waits []int
	for i := range len(*attempts) - 1 {
		waits = append(waits, int(((*attempts)[i+1] - (*attempts)[i]).Seconds()))
	}
	assert.Equal(t, []int{1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30, 30, 10, 1}, waits)
	assert.Equal(t, []string{"created 1"}, w.uids())
	cursor, _ := p.LastRun()
	assert.Equal(t, epoch, cursor, "the start of the first attempt")
}

// TestRefusalForGood checks that only the refused event is left out, and that no other event is handed on twice.
func TestRefusalForGood(t *testing.T) {
	t.Parallel()
	full := errors.New("the queue is full")
	for name, errs := range map[string][]error{
		"at once":                            nil,
		"with a temporary refusal of a half": append([]error{nil, nil}, repeat(full, 20)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			want := []string{w.create("1")}
			for range 6 {
				want = append(want, w.update("1"))
			}
			w.refused["updated 3"] = true
			w.fail(callConsume, errs...)
			require.NoError(t, w.run(w.poller(nil), 20*time.Minute))
			require.NoError(t, w.run(w.poller(nil), 10*time.Minute))
			assert.Equal(t, slices.Delete(want, 3, 4), w.uids())
			assert.Equal(t, map[SkipReason]int{SkippedRefused: 1}, w.skipped)
		})
	}
}

func TestSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.create("1")
	w.excluded[w.update("1")] = true
	w.create("2")
	w.issue("2").isMissing = true
	w.create("3")
	w.issue("3").isIncomplete = true
	require.NoError(t, w.run(w.poller(nil), time.Minute))
	assert.ElementsMatch(t, []string{"created 1", "created 3"}, w.uids())
	assert.Equal(t, map[SkipReason]int{SkippedMissing: 1, SkippedIncomplete: 1}, w.skipped)
	assert.NoError(t, w.runs[0].err)
}

func TestDeletedWorklogs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.deleteWorklog()
	w.wait(time.Second)
	want := []string{w.deleteWorklog(), w.deleteWorklog(), w.deleteWorklog()}
	w.wait(11 * time.Minute)
	w.schedule(w.now.Add(time.Second), func() { want = append(want, w.deleteWorklog()) })
	require.NoError(t, w.run(w.poller(func(o *Options) { o.DeletedWorklogs = true }), time.Hour))
	assert.Equal(t, want, w.uids())
	require.NoError(t, w.run(w.poller(nil), time.Hour))
	assert.Len(t, w.runs, 24)
	assert.Equal(t, 3*12, w.calls[callWorklogs], "three pages each")
}

func TestErrorOfDeletedWorklogs(t *testing.T) {
	t.Parallel()
	for kind, isSkipped := range map[jiraapi.Kind]bool{
		jiraapi.KindForbidden: true, jiraapi.KindNotFound: true, jiraapi.KindTemporary: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			deleted := w.deleteWorklog()
			w.wait(2 * time.Minute)
			w.create("1")
			w.fail(callWorklogs, errAPI(kind))
			require.NoError(t, w.run(w.poller(func(o *Options) { o.DeletedWorklogs = true }), time.Second))
			if isSkipped {
				assert.Equal(t, map[SkipReason]int{SkippedForbidden: 1}, w.skipped)
				assert.Equal(t, []string{"created 1"}, w.uids())
				assert.NoError(t, w.runs[0].err)
				return
			}
			assert.Equal(t, errAPI(kind), w.runs[0].err)
			assert.Empty(t, w.uids())
			require.NoError(t, w.run(w.poller(func(o *Options) { o.DeletedWorklogs = true }), time.Minute))
			assert.Equal(t, []string{deleted, "created 1"}, w.uids())
		})
	}
}

// TestBatches checks that many events are handed on in several parts, that the mark is stored in between, and that a
// long run reports its progress.
func TestBatches(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for id := range 10 {
		w.create(strconv.Itoa(id))
		for range 99 {
			w.update(strconv.Itoa(id))
		}
		w.wait(3 * time.Second)
	}
	reads, isDead := 0, false
	w.before = func(ctx context.Context, c call) error {
		if isDead {
			return errCrash
		}
		if c == callRead {
			w.pass(ctx, 6*time.Second)
			reads++
		}
		if reads == 4 {
			isDead = true
			panic(errCrash)
		}
		return nil
	}
	assert.PanicsWithValue(t, errCrash, func() { _ = w.run(w.poller(nil), time.Minute) })
	assert.Len(t, w.handedOn, 600)
	isDead, reads = false, 5
	require.NoError(t, w.run(w.poller(nil), time.Minute))
	assert.Len(t, w.handedOn, 1000, "the events before the crash are not handed on again")
	assert.Equal(t, 5, w.calls[callConsume])
	assert.Equal(t, []Progress{
		{Issues: 4, TotalIssues: 10, Events: 400, CreatedUntil: epoch.Add(9 * time.Second), Took: 12 * time.Second},
		{Issues: 2, TotalIssues: 10, Events: 200, CreatedUntil: epoch.Add(21 * time.Second), Took: 24 * time.Second},
	}, w.reports)
}

// TestManyIssuesWithoutEvents checks that the mark moves although there is nothing to hand on.
func TestManyIssuesWithoutEvents(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.pageSize = 100
	for id := range maxPending + 100 {
		w.excluded[w.create(strconv.Itoa(id))] = true
		w.wait(time.Second)
	}
	p := w.poller(func(o *Options) { o.Overlap = time.Hour })
	w.after = func(c call) {
		if c == callRead && w.calls[callRead] == 11 {
			assert.Equal(t, w.issue(strconv.Itoa(maxPending-1)).Created, p.state.Run.Mark.Created)
		}
	}
	require.NoError(t, w.run(p, time.Second))
	assert.Equal(t, 11, w.calls[callRead])
}

// TestJumpForward checks that a change is found although Jira's clock jumps forward between the change and the time at
// which the search index shows it, and that the bound catches up later.
func TestJumpForward(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.lag = func() time.Duration { return 11 * time.Minute }
	var want []string
	w.schedule(epoch.Add(time.Minute), func() { want = append(want, w.create("1")) })
	w.schedule(epoch.Add(2*time.Minute), func() { w.ahead = time.Hour })
	require.NoError(t, w.run(w.poller(nil), 31*time.Minute))
	assert.Equal(t, want, w.uids())
	var bounds []time.Duration
	for _, query := range w.queries {
		bounds = append(bounds, query.Since.Sub(epoch))
	}
	assert.Equal(t, []time.Duration{
		-11 * time.Minute, -11 * time.Minute, -6 * time.Minute, -time.Minute, 4 * time.Minute, 69 * time.Minute,
		74 * time.Minute,
	}, bounds)
}

func TestJumpBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.ahead = time.Hour
	var want []string
	w.schedule(epoch.Add(time.Minute), func() { want = append(want, w.create("1")) })
	w.schedule(epoch.Add(2*time.Minute), func() { w.ahead = 0 })
	w.schedule(epoch.Add(3*time.Minute), func() { want = append(want, w.update("1")) })
	require.NoError(t, w.run(w.poller(nil), 31*time.Minute))
	assert.ElementsMatch(t, want, w.uids())
	assert.Equal(t, epoch.Add(49*time.Minute), w.queries[0].Since)
	assert.Equal(t, epoch.Add(-11*time.Minute), w.queries[1].Since)
	assert.Equal(t, epoch.Add(-6*time.Minute), w.queries[2].Since)
}

// TestDurationsOfRequests checks that no event is handed on twice because a request for Jira's time takes longer or
// shorter than the ones before. There are events at all times.
func TestDurationsOfRequests(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		isAnswer     bool // the answer takes the time, or else the request before Jira reads its clock
		first, later time.Duration
	}{
		"wait for a turn": {false, 9 * time.Minute, 0},
		"slow answer":     {true, 0, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			for at := range time.Duration(60) {
				w.schedule(epoch.Add(at*time.Minute+59*time.Second), func() { w.update("1") })
			}
			w.wait(15 * time.Minute)
			take := func(c call, isAnswer bool) {
				if c == callServerInfo && isAnswer == tt.isAnswer {
					w.wait(tt.first)
					if len(w.runs) == 2 {
						tt.first = tt.later
					}
				}
			}
			w.before = func(_ context.Context, c call) error {
				take(c, false)
				return nil
			}
			w.after = func(c call) { take(c, true) }
			require.NoError(t, w.run(w.poller(nil), 2*time.Hour))
			var want []string
			for _, c := range w.changes {
				if !c.time.Before(w.queries[0].Since) {
					want = append(want, c.uid)
				}
			}
			assert.Equal(t, want, w.uids())
		})
	}
}

// sources returns the uids that were handed on with a source.
func (w *world) sources(source jira.Source) []string {
	uids := []string{}
	for _, ev := range w.handedOn {
		if ev.Source == source {
			uids = append(uids, ev.UID)
		}
	}
	return uids
}

// backfilling returns a poller with a start of the back-fill, in minutes since epoch.
func (w *world) backfilling(minutes int) *Poller {
	return w.poller(func(o *Options) {
		o.StartFrom, o.DeletedWorklogs = epoch.Add(time.Duration(minutes)*time.Minute), true
	})
}

// TestBackfill checks the period of the back-fill: from its start up to, but not including, the bound of the first run.
// A start before it later on reads only the time before, and a start after it reads nothing.
func TestBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := []string{w.create("1"), w.deleteWorklog()}
	w.wait(20*time.Minute - time.Millisecond)
	want = append(want, w.update("1"), w.deleteWorklog())
	w.wait(time.Millisecond)
	want = append(want, w.update("1"), w.deleteWorklog())
	w.wait(89*time.Minute - time.Millisecond)
	want = append(want, w.update("1"), w.deleteWorklog())
	w.wait(time.Millisecond)
	want = append(want, w.update("1"), w.deleteWorklog())
	w.wait(11 * time.Minute)

	end := epoch.Add(109 * time.Minute).Format(time.RFC3339)
	w.onEnd = func() {
		isToCome := strings.Contains(string(w.stored[checkpointKey]), end)
		assert.Equal(t, len(w.backfills) == 0, isToCome, "the checkpoint contains the end of a back-fill that is to come")
	}
	require.NoError(t, w.run(w.backfilling(20), 7*time.Minute))
	assert.ElementsMatch(t, want[8:], w.sources(jira.SourcePoll))
	assert.ElementsMatch(t, want[4:8], w.sources(jira.SourceBackfill))
	require.Len(t, w.backfills, 1)
	assert.NoError(t, w.backfills[0].err)
	assert.Equal(t, Progress{
		IsBackfill: true, Issues: 1, TotalIssues: 1, Events: 4, CreatedUntil: epoch,
	}, w.backfills[0].progress)
	require.Len(t, w.queries, 3)
	assert.Equal(t, epoch.Add(20*time.Minute), w.queries[1].Since)
	assert.Equal(t, epoch.Add(20*time.Minute), w.queries[1].HistorySince)

	for _, start := range []int{20, 21, 200} {
		require.NoError(t, w.run(w.backfilling(start), time.Minute))
	}
	assert.Len(t, w.backfills, 1)
	w.handedOn = nil
	require.NoError(t, w.run(w.backfilling(0), time.Minute))
	assert.ElementsMatch(t, want[:4], w.uids())
	assert.ElementsMatch(t, want[:4], w.sources(jira.SourceBackfill))
	assert.Len(t, w.backfills, 2)
}

// TestPollDuringBackfill checks that runs take place while a back-fill lasts for hours, and that one of them may fail.
func TestPollDuringBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := []string{}
	for id := range 100 {
		want = append(want, w.create(strconv.Itoa(id)))
		w.wait(2 * time.Second)
	}
	w.wait(time.Hour)
	started := w.now
	temporary := errAPI(jiraapi.KindTemporary)
	w.fail(callServerInfo, nil, temporary, temporary)
	failing := w.before
	w.before = func(ctx context.Context, c call) error {
		if c == callRead {
			w.pass(ctx, time.Minute)
		}
		return failing(ctx, c)
	}
	changed := []string{}
	for at := range time.Duration(6) {
		w.schedule(started.Add(at*10*time.Minute+time.Second), func() { changed = append(changed, w.update("0")) })
	}
	require.NoError(t, w.run(w.backfilling(0), 2*time.Hour))
	assert.ElementsMatch(t, want, w.sources(jira.SourceBackfill))
	assert.Equal(t, changed, w.sources(jira.SourcePoll))
	require.Len(t, w.backfills, 1)
	ended := w.backfills[0].at
	assert.Equal(t, changed, w.uids()[:len(changed)], "before the back-fill ends")
	assert.Equal(t, temporary, w.runs[1].err)
	assert.Equal(t, temporary, w.runs[2].err)
	for i := range 10 {
		assert.WithinRange(t, w.runs[i+1].at, w.runs[i].at, w.runs[i].at.Add(8*time.Minute))
		assert.True(t, w.runs[i].at.Before(ended))
	}
}

// TestInterruptedBackfill checks that the back-fill goes on after failures and stops, and hands on no event twice, also
// if the pipeline takes only a part of the events of an issue.
func TestInterruptedBackfill(t *testing.T) {
	t.Parallel()
	temporary, full := errAPI(jiraapi.KindTemporary), errors.New("the queue is full")
	for name, tt := range map[string]struct {
		call call
		errs []error
	}{
		"search":                      {callSearch, []error{nil, temporary}},
		"issues":                      {callRead, []error{nil, temporary, nil, nil, temporary}},
		"deleted worklogs":            {callWorklogs, []error{nil, nil, nil, nil, temporary}},
		"first part of the worklogs":  {callConsume, repeat(full, 17)},
		"second part of the worklogs": {callConsume, append(repeat(nil, 1), repeat(full, 40)...)},
		"second part of the issues":   {callConsume, append(repeat(nil, 4), repeat(full, 40)...)},
	} {
		for stops, count := range map[string]int{"": 0, ", then stops": 50} {
			t.Run(name+stops, func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				w.pageSize = 100
				for id := range 6 {
					w.create(strconv.Itoa(id))
					for range 100 {
						w.update(strconv.Itoa(id))
					}
					w.wait(time.Minute)
				}
				for range 300 {
					w.deleteWorklog()
				}
				w.wait(time.Hour)
				w.fail(tt.call, tt.errs...)
				for range count {
					require.NoError(t, w.run(w.backfilling(0), 7*time.Second))
				}
				require.NoError(t, w.run(w.backfilling(0), time.Hour))
				want := []string{}
				for _, c := range w.changes {
					want = append(want, c.uid)
				}
				assert.ElementsMatch(t, want, w.sources(jira.SourceBackfill))
				assert.NoError(t, w.backfills[len(w.backfills)-1].err)
			})
		}
	}
}

func TestGoneDuringBackfill(t *testing.T) {
	t.Parallel()
	gone := errAPI(jiraapi.KindGone)
	for name, c := range map[string]call{"back-fill": callSearch, "run in between": callServerInfo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			w.wait(time.Hour)
			w.fail(c, nil, gone)
			before := w.before
			w.before = func(ctx context.Context, now call) error {
				if now == callRead {
					w.pass(ctx, 6*time.Minute)
				}
				return before(ctx, now)
			}
			require.ErrorIs(t, w.run(w.backfilling(0), time.Hour), gone)
			require.Len(t, w.backfills, 1)
			assert.Equal(t, gone, w.backfills[0].err)
		})
	}
}
