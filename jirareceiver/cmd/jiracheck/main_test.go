// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// clock is a clock that does not wait.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// The contents of the simulated site that no output may contain.
const (
	user     = "ada@example.com"
	apiToken = "api-token-4711"
	secret   = "webhook-secret-0815"
	hookURL  = "https://hooks.example.com/jira/events?token=query-token-42"
	jql      = "issuetype != Epic"
)

// world is a simulated Jira, behind a socket.
type world struct {
	*jirasim.API
	server *httptest.Server
	clock  *clock
}

func newWorld(t *testing.T, deployment jirasim.Deployment, change func(*jirasim.Site, *jirasim.Account)) *world {
	t.Helper()
	site := jirasim.Site{Deployment: deployment, Seed: 1, Start: start}
	account := jirasim.Account{User: user, Token: apiToken, Administrator: true}
	if change != nil {
		change(&site, &account)
	}
	w := &world{API: jirasim.NewAPI(site, account), clock: &clock{now: start.Add(100 * time.Hour)}}
	w.Follow(w.clock.Now)
	w.server = httptest.NewServer(w)
	t.Cleanup(func() {
		w.server.Close()
		w.Close()
	})
	return w
}

// register registers the webhook of the configuration.
func (w *world) register(deployment jirasim.Deployment, change func(*jirasim.Webhook)) int {
	webhook := jirasim.Webhook{
		Name: "otelcol-jira", URL: hookURL, Secret: secret,
		Events: registration.DefaultEvents(jiraapi.Deployment(deployment)),
	}
	if change != nil {
		change(&webhook)
	}
	return w.AddWebhook(webhook)
}

// basic and bearer are extensions that authenticate the account.
const (
	basic = `basicauth/jira: {client_auth: {username: "` + user + `", password: "${env:CHECK_API_TOKEN}"}}`

	bearer = `bearertokenauth/jira: {token: "${env:CHECK_API_TOKEN}"}`
)

// configuration returns a configuration for the site, with further settings of the receiver.
func (w *world) configuration(authenticator, more string) string {
	name, _, _ := strings.Cut(authenticator, ":")
	return fmt.Sprintf(`
extensions:
  %s
receivers:
  jira:
    signature: {secrets: ["${env:CHECK_SECRET}"]}
    api: {endpoint: "%s%s", auth: {authenticator: %s}}
    registration: {mode: manage, url: "%s"}
%s
exporters: {debug: }
service:
  extensions: [%s]
  pipelines:
    logs: {receivers: [jira], exporters: [debug]}
`, authenticator, w.server.URL, w.ContextPath(), name, hookURL, more, name)
}

const repairing = `    poll: {mode: repair, projects: [OPS, WEB], jql: "` + jql + `", storage: file_storage}`

// outcome is the output of a run of the command, and its exit status.
type outcome struct {
	stdout, stderr string
	status         int
}

// check runs the command with a configuration, and checks that it discloses nothing.
func (w *world) check(t *testing.T, configuration string, args ...string) outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(configuration), 0o600))
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), append(args, file), environment{&stdout, &stderr, w.clock})
	for _, private := range []string{user, "Ada", "Lindqvist", apiToken, secret, "query-token", jql, "nonsense"} {
		assert.NotContains(t, stdout.String()+stderr.String(), private)
	}
	return outcome{stdout.String(), stderr.String(), status}
}

func setSecrets(t *testing.T) {
	t.Helper()
	t.Setenv("CHECK_API_TOKEN", apiToken)
	t.Setenv("CHECK_SECRET", secret)
}

// good runs the command for a site without problems.
func good(t *testing.T, args ...string) outcome {
	t.Helper()
	w := newWorld(t, jirasim.Cloud, nil)
	w.register(jirasim.Cloud, nil)
	return w.check(t, w.configuration(basic, repairing), args...)
}

// broken runs the command for a site with many problems.
func broken(t *testing.T, args ...string) outcome {
	t.Helper()
	w := newWorld(t, jirasim.DataCenter, nil)
	w.register(jirasim.DataCenter, func(webhook *jirasim.Webhook) { webhook.URL = "https://old.example.com/jira" })
	w.clock.now = w.clock.now.Add(-3 * time.Minute)
	ahead := &clock{now: w.clock.now.Add(3 * time.Minute)}
	w.Follow(ahead.Now)
	configuration := w.configuration(bearer, `
    poll: {mode: full, projects: [OPS, NOPE], jql: "nonsense = 1"}
    status:
      use_default_mapping: false
      category_fallback: false
      mapping: {planned: [open, To Do], processing: [In Progress, Reopened], done: [Resolved, "10001"]}`)
	return w.check(t, strings.Replace(configuration, "mode: manage", "mode: verify", 1), args...)
}

// TestPage compares the outputs on the page with real ones.
func TestPage(t *testing.T) {
	setSecrets(t)
	ofGood, ofBroken := good(t), broken(t)
	assert.Equal(t, exitOK, ofGood.status)
	assert.Equal(t, exitProblem, ofBroken.status)

	const page = "../../../docs/check.md"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	var results struct{ Checks []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(broken(t, "-json").stdout), &results))
	n := slices.IndexFunc(results.Checks, func(r json.RawMessage) bool { return bytes.Contains(r, []byte(kindUnmapped)) })
	var example bytes.Buffer
	require.NoError(t, json.Indent(&example, results.Checks[n], "", "  "))

	outputs := []string{"text\n" + ofGood.stdout, "text\n" + ofBroken.stdout, "json\n" + example.String() + "\n"}
	block := regexp.MustCompile("(?s)```(text|json)\n.*?```")
	require.Len(t, block.FindAll(content, -1), len(outputs))
	golden.AssertText(t, page, block.ReplaceAllStringFunc(string(content), func(string) string {
		output := outputs[0]
		outputs = outputs[1:]
		return "```" + output + "```"
	}))
}

// TestFindingsPage compares the tables on the page with the texts in the code.
func TestFindingsPage(t *testing.T) {
	const page = "../../../docs/findings.md"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	rows := [][]string{rowsOfRegistration(), rowsOfChecks(), rowsOfRequests()}
	table := regexp.MustCompile(`(\|.*\|\n\|[-|]+\|\n)(\|.*\n)*`)
	require.Len(t, table.FindAll(content, -1), len(rows))
	golden.AssertText(t, page, table.ReplaceAllStringFunc(string(content), func(old string) string {
		head := table.FindStringSubmatch(old)[1]
		now := head + strings.Join(rows[0], "")
		rows = rows[1:]
		return now
	}))
}

// row returns a row of a table. Options and attributes have the form of code.
func row(finding string, cells ...string) string {
	text := strings.Join(cells, " | ")
	code := regexp.MustCompile(`\b[a-z_]+(::[a-z_]+)+\b|\bjira\.[a-z.]+[a-z]\b|\bsite_url\b|(?:\B-)(timeout|projects)\b`)
	return "| `" + finding + "` | " + code.ReplaceAllString(text, "`$0`") + " |\n"
}

func rowsOfRegistration() (rows []string) {
	for _, k := range registration.Kinds() {
		f := registration.Finding{Kind: k}
		repaired := ""
		if f.IsDrift() {
			repaired = "yes"
		}
		r := ofRegistration(f)
		rows = append(rows, row(string(k), string(r.Level), r.Message, r.Hint, repaired))
	}
	return rows
}

func rowsOfChecks() (rows []string) {
	for _, e := range explanations {
		check := "all"
		if e.check != "" {
			check = "`" + e.check + "`"
		}
		rows = append(rows, row(string(e.kind), check, string(e.level), e.message, e.hint))
	}
	return rows
}

func rowsOfRequests() (rows []string) {
	for _, k := range jiraapi.Kinds() {
		if k != jiraapi.KindCanceled { // the check was interrupted
			rows = append(rows, row(requestKind+string(k), k.Message(), hintOfRequest(k)))
		}
	}
	return rows
}

// TestKinds checks that each kind has one explanation with a hint.
func TestKinds(t *testing.T) {
	all := []kind{
		kindTimeout, kindSetting, kindExtensionNotStarted, kindNotInPipeline, kindClock, kindSiteURL, kindCannotBrowse,
		kindNotAdministrator, kindBoundIgnored, kindProjectNotFound, kindJQLRejected, kindNoChanges, kindDeliveriesFailed,
		kindNoStatistics, kindNoStatuses, kindUnmapped, kindProjectUnreadable,
	}
	var explained []kind
	for _, e := range explanations {
		explained = append(explained, e.kind)
		assert.NotEmpty(t, e.message)
		assert.NotEmpty(t, e.hint)
		assert.Contains(t, []level{levelWarning, levelProblem}, e.level)
	}
	assert.ElementsMatch(t, all, explained)
	for _, k := range jiraapi.Kinds() {
		assert.Equal(t, k == jiraapi.KindCanceled, hintOfRequest(k) == "", k)
	}
}

// TestJSON compares the JSON form with the text.
func TestJSON(t *testing.T) {
	setSecrets(t)
	text, asJSON := broken(t), broken(t, "-json")
	assert.Equal(t, exitProblem, asJSON.status)
	var got report
	require.NoError(t, json.Unmarshal([]byte(asJSON.stdout), &got))
	assert.Equal(t, "jira", got.Receiver)
	assert.Equal(t, "https://jira.example.com/context", got.Site)
	assert.Equal(t, levelProblem, got.Level)
	var printed bytes.Buffer
	got.print(&printed)
	assert.Equal(t, text.stdout, printed.String())
	assert.Empty(t, asJSON.stderr)

	asJSON = good(t, "--json")
	assert.Equal(t, exitOK, asJSON.status)
	assert.Contains(t, asJSON.stdout, `"result": "ok"`)
}

// TestResults breaks one thing after another.
func TestResults(t *testing.T) {
	setSecrets(t)
	t.Setenv("CHECK_OTHER_TOKEN", "other-token")
	for name, test := range map[string]struct {
		deployment    jirasim.Deployment // default: cloud
		authenticator string             // default: basic
		more          string             // settings of the receiver; default: repairing
		account       func(*jirasim.Site, *jirasim.Account)
		change        func(*world, int) // the id is that of the webhook
		edit          func(configuration string) string
		args          []string
		want          []string // parts of the output
		status        int
	}{
		"data center": {
			deployment: jirasim.DataCenter, authenticator: bearer,
			change: func(w *world, id int) { w.RecordAttempt(id, jirasim.Attempt{Status: 200}) },
			want: []string{
				"ok site Jira Data Center 10.3.1 at https://jira.example.com/context", "ok webhook registered and enabled",
				"ok deliveries 1 delivered, 0 rejected, 0 without an answer in the last 24 hours", "0 problems, 0 warnings,",
			},
		},
		"data center 9": {
			deployment: jirasim.DataCenter, authenticator: bearer,
			account: func(s *jirasim.Site, _ *jirasim.Account) { s.Version = 9 },
			want:    []string{"problem secret this version of Jira cannot sign deliveries", "skipped deliveries"},
			status:  exitProblem,
		},
		"rejected deliveries": {
			deployment: jirasim.DataCenter, authenticator: bearer,
			change: func(w *world, id int) {
				w.RecordAttempt(id, jirasim.Attempt{Status: 503})
				w.RecordAttempt(id, jirasim.Attempt{Err: fmt.Errorf("Post %q: EOF", hookURL)})
			},
			want: []string{
				"warning deliveries Jira counted deliveries that failed: 0 delivered, 1 rejected, 1 without an answer in the last " +
					"24 hours, last error: Post",
			},
		},
		"wrong token": {
			authenticator: strings.Replace(basic, "CHECK_API_TOKEN", "CHECK_OTHER_TOKEN", 1),
			want: []string{
				"problem account Jira does not accept the credentials: /rest/api/2/myself, status 401 " +
					"→ check the token, its expiry date and its scopes",
				"skipped rights not checked because of the problem of the check account", "skipped statuses", "1 problem,",
			},
			status: exitProblem,
		},
		"no administrator": {
			account: func(_ *jirasim.Site, a *jirasim.Account) { a.Administrator = false },
			want: []string{
				"ok rights the account can browse projects", "problem rights the account is not an administrator of Jira",
				"problem webhook the account may not read the webhooks of Jira",
				"has 1 entry; the webhook in Jira is not registered, or could not be read",
			},
			status: exitProblem,
		},
		"no times in milliseconds": {
			change: func(w *world, _ int) { w.SetFaults(jirasim.Faults{MillisIgnored: true}) },
			want:   []string{"problem search Jira does not read times in searches in milliseconds"},
			status: exitProblem,
		},
		"nothing changed": {
			change: func(w *world, _ int) { w.SetFaults(jirasim.Faults{HiddenProjects: []string{"BILL"}}) },
			more:   `    poll: {mode: repair, jql: "issuetype = Epic", storage: file_storage}`,
			want:   []string{"warning issues no issue in scope changed in the last day"},
		},
		"disabled": {
			change: func(w *world, id int) {
				w.EditWebhook(id, func(h *jirasim.Webhook) { h.Disabled, h.Events = true, h.Events[1:] })
			},
			want: []string{
				"problem webhook the webhook is disabled in Jira → enable it; while the receiver runs, it does so itself", "problem webhook the webhook lacks events: ",
			},
			status: exitProblem,
		},
		"unsigned": {
			change: func(w *world, id int) { w.EditWebhook(id, func(h *jirasim.Webhook) { h.Secret = "" }) },
			want:   []string{"problem secret the webhook has no secret"},
			status: exitProblem,
		},
		"registration is off": {
			more: "    poll: {mode: full}",
			edit: func(s string) string { return strings.Replace(s, "mode: manage", "mode: \"off\"", 1) },
			want: []string{"skipped webhook registration::mode is off", "the webhook in Jira was not checked"},
		},
		"polling is off": {
			more: " ",
			want: []string{"skipped search poll::mode is off", "skipped issues poll::mode is off", "ok statuses 10 of 10 statuses are in use in all 4 projects of the site: BILL, OPS, SUP, WEB"},
		},
		"only polling": {
			more: "    listen: false\n    poll: {mode: full}",
			want: []string{"skipped webhook listen is false", "skipped secret listen is false"},
		},
		"another site_url": {
			more: "    site_url: https://other.example.com",
			want: []string{"warning site site_url is not the address"},
		},
		"statuses of one project": {
			more: "    status: {category_fallback: false, projects: {OPS: {mapping: {processing: [\"10002\"]}}}}",
			want: []string{
				"jira.issue.status.mapped: 2 of 10 statuses - In Review (10002) in BILL, WEB - Waiting for Customer (10004) in SUP → add them",
			},
		},
		"the built-in mapping": {
			args: []string{"-projects", "sup,OPS"},
			want: []string{
				"ok statuses all statuses that the projects use are mapped", "ok statuses 10 of 10 statuses are in use in 2 projects: OPS, SUP",
				"mapped only by their category: 2 of 10 statuses - In Review (10002) in OPS - Waiting for Customer (10004) in SUP",
			},
		},
		"unused statuses": {
			more: "    poll: {projects: [OPS]}\n    status: {category_fallback: false}",
			want: []string{
				"status.mapped: 1 of 9 statuses - In Review (10002) in OPS", "not mapped, and used by none of these projects - Waiting for Customer (10004)",
			},
		},
		"a mapping of an unknown project": {
			more: "    status: {projects: {ops: {mapping: {done: [\"1\"]}}, NOPE: {mapping: {done: [\"1\"]}}}}",
			want: []string{"warning statuses Jira does not find projects whose statuses should be checked: NOPE → check the keys"},
		},
		"an unknown project in lower case": {
			more:   "    poll: {mode: full, projects: [ops, nope], storage: file_storage}",
			want:   []string{"problem issues Jira does not find a project of poll::projects: nope →", "1 problem, 0 warnings,"},
			status: exitProblem,
		},
		"no projects": {
			change: func(w *world, _ int) {
				w.SetFaults(jirasim.Faults{HiddenProjects: []string{"OPS", "WEB", "BILL", "SUP"}})
			},
			more: "    status: {category_fallback: false}",
			want: []string{"ok statuses 0 of 10 statuses are in use in 0 projects", "used by none of these projects - In Review (10002)"},
		},
		"statuses that cannot be read": {
			change: func(w *world, _ int) {
				w.SetFaults(jirasim.Faults{Failures: []jirasim.Failure{{Operation: jirasim.OpProjectStatuses, Status: http.StatusForbidden}}})
			},
			want:   []string{"problem statuses the account has no permission for this resource: /rest/api/2/project/OPS/statuses, status 403"},
			status: exitProblem,
		},
		"statuses of one project of the site": {
			more: "    poll: {projects: [WEB]}\n    status: {category_fallback: false, sites: {https://acme.atlassian.net: {projects: {OPS: {mapping: {processing: [\"10002\"]}}}}}}",
			want: []string{"in use in 2 projects: OPS, WEB", "- In Review (10002) in WEB → add them"},
		},
		"statuses of one project of another site": {
			more: "    poll: {projects: [OPS, WEB]}\n    status: {category_fallback: false, sites: {https://other.example.com: {projects: {OPS: {mapping: {processing: [\"10002\"]}}}}}}",
			want: []string{"- In Review (10002) in OPS, WEB → add them"},
		},
		"statuses in another language": {
			account: func(s *jirasim.Site, _ *jirasim.Account) { s.Language = "de" },
			want: []string{
				"ok statuses all statuses that the projects use are mapped",
				"ok statuses mapped only by their category: 9 of 9 statuses - Offen (1) in OPS, WEB", "planned: - Offen # new: (1) in OPS, WEB",
			},
		},
		"not started": {
			edit: func(s string) string {
				return strings.NewReplacer("extensions: [basicauth/jira]", "extensions: []", "receivers: [jira]", "receivers: [otlp]").Replace(s)
			},
			want: []string{
				"problem configuration service::extensions lacks the extension with the credentials, so that the collector does not start: basicauth/jira",
				"problem configuration no pipeline contains the receiver, so that it does not start: jira → add",
			},
			status: exitProblem,
		},
		"another receiver": {
			edit: func(s string) string {
				return strings.NewReplacer("  jira:", "  jira/two:", "[jira]", "[jira/two]").Replace(s)
			},
			args: []string{"-receiver", "jira/two"},
			want: []string{"0 problems, 0 warnings"},
		},
		"not Jira": {
			edit: func(s string) string { return strings.Replace(s, "\", auth", "/elsewhere\", auth", 1) },
			want: []string{
				"problem site Jira has no such resource, or hides it from the account: /rest/api/2/serverInfo, status 404 " +
					"→ check api::endpoint and its context path", "skipped account", "a site that did not answer",
			},
			status: exitUnchecked,
		},
		"unreachable": {
			change: func(w *world, _ int) { w.server.Close() },
			want:   []string{"problem site the request failed: /rest/api/2/serverInfo", "connection refused → check api::endpoint, the network and the proxy"},
			status: exitUnchecked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.deployment == "" {
				test.deployment = jirasim.Cloud
			}
			if test.authenticator == "" {
				test.authenticator = basic
			}
			if test.more == "" {
				test.more = repairing
			}
			w := newWorld(t, test.deployment, test.account)
			id := w.register(test.deployment, nil)
			if test.change != nil {
				test.change(w, id)
			}
			configuration := w.configuration(test.authenticator, test.more)
			if test.edit != nil {
				configuration = test.edit(configuration)
			}
			got := w.check(t, configuration, test.args...)
			assert.Equal(t, test.status, got.status, got.stdout+got.stderr)
			assert.Regexp(t, `^Checking the Jira of the receiver jira(/two)?, for at most 1m0s\n$`, got.stderr)
			output := strings.Join(strings.Fields(got.stdout), " ")
			for _, part := range test.want {
				assert.Contains(t, output, part)
			}
			for _, write := range []jirasim.Operation{
				jirasim.OpWebhookCreate, jirasim.OpWebhookUpdate, jirasim.OpWebhookDelete,
			} {
				assert.Zero(t, w.Requests()[write])
			}
		})
	}
}

// TestOAuth2 reads the token from a file, and through a server of tokens.
func TestOAuth2(t *testing.T) {
	setSecrets(t)
	w := newWorld(t, jirasim.Cloud, nil)
	w.register(jirasim.Cloud, nil)
	tokens := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"access_token": %q, "token_type": "bearer", "expires_in": 3600}`, apiToken)
	}))
	defer tokens.Close()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
	configuration := w.configuration("oauth2client: {client_id: me, client_secret: other, token_url: "+tokens.URL+"}",
		repairing+"\n    site_url: https://acme.atlassian.net")
	configuration = strings.NewReplacer("${env:CHECK_SECRET}", "${file:"+file+"}", "\", auth", "/ex/jira/1111\", auth").Replace(configuration)
	got := w.check(t, configuration)
	assert.Equal(t, exitOK, got.status, got.stdout+got.stderr)

	tokens.Close()
	got = w.check(t, configuration)
	assert.Equal(t, exitUnchecked, got.status)
}

// TestUnchecked runs the command with arguments and configurations that do not permit a check.
func TestUnchecked(t *testing.T) {
	setSecrets(t)
	w := newWorld(t, jirasim.Cloud, nil)
	valid := w.configuration(basic, "")
	for name, test := range map[string]struct {
		configuration string
		args          []string
		want          []string
	}{
		"not YAML":          {"receivers: [", nil, []string{"yaml"}},
		"no such receiver":  {valid, []string{"-receiver", "jira/other"}, []string{"receivers::jira/other: not in the file; set -receiver to jira"}},
		"no receiver":       {"receivers: {otlp: }", nil, []string{"the file contains no receiver for Jira"}},
		"other receiver":    {valid, []string{"-receiver", "otlp"}, []string{"-receiver: otlp is not a receiver for Jira"}},
		"not a name":        {valid, []string{"-receiver", "/"}, []string{"-receiver: "}},
		"unknown flag":      {valid, []string{"-verbose"}, []string{"flag provided but not defined: -verbose"}},
		"two files":         {valid, []string{"other.yaml"}, []string{"needs one configuration file"}},
		"no time":           {valid, []string{"-timeout", "0s"}, []string{"-timeout: 0s is not a positive time"}},
		"no endpoint":       {"receivers: {jira: {allow_unauthenticated: true}}", nil, []string{"api::endpoint: not set"}},
		"unknown key":       {strings.Replace(valid, "signature:", "signatures:", 1), nil, []string{"receivers::jira: signatures: there is no such key; did you mean signature?"}},
		"unset variable":    {strings.Replace(valid, "CHECK_SECRET", "CHECK_UNSET", 1), nil, []string{"CHECK_UNSET", "signature::secrets[0]: empty"}},
		"no extension":      {strings.Replace(valid, "  basicauth/jira:", "  basicauth/other:", 1), nil, []string{"extensions::basicauth/jira: not in the file"}},
		"other extension":   {strings.ReplaceAll(valid, "basicauth", "sigv4auth"), nil, []string{"does not have the extension sigv4auth"}},
		"invalid extension": {strings.Replace(valid, "client_auth", "client", 1), nil, []string{"extensions::basicauth/jira:"}},
		"secret that is not a text": {
			strings.Replace(valid, `["${env:CHECK_SECRET}"]`, "[{"+secret+": "+secret+"}]", 1), nil,
			[]string{"signature::secrets[0]: not a text; put secrets and tokens in quotes"},
		},
		"password that is not a text": {
			strings.Replace(valid, `"${env:CHECK_API_TOKEN}"`, "{a: "+apiToken+"}", 1), nil, []string{"configopaque.String"},
		},
		"two mistakes": {
			strings.NewReplacer("mode: manage", "mode: write", "[\"${env", "[\" ${env").Replace(valid), nil,
			[]string{"registration::mode: \"write\" is not a mode", "signature::secrets[0]: begins or ends with white space"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.check(t, test.configuration, test.args...)
			assert.Equal(t, exitUnchecked, got.status)
			assert.Empty(t, got.stdout)
			for _, part := range test.want {
				assert.Contains(t, got.stderr, part)
			}
		})
	}
	assert.Empty(t, w.Requests())
}

// TestEnd ends the command by its timeout, and by Ctrl-C.
func TestEnd(t *testing.T) {
	setSecrets(t)
	w := newWorld(t, jirasim.Cloud, nil)
	w.SetFaults(jirasim.Faults{Latency: time.Minute})
	got := w.check(t, w.configuration(basic, ""), "-timeout", "50ms")
	assert.Equal(t, exitUnchecked, got.status)
	assert.Contains(t, got.stdout, "no complete answer within the time of -timeout: 50ms")
	assert.Contains(t, got.stdout, "not checked because of the problem of the check site")

	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(w.configuration(basic, "")), 0o600))
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, interrupt)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitUnchecked, run(ctx, []string{file}, environment{&stdout, &stderr, w.clock}))
	assert.True(t, strings.HasSuffix(stderr.String(), "\njiracheck: interrupted\n"), stderr.String())
	assert.Empty(t, stdout.String())
}

// TestExamples loads the examples that poll, and checks that those for production have no warnings.
func TestExamples(t *testing.T) {
	t.Setenv("JIRA_WEBHOOK_SECRET", secret)
	for _, pattern := range []string{"polling-*.yaml", "repair*.yaml"} {
		examples, err := filepath.Glob("../../../examples/" + pattern)
		require.NoError(t, err)
		require.Len(t, examples, 2)
		for _, example := range examples {
			var notices bytes.Buffer
			s, err := load(t.Context(), example, "jira", &notices)
			require.NoError(t, err, example)
			assert.Empty(t, notices.String(), example)
			if !strings.Contains(example, "demo") {
				assert.Empty(t, s.cfg.Warnings(), example)
			}
		}
	}
}

// TestVersions compares the versions of the extensions with those of the distribution.
func TestVersions(t *testing.T) {
	manifest, err := os.ReadFile("../../../builder-config.yaml")
	require.NoError(t, err)
	module, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	extensions := regexp.MustCompile(`\S+/extension/(basic|bearertoken|oauth2client)authextension v\S+`)
	distributed := extensions.FindAllString(string(manifest), -1)
	require.Len(t, distributed, len(authenticators))
	assert.Equal(t, distributed, extensions.FindAllString(string(module), -1))
}

func TestHelp(t *testing.T) {
	var stdout bytes.Buffer
	assert.Equal(t, exitOK, run(t.Context(), []string{"-help"}, environment{&stdout, &stdout, jiraapi.SystemClock{}}))
	assert.Contains(t, stdout.String(), "Usage: jiracheck [flags] config.yaml")
	assert.Contains(t, stdout.String(), fmt.Sprintf("the first %d of the site", maxProjects))
	assert.Contains(t, stdout.String(), "-receiver")
}

// TestManyNames prints long lists of names from Jira, which may steer a terminal.
func TestManyNames(t *testing.T) {
	names := make([]string, maxNames+2)
	usages := make([]statusUsage, maxNames+3)
	for i := range names {
		names[i] = "a\x1b[2Jb\nc"
	}
	for i := range usages {
		usages[i] = statusUsage{Name: "d\x1b[2J\ne", IDs: []string{"1"}, Projects: names[:maxProjectNames+4]}
	}
	r := report{Receiver: "jira"}
	r.add(checkStatuses, result{Level: levelWarning, Message: "names", Details: names, Statuses: usages})
	var out bytes.Buffer
	r.print(&out)
	assert.NotContains(t, out.String(), "\x1b")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Len(t, lines, 2+1+maxNames+1)
	assert.True(t, strings.HasSuffix(lines[2], " and 2 more"), lines[2])
	assert.True(t, strings.HasSuffix(lines[3], " and 4 more"), lines[3])
	assert.Equal(t, "- and 3 more", strings.TrimSpace(lines[len(lines)-1]))
	assert.Len(t, r.Results[0].Details, len(names))
}

// TestOrder checks that the worst results come first, and that the JSON form keeps the order of the checks.
func TestOrder(t *testing.T) {
	setSecrets(t)
	var order []level
	for line := range strings.Lines(broken(t).stdout) {
		l := level(strings.TrimSpace(line[:min(8, len(line)-1)]))
		if slices.Contains(levels, l) && !slices.Contains(order, l) {
			order = append(order, l)
		} else if slices.Contains(levels, l) {
			assert.Equal(t, order[len(order)-1], l)
		}
	}
	assert.Equal(t, levels, order)
	var got report
	require.NoError(t, json.Unmarshal([]byte(broken(t, "-json").stdout), &got))
	assert.Equal(t, []string{checkConfiguration, checkStatuses}, []string{got.Results[0].Check, got.Results[len(got.Results)-1].Check})
}

// TestSuggestion pastes the suggestion, and checks that it maps all statuses.
func TestSuggestion(t *testing.T) {
	setSecrets(t)
	w := newWorld(t, jirasim.Cloud, func(s *jirasim.Site, _ *jirasim.Account) { s.Language = "ru" })
	w.register(jirasim.Cloud, nil)
	const mapping = `
    status:
      category_fallback: false
      mapping: {planned: ["10000", "  Five $$  "], "мое: слово": [Открыто]}`
	configuration := w.configuration(basic, mapping)
	first := w.check(t, configuration, "-json")
	var got report
	require.NoError(t, json.Unmarshal([]byte(first.stdout), &got))
	statuses := got.Results[slices.IndexFunc(got.Results, func(r result) bool { return r.Kind == kindUnmapped })].Statuses
	require.Len(t, statuses, 8, first.stdout)
	assert.Equal(t, statusUsage{Name: "В работе", IDs: []string{"3"}, Projects: []string{"BILL", "OPS", "WEB"}}, statuses[0])
	assert.Contains(t, got.Suggestion, "Five $$\n")

	_, block, _ := strings.Cut(got.Suggestion, "    status:\n")
	second := w.check(t, strings.Replace(configuration, mapping, "\n    status:\n      category_fallback: false\n"+block, 1))
	assert.Contains(t, second.stdout, "all statuses that the projects use are mapped")
	assert.NotContains(t, second.stdout, "Suggestion")
}

// TestSuggestedEntries uses statuses with the same name, and categories without a meaning.
func TestSuggestedEntries(t *testing.T) {
	used := func(id, name, category string, projects ...string) usedStatus {
		return usedStatus{jira.StatusInfo{Status: jira.Status{Named: jira.Named{ID: id, Name: name}, Category: category}}, projects}
	}
	m := newMappings(&jirareceiver.StatusConfig{}, "")
	assert.Empty(t, m.suggest("jira", nil))
	assert.Equal(t, `receivers:
  jira/cloud:
    status:
      # Choose a value for Odd (6) in A
      # Choose a value for Mixed (7, 8) in A
      mapping:
        done:
          - "8" # new: Mixed (7, 8) in A
          - 'No: # $$5' # new: (9) in A, B
        processing:
          - In Review # new: (1, 2) in A, B
`, m.suggest("jira/cloud", []usedStatus{
		used("1", "In Review", "indeterminate", "A"), used("2", "in review ", "indeterminate", "B"),
		used("1", "In Review", "indeterminate", "A"), used("6", "Odd", "undefined", "A"),
		used("7", "Mixed", "", "A"), used("8", "Mixed", "done", "A"), used("9", "No: # $5", "done", "B", "A"),
	}))
}

// TestManyProjects describes the first projects of a large site.
func TestManyProjects(t *testing.T) {
	s := scope{read: []string{"A", "B"}, total: 70, uses: map[string][]string{"1": {"A"}}, found: make([]jira.StatusInfo, 3)}
	assert.Equal(t, result{
		Level: levelOK, Message: "1 of 3 statuses are in use in 2 of 70 projects", Details: []string{"A", "B"},
		Hint: "to check other projects, set -projects",
	}, s.describe())
}
