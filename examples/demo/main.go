// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo starts the collector, VictoriaLogs as its log backend, and a Jira to play with, and prints the addresses
// of the UI. With -poll, the collector reads the Jira, and nothing listens for it. Ctrl-C ends all three, and removes
// their data.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	patience = 30 * time.Second       // for a program to start
	speedUp  = "300000"               // a month takes nine seconds
	history  = 5 * 7 * 24 * time.Hour // from which the collector polls
)

// demo holds the files of the programs, and the addresses at which they listen.
type demo struct {
	collector, config, backend, jira string // files
	receiver, ui, api                string // host:port
	database                         string // host:port of VictoriaLogs, behind ui
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
	flag.StringVar(&d.ui, "ui", "localhost:9428", "where the UI and the API of VictoriaLogs listen")
	flag.Parse()
	if err := d.checkAddresses(ctx); err != nil {
		return err
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

// checkAddresses returns an error if another program listens at an address of the demo, and chooses a free port for
// VictoriaLogs.
func (d *demo) checkAddresses(ctx context.Context) error {
	jiras := d.receiver // the address between the collector and the Jira
	if d.poll {
		jiras = d.api
	}
	for _, address := range []string{jiras, d.ui} {
		if _, err := free(ctx, address); err != nil {
			return err
		}
	}
	var err error
	d.database, err = free(ctx, "localhost:0")
	return err
}

// free returns the address of a port on which no program listens. Port 0 stands for any port.
func free(ctx context.Context, address string) (string, error) {
	listener, err := listen(ctx, address)
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w. Choose other addresses: make demo ARGS='-receiver localhost:18087 -ui localhost:19428' "+
			"or make demo-poll ARGS='-api localhost:18089 -ui localhost:19428'", err)
	}
	return listener, nil
}

// play ends the programs in the opposite order of their start, so that no event in progress gets lost.
func (d *demo) play(ctx context.Context, args []string) error {
	backend, err := d.start("victoria-logs.log", d.backend, "-storageDataPath="+filepath.Join(d.dir, "logs"), "-httpListenAddr="+d.database, "-retentionPeriod=100y")
	if err != nil {
		return err
	}
	defer backend.stop()
	if err := backend.await(ctx, "http://"+d.database+"/health"); err != nil {
		return err
	}
	stopUI, err := d.startUI(ctx)
	if err != nil {
		return err
	}
	defer stopUI()
	begin := d.receive
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

// receive starts a collector to which the Jira posts.
func (d *demo) receive(ctx context.Context, args []string) (collector, jira *program, err error) {
	collector, err = d.start("collector.log", d.collector, "--config", cmp.Or(d.config, "examples/demo.yaml"))
	if err != nil {
		return nil, nil, err
	}
	if err := collector.await(ctx, "http://"+d.receiver+"/health"); err != nil {
		return collector, nil, err
	}
	d.printViews()
	jira, err = d.start("", d.jira, append([]string{"-url", "http://" + d.receiver + "/jira/events", "-speed-up", speedUp}, args...)...)
	return collector, jira, err
}

// read starts a Jira whose history has happened, and a collector that reads it.
func (d *demo) read(ctx context.Context, args []string) (collector, jira *program, err error) {
	jira, err = d.start("", d.jira, append([]string{"-url", "", "-rest", d.api, "-at-once"}, args...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := jira.await(ctx, "http://"+d.api+"/rest/api/2/serverInfo"); err != nil {
		return nil, jira, err
	}
	collector, err = d.start("collector.log", d.collector, "--config", cmp.Or(d.config, "examples/demo-poll.yaml"))
	if err != nil {
		return nil, jira, err
	}
	d.printViews()
	return collector, jira, nil
}

// printViews prints the address of each view of the UI.
func (d *demo) printViews() {
	fmt.Print("\nReady. The last weeks of a team arrive within seconds, and stuck issues and times some seconds later.\n\n")
	for _, v := range views {
		fmt.Printf("  %-21shttp://%s%s\n", v.label, d.ui, v.path)
	}
	fmt.Print("\nCtrl-C stops the demo, and removes its data.\n\n")
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
