// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// callTime is how long a call of the sink takes.
const callTime = time.Second

var (
	errPoison = errors.New("the sink refuses a record")
	errBusy   = errors.New("the sink refuses everything")
	errFull   = errors.New("the sink has no room for so many records")
)

// sink is a consumer whose calls take callTime. It refuses a call that contains a record named poison, and panics at
// one named panic.
type sink struct {
	mu    sync.Mutex
	calls [][]string // the records of each call, in the order in which the calls began
	taken map[string]bool
	err   error // of each call
	room  int   // number of records that a call takes; 0 for any number

	ignoresContext bool
	panics         atomic.Int64
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	names := recordNames(logs)
	s.mu.Lock()
	s.calls = append(s.calls, names)
	s.mu.Unlock()
	if s.ignoresContext {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-time.After(callTime):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true }) // a consumer may change what it gets
	if s.room > 0 && len(names) > s.room {
		return errFull
	}
	for _, name := range names {
		switch name {
		case "poison":
			return errPoison
		case "panic":
			panic("a fault of the consumer")
		}
	}
	for _, name := range names {
		s.taken[name] = s.err == nil
	}
	return s.err
}

func newSink() *sink { return &sink{taken: map[string]bool{}} }

func newCommitter(s *sink, maxRecords int) *Committer {
	c := New(Options{
		Next:        s,
		IsPermanent: func(err error) bool { return errors.Is(err, errPoison) },
		IsExhausted: func(err error) bool { return errors.Is(err, errFull) },
		OnPanic:     func(any) { s.panics.Add(1) },
	})
	c.maxRecords = maxRecords
	return c
}

// oneRecord returns a record of a site.
func oneRecord(site, name string) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("jira.site.url", site)
	resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName(name)
	return logs
}

func recordNames(logs plog.Logs) []string {
	var names []string
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				names = append(names, record.EventName())
			}
		}
	}
	return names
}

// commitAll commits each record as a delivery of its own, one after the other, and returns their errors by name.
func commitAll(ctx context.Context, c *Committer, names ...string) map[string]error {
	var deliveries sync.WaitGroup
	var mu sync.Mutex
	errs := map[string]error{}
	for _, name := range names {
		deliveries.Go(func() {
			defer func() {
				if recover() != nil {
					mu.Lock()
					defer mu.Unlock()
					errs[name] = errPanicked
				}
			}()
			err := c.Commit(ctx, func() plog.Logs { return oneRecord("a", name) })
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
		synctest.Wait() // for this one to call the sink or to wait
	}
	deliveries.Wait()
	return errs
}

func TestOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		errs := commitAll(t.Context(), newCommitter(s, 100), "1", "2", "3", "4")
		assert.Equal(t, map[string]error{"1": nil, "2": nil, "3": nil, "4": nil}, errs)
		assert.Equal(t, [][]string{{"1"}, {"2", "3", "4"}}, s.calls)
	})
}

func TestFullGroupDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		start := time.Now()
		commitAll(t.Context(), newCommitter(s, 2), "1", "2", "3", "4", "5", "6")
		assert.Equal(t, [][]string{{"1"}, {"2", "3"}, {"4", "5"}, {"6"}}, s.calls)
		assert.Equal(t, 2*callTime, time.Since(start), "the last waits for one call")
	})
}

func TestFullInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		c := newCommitter(s, 100)
		c.maxBytes = 1
		commitAll(t.Context(), c, "1", "2", "3")
		assert.Equal(t, [][]string{{"1"}, {"2"}, {"3"}}, s.calls)
	})
}

// TestPoison has a record that the consumer refuses permanently, or that makes it panic. Only its delivery fails, after
// few calls.
func TestPoison(t *testing.T) {
	for _, tt := range []struct {
		poison     string
		wantErr    error
		wantPanics int64
	}{{"poison", errPoison, 0}, {"panic", errPanicked, 3}} {
		t.Run(tt.poison, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink()
				errs := commitAll(t.Context(), newCommitter(s, 100), "1", "2", tt.poison, "3", "4")
				assert.Equal(t, map[string]error{"1": nil, "2": nil, tt.poison: tt.wantErr, "3": nil, "4": nil}, errs)
				assert.Equal(t, map[string]bool{"1": true, "2": true, "3": true, "4": true}, s.taken)
				wantCalls := [][]string{{"1"}, {"2", tt.poison, "3", "4"}, {"2", tt.poison}, {"2"}, {tt.poison}, {"3", "4"}}
				assert.Equal(t, wantCalls, s.calls[:len(wantCalls)])
				assert.Equal(t, tt.wantPanics, s.panics.Load())
			})
		})
	}
}

// TestRetriesDoNotHoldOthersUp has a delivery arrive while a group with a poison record is halved.
func TestRetriesDoNotHoldOthersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		c := newCommitter(s, 100)
		var group sync.WaitGroup
		group.Go(func() { commitAll(t.Context(), c, "1", "2", "poison", "3", "4") })
		time.Sleep(2*callTime + callTime/2) // within the first half of the group
		start := time.Now()
		require.NoError(t, c.Commit(t.Context(), func() plog.Logs { return oneRecord("a", "late") }))
		assert.Equal(t, callTime, time.Since(start))
		group.Wait()
	})
}

// TestExhaustion has a consumer with room for a part of a group, and one without room for a single record.
func TestExhaustion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.room = 2
		errs := commitAll(t.Context(), newCommitter(s, 100), "1", "2", "3", "4", "5")
		assert.Equal(t, map[string]error{"1": nil, "2": nil, "3": nil, "4": nil, "5": nil}, errs)
		assert.Len(t, s.calls, 4)
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.err = errFull
		errs := commitAll(t.Context(), newCommitter(s, 100), "1", "2", "3", "4", "5", "6", "7", "8", "9")
		for name, err := range errs {
			require.ErrorIs(t, err, errFull, name)
		}
		assert.Len(t, errs, 9)
		assert.Len(t, s.calls, 5, "the first delivery, the group, and one half of each half")
	})
}

// TestOtherErrors are those of a backend that is down. All deliveries of a group fail without another call.
func TestOtherErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.err = errBusy
		errs := commitAll(t.Context(), newCommitter(s, 100), "1", "2", "3")
		assert.Equal(t, map[string]error{"1": errBusy, "2": errBusy, "3": errBusy}, errs)
		assert.Len(t, s.calls, 2)
	})
}

// TestCancellation has a consumer that respects the context of its calls, and one that ignores it. No call begins after
// the context has ended.
func TestCancellation(t *testing.T) {
	for _, ignoresContext := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newSink()
			s.ignoresContext = ignoresContext
			ctx, cancel := context.WithTimeout(t.Context(), callTime/2)
			defer cancel()
			errs := commitAll(ctx, newCommitter(s, 100), "1", "2", "3")
			assert.Equal(t, ignoresContext, errs["1"] == nil)
			assert.ErrorIs(t, errs["2"], context.DeadlineExceeded)
			assert.ErrorIs(t, errs["3"], context.DeadlineExceeded)
			assert.Equal(t, [][]string{{"1"}}, s.calls)
		})
	}
}

// TestInvariants commits at random times, with and without poison. No delivery gets nil before a call took its record.
// Without poison, a delivery waits for the end of one call and for its own call at most.
func TestInvariants(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			random, withPoison := rand.New(rand.NewPCG(seed, 0)), seed%2 == 1
			s := newSink()
			c := newCommitter(s, 1+random.IntN(20))
			var deliveries sync.WaitGroup
			for i := range 100 {
				name, pause := strconv.Itoa(i), time.Duration(random.Int64N(int64(5*callTime)))
				if withPoison && random.IntN(10) == 0 {
					name = "poison"
				}
				deliveries.Go(func() {
					time.Sleep(pause)
					start := time.Now()
					err := c.Commit(t.Context(), func() plog.Logs { return oneRecord("a", name) })
					s.mu.Lock()
					defer s.mu.Unlock()
					assert.Equal(t, name != "poison", err == nil)
					assert.Equal(t, err == nil, s.taken[name])
					assert.True(t, withPoison || time.Since(start) <= 2*callTime)
				})
			}
			deliveries.Wait()
		})
	}
}
