// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// checker checks one Jira.
type checker struct {
	*settings
	client  *jiraapi.Client
	clock   jiraapi.Clock
	timeout time.Duration // of all checks
	report  *report

	info         jiraapi.ServerInfo
	registration *registration.Report // nil if it was not read
}

// run runs all checks in order, until the context is canceled. It skips the checks after an essential check with a
// problem, and after the end of the time.
func (c *checker) run(ctx context.Context) {
	c.report.add("configuration", c.configuration()...)
	failed := ""
	for _, check := range []struct {
		name        string
		run         func(context.Context) []result
		isEssential bool
	}{
		{name: "site", run: c.site, isEssential: true},
		{name: "account", run: c.account, isEssential: true},
		{name: "rights", run: c.rights},
		{name: "search", run: c.search},
		{name: "issues", run: c.issues},
		{name: "webhook", run: c.webhook},
		{name: "secret", run: c.secret},
		{name: "deliveries", run: c.deliveries},
		{name: "statuses", run: c.statuses},
	} {
		if failed != "" {
			c.report.add(check.name, skipped("not checked because of the problem above: %s", failed))
			continue
		}
		results := check.run(ctx)
		hasProblem := slices.ContainsFunc(results, func(r result) bool { return r.Level == levelProblem })
		if errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		if ctx.Err() != nil {
			hint := "check api::endpoint and the network, or set a longer -timeout"
			results, failed = []result{problem(hint, "no complete answer within %s", c.timeout)}, check.name
		}
		if check.isEssential && hasProblem {
			failed = check.name
		}
		c.report.add(check.name, results...)
	}
}

// hints are the advice for errors whose text contains none.
var hints = map[jiraapi.Kind]string{
	jiraapi.KindTemporary:  "check api::endpoint, the network and the proxy; Jira may be down",
	jiraapi.KindNotFound:   "check api::endpoint and its context path",
	jiraapi.KindTooLarge:   "report it",
	jiraapi.KindUnexpected: "check that api::endpoint is the address of Jira",
	jiraapi.KindBadRequest: "check poll::projects and poll::jql",
}

// failed returns the result of a check whose request failed. The text of the error contains no query and no credentials.
func failed(err error) []result {
	text := strings.TrimPrefix(err.Error(), "jira api: ")
	hint := hints[jiraapi.KindOf(err)]
	if message, advice, found := strings.Cut(text, "; "); found && hint == "" {
		text, hint = message, advice
	}
	return []result{problem(hint, "%s", text)}
}

// configuration checks that the collector starts the receiver and its extension. Their values are valid already.
func (c *checker) configuration() []result {
	var results []result
	if auth := c.cfg.API.ClientConfig.Auth.Get(); auth != nil {
		if id := auth.AuthenticatorID.String(); !c.contains("service::extensions", id) {
			results = append(results, problem("add it there; otherwise the collector does not start",
				"service::extensions does not contain %s", id))
		}
	} else if len(c.cfg.API.ClientConfig.Headers) == 0 {
		results = append(results, warning("set it to the extension with the credentials",
			"api::auth::authenticator is not set, so that requests are anonymous"))
	}
	isUsed := slices.ContainsFunc(c.keys("service::pipelines"), func(pipeline string) bool {
		return c.contains("service::pipelines::"+pipeline+"::receivers", c.id.String())
	})
	if !isUsed {
		results = append(results, problem("add it to the receivers of a pipeline of logs", "no pipeline contains the receiver"))
	}
	if len(results) == 0 {
		results = append(results, ok("valid"))
	}
	return results
}

var products = map[jiraapi.Deployment]string{jiraapi.Cloud: "Jira Cloud", jiraapi.DataCenter: "Jira Data Center"}

// The differences of the clocks that are not reported, and that are not a warning.
const (
	sameTime = 5 * time.Second
	nearTime = time.Minute
)

// site checks that the endpoint is a Jira.
func (c *checker) site(ctx context.Context) []result {
	info, err := c.client.ServerInfo(ctx)
	if err != nil {
		return failed(err)
	}
	c.info = info
	c.report.Site = record.SiteURL(info.BaseURL)
	results := []result{ok("%s %s at %s", products[info.Deployment], info.Version, c.report.Site), c.clockResult()}
	if configured := record.SiteURL(c.cfg.SiteURL); configured != "" && configured != c.report.Site {
		results = append(results, warning("if this is not intended, correct site_url",
			"site_url is not the address that Jira returns as its own; records contain site_url"))
	}
	return results
}

func (c *checker) clockResult() result {
	difference := c.info.Time.Sub(c.clock.Now()).Round(time.Second)
	direction := "ahead of"
	if difference < 0 {
		direction = "behind"
	}
	switch size := difference.Abs(); {
	case size <= sameTime:
		return ok("the clocks of Jira and of this computer agree")
	case size <= nearTime:
		return ok("the clock of Jira is %s %s the clock of this computer", size, direction)
	default:
		return warning("correct the clock that is wrong; the timestamps of records are on Jira's clock",
			"the clock of Jira is %s %s the clock of this computer", size, direction)
	}
}

// account checks the credentials. A search with wrong credentials may succeed and find nothing, so this check comes first.
func (c *checker) account(ctx context.Context) []result {
	if _, err := c.client.Myself(ctx); err != nil {
		return failed(err)
	}
	return []result{ok("Jira accepts the credentials")}
}

// rights checks that the account can browse and, if the registration is wanted, that it is an administrator.
func (c *checker) rights(ctx context.Context) []result {
	var results []result
	switch canBrowse, err := c.client.CanBrowse(ctx); {
	case err != nil:
		results = failed(err)
	case canBrowse:
		results = append(results, ok("the account can browse projects"))
	default:
		results = append(results, problem("give it the permission Browse Projects", "the account can browse no project"))
	}
	if !c.cfg.Registration.IsOn() {
		return results
	}
	switch isAdministrator, err := c.client.IsAdministrator(ctx); {
	case err != nil:
		results = append(results, failed(err)...)
	case isAdministrator:
		results = append(results, ok("the account is an administrator of Jira, so that it can read webhooks"))
	default:
		results = append(results, problem("give it the permission Administer Jira, or set registration::mode to off",
			"the account is not an administrator of Jira, so that it cannot read webhooks"))
	}
	return results
}

var pollIsOff = []result{skipped("poll::mode is off")}

// search checks that Jira reads the bounds of searches.
func (c *checker) search(ctx context.Context) []result {
	if !c.cfg.Poll.IsOn() {
		return pollIsOff
	}
	err := c.client.Source(c.info.Deployment, jiraapi.Contents{}).CheckBounds(ctx, c.info.Time)
	if err != nil {
		return failed(err)
	}
	return []result{ok("searches by the time of the last change work")}
}

// issues checks the projects and the JQL of polling.
func (c *checker) issues(ctx context.Context) []result {
	if !c.cfg.Poll.IsOn() {
		return pollIsOff
	}
	projects, jql := c.cfg.Poll.Projects, c.cfg.Poll.JQL
	count, err := c.countChanged(ctx, projects, jql)
	switch {
	case jiraapi.KindOf(err) == jiraapi.KindBadRequest:
		if results := c.blame(ctx, projects, jql); len(results) > 0 {
			return results
		}
		return failed(err)
	case err != nil:
		return failed(err)
	case count == 0:
		return []result{warning("if there were changes, check the permissions of the account and "+
			"poll::projects and poll::jql", "no issue in scope changed in the last day")}
	default:
		return []result{ok("%s in scope changed in the last day", counted(count, "issue"))}
	}
}

// countChanged returns the number of issues that changed in the last day.
func (c *checker) countChanged(ctx context.Context, projects []string, jql string) (int, error) {
	count, isTotal := 0, false
	query := jiraapi.Query{
		Since: c.info.Time.Add(-24 * time.Hour), Projects: projects, JQL: jql,
		OnTotal: func(issues int) { count, isTotal = issues, true },
	}
	for _, err := range c.client.Source(c.info.Deployment, jiraapi.Contents{}).Changed(ctx, query) {
		if err != nil {
			return 0, err
		}
		if isTotal {
			break
		}
		count++
	}
	return count, nil
}

// blame searches with each part alone, and returns a problem for each part that Jira does not accept.
func (c *checker) blame(ctx context.Context, projects []string, jql string) (results []result) {
	isRejected := func(projects []string, jql string) bool {
		_, err := c.countChanged(ctx, projects, jql)
		return jiraapi.KindOf(err) == jiraapi.KindBadRequest
	}
	for i, key := range projects {
		if isRejected([]string{key}, "") {
			results = append(results, problem("check the key, and the permission Browse Projects of the account",
				"poll::projects[%d]: Jira does not find the project %s", i, key))
		}
	}
	if jql != "" && isRejected(nil, jql) {
		results = append(results, problem("try it in the search of Jira, with the same account",
			"poll::jql: Jira does not accept it"))
	}
	return results
}

// kindsOfSecret are the findings about the secret of the webhook.
var kindsOfSecret = []registration.Kind{
	registration.KindUnsigned, registration.KindCannotSign, registration.KindSecretOutdated, registration.KindSecretUnknown,
}

// webhook compares the registered webhooks with the configuration. It reads only, also if the receiver may write.
func (c *checker) webhook(ctx context.Context) []result {
	switch {
	case !c.cfg.Listen:
		return []result{skipped("listen is false")}
	case !c.cfg.Registration.IsOn():
		return []result{skipped("registration::mode is off; with verify, the webhook in Jira is checked")}
	}
	c.registration = new(c.newManager().Check(ctx))
	results := c.findings(func(f registration.Finding) bool { return !slices.Contains(kindsOfSecret, f.Kind) })
	if len(results) == 0 {
		results = append(results, ok("registered and enabled, with %s", counted(len(c.registration.Webhook.Events), "event")))
	}
	return results
}

func (c *checker) newManager() *registration.Manager {
	cfg := &c.cfg.Registration
	wanted := registration.Wanted{Name: cfg.Name, URL: cfg.URL, Events: cfg.Events, JQL: cfg.JQL}
	if secrets := c.cfg.Signature.Secrets; len(secrets) > 0 {
		wanted.Secret = jiraapi.Secret(secrets[0])
	}
	return registration.New(registration.Options{
		Mode: registration.ModeVerify, Wanted: wanted, Clock: c.clock,
		Connect: func(context.Context) (registration.API, error) { return c.client.Webhooks(c.info), nil },
	})
}

// findings returns the results for some of the findings about the registration.
func (c *checker) findings(isWanted func(registration.Finding) bool) (results []result) {
	for _, f := range c.registration.Findings {
		if !isWanted(f) {
			continue
		}
		r := warning(f.Hint(), "%s", describe(f))
		if f.IsDrift() && c.cfg.Registration.Mode == registration.ModeManage {
			r.Hint += "; while the receiver runs, it does so itself, because registration::mode is manage"
		}
		if f.IsProblem() {
			r.Level = levelProblem
		}
		r.Details = slices.Clone(f.Events)
		results = append(results, r)
	}
	return results
}

// describe returns the message of a finding with the host of another webhook. The other parts of its URL, and its name,
// may be private.
func describe(f registration.Finding) string {
	text := f.Message()
	switch {
	case f.Err != nil:
		text += ": " + strings.TrimPrefix(f.Err.Error(), "jira api: ")
	case f.Host != "":
		text += fmt.Sprintf(" (id %s, host %s)", f.WebhookID, f.Host)
	}
	return text
}

// secret checks that deliveries are authenticated.
func (c *checker) secret(context.Context) []result {
	secrets, tokens := len(c.cfg.Signature.Secrets), len(c.cfg.Token.Values)
	switch {
	case !c.cfg.Listen:
		return []result{skipped("listen is false")}
	case secrets == 0 && tokens == 0:
		return []result{warning("set signature::secrets", "the receiver accepts unauthenticated deliveries")}
	case c.registration != nil:
		isAboutSecret := func(f registration.Finding) bool { return slices.Contains(kindsOfSecret, f.Kind) }
		if results := c.findings(isAboutSecret); len(results) > 0 {
			return results
		}
	}
	if secrets == 0 {
		return []result{ok("token::values has %s", entries(tokens))}
	}
	return []result{ok("signature::secrets has %s; %s", entries(secrets), c.knownSecret())}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// knownSecret returns the knowledge about the secret in Jira, which no Jira returns.
func (c *checker) knownSecret() string {
	switch {
	case c.registration == nil || c.registration.Webhook == nil:
		return "the webhook in Jira was not checked"
	case c.registration.Webhook.HasSecret == nil:
		return "Jira does not return whether the webhook has a secret"
	default: // without one, there is a finding
		return "the webhook in Jira has one too, which Jira does not return"
	}
}

// deliveries reports the statistics of the webhook.
func (c *checker) deliveries(context.Context) []result {
	switch {
	case !c.client.Webhooks(c.info).HasStatistics():
		return []result{skipped("only Data Center 10 and later counts deliveries")}
	case c.registration == nil || c.registration.Webhook == nil:
		return []result{skipped("the webhook in Jira is not registered, or could not be read")}
	case c.registration.Statistics == nil:
		return []result{warning("Jira may have no statistics yet; check again later", "Jira does not return its statistics")}
	}
	s := c.registration.Statistics
	failures := number(s.Failures) + number(s.Errors)
	text := fmt.Sprintf("%d delivered, %d rejected, %d without an answer", number(s.Successes), number(s.Failures), number(s.Errors))
	if s.Duration > 0 {
		text += fmt.Sprintf(" in the last %g hours", s.Duration.Round(time.Minute).Hours())
	}
	if failures == 0 {
		return []result{ok("%s", text)}
	}
	if s.LastError != "" {
		text += "; the last error was " + s.LastError
	}
	return []result{warning("check the proxy, the certificate, and the log of the receiver", "%s", text)}
}

func number(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
