// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestFilesAreCurrent compares the generated files with the files in the repository.
func TestFilesAreCurrent(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	files, err := generate(root)
	require.NoError(t, err)
	for name, content := range files {
		current, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		assert.Equal(t, string(current), content, "%s is not current: run `make docs`", name)
	}
}

// TestOptionsOfAttributes compares the options in the comments of attribute.go with the options by which the receiver
// checks query_attributes.
func TestOptionsOfAttributes(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	declared, err := parseAttributes(root)
	require.NoError(t, err)
	for _, attr := range declared.attributes {
		_, personal := attr.personal()
		option, needed := strings.CutPrefix(personal, "yes: ")
		if !needed {
			option = ""
		}
		key := strings.Replace(attr.key, customAlias, "alias", 1)
		assert.Equal(t, strings.Trim(option, "`"), record.OptionOf(key), key)
	}
}
