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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
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

const repairing = `    poll: {mode: repair, projects: [OPS, WEB], jql: "` + jql + `"}`

// outcome is what a run of the command has printed, and its exit status.
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
	assert.Empty(t, ofGood.stderr)
	assert.Equal(t, exitProblem, ofBroken.status)
	assert.Empty(t, ofBroken.stderr)

	const page = "../../../docs/check.md"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	outputs := []string{ofGood.stdout, ofBroken.stdout}
	block := regexp.MustCompile("(?s)```text\n.*?```")
	require.Len(t, block.FindAll(content, -1), len(outputs))
	golden.AssertText(t, page, block.ReplaceAllStringFunc(string(content), func(string) string {
		output := outputs[0]
		outputs = outputs[1:]
		return "```text\n" + output + "```"
	}))
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
	for _, r := range got.Results {
		r.print(&printed)
	}
	got.out = &printed
	got.printSummary()
	assert.Equal(t, text.stdout, printed.String())

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
				"ok deliveries 1 delivered, 0 rejected, 0 without an answer in the last 24 hours", "0 problems, 0 warnings",
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
				"warning deliveries 0 delivered, 1 rejected, 1 without an answer in the last 24 hours; the last error was Post",
			},
		},
		"wrong token": {
			authenticator: strings.Replace(basic, "CHECK_API_TOKEN", "CHECK_OTHER_TOKEN", 1),
			want: []string{
				"problem account myself (/rest/api/2/myself): status 401: Jira does not accept the credentials " +
					"→ check the token, its expiry date and its scopes",
				"skipped rights", "skipped statuses", "1 problem,",
			},
			status: exitProblem,
		},
		"no administrator": {
			account: func(_ *jirasim.Site, a *jirasim.Account) { a.Administrator = false },
			want: []string{
				"ok rights the account can browse projects", "problem rights the account is not an administrator of Jira",
				"problem webhook the account may not read the webhooks of Jira", "was not checked",
			},
			status: exitProblem,
		},
		"no times in milliseconds": {
			change: func(w *world, _ int) { w.SetFaults(jirasim.Faults{MillisIgnored: true}) },
			want:   []string{"problem search"},
			status: exitProblem,
		},
		"nothing changed": {
			change: func(w *world, _ int) { w.SetFaults(jirasim.Faults{HiddenProjects: []string{"BILL"}}) },
			more:   `    poll: {mode: repair, jql: "issuetype = Epic"}`,
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
			want: []string{"skipped search poll::mode is off", "skipped issues poll::mode is off"},
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
			want: []string{"warning statuses 1 of 9 statuses is mapped only in some projects: In Review (10002) is mapped in OPS"},
		},
		"statuses in another language": {
			account: func(s *jirasim.Site, _ *jirasim.Account) { s.Language = "de" },
			want: []string{
				"ok statuses all 9 statuses of your site are mapped",
				"ok statuses 9 of 9 statuses are mapped only by category: Offen (1),",
			},
		},
		"not started": {
			edit: func(s string) string {
				return strings.NewReplacer("extensions: [basicauth/jira]", "extensions: []", "receivers: [jira]", "receivers: [otlp]").Replace(s)
			},
			want: []string{
				"problem configuration service::extensions does not contain basicauth/jira",
				"problem configuration no pipeline contains the receiver",
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
			edit:   func(s string) string { return strings.Replace(s, "\", auth", "/elsewhere\", auth", 1) },
			want:   []string{"problem site server_info", "status 404", "check api::endpoint and its context path", "skipped account"},
			status: exitProblem,
		},
		"unreachable": {
			change: func(w *world, _ int) { w.server.Close() },
			want:   []string{"problem site server_info", "connection refused → check api::endpoint, the network and the proxy"},
			status: exitProblem,
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
			assert.Empty(t, got.stderr)
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
	assert.Equal(t, exitProblem, got.status)
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
		"unknown key":       {strings.Replace(valid, "signature:", "signatures:", 1), nil, []string{"receivers::jira:", "check their spelling"}},
		"unset variable":    {strings.Replace(valid, "CHECK_SECRET", "CHECK_UNSET", 1), nil, []string{"CHECK_UNSET", "signature::secrets[0]: empty"}},
		"no extension":      {strings.Replace(valid, "  basicauth/jira:", "  basicauth/other:", 1), nil, []string{"extensions::basicauth/jira: not in the file"}},
		"other extension":   {strings.ReplaceAll(valid, "basicauth", "sigv4auth"), nil, []string{"does not have the extension sigv4auth"}},
		"invalid extension": {strings.Replace(valid, "client_auth", "client", 1), nil, []string{"extensions::basicauth/jira:"}},
		"secret that is not a text": {
			strings.Replace(valid, `["${env:CHECK_SECRET}"]`, "[{"+secret+": "+secret+"}]", 1), nil,
			[]string{"configopaque.String"},
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
	assert.Equal(t, exitProblem, got.status)
	assert.Contains(t, got.stdout, "no complete answer within 50ms")
	assert.Contains(t, got.stdout, "not checked because of the problem above: site")

	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(w.configuration(basic, "")), 0o600))
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, interrupt)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitUnchecked, run(ctx, []string{file}, environment{&stdout, &stderr, w.clock}))
	assert.Equal(t, "jiracheck: interrupted\n", stderr.String())
	assert.NotContains(t, stdout.String(), "problem")
}

// TestExamples loads the examples that poll.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob("../../../examples/polling-*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		var warnings bytes.Buffer
		_, err := load(t.Context(), example, "jira", &warnings)
		require.NoError(t, err, example)
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
	assert.Contains(t, stdout.String(), "-receiver")
}

// TestManyNames prints a long list of names from Jira, which may steer a terminal.
func TestManyNames(t *testing.T) {
	var out bytes.Buffer
	r := report{out: &out}
	names := make([]string, maxDetails+2)
	for i := range names {
		names[i] = "a\x1b[2Jb\nc"
	}
	r.add("statuses", result{Level: levelWarning, Message: "names", Details: names})
	assert.NotContains(t, out.String(), "\x1b")
	assert.True(t, strings.HasSuffix(out.String(), " and 2 more\n"), out.String())
	assert.Len(t, strings.Split(out.String(), "\n"), 2)
	assert.Len(t, r.Results[0].Details, maxDetails+2)
}
