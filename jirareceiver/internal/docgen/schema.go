// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otel-jira/collector/jiraflowconnector"
	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// object is a JSON object, or a schema. Its keys are written in order.
type object = map[string]any

// reference matches the references that the collector replaces before the receiver sees the value.
const reference = `\$\{`

// These rules repeat the validation of the receiver. TestSchemaAgreesWithValidation of the receiver compares both.
const (
	customFieldID = `^customfield_\d+$`
	alias         = `^[a-z][a-z0-9_]*$`
	sitePattern   = `^https?://[^/?#@:]+[^?#@]*$`
	attributeName = `^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`
)

var allowedEncodings = []string{"", "gzip", "zlib", "deflate", "x-gzip"}

// pagePattern matches addresses of pages of a Jira.
var pagePattern = `^[^$]*(` + strings.ReplaceAll(strings.Join(record.CloudDomains(), "|"), ".", `\.`) +
	`)\.?(:[0-9]+)?/+[^/]|^[^$]*://[^/]+/(.*/)?(` + strings.Join(record.PageSegments(), "|") + `)(/|$)`

// constraints holds the rules of fields that do not follow from their types.
var constraints = map[string]object{
	"path":                            {"pattern": `^/?[^?#\s:/]+(/[^?#\s:/]+)*/?$|` + reference},
	"health_path":                     {"pattern": `^(/?[^?#\s:/]+(/[^?#\s:/]+)*/?)?$|` + reference},
	"site_url":                        {"pattern": sitePattern + "|" + reference, "not": object{"pattern": pagePattern}},
	"endpoint":                        {"pattern": `^[^/]*:[0-9]+$|` + reference},
	"transport":                       {"enum": []string{"tcp", "tcp4", "tcp6", "unix"}},
	"max_request_body_size":           {"minimum": 1},
	"max_text_length":                 {"minimum": 1},
	"signature::secrets[]":            {"pattern": `^\S(.*\S)?$`},
	"token::values[]":                 {"pattern": `^\S(.*\S)?$`},
	"compression_algorithms[]":        {"anyOf": []object{{"enum": allowedEncodings}, {"pattern": reference}}},
	"token::header":                   {"pattern": `^[^\s:]*$`},
	"include::user_hash_key":          {"pattern": `^\S.{14,}\S$|` + reference},
	"status::mapping[]":               {"minLength": 1},
	"events::include[]":               {"pattern": `^(jira\.|\*)[a-z0-9_.*]*$`},
	"events::exclude[]":               {"pattern": `^(jira\.|\*)[a-z0-9_.*]*$`},
	"changelog":                       {"enum": []string{"attributes", "split"}},
	"custom_fields":                   {"propertyNames": object{"pattern": customFieldID}},
	"custom_fields[]":                 {"pattern": alias + "|" + reference},
	"query_attributes[]":              {"pattern": attributeName + "|" + reference},
	"severity::priorities[]":          {"pattern": `^([Tt][Rr][Aa][Cc][Ee]|[Dd][Ee][Bb][Uu][Gg]|[Ii][Nn][Ff][Oo]|[Ww][Aa][Rr][Nn]|[Ee][Rr][Rr][Oo][Rr]|[Ff][Aa][Tt][Aa][Ll])[2-4]?$|` + reference},
	"deduplication::max_entries":      {"minimum": 1, "maximum": dedup.MaxEntries},
	"max_connections":                 {"minimum": 1},
	"api::endpoint":                   {"pattern": `^https?://[^/?#@]+[^?#@]*$|` + reference, "not": object{"pattern": `//api\.atlassian\.com/*$|` + pagePattern}},
	"api::requests_per_second":        {"exclusiveMinimum": 0},
	"api::max_concurrent_requests":    {"minimum": 1},
	"poll::mode":                      {"enum": []string{"off", "repair", "full"}},
	"registration::mode":              {"enum": []string{"off", "verify", "manage"}},
	"registration::interval":          {"not": object{"const": 0}},
	"poll::interval":                  {"not": object{"const": 0}},
	"poll::overlap":                   {"not": object{"const": 0}},
	"poll::projects[]":                {"pattern": `^\S+$`},
	"poll::include[]":                 {"enum": []string{"changelog", "comments", "worklogs"}},
	"poll::start_from":                {"pattern": `^([0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?)?$|` + reference},
	"admission::disk::directories[]":  {"minLength": 1},
	"admission::disk::min_free_bytes": {"minimum": 1},
	"admission::retry_after":          {"not": object{"const": 0}},
	"deduplication::window":           {"not": object{"const": 0}},
	"status::projects[]::mapping[]":   {"minLength": 1},
	"status::sites":                   {"propertyNames": object{"pattern": sitePattern, "not": object{"pattern": pagePattern}}},
	"status::sites[]::mapping[]":      {"minLength": 1},

	"status::sites[]::projects[]::mapping[]": {"minLength": 1},
}

// flowConstraints are the constraints of the connector.
var flowConstraints = map[string]object{
	"max_issues":                   {"minimum": 1},
	"cycle::start":                 {"minItems": 1, "uniqueItems": true},
	"cycle::end":                   {"minItems": 1, "uniqueItems": true},
	"cycle::active":                {"uniqueItems": true},
	"cycle::start[]":               {"pattern": flowText},
	"cycle::end[]":                 {"pattern": flowText},
	"cycle::active[]":              {"pattern": flowText},
	"stuck::limits[]":              {"not": object{"const": 0}},
	"stuck::rules[]":               {"required": []string{"limit"}},
	"stuck::rules[]::projects":     {"uniqueItems": true},
	"stuck::rules[]::priorities":   {"uniqueItems": true},
	"stuck::rules[]::statuses":     {"uniqueItems": true},
	"stuck::rules[]::projects[]":   {"pattern": flowText},
	"stuck::rules[]::priorities[]": {"pattern": flowText},
	"stuck::rules[]::statuses[]":   {"pattern": flowText},
	"metrics::flush_interval":      {"not": object{"const": 0}},
	"metrics::temporality":         {"enum": []string{"cumulative", "delta"}},
	"metrics::dimensions":          {"uniqueItems": true},
	"metrics::dimensions[]": {"enum": []string{
		"jira.site.url", "jira.project.key", "jira.issue.type.name", "jira.issue.priority.name", "jira.issue.status.name",
	}},
	"metrics::buckets":     {"minItems": 1},
	"metrics::max_series":  {"minimum": 1},
	"calendar":             {"required": []string{"time_zone"}},
	"calendar::time_zone":  {"pattern": `^[A-Za-z]|` + reference, "not": object{"const": "Local"}},
	"calendar::weekdays":   {"minItems": 1, "uniqueItems": true},
	"calendar::weekdays[]": {"pattern": `^([Mm]on|[Tt]ues|[Ww]ednes|[Tt]hurs|[Ff]ri|[Ss]atur|[Ss]un)day$|` + reference},
	"calendar::hours":      {"minItems": 1},
	"calendar::hours[]":    {"pattern": `^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$|` + reference},
	"calendar::holidays[]": {"pattern": `^[0-9]{4}-[0-1][0-9]-[0-3][0-9]$|` + reference},
}

// flowText matches texts that neither are empty nor begin or end with white space.
const flowText = `^\S(.*\S)?$`

// configuredComponent is a component with a schema of its configuration.
type configuredComponent struct {
	folder      string   // also of the schema
	packages    []string // with types of the configuration, below the folder
	class, name string
	defaults    any // a struct
	constraints map[string]object
}

var configured = []configuredComponent{
	{
		folder: "jirareceiver", packages: []string{".", "internal/active"}, class: "receiver", name: "jira",
		defaults: *jirareceiver.NewFactory().CreateDefaultConfig().(*jirareceiver.Config), constraints: constraints,
	},
	{
		folder: "jiraflowconnector", packages: []string{"."}, class: "connector", name: "jira_flow",
		defaults: *jiraflowconnector.NewFactory().CreateDefaultConfig().(*jiraflowconnector.Config), constraints: flowConstraints,
	},
}

// schema returns the schema of the configuration. It contains the types and defaults of the Config of the component, and
// the comments on its fields.
func (c *configuredComponent) schema(root string) (string, error) {
	w := schemaWriter{docs: map[string]string{}, constraints: c.constraints, used: map[string]bool{}}
	for _, part := range c.packages {
		if err := addFolderDocs(w.docs, filepath.Join(root, c.folder, part)); err != nil {
			return "", err
		}
	}
	definition := w.structure("", reflect.ValueOf(c.defaults))
	definition["title"] = "The " + c.class + " " + c.name
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "Configuration of a collector with the " + c.class + " " + c.name + ". The schema does not check other components",
		"type":    "object",
		"properties": object{c.class + "s": object{
			"type":              []string{"object", "null"},
			"patternProperties": object{"^" + c.name + "(/.*)?$": object{"$ref": "#/$defs/" + c.name}},
		}},
		"$defs": object{c.name: definition},
	}
	if len(w.used) != len(c.constraints) {
		return "", fmt.Errorf("constraints contains a key of no field; the keys of fields are %v", slices.Sorted(maps.Keys(w.used)))
	}
	content, err := json.MarshalIndent(schema, "", "  ")
	return string(content) + "\n", err
}

// schemaWriter makes schemas of types.
type schemaWriter struct {
	docs        map[string]string // of fields, by Type.Field
	constraints map[string]object
	used        map[string]bool
}

func (w *schemaWriter) structure(path string, v reflect.Value) object {
	properties := object{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(options, "squash"):
			maps.Copy(properties, w.structure(path, v.Field(i))["properties"].(object))
		case key != "":
			property := w.value(path+key, v.Field(i))
			if doc, found := w.docs[v.Type().Name()+"."+field.Name]; found {
				property["description"] = strings.Replace(doc, field.Name, key, 1)
			}
			properties[key] = property
		}
	}
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

// value returns the schema of a field, and its default.
func (w *schemaWriter) value(path string, v reflect.Value) object {
	schema := w.typed(path, v)
	if constraint, found := w.constraints[path]; found {
		maps.Copy(schema, constraint)
		w.used[path] = true
	}
	if slices.Contains([]any{"boolean", "integer", "number"}, schema["type"]) {
		schema = orReference(schema)
	}
	if value := defaultOf(v); value != nil {
		schema["default"] = value
	}
	return schema
}

func (w *schemaWriter) typed(path string, v reflect.Value) object {
	switch t := v.Type(); {
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": []string{"string", "integer"}, "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|` + reference, "minimum": 0, "maximum": 0}
	case t == reflect.TypeFor[configopaque.MapList]():
		return object{"type": []string{"object", "array", "null"}}
	case strings.HasPrefix(t.Name(), "Optional["):
		schema := w.structure(path+"::", v.FieldByName("value"))
		schema["properties"].(object)["enabled"] = orReference(object{"type": "boolean"})
		return schema
	case t.Kind() == reflect.Pointer:
		return w.typed(path, reflect.New(t.Elem()).Elem())
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()): // ids of components
		return object{"type": "string"}
	default:
		return w.byKind(path, v)
	}
}

func (w *schemaWriter) byKind(path string, v reflect.Value) object {
	switch t := v.Type(); t.Kind() {
	case reflect.Struct:
		return w.structure(path+"::", v)
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": w.element(path, t)}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": w.element(path, t)}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	default:
		return object{"type": "string"}
	}
}

// element returns the schema of the elements of a list or a map, or of the lists in a map.
func (w *schemaWriter) element(path string, t reflect.Type) object {
	return w.value(strings.TrimSuffix(path, "[]")+"[]", reflect.New(t.Elem()).Elem())
}

// orReference allows ${env:NAME} in place of a value that is not a text.
func orReference(schema object) object {
	return object{"anyOf": []object{schema, {"type": "string", "pattern": reference}}}
}

// defaultOf returns the default of a field, or nil if the default is empty or of a type without a JSON form.
func defaultOf(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.IsZero():
		return nil
	case v.Type() == reflect.TypeFor[time.Duration]():
		return shortDuration(time.Duration(v.Int()))
	case v.CanInt():
		return v.Int()
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.String:
		return v.String()
	default:
		return nil
	}
}

// shortDuration returns 2h for 2h0m0s.
func shortDuration(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}

// addFolderDocs adds the comments on all fields in the Go files of a folder by Type.Field, each in one line.
func addFolderDocs(docs map[string]string, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		addFieldDocs(docs, file)
	}
	return nil
}

func addFieldDocs(docs map[string]string, file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		spec, isType := node.(*ast.TypeSpec)
		if !isType {
			return true
		}
		if structure, isStruct := spec.Type.(*ast.StructType); isStruct {
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					docs[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
				}
			}
		}
		return false
	})
}
