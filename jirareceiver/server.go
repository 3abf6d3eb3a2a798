package jirareceiver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

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
)

// newServer returns a server for the handler, and what confighttp puts around it: authentication by an extension, limits of
// bodies, traces and metrics.
func newServer(ctx context.Context, host component.Host, cfg *Config, telemetry component.TelemetrySettings, h *handler) (*http.Server, error) {
	config := cfg.Server
	config.CompressionAlgorithms = []string{} // the handler decodes
	telemetry.TracerProvider = discreetTracing{next: telemetry.TracerProvider}
	server, err := config.ToServer(ctx, host.GetExtensions(), telemetry, h, confighttp.WithErrorHandler(h.turnedAway))
	if err != nil {
		return nil, err
	}
	server.Handler = limitRequests(server.Handler, cfg.Server.NetAddr.Endpoint)
	server.DisableGeneralOptionsHandler = true // it answers OPTIONS * with 200 without authentication
	server.MaxHeaderBytes = maxHeaderBytes
	server.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              maxFrame,
		MaxReceiveBufferPerConnection: maxBuffer,
		MaxReceiveBufferPerStream:     maxBuffer,
	}
	server.ErrorLog = newServerLog(h.meter.warnings)
	server.ConnContext = withConnection
	server.ConnState = shareHTTP2
	if cfg.Server.TLS.HasValue() {
		server.TLSConfig, err = cfg.Server.TLS.Get().LoadTLSConfig(ctx)
	}
	return server, err
}

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

// listen opens the endpoint without TLS: a connection counts before its handshake.
func listen(ctx context.Context, cfg *confighttp.ServerConfig) (net.Listener, error) {
	plain := *cfg
	plain.TLS = configoptional.None[configtls.ServerConfig]()
	return plain.ToListener(ctx)
}

// serve serves until the server is shut down.
func serve(server *http.Server, listener net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// shareHTTP2 counts a connection for all requests that it may carry. net/http answers some of them without the handler.
func shareHTTP2(conn net.Conn, _ http.ConnState) {
	if secured, ok := conn.(*tls.Conn); ok && secured.ConnectionState().NegotiatedProtocol == "h2" {
		if limited, ok := secured.NetConn().(*connlimit.Conn); ok {
			limited.Share(maxStreams)
		}
	}
}

type connectionKey struct{}

// withConnection returns the context of all requests of a connection.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return context.WithValue(ctx, connectionKey{}, conn)
}

// connectionOf returns the connection of a request, or nil if the handler is called without a server.
func connectionOf(ctx context.Context) *connlimit.Conn {
	conn, _ := ctx.Value(connectionKey{}).(*connlimit.Conn)
	return conn
}

// markAuthenticated keeps the connection of an authentic delivery from being closed to make room for others. Where nothing checks
// who sends, no connection is better than another.
func (h *handler) markAuthenticated(ctx context.Context) {
	if conn := connectionOf(ctx); conn != nil && h.authenticates {
		conn.Authenticated()
	}
}
