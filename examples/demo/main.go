// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo starts the collector, VictoriaLogs as its log backend, and a Jira to play with, and says where to look.
// With -poll, the collector reads the Jira, and nothing listens for it. Ctrl-C ends all three, and removes what they have
// stored.
package main

import (
	"cmp"
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
	history  = 5 * 7 * 24 * time.Hour
)

// demo is where things are and listen.
type demo struct {
	collector, config, backend, jira string // files
	receiver, ui, api                string // host:port
	poll                             bool
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
	flag.StringVar(&d.config, "config", "", "its configuration; default: examples/demo.yaml, or examples/demo-poll.yaml")
	flag.BoolVar(&d.poll, "poll", false, "let the collector read the Jira, instead of listening for it")
	flag.StringVar(&d.backend, "backend", "bin/victoria-logs", "VictoriaLogs")
	flag.StringVar(&d.jira, "jirasim", "bin/jirasim", "what plays Jira; its own flags follow after --")
	flag.StringVar(&d.receiver, "receiver", "localhost:8087", "where the collector listens for Jira")
	flag.StringVar(&d.api, "api", "localhost:8089", "with -poll, where the REST API of the Jira listens")
	flag.StringVar(&d.ui, "ui", "localhost:9428", "where VictoriaLogs listens")
	flag.Parse()
	jiras := d.receiver // the address between the collector and the Jira
	if d.poll {
		jiras = d.api
	}
	for _, address := range []string{jiras, d.ui} {
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
		return fmt.Errorf("%s is taken by another program. Choose others: make demo ARGS='-receiver localhost:18087 -ui localhost:19428' "+
			"or make demo-poll ARGS='-api localhost:18089 -ui localhost:19428'", address)
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
	begin := d.listen
	if d.poll {
		begin = d.read
	}
	collector, jira, err := begin(ctx, args)
	defer collector.stop()
	defer jira.stop()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-backend.ended:
		return backend.fault()
	case <-collector.ended:
		return collector.fault()
	}
}

// listen starts a collector to which the Jira posts.
func (d *demo) listen(ctx context.Context, args []string) (collector, jira *program, err error) {
	collector, err = d.start("collector.log", d.collector, "--config", cmp.Or(d.config, "examples/demo.yaml"))
	if err != nil {
		return nil, nil, err
	}
	if err := collector.await(ctx, "http://"+d.receiver+"/health"); err != nil {
		return collector, nil, err
	}
	d.printAddress()
	jira, err = d.start("", d.jira, append([]string{"-url", "http://" + d.receiver + "/jira/events", "-speed-up", speedUp}, args...)...)
	return collector, jira, err
}

// read starts a Jira whose four weeks have happened, and a collector that reads it.
func (d *demo) read(ctx context.Context, args []string) (collector, jira *program, err error) {
	d.printAddress()
	jira, err = d.start("", d.jira, append([]string{"-url", "", "-rest", d.api, "-at-once"}, args...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := jira.await(ctx, "http://"+d.api+"/rest/api/2/serverInfo"); err != nil {
		return nil, jira, err
	}
	collector, err = d.start("collector.log", d.collector, "--config", cmp.Or(d.config, "examples/demo-poll.yaml"))
	return collector, jira, err
}

func (d *demo) printAddress() {
	fmt.Printf("\nThe events are at\n\n  %s\n\nStop with Ctrl-C.\n\n", firstLook(d.ui))
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
