// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const schemaFile = "config.schema.json"

// TestSchemaAgreesWithValidation looks in the schema for the values and patterns of the validation, which the generator of
// the schema repeats.
func TestSchemaAgreesWithValidation(t *testing.T) {
	schema, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, schema))
	encodings, err := json.Marshal(allowedEncodings)
	require.NoError(t, err)
	assert.Contains(t, compact.String(), `{"enum":`+string(encodings)+`}`)
	assert.Contains(t, compact.String(), "("+strings.Join(pageSegments, "|")+")")
	for _, pattern := range []*regexp.Regexp{customFieldID, alias, attributeName} {
		text, err := json.Marshal(pattern.String())
		require.NoError(t, err)
		assert.Contains(t, compact.String(), `"pattern":`+strings.TrimSuffix(string(text), `"`))
	}
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

var schemas = map[string]*jsonschema.Schema{} // by pointer

func compiledSchema(pointer string) (*jsonschema.Schema, error) {
	if schema, found := schemas[pointer]; found {
		return schema, nil
	}
	schema, err := jsonschema.NewCompiler().Compile(schemaFile + pointer)
	schemas[pointer] = schema
	return schema, err
}

// validateBySchema validates a file, or what stands in it under a key.
func validateBySchema(t *testing.T, pointer, file, key string) error {
	t.Helper()
	schema, err := compiledSchema(pointer)
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
