// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// TestVerify checks that ModeVerify reports drift and sends no request that writes, whatever it finds.
func TestVerify(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			opts.Mode, opts.Store = ModeVerify, nil
			m := w.manager("a", opts)
			check := func(want ...Kind) {
				t.Helper()
				if !w.signs {
					want = append(want, KindCannotSign)
				}
				report := m.Check(t.Context())
				assert.ElementsMatch(t, want, kinds(report.Findings))
				assert.Zero(t, report.Write)
				assert.True(t, report.NextWrite.IsZero())
			}
			check(KindMissing)
			id := w.sim.AddWebhook(jirasim.Webhook{
				Name: opts.Wanted.Name, URL: opts.Wanted.URL, Events: names[:2], Disabled: true, ExcludeBody: true, Secret: "other",
			})
			check(KindDisabled, KindEventsMissing, KindJQLDiffers, KindBodyExcluded)
			w.sim.EditWebhook(id, func(webhook *jirasim.Webhook) {
				webhook.Events, webhook.Disabled, webhook.ExcludeBody, webhook.JQL = names, false, false, opts.Wanted.JQL
			})
			check()
			w.sim.DuplicateWebhook(id)
			check(KindDuplicates)
			assert.Empty(t, w.requests("a"))
		})
	}
}

// TestManage creates a webhook, repairs each drift, and creates it again after it was deleted.
func TestManage(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			m := w.manager("a", opts)
			report := m.Check(t.Context())
			assert.Equal(t, WriteCreate, report.Write)
			assert.Equal(t, []Kind{KindMissing}, kinds(report.Repaired))
			require.NoError(t, report.WriteErr)
			assert.Equal(t, !w.signs, report.Err() != nil)
			assert.NotNil(t, report.Webhook)
			w.checkCorrect(opts.Wanted)
			id := w.ours(opts.Wanted)[0].ID

			for kind, edit := range map[Kind]func(*jirasim.Webhook){
				KindDisabled:          func(webhook *jirasim.Webhook) { webhook.Disabled = true },
				KindEventsMissing:     func(webhook *jirasim.Webhook) { webhook.Events = names[:1] },
				KindEventsSuperfluous: func(webhook *jirasim.Webhook) { webhook.Events = append(webhook.Events, "sprint_started") },
				KindJQLDiffers:        func(webhook *jirasim.Webhook) { webhook.JQL = "" },
				KindBodyExcluded:      func(webhook *jirasim.Webhook) { webhook.ExcludeBody = true },
			} {
				w.clock.advance(time.Hour)
				require.Zero(t, m.Check(t.Context()).Write)
				w.sim.EditWebhook(id, edit)
				w.sim.EditWebhook(id, func(webhook *jirasim.Webhook) { webhook.Description, webhook.SkipTLSVerification = "by hand", true })
				report := m.Check(t.Context())
				assert.Equal(t, WriteUpdate, report.Write, kind)
				assert.Equal(t, []Kind{kind}, kinds(report.Repaired))
				w.checkCorrect(opts.Wanted)
				assert.Equal(t, "by hand", w.ours(opts.Wanted)[0].Description, "other values stay")
				assert.True(t, w.ours(opts.Wanted)[0].SkipTLSVerification)
			}
			w.clock.advance(time.Hour)
			require.Zero(t, m.Check(t.Context()).Write)
			w.sim.DeleteWebhook(id)
			assert.Equal(t, WriteCreate, m.Check(t.Context()).Write)
			w.checkCorrect(opts.Wanted)
			w.checkFor(m, 24*time.Hour)
			assert.Len(t, w.requests("a"), 7, "nothing more to write")
		})
	}
}

// TestUnsigned removes the secret in Jira Cloud, the only Jira that returns whether there is one.
func TestUnsigned(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	w.sim.AddWebhook(jirasim.Webhook{Name: opts.Wanted.Name, URL: opts.Wanted.URL, Events: names, JQL: opts.Wanted.JQL})
	report := w.manager("a", opts).Check(t.Context())
	assert.Equal(t, WriteUpdate, report.Write, "without delay: the receiver rejects all deliveries")
	assert.Contains(t, kinds(report.Repaired), KindUnsigned)
	w.checkCorrect(opts.Wanted)
}

// TestRestart checks that a restart writes nothing if the state is stored, and the secret once, after a delay, if it is not.
func TestRestart(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			w.manager("a", opts).Check(t.Context())
			for range 5 {
				w.checkFor(w.manager("b", opts), time.Hour)
			}
			assert.Empty(t, w.requests("b"))

			opts.Store = noStore{}
			for range 20 { // restarts again and again
				w.checkFor(w.manager("c", opts), 2*DefaultInterval)
			}
			assert.Empty(t, w.requests("c"))
			last := w.checkFor(w.manager("c", opts), time.Hour)
			assert.Equal(t, w.signs, len(w.requests("c")) == 1)
			assert.False(t, hasKind(last.Findings, KindSecretUnknown))
		})
	}
}

// TestRotation rotates the secret in the documented order, with a restart for each step.
func TestRotation(t *testing.T) {
	for _, name := range []string{"Cloud", "Data Center 10"} {
		w := newWorld(t, products[name])
		opts := w.options()
		w.manager("a", opts).Check(t.Context())
		w.clock.advance(time.Minute)
		assert.Zero(t, w.manager("a", opts).Check(t.Context()).Write, "the new secret is the second one")
		opts.Wanted.Secret = "second"
		report := w.manager("a", opts).Check(t.Context())
		assert.Equal(t, []Kind{KindSecretOutdated}, kinds(report.Repaired))
		w.checkCorrect(opts.Wanted)
		w.checkFor(w.manager("a", opts), time.Hour)
		assert.Len(t, w.requests("a"), 2)
		require.NoError(t, report.Err())
	}
}

// TestSecretChangedByHand changes only the secret, which shows in wrong signatures.
func TestSecretChangedByHand(t *testing.T) {
	for _, name := range []string{"Cloud", "Data Center 10"} {
		w := newWorld(t, products[name])
		opts := w.options()
		rejected := uint64(0)
		opts.WrongSignatures = func() uint64 { return rejected }
		m := w.manager("a", opts)
		m.Check(t.Context())
		rejected++ // an attacker
		w.checkFor(m, time.Hour)
		assert.Len(t, w.requests("a"), 1, "the webhook was not changed")

		w.sim.EditWebhook(w.ours(opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Secret = "by hand" })
		w.checkFor(m, time.Hour)
		assert.Len(t, w.requests("a"), 1, "signatures are right")
		rejected++
		m.attempts, m.lastWrite = 3, w.clock.Now()
		assert.Equal(t, []Kind{KindSecretUnknown}, kinds(m.Check(t.Context()).Findings), "the manager waits")
		w.clock.advance(time.Hour + time.Second)
		w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpWebhooks, Status: 403, Times: 1}}})
		assert.Equal(t, StateUnknown, m.Check(t.Context()).State())
		report := m.Check(t.Context())
		assert.Equal(t, []Kind{KindSecretUnknown}, kinds(report.Repaired), "the secret stays unknown without further wrong signatures")
		w.checkCorrect(opts.Wanted)
		rejected++
		w.checkFor(m, time.Hour)
		assert.Len(t, w.requests("a"), 2)
	}
}

// TestVerifyFindsAnotherSecret checks that wrong signatures are a finding until a delivery has the right one.
func TestVerifyFindsAnotherSecret(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	opts.Mode = ModeVerify
	rejected, delivered := uint64(0), w.clock.Now()
	opts.WrongSignatures = func() uint64 { return rejected }
	opts.LastDelivery = func() time.Time { return delivered }
	m := w.manager("a", opts)
	w.sim.AddWebhook(jirasim.Webhook{
		Name: opts.Wanted.Name, URL: opts.Wanted.URL, Events: names, JQL: opts.Wanted.JQL, Secret: "other",
	})
	check := func() []Kind {
		w.clock.advance(DefaultInterval)
		report := m.Check(t.Context())
		assert.Equal(t, len(report.Findings) > 0, report.State() == StateProblem)
		return kinds(report.Findings)
	}
	assert.Empty(t, check())
	rejected++
	delivered = w.clock.Now().Add(time.Minute)
	assert.Empty(t, check(), "a stranger, beside authentic deliveries")
	rejected++
	assert.Equal(t, []Kind{KindSecretDiffers}, check())
	assert.Equal(t, []Kind{KindSecretDiffers}, check(), "nothing has happened since")
	delivered = w.clock.Now().Add(time.Minute)
	assert.Empty(t, check())
	assert.Empty(t, check())
	assert.Empty(t, w.requests("a"))
}

// TestOthersStay checks that webhooks that are not ours stay as they are, and when they keep ours from being created.
func TestOthersStay(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			add := func(name, url string) int {
				return w.sim.AddWebhook(jirasim.Webhook{Name: name, URL: url, Events: []string{"user_created"}, ExcludeBody: true, Secret: "theirs"})
			}
			add("otelcol-jira", "https://old.acme.com/jira/events")
			add("otelcol-jira", "https://hooks.acme.com/jira/events2")
			add("other", "https://other.acme.com/")
			byHand := add("by hand", opts.Wanted.URL)
			before := w.sim.Webhooks()
			m := w.manager("a", opts)
			last := w.checkFor(m, time.Hour)
			assert.Empty(t, w.requests("a"), "events would arrive twice")
			assert.ElementsMatch(t, []Kind{KindMissing, KindOtherName, KindOtherURL, KindOtherURL}, otherThan(kinds(last.Findings), KindCannotSign))
			assert.Equal(t, before, w.sim.Webhooks())

			w.sim.DeleteWebhook(byHand)
			before = w.sim.Webhooks()
			w.checkFor(m, time.Hour)
			w.checkCorrect(opts.Wanted)
			assert.Equal(t, before, w.sim.Webhooks()[:3])

			old := add("otelcol-jira", "https://hooks.acme.com/jira/events?token=old")
			w.sim.EditWebhook(w.ours(opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Disabled = true })
			w.checkFor(m, time.Hour)
			w.checkCorrect(opts.Wanted)
			for _, webhook := range w.sim.Webhooks() {
				if webhook.ID == old {
					assert.Equal(t, []string{"user_created"}, webhook.Events)
				}
			}
		})
	}
}

func otherThan(list []Kind, kind Kind) (rest []Kind) {
	for _, k := range list {
		if k != kind {
			rest = append(rest, k)
		}
	}
	return rest
}

// TestSeveralOfOurs checks that one of several webhooks that are ours is repaired, and that none is deleted.
func TestSeveralOfOurs(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			m := w.manager("a", opts)
			m.Check(t.Context())
			id := w.ours(opts.Wanted)[0].ID
			twin := w.sim.DuplicateWebhook(id)
			w.sim.EditWebhook(id, func(webhook *jirasim.Webhook) { webhook.Disabled = true })
			w.sim.EditWebhook(twin, func(webhook *jirasim.Webhook) { webhook.JQL, webhook.Disabled = "", true })
			last := w.checkFor(m, 24*time.Hour)
			assert.Contains(t, kinds(last.Findings), KindDuplicates)
			assert.Equal(t, StateProblem, last.State())
			require.Error(t, last.Err())
			ours := w.ours(opts.Wanted)
			require.Len(t, ours, 2)
			assert.False(t, ours[0].Disabled)
			assert.True(t, ours[1].Disabled, "the other one stays")
			assert.Len(t, w.requests("a"), 2, "writes do not alternate")
		})
	}
}

// TestTwoManagersAtOnce lets two managers create the webhook at the same moment.
func TestTwoManagersAtOnce(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			a := w.manager("a", opts)
			opts.Store = newStore()
			b := w.manager("b", opts)
			connect := a.opts.Connect
			a.opts.Connect = func(ctx context.Context) (API, error) {
				api, err := connect(ctx)
				return hookedAPI{api, func() { b.Check(ctx) }}, err
			}
			a.Check(t.Context())
			a.opts.Connect = connect
			twins := len(w.ours(opts.Wanted))
			assert.Equal(t, map[bool]int{true: 2, false: 1}[w.signs], twins, "Data Center 9 rejects a twin")
			for range 36 {
				a.Check(t.Context())
				b.Check(t.Context())
				w.clock.advance(DefaultInterval)
			}
			assert.Len(t, w.ours(opts.Wanted), twins, "no further one, and none deleted")
			assert.LessOrEqual(t, len(w.requests("a"))+len(w.requests("b")), 4)
			checkRequests(t, w.requests("a"))
			checkRequests(t, w.requests("b"))
		})
	}
}

// TestContestedWebhook lets two managers want different events.
func TestContestedWebhook(t *testing.T) {
	for name, site := range someProducts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			a := w.manager("a", opts)
			opts.Store, opts.Wanted.Events = newStore(), names[:1]
			b := w.manager("b", opts)
			for n := range 7 * 24 {
				a.Check(t.Context())
				b.Check(t.Context())
				w.clock.advance(DefaultInterval)
				if n > 12 {
					w.clock.advance(50 * time.Minute)
				}
			}
			for _, sender := range []string{"a", "b"} {
				checkRequests(t, w.requests(sender))
				assert.Less(t, len(w.requests(sender)), 20, "in a week")
			}
		})
	}
}

// checkRequests fails if a sender has sent more than three writes in an hour, or has deleted a webhook.
func checkRequests(t *testing.T, requests []request) {
	t.Helper()
	var times []time.Time
	for _, r := range requests {
		times = append(times, r.at)
		require.Contains(t, []string{http.MethodPost, http.MethodPut}, r.method, "nothing is ever deleted")
	}
	slices.SortFunc(times, time.Time.Compare)
	checkWrites(t, times)
}

// TestFailures checks the findings after each failure of a request, and that the limit of writes includes failures.
func TestFailures(t *testing.T) {
	failure := func(operation jirasim.Operation, status int) jirasim.Failure {
		return jirasim.Failure{Operation: operation, Status: status}
	}
	for name, tt := range map[string]struct {
		failure jirasim.Failure
		want    Kind
		writes  bool
	}{
		"401 of the list":     {failure(jirasim.OpWebhooks, 401), KindUnauthorized, false},
		"403 of the list":     {failure(jirasim.OpWebhooks, 403), KindForbidden, false},
		"404 of the list":     {failure(jirasim.OpWebhooks, 404), KindUnsupported, false},
		"429 of the list":     {failure(jirasim.OpWebhooks, 429), KindUnreachable, false},
		"500 of the list":     {failure(jirasim.OpWebhooks, 500), KindUnreachable, false},
		"cut list":            {jirasim.Failure{Operation: jirasim.OpWebhooks, Cut: 1}, KindUnreachable, false},
		"login page as list":  {jirasim.LoginPage(jirasim.OpWebhooks), KindUnreachable, false},
		"500 of serverInfo":   {failure(jirasim.OpServerInfo, 500), KindUnreachable, false},
		"400 of the write":    {failure(jirasim.OpWebhookCreate, 400), KindRejected, true},
		"401 of the write":    {failure(jirasim.OpWebhookCreate, 401), KindUnauthorized, true},
		"403 of the write":    {failure(jirasim.OpWebhookCreate, 403), KindForbidden, true},
		"404 of the write":    {failure(jirasim.OpWebhookCreate, 404), KindWriteFailed, true},
		"429 of the write":    {jirasim.RateLimited(jirasim.OpWebhookCreate, 1, 0), KindWriteFailed, true},
		"500 of the write":    {failure(jirasim.OpWebhookCreate, 500), KindWriteFailed, true},
		"no answer to write":  {jirasim.Failure{Operation: jirasim.OpWebhookCreate, Drop: true}, KindWriteFailed, true},
		"login page to write": {jirasim.LoginPage(jirasim.OpWebhookCreate), KindWriteFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			for name, site := range someProducts() {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, site)
					opts := w.options()
					m := w.manager("a", opts)
					w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{tt.failure}})
					report := m.Check(t.Context())
					assert.Contains(t, kinds(report.Findings), tt.want)
					require.Error(t, report.Err())
					assert.NotContains(t, fmt.Sprintf("%v %+v", report.Err(), report.Findings), "t0ken")
					assert.NotContains(t, fmt.Sprintf("%v %+v", report.Err(), report.Findings), "first")
					assert.Equal(t, tt.writes, report.WriteErr != nil)
					if tt.writes {
						w.checkFor(m, 24*time.Hour)
						checkRequests(t, w.requests("a"))
						assert.Greater(t, len(w.requests("a")), 3)
						assert.Less(t, len(w.requests("a")), 10, "in a day")
					} else {
						w.checkFor(m, time.Hour)
						assert.Empty(t, w.requests("a"))
					}
					assert.Empty(t, w.ours(opts.Wanted))
					w.sim.SetFaults(jirasim.Faults{})
					w.checkFor(m, maxWait+time.Hour)
					w.checkCorrect(opts.Wanted)
				})
			}
		})
	}
}

// TestPauseBeforeAWrite lets the client wait before it sends a write, because another request was throttled meanwhile.
func TestPauseBeforeAWrite(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	m := w.manager("a", w.options())
	connect := m.opts.Connect
	wait := 9 * time.Minute
	m.opts.Connect = func(ctx context.Context) (API, error) {
		api, err := connect(ctx)
		return hookedAPI{api, func() { w.clock.advance(wait) }}, err
	}
	w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpWebhookCreate}}})
	m.Check(t.Context())
	wait = 0
	w.clock.advance(5 * time.Minute)
	m.Check(t.Context())
	m.Check(t.Context())
	m.attempts = 0 // only the limit of an hour holds
	assert.WithinDuration(t, w.requests("a")[0].at.Add(time.Hour), m.Check(t.Context()).NextWrite, time.Second)
	for range 90 {
		m.attempts = 0
		m.Check(t.Context())
		w.clock.advance(time.Minute)
	}
	assert.Len(t, w.requests("a"), 6)
	checkRequests(t, w.requests("a"))
}

// TestNextWrite edits the webhook by hand every five minutes. The fourth write comes an hour after the first one.
func TestNextWrite(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	m := w.manager("a", w.options())
	m.Check(t.Context())
	for range 2 {
		w.clock.advance(5 * time.Minute)
		m.attempts = 0 // only the limit of an hour holds
		w.sim.EditWebhook(w.ours(m.opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Disabled = true })
		assert.Equal(t, WriteUpdate, m.Check(t.Context()).Write)
	}
	w.sim.EditWebhook(w.ours(m.opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Disabled = true })
	m.attempts = 0
	report := m.Check(t.Context())
	assert.Zero(t, report.Write)
	assert.WithinDuration(t, start.Add(time.Hour), report.NextWrite, time.Second)
	require.Error(t, report.Err())
}

// TestUncertainWrites uses writes that have their effect, and whose answer is an error.
func TestUncertainWrites(t *testing.T) {
	for name, failure := range map[string]jirasim.Failure{
		"500":        {Late: true},
		"503":        {Late: true, Status: 503},
		"no answer":  {Late: true, Drop: true},
		"login page": {Late: true, Status: 200, HTML: true},
		"cut answer": {Cut: 3},
	} {
		t.Run(name, func(t *testing.T) {
			for name, site := range someProducts() {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, site)
					opts := w.options()
					m := w.manager("a", opts)
					create, update := failure, failure
					create.Operation, update.Operation = jirasim.OpWebhookCreate, jirasim.OpWebhookUpdate
					w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{create}})
					report := m.Check(t.Context())
					require.Error(t, report.WriteErr)
					assert.Contains(t, kinds(report.Repaired), KindMissing, "the list shows the webhook")
					require.Len(t, w.ours(opts.Wanted), 1)
					w.checkFor(m, 4*time.Hour)
					w.checkCorrect(opts.Wanted)
					writes := map[bool]int{true: 2, false: 1}[w.signs]
					assert.Len(t, w.requests("a"), writes, "if there is a secret, it is written again")

					w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{update}})
					w.sim.EditWebhook(w.ours(opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Disabled = true })
					assert.Contains(t, kinds(m.Check(t.Context()).Repaired), KindDisabled)
					w.sim.SetFaults(jirasim.Faults{})
					w.checkFor(m, 4*time.Hour)
					w.checkCorrect(opts.Wanted)
					assert.Len(t, w.requests("a"), 2*writes)
				})
			}
		})
	}
}

// TestLostListAfterWrite fails the list after a write.
func TestLostListAfterWrite(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			m := w.manager("a", opts)
			connect := m.opts.Connect
			lists := 0
			m.opts.Connect = func(ctx context.Context) (API, error) {
				api, err := connect(ctx)
				return lossyList{api, &lists}, err
			}
			report := m.Check(t.Context())
			assert.Equal(t, WriteCreate, report.Write)
			assert.Contains(t, kinds(report.Findings), KindUnreachable)
			m.opts.Connect = connect
			w.checkFor(m, 2*time.Hour)
			w.checkCorrect(opts.Wanted)
			assert.Len(t, w.requests("a"), map[bool]int{true: 2, false: 1}[w.signs])
		})
	}
}

// lossyList fails each second list.
type lossyList struct {
	API
	lists *int
}

func (a lossyList) List(ctx context.Context) ([]jira.Webhook, error) {
	*a.lists++
	if *a.lists%2 == 0 {
		return nil, &jiraapi.Error{Kind: jiraapi.KindTemporary}
	}
	return a.API.List(ctx)
}

// TestJiraThatDropsEvents uses a Jira that accepts a write and leaves out an event that it does not know.
func TestJiraThatDropsEvents(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			m := w.manager("a", opts)
			w.sim.SetFaults(jirasim.Faults{DroppedEvents: names[2:]})
			report := m.Check(t.Context())
			assert.Subset(t, kinds(report.Findings), []Kind{KindEventsMissing, KindIneffective})
			assert.Equal(t, []Kind{KindMissing}, kinds(report.Repaired))
			w.checkFor(m, 7*24*time.Hour)
			checkRequests(t, w.requests("a"))
			assert.Less(t, len(w.requests("a")), 16, "in a week")
			assert.Len(t, w.ours(opts.Wanted), 1)
		})
	}
}

// hidingAPI is a Jira that does not list new webhooks.
type hidingAPI struct{ API }

func (hidingAPI) List(context.Context) ([]jira.Webhook, error) { return nil, nil }

// TestUnlistedWebhook checks that a Jira that accepts a webhook and does not list it gets no twins, over restarts too.
func TestUnlistedWebhook(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			hide := func(m *Manager) *Manager {
				connect := m.opts.Connect
				m.opts.Connect = func(ctx context.Context) (API, error) {
					api, err := connect(ctx)
					return hidingAPI{api}, err
				}
				return m
			}
			for range 10 {
				last := w.checkFor(hide(w.manager("a", opts)), 2*time.Hour)
				assert.Contains(t, kinds(last.Findings), KindNotListed)
			}
			assert.Len(t, w.ours(opts.Wanted), 1)
			w.checkFor(w.manager("a", opts), time.Hour)
			w.checkCorrect(opts.Wanted)
			w.sim.DeleteWebhook(w.ours(opts.Wanted)[0].ID)
			w.checkFor(w.manager("a", opts), time.Hour)
			w.checkCorrect(opts.Wanted)
		})
	}
}

// TestRefusedWrite checks that a write that Jira refuses leaves the secret known.
func TestRefusedWrite(t *testing.T) {
	for _, name := range []string{"Cloud", "Data Center 10"} {
		w := newWorld(t, products[name])
		opts := w.options()
		m := w.manager("a", opts)
		m.Check(t.Context())
		edit := func(isDisabled bool) {
			w.sim.EditWebhook(w.ours(opts.Wanted)[0].ID, func(webhook *jirasim.Webhook) { webhook.Disabled = isDisabled })
		}
		edit(true)
		w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpWebhookUpdate, Status: 400}}})
		assert.Equal(t, WriteUpdate, m.Check(t.Context()).Write)
		edit(false)
		w.checkFor(w.manager("a", opts), 2*time.Hour)
		assert.Len(t, w.requests("a"), 2)
	}
}

// TestClockSetBack stores writes of the far future.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	future := memory{}
	for range 3 {
		future.addWrite(start.AddDate(70, 0, 0))
	}
	store := newStore()
	store.values[storeKey] = future.encode()
	opts.Store = store
	m := w.manager("a", opts)
	w.checkFor(m, time.Hour)
	assert.Empty(t, w.requests("a"))
	w.checkFor(m, 2*DefaultInterval)
	w.checkCorrect(opts.Wanted)
}

// TestStorage checks that no write is sent that cannot be stored, and that the state of another version counts as three
// writes.
func TestStorage(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			store := newStore()
			opts.Store = store
			m := w.manager("a", opts)
			store.failGet = true
			report := m.Check(t.Context())
			assert.Contains(t, kinds(report.Findings), KindStorage)
			require.ErrorIs(t, report.Err(), errStore)
			store.failGet, store.failSets = false, 1
			assert.Contains(t, kinds(m.Check(t.Context()).Findings), KindStorage)
			assert.Empty(t, w.requests("a"))

			store.failSets = 0
			assert.Equal(t, WriteCreate, m.Check(t.Context()).Write)
			sets := store.sets
			w.checkFor(m, 4*time.Hour)
			assert.Equal(t, sets, store.sets, "an unchanged state is not stored again")

			w.sim.DeleteWebhook(w.ours(opts.Wanted)[0].ID)
			store.values[storeKey] = []byte(`{"version": 2}`)
			m = w.manager("b", opts)
			report = m.Check(t.Context())
			assert.Contains(t, kinds(report.Findings), KindStorage)
			w.clock.advance(30 * time.Minute)
			report = m.Check(t.Context())
			assert.NotContains(t, kinds(report.Findings), KindStorage)
			assert.WithinDuration(t, w.clock.Now().Add(30*time.Minute), report.NextWrite, time.Second)
			assert.Empty(t, w.requests("b"))
			w.clock.advance(31 * time.Minute)
			assert.Equal(t, WriteCreate, m.Check(t.Context()).Write)
		})
	}
}

// TestCrashes ends the manager between the storing of a write and the write, and after it, again and again.
func TestCrashes(t *testing.T) {
	for name, site := range someProducts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			opts := w.options()
			store := newStore()
			opts.Store = store
			for n := range 200 {
				m := w.manager("a", opts)
				connect := m.opts.Connect
				ctx, cancel := context.WithCancel(t.Context())
				crash := func() {
					cancel()
					store.failSets = 10 // nothing happens after a crash
				}
				m.opts.Connect = func(ctx context.Context) (API, error) {
					api, err := connect(ctx)
					paused := hookedAPI{api, func() { w.clock.advance(time.Duration(9-n%10) * time.Minute) }}
					return crashingAPI{paused, crash, n%3 == 0}, err
				}
				m.Check(ctx)
				cancel()
				store.failSets = 0
				if n%5 == 0 && len(w.ours(opts.Wanted)) > 0 {
					w.sim.DeleteWebhook(w.ours(opts.Wanted)[0].ID)
				}
				w.clock.advance(time.Minute)
			}
			checkRequests(t, w.requests("a"))
			assert.LessOrEqual(t, len(w.ours(opts.Wanted)), 1)
			w.checkFor(w.manager("a", opts), 2*time.Hour)
			w.checkCorrect(opts.Wanted)
		})
	}
}

// crashingAPI ends the context before or after a webhook is created.
type crashingAPI struct {
	API
	crash  func()
	before bool
}

func (a crashingAPI) Create(ctx context.Context, settings jiraapi.WebhookSettings) error {
	if a.before {
		a.crash()
	}
	defer a.crash()
	return a.API.Create(ctx, settings)
}

// TestStatistics checks that the statistics of Data Center 10 are in the report.
func TestStatistics(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			m := w.manager("a", w.options())
			m.Check(t.Context())
			w.sim.RecordAttempt(w.ours(m.opts.Wanted)[0].ID, jirasim.Attempt{Status: 200})
			w.sim.RecordAttempt(w.ours(m.opts.Wanted)[0].ID, jirasim.Attempt{Status: 401})
			report := m.Check(t.Context())
			if report.Deployment == jiraapi.Cloud || !w.signs {
				assert.Nil(t, report.Statistics)
				return
			}
			require.NotNil(t, report.Statistics)
			assert.Equal(t, []int64{1, 1, 0}, []int64{*report.Statistics.Successes, *report.Statistics.Failures, *report.Statistics.Errors})
			assert.Equal(t, "401", report.Statistics.LastError)
			w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpWebhookStatistics, Status: 404}}})
			report = m.Check(t.Context())
			assert.Nil(t, report.Statistics)
			require.NoError(t, report.Err(), "statistics are not needed")
		})
	}
}

// TestRightsAndStatuses reads the facts about a site that an administrator checks beside the webhook.
func TestRightsAndStatuses(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newWorld(t, site).client("a")
			isAdministrator, err := client.IsAdministrator(t.Context())
			require.NoError(t, err)
			assert.True(t, isAdministrator)
			statuses, err := client.Statuses(t.Context())
			require.NoError(t, err)
			assert.Len(t, statuses, 10)
			assert.Contains(t, statuses, jira.StatusInfo{Status: jira.Status{Named: jira.Named{ID: "3", Name: "In Progress"}, Category: "indeterminate"}})
		})
	}
}

// TestNoAdministrator uses an account without the right to manage webhooks.
func TestNoAdministrator(t *testing.T) {
	for name, site := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, site)
			w.sim.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpWebhooks, Status: 403}}})
			report := w.manager("a", w.options()).Check(t.Context())
			assert.Equal(t, []Kind{KindForbidden}, kinds(report.Findings))
			assert.Contains(t, report.Err().Error(), "Administer Jira")
			assert.Empty(t, w.requests("a"))
		})
	}
}

// TestRun checks the reports of a manager that runs until its context ends.
func TestRun(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	ctx, cancel := context.WithCancel(t.Context())
	var reports []Report
	opts.OnReport = func(r Report) {
		reports = append(reports, r)
		if len(reports) == 3 {
			cancel()
		}
	}
	w.manager("a", opts).Run(ctx)
	require.Len(t, reports, 3)
	assert.Equal(t, WriteCreate, reports[0].Write)
	assert.Equal(t, DefaultInterval, reports[2].At.Sub(reports[1].At).Round(time.Second))
	require.NoError(t, reports[2].Err())
	assert.Equal(t, StateOK, reports[2].State())

	reports = nil
	stopping, stop := context.WithCancel(t.Context())
	opts.Connect = func(ctx context.Context) (API, error) {
		stop()
		return nil, context.Cause(ctx)
	}
	w.manager("a", opts).Run(stopping)
	assert.Empty(t, reports, "a shutdown is not a failure")
}

// TestTakingTurns lets two replicas with one store run one after the other, as after an election.
func TestTakingTurns(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	var stop context.CancelFunc
	opts.OnReport = func(Report) { stop() }
	replicas := map[string]*Manager{"a": w.manager("a", opts), "b": w.manager("b", opts)}
	lead := func(sender string) int {
		before := len(w.requests(sender))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stop = cancel
		replicas[sender].Run(ctx)
		return len(w.requests(sender)) - before
	}
	assert.Equal(t, []int{1, 0}, []int{lead("a"), lead("a")})
	w.sim.DeleteWebhook(w.ours(opts.Wanted)[0].ID)
	assert.Equal(t, []int{1, 0, 0}, []int{lead("b"), lead("a"), lead("b")}, "the other replica knows the secret of the new webhook")
	for range 9 {
		for _, sender := range []string{"a", "b"} {
			for _, webhook := range w.sim.Webhooks() {
				w.sim.DeleteWebhook(webhook.ID)
			}
			replicas[sender].attempts = 0
			lead(sender)
			w.clock.advance(20 * time.Minute)
			lead(sender)
		}
	}
	checkRequests(t, slices.Concat(w.requests("a"), w.requests("b")))
	w.clock.advance(time.Hour)
	lead("a")
	w.checkCorrect(opts.Wanted)
}

// TestErrorsOfOtherTypes checks the finding about an error that is not from the client.
func TestErrorsOfOtherTypes(t *testing.T) {
	w := newWorld(t, products["Cloud"])
	opts := w.options()
	opts.Connect = func(context.Context) (API, error) { return nil, errors.New("cause") }
	report := w.manager("a", opts).Check(t.Context())
	assert.Equal(t, []Kind{KindUnreachable}, kinds(report.Findings))
	assert.True(t, strings.HasPrefix(report.Err().Error(), "registration: the webhooks of Jira could not be read (cause); "))
}
