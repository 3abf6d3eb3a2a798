// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// TestVersionsOfTheContract compares the versions that the resource and the scope of all records have.
func TestVersionsOfTheContract(t *testing.T) {
	w := newWriting(nil)
	for _, body := range []string{"", `{"webhookEvent": "jira:issue_created", "issue": {"key": "OPS-1"}}`} {
		resource := w.logs(t, []byte(body), Delivery{}).ResourceLogs().At(0)
		require.Equal(t, 1, resource.ScopeLogs().Len())
		scope := resource.ScopeLogs().At(0)
		assert.Equal(t, semconv.SchemaURL, resource.SchemaUrl())
		assert.Equal(t, semconv.SchemaURL, scope.SchemaUrl())
		assert.Equal(t, map[string]any{"jira.schema.version": SchemaVersion}, scope.Scope().Attributes().AsRaw())
	}
	assert.Regexp(t, `^\d+\.\d+\.\d+$`, SchemaVersion)
}
