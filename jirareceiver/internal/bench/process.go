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
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running contender.
type process struct {
	url     string
	pprof   string
	command *exec.Cmd
	output  bytes.Buffer
}

// start starts a contender. It returns when the contender listens.
func start(ctx context.Context, c contender) (*process, error) {
	addresses, err := freeAddresses(3)
	if err != nil {
		return nil, err
	}
	_, metricsPort, err := net.SplitHostPort(addresses[1])
	if err != nil {
		return nil, err
	}
	p := &process{url: "http://" + addresses[0] + "/events", pprof: "http://" + addresses[2] + "/debug/pprof/"}
	p.command = exec.CommandContext(ctx, c.command[0], c.command[1:]...) //nolint:gosec // the user names the command
	p.command.Env = append(os.Environ(), append(c.env, "GOMAXPROCS=1",
		"BENCH_ENDPOINT="+addresses[0], "BENCH_SECRET="+secret, "BENCH_METRICS_PORT="+metricsPort, "BENCH_PPROF_ENDPOINT="+addresses[2])...)
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
	if err == nil {
		return nil
	}
	return errors.Join(err, errors.New(p.output.String()))
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

// clockTick is the unit of CPU times in /proc: USER_HZ, 100 on all architectures that Go runs Linux on.
const clockTick = time.Second / 100

// cpuTime returns the user and system time of a process: fields 14 and 15 of proc_pid_stat(5).
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // starts with field 3
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("cannot read the CPU time of a process")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
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
func (p *process) liveHeap(client *http.Client) (int64, error) {
	response, err := client.Get(p.pprof + "heap?gc=1&debug=1") //nolint:noctx // the client has a timeout
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	profile, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	match := heapAlloc.FindSubmatch(profile)
	if match == nil {
		return 0, errors.New("no HeapAlloc in the heap profile")
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}
