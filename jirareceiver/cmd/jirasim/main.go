// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command jirasim plays a Jira: it posts what happens in a team to a receiver, as Jira would, and says what came of it. With
// JIRA_WEBHOOK_SECRET set it signs what it sends; with JIRA_TOKEN set it sends a token along.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const (
	secretVariable = "JIRA_WEBHOOK_SECRET"
	tokenVariable  = "JIRA_TOKEN"

	// pending is how many deliveries are under way or wait for their next attempt at a time.
	pending = 1000
	// ago is when the history of a team begins: two sprints are over then.
	ago = 28 * 24 * time.Hour
)

// command is what the flags say.
type command struct {
	url         string
	scenario    string
	start       string
	duration    time.Duration
	tokenHeader string
	tokenQuery  string
	verbose     bool
	pace        jirasim.Pace
	site        jirasim.Site
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the summary
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jirasim:", err)
		os.Exit(1)
	}
}

// run returns an error unless all that was sent was acknowledged.
func run(ctx context.Context, args []string, out io.Writer) error {
	c, err := parse(args, out)
	if err != nil {
		return err
	}
	deliveries, err := c.deliveries()
	if err != nil {
		return err
	}
	if err := listening(ctx, c.url); err != nil {
		return err
	}
	t := newTally(out, c.verbose)
	t.say("POST %s (%s)\n", c.url, c.describe())
	c.send(ctx, deliveries, t)
	return t.summary()
}

func parse(args []string, out io.Writer) (*command, error) {
	c := &command{}
	flags := flag.NewFlagSet("jirasim", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.url, "url", "http://localhost:8087/jira/events", "where the receiver listens")
	flags.StringVar(&c.scenario, "scenario", "", "send what is known and then end: "+strings.Join(jirasim.Scenarios(), ", ")+", or a folder with bodies. Default: a team at work, without end")
	flags.Uint64Var(&c.site.Seed, "seed", 0, "decides what happens: the same seed and start give the same events. Default: another one each time")
	flags.StringVar(&c.start, "start", "", "when the history begins, as 2026-03-02T08:00:00Z. Default: four weeks ago; for a scenario, so that it ends now")
	flags.Float64Var(&c.pace.SpeedUp, "speed-up", 1800, "how many times faster than it does time goes by, until it is now; the pauses between attempts are as much shorter")
	flags.Float64Var(&c.pace.Rate, "rate", 0, "deliveries a second, until it is now in the history. For many of them let it begin long ago, with -start. Default: as things happen")
	flags.DurationVar(&c.duration, "duration", 0, "send nothing new after this time. Default: until the end, or Ctrl-C")
	flags.Func("deployment", "whose bodies and rules: cloud (default) or data_center", func(s string) error {
		c.site.Deployment = jirasim.Deployment(s)
		return nil
	})
	flags.StringVar(&c.site.Language, "language", "en", "of the statuses: "+strings.Join(jirasim.Languages(), ", "))
	flags.StringVar(&c.tokenHeader, "token-header", "X-Jira-Token", "header for the token in "+tokenVariable)
	flags.StringVar(&c.tokenQuery, "token-query", "", "query parameter for the token, instead of the header")
	flags.BoolVar(&c.verbose, "verbose", false, "print a line for each attempt")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? Flags begin with a dash", flags.Arg(0))
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, nil
}

// complete checks what the flags say, and sets what they leave open.
func (c *command) complete() error {
	c.site.Deployment = cmp.Or(c.site.Deployment, jirasim.Cloud)
	c.site.Seed = cmp.Or(c.site.Seed, 1+rand.Uint64N(999_999)) //nolint:gosec // no secret
	if c.pace.SpeedUp <= 0 {
		return errors.New("-speed-up has to be more than 0")
	}
	c.site.Start = time.Now().Add(-cmp.Or(jirasim.ScenarioLength(c.scenario), ago))
	if c.start != "" {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			return fmt.Errorf("-start %s is no time: write it as 2026-03-02T08:00:00Z", c.start)
		}
		c.site.Start = start
	}
	return c.site.Validate()
}

func (c *command) deliveries() (iter.Seq[jirasim.Delivery], error) {
	if c.scenario == "" {
		return jirasim.Team(c.site), nil
	}
	var deliveries []jirasim.Delivery
	var err error
	if c.isFolder() {
		deliveries, err = jirasim.Bodies(c.scenario)
	} else {
		deliveries, err = jirasim.Scenario(c.scenario, c.site)
	}
	return slices.Values(deliveries), err
}

func (c *command) isFolder() bool {
	info, err := os.Stat(c.scenario) //nolint:gosec // the user says which
	return err == nil && info.IsDir()
}

// listening finds out whether it is worth while to begin.
func listening(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return fmt.Errorf("-url %s is no URL: write it as http://localhost:8087/jira/events", address)
	}
	host := parsed.Host
	if parsed.Port() == "" {
		host = net.JoinHostPort(parsed.Hostname(), map[string]string{"http": "80", "https": "443"}[parsed.Scheme])
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", host)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens at %s: start the collector with `make run` in another terminal", address)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

func (c *command) describe() string {
	signed := "unsigned: " + secretVariable + " is not set"
	if os.Getenv(secretVariable) != "" {
		signed = "signed with " + secretVariable
	}
	if os.Getenv(tokenVariable) != "" {
		signed += ", with the token in " + tokenVariable
	}
	if c.isFolder() {
		return signed
	}
	return fmt.Sprintf("%s; -seed %d -start %s", signed, c.site.Seed, c.site.Start.UTC().Format(time.RFC3339))
}

// send returns when all is acknowledged or given up, or when ctx ends.
func (c *command) send(ctx context.Context, deliveries iter.Seq[jirasim.Delivery], t *tally) {
	sender := jirasim.New(jirasim.Options{
		URL: c.url, Compression: c.pace.SpeedUp, Seed: c.site.Seed, Deployment: c.site.Deployment, Observe: t.attempted,
		Transport: &withToken{jirasim.NewTransport(), os.Getenv(tokenVariable), c.tokenHeader, c.tokenQuery},
	})
	sender.SetSecret([]byte(os.Getenv(secretVariable)))
	sending := ctx
	if c.duration > 0 {
		limited, cancel := context.WithTimeout(ctx, c.duration)
		defer cancel()
		sending = limited
	}
	c.pace.CaughtUp = t.caughtUp
	stop := t.progress()
	defer stop()
	atATime := pending
	if c.verbose {
		atATime = 1 // in order
	}
	sender.DeliverEach(ctx, c.pace.Apply(sending, deliveries), atATime, func(_ int, r jirasim.Result) { t.ended(r) })
}

// withToken adds a token to requests, for senders that cannot sign.
type withToken struct {
	http.RoundTripper
	token, header, query string
}

func (w *withToken) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.token == "" {
		return w.RoundTripper.RoundTrip(request)
	}
	request = request.Clone(request.Context())
	if w.query == "" {
		request.Header.Set(w.header, w.token)
	} else {
		query := request.URL.Query()
		query.Set(w.query, w.token)
		request.URL.RawQuery = query.Encode()
	}
	return w.RoundTripper.RoundTrip(request)
}
