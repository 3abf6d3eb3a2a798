// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
)

// sources is the module that ocb generates.
const sources = "build/otelcol-jira"

// compile compiles the distribution with the flags of ocb.
func (r release) compile(p platform) error {
	file, err := filepath.Abs(filepath.Join(p.dir(), p.program()))
	if err != nil {
		return err
	}
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file) //nolint:gosec // constants and a platform
	command.Dir = sources
	command.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	return command.Run()
}
