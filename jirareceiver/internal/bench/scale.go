// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

// scale measures one contender with bodies of increasing size, and with more and more connections.
func scale(ctx context.Context, c contender, file string, duration time.Duration) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fmt.Printf("\n| bytes | connections | CPU µs per delivery | CPU ns per byte | deliveries/s | MB/s | p50 ms | p99 ms | peak memory MB |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, l := range []load{
		{body: resized(body, 1_000), connections: 16},
		{body: body, connections: 16},
		{body: resized(body, 100_000), connections: 16},
		{body: resized(body, 1_000_000), connections: 16},
		{body: resized(body, 25_000_000), connections: 4},
		{body: body, connections: 1},
		{body: body, connections: 256},
	} {
		l.duration = duration
		m, err := measure(ctx, c, l)
		if err != nil {
			return fmt.Errorf("%d bytes, %d connections: %w", len(l.body), l.connections, err)
		}
		fmt.Printf("| %d | %d | %.1f | %.2f | %.0f | %.0f | %.2f | %.2f | %.0f |\n", len(l.body), l.connections, m.cpu(), m.cpu()*1000/float64(len(l.body)),
			m.perSecond(), m.perSecond()*float64(len(l.body))/1e6, m.percentile(50), m.percentile(99), m.memory())
	}
	return nil
}

// resized returns a body of about the given size in bytes. A larger body has more custom fields. A smaller body has
// little more than a description.
func resized(body []byte, size int) []byte {
	const start = `"fields":{`
	head, rest, _ := bytes.Cut(body, []byte(start))
	if size < len(body) {
		head, _, _ = bytes.Cut(head, []byte(`"user"`))
		return bytes.Join([][]byte{head, []byte(`"issue":{"id":"10142","key":"OPS-42",` + start +
			`"summary":"Deploy payment service","description":"`), bytes.Repeat([]byte("x"), size-300), []byte(`"}}}`)}, nil)
	}
	grown := bytes.NewBuffer(append(bytes.Clone(head), start...))
	for i := 0; grown.Len()+len(rest) < size; i++ {
		fmt.Fprintf(grown, `"customfield_%d":{"self":"https://acme.atlassian.net/rest/api/2/customFieldOption/%d","value":"Option %d","id":"%d"},`, 20000+i, i, i, i)
	}
	grown.Write(rest)
	return grown.Bytes()
}
