// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// restTokenVariable names the variable with the token of the account that reads over REST.
const restTokenVariable = "JIRA_API_TOKEN"

// restSide is the REST side of the simulated Jira. A nil restSide serves nothing.
type restSide struct {
	*jirasim.API
	server   *http.Server
	tally    *tally
	isLarge  bool // counting the changes would take long
	caughtUp bool // the clock is the computer's
}

// serve starts the REST side, if the flags ask for it.
func (c *command) serve(ctx context.Context, t *tally) (*restSide, error) {
	if c.rest == "" {
		return nil, nil
	}
	api, err := c.api()
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.rest)
	if err != nil {
		return nil, fmt.Errorf("-rest: %w", err)
	}
	const patience = 10 * time.Second
	server := &http.Server{Handler: api, ReadHeaderTimeout: patience}
	r := &restSide{API: api, server: server, tally: t, isLarge: c.issues > 0}
	if c.atOnce {
		r.present()
	}
	go func() { _ = r.server.Serve(listener) }() // returns when close is called
	t.printf("REST at http://%s%s (%s)\n", listener.Addr(), api.ContextPath(), c.describeAccount())
	return r, nil
}

func (c *command) api() (*jirasim.API, error) {
	account := jirasim.Account{User: c.restUser, Token: os.Getenv(restTokenVariable), Administrator: c.restAdmin}
	switch {
	case c.issues > 0:
		return jirasim.NewLargeAPI(jirasim.LargeSite{Site: c.site, Issues: c.issues}, account), nil
	case c.scenario == "":
		return jirasim.NewAPI(c.site, account), nil
	default:
		return jirasim.NewScenarioAPI(c.scenario, c.site, account)
	}
}

func (c *command) describeAccount() string {
	if os.Getenv(restTokenVariable) == "" {
		return "without credentials: " + restTokenVariable + " is not set"
	}
	return fmt.Sprintf("user %s, token in %s", c.restUser, restTokenVariable)
}

// checkRest validates the flags of the REST side.
func (c *command) checkRest() error {
	switch {
	case c.rest == "" && c.url == "":
		return errors.New("-url: empty; set -rest to serve only the REST side")
	case c.rest == "" && c.issues > 0:
		return errors.New("-issues: only for the REST side; set -rest")
	case c.atOnce && c.url != "":
		return errors.New("-at-once: webhooks need time; set -url '' and -rest")
	case c.issues > 0 && c.url != "":
		return errors.New("-issues: a large site sends no webhooks; set -url ''")
	case c.rest != "" && c.scenario != "" && c.isFolder():
		return errors.New("-rest: a folder with bodies has no REST side; leave -scenario out")
	}
	return nil
}

// follow sets the clock of the REST side to the time of each delivery, until the history reaches the present.
func (r *restSide) follow(deliveries iter.Seq[jirasim.Delivery]) iter.Seq[jirasim.Delivery] {
	if r == nil {
		return deliveries
	}
	return func(yield func(jirasim.Delivery) bool) {
		for d := range deliveries {
			if !r.caughtUp {
				r.SetNow(d.At)
			}
			if !yield(d) {
				return
			}
		}
	}
}

// present sets the clock of the REST side to the computer's, and prints what there is to read.
func (r *restSide) present() {
	if r == nil || r.caughtUp {
		return
	}
	r.caughtUp = true
	r.Follow(time.Now)
	if r.isLarge {
		return
	}
	c := r.Changes()
	r.tally.printf("The REST side shows %d changes: %d new issues, %d updates of issues, %d new and %d edited comments, "+
		"%d new, %d edited and %d deleted worklogs\n",
		c.Total(), c.Issues, c.Updates, c.Comments, c.EditedComments, c.Worklogs, c.EditedWorklogs, c.DeletedWorklogs)
}

// close stops the server, which ends requests in progress.
func (r *restSide) close() {
	if r != nil {
		_ = r.server.Close() // nothing is lost
		r.Close()
	}
}
