// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// publishedSchemas names the environment variable that holds the folder schemas of a clone of github.com/cdevents/spec.
// Its files are not in the repository: testdata/recipes/cdevents.schema.json restates the ones that the recipe needs.
const publishedSchemas = "CDEVENTS_SCHEMAS"

// TestMessagesAreValid sends every example body, and a team's work of three days, through the recipes that write
// messages of their own, and validates each message by the schema of its target. The last body is empty, and has no
// delivery ID: its record has no log.record.uid.
func TestMessagesAreValid(t *testing.T) {
	for _, recipe := range []struct {
		name, topic string
		written     map[string]int // messages about the team's work
	}{
		{"cdevents", "cdevents", map[string]int{
			"dev.cdevents.ticket.created.0.2.0": 8, "dev.cdevents.ticket.updated.0.2.0": 13, "dev.cdevents.ticket.closed.0.2.0": 8,
			"dev.cdevents.incident.reported.0.3.0": 3, "dev.cdevents.incident.resolved.0.3.0": 2,
		}},
		{"cloudevents", "cloudevents", map[string]int{
			"jira.issue.created": 8, "jira.issue.updated": 21, "jira.comment.created": 8, "jira.worklog.created": 8, "jira.sprint.created": 1,
			"jira.sprint.started": 1, "jira.sprint.closed": 1, "jira.version.created": 1, "jira.version.released": 1,
		}},
		{"flashduty", "flashduty-changes", map[string]int{"Planned": 4, "Processing": 15, "Done": 8, "Canceled": 1}},
	} {
		t.Run(recipe.name, func(t *testing.T) {
			kafka := startKafka(t, recipe.topic)
			c := startRecipe(t, recipe.name)
			deliverScenario(t, c, jirasim.Site{})
			c.terminate(t) // with the queue empty
			messages := kafka.finish(t)
			written := assertValid(t, recipe.name, messages)
			assert.Equal(t, recipe.written, written)

			kafka = startKafka(t, recipe.topic)
			c = startRecipe(t, recipe.name)
			c.postAll(t, exampleBodies(t))
			c.deliver(t, jirasim.Delivery{}) // a webhook of Data Center with *Exclude body*
			c.terminate(t)
			messages = kafka.finish(t)
			assert.NotContains(t, c.output(), "failed to execute")
			assert.Greater(t, len(messages), 20)
			assertValid(t, recipe.name, messages)
		})
	}
}

// TestIncidentMessages compares the messages of an incident's life with golden ones.
func TestIncidentMessages(t *testing.T) {
	kafka := startKafka(t, "cdevents")
	t.Setenv("CDEVENTS_ENVIRONMENT", "eu-1")
	c := startRecipe(t, "cdevents")
	var files []string
	for i, change := range []struct{ event, from, to, category string }{
		{"created", "", "Open", "new"},
		{"updated", "Open", "In Progress", "indeterminate"}, // an update of the ticket, and no event of the incident
		{"updated", "In Progress", "Resolved", "done"},
		{"updated", "Resolved", "Closed", "done"}, // as above
		{"updated", "Closed", "Open", "new"},
		{"updated", "Open", "Canceled", "done"},
		{"updated", "Canceled", "Open", "new"},
		{"deleted", "", "Open", "new"},
		{"deleted", "", "Resolved", "done"}, // no event: it was closed before
	} {
		changelog := ""
		if change.from != "" {
			changelog = fmt.Sprintf(`,"changelog":{"items":[{"field":"status","fromString":%q,"toString":%q}]}`, change.from, change.to)
		}
		content := fmt.Sprintf(`{"timestamp":%d,"webhookEvent":"jira:issue_%s","issue":{"id":"10050","key":"OPS-50",
			"self":"https://acme.atlassian.net/rest/api/2/issue/10050","fields":{"summary":"Checkout is down","creator":{"accountId":"557058:1f2e"},
			"issuetype":{"name":"[System] Incident"},"status":{"name":%q,"statusCategory":{"key":%q}}}}%s}`,
			1772530000000+i*60_000, change.event, change.to, change.category, changelog)
		file := filepath.Join(t.TempDir(), "body.json")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		files = append(files, file)
	}
	c.postAll(t, files)
	c.terminate(t) // with the queue empty
	messages := kafka.finish(t)
	assertValid(t, "cdevents", messages)
	slices.SortFunc(messages, func(a, b string) int { return strings.Compare(timestamp.FindString(a)+a, timestamp.FindString(b)+b) })
	golden.AssertText(t, root+"/testdata/recipes/cdevents_incident.jsonl", strings.Join(messages, "\n")+"\n")
}

var timestamp = regexp.MustCompile(`"timestamp":"[^"]+"`)

// exampleBodies returns the files of testdata with a body.
func exampleBodies(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, folder := range []string{"events", "senders", "life", "configured"} {
		found, err := filepath.Glob(root + "/testdata/" + folder + "/*.json")
		require.NoError(t, err)
		files = append(files, found...)
	}
	return files
}

// assertValid validates messages of a recipe, and counts them by their kind.
func assertValid(t *testing.T, recipe string, messages []string) map[string]int {
	t.Helper()
	require.NotEmpty(t, messages)
	kinds := map[string]int{}
	for _, message := range messages {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(message))
		require.NoError(t, err, message)
		kind, schema := messageSchema(t, recipe, document)
		assert.NoError(t, schema.Validate(document), message)
		kinds[kind]++
	}
	return kinds
}

// messageSchema returns the kind of a message and the schema of this kind.
func messageSchema(t *testing.T, recipe string, document any) (string, *jsonschema.Schema) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	location := root + "/testdata/recipes/" + recipe + ".schema.json"
	message, _ := document.(map[string]any)
	var kind string
	switch recipe {
	case "flashduty":
		kind, _ = message["change_status"].(string)
	case "cloudevents":
		kind, _ = message["type"].(string)
	case "cdevents":
		context, _ := message["context"].(map[string]any)
		kind, _ = context["type"].(string)
		location += "#/$defs/" + kind
		if folder := os.Getenv(publishedSchemas); folder != "" {
			addLinks(t, compiler, folder)
			words := strings.Split(kind, ".") // dev.cdevents.<subject>.<predicate>.<version>
			location = filepath.Join(folder, words[2]+words[3]+".json")
		}
	}
	schema, err := compiler.Compile(location)
	require.NoError(t, err)
	return kind, schema
}

// addLinks adds the schemas that each published schema refers to.
func addLinks(t *testing.T, compiler *jsonschema.Compiler, folder string) {
	t.Helper()
	files, err := filepath.Glob(folder + "/links/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, file)))
		require.NoError(t, err)
		require.NoError(t, compiler.AddResource(document.(map[string]any)["$id"].(string), document))
	}
}
