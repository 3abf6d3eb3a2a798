// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// deliveryNumbers are counted by hand from the comment on the scenario and the paths of its issues.
const deliveryNumbers = `
jira_incident_opened_total{jira_project_key="OPS"} 3
jira_incident_restored_total{jira_project_key="OPS"} 2
jira_incident_time_to_restore_seconds_count{jira_project_key="OPS"} 2
jira_incident_time_to_restore_seconds_sum{jira_project_key="OPS"} 14400
jira_issue_created_total{jira_issue_type_name="Bug",jira_project_key="WEB"} 1
jira_issue_created_total{jira_issue_type_name="Incident",jira_project_key="OPS"} 3
jira_issue_created_total{jira_issue_type_name="Story",jira_project_key="OPS"} 1
jira_issue_created_total{jira_issue_type_name="Story",jira_project_key="WEB"} 1
jira_issue_created_total{jira_issue_type_name="Task",jira_project_key="BILL"} 1
jira_issue_created_total{jira_issue_type_name="Task",jira_project_key="OPS"} 1
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="canceled",jira_issue_type_name="Task",jira_project_key="OPS"} 1
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="done",jira_issue_type_name="Bug",jira_project_key="WEB"} 2
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="done",jira_issue_type_name="Incident",jira_project_key="OPS"} 2
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="OPS"} 1
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="WEB"} 1
jira_issue_lead_time_seconds_count{jira_issue_status_mapped="done",jira_issue_type_name="Task",jira_project_key="WEB"} 1
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="canceled",jira_issue_type_name="Task",jira_project_key="OPS"} 43200
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="done",jira_issue_type_name="Bug",jira_project_key="WEB"} 302400
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="done",jira_issue_type_name="Incident",jira_project_key="OPS"} 14400
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="OPS"} 86400
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="WEB"} 108000
jira_issue_lead_time_seconds_sum{jira_issue_status_mapped="done",jira_issue_type_name="Task",jira_project_key="WEB"} 21600
jira_issue_reopened_total{jira_issue_type_name="Bug",jira_project_key="WEB"} 1
jira_issue_resolved_total{jira_issue_status_mapped="canceled",jira_issue_type_name="Task",jira_project_key="OPS"} 1
jira_issue_resolved_total{jira_issue_status_mapped="done",jira_issue_type_name="Bug",jira_project_key="WEB"} 2
jira_issue_resolved_total{jira_issue_status_mapped="done",jira_issue_type_name="Incident",jira_project_key="OPS"} 2
jira_issue_resolved_total{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="OPS"} 1
jira_issue_resolved_total{jira_issue_status_mapped="done",jira_issue_type_name="Story",jira_project_key="WEB"} 1
jira_issue_resolved_total{jira_issue_status_mapped="done",jira_issue_type_name="Task",jira_project_key="WEB"} 1
jira_issue_transitions_total{jira_issue_status_mapped="canceled",jira_issue_status_previous_mapped="processing",jira_project_key="OPS"} 1
jira_issue_transitions_total{jira_issue_status_mapped="done",jira_issue_status_previous_mapped="done",jira_project_key="OPS"} 1
jira_issue_transitions_total{jira_issue_status_mapped="done",jira_issue_status_previous_mapped="processing",jira_project_key="OPS"} 3
jira_issue_transitions_total{jira_issue_status_mapped="done",jira_issue_status_previous_mapped="processing",jira_project_key="WEB"} 4
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="done",jira_project_key="WEB"} 1
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="planned",jira_project_key="BILL"} 1
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="planned",jira_project_key="OPS"} 2
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="planned",jira_project_key="WEB"} 1
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="processing",jira_project_key="OPS"} 3
jira_issue_transitions_total{jira_issue_status_mapped="processing",jira_issue_status_previous_mapped="processing",jira_project_key="WEB"} 3
`

// deliveryBuckets are the buckets of the lead times, which are 1, 3, 6, 12, 24, 30, 30 and 54 hours, and of the times
// to restore, which are 1 and 3 hours.
var deliveryBuckets = map[string]map[string]float64{
	"jira_issue_lead_time_seconds_bucket": {
		"3600": 1, "7200": 1, "14400": 2, "28800": 3, "86400": 5, "172800": 7, "259200": 8, "432000": 8, "604800": 8,
		"1.2096e+06": 8, "1.8144e+06": 8, "2.4192e+06": 8, "4.8384e+06": 8, "7.8624e+06": 8, "+Inf": 8,
	},
	"jira_incident_time_to_restore_seconds_bucket": {
		"300": 0, "900": 0, "1800": 0, "3600": 1, "7200": 1, "14400": 2, "28800": 2, "43200": 2, "86400": 2, "172800": 2,
		"259200": 2, "604800": 2, "+Inf": 2,
	},
}

// TestDeliveryMetrics delivers each event twice if it has a delivery ID, as Jira does after a lost response. It also
// delivers records about transitions that other records already contain: of changed fields, of a post-function and of
// an Automation rule.
func TestDeliveryMetrics(t *testing.T) {
	for _, site := range []jirasim.Site{{Deployment: jirasim.Cloud}, {Deployment: jirasim.DataCenter}} {
		t.Run(string(site.Deployment), func(t *testing.T) {
			c, address := startDeliveryMetrics(t, "--set", "receivers::jira::changelog=split")
			deliveries := deliverScenario(t, c, site)
			if site.Deployment == jirasim.Cloud {
				deliver(t, c, site, deliveries)
			}
			for _, file := range []string{"senders/post_function.json", "senders/automation_jira_format.json"} {
				deliver(t, c, site, []jirasim.Delivery{{Flow: jirasim.Primary, Body: read(t, root+"/testdata/"+file)}})
			}
			exposed := settled(t, c, address)
			series, buckets := splitBuckets(exposed)
			assert.Equal(t, deliveryNumbers, "\n"+strings.Join(series, "\n")+"\n")
			assert.Equal(t, deliveryBuckets, buckets)
			_, page := deliveryPage(t)
			assertDashboard(t, exposed, page, "delivery-metrics-dashboard.json")
		})
	}
}

// TestDeliveryMetricsLocalised uses statuses whose names are not mapped, so that the previous status of a transition is
// unmapped.
func TestDeliveryMetricsLocalised(t *testing.T) {
	c, address := startDeliveryMetrics(t)
	deliverScenario(t, c, jirasim.Site{Language: "de"})
	settled(t, c, address)
	for name, want := range map[string]float64{
		"jira_issue_resolved_total": 8, "jira_issue_reopened_total": 1, "jira_issue_transitions_total": 20,
		"jira_issue_lead_time_seconds_sum": 160 * 3600, "jira_incident_restored_total": 2,
	} {
		assert.InDelta(t, want, metric(t, address, name), 0, name)
	}
	assert.InDelta(t, 20, metric(t, address, "jira_issue_transitions_total", `previous_mapped="unmapped"`), 0)
}

// settled returns the exposed series after the collector has counted all deliveries. It delivers one more event,
// because the collector counts events in their order.
func settled(t *testing.T, c *collector, address string) []string {
	t.Helper()
	const last = `jira_issue_created_total{jira_issue_type_name="unknown",jira_project_key="LAST"} 1`
	deliver(t, c, jirasim.Site{}, []jirasim.Delivery{{
		Flow: jirasim.Primary, Body: []byte(`{"webhookEvent": "jira:issue_created", "issue": {"id": "1", "key": "LAST-1"}}`),
	}})
	require.Eventually(t, func() bool { return slices.Contains(scrape(t, address), last) }, waitLimit, 20*time.Millisecond)
	return slices.DeleteFunc(scrape(t, address), func(line string) bool { return line == last })
}

// startDeliveryMetrics runs the example, and returns the address of its metrics.
func startDeliveryMetrics(t *testing.T, args ...string) (c *collector, metrics string) {
	t.Helper()
	config, err := filepath.Abs(root + "/examples/delivery-metrics.yaml")
	require.NoError(t, err)
	metrics = address(t)
	c = start(t, t.TempDir(), config, append(args, "--set", "receivers::jira::endpoint="+address(t), "--set", "exporters::prometheus::endpoint="+metrics,
		"--set", "service::telemetry::metrics::level=none")...)
	return c, metrics
}

func deliverScenario(t *testing.T, c *collector, site jirasim.Site) []jirasim.Delivery {
	t.Helper()
	site.Start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	deliveries, err := jirasim.Scenario("delivery", site)
	require.NoError(t, err)
	deliver(t, c, site, deliveries)
	return deliveries
}

func deliver(t *testing.T, c *collector, site jirasim.Site, deliveries []jirasim.Delivery) {
	t.Helper()
	transport := jirasim.NewTransport()
	defer transport.CloseIdleConnections()
	sender := jirasim.New(jirasim.Options{URL: c.url, Deployment: site.Deployment, Transport: transport})
	sender.SetSecret([]byte(secret))
	for _, result := range sender.DeliverAll(t.Context(), deliveries, len(deliveries)) {
		require.True(t, result.Acknowledged, result.Attempts)
	}
}

// jobLabel is a label of all series.
const jobLabel = `,job="jira"`

// scrape returns the sorted series of the metrics of Jira, without the label of all series.
func scrape(t *testing.T, address string) (lines []string) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "jira_") {
			lines = append(lines, strings.Replace(strings.TrimSpace(line), jobLabel, "", 1))
		}
	}
	slices.Sort(lines)
	return lines
}

var bucketLine = regexp.MustCompile(`^(\w+_bucket)\{.*le="(.+)"\} (\d+)$`)

// splitBuckets adds up the buckets of all series of a histogram.
func splitBuckets(lines []string) (series []string, buckets map[string]map[string]float64) {
	buckets = map[string]map[string]float64{}
	for _, line := range lines {
		match := bucketLine.FindStringSubmatch(line)
		if match == nil {
			series = append(series, line)
			continue
		}
		if buckets[match[1]] == nil {
			buckets[match[1]] = map[string]float64{}
		}
		value, _ := strconv.ParseFloat(match[3], 64)
		buckets[match[1]][match[2]] += value
	}
	return series, buckets
}

var (
	seriesLine = regexp.MustCompile(`^(\w+)\{(.*)\} \S+$`)
	labelName  = regexp.MustCompile(`(\w+)=~?"`)
	selector   = regexp.MustCompile(`(\w+)\{([^}]*)\}`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	ofJira     = regexp.MustCompile(`\bjira_\w+`)
	inLegend   = regexp.MustCompile(`\{\{(\w+)\}\}`)
	// shownSeries are lines of the page in the form in which the collector exposes them.
	shownSeries = regexp.MustCompile(`(?m)^jira_\w+\{.*\} \d+$`)
	promQL      = regexp.MustCompile("(?s)```promql\n(.*?)```")
)

// query is a PromQL query, with the legend of its results.
type query struct{ expr, legend string }

// deliveryPage returns the two parts of the page on delivery metrics: with the connector jira_flow, and without it.
func deliveryPage(t *testing.T) (flow, small string) {
	t.Helper()
	flow, small, found := strings.Cut(string(read(t, root+"/docs/delivery-metrics.md")), "\n## Without the connector\n")
	require.True(t, found)
	return flow, small
}

// assertDashboard compares a dashboard and a page with the exposed series. The collector must
// expose the metrics and labels of all queries. The dashboard and the page must use all metrics.
func assertDashboard(t *testing.T, lines []string, page, dashboard string) {
	t.Helper()
	exposed := map[string][]string{} // labels by metric name
	for _, line := range lines {
		match := seriesLine.FindStringSubmatch(line)
		require.NotNil(t, match, line)
		exposed[match[1]] = labels(match[2])
	}
	used := map[string]bool{}
	for _, q := range dashboardQueries(t, dashboard) {
		maps.Copy(used, assertExposed(t, exposed, q))
	}
	for _, match := range promQL.FindAllStringSubmatch(page, -1) {
		assertExposed(t, exposed, query{expr: match[1]})
	}
	shown := shownSeries.FindAllString(page, -1)
	assert.NotEmpty(t, shown)
	for _, line := range shown {
		assert.Contains(t, lines, strings.Replace(line, jobLabel, "", 1), "on the page")
	}
	for name := range exposed {
		name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		assert.Contains(t, page, "`"+name+"`")
		assert.True(t, used[name] || used[name+"_bucket"] || used[name+"_sum"], "%s is not on the dashboard", name)
	}
}

func labels(matchers string) (names []string) {
	for _, match := range labelName.FindAllStringSubmatch(matchers, -1) {
		names = append(names, match[1])
	}
	return names
}

// dashboardQueries returns the queries of all panels.
func dashboardQueries(t *testing.T, file string) (queries []query) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(read(t, root+"/examples/"+file), &dashboard))
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, query{target.Expr, target.LegendFormat})
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

// assertExposed returns the metrics of a query.
func assertExposed(t *testing.T, exposed map[string][]string, q query) (used map[string]bool) {
	t.Helper()
	var grouped []string
	for _, match := range grouping.FindAllStringSubmatch(q.expr, -1) {
		grouped = append(grouped, strings.Split(match[1], ", ")...)
	}
	for _, match := range inLegend.FindAllStringSubmatch(q.legend, -1) {
		assert.Contains(t, grouped, match[1], "the legend of %s", q.expr)
	}
	for _, match := range selector.FindAllStringSubmatch(q.expr, -1) {
		assert.Subset(t, exposed[match[1]], labels(match[2]), "%s: %s", match[1], q.expr)
	}
	used = map[string]bool{}
	for _, name := range ofJira.FindAllString(selector.ReplaceAllString(grouping.ReplaceAllString(q.expr, ""), "$1"), -1) {
		if assert.Contains(t, exposed, name, q.expr) {
			assert.Subset(t, exposed[name], grouped, "%s: %s", name, q.expr)
		}
		used[name] = true
	}
	assert.NotEmpty(t, used, q.expr)
	return used
}
