// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	waitTimeout = 30 * time.Second // limit of each wait for a contender
	warmUp      = time.Second      // length of the load before the measurement
)

// measurement is the result of a contender under load.
type measurement struct {
	took    []time.Duration // durations of the accepted deliveries, sorted
	failed  int
	elapsed time.Duration
	cpuTime time.Duration
	peak    int64 // resident memory in bytes
}

func (m measurement) cpu() float64 {
	return float64(m.cpuTime.Microseconds()) / float64(len(m.took))
}

func (m measurement) perSecond() float64 { return float64(len(m.took)) / m.elapsed.Seconds() }

func (m measurement) failures() float64 { return float64(m.failed) }

func (m measurement) p50() float64 { return m.percentile(50) }

func (m measurement) p99() float64 { return m.percentile(99) }

func (m measurement) percentile(p int) float64 {
	return float64(m.took[len(m.took)*p/100].Microseconds()) / 1000
}

func (m measurement) memory() float64 { return float64(m.peak) / 1e6 }

// measure starts a contender, measures it, and ends it.
func measure(ctx context.Context, c contender, l load) (m measurement, err error) {
	p, err := start(ctx, c)
	if err != nil {
		return m, err
	}
	defer func() { err = p.end(err) }()
	return underLoad(ctx, p, l)
}

func underLoad(ctx context.Context, p *process, l load) (m measurement, err error) {
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	warm := l
	warm.duration = warmUp
	if took, _ := warm.run(ctx, client, p.url); len(took) == 0 {
		return m, errors.New("accepts no deliveries")
	}
	before, err := cpuTime(p.pid())
	if err != nil {
		return m, err
	}
	start := time.Now()
	if m.took, m.failed = l.run(ctx, client, p.url); len(m.took) == 0 {
		return m, errors.New("accepts no deliveries")
	}
	m.elapsed = time.Since(start)
	after, err := cpuTime(p.pid())
	if err != nil {
		return m, err
	}
	m.cpuTime = after - before
	m.peak, err = memory(p.pid(), "VmHWM:")
	return m, err
}

func newClient(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: waitTimeout}
}
