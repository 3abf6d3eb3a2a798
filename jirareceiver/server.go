package jirareceiver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/otel-jira/collector/jirareceiver/internal/connlimit"
)

// A stranger can make the server hold this much, and docs/durability.md says what it adds up to.
const (
	// maxHeaderBytes is many times what Jira's headers and those of proxies take. net/http adds 4 KiB of its own.
	maxHeaderBytes = 8 << 10
	// maxStreams is how many requests a connection of HTTP/2 carries at a time: as many as Jira Cloud has under way to a URL.
	maxStreams = 30
	// maxFrame is the least that HTTP/2 allows. The server sets aside as much for a connection, by default a megabyte.
	maxFrame = 16 << 10
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
	server.Handler = atTheDoor(server.Handler, cfg.Server.NetAddr.Endpoint)
	server.DisableGeneralOptionsHandler = true // it tells anybody 200
	server.MaxHeaderBytes = maxHeaderBytes
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrame}
	server.ErrorLog = newServerLog(h.meter.warnings)
	server.ConnContext = withConnection
	if cfg.Server.TLS.HasValue() {
		server.TLSConfig, err = cfg.Server.TLS.Get().LoadTLSConfig(ctx)
	}
	return server, err
}

// atTheDoor is what a request meets first. It takes the name of the host from the request, of which senders could otherwise
// make as many time series as they like.
func atTheDoor(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host
		conn := connectionOf(r.Context())
		if conn == nil || r.ProtoMajor == 1 {
			next.ServeHTTP(w, r)
			return
		}
		conn.Begin()
		defer conn.End()
		next.ServeHTTP(w, r)
		_ = http.NewResponseController(w).Flush() // a sender that does not take the answer holds the request for as long
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

// markAuthenticated keeps the connection of a request from being closed to make room for others.
func markAuthenticated(ctx context.Context) {
	if conn := connectionOf(ctx); conn != nil {
		conn.Authenticated()
	}
}
