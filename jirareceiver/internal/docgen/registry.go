// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.yaml.in/yaml/v3"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// The registry describes the attributes, the events and the metrics in the format of the semantic conventions:
// https://github.com/open-telemetry/weaver/blob/main/schemas/semconv-syntax.md.

const (
	registryFolder = "jirareceiver/registry/"
	// registryURL identifies the registry. The version follows.
	registryURL = "https://github.com/otel-jira/collector/jirareceiver/registry/"
	// stability of the attributes and the events.
	stability = "development"
)

type manifest struct {
	SchemaURL    string       `yaml:"schema_url"`
	Description  string       `yaml:"description"`
	Stability    string       `yaml:"stability"`
	Dependencies []dependency `yaml:"dependencies"`
}

type dependency struct {
	SchemaURL string `yaml:"schema_url"`
	Path      string `yaml:"registry_path"`
}

// group is a semantic convention: a list of attributes, an event or a metric.
type group struct {
	ID          string       `yaml:"id"`
	Type        string       `yaml:"type"`
	Name        string       `yaml:"name,omitempty"`
	MetricName  string       `yaml:"metric_name,omitempty"`
	DisplayName string       `yaml:"display_name,omitempty"`
	Brief       string       `yaml:"brief"`
	Note        string       `yaml:"note,omitempty"`
	Instrument  string       `yaml:"instrument,omitempty"`
	Unit        string       `yaml:"unit,omitempty"`
	Stability   string       `yaml:"stability,omitempty"`
	Annotations any          `yaml:"annotations,omitempty"`
	Extends     string       `yaml:"extends,omitempty"`
	Attributes  []convention `yaml:"attributes,omitempty"`
}

// convention is the definition of an attribute, with an ID, or a reference to it, with a Ref.
type convention struct {
	ID        string `yaml:"id,omitempty"`
	Ref       string `yaml:"ref,omitempty"`
	Type      any    `yaml:"type,omitempty"`
	Stability string `yaml:"stability,omitempty"`
	Brief     string `yaml:"brief,omitempty"`
	Note      string `yaml:"note,omitempty"`
	Examples  []any  `yaml:"examples,omitempty,flow"`
	Level     any    `yaml:"requirement_level,omitempty"`
}

// enumType is the type of an attribute with a fixed set of values.
type enumType struct {
	Members []member `yaml:"members"`
}

type member struct {
	ID        string `yaml:"id"`
	Value     string `yaml:"value"`
	Stability string `yaml:"stability"`
}

func newEnum(values []string, stability string) enumType {
	members := make([]member, len(values))
	for i, value := range values {
		members[i] = member{strings.ToLower(value), value, stability}
	}
	return enumType{members}
}

// enums holds the values of attributes that have a fixed set of values.
var enums = map[string][]string{
	"jira.site.type":               {"cloud", "data_center"},
	"jira.webhook.flow":            {"Primary", "Secondary"},
	"jira.webhook.source":          {"webhook", "post_function", "automation", "operations", "unknown", "poll", "repair", "backfill"},
	"jira.issue.resolution.change": {"resolved", "reopened"},
	"jira.issue.sprint.state":      {"active", "future"},
	"jira.issue.status.category":   {"new", "indeterminate", "done", "undefined"},
	"jira.comment.visibility.type": {"role", "group"},
	"jira.worklog.visibility.type": {"role", "group"},
	"jira.sprint.state":            {"future", "active", "closed"},
	"jira.board.type":              {"scrum", "kanban", "simple"},
	"jira.user.account_type":       {"atlassian", "app", "customer"},
	"jira.alert.priority":          {"P1", "P2", "P3", "P4", "P5"},
	"jira.alert.previous_priority": {"P1", "P2", "P3", "P4", "P5"},
	"jira.alert.recipient.type":    {"user", "team", "schedule", "escalation"},
}

// Requirement levels.
const (
	levelRequired = "required"
	levelOptIn    = "opt_in"
)

// condition is the requirement level of an attribute that records have under a condition.
type condition string

// MarshalYAML writes the condition on one line, because there are thousands.
func (c condition) MarshalYAML() (any, error) { //nolint:unparam // yaml.Marshaler requires the error
	text := func(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }
	return &yaml.Node{
		Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{text("conditionally_required"), text(string(c))},
	}, nil
}

// conditions holds the conditions of attributes whose values are not in the payload.
var conditions = map[string]string{
	"log.record.uid":                    "Unless the payload is empty and the delivery has no ID.",
	"jira.record.truncated":             "If a limit cut a value.",
	"jira.webhook.id":                   "If the request has the header.",
	"jira.webhook.retry_count":          "If the request has the header.",
	"jira.webhook.flow":                 "If the request has the header.",
	"url.full":                          "If the site and the key of the issue are known.",
	"jira.site.url":                     "If the configuration or the payload contains the site.",
	"jira.site.type":                    "If the payload or the site shows it.",
	"jira.issue.age_seconds":            "If the payload contains the creation time of the issue.",
	"jira.issue.lead_time_seconds":      "If the event resolves the issue.",
	"jira.issue.resolution.change":      "If the event resolves or reopens the issue.",
	"jira.issue.status.mapped":          "If the status has a mapped value.",
	"jira.issue.status.previous.mapped": "If the previous status has a mapped value.",
}

// levelOf returns the requirement level of an attribute of a record.
func (attr attribute) levelOf() any {
	switch text, isConditional := conditions[attr.key]; {
	case attr.key == "service.name" || attr.key == "jira.schema.version" || attr.key == "jira.webhook.source":
		return levelRequired
	case withOption.MatchString(attr.description) || strings.HasSuffix(attr.key, customAlias):
		return levelOptIn
	case isConditional:
		return condition(text)
	case strings.HasPrefix(attr.description, "hash of "):
		return condition("If the payload contains the person, and the person has no ID.")
	default:
		return condition("If the payload contains a value that is not empty.")
	}
}

// registry returns the files of the registry, by path below the root of the repository.
func registry(
	root string, declared *declarations, seen *observations, own *declarations, flow *flowSeen,
) (map[string]string, error) {
	attributes, err := attributeGroups(declared, seen)
	if err != nil {
		return nil, err
	}
	metrics, err := metricGroups(root, "receiver")
	if err != nil {
		return nil, err
	}
	flowMetrics, err := metricGroups(root, "connector")
	if err != nil {
		return nil, err
	}
	ofFlow, err := flowGroups(own, flow)
	if err != nil {
		return nil, err
	}
	return encodeFiles(map[string]any{
		"manifest.yaml":   newManifest(),
		"attributes.yaml": groups{attributes},
		"events.yaml":     groups{eventGroups(declared, seen)},
		"metrics.yaml":    groups{metrics},
		"flow.yaml":       groups{append(ofFlow, flowMetrics...)},
	})
}

type groups struct {
	Groups []group `yaml:"groups"`
}

func newManifest() manifest {
	version := semconv.SchemaURL[strings.LastIndex(semconv.SchemaURL, "/")+1:]
	return manifest{
		SchemaURL:   registryURL + record.SchemaVersion,
		Description: "Attributes and events of the log records of the Jira receiver and of the connector jira_flow, and their metrics.",
		Stability:   stability,
		Dependencies: []dependency{{
			SchemaURL: semconv.SchemaURL,
			Path:      "https://github.com/open-telemetry/semantic-conventions/archive/refs/tags/v" + version + ".zip[model]",
		}},
	}
}

func encodeFiles(files map[string]any) (map[string]string, error) {
	encoded := map[string]string{}
	for name, content := range files {
		var b bytes.Buffer
		b.WriteString("# Copyright The otel-jira Authors\n# SPDX-License-Identifier: Apache-2.0\n\n# `make docs` writes this file: do not edit it.\n\n")
		encoder := yaml.NewEncoder(&b)
		encoder.SetIndent(2)
		if err := encoder.Encode(content); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		encoded[registryFolder+name] = b.String()
	}
	return encoded, nil
}

// ownNamespace is the start of the attributes that the registry defines. The semantic conventions define the others.
const ownNamespace = "jira."

// attributeGroups returns a group for each section of docs/attributes.md, and the groups of the resource, the scope and
// all records.
func attributeGroups(declared *declarations, seen *observations) ([]group, error) {
	var all []group
	for _, section := range sections {
		g := group{
			ID: "registry.jira." + section.id, Type: "attribute_group", DisplayName: section.title,
			Brief: "Attributes of records of the Jira receiver.",
		}
		for _, attr := range declared.attributes {
			if !strings.HasPrefix(attr.key, ownNamespace) || !section.contains(attr.key) {
				continue
			}
			definition, err := attr.definition(seen.attributes[attr.key])
			if err != nil {
				return nil, err
			}
			g.Attributes = append(g.Attributes, definition)
		}
		all = append(all, g)
	}
	return append(all,
		group{
			ID: "jira.resource", Type: "attribute_group", Brief: "Attributes of the resource of all records.",
			Attributes: declared.references(isOfResource),
		},
		group{
			ID: "jira.scope", Type: "attribute_group", Brief: "Attributes of the instrumentation scope of all records.",
			Attributes: declared.references(isOfScope),
		},
		group{
			ID: commonGroup, Type: "attribute_group", Brief: "Attributes that records of all events can have.",
			Attributes: declared.references(seen.isCommon),
		},
	), nil
}

// commonGroup is the id of the group that all events extend.
const commonGroup = "jira.record"

func isOfResource(key string) bool {
	return key == "service.name" || strings.HasPrefix(key, "jira.site.")
}

func isOfScope(key string) bool { return strings.HasPrefix(key, "jira.schema.") }

// isCommon reports whether records of all events have the attribute.
func (seen *observations) isCommon(key string) bool {
	return len(seen.attributes[key].events) == len(seen.events) && !isOfResource(key) && !isOfScope(key)
}

// references returns references to the attributes whose keys match.
func (d *declarations) references(matches func(key string) bool) []convention {
	var refs []convention
	for _, attr := range d.attributes {
		if matches(attr.key) {
			refs = append(refs, convention{Ref: registryID(attr.key), Level: attr.levelOf()})
		}
	}
	return refs
}

// registryID returns the id of an attribute. A template has the part of the key before the alias.
func registryID(key string) string { return strings.TrimSuffix(key, "."+customAlias) }

var markdownLink = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)

// definition returns the definition of an attribute of the receiver.
func (attr attribute) definition(o *observation) (convention, error) {
	kind, err := attr.typeOf(o)
	if err != nil {
		return convention{}, fmt.Errorf("%s: %w", attr.key, err)
	}
	description := markdownLink.ReplaceAllString(withOption.ReplaceAllString(attr.description, ""), "$1")
	brief, note, _ := strings.Cut(description, ". ")
	return convention{
		ID: registryID(attr.key), Type: kind, Stability: stability, Brief: sentence(brief),
		Note: strings.TrimSpace(sentence(note) + " " + attr.privacy()), Examples: o.examples(kind),
	}, nil
}

// sentence returns a text with a capital letter and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if rest, isID := strings.CutPrefix(text, "id "); isID {
		text = "ID " + rest
	}
	return strings.TrimSuffix(capitalise(text), ".") + "."
}

// privacy returns the note about personal data, or "".
func (attr attribute) privacy() string {
	switch _, personal := attr.personal(); {
	case personal == "no":
		return ""
	case personal == "id":
		return "The value identifies a person."
	case personal == "hash":
		return "The value is a pseudonym of a person."
	case strings.HasPrefix(personal, "in part"):
		return "The value can contain personal data."
	default:
		return "The value can contain personal data. " + sentence("Option: "+strings.TrimPrefix(personal, "yes: "))
	}
}

// registryTypes holds the types of the registry by the types of docs/attributes.md.
var registryTypes = map[string]string{
	"string": "string", "int": "int", "double": "double", "bool": "boolean", "string slice": "string[]", "slice of maps": "any",
}

// typeOf returns the type of an attribute, by its values in the example records.
func (attr attribute) typeOf(o *observation) (any, error) {
	kind := "any"
	if len(o.types) == 1 {
		kind = cmp.Or(registryTypes[o.types[0]], kind)
	}
	if strings.HasSuffix(attr.key, customAlias) {
		return "template[" + kind + "]", nil
	}
	values, isEnum := enums[attr.key]
	if !isEnum {
		return kind, nil
	}
	for value := range o.texts {
		if !slices.Contains(values, value) {
			return nil, fmt.Errorf("enums does not contain the value %q of an example record", value)
		}
	}
	for _, value := range values {
		if !strings.Contains(attr.description, "`"+value+"`") {
			return nil, fmt.Errorf("the description does not contain the value `%s` of enums", value)
		}
	}
	return newEnum(values, stability), nil
}

// examples returns the example value of an attribute. The values of enums and maps need no example.
func (o *observation) examples(kind any) []any {
	if _, isEnum := kind.(enumType); isEnum || slices.Contains(o.types, "slice of maps") {
		return nil
	}
	switch value := o.value.(type) {
	case bool:
		return nil
	case string:
		return []any{strings.Join(strings.Fields(shorten(value)), " ")}
	default:
		return []any{value}
	}
}

// eventGroups returns a group for each event of docs/events.md.
func eventGroups(declared *declarations, seen *observations) []group {
	var all []group
	for _, event := range documentedEvents() {
		all = append(all, group{
			ID: "event." + event.name, Type: "event", Name: event.name, Stability: stability,
			Brief:   sentence(meanings[event.name]),
			Note:    sentence("name in Jira: " + markdownLink.ReplaceAllString(event.jira, "$1")),
			Extends: commonGroup,
			Attributes: declared.references(func(key string) bool {
				o := seen.attributes[key]
				return o.events[event.name] && !seen.isCommon(key) && !isOfResource(key) && !isOfScope(key)
			}),
		})
	}
	return all
}

// componentMetadata is the part of metadata.yaml that describes metrics.
type componentMetadata struct {
	Attributes map[string]struct {
		Description string   `yaml:"description"`
		Type        string   `yaml:"type"`
		Enum        []string `yaml:"enum"`
	} `yaml:"attributes"`
	Telemetry struct {
		Metrics map[string]metric `yaml:"metrics"`
	} `yaml:"telemetry"`
}

type metric struct {
	Stability   string      `yaml:"stability"`
	Description string      `yaml:"description"`
	Unit        string      `yaml:"unit"`
	Sum         *instrument `yaml:"sum"`
	Gauge       *instrument `yaml:"gauge"`
	Histogram   *instrument `yaml:"histogram"`
	Attributes  []string    `yaml:"attributes"`
}

type instrument struct {
	ValueType string `yaml:"value_type"`
	Monotonic bool   `yaml:"monotonic"`
}

// metricPrefix is the start of the names of all metrics that mdatagen generates.
const metricPrefix = "otelcol_"

// metricExamples holds an example for each attribute of a metric that is not an enum.
var metricExamples = map[string]string{
	"custom_field": "customfield_10016", "event": "jira.issue.updated", "receiver": "jira", "connector": "jira_flow",
}

// metricGroups returns the attributes of the metrics in metadata.yaml of a component, and a group for each metric.
func metricGroups(root, class string) ([]group, error) {
	content, err := os.ReadFile(filepath.Join(root, map[string]string{
		"receiver": "jirareceiver", "connector": "jiraflowconnector",
	}[class], "metadata.yaml"))
	if err != nil {
		return nil, err
	}
	var md componentMetadata
	if err := yaml.Unmarshal(content, &md); err != nil {
		return nil, err
	}
	attributes := group{
		ID: "registry.jira." + class, Type: "attribute_group", DisplayName: "Metrics of the " + class,
		Brief: "Attributes of the metrics about the " + class + " itself.",
	}
	all := []group{attributes}
	level := "stable"
	for _, name := range slices.Sorted(maps.Keys(md.Telemetry.Metrics)) {
		g, err := md.Telemetry.Metrics[name].group(metricPrefix + name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		level = g.Stability
		all = append(all, g)
	}
	for _, name := range slices.Sorted(maps.Keys(md.Attributes)) {
		attr := md.Attributes[name]
		definition := convention{ID: name, Type: attr.Type, Stability: level, Brief: attr.Description}
		if len(attr.Enum) > 0 {
			definition.Type = newEnum(attr.Enum, level)
		} else if example := metricExamples[name]; example != "" {
			definition.Examples = []any{example}
		} else {
			return nil, fmt.Errorf("%s: no example in metricExamples", name)
		}
		all[0].Attributes = append(all[0].Attributes, definition)
	}
	return all, nil
}

// group returns the group of a metric.
func (m metric) group(name string) (group, error) {
	brief, note, hasNote := strings.Cut(m.Description, ". ")
	if hasNote {
		brief += "."
	}
	g := group{
		ID: "metric." + name, Type: "metric", MetricName: name, Brief: brief, Note: note,
		Unit: m.Unit, Stability: m.Stability,
	}
	var i *instrument
	switch {
	case m.Histogram != nil:
		i, g.Instrument = m.Histogram, "histogram"
	case m.Gauge != nil:
		i, g.Instrument = m.Gauge, "gauge"
	case m.Sum != nil && m.Sum.Monotonic:
		i, g.Instrument = m.Sum, "counter"
	case m.Sum != nil:
		i, g.Instrument = m.Sum, "updowncounter"
	default:
		return g, errors.New("no instrument")
	}
	g.Annotations = map[string]any{"code_generation": map[string]string{"metric_value_type": i.ValueType}}
	for _, attr := range m.Attributes {
		g.Attributes = append(g.Attributes, convention{Ref: attr, Level: levelRequired})
	}
	return g, nil
}
