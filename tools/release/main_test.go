// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain changes to the root of the repository, where `make release` has written the folder dist.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// find returns the only file in dist that matches a pattern.
func find(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(targetDir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, "%s: run make release first", pattern)
	return found[0]
}

// TestChecksums compares the checksums with the files in dist.
func TestChecksums(t *testing.T) {
	content, err := os.ReadFile(find(t, "SHA256SUMS"))
	require.NoError(t, err)
	listed := map[string]string{}
	for line := range strings.Lines(string(content)) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[file] = sum
	}
	found := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(targetDir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == "SHA256SUMS" {
			return err
		}
		content, err := os.ReadFile(filepath.Join(targetDir, path))
		sum := sha256.Sum256(content)
		found[path] = hex.EncodeToString(sum[:])
		return err
	}))
	assert.Equal(t, found, listed)
}

// TestArchive lists the archive for this platform.
func TestArchive(t *testing.T) {
	archive, err := os.Open(find(t, "*_linux_"+runtime.GOARCH+".tar.gz"))
	require.NoError(t, err)
	defer archive.Close()
	compressed, err := gzip.NewReader(archive)
	require.NoError(t, err)
	modes := map[string]int64{}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		root, name, _ := strings.Cut(header.Name, "/")
		assert.Equal(t, strings.TrimSuffix(filepath.Base(archive.Name()), ".tar.gz"), root)
		assert.Zero(t, header.Uid)
		modes[name] = header.Mode
	}
	for name, mode := range map[string]int64{
		distribution: 0o755, "LICENSE": 0o644, "README.md": 0o644, "CHANGELOG.md": 0o644, thirdParty: 0o644,
		"examples/quickstart.yaml": 0o644, "examples/deploy/otelcol-jira.service": 0o644,
	} {
		assert.Equal(t, mode, modes[name], name)
	}
	assert.NotContains(t, modes, "examples/demo/main.go", "the demo needs the repository")
}

// TestNames checks that versions between releases sort before the release, and that they fit into all formats.
func TestNames(t *testing.T) {
	commit := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	assert.Equal(t, "0.1.0", release{version: "0.1.0", time: commit}.name())
	assert.Equal(t, "0.1.0-pre20260102150405", release{version: "0.1.0+abc-dirty", time: commit}.name())
	assert.Equal(t, []platform{{"linux", "amd64"}, {"windows", "arm64"}}, parsePlatforms("linux/amd64 windows/arm64"))
	assert.Equal(t, "build/release/windows_arm64/otelcol-jira.exe", platform{"windows", "arm64"}.dir()+"/"+platform{"windows", "arm64"}.program())
}
