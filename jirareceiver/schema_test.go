package jirareceiver

import (
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/golden"
)

const schemaFile = "config.schema.json"

// object is a JSON object, or a schema. Its keys are written in order.
type object = map[string]any

// reference matches what the collector replaces before the receiver sees it.
const reference = `\$\{`

// pagePattern matches addresses of pages, as isPage does.
var pagePattern = `^[^$]*\.(atlassian\.net|jira\.com)(:[0-9]+)?/+[^/]|^[^$]*://[^/]+/(.*/)?(` + strings.Join(pageSegments, "|") + `)(/|$)`

// constraints are what the types of the fields do not tell.
var constraints = map[string]object{
	"path":                            {"pattern": `^/?[^?#\s:/]+(/[^?#\s:/]+)*/?$|` + reference},
	"health_path":                     {"pattern": `^(/?[^?#\s:/]+(/[^?#\s:/]+)*/?)?$|` + reference},
	"site_url":                        {"pattern": `^https?://[^/?#@:]+[^?#@]*$|` + reference, "not": object{"pattern": pagePattern}},
	"endpoint":                        {"pattern": `^[^/]*:[0-9]+$|` + reference},
	"transport":                       {"enum": []string{"tcp", "tcp4", "tcp6", "unix"}},
	"max_request_body_size":           {"minimum": 1},
	"max_text_length":                 {"minimum": 1},
	"signature::secrets[]":            {"pattern": `^\S(.*\S)?$`},
	"token::values[]":                 {"pattern": `^\S(.*\S)?$`},
	"compression_algorithms[]":        {"anyOf": []object{{"enum": allowedEncodings}, {"pattern": reference}}},
	"token::header":                   {"pattern": `^[^\s:]*$`},
	"status::mapping[]":               {"minLength": 1},
	"events::include[]":               {"pattern": `^(jira\.|\*)[a-z0-9_.*]*$`},
	"events::exclude[]":               {"pattern": `^(jira\.|\*)[a-z0-9_.*]*$`},
	"changelog":                       {"enum": []string{"attributes", "split"}},
	"custom_fields":                   {"propertyNames": object{"pattern": customFieldID.String()}},
	"custom_fields[]":                 {"pattern": alias.String() + "|" + reference},
	"query_attributes[]":              {"pattern": attributeName.String() + "|" + reference},
	"severity::priorities[]":          {"pattern": `^([Tt][Rr][Aa][Cc][Ee]|[Dd][Ee][Bb][Uu][Gg]|[Ii][Nn][Ff][Oo]|[Ww][Aa][Rr][Nn]|[Ee][Rr][Rr][Oo][Rr]|[Ff][Aa][Tt][Aa][Ll])[2-4]?$|` + reference},
	"deduplication::max_entries":      {"minimum": 1, "maximum": dedup.MaxEntries},
	"max_connections":                 {"minimum": 1},
	"admission::disk::directories[]":  {"minLength": 1},
	"admission::disk::min_free_bytes": {"minimum": 1},
	"admission::retry_after":          {"not": object{"const": 0}},
	"deduplication::window":           {"not": object{"const": 0}},
	"status::projects[]::mapping[]":   {"minLength": 1},
}

// TestConfigSchema holds the schema against the configuration's types, defaults and comments.
func TestConfigSchema(t *testing.T) {
	w := schemaWriter{docs: fieldDocs(t), used: map[string]bool{}}
	cfg := createDefaultConfig().(*Config)
	server, jira := w.structure("", reflect.ValueOf(cfg.Server)), w.structure("", reflect.ValueOf(cfg.Jira))
	maps.Copy(jira["properties"].(object), server["properties"].(object))
	jira["title"] = "The receiver jira"
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "Configuration of a collector with the receiver jira. What other components say is not checked",
		"type":    "object",
		"properties": object{"receivers": object{
			"type":              []string{"object", "null"},
			"patternProperties": object{`^jira(/.*)?$`: object{"$ref": "#/$defs/jira"}},
		}},
		"$defs": object{"jira": jira},
	}
	content, err := json.MarshalIndent(schema, "", "  ")
	require.NoError(t, err)
	golden.AssertText(t, schemaFile, string(content)+"\n")
	assert.Len(t, w.used, len(constraints), "a constraint is of no field: only %v are", slices.Sorted(maps.Keys(w.used)))
}

// schemaWriter makes schemas of types.
type schemaWriter struct {
	docs map[string]string // of fields, by Type.Field
	used map[string]bool
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
	if constraint, found := constraints[path]; found {
		maps.Copy(schema, constraint)
		w.used[path] = true
	}
	if schema["type"] == "boolean" || schema["type"] == "integer" {
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
	case t.Kind() == reflect.Pointer, reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()): // ids of components
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
	default:
		return object{"type": "string"}
	}
}

// element is the schema of what is in a list or a map, or in the lists of a map.
func (w *schemaWriter) element(path string, t reflect.Type) object {
	return w.value(strings.TrimSuffix(path, "[]")+"[]", reflect.New(t.Elem()).Elem())
}

// orReference allows ${env:NAME} where no text is allowed.
func orReference(schema object) object {
	return object{"anyOf": []object{schema, {"type": "string", "pattern": reference}}}
}

// defaultOf returns nil for what is empty or none.
func defaultOf(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.IsZero():
		return nil
	case v.Type() == reflect.TypeFor[time.Duration]():
		return shortDuration(v.Interface().(time.Duration))
	case v.CanInt():
		return v.Int()
	case v.Kind() == reflect.String:
		return v.String()
	default:
		return nil
	}
}

// fieldDocs returns the comments of the fields in config.go, each as one line.
func fieldDocs(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "config.go", nil, parser.ParseComments)
	require.NoError(t, err)
	docs := map[string]string{}
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
	return docs
}

// onlyValidateFinds are the mistakes that no schema can see: they are between values, or in other places.
var onlyValidateFinds = []string{
	"admission_below_body_size", "custom_field_twice", "deduplication_twice", "event_misspelt", "event_namespace", "event_of_split", "no_authentication", "paths_same",
	"project_by_name", "project_twice", "query_attribute_twice", "query_attributes_reversed", "query_token", "secret_from_unset_variable", "severity_priority_twice", "status_in_two_values", "status_in_two_values_of_project",
	"tls_without_client_ca", "token_nowhere",
}

// TestConfigSchemaKnowsMistakes validates the files of the other tests by the schema.
func TestConfigSchemaKnowsMistakes(t *testing.T) {
	for _, name := range files(t, "valid") {
		assert.NoError(t, validateBySchema(t, "#/$defs/jira", configFolder+"valid/"+name+".yaml", "jira"), name)
	}
	var accepted []string
	for _, name := range files(t, "invalid") {
		if validateBySchema(t, "#/$defs/jira", configFolder+"invalid/"+name+".yaml", "jira") == nil {
			accepted = append(accepted, name)
		}
	}
	assert.Equal(t, onlyValidateFinds, accepted)
}

// TestConfigSchemaOfExamples validates whole configurations.
func TestConfigSchemaOfExamples(t *testing.T) {
	var examples []string
	for _, pattern := range []string{"../examples/*.yaml", "../examples/*/*.yaml"} {
		matches, err := filepath.Glob(pattern)
		require.NoError(t, err)
		examples = append(examples, matches...)
	}
	require.NotEmpty(t, examples)
	for _, example := range examples {
		assert.NoError(t, validateBySchema(t, "", example, ""), example)
	}
}

// validateBySchema validates a file, or what stands in it under a key.
func validateBySchema(t *testing.T, pointer, file, key string) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile + pointer)
	require.NoError(t, err)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var document any
	require.NoError(t, yaml.Unmarshal(content, &document))
	if key != "" {
		document = document.(map[string]any)[key]
	}
	return schema.Validate(document)
}
