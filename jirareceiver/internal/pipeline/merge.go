// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package pipeline

import "go.opentelemetry.io/collector/pdata/plog"

// Merge moves records to the end of others, in order. Equal resources become one, and equal scopes within it.
func Merge(to, from plog.Logs) {
	for _, resource := range from.ResourceLogs().All() {
		addResource(to.ResourceLogs(), resource)
	}
}

func addResource(merged plog.ResourceLogsSlice, resource plog.ResourceLogs) {
	for _, other := range merged.All() {
		if isEqualResource(other, resource) {
			for _, scope := range resource.ScopeLogs().All() {
				addScope(other.ScopeLogs(), scope)
			}
			return
		}
	}
	resource.MoveTo(merged.AppendEmpty())
}

func addScope(merged plog.ScopeLogsSlice, scope plog.ScopeLogs) {
	for _, other := range merged.All() {
		if isEqualScope(other, scope) {
			scope.LogRecords().MoveAndAppendTo(other.LogRecords())
			return
		}
	}
	scope.MoveTo(merged.AppendEmpty())
}

func isEqualResource(a, b plog.ResourceLogs) bool {
	return a.SchemaUrl() == b.SchemaUrl() && a.Resource().Attributes().Equal(b.Resource().Attributes())
}

func isEqualScope(a, b plog.ScopeLogs) bool {
	return a.SchemaUrl() == b.SchemaUrl() &&
		a.Scope().Name() == b.Scope().Name() &&
		a.Scope().Version() == b.Scope().Version() &&
		a.Scope().Attributes().Equal(b.Scope().Attributes())
}
