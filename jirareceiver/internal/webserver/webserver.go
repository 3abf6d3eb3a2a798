// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package webserver is the HTTP server of the receiver: the server of confighttp, with limits for unauthenticated
// senders.
package webserver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/connlimit"
)

// These limits bound the memory and the time that an unauthenticated sender can take. docs/limits.md adds them up.
const (
	// maxHeaderBytes is many times the size of the headers of Jira and of proxies. net/http adds 4 KiB.
	maxHeaderBytes = 8 << 10
	// maxStreams is the largest number of concurrent requests on an HTTP/2 connection. Jira Cloud has at most as many
	// in progress to a URL.
	maxStreams = 30
	// maxFrame is the smallest limit of frames that HTTP/2 allows. The server allocates as many bytes for each
	// connection, by default a megabyte.
	maxFrame = 16 << 10
	// maxBuffer is the number of body bytes that net/http buffers for an HTTP/2 connection before the handler reads
	// them. A connection with a round-trip time of 100 ms still transfers 25 MB within the default of read_timeout.
	maxBuffer = 128 << 10
	// answerGrace is the time for a sender to receive a response over HTTP/2. Responses are short. A sender that opens
	// no flow-control window for them would otherwise keep its request open.
	answerGrace = 2 * time.Second
	// ReadGrace is the time for a sender to complete its request after the server began to shut down. A sender that
	// stalls would otherwise delay the stop while the endpoint is closed.
	ReadGrace = 2 * time.Second
)

// Options configure a [Server].
type Options struct {
	Config         *confighttp.ServerConfig
	MaxConnections int
	OnEvict        func() // called for each connection that is closed to make room for others
	Telemetry      component.TelemetrySettings
	Warnings       *zap.Logger // samples the messages of net/http
	Handler        http.Handler
	OnUnauthorized http.HandlerFunc // responds to requests that the authenticator extension rejects
}

// Server is an HTTP server with one listener.
type Server struct {
	opts     Options
	http     *http.Server
	listener *connlimit.Listener
}

// New returns a Server with the layers that confighttp adds to a handler: authentication by an extension, limits of
// bodies, traces and metrics. It loads the TLS certificates.
func New(ctx context.Context, host component.Host, opts Options) (*Server, error) {
	config := *opts.Config
	config.CompressionAlgorithms = []string{} // the handler decodes, after it has checked the headers
	telemetry := opts.Telemetry
	telemetry.TracerProvider = discreetTracing{next: telemetry.TracerProvider}
	unauthorized := func(w http.ResponseWriter, r *http.Request, _ string, _ int) { opts.OnUnauthorized(w, r) }
	server, err := config.ToServer(
		ctx, host.GetExtensions(), telemetry, opts.Handler, confighttp.WithErrorHandler(unauthorized),
	)
	if err != nil {
		return nil, err
	}
	server.SetKeepAlivesEnabled(config.Keepalive.HasValue()) // confighttp 1.71 ignores keepalive::enabled: false
	server.Handler = replaceHost(limitResponseTime(server.Handler), config.NetAddr.Endpoint)
	server.DisableGeneralOptionsHandler = true // it answers OPTIONS * with 200 without authentication
	server.MaxHeaderBytes = maxHeaderBytes
	server.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              maxFrame,
		MaxReceiveBufferPerConnection: maxBuffer,
		MaxReceiveBufferPerStream:     maxBuffer,
	}
	server.ErrorLog = newErrorLog(opts.Warnings)
	server.ConnContext = withConnection
	server.ConnState = countHTTP2Requests
	if config.TLS.HasValue() {
		server.TLSConfig, err = config.TLS.Get().LoadTLSConfig(ctx)
	}
	if server.TLSConfig != nil {
		server.TLSConfig.GetCertificate = keepCertificate(server.TLSConfig.GetCertificate, opts.Warnings)
	}
	return &Server{opts: opts, http: server}, err
}

// keepCertificate returns a function that returns the last certificate while the files of a new one cannot be loaded. A
// program that renews a certificate replaces one file after the other. The next handshake tries again.
func keepCertificate(
	load func(*tls.ClientHelloInfo) (*tls.Certificate, error), warnings *zap.Logger,
) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var last atomic.Pointer[tls.Certificate]
	if first, err := load(nil); err == nil {
		last.Store(first)
	}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := load(hello)
		if err != nil {
			warnings.Warn("Cannot load the renewed TLS certificate; the receiver uses the certificate that it has loaded before",
				zap.Error(err))
			return last.Load(), nil
		}
		last.Store(certificate)
		return certificate, nil
	}
}

// Listen opens the endpoint. A connection counts before its TLS handshake.
func (s *Server) Listen(ctx context.Context) error {
	plain := *s.opts.Config
	plain.TLS = configoptional.None[configtls.ServerConfig]()
	listener, err := plain.ToListener(ctx)
	if err != nil {
		return err
	}
	s.listener = connlimit.New(listener, s.opts.MaxConnections, s.opts.OnEvict)
	return nil
}

// Listener returns the listener of the endpoint.
func (s *Server) Listener() net.Listener { return s.listener }

// Connections returns the number of open connections.
func (s *Server) Connections() int { return s.listener.Len() }

// Serve serves requests. It returns nil after Shutdown, StopAccepting or Close, and otherwise the error of the
// listener.
func (s *Server) Serve() error {
	serve := s.http.Serve
	if s.http.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	err := serve(s.listener)
	if errors.Is(err, http.ErrServerClosed) || s.listener.IsStopped() {
		return nil
	}
	return err
}

// StopAccepting closes the listener after it has accepted the connections that the kernel has already established. Open
// connections stay open.
func (s *Server) StopAccepting() { s.listener.StopAccepting() }

// Shutdown closes the listener and idle connections, and waits for requests. Senders have ReadGrace to complete their
// requests.
func (s *Server) Shutdown(ctx context.Context) error {
	s.listener.StopReading(time.Now().Add(ReadGrace))
	return s.http.Shutdown(ctx)
}

// Close closes all connections.
func (s *Server) Close() error { return s.http.Close() }

// replaceHost replaces the Host header, with which senders could otherwise create any number of time series.
func replaceHost(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		next.ServeHTTP(w, r)
	})
}

// limitResponseTime ends HTTP/2 requests whose sender does not receive the response.
func limitResponseTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.ProtoMajor > 1 {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerGrace))
		}
	})
}

// countHTTP2Requests counts an HTTP/2 connection for all requests that it may carry. It depends on the state of the
// connection, because net/http responds to some requests without calling the handler.
func countHTTP2Requests(conn net.Conn, state http.ConnState) {
	secured, ok := conn.(*tls.Conn)
	if !ok || secured.ConnectionState().NegotiatedProtocol != "h2" {
		return
	}
	if state == http.StateIdle {
		limited(conn).EndRequests()
		return
	}
	limited(conn).BeginRequests(maxStreams)
}

// limited returns the connection of the listener below TLS.
func limited(conn net.Conn) *connlimit.Conn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*connlimit.Conn)
}

type connectionKey struct{}

// withConnection returns the context of all requests of a connection.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, limited(conn))
}

// connectionOf returns the connection of a request, or nil if the handler is called without a server.
func connectionOf(ctx context.Context) *connlimit.Conn {
	conn, _ := ctx.Value(connectionKey{}).(*connlimit.Conn)
	return conn
}

// MarkAuthenticated keeps the connection of a request from being closed to make room for others.
func MarkAuthenticated(ctx context.Context) {
	if conn := connectionOf(ctx); conn != nil {
		conn.MarkAuthenticated()
	}
}
