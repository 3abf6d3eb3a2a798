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
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-jira/collector/internal/strictconf"
)

// Unmarshal reads the keys, and adds the leading slash that a path may lack. Validate reports its mistakes, such as
// unknown keys.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := keepStartAsText(conf); err != nil {
		return err
	}
	reversed := checkMappings(conf)
	cfg.mistakes = strictconf.Unmarshal(conf, cfg, hints, func() error { return errors.Join(reversed, cfg.moveTLSErrors()) })
	if cfg.Include.UserHashKey == nil && conf.IsSet("include::user_hash_key") {
		cfg.Include.UserHashKey = new(configopaque.String) // so that Validate reports a variable that is not set
	}
	cfg.Path = withLeadingSlash(cfg.Path)
	cfg.HealthPath = withLeadingSlash(cfg.HealthPath)
	return nil
}

// extensionHint is the text about a value that must be the id of an extension.
const extensionHint = "not the id of an extension; write its type, or type/name, such as file_storage/jira"

// hints are the texts about values of the wrong type, where the type alone does not determine what to write, and the
// advice about keys that other programs have.
var hints = map[string]string{
	"endpoint":               "not an address; write host:port, such as " + defaultEndpoint,
	"host":                   "write host and port in endpoint, such as " + defaultEndpoint,
	"port":                   "write host and port in endpoint, such as " + defaultEndpoint,
	"api::endpoint":          "not an address; write https://host[/context]",
	"api::url":               "did you mean api::endpoint?",
	"changelog":              "not a mode; write attributes or split",
	"custom_fields":          "not a section; write pairs below it, such as customfield_10016: story_points",
	"query_attributes":       "not a section; write pairs below it, such as issue: jira.issue.key",
	"severity::priorities":   "not a section; write pairs below it, such as Highest: error",
	"status::mapping":        "not a section; write pairs below it, such as done: [Verified]",
	"status::projects":       "not a section; write pairs below it, such as OPS: {mapping: {done: [Verified]}}",
	"status::sites":          "not a section; write pairs below it, such as https://acme.atlassian.net: {mapping: {done: [Verified]}}",
	"poll::mode":             "not a mode; write off, repair or full",
	"poll::start_from":       "not a date; write it in quotes, such as \"2026-01-31\"",
	"registration::mode":     "not a mode; write off, verify or manage",
	"deduplication::storage": extensionHint,
	"poll::storage":          extensionHint,
	"k8s_leader_elector":     "not the id of an extension; write it like k8s_leader_elector",
}

// moveTLSErrors returns the errors in the settings of TLS, and removes the settings. Otherwise the collector would report
// them at the place serverconfig::tls, with the name of a Go field.
func (cfg *Config) moveTLSErrors() error {
	var server error
	if tls := cfg.ServerConfig.TLS.Get(); tls != nil {
		server = confmap.Validate(tls)
	}
	if server != nil {
		cfg.ServerConfig.TLS = configoptional.None[configtls.ServerConfig]()
	}
	client := confmap.Validate(&cfg.API.ClientConfig.TLS)
	if client != nil {
		cfg.API.ClientConfig.TLS = configtls.ClientConfig{}
	}
	return errors.Join(within("tls", server), within("api::tls", client))
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

// checkMappings returns an error for a mapping the wrong way round, such as Verified: done. The decoder accepts it,
// because it turns a single value into a list.
func checkMappings(conf *confmap.Conf) error {
	type projects map[string]struct {
		Mapping map[string]any `mapstructure:"mapping"`
	}
	var cfg struct {
		Status struct {
			Mapping  map[string]any `mapstructure:"mapping"`
			Projects projects       `mapstructure:"projects"`
			Sites    map[string]struct {
				Mapping  map[string]any `mapstructure:"mapping"`
				Projects projects       `mapstructure:"projects"`
			} `mapstructure:"sites"`
		} `mapstructure:"status"`
	}
	if conf.Unmarshal(&cfg, confmap.WithIgnoreUnused()) != nil {
		return nil // the strict decoding reports the error
	}
	var errs []error
	check := func(path string, mapping map[string]any, projects projects) {
		errs = append(errs, checkLists(path+"::mapping", mapping))
		for _, key := range slices.Sorted(maps.Keys(projects)) {
			errs = append(errs, checkLists(path+"::projects::"+key+"::mapping", projects[key].Mapping))
		}
	}
	check("status", cfg.Status.Mapping, cfg.Status.Projects)
	for _, address := range slices.Sorted(maps.Keys(cfg.Status.Sites)) {
		site := cfg.Status.Sites[address]
		check("status::sites::"+address, site.Mapping, site.Projects)
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
