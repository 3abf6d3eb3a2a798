// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// load sends deliveries of one body over a number of connections. Each delivery has its own delivery ID.
type load struct {
	body        []byte
	connections int
	duration    time.Duration
	rate        int // deliveries per second; 0 for as many as the server accepts
}

// run sends deliveries. It returns the sorted durations of the accepted deliveries, and the number of all others.
func (l load) run(ctx context.Context, client *http.Client, url string) (took []time.Duration, failed int) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	var pause time.Duration // time between the starts of two deliveries on one connection
	if l.rate > 0 {
		pause = time.Duration(l.connections) * time.Second / time.Duration(l.rate)
	}
	signed := signature.Sign([]byte(secret), l.body)
	var mu sync.Mutex
	var senders sync.WaitGroup
	for range l.connections {
		senders.Go(func() {
			for ctx.Err() == nil {
				start := time.Now()
				err := post(client, url, l.body, signed) //nolint:contextcheck // a delivery that has started is finished
				d := time.Since(start)
				mu.Lock()
				if err == nil {
					took = append(took, d)
				} else {
					failed++
				}
				mu.Unlock()
				time.Sleep(pause - time.Since(start))
			}
		})
	}
	senders.Wait()
	slices.Sort(took)
	return took, failed
}

func post(client *http.Client, url string, body []byte, signed string) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("X-Atlassian-Webhook-Identifier", rand.Text())
	request.Header.Set(signature.Header, signed)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("responded with %s", response.Status)
	}
	return nil
}
