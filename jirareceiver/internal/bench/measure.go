// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

const (
	waitTimeout   = 30 * time.Second // limit of each wait for a contender
	settleTimeout = 2 * time.Minute  // limit of the wait for the records in the sink
	warmUp        = time.Second      // length of the load before the first measurement
)

// measurement is the result of a contender under load, or of several loads together.
type measurement struct {
	took    []time.Duration // durations of the accepted deliveries, sorted
	failed  int
	elapsed time.Duration
	cpuTime time.Duration
	peak    int64 // resident memory in bytes
}

// cpu returns the CPU time of a delivery in microseconds.
func (m measurement) cpu() float64 {
	return float64(m.cpuTime.Nanoseconds()) / 1000 / float64(len(m.took))
}

func (m measurement) perSecond() float64 { return float64(len(m.took)) / m.elapsed.Seconds() }

func (m measurement) percentile(p int) float64 {
	return float64(m.took[len(m.took)*p/100].Microseconds()) / 1000
}

func (m measurement) memory() float64 { return float64(m.peak) / 1e6 }

// together returns all measurements of a contender as one.
func together(measurements []measurement) (all measurement) {
	for _, m := range measurements {
		all.took = append(all.took, m.took...)
		all.failed += m.failed
		all.elapsed += m.elapsed
		all.cpuTime += m.cpuTime
		all.peak = max(all.peak, m.peak)
	}
	slices.Sort(all.took)
	return all
}

// measure starts a contender, measures it, and ends it.
func measure(ctx context.Context, c contender, l load) (m measurement, err error) {
	p, err := start(ctx, c, l)
	if err != nil {
		return m, err
	}
	defer func() { err = p.end(err) }()
	if err := p.warmUp(ctx, l); err != nil {
		return m, err
	}
	return p.measure(ctx, l)
}

func (p *process) warmUp(ctx context.Context, l load) error {
	l.duration = warmUp
	_, err := p.measure(ctx, l)
	return err
}

// measure puts a load on a process that runs, and waits until the sink has the records of all accepted deliveries. The
// CPU time contains the time of that wait, so that a queue does not hide the work of the exporter.
func (p *process) measure(ctx context.Context, l load) (m measurement, err error) {
	before, err := cpuTime(p.pid())
	if err != nil {
		return m, err
	}
	start := time.Now()
	m.took, m.failed = l.run(ctx, p.connections)
	m.elapsed = time.Since(start)
	if len(m.took) == 0 {
		return m, errors.New("accepts no deliveries")
	}
	p.accepted += int64(len(m.took))
	if p.contender.exports {
		if err := p.sink.await(ctx, p.accepted); err != nil {
			return m, err
		}
	}
	after, err := cpuTime(p.pid())
	if err != nil {
		return m, err
	}
	m.cpuTime = after - before
	m.peak, err = memory(p.pid(), "VmHWM:")
	return m, err
}

// contest starts all contenders, and gives each of them a window of load in each round, one after the other in random
// order. It returns the measurements of each contender by round.
func contest(ctx context.Context, contenders []contender, rounds int, l load) (results [][]measurement, err error) {
	processes, end, err := startAll(ctx, contenders, l)
	defer end()
	if err != nil {
		return nil, err
	}
	results = make([][]measurement, len(contenders))
	for i := range results {
		results[i] = make([]measurement, rounds)
	}
	for round, order := range orders(newRandom(), rounds, len(contenders)) {
		for _, i := range order {
			if results[i][round], err = processes[i].measure(ctx, l); err != nil {
				return nil, processes[i].end(err)
			}
		}
	}
	return results, nil
}

// startAll starts and warms up all contenders. Call end also after an error.
func startAll(ctx context.Context, contenders []contender, l load) (processes []*process, end func(), err error) {
	end = func() {
		for _, p := range processes {
			_ = p.end(nil)
		}
	}
	for _, c := range contenders {
		p, err := start(ctx, c, l)
		if err != nil {
			return processes, end, err
		}
		processes = append(processes, p)
		if err := p.warmUp(ctx, l); err != nil {
			return processes, end, p.end(err)
		}
	}
	return processes, end, nil
}
