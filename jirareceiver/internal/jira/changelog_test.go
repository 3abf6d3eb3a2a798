// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFieldKey(t *testing.T) {
	assert.Equal(t, "fixversions", Change{Field: "Fix Version", FieldID: "fixVersions"}.FieldKey())
	assert.Equal(t, "fix version", Change{Field: "Fix Version"}.FieldKey())
	assert.Empty(t, Change{Field: strings.Repeat("a", MaxID+1)}.FieldKey())
}

// TestIsWorklog is true if nothing but the tracked time was changed.
func TestIsWorklog(t *testing.T) {
	id, spent, status := Change{Field: "WorklogId"}, Change{Field: "timespent"}, Change{Field: "status"}
	custom := Change{Field: "timespent", FieldType: "custom"}
	assert.True(t, Changelog{Items: []Change{spent, id}}.IsWorklog())
	for _, items := range [][]Change{nil, {spent}, {id, status}, {id, custom}} {
		assert.False(t, Changelog{Items: items}.IsWorklog(), items)
	}
}
