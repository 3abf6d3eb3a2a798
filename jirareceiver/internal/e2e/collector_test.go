// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// collector is a running process.
type collector struct {
	url       string
	command   *exec.Cmd
	started   time.Time
	exited    chan error
	listening chan string // receives the URL at each start of the receiver
	hangUp    func()      // closes idle connections, because the collector waits 5 seconds for connections that were never used
	mu        sync.Mutex
	lines     strings.Builder
}

var listeningLine = regexp.MustCompile(`Waiting for Jira to post events.*"url": "([^"]+)"`)

// start runs the collector in a folder until the end of the test at the latest, and waits until the receiver listens.
func start(t *testing.T, dir, config string, args ...string) *collector {
	t.Helper()
	c := launch(t, dir, config, args...)
	c.awaitListening(t)
	return c
}

// launch starts a collector that may not contain the receiver.
func launch(t *testing.T, dir, config string, args ...string) *collector {
	t.Helper()
	return run(t, dir, command(t, append([]string{"--config", config}, args...)...))
}

// maxLogLine is the longest line of the collector log in bytes.
const maxLogLine = 1 << 20

// run starts a collector by a command.
func run(t *testing.T, dir string, command *exec.Cmd) *collector {
	t.Helper()
	c := &collector{exited: make(chan error, 1), listening: make(chan string, 10), hangUp: func() {}}
	c.command = command
	c.command.Dir = dir
	output, input := io.Pipe()
	c.command.Stdout, c.command.Stderr = input, input
	go func() {
		scanner := bufio.NewScanner(output)
		scanner.Buffer(nil, maxLogLine)
		for scanner.Scan() {
			c.mu.Lock()
			c.lines.WriteString(scanner.Text() + "\n")
			c.mu.Unlock()
			if match := listeningLine.FindStringSubmatch(scanner.Text()); match != nil {
				c.listening <- match[1]
			}
		}
	}()
	require.NoError(t, c.command.Start())
	c.started = time.Now()
	go func() {
		c.exited <- c.command.Wait()
		_ = input.Close()
	}()
	t.Cleanup(func() { _ = c.command.Process.Kill() })
	return c
}

func (c *collector) awaitListening(t *testing.T) {
	t.Helper()
	select {
	case c.url = <-c.listening:
	case err := <-c.exited:
		require.FailNow(t, "the collector ended", "%v\n%s", err, c.output())
	case <-time.After(waitLimit):
		require.FailNow(t, "the collector does not listen", c.output())
	}
}

// reload makes the collector read its configuration again, and waits until the receiver listens again.
func (c *collector) reload(t *testing.T) {
	t.Helper()
	c.hangUp()
	require.NoError(t, c.command.Process.Signal(syscall.SIGHUP))
	c.awaitListening(t)
}

// kill ends the collector with SIGKILL.
func (c *collector) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, c.command.Process.Kill())
	<-c.exited
}

// memory returns a value of /proc/PID/status in bytes: VmHWM, the largest resident memory so far, or VmRSS, the current
// one.
func (c *collector) memory(t *testing.T, figure string) int64 {
	t.Helper()
	status := string(read(t, fmt.Sprintf("/proc/%d/status", c.command.Process.Pid)))
	match := regexp.MustCompile(figure + `:\s+(\d+) kB`).FindStringSubmatch(status)
	require.NotNil(t, match, status)
	kibibytes, err := strconv.ParseInt(match[1], 10, 64)
	require.NoError(t, err)
	return kibibytes << 10
}

// withMetrics returns the arguments for a collector that serves its metrics at an address.
func withMetrics(address string) []string {
	host, port, _ := strings.Cut(address, ":")
	return []string{"--set", fmt.Sprintf("service::telemetry::metrics::readers=[{pull: {exporter: {prometheus: {host: %q, port: %s}}}}]", host, port)}
}

// metric returns the sum of the series of a metric that have all the given labels.
func metric(t *testing.T, address, name string, labels ...string) (sum float64) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
lines:
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(line, label) {
				continue lines
			}
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:len(line)-1], 64)
		require.NoError(t, err)
		sum += value
	}
	return sum
}

func (c *collector) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines.String()
}

// signalTime is the time after which the collector handles signals. It begins to do so after its components have
// started, so that a fast test could end it by a signal without a clean exit.
const signalTime = 500 * time.Millisecond

// terminate sends SIGTERM and waits for a clean exit.
func (c *collector) terminate(t *testing.T) {
	t.Helper()
	c.hangUp()
	time.Sleep(time.Until(c.started.Add(signalTime)))
	require.NoError(t, c.command.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-c.exited:
		require.NoError(t, err, c.output())
	case <-time.After(waitLimit):
		require.FailNow(t, "the collector does not end", c.output())
	}
}

func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv(binaryVariable)
	require.NotEmpty(t, path, "%s is not set: run `make test`, which builds the collector", binaryVariable)
	return path
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary(t), args...)
	c.Env = append(os.Environ(), "JIRA_WEBHOOK_SECRET="+secret, "JIRA_EU_WEBHOOK_SECRET=of another site", "JIRA_TOKEN=a token for the test")
	return c
}
