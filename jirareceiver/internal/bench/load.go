// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// load is a way to send deliveries of one body over a number of connections. Each delivery has its own delivery ID.
type load struct {
	body        []byte
	connections int
	duration    time.Duration
	rate        int // deliveries per second; 0 for as many as the server accepts
}

// run sends deliveries over the first connections. It returns the sorted durations of the accepted deliveries, and the
// number of all others.
func (l load) run(ctx context.Context, connections []*connection) (took []time.Duration, failed int) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	var mu sync.Mutex
	var senders sync.WaitGroup
	for _, c := range connections[:l.connections] {
		senders.Go(func() {
			accepted, rejected := l.send(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, accepted...)
			failed += rejected
		})
	}
	senders.Wait()
	slices.Sort(took)
	return took, failed
}

// send sends deliveries over one connection until ctx is done. It finishes a delivery that has started.
func (l load) send(ctx context.Context, c *connection) (took []time.Duration, failed int) {
	var pause time.Duration // between the starts of two deliveries
	if l.rate > 0 {
		pause = time.Duration(l.connections) * time.Second / time.Duration(l.rate)
	}
	for ctx.Err() == nil {
		start := time.Now()
		if err := c.post(); err == nil {
			took = append(took, time.Since(start))
		} else {
			failed++
		}
		time.Sleep(pause - time.Since(start))
	}
	return took, failed
}
