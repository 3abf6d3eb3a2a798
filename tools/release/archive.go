// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// file is a file in an archive or in the image, or a folder if its name ends with a slash.
type file struct {
	name    string
	content []byte
	mode    int64
	owner   int // user and group
}

// archive writes the program, its licences and the examples: as zip for Windows, as tar.gz for other platforms.
func (r release) archive(p platform) error {
	files, err := archiveFiles(p)
	if err != nil {
		return err
	}
	root := distribution + "_" + r.name() + "_" + p.String()
	for i := range files {
		files[i].name = path.Join(root, files[i].name)
	}
	if p.os == "windows" {
		return writeTo(r.file(p.String()+".zip"), func(w io.Writer) error { return writeZip(w, files, r.time) })
	}
	return writeTo(r.file(p.String()+".tar.gz"), func(w io.Writer) error {
		compressed := gzip.NewWriter(w)
		if err := writeTar(compressed, files, r.time); err != nil {
			return err
		}
		return compressed.Close()
	})
}

func archiveFiles(p platform) (files []file, err error) {
	sources := []struct {
		name, source string
		mode         int64
	}{
		{p.program(), filepath.Join(p.dir(), p.program()), 0o755},
		{thirdParty, filepath.Join(p.dir(), thirdParty), 0o644},
		{"LICENSE", "LICENSE", 0o644},
		{"README.md", "README.md", 0o644},
		{"CHANGELOG.md", "CHANGELOG.md", 0o644},
	}
	examples, err := exec.Command("git", "ls-files", "examples", ":!examples/demo").Output()
	if err != nil {
		return nil, err
	}
	for example := range strings.FieldsSeq(string(examples)) {
		sources = append(sources, struct {
			name, source string
			mode         int64
		}{example, example, 0o644})
	}
	for _, source := range sources {
		content, err := os.ReadFile(source.source)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: source.name, content: content, mode: source.mode})
	}
	return files, nil
}

// writeTo writes a file that everybody may read.
func writeTo(file string, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	return os.WriteFile(file, content.Bytes(), 0o644) //nolint:gosec // nothing in a release is secret
}

func writeTar(w io.Writer, files []file, modified time.Time) error {
	archive := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: f.mode, Uid: f.owner, Gid: f.owner, ModTime: modified,
		}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(f.content); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeZip(w io.Writer, files []file, modified time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: modified})
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.content); err != nil {
			return err
		}
	}
	return archive.Close()
}
