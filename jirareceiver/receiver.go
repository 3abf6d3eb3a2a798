// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/webserver"
)

// jiraReceiver runs the HTTP server to which Jira posts.
type jiraReceiver struct {
	cfg       *Config
	settings  receiver.Settings
	handler   *handler
	persister *persister
	server    *webserver.Server // nil before Start
	serving   sync.WaitGroup
}

func newReceiver(settings receiver.Settings, cfg *Config, next consumer.Logs, now func() time.Time) (*jiraReceiver, error) {
	h, err := newHandler(settings, cfg, next, now)
	if err != nil {
		return nil, err
	}
	return &jiraReceiver{cfg: cfg, settings: settings, handler: h}, nil
}

// Start builds the server before it opens the listener, so that a failure leaves nothing open. The deliveries that were accepted
// before a restart are loaded before the first delivery.
func (r *jiraReceiver) Start(ctx context.Context, host component.Host) error {
	server, err := webserver.New(ctx, host, webserver.Options{
		Config:         &r.cfg.Server,
		MaxConnections: r.cfg.Jira.MaxConnections,
		OnEvict:        r.handler.telemetry.recordEviction,
		Telemetry:      r.settings.TelemetrySettings,
		Warnings:       r.handler.telemetry.warnings,
		Handler:        r.handler,
		OnUnauthorized: r.handler.handleUnauthorized,
	})
	if err != nil {
		return err
	}
	if r.persister, err = startPersister(ctx, host, r.settings.ID, &r.cfg.Jira.Deduplication, r.handler.cache, r.handler.telemetry); err != nil {
		return err
	}
	if err := server.Listen(ctx); err != nil {
		return errors.Join(err, r.persister.shutdown(ctx))
	}
	r.server = server
	r.settings.Logger.Info("Waiting for Jira to post events", zap.String("url", r.url()))
	for _, w := range r.cfg.warnings() {
		r.settings.Logger.Warn(w.message, w.field)
	}
	r.serving.Go(func() {
		if err := r.server.Serve(); err != nil {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// url returns the URL of deliveries, as seen from this machine.
func (r *jiraReceiver) url() string {
	addr := r.server.Listener().Addr()
	if addr.Network() == "unix" {
		return "unix:" + addr.String() + r.cfg.Jira.Path
	}
	scheme := "http"
	if r.cfg.Server.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + addr.String() + r.cfg.Jira.Path
}

const (
	// cancelGrace is how long cancelled deliveries may take to notice that they are.
	cancelGrace = time.Second
	// handoverGrace is how long requests of connections that were just accepted may take to arrive and to be answered. net/http
	// answers none that arrives once it shuts down.
	handoverGrace = time.Second
)

// Shutdown closes the listener and idle connections, which makes Jira Cloud try again later, and lets the deliveries under
// way finish. Before that, health is 503 for shutdown_delay and deliveries are still taken, so that a load balancer sends them
// elsewhere. When ctx ends first they are cancelled, and answered with a code that makes Jira Cloud send the events again. No
// delivery enters the pipeline after it returns.
func (r *jiraReceiver) Shutdown(ctx context.Context) error {
	defer r.handler.telemetry.shutdown()
	if r.server == nil {
		return nil
	}
	if !r.handler.health.draining.Swap(true) && r.cfg.Jira.ShutdownDelay > 0 {
		r.handOver(ctx)
	}
	r.handler.stopReading()
	err := r.server.Shutdown(ctx)
	if err == nil { // but for calls whose sender has hung up
		err = r.handler.calls.Wait(ctx)
	}
	if err != nil {
		r.handler.calls.Abort(cancelGrace)
		err = errors.Join(err, r.server.Close())
	}
	r.serving.Wait()
	persister := r.persister
	r.persister = nil // a second call finds the storage closed
	return errors.Join(err, persister.shutdown(ctx))
}

// handOver goes on taking deliveries until a load balancer has learnt to send them elsewhere.
func (r *jiraReceiver) handOver(ctx context.Context) {
	sleep(ctx, r.cfg.Jira.ShutdownDelay)
	r.server.StopAccepting()
	r.serving.Wait() // it accepts no more
	for end := time.Now().Add(handoverGrace); r.server.Connections() > 0 && time.Now().Before(end) && ctx.Err() == nil; {
		sleep(ctx, handoverGrace/100)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
