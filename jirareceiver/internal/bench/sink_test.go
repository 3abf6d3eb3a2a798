// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func TestSinkCountsRecords(t *testing.T) {
	logs := plog.NewLogs()
	for range 2 {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("jira.site.url", "https://acme.atlassian.net")
		for range 3 {
			records := resource.ScopeLogs().AppendEmpty().LogRecords()
			records.AppendEmpty().Body().SetStr("a record")
			records.AppendEmpty().Attributes().PutStr("jira.issue.key", "OPS-42")
		}
	}
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	assert.Equal(t, 12, countRecords(request))
	assert.Zero(t, countRecords(nil))

	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, err = w.Write(request)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	s := new(sink)
	response := httptest.NewRecorder()
	s.ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/v1/logs", &compressed))
	assert.Equal(t, http.StatusOK, response.Code)
	assert.Equal(t, int64(12), s.records.Load())
}
