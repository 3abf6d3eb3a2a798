package jirareceiver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/connlimit"
)

// jiraReceiver runs the HTTP server to which Jira posts.
type jiraReceiver struct {
	cfg      *Config
	settings receiver.Settings
	handler  *handler
	keeper   *keeper
	server   *http.Server
	listener *connlimit.Listener
	serving  sync.WaitGroup
}

func newReceiver(settings receiver.Settings, cfg *Config, next consumer.Logs) (*jiraReceiver, error) {
	h, err := newHandler(settings, cfg, next)
	if err != nil {
		return nil, err
	}
	return &jiraReceiver{cfg: cfg, settings: settings, handler: h}, nil
}

// Start builds the server before it opens the listener, so that a failure leaves nothing open. What was accepted before a
// restart is known before the first delivery.
func (r *jiraReceiver) Start(ctx context.Context, host component.Host) error {
	server, err := newServer(ctx, host, r.cfg, r.settings.TelemetrySettings, r.handler)
	if err != nil {
		return err
	}
	if r.keeper, err = startKeeper(ctx, host, r.settings.ID, &r.cfg.Jira.Deduplication, r.handler.memory, r.handler.meter); err != nil {
		return err
	}
	listener, err := listen(ctx, &r.cfg.Server)
	if err != nil {
		return errors.Join(err, r.keeper.shutdown(ctx))
	}
	r.server, r.listener = server, connlimit.New(listener, r.cfg.Jira.MaxConnections, r.handler.meter.evicted)
	r.settings.Logger.Info("Waiting for Jira to post events", zap.String("url", r.url()))
	for _, w := range r.cfg.warnings() {
		r.settings.Logger.Warn(w.message, w.field)
	}

	r.serving.Go(func() {
		err := serve(r.server, r.listener)
		if !errors.Is(err, http.ErrServerClosed) && !r.handler.health.draining.Load() {
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

const (
	// cancelGrace is how long cancelled deliveries may take to notice that they are.
	cancelGrace = time.Second
	// readGrace is how long a sender may take to complete its request once the receiver stops. A sender that stalls would hold
	// up the stop, while the endpoint is closed.
	readGrace = 2 * time.Second
	// handoverGrace is how long requests of connections that were just accepted may take to arrive and to be answered. net/http
	// answers none that arrives once it shuts down.
	handoverGrace = time.Second
)

// Shutdown closes the listener and idle connections, which makes Jira Cloud try again later, and lets the deliveries under
// way finish. Before that, health is 503 for shutdown_delay and deliveries are still taken, so that a load balancer sends them
// elsewhere. When ctx ends first they are cancelled, and answered with a code that makes Jira Cloud send the events again. No
// delivery enters the pipeline after it returns.
func (r *jiraReceiver) Shutdown(ctx context.Context) error {
	defer r.handler.meter.telemetry.Shutdown()
	defer r.handler.unmapped.shutdown()
	if r.server == nil {
		return nil
	}
	if !r.handler.health.draining.Swap(true) && r.cfg.Jira.ShutdownDelay > 0 {
		r.handOver(ctx)
	}
	r.listener.StopReading(time.Now().Add(readGrace))
	r.handler.stopReading()
	err := r.server.Shutdown(ctx)
	if err == nil { // but for calls whose sender has hung up
		err = r.handler.inflight.wait(ctx)
	}
	if err != nil {
		r.handler.inflight.abort(cancelGrace)
		err = errors.Join(err, r.server.Close())
	}
	r.serving.Wait()
	keeper := r.keeper
	r.keeper = nil // a second call finds the storage closed
	return errors.Join(err, keeper.shutdown(ctx))
}

// handOver goes on taking deliveries until a load balancer has learnt to send them elsewhere.
func (r *jiraReceiver) handOver(ctx context.Context) {
	sleep(ctx, r.cfg.Jira.ShutdownDelay)
	r.listener.StopAccepting()
	r.serving.Wait() // it accepts no more
	for end := time.Now().Add(handoverGrace); r.listener.Len() > 0 && time.Now().Before(end) && ctx.Err() == nil; {
		sleep(ctx, handoverGrace/100)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
