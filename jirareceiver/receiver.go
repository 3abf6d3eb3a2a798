// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/webserver"
)

// jiraReceiver runs the HTTP server to which Jira posts, and the polling.
type jiraReceiver struct {
	cfg        *Config
	settings   receiver.Settings
	handler    *handler
	persisters []*dedup.Persister
	server     *webserver.Server // nil before Start, and if the receiver does not listen
	serving    sync.WaitGroup
	active     *active.Side // nil if the receiver does not poll
}

func newReceiver(
	settings receiver.Settings, cfg *Config, next consumer.Logs, now func() time.Time,
) (*jiraReceiver, error) {
	h, err := newHandler(settings, cfg, next, now)
	if err != nil {
		return nil, err
	}
	return &jiraReceiver{cfg: cfg, settings: settings, handler: h}, nil
}

// Start starts the server and the polling, as configured. An error leaves nothing started. It loads what was recorded
// before the start, before either side records anything.
func (r *jiraReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.start(ctx, host); err != nil {
		return errors.Join(err, r.shutdownActive(ctx), r.shutdownPersisters(ctx))
	}
	for _, w := range r.cfg.Warnings() {
		r.settings.Logger.Warn(w.Message, w.fields()...)
	}
	return nil
}

func (r *jiraReceiver) start(ctx context.Context, host component.Host) error {
	if r.cfg.Listen {
		if err := r.startPersisters(ctx, host); err != nil {
			return err
		}
	}
	if r.cfg.isActive() {
		var err error
		if r.active, err = active.Start(ctx, host, r.activeOptions(host)); err != nil {
			return err
		}
		r.handler.active = r.active
	}
	if r.cfg.Listen {
		return r.startServer(ctx, host)
	}
	return nil
}

// startServer builds the server before it opens the listener, so that an error leaves no open listener.
func (r *jiraReceiver) startServer(ctx context.Context, host component.Host) error {
	server, err := webserver.New(ctx, host, webserver.Options{
		Config:         &r.cfg.ServerConfig,
		MaxConnections: r.cfg.MaxConnections,
		OnEvict:        r.handler.telemetry.recordEviction,
		Telemetry:      r.settings.TelemetrySettings,
		Warnings:       r.handler.telemetry.warnings,
		Handler:        r.handler,
		OnUnauthorized: r.handler.handleUnauthorized,
	})
	if err != nil {
		return err
	}
	if err := server.Listen(ctx); err != nil {
		return explainListen(err)
	}
	r.server = server
	r.settings.Logger.Info("Waiting for Jira to post events", zap.String("url", r.url()))
	r.serving.Go(func() {
		if err := r.server.Serve(); err != nil {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// explainListen adds advice to an error of the listener. Each receiver has a server of its own.
func explainListen(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("endpoint: another program or receiver listens on this address; set another port, or "+
			"for several Jira sites use one receiver with all secrets in signature::secrets: %w", err)
	}
	return err
}

func (r *jiraReceiver) activeOptions(host component.Host) active.Options {
	h := r.handler
	opts := active.Options{
		API:             r.cfg.API,
		Poll:            r.cfg.Poll,
		Registration:    r.cfg.Registration,
		Secret:          r.cfg.Signature.first(),
		WrongSignatures: h.telemetry.wrongSignatures.Load,
		SiteURL:         r.cfg.SiteURL,
		CustomFields:    slices.Collect(maps.Keys(r.cfg.CustomFields)),
		Decoder:         h.decoder,
		Events:          h.events,
		NewRecord: func(siteURL string) *record.Builder {
			cfg := *r.cfg
			cfg.SiteURL = siteURL
			return newBuilder(r.settings, &cfg)
		},
		Next:          h.next,
		Ledger:        h.ledger,
		LeaderElector: r.cfg.LeaderElector,
		Settings:      r.settings,
		ObsReport:     h.obsreport,
		Format:        format,
		Metrics:       h.telemetry.metrics,
		ByReceiver:    h.telemetry.byReceiver,
		Warnings:      h.telemetry.warnings,
		OnRecords:     h.telemetry.recordRemarks,
		Now:           h.now,
	}
	if id := r.cfg.Poll.Storage; id != nil {
		opts.OpenStorage = func(ctx context.Context, name string) (storage.Client, error) {
			extension, err := findStorage(host, *id, "poll::storage")
			if err != nil {
				return nil, err
			}
			return extension.GetClient(ctx, component.KindReceiver, r.settings.ID, name)
		}
	}
	return opts
}

// The names of the storage clients of the receiver.
const (
	deliveryStorage = "deduplication"
	eventStorage    = "events"
)

// startPersisters loads the deliveries and the events that were accepted before the start, and saves them from then on,
// if there is a file or a storage for them. They return an error only if the configured extension is missing or is not a
// storage. A file or storage that fails is logged, and does not stop the start.
func (r *jiraReceiver) startPersisters(ctx context.Context, host component.Host) error {
	deliveries, events := r.cfg.Deduplication.stores()
	if id := r.cfg.Poll.Storage; r.cfg.Poll.IsOn() && id != nil {
		events = cacheStore{key: "poll::storage", storage: id, name: eventStorage}
	}
	err := r.startPersister(ctx, host, r.handler.cache, deliveries)
	if r.handler.ledger != nil && err == nil {
		err = r.startPersister(ctx, host, r.handler.ledger.Cache(), events)
	}
	return err
}

// cacheStore is a place that keeps a cache over a restart. The zero value is none.
type cacheStore struct {
	file    string
	key     string // of the storage in the configuration
	storage *component.ID
	name    string // of the client of the storage
}

// stores returns the places for the delivery IDs and for the events.
func (cfg *DeduplicationConfig) stores() (deliveries, events cacheStore) {
	switch {
	case cfg.File != "":
		return cacheStore{file: cfg.File}, cacheStore{file: cfg.File + ".events"}
	case cfg.Storage != nil:
		const key = "deduplication::storage"
		return cacheStore{key: key, storage: cfg.Storage, name: deliveryStorage},
			cacheStore{key: key, storage: cfg.Storage, name: eventStorage}
	default:
		return cacheStore{}, cacheStore{}
	}
}

func (r *jiraReceiver) startPersister(ctx context.Context, host component.Host, cache *dedup.Cache, at cacheStore) error {
	if cache == nil || at == (cacheStore{}) {
		return nil
	}
	open := func(context.Context) (dedup.Store, error) { return dedup.OpenFile(at.file) }
	if at.storage != nil {
		extension, err := findStorage(host, *at.storage, at.key)
		if err != nil {
			return err
		}
		open = func(ctx context.Context) (dedup.Store, error) {
			client, err := extension.GetClient(ctx, component.KindReceiver, r.settings.ID, at.name)
			return dedup.NewClientStore(client), err
		}
	}
	t := r.handler.telemetry
	r.persisters = append(r.persisters, dedup.StartPersister(ctx, cache, dedup.PersisterOptions{
		Open:        open,
		OnOpenError: t.recordStorageOpenError,
		OnError:     t.recordStorageError,
		OnDamage:    func(ctx context.Context, pages int) { t.recordDamage(ctx, at.file, pages) },
	}))
	return nil
}

func (r *jiraReceiver) shutdownPersisters(ctx context.Context) error {
	var errs []error
	for _, persister := range r.persisters {
		errs = append(errs, persister.Shutdown(ctx))
	}
	r.persisters = nil // a second call must not close the storage again
	return errors.Join(errs...)
}

// findStorage returns the storage extension that a key of the configuration names.
func findStorage(host component.Host, id component.ID, key string) (storage.Extension, error) {
	extension, found := host.GetExtensions()[id]
	if !found {
		return nil, fmt.Errorf("%s: the extension %s does not exist; "+
			"add it under extensions and service::extensions", key, id)
	}
	backend, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("%s: %s is not a storage extension; name a storage extension, such as file_storage", key, id)
	}
	return backend, nil
}

// url returns the URL of deliveries on the address of the listener.
func (r *jiraReceiver) url() string {
	addr := r.server.Listener().Addr()
	if addr.Network() == "unix" {
		return "unix:" + addr.String() + r.cfg.Path
	}
	scheme := "http"
	if r.cfg.ServerConfig.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + addr.String() + r.cfg.Path
}

const (
	// cancelGrace is the time that cancelled deliveries have to return.
	cancelGrace = time.Second
	// handoverGrace is the time that handOver waits for the last connections to close. A request may still be on its way
	// over them. After Shutdown, net/http would close such a connection without a response.
	handoverGrace = time.Second
)

// Shutdown ends the polling and the server. No event enters the pipeline after Shutdown returns.
//
// The server first hands over to another instance, if shutdown_delay is set. Then it closes the listener and the idle
// connections, so that Jira Cloud sends further events later, and waits for the deliveries in progress. If ctx ends
// first, Shutdown cancels them and responds with a status code after which Jira Cloud sends the events again.
func (r *jiraReceiver) Shutdown(ctx context.Context) error {
	defer r.handler.telemetry.shutdown()
	polling := make(chan error, 1)
	go func() { polling <- r.shutdownActive(ctx) }()
	err := r.shutdownServer(ctx)
	return errors.Join(err, <-polling, r.shutdownPersisters(ctx))
}

func (r *jiraReceiver) shutdownActive(ctx context.Context) error {
	side := r.active
	r.active = nil // a second call must not close the storage again
	return side.Shutdown(ctx)
}

func (r *jiraReceiver) shutdownServer(ctx context.Context) error {
	if r.server == nil {
		return nil
	}
	if !r.handler.health.draining.Swap(true) && r.cfg.ShutdownDelay > 0 {
		r.handOver(ctx)
	}
	r.handler.stopReading()
	err := r.server.Shutdown(ctx)
	if err == nil { // the server does not wait for calls whose sender has disconnected
		err = r.handler.calls.Wait(ctx)
	}
	if err != nil {
		r.handler.calls.Abort(cancelGrace)
		err = errors.Join(err, r.server.Close())
	}
	r.serving.Wait()
	return err
}

// handOver still accepts deliveries for shutdown_delay, while the health check responds with 503, so that a load
// balancer sends them to another instance. Then it closes the listener, and waits for a moment until the connections
// that the load balancer has opened are closed.
func (r *jiraReceiver) handOver(ctx context.Context) {
	sleep(ctx, r.cfg.ShutdownDelay)
	r.server.StopAccepting()
	r.serving.Wait() // until the listener is closed
	end := time.Now().Add(handoverGrace)
	for r.server.Connections() > 0 && time.Now().Before(end) && ctx.Err() == nil {
		sleep(ctx, handoverGrace/100)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
