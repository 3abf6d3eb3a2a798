// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	soakSamples = 20
	// mayGrow is the largest allowed ratio of a size in the last quarter of a soak to the size in the second quarter. A
	// leak exceeds it.
	mayGrow = 1.05
)

// cacheEntries is the setting of the number of entries in the deduplication cache.
func cacheEntries(n int) string {
	return "receivers::jira::deduplication::max_entries=" + strconv.Itoa(n)
}

// soak puts a steady load on one contender and measures its memory repeatedly. It returns an error if the memory grows,
// or if a delivery is not accepted.
func soak(ctx context.Context, c contender, file string, l load) (err error) {
	if l.body, err = os.ReadFile(file); err != nil {
		return err
	}
	p, err := start(ctx, c, l)
	if err != nil {
		return err
	}
	defer func() { err = p.end(err) }()
	heaps, failed, err := underSteadyLoad(ctx, p, l)
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d deliveries were not accepted", failed)
	}
	return verdict("live heap", heaps)
}

// verdict compares the sizes in the last quarter of a soak with those in the second. In the first quarter, pools and
// caches fill.
func verdict(name string, sizes []int64) error {
	n := len(sizes)
	second, last := slices.Max(sizes[n/4:n/2]), slices.Max(sizes[n*3/4:])
	if float64(last) > float64(second)*mayGrow {
		return fmt.Errorf("the %s grows: %d bytes in the second quarter, %d in the last", name, second, last)
	}
	return nil
}

// underSteadyLoad prints a table, and returns the sizes of the live heap in bytes.
func underSteadyLoad(ctx context.Context, p *process, l load) (heaps []int64, failed int, err error) {
	fmt.Printf("\n%d bytes, %d deliveries/s requested\n\n| after | deliveries | not accepted | live heap MB | resident MB |\n|---|---|---|---|---|\n", len(l.body), l.rate)
	began, delivered := time.Now(), 0
	l.duration /= soakSamples
	for len(heaps) < soakSamples {
		took, rejected := l.run(ctx, p.connections)
		delivered += len(took)
		failed += rejected
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
