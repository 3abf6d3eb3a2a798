// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// TestModel checks the claims of the package documentation with random schedules of changes, delays of the search
// index, slow and failed requests, refusals, crashes, stops and jumps of Jira's clock. JIRA_SCHEDULES is the number of
// schedules, and JIRA_SEED is the seed of the first.
func TestModel(t *testing.T) {
	t.Parallel()
	schedules := 2000
	if testing.Short() {
		schedules = 200
	}
	first, count := fromEnv(t, "JIRA_SEED", 0), fromEnv(t, "JIRA_SCHEDULES", schedules)
	for seed := first; seed < first+count; seed++ {
		s := newSchedule(seed, 0)
		s.run()
		if problems := s.problems(); len(problems) > 0 {
			require.Failf(t, "wrong events", "JIRA_SEED=%d JIRA_SCHEDULES=1: %v", seed, problems)
		}
	}
}

// TestModelIsSharp checks that the model finds a loss if the search index shows changes a minute too late.
func TestModelIsSharp(t *testing.T) {
	t.Parallel()
	losses := 0
	for seed := range 200 {
		s := newSchedule(seed, time.Minute)
		s.run()
		losses += min(1, len(s.problems()))
	}
	assert.Greater(t, losses, 5)
}

func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	require.NoError(t, err)
	return number
}

// schedule is a random course of a world, and of pollers one after another.
type schedule struct {
	*world
	dice    *rand.Rand
	opts    Options // the random ones
	latency time.Duration

	// The probabilities of faults of each call.
	failing, pausing, crashing, stopping float64
	refusedUntil                         time.Time

	poller *Poller
	cancel context.CancelFunc
	isDead bool // the collector has crashed

	saveErr  error     // of the last checkpoint
	asked    time.Time // for Jira's time
	sampled  time.Time // for a time of Jira that was stored; the last one
	since    time.Time // time of the first start
	wentBack time.Time // last time at which Jira's clock went back
	quiet    time.Time // from here on, the index shows all changes, and there are no faults

	mayDouble    bool
	completeRuns int       // since quiet
	lastRun      time.Time // start of the last of them
	isDone       bool
	isStuck      bool // without an end for days
}

// burst is the time in which some issues are created.
const burst = 3 * time.Second

var (
	errCrash     = errors.New("crash")
	errDiskFull  = errors.New("the disk is full")
	errQueueFull = errors.New("the queue is full")
)

// newSchedule returns a schedule whose search index may be late by a time beyond the bound.
func newSchedule(seed int, beyond time.Duration) *schedule {
	s := &schedule{world: newWorld(), dice: rand.New(rand.NewPCG(uint64(seed), 0))}
	s.opts.Interval = s.upTo(time.Minute, 15*time.Minute)
	s.opts.Overlap = s.upTo(5*time.Minute, 20*time.Minute)
	s.opts.DeletedWorklogs = s.isLucky(0.5)
	s.pageSize = 1 + s.dice.IntN(4)
	s.latency = []time.Duration{time.Millisecond, time.Second, 20 * time.Second}[s.dice.IntN(3)]
	s.failing, s.pausing, s.crashing, s.stopping = s.rate(), s.rate()/4, s.rate()/2, s.rate()/2

	if s.isLucky(0.5) {
		s.opts.Grace = s.upTo(0, 30*time.Minute)
	}
	maxLag := s.opts.Grace + s.opts.Overlap + margin + beyond
	s.lag = func() time.Duration {
		return []time.Duration{0, s.upTo(0, time.Minute), s.upTo(0, maxLag), maxLag}[s.dice.IntN(4)]
	}
	past, present := s.upTo(0, 2*time.Hour), 2*maxLag+8*s.opts.Interval
	if s.isLucky(0.5) {
		s.opts.StartFrom = s.now.Add(s.upTo(0, past))
	}
	for range 5 + s.dice.IntN(30) {
		s.schedule(s.now.Add(s.upTo(0, past+present)), s.changeAtRandom)
	}
	if s.isLucky(0.3) {
		for range 1 + s.dice.IntN(3) {
			s.schedule(s.now.Add(past+s.upTo(0, present)), s.jump)
		}
	}
	s.quiet = s.now.Add(past + present + burst + maxLag)
	s.before, s.after, s.onEnd = s.beforeCall, s.afterCall, s.endIfDone
	s.wait(past)
	return s
}

func (s *schedule) isLucky(probability float64) bool { return s.dice.Float64() < probability }

// upTo returns a duration with milliseconds.
func (s *schedule) upTo(shortest, longest time.Duration) time.Duration {
	return shortest + time.Duration(s.dice.Int64N(int64((longest-shortest)/time.Millisecond)+1))*time.Millisecond
}

// rate returns the probability of a kind of faults. Many schedules have none of them.
func (s *schedule) rate() float64 { return []float64{0, 0, 0.02, 0.1}[s.dice.IntN(4)] }

// changeAtRandom changes an issue, and sometimes so often that the events are handed on in several parts.
func (s *schedule) changeAtRandom() {
	if len(s.issues) == 0 || s.isLucky(0.3) {
		s.create(s.newID())
		for s.isLucky(0.5) { // at about the same time, in an order that the index does not know
			s.schedule(s.now.Add(s.upTo(0, burst)), func() { s.create(s.newID()) })
		}
		return
	}
	id := s.issues[s.dice.IntN(len(s.issues))].ID
	uid := ""
	switch s.dice.IntN(8) {
	case 0:
		uid = s.deleteWorklog()
	case 1, 2:
		uid = s.comment(id)
	case 3:
		if s.isEditable(id) {
			uid = s.edit(id)
		}
	default:
		uid = s.update(id)
	}
	if s.isLucky(0.05) {
		s.refused[uid] = true
	}
	if s.isLucky(0.01) {
		for range s.dice.IntN(2 * maxBatch) {
			s.update(id)
		}
	}
}

// isEditable reports whether an issue has a comment whose edit has an event. Only the last edit of a comment has one.
func (s *schedule) isEditable(id string) bool {
	comments := s.issue(id).comments
	if len(comments) == 0 {
		return false
	}
	last := comments[len(comments)-1]
	return last.Updated.IsZero() && last.Created.Before(s.jiraNow())
}

// jump lets Jira's clock jump. After the clock has gone back, it jumps forward only if a run has begun in between: a
// poller cannot know of a time between two runs.
func (s *schedule) jump() {
	by := s.upTo(0, []time.Duration{2 * time.Minute, 20 * time.Minute, 2 * time.Hour}[s.dice.IntN(3)])
	switch isBack := s.isLucky(0.5); {
	case s.since.IsZero() || !isBack && s.sampled.Before(s.wentBack):
	case isBack:
		s.ahead -= by
		s.wentBack, s.mayDouble = s.now, true
	default:
		s.ahead += by
	}
}

// run runs pollers until some runs were complete since quiet.
func (s *schedule) run() {
	for !s.isDone {
		s.runPoller()
		if s.isLucky(0.5) {
			s.wait(s.upTo(0, 2*s.opts.Interval))
		}
	}
}

// runPoller runs a poller until it stops or crashes.
func (s *schedule) runPoller() {
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	defer s.cancel()
	defer func() {
		if r := recover(); r != nil {
			if err, _ := r.(error); !errors.Is(err, errCrash) {
				panic(r)
			}
		}
		s.asked = s.sampled
		s.mayDouble = s.mayDouble || errors.Is(s.saveErr, errDiskFull)
	}()
	s.isDead, s.saveErr = false, nil
	if s.poller == nil {
		s.poller = s.world.poller(func(o *Options) {
			o.Grace = s.opts.Grace
			o.Interval, o.Overlap, o.DeletedWorklogs, o.StartFrom =
				s.opts.Interval, s.opts.Overlap, s.opts.DeletedWorklogs, s.opts.StartFrom
		})
	}
	if err := s.poller.Run(ctx); err != nil {
		panic(err)
	}
	s.poller = nil
}

// crash ends the collector, or only the run with a panic: then the same poller runs again.
func (s *schedule) crash() {
	s.isDead, s.mayDouble = s.isLucky(0.7), true
	if s.isDead {
		s.poller = nil
	}
	panic(errCrash)
}

func (s *schedule) beforeCall(ctx context.Context, c call) error {
	if s.isDead { // deferred calls of the poller
		return errCrash
	}
	if ctx.Err() == nil {
		s.pass(ctx, s.upTo(0, s.latency))
	}
	if ctx.Err() == nil && s.isLucky(s.pausing) { // the client waits because Jira has asked for it
		s.pass(ctx, s.upTo(0, jiraapi.MaxPause))
	}
	err := s.fault(ctx, c)
	switch {
	case c == callSave:
		s.saveErr = err
	case c == callSearch && s.since.IsZero() && s.saveErr == nil:
		s.since = s.asked
	}
	return err
}

// fault lets a call fail at random.
func (s *schedule) fault(ctx context.Context, c call) error {
	if s.now.Before(s.quiet) && ctx.Err() == nil {
		switch u := s.dice.Float64(); {
		case u < s.crashing:
			s.crash()
		case u < s.crashing+s.stopping:
			s.cancel()
		case u < s.crashing+s.stopping+s.failing:
			return s.failure(c)
		}
	}
	switch {
	case c == callConsume && s.now.Before(s.refusedUntil):
		return errQueueFull
	case ctx.Err() == nil:
		return nil
	case c == callConsume || c == callLoad || c == callSave:
		return ctx.Err()
	default:
		return &jiraapi.Error{Kind: jiraapi.KindCanceled}
	}
}

func (s *schedule) failure(c call) error {
	switch c {
	case callConsume:
		s.refusedUntil = s.now.Add(s.upTo(0, 2*s.opts.Interval))
		return errQueueFull
	case callLoad, callSave:
		return errDiskFull
	default:
		kinds := []jiraapi.Kind{
			jiraapi.KindTemporary, jiraapi.KindUnexpected, jiraapi.KindUnauthorized, jiraapi.KindThrottled,
		}
		err := &jiraapi.Error{Kind: kinds[s.dice.IntN(len(kinds))]}
		if err.Kind == jiraapi.KindThrottled {
			err.RetryAt = s.now.Add(s.upTo(0, time.Hour))
		}
		return err
	}
}

func (s *schedule) afterCall(c call) {
	switch {
	case c == callServerInfo:
		s.asked = s.now
		s.wait(s.upTo(0, s.latency))
	case c == callSave && !s.asked.IsZero():
		s.sampled = s.asked
	}
	if s.now.Before(s.quiet) && s.isLucky(s.crashing) {
		s.crash()
	}
	if s.now.Before(s.quiet) && s.isLucky(s.stopping) {
		s.cancel()
	}
}

// endIfDone ends the schedule after a few complete runs since quiet and the back-fill.
func (s *schedule) endIfDone() {
	state := s.poller.state
	if state.Cursor != nil && state.Cursor.Collector.After(s.lastRun) && !state.Cursor.Collector.Before(s.quiet.Add(time.Hour)) {
		s.completeRuns, s.lastRun = s.completeRuns+1, state.Cursor.Collector
	}
	isFilled := s.opts.StartFrom.IsZero() || !s.opts.StartFrom.Before(state.ReadFrom)
	s.isStuck = s.now.Sub(s.quiet) > 48*time.Hour
	if s.completeRuns >= 3 && isFilled || s.isStuck {
		s.isDone = true
		s.cancel()
	}
}

// problems returns the changes whose events were lost, doubled or made up.
func (s *schedule) problems() []string {
	count := map[string]int{}
	for _, ev := range s.handedOn {
		count[ev.UID]++
	}
	var problems []string
	if s.isStuck {
		problems = append(problems, "no end")
	}
	for _, c := range s.changes {
		isOfPast := !s.opts.StartFrom.IsZero() && !c.time.Before(s.opts.StartFrom)
		isWanted := (isOfPast || !c.at.Before(s.since)) && !s.refused[c.uid] &&
			(s.opts.DeletedWorklogs || !slices.Contains(s.deleted, c))
		switch n := count[c.uid]; {
		case isWanted && n == 0:
			problems = append(problems, fmt.Sprintf("lost: %s at %v, %v on Jira's clock", c.uid, c.at, c.time))
		case n > 1 && !s.mayDouble && !s.isAtSeam(c):
			problems = append(problems, fmt.Sprintf("%d times: %s at %v, %v on Jira's clock", n, c.uid, c.at, c.time))
		}
		delete(count, c.uid)
	}
	for uid := range count {
		problems = append(problems, "made up: "+uid)
	}
	return problems
}

// isAtSeam reports whether a change happened within the duration of a request before the end of the back-fill. The
// second run may reach there too, because Jira's clock seems to go back by the difference between two requests.
func (s *schedule) isAtSeam(c change) bool {
	end := s.queries[0].Since
	return c.time.Before(end) && !c.time.Before(end.Add(-s.latency))
}
