// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// warmUp is the time between the start of the receiver and the outage.
const warmUp = 20 * time.Minute

var outageStart = start.Add(34 * time.Hour)

// historyLength is longer than any test.
const historyLength = 3 * time.Hour

// scale is the size of the outages.
type scale struct {
	load     int           // the team works on many issues, so that the outage has all kinds of changes
	length   time.Duration // of the outage
	recovery time.Duration // after the outage; the last retry of Jira Cloud is 75 minutes after the event
	crashes  int           // of the ten crashes
}

// scaled returns the size of the outages. The short form is smaller.
func scaled() scale {
	if testing.Short() {
		return scale{load: 10, length: 20 * time.Minute, recovery: time.Hour, crashes: 2}
	}
	return scale{load: 30, length: time.Hour, recovery: 2 * time.Hour, crashes: 10}
}

func outageEnd() time.Time { return outageStart.Add(scaled().length) }

// hookURL is the address to which Jira posts. The test forwards it to the receiver that runs.
const hookURL = "https://hooks.example.com/jira/events"

// plant is a Jira that posts webhooks to a receiver in the mode repair, on a common clock.
type plant struct {
	*jirasim.API
	jirasim.Site
	*timeline
	url         string
	credentials *credentials
	disk        *disk
	hook        int // id of the webhook in Jira

	configure func(*jirareceiver.Config) // changes the configuration of the following starts; may be nil
	// lose decides whether the network loses the request or the answer of an attempt. It may be nil.
	lose func(d jirasim.Delivery, retry int) loss
	// route returns the receiver to which Jira posts an event, or nil if none runs.
	route func(d jirasim.Delivery) *collector

	agenda    []happening
	random    *rand.Rand
	transport *http.Transport
	current   *collector   // nil while none runs
	all       []*collector // that were started
	late      int          // retries with the answer 200
}

// loss is the part of an exchange that the network loses.
type loss int

const (
	lossNone loss = iota
	lossRequest
	lossAnswer
)

// happening is something that happens at a time.
type happening struct {
	at time.Time
	do func()
}

// collector is a process with a receiver.
type collector struct {
	*testReceiver
	*process
	url        string
	goroutines int // that sleep or work
}

func newPlant(t *testing.T, s jirasim.Site) *plant {
	t.Helper()
	s.Start, s.Seed, s.Load = start, 17, scaled().load
	admin := account
	admin.Administrator = true
	p := &plant{
		API: jirasim.NewAPI(s, admin), Site: s, timeline: newTimeline(outageStart.Add(-warmUp)), credentials: newCredentials(admin),
		disk: newDisk(), random: rand.New(rand.NewPCG(1, 1)), transport: jirasim.NewTransport(),
	}
	p.route = func(jirasim.Delivery) *collector { return p.current }
	p.Follow(p.Now)
	server := httptest.NewServer(p.API)
	t.Cleanup(func() {
		p.transport.CloseIdleConnections()
		server.Close()
		p.Close()
	})
	p.url = server.URL + p.ContextPath()
	p.hook = p.AddWebhook(p.webhook())
	for _, d := range p.historyOf(t).deliveries {
		p.plan(d.At, func() { p.happen(t, d) })
	}
	return p
}

// webhook returns the webhook that the receiver needs.
func (p *plant) webhook() jirasim.Webhook {
	w := jirasim.Webhook{
		Name: "otelcol-jira", URL: hookURL, Secret: secret,
		Events: registration.DefaultEvents(map[jirasim.Deployment]jiraapi.Deployment{
			jirasim.Cloud: jiraapi.Cloud, jirasim.DataCenter: jiraapi.DataCenter,
		}[p.Deployment]),
	}
	return w
}

// end returns the end of the test.
func (*plant) end() time.Time { return outageEnd().Add(scaled().recovery) }

// plan lets something happen.
func (p *plant) plan(at time.Time, do func()) {
	n, _ := slices.BinarySearchFunc(p.agenda, at, func(h happening, at time.Time) int {
		if h.at.After(at) {
			return 1
		}
		return -1
	})
	p.agenda = slices.Insert(p.agenda, n, happening{at, do})
}

// runUntil lets everything happen until a time.
func (p *plant) runUntil(t *testing.T, end time.Time) {
	t.Helper()
	for len(p.agenda) > 0 && !p.agenda[0].at.After(end) {
		next := p.agenda[0]
		p.agenda = p.agenda[1:]
		p.timeline.runUntil(t, next.at)
		next.do()
	}
	p.timeline.runUntil(t, end)
}

// happen posts an event to the webhooks in Jira that contain it.
func (p *plant) happen(t *testing.T, d jirasim.Delivery) {
	t.Helper()
	for _, w := range p.Targets(d) {
		to := d
		if d.ID != "" {
			to.ID = fmt.Sprintf("%s-%d", d.ID, w.ID)
		}
		p.attempt(t, w, to, 0)
	}
}

// attempt posts an event, and plans the next attempt as Jira does.
func (p *plant) attempt(t *testing.T, w jirasim.Webhook, d jirasim.Delivery, retry int) {
	t.Helper()
	const retries = 5
	a := p.post(t, w, d, retry)
	p.RecordAttempt(w.ID, a)
	isRepeated := a.Err != nil || a.Status >= 500 || slices.Contains([]int{408, 409, 425, 429}, a.Status)
	switch {
	case a.Err == nil && a.Status == http.StatusOK && retry > 0:
		p.late++
	case isRepeated && retry < retries && p.Deployment == jirasim.Cloud:
		pause := 5*time.Minute + time.Duration(p.random.Int64N(int64(10*time.Minute)))
		p.plan(p.Now().Add(pause), func() { p.attempt(t, w, d, retry+1) })
	}
}

var errLost = errors.New("lost in the network")

func (p *plant) post(t *testing.T, w jirasim.Webhook, d jirasim.Delivery, retry int) jirasim.Attempt {
	t.Helper()
	to, lost := p.route(d), lossNone
	if p.lose != nil {
		lost = p.lose(d, retry)
	}
	if to == nil || to.hasCrashed() || lost == lossRequest {
		return jirasim.Attempt{Err: errLost}
	}
	key := []byte(w.Secret)
	if p.Deployment == jirasim.DataCenter && p.Version != 0 && p.Version < 10 {
		key = nil
	}
	_, query, _ := strings.Cut(w.URL, "?")
	request, err := jirasim.NewRequest(t.Context(), to.url+"?"+query, key, d, retry)
	require.NoError(t, err)
	response, err := p.transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	if lost == lossAnswer || to.hasCrashed() {
		return jirasim.Attempt{Err: errLost}
	}
	return jirasim.Attempt{Status: response.StatusCode}
}

// config returns the configuration of a receiver in the mode repair.
func (p *plant) config() *jirareceiver.Config {
	cfg := listenConfig()
	cfg.Poll = active.NewPollConfig()
	cfg.Poll.Mode = active.ModeRepair
	cfg.API.ClientConfig.Endpoint = p.url
	cfg.Registration.URL = hookURL
	if p.configure != nil {
		p.configure(cfg)
	}
	return cfg
}

// run starts a collector, with a sink of its own, and waits until it sleeps. It does not become the current one.
func (p *plant) run(t *testing.T, d *disk, extensions options) *collector {
	t.Helper()
	cfg, c := p.config(), &collector{}
	c.process = newProcess(p.timeline, &c.goroutines)
	o := extensions.withCredentials(cfg, p.credentials).withStorage(cfg, mounted{disk: d, by: c.process})
	o.sink = &sink{consume: func(context.Context, plog.Logs) error { return c.alive() }}
	c.testReceiver = create(t, cfg, o)
	if cfg.LeaderElector == nil {
		c.work(goroutinesOf(cfg))
	}
	require.NoError(t, c.Start(active.WithClock(t.Context(), c.process), c.host))
	p.settle(t)
	lines := c.messages("Waiting for Jira")
	require.Len(t, lines, 1)
	c.url = lines[0].ContextMap()["url"].(string)
	p.all = append(p.all, c)
	return c
}

func goroutinesOf(cfg *jirareceiver.Config) (n int) {
	for _, isOn := range []bool{cfg.Poll.IsOn(), cfg.Registration.IsOn()} {
		if isOn {
			n++
		}
	}
	return n
}

// work changes the number of goroutines of a collector.
func (c *collector) work(more int) {
	c.goroutines += more
	c.expect(more)
}

// start starts the current collector.
func (p *plant) start(t *testing.T) {
	t.Helper()
	p.current = p.run(t, p.disk, options{})
}

// stop shuts the current collector down.
func (p *plant) stop(t *testing.T) {
	t.Helper()
	p.settle(t)
	p.current.work(-p.current.goroutines)
	p.transport.CloseIdleConnections()
	require.NoError(t, p.current.Shutdown(t.Context()))
	p.current = nil
}

// crashSoon lets the current collector crash when the pipeline has taken the next events, and no later ones.
func (p *plant) crashSoon(*testing.T) {
	const saved = 150 * time.Millisecond // on the real clock, until the memory of events is saved
	time.Sleep(saved)
	c := p.current
	c.consume = func(context.Context, plog.Logs) error {
		defer c.kill()
		return c.alive()
	}
}

// startAgain starts a collector after a crash.
func (p *plant) startAgain(t *testing.T) {
	t.Helper()
	p.current.kill()
	p.transport.CloseIdleConnections()
	p.start(t)
}

// count sums a metric of all collectors up.
func (p *plant) count(metric string, attributes ...string) (total int) {
	for _, c := range p.all {
		total += int(c.count(metric, attributes...))
	}
	return total
}

// records returns the records of all collectors by uid.
func (p *plant) records() map[string][]event {
	records := map[string][]event{}
	for _, c := range p.all {
		for _, e := range c.all() {
			records[e.uid] = append(records[e.uid], e)
		}
	}
	return records
}

// teamHistory is what happens from the start of the receiver on.
type teamHistory struct {
	once       sync.Once
	deliveries []jirasim.Delivery
	events     map[string]event // of the webhooks, by uid
	scope      map[string]event // that the REST API contains too, during the outage
}

var teamHistories = map[jirasim.Deployment]*teamHistory{jirasim.Cloud: {}, jirasim.DataCenter: {}}

// historyOf returns the history of the team.
func (p *plant) historyOf(t *testing.T) *teamHistory {
	t.Helper()
	h := teamHistories[p.Deployment]
	h.once.Do(func() {
		for d := range jirasim.Team(p.Site) {
			if d.At.After(outageStart.Add(historyLength)) {
				break
			}
			if d.At.After(outageStart.Add(-warmUp)) {
				h.deliveries = append(h.deliveries, d)
			}
		}
		h.events = receive(t, listenConfig(), h.deliveries, p.Deployment)
		gone := newHappenings(h.events, nil)
		h.scope = maps.Clone(h.events)
		maps.DeleteFunc(h.scope, func(_ string, e event) bool {
			return e.time.Before(outageStart) || !e.time.Before(outageEnd()) ||
				slices.ContainsFunc(onlyWebhooks, func(a absence) bool { return a.explains(gone, p.Deployment, e) })
		})
	})
	return h
}

// outcome is a row of the table: numbers of changes.
type outcome struct{ changes, webhook, repaired, late, lost, doubled int }

// header is the header of rows.
const header = "changes  by webhook  repaired  late recognised  lost  doubled\n"

func (o outcome) String() string {
	return fmt.Sprintf("%7d  %10d  %8d  %15d  %4d  %7d", o.changes, o.webhook, o.repaired, o.late, o.lost, o.doubled)
}

// outcome compares the records of the collectors with the history.
func (p *plant) outcome(t *testing.T) (row outcome) {
	t.Helper()
	h, records := p.historyOf(t), p.records()
	sources := map[string]int{}
	for uid, all := range records {
		for _, e := range all {
			sources[e.text("jira.webhook.source")]++
		}
		if _, isKnown := h.events[uid]; !isKnown {
			assert.True(t, slices.ContainsFunc(onlyREST, func(a absence) bool {
				return a.explains(newHappenings(nil, nil), p.Deployment, all[0])
			}), "no webhook has the uid of %s %v", all[0].name, all[0].attrs["jira.changelog.fields"])
			assert.Equal(t, "poll", all[0].text("jira.webhook.source"))
		}
	}
	for uid, e := range h.scope {
		row.changes++
		all := records[uid]
		switch isWebhook := func(e event) bool { return e.text("jira.webhook.source") == "webhook" }; {
		case len(all) == 0:
			row.lost++
			t.Logf("lost: %s %s", e.name, e.time)
		case slices.ContainsFunc(all, isWebhook):
			row.webhook++
		default:
			row.repaired++
		}
		for _, other := range all {
			assert.Equal(t, e.name, other.name)
			assert.WithinDuration(t, e.time, other.time, 0)
		}
	}
	for _, all := range records {
		row.doubled += len(all) - 1
	}
	row.late = p.count("deliveries", "outcome", "repaired")
	assert.Equal(t, sources["webhook"], p.count("deliveries", "outcome", "accepted"))
	assert.Equal(t, sources["repair"], p.count("poll_events", "source", "repair"))
	assert.Equal(t, sources["poll"], p.count("poll_events", "source", "poll"))
	assert.Zero(t, p.count("poll_identity_checks", "identity", "unmatched"))
	return row
}

// outage is a way in which webhooks fail for an hour.
type outage struct {
	name   string
	only   jirasim.Deployment // "" for both
	faults jirasim.Faults
	mode   registration.Mode // "" for off
	begin  step              // plans what fails, before the receiver starts; may be nil
	// check checks what is special; it may be nil.
	check     func(t *testing.T, p *plant, row outcome)
	mayDouble bool
}

// step is something that happens to a plant.
type step func(t *testing.T, p *plant)

// method returns a method as a step.
func method(m func(*plant, *testing.T)) step {
	return func(t *testing.T, p *plant) { t.Helper(); m(p, t) }
}

// at plans a step after a part of the outage, in percent.
func at(percent int, do step) step {
	return func(t *testing.T, p *plant) {
		t.Helper()
		p.plan(outageStart.Add(scaled().length*time.Duration(percent)/100), func() { do(t, p) })
	}
}

// during plans a step for the start of the outage, and another one for its end.
func during(begin, end step) step { return both(at(0, begin), at(100, end)) }

func both(first, second step) step {
	return func(t *testing.T, p *plant) {
		t.Helper()
		first(t, p)
		second(t, p)
	}
}

// lose sets a network that loses parts of exchanges.
func lose(lost func(d jirasim.Delivery, retry int) loss) step {
	return func(_ *testing.T, p *plant) { p.lose = lost }
}

// third loses a third of the deliveries of the outage with all retries, and the first answer to a sixth.
func third(d jirasim.Delivery, retry int) loss {
	n := crc32.ChecksumIEEE([]byte(d.About+d.At.String())) % 6
	switch isInOutage := !d.At.Before(outageStart) && d.At.Before(outageEnd()); {
	case isInOutage && n < 2:
		return lossRequest
	case isInOutage && n == 2 && retry == 0:
		return lossAnswer
	default:
		return lossNone
	}
}

// half loses half of the deliveries.
func half(d jirasim.Delivery, _ int) loss {
	if crc32.ChecksumIEEE([]byte(d.About+d.At.String()))%2 == 0 {
		return lossRequest
	}
	return lossNone
}

func everything(jirasim.Delivery, int) loss { return lossRequest }

func retries(_ jirasim.Delivery, retry int) loss {
	if retry > 0 {
		return lossRequest
	}
	return lossNone
}

func firsts(_ jirasim.Delivery, retry int) loss {
	if retry == 0 {
		return lossRequest
	}
	return lossNone
}

// edit changes the webhook in Jira by hand after a tenth of the outage.
func edit(change func(*jirasim.Webhook)) step {
	return at(10, func(_ *testing.T, p *plant) { p.EditWebhook(p.hook, change) })
}

func disable(w *jirasim.Webhook) { w.Disabled = true }

func removeEvents(w *jirasim.Webhook) {
	w.Events = slices.DeleteFunc(w.Events, func(event string) bool {
		return event == "jira:issue_updated" || event == "comment_created"
	})
}

func changeSecret(w *jirasim.Webhook) { w.Secret = "another s3cret" }

// restartWith restarts a collector that manages the webhook with other secrets.
func restartWith(secrets ...configopaque.String) step {
	return func(t *testing.T, p *plant) {
		t.Helper()
		p.stop(t)
		p.configure = func(cfg *jirareceiver.Config) {
			cfg.Registration.Mode = registration.ModeManage
			cfg.Signature.Secrets = secrets
		}
		p.start(t)
	}
}

func (p *plant) deleteWebhook(*testing.T) { p.DeleteWebhook(p.hook) }

// reports checks that the receiver reports a finding, and writes nothing.
func reports(finding, text string) func(*testing.T, *plant, outcome) {
	return func(t *testing.T, p *plant, row outcome) {
		t.Helper()
		assert.Positive(t, row.repaired)
		assert.Equal(t, 1, p.count("registration_findings", "finding", finding))
		assert.Equal(t, 1, p.count("registration_state", "state", "problem"))
		assert.Zero(t, p.count("registration_writes"))
		p.current.assertStatus(t, componentstatus.StatusRecoverableError, text)
	}
}

// isManaged checks that the receiver has repaired the webhook.
func isManaged(t *testing.T, p *plant, row outcome) {
	t.Helper()
	assert.Positive(t, row.repaired)
	assert.Positive(t, row.webhook)
	assert.Positive(t, p.count("registration_writes", "result", "ok"))
	assert.Equal(t, 1, p.count("registration_state", "state", "ok"))
	p.current.assertOK(t)
}

func noneRepaired(t *testing.T, p *plant, row outcome) {
	t.Helper()
	assert.Zero(t, row.repaired)
	assert.Zero(t, p.count("registration_findings"))
	p.current.assertOK(t)
}

func allRepaired(t *testing.T, _ *plant, row outcome) {
	t.Helper()
	assert.Equal(t, row.changes, row.repaired)
}

func rejected(t *testing.T, p *plant) {
	t.Helper()
	assert.Positive(t, p.count("rejected_deliveries", "reason", "bad_signature"))
}

var outages = []outage{
	{name: "nothing fails", check: noneRepaired},
	{
		name: "nothing fails, changes without webhooks", faults: jirasim.Faults{SilentHistories: true},
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			noneRepaired(t, p, row)
			assert.Positive(t, p.count("poll_events", "source", "poll"))
		},
	},
	{
		name: "receiver off, Jira gives up", check: allRepaired,
		begin: both(during(method((*plant).stop), method((*plant).start)), lose(retries)),
	},
	{name: "receiver off, Jira repeats", begin: during(method((*plant).stop), method((*plant).start))},
	{
		name: "a third dropped", begin: lose(third),
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			assert.InDelta(t, row.changes/3, row.repaired, float64(row.changes)/6)
			assert.Equal(t, p.Deployment == jirasim.Cloud, p.count("deliveries", "outcome", "duplicate") > 0)
		},
	},
	{
		name: "first attempts lost, Jira repeats", only: jirasim.Cloud, begin: lose(firsts),
		check: noneRepaired, // the grace is as long as the longest pause before the first retry
	},
	{
		name: "network down, Jira repeats", only: jirasim.Cloud, begin: during(lose(everything), lose(nil)),
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			assert.Positive(t, row.late)
			assert.GreaterOrEqual(t, p.late, row.late, "they are answered with 200")
		},
	},
	{
		name: "webhook disabled, verify", mode: registration.ModeVerify, begin: edit(disable),
		check: reports("disabled", "the webhook is disabled in Jira; enable it"),
	},
	{name: "webhook disabled, manage", mode: registration.ModeManage, begin: edit(disable), check: isManaged},
	{
		name: "webhook deleted, verify", mode: registration.ModeVerify, begin: at(10, method((*plant).deleteWebhook)),
		check: reports("missing", "the webhook is not registered in Jira; register it"),
	},
	{
		name: "webhook deleted, manage", mode: registration.ModeManage, begin: at(10, method((*plant).deleteWebhook)),
		check: isManaged,
	},
	{
		name: "webhook lacks events, verify", mode: registration.ModeVerify, begin: edit(removeEvents),
		check: reports("events_missing", "the webhook lacks events (jira:issue_updated, comment_created)"),
	},
	{name: "webhook lacks events, manage", mode: registration.ModeManage, begin: edit(removeEvents), check: isManaged},
	{
		name: "secret changed in Jira, verify", mode: registration.ModeVerify, begin: edit(changeSecret),
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			assert.Positive(t, row.repaired)
			rejected(t, p)
			assert.Equal(t, 1, p.count("registration_findings", "finding", "silent"))
			p.current.assertStatus(t, componentstatus.StatusRecoverableError, "no webhook has arrived for 30 minutes; check")
			assert.Equal(t, 1, p.count("registration_findings", "finding", "secret_differs"))
			assert.Equal(t, 1, p.count("registration_state", "state", "problem"))
			p.current.assertStatus(t, componentstatus.StatusRecoverableError, "the secret in Jira differs; enter the first secret")
		},
	},
	{
		name: "secret changed in Jira, manage", mode: registration.ModeManage, begin: edit(changeSecret),
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			rejected(t, p)
			isManaged(t, p, row)
			assert.Equal(t, secret, p.Webhooks()[0].Secret)
		},
	},
	{
		name: "secret changed in the receiver, manage", mode: registration.ModeManage,
		begin: at(10, restartWith("new s3cret")),
		check: func(t *testing.T, p *plant, _ outcome) {
			t.Helper()
			assert.Equal(t, "new s3cret", p.Webhooks()[0].Secret)
			p.current.assertOK(t)
		},
	},
	{
		name: "secret rotated as documented, manage", mode: registration.ModeManage,
		begin: func(t *testing.T, p *plant) {
			t.Helper()
			at(10, restartWith(secret, "new s3cret"))(t, p)
			at(40, restartWith("new s3cret", secret))(t, p)
			at(80, restartWith("new s3cret"))(t, p)
		},
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			noneRepaired(t, p, row)
			assert.Equal(t, "new s3cret", p.Webhooks()[0].Secret)
			assert.Zero(t, p.count("rejected_deliveries"))
		},
	},
	{
		name: "token expired, a third dropped",
		begin: both(lose(third), during(
			func(_ *testing.T, p *plant) { p.credentials.account.Store(&wrong) },
			func(t *testing.T, p *plant) {
				t.Helper()
				p.current.assertStatus(t, componentstatus.StatusRecoverableError, "does not accept the credentials")
				p.credentials.account.Store(&account)
			},
		)),
	},
	{
		name: "index lags 20 minutes, a third dropped", faults: jirasim.Faults{IndexLag: 20 * time.Minute},
		begin: lose(third),
	},
	{name: "ten restarts, a third dropped", begin: func(t *testing.T, p *plant) {
		t.Helper()
		lose(third)(t, p)
		for n := range 10 {
			at(10*n+3, method((*plant).stop))(t, p)
			at(10*n+6, method((*plant).start))(t, p)
		}
	}},
	{name: "ten crashes, a third dropped", mayDouble: true, begin: func(t *testing.T, p *plant) {
		t.Helper()
		lose(third)(t, p)
		crashes := scaled().crashes
		for n := range crashes {
			at(100*n/crashes+3, method((*plant).crashSoon))(t, p)
			at(100*n/crashes+9, method((*plant).startAgain))(t, p)
		}
	}},
	{
		name: "two webhooks in Jira",
		begin: func(_ *testing.T, p *plant) {
			second := p.webhook()
			second.Name, second.URL = "second", hookURL+"?second"
			p.AddWebhook(second)
		},
		check: func(t *testing.T, p *plant, row outcome) {
			t.Helper()
			noneRepaired(t, p, row)
			assert.GreaterOrEqual(t, p.count("deliveries", "outcome", "duplicate"), row.changes)
		},
	},
}

// TestOutages lets webhooks fail in many ways. In the end, the pipeline has each change once.
func TestOutages(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	rows := map[string]string{}
	key := func(o outage, d jirasim.Deployment) string { return fmt.Sprintf("%-42s %-11s", o.name, d) }
	t.Run("all", func(t *testing.T) {
		for n, o := range outages {
			for _, d := range everywhere {
				if o.only != "" && o.only != d || o.only == "" && testing.Short() && d != everywhere[n%2] {
					continue
				}
				t.Run(o.name+" "+string(d), func(t *testing.T) {
					t.Parallel()
					row := o.try(t, d)
					mu.Lock()
					defer mu.Unlock()
					rows[key(o, d)] = row.String()
				})
			}
		}
	})
	lines := []string{fmt.Sprintf("\n%-42s %-11s ", "outage", "deployment") + strings.TrimSpace(header)}
	for _, o := range outages {
		for _, d := range everywhere {
			if row, exists := rows[key(o, d)]; exists {
				lines = append(lines, key(o, d)+row)
			}
		}
	}
	t.Log(strings.Join(lines, "\n"))
}

func (o outage) try(t *testing.T, d jirasim.Deployment) outcome {
	t.Helper()
	p := newPlant(t, jirasim.Site{Deployment: d})
	if o.mode != "" {
		p.configure = func(cfg *jirareceiver.Config) { cfg.Registration.Mode = o.mode }
	}
	p.SetFaults(o.faults)
	if o.begin != nil {
		o.begin(t, p)
	}
	p.start(t)
	p.runUntil(t, p.end())
	row := p.outcome(t)
	assert.Zero(t, row.lost)
	if !o.mayDouble {
		assert.Zero(t, row.doubled)
	}
	assert.Positive(t, row.changes)
	assert.Positive(t, p.count("poll_identity_checks", "identity", "matched"))
	if o.check != nil {
		o.check(t, p, row)
	}
	return row
}
