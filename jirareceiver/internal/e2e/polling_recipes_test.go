// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// account is the account of the REST API in these tests.
var account = jirasim.Account{User: "ada@example.com", Token: "a-token-of-the-account"}

// startJira serves the REST API of a small site, whose oldest change is an hour old. Data Center has a context path.
func startJira(t *testing.T, deployment jirasim.Deployment) (url string, api *jirasim.API) {
	t.Helper()
	site := jirasim.Site{Deployment: deployment, Start: time.Now().Add(-time.Hour)}
	api = jirasim.NewLargeAPI(jirasim.LargeSite{Site: site, Issues: 20, ChangesPerHour: 60}, account)
	t.Cleanup(api.Close)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL + api.ContextPath(), api
}

// writeToken writes the token as an editor does, with a line break at its end.
func writeToken(t *testing.T, token string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	return file
}

// awaitLog waits until the log of the collector contains a message.
func (c *collector) awaitLog(t *testing.T, message string) {
	t.Helper()
	found := assert.Eventually(t, func() bool { return strings.Contains(c.output(), message) }, waitLimit, 20*time.Millisecond)
	require.True(t, found, c.output())
}

// TestCredentialRecipes runs each recipe for credentials on the page about polling, with a simulated Jira that accepts
// only the token of the account.
func TestCredentialRecipes(t *testing.T) {
	page := string(read(t, root+"/docs/polling.md"))
	blocks := regexp.MustCompile("(?s)```yaml\n(extensions:.*?)```").FindAllStringSubmatch(page, -1)
	for _, recipe := range []struct {
		extension  string
		deployment jirasim.Deployment
	}{{"basicauth", jirasim.Cloud}, {"oauth2client", jirasim.Cloud}, {"bearertokenauth", jirasim.DataCenter}} {
		t.Run(recipe.extension, func(t *testing.T) {
			url, api := startJira(t, recipe.deployment)
			tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id, secret, _ := r.BasicAuth()
				assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
				assert.Equal(t, "an-id, a-secret", id+", "+secret)
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"access_token":"` + account.Token + `","token_type":"Bearer","expires_in":3600}`))
			}))
			t.Cleanup(tokens.Close)

			var config string
			for _, block := range blocks {
				if strings.HasPrefix(block[1], "extensions:\n  "+recipe.extension) {
					config = block[1]
				}
			}
			require.NotEmpty(t, config, "the page has no such recipe")
			config = strings.NewReplacer(
				"https://acme.atlassian.net\n      auth", url+"\n      auth",
				"https://jira.example.com/context\n", url+"\n",
				"https://api.atlassian.com", url,
				"https://auth.atlassian.com/oauth/token", tokens.URL,
				"/etc/otelcol-jira/jira-token", writeToken(t, account.Token),
				"/etc/otelcol-jira/jira-client-secret", writeToken(t, "a-secret"),
				"/var/lib/otelcol-jira", t.TempDir(),
			).Replace(config)
			if !strings.Contains(config, "\nservice:") {
				config = strings.Replace(config, "extensions:\n", "extensions:\n  file_storage: { directory: "+t.TempDir()+" }\n", 1) +
					"\nexporters: { debug: }\nservice:\n  extensions: [" + recipe.extension + "/jira, file_storage]\n" +
					"  pipelines: { logs: { receivers: [jira], exporters: [debug] } }\n"
			}
			c := launch(t, t.TempDir(), writeConfig(t, "%s", config), "--set", "service::telemetry::metrics::level=none")
			c.awaitLog(t, "The first run of polling is complete")
			c.terminate(t)
			assert.Positive(t, api.Requests()[jirasim.OpMyself])
			assert.NotContains(t, c.output(), account.Token)
		})
	}
}

// TestPollingExamples runs both examples against a simulated Jira. The backend must have all changes of the last hour.
func TestPollingExamples(t *testing.T) {
	for _, example := range []struct {
		name       string
		deployment jirasim.Deployment
	}{{"polling-cloud", jirasim.Cloud}, {"polling-data-center", jirasim.DataCenter}} {
		t.Run(example.name, func(t *testing.T) {
			url, api := startJira(t, example.deployment)
			got := &exports{}
			events := filepath.Join(t.TempDir(), "events.jsonl")
			t.Setenv("JIRA_SITE", url)
			t.Setenv("JIRA_USER", account.User)
			t.Setenv("JIRA_TOKEN_FILE", writeToken(t, account.Token))
			t.Setenv("JIRA_STATE", filepath.Join(t.TempDir(), "state"))
			t.Setenv("JIRA_EVENTS_FILE", events)
			t.Setenv("OTLP_ENDPOINT", got.serveHTTP(t))
			args := []string{
				"--set", "service::telemetry::metrics::level=none", "--set", "receivers::jira::poll::start_from=2026-01-01",
				"--set", "receivers::jira::api::requests_per_second=50",
			}
			if example.name == "polling-cloud" {
				args = append(args, "--set", "extensions::health_check::endpoint="+address(t))
			}
			c := launch(t, t.TempDir(), recipe(t, example.name), args...)
			c.awaitLog(t, "The back-fill is complete")
			want := api.Changes().Total()
			c.terminate(t) // empties the queue
			uids := map[string]bool{}
			for _, export := range got.all {
				for _, uid := range recordUIDs(export.logs) {
					uids[uid] = true
				}
			}
			if example.name == "polling-data-center" {
				for _, logs := range readRecords(t, events) {
					for _, uid := range recordUIDs(logs) {
						uids[uid] = true
					}
				}
			}
			assert.GreaterOrEqual(t, len(uids), want-1, "a change may happen after the run")
		})
	}
}
