// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package policies checks the registry of the receiver by rules of the semantic conventions. It is a separate module, so
// that collectors with the receiver do not depend on its dependencies.
package policies

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const folder = "../../jirareceiver/registry"

// variable names the environment variable with the path of a folder of policies of the semantic conventions, such as
// policies/check/naming_conventions of github.com/open-telemetry/opentelemetry-weaver-packages.
const variable = "SEMCONV_POLICIES"

// ofCollector is the reason for attributes of metrics without a namespace.
const ofCollector = "The Collector writes its own metrics with attributes such as receiver, without a namespace."

// exceptions holds the reasons for findings that remain, by rule and name.
var exceptions = map[string]string{
	"attribute_without_namespace custom_field": ofCollector,
	"attribute_without_namespace event":        ofCollector,
	"attribute_without_namespace operation":    ofCollector,
	"attribute_without_namespace delivery":     ofCollector,
	"attribute_without_namespace finding":      ofCollector,
	"attribute_without_namespace identity":     ofCollector,
	"attribute_without_namespace state":        ofCollector,
	"attribute_without_namespace write":        ofCollector,
	"attribute_without_namespace outcome":      ofCollector,
	"attribute_without_namespace reason":       ofCollector,
	"attribute_without_namespace connector":    ofCollector,
	"attribute_without_namespace output":       ofCollector,
	"attribute_without_namespace receiver":     ofCollector,
	"attribute_without_namespace result":       ofCollector,
	"attribute_without_namespace side":         ofCollector,
	"attribute_without_namespace skip_reason":  ofCollector,
	"attribute_without_namespace source":       ofCollector,
}

type object = map[string]any

// group is a group of the registry.
type group struct {
	ID         string           `yaml:"id"`
	Type       string           `yaml:"type"`
	Name       string           `yaml:"name"`
	MetricName string           `yaml:"metric_name"`
	Brief      string           `yaml:"brief"`
	Unit       string           `yaml:"unit"`
	Stability  string           `yaml:"stability"`
	Extends    string           `yaml:"extends"`
	Attributes []map[string]any `yaml:"attributes"`
}

// parse returns the groups of a file of the registry.
func parse(t *testing.T, content []byte) []group {
	t.Helper()
	var file struct {
		Groups []group `yaml:"groups"`
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	return file.Groups
}

// input returns the input of the policies: the groups, and the resolved registry in the form of weaver, the tool of the
// semantic conventions.
func input(groups []group) object {
	r := resolver{groups: map[string]group{}, definitions: map[string]object{}}
	raw, attributes := []any{}, []any{}
	for _, g := range groups {
		r.groups[g.ID] = g
		raw = append(raw, object{"id": g.ID, "type": g.Type, "name": g.Name, "metric_name": g.MetricName, "attributes": list(g.Attributes)})
		for _, attr := range g.Attributes {
			if key, isDefinition := attr["id"].(string); isDefinition {
				definition := with(attr, object{"key": key})
				r.definitions[key] = definition
				attributes = append(attributes, definition)
			}
		}
	}
	signals := map[string][]any{"event": {}, "metric": {}, "attribute_group": {}}
	for _, g := range groups {
		signals[g.Type] = append(signals[g.Type], object{
			"id": g.ID, "name": g.Name + g.MetricName, "brief": g.Brief, "unit": g.Unit, "stability": g.Stability, "attributes": r.resolve(g),
		})
	}
	return object{"groups": raw, "registry": object{
		"attributes": attributes, "events": signals["event"], "metrics": signals["metric"],
		"attribute_groups": []any{}, "entities": []any{}, "spans": []any{},
	}}
}

func list(objects []map[string]any) []any {
	all := make([]any, len(objects))
	for i, o := range objects {
		all[i] = o
	}
	return all
}

// with returns a copy of an object with more members.
func with(o, more object) object {
	c := object{}
	maps.Copy(c, o)
	maps.Copy(c, more)
	return c
}

type resolver struct {
	groups      map[string]group
	definitions map[string]object
}

// resolve returns the attributes of a group, including the attributes of the group that it extends.
func (r resolver) resolve(g group) []any {
	attributes := []any{}
	if g.Extends != "" {
		attributes = r.resolve(r.groups[g.Extends])
	}
	for _, attr := range g.Attributes {
		if key, isReference := attr["ref"].(string); isReference {
			attr = with(r.definitions[key], with(attr, object{"key": key}))
		}
		attributes = append(attributes, attr)
	}
	return attributes
}

// findings returns rule, name and message of all findings of the policies.
func findings(t *testing.T, groups []group) (found [][3]string) {
	t.Helper()
	results, err := rego.New(rego.Query("data.policies.deny"), rego.Load([]string{"naming.rego", "structure.rego"}, nil), rego.Input(input(groups))).Eval(t.Context())
	require.NoError(t, err)
	require.Len(t, results, 1)
	for _, finding := range results[0].Expressions[0].Value.([]any) {
		f := finding.(object)
		found = append(found, [3]string{f["rule"].(string), f["name"].(string), f["message"].(string)})
	}
	return found
}

// readRegistry returns all groups of the registry.
func readRegistry(t *testing.T) (groups []group) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		groups = append(groups, parse(t, content)...)
	}
	require.NotEmpty(t, groups)
	return groups
}

func TestRegistry(t *testing.T) {
	unused := maps.Clone(exceptions)
	for _, f := range findings(t, readRegistry(t)) {
		key := f[0] + " " + f[1]
		assert.Contains(t, exceptions, key, "%s %s", f[1], f[2])
		delete(unused, key)
	}
	assert.Empty(t, unused, "exceptions that are no longer necessary")
}

// TestUpstreamPolicies runs the policies in the folder of the environment variable.
func TestUpstreamPolicies(t *testing.T) {
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skip(variable + " is not set")
	}
	isTest := func(_ string, info os.FileInfo, _ int) bool { return info.IsDir() && info.Name() == "tests" }
	results, err := rego.New(rego.Query("data.after_resolution.deny"), rego.Load([]string{dir}, isTest), rego.Input(input(readRegistry(t)))).Eval(t.Context())
	require.NoError(t, err)
	require.Len(t, results, 1)
	for _, finding := range results[0].Expressions[0].Value.([]any) {
		message := finding.(object)["message"].(string)
		assert.True(t, isException(message), message)
	}
}

// isException reports whether the message of a policy is about an attribute that may lack a namespace.
func isException(message string) bool {
	for key := range exceptions {
		rule, name, _ := strings.Cut(key, " ")
		if rule == "attribute_without_namespace" && strings.HasPrefix(message, "Attribute name '"+name+"' should have a namespace") {
			return true
		}
	}
	return false
}

// TestRules has a registry for each rule that breaks only this rule.
func TestRules(t *testing.T) {
	const (
		attribute = "{type: int, brief: b, stability: alpha, id: %}"
		define    = "{id: registry.a, type: attribute_group, brief: b, attributes: [%]}"
		event     = "{type: event, brief: b, stability: alpha, id: event.%, name: %}"
		metric    = "{type: metric, brief: b., stability: alpha, unit: s, instrument: gauge, id: metric.%, metric_name: %}"
		used      = "{type: metric, brief: b., stability: stable, unit: s, instrument: gauge, id: metric.m, metric_name: m, attributes: [%]}"
		anyType   = "{type: any, brief: b, stability: stable, id: a.b}"
	)
	of := func(template string, values ...string) string {
		var all []string
		for _, value := range values {
			all = append(all, strings.ReplaceAll(template, "%", value))
		}
		return strings.Join(all, ", ")
	}
	attributes := func(names ...string) string { return of(define, of(attribute, names...)) }
	enum := func(members string) string {
		return of(define, "{id: a.b, brief: b, stability: alpha, type: {members: ["+members+"]}}")
	}
	for _, tt := range []struct {
		rule   string
		groups []string
	}{
		{"", []string{
			attributes("a.b", "a.b_c", "a.bc.d"), of(event, "a.b", "a.b.c"), of(metric, "a.b", "a.bc"),
			enum("{id: c, value: d}, {id: d, value: e}"), attributes("a.b", "a.b_ref"),
		}},
		{"attribute_name_format", []string{attributes("a.B"), attributes("a.b_"), attributes("1a.b"), attributes("a..b"), attributes("a.b-c")}},
		{"event_name_format", []string{of(event, "a.B"), of(event, "1a.b")}},
		{"metric_name_format", []string{of(metric, "a.B"), of(metric, "a__b")}},
		{"attribute_constant_collision", []string{attributes("a.b.c", "a.b_c")}},
		{"event_constant_collision", []string{of(event, "a.b.c", "a.b_c")}},
		{"metric_constant_collision", []string{of(metric, "a.b.c", "a.b_c")}},
		{"attribute_is_namespace", []string{attributes("a.b", "a.b.c")}},
		{"metric_is_namespace", []string{of(metric, "a.b", "a.b.c")}},
		{"attribute_without_namespace", []string{attributes("a")}},
		{"reserved_segment", []string{attributes("a.blob_ref.c")}},
		{"reference_without_value", []string{attributes("a.b_ref")}},
		{"member_id_format", []string{enum("{id: C, value: d}")}},
		{"member_collision", []string{enum("{id: c, value: d}, {id: c, value: e}"), enum("{id: c, value: d}, {id: d, value: d}"), enum("{id: c.d, value: d}, {id: c_d, value: e}")}},
		{"signal_in_registry", []string{"{id: registry.a, type: span, brief: b}"}},
		{"reference_in_registry", []string{of(define, "{ref: a.b}")}},
		{"definition_outside_registry", []string{strings.Replace(attributes("a.b"), "registry.", "", 1)}},
		{"signal_id", []string{"{type: event, brief: b, stability: alpha, id: a.b, name: a.b}", "{type: metric, brief: b., stability: alpha, unit: s, id: event.a.b, metric_name: a.b}"}},
		{"attribute_twice", []string{of(used, "{ref: a.b}, {ref: a.b}")}},
		{"event_name_attribute", []string{"{type: event, brief: b, stability: alpha, id: event.a.b, name: a.b, attributes: [{ref: event.name}]}"}},
		{"brief_missing", []string{of(define, "{id: a.b, type: int, stability: alpha}"), "{type: event, stability: alpha, id: event.a.b, name: a.b}"}},
		{"metric_brief", []string{"{type: metric, brief: b, stability: alpha, unit: s, id: metric.a.b, metric_name: a.b}"}},
		{"metric_unit", []string{"{type: metric, brief: b., stability: alpha, unit: seconds, id: metric.a.b, metric_name: a.b}"}},
		{"complex_type", []string{of(define, anyType) + ", " + of(used, "{ref: a.b, requirement_level: required}")}},
		{"stability", []string{attributes("a.b") + ", " + of(used, "{ref: a.b, requirement_level: required}")}},
	} {
		for _, groups := range tt.groups {
			rules := map[string]bool{}
			for _, f := range findings(t, parse(t, []byte("groups: ["+groups+"]"))) {
				rules[f[0]] = true
			}
			want := map[string]bool{}
			if tt.rule != "" {
				want[tt.rule] = true
			}
			assert.Equal(t, want, rules, groups)
		}
	}
}
