// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones, for images without a time zone database

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/calendar"
)

// Validate reports all mistakes of Unmarshal and all invalid values.
func (cfg *Config) Validate() error {
	return cfg.mistakes.Join(errors.Join(
		cfg.validateLimits(),
		cfg.Cycle.validate(),
		cfg.validateLifecycle(),
		cfg.Stuck.validate(cfg.Cycle.End),
		cfg.Metrics.validate(),
		cfg.Calendar.validate(),
	))
}

const maxSettleTime = time.Hour

func (cfg *Config) validateLimits() error {
	var errs []error
	if cfg.MaxIssues <= 0 {
		errs = append(errs, fmt.Errorf("max_issues: %d is not a positive number; "+
			"set the largest number of issues in memory, such as %d", cfg.MaxIssues, defaultMaxIssues))
	}
	if isTooShort(cfg.SettleTime) {
		errs = append(errs, fmt.Errorf("settle_time: %s is less than a millisecond; "+
			"write it with a unit, such as %s, or 0 to wait for no other record", cfg.SettleTime, defaultSettleTime))
	}
	if cfg.SettleTime > maxSettleTime {
		errs = append(errs, fmt.Errorf("settle_time: %s is more than an hour; "+
			"set the time within which the records of an issue arrive, such as %s", cfg.SettleTime, defaultSettleTime))
	}
	return errors.Join(errs...)
}

// isTooShort finds durations without a unit, which the decoder takes for nanoseconds.
func isTooShort(d time.Duration) bool { return d != 0 && d < time.Millisecond }

func (cfg *CycleConfig) validate() error {
	var errs []error
	for _, list := range []struct {
		key, example string
		values       []string
	}{{"cycle::start", "[processing]", cfg.Start}, {"cycle::end", "[done, canceled]", cfg.End}} {
		if len(list.values) == 0 {
			errs = append(errs, fmt.Errorf("%s: empty; list mapped values of statuses, such as %s", list.key, list.example))
		}
	}
	errs = append(errs, validateTexts("cycle::start", cfg.Start), validateTexts("cycle::end", cfg.End),
		validateTexts("cycle::active", cfg.Active))
	for _, list := range []struct {
		key    string
		values []string
	}{{"cycle::start", cfg.Start}, {"cycle::active", cfg.Active}} {
		for i, value := range list.values {
			if slices.Contains(cfg.End, value) {
				errs = append(errs, fmt.Errorf("%s[%d]: %q is in cycle::end too; keep one of them", list.key, i, value))
			}
		}
	}
	return errors.Join(errs...)
}

// validateTexts reports the empty texts of a list, and the texts that it contains twice.
func validateTexts(path string, values []string) error {
	var errs []error
	for i, value := range values {
		if strings.TrimSpace(value) != value || value == "" {
			errs = append(errs, fmt.Errorf("%s[%d]: empty, or begins or ends with white space; write the text alone",
				path, i))
		}
		if first := slices.Index(values, value); first < i {
			errs = append(errs, fmt.Errorf("%s[%d]: the same as %s[%d]; keep one", path, i, path, first))
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateLifecycle() error {
	if cfg.Lifecycle.Corrections && !cfg.Lifecycle.Enabled {
		return errors.New("lifecycle::corrections: there is nothing to correct, because lifecycle::enabled is false; " +
			"set lifecycle::enabled to true, or remove lifecycle::corrections")
	}
	return nil
}

func (cfg *StuckConfig) validate(end []string) error {
	var errs []error
	for _, mapped := range slices.Sorted(maps.Keys(cfg.Limits)) {
		path := "stuck::limits::" + mapped
		if limit := cfg.Limits[mapped]; limit < time.Second {
			errs = append(errs, fmt.Errorf("%s: %s is less than a second; "+
				"set the longest time in such a status, such as 72h", path, limit))
		}
		if slices.Contains(end, mapped) {
			errs = append(errs, fmt.Errorf("%s: issues in such a status are resolved, because cycle::end contains it; "+
				"remove the limit", path))
		}
	}
	for i, rule := range cfg.Rules {
		errs = append(errs, rule.validate(fmt.Sprintf("stuck::rules[%d]", i), end))
	}
	return errors.Join(errs...)
}

func (r *StuckRule) validate(path string, end []string) error {
	errs := []error{
		validateTexts(path+"::projects", r.Projects),
		validateTexts(path+"::priorities", r.Priorities),
		validateTexts(path+"::statuses", r.Statuses),
	}
	switch {
	case r.Limit == nil:
		errs = append(errs, fmt.Errorf("%s::limit: not set; set the longest time in a status, such as 4h, "+
			"or 0 for no limit", path))
	case *r.Limit != 0 && *r.Limit < time.Second:
		errs = append(errs, fmt.Errorf("%s::limit: %s is less than a second; set the longest time in a status, "+
			"such as 4h, or 0 for no limit", path, *r.Limit))
	}
	for i, mapped := range r.Statuses {
		if slices.Contains(end, mapped) {
			errs = append(errs, fmt.Errorf("%s::statuses[%d]: issues in such a status are resolved, because cycle::end "+
				"contains it; remove it", path, i))
		}
	}
	return errors.Join(errs...)
}

// dimensions are the attributes that Dimensions may contain.
var dimensions = []string{attr.SiteURL, attr.ProjectKey, attr.IssueTypeName, attr.PriorityName, attr.StatusName}

func (cfg *MetricsConfig) validate() error {
	errs := []error{validateTexts("metrics::dimensions", cfg.Dimensions), cfg.validateBuckets()}
	if cfg.FlushInterval < time.Second {
		errs = append(errs, fmt.Errorf("metrics::flush_interval: %s is less than a second; "+
			"write it with a unit, such as %s", cfg.FlushInterval, defaultFlushInterval))
	}
	if cfg.Temporality != Cumulative && cfg.Temporality != Delta {
		errs = append(errs, fmt.Errorf("metrics::temporality: %q is not a temporality; write %s, or %s for backends "+
			"that add up increments", cfg.Temporality, Cumulative, Delta))
	}
	for i, dimension := range cfg.Dimensions {
		if !slices.Contains(dimensions, dimension) {
			errs = append(errs, fmt.Errorf("metrics::dimensions[%d]: %q is not an attribute of the metrics; "+
				"choose from %s", i, dimension, strings.Join(dimensions, ", ")))
		}
	}
	if cfg.MaxSeries <= 0 {
		errs = append(errs, fmt.Errorf("metrics::max_series: %d is not a positive number; "+
			"set the largest number of time series of a metric, such as %d", cfg.MaxSeries, defaultMaxSeries))
	}
	return errors.Join(errs...)
}

func (cfg *MetricsConfig) validateBuckets() error {
	var errs []error
	if len(cfg.Buckets) == 0 {
		errs = append(errs, errors.New("metrics::buckets: empty; list the upper bounds, such as [1h, 24h, 168h]"))
	}
	for i, bound := range cfg.Buckets {
		switch {
		case bound < time.Second:
			errs = append(errs, fmt.Errorf("metrics::buckets[%d]: %s is less than a second; "+
				"write it with a unit, such as 24h", i, bound))
		case i > 0 && bound <= cfg.Buckets[i-1]:
			errs = append(errs, fmt.Errorf("metrics::buckets[%d]: %s is not more than the bound before; "+
				"list the bounds in ascending order", i, bound))
		}
	}
	return errors.Join(errs...)
}

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
}

func (cfg *CalendarConfig) validate() error {
	_, err := cfg.options()
	return err
}

// options returns the calendar, and all mistakes in its configuration.
func (cfg *CalendarConfig) options() (calendar.Options, error) {
	if cfg == nil {
		return calendar.Options{}, nil
	}
	var errs []error
	o := calendar.Options{}
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil || cfg.TimeZone == "" || cfg.TimeZone == "Local" {
		errs = append(errs, fmt.Errorf("calendar::time_zone: %q is not the name of a time zone; "+
			"write it like Europe/Berlin or UTC", cfg.TimeZone))
	}
	o.Zone = zone
	errs = append(errs, cfg.addWeekdays(&o), cfg.addHours(&o))
	for i, text := range cfg.Holidays {
		day, err := calendar.ParseDate(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("calendar::holidays[%d]: %q is %w", i, text, err))
		}
		o.Holidays = append(o.Holidays, day)
	}
	return o, errors.Join(errs...)
}

func (cfg *CalendarConfig) addWeekdays(o *calendar.Options) error {
	if len(cfg.Weekdays) == 0 {
		return errors.New("calendar::weekdays: empty; list the days of work, such as [monday, tuesday]")
	}
	errs := []error{validateTexts("calendar::weekdays", cfg.Weekdays)}
	for i, name := range cfg.Weekdays {
		day, known := weekdays[strings.ToLower(name)]
		if !known {
			errs = append(errs, fmt.Errorf("calendar::weekdays[%d]: %q is not a weekday; write it like monday", i, name))
		}
		o.Weekdays = append(o.Weekdays, day)
	}
	return errors.Join(errs...)
}

func (cfg *CalendarConfig) addHours(o *calendar.Options) error {
	if len(cfg.Hours) == 0 {
		return errors.New("calendar::hours: empty; list the working hours of a day, such as [\"09:00-17:00\"]")
	}
	var errs []error
	for i, text := range cfg.Hours {
		hours, err := calendar.ParseHours(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("calendar::hours[%d]: %q: %w", i, text, err))
			continue
		}
		if at := slices.IndexFunc(o.Hours, func(h calendar.Hours) bool {
			return hours.From < h.To && h.From < hours.To
		}); at >= 0 {
			errs = append(errs, fmt.Errorf("calendar::hours[%d]: %q overlaps with other hours; join them", i, text))
		}
		o.Hours = append(o.Hours, hours)
	}
	return errors.Join(errs...)
}
