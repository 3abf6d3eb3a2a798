// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// read returns the content of a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	root, err := testbodies.Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(content)
}

// TestConfigurationPage compares the table of options with the keys and the defaults of the configuration.
func TestConfigurationPage(t *testing.T) {
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_:]+)` \\| (.*?) \\|").FindAllStringSubmatch(read(t, "docs/configuration.md"), -1) {
		rows[row[1]] = row[2]
	}
	cfg := jirareceiver.NewFactory().CreateDefaultConfig().(*jirareceiver.Config)
	defaults := optionDefaults("", reflect.ValueOf(*cfg))
	defaults["endpoint"] = cfg.ServerConfig.NetAddr.Endpoint
	defaults["max_request_body_size"] = strconv.FormatInt(cfg.ServerConfig.MaxRequestBodySize, 10)
	defaults["read_header_timeout"] = "10s"
	defaults["read_timeout"] = "30s"
	defaults["write_timeout"] = "1m"
	defaults["api::endpoint"] = cfg.API.ClientConfig.Endpoint
	defaults["api::timeout"] = shortDuration(cfg.API.ClientConfig.Timeout)
	for key, value := range defaults {
		documented, found := rows[key]
		if assert.True(t, found, "configuration.md does not document %s", key) && value != "" {
			assert.Equal(t, "`"+value+"`", documented, "default of %s", key)
		}
		delete(rows, key)
	}
	assert.Empty(t, rows, "configuration.md documents options that do not exist")
}

// optionDefaults returns the keys of a configuration with their defaults, or "" for a key without a default.
func optionDefaults(prefix string, v reflect.Value) map[string]string {
	defaults := map[string]string{}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case key == "" || key == ",squash": // the page lists only some settings of the server
		case v.Field(i).Kind() == reflect.Struct:
			maps.Copy(defaults, optionDefaults(prefix+key+"::", v.Field(i)))
		case v.Field(i).Type() == reflect.TypeFor[time.Duration]():
			defaults[prefix+key] = shortDuration(v.Field(i).Interface().(time.Duration))
		case v.Field(i).Kind() == reflect.Pointer || v.Field(i).Kind() == reflect.Map || v.Field(i).Kind() == reflect.Slice:
			defaults[prefix+key] = ""
		default:
			defaults[prefix+key] = fmt.Sprint(v.Field(i).Interface())
		}
	}
	return defaults
}

// TestGlossary compares the glossaries of contributors with the glossaries in the package documentations.
func TestGlossary(t *testing.T) {
	page := read(t, "CONTRIBUTING.md")
	_, page, _ = strings.Cut(page, "\n## Words\n")
	page, _, _ = strings.Cut(page, "\n## ")
	comment := strings.ReplaceAll(read(t, "jirareceiver/doc.go"), "\n//", "\n")
	words := glossary(strings.NewReplacer("`", "", "**", "").Replace(page))
	assert.Contains(t, words, "site: one Jira, identified by its address: https://host[/context]")
	assert.Equal(t, words, glossary(comment))

	_, page, _ = strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Words of the connector\n")
	page, _, _ = strings.Cut(page, "\n## ")
	_, comment, _ = strings.Cut(strings.ReplaceAll(read(t, "jiraflowconnector/doc.go"), "\n//", "\n"), "# Glossary")
	words = glossary(strings.NewReplacer("`", "", "**", "").Replace(page))
	assert.NotEmpty(t, words)
	assert.Equal(t, words, glossary(comment))
}

// glossary returns the items of the list in a text.
func glossary(text string) (items []string) {
	for _, match := range regexp.MustCompile(`(?m)^ *- (.+(\n +[^\s-].*)*)`).FindAllStringSubmatch(text, -1) {
		items = append(items, strings.Join(strings.Fields(match[1]), " "))
	}
	return items
}

// TestIndex searches the README, which is the index of the documentation, for a link to each page.
func TestIndex(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	_, index, found := strings.Cut(read(t, "README.md"), "\n## Documentation\n")
	require.True(t, found)
	for _, page := range pages {
		assert.Contains(t, index, "](docs/"+filepath.Base(page)+")")
	}
}

// TestLinks follows the links within the documentation.
func TestLinks(t *testing.T) {
	root, err := testbodies.Root()
	require.NoError(t, err)
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	decisions, err := filepath.Glob(filepath.Join(root, "docs", "adr", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, decisions)
	pages = append(pages, decisions...)
	for _, page := range []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "jirareceiver/README.md", "jiraflowconnector/README.md", "charts/otelcol-jira/README.md"} {
		pages = append(pages, filepath.Join(root, page))
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	anchors := map[string][]string{} // by page
	for _, page := range pages {
		relative, err := filepath.Rel(root, page)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(read(t, relative), -1) {
			path, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := relative
			if path != "" {
				target = filepath.Join(filepath.Dir(relative), path)
			}
			assert.FileExists(t, filepath.Join(root, target), "%s links to %s", relative, match[1])
			if anchor == "" {
				continue
			}
			if anchors[target] == nil {
				anchors[target] = headings(read(t, target))
			}
			assert.Contains(t, anchors[target], anchor, "%s links to %s", relative, match[1])
		}
	}
}

// headings returns the anchors that GitHub derives from the headings of a page.
func headings(page string) []string {
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var anchors []string
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		anchors = append(anchors, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return anchors
}

// TestBackendsPage searches the messages that a test has received for the message on the page.
func TestBackendsPage(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(read(t, "docs/backends.md"))
	require.NotNil(t, block)
	var message bytes.Buffer
	require.NoError(t, json.Compact(&message, []byte(block[1])))
	assert.Contains(t, strings.Split(read(t, "testdata/recipes/flashduty.jsonl"), "\n"), message.String())
}
