// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Program docgen writes the pages, the schemas and the registry that follow from the code and the example bodies:
// docs/events.md, docs/attributes.md, config.schema.json of the receiver and of the connector, and the folder
// jirareceiver/registry. `make docs` runs it.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// footer ends all generated pages.
const footer = "\n---\n\n`make docs` writes this page: do not edit it.\n"

// maxWidth is the greatest length of a line of prose, in bytes.
const maxWidth = 120

// wrap returns the paragraph in lines of maxWidth.
func wrap(paragraph string) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(paragraph) {
		switch {
		case width == 0:
		case width+1+len(word) > maxWidth:
			b.WriteString("\n")
			width = 0
		default:
			b.WriteString(" ")
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String() + "\n"
}

// backticks replaces ´, which stands for a backtick in the texts of this package.
func backticks(text string) string { return strings.ReplaceAll(text, "´", "`") }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := testbodies.Root()
	if err != nil {
		return err
	}
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the content of all generated files, by path below the root of the repository.
func generate(root string) (map[string]string, error) {
	bodies, err := testbodies.LoadExamples()
	if err != nil {
		return nil, err
	}
	events, err := eventsPage(bodies)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	declared, err := parseAttributes(root)
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	seen, err := seenAttributes(declared, bodies)
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	own, flow, err := readFlow(root, declared)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	attributes, err := attributesPage(declared, seen, flowSection(own, flow))
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	files, err := registry(root, declared, seen, own, flow)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	for _, c := range configured {
		schema, err := c.schema(root)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", c.name, err)
		}
		files[c.folder+"/config.schema.json"] = schema
	}
	files["docs/events.md"] = events
	files["docs/attributes.md"] = attributes
	return files, nil
}

// received is the receive time of all deliveries on the pages.
var received = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// writing turns bodies into records.
type writing struct {
	decoder *jira.Decoder
	builder *record.Builder
}

func newWriting(opts record.Options) *writing {
	opts.Statuses = status.NewMapper(status.Options{UseDefault: true, CategoryFallback: true})
	opts.MaxText = 4096
	return &writing{jira.NewDecoder(slices.Collect(maps.Keys(opts.CustomFields))), record.New(opts)}
}

// logs returns the records of a body.
func (w *writing) logs(body []byte, d record.Delivery) (plog.Logs, error) {
	event, err := w.decoder.Decode(body)
	if err != nil {
		return plog.Logs{}, err
	}
	d.Payload, d.Received = body, received
	logs, _ := w.builder.Build(w.builder.Classify(event), d)
	return logs, nil
}
