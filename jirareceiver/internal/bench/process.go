// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running contender.
type process struct {
	contender   contender
	connections []*connection
	sink        *sink
	accepted    int64  // deliveries
	endpoint    string // host:port of deliveries
	metrics     string // URL
	pprof       string // URL
	dir         string // for its files
	command     *exec.Cmd
	output      bytes.Buffer
}

// start starts a contender. It returns when the contender listens.
func start(ctx context.Context, c contender, l load) (p *process, err error) {
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	_, metricsPort, err := net.SplitHostPort(addresses[1])
	if err != nil {
		return nil, err
	}
	p = &process{
		contender: c, connections: newConnections(addresses[0], l), endpoint: addresses[0],
		metrics: "http://" + addresses[1] + "/metrics", pprof: "http://" + addresses[2] + "/debug/pprof/",
	}
	if p.sink, err = newSink(c.onRecords); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("build", "bench"); err != nil { // not in /tmp, where fsync may do nothing
		return nil, err
	}
	if p.dir, err = filepath.Abs(p.dir); err != nil {
		return nil, err
	}
	p.command = exec.CommandContext(ctx, c.command[0], c.command[1:]...) //nolint:gosec // the user names the command
	p.command.Env = append(os.Environ(), append(c.env, "BENCH_DIR="+p.dir, "BENCH_SINK="+p.sink.url,
		"BENCH_ENDPOINT="+addresses[0], "BENCH_SECRET="+secret, "BENCH_METRICS_PORT="+metricsPort, "BENCH_PPROF_ENDPOINT="+addresses[2])...)
	if c.oneCore {
		p.command.Env = append(p.command.Env, "GOMAXPROCS=1")
	}
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	if err := listens(addresses[0]); err != nil {
		return nil, p.end(err)
	}
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// end ends the process, if necessary by force, and waits for its end. It adds the output of the process to an error.
func (p *process) end(err error) error {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	byForce := time.AfterFunc(waitTimeout, func() { _ = p.command.Process.Kill() })
	defer byForce.Stop()
	_ = p.command.Wait() // the exit status does not matter
	for _, c := range p.connections {
		c.close()
	}
	p.sink.close()
	_ = os.RemoveAll(p.dir)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w\n%s", p.contender.name, err, p.output.String())
}

func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() //nolint:gocritic // all listeners stay open until the end, so that all addresses differ
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

func listens(address string) error {
	for deadline := time.Now().Add(waitTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
	}
	return errors.New("does not listen")
}

// memory returns a memory size of a process in bytes. The kind "VmRSS:" is the resident memory, "VmHWM:" its peak.
func memory(pid int, kind string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), kind)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("cannot read the memory of a process")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// liveHeap runs the garbage collector of a process, and returns the size of its heap in bytes. Resident memory, in
// contrast, includes garbage.
func (p *process) liveHeap() (int64, error) {
	profile, err := get(p.pprof + "heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	match := heapAlloc.FindSubmatch(profile)
	if match == nil {
		return 0, errors.New("no HeapAlloc in the heap profile")
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}

// metric returns the sum of the series of a metric whose labels contain a text.
func (p *process) metric(name, label string) (sum float64, err error) {
	page, err := get(p.metrics)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.HasPrefix(series, name+"{") || !strings.Contains(series, label) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		sum += number
	}
	return sum, nil
}

func get(url string) ([]byte, error) {
	client := http.Client{Timeout: waitTimeout}
	response, err := client.Get(url) //nolint:noctx // the client has a timeout
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}
