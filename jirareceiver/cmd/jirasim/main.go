// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Command jirasim simulates a Jira: it posts the events of a team to a receiver as Jira would, and reports the outcome.
// If JIRA_WEBHOOK_SECRET is set, it signs the deliveries. If JIRA_TOKEN is set, it sends the token with them.
//
// With -rest, it also serves the same history over Jira's REST API. If JIRA_API_TOKEN is set, that API requires the token.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
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

	// pending is the largest number of deliveries that are in progress, or wait for their next attempt, at a time.
	pending = 1000
	// ago is the length of the history of a team: two complete sprints, and the beginning of a third. User interfaces show
	// all of it as the last 30 days.
	ago = 30*24*time.Hour - 6*time.Hour
)

// command holds the values of the flags.
type command struct {
	url         string
	scenario    string
	start       string
	duration    time.Duration
	tokenHeader string
	tokenQuery  string
	fresh       bool
	verbose     bool
	rest        string
	restUser    string
	restAdmin   bool
	issues      int
	atOnce      bool
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

// run returns an error unless the receiver acknowledged all deliveries.
func run(ctx context.Context, args []string, out io.Writer) error {
	c, err := parse(args, out)
	if err != nil {
		return err
	}
	deliveries, err := c.deliveries()
	if err != nil {
		return err
	}
	if c.url != "" {
		if err := listening(ctx, c.url); err != nil {
			return err
		}
	}
	t := newTally(out, c.verbose)
	served, err := c.serve(ctx, t)
	if err != nil {
		return err
	}
	defer served.close()
	if c.url == "" {
		c.play(ctx, served, deliveries, t)
		return nil
	}
	t.printf("POST %s (%s)\n", c.url, c.describe())
	c.send(ctx, served, deliveries, t)
	if t.wrongServer != "" {
		return fmt.Errorf("-url: %s is not a receiver of webhooks; it answered %s. Check the port and the path", c.url, t.wrongServer)
	}
	c.stay(ctx, served, t)
	return t.summary()
}

func parse(args []string, out io.Writer) (*command, error) {
	c := &command{}
	flags := flag.NewFlagSet("jirasim", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.url, "url", "http://localhost:8087/jira/events", "URL of the receiver; empty to send no webhooks, for -rest")
	flags.StringVar(&c.scenario, "scenario", "",
		"finite history: "+strings.Join(jirasim.Scenarios(), ", ")+", or a folder with bodies. "+
			"Default: the endless history of a team")
	flags.Uint64Var(&c.site.Seed, "seed", 0,
		"seed of the history: the same seed and start give the same events. Default: a new seed each time")
	flags.StringVar(&c.start, "start", "",
		"start of the history, such as 2026-03-02T08:00:00Z. Default: a little less than 30 days ago; "+
			"for a scenario, the time at which it would end now")
	flags.Float64Var(&c.pace.SpeedUp, "speed-up", 1800,
		"factor by which time is sped up until the history reaches the present; "+
			"it also shortens the pauses between attempts")
	flags.Float64Var(&c.pace.Rate, "rate", 0,
		"deliveries per second until the history reaches the present; "+
			"for many deliveries, set -start to an early time. Default: each delivery at the time of its event")
	flags.DurationVar(&c.duration, "duration", 0,
		"time after which no new delivery is sent. Default: until the end of the history, or Ctrl-C")
	flags.Func("deployment", "product whose bodies and rules are used: cloud (default) or data_center", func(s string) error {
		c.site.Deployment = jirasim.Deployment(s)
		return nil
	})
	flags.StringVar(&c.site.Language, "language", "en", "language of the statuses: "+strings.Join(jirasim.Languages(), ", "))
	flags.StringVar(&c.tokenHeader, "token-header", "X-Jira-Token", "header for the token in "+tokenVariable)
	flags.StringVar(&c.tokenQuery, "token-query", "", "query parameter for the token, instead of the header")
	flags.StringVar(&c.rest, "rest", "", "address at which the history is served over Jira's REST API until Ctrl-C, such as localhost:8089. Default: no REST side")
	flags.StringVar(&c.restUser, "rest-user", "ada@example.com", "user of the REST side; the token is in "+restTokenVariable)
	flags.BoolVar(&c.restAdmin, "rest-admin", true, "whether the account of the REST side may manage webhooks")
	flags.IntVar(&c.issues, "issues", 0, "serve a site with that many issues and 2,000 changes an hour since -start, instead of a team; needs -rest and -url ''")
	flags.BoolVar(&c.atOnce, "at-once", false, "let the history until the present happen before the REST side is served; needs -rest and -url ''")
	flags.BoolVar(&c.fresh, "fresh", false, "send the bodies of a folder as new events of the last minutes; needs -scenario <folder>")
	flags.BoolVar(&c.verbose, "verbose", false, "print a line for each attempt")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; flags begin with a dash", flags.Arg(0))
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, nil
}

// complete validates the flags, and sets the values of missing flags.
func (c *command) complete() error {
	c.site.Deployment = cmp.Or(c.site.Deployment, jirasim.Cloud)
	c.site.Seed = cmp.Or(c.site.Seed, 1+rand.Uint64N(999_999)) //nolint:gosec // not a secret
	if c.pace.SpeedUp <= 0 {
		return errors.New("-speed-up: not a positive number; set a factor, such as 1800")
	}
	c.site.Start = time.Now().Add(-cmp.Or(jirasim.ScenarioLength(c.scenario), ago))
	if c.start != "" {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			return fmt.Errorf("-start: %s is not a time; write it like 2026-03-02T08:00:00Z", c.start)
		}
		c.site.Start = start
	}
	if c.fresh && !c.isFolder() {
		return errors.New("-fresh: only for a folder with bodies; set -scenario")
	}
	if err := c.checkRest(); err != nil {
		return err
	}
	return c.site.Validate()
}

func (c *command) deliveries() (iter.Seq[jirasim.Delivery], error) {
	if c.issues > 0 {
		return slices.Values([]jirasim.Delivery{}), nil
	}
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
	if c.fresh {
		deliveries = jirasim.Fresh(deliveries, time.Now())
	}
	return slices.Values(deliveries), err
}

func (c *command) isFolder() bool {
	info, err := os.Stat(c.scenario) //nolint:gosec // the user names the folder
	return err == nil && info.IsDir()
}

// listening returns an error if no process listens at an address, or if TLS fails, so that jirasim does not start
// without a receiver.
func listening(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return fmt.Errorf("-url: %s is not a URL; write it like http://localhost:8087/jira/events", address)
	}
	host := parsed.Host
	if parsed.Port() == "" {
		host = net.JoinHostPort(parsed.Hostname(), map[string]string{"http": "80", "https": "443"}[parsed.Scheme])
	}
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{Timeout: 5 * time.Second}
	if parsed.Scheme == "https" { // without a handshake, the receiver would log a failed one
		dialer = &tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}}
	}
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("-url: no process listens at %s; start the collector with `make run` in another terminal", address)
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return errors.New("-url: the receiver does not use TLS; write http:// instead of https://")
	}
	if err != nil {
		return fmt.Errorf("-url: %w", err)
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

// limited returns a context that ends after the duration of the flags.
func (c *command) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.duration > 0 {
		return context.WithTimeout(ctx, c.duration)
	}
	return context.WithCancel(ctx)
}

// paced returns each delivery at its time.
func (c *command) paced(
	ctx context.Context, served *restSide, deliveries iter.Seq[jirasim.Delivery], t *tally,
) iter.Seq[jirasim.Delivery] {
	c.pace.CaughtUp = func() {
		t.caughtUp()
		served.present()
	}
	return served.follow(c.pace.Apply(ctx, deliveries))
}

// send returns when all deliveries are acknowledged or given up, or when ctx ends.
func (c *command) send(ctx context.Context, served *restSide, deliveries iter.Seq[jirasim.Delivery], t *tally) {
	sender := jirasim.New(jirasim.Options{
		URL: c.url, Compression: c.pace.SpeedUp, Seed: c.site.Seed, Deployment: c.site.Deployment, Observe: t.attempted,
		Transport: &withToken{jirasim.NewTransport(), os.Getenv(tokenVariable), c.tokenHeader, c.tokenQuery},
	})
	sender.SetSecret([]byte(os.Getenv(secretVariable)))
	ctx, t.giveUp = context.WithCancel(ctx)
	defer t.giveUp()
	sending, cancel := c.limited(ctx)
	defer cancel()
	stop := t.progress()
	defer stop()
	concurrent := pending
	if c.verbose {
		concurrent = 1 // the lines appear in order
	}
	sender.DeliverEach(ctx, c.paced(sending, served, deliveries, t), concurrent, func(_ int, r jirasim.Result) { t.ended(r) })
}

// play lets the history happen without webhooks, until ctx or the duration ends.
func (c *command) play(ctx context.Context, served *restSide, deliveries iter.Seq[jirasim.Delivery], t *tally) {
	ctx, cancel := c.limited(ctx)
	defer cancel()
	if c.atOnce {
		<-ctx.Done()
		return
	}
	for d := range c.paced(ctx, served, deliveries, t) {
		if c.verbose {
			t.printf("  %s\n", d.About)
		}
	}
	if ctx.Err() == nil {
		served.present()
	}
	<-ctx.Done()
}

// stay serves the REST side after the last delivery of a finite history, until ctx ends.
func (c *command) stay(ctx context.Context, served *restSide, t *tally) {
	if served == nil || ctx.Err() != nil {
		return
	}
	served.present()
	if c.duration == 0 {
		t.printf("All is sent. The REST side stays. Stop with Ctrl-C\n")
		<-ctx.Done()
	}
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
