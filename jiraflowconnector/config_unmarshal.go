// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal reads the keys and rejects unknown keys. A list replaces its default. A key without a value, such as
// calendar: below which everything is commented out, counts as not set.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if conf.IsSet("calendar") && conf.Get("calendar") != nil {
		cfg.Calendar = &CalendarConfig{Weekdays: slices.Clone(defaultWeekdays), Hours: slices.Clone(defaultHours)}
	}
	return withAdvice(conf.Unmarshal(cfg))
}

// withAdvice adds advice to the known errors of the decoder.
func withAdvice(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct{ symptom, advice string }{
		{"has invalid keys", "these keys do not exist here; check their spelling and their indentation"},
		{"'string', got unconvertible type 'int'", "put texts that consist of digits in quotes"},
		{"must be an array or slice", "write a list, such as [one, another]"},
		{"expected a map or struct", "this key contains other keys; write them below it, indented"},
		{"expected type 'map[", "write pairs, such as processing: 72h"},
		{"'bool', got unconvertible type", "write true or false"},
		{"'int', got unconvertible type", "write a whole number without a unit"},
		{" time: ", "write durations with the units h, m and s, such as 1h30m; a day is 24h"},
	} {
		if strings.Contains(err.Error(), known.symptom) {
			err = fmt.Errorf("%w\n\n%s", err, known.advice)
		}
	}
	return err
}
