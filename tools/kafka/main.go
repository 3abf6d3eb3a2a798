// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command kafka is a Kafka broker in memory for tests. It prints its address, and then the records of the topics in its
// arguments, one JSON object per line. When its standard input ends, it prints the remaining records and exits.
//
// It is a separate module, so that collectors with the receiver do not depend on its dependencies.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// record is a line of the output.
type record struct {
	Topic     string
	Partition int32
	Key       string
	Value     []byte
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(topics []string) error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topics...))
	if err != nil {
		return err
	}
	defer cluster.Close()
	fmt.Println(cluster.ListenAddrs()[0])

	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return watch(ctx, cluster.ListenAddrs(), topics)
}

func watch(ctx context.Context, brokers, topics []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	lines := json.NewEncoder(os.Stdout)
	for {
		live := ctx.Err() == nil
		fetches := poll(ctx, client)
		if err := fetches.Err(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		for r := range fetches.RecordsAll() {
			if err := lines.Encode(record{r.Topic, r.Partition, string(r.Key), r.Value}); err != nil {
				return err
			}
		}
		if !live && fetches.NumRecords() == 0 {
			return nil
		}
	}
}

// poll waits for records until the context ends. After that, it waits for a second.
func poll(ctx context.Context, client *kgo.Client) kgo.Fetches {
	if ctx.Err() == nil {
		return client.PollFetches(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return client.PollFetches(ctx)
}
