// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
)

// TestRecordPage sends the body on the page, and compares its record with the record on the page. The README shows a part
// of the record.
func TestRecordPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/record.md")
	require.NoError(t, err)
	body := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(string(page))
	record := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(string(page))
	require.NotEmpty(t, body)
	require.NotEmpty(t, record)

	next := &sink{}
	r := start(t, next, nil)
	r.post(t, []byte(body[1]))
	require.Len(t, next.AllLogs(), 1)
	assert.Equal(t, record[1], golden.Printed(next.AllLogs()[0]))

	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	part := regexp.MustCompile("(?s)```text\n(Timestamp.*?)```").FindStringSubmatch(string(readme))
	require.NotEmpty(t, part)
	for line := range strings.Lines(part[1]) {
		assert.Contains(t, record[1], line)
	}
}

// TestPollingPage validates the section of the receiver in each configuration on the page about polling.
func TestPollingPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/polling.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		retrieved, err := confmap.NewRetrievedFromYAML(block[1])
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		receiver, err := conf.Sub("receivers::jira")
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, receiver.Unmarshal(cfg), "%s", block[1])
		assert.NoError(t, cfg.Validate(), "%s", block[1])
		assert.True(t, cfg.Poll.IsOn(), "%s", block[1])
	}
}

// TestSendersBodies sends each body on the page about senders, and compares its event with the event on the page.
func TestSendersBodies(t *testing.T) {
	t.Parallel()
	smartValue := regexp.MustCompile(`\{\{[^}]*\}\}`)
	block := regexp.MustCompile("```(?:json|text)\n\\{")
	bodyAndEvent := regexp.MustCompile("(?s)```(?:json|text)\n(\\{.*?)```\n\nbecomes `([a-z_.]+)`")
	page, err := os.ReadFile("../docs/senders.md")
	require.NoError(t, err)
	examples := bodyAndEvent.FindAllSubmatch(page, -1)
	require.Len(t, examples, len(block.FindAll(page, -1)), "a body is not followed by its event")
	next := &sink{}
	r := start(t, next, nil)
	for _, example := range examples {
		next.Reset()
		body := strings.ReplaceAll(string(example[1]), `"{{now.jiraDateTime}}"`, `"2026-03-03T09:01:11.0+0000"`)
		body = smartValue.ReplaceAllString(body, `"a value"`)
		response, _ := r.post(t, []byte(body))
		require.Equal(t, http.StatusOK, response.StatusCode, body)
		record := next.record(t)
		assert.Equal(t, string(example[2]), record.EventName(), body)
		if strings.Contains(body, `"timestamp"`) {
			assert.NotEqual(t, observedAt, record.Timestamp().AsTime(), body)
		}
	}
}
