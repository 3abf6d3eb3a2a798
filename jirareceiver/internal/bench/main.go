// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the cost of a delivery in a collector with this receiver. Its tables compare contenders: all
// of them run at the same time, and get short windows of load one after the other, in random order.
//
//   - compare: a server that only reads and verifies bodies, called the floor, this receiver, and the receivers that
//     users would take instead
//   - queues: examples/durable.yaml with other queues; -before adds the collector before a change
//   - options: the options of this receiver
//
// `bench scale`, `bench soak` and `bench soak-repair` measure only this receiver: with bodies of all sizes, for a long
// time, and in the mode repair. `bench floor` starts this program as the floor.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	secret = "a secret for the benchmark"
	path   = "/events"
)

func main() {
	var p programs
	flag.StringVar(&p.collector, "collector", "build/otelcol-bench/otelcol-bench", "collector with the receiver jira")
	flag.StringVar(&p.genericCollector, "generic-collector", "build/otelcol-generic/otelcol-generic", "collector with the receiver webhook_event")
	flag.StringVar(&p.telegraf, "telegraf", "bin/telegraf", "telegraf")
	flag.StringVar(&p.configs, "configs", "jirareceiver/internal/bench", "folder with the configurations")
	flag.StringVar(&p.durable, "durable", "examples/durable.yaml", "configuration with a persistent queue")
	before := flag.String("before", "", "collector before a change, for compare and queues")
	bodies := flag.String("bodies", "testdata/bench/issue_10k.json,testdata/bench/issue_100k.json", "files with bodies")
	rounds := flag.Int("rounds", 50, "windows of load for each contender")
	duration := flag.Duration("duration", 200*time.Millisecond, "length of a window, of a measurement of scale, or of a soak")
	connections := flag.Int("connections", 16, "concurrent connections of compare, options and soak")
	rate := flag.Int("rate", 0, "deliveries per second of a soak, 0 for as many as the receiver accepts; changes per second of soak-repair")
	entries := flag.Int("entries", 1_000, "entries of the deduplication cache in a soak; with few entries, a leak is easier to see")
	fill := flag.Int("fill", 2_000_000, "deliveries that fill the ledger of 1,000,000 events, and its index of two turns, at the start of soak-repair")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [compare | queues | options | scale | soak | soak-repair | floor]")
		flag.PrintDefaults()
	}
	flag.Parse()

	l := load{connections: *connections, duration: *duration, rate: *rate}
	files := strings.Split(*bodies, ",")
	commands := map[string]func(context.Context) error{
		"compare":     func(ctx context.Context) error { return comparePeers(ctx, p, *before, *rounds, files, l) },
		"queues":      func(ctx context.Context) error { return compareQueues(ctx, p, *before, *rounds, files[0], l) },
		"options":     func(ctx context.Context) error { return compareOptions(ctx, p, *rounds, files[0], l) },
		"scale":       func(ctx context.Context) error { return scale(ctx, p.jira(), files[0], l.duration) },
		"soak":        func(ctx context.Context) error { return soak(ctx, p.jira(cacheEntries(*entries)), files[0], l) },
		"soak-repair": func(ctx context.Context) error { return soakRepair(ctx, p.repair(), *fill, l) },
		"floor":       func(ctx context.Context) error { return serveFloor(ctx, os.Getenv("BENCH_ENDPOINT")) },
	}
	command, known := commands[cmp.Or(flag.Arg(0), "compare")]
	if !known || flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	// A signal that ends this program must end the contenders too. SIGPIPE arrives if the reader of the output has
	// exited.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

// comparePeers measures each contender on one core.
func comparePeers(ctx context.Context, p programs, before string, rounds int, files []string, l load) error {
	contenders := append(p.peers(), p.inDeployments(p.collector)...)
	if before != "" {
		p.collector = before
		contenders = append(contenders, p.jira())
		contenders[len(contenders)-1].name += ", before"
	}
	t := table{
		contenders: onOneCore(contenders),
		rounds:     rounds,
		columns:    append([]column{cpuColumn, relative("relative to the floor", cpuTimes), speedColumn}, restColumns...),
	}
	for _, file := range files {
		if err := t.print(ctx, file, l); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

// compareQueues measures the deployments with as many connections as Jira Cloud opens, and with one.
func compareQueues(ctx context.Context, p programs, before string, rounds int, file string, l load) error {
	t := table{
		contenders: p.inDeployments(p.collector),
		rounds:     rounds,
		columns:    append([]column{speedColumn, relative("relative to memory", speeds)}, restColumns...),
	}
	if before != "" {
		t.columns = append(t.columns, relativeToBefore("relative to before", speeds))
		for _, c := range p.inDeployments(before) {
			c.name += ", before"
			t.before = append(t.before, c)
		}
	}
	t.columns = append(t.columns, cpuColumn)
	for _, l.connections = range []int{30, 1} {
		if err := t.print(ctx, file, l); err != nil {
			return err
		}
	}
	return nil
}

// compareOptions measures what each option costs.
func compareOptions(ctx context.Context, p programs, rounds int, file string, l load) error {
	t := table{
		contenders: onOneCore(p.options()),
		rounds:     rounds,
		columns:    []column{cpuColumn, relative("relative to the defaults", cpuTimes), more("more µs", cpuTimes)},
	}
	return t.print(ctx, file, l)
}

// newRandom returns the random numbers for the order of contenders.
func newRandom() *rand.Rand {
	return rand.New(rand.NewPCG(rand.Uint64(), 0)) //nolint:gosec // an order is not a secret
}
