// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // registers the format
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the format
	_ "github.com/goreleaser/nfpm/v2/rpm" // registers the format
)

const packageConfig = "tools/release/nfpm.yaml"

// packageFormats are the formats that nfpm writes.
var packageFormats = []string{"deb", "rpm", "apk"}

// packages writes the packages for Linux.
func (r release) packages(p platform) error {
	if p.os != "linux" {
		return nil
	}
	if err := r.copyScripts(); err != nil {
		return err
	}
	for _, format := range packageFormats {
		if _, err := r.pack(format, p.arch, targetDir); err != nil {
			return err
		}
	}
	return nil
}

// copyScripts copies the scripts of the packages, with a fixed mode and the time of the commit: packages for Alpine take
// both from the file.
func (r release) copyScripts() error {
	folder := filepath.Join(buildDir, "scripts")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS("tools/release/scripts")); err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	for _, script := range scripts {
		if err := os.Chmod(script, 0o755); err != nil { //nolint:gosec // nothing in a release is secret
			return err
		}
		if err := os.Chtimes(script, r.time, r.time); err != nil {
			return err
		}
	}
	return nil
}

// pack writes a package to a folder, under the name that its format prefers.
func (r release) pack(format, arch, folder string) (path string, err error) {
	variables := map[string]string{"ARCH": arch, "VERSION": r.name()}
	config, err := nfpm.ParseFileWithEnvMapping(packageConfig, func(name string) string { return variables[name] })
	if err != nil {
		return "", err
	}
	config.MTime = r.time
	info, err := config.Get(format)
	if err != nil {
		return "", err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, packager.ConventionalFileName(info))
	return path, writeTo(path, func(w io.Writer) error { return packager.Package(info, w) })
}
