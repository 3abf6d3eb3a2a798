// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// started starts a receiver on the clock of the computer. It fails the test if Start waits.
func started(t *testing.T, endpoint string, cfg *jirareceiver.Config, o options) *testReceiver {
	t.Helper()
	cfg.API.ClientConfig.Endpoint = endpoint
	r := create(t, cfg, o)
	done := make(chan error, 1)
	go func() { done <- r.Start(t.Context(), r.host) }()
	require.NoError(t, wait(t, done, "start"))
	return r
}

// stop shuts a receiver down. The channel returns the error.
func (r *testReceiver) stop(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(ctx) }()
	return done
}

// TestStartDoesNotWait has a Jira that does not exist, and one that does not answer.
func TestStartDoesNotWait(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	dead := started(t, "http://"+listener.Addr().String(), pollConfig(time.Hour), options{})
	eventually(t, func() bool { return dead.requests("temporary") > 0 }, "a request")
	dead.assertStatus(t, componentstatus.StatusRecoverableError, "the first run of polling is not complete yet")
	require.NoError(t, wait(t, dead.stop(t.Context()), "shutdown between two attempts"))

	s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
	asked := make(chan struct{}, 1)
	s.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		asked <- struct{}{}
		<-r.Context().Done()
		return true
	})
	silent := started(t, s.url, pollConfig(time.Hour), options{})
	wait(t, asked, "a request")
	require.NoError(t, wait(t, silent.stop(t.Context()), "shutdown during a request"))
	assert.Zero(t, silent.attempts(), "the end of a run by a shutdown is not a failure")
	assert.Empty(t, silent.messages("failed"))
}

// TestShutdownInPause stops a receiver while Jira has it pause.
func TestShutdownInPause(t *testing.T) {
	t.Parallel()
	s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
	s.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{jirasim.RateLimited("", 300, 0)}})
	r := started(t, s.url, pollConfig(time.Hour), options{})
	eventually(t, func() bool { return r.requests("throttled") == 1 }, "a pause")
	assert.InDelta(t, 300, r.count("api_throttled_time"), 1)
	require.NoError(t, wait(t, r.stop(t.Context()), "shutdown"))
	require.NoError(t, wait(t, r.stop(t.Context()), "second shutdown"))
	assert.Equal(t, 1, r.requests("throttled"))
}

// gate is a pipeline whose calls wait until the test releases them, or until their context ends.
type gate struct {
	entered, release chan struct{}
	canceled         atomic.Bool
}

func newGate() *gate { return &gate{entered: make(chan struct{}, 1), release: make(chan struct{})} }

func (g *gate) consume(ctx context.Context, _ plog.Logs) error {
	select {
	case g.entered <- struct{}{}:
	default:
	}
	select {
	case <-g.release:
		return nil
	case <-ctx.Done():
		g.canceled.Store(true)
		return ctx.Err()
	}
}

// TestShutdownDuringCall stops a receiver while the pipeline has its events. Shutdown waits for the pipeline, or cancels
// the call if the context ends. In both cases, the next start loses nothing and repeats nothing.
func TestShutdownDuringCall(t *testing.T) {
	t.Parallel()
	for _, isCanceled := range []bool{false, true} {
		s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
		s.advance(time.Hour)
		cfg, pipeline, store := pollConfig(time.Hour), newGate(), newMemory()
		cfg.Poll.Overlap = 2 * time.Hour
		o := options{sink: &sink{consume: pipeline.consume}}.withStorage(cfg, store)
		r := s.start(t, cfg, o)
		wait(t, pipeline.entered, "call")
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		stopped := r.stop(ctx)
		select {
		case <-stopped:
			require.Fail(t, "Shutdown does not wait")
		case <-time.After(10 * time.Millisecond):
		}
		if isCanceled {
			cancel()
		} else {
			close(pipeline.release)
		}
		require.NoError(t, wait(t, stopped, "shutdown"))
		assert.Equal(t, isCanceled, pipeline.canceled.Load())
		assert.Equal(t, isCanceled, len(r.all()) == 0)
		assert.Equal(t, 1, store.closed)
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Equal(t, 1, store.closed, "a second shutdown does nothing")

		r.consume = nil
		(&trial{r.restart(t, cfg), nil}).finish(t, false)
	}
}

// TestStartErrors has configurations that no Jira could make work. An error leaves nothing started.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	occupied, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer occupied.Close()
	store := newMemory()
	full := newMemory()
	full.fail(errors.New("disk full"))
	nothing := map[component.ID]component.Component{}
	for _, test := range []struct {
		name       string
		configure  func(*jirareceiver.Config)
		extensions map[component.ID]component.Component
		want       string
	}{
		{
			"no storage", func(cfg *jirareceiver.Config) { cfg.Poll.Storage = &storageID }, nothing,
			"poll::storage: the extension file_storage/jira does not exist; add it under extensions and service::extensions",
		},
		{
			"another extension", func(cfg *jirareceiver.Config) { cfg.Poll.Storage = &storageID },
			map[component.ID]component.Component{storageID: newCredentials(account)},
			"poll::storage: file_storage/jira is not a storage extension; name a storage extension, such as file_storage",
		},
		{
			"storage that fails", func(cfg *jirareceiver.Config) { cfg.Poll.Storage = &storageID },
			map[component.ID]component.Component{storageID: full},
			"disk full",
		},
		{
			"no authenticator", func(cfg *jirareceiver.Config) { options{}.withCredentials(cfg, newCredentials(account)) }, nothing,
			`"basicauth/jira"`,
		},
		{
			"endpoint", func(cfg *jirareceiver.Config) { cfg.API.ClientConfig.Endpoint = "ftp://user:hunter2@jira.example.com" },
			nothing, "api::endpoint: not an address; use https://host[/context]",
		},
		{
			"start", func(cfg *jirareceiver.Config) { cfg.Poll.StartFrom = "yesterday" }, nothing, "yesterday",
		},
		{
			"occupied port", func(cfg *jirareceiver.Config) {
				cfg.Poll.Storage = &storageID
				cfg.Listen, cfg.AllowUnauthenticated = true, true
				cfg.ServerConfig.NetAddr.Endpoint = occupied.Addr().String()
			},
			map[component.ID]component.Component{storageID: store},
			"address already in use",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
			cfg := pollConfig(time.Hour)
			cfg.API.ClientConfig.Endpoint = s.url
			test.configure(cfg)
			r := create(t, cfg, options{extensions: test.extensions})
			err := r.Start(t.Context(), r.host)
			require.ErrorContains(t, err, test.want)
			assert.NotRegexp(t, secrets, err.Error())
			assert.Equal(t, store.opened, store.closed)
			requests := s.Requests()
			require.NoError(t, r.Shutdown(t.Context()))
			assert.Equal(t, requests, s.Requests(), "nothing polls")
		})
	}
	assert.Equal(t, 1, store.opened)
}

// TestFirstRun has the status of a receiver before and after its first run.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	r := newScenarioSite(t, jirasim.Cloud, jirasim.Account{}).poll(t, pollConfig(time.Hour), options{})
	r.run(t)
	var got []componentstatus.Status
	for _, e := range r.reported() {
		got = append(got, e.Status())
	}
	assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, got)
	assert.Len(t, r.messages("Polling Jira"), 1)
	assert.Len(t, r.messages("The first run of polling is complete"), 1)
}

// TestRestart stops a receiver for a night. With a storage, it reads what happened meanwhile, and reads nothing twice.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, d := range everywhere {
		s := newScenarioSite(t, d, jirasim.Account{})
		cfg := pollConfig(time.Hour)
		r := s.poll(t, cfg, options{}.withStorage(cfg, newMemory()))
		for range 2 {
			r.runUntil(t, s.Now().Add(5*time.Hour))
			require.NoError(t, r.Shutdown(t.Context()))
			s.advance(10 * time.Hour)
			cfg.SiteURL = otherSpellings[d] // the same site
			r = r.restart(t, cfg)
		}
		(&trial{r, nil}).finish(t, false)
		assert.Empty(t, r.messages("Cannot use the position"))
	}
}

// TestRestartWithoutStorage loses what happened while the receiver was stopped, and warns of it.
func TestRestartWithoutStorage(t *testing.T) {
	t.Parallel()
	s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
	cfg := pollConfig(time.Hour)
	r := s.poll(t, cfg, options{})
	require.NoError(t, r.Shutdown(t.Context()))
	s.advance(10 * time.Hour)
	r = r.restart(t, cfg)
	r.runUntil(t, trialEnd)
	lost, _ := (&trial{r, nil}).compare(t)
	assert.NotEmpty(t, lost)
	assert.Len(t, r.messages("poll::storage is not set"), 1)
}

// TestUnusableStorage has a storage that fails, and one with a damaged position.
func TestUnusableStorage(t *testing.T) {
	t.Parallel()
	s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
	cfg, store := pollConfig(time.Hour), newMemory()
	o := options{}.withStorage(cfg, store)
	r := s.poll(t, cfg, o)
	store.fail(errors.New("disk full"))
	r.run(t)
	r.assertOK(t) // the receiver still has the position
	assert.Len(t, r.messages("Cannot read or write poll::storage"), 1)

	store.fail(nil)
	require.NoError(t, r.Shutdown(t.Context()))
	r = s.start(t, cfg, options{r.sink, r.extensions})
	store.fail(errors.New("disk full"))
	r.runAfter(t, 0)
	r.assertStatus(t, componentstatus.StatusRecoverableError, "disk full")
	assert.Equal(t, 1, r.runs("storage"))
	store.fail(nil)
	r.run(t)
	r.assertOK(t)
	(&trial{r, nil}).finish(t, false)

	for _, damage := range []func(){
		func() { store.content["checkpoint"] = []byte(`{"version": "confidential`) },
		func() { cfg.SiteURL = "https://other.example.com" }, // another Jira
	} {
		require.NoError(t, r.Shutdown(t.Context()))
		damage()
		r = r.restart(t, cfg)
		r.assertOK(t)
		lines := r.messages("Cannot use the position in poll::storage")
		require.Len(t, lines, 1)
		assert.Equal(t, zap.ErrorLevel, lines[0].Level)
	}
}

// TestRotation replaces the token in Jira and in the authenticator extension. The receiver goes on without a restart.
func TestRotation(t *testing.T) {
	t.Parallel()
	var valid atomic.Pointer[jirasim.Account]
	valid.Store(&account)
	s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
	s.answer(func(w http.ResponseWriter, r *http.Request) bool {
		user, token, _ := r.BasicAuth()
		isValid := user == valid.Load().User && token == valid.Load().Token
		if !isValid {
			w.WriteHeader(http.StatusUnauthorized)
		}
		return !isValid
	})
	cfg, c := pollConfig(time.Hour), newCredentials(account)
	r := s.poll(t, cfg, options{}.withCredentials(cfg, c))
	renewed := jirasim.Account{User: account.User, Token: "hunter2, renewed"}
	valid.Store(&renewed)
	c.account.Store(&renewed)
	(&trial{r, c}).finish(t, false)
	assert.Zero(t, r.requests("unauthorized"))
}

// poison is the key of an issue of which the pipeline takes no record.
const poison = "WEB-1"

func has(logs plog.Logs, key string) bool {
	for _, e := range eventsOf(logs) {
		if e.text("jira.issue.key") == key {
			return true
		}
	}
	return false
}

// TestRefusals has pipelines that refuse events.
func TestRefusals(t *testing.T) {
	t.Parallel()
	full, bad := errors.New("queue full: confidential"), consumererror.NewPermanent(errors.New("bad: confidential"))
	for _, test := range []struct {
		name   string
		refuse func(calls int64, logs plog.Logs) error
		lost   bool // the records of the issue poison are lost, and no others
		failed bool // runs fail
	}{ // the interval is an hour
		{"for a moment", func(calls int64, _ plog.Logs) error { return only(calls%3 != 0, full) }, false, false},
		{"for two hours", func(calls int64, _ plog.Logs) error { return only(calls < 250, full) }, false, true},
		{"one issue for good", func(_ int64, logs plog.Logs) error { return only(has(logs, poison), bad) }, true, false},
		{"one issue for good in all pipelines", func(_ int64, logs plog.Logs) error { return only(has(logs, poison), errors.Join(bad, bad)) }, true, false},
		{"one of two pipelines for good", func(calls int64, _ plog.Logs) error { return only(calls%3 != 0, errors.Join(bad, full)) }, false, false},
		{
			"for good, because it is exhausted", func(calls int64, _ plog.Logs) error {
				return only(calls%3 != 0, consumererror.NewPermanent(status.Error(codes.ResourceExhausted, "confidential")))
			}, false, false,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			next := &sink{consume: func(_ context.Context, logs plog.Logs) error { return test.refuse(calls.Add(1), logs) }}
			r := newScenarioSite(t, jirasim.Cloud, jirasim.Account{}).poll(t, pollConfig(time.Hour), options{sink: next})
			r.runUntil(t, trialEnd)
			r.assertOK(t)
			lost, repeated := (&trial{r, nil}).compare(t)
			assert.Empty(t, repeated)
			assert.Equal(t, test.lost, len(lost) > 0)
			assert.Len(t, lost, r.skipped("refused"))
			assert.Equal(t, test.failed, r.runs("refused") > 0)
			assert.Equal(t, test.failed, len(r.messages("A run of polling failed")) > 0)
			assert.Equal(t, test.lost, len(r.messages("The pipeline refuses an event for good")) > 0)
			for _, e := range r.all() {
				assert.False(t, test.lost && e.text("jira.issue.key") == poison)
			}
			assert.InDelta(t, len(r.all()), r.count("poll_events"), 0)
		})
	}
}

// only returns an error under a condition.
func only(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

// TestPanic has a pipeline that panics. The process goes on, and so does the polling.
func TestPanic(t *testing.T) {
	t.Parallel()
	var isBroken atomic.Bool
	next := &sink{consume: func(context.Context, plog.Logs) error {
		if isBroken.Load() {
			panic("confidential")
		}
		return nil
	}}
	tr := &trial{newScenarioSite(t, jirasim.Cloud, jirasim.Account{}).poll(t, pollConfig(time.Hour), options{sink: next}), nil}
	tr.assertOK(t)
	isBroken.Store(true)
	for len(tr.messages("panic")) == 0 {
		tr.site.wake(t)
		tr.site.settle(t)
	}
	tr.assertStatus(t, componentstatus.StatusRecoverableError, "panic of type string")
	isBroken.Store(false)
	tr.finish(t, false)
}

// TestOptions checks that the options of the receiver apply to events of the REST API too.
func TestOptions(t *testing.T) {
	t.Parallel()
	cfg := pollConfig(time.Hour)
	cfg.Events.Include = []string{"jira.issue.*"}
	cfg.Events.Exclude = []string{"jira.issue.created"}
	cfg.CustomFields = map[string]string{"customfield_10016": "points"}
	cfg.Status.UseDefaultMapping, cfg.Status.CategoryFallback = false, false
	cfg.Status.Mapping = map[string][]string{"done": {"Done"}}
	r := newScenarioSite(t, jirasim.Cloud, jirasim.Account{}).poll(t, cfg, options{})
	r.runUntil(t, trialEnd)
	r.assertOK(t)
	require.NotEmpty(t, r.all())
	for _, e := range r.all() {
		assert.Equal(t, "jira.issue.updated", e.name)
		assert.True(t, e.has("jira.issue.custom.points"))
		assert.False(t, e.has("jira.user.full_name"), "personal data")
		assert.NotRegexp(t, "Lindqvist|Haddad|Montero|Dvorak|as agreed in the review", text(e.attrs))
		assert.Equal(t, e.text("jira.issue.status.name") == "Done", e.text("jira.issue.status.mapped") == "done")
	}
	assert.Positive(t, r.count("unmapped_statuses", "side", "current"))
	assert.NotEmpty(t, r.messages("No mapping for Jira statuses"))
	assert.InDelta(t, len(r.all()), r.count("poll_events", "event", "jira.issue.updated", "source", "poll"), 0)
	accepted, err := r.telemetry.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	assert.EqualValues(t, len(r.all()), accepted.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

// A large site whose past the back-fill reads: each issue has a change in each hour.
const (
	largeIssues = 300
	largeHours  = 3
)

func newPast(t *testing.T) (*site, *jirareceiver.Config, options) {
	t.Helper()
	s := newLargeSite(t, jirasim.LargeSite{Issues: largeIssues, ChangesPerHour: largeIssues})
	s.advance(largeHours * time.Hour)
	cfg := pollConfig(time.Minute)
	cfg.Poll.StartFrom = start.Format(time.RFC3339)
	return s, cfg, options{sink: &sink{}}.withStorage(cfg, newMemory())
}

// assertWholePast checks that the pipeline has got each change from the start on, once.
func (r *testReceiver) assertWholePast(t *testing.T) {
	t.Helper()
	r.consume = nil // so that the clock stands still during the run
	r.run(t)
	changes := int(r.site.Now().Sub(start)/(time.Hour/largeIssues)) + 1
	assert.Len(t, r.byUID(t), changes)
	assert.Len(t, r.messages("The back-fill is complete"), 1)
	r.assertOK(t)
}

// TestBackfill has a pipeline that takes its time. The log shows the progress, and new changes are read in between.
func TestBackfill(t *testing.T) {
	t.Parallel()
	s, cfg, o := newPast(t)
	o.sink.consume = func(context.Context, plog.Logs) error {
		s.advance(20 * time.Second)
		return nil
	}
	r := s.poll(t, cfg, o)
	lines := r.messages("The back-fill is in progress")
	require.NotEmpty(t, lines)
	fields := lines[len(lines)-1].ContextMap()
	assert.EqualValues(t, largeIssues, fields["of_issues"])
	for _, name := range []string{"issues", "events", "issues_per_second"} {
		assert.Positive(t, fields[name], name)
	}
	isBackfilled := func(e event) bool { return e.text("jira.webhook.source") == "backfill" }
	records := r.all()
	records = records[slices.IndexFunc(records, isBackfilled):]
	between := slices.IndexFunc(records, func(e event) bool { return !isBackfilled(e) })
	require.Positive(t, between)
	assert.True(t, slices.ContainsFunc(records[between:], isBackfilled), "new changes are read in between")
	assert.Greater(t, r.count("poll_events", "source", "backfill"), float64(largeIssues))
	r.assertWholePast(t)
}

// TestInterruptedBackfill stops the receiver during the back-fill, and later has a Jira that fails.
func TestInterruptedBackfill(t *testing.T) {
	t.Parallel()
	s, cfg, o := newPast(t)
	var calls atomic.Int64
	reached, stopping := make(chan struct{}), make(chan struct{})
	o.sink.consume = func(context.Context, plog.Logs) error {
		if calls.Add(1) == 4 {
			close(reached)
			<-stopping
		}
		return nil
	}
	r := s.start(t, cfg, o)
	wait(t, reached, "the fourth call")
	stopped := r.stop(t.Context())
	time.Sleep(10 * time.Millisecond) // until Shutdown waits for the call
	close(stopping)
	require.NoError(t, wait(t, stopped, "shutdown"))
	assert.Empty(t, r.messages("The back-fill"))

	s.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpBulkFetch, Skip: 2}}})
	r = r.restart(t, cfg)
	for len(r.messages("The back-fill was interrupted")) == 0 {
		s.wake(t)
		s.settle(t)
	}
	r.assertStatus(t, componentstatus.StatusRecoverableError, "status 500")
	s.SetFaults(jirasim.Faults{})
	r.run(t)
	r.assertWholePast(t)
}

// TestLongRun has a run with many issues. The log shows the progress.
func TestLongRun(t *testing.T) {
	t.Parallel()
	s, cfg, o := newPast(t)
	cfg.Poll.StartFrom, cfg.Poll.Overlap = "", largeHours*time.Hour
	o.sink.consume = func(context.Context, plog.Logs) error {
		s.advance(20 * time.Second)
		return nil
	}
	r := s.poll(t, cfg, o)
	assert.NotEmpty(t, r.messages("A long run of polling is in progress"))
	r.assertOK(t)
}
