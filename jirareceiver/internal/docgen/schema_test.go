// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// compileSchema compiles the schema of a configuration, or the part of it at a pointer.
func compileSchema(t *testing.T, folder, pointer string) *jsonschema.Schema {
	t.Helper()
	root, err := testbodies.Root()
	require.NoError(t, err)
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, folder, "config.schema.json") + pointer)
	require.NoError(t, err)
	return schema
}

// decodeYAML decodes a file of the repository as an editor does, for which a date without quotes is a text.
func decodeYAML(t *testing.T, file string) (document map[string]any) {
	t.Helper()
	var root yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(read(t, file)), &root))
	datesAsTexts(&root)
	require.NoError(t, root.Decode(&document))
	return document
}

func datesAsTexts(node *yaml.Node) {
	if node.Tag == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, child := range node.Content {
		datesAsTexts(child)
	}
}

// TestConfigSchemaKnowsMistakes validates the files of the tests of the configuration by the schema.
func TestConfigSchemaKnowsMistakes(t *testing.T) {
	schema := compileSchema(t, "jirareceiver", "#/$defs/jira")
	validate := func(file string) error {
		return schema.Validate(decodeYAML(t, "testdata/config/"+file+".yaml")["jira"])
	}
	for _, name := range testbodies.Names(t, "config/valid/*.yaml") {
		assert.NoError(t, validate("valid/"+name), name)
	}
	var accepted []string
	for _, name := range testbodies.Names(t, "config/invalid/*.yaml") {
		if validate("invalid/"+name) == nil {
			accepted = append(accepted, name)
		}
	}
	assert.Equal(t, []string{
		"admission_below_body_size", "api_credentials_over_http", "api_gateway_without_site_url", "api_header_over_http",
		"custom_field_twice", "deduplication_twice", "event_misspelt", "event_namespace", "event_of_split",
		"listen_without_polling", "no_authentication", "paths_same", "poll_grace_long", "poll_jql_ordered",
		"poll_overlap_short", "polling_without_endpoint", "polling_without_listen_false", "project_by_name",
		"project_twice", "query_attribute_personal", "query_attribute_twice", "query_attributes_reversed", "query_token",
		"registration_everything", "registration_http_on_cloud", "repair_without_listening", "secret_from_unset_variable",
		"severity_priority_twice", "start_from_in_future", "start_from_without_storage", "status_in_two_values",
		"status_in_two_values_of_project", "tls_without_client_ca", "token_nowhere", "user_hash_key_from_unset_variable",
	}, accepted, "mistakes that no schema can find, because they concern two values, other files, an amount of time, or words in quotes")
}

// TestConfigSchemaOfExamples validates whole configurations by the schemas of both components.
func TestConfigSchemaOfExamples(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	receiver, connector := compileSchema(t, "jirareceiver", ""), compileSchema(t, "jiraflowconnector", "")
	var examples []string
	for _, pattern := range []string{"examples/*.yaml", "examples/*/*.yaml"} {
		matches, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		examples = append(examples, matches...)
	}
	require.NotEmpty(t, examples)
	for _, example := range examples {
		name, err := filepath.Rel(root, example)
		require.NoError(t, err)
		assert.NoError(t, receiver.Validate(decodeYAML(t, name)), name)
		assert.NoError(t, connector.Validate(decodeYAML(t, name)), name)
	}
}
