// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench measures the cost of a delivery in a collector with this receiver. It compares it with a server that
// only reads and verifies bodies, called the floor, and with the generic webhook receiver. All of them get the same
// load in one run, in turns.
//
// `bench floor` starts this program as the floor. `bench scale` and `bench soak` measure only this receiver: with
// bodies of all sizes, and for a long time.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const secret = "a secret for the benchmark"

// contender is a server that accepts deliveries.
type contender struct {
	name    string
	command []string
	env     []string
}

func main() {
	collector := flag.String("collector", "build/otelcol-bench/otelcol-bench", "collector with the receiver jira")
	genericCollector := flag.String("generic-collector", "build/otelcol-generic/otelcol-generic", "collector with the receiver webhook_event")
	configs := flag.String("configs", "jirareceiver/internal/bench", "folder with the configurations")
	bodies := flag.String("bodies", "testdata/bench/issue_10k.json,testdata/bench/issue_100k.json", "files with bodies")
	rounds := flag.Int("rounds", 5, "measurements of each contender with each body")
	duration := flag.Duration("duration", 3*time.Second, "length of a measurement, or of the soak")
	connections := flag.Int("connections", 16, "concurrent connections")
	rate := flag.Int("rate", 0, "deliveries per second of a soak; 0 for as many as the receiver accepts")
	entries := flag.Int("entries", 1_000, "entries of the deduplication cache in a soak; with few entries, a leak is easier to see")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [compare | scale | soak | floor]")
		flag.PrintDefaults()
	}
	flag.Parse()

	runtime.GOMAXPROCS(1) // one core for each side
	jira := contender{"`jira`", []string{*collector, "--config", filepath.Join(*configs, "jira.yaml")}, nil}
	generic := []string{*genericCollector, "--config", filepath.Join(*configs, "webhook_event.yaml")}
	contenders := []contender{
		{"the floor", []string{os.Args[0], "floor"}, nil},
		jira,
		{"`webhook_event` + transform", generic, []string{"BENCH_KEEP_ALIVES=false"}},
		{"the same with keep-alives", generic, []string{"BENCH_KEEP_ALIVES=true"}},
	}
	l := load{connections: *connections, duration: *duration, rate: *rate}
	files := strings.Split(*bodies, ",")
	commands := map[string]func(context.Context) error{
		"compare": func(ctx context.Context) error { return compareAll(ctx, contenders, files, *rounds, l) },
		"scale":   func(ctx context.Context) error { return scale(ctx, jira, files[0], l.duration) },
		"soak":    func(ctx context.Context) error { return soak(ctx, withCacheEntries(jira, *entries), files[0], l) },
		"floor":   func(ctx context.Context) error { return serveFloor(ctx, os.Getenv("BENCH_ENDPOINT")) },
	}
	command, known := commands[cmp.Or(flag.Arg(0), "compare")]
	if !known || flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	// A signal that ends this program must end the contender too. SIGPIPE arrives if the reader of the output has
	// exited.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

func compareAll(ctx context.Context, contenders []contender, files []string, rounds int, l load) error {
	for _, file := range files {
		if err := compare(ctx, contenders, file, rounds, l); err != nil {
			return err
		}
	}
	return nil
}

// compare measures all contenders in each round, so that other load on the machine affects them equally.
func compare(ctx context.Context, contenders []contender, file string, rounds int, l load) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	l.body = body
	results := make([][]measurement, len(contenders))
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "%s, round %d of %d\n", filepath.Base(file), round+1, rounds)
		for i, c := range contenders {
			m, err := measure(ctx, c, l)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			results[i] = append(results[i], m)
		}
	}
	fmt.Printf("\n%s: %d bytes, %d connections, %d rounds of %s; medians, with minimum and maximum in brackets\n\n", filepath.Base(file), len(body), l.connections, rounds, l.duration)
	fmt.Println("| | CPU µs per delivery | relative to the floor | deliveries/s | p50 ms | p99 ms | peak memory MB | not accepted |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	floor := median(results[0], measurement.cpu)
	for i, c := range contenders {
		fmt.Printf("| %s | %s | %.2f | %.0f | %.2f | %.2f | %.0f | %.0f |\n", c.name, spread(results[i], measurement.cpu), median(results[i], measurement.cpu)/floor,
			median(results[i], measurement.perSecond), median(results[i], measurement.p50), median(results[i], measurement.p99), median(results[i], measurement.memory), median(results[i], measurement.failures))
	}
	return nil
}

func median(results []measurement, value func(measurement) float64) float64 {
	values := sorted(results, value)
	return values[len(values)/2]
}

func spread(results []measurement, value func(measurement) float64) string {
	values := sorted(results, value)
	return fmt.Sprintf("%.1f [%.1f, %.1f]", values[len(values)/2], values[0], values[len(values)-1])
}

func sorted(results []measurement, value func(measurement) float64) []float64 {
	values := make([]float64, len(results))
	for i, m := range results {
		values[i] = value(m)
	}
	slices.SortFunc(values, cmp.Compare)
	return values
}
