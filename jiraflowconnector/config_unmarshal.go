// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"slices"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-jira/collector/internal/strictconf"
)

// Unmarshal reads the keys. Validate reports its mistakes, such as unknown keys. A list replaces its default. A key
// without a value, such as calendar: below which everything is commented out, counts as not set.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if conf.IsSet("calendar") && conf.Get("calendar") != nil {
		cfg.Calendar = &CalendarConfig{Weekdays: slices.Clone(defaultWeekdays), Hours: slices.Clone(defaultHours)}
	}
	cfg.mistakes = strictconf.Unmarshal(conf, cfg, hints, func() error { return nil })
	return nil
}

// hints are the texts about values of the wrong type, where the type alone does not determine what to write.
var hints = map[string]string{
	"storage":       "not the id of an extension; write it like file_storage or file_storage/jira",
	"stuck::limits": "not a section; write pairs below it, such as processing: 72h",
	"stuck::rules":  "not a list; write a list of limits, such as [{projects: [OPS], limit: 4h}]",
}
