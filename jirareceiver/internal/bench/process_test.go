// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMetric(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `# TYPE deliveries counter
deliveries{event="a b",outcome="repaired"} 2
deliveries{event="c",outcome="repaired"} 1e3
deliveries{event="c",outcome="accepted"} 5
deliveries_sum{outcome="repaired"} 7
`)
	}))
	defer server.Close()
	p := &process{metrics: server.URL}
	sum, err := p.metric("deliveries", `outcome="repaired"`)
	require.NoError(t, err)
	assert.InDelta(t, 1002, sum, 0)
	sum, err = p.metric("deliveries", `outcome="refused"`)
	require.NoError(t, err)
	assert.Zero(t, sum)
}
