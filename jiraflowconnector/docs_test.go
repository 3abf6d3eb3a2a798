// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
)

// TestPage compares docs/flow.md with the options, the metrics and the attributes.
func TestPage(t *testing.T) {
	content, err := os.ReadFile("../docs/flow.md")
	require.NoError(t, err)
	page := string(content)
	for _, key := range optionKeys(reflect.TypeFor[Config](), "") {
		assert.Contains(t, page, "| `"+key+"` |")
	}
	r := newRig(t, func(cfg *Config) { cfg.Stuck.Limits = map[string]time.Duration{"processing": hour} })
	r.start()
	r.consume(life()[:2]...)
	r.settle()
	r.flush()
	r.consume(life()...)
	r.shutdown()
	for name := range r.values() {
		assert.Contains(t, page, "| `"+strings.Fields(name)[0]+"` |")
	}
	for _, name := range []string{attr.EventLifecycle, attr.EventStuck, attr.EventUnstuck} {
		records := r.records(name)
		require.NotEmpty(t, records, name)
		for attribute := range records[0].Attributes().All() {
			attribute = strings.TrimPrefix(attribute, "jira.issue.status.name")
			attribute = strings.TrimPrefix(attribute, "jira.issue.status.mapped")
			attribute = strings.TrimPrefix(attribute, "jira.issue.status.previous.name")
			attribute = strings.TrimPrefix(attribute, "jira.issue.status.previous.mapped")
			if i := strings.Index(attribute, "_status_seconds."); i >= 0 {
				attribute = attribute[:i]
			}
			assert.Contains(t, page, "`"+attribute, name)
		}
	}
}

// optionKeys returns the keys of options that have no options below them, except rules.
func optionKeys(of reflect.Type, prefix string) (keys []string) {
	for field := range of.Fields() {
		key := field.Tag.Get("mapstructure")
		if key == "" {
			continue
		}
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == of.PkgPath() {
			keys = append(keys, optionKeys(inner, prefix+key+"::")...)
			continue
		}
		keys = append(keys, prefix+key)
	}
	return keys
}
