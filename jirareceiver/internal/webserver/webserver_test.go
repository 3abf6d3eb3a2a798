// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package webserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.uber.org/zap"
)

// TestKeepalive checks that the settings of keepalive reach the connections: the server ends an idle connection after
// idle_timeout, and without keep-alives it ends a connection after each response.
func TestKeepalive(t *testing.T) {
	shortIdle := confighttp.NewDefaultKeepaliveServerConfig()
	shortIdle.IdleTimeout = 10 * time.Millisecond
	for _, tt := range []struct {
		name      string
		keepalive configoptional.Optional[confighttp.KeepaliveServerConfig]
		wantClose bool
	}{
		{"short idle timeout", configoptional.Some(shortIdle), false},
		{"disabled", configoptional.None[confighttp.KeepaliveServerConfig](), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := confighttp.NewDefaultServerConfig()
			config.NetAddr.Endpoint = "localhost:0"
			config.ReadTimeout = time.Hour // the server falls back to it without an idle timeout
			config.Keepalive = tt.keepalive
			conn, err := net.Dial("tcp", serve(t, &config))
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))

			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
			require.NoError(t, err)
			rest := bufio.NewReader(conn)
			response, err := http.ReadResponse(rest, nil)
			require.NoError(t, err)
			assert.Equal(t, tt.wantClose, response.Close)
			_, err = rest.ReadByte()
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

// serve starts a server that answers each request with 200, and returns its address.
func serve(t *testing.T, config *confighttp.ServerConfig) string {
	t.Helper()
	server, err := New(t.Context(), componenttest.NewNopHost(), Options{
		Config:         config,
		MaxConnections: 1,
		Telemetry:      componenttest.NewNopTelemetrySettings(),
		Warnings:       zap.NewNop(),
		Handler:        http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	})
	require.NoError(t, err)
	require.NoError(t, server.Listen(t.Context()))
	done := make(chan error)
	go func() { done <- server.Serve() }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-done)
	})
	return server.Listener().Addr().String()
}
