// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the user and system time of a process, in nanoseconds and with the threads that have ended. The times
// in /proc/PID/stat count ticks of 10 ms, and a window is only twenty of them long.
func cpuTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &t); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// cpuClock returns the ID of the CPU clock of a process, as clock_getcpuclockid(3) does: the complement of the PID, and
// three bits that select the scheduler's clock of all threads.
func cpuClock(pid int) int32 {
	const ofScheduler = 2
	return int32(^pid<<3 | ofScheduler) //nolint:gosec // a PID has 22 bits
}
