// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// serveFloor serves the floor of the comparison: the work that every receiver of signed webhooks must do, and nothing
// else. It reads the body on the collector's server, verifies the signature, and responds with 200.
func serveFloor(ctx context.Context, endpoint string) error {
	cfg := confighttp.NewDefaultServerConfig()
	cfg.NetAddr.Endpoint = endpoint
	cfg.MaxRequestBodySize = 25 << 20
	server, err := cfg.ToServer(ctx, nil, componenttest.NewNopTelemetrySettings(), http.HandlerFunc(floor))
	if err != nil {
		return err
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.Serve(listener)
}

var keys = []*signature.Key{signature.NewKey([]byte(secret))}

func floor(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	if _, err := body.ReadFrom(r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s, err := signature.Parse(r.Header.Get(signature.Header))
	if err != nil || s.Verify(body.Bytes(), keys) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusOK)
}
