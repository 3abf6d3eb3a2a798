// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package active runs the active side of the receiver, which reads the REST API of Jira. It connects the packages
// jiraapi and poll with the records, the pipeline, the status and the metrics of the receiver.
package active

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/ledger"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/poll"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// Options configure a [Side].
type Options struct {
	API  APIConfig
	Poll PollConfig
	// Registration configures the check of the webhook that is registered in Jira.
	Registration RegistrationConfig
	// Secret is the secret with which Jira is to sign, or "".
	Secret string
	// WrongSignatures returns the number of requests with a wrong signature since the start.
	WrongSignatures func() uint64
	SiteURL         string // address of the site in records; "" for the address that Jira returns
	// CustomFields are the ids of the custom fields that records contain.
	CustomFields []string

	Decoder   *jira.Decoder
	Events    record.Filter
	NewRecord func(siteURL string) *record.Builder
	Next      consumer.Logs
	// LeaderElector is the id of an extension that elects the replica that polls, or nil if there is only one.
	LeaderElector *component.ID
	// Ledger is the ledger of both sides of the receiver.
	Ledger *ledger.Ledger
	// OpenStorage opens a client of the storage. It is nil if none is configured.
	OpenStorage func(ctx context.Context, name string) (storage.Client, error)

	Settings   receiver.Settings
	ObsReport  *receiverhelper.ObsReport
	Format     string // name of the received data in obsreport
	Metrics    *metadata.TelemetryBuilder
	ByReceiver metric.MeasurementOption
	Warnings   *zap.Logger // logs each message once a minute
	// OnRecords is called with remarks about the records that the pipeline has accepted.
	OnRecords func(context.Context, record.Remarks)
	Now       func() time.Time
}

// Side reads one Jira in the background. A nil Side does nothing.
type Side struct {
	opts          Options
	start         time.Time // of the back-fill, or zero
	started       time.Time // of the receiver, which knows the webhooks since then
	clock         jiraapi.Clock
	client        *jiraapi.Client
	storage       storage.Client // of the checkpoint
	registrations storage.Client
	sink          *sink
	observer      *observer
	identity      *identityCheck
	poller        atomic.Pointer[poll.Poller] // nil before the polling starts

	leader  leadership
	abort   func()                // ends the call of the pipeline
	manager *registration.Manager // nil without registration
}

// Start begins to poll. It does not wait for Jira. It returns an error if an extension that the configuration names is
// missing or unfit.
func Start(ctx context.Context, host component.Host, opts Options) (*Side, error) {
	start, err := opts.Poll.start()
	if err != nil {
		return nil, err // the configuration was not validated
	}
	s := &Side{
		opts: opts, start: start, clock: clockOf(ctx),
		storage: storage.NewNopClient(), registrations: storage.NewNopClient(), identity: newIdentityCheck(),
	}
	s.observer = newObserver(&s.opts, host, s.clock)
	s.started = s.clock.Now()
	s.client, err = jiraapi.New(ctx, host, opts.Settings.TelemetrySettings, jiraapi.Options{
		Config:                opts.API.ClientConfig,
		RequestsPerSecond:     opts.API.RequestsPerSecond,
		MaxConcurrentRequests: opts.API.MaxConcurrentRequests,
		UserAgent:             opts.Settings.BuildInfo.Command + "/" + opts.Settings.BuildInfo.Version,
		Decoder:               opts.Decoder,
		Clock:                 s.clock,
		OnRequest:             s.observer.recordRequest,
		OnPause:               s.observer.recordPause,
	})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if err := s.openStorage(ctx); err != nil {
		return nil, err
	}
	aborted := make(chan struct{})
	s.abort = sync.OnceFunc(func() { close(aborted) })
	s.sink = &sink{opts: &s.opts, aborted: aborted, identity: s.identity, webhooks: s.observer.webhooks}
	if err := s.observer.registerLag(s.lastRun); err != nil {
		return nil, errors.Join(err, s.closeStorage(ctx))
	}
	if opts.Registration.IsOn() {
		s.manager = s.newManager()
	}
	s.leader = leadership{run: s.run}
	if opts.LeaderElector == nil {
		s.leader.begin(context.WithoutCancel(ctx))
		return s, nil
	}
	if err := s.leader.await(host, *opts.LeaderElector); err != nil {
		return nil, errors.Join(err, s.closeStorage(ctx))
	}
	return s, nil
}

// The names of the clients of the storage.
const (
	checkpointStorage   = "poll"
	registrationStorage = "registration"
)

func (s *Side) openStorage(ctx context.Context) (err error) {
	if s.opts.OpenStorage == nil {
		return nil
	}
	if s.opts.Poll.IsOn() {
		if s.storage, err = s.opts.OpenStorage(ctx, checkpointStorage); err != nil {
			return err
		}
	}
	if s.opts.Registration.IsOn() {
		if s.registrations, err = s.opts.OpenStorage(ctx, registrationStorage); err != nil {
			return errors.Join(err, s.storage.Close(ctx))
		}
	}
	return nil
}

func (s *Side) closeStorage(ctx context.Context) error {
	return errors.Join(s.storage.Close(ctx), s.registrations.Close(ctx))
}

// lastRun returns the start of the last complete run, or false if it is not known.
func (s *Side) lastRun() (time.Time, bool) {
	if poller := s.poller.Load(); poller != nil {
		return poller.LastRun()
	}
	return time.Time{}, false
}

// newPoller returns a poller that goes on from the checkpoint in the storage.
func (s *Side) newPoller() *poll.Poller {
	cfg := &s.opts.Poll
	return poll.New(poll.Options{
		Connect:         s.connect,
		Sink:            s.sink,
		Storage:         s.storage,
		Observer:        s.observer,
		Clock:           s.clock,
		Interval:        cfg.Interval,
		Overlap:         cfg.Overlap,
		Grace:           cfg.grace(),
		Source:          cfg.source(),
		Projects:        cfg.Projects,
		JQL:             cfg.JQL,
		DeletedWorklogs: cfg.includes(includeWorklogs) && cfg.isUnrestricted(),
		Since:           s.started,
		StartFrom:       s.start,
		OnIssue:         s.compareIdentity,
	})
}

// Received reports an authentic delivery.
func (s *Side) Received() {
	if s != nil {
		s.observer.webhooks.Delivered(s.clock.Now())
	}
}

// Accepted reports an event that a webhook has delivered and that the pipeline has accepted.
func (s *Side) Accepted(ev record.ClassifiedEvent) {
	if s != nil && s.opts.Poll.checksIdentity() && ev.Source == jira.SourceWebhook && record.RestsOnChangelog(ev) {
		s.identity.add(ev.Issue.ID, ev.Changelog.ID, ev.Timestamp)
	}
}

func (s *Side) compareIdentity(issue jiraapi.Issue, from, until time.Time) {
	if !s.opts.Poll.checksIdentity() {
		return
	}
	s.observer.recordIdentity(s.identity.compare(issue, from, until))
	if s.identity.hasFailed() {
		s.observer.identityFailed()
	}
}

// clockKey is the key of a clock in the context of Start. Only tests set it.
type clockKey struct{}

// clockOf returns the clock of the system, unless a test has put another one into the context.
func clockOf(ctx context.Context) jiraapi.Clock {
	if clock, ok := ctx.Value(clockKey{}).(jiraapi.Clock); ok {
		return clock
	}
	return jiraapi.SystemClock{}
}

// run polls and checks the registration until the context ends.
func (s *Side) run(ctx context.Context) {
	var tasks sync.WaitGroup
	if s.opts.Poll.IsOn() {
		tasks.Go(func() { s.poll(ctx) })
	}
	if s.opts.Registration.IsOn() {
		tasks.Go(func() { s.manager.Run(ctx) })
	}
	tasks.Wait()
}

// poll polls until the context ends, or until Jira returns an error that no later request can mend.
func (s *Side) poll(ctx context.Context) {
	s.observer.waiting()
	s.poller.Store(s.newPoller())
	defer func() {
		s.poller.Store(nil)
		if ctx.Err() != nil { // another replica polls from now on
			s.observer.status.set(partPolling, nil)
			s.observer.setSilence(context.WithoutCancel(ctx), registration.Finding{}, false)
		}
	}()
	for ctx.Err() == nil {
		err := s.runSafely(ctx)
		if _, panicked := errors.AsType[panicError](err); !panicked {
			if err != nil {
				s.observer.ended(err)
			}
			return
		}
		_ = s.clock.Sleep(ctx, s.opts.Poll.Interval) // ends early only with the context
	}
}

// panicError is a panic of the poller. The value of the panic, which may contain any data, is not part of it.
type panicError struct{ valueType string }

func (e panicError) Error() string { return "panic of type " + e.valueType }

// runSafely turns a panic into an error, so that it does not end the collector.
func (s *Side) runSafely(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{fmt.Sprintf("%T", p)}
			s.observer.panicked(err)
		}
	}()
	return s.poller.Load().Run(ctx)
}

// cancelGrace is the time that a cancelled call of the pipeline has to return.
const cancelGrace = time.Second

// Shutdown ends the polling and stores the position. It waits for the call of the pipeline. If ctx ends first, it cancels
// the call, and the events of the call are read again after the next start.
func (s *Side) Shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	ended := make(chan struct{})
	go func() {
		s.leader.end()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.abort()
		select {
		case <-ended:
		case <-time.After(cancelGrace):
			return context.Cause(ctx)
		}
	}
	s.abort()
	s.client.Close()
	return s.closeStorage(ctx)
}

// connect proves that the site can be read, and learns its fields. The order of the requests matters: a search with wrong
// credentials may succeed and find nothing.
func (s *Side) connect(ctx context.Context) (*poll.Session, error) {
	info, err := s.prove(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.client.Source(info.Deployment, jiraapi.Contents{}).CheckBounds(ctx, info.Time); err != nil {
		return nil, err
	}
	fields, err := s.client.Fields(ctx)
	if err != nil {
		return nil, err
	}
	statuses, err := s.client.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	site := s.siteOf(info)
	s.sink.setSite(site)
	wanted := s.contents(fields)
	s.observer.connected(site, info)
	return &poll.Session{
		Site:         site,
		Source:       provenSource{s.client.Source(info.Deployment, wanted)},
		Backfill:     s.client.HalfPace().Source(info.Deployment, wanted),
		IsDataCenter: info.Deployment == jiraapi.DataCenter,
		Categories:   categoriesOf(statuses),
		FieldIDs:     idsByName(fields),
	}, nil
}

// prove proves that the endpoint is a Jira and that it accepts the credentials.
func (s *Side) prove(ctx context.Context) (jiraapi.ServerInfo, error) {
	info, err := s.client.ServerInfo(ctx)
	if err == nil {
		_, err = s.client.Myself(ctx)
	}
	return info, err
}

// provenSource proves the credentials at the start of each run. If they expire meanwhile, and everyone may browse some
// projects, Jira would answer with the issues of these projects only.
type provenSource struct{ jiraapi.Source }

// ServerInfo implements [poll.Source].
func (s provenSource) ServerInfo(ctx context.Context) (jiraapi.ServerInfo, error) {
	if _, err := s.Myself(ctx); err != nil {
		return jiraapi.ServerInfo{}, err
	}
	return s.Source.ServerInfo(ctx)
}

func categoriesOf(statuses []jira.StatusInfo) map[string]string {
	categories := make(map[string]string, len(statuses))
	for _, status := range statuses {
		categories[status.ID] = status.Category
	}
	return categories
}

// siteOf returns the address of the site in records. It is the address with which webhooks of the site are recorded too.
// All spellings of the address give the same result, so that the position is not lost with another spelling.
func (s *Side) siteOf(info jiraapi.ServerInfo) string {
	site, configured := record.SiteURL(info.BaseURL), record.SiteURL(s.opts.SiteURL)
	if configured == "" {
		return site
	}
	if configured != site {
		s.opts.Warnings.Warn("site_url is not the address that Jira returns as its own; "+
			"records contain site_url", zap.String("site_url", s.opts.SiteURL), zap.String("jira", info.BaseURL))
	}
	return configured
}

func (s *Side) contents(fields []jira.FieldInfo) jiraapi.Contents {
	ids := append(jiraapi.SoftwareFields(fields), s.opts.CustomFields...)
	slices.Sort(ids)
	return jiraapi.Contents{
		Changelog: s.opts.Poll.includes(includeChangelog),
		Comments:  s.opts.Poll.includes(includeComments),
		Worklogs:  s.opts.Poll.includes(includeWorklogs),
		Fields:    slices.Compact(ids),
	}
}

func idsByName(fields []jira.FieldInfo) map[string][]string {
	ids := map[string][]string{}
	for _, field := range fields {
		if field.Type != "" {
			ids[field.Name] = append(ids[field.Name], field.ID)
		}
	}
	return ids
}

func (cfg *PollConfig) includes(content string) bool { return slices.Contains(cfg.Include, content) }

// isUnrestricted reports whether all issues of the site are read.
func (cfg *PollConfig) isUnrestricted() bool { return len(cfg.Projects) == 0 && cfg.JQL == "" }
