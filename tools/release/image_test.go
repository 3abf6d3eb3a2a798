// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"crypto/x509"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// platformOf returns the image for this architecture.
func platformOf(t *testing.T, index v1.ImageIndex) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	for _, m := range manifest.Manifests {
		if m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
			image, err := index.Image(m.Digest)
			require.NoError(t, err)
			return image
		}
	}
	require.FailNow(t, "no image for this architecture")
	return nil
}

// imageRelease returns the image in dist, and the release that has made it.
func imageRelease(t *testing.T) (release, v1.ImageIndex) {
	t.Helper()
	folder := find(t, "*_image")
	index, err := readImage(folder)
	require.NoError(t, err)
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(folder), distribution+"_"), "_image")
	return release{version: version}, index
}

// TestImageThroughRegistry validates the image, pushes it to a registry, and pulls it.
func TestImageThroughRegistry(t *testing.T) {
	r, index := imageRelease(t)
	require.NoError(t, validate.Index(index))
	server := httptest.NewServer(registry.New())
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/otel-jira/" + distribution
	require.NoError(t, r.push(repository))
	reference, err := name.ParseReference(repository + ":" + r.name())
	require.NoError(t, err)
	pulled, err := remote.Index(reference)
	require.NoError(t, err)
	require.NoError(t, validate.Index(pulled))
	want, err := index.Digest()
	require.NoError(t, err)
	got, err := pulled.Digest()
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// TestImageConfig compares the configuration of the image with the Containerfile.
func TestImageConfig(t *testing.T) {
	_, index := imageRelease(t)
	config, err := platformOf(t, index).ConfigFile()
	require.NoError(t, err)
	content, err := os.ReadFile("examples/deploy/Containerfile")
	require.NoError(t, err)
	_, stage, found := strings.Cut(string(content), "\nFROM gcr.io/distroless/")
	require.True(t, found)
	for _, variable := range config.Config.Env {
		assert.Contains(t, stage, "\nENV "+variable+"\n")
	}
	assert.Contains(t, stage, "\nUSER "+config.Config.User+"\n")
	assert.Contains(t, stage, "\nENTRYPOINT [\""+config.Config.Entrypoint[0]+"\"]\n")
	assert.Contains(t, stage, "\nCMD [\""+config.Config.Cmd[0]+"\"]\n")
	assert.Contains(t, config.Config.ExposedPorts, "8087/tcp")
	for _, label := range []string{"title", "source", "version", "revision", "created", "licenses"} {
		assert.NotEmpty(t, config.Config.Labels["org.opencontainers.image."+label], label)
	}
}

// TestImageRuns unpacks the image, and runs it with its user, its environment and nothing else.
func TestImageRuns(t *testing.T) {
	if !isolated(t) {
		return
	}
	_, index := imageRelease(t)
	image := platformOf(t, index)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	m := machine{t.TempDir()}
	unpack(t, image, m.root)
	m.writeHosts(t)
	assert.NoFileExists(t, m.path("bin/sh"))
	assert.NoFileExists(t, m.path("usr/bin/sh"))
	certificates := x509.NewCertPool()
	require.True(t, certificates.AppendCertsFromPEM([]byte(m.read(t, "/etc/ssl/certs/ca-certificates.crt"))))

	const secret = "a secret for the test"
	user, group, _ := strings.Cut(config.Config.User, ":")
	credential := &syscall.Credential{Uid: parseID(t, user), Gid: parseID(t, group)}
	command := m.command(t, append(config.Config.Env, "JIRA_WEBHOOK_SECRET="+secret), credential,
		append(config.Config.Entrypoint, config.Config.Cmd...)...)
	c := start(t, command)
	assert.Equal(t, 200, post(t, "delivery-1", secret))
	assert.Equal(t, 401, post(t, "delivery-2", "a wrong secret"))
	c.stop(t)
	assert.FileExists(t, m.path(stateFolder+"/deliveries"))
}

func parseID(t *testing.T, text string) uint32 {
	t.Helper()
	id, err := strconv.ParseUint(text, 10, 32)
	require.NoError(t, err)
	return uint32(id)
}

// unpack writes the files of an image to a folder.
func unpack(t *testing.T, image v1.Image, folder string) {
	t.Helper()
	require.NoError(t, os.Chmod(folder, 0o755))
	content := mutate.Extract(image)
	defer content.Close()
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(folder, header.Name)
		mode := header.FileInfo().Mode()
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(path, 0o755))
		} else {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			file, err := os.Create(path)
			require.NoError(t, err)
			_, err = io.Copy(file, archive)
			require.NoError(t, errors.Join(err, file.Close()))
		}
		require.NoError(t, os.Chown(path, header.Uid, header.Gid))
		require.NoError(t, os.Chmod(path, mode))
	}
}
