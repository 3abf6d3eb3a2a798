package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	patience = 30 * time.Second // bounds every wait for a contender
	warmUp   = time.Second      // of load, before it is measured
	// clockTick is the unit of CPU times in /proc: USER_HZ, 100 on all architectures that Go runs Linux on.
	clockTick = time.Second / 100
)

// measurement is what a contender did under load.
type measurement struct {
	took    []time.Duration // for each delivery, sorted
	elapsed time.Duration
	cpuTime time.Duration
	peak    int64 // resident memory in bytes
}

func (m measurement) cpu() float64 {
	return float64(m.cpuTime.Microseconds()) / float64(len(m.took))
}

func (m measurement) perSecond() float64 { return float64(len(m.took)) / m.elapsed.Seconds() }

func (m measurement) p50() float64 { return m.percentile(50) }

func (m measurement) p99() float64 { return m.percentile(99) }

func (m measurement) percentile(p int) float64 {
	return float64(m.took[len(m.took)*p/100].Microseconds()) / 1000
}

func (m measurement) memory() float64 { return float64(m.peak) / 1e6 }

// measure runs a contender from its start to its end.
func measure(c contender, l load) (m measurement, err error) {
	addresses, err := freeAddresses(2)
	if err != nil {
		return m, err
	}
	_, metricsPort, err := net.SplitHostPort(addresses[1])
	if err != nil {
		return m, err
	}
	command := exec.CommandContext(context.Background(), c.command[0], c.command[1:]...) //nolint:gosec // named by whoever measures
	command.Env = append(os.Environ(), append(c.env, "GOMAXPROCS=1",
		"BENCH_ENDPOINT="+addresses[0], "BENCH_SECRET="+secret, "BENCH_METRICS_PORT="+metricsPort)...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return m, err
	}
	m, err = underLoad(command.Process.Pid, addresses[0], l)
	if err != nil {
		err = errors.Join(err, errors.New(output.String()))
	}
	return m, errors.Join(err, command.Process.Signal(syscall.SIGTERM), ended(command))
}

// ended waits for the end of a process that was told to end: in good order, or by the signal.
func ended(command *exec.Cmd) error {
	err := command.Wait()
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
		return nil
	}
	return err
}

func underLoad(pid int, address string, l load) (m measurement, err error) {
	if err := listens(address); err != nil {
		return m, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.connections}, Timeout: patience}
	defer client.CloseIdleConnections()
	url := "http://" + address + "/events"
	warm := l
	warm.duration = warmUp
	if _, err := warm.run(client, url); err != nil {
		return m, err
	}
	before, err := cpuTime(pid)
	if err != nil {
		return m, err
	}
	start := time.Now()
	if m.took, err = l.run(client, url); err != nil {
		return m, err
	}
	m.elapsed = time.Since(start)
	after, err := cpuTime(pid)
	if err != nil {
		return m, err
	}
	m.cpuTime = after - before
	m.peak, err = peakMemory(pid)
	return m, err
}

func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() //nolint:gocritic // all are open until the last is found, so that no two are the same
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

func listens(address string) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
	}
	return errors.New("does not listen")
}

// cpuTime returns the time that a process has spent, as user and in the kernel: the fields 14 and 15 of proc_pid_stat(5).
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // from field 3 on
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("cannot read the CPU time of a process")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
}

// peakMemory returns the most resident memory that a process has had, in bytes.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("cannot read the memory of a process")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}
