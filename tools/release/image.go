// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is the id of the user and of the group nonroot, the same as in the images of distroless.
const user = 65532

// image writes the image for all platforms with Linux as an OCI layout.
func (r release) image(platforms []platform) error {
	index := mutate.Annotations(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), r.labels()).(v1.ImageIndex)
	for _, p := range platforms {
		if p.os != "linux" {
			continue
		}
		image, err := r.platformImage(p)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
	}
	path, err := layout.Write(r.file("image"), empty.Index)
	if err != nil {
		return err
	}
	const tag = "org.opencontainers.image.ref.name"
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{tag: r.name()}))
}

func (r release) platformImage(p platform) (v1.Image, error) {
	base, err := baseFiles(p)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(filepath.Join(p.dir(), p.program()))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range [][]file{base, {{name: distribution, content: program, mode: 0o755}}} {
		layer, err := r.layer(files)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return mutate.ConfigFile(image, r.imageConfig(image, p))
}

// imageConfig completes the configuration of an image. The Containerfile in examples/deploy sets the same.
func (r release) imageConfig(image v1.Image, p platform) *v1.ConfigFile {
	config, _ := image.ConfigFile()
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = p.os, p.arch, v1.Time{Time: r.time}
	config.Config = v1.Config{
		User:         "65532:65532",
		Env:          []string{"GOMEMLIMIT=800MiB", "JIRA_ENDPOINT=0.0.0.0:8087"},
		ExposedPorts: map[string]struct{}{"8087/tcp": {}},
		Entrypoint:   []string{"/" + distribution},
		Cmd:          []string{"--config=/etc/otelcol-jira/collector.yaml"},
		Labels:       r.labels(),
	}
	return config
}

func (r release) labels() map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":         distribution,
		prefix + "description":   "OpenTelemetry Collector that receives the webhooks of Jira",
		prefix + "url":           repository,
		prefix + "source":        repository,
		prefix + "documentation": repository + "/blob/main/docs/install.md",
		prefix + "licenses":      "Apache-2.0",
		prefix + "version":       r.version,
		prefix + "revision":      r.revision,
		prefix + "created":       r.time.Format(time.RFC3339),
	}
}

// baseFiles returns everything in the image but the program.
func baseFiles(p platform) ([]file, error) {
	config, err := os.ReadFile("examples/deploy/collector.yaml")
	if err != nil {
		return nil, err
	}
	licenses, err := os.ReadFile(filepath.Join(p.dir(), thirdParty))
	if err != nil {
		return nil, err
	}
	license, err := os.ReadFile("LICENSE")
	if err != nil {
		return nil, err
	}
	return []file{
		{name: "etc/passwd", content: []byte("nonroot:x:65532:65532:nonroot:/var/lib/otelcol-jira:/sbin/nologin\n"), mode: 0o644},
		{name: "etc/group", content: []byte("nonroot:x:65532:\n"), mode: 0o644},
		{name: "etc/ssl/certs/ca-certificates.crt", content: rootCertificates(), mode: 0o644},
		{name: "etc/otelcol-jira/collector.yaml", content: config, mode: 0o644},
		{name: "usr/share/doc/otelcol-jira/LICENSE", content: license, mode: 0o644},
		{name: "usr/share/doc/otelcol-jira/" + thirdParty, content: licenses, mode: 0o644},
		{name: "var/lib/otelcol-jira/", mode: 0o700, owner: user},
		{name: "tmp/", mode: 0o1777},
	}, nil
}

// rootCertificates returns Mozilla's list of certificate authorities. It comes from a Go module of the Go team, whose
// hash is in go.sum, so that no base image and no state of the machine changes it. Authorities that Mozilla trusts with
// restrictions are left out, because the file cannot express these.
func rootCertificates() []byte {
	var certificates bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return certificates.Bytes()
}

func (r release) layer(files []file) (v1.Layer, error) {
	var content bytes.Buffer
	if err := writeTar(&content, files, r.time); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// push pushes the image in dist to a repository, with the version as its tag. It uses the credentials that
// `docker login` or `podman login` stored.
func (r release) push(repository string) error {
	tag, err := name.ParseReference(repository + ":" + r.name())
	if err != nil {
		return err
	}
	index, err := readImage(r.file("image"))
	if err != nil {
		return err
	}
	return remote.WriteIndex(tag, index, remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// readImage reads the only image of an OCI layout.
func readImage(path string) (v1.ImageIndex, error) {
	images, err := layout.ImageIndexFromPath(path)
	if err != nil {
		return nil, err
	}
	manifest, err := images.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s: %d images; expected one", path, len(manifest.Manifests))
	}
	return images.ImageIndex(manifest.Manifests[0].Digest)
}
