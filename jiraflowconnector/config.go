// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-jira/collector/internal/strictconf"
	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
)

// Config is the configuration of the connector.
type Config struct {
	// MaxIssues is the largest number of issues in memory. Beyond it, the connector drops deleted issues first, then the
	// issues that have been resolved for the longest time, then the issues without a record for the longest time.
	// Default: 100000.
	MaxIssues int `mapstructure:"max_issues"`
	// SettleTime is the time for which the connector waits for further records of an issue before it makes outputs of a
	// change, so that records can arrive in any order. Default: 10s.
	SettleTime time.Duration `mapstructure:"settle_time"`
	// Storage is a storage extension that keeps the issues over a restart. Default: none.
	Storage *component.ID `mapstructure:"storage"`
	// PassThrough passes the records on to the logs pipeline, besides the records of the connector. A transition gains
	// the attribute jira.issue.status.previous.duration_seconds. Default: false.
	PassThrough bool `mapstructure:"pass_through"`
	// Cycle defines the cycle by mapped values of statuses.
	Cycle CycleConfig `mapstructure:"cycle"`
	// Lifecycle configures the records of the event jira.issue.lifecycle.
	Lifecycle LifecycleConfig `mapstructure:"lifecycle"`
	// Stuck configures the limits of the time in a status.
	Stuck StuckConfig `mapstructure:"stuck"`
	// Metrics configures the metrics.
	Metrics MetricsConfig `mapstructure:"metrics"`
	// Calendar restricts all durations to working hours. Default: none, so that all time counts.
	Calendar *CalendarConfig `mapstructure:"calendar"`

	mistakes strictconf.Mistakes // of Unmarshal

	// prevent unkeyed literal initialization
	_ struct{}
}

// CycleConfig defines the cycle by mapped values of statuses.
type CycleConfig struct {
	// Start lists the mapped values that start the cycle. Default: processing.
	Start []string `mapstructure:"start"`
	// End lists the mapped values that end the cycle. An issue in another status is open. Default: done, canceled.
	End []string `mapstructure:"end"`
	// Active lists the mapped values in which work is done. In other statuses, an issue waits. Default: processing.
	Active []string `mapstructure:"active"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// LifecycleConfig configures the records of the event jira.issue.lifecycle.
type LifecycleConfig struct {
	// Enabled sends a record for each resolution. Default: true.
	Enabled bool `mapstructure:"enabled"`
	// Corrections sends the record again, with the same log.record.uid and a higher jira.issue.lifecycle.revision, if a
	// late change has changed its numbers. Default: false.
	Corrections bool `mapstructure:"corrections"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// StuckConfig configures the limits of the time in a status.
type StuckConfig struct {
	// Limits holds the limit for each mapped value. Default: none, so that no issue is stuck.
	Limits map[string]time.Duration `mapstructure:"limits"`
	// Rules are limits for projects, priorities and mapped values. The first rule that matches counts more than Limits.
	// Default: none.
	Rules []StuckRule `mapstructure:"rules"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// StuckRule is a limit for some issues. An empty list matches all of them.
type StuckRule struct {
	// Projects lists keys of projects.
	Projects []string `mapstructure:"projects"`
	// Priorities lists names of priorities.
	Priorities []string `mapstructure:"priorities"`
	// Statuses lists mapped values of statuses.
	Statuses []string `mapstructure:"statuses"`
	// Limit is the longest time in a status. 0: no limit.
	Limit *time.Duration `mapstructure:"limit"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Temporality selects whether metrics contain totals or increments.
type Temporality string

const (
	// Cumulative metrics contain the total since the start of the connector, for backends such as Prometheus.
	Cumulative Temporality = "cumulative"
	// Delta metrics contain the increment since the last flush.
	Delta Temporality = "delta"
)

// MetricsConfig configures the metrics.
type MetricsConfig struct {
	// FlushInterval is the time between two sets of metrics, and between two searches for stuck issues. Default: 30s.
	FlushInterval time.Duration `mapstructure:"flush_interval"`
	// Temporality is cumulative or delta. Default: cumulative.
	Temporality Temporality `mapstructure:"temporality"`
	// Dimensions lists the attributes of all metrics, besides the mapped values of statuses: jira.site.url,
	// jira.project.key, jira.issue.type.name, jira.issue.priority.name and jira.issue.status.name. Default:
	// jira.project.key, jira.issue.type.name.
	Dimensions []string `mapstructure:"dimensions"`
	// Buckets lists the upper bounds of the histograms. Default: 15m, 1h, 4h, 8h, 24h, 48h, 72h, 120h, 168h, 336h, 720h,
	// 2160h.
	Buckets []time.Duration `mapstructure:"buckets"`
	// MaxSeries is the largest number of time series of a metric. Values of further series go to a series with the
	// attribute otel.metric.overflow. Default: 5000.
	MaxSeries int `mapstructure:"max_series"`
	// CountBackfill counts the changes that were read from a back-fill. Default: false, because backends would show them
	// at the time of the back-fill.
	CountBackfill bool `mapstructure:"count_backfill"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// CalendarConfig describes the working hours.
type CalendarConfig struct {
	// TimeZone is a name of the time zone database, such as Europe/Berlin. It has no default.
	TimeZone string `mapstructure:"time_zone"`
	// Weekdays lists the days of work. Default: monday to friday.
	Weekdays []string `mapstructure:"weekdays"`
	// Hours lists the working hours of a day, such as 09:00-12:30. Default: 09:00-17:00.
	Hours []string `mapstructure:"hours"`
	// Holidays lists days without work, such as 2026-12-25. Default: none.
	Holidays []string `mapstructure:"holidays"`
	// prevent unkeyed literal initialization
	_ struct{}
}

const (
	defaultMaxIssues     = 100_000
	defaultSettleTime    = 10 * time.Second
	defaultFlushInterval = 30 * time.Second
	defaultMaxSeries     = 5000
)

var (
	defaultWeekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday"}
	defaultHours    = []string{"09:00-17:00"}
)

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	return &Config{
		MaxIssues:  defaultMaxIssues,
		SettleTime: defaultSettleTime,
		Cycle: CycleConfig{
			Start:  []string{"processing"},
			End:    []string{"done", "canceled"},
			Active: []string{"processing"},
		},
		Lifecycle: LifecycleConfig{Enabled: true},
		Metrics: MetricsConfig{
			FlushInterval: defaultFlushInterval,
			Temporality:   Cumulative,
			Dimensions:    []string{attr.ProjectKey, attr.IssueTypeName},
			Buckets: []time.Duration{
				15 * time.Minute, time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour,
				120 * time.Hour, 168 * time.Hour, 336 * time.Hour, 720 * time.Hour, 2160 * time.Hour,
			},
			MaxSeries: defaultMaxSeries,
		},
	}
}
