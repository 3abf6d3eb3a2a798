// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// interval is the interval of the runs of a trial, unless the fault changes it.
const interval = 6 * time.Hour

var (
	account    = jirasim.Account{User: "bot@example.com", Token: "hunter2"}
	wrong      = jirasim.Account{User: "bot@example.com", Token: "hunter2, before it expired"}
	everywhere = []jirasim.Deployment{jirasim.Cloud, jirasim.DataCenter}
)

// trial is a receiver that polls the scenario. Nothing in the scenario is deleted, so that each run can find everything
// that earlier runs did not find.
type trial struct {
	*testReceiver
	credentials *credentials
}

// newTrial polls the first twelve hours of the scenario. With JQL and credentials in the configuration, each fault has
// a chance to reveal them.
func newTrial(t *testing.T, d jirasim.Deployment, a jirasim.Account, configure func(*jirareceiver.Config)) *trial {
	t.Helper()
	cfg := pollConfig(interval)
	cfg.Poll.Projects = []string{"OPS", "WEB", "BILL"}
	cfg.Poll.JQL = "type != Confidential"
	if configure != nil {
		configure(cfg)
	}
	c := newCredentials(a)
	r := newScenarioSite(t, d, a).poll(t, cfg, options{}.withCredentials(cfg, c))
	r.runUntil(t, start.Add(12*time.Hour))
	return &trial{r, c}
}

// trialEnd is the time until which trials last. Until then, the scenario has all kinds of events.
var trialEnd = start.Add(29 * time.Hour)

// finish polls until the end of the trial, and checks that the pipeline has got everything, and each event once unless
// events may be repeated.
func (tr *trial) finish(t *testing.T, mayRepeat bool) {
	t.Helper()
	tr.runUntil(t, trialEnd)
	tr.assertOK(t)
	assert.Less(t, tr.count("poll_lag"), time.Minute.Seconds())
	lost, repeated := tr.compare(t)
	assert.Empty(t, lost)
	if !mayRepeat {
		assert.Empty(t, repeated)
	}
}

// compare returns the names of the events of the scenario that the pipeline does not have, or has more than once.
func (tr *trial) compare(t *testing.T) (lost, repeated []string) {
	t.Helper()
	got := tr.uids()
	for uid, e := range expected(t, tr.site.Deployment) {
		switch count := got[uid]; {
		case count == 0 && !e.time.After(tr.site.Now()):
			lost = append(lost, e.name)
		case count > 1:
			repeated = append(repeated, e.name)
		}
		delete(got, uid)
	}
	assert.Empty(t, got, "no webhook has these uids")
	return lost, repeated
}

var (
	expectedMu  sync.Mutex
	expectedAll = map[jirasim.Deployment]map[string]event{}
)

// expected returns all events of the scenario by uid, as webhooks report them, without those that the REST API does not
// contain.
func expected(t *testing.T, d jirasim.Deployment) map[string]event {
	t.Helper()
	expectedMu.Lock()
	defer expectedMu.Unlock()
	if expectedAll[d] == nil {
		deliveries, err := jirasim.Scenario(scenario, jirasim.Site{Deployment: d, Seed: 1, Start: start})
		require.NoError(t, err)
		events := receive(t, listenConfig(), deliveries, d)
		maps.DeleteFunc(events, func(_ string, e event) bool {
			return slices.ContainsFunc(onlyWebhooks, func(a absence) bool { return a.explains(&happenings{}, d, e) })
		})
		expectedAll[d] = events
	}
	return expectedAll[d]
}

// fault is a way in which a Jira fails or misleads pollers, and what is seen of it from outside.
type fault struct {
	name      string
	only      jirasim.Deployment // "" for both
	faults    jirasim.Faults
	begin     func(*trial) // begins what Faults do not contain; optional
	configure func(*jirareceiver.Config)

	result   string            // of the attempts of runs during the fault; "" for ok
	requests string            // result of requests that fail; "" for the result of the runs
	status   string            // part of the text of the status
	retry    time.Duration     // least time until the next attempt
	skipped  string            // reason why something is left out; "" if nothing is
	unsent   jirasim.Operation // that the receiver does not send during the fault; "" for none
}

// try polls through a fault.
func (f fault) try(t *testing.T, d jirasim.Deployment) {
	t.Helper()
	tr := newTrial(t, d, account, f.configure)
	since, completed := tr.site.Now(), tr.runs("ok")
	tr.site.SetFaults(f.faults)
	if f.begin != nil {
		f.begin(tr)
	}
	if f.result == "" {
		tr.checkHarmless(t, f)
		return
	}
	unsent := tr.site.Requests()[f.unsent]
	retry := tr.run(t)
	assert.GreaterOrEqual(t, retry, f.retry)
	tr.run(t)
	assert.Equal(t, unsent, tr.site.Requests()[f.unsent])
	assert.Equal(t, completed, tr.runs("ok"), "no run is complete")
	assert.Equal(t, 2, tr.runs(f.result))
	assert.Positive(t, tr.requests(f.failedRequests()))
	tr.assertStatus(t, componentstatus.StatusRecoverableError, f.status)
	least := tr.site.Now().Sub(since).Seconds() // time goes on while the client waits
	lag := tr.count("poll_lag")
	assert.GreaterOrEqual(t, lag, least-1, "the cursor did not move")
	assert.LessOrEqual(t, lag, tr.site.Now().Sub(since).Seconds()+1, "the cursor did not move")
	require.Len(t, tr.messages("A run of polling failed"), 1, "once a minute")
	assert.Contains(t, text(tr.messages("A run of polling failed")[0].ContextMap()), f.status)

	tr.site.SetFaults(jirasim.Faults{})
	tr.site.answerAsJira()
	tr.credentials.account.Store(&account)
	tr.run(t)
	tr.assertOK(t)
	tr.finish(t, false)
}

func (f fault) failedRequests() string {
	if f.requests != "" {
		return f.requests
	}
	return f.result
}

// checkHarmless checks a fault that fails no run.
func (tr *trial) checkHarmless(t *testing.T, f fault) {
	t.Helper()
	tr.finish(t, false)
	assert.Equal(t, tr.attempts(), tr.runs("ok"))
	assert.Empty(t, tr.messages("failed"))
	if f.requests != "" {
		assert.Positive(t, tr.requests(f.requests))
	}
	if f.skipped != "" {
		assert.Positive(t, tr.skipped(f.skipped))
	}
	assert.InDelta(t, tr.skipped(f.skipped), tr.count("poll_skipped"), 0)
}

// tryAll runs a test for each fault and deployment. The short form has one deployment for each fault.
func tryAll(t *testing.T, faults []fault) {
	t.Helper()
	for n, f := range faults {
		for _, d := range everywhere {
			isShort := testing.Short() && d != everywhere[n%2]
			if f.only == d || f.only == "" && !isShort {
				t.Run(f.name+" "+string(d), func(t *testing.T) {
					t.Parallel()
					f.try(t, d)
				})
			}
		}
	}
}

// every returns faults with one failure.
func every(operation jirasim.Operation, f jirasim.Failure) jirasim.Faults {
	f.Operation = operation
	return jirasim.Faults{Failures: []jirasim.Failure{f}}
}

// TestMisleadingContents has faults in answers that look right. They cost nothing.
func TestMisleadingContents(t *testing.T) {
	t.Parallel()
	const lag = 11*time.Minute - 10*time.Second                 // not more than the overlap and a minute
	few := jirasim.Caps{Histories: 1, Comments: 1, Worklogs: 1} // histories only on Cloud
	tryAll(t, []fault{
		{name: "index lag", faults: jirasim.Faults{IndexLag: lag}, configure: often},
		{name: "capped lists", only: jirasim.Cloud, faults: jirasim.Faults{Caps: few}},
		{name: "shuffled histories", faults: jirasim.Faults{ShuffledHistories: true}},
		{name: "shuffled and capped", only: jirasim.Cloud, faults: jirasim.Faults{ShuffledHistories: true, Caps: few}},
		{name: "odd histories", faults: jirasim.Faults{OddHistories: true}},
		{name: "late histories", faults: jirasim.Faults{HistoryDelay: 30 * time.Millisecond}},
		{name: "no time of update", faults: jirasim.Faults{NoUpdated: 1}},
		{name: "seconds in the index", faults: jirasim.Faults{SecondIndex: true}, configure: often},
		{name: "no changelog in bulk", only: jirasim.Cloud, faults: jirasim.Faults{BulkWithoutChangelog: true}},
		{
			name: "seconds in bulk", only: jirasim.Cloud,
			faults: jirasim.Faults{BulkWithoutChangelog: true, EpochSeconds: true},
		},
		{name: "empty changelog", faults: jirasim.Faults{EmptyChangelog: true}},
	})
}

func often(cfg *jirareceiver.Config) { cfg.Poll.Interval = 25 * time.Minute }

// TestFailures has answers with errors, and answers that do not arrive. The client repeats what may pass, then the run
// fails, and a later one goes on.
func TestFailures(t *testing.T) {
	t.Parallel()
	type failure = jirasim.Failure
	const temporary, status500 = "the request failed", "status 500"
	issues := map[jirasim.Deployment]jirasim.Operation{
		jirasim.Cloud: jirasim.OpBulkFetch, jirasim.DataCenter: jirasim.OpSearch,
	}
	faults := []fault{
		{name: "500", faults: every(jirasim.OpSearch, failure{}), result: "temporary", status: status500},
		{name: "500 of the clock", faults: every(jirasim.OpServerInfo, failure{}), result: "temporary", status: status500},
		{name: "502 as a page", faults: every("", failure{Status: 502, HTML: true}), result: "temporary", status: "status 502"},
		{name: "500 once", faults: every("", failure{Times: 3}), requests: "temporary"},
		{name: "500 often", faults: every("", failure{Every: 3}), requests: "temporary"},

		{name: "dropped", faults: every("", failure{Drop: true}), result: "temporary", status: temporary},
		{name: "dropped once", faults: every(jirasim.OpSearch, failure{Drop: true, Times: 1}), requests: "temporary"},
		{
			name: "dropped with a query", configure: readAll, result: "temporary", status: temporary,
			faults: every(jirasim.OpWorklogDeleted, failure{Drop: true}),
		},
		{name: "cut", faults: every("", failure{Cut: 100}), result: "temporary", status: temporary},
		{name: "cut often", faults: every("", failure{Cut: 100, Every: 2}), requests: "temporary"},

		{name: "login page", faults: jirasim.Faults{Failures: []failure{jirasim.LoginPage("")}}, result: "not_json", status: "login page"},
		{name: "login page later", faults: jirasim.Faults{Failures: []failure{jirasim.LoginPage(jirasim.OpSearch)}}, result: "not_json", status: "login page"},
		{name: "403", faults: every(jirasim.OpSearch, failure{Status: 403}), result: "forbidden", status: "permission", retry: time.Minute},
		{name: "404", faults: every("", failure{Status: 404}), result: "not_found", status: "no such resource"},
		{name: "400", faults: every(jirasim.OpSearch, failure{Status: 400}), result: "bad_request", status: "does not accept the request"},
		{
			name: "403 of deleted worklogs", configure: readAll, skipped: "forbidden", requests: "forbidden",
			faults: every(jirasim.OpWorklogDeleted, failure{Status: 403}),
		},
		{
			name: "500 of comments", only: jirasim.Cloud, result: "temporary", status: "(/rest/api/2/issue/",
			faults: jirasim.Faults{Caps: jirasim.Caps{Comments: 1, Worklogs: 1, Histories: 1}, Failures: []failure{{Operation: jirasim.OpChangelog}}},
		},
		{
			name: "redirect within the site", begin: redirect("/login"), result: "redirected", status: "redirect",
		},
	}
	for d, operation := range issues {
		faults = append(faults, fault{
			name: "500 of issues", only: d, faults: every(operation, failure{}), result: "temporary", status: status500,
		})
	}
	tryAll(t, faults)
}

// readAll removes the restrictions, with which the receiver does not ask for deleted worklogs.
func readAll(cfg *jirareceiver.Config) { cfg.Poll.Projects, cfg.Poll.JQL = nil, "" }

// redirect answers all requests with a redirect.
func redirect(to string) func(*trial) {
	return func(tr *trial) {
		tr.site.answer(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, to, http.StatusFound)
			return true
		})
	}
}

// TestRedirectToAnotherHost checks that another host gets no request, and so no credentials.
func TestRedirectToAnotherHost(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(other.Close)
	fault{
		begin: redirect(other.URL + "/rest/api/2/serverInfo"), result: "redirected", status: "set the endpoint to the final address",
	}.try(t, jirasim.Cloud)
	assert.Zero(t, requests.Load())
}

// TestCredentials has credentials that Jira does not accept. The receiver tries seldom, because failed logins lock an
// account, and it believes no answer until the account is known.
func TestCredentials(t *testing.T) {
	t.Parallel()
	expire := func(tr *trial) { tr.credentials.account.Store(&wrong) }
	unauthorized := fault{
		begin: expire, result: "unauthorized", status: "does not accept the credentials", retry: time.Minute,
		unsent: jirasim.OpSearch,
	}
	faults := []fault{
		{name: "expired token"},
		{name: "answers 200 to everybody", faults: jirasim.Faults{AnonymousSearch: true}},
		{name: "captcha", only: jirasim.DataCenter, faults: jirasim.Faults{CaptchaAfter: 1}},
	}
	for i := range faults {
		f := unauthorized
		f.name, f.only, f.faults = faults[i].name, faults[i].only, faults[i].faults
		faults[i] = f
	}
	tryAll(t, faults)
}

// TestThrottling has the ways in which Jira limits the rate of requests.
func TestThrottling(t *testing.T) {
	t.Parallel()
	type failure = jirasim.Failure
	limited := func(retryAfter, times int) jirasim.Faults {
		return jirasim.Faults{Failures: []failure{jirasim.RateLimited("", retryAfter, times)}}
	}
	bucket := failure{Status: 429, HTML: true, Header: map[string]string{ // of Data Center
		"Retry-After": "0", "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0", "X-RateLimit-Interval-Seconds": "5",
	}}
	bucketOnce := bucket
	bucketOnce.Times = 1
	const status = "lower api::requests_per_second"
	tryAll(t, []fault{
		{name: "429 once", only: jirasim.Cloud, faults: limited(30, 1), requests: "throttled"},
		{name: "429 without a time", only: jirasim.Cloud, faults: limited(-1, 3), requests: "throttled"},
		{name: "429", only: jirasim.Cloud, faults: limited(30, 0), result: "throttled", status: status},
		{name: "429 for an hour", only: jirasim.Cloud, faults: limited(3600, 0), result: "throttled", status: status, retry: 59 * time.Minute},
		{name: "empty bucket once", only: jirasim.DataCenter, faults: every("", bucketOnce), requests: "throttled"},
		{name: "empty bucket", only: jirasim.DataCenter, faults: every("", bucket), result: "throttled", status: status},
		{name: "503 once", faults: every("", failure{Status: 503, Times: 1}), requests: "throttled"},
		{name: "503", faults: every("", failure{Status: 503, HTML: true}), result: "throttled", status: "status 503"},
	})
}

// TestGone has a resource that Jira has removed. No later request can succeed, so that the polling ends, and the webhooks
// go on. After an update of the collector, the next start goes on from the position.
func TestGone(t *testing.T) {
	t.Parallel()
	for _, operation := range []jirasim.Operation{jirasim.OpSearch, jirasim.OpMyself} {
		s := newScenarioSite(t, jirasim.Cloud, jirasim.Account{})
		cfg := listenConfig()
		cfg.Poll = pollConfig(interval).Poll
		r := s.poll(t, cfg, options{}.withStorage(cfg, newMemory()))
		r.runUntil(t, start.Add(12*time.Hour))
		s.SetFaults(every(operation, jirasim.Failure{Status: http.StatusGone}))
		if operation == jirasim.OpMyself { // which a session needs once
			s.advance(2 * time.Hour)
		}
		s.wake(t)
		eventually(t, func() bool { return len(r.messages("Polling has ended")) == 1 }, "the polling ends")
		r.assertStatus(t, componentstatus.StatusPermanentError, "Jira removed this endpoint")
		assert.Equal(t, 1, r.runs("gone"))
		assert.Equal(t, 1, r.requests("gone"), "no second request")

		deliveries, err := jirasim.Scenario(scenario, jirasim.Site{Deployment: jirasim.Cloud, Seed: 2, Start: start})
		require.NoError(t, err)
		before := len(r.all())
		r.post(t, deliveries, jirasim.Cloud)
		assert.Len(t, r.all(), before+len(deliveries))

		s.SetFaults(jirasim.Faults{})
		r.records = r.records[:before]
		(&trial{r.restart(t, cfg), nil}).finish(t, false)
	}
}

// TestStartUpCheck has a site that does not read times in milliseconds. The receiver would read all issues in each run.
func TestStartUpCheck(t *testing.T) {
	t.Parallel()
	for _, d := range everywhere {
		s := newScenarioSite(t, d, jirasim.Account{})
		s.advance(2 * time.Hour) // some issues exist
		s.SetFaults(jirasim.Faults{MillisIgnored: true})
		cfg := pollConfig(interval)
		cfg.Poll.StartFrom = start.Format(time.RFC3339)
		r := s.poll(t, cfg, options{}.withStorage(cfg, newMemory()))
		r.assertStatus(t, componentstatus.StatusRecoverableError, "the site does not read times in milliseconds")
		assert.Equal(t, 1, r.runs("unexpected"))
		assert.Empty(t, r.all(), "nothing is believed")
		s.SetFaults(jirasim.Faults{})
		r.run(t)
		(&trial{r, nil}).finish(t, false)
	}
}

// TestAccountZones has accounts in several time zones, in which Jira renders times and reads dates in quotes.
func TestAccountZones(t *testing.T) {
	t.Parallel()
	for _, d := range everywhere {
		for _, hours := range []float64{-11, 5.75} {
			zoned := account
			zoned.Zone = time.FixedZone("", int(hours*3600))
			newTrial(t, d, zoned, nil).finish(t, false)
			if testing.Short() {
				break
			}
		}
	}
}

// TestClockJumps lets Jira's clock jump while the team works. Changes have times on either clock. Events may be repeated
// only if the clock is behind the changes for long.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, d := range everywhere {
		for name, jumps := range map[string][]time.Duration{ // of which the short form has one
			"forward and back": {time.Hour, 0, time.Hour, 0},
			"far forward":      {100 * time.Hour, 0},
			"back":             {-3 * time.Hour, -6 * time.Hour, 0},
			"a little":         {-time.Second, time.Second, -time.Second, 0},
		} {
			if testing.Short() && name != "back" {
				continue
			}
			t.Run(name+" "+string(d), func(t *testing.T) {
				t.Parallel()
				tr := newTrial(t, d, account, func(cfg *jirareceiver.Config) { cfg.Poll.Interval = 2 * time.Hour })
				for _, offset := range jumps {
					tr.site.SetFaults(jirasim.Faults{ClockOffset: offset})
					tr.run(t)
					tr.run(t)
				}
				tr.finish(t, name == "back")
				assert.Equal(t, tr.attempts(), tr.runs("ok"))
			})
		}
	}
}

// TestLatency has answers that take their time, one after the other.
func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 2 * time.Millisecond // of the real clock
	tryAll(t, []fault{
		{name: "slow answers", faults: jirasim.Faults{Latency: latency}},
		{
			name: "too slow answers", faults: jirasim.Faults{Latency: 200 * time.Millisecond}, result: "temporary",
			status:    "exceeded",
			configure: func(cfg *jirareceiver.Config) { cfg.API.ClientConfig.Timeout = 20 * time.Millisecond },
		},
	})
}

// smallPages makes Jira return fewer issues on a page than the request asks for.
func smallPages(size int) func(*trial) {
	return func(tr *trial) {
		tr.site.answer(func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/search") {
				var body map[string]any
				_ = json.NewDecoder(r.Body).Decode(&body)
				body["maxResults"] = size
				r.Body = io.NopCloser(strings.NewReader(text(body)))
			}
			return false
		})
	}
}

// TestPages has lists whose pages mislead.
func TestPages(t *testing.T) {
	t.Parallel()
	const unexpected = "does not have the documented form"
	token := func(name string, size int, trap jirasim.TokenTrap) fault {
		return fault{name: name, only: jirasim.Cloud, begin: smallPages(size), faults: jirasim.Faults{Token: trap}}
	}
	failing := func(f fault, result, requests, status string) fault {
		f.result, f.requests, f.status = result, requests, status
		return f
	}
	tryAll(t, []fault{
		{name: "small pages", begin: smallPages(2)},
		token("no last page", 1, jirasim.TokenWithoutIsLast),
		failing(token("repeated token", 1, jirasim.TokenRepeated), "unexpected", "ok", unexpected),
		failing(token("empty token", 5000, jirasim.TokenEmpty), "unexpected", "ok", unexpected),
		failing(token("stale token", 1, jirasim.TokenStale), "bad_request", "", "does not accept the request"),
	})
}

// TestVanishingRows lets issues vanish from the search, as if they were archived, while a run reads the pages of its
// result. On Jira Cloud, reading by id still finds them. On Data Center, they move the other rows to earlier positions.
func TestVanishingRows(t *testing.T) {
	t.Parallel()
	for _, unstable := range []bool{false, true} {
		tr := newTrial(t, jirasim.Cloud, account, nil)
		tr.site.advance(20 * time.Hour)
		tr.site.SetFaults(jirasim.Faults{VanishPerPage: 3, UnstablePages: unstable})
		tr.run(t)
		tr.site.SetFaults(jirasim.Faults{})
		tr.finish(t, false)
	}

	tr := newTrial(t, jirasim.DataCenter, account, nil)
	tr.site.advance(20 * time.Hour)
	smallPages(3)(tr)
	var pages atomic.Int64
	first, _ := strconv.Atoi(tr.all()[0].text("jira.issue.id"))
	shrink := *tr.site.intercept.Load()
	tr.site.answer(func(w http.ResponseWriter, r *http.Request) bool {
		shrink(w, r)
		// The first search checks the bounds, and the third one reads the second page.
		if strings.HasSuffix(r.URL.Path, "/search") && pages.Add(1) == 3 {
			tr.site.SetFaults(jirasim.Faults{Hidden: []int{first}})
		}
		return false
	})
	tr.run(t)
	assert.EqualValues(t, 1+3+1, pages.Load(), "a page is read again")
	tr.site.SetFaults(jirasim.Faults{})
	tr.site.answerAsJira()
	tr.finish(t, false)
}

// TestDeletedBeforeTheIndexShowsIt has an issue that a search still returns after its deletion. It is counted, and costs
// no other event.
func TestDeletedBeforeTheIndexShowsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, jirasim.Site{Deployment: jirasim.Cloud, Seed: 5}, jirasim.Account{})
	s.SetFaults(jirasim.Faults{IndexLag: 9 * time.Minute})
	for d := range jirasim.Team(s.Site) {
		if strings.HasSuffix(d.About, "jira:issue_deleted") {
			s.advance(d.At.Add(time.Minute).Sub(s.Now()))
			break
		}
	}
	cfg := pollConfig(interval)
	cfg.Poll.Overlap = 24 * time.Hour
	r := s.poll(t, cfg, options{})
	r.assertOK(t)
	assert.Equal(t, 1, r.skipped("missing"))
	require.Len(t, r.messages("Jira lists an issue and does not return it"), 1)
	r.run(t)
	assert.Equal(t, 1, r.skipped("missing"))
}

// TestLongLists has issues with more histories, comments and worklogs than an answer contains.
func TestLongLists(t *testing.T) {
	t.Parallel()
	const issues, changesPerHour, hours = 3, 400, 3
	for name, caps := range map[string]jirasim.Caps{
		"20": {Histories: 20, Comments: 20, Worklogs: 20}, "40": {}, "100": {Histories: 100, Comments: 100, Worklogs: 100},
	} {
		if testing.Short() && name != "20" {
			continue
		}
		for _, d := range everywhere {
			t.Run(name+" "+string(d), func(t *testing.T) {
				t.Parallel()
				if d == jirasim.DataCenter {
					caps.Histories = 0 // Data Center returns all
				}
				s := newLargeSite(t, jirasim.LargeSite{
					Site: jirasim.Site{Deployment: d}, Issues: issues, ChangesPerHour: changesPerHour,
				})
				s.SetFaults(jirasim.Faults{Caps: caps})
				r := s.poll(t, pollConfig(hours*time.Hour), options{}) // finds the creation of the issues
				r.run(t)
				assert.Len(t, r.byUID(t), issues+changesPerHour*hours+1)
				assert.Zero(t, r.count("poll_skipped"))
				if d == jirasim.Cloud {
					assert.GreaterOrEqual(t, s.Requests()[jirasim.OpChangelog], issues)
				}
			})
		}
	}
}

// TestContradictingChangelogs has an issue with more histories than an answer contains, of which Jira returns no other
// ones. They are counted, and do not keep the receiver from the other issues.
func TestContradictingChangelogs(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, jirasim.Cloud, account, nil)
	tr.site.SetFaults(jirasim.Faults{EmptyChangelog: true, Caps: jirasim.Caps{Histories: 1}})
	tr.run(t)
	tr.assertOK(t)
	assert.Positive(t, tr.skipped("incomplete"))
	require.Len(t, tr.messages("Jira does not return all changes"), 1)
}

// TestLateIndex shows the limit of the overlap: what the search index shows later than that is lost.
func TestLateIndex(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, jirasim.Cloud, account, often)
	tr.site.SetFaults(jirasim.Faults{IndexLag: time.Hour})
	tr.runUntil(t, trialEnd)
	tr.site.SetFaults(jirasim.Faults{})
	tr.run(t)
	lost, _ := tr.compare(t)
	assert.NotEmpty(t, lost)
}

// TestInvalidJQL has JQL that Jira does not accept. The explanation of Jira, which repeats parts of it, is in a log
// message of the level debug.
func TestInvalidJQL(t *testing.T) {
	t.Parallel()
	for _, d := range everywhere {
		cfg := pollConfig(interval)
		cfg.Poll.JQL = "confidential = yes"
		r := newScenarioSite(t, d, jirasim.Account{}).poll(t, cfg, options{})
		r.assertStatus(t, componentstatus.StatusRecoverableError, "Jira does not accept the request")
		require.Len(t, r.messages(explanation), 1)
		assert.Contains(t, text(r.messages(explanation)[0].ContextMap()), "Field 'confidential' does not exist")
	}
}
