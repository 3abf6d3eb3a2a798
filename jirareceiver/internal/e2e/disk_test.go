// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const rememberedOnDisk = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
    deduplication: { file: %s/deliveries }
exporters:
  otlp_http:
    endpoint: %s
    sending_queue: { enabled: false }
service:
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
`

// diskFull fills the disk of the deduplication file, restarts the collector on it, and frees the space again.
func diskFull(t *testing.T) row {
	t.Helper()
	disk := mountSmallDisk(t)
	b := startBackend(t, willing)
	metrics := address(t)
	config := writeConfig(t, rememberedOnDisk, address(t), disk, b.url())
	c := start(t, t.TempDir(), config, withMetrics(metrics)...)
	jira, _ := connect(t, c, fastCompression)
	script, n := jirasim.NewScript(site), form(300, 6000)
	results := jira.DeliverAll(t.Context(), script.Deliveries(0, n), pending)

	filling := fill(t, disk)
	results = append(results, jira.DeliverAll(t.Context(), script.Deliveries(n, 2*n), pending)...)
	awaitStorageErrors(t, metrics)
	c.terminate(t)
	c = start(t, t.TempDir(), config, withMetrics(metrics)...)
	results = append(results, jira.DeliverAll(t.Context(), script.Deliveries(2*n, 3*n), pending)...)
	awaitStorageErrors(t, metrics)

	require.NoError(t, os.Remove(filling))
	results = append(results, jira.DeliverAll(t.Context(), script.Deliveries(3*n, 4*n), pending)...)
	c.terminate(t)
	assert.Equal(t, len(results), attempts(results), "all were accepted at once")
	row := b.compare(t, results)
	assert.Zero(t, row.doubled)
	return row
}

// onSmallDisk returns the arguments for examples/durable.yaml on a small disk. The limits have the same ratio to the
// disk as the limits of the example have to a large disk.
func onSmallDisk(t *testing.T, b *backend, disk string) []string {
	t.Helper()
	return append(durable(t, b),
		"--set", "extensions::file_storage::directory="+disk,
		"--set", "receivers::jira::deduplication::file="+disk+"/deliveries",
		"--set", "receivers::jira::admission::disk::directories=["+disk+"]",
		"--set", fmt.Sprintf("receivers::jira::admission::disk::min_free_bytes=%d", smallDisk/8),
		"--set", fmt.Sprintf("exporters::otlp_http::sending_queue::queue_size=%d", smallDisk/4))
}

// queueOnSmallDiskFull delivers more events than the queue has room for while the backend is down. A queue that is
// bounded in events would fill the disk, and lose most of its events.
func queueOnSmallDiskFull(t *testing.T) row {
	t.Helper()
	return onFullQueue(t, form(1500, 6000), func(string) (restore func()) { return func() {} })
}

// queueDiskFull fills the disk of the queue and of the deduplication with another file.
func queueDiskFull(t *testing.T) row {
	t.Helper()
	return onFullQueue(t, form(300, 3000), func(disk string) (restore func()) {
		filling := fill(t, disk)
		return func() { require.NoError(t, os.Remove(filling)) }
	})
}

// onFullQueue stops the backend, breaks a part of the system, and delivers n events until enough of them are rejected.
// Then it repairs both.
func onFullQueue(t *testing.T, n int, damage func(disk string) (restore func())) row {
	t.Helper()
	disk := mountSmallDisk(t)
	b := startBackend(t, willing)
	args := onSmallDisk(t, b, disk)
	c := startDurable(t, args)
	jira, wire := connect(t, c, normalCompression)
	script := jirasim.NewScript(site)
	results := jira.DeliverAll(t.Context(), script.Deliveries(0, n/5), pending)

	restore := damage(disk)
	b.stop()
	remaining := inBackground(t, jira, script.Deliveries(n/5, n))
	wire.await(t, &wire.rejected, pending)
	restore()
	b.start(t)
	results = append(results, remaining()...)
	if b.await(results) > 0 {
		c.terminate(t) // the next start finds the events that are still in the file
		c = startDurable(t, args)
		b.await(results)
	}
	c.terminate(t)
	row := b.compare(t, results)
	row.note = fmt.Sprintf("%d attempts rejected", wire.rejected.Load())
	return row
}

const smallDisk = 4 << 20 // bytes

// mountSmallDisk mounts a small disk. It skips the test without the right to mount.
func mountSmallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	output, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", smallDisk), "tmpfs", dir).CombinedOutput()
	if err != nil {
		t.Skipf("cannot mount a small disk: %v: %s", err, output)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// fill writes to a disk until it is full.
func fill(t *testing.T, disk string) (file string) {
	t.Helper()
	filling, err := os.Create(filepath.Join(disk, "filling"))
	require.NoError(t, err)
	defer filling.Close()
	_, err = io.Copy(filling, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	return filling.Name()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func awaitStorageErrors(t *testing.T, metrics string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return metric(t, metrics, "otelcol_receiver_jira_deduplication_storage_errors") > 0
	}, waitLimit, 50*time.Millisecond, "the disk does not seem to be full")
}
