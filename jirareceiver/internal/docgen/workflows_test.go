// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestWorkflows checks that each step of the workflows runs what contributors run: .ci/run, or make with targets of the
// Makefile; and that actions are pinned by commits. actionlint, in `make lint`, checks the syntax.
func TestWorkflows(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	pinned := regexp.MustCompile(`^[\w/-]+@[0-9a-f]{40}$`)
	for _, file := range files {
		var workflow struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Strategy struct{ Matrix struct{ Target []string } }
				Steps    []struct{ Uses, Run string }
			}
		}
		name, err := filepath.Rel(root, file)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal([]byte(read(t, name)), &workflow), name)
		assert.Equal(t, map[string]string{"contents": "read"}, workflow.Permissions, name)
		for _, job := range workflow.Jobs {
			for _, step := range job.Steps {
				if step.Uses != "" {
					assert.Regexp(t, pinned, step.Uses, name)
				} else {
					assertCommand(t, step.Run, job.Strategy.Matrix.Target)
				}
			}
		}
	}
}

// assertCommand accepts .ci/run, and make with targets. "${{ matrix.target }}" stands for each of some targets.
func assertCommand(t *testing.T, command string, matrix []string) {
	t.Helper()
	if command == ".ci/run" {
		return
	}
	target, found := strings.CutPrefix(command, "make ")
	require.True(t, found, "%q is neither .ci/run nor make", command)
	targets := []string{target}
	if target == "${{ matrix.target }}" {
		targets = matrix
	}
	require.NotEmpty(t, targets)
	for _, target := range targets {
		name, _, _ := strings.Cut(target, " ")
		assert.Regexp(t, "(?m)^"+regexp.QuoteMeta(name)+":", read(t, "Makefile"), command)
	}
}
