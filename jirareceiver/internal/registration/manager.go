// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// API reads and writes the webhooks that are registered in one Jira. [jiraapi.Webhooks] implements it.
type API interface {
	Deployment() jiraapi.Deployment
	CanSign() bool
	HasStatistics() bool
	List(ctx context.Context) ([]jira.Webhook, error)
	Create(ctx context.Context, settings jiraapi.WebhookSettings) error
	Update(ctx context.Context, id string, settings jiraapi.WebhookSettings) error
	Statistics(ctx context.Context, id string) (jira.WebhookStatistics, error)
}

// Store keeps the state of a manager over a restart. The client of a storage extension implements it. A store may keep
// nothing.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Set(ctx context.Context, key string, value []byte) error
}

// storeKey is the only key in a [Store].
const storeKey = "registration"

// DefaultInterval is the time between two checks.
const DefaultInterval = 10 * time.Minute

// Options configure a [Manager].
type Options struct {
	Mode   Mode
	Wanted Wanted
	// Connect returns the API of a Jira after it has proved that the Jira answers and accepts the credentials.
	Connect func(context.Context) (API, error)
	// Store keeps the state of ModeManage.
	Store Store
	Clock jiraapi.Clock
	// WrongSignatures returns the number of requests with a wrong signature since the start. It may be nil.
	WrongSignatures func() uint64
	// LastDelivery returns the time of the last authentic delivery, or of the start. It may be nil.
	LastDelivery func() time.Time
	// Interval is the time between two checks. Default: 10 minutes.
	Interval time.Duration
	// OnReport is called after each check.
	OnReport func(Report)
}

// Manager checks the registration of one webhook. Its methods are not safe for concurrent use.
type Manager struct {
	opts    Options
	started time.Time

	isLoaded bool
	isNew    bool // there was no stored state
	memory   memory
	saved    []byte // memory as stored
	// wrongSignatures is their number at the last check, which was at checked.
	wrongSignatures uint64
	checked         time.Time
	// secretDiffers means that deliveries had a wrong signature, and that none was authentic since.
	secretDiffers bool
	// attempts is the number of writes since the last check that found nothing to write.
	attempts  int
	lastWrite time.Time
}

// New returns a Manager. It sends no request.
func New(opts Options) *Manager {
	if opts.Interval == 0 {
		opts.Interval = DefaultInterval
	}
	now := opts.Clock.Now()
	return &Manager{opts: opts, started: now, checked: now}
}

// Write is the write of a check.
type Write string

// The writes.
const (
	WriteNone   Write = ""
	WriteCreate Write = "create"
	WriteUpdate Write = "update"
)

// Report is the result of a check.
type Report struct {
	At         time.Time
	Deployment jiraapi.Deployment // "" if Jira did not answer
	// Webhook is ours, or nil. Its URL and its JQL may contain secrets and names.
	Webhook  *jira.Webhook
	Findings []Finding // after the write, most important first

	Write     Write     // that was sent
	Repaired  []Finding // drift that the write has ended
	WriteErr  error     // of the write; nil if it succeeded
	NextWrite time.Time // earliest time of a write for the drift that remains; zero if there is none to write

	Statistics *jira.WebhookStatistics // of our webhook; nil if Jira does not count, or did not answer
}

// State is the result of a check in one word.
type State string

// The states.
const (
	StateOK      State = "ok"
	StateProblem State = "problem" // events may be missing or doubled
	StateUnknown State = "unknown" // the webhooks could not be read
)

// State returns the result in one word.
func (r Report) State() State {
	for _, f := range r.Findings {
		switch f.Kind {
		case KindUnauthorized, KindForbidden, KindUnsupported, KindUnreachable:
			return StateUnknown
		default:
		}
	}
	if r.Err() != nil {
		return StateProblem
	}
	return StateOK
}

// Err returns the findings for which the status of the receiver is an error, or nil.
func (r Report) Err() error { return problems(r.Findings) }

// Run checks the registration at once and at intervals, until the context ends. It may run again afterwards, and then
// reads the stored state again, which another replica may have changed.
func (m *Manager) Run(ctx context.Context) {
	m.isLoaded = false
	for ctx.Err() == nil {
		report := m.Check(ctx)
		if ctx.Err() != nil {
			return // the report is about the end, and not about Jira
		}
		if m.opts.OnReport != nil {
			m.opts.OnReport(report)
		}
		if m.opts.Clock.Sleep(ctx, m.opts.Interval) != nil {
			return
		}
	}
}

// Check compares the registered webhooks with the wanted one and, in ModeManage, sends at most one write.
func (m *Manager) Check(ctx context.Context) Report {
	report := Report{At: m.opts.Clock.Now()}
	api, err := m.opts.Connect(ctx)
	if err != nil {
		report.Findings = []Finding{failed(err)}
		return report
	}
	c := &check{Manager: m, api: api, product: Product{api.Deployment(), api.CanSign()}, report: &report}
	report.Deployment = c.product.Deployment
	c.storageErr = m.load(ctx)
	wrongSignatures := m.countWrongSignatures()
	c.hasWrongSignatures = wrongSignatures > m.wrongSignatures
	m.secretDiffers = m.judgeSecret(c.hasWrongSignatures)
	comparison, err := c.compare(ctx)
	if err != nil {
		report.Findings = []Finding{failed(err)}
		return report
	}
	m.wrongSignatures, m.checked = wrongSignatures, report.At
	if m.opts.Mode == ModeManage {
		comparison = c.repair(ctx, comparison)
	}
	c.finish(ctx, comparison)
	return report
}

func (m *Manager) countWrongSignatures() uint64 {
	if m.opts.WrongSignatures == nil {
		return 0
	}
	return m.opts.WrongSignatures()
}

// judgeSecret reports whether the signatures of deliveries show that the secret in Jira differs. Anybody can send a wrong
// signature, so that an authentic delivery since the last check proves the contrary.
func (m *Manager) judgeSecret(hasWrongSignatures bool) bool {
	if m.opts.LastDelivery == nil || m.opts.LastDelivery().After(m.checked) {
		return false
	}
	return m.secretDiffers || hasWrongSignatures
}

// failed returns the finding about an error of a request that reads.
func failed(err error) Finding {
	kind := KindUnreachable
	switch jiraapi.KindOf(err) {
	case jiraapi.KindUnauthorized:
		kind = KindUnauthorized
	case jiraapi.KindForbidden:
		kind = KindForbidden
	case jiraapi.KindNotFound, jiraapi.KindGone:
		kind = KindUnsupported
	default:
	}
	return Finding{Kind: kind, Err: err}
}

// load reads the stored state once. Only ModeManage has one.
func (m *Manager) load(ctx context.Context) error {
	if m.isLoaded || m.opts.Mode != ModeManage {
		return nil
	}
	content, err := m.opts.Store.Get(ctx, storeKey)
	if err != nil {
		return err
	}
	m.isLoaded, m.isNew = true, content == nil
	if content == nil {
		m.saved = m.memory.encode() // nothing to save
		return nil
	}
	m.memory, err = decodeMemory(content, m.opts.Clock.Now())
	return err
}

// save stores the state if it has changed.
func (m *Manager) save(ctx context.Context) error {
	content := m.memory.encode()
	if bytes.Equal(content, m.saved) {
		return nil
	}
	if err := m.opts.Store.Set(ctx, storeKey, content); err != nil {
		return err
	}
	m.saved = content
	return nil
}

// check is the state of one check.
type check struct {
	*Manager
	api                API
	product            Product
	hasWrongSignatures bool // since the last check
	report             *Report
	storageErr         error
}

// compare lists the webhooks and compares them.
func (c *check) compare(ctx context.Context) (Comparison, error) {
	registered, err := c.api.List(ctx)
	if err != nil {
		return Comparison{}, err
	}
	comparison := Compare(c.opts.Wanted, c.product, registered, func(w jira.Webhook) SecretState {
		switch {
		case c.opts.Mode == ModeManage:
			return c.memory.secretOf(w, c.opts.Wanted.Secret, c.hasWrongSignatures)
		case c.secretDiffers:
			return SecretDiffers
		default:
			return SecretNotChecked
		}
	})
	if comparison.Ours != nil {
		c.memory.CreatedAt = 0
		if hasKind(comparison.Findings, KindSecretUnknown) {
			c.memory.forgetSecret() // it stays unknown until the next write
		}
	}
	return comparison, nil
}

// repair sends the write that the comparison needs, if it may, and compares again.
func (c *check) repair(ctx context.Context, before Comparison) Comparison {
	plan := before.plan()
	now := c.opts.Clock.Now()
	switch {
	case !before.hasDrift():
		c.attempts = 0
		return before
	case plan == actionNone || c.storageErr != nil || c.nextWrite(now, before).After(now):
		return before
	}
	previous := c.memory
	c.memory.addWrite(now)
	c.memory.forgetSecret() // until the outcome is known
	if c.storageErr = c.save(ctx); c.storageErr != nil {
		c.memory = previous
		return before
	}
	err := c.write(ctx, plan, before)
	c.attempts++
	c.lastWrite = c.opts.Clock.Now()
	c.memory.sent(c.lastWrite)
	c.report.WriteErr = err
	if err != nil && !jiraapi.MayHaveSucceeded(err) {
		c.memory.restoreSecret(previous)
		return before.with(refused(err))
	}
	return c.compareAgain(ctx, plan, before)
}

// nextWrite returns the earliest time of a write for the drift of a comparison.
func (c *check) nextWrite(now time.Time, before Comparison) time.Time {
	c.memory.clampTo(now)
	next := c.memory.nextWrite(now)
	if c.attempts > 0 {
		next = later(next, c.lastWrite.Add(waitAfter(c.attempts)))
	}
	if before.plan() == actionCreate {
		next = later(next, c.memory.nextCreate(now))
	}
	if c.isNew && before.hasOnlyDrift(KindSecretUnknown) {
		next = later(next, c.started.Add(secretDelay))
	}
	return next
}

func (c *check) write(ctx context.Context, plan action, before Comparison) error {
	settings := before.settings(c.opts.Wanted, c.product)
	if plan == actionCreate {
		c.report.Write = WriteCreate
		return c.api.Create(ctx, settings)
	}
	c.report.Write = WriteUpdate
	return c.api.Update(ctx, before.Ours.ID, settings)
}

// refused returns the finding about a write that Jira did not do.
func refused(err error) Finding {
	finding := failed(err)
	switch jiraapi.KindOf(err) {
	case jiraapi.KindBadRequest:
		finding.Kind = KindRejected
	case jiraapi.KindUnauthorized, jiraapi.KindForbidden:
	default: // such as 404 for a webhook that was deleted meanwhile
		finding.Kind = KindWriteFailed
	}
	return finding
}

// compareAgain lists the webhooks after a write that Jira has done, or may have done.
func (c *check) compareAgain(ctx context.Context, plan action, before Comparison) Comparison {
	isDone := c.report.WriteErr == nil
	if isDone && plan == actionCreate {
		c.memory.CreatedAt = c.opts.Clock.Now().UnixMilli()
	}
	after, err := c.compare(ctx)
	if err != nil {
		return before.with(failed(err))
	}
	if isDone && c.storeSecret(before, after) {
		after = after.withoutKinds(KindSecretUnknown, KindSecretOutdated)
	}
	c.report.Repaired = repaired(before, after)
	switch {
	case !after.hasDrift():
		return after
	case !isDone:
		return after.with(Finding{Kind: KindWriteFailed, Err: c.report.WriteErr})
	case after.Ours == nil || after.hasOnlyDrift(KindSecretUnknown):
		return after // see finish for a webhook that Jira does not list
	default:
		return after.with(Finding{Kind: KindIneffective, WebhookID: after.Ours.ID})
	}
}

// storeSecret stores that Jira has the secret. It returns false if it is not certain which webhook the write has changed.
func (c *check) storeSecret(before, after Comparison) bool {
	isCertain := after.Ours != nil &&
		(before.Ours != nil && before.Ours.ID == after.Ours.ID || !hasKind(after.Findings, KindDuplicates))
	if isCertain && c.opts.Wanted.Secret != "" && c.product.CanSign {
		c.memory.setSecret(*after.Ours, c.opts.Wanted.Secret)
	}
	return isCertain
}

// repaired returns the drift that a write has ended.
func repaired(before, after Comparison) []Finding {
	return slices.DeleteFunc(slices.Clone(before.Findings), func(f Finding) bool {
		return !f.IsDrift() || hasKind(after.Findings, f.Kind)
	})
}

// finish stores the state and completes the report.
func (c *check) finish(ctx context.Context, comparison Comparison) {
	if c.opts.Mode == ModeManage && c.isLoaded {
		now := c.opts.Clock.Now()
		if comparison.plan() == actionCreate && c.memory.nextCreate(now).After(now) {
			comparison = comparison.with(Finding{Kind: KindNotListed})
		}
		if comparison.plan() != actionNone {
			c.report.NextWrite = c.nextWrite(now, comparison)
		}
		if err := c.save(ctx); err != nil {
			c.storageErr = err
		}
	}
	if c.storageErr != nil {
		comparison = comparison.with(Finding{Kind: KindStorage, Err: c.storageErr})
	}
	c.report.Webhook, c.report.Findings = comparison.Ours, comparison.Findings
	if comparison.Ours == nil || !c.api.HasStatistics() {
		return
	}
	if statistics, err := c.api.Statistics(ctx, comparison.Ours.ID); err == nil {
		c.report.Statistics = &statistics
	}
}
