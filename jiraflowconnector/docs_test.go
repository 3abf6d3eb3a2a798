// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPage compares docs/flow.md with the options and the metrics.
func TestPage(t *testing.T) {
	content, err := os.ReadFile("../docs/flow.md")
	require.NoError(t, err)
	page := string(content)
	for _, key := range optionKeys(reflect.TypeFor[Config](), "") {
		assert.Contains(t, page, "| `"+key+"` |")
	}
	r := newRig(t, nil)
	r.start()
	r.consume(life()...)
	r.shutdown()
	for name := range r.values() {
		assert.Contains(t, page, "| `"+strings.Fields(name)[0]+"` |")
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
