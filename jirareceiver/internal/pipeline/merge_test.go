// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestMerge(t *testing.T) {
	scoped := oneRecord("a", "scoped")
	scoped.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetVersion("2")
	other := oneRecord("a", "schema")
	other.ResourceLogs().At(0).SetSchemaUrl("https://example.com/schema")
	merged := oneRecord("a", "1")
	for _, logs := range []plog.Logs{oneRecord("b", "2"), oneRecord("a", "3"), scoped, other, oneRecord("b", "4")} {
		Merge(merged, logs)
	}
	var got [][]string
	for _, resource := range merged.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			names := []string{resource.Resource().Attributes().AsRaw()["jira.site.url"].(string)}
			for _, record := range scope.LogRecords().All() {
				names = append(names, record.EventName())
			}
			got = append(got, names)
		}
	}
	assert.Equal(t, [][]string{{"a", "1", "3"}, {"a", "scoped"}, {"b", "2", "4"}, {"a", "schema"}}, got)
}

// oneRecord returns a record of a site.
func oneRecord(site, name string) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("jira.site.url", site)
	resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName(name)
	return logs
}
