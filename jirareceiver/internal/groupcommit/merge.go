// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import "go.opentelemetry.io/collector/pdata/plog"

// merge moves the records of all parts into the first, in order. Equal resources become one, and equal scopes within
// it.
func merge(parts []plog.Logs) plog.Logs {
	merged := parts[0]
	for _, part := range parts[1:] {
		for _, resource := range part.ResourceLogs().All() {
			addResource(merged.ResourceLogs(), resource)
		}
	}
	return merged
}

func addResource(merged plog.ResourceLogsSlice, resource plog.ResourceLogs) {
	for _, other := range merged.All() {
		if other.SchemaUrl() == resource.SchemaUrl() && other.Resource().Attributes().Equal(resource.Resource().Attributes()) {
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

func isEqualScope(a, b plog.ScopeLogs) bool {
	return a.SchemaUrl() == b.SchemaUrl() &&
		a.Scope().Name() == b.Scope().Name() &&
		a.Scope().Version() == b.Scope().Version() &&
		a.Scope().Attributes().Equal(b.Scope().Attributes())
}
