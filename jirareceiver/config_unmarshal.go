// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal reads the keys, rejects unknown keys, and adds the leading slash that a path may lack.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := keepStartAsText(conf); err != nil {
		return err
	}
	if err := errors.Join(withAdvice(conf.Unmarshal(cfg)), checkMappings(conf)); err != nil {
		return err
	}
	if cfg.Include.UserHashKey == nil && conf.IsSet("include::user_hash_key") {
		cfg.Include.UserHashKey = new(configopaque.String) // so that Validate reports a variable that is not set
	}
	cfg.Path = withLeadingSlash(cfg.Path)
	cfg.HealthPath = withLeadingSlash(cfg.HealthPath)
	return nil
}

// keepStartAsText turns a date without quotes, which YAML reads as a time, back into a text.
func keepStartAsText(conf *confmap.Conf) error {
	start, isTime := conf.Get("poll::start_from").(time.Time)
	if !isTime {
		return nil
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{
		"poll": map[string]any{"start_from": start.Format(time.RFC3339Nano)},
	}))
}

// withAdvice adds advice to the known errors of the decoder.
func withAdvice(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct{ symptom, advice string }{
		{"has invalid keys", "these keys do not exist here; check their spelling and their indentation"},
		{"'string', got unconvertible type 'int'", "put texts that consist of digits, such as ids, in quotes"},
		{"'configopaque.String', got unconvertible type", "put secrets and tokens in quotes"},
		{"must be an array or slice", "write a list, such as [one, another]"},
		{"expected a map or struct", "this key contains other keys; write them below it, indented"},
		{"expected type 'map[", "write pairs, such as one: another"},
		{"'bool', got unconvertible type", "write true or false"},
		{"'float64', got unconvertible type", "write a number without a unit"},
		{"'active.Mode', got unconvertible type", "write off, repair or full"},
		{"'int', got unconvertible type", "write a whole number without a unit"},
		{"'int64', got unconvertible type", "write a whole number without a unit; sizes are in bytes"},
		{"'jirareceiver.ChangelogMode', got unconvertible type", "write attributes or split"},
		{" time: ", "write durations with the units h, m and s, such as 1h30m"},
	} {
		if strings.Contains(err.Error(), known.symptom) {
			err = fmt.Errorf("%w\n\n%s", err, known.advice)
		}
	}
	return err
}

// checkMappings returns an error for a mapping the wrong way round, such as Verified: done. The decoder accepts it,
// because it turns a single value into a list.
func checkMappings(conf *confmap.Conf) error {
	var cfg struct {
		Status struct {
			Mapping  map[string]any `mapstructure:"mapping"`
			Projects map[string]struct {
				Mapping map[string]any `mapstructure:"mapping"`
			} `mapstructure:"projects"`
		} `mapstructure:"status"`
	}
	if conf.Unmarshal(&cfg, confmap.WithIgnoreUnused()) != nil {
		return nil // the strict decoding reports the error
	}
	errs := []error{checkLists("status::mapping", cfg.Status.Mapping)}
	for _, key := range slices.Sorted(maps.Keys(cfg.Status.Projects)) {
		errs = append(errs, checkLists("status::projects::"+key+"::mapping", cfg.Status.Projects[key].Mapping))
	}
	return errors.Join(errs...)
}

func checkLists(path string, mapping map[string]any) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(mapping)) {
		if reflect.ValueOf(mapping[key]).Kind() != reflect.Slice {
			errs = append(errs, fmt.Errorf("%s::%s: not a list; write the mapped value first and then its statuses, "+
				"such as done: [Verified]", path, key))
		}
	}
	return errors.Join(errs...)
}

func withLeadingSlash(path string) string {
	if path == "" || strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}
