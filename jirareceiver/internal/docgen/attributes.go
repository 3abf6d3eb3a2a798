// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// attributesIntro is the start of the page. A backtick is written as ´.
const attributesIntro = `# Attributes

All attributes of the records, by subject. [events.md](events.md) shows whole records.

A record has an attribute if Jira sends its value and the value is not empty. Only ´service.name´,
´jira.schema.version´ and ´jira.webhook.source´ are on every record.

- **type**: ids are strings, even if Jira sends numbers. Times are strings in UTC, in RFC 3339 with milliseconds. Dates
  are ´YYYY-MM-DD´.
- **on**: the records that have the attribute in the example bodies of this repository. Other senders may send fewer
  values, or more.
- **personal**: *id* is an account id of Jira Cloud, or a user key of Data Center such as ´JIRAUSER10100´. *hash* is the
  [hash of a login name](security.md#people). *yes* and *in part* name the option that adds the attribute, or a part of
  its value, to records. *no* means that the attribute itself is not about people. But people can write anything into a
  summary, a label or the name of a sprint.
- Texts are cut after ´max_text_length´ characters, and the example values on this page after 60. All values have
  [limits](limits.md#of-a-record).

`

// sections are the parts of the page, by the namespaces of their attributes.
var sections = []section{
	{"Resource and instrumentation scope", "resource", []string{"service.", "jira.site.", "jira.schema."}},
	{"Event, delivery and actor", "delivery", []string{"log.", "jira.record.", "jira.webhook.", "user."}},
	{"Issue", "issue", []string{"jira.issue.", "url.", "jira.workflow."}},
	{"Changed fields", "changelog", []string{"jira.changelog.", "jira.change."}},
	{"Project", "project", []string{"jira.project."}},
	{"Comment", "comment", []string{"jira.comment."}},
	{"Worklog", "worklog", []string{"jira.worklog."}},
	{"Attachment", "attachment", []string{"jira.attachment.", "file."}},
	{"Issue link", "issue_link", []string{"jira.issue_link."}},
	{"Sprint and board", "sprint", []string{"jira.sprint.", "jira.board."}},
	{"Version", "version", []string{"jira.version."}},
	{"Alert", "alert", []string{"jira.alert."}},
	{"User, on events about users", "user", []string{"jira.user."}},
	{"Issue property, filter and option", "option", []string{"jira.issue_property.", "jira.filter.", "jira.option."}},
}

// section is a part of the page, and a group of the registry.
type section struct {
	title      string
	id         string // last part of the id of the group
	namespaces []string
}

func (s section) contains(key string) bool {
	return slices.ContainsFunc(s.namespaces, func(namespace string) bool { return strings.HasPrefix(key, namespace) })
}

// attributesPage returns docs/attributes.md.
func attributesPage(declared *declarations, seen *observations, flow string) (string, error) {
	page, rows := strings.Builder{}, 0
	page.WriteString(backticks(attributesIntro))
	for _, section := range sections {
		fmt.Fprintf(&page, "## %s\n\n| attribute | description | type | example | on | personal |\n|---|---|---|---|---|---|\n", section.title)
		for _, attr := range declared.attributes {
			if section.contains(attr.key) {
				page.WriteString(attr.row(seen))
				rows++
			}
		}
		page.WriteString("\n")
	}
	page.WriteString(flow)
	page.WriteString(strings.TrimPrefix(footer, "\n"))
	if rows != len(declared.attributes) {
		return "", errors.New("an attribute is in no section, or in two")
	}
	return page.String(), checkKeys(page.String(), seen, declared)
}

// checkKeys returns an error if a key of the records is missing in the page, or if no record has a declared attribute.
func checkKeys(page string, seen *observations, declared *declarations) error {
	for _, key := range slices.Sorted(maps.Keys(seen.attributes)) {
		if !strings.Contains(page, "| `"+key+"` |") {
			return fmt.Errorf("attribute.go does not declare %s, which records have", key)
		}
	}
	for _, attr := range declared.attributes {
		if seen.attributes[attr.key] == nil {
			return fmt.Errorf("no example record has %s: add its value to a body in testdata", attr.key)
		}
	}
	for _, key := range declared.keys {
		if !strings.Contains(page, "`"+key+"`") {
			return fmt.Errorf("the page does not describe %s of the maps in a list", key)
		}
	}
	return nil
}

// attribute is a row of the page.
type attribute struct{ key, description string }

// declarations holds the attributes that attribute.go declares, and the keys of attributes whose values are maps.
type declarations struct {
	attributes []attribute
	keys       []string
}

// fromConventions holds the keys that attribute.go takes from the semantic conventions.
var fromConventions = map[string]string{
	"attrServiceName":    "service.name",
	"attrRecordUID":      "log.record.uid",
	"attrRecordOriginal": "log.record.original",
	"attrURLFull":        "url.full",
}

// parseAttributes reads the keys of the attributes, and the comments after them.
func parseAttributes(root string) (*declarations, error) {
	path := filepath.Join(root, "jirareceiver", "internal", "record", "attribute.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	declared := &declarations{}
	for _, decl := range file.Decls {
		group, isGroup := decl.(*ast.GenDecl)
		if !isGroup {
			continue
		}
		for _, spec := range group.Specs {
			if value, isValue := spec.(*ast.ValueSpec); isValue {
				if err := declared.add(group.Tok, value); err != nil {
					return nil, fmt.Errorf("%s: %w", value.Names[0].Name, err)
				}
			}
		}
	}
	return declared, nil
}

func (d *declarations) add(tok token.Token, value *ast.ValueSpec) error {
	name := value.Names[0].Name
	description := strings.TrimSpace(value.Comment.Text())
	switch {
	case tok == token.CONST && strings.HasPrefix(name, "key"):
		key, err := unquote(value.Values[0])
		d.keys = append(d.keys, key)
		return err
	case tok == token.CONST && strings.HasPrefix(name, "attr"):
		key, err := attributeKey(value)
		d.attributes = append(d.attributes, attribute{key, description})
		return errors.Join(err, requireDescription(description))
	case tok == token.VAR && strings.HasSuffix(name, "Keys"):
		call := value.Values[0].(*ast.CallExpr)
		namespace, err := unquote(call.Args[0])
		d.attributes = append(d.attributes, personAttributes(namespace, description)...)
		if call.Fun.(*ast.Ident).Name == "newUserKeys" {
			d.attributes = append(d.attributes, detailAttributes(namespace)...)
		}
		return errors.Join(err, requireDescription(description))
	default:
		return nil
	}
}

func requireDescription(description string) error {
	if description == "" {
		return errors.New("no description in a comment after it")
	}
	return nil
}

func attributeKey(value *ast.ValueSpec) (string, error) {
	if key, found := fromConventions[value.Names[0].Name]; found {
		return key, nil
	}
	key, err := unquote(value.Values[0])
	if strings.HasSuffix(key, ".") {
		key += customAlias
	}
	return key, err
}

func unquote(value ast.Expr) (string, error) {
	literal, isLiteral := value.(*ast.BasicLit)
	if !isLiteral {
		return "", errors.New("not a literal, and not in fromConventions of docgen")
	}
	return strconv.Unquote(literal.Value)
}

// customAlias stands for the alias of a custom field, which ends a key.
const customAlias = "<alias>"

// templateOf returns a key with customAlias in place of the alias, if attribute.go declares the rest of the key.
func (d *declarations) templateOf(key string) string {
	namespace := key[:strings.LastIndex(key, ".")+1]
	isTemplate := slices.ContainsFunc(d.attributes, func(a attribute) bool { return a.key == namespace+customAlias })
	if isTemplate {
		return namespace + customAlias
	}
	return key
}

func personAttributes(namespace, description string) []attribute {
	return []attribute{
		{namespace + ".id", "user id of " + description},
		{namespace + ".hash", "hash of the login name of this user, if the user has no `.id`"},
		{namespace + ".name", "login name of this user; with `include::user_details`"},
	}
}

func detailAttributes(namespace string) []attribute {
	return []attribute{
		{namespace + ".full_name", "display name of this user; with `include::user_details`"},
		{namespace + ".email", "e-mail address of this user; with `include::user_details`"},
	}
}

var (
	withOption     = regexp.MustCompile("; with (`include::[a-z_]+`)$")
	onlyWithOption = regexp.MustCompile("only with (`include::[a-z_]+`)")
)

// personal returns the description without the mark of personal data, and the column personal.
func (attr attribute) personal() (description, personal string) {
	description, personal = attr.description, "no"
	if match := withOption.FindStringSubmatch(description); match != nil {
		description, personal = strings.TrimSuffix(description, match[0]), "yes: "+match[1]
	} else if matches := onlyWithOption.FindAllStringSubmatch(description, -1); matches != nil {
		var options []string
		for _, match := range matches {
			options = append(options, match[1])
		}
		personal = "in part: " + strings.Join(options, ", ")
	} else if strings.HasPrefix(description, "user id of ") {
		personal = "id"
	} else if strings.HasPrefix(description, "hash of ") {
		personal = "hash"
	}
	return description, personal
}

func (attr attribute) row(seen *observations) string {
	description, personal := attr.personal()
	o := seen.attributes[attr.key]
	if o == nil {
		o = &observation{}
	}
	return fmt.Sprintf("| %#q | %s | %s | %s | %s | %s |\n", attr.key, description, strings.Join(o.types, ", "), o.example, seen.on(o.events), personal)
}

// observations holds the types, examples and events of all attributes in the records of the example bodies.
type observations struct {
	declared   *declarations
	attributes map[string]*observation
	events     map[string]bool
}

type observation struct {
	types   []string
	value   any // the first value
	example string
	texts   map[string]bool // all values that are strings, without the values of odd bodies
	events  map[string]bool
}

// seenAttributes writes the records of all bodies, with all optional contents.
func seenAttributes(declared *declarations, bodies []testbodies.Body) (*observations, error) {
	w := newWriting(record.Options{
		CustomFields: map[string]string{
			"customfield_10016": "story_points", "customfield_10020": "sprint",
			"customfield_10100": "approver", "customfield_10101": "observers", "customfield_10108": "tester",
			"customfield_10109": "reviewers",
			"customfield_10301": "first_response", "customfield_10302": "time_to_approve", "customfield_10303": "approvals",
			"customfield_10304": "request_type", "customfield_10305": "satisfaction", "customfield_10313": "budget",
		},
		UserDetails: true, Description: true, CommentBody: true, Payload: true, SplitChanges: true,
	})
	retries := int64(1)
	delivery := record.Delivery{ID: "5f3c1d8e-0b6a-4f27-9c4e-2d7a8b9c0d1e", Flow: "Primary", RetryCount: &retries}
	seen := &observations{declared: declared, attributes: map[string]*observation{}, events: map[string]bool{}}
	for _, body := range bodies {
		logs, err := w.logs(body.Content, delivery)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", body.Name, err)
		}
		resource := logs.ResourceLogs().At(0)
		scope := resource.ScopeLogs().At(0)
		for _, record := range scope.LogRecords().All() {
			if meanings[record.EventName()] == "" {
				continue // Jira does not document this event
			}
			seen.events[record.EventName()] = true
			for _, attrs := range []pcommon.Map{resource.Resource().Attributes(), scope.Scope().Attributes(), record.Attributes()} {
				seen.add(record.EventName(), attrs, body.Odd())
			}
		}
	}
	// No example body is long enough to reach a limit.
	seen.attributes["jira.record.truncated"] = &observation{
		types: []string{"string slice"}, value: []any{"jira.issue.labels"}, example: "`[\"jira.issue.labels\"]`", events: seen.events,
	}
	return seen, nil
}

func (seen *observations) add(event string, attrs pcommon.Map, isOdd bool) {
	for key, value := range attrs.All() {
		key = seen.declared.templateOf(key)
		o := seen.attributes[key]
		if o == nil {
			o = &observation{value: value.AsRaw(), example: exampleValue(value), texts: map[string]bool{}, events: map[string]bool{}}
			seen.attributes[key] = o
		}
		if name := typeName(value); !slices.Contains(o.types, name) {
			o.types = append(o.types, name)
		}
		if value.Type() == pcommon.ValueTypeStr && !isOdd {
			o.texts[value.Str()] = true
		}
		o.events[event] = true
	}
}

func typeName(value pcommon.Value) string {
	switch {
	case value.Type() != pcommon.ValueTypeSlice:
		return map[pcommon.ValueType]string{
			pcommon.ValueTypeStr: "string", pcommon.ValueTypeInt: "int", pcommon.ValueTypeDouble: "double", pcommon.ValueTypeBool: "bool",
		}[value.Type()]
	case value.Slice().At(0).Type() == pcommon.ValueTypeMap:
		return "slice of maps"
	default:
		return typeName(value.Slice().At(0)) + " slice"
	}
}

// maxExample is the greatest length of an example value, in characters.
const maxExample = 60

func exampleValue(value pcommon.Value) string {
	s := shorten(strings.Join(strings.Fields(value.AsString()), " "))
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(s) + "`"
}

// shorten returns the start of a long text.
func shorten(s string) string {
	if runes := []rune(s); len(runes) > maxExample {
		return string(runes[:maxExample]) + "…"
	}
	return s
}

// on returns the events that have an attribute, in short: jira.sprint.* are all events of a namespace, and the shorter
// list of the events that have the attribute and the events that lack it is written.
func (seen *observations) on(events map[string]bool) string {
	switch {
	case len(events) == len(seen.events):
		return "any event"
	case maps.Equal(events, seen.attributes["jira.issue.id"].events):
		return "any event with an issue"
	}
	others := map[string]bool{}
	for event := range seen.events {
		if !events[event] {
			others[event] = true
		}
	}
	with, without := seen.list(events), seen.list(others)
	if len(without) < len(with) {
		return "any event except " + without
	}
	return with
}

// list returns the names of events by namespace.
func (seen *observations) list(events map[string]bool) string {
	namespaces := map[string]bool{}
	for event := range events {
		namespaces[event[:strings.LastIndex(event, ".")+1]] = true
	}
	var parts []string
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		var with, without []string
		for _, event := range slices.Sorted(maps.Keys(seen.events)) {
			if action, found := strings.CutPrefix(event, namespace); found && !strings.Contains(action, ".") {
				if events[event] {
					with = append(with, action)
				} else {
					without = append(without, action)
				}
			}
		}
		switch {
		case len(with) == 1:
			parts = append(parts, "`"+namespace+with[0]+"`")
		case len(without) == 0:
			parts = append(parts, "`"+namespace+"*`")
		case len(without) < len(with):
			parts = append(parts, "`"+namespace+"*` (not `."+strings.Join(without, "`, `.")+"`)")
		default:
			parts = append(parts, "`"+namespace+strings.Join(with, "`, `.")+"`")
		}
	}
	return strings.Join(parts, ", ")
}
