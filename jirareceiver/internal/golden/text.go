// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package golden

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// AssertText compares a text with the content of a file.
func AssertText(t *testing.T, file, actual string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(actual), 0o600))
	}
	expected, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(expected), actual, "%s is not current: run the test with -update", file)
}

// Printed returns the first record in the form in which the documentation shows records: one value per line.
func Printed(logs plog.Logs) string {
	var b strings.Builder
	resource := logs.ResourceLogs().At(0)
	record := resource.ScopeLogs().At(0).LogRecords().At(0)
	fmt.Fprintf(&b, "Timestamp     %s\n", record.Timestamp().AsTime().Format(jira.TimeFormat))
	fmt.Fprintf(&b, "Severity      %s\n", strings.ToUpper(record.SeverityNumber().String()))
	fmt.Fprintf(&b, "EventName     %s\n", record.EventName())
	fmt.Fprintf(&b, "Body          %s\n", record.Body().Str())
	printMap(&b, "Resource", resource.Resource().Attributes())
	printMap(&b, "Attributes", record.Attributes())
	return b.String()
}

func printMap(b *strings.Builder, title string, attrs pcommon.Map) {
	b.WriteString(title + "\n")
	for key, value := range attrs.All() {
		fmt.Fprintf(b, "  %-33s %s\n", key, value.AsString())
	}
}
