// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// flowMeanings describe the events of the connector jira_flow.
var flowMeanings = map[string]string{
	"jira.issue.lifecycle": "an issue was resolved",
	"jira.issue.stuck":     "an open issue has been in its status for longer than its limit",
	"jira.issue.unstuck":   "an issue left the status in which it was stuck",
}

// flowIntro is the start of the section of docs/attributes.md about the connector. A backtick is written as ´.
const flowIntro = `## Records of the connector jira_flow

[flow.md](flow.md#records) describes the events. The records also have attributes of the sections above, with the same
meaning.

| attribute | description | type | example | on | personal |
|---|---|---|---|---|---|
`

// statusAlias stands for a status, which ends a key of the connector.
const statusAlias = "<status>"

// readFlow returns the attributes that only the connector declares, and what it makes.
func readFlow(root string, receiver *declarations) (own *declarations, seen *flowSeen, err error) {
	if own, err = flowAttributes(root); err != nil {
		return nil, nil, err
	}
	if seen, err = seenFlow(own); err != nil {
		return nil, nil, err
	}
	return own, seen, checkFlow(receiver, own, seen)
}

// flowAttributes returns the attributes that only the connector declares.
func flowAttributes(root string) (*declarations, error) {
	path := filepath.Join(root, "jiraflowconnector", "internal", "attr", "attr.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	declared := &declarations{}
	ast.Inspect(file, func(node ast.Node) bool {
		value, isValue := node.(*ast.ValueSpec)
		if !isValue || value.Comment == nil {
			return true
		}
		if key, keyErr := attributeKey(value); keyErr == nil && strings.HasPrefix(key, ownNamespace) {
			declared.attributes = append(declared.attributes, attribute{key, strings.TrimSpace(value.Comment.Text())})
		}
		return false
	})
	return declared, nil
}

// flowSeen holds what the connector makes.
type flowSeen struct {
	observations
	byEvent map[string]map[string]bool // keys of attributes by event
	metrics map[string]pmetric.Metric  // by name, with one point
	scope   map[string]any
}

// seenFlow lets the connector read the records of a scenario. Between two runs it restarts, so that records of the first
// run are corrected in the second.
func seenFlow(declared *declarations) (*flowSeen, error) {
	first, second, err := flowInput()
	if err != nil {
		return nil, err
	}
	seen := &flowSeen{
		observations: observations{declared: declared, attributes: map[string]*observation{}, events: map[string]bool{}},
		byEvent:      map[string]map[string]bool{}, metrics: map[string]pmetric.Metric{},
	}
	state := &memory{content: map[string][]byte{}}
	for _, logs := range []plog.Logs{first, second} {
		if err := seen.run(state, logs); err != nil {
			return nil, err
		}
	}
	// The time of a stuck issue in its status depends on the time of the call.
	duration := seen.attributes["jira.issue.status.duration_seconds"]
	duration.value, duration.example = int64(93600), "`93600`"
	return seen, nil
}

// flowInput returns the records of both runs: the first one lacks the creations of two issues.
func flowInput() (first, second plog.Logs, err error) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	deliveries, err := jirasim.Scenario("delivery", jirasim.Site{Start: start})
	if err != nil {
		return first, second, err
	}
	first, second = plog.NewLogs(), plog.NewLogs()
	w := newWriting(record.Options{})
	for _, d := range deliveries {
		logs, err := w.logs(d.Body, record.Delivery{})
		if err != nil {
			return first, second, err
		}
		lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		key, _ := lr.Attributes().Get("jira.issue.key")
		isSeenLate := key.Str() == "OPS-4" && lr.EventName() == "jira.issue.created" ||
			key.Str() == "OPS-5" && lr.EventName() != "jira.comment.created"
		if key.Str() == "OPS-5" && !isSeenLate {
			lr.Attributes().PutBool("jira.issue.flagged", true)
		}
		isInFirst := d.At.Before(start.Add(40*time.Hour+30*time.Minute)) || key.Str() == "OPS-5"
		if isInFirst && !isSeenLate {
			logs.ResourceLogs().MoveAndAppendTo(first.ResourceLogs())
		} else {
			logs.ResourceLogs().MoveAndAppendTo(second.ResourceLogs())
		}
	}
	return first, second, nil
}

// run lets a connector read records, and adds everything that it makes until its end.
func (seen *flowSeen) run(state *memory, logs plog.Logs) error {
	ctx := context.Background()
	factory := jiraflowconnector.NewFactory()
	cfg := factory.CreateDefaultConfig().(*jiraflowconnector.Config)
	id := component.MustNewID("memory")
	cfg.Storage, cfg.Lifecycle.Corrections = &id, true
	cfg.SettleTime = time.Hour // the outputs are made at the end
	cfg.Stuck.Limits = map[string]time.Duration{"planned": 24 * time.Hour, "processing": 24 * time.Hour}
	settings := connectortest.NewNopSettings(factory.Type())
	records, metrics := &consumertest.LogsSink{}, &consumertest.MetricsSink{}
	toLogs, err := factory.CreateLogsToLogs(ctx, settings, cfg, records)
	if err != nil {
		return err
	}
	toMetrics, err := factory.CreateLogsToMetrics(ctx, settings, cfg, metrics)
	if err != nil {
		return err
	}
	halves := []connector.Logs{toLogs, toMetrics}
	host := extensions{componenttest.NewNopHost(), map[component.ID]component.Component{id: state}}
	for _, half := range halves {
		err = errors.Join(err, half.Start(ctx, host))
	}
	err = errors.Join(err, toLogs.ConsumeLogs(ctx, logs))
	for _, half := range halves {
		err = errors.Join(err, half.Shutdown(ctx))
	}
	for _, batch := range records.AllLogs() {
		seen.addRecords(batch)
	}
	for _, batch := range metrics.AllMetrics() {
		for _, metric := range batch.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			seen.metrics[metric.Name()] = metric
		}
	}
	return err
}

func (seen *flowSeen) addRecords(logs plog.Logs) {
	scope := logs.ResourceLogs().At(0).ScopeLogs().At(0)
	seen.scope = scope.Scope().Attributes().AsRaw()
	for _, lr := range scope.LogRecords().All() {
		name := lr.EventName()
		seen.events[name] = true
		seen.add(name, lr.Attributes(), false)
		if seen.byEvent[name] == nil {
			seen.byEvent[name] = map[string]bool{}
		}
		for key := range lr.Attributes().All() {
			seen.byEvent[name][seen.declared.templateOf(key)] = true
		}
	}
}

// flowSection returns the section of docs/attributes.md about the connector.
func flowSection(own *declarations, seen *flowSeen) string {
	page := strings.Builder{}
	page.WriteString(backticks(flowIntro))
	for _, attr := range own.attributes {
		page.WriteString(strings.Replace(attr.row(&seen.observations), customAlias, statusAlias, 1))
	}
	return page.String() + "\n"
}

// checkFlow returns an error if an attribute has no declaration, or if no record has a declared attribute.
func checkFlow(receiver, own *declarations, seen *flowSeen) error {
	known := map[string]bool{}
	for _, attr := range receiver.attributes {
		known[attr.key] = true
	}
	for _, attr := range own.attributes {
		if known[attr.key] || seen.attributes[attr.key] == nil {
			return fmt.Errorf("%s: the receiver declares it too, or no record of the connector has it", attr.key)
		}
		known[attr.key] = true
	}
	for key := range seen.attributes {
		if !known[key] {
			return fmt.Errorf("attr.go has no comment on %s, which records have", key)
		}
	}
	return nil
}

// flowGroups returns the attributes, the events and the metrics of the connector.
func flowGroups(own *declarations, seen *flowSeen) ([]group, error) {
	attributes := group{
		ID: "registry.jira.flow", Type: "attribute_group", DisplayName: "Flow",
		Brief: "Attributes of records of the connector jira_flow.",
	}
	for _, attr := range own.attributes {
		definition, err := attr.definition(seen.attributes[attr.key])
		if err != nil {
			return nil, err
		}
		attributes.Attributes = append(attributes.Attributes, definition)
	}
	all := []group{attributes}
	for _, name := range slices.Sorted(maps.Keys(seen.byEvent)) {
		event := group{
			ID: "event." + name, Type: "event", Name: name, Stability: stability, Brief: sentence(flowMeanings[name]),
		}
		for _, key := range slices.Sorted(maps.Keys(seen.byEvent[name])) {
			event.Attributes = append(event.Attributes, convention{Ref: registryID(key), Level: flowLevel(key)})
		}
		all = append(all, event)
	}
	for _, name := range slices.Sorted(maps.Keys(seen.metrics)) {
		all = append(all, flowMetric(seen.metrics[name]))
	}
	return all, nil
}

// flowLevel returns the requirement level of an attribute of a record of the connector.
func flowLevel(key string) any {
	if key == "log.record.uid" || key == "jira.issue.id" {
		return levelRequired
	}
	return condition("If the value is known, and the record is about it.")
}

// flowMetric returns the group of a metric of the connector, by one of its points.
func flowMetric(m pmetric.Metric) group {
	g := group{
		ID: "metric." + m.Name(), Type: "metric", MetricName: m.Name(), Brief: m.Description(), Unit: m.Unit(),
		Stability: stability,
	}
	var point pcommon.Map
	switch m.Type() {
	case pmetric.MetricTypeSum:
		g.Instrument, point = "counter", m.Sum().DataPoints().At(0).Attributes()
	case pmetric.MetricTypeHistogram:
		g.Instrument, point = "histogram", m.Histogram().DataPoints().At(0).Attributes()
	default:
		g.Instrument, point = "gauge", m.Gauge().DataPoints().At(0).Attributes()
	}
	for _, key := range slices.Sorted(maps.Keys(point.AsRaw())) {
		level := any(levelRequired)
		if !strings.HasSuffix(key, ".mapped") {
			level = condition("If metrics::dimensions contains it, as by default.")
		}
		g.Attributes = append(g.Attributes, convention{Ref: key, Level: level})
	}
	options := []string{"jira.issue.priority.name", "jira.site.url"}
	if _, hasStatus := point.Get("jira.issue.status.mapped"); hasStatus {
		options = append(options, "jira.issue.status.name")
	}
	for _, key := range options {
		g.Attributes = append(g.Attributes, convention{Ref: key, Level: levelOptIn})
	}
	return g
}

// extensions is a host with extensions.
type extensions struct {
	component.Host
	all map[component.ID]component.Component
}

func (e extensions) GetExtensions() map[component.ID]component.Component { return e.all }

// memory is a storage extension with one client.
type memory struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
	content map[string][]byte
}

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return m, nil
}

func (m *memory) Batch(_ context.Context, operations ...*storage.Operation) error {
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = m.content[o.Key]
		case storage.Set:
			m.content[o.Key] = o.Value
		case storage.Delete:
			delete(m.content, o.Key)
		}
	}
	return nil
}

func (*memory) Close(context.Context) error { return nil }
