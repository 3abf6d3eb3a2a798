// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import "go.opentelemetry.io/collector/pdata/plog"

// merge moves the records of all deliveries into those of the first, in order. Equal resources become one, and equal
// scopes within it.
func merge(deliveries []*delivery) plog.Logs {
	merged := deliveries[0].logs
	for _, d := range deliveries[1:] {
		for _, resource := range d.logs.ResourceLogs().All() {
			addResource(merged.ResourceLogs(), resource)
		}
	}
	return merged
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
