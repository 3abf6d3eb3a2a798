// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	// isolatedVariable is set in the process that runs a test in namespaces of its own.
	isolatedVariable = "RELEASE_TEST_ISOLATED"

	waitLimit = time.Minute
)

// isolated runs a test a second time, as a process with its own mounts and its own network, so that the collector can
// use its default ports, and that no mount survives the test. In this process, it returns true. It needs root.
func isolated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(isolatedVariable) != "" {
		startLoopback(t)
		return true
	}
	if os.Getuid() != 0 {
		t.Log("this test needs root")
		return false
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Dir = "tools/release"
	command.Env = append(os.Environ(), isolatedVariable+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	output, err := command.CombinedOutput()
	t.Log(string(output))
	require.NoError(t, err)
	return false
}

// startLoopback starts the only interface of a new network namespace.
func startLoopback(t *testing.T) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	require.NoError(t, err)
	defer unix.Close(socket)
	loopback, err := unix.NewIfreq("lo")
	require.NoError(t, err)
	loopback.SetUint16(unix.IFF_UP)
	require.NoError(t, unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback))
}

// machine is a root folder in which programs run.
type machine struct{ root string }

// path returns the path of a file of the machine outside of it.
func (m machine) path(file string) string { return filepath.Join(m.root, file) }

func (m machine) read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(m.path(file))
	require.NoError(t, err)
	return string(content)
}

// writeHosts gives localhost an address, as container engines and the installer of Debian do.
func (m machine) writeHosts(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(m.path("/etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o600))
	require.NoError(t, os.Chmod(m.path("/etc/hosts"), 0o644))
}

// command returns a command that runs on the machine with the given environment.
func (m machine) command(t *testing.T, environment []string, credential *syscall.Credential, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), args[0], args[1:]...)
	command.Path, command.Err = args[0], nil // a path on the machine
	command.Dir = "/"
	command.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, environment...)
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root, Credential: credential}
	return command
}

// run runs a command as root, which must succeed.
func (m machine) run(t *testing.T, args ...string) {
	t.Helper()
	output, err := m.command(t, []string{"DEBIAN_FRONTEND=noninteractive"}, nil, args...).CombinedOutput()
	require.NoError(t, err, string(output))
}

// collector is a running collector.
type collector struct {
	process *os.Process
	exited  chan error
	log     *os.File
}

const receiver = "http://127.0.0.1:8087"

// start starts a collector, and waits until it accepts deliveries.
func start(t *testing.T, command *exec.Cmd) *collector {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	c := &collector{process: command.Process, exited: make(chan error, 1), log: log}
	go func() { c.exited <- command.Wait() }()
	t.Cleanup(func() { _ = c.process.Kill() })
	c.awaitHealth(t)
	return c
}

func (c *collector) awaitHealth(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	for {
		if status, _ := get(ctx, receiver+"/health"); status == http.StatusOK {
			return
		}
		select {
		case err := <-c.exited:
			require.FailNow(t, "the collector ended", "%v\n%s", err, c.output(t))
		case <-ctx.Done():
			require.FailNow(t, "the collector does not accept deliveries", c.output(t))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *collector) output(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(c.log.Name())
	require.NoError(t, err)
	return string(content)
}

// stop ends the collector as systemd does, and waits for its end.
func (c *collector) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, c.process.Signal(syscall.SIGTERM))
	select {
	case err := <-c.exited:
		require.NoError(t, err, c.output(t))
	case <-time.After(waitLimit):
		require.FailNow(t, "the collector does not end", c.output(t))
	}
}

func get(ctx context.Context, url string) (status int, body string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(content)
}

// post posts a delivery of Jira Cloud, and returns the status code of the answer.
func post(t *testing.T, id, secret string) int {
	t.Helper()
	body, err := os.ReadFile("testdata/life/1_created.json")
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, receiver+"/jira/events", bytes.NewReader(body))
	require.NoError(t, err)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Atlassian-Webhook-Identifier", id)
	request.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	return response.StatusCode
}

// metric returns the value of the first series of a metric that has the given labels, or "" if there is none.
func metric(t *testing.T, name string, labels ...string) string {
	t.Helper()
	_, metrics := get(t.Context(), "http://127.0.0.1:8888/metrics")
	for line := range strings.Lines(metrics) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(series, name+"{") && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(series, l) }) {
			return value
		}
	}
	return ""
}
