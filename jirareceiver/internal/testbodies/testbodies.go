// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package testbodies reads the example bodies in the folder testdata of the repository, and bodies of real webhooks.
//
// The folders are events (a body for each event type), senders (a body for each peculiarity of a sender), life (the
// life of an issue) and bench (bodies for benchmarks).
package testbodies

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Variable names the environment variable with the path of a folder with bodies of real webhooks. The repository does
// not contain them, because they contain names of people.
const Variable = "JIRA_PAYLOADS"

// Body is the body of a delivery.
type Body struct {
	Name    string // folder and file without extension, such as events/jira.issue.created
	File    string
	Content []byte
}

// Odd reports whether values in the body have another place or type than in the documentation of Jira.
func (b Body) Odd() bool { return strings.HasPrefix(filepath.Base(b.Name), "odd_") }

// Empty reports whether the body is empty, for example because the webhook excludes it.
func (b Body) Empty() bool { return len(b.Content) == 0 }

// Root returns the root folder of the repository: the working directory or a folder above it.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "testdata", "events")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no testdata/events in the working directory or above it")
		}
		dir = parent
	}
}

// Load reads all bodies in folders of testdata.
func Load(folders ...string) ([]Body, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	var bodies []Body
	for _, folder := range folders {
		found, err := readFolder(filepath.Join(root, "testdata", folder), folder)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, found...)
	}
	return bodies, nil
}

func readFolder(path, name string) ([]Body, error) {
	files, err := filepath.Glob(filepath.Join(path, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no bodies in %s", path)
	}
	bodies := make([]Body, 0, len(files))
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // the developer who runs the tests names the folder
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, Body{name + "/" + strings.TrimSuffix(filepath.Base(file), ".json"), file, content})
	}
	return bodies, nil
}

// LoadExamples reads the bodies of events, life and senders.
func LoadExamples() ([]Body, error) { return Load("events", "life", "senders") }

// Examples returns the bodies of events, life and senders.
func Examples(tb testing.TB) []Body {
	tb.Helper()
	bodies, err := LoadExamples()
	require.NoError(tb, err)
	return bodies
}

// Folder returns the bodies in one folder of testdata.
func Folder(tb testing.TB, name string) []Body {
	tb.Helper()
	bodies, err := Load(name)
	require.NoError(tb, err)
	return bodies
}

// Read returns the content of the body with a name.
func Read(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(File(tb, name+".json"))
	require.NoError(tb, err)
	return content
}

// File returns the path of a file in testdata.
func File(tb testing.TB, name string) string {
	tb.Helper()
	root, err := Root()
	require.NoError(tb, err)
	return filepath.Join(root, "testdata", filepath.FromSlash(name))
}

// Names returns the names of the files in testdata that match the pattern, without extensions.
func Names(tb testing.TB, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(File(tb, pattern))
	require.NoError(tb, err)
	require.NotEmpty(tb, files)
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	return names
}

// Payloads returns bodies of real webhooks, or nil if the variable is not set.
func Payloads(tb testing.TB) []Body {
	tb.Helper()
	folder := os.Getenv(Variable)
	if folder == "" {
		return nil
	}
	bodies, err := readFolder(folder, "payloads")
	require.NoError(tb, err)
	return bodies
}

// RequirePayloads returns bodies of real webhooks. It skips the test if there are none.
func RequirePayloads(tb testing.TB) []Body {
	tb.Helper()
	bodies := Payloads(tb)
	if bodies == nil {
		tb.Skipf("%s is not set: bodies of real webhooks are not tested", Variable)
	}
	return bodies
}

// All returns the examples and the bodies of real webhooks.
func All(tb testing.TB) []Body {
	tb.Helper()
	return append(Examples(tb), Payloads(tb)...)
}

// CustomFields returns a configuration with all custom fields of the bodies. Each field is its own alias.
func CustomFields(tb testing.TB, bodies []Body) map[string]string {
	tb.Helper()
	aliases := map[string]string{}
	for _, body := range bodies {
		var tree struct {
			Issue  struct{ Fields map[string]any }
			Fields map[string]any
		}
		_ = json.Unmarshal(body.Content, &tree) // fails for bodies of another shape
		for _, fields := range []map[string]any{tree.Issue.Fields, tree.Fields} {
			for key := range fields {
				if strings.HasPrefix(key, "customfield_") {
					aliases[key] = key
				}
			}
		}
	}
	require.NotEmpty(tb, aliases)
	return aliases
}

// AddTo adds the content of all examples to the seeds of a fuzz test.
func AddTo(f *testing.F) {
	f.Helper()
	for _, body := range Examples(f) {
		f.Add(body.Content)
	}
}
