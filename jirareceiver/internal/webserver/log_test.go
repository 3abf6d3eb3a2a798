// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package webserver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestErrorLog logs the texts of net/http.
func TestErrorLog(t *testing.T) {
	for text, want := range map[string][2]string{
		"http: TLS handshake error from 127.0.0.1:41234: EOF\n":                                                     {"TLS handshake failed", "EOF"},
		"http: TLS handshake error from [::1]:41234: read tcp [::1]:8443->[fe80::1%eth0]:41234: i/o timeout\n":      {"TLS handshake failed", "read tcp address->address: i/o timeout"},
		"http: Accept error: accept tcp 127.0.0.1:8087: accept4: too many open files; retrying in 5ms\n":            {"Accepting a connection failed", ": accept tcp address: accept4: too many open files; retrying in 5ms"},
		"http: panic serving 127.0.0.1:41234: hunter2\ngoroutine 1 [running]:\n":                                    {"A request failed with a panic", ""},
		"http2: panic serving 127.0.0.1:41234: hunter2\ngoroutine 1 [running]:\n":                                   {"A request failed with a panic", ""},
		"http2: server: error reading preface from client 10.1.2.3:41234: timeout waiting for client preface\nmore": {"The HTTP server reports an error", "http2: server: error reading preface from client address: timeout waiting for client preface"},
	} {
		core, logs := observer.New(zap.DebugLevel)
		newErrorLog(zap.New(core)).Print(text)
		require.Equal(t, 1, logs.Len(), text)
		assert.Equal(t, want[0], logs.All()[0].Message)
		assert.Equal(t, want[1], logs.All()[0].ContextMap()["error"])
	}
}
