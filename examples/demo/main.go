// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo starts the collector, VictoriaLogs as its log backend, and a Jira to play with, and says where to look.
// Ctrl-C ends all three, and removes what they have stored.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	patience = 30 * time.Second // for a program to start
	speedUp  = "7200"           // four weeks take two minutes
)

// demo is where things are and listen.
type demo struct {
	collector, config, backend, jira string // files
	receiver, ui                     string // host:port
	dir                              string // for all that is stored
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run returns when ctx ends, or when one of the programs does that must not.
func run(ctx context.Context) error {
	d := demo{}
	flag.StringVar(&d.collector, "collector", "bin/otelcol-jira", "the collector")
	flag.StringVar(&d.config, "config", "examples/demo.yaml", "its configuration")
	flag.StringVar(&d.backend, "backend", "bin/victoria-logs", "VictoriaLogs")
	flag.StringVar(&d.jira, "jirasim", "bin/jirasim", "what plays Jira; its own flags follow after --")
	flag.StringVar(&d.receiver, "receiver", "localhost:8087", "where the collector listens for Jira")
	flag.StringVar(&d.ui, "ui", "localhost:9428", "where VictoriaLogs listens")
	flag.Parse()
	for _, address := range []string{d.receiver, d.ui} {
		if err := free(ctx, address); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "otelcol-jira-demo-")
	if err != nil {
		return err
	}
	d.dir = dir
	err = d.play(ctx, flag.Args())
	if ctx.Err() != nil {
		err = nil // Ctrl-C while a program starts
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// free reports an address at which something listens already.
func free(ctx context.Context, address string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program. Choose others: make demo ARGS='-receiver localhost:18087 -ui localhost:19428'", address)
	}
	if err != nil {
		return err
	}
	return listener.Close()
}

// play ends the programs in the opposite order of their start, so that nothing that is under way gets lost.
func (d *demo) play(ctx context.Context, args []string) error {
	backend, err := d.start("victoria-logs.log", d.backend, "-storageDataPath="+filepath.Join(d.dir, "logs"), "-httpListenAddr="+d.ui, "-retentionPeriod=100y")
	if err != nil {
		return err
	}
	defer backend.stop()
	if err := backend.await(ctx, "http://"+d.ui+"/health"); err != nil {
		return err
	}
	collector, err := d.start("collector.log", d.collector, "--config", d.config)
	if err != nil {
		return err
	}
	defer collector.stop()
	if err := collector.await(ctx, "http://"+d.receiver+"/health"); err != nil {
		return err
	}
	fmt.Printf("\nThe events are at\n\n  %s\n\nStop with Ctrl-C.\n\n", firstLook(d.ui))
	jira, err := d.start("", d.jira, append([]string{"-url", "http://" + d.receiver + "/jira/events", "-speed-up", speedUp}, args...)...)
	if err != nil {
		return err
	}
	defer jira.stop()
	select {
	case <-ctx.Done():
		return nil
	case <-backend.ended:
		return backend.fault()
	case <-collector.ended:
		return collector.fault()
	}
}

// firstLook is where VictoriaLogs shows what happened in the last five weeks: how often what, and a table with what one
// asks for.
func firstLook(address string) string {
	query := url.Values{
		"query": {"*"}, "g0.range_input": {"35d"}, "limit": {"200"}, "group_hits": {"event_name"}, "view": {"table"},
		"columns": {"_time,_msg,event_name,jira.project.key,jira.issue.key,jira.issue.status.mapped"},
	}
	return "http://" + address + "/select/vmui/#/?" + query.Encode()
}

// await waits until a program answers.
func (p *program) await(ctx context.Context, health string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, health, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.ended:
			return p.fault()
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer", health)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
