package main

import (
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

// soak puts a steady load on one contender, and looks at its memory again and again. It fails when the memory grows.
func soak(c contender, file string, l load) (err error) {
	if l.body, err = os.ReadFile(file); err != nil {
		return err
	}
	p, err := start(c)
	if err != nil {
		return err
	}
	defer p.stop()
	heaps, err := underSteadyLoad(p, l)
	if err != nil {
		return err
	}
	second, last := slices.Max(heaps[soakSamples/4:soakSamples/2]), slices.Max(heaps[soakSamples*3/4:])
	if float64(last) > float64(second)*mayGrow {
		return fmt.Errorf("the live heap grows: %d bytes in the second quarter, %d in the last", second, last)
	}
	return nil
}

// underSteadyLoad prints a table, and returns how many bytes of the heap were in use.
func underSteadyLoad(p *process, l load) (heaps []int64, err error) {
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	delivered, err := fill(p, l)
	if err != nil {
		return nil, err
	}
	fmt.Printf("\n%d bytes, %d deliveries/s for %s, after %d deliveries\n\n| after | deliveries | live heap MB | resident MB |\n|---|---|---|---|\n", len(l.body), l.rate, l.duration, delivered)
	began := time.Now()
	l.duration /= soakSamples
	for delivered = 0; len(heaps) < soakSamples; {
		took, failed := l.run(client, p.url)
		if failed > 0 {
			return nil, fmt.Errorf("%d deliveries were not accepted", failed)
		}
		delivered += len(took)
		resident, err := memory(p.pid(), "VmRSS:")
		if err != nil {
			return nil, err
		}
		heap, err := p.liveHeap()
		if err != nil {
			return nil, err
		}
		heaps = append(heaps, heap)
		fmt.Printf("| %s | %d | %.1f | %.1f |\n", time.Since(began).Round(time.Second), delivered, float64(heap)/1e6, float64(resident)/1e6)
	}
	return heaps, nil
}

// fill delivers small events, twice as many as deduplication remembers. Until then its memory grows, and its map once more
// when all entries are exchanged for others.
func fill(p *process, l load) (delivered int, err error) {
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	l.body, l.rate, l.duration = resized(l.body, 1_000), 0, time.Second
	remembered := jirareceiver.NewFactory().CreateDefaultConfig().(*jirareceiver.Config).Jira.Deduplication.MaxEntries
	for delivered < 2*remembered {
		took, failed := l.run(client, p.url)
		if failed > 0 || len(took) == 0 {
			return delivered, fmt.Errorf("%d deliveries were not accepted", failed)
		}
		delivered += len(took)
	}
	return delivered, nil
}
