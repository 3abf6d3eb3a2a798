// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package promtool checks the dashboards with the parser of Prometheus.
package promtool

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// query is a query of a panel, with the variables of Grafana replaced.
type query struct{ panel, expr, legend string }

// variables stand in place of the variables of Grafana.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "30d", "$__interval", "1m")

func readQueries(t *testing.T, file string) (queries []query) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title      string
			Datasource struct{ Type string }
			Targets    []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(file, err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			if panel.Datasource.Type == "prometheus" {
				queries = append(queries, query{panel.Title, variables.Replace(target.Expr), target.LegendFormat})
			}
		}
	}
	return queries
}

// TestSyntax parses the queries of all dashboards on metrics.
func TestSyntax(t *testing.T) {
	files, err := filepath.Glob("../../examples/*dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	parsed := 0
	for _, file := range files {
		for _, q := range readQueries(t, file) {
			parsed++
			if _, err := parse(q.expr); err != nil {
				t.Errorf("%s, %s: %v", filepath.Base(file), q.panel, err)
			}
		}
	}
	if parsed == 0 {
		t.Error("no dashboard has a query")
	}
}

// TestCollectorDashboard compares the metrics and the labels of the dashboard with the documentation of the receiver and
// of the connector, whose metrics must all be on the dashboard. An end-to-end test checks the metrics of the collector.
func TestCollectorDashboard(t *testing.T) {
	documented := readMetrics(t, "../../jirareceiver/documentation.md", "../../jiraflowconnector/documentation.md")
	shown := map[string]bool{}
	for _, q := range readQueries(t, "../../examples/collector-dashboard.json") {
		expr, err := parse(q.expr)
		if err != nil {
			t.Fatal(q.panel, err)
		}
		var used []string // labels of the query itself
		var names []string
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.AggregateExpr:
				used = append(used, n.Grouping...)
			case *parser.VectorSelector:
				names = append(names, n.Name)
				for _, matcher := range n.LabelMatchers {
					used = append(used, matcher.Name)
				}
			}
			return nil
		})
		for _, match := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(q.legend, -1) {
			if !slices.Contains(used, match[1]) {
				t.Errorf("%s: the legend has the label %s, which the query does not group by", q.panel, match[1])
			}
		}
		for _, name := range names {
			if !strings.HasPrefix(name, "otelcol_receiver_jira_") && !strings.HasPrefix(name, "otelcol_connector_") {
				continue
			}
			name = regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
			labels, found := documented[name]
			if !found {
				t.Errorf("%s: the metric %s does not exist", q.panel, name)
			}
			shown[name] = true
			for _, label := range used {
				if !slices.Contains(append(labels, "__name__", "job", "instance", "le"), label) {
					t.Errorf("%s: the metric %s has no label %s", q.panel, name, label)
				}
			}
		}
	}
	for name := range documented {
		if !shown[name] {
			t.Errorf("the metric %s is not on the dashboard", name)
		}
	}
}

func parse(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(expr)
}

// readMetrics returns the labels of the metrics on pages that mdatagen writes.
func readMetrics(t *testing.T, pages ...string) map[string][]string {
	t.Helper()
	metrics := map[string][]string{}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split(string(content), "\n### ")[1:] {
			name, section, _ := strings.Cut(section, "\n")
			_, attributes, _ := strings.Cut(section, "#### Attributes")
			metrics[name] = []string{}
			for _, row := range regexp.MustCompile(`(?m)^\| ([a-z_]+) \|`).FindAllStringSubmatch(attributes, -1) {
				metrics[name] = append(metrics[name], row[1])
			}
		}
	}
	return metrics
}
