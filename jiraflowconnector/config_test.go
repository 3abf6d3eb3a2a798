// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

// load reads a configuration as the collector does, and validates it.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	err := cfg.Validate()
	return cfg, err
}

func TestDefaults(t *testing.T) {
	cfg, err := load(t, "")
	require.NoError(t, err)
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Nil(t, cfg.Calendar)
}

const everything = `
max_issues: 200000
settle_time: 1m
storage: file_storage/jira
pass_through: true
cycle:
  start: [started]
  end: [released]
  active: [started, tested]
lifecycle:
  enabled: true
  corrections: true
stuck:
  limits:
    started: 72h
  rules:
    - projects: [OPS]
      priorities: [Highest]
      statuses: [started]
      limit: 4h
    - projects: [WEB]
      limit: 0
metrics:
  flush_interval: 1m
  temporality: delta
  dimensions: [jira.project.key]
  buckets: [1h, 24h]
  max_series: 100
  count_backfill: true
calendar:
  time_zone: Europe/Berlin
  weekdays: [Monday, tuesday]
  hours: ["09:00-12:00", "13:00-24:00"]
  holidays: ["2026-12-25"]
`

func TestEveryOptionIsRead(t *testing.T) {
	cfg, err := load(t, everything)
	require.NoError(t, err)
	assert.Equal(t, 200000, cfg.MaxIssues)
	assert.Equal(t, time.Minute, cfg.SettleTime)
	assert.Equal(t, "file_storage/jira", cfg.Storage.String())
	assert.True(t, cfg.PassThrough)
	assert.Equal(t, CycleConfig{Start: []string{"started"}, End: []string{"released"}, Active: []string{"started", "tested"}},
		cfg.Cycle)
	assert.Equal(t, LifecycleConfig{Enabled: true, Corrections: true}, cfg.Lifecycle)
	four, zero := 4*time.Hour, time.Duration(0)
	assert.Equal(t, StuckConfig{
		Limits: map[string]time.Duration{"started": 72 * time.Hour},
		Rules: []StuckRule{
			{Projects: []string{"OPS"}, Priorities: []string{"Highest"}, Statuses: []string{"started"}, Limit: &four},
			{Projects: []string{"WEB"}, Limit: &zero},
		},
	}, cfg.Stuck)
	assert.Equal(t, MetricsConfig{
		FlushInterval: time.Minute, Temporality: Delta, Dimensions: []string{"jira.project.key"},
		Buckets: []time.Duration{time.Hour, 24 * time.Hour}, MaxSeries: 100, CountBackfill: true,
	}, cfg.Metrics)
	assert.Equal(t, &CalendarConfig{
		TimeZone: "Europe/Berlin", Weekdays: []string{"Monday", "tuesday"},
		Hours: []string{"09:00-12:00", "13:00-24:00"}, Holidays: []string{"2026-12-25"},
	}, cfg.Calendar)
}

// TestEverything fails if an option is added that the example does not set.
func TestEverything(t *testing.T) {
	var keys []string
	var collect func(of reflect.Type)
	collect = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[Config]().PkgPath() {
			return
		}
		for field := range of.Fields() {
			if key := field.Tag.Get("mapstructure"); key != "" {
				keys = append(keys, key)
				collect(field.Type)
			}
		}
	}
	collect(reflect.TypeFor[Config]())
	for _, key := range keys {
		assert.Contains(t, everything, key+":")
	}
	assert.Greater(t, len(keys), 25)
}

func TestCalendarDefaults(t *testing.T) {
	cfg, err := load(t, "calendar: {time_zone: UTC}")
	require.NoError(t, err)
	assert.Equal(t, defaultWeekdays, cfg.Calendar.Weekdays)
	assert.Equal(t, defaultHours, cfg.Calendar.Hours)
	cfg, err = load(t, "calendar:")
	require.NoError(t, err)
	assert.Nil(t, cfg.Calendar)
}

// invalidConfigs holds configurations with one mistake each, and a part of the error.
var invalidConfigs = map[string]string{
	"max_issue: 1":                                                      "max_issue: there is no such key; did you mean max_issues?",
	"cycle: {begin: [x]}":                                               "cycle::begin: there is no such key; write one of these keys: active, end, start",
	"stuck: {rules: [{project: OPS}]}":                                  "stuck::rules[0]::project: there is no such key; did you mean stuck::rules[0]::projects?",
	"calendar: {timezone: UTC}":                                         "calendar::timezone: there is no such key; did you mean calendar::time_zone?",
	"max_issues: many":                                                  `max_issues: "many" is not a whole number; write it without a unit`,
	"settle_time: long":                                                 `settle_time: "long" is not a duration; write it with the units h, m and s`,
	"stuck: {limits: [72h]}":                                            "stuck::limits: not a section; write pairs below it, such as processing: 72h",
	"metrics: 5":                                                        "metrics: not a section; write its keys below it, indented",
	"max_issues: 0":                                                     "max_issues: 0 is not a positive number; set the largest number of issues",
	"settle_time: 10":                                                   "settle_time: 10ns is less than a millisecond; write it with a unit",
	"settle_time: -1s":                                                  "settle_time: -1s is less than a millisecond",
	"settle_time: 2h":                                                   "settle_time: 2h0m0s is more than an hour",
	"cycle: {start: []}":                                                "cycle::start: empty; list mapped values of statuses, such as [processing]",
	"cycle: {end: []}":                                                  "cycle::end: empty",
	"cycle: {start: [done]}":                                            `cycle::start[0]: "done" is in cycle::end too; keep one of them`,
	"cycle: {active: [processing, done]}":                               `cycle::active[1]: "done" is in cycle::end too`,
	"cycle: {active: [a, a]}":                                           "cycle::active[1]: the same as cycle::active[0]; keep one",
	`cycle: {active: [" a"]}`:                                           "cycle::active[0]: empty, or begins or ends with white space",
	"lifecycle: {enabled: false, corrections: true}":                    "lifecycle::corrections: there is nothing to correct",
	"stuck: {limits: {processing: 72}}":                                 "stuck::limits::processing: 72ns is less than a second; set the longest time",
	"stuck: {limits: {done: 72h}}":                                      "stuck::limits::done: issues in such a status are resolved",
	"stuck: {rules: [{projects: [OPS]}]}":                               "stuck::rules[0]::limit: not set",
	"stuck: {rules: [{limit: 5}]}":                                      "stuck::rules[0]::limit: 5ns is less than a second",
	"stuck: {rules: [{limit: 5h, statuses: [done]}]}":                   "stuck::rules[0]::statuses[0]: issues in such a status are resolved",
	"stuck: {rules: [{limit: 5h, projects: [A, A]}]}":                   "stuck::rules[0]::projects[1]: the same as",
	`stuck: {rules: [{limit: 5h, priorities: [""]}]}`:                   "stuck::rules[0]::priorities[0]: empty",
	"metrics: {flush_interval: 30}":                                     "metrics::flush_interval: 30ns is less than a second; write it with a unit",
	"metrics: {temporality: sum}":                                       `metrics::temporality: "sum" is not a temporality; write cumulative, or delta`,
	"metrics: {dimensions: [jira.issue.key]}":                           `metrics::dimensions[0]: "jira.issue.key" is not an attribute of the metrics; choose from`,
	"metrics: {buckets: []}":                                            "metrics::buckets: empty",
	"metrics: {buckets: [2h, 1h]}":                                      "metrics::buckets[1]: 1h0m0s is not more than the bound before",
	"metrics: {buckets: [5]}":                                           "metrics::buckets[0]: 5ns is less than a second",
	"metrics: {max_series: -1}":                                         "metrics::max_series: -1 is not a positive number",
	"calendar: {weekdays: [monday]}":                                    `calendar::time_zone: "" is not the name of a time zone; write it like Europe/Berlin`,
	"calendar: {time_zone: CEST-summer}":                                `calendar::time_zone: "CEST-summer" is not the name of a time zone`,
	"calendar: {time_zone: Local}":                                      `calendar::time_zone: "Local" is not the name of a time zone`,
	"calendar: {time_zone: UTC, weekdays: [mo]}":                        `calendar::weekdays[0]: "mo" is not a weekday; write it like monday`,
	"calendar: {time_zone: UTC, weekdays: []}":                          "calendar::weekdays: empty",
	"calendar: {time_zone: UTC, hours: []}":                             "calendar::hours: empty",
	`calendar: {time_zone: UTC, hours: ["9-17"]}`:                       `calendar::hours[0]: "9-17": not working hours; write them like 09:00-17:30`,
	`calendar: {time_zone: UTC, hours: ["22:00-06:00"]}`:                "write hours over midnight as two entries",
	`calendar: {time_zone: UTC, hours: ["09:00-12:00", "11:00-13:00"]}`: `calendar::hours[1]: "11:00-13:00" overlaps with other hours; join them`,
	`calendar: {time_zone: UTC, holidays: ["25.12.2026"]}`:              `calendar::holidays[0]: "25.12.2026" is not a date; write it like 2026-12-25`,
}

func TestInvalidConfigs(t *testing.T) {
	for text, want := range invalidConfigs {
		_, err := load(t, text)
		assert.ErrorContains(t, err, want, text)
	}
}

// TestSchema checks that config.schema.json accepts the options, and rejects the mistakes that a schema can find.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("config.schema.json#/$defs/jira_flow")
	require.NoError(t, err)
	validate := func(text string) error {
		var document any
		require.NoError(t, yaml.Unmarshal([]byte(text), &document), text)
		return schema.Validate(document)
	}
	for _, valid := range []string{everything, "{}", "calendar:", "stuck: {rules: [{limit: 0}]}"} {
		assert.NoError(t, validate(valid))
	}
	var accepted []string
	for text := range invalidConfigs {
		if validate(text) == nil {
			accepted = append(accepted, text)
		}
	}
	assert.ElementsMatch(t, []string{
		"settle_time: 2h",
		"cycle: {start: [done]}",
		"cycle: {active: [processing, done]}",
		"lifecycle: {enabled: false, corrections: true}",
		"stuck: {limits: {done: 72h}}",
		"stuck: {rules: [{limit: 5h, statuses: [done]}]}",
		"metrics: {buckets: [2h, 1h]}",
		"calendar: {time_zone: CEST-summer}",
		`calendar: {time_zone: UTC, hours: ["22:00-06:00"]}`,
		`calendar: {time_zone: UTC, hours: ["09:00-12:00", "11:00-13:00"]}`,
	}, accepted, "mistakes that concern two values, an amount of time, or a table of names")
}

// TestAllMistakes reports all mistakes at once.
func TestAllMistakes(t *testing.T) {
	_, err := load(t, `
max_issues: -1
settle_time: 5
cycle: {start: [done]}
stuck: {limits: {planned: 1}, rules: [{}]}
metrics: {flush_interval: 0, max_series: 0, temporality: x}
calendar: {weekdays: [x], hours: [y], holidays: [z]}
`)
	require.Error(t, err)
	assert.Equal(t, 12, strings.Count(err.Error(), "\n  "), err.Error())
}
