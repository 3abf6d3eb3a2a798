// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package webserver is the HTTP server of the receiver: that of confighttp, with bounds for senders that are not authenticated.
package webserver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/connlimit"
)

// These bound the memory and the time that an unauthenticated sender can take up. docs/limits.md adds them up.
const (
	// maxHeaderBytes is many times what Jira's headers and those of proxies take. net/http adds 4 KiB of its own.
	maxHeaderBytes = 8 << 10
	// maxStreams is how many requests a connection of HTTP/2 carries at a time: as many as Jira Cloud has under way to a URL.
	maxStreams = 30
	// maxFrame is the least that HTTP/2 allows. The server sets aside as much for a connection, by default a megabyte.
	maxFrame = 16 << 10
	// maxBuffer is how many bytes of bodies net/http keeps for a connection of HTTP/2 before the handler reads them. A line of 100 ms
	// still carries 25 MB within the default of read_timeout.
	maxBuffer = 128 << 10
	// answerGrace is how long a sender may take to receive an answer of HTTP/2 once there is one. Answers are short, and a sender
	// that opens no window for them would keep its request.
	answerGrace = 2 * time.Second
	// ReadGrace is how long a sender may take to complete its request once the server shuts down. A sender that stalls would hold up
	// the stop, while the endpoint is closed.
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
	OnUnauthorized http.HandlerFunc // answers requests that the extension of auth rejects
}

// Server is a server that listens.
type Server struct {
	opts     Options
	http     *http.Server
	listener *connlimit.Listener
}

// New builds a server with what confighttp puts around a handler: authentication by an extension, limits of bodies, traces and
// metrics. It loads the certificates of TLS.
func New(ctx context.Context, host component.Host, opts Options) (*Server, error) {
	config := *opts.Config
	config.CompressionAlgorithms = []string{} // the handler decodes, after it has checked the headers
	telemetry := opts.Telemetry
	telemetry.TracerProvider = discreetTracing{next: telemetry.TracerProvider}
	unauthorized := func(w http.ResponseWriter, r *http.Request, _ string, _ int) { opts.OnUnauthorized(w, r) }
	server, err := config.ToServer(ctx, host.GetExtensions(), telemetry, opts.Handler, confighttp.WithErrorHandler(unauthorized))
	if err != nil {
		return nil, err
	}
	server.SetKeepAlivesEnabled(config.Keepalive.HasValue()) // confighttp 1.71 ignores keepalive::enabled: false
	server.Handler = limitRequests(server.Handler, config.NetAddr.Endpoint)
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
	server.ConnState = shareHTTP2
	if config.TLS.HasValue() {
		server.TLSConfig, err = config.TLS.Get().LoadTLSConfig(ctx)
	}
	return &Server{opts: opts, http: server}, err
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

// Serve serves until Shutdown, StopAccepting or Close. The error is that of the listener, or nil after one of them.
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

// StopAccepting accepts the connections that the kernel has made already and closes the listener. Open connections go on.
func (s *Server) StopAccepting() { s.listener.StopAccepting() }

// Shutdown closes the listener and idle connections and waits for requests. Senders have ReadGrace to complete their requests.
func (s *Server) Shutdown(ctx context.Context) error {
	s.listener.StopReading(time.Now().Add(ReadGrace))
	return s.http.Shutdown(ctx)
}

// Close closes all connections.
func (s *Server) Close() error { return s.http.Close() }

// limitRequests ends requests of HTTP/2 whose sender does not take the answer. It replaces the Host header, of which senders could
// otherwise make as many time series as they like.
func limitRequests(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		next.ServeHTTP(w, r)
		if r.ProtoMajor > 1 {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerGrace))
		}
	})
}

// shareHTTP2 counts a connection for all requests that it may carry. net/http answers some of them without the handler.
func shareHTTP2(conn net.Conn, _ http.ConnState) {
	if secured, ok := conn.(*tls.Conn); ok && secured.ConnectionState().NegotiatedProtocol == "h2" {
		limited(conn).Share(maxStreams)
	}
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
		conn.Authenticated()
	}
}
