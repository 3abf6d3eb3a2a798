// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startWithFile(t *testing.T, path string) *running {
	t.Helper()
	return start(t, &sink{}, func(cfg *Config) {
		deduplicate(cfg)
		cfg.Jira.Deduplication.File = path
	})
}

func TestRestartWithFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "deliveries")
	before := startWithFile(t, path)
	before.assertOutcomes(t, map[outcome]int64{accepted: 2}, "1", "2")
	require.NoError(t, before.Shutdown(t.Context()))

	after := startWithFile(t, path)
	assertRemembered(t, after, 2)
	after.assertOutcomes(t, map[outcome]int64{accepted: 1, duplicate: 2}, "1", "2", "3")
	assert.Zero(t, after.storageErrors())
}

// TestDamagedFile counts and logs the damage, accepts deliveries all the same, and mends the file.
func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deliveries")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("hunter2"), 8000), 0o600)) // three pages
	r := startWithFile(t, path)
	assert.EqualValues(t, 3, r.storageErrors())
	damaged := r.logs.FilterMessageSnippet("The deduplication file is damaged")
	require.Equal(t, 1, damaged.Len())
	assert.Equal(t, map[string]any{"file": path, "damaged_pages": int64(3)}, damaged.All()[0].ContextMap())
	r.assertOutcomes(t, map[outcome]int64{accepted: 1, duplicate: 1}, "1", "1")
	require.NoError(t, r.Shutdown(t.Context()))

	after := startWithFile(t, path)
	after.assertOutcomes(t, map[outcome]int64{duplicate: 1}, "1")
	assert.Zero(t, after.storageErrors())
}

// TestFileThatCannotBeOpened has a directory in the place of the file.
func TestFileThatCannotBeOpened(t *testing.T) {
	r := startWithFile(t, t.TempDir())
	assert.EqualValues(t, 1, r.storageErrors())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Cannot use deduplication::file").Len())
	r.assertOutcomes(t, map[outcome]int64{accepted: 1, duplicate: 1}, "1", "1")
	response, _ := r.post(t, []byte(createdBody), numbered("2"))
	assert.Equal(t, http.StatusOK, response.StatusCode)
}
