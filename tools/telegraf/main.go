// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command telegraf runs an agent of telegraf with the input http_listener_v2, the parser json_v2 and the output
// discard. `make bench-compare` compares it with the receiver.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	_ "github.com/influxdata/telegraf/plugins/inputs/http_listener_v2"
	_ "github.com/influxdata/telegraf/plugins/outputs/discard"
	_ "github.com/influxdata/telegraf/plugins/parsers/json_v2"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	cfg := config.NewConfig()
	if err := cfg.LoadConfig(file); err != nil {
		return err
	}
	return agent.NewAgent(cfg).Run(ctx)
}
