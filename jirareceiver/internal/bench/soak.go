package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/otel-jira/collector/jirareceiver"
)

const (
	soakSamples = 20
	// mayGrow is how much more than in the second quarter of a soak may be in use in the last. What leaks does not stop there.
	mayGrow = 1.1
)

// soak puts a steady load on one contender, and looks at its memory again and again. It fails when the memory grows, and when
// a delivery is not accepted.
func soak(ctx context.Context, c contender, file string, l load) (err error) {
	if l.body, err = os.ReadFile(file); err != nil {
		return err
	}
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := fill(ctx, p, l); err != nil {
		return err
	}
	heaps, failed, err := underSteadyLoad(ctx, p, l)
	if err != nil {
		return err
	}
	second, last := slices.Max(heaps[soakSamples/4:soakSamples/2]), slices.Max(heaps[soakSamples*3/4:])
	switch {
	case failed > 0:
		return fmt.Errorf("%d deliveries were not accepted", failed)
	case float64(last) > float64(second)*mayGrow:
		return fmt.Errorf("the live heap grows: %d bytes in the second quarter, %d in the last", second, last)
	}
	return nil
}

// fill delivers small events, twice as many as deduplication remembers: until then its memory grows.
func fill(ctx context.Context, p *process, l load) error {
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	l.body, l.rate, l.duration = resized(l.body, 1_000), 0, time.Second
	remembered := jirareceiver.NewFactory().CreateDefaultConfig().(*jirareceiver.Config).Jira.Deduplication.MaxEntries
	fmt.Printf("\nFilling deduplication with %d small deliveries\n", 2*remembered)
	for delivered := 0; delivered < 2*remembered; {
		took, failed := l.run(ctx, client, p.url)
		if failed > 0 || ctx.Err() != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("%d deliveries were not accepted", failed))
		}
		delivered += len(took)
	}
	return nil
}

// underSteadyLoad prints a table, and returns how many bytes of the heap were in use.
func underSteadyLoad(ctx context.Context, p *process, l load) (heaps []int64, failed int, err error) {
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	fmt.Printf("\n%d bytes, %d deliveries/s asked for\n\n| after | deliveries | not accepted | live heap MB | resident MB |\n|---|---|---|---|---|\n", len(l.body), l.rate)
	began, delivered := time.Now(), 0
	l.duration /= soakSamples
	for len(heaps) < soakSamples {
		took, refused := l.run(ctx, client, p.url)
		delivered += len(took)
		failed += refused
		resident, err := memory(p.pid(), "VmRSS:")
		if err != nil {
			return nil, 0, err
		}
		heap, err := p.liveHeap()
		if err != nil {
			return nil, 0, err
		}
		heaps = append(heaps, heap)
		fmt.Printf("| %s | %d | %d | %.1f | %.1f |\n", time.Since(began).Round(time.Second), delivered, failed, float64(heap)/1e6, float64(resident)/1e6)
	}
	return heaps, failed, nil
}
