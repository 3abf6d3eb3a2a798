// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command jiracheck checks, from the outside, the Jira that the configuration of a collector describes. It sends only
// requests that read.
//
// The exit status is 0 if there is no problem, 1 if there is one, and 2 if the check was not possible, for example
// because Jira did not answer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// The exit statuses.
const (
	exitOK        = 0
	exitProblem   = 1
	exitUnchecked = 2
)

// environment is the surroundings of the command.
type environment struct {
	stdout, stderr io.Writer
	clock          jiraapi.Clock
}

// command holds the values of the flags.
type command struct {
	receiver string
	json     bool
	timeout  time.Duration
	projects []string
	file     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process
	code := run(ctx, os.Args[1:], environment{os.Stdout, os.Stderr, jiraapi.SystemClock{}})
	stop()
	os.Exit(code)
}

// run returns the exit status.
func run(ctx context.Context, args []string, env environment) int {
	c, err := parse(args, env.stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err == nil:
		var r *report
		if r, err = c.check(ctx, env); err == nil {
			return r.exitStatus()
		}
	}
	_, _ = fmt.Fprintln(env.stderr, "jiracheck:", err)
	return exitUnchecked
}

func parse(args []string, out io.Writer) (*command, error) {
	c := &command{}
	flags := flag.NewFlagSet("jiracheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error
	flags.StringVar(&c.receiver, "receiver", "jira", "receiver to check, such as jira/cloud")
	flags.BoolVar(&c.json, "json", false, "print the report as JSON")
	flags.DurationVar(&c.timeout, "timeout", time.Minute, "time after which the check ends")
	flags.Func("projects", "keys of the projects whose statuses are checked, such as OPS,WEB. "+
		"Default: poll::projects, or the first 50 of the site", func(list string) error {
		c.projects = strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
		return nil
	})
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(out)
		_, _ = fmt.Fprintln(out, "Usage: jiracheck [flags] config.yaml")
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() != 1:
		return nil, errors.New("needs one configuration file; write jiracheck [-receiver jira] [-json] config.yaml")
	case c.timeout <= 0:
		return nil, fmt.Errorf("-timeout: %s is not a positive time; write it with a unit, such as 1m", c.timeout)
	}
	c.file = flags.Arg(0)
	return c, nil
}

// check returns an error if the check was not possible.
func (c *command) check(ctx context.Context, env environment) (*report, error) {
	s, err := load(ctx, c.file, c.receiver, env.stderr)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	client, stop, err := s.connect(limited, env.clock)
	if err != nil {
		return nil, err
	}
	defer stop()
	if !c.json {
		_, _ = fmt.Fprintf(env.stderr, "Checking the Jira of the receiver %s, for at most %s\n", s.id, c.timeout)
	}
	r := &report{Receiver: s.id.String()}
	(&checker{settings: s, client: client, clock: env.clock, timeout: c.timeout, report: r, projects: c.projects}).run(limited)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	if c.json {
		err = r.printJSON(env.stdout)
		return r, err
	}
	r.print(env.stdout)
	return r, nil
}
