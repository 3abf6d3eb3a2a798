package jirareceiver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

// jiraReceiver runs the HTTP server to which Jira posts.
type jiraReceiver struct {
	cfg      *Config
	settings receiver.Settings
	handler  *handler
	keeper   *keeper
	server   *http.Server
	listener net.Listener
	serving  sync.WaitGroup
}

func newReceiver(settings receiver.Settings, cfg *Config, next consumer.Logs) (*jiraReceiver, error) {
	h, err := newHandler(settings, &cfg.Jira, next)
	if err != nil {
		return nil, err
	}
	return &jiraReceiver{cfg: cfg, settings: settings, handler: h}, nil
}

// maxHeaderBytes are enough for Jira's headers and those of the proxies before the receiver, many times over. By default a
// connection may hold a megabyte, before anything is known of its sender.
const maxHeaderBytes = 64 << 10

// Start builds the server before it opens the listener, so that a failure leaves nothing open. What was accepted before a
// restart is known before the first delivery.
func (r *jiraReceiver) Start(ctx context.Context, host component.Host) error {
	server, err := r.cfg.Server.ToServer(ctx, host.GetExtensions(), r.settings.TelemetrySettings, r.handler,
		confighttp.WithErrorHandler(r.handler.turnedAway))
	if err != nil {
		return err
	}
	server.DisableGeneralOptionsHandler = true // it tells anybody 200
	server.MaxHeaderBytes = maxHeaderBytes
	if r.keeper, err = startKeeper(ctx, host, r.settings.ID, &r.cfg.Jira.Deduplication, r.handler.memory, r.handler.meter); err != nil {
		return err
	}
	listener, err := r.cfg.Server.ToListener(ctx)
	if err != nil {
		return errors.Join(err, r.keeper.shutdown(ctx))
	}
	r.server, r.listener = server, listener
	r.settings.Logger.Info("Waiting for Jira to post events", zap.String("url", r.url()))
	if !r.cfg.authenticated() {
		r.settings.Logger.Warn("Anybody who reaches the endpoint can post events: allow_unauthenticated is set")
	}
	r.handler.events.warnOfStrangers(r.settings.Logger)

	r.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// url is where deliveries go, as seen from this machine.
func (r *jiraReceiver) url() string {
	if addr := r.listener.Addr(); addr.Network() == "unix" {
		return "unix:" + addr.String() + r.cfg.Jira.Path
	}
	scheme := "http"
	if r.cfg.Server.TLS.HasValue() {
		scheme = "https"
	}
	return scheme + "://" + r.listener.Addr().String() + r.cfg.Jira.Path
}

// cancelGrace is how long cancelled deliveries may take to notice that they are.
const cancelGrace = time.Second

// Shutdown closes the listener and idle connections, which makes Jira Cloud try again later, and lets the deliveries under
// way finish. When ctx ends first they are cancelled, and answered with a code that makes Jira Cloud send the events again.
// No delivery enters the pipeline after it returns.
func (r *jiraReceiver) Shutdown(ctx context.Context) error {
	defer r.handler.meter.telemetry.Shutdown()
	if r.server == nil {
		return nil
	}
	r.handler.health.draining.Store(true)
	err := r.server.Shutdown(ctx)
	if err != nil {
		r.handler.inflight.abort(cancelGrace)
		err = errors.Join(err, r.server.Close())
	}
	r.serving.Wait()
	keeper := r.keeper
	r.keeper = nil // a second call finds the storage closed
	return errors.Join(err, keeper.shutdown(ctx))
}
