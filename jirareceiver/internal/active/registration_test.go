// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// products are the products whose administration of webhooks differs.
var products = map[string]jirasim.Site{
	"Cloud":          {Deployment: jirasim.Cloud},
	"Data Center 9":  {Deployment: jirasim.DataCenter, Version: 9},
	"Data Center 10": {Deployment: jirasim.DataCenter, Version: 10},
}

// checkEvery is the time between two checks of the registration.
const checkEvery = registration.DefaultInterval

// tokenInURL is how Jira Data Center 9, which cannot sign, authenticates.
const tokenInURL = "?token=t0ken-in-url"

// registered returns a plant with a receiver that checks the registration. The plant has webhooks of others only.
func registered(t *testing.T, s jirasim.Site, mode registration.Mode, configure func(*jirareceiver.Config)) *plant {
	t.Helper()
	p := newPlant(t, s)
	p.DeleteWebhook(p.hook)
	p.configure = func(cfg *jirareceiver.Config) {
		cfg.Registration.Mode = mode
		if s.Version == 9 {
			cfg.Signature.Secrets = nil
			cfg.Token.Values, cfg.Token.QueryParameter = []configopaque.String{"t0ken-in-url"}, "token"
			cfg.Registration.URL = hookURL + tokenInURL
		}
		if configure != nil {
			configure(cfg)
		}
	}
	p.AddWebhook(jirasim.Webhook{Name: "of another team", URL: "https://chat.example.com/hook", Events: []string{"jira:issue_created"}})
	p.AddWebhook(jirasim.Webhook{Name: "switched off", URL: "https://hooks.example.com/old", Disabled: true})
	return p
}

// byHand registers the webhook as an administrator does.
func (p *plant) byHand() int {
	w := p.webhook()
	if p.Version == 9 {
		w.URL, w.Secret = w.URL+tokenInURL, ""
	}
	return p.AddWebhook(w)
}

// pass lets time pass.
func (p *plant) pass(t *testing.T, d time.Duration) {
	t.Helper()
	p.runUntil(t, p.Now().Add(d))
}

// ours returns our webhook in Jira, or nil.
func (p *plant) ours() *jirasim.Webhook {
	for _, w := range p.Webhooks() {
		if w.Name == "otelcol-jira" {
			return &w
		}
	}
	return nil
}

// assertOthersStay checks that the webhooks of others are as they were.
func (p *plant) assertOthersStay(t *testing.T) {
	t.Helper()
	all := p.Webhooks()
	require.GreaterOrEqual(t, len(all), 2)
	assert.Equal(t, "of another team", all[0].Name)
	assert.Equal(t, "switched off", all[1].Name)
	assert.True(t, all[1].Disabled)
	for _, w := range all[:2] {
		assert.Equal(t, outageStart.Add(-warmUp), w.Updated.UTC(), w.Name)
	}
	assert.Zero(t, p.Requests()[jirasim.OpWebhookDelete])
}

func (p *plant) writes() int {
	return p.Requests()[jirasim.OpWebhookCreate] + p.Requests()[jirasim.OpWebhookUpdate]
}

// assertState checks the metrics of a state and of its findings.
func (p *plant) assertState(t *testing.T, state string, findings ...string) {
	t.Helper()
	for _, s := range []string{"ok", "problem", "unknown"} {
		want := 0
		if s == state {
			want = 1
		}
		assert.Equal(t, want, p.count("registration_state", "state", s), s)
	}
	assert.Equal(t, len(findings), p.count("registration_findings"))
	for _, f := range findings {
		assert.Equal(t, 1, p.count("registration_findings", "finding", f), f)
	}
}

// told returns what the log contains about the registration since the last call.
func (p *plant) told(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, entry := range p.current.logs.TakeAll() {
		fields := entry.ContextMap()
		if fields["finding"] != nil || fields["write"] != nil || strings.Contains(entry.Message, "webhook in Jira") {
			lines = append(lines, fmt.Sprintf("%s %s %v %v", entry.Level, entry.Message, fields["finding"], fields["hint"]))
		}
	}
	return strings.Join(lines, "\n")
}

func forEachProduct(t *testing.T, test func(t *testing.T, s jirasim.Site)) {
	t.Helper()
	for name, s := range products {
		if testing.Short() && s.Version == 9 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// TestVerify shows an administrator what is wrong, and that it is right again. It writes nothing.
func TestVerify(t *testing.T) {
	t.Parallel()
	forEachProduct(t, func(t *testing.T, s jirasim.Site) {
		t.Helper()
		p := registered(t, s, registration.ModeVerify, nil)
		p.start(t)
		p.assertState(t, "problem", "missing")
		p.current.assertStatus(t, componentstatus.StatusRecoverableError, "registration: the webhook is not registered in "+
			"Jira; register it in Jira with exactly the name and the URL of the configuration")
		assert.Equal(t, "warn the webhook is not registered in Jira missing "+
			"register it in Jira with exactly the name and the URL of the configuration", p.told(t))
		p.pass(t, checkEvery)
		assert.Empty(t, p.told(t), "each finding is logged once")

		id := p.byHand()
		p.pass(t, checkEvery)
		p.assertState(t, "ok")
		p.current.assertOK(t)
		assert.Contains(t, p.told(t), "info The webhook in Jira is as configured")

		p.EditWebhook(id, func(w *jirasim.Webhook) {
			w.Disabled, w.ExcludeBody, w.JQL = true, true, "project = OPS"
			removeEvents(w)
		})
		p.pass(t, checkEvery)
		p.assertState(t, "problem", "disabled", "events_missing", "jql_differs", "body_excluded")
		p.current.assertStatus(t, componentstatus.StatusRecoverableError, "the webhook is disabled in Jira; enable it")
		assert.Zero(t, p.writes())
		assert.Zero(t, p.count("registration_writes"))
		p.assertOthersStay(t)
	})
}

// TestManage registers the webhook and repairs it, with at most three writes an hour.
func TestManage(t *testing.T) {
	t.Parallel()
	forEachProduct(t, func(t *testing.T, s jirasim.Site) {
		t.Helper()
		p := registered(t, s, registration.ModeManage, nil)
		p.start(t)
		w := p.ours()
		require.NotNil(t, w)
		assert.Equal(t, p.config().Registration.URL, w.URL)
		assert.Equal(t, p.webhook().Events, w.Events)
		assert.Equal(t, map[bool]string{true: "", false: secret}[s.Version == 9], w.Secret)
		assert.Equal(t, 1, p.count("registration_writes", "write", "create", "result", "ok"))
		p.assertState(t, "ok")
		p.current.assertOK(t)
		assert.Contains(t, p.told(t), "info Wrote the webhook in Jira")

		p.EditWebhook(w.ID, func(w *jirasim.Webhook) { w.Disabled, w.JQL = true, "project = OPS" })
		p.pass(t, checkEvery)
		assert.Equal(t, 1, p.count("registration_writes", "write", "update", "result", "ok"))
		assert.False(t, p.ours().Disabled)
		assert.Empty(t, p.ours().JQL)
		p.current.assertOK(t)

		p.DeleteWebhook(w.ID)
		p.pass(t, checkEvery)
		require.NotNil(t, p.ours())
		assert.Equal(t, 3, p.writes())
		p.told(t)

		p.EditWebhook(p.ours().ID, disable)
		p.pass(t, checkEvery)
		assert.Equal(t, 3, p.writes(), "no more in this hour")
		p.assertState(t, "problem", "disabled")
		p.current.assertStatus(t, componentstatus.StatusRecoverableError, "the webhook is disabled in Jira")
		assert.Contains(t, p.told(t), "warn the webhook is disabled in Jira disabled enable it")
		p.pass(t, time.Hour)
		assert.Equal(t, 4, p.writes())
		assert.False(t, p.ours().Disabled)
		p.assertState(t, "ok")
		p.current.assertOK(t)
		p.assertOthersStay(t)
		assert.Positive(t, p.count("deliveries", "outcome", "accepted"), "the webhook works")
		assert.Zero(t, p.count("rejected_deliveries"))
		p.pass(t, 2*checkEvery)
		if s.Version == 10 {
			assert.Positive(t, p.count("registration_deliveries", "delivery", "success"))
			assert.Zero(t, p.count("registration_deliveries", "delivery", "error"))
			p.lose = everything
			p.pass(t, 2*checkEvery)
			assert.Positive(t, p.count("registration_deliveries", "delivery", "error"))
		} else {
			assert.Zero(t, p.count("registration_deliveries"))
		}
	})
}

// TestNoAdministrator has an account that may read issues and not webhooks. Polling goes on.
func TestNoAdministrator(t *testing.T) {
	t.Parallel()
	forEachProduct(t, func(t *testing.T, s jirasim.Site) {
		t.Helper()
		for _, mode := range []registration.Mode{registration.ModeVerify, registration.ModeManage} {
			p := registered(t, s, mode, nil)
			p.byHand()
			p.SetAdministrator(false)
			p.lose = third
			p.start(t)
			p.pass(t, time.Hour)
			p.assertState(t, "unknown", "forbidden")
			p.current.assertStatus(t, componentstatus.StatusRecoverableError, "registration: the account may not read the "+
				"webhooks of Jira")
			p.current.assertStatus(t, componentstatus.StatusRecoverableError, "; give the account the permission Administer "+
				"Jira, or set registration::mode to off")
			assert.Contains(t, p.told(t), "warn the account may not read the webhooks of Jira forbidden give the account")
			assert.Zero(t, p.writes())
			assert.Zero(t, p.count("poll_run_duration")-p.count("poll_run_duration", "result", "ok"))
			assert.Positive(t, p.count("poll_events", "source", "repair"))
			p.SetAdministrator(true)
			p.pass(t, checkEvery)
			assert.NotContains(t, p.told(t), "forbidden")
			p.current.assertOK(t)
			p.assertOthersStay(t)
		}
	})
}

// TestCannotSign has a Data Center 9, which cannot sign, and a receiver with secrets.
func TestCannotSign(t *testing.T) {
	t.Parallel()
	p := registered(t, products["Data Center 9"], registration.ModeVerify, func(cfg *jirareceiver.Config) {
		cfg.Signature.Secrets = []configopaque.String{secret}
	})
	p.byHand()
	p.start(t)
	p.assertState(t, "problem", "cannot_sign")
	p.current.assertStatus(t, componentstatus.StatusRecoverableError, "this version of Jira cannot sign deliveries; "+
		"add a token to the URL, and set token::query_parameter and token::values")
}

// TestSilentWebhook has changes and no webhook for 30 minutes. A delivery ends the silence.
func TestSilentWebhook(t *testing.T) {
	t.Parallel()
	const silence = "Jira has changed, and no webhook has arrived for 30 minutes"
	p := registered(t, products["Cloud"], registration.ModeVerify, func(cfg *jirareceiver.Config) {
		cfg.Registration.Interval = 7 * time.Minute // the last check is later than the last run
	})
	p.byHand()
	p.start(t)
	p.pass(t, 20*time.Minute)
	for n := range 2 {
		p.lose = everything
		p.pass(t, 29*time.Minute)
		assert.Positive(t, p.count("poll_events", "source", "repair"))
		p.current.assertOK(t)
		assert.Len(t, p.current.messages(silence), n)
		p.pass(t, 15*time.Minute)
		p.current.assertStatus(t, componentstatus.StatusRecoverableError, "registration: "+silence+"; check the webhook in Jira")
		assert.Len(t, p.current.messages(silence), n+1)
		assert.Equal(t, 1, p.count("registration_findings", "finding", "silent"))

		p.lose = nil
		p.pass(t, 20*time.Minute)
		assert.Positive(t, p.count("deliveries", "outcome", "accepted"))
		p.current.assertOK(t)
		assert.Len(t, p.current.messages("Webhooks arrive again"), n+1)
		assert.Zero(t, p.count("registration_findings", "finding", "silent"))
	}
}

// elector is an extension that elects a leader.
type elector struct {
	component.StartFunc
	component.ShutdownFunc
	onBegin func(context.Context)
	onEnd   func()
}

// SetCallBackFuncs is called by the receiver.
func (e *elector) SetCallBackFuncs(onBegin func(context.Context), onEnd func()) {
	e.onBegin, e.onEnd = onBegin, onEnd
}

// replica is one of several collectors.
type replica struct {
	*collector
	*elector
	cancel context.CancelFunc
}

var electorID = component.MustNewID("k8s_leader_elector")

func (p *plant) replica(t *testing.T) *replica {
	t.Helper()
	e := &elector{}
	return &replica{p.run(t, newDisk(), options{}.with(electorID, e)), e, nil}
}

// lead makes a replica the leader.
func (r *replica) lead(t *testing.T) {
	t.Helper()
	r.work(1)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	r.onBegin(ctx)
	r.settle(t)
}

// resign ends the leadership.
func (r *replica) resign(t *testing.T) {
	t.Helper()
	r.settle(t)
	r.work(-1)
	r.cancel()
	r.onEnd()
	r.settle(t)
}

// moves are the ways in which the leadership of two replicas moves. Each time, there is no leader for a minute.
var moves = []struct {
	name     string
	at       []int // percent of the outage
	toLeader bool  // the replica that polls gets all webhooks, and not one after the other
}{
	{"once, webhooks to the leader", []int{90}, true},
	{"once, webhooks to both", []int{90}, false},
	{"four times, webhooks to the leader", []int{10, 35, 60, 85}, true},
	{"four times, webhooks to both", []int{10, 35, 60, 85}, false},
}

// assertDoubled checks that all doubled changes happened within a time before the leadership moved.
func (p *plant) assertDoubled(t *testing.T, moved time.Time) {
	t.Helper()
	cfg := p.config()
	since := moved.Add(-cfg.Poll.Grace - cfg.Poll.Overlap - time.Minute)
	for _, all := range p.records() {
		if len(all) > 1 {
			assert.WithinRange(t, all[0].time, since, moved)
		}
	}
}

// TestTwoReplicas has two receivers, of which one polls. Nothing is lost when the leadership moves. The memory of each
// replica is its own, so that changes are doubled.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	for n, m := range moves {
		if testing.Short() && n > 1 {
			break
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, jirasim.Site{Deployment: jirasim.DataCenter})
			p.configure = func(cfg *jirareceiver.Config) { cfg.LeaderElector = &electorID }
			p.lose = half
			replicas := []*replica{p.replica(t), p.replica(t)}
			leader, sent := 0, 0
			p.route = func(jirasim.Delivery) *collector {
				sent++
				if m.toLeader {
					return replicas[leader].collector
				}
				return replicas[sent%2].collector
			}
			replicas[leader].lead(t)
			for _, percent := range m.at {
				at(percent, func(t *testing.T, _ *plant) {
					t.Helper()
					replicas[leader].resign(t)
				})(t, p)
				at(percent+2, func(t *testing.T, _ *plant) {
					t.Helper()
					leader = 1 - leader
					replicas[leader].lead(t)
				})(t, p)
			}
			p.runUntil(t, outageStart)
			assert.Positive(t, replicas[0].attempts())
			assert.Zero(t, replicas[1].attempts(), "it is not the leader")
			assert.Zero(t, replicas[1].requests("ok"))
			p.runUntil(t, p.end())
			replicas[leader].assertOK(t)
			row := p.outcome(t)
			assert.Zero(t, row.lost)
			if len(m.at) == 1 && m.toLeader {
				p.assertDoubled(t, outageStart.Add(scaled().length*time.Duration(m.at[0]+2)/100))
			}
			t.Logf("%s\n%s%s", m.name, header, row)
		})
	}
}
