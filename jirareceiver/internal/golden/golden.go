// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package golden compares log records, and texts about them, with the content of files. Tests that use it have the flag
// -update, which writes the files.
package golden

import (
	"flag"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

var update = flag.Bool("update", false, "write the golden files")

// Assert compares the logs of one delivery with the logs in a file.
func Assert(t *testing.T, file string, actual plog.Logs, options ...plogtest.CompareLogsOption) {
	t.Helper()
	if *update {
		require.NoError(t, golden.WriteLogsToFile(file, actual))
	}
	expected, err := golden.ReadLogs(file)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(expected, actual, options...))
	assert.Equal(t, eventNames(expected), eventNames(actual), "plogtest does not compare event names")
}

func eventNames(logs plog.Logs) []string {
	var names []string
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				names = append(names, record.EventName())
			}
		}
	}
	return names
}
