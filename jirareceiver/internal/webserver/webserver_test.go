// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package webserver

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
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

// TestRenewedCertificate replaces the files of the certificate. The server keeps the old certificate while only one of
// them is new, and then serves the new one.
func TestRenewedCertificate(t *testing.T) {
	for name, byCA := range map[string]bool{"server certificate": false, "with client certificates": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := configtls.Config{
				CertFile: filepath.Join(dir, "server.crt"), KeyFile: filepath.Join(dir, "server.key"), ReloadInterval: time.Nanosecond,
			}
			certificates, keys := [2][]byte{}, [2][]byte{}
			for i := range 2 {
				certificates[i], keys[i] = newCertificate(t, int64(i))
			}
			replace := func(certificate, key []byte) {
				require.NoError(t, os.WriteFile(files.CertFile, certificate, 0o600))
				require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
			}
			replace(certificates[0], keys[0])
			settings := configtls.ServerConfig{Config: files}
			client := &tls.Config{InsecureSkipVerify: true}
			if byCA {
				settings.ClientCAFile, settings.ReloadClientCAFile = filepath.Join(dir, "clients.crt"), true
				require.NoError(t, os.WriteFile(settings.ClientCAFile, certificates[0], 0o600))
				pair, err := tls.X509KeyPair(certificates[0], keys[0])
				require.NoError(t, err)
				client.Certificates = []tls.Certificate{pair}
			}
			config := confighttp.NewDefaultServerConfig()
			config.NetAddr.Endpoint = "localhost:0"
			config.TLS = configoptional.Some(settings)
			core, logs := observer.New(zap.WarnLevel)
			address := serveWith(t, &config, zap.New(core))
			serial := func() int64 {
				conn, err := tls.Dial("tcp", address, client)
				require.NoError(t, err)
				defer conn.Close()
				return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
			}

			assert.EqualValues(t, 0, serial())
			replace(certificates[1], keys[0])
			assert.EqualValues(t, 0, serial())
			assert.Equal(t, 1, logs.FilterMessageSnippet("Cannot load the renewed TLS certificate").Len())
			replace(certificates[1], keys[1])
			assert.EqualValues(t, 1, serial())
			replace(certificates[1], nil)
			assert.EqualValues(t, 1, serial())
		})
	}
}

// newCertificate returns a certificate that signs itself, and its key.
func newCertificate(t *testing.T, serial int64) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// serve starts a server that answers each request with 200, and returns its address.
func serve(t *testing.T, config *confighttp.ServerConfig) string {
	t.Helper()
	return serveWith(t, config, zap.NewNop())
}

func serveWith(t *testing.T, config *confighttp.ServerConfig, warnings *zap.Logger) string {
	t.Helper()
	server, err := New(t.Context(), componenttest.NewNopHost(), Options{
		Config:         config,
		MaxConnections: 10,
		OnEvict:        func() {},
		Telemetry:      componenttest.NewNopTelemetrySettings(),
		Warnings:       warnings,
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
