// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// registryFiles are the files of the registry that contain groups.
var registryFiles = []string{"attributes.yaml", "events.yaml", "metrics.yaml", "flow.yaml"}

func registrySchema(t *testing.T, definition string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/registry.schema.json#/$defs/" + definition)
	require.NoError(t, err)
	return schema
}

// readRegistry decodes a file of the registry into a value.
func readRegistry(t *testing.T, file string, value any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, registryFolder+file)), value))
}

// TestRegistrySyntax validates the registry by the syntax of the semantic conventions.
func TestRegistrySyntax(t *testing.T) {
	var document any
	readRegistry(t, "manifest.yaml", &document)
	require.NoError(t, registrySchema(t, "manifest").Validate(document))
	for _, file := range registryFiles {
		var document any
		readRegistry(t, file, &document)
		require.NoError(t, registrySchema(t, "file").Validate(document), file)
	}
}

// TestRegistrySchemaKnowsMistakes checks that the schema rejects one mistake each.
func TestRegistrySchemaKnowsMistakes(t *testing.T) {
	const (
		attributeGroup = "groups: [{id: a, type: attribute_group, brief: b, attributes: [%]}]"
		event          = "groups: [{id: a, type: event, name: c, brief: b, stability: alpha, attributes: [%]}]"
	)
	schema := registrySchema(t, "file")
	validate := func(text, inserted string) error {
		var document any
		require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll(text, "%", inserted)), &document))
		return schema.Validate(document)
	}
	require.NoError(t, validate(attributeGroup, "{id: a.b, type: string, brief: b, stability: alpha, examples: [c]}"))
	require.NoError(t, validate(event, "{ref: a.b, requirement_level: opt_in}"))
	for text, mistakes := range map[string][]string{
		attributeGroup: {
			"", "{id: a.b, type: text, brief: b, stability: alpha}",
			"{id: a.b, type: string, brief: b, stability: alpha}",
			"{id: a.b, type: string, brief: b, stability: alpha, examples: [1]}",
			"{id: a.b, type: 'string[]', brief: b, stability: alpha, examples: [c]}",
			"{id: a.b, type: int, brief: b, stability: experimental}",
			"{id: a.b, type: int, stability: alpha}",
			"{id: a.b, type: {members: [{id: c, value: d}]}, brief: b, stability: alpha}",
			"{id: a.b, type: 'template[map]', brief: b, stability: alpha}",
		},
		event: {
			"{id: a.b, type: int, brief: b, stability: alpha}", "{ref: a.b}", "{ref: a.b, requirement_level: optional}",
			"{ref: a.b, requirement_level: {conditionally_required: ''}}", "{ref: a.b, type: int, requirement_level: opt_in}",
		},
		"groups: [{id: a, type: %}]": {"event, brief: b, stability: alpha", "metric, brief: b, stability: alpha, metric_name: c", "note, brief: b"},
	} {
		for _, mistake := range mistakes {
			assert.Error(t, validate(text, mistake), "%s with %s", text, mistake)
		}
	}
}

// ofConventions holds the attributes of the semantic conventions that records have.
var ofConventions = []string{
	string(semconv.LogRecordOriginalKey),
	string(semconv.LogRecordUIDKey),
	string(semconv.ServiceNameKey),
	string(semconv.URLFullKey),
	string(semconv.UserEmailKey),
	string(semconv.UserFullNameKey),
	string(semconv.UserHashKey),
	string(semconv.UserIDKey),
	string(semconv.UserNameKey),
}

// TestRegistryReferences resolves the references to attributes and groups.
func TestRegistryReferences(t *testing.T) {
	var all []group
	defined := map[string]string{} // the group of each attribute
	ids := map[string]bool{}
	for _, file := range registryFiles {
		var content groups
		readRegistry(t, file, &content)
		all = append(all, content.Groups...)
	}
	for _, g := range all {
		assert.False(t, ids[g.ID], "two groups have the id %s", g.ID)
		ids[g.ID] = true
		for _, attr := range g.Attributes {
			if attr.ID != "" {
				assert.Empty(t, defined[attr.ID], "two groups define %s", attr.ID)
				defined[attr.ID] = g.ID
			}
		}
	}
	referenced := map[string]bool{}
	for _, g := range all {
		for _, attr := range g.Attributes {
			if attr.Ref != "" {
				referenced[attr.Ref] = true
				isKnown := defined[attr.Ref] != "" || slices.Contains(ofConventions, attr.Ref)
				assert.True(t, isKnown, "%s refers to %s, which has no definition", g.ID, attr.Ref)
			}
		}
		assert.True(t, g.Extends == "" || ids[g.Extends], "%s extends %s, which does not exist", g.ID, g.Extends)
	}
	for id := range defined {
		assert.True(t, referenced[id], "no record and no metric has %s", id)
	}
}

// TestRegistryHasAllEvents compares the events of the registry with the events of the code.
func TestRegistryHasAllEvents(t *testing.T) {
	var content groups
	readRegistry(t, "events.yaml", &content)
	var names []string
	for _, g := range content.Groups {
		names = append(names, g.Name)
	}
	assert.ElementsMatch(t, append(record.EventNames(), record.EventFieldChanged), names)
}

// TestFlowVersion compares the version on the scope of the connector with the version of the receiver: the registry
// describes both.
func TestFlowVersion(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	own, err := flowAttributes(root)
	require.NoError(t, err)
	seen, err := seenFlow(own)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"jira.schema.version": record.SchemaVersion}, seen.scope)
	assert.Len(t, seen.byEvent, len(flowMeanings))
	assert.Len(t, seen.metrics, 14)
}

// TestRegistryVersion compares the versions in the manifest with the versions of the records.
func TestRegistryVersion(t *testing.T) {
	var m manifest
	readRegistry(t, "manifest.yaml", &m)
	assert.Equal(t, registryURL+record.SchemaVersion, m.SchemaURL)
	require.Len(t, m.Dependencies, 1)
	assert.Equal(t, semconv.SchemaURL, m.Dependencies[0].SchemaURL)
}

// TestRegistryRefusesUnknownValues covers an example record with a value that an enum does not contain.
func TestRegistryRefusesUnknownValues(t *testing.T) {
	attr := attribute{"jira.board.type", "`scrum`, `kanban` or `simple`"}
	o := &observation{types: []string{"string"}, texts: map[string]bool{"scrum": true}}
	kind, err := attr.typeOf(o)
	require.NoError(t, err)
	assert.Equal(t, newEnum([]string{"scrum", "kanban", "simple"}, stability), kind)
	o.texts["next"] = true
	_, err = attr.typeOf(o)
	require.ErrorContains(t, err, `"next"`)
	delete(o.texts, "next")
	attr.description = "`scrum` or `kanban`"
	_, err = attr.typeOf(o)
	require.ErrorContains(t, err, "`simple`")
}
