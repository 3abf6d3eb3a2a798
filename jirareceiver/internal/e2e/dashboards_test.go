// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// panel is a part of a dashboard with one query on records.
type panel struct {
	ID                       int
	Title, Description, Type string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct{ Expr, QueryType string }
}

// recordsDashboard is a dashboard on the records in a log backend.
type recordsDashboard struct {
	Panels      []panel
	Annotations struct {
		List []struct {
			Name   string
			Target struct{ Expr, QueryType string }
		}
	}
}

func readRecordsDashboard(t *testing.T, backend string) (dashboard recordsDashboard) {
	t.Helper()
	require.NoError(t, json.Unmarshal(read(t, root+"/examples/records-"+backend+"-dashboard.json"), &dashboard))
	require.NotEmpty(t, dashboard.Panels)
	require.NotEmpty(t, dashboard.Annotations.List)
	return dashboard
}

// queries returns all queries of the dashboard.
func (d recordsDashboard) queries() (queries []string) {
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, annotation := range d.Annotations.List {
		queries = append(queries, annotation.Target.Expr)
	}
	return queries
}

var (
	registeredName = regexp.MustCompile(`(?m)^ {6}- id: ([a-z_.]+)$`)
	lokiLabel      = regexp.MustCompile(`\b(?:jira|service|user|url)_\w+`)
	dottedField    = regexp.MustCompile(`\b(?:jira|service|user|url)\.[a-z_.]+[a-z]`)
	quoted         = regexp.MustCompile(`"[^"]*"`)
	comparedEvent  = regexp.MustCompile(`event_name(?::=|="|=~")(jira\.[a-z_.]+[a-z_])`)
)

// TestRecordsDashboardsAgree compares the two dashboards on records. They differ only in the language of their queries,
// whose attributes and events must exist.
func TestRecordsDashboardsAgree(t *testing.T) {
	t.Parallel()
	registry := string(read(t, root+"/jirareceiver/registry/attributes.yaml"))
	attributes := []string{"service.name"} // of the resource, by OpenTelemetry
	for _, match := range registeredName.FindAllStringSubmatch(registry, -1) {
		attributes = append(attributes, match[1])
	}
	labels := []string{"jira_event_name"} // of examples/loki.yaml
	for _, attribute := range attributes {
		labels = append(labels, strings.ReplaceAll(attribute, ".", "_"))
	}
	events := string(read(t, root+"/docs/events.md"))
	victoriaLogs, loki := readRecordsDashboard(t, "victorialogs"), readRecordsDashboard(t, "loki")
	for i, query := range victoriaLogs.queries() {
		used := dottedField.FindAllString(comparedEvent.ReplaceAllString(query, ""), -1)
		assert.NotEmpty(t, used, query)
		assert.Subset(t, attributes, used, query)
		var renamed []string
		for _, attribute := range used {
			renamed = append(renamed, strings.ReplaceAll(attribute, ".", "_"))
		}
		other := loki.queries()[i]
		usedByLoki := lokiLabel.FindAllString(quoted.ReplaceAllString(other, ""), -1)
		assert.Subset(t, labels, usedByLoki, other)
		assert.ElementsMatch(t, distinct(renamed), slices.DeleteFunc(distinct(usedByLoki), func(l string) bool { return l == "jira_event_name" }), other)
		for _, q := range []string{query, other} {
			for _, event := range comparedEvent.FindAllStringSubmatch(q, -1) {
				assert.Contains(t, events, "`"+strings.TrimSuffix(event[1], "."), q)
			}
		}
	}
	for _, dashboard := range []*recordsDashboard{&victoriaLogs, &loki} {
		for i := range dashboard.Panels {
			dashboard.Panels[i].Targets = nil
		}
	}
	assert.Equal(t, victoriaLogs.Panels, loki.Panels)
	assert.Contains(t, string(read(t, root+"/examples/loki.yaml")), `set(log.attributes["jira.event.name"], log.event_name)`)
}

func distinct(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// TestRecordsDashboard delivers a history of known numbers that ends now, and runs each query of the dashboard and of
// docs/recipes.md on VictoriaLogs.
func TestRecordsDashboard(t *testing.T) {
	t.Parallel()
	backend := startVictoriaLogs(t)
	end := time.Now()
	site := jirasim.Site{Start: end.Add(-72 * time.Hour)}
	deliveries, err := jirasim.Scenario("delivery", site)
	require.NoError(t, err)
	c := startRecipe(t, "victorialogs", "--set", "exporters::otlp_http::logs_endpoint=http://"+backend+"/insert/opentelemetry/v1/logs")
	deliver(t, c, site, deliveries)
	c.terminate(t)

	run := func(queryType, expr string) string {
		expr = strings.ReplaceAll(expr, "$project", ".*")
		path := map[string]string{"instant": "query", "stats": "stats_query", "statsRange": "stats_query_range"}[queryType]
		require.NotEmpty(t, path, queryType)
		values := url.Values{"query": {expr}, "time": {end.Format(time.RFC3339)}, "step": {"6h"}}
		values.Set("start", site.Start.Add(-time.Hour).Format(time.RFC3339))
		values.Set("end", end.Add(time.Hour).Format(time.RFC3339))
		response, err := http.PostForm("http://"+backend+"/select/logsql/"+path, values)
		require.NoError(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", expr, content)
		return string(content)
	}
	values := regexp.MustCompile(`"value":\[[0-9.]+,"([0-9.]+)"\]`)
	dashboard := readRecordsDashboard(t, "victorialogs")
	require.Equal(t, "Events", dashboard.Panels[0].Title)
	require.Eventually(t, func() bool { // VictoriaLogs finds the streams of new records after up to 20 seconds
		found := values.FindStringSubmatch(run("stats", dashboard.Panels[0].Targets[0].Expr))
		return len(found) == 2 && found[1] == "50" && len(ask(t, backend, "* | fields log.record.uid")) == 50
	}, 2*waitLimit, 500*time.Millisecond)

	results := map[string]string{} // by title
	for _, panel := range dashboard.Panels {
		require.Len(t, panel.Targets, 1, panel.Title)
		result := run(panel.Targets[0].QueryType, panel.Targets[0].Expr)
		assert.NotEmpty(t, result, panel.Title)
		assert.NotContains(t, result, `"result":[]`, panel.Title)
		results[panel.Title] = result
	}
	for title, want := range map[string]string{"Issues": "9", "Moves": "20", "Comments": "8"} { // from scenario.go
		found := values.FindStringSubmatch(results[title])
		if assert.NotNil(t, found, results[title]) {
			assert.Equal(t, want, found[1], title)
		}
	}
	assert.Contains(t, results["Silent projects"], `"jira.project.key":"BILL"`)
	assert.Len(t, values.FindAllString(results["Silent projects"], -1), 1)
	assert.Contains(t, results["Latest moves"], "moved from In Progress to Done")

	for _, annotation := range dashboard.Annotations.List {
		assert.NotEmpty(t, run(annotation.Target.QueryType, annotation.Target.Expr), annotation.Name)
	}
	blocks := regexp.MustCompile("(?s)```logsql\n(.*?)\n```").FindAllStringSubmatch(string(read(t, root+"/docs/recipes.md")), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for query := range strings.Lines(block[1]) {
			assert.NotEmpty(t, run("instant", strings.Replace(query, "_time:5m", "_time:5d", 1)), query)
		}
	}
}

// startVictoriaLogs runs a log backend until the end of the test, and returns its address.
func startVictoriaLogs(t *testing.T) string {
	t.Helper()
	dir, listen := t.TempDir(), address(t)
	program := filepath.Join(dir, "victoria-logs")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-modfile=tools/victorialogs/go.mod", "-o", program,
		"github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs").CombinedOutput()
	require.NoError(t, err, string(output))
	command := exec.CommandContext(t.Context(), program, "-httpListenAddr="+listen, "-storageDataPath="+dir+"/data", "-loggerLevel=ERROR")
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + listen + "/health")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitLimit, 50*time.Millisecond)
	return listen
}

// anySeries is a series, with or without labels.
var anySeries = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? \S+$`)

// collectorMetric is a metric that the receiver and the connector do not define. tools/promtool checks theirs.
var collectorMetric = regexp.MustCompile(`^otelcol_(?:exporter|process|receiver_accepted|receiver_refused)_`)

// TestCollectorDashboard compares the dashboard with the metrics of a collector, one of whose exporters fails.
func TestCollectorDashboard(t *testing.T) {
	t.Parallel()
	metrics, good := address(t), &exports{}
	refusing := address(t) // nothing listens there
	c := start(t, t.TempDir(), writeConfig(t, `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
exporters:
  otlp_http/good: { endpoint: "%s" }
  otlp_http/bad: { endpoint: "http://%s", retry_on_failure: { enabled: false } }
service:
  pipelines:
    logs: { receivers: [jira], exporters: [otlp_http/good, otlp_http/bad] }
`, address(t), good.serveHTTP(t), refusing), withMetrics(metrics)...)
	c.postAll(t, life(t))
	good.await(t, c)
	require.Eventually(t, func() bool { return metric(t, metrics, "otelcol_exporter_send_failed_log_records") > 0 }, waitLimit, 50*time.Millisecond)

	exposed := map[string][]string{}
	response, err := http.Get("http://" + metrics + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if match := anySeries.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			exposed[match[1]] = append(labels(match[2]), "job", "instance") // Prometheus adds these
		}
	}
	checked := 0
	for _, q := range dashboardQueries(t, "collector-dashboard.json") {
		var grouped []string
		for _, match := range grouping.FindAllStringSubmatch(q.expr, -1) {
			grouped = append(grouped, strings.Split(match[1], ", ")...)
		}
		for _, match := range selector.FindAllStringSubmatch(q.expr, -1) {
			if !collectorMetric.MatchString(match[1]) {
				continue
			}
			checked++
			if assert.Contains(t, exposed, match[1]) {
				assert.Subset(t, exposed[match[1]], append(grouped, labels(match[2])...), q.expr)
			}
		}
	}
	assert.Positive(t, checked)
	c.terminate(t)
}
