// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gomodule "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// TestUserManifest builds the manifest of docs/build-your-own.md as a user does after the release: without a clone, from
// a module proxy that serves the tag of this release. The proxy is a folder, and the tag has the files of the working
// tree.
func TestUserManifest(t *testing.T) {
	page, err := os.ReadFile("docs/build-your-own.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(dist:.*?)```").FindSubmatch(page)
	require.NotNil(t, block)
	version := "v" + manifestVersion(t)
	require.Contains(t, string(block[1]), "gomod: "+modulePath+" "+version+"\n")
	require.NotContains(t, string(block[1]), "\n    path:")

	builder := strings.TrimSpace(command(t, "go", "tool", "-modfile=tools/go.mod", "-n", "builder"))
	cache := strings.TrimSpace(command(t, "go", "env", "GOMODCACHE"))
	proxies := strings.TrimSpace(command(t, "go", "env", "GOPROXY"))
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "manifest.yaml"), block[1], 0o600))
	build := exec.CommandContext(t.Context(), builder, "--config", "manifest.yaml", "--skip-strict-versioning=false")
	build.Dir = folder
	// A module cache of its own, so that the tag does not stay on this machine. Other modules come from the cache of the
	// machine, which has the layout of a proxy.
	build.Env = append(os.Environ(), "GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw", "GONOSUMDB="+modulePath,
		"GOPROXY=file://"+moduleProxy(t, version)+",file://"+cache+"/cache/download,"+proxies)
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	components := command(t, filepath.Join(folder, "my-collector", "my-collector"), "components")
	assert.Contains(t, components, "name: jira\n      module: "+modulePath+" "+version)
}

// TestVersions compares the versions in the manifest of the distribution with each other and with the pages.
func TestVersions(t *testing.T) {
	version := manifestVersion(t)
	for file, want := range map[string]string{
		"builder-config.yaml":             "gomod: " + modulePath + " v" + version + "\n",
		"examples/deploy/kubernetes.yaml": "image: ghcr.io/otel-jira/otelcol-jira:" + version + "\n",
		"docs/install.md":                 "ghcr.io/otel-jira/otelcol-jira:" + version + "\n",
		"CHANGELOG.md":                    "\n## " + version,
		"charts/otelcol-jira/Chart.yaml":  "appVersion: " + version + " ",
	} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(content), want, file)
	}
}

func manifestVersion(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("builder-config.yaml")
	require.NoError(t, err)
	match := regexp.MustCompile(`(?m)^ {2}version: (\S+)$`).FindSubmatch(content)
	require.NotNil(t, match)
	return string(match[1])
}

// moduleProxy returns a folder in the layout of a module proxy, which contains one version of the module.
func moduleProxy(t *testing.T, version string) string {
	t.Helper()
	var files []zip.File
	for path := range strings.Lines(command(t, "git", "ls-files", "--cached", "--others", "--exclude-standard")) {
		files = append(files, sourceFile(strings.TrimSpace(path)))
	}
	goMod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	var archive bytes.Buffer
	require.NoError(t, zip.Create(&archive, gomodule.Version{Path: modulePath, Version: version}, files))
	proxy := t.TempDir()
	folder := filepath.Join(proxy, modulePath, "@v")
	require.NoError(t, os.MkdirAll(folder, 0o750))
	for name, content := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": []byte(`{"Version":"` + version + `"}`), version + ".mod": goMod, version + ".zip": archive.Bytes(),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	return proxy
}

// sourceFile is the path of a file in the repository.
type sourceFile string

func (f sourceFile) Path() string                 { return string(f) }
func (f sourceFile) Lstat() (os.FileInfo, error)  { return os.Lstat(string(f)) }
func (f sourceFile) Open() (io.ReadCloser, error) { return os.Open(string(f)) }

// command returns the output of a command, which must succeed.
func command(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), args[0], args[1:]...).Output()
	require.NoError(t, err)
	return string(output)
}
