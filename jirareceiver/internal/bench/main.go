// Command bench measures what a delivery costs the collector with this receiver, beside a server that only reads and verifies,
// and beside the generic receiver that people use without ours. All take the same load in one run, by turns.
//
// The floor is this program itself, started as a server: `bench floor`. `bench scale` and `bench soak` measure this receiver
// alone: with bodies of all sizes, and for a long time.
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

// contender is a server that takes deliveries.
type contender struct {
	name    string
	command []string
	env     []string
}

func main() {
	collector := flag.String("collector", "build/otelcol-bench/otelcol-bench", "collector with both receivers")
	configs := flag.String("configs", "jirareceiver/internal/bench", "folder with the configurations")
	bodies := flag.String("bodies", "testdata/bench/issue_10k.json,testdata/bench/issue_100k.json", "files with bodies")
	rounds := flag.Int("rounds", 5, "how often each contender is measured with each body")
	duration := flag.Duration("duration", 3*time.Second, "how long it is measured each time, or the soak lasts")
	connections := flag.Int("connections", 16, "connections at a time")
	rate := flag.Int("rate", 0, "deliveries per second of a soak; 0 for as many as it takes")
	entries := flag.Int("entries", 1_000, "deliveries that deduplication remembers in a soak: few, so that a leak stands out")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [compare | scale | soak | floor]")
		flag.PrintDefaults()
	}
	flag.Parse()

	runtime.GOMAXPROCS(1) // one core for each side
	jira := contender{"`jira`", []string{*collector, "--config", filepath.Join(*configs, "jira.yaml")}, nil}
	generic := []string{*collector, "--config", filepath.Join(*configs, "webhook_event.yaml")}
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
		"soak":    func(ctx context.Context) error { return soak(ctx, remembering(jira, *entries), files[0], l) },
		"floor":   func(ctx context.Context) error { return serveFloor(ctx, os.Getenv("BENCH_ENDPOINT")) },
	}
	command, known := commands[cmp.Or(flag.Arg(0), "compare")]
	if !known || flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	// What ends this program has to end the contender too, also when nobody reads any more what it prints.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
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

// compare measures all contenders in each round, so that what else the machine does meets them alike.
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
	fmt.Printf("\n%s: %d bytes, %d connections, %d rounds of %s; medians, in brackets the least and the most\n\n", filepath.Base(file), len(body), l.connections, rounds, l.duration)
	fmt.Println("| | CPU µs per delivery | of the floor | deliveries/s | p50 ms | p99 ms | peak memory MB | not accepted |")
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
