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
	// projects are the keys of the flag; empty for the configured projects
	projects []string

	info         jiraapi.ServerInfo
	registration *registration.Report // nil if it was not read
}

// run runs all checks in order, until the context is canceled. It skips the checks after an essential check with a
// problem, and after the end of the time.
func (c *checker) run(ctx context.Context) {
	c.report.add(checkConfiguration, c.configuration()...)
	failed := ""
	for _, check := range []struct {
		name        string
		run         func(context.Context) []result
		isEssential bool
	}{
		{name: checkSite, run: c.site, isEssential: true},
		{name: checkAccount, run: c.account, isEssential: true},
		{name: checkRights, run: c.rights},
		{name: checkSearch, run: c.search},
		{name: checkIssues, run: c.issues},
		{name: checkWebhook, run: c.webhook},
		{name: checkSecret, run: c.secret},
		{name: checkDeliveries, run: c.deliveries},
		{name: checkStatuses, run: c.statuses},
	} {
		if failed != "" {
			c.report.add(check.name, skipped("not checked because of the problem of the check %s", failed))
			continue
		}
		results := check.run(ctx)
		hasProblem := slices.ContainsFunc(results, func(r result) bool { return r.Level == levelProblem })
		if errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		if ctx.Err() != nil {
			results, failed = []result{found(kindTimeout, c.timeout.String())}, check.name
		}
		if check.isEssential && hasProblem {
			failed = check.name
		}
		c.report.add(check.name, results...)
	}
}

// configuration checks that the collector starts the receiver and its extension. Their values are valid already.
func (c *checker) configuration() []result {
	var results []result
	if auth := c.cfg.API.ClientConfig.Auth.Get(); auth != nil {
		if id := auth.AuthenticatorID.String(); !c.contains("service::extensions", id) {
			results = append(results, found(kindExtensionNotStarted, id))
		}
	}
	isUsed := slices.ContainsFunc(c.keys("service::pipelines"), func(pipeline string) bool {
		return c.contains("service::pipelines::"+pipeline+"::receivers", c.id.String())
	})
	if !isUsed {
		results = append(results, found(kindNotInPipeline, c.id.String()))
	}
	for _, w := range c.cfg.Warnings() {
		r := found(kindSetting, w.Values...)
		r.Message, r.Hint = w.Message, w.Hint
		results = append(results, r)
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
		results = append(results, found(kindSiteURL))
	}
	return results
}

func (c *checker) clockResult() result {
	difference := c.info.Time.Sub(c.clock.Now()).Round(time.Second)
	fact := fmt.Sprintf("Jira is %s ahead", difference)
	if difference < 0 {
		fact = fmt.Sprintf("Jira is %s behind", -difference)
	}
	switch size := difference.Abs(); {
	case size <= sameTime:
		return ok("the clocks of Jira and of this computer agree")
	case size <= nearTime:
		return ok("the clocks of Jira and of this computer nearly agree: %s", fact)
	default:
		return found(kindClock, fact)
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
		results = append(results, found(kindCannotBrowse))
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
		results = append(results, found(kindNotAdministrator))
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
	switch {
	case errors.Is(err, jiraapi.ErrIgnoredBound):
		return []result{found(kindBoundIgnored)}
	case err != nil:
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
		return []result{found(kindNoChanges)}
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
	unknown := slices.DeleteFunc(slices.Clone(projects), func(key string) bool { return !isRejected([]string{key}, "") })
	if len(unknown) > 0 {
		results = append(results, found(kindProjectNotFound, unknown...))
	}
	if jql != "" && isRejected(nil, jql) {
		results = append(results, found(kindJQLRejected))
	}
	return results
}

// kindsOfSecret are the findings about the secret of the webhook that do not need deliveries or a stored state.
var kindsOfSecret = []registration.Kind{registration.KindUnsigned, registration.KindCannotSign}

const (
	webhookUnchecked = "the webhook in Jira was not checked"
	webhookUnknown   = "the webhook in Jira is not registered, or could not be read"
)

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
		r := ofRegistration(f)
		if f.IsDrift() && c.cfg.Registration.Mode == registration.ModeManage {
			r.Hint += "; while the receiver runs, it does so itself, because registration::mode is manage"
		}
		results = append(results, r)
	}
	return results
}

// secret checks that deliveries are authenticated.
func (c *checker) secret(context.Context) []result {
	secrets, tokens := len(c.cfg.Signature.Secrets), len(c.cfg.Token.Values)
	switch {
	case !c.cfg.Listen:
		return []result{skipped("listen is false")}
	case secrets == 0 && tokens == 0:
		return []result{skipped("neither signature nor token is set")}
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
	case c.registration == nil:
		return webhookUnchecked
	case c.registration.Webhook == nil:
		return webhookUnknown
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
	case c.registration == nil:
		return []result{skipped(webhookUnchecked)}
	case c.registration.Webhook == nil:
		return []result{skipped(webhookUnknown)}
	case c.registration.Statistics == nil:
		return []result{found(kindNoStatistics)}
	}
	s := c.registration.Statistics
	facts := []string{
		fmt.Sprintf("%d delivered", number(s.Successes)), fmt.Sprintf("%d rejected", number(s.Failures)),
		fmt.Sprintf("%d without an answer", number(s.Errors)),
	}
	if s.Duration > 0 {
		facts[2] += fmt.Sprintf(" in the last %g hours", s.Duration.Round(time.Minute).Hours())
	}
	if number(s.Failures)+number(s.Errors) == 0 {
		return []result{ok("%s", strings.Join(facts, ", "))}
	}
	if s.LastError != "" {
		facts = append(facts, "last error: "+s.LastError)
	}
	return []result{found(kindDeliveriesFailed, facts...)}
}

func number(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
