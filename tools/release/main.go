// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Program release makes everything that a release of otelcol-jira contains, into the folder dist: archives, packages
// for Linux, a container image, bills of materials, and checksums. `make release` runs it in the root of the
// repository. It signs nothing.
//
// The same commit gives the same bytes: all times are the time of the commit, and modes and owners are explicit.
//
// It uses the Go packages of nfpm and go-containerregistry and not goreleaser, which takes minutes to build and needs
// an engine for images.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	distribution = "otelcol-jira"
	buildDir     = "build/release" // binaries and licences, by platform
	targetDir    = "dist"
	modulePath   = "github.com/otel-jira/collector"
	repository   = "https://" + modulePath
)

// release describes one release.
type release struct {
	version  string    // of the distribution: 0.1.0, or 0.1.0+COMMIT between releases
	revision string    // the commit
	time     time.Time // of the commit
}

// platform is a pair of GOOS and GOARCH.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "_" + p.arch }

// dir returns the folder of the binary and the licences.
func (p platform) dir() string { return filepath.Join(buildDir, p.String()) }

// program returns the file name of the binary.
func (p platform) program() string {
	if p.os == "windows" {
		return distribution + ".exe"
	}
	return distribution
}

func main() {
	log.SetFlags(0)
	version := flag.String("version", "", "version of the distribution")
	revision := flag.String("revision", "", "hash of the commit")
	seconds := flag.Int64("time", 0, "time of the commit in seconds since 1970")
	platforms := flag.String("platforms", "", "platforms to build, such as 'linux/amd64 windows/arm64'")
	image := flag.String("push", "", "push the image in dist to this repository, such as ghcr.io/otel-jira/otelcol-jira, and make nothing")
	flag.Parse()
	r := release{*version, *revision, time.Unix(*seconds, 0).UTC()}
	if *image != "" {
		exitOn(r.push(*image))
		return
	}
	exitOn(r.make(parsePlatforms(*platforms)))
}

func exitOn(err error) {
	if err != nil {
		log.Fatal("release: ", err)
	}
}

func parsePlatforms(list string) (platforms []platform) {
	for pair := range strings.FieldsSeq(list) {
		system, arch, _ := strings.Cut(pair, "/")
		platforms = append(platforms, platform{system, arch})
	}
	return platforms
}

// name returns the version in the names of files and of the tag of the image, which may not contain +. Between releases
// it sorts before the next release, and after earlier commits: 0.1.0-pre20260102150405.
func (r release) name() string {
	base, _, snapshot := strings.Cut(r.version, "+")
	if snapshot {
		return base + "-pre" + r.time.Format("20060102150405")
	}
	return base
}

// file returns the path of a file in dist.
func (r release) file(suffix string) string {
	return filepath.Join(targetDir, distribution+"_"+r.name()+"_"+suffix)
}

func (r release) make(platforms []platform) error {
	if err := os.MkdirAll(targetDir, 0o750); err != nil {
		return err
	}
	for _, p := range platforms {
		log.Print(p)
		for _, step := range []func(platform) error{r.compile, r.describe, r.archive, r.packages} {
			if err := step(p); err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
		}
	}
	log.Print("image")
	if err := r.image(platforms); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return writeChecksums()
}

// writeChecksums writes the checksums of all files in dist, in the format of sha256sum.
func writeChecksums() error {
	var sums bytes.Buffer
	err := filepath.WalkDir(targetDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // nobody else writes to dist
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(targetDir, path)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		return err
	}
	return writeTo(filepath.Join(targetDir, "SHA256SUMS"), func(w io.Writer) error {
		_, err := w.Write(sums.Bytes())
		return err
	})
}
