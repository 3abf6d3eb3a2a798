// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// model is a manager, an administrator and a network that act at random.
type model struct {
	*world
	random  *rand.Rand
	store   *memoryStore
	opts    Options
	manager *Manager
}

// TestModel lets an administrator edit, disable, delete, duplicate and register webhooks, requests fail in all ways, the
// storage fail and the manager restart, all at random. It checks the promises of the package after each check. At the end,
// the administrator removes what only an administrator may remove, and the webhook must become correct.
func TestModel(t *testing.T) {
	runs := 60
	if testing.Short() {
		runs = 6
	}
	names := []string{"Cloud", "Data Center 9", "Data Center 10"}
	for seed := range runs {
		t.Run(fmt.Sprintf("%s %d", names[seed%3], seed), func(t *testing.T) {
			t.Parallel()
			m := &model{world: newWorld(t, products[names[seed%3]]), random: rand.New(rand.NewPCG(uint64(seed), 0)), store: newStore()}
			m.opts = m.options()
			m.opts.Store = m.store
			rejected := uint64(0)
			m.opts.WrongSignatures = func() uint64 {
				if m.hasWrongSecret() {
					rejected++
				}
				return rejected
			}
			m.restart()
			for range 120 {
				m.act()
				m.check()
				m.clock.advance(time.Duration(m.random.Int64N(int64(40 * time.Minute))))
			}
			checkRequests(t, m.requests("a"))
			m.settle()
		})
	}
}

func (m *model) restart() { m.manager = m.world.manager("a", m.opts) }

func (m *model) hasWrongSecret() bool {
	return slices.ContainsFunc(m.ours(m.opts.Wanted), func(w jirasim.Webhook) bool {
		return m.signs && !w.Disabled && w.Secret != string(m.opts.Wanted.Secret)
	})
}

func (m *model) isOurs(w jirasim.Webhook) bool {
	return w.Name == m.opts.Wanted.Name && w.URL == m.opts.Wanted.URL
}

// check runs a check, and compares the webhooks before with those after it.
func (m *model) check() {
	m.t.Helper()
	before := m.sim.Webhooks()
	report := m.manager.Check(m.t.Context())
	text := fmt.Sprintf("%v %+v", report.Err(), report.Findings)
	for _, secret := range []string{"t0ken", "old-t", "secret-"} {
		require.NotContains(m.t, text, secret)
	}
	after := map[int]jirasim.Webhook{}
	for _, w := range m.sim.Webhooks() {
		after[w.ID] = w
	}
	isBlocked := false
	for _, w := range before {
		now, exists := after[w.ID]
		require.True(m.t, exists, "a webhook was deleted")
		if !m.isOurs(w) {
			require.Equal(m.t, w, now, "a webhook that is not ours was changed")
		}
		isBlocked = isBlocked || m.isOurs(w) || !w.Disabled && address(w.URL) == address(m.opts.Wanted.URL)
		delete(after, w.ID)
	}
	require.LessOrEqual(m.t, len(after), 1)
	for _, created := range after {
		require.True(m.t, m.isOurs(created))
		require.False(m.t, isBlocked, "a second webhook for the same address was created")
	}
}

// act lets something happen.
func (m *model) act() {
	all := m.sim.Webhooks()
	one := func(change func(*jirasim.Webhook)) {
		if len(all) > 0 {
			m.sim.EditWebhook(all[m.random.IntN(len(all))].ID, change)
		}
	}
	wanted := m.opts.Wanted
	switch m.random.IntN(16) {
	case 0:
		one(func(w *jirasim.Webhook) { w.Disabled = !w.Disabled })
	case 1:
		one(func(w *jirasim.Webhook) { w.Events = names[:m.random.IntN(4)] })
	case 2:
		one(func(w *jirasim.Webhook) { w.JQL = []string{"", "project = WEB"}[m.random.IntN(2)] })
	case 3:
		one(func(w *jirasim.Webhook) { w.ExcludeBody = true })
	case 4:
		if m.signs {
			one(func(w *jirasim.Webhook) { w.Secret = []string{"", "secret-by-hand"}[m.random.IntN(2)] })
		}
	case 5:
		one(func(w *jirasim.Webhook) {
			w.URL = []string{wanted.URL, "https://hooks.acme.com/jira/events?token=old-t", "https://old.acme.com/"}[m.random.IntN(3)]
		})
	case 6:
		one(func(w *jirasim.Webhook) { w.Name = []string{wanted.Name, "by hand"}[m.random.IntN(2)] })
	case 7:
		m.sim.AddWebhook(jirasim.Webhook{Name: "by hand", URL: []string{wanted.URL, "https://other.acme.com/"}[m.random.IntN(2)], Events: names})
	case 8:
		if len(all) > 0 {
			m.sim.DuplicateWebhook(all[m.random.IntN(len(all))].ID)
		}
	case 9, 10:
		for _, w := range all {
			m.sim.DeleteWebhook(w.ID)
		}
	case 11:
		m.store.failSets = m.random.IntN(2)
		m.restart()
	case 12:
		m.opts.Wanted.Secret += "-secret-"
		m.restart()
	case 13, 14:
		m.sim.SetFaults(jirasim.Faults{Failures: m.failures()})
	default:
		m.sim.SetFaults(jirasim.Faults{})
	}
}

// failures returns failures of all operations.
func (m *model) failures() (list []jirasim.Failure) {
	operations := []jirasim.Operation{
		jirasim.OpServerInfo, jirasim.OpWebhooks, jirasim.OpWebhookCreate, jirasim.OpWebhookUpdate, jirasim.OpWebhookCreate,
		jirasim.OpWebhookUpdate, jirasim.OpAny,
	}
	for range 1 + m.random.IntN(3) {
		f := jirasim.Failure{
			Operation: operations[m.random.IntN(len(operations))], Every: 1 + m.random.IntN(2), Skip: m.random.IntN(2), Times: m.random.IntN(4),
			Status: []int{400, 401, 403, 404, 409, 429, 500, 502, 503, 200}[m.random.IntN(10)], Late: m.random.IntN(2) == 0,
		}
		f.HTML = f.Status == 200
		switch m.random.IntN(5) {
		case 0:
			f.Drop = true
		case 1:
			f.Cut = 1 + m.random.IntN(20)
		}
		list = append(list, f)
	}
	return list
}

// settle ends all disturbances, and expects the correct webhook after the longest wait.
func (m *model) settle() {
	m.t.Helper()
	m.sim.SetFaults(jirasim.Faults{})
	m.store.failSets = 0
	kept := false
	for _, w := range m.sim.Webhooks() {
		isBlocking := !m.isOurs(w) && address(w.URL) == address(m.opts.Wanted.URL)
		if isBlocking || m.isOurs(w) && kept {
			m.sim.DeleteWebhook(w.ID)
		}
		kept = kept || m.isOurs(w)
	}
	for range 26 {
		m.check()
		m.clock.advance(time.Hour)
	}
	m.check()
	m.checkCorrect(m.opts.Wanted)
	writes := len(m.requests("a"))
	report := m.manager.Check(m.t.Context())
	assert.Equal(m.t, !m.signs, report.Err() != nil)
	assert.Len(m.t, m.requests("a"), writes)
}
