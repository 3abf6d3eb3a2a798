// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
)

func readPage(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}

// TestRecordPage posts the body of the page and compares what it becomes with the record of the page.
func TestRecordPage(t *testing.T) {
	section := readPage(t, "../docs/record.md")
	body := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(section)
	record := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(section)
	require.NotEmpty(t, body)
	require.NotEmpty(t, record)

	next := &sink{}
	r := start(t, next, nil)
	r.post(t, []byte(body[1]))
	require.Len(t, next.AllLogs(), 1)
	assert.Equal(t, record[1], golden.Printed(next.AllLogs()[0]))
}

// TestConfigurationPage holds the table of options against the configuration's keys and defaults.
func TestConfigurationPage(t *testing.T) {
	section := readPage(t, "../docs/configuration.md")
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_:]+)` \\| (.*?) \\|").FindAllStringSubmatch(section, -1) {
		rows[row[1]] = row[2]
	}
	cfg := createDefaultConfig().(*Config)
	options := options("", reflect.ValueOf(cfg.Jira))
	options["endpoint"] = cfg.Server.NetAddr.Endpoint
	options["max_request_body_size"] = strconv.FormatInt(cfg.Server.MaxRequestBodySize, 10)
	options["read_header_timeout"] = "10s"
	options["read_timeout"] = "30s"
	options["write_timeout"] = "1m"
	for key, value := range options {
		documented, found := rows[key]
		if assert.True(t, found, "configuration.md does not document %s", key) && value != "" {
			assert.Equal(t, "`"+value+"`", documented, "default of %s", key)
		}
		delete(rows, key)
	}
	assert.Empty(t, rows, "configuration.md documents what is no option")
}

// options returns the keys of a configuration and its defaults, "" for what has none.
func options(prefix string, v reflect.Value) map[string]string {
	found := map[string]string{}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case key == "":
		case v.Field(i).Kind() == reflect.Struct:
			maps.Copy(found, options(prefix+key+"::", v.Field(i)))
		case v.Field(i).Type() == reflect.TypeFor[time.Duration]():
			found[prefix+key] = shortDuration(v.Field(i).Interface().(time.Duration))
		case v.Field(i).Kind() == reflect.Pointer || v.Field(i).Kind() == reflect.Map || v.Field(i).Kind() == reflect.Slice:
			found[prefix+key] = ""
		default:
			found[prefix+key] = fmt.Sprint(v.Field(i).Interface())
		}
	}
	return found
}

// shortDuration writes 2h0m0s as people do.
func shortDuration(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}

// TestOperationsPage holds the table of reasons against the code.
func TestOperationsPage(t *testing.T) {
	page := readPage(t, "../docs/operations.md")
	for _, row := range append(slices.Clone(rejections), internal) {
		assert.Contains(t, page, "\n| `"+row.reason+"` | "+row.hint+" |\n")
	}
}

var (
	smartValue   = regexp.MustCompile(`\{\{[^}]*\}\}`)
	jsonBlock    = regexp.MustCompile("```(?:json|text)\n\\{")
	bodyAndEvent = regexp.MustCompile("(?s)```(?:json|text)\n(\\{.*?)```\n\nbecomes `([a-z_.]+)`")
)

// TestSendersBodies posts every body on the page about senders, and looks for the event that it is said to become.
func TestSendersBodies(t *testing.T) {
	page := readPage(t, "../docs/senders.md")
	examples := bodyAndEvent.FindAllStringSubmatch(page, -1)
	require.Len(t, examples, len(jsonBlock.FindAllString(page, -1)), "a body is not followed by what it becomes")
	next := &sink{}
	r := start(t, next, nil)
	for _, example := range examples {
		next.Reset()
		body := strings.ReplaceAll(example[1], `"{{now.jiraDateTime}}"`, `"2026-03-03T09:01:11.0+0000"`)
		body = smartValue.ReplaceAllString(body, `"a value"`)
		response, _ := r.post(t, []byte(body))
		require.Equal(t, http.StatusOK, response.StatusCode, body)
		record := onlyRecord(t, next.AllLogs()[0])
		assert.Equal(t, example[2], record.EventName(), body)
		if strings.Contains(body, `"timestamp"`) {
			assert.NotEqual(t, observedAt, record.Timestamp().AsTime(), body)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks follows the links within the documentation.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	decisions, err := filepath.Glob("../docs/adr/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, decisions)
	pages = append(pages, decisions...)
	for _, page := range append(pages, "../README.md", "../CHANGELOG.md", "../CONTRIBUTING.md", "../SECURITY.md", "README.md") {
		for _, match := range link.FindAllStringSubmatch(readPage(t, page), -1) {
			path, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			assert.FileExists(t, target, "%s links to %s", page, match[1])
			if anchor != "" {
				assert.Contains(t, anchors(readPage(t, target)), anchor, "%s links to %s", page, match[1])
			}
		}
	}
}

// TestBackendsPage looks for the message in the page among those that a test has seen.
func TestBackendsPage(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readPage(t, "../docs/backends.md"))
	require.NotNil(t, block)
	var message bytes.Buffer
	require.NoError(t, json.Compact(&message, []byte(block[1])))
	assert.Contains(t, strings.Split(readPage(t, "../testdata/recipes/flashduty.jsonl"), "\n"), message.String())
}

// anchors returns what GitHub makes of the headings of a page.
func anchors(page string) []string {
	var anchors []string
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		anchors = append(anchors, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return anchors
}
