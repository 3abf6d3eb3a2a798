// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// recipeOnPage returns the only block of a language in a section of docs/recipes.md.
func recipeOnPage(t *testing.T, section, language string) string {
	t.Helper()
	_, text, found := strings.Cut(string(read(t, root+"/docs/recipes.md")), "\n## "+section+"\n")
	require.True(t, found, section)
	text, _, _ = strings.Cut(text, "\n## ")
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1)
	require.Len(t, blocks, 1, section)
	return blocks[0][1]
}

// startWithRecipe runs the configuration of `make run` with a recipe of the page. The records are in jira-events.jsonl
// in the folder.
func startWithRecipe(t *testing.T, dir, yaml string, args ...string) *collector {
	t.Helper()
	return start(t, dir, recipe(t, "quickstart"), append([]string{
		"--config", writeConfig(t, "%s", yaml), "--set", "receivers::jira::endpoint=" + address(t),
		"--set", "receivers::jira::deduplication::enabled=false", "--set", "service::telemetry::metrics::level=none",
	}, args...)...)
}

// TestFilterRecipes posts all example bodies with and without each recipe. Exactly the records of the recipe must pass.
func TestFilterRecipes(t *testing.T) {
	all := recordsOf(t, "{}")
	for _, recipe := range []struct {
		section, old, changed string // the page describes the change of the text
		passes                func(plog.LogRecord) bool
	}{
		{"Only one project", "", "", func(record plog.LogRecord) bool { return text(record, "jira.project.key") == "OPS" }},
		{"Only one project", "- ", `- log.attributes["jira.project.key"] != nil and `, func(record plog.LogRecord) bool {
			return slices.Contains([]string{"OPS", "none"}, text(record, "jira.project.key"))
		}},
		{"Only one project", `log.attributes["jira.project.key"] != "OPS"`, `not IsMatch(log.attributes["jira.project.key"], "^(OPS|BILL)$")`, func(record plog.LogRecord) bool {
			return slices.Contains([]string{"OPS", "BILL"}, text(record, "jira.project.key"))
		}},
		{"No comments", "", "", func(record plog.LogRecord) bool {
			return !strings.HasPrefix(record.EventName(), "jira.comment.") && text(record, "jira.webhook.issue_event_type") != "issue_commented"
		}},
	} {
		t.Run(recipe.section+" "+recipe.changed, func(t *testing.T) {
			page := string(read(t, root+"/docs/recipes.md"))
			require.Contains(t, page, strings.TrimSpace(strings.TrimPrefix(recipe.changed, "- ")))
			yaml := recipeOnPage(t, recipe.section, "yaml")
			require.Contains(t, yaml, recipe.old)
			var want []string
			for _, record := range all {
				if recipe.passes(record) {
					want = append(want, line(record))
				}
			}
			var got []string
			for _, record := range recordsOf(t, strings.Replace(yaml, recipe.old, recipe.changed, 1)) {
				got = append(got, line(record))
			}
			assert.Equal(t, want, got)
			assert.NotEmpty(t, got)
			assert.Less(t, len(got), len(all), "no example body contains a record that the recipe drops")
		})
	}
}

// recordsOf returns the records of all example bodies, with a recipe.
func recordsOf(t *testing.T, yaml string) (records []plog.LogRecord) {
	t.Helper()
	dir := t.TempDir()
	c := startWithRecipe(t, dir, yaml)
	c.postAll(t, exampleBodies(t))
	c.terminate(t)
	for _, logs := range readRecords(t, filepath.Join(dir, "jira-events.jsonl")) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
				records = append(records, record)
			}
		}
	}
	return records
}

func line(record plog.LogRecord) string {
	return fmt.Sprintf("%s %s %s", text(record, "log.record.uid"), record.EventName(), record.Body().AsString())
}

// TestTwoBackendsRecipe sends to two backends, of which the second is down at first. Both must receive all records.
func TestTwoBackendsRecipe(t *testing.T) {
	first, second := &exports{}, &exports{}
	down, refusals := refuseFirst(t, 3, second.serveHTTP(t))
	c := startWithRecipe(t, t.TempDir(), recipeOnPage(t, "Two backends", "yaml"),
		"--set", "exporters::otlp_http/first::endpoint="+first.serveHTTP(t), "--set", "exporters::otlp_http/second::endpoint="+down,
		"--set", "exporters::otlp_http/second::retry_on_failure::initial_interval=1s")
	c.postAll(t, life(t))
	first.await(t, c)
	second.await(t, c)
	assert.Len(t, refusals, cap(refusals))
	c.terminate(t)
}

func TestPathRecipe(t *testing.T) {
	c := startWithRecipe(t, t.TempDir(), recipeOnPage(t, "Another path, at a proxy", "yaml"))
	assert.True(t, strings.HasSuffix(c.url, "/hooks/jira/events"), c.url)
	body := read(t, life(t)[0])
	assert.Equal(t, http.StatusOK, c.post(t, body, ""))
	c.url = strings.Replace(c.url, "/hooks/", "/", 1)
	assert.Equal(t, http.StatusNotFound, c.post(t, body, ""))
}

func TestBasicAuthenticationRecipe(t *testing.T) {
	t.Setenv("JIRA_PASSWORD", "a password for the test")
	c := startWithRecipe(t, t.TempDir(), recipeOnPage(t, "Basic authentication of Data Center", "yaml"))
	for _, sender := range []struct {
		user, password string
		want           int
	}{
		{"jira", "a password for the test", http.StatusOK},
		{"jira", "another password", http.StatusUnauthorized},
		{"other", "a password for the test", http.StatusUnauthorized},
		{"", "", http.StatusUnauthorized},
	} {
		request, err := jirasim.NewRequest(t.Context(), c.url, nil, jirasim.Delivery{Flow: jirasim.Primary, Body: read(t, life(t)[0])}, 0)
		require.NoError(t, err)
		if sender.user != "" {
			request.SetBasicAuth(sender.user, sender.password)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, sender.want, response.StatusCode, sender)
	}
	assert.Contains(t, c.output(), `"reason": "unauthenticated"`)
	assert.NotContains(t, c.output(), "password")
}

// TestNginxRecipes changes the configuration of nginx as the page describes, if nginx is installed.
func TestNginxRecipes(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	c := startWithRecipe(t, t.TempDir(), "{}")
	upstream := strings.TrimSuffix(strings.TrimPrefix(c.url, "http://"), "/jira/events")
	proxied := func(old, changed string) string {
		conf := string(read(t, root+"/examples/deploy/nginx.conf"))
		require.Contains(t, conf, old)
		return startNginx(t, nginx, strings.Replace(conf, old, changed, 1), "error timeout", []string{upstream, upstream})
	}
	body := read(t, life(t)[0])

	const location = "    location = /jira/events {\n        proxy_pass http://otelcol_jira;\n"
	url := proxied(location, recipeOnPage(t, "Another path, at a proxy", "nginx"))
	for path, want := range map[string]int{"/hooks/jira/events": http.StatusOK, "/jira/events": http.StatusNotFound} {
		status, err := post(strings.Replace(url, "/jira/events", path, 1), body, "")
		require.NoError(t, err)
		assert.Equal(t, want, status, path)
	}

	allowed := recipeOnPage(t, "An allow list of addresses", "nginx")
	for addresses, want := range map[string]int{"192.0.2.0/24": http.StatusForbidden, "127.0.0.0/8": http.StatusOK} {
		status, err := post(proxied(location, location+strings.Replace(allowed, "192.0.2.0/24", addresses, 1)), body, "")
		require.NoError(t, err)
		assert.Equal(t, want, status, addresses)
	}
}
