// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
)

// contender is a server that accepts deliveries.
type contender struct {
	name    string
	command []string
	env     []string
	exports bool // whether the records go to the sink
	oneCore bool

	onRecords func(request []byte) error // called for each request to the sink; may be nil
}

func onOneCore(contenders []contender) []contender {
	for i := range contenders {
		contenders[i].oneCore = true
	}
	return contenders
}

// programs are the paths of the programs and files that the contenders need.
type programs struct {
	collector, genericCollector, telegraf string
	configs                               string // folder
	durable                               string // examples/durable.yaml
}

// peers returns the floor, this receiver, and the receivers that users would take instead.
func (p programs) peers() []contender {
	generic := []string{p.genericCollector, "--config", filepath.Join(p.configs, "webhook_event.yaml")}
	return []contender{
		{name: "the floor", command: []string{os.Args[0], "floor"}},
		p.jira(),
		{name: "`webhook_event` + transform", command: generic, env: []string{"BENCH_KEEP_ALIVES=false"}},
		{name: "the same with keep-alives", command: generic, env: []string{"BENCH_KEEP_ALIVES=true"}},
		{name: "telegraf + `json_v2`", command: []string{p.telegraf, filepath.Join(p.configs, "telegraf.conf")}},
	}
}

// jira returns this receiver with its defaults, and an exporter that discards the records.
func (p programs) jira(settings ...string) contender {
	return contender{name: "`jira`", command: withSettings([]string{p.collector, "--config", filepath.Join(p.configs, "jira.yaml")}, settings...)}
}

// repair returns this receiver in the mode repair.
func (p programs) repair() contender {
	return contender{name: "`jira`", command: []string{p.collector, "--config", filepath.Join(p.configs, "jira-repair.yaml")}}
}

// deployment is examples/durable.yaml with other settings.
type deployment struct {
	name     string
	settings []string
}

const (
	noFile  = "receivers::jira::deduplication::file=null"
	noFsync = "extensions::file_storage::fsync=false"
)

// deployments begin with the base of their comparison.
var deployments = []deployment{
	{"queue in memory", []string{"exporters::otlp_http::sending_queue::storage=null", noFile}},
	{"persistent queue and deduplication, no fsync", []string{noFsync}},
	{"`durable.yaml`: the same with fsync", nil},
	{"`durable.yaml` with `batch` in its queue", []string{"exporters::otlp_http::sending_queue::batch={sizer: items, min_size: 100, flush_timeout: 100ms}"}},
	{"no queue: 200 means stored", []string{"exporters::otlp_http::sending_queue::enabled=false"}},
}

// inDeployments returns a contender for each deployment, with a collector.
func (p programs) inDeployments(collector string) []contender {
	var contenders []contender
	for _, d := range deployments {
		contenders = append(contenders, contender{
			name:    d.name,
			command: withSettings(withSettings([]string{collector, "--config", p.durable}, forBenchmark...), d.settings...),
			exports: true,
		})
	}
	return contenders
}

// forBenchmark makes examples/durable.yaml run here. The collector expands the variables.
var forBenchmark = []string{
	"receivers::jira::endpoint=${env:BENCH_ENDPOINT}",
	"receivers::jira::path=" + path,
	"receivers::jira::tls=null",
	"receivers::jira::signature::secrets=[\"${env:BENCH_SECRET}\"]",
	"receivers::jira::deduplication::file=${env:BENCH_DIR}/deliveries",
	"receivers::jira::admission::disk::directories=[\"${env:BENCH_DIR}\"]",
	"exporters::otlp_http::endpoint=${env:BENCH_SINK}",
	"extensions::file_storage::directory=${env:BENCH_DIR}",
	"extensions::pprof::endpoint=${env:BENCH_PPROF_ENDPOINT}",
	"service::extensions=[file_storage, pprof]",
	"service::telemetry::logs::level=error",
	`service::telemetry::metrics::readers=[{pull: {exporter: {prometheus: {host: localhost, port: "${env:BENCH_METRICS_PORT}"}}}}]`,
}

// options are settings of the receiver beside its defaults.
var options = []deployment{
	{"defaults", nil},
	{"without deduplication", []string{"receivers::jira::deduplication::enabled=false"}},
	{"`deduplication::file`", []string{withFile}},
	{"metrics of the collector: none", []string{"service::telemetry::metrics::level=none"}},
	{"metrics of the collector: detailed", []string{detailed}},
	{"`include::payload`", []string{withPayload}},
	{"`include::user_details`, `description` and `comment_body`", []string{withDetails}},
	{"`changelog: split`", []string{split}},
	{"three `custom_fields`", []string{customFields}},
	{"`events` with three patterns", []string{patterns}},
	{"`severity` and `status::mapping`", []string{severity, mapping}},
	{"everything on", []string{withFile, detailed, withPayload, withDetails, split, customFields, patterns, severity, mapping}},
}

const (
	withFile     = "receivers::jira::deduplication::file=${env:BENCH_DIR}/deliveries"
	detailed     = "service::telemetry::metrics::level=detailed"
	withPayload  = "receivers::jira::include::payload=true"
	withDetails  = "receivers::jira::include={user_details: true, description: true, comment_body: true}"
	split        = "receivers::jira::changelog=split"
	customFields = "receivers::jira::custom_fields={customfield_10016: story_points, customfield_10020: sprint, customfield_10103: team}"
	patterns     = "receivers::jira::events={include: [jira.issue.*, jira.comment.*], exclude: [jira.worklog.*]}"
	severity     = "receivers::jira::severity::priorities={Highest: error, High: warn}"
	mapping      = "receivers::jira::status::mapping={processing: [Review, Testing], done: [Shipped]}"
)

func (p programs) options() []contender {
	var contenders []contender
	for _, o := range options {
		c := p.jira(o.settings...)
		c.name = o.name
		contenders = append(contenders, c)
	}
	return contenders
}

func withSettings(command []string, settings ...string) []string {
	command = slices.Clone(command)
	for _, setting := range settings {
		command = append(command, "--set", setting)
	}
	return command
}
