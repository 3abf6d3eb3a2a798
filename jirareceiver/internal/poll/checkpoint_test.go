// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// TestCheckpoint pins the stored form: a later version must read it.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	w := newWorld()
	at := instant{Jira: epoch.Add(time.Hour), Collector: epoch}
	known := newUIDSet(10)
	known.add("a", epoch)
	known.add("b", epoch)
	known.add("c", epoch.Add(time.Minute))
	saved := checkpoint{
		Site: "https://acme.atlassian.net", ReadFrom: epoch, Cursor: &at, Starts: []instant{at},
		Run: &run{Start: at, From: epoch, Mark: mark{epoch, []markedIssue{{"1", epoch}}}, HasDeleted: true},
		Backfill: &run{
			From: epoch, To: epoch.Add(time.Second), HandedOn: map[string]bool{"d": true},
		},
	}
	s := store{disk{world: w}}
	require.NoError(t, s.save(t.Context(), saved, known))
	assert.JSONEq(t, `{
		"version": 1,
		"site": "https://acme.atlassian.net",
		"read_from": "2026-11-25T12:00:00Z",
		"cursor": {"jira": "2026-11-25T13:00:00Z", "collector": "2026-11-25T12:00:00Z"},
		"starts": [{"jira": "2026-11-25T13:00:00Z", "collector": "2026-11-25T12:00:00Z"}],
		"run": {
			"start": {"jira": "2026-11-25T13:00:00Z", "collector": "2026-11-25T12:00:00Z"},
			"from": "2026-11-25T12:00:00Z",
			"mark": {
				"created": "2026-11-25T12:00:00Z",
				"issues": [{"id": "1", "created": "2026-11-25T12:00:00Z"}]
			},
			"has_deleted": true
		},
		"backfill": {"from": "2026-11-25T12:00:00Z", "to": "2026-11-25T12:00:01Z", "handed_on": {"d": true}},
		"ledger_minutes": [29926800, 29926801]
	}`, string(w.stored["checkpoint"]))
	assert.Len(t, w.stored["ledger-29926800"], 32)
	assert.Len(t, w.stored["ledger-29926801"], 16)

	loaded, uids, err := s.load(t.Context(), 10)
	require.NoError(t, err)
	saved.Version, saved.Minutes = 1, []minute{29926800, 29926801}
	assert.Equal(t, saved, loaded)
	assert.Equal(t, known, uids)
}

// TestRestart checks that a new poller goes on from the cursor of the last one, and reads the changes of the time in
// between.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := []string{w.create("1")}
	require.NoError(t, w.run(w.poller(nil), 7*time.Minute))
	want = append(want, w.update("1"))
	w.wait(24 * time.Hour)
	want = append(want, w.update("1"))

	p := w.poller(nil)
	w.after = func(c call) {
		if c == callSearch {
			cursor, hasCursor := p.LastRun()
			assert.True(t, hasCursor)
			assert.Equal(t, epoch.Add(5*time.Minute), cursor, "of the last run before")
		}
	}
	require.NoError(t, w.run(p, time.Minute))
	assert.Equal(t, want, w.uids())
	assert.Equal(t, epoch.Add(-6*time.Minute), w.queries[2].Since)
	assert.Empty(t, w.startedAnew)
}

// TestCursorOfFailedRuns checks that the cursor is the start of a complete run, also after a restart.
func TestCursorOfFailedRuns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fail(callSearch, append([]error{nil}, repeat(errors.New("down"), 100)...)...)
	require.NoError(t, w.run(w.poller(nil), 7*time.Minute))
	p := w.poller(nil)
	require.NoError(t, w.run(p, time.Minute))
	cursor, hasCursor := p.LastRun()
	assert.True(t, hasCursor)
	assert.Equal(t, epoch, cursor)
}

// TestWithoutStorage checks that each start is the first one if the storage stores nothing.
func TestWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.create("1")
	for range 2 {
		require.NoError(t, w.run(w.poller(func(o *Options) { o.Storage = storage.NewNopClient() }), time.Second))
	}
	assert.Equal(t, []string{"created 1", "created 1"}, w.uids())
	assert.Equal(t, epoch.Add(time.Second-11*time.Minute), w.queries[1].Since)
	assert.Empty(t, w.startedAnew)
}

// TestUnusableCheckpoint checks that a poller starts anew, and that the next checkpoint is usable.
func TestUnusableCheckpoint(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(w *world)
		want  error
	}{
		"damaged": {func(w *world) { w.stored[checkpointKey] = w.stored[checkpointKey][1:] }, errDamaged},
		"null":    {func(w *world) { w.stored[checkpointKey] = []byte("null") }, errForeign},
		"of a later version": {func(w *world) {
			later := strings.Replace(string(w.stored[checkpointKey]), `"version":1`, `"version":2`, 1)
			w.stored[checkpointKey] = []byte(later)
		}, errForeign},
		"of another site": {func(w *world) { w.site = "https://other.atlassian.net" }, errOtherSite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			require.NoError(t, w.run(w.poller(nil), time.Minute))
			w.wait(time.Hour)
			tt.spoil(w)
			p := w.backfilling(0)
			require.NoError(t, w.run(p, time.Minute))
			require.Len(t, w.startedAnew, 1)
			require.ErrorIs(t, w.startedAnew[0], tt.want)
			assert.Equal(t, epoch.Add(61*time.Minute-11*time.Minute), w.queries[1].Since, "the first run")
			assert.Equal(t, epoch, w.queries[2].Since, "the back-fill")
			assert.Equal(t, []string{"created 1", "created 1"}, w.uids())

			require.NoError(t, w.run(w.backfilling(0), time.Minute))
			assert.Len(t, w.startedAnew, 1)
			assert.Equal(t, epoch.Add(50*time.Minute), w.queries[3].Since)
			if errors.Is(tt.want, errOtherSite) {
				assert.Equal(t, []string{checkpointKey}, slices.Collect(maps.Keys(w.stored)), "no page of the other uid set")
			}
		})
	}
}

// TestSiteChanges checks that a running poller starts anew if its Jira gets another address.
func TestSiteChanges(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.create("1")
	w.schedule(epoch.Add(time.Hour), func() { w.site = "https://other.atlassian.net" })
	require.NoError(t, w.run(w.poller(nil), 66*time.Minute))
	require.Len(t, w.startedAnew, 1)
	require.ErrorIs(t, w.startedAnew[0], errOtherSite)
	assert.Equal(t, epoch.Add(54*time.Minute), w.queries[len(w.queries)-1].Since)
}

// TestStorageFails checks that a poller waits for a checkpoint that it cannot read, and loses nothing.
func TestStorageFails(t *testing.T) {
	t.Parallel()
	locked := errors.New("locked")
	for name, errs := range map[string][]error{
		"checkpoint": {locked, locked},
		"ledger":     {nil, locked, nil, locked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			want := []string{w.create("1")}
			require.NoError(t, w.run(w.poller(nil), time.Minute))
			want = append(want, w.update("1"))
			w.fail(callLoad, errs...)
			require.NoError(t, w.run(w.poller(nil), time.Minute))
			assert.Equal(t, want, w.uids())
			assert.Equal(t, 2, w.storageErrors)
			require.Len(t, w.runs, 4)
			assert.Equal(t, locked, w.runs[1].err)
			assert.Equal(t, locked, w.runs[2].err)
			assert.NoError(t, w.runs[3].err)
			assert.Empty(t, w.startedAnew)
		})
	}
}

// TestStorageDoesNotStore checks that runs go on although the storage takes no checkpoint, and that the next checkpoint
// contains everything.
func TestStorageDoesNotStore(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := []string{w.create("1")}
	w.schedule(epoch.Add(6*time.Minute), func() { want = append(want, w.update("1")) })
	w.fail(callSave, repeat(errors.New("full"), 5)...)
	require.NoError(t, w.run(w.poller(nil), 11*time.Minute))
	assert.Equal(t, 5, w.storageErrors)
	assert.Len(t, w.runs, 3)
	require.NoError(t, w.run(w.poller(nil), 11*time.Minute))
	assert.Equal(t, want, w.uids())
}

// TestStop checks that a stop stores the checkpoint, and is not taken for a failure of the run or the storage.
func TestStop(t *testing.T) {
	t.Parallel()
	for _, during := range []call{
		callConnect, callLoad, callServerInfo, callSave, callWorklogs, callSearch, callRead, callConsume,
	} {
		t.Run(string(during), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.create("1")
			w.wait(20 * time.Minute)
			want := []string{w.create("2"), w.update("1"), w.update("2")}
			w.pageSize = 1
			for n := range 5 {
				calls := 0
				w.before = func(ctx context.Context, c call) error {
					if c == during {
						calls++
					}
					if c == during && calls == n {
						w.pass(ctx, time.Hour)
					}
					return ctx.Err()
				}
				require.NoError(t, w.run(w.backfilling(0), 30*time.Minute))
			}
			assert.Zero(t, w.storageErrors)
			for _, run := range w.runs {
				assert.NoError(t, run.err)
			}
			assert.ElementsMatch(t, append(want, "created 1"), w.uids())
		})
	}
}

// TestMinutePages checks that the storage contains only the uids that the next run needs.
func TestMinutePages(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.create("1")
	for at := range time.Duration(120) {
		w.schedule(epoch.Add(at*time.Minute), func() { w.update("1") })
	}
	require.NoError(t, w.run(w.poller(nil), 119*time.Minute+time.Second))
	assert.Len(t, w.handedOn, 117, "up to the start of the last run")
	want := []string{checkpointKey}
	for at := 115 - 11 - 1; at <= 115; at++ { // the bound of the next run and a minute
		want = append(want, keyOfMinute(minuteOf(epoch)+minute(at)))
	}
	assert.ElementsMatch(t, want, slices.Collect(maps.Keys(w.stored)))
}

func TestUIDSet(t *testing.T) {
	t.Parallel()
	l := newUIDSet(4)
	l.add("a", epoch)
	l.add("b", epoch.Add(time.Minute-1))
	l.add("c", epoch.Add(time.Minute))
	l.add("a", epoch.Add(time.Hour))
	assert.Len(t, l.uids, 3, "a is known")
	l.add("d", epoch.Add(2*time.Minute))
	assert.True(t, l.contains("a"))

	l.add("e", epoch.Add(2*time.Minute))
	assert.False(t, l.contains("a"), "the set is full")
	assert.False(t, l.contains("b"), "the whole minute is dropped")
	for _, uid := range []string{"c", "d", "e"} {
		assert.True(t, l.contains(uid))
	}
	first := minuteOf(epoch)
	assert.Equal(t, map[minute]bool{first: true, first + 1: true, first + 2: true}, l.changed)

	clear(l.changed)
	l.prune(epoch.Add(2*time.Minute + time.Second))
	assert.False(t, l.contains("c"))
	assert.True(t, l.contains("d"), "of the minute of the time")
	assert.Equal(t, map[minute]bool{first + 1: true}, l.changed)
}

func TestUIDSetOfOneMinute(t *testing.T) {
	t.Parallel()
	l := newUIDSet(2)
	for _, uid := range []string{"a", "b", "c"} {
		l.add(uid, epoch)
	}
	assert.Equal(t, []bool{false, false, true}, []bool{l.contains("a"), l.contains("b"), l.contains("c")})
	assert.Len(t, l.encode(minuteOf(epoch)), 16)
}

// TestDamagedMinutePage checks that a page that was cut is read as far as it goes.
func TestDamagedMinutePage(t *testing.T) {
	t.Parallel()
	l := newUIDSet(10)
	l.add("a", epoch)
	l.add("b", epoch)
	content := l.encode(minuteOf(epoch))
	assert.Nil(t, l.encode(minuteOf(epoch)+1))
	loaded := newUIDSet(10)
	loaded.decode(minuteOf(epoch), append(content[:16:16], content[:31]...))
	assert.True(t, loaded.contains("a"))
	assert.False(t, loaded.contains("b"))
	assert.Len(t, loaded.minutes[minuteOf(epoch)], 1, "equal uids count once")
}

// TestMark checks that issues are read again exactly if they were not read, although the order of creation is certain
// only up to markMargin.
func TestMark(t *testing.T) {
	t.Parallel()
	at := func(id string, d time.Duration) markedIssue { return markedIssue{id, epoch.Add(d)} }
	var m mark
	assert.Zero(t, m.createdFrom())
	assert.False(t, m.covers(at("1", 0)))
	for _, read := range []markedIssue{
		at("1", 0), at("2", 3*time.Second), at("3", 1500*time.Millisecond), at("4", time.Minute), at("5", time.Second),
	} {
		m.advance(read)
		assert.True(t, m.covers(read))
	}
	assert.Equal(t, epoch, m.createdFrom(), "a minute earlier")
	assert.Equal(t, []markedIssue{at("4", time.Minute)}, m.Issues)
	assert.True(t, m.covers(at("6", time.Minute-markMargin-1)))
	assert.False(t, m.covers(at("6", time.Minute-markMargin)))
	assert.False(t, m.covers(at("6", time.Minute)))
	assert.False(t, m.covers(at("6", time.Hour)))
	assert.False(t, m.covers(markedIssue{ID: "7"}), "the time of creation is unknown")
}
