// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package diskguard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFreeSpace asks the operating system.
func TestFreeSpace(t *testing.T) {
	free, err := freeSpace(t.TempDir())
	require.NoError(t, err)
	assert.Positive(t, free)
	_, err = freeSpace(t.TempDir() + "/missing")
	assert.Error(t, err)
}

func BenchmarkGuard(b *testing.B) {
	guard := New(Options{Directories: []string{b.TempDir()}, MinFree: 1, Now: time.Now})
	for b.Loop() {
		guard.HasRoom()
	}
}
