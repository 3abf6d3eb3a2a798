// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// TestConnection posts to a server that accepts signed deliveries only, closes a connection while it is idle, and
// rejects the last delivery.
func TestConnection(t *testing.T) {
	const body = `{"webhookEvent": "jira:issue_updated"}`
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, signature.Sign([]byte(secret), content), r.Header.Get(signature.Header))
		ids = append(ids, r.Header.Get("X-Atlassian-Webhook-Identifier"))
		if len(ids) == 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	l := load{body: []byte(body), connections: 1}
	c := newConnections(strings.TrimPrefix(server.URL, "http://"), l)[0]
	defer c.close()
	require.NoError(t, c.post())
	require.NoError(t, c.post())
	server.CloseClientConnections()
	require.NoError(t, c.post())
	require.ErrorContains(t, c.post(), "503")
	assert.Len(t, ids, 4)
	assert.NotContains(t, ids[1:], ids[0], "each delivery has its own ID")
}
