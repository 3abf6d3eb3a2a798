package record

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

const (
	docsFolder = "../../../docs/"
	bodyFolder = "../../../testdata/"
)

// recordsOf returns a body in testdata and its records.
func recordsOf(t *testing.T, builder *Builder, customFields []string, file string, d Delivery) (body []byte, logs plog.Logs) {
	t.Helper()
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	ev, err := jira.NewDecoder(customFields).Decode(body)
	require.NoError(t, err, file)
	d.Body, d.Received = body, received
	logs, _ = builder.Build(builder.Classify(ev), d)
	return body, logs
}

const eventsIntro = `# Events

The names of all events: Jira's name, which is in the body that Jira sends, and the name of the record, which you use in
` + "`events::include`" + `, in filters and in queries. The linked sections contain an example body, and the record that it becomes with
the default configuration.

Jira's list of events is open. Events that are not in the table get a name in the same way: ` + "`sprint_paused`" + ` would become
` + "`jira.sprint.paused`" + `, and ` + "`jira:portfolio_rebalanced`" + ` would become ` + "`jira.portfolio_rebalanced`" + `. A name becomes ` + "`jira.unknown`" + ` if
it is longer than 64 characters, or contains anything but lower-case letters, digits and underscores. The attribute
` + "`jira.webhook.event`" + ` then contains the name as sent.

[attributes.md](attributes.md) explains the attributes, and [senders.md](senders.md) the bodies of each kind of sender. Some
examples are shorter than the bodies of a real Jira. Their records have no attributes for the missing values.

`

// chapters are the parts of the page, by the namespace of the events.
var chapters = []struct{ namespace, title, note string }{
	{"jira.issue.", "Issues", "The body contains the issue with all its fields. A transition is an update with a change of `status`. Data Center also sends comments as updates."},
	{"jira.comment.", "Comments", "Jira Cloud also sends a few fields of the issue, Data Center only the id of the issue. If the body does not contain the user who caused the event, `user.id` is the last editor of the comment. Records of deleted comments have no `user.id` then, because the last editor may not be the user who deleted the comment."},
	{"jira.worklog.", "Worklogs", "The body contains only the id of the issue."},
	{"jira.attachment.", "Attachments", ""},
	{"jira.issue_link.", "Issue links", "The body contains only the ids of the two issues."},
	{"jira.issue_property.", "Issue properties", "Apps store their own data in properties of issues. Records do not contain the values."},
	{"jira.issue_type.", "Issue types", ""},
	{"jira.project.", "Projects", ""},
	{"jira.version.", "Versions", "Versions are also called releases. The body contains only the id of the project."},
	{"jira.sprint.", "Sprints", ""},
	{"jira.board.", "Boards", ""},
	{"jira.user.", "Users", "`jira.user.*` is the user whose account changed. Jira does not send the user who changed it. Jira Cloud sends `user_deleted` without a name, as an account id and a user name."},
	{"jira.filter.", "Filters", ""},
	{"jira.option.", "Options of the site", "Changes of global settings by an administrator."},
	{"jira.app.", "Apps", ""},
	{"jira.expression.", "Jira expressions", ""},
	{"jira.automation.", "Automation", "Deliveries of Automation rules, see [senders.md](senders.md#an-automation-rule)."},
	{"jira.unknown", "Everything else", ""},
}

// meanings holds the description of each event.
var meanings = map[string]string{
	"jira.issue.created":                              "an issue was created",
	"jira.issue.updated":                              "fields of an issue were changed, for example its status",
	"jira.issue.deleted":                              "an issue was deleted",
	"jira.issue.worklog_updated":                      "work on an issue was logged, edited or deleted",
	"jira.issue.transitioned":                         "the post-function of a workflow ran",
	"jira.issue.field_changed":                        "one field of an issue was changed",
	"jira.comment.created":                            "a comment was added to an issue",
	"jira.comment.updated":                            "a comment was edited",
	"jira.comment.deleted":                            "a comment was deleted",
	"jira.worklog.created":                            "work was logged",
	"jira.worklog.updated":                            "a worklog was edited",
	"jira.worklog.deleted":                            "a worklog was deleted",
	"jira.attachment.created":                         "a file was attached",
	"jira.attachment.deleted":                         "an attached file was deleted",
	"jira.issue_link.created":                         "two issues were linked",
	"jira.issue_link.deleted":                         "a link between two issues was removed",
	"jira.issue_property.set":                         "a property of an issue was set",
	"jira.issue_property.deleted":                     "a property of an issue was deleted",
	"jira.issue_type.created":                         "an issue type was created",
	"jira.issue_type.updated":                         "an issue type was changed",
	"jira.issue_type.deleted":                         "an issue type was deleted",
	"jira.project.created":                            "a project was created",
	"jira.project.updated":                            "a project was changed",
	"jira.project.deleted":                            "a project was deleted for good",
	"jira.project.soft_deleted":                       "a project was moved to the trash",
	"jira.project.restored_deleted":                   "a project was taken out of the trash",
	"jira.project.archived":                           "a project was archived",
	"jira.project.restored_archived":                  "a project was taken out of the archive",
	"jira.version.created":                            "a version was created",
	"jira.version.updated":                            "a version was changed",
	"jira.version.released":                           "a version was released",
	"jira.version.unreleased":                         "a version is no longer released",
	"jira.version.moved":                              "a version was moved in the order of its project",
	"jira.version.merged":                             "a version was merged into another",
	"jira.version.deleted":                            "a version was deleted, or merged into another",
	"jira.sprint.created":                             "a sprint was created",
	"jira.sprint.updated":                             "a sprint was changed",
	"jira.sprint.started":                             "a sprint was started",
	"jira.sprint.closed":                              "a sprint was completed",
	"jira.sprint.deleted":                             "a sprint was deleted",
	"jira.board.created":                              "a board was created",
	"jira.board.updated":                              "a board was changed",
	"jira.board.deleted":                              "a board was deleted",
	"jira.board.configuration_changed":                "the columns, the filter or another setting of a board was changed",
	"jira.user.created":                               "a user was created",
	"jira.user.updated":                               "a user was changed",
	"jira.user.deleted":                               "a user was deleted",
	"jira.filter.created":                             "a saved search was created",
	"jira.filter.updated":                             "a saved search was changed",
	"jira.filter.deleted":                             "a saved search was deleted",
	"jira.option.voting_changed":                      "voting on issues was switched on or off",
	"jira.option.watching_changed":                    "watching issues was switched on or off",
	"jira.option.unassigned_issues_changed":           "unassigned issues were allowed or forbidden",
	"jira.option.subtasks_changed":                    "subtasks were switched on or off",
	"jira.option.attachments_changed":                 "attachments were switched on or off",
	"jira.option.issuelinks_changed":                  "links between issues were switched on or off",
	"jira.option.timetracking_changed":                "time tracking was switched on or off, or set up",
	"jira.option.timetracking_provider_changed":       "another app tracks time",
	"jira.app.access_to_objects_blocked":              "an app was denied access to objects",
	"jira.app.access_to_objects_in_container_blocked": "an app was denied access to the objects in a container, such as a project",
	"jira.expression.evaluation_failed":               "a Jira expression, for example of an app in a workflow, failed",
	"jira.automation.triggered":                       "an Automation rule ran",
	"jira.unknown":                                    "unknown: the body is empty, contains no event, or contains an invalid event name",
}

// documented is an event of the page.
type documented struct {
	jira string // its name in Jira, or a text in place of the name
	name string
	file string // example body
}

// documentedEvents returns the events of the table in eventtype.go, and the events whose bodies contain no name.
func documentedEvents() []documented {
	var events []documented
	for _, g := range groups {
		for _, action := range g.actions {
			name := g.namespace + action
			events = append(events, documented{"`" + g.wire + action + "`", name, "events/" + name + ".json"})
		}
	}
	return append(events,
		documented{"none, from [a post-function](senders.md#a-post-function-of-a-workflow)", eventTransitioned, "senders/post_function.json"},
		documented{"`jira:issue_updated`, with [`changelog: split`](configuration.md)", EventFieldChanged, "life/3_in_progress.json"},
		documented{"none, from [an Automation rule](senders.md#an-automation-rule)", eventAutomation, "senders/automation_issue_data.json"},
		documented{"none", eventUnknown, "senders/exclude_body.json"},
	)
}

// TestEventsPage compares docs/events.md with the table of events and the bodies in testdata.
func TestEventsPage(t *testing.T) {
	events := documentedEvents()
	var table, sections strings.Builder
	for _, chapter := range chapters {
		heading := "\n## " + chapter.title + "\n"
		if chapter.note != "" {
			heading += "\n" + chapter.note + "\n"
		}
		for _, event := range events {
			if !strings.HasPrefix(event.name, chapter.namespace) {
				continue
			}
			meaning := meanings[event.name]
			assert.NotEmpty(t, meaning, "%s has no meaning", event.name)
			section := eventSection(t, event, meaning)
			if section != "" {
				sections.WriteString(heading + section)
				heading = ""
			}
			fmt.Fprintf(&table, "| %s | %s | %s |\n", event.jira, linkTo(event.name, section != ""), meaning)
		}
	}
	assert.Equal(t, len(events), strings.Count(table.String(), "\n"), "an event is in no chapter")
	assert.Len(t, meanings, len(events), "a meaning belongs to no event")
	golden.AssertText(t, docsFolder+"events.md", eventsIntro+"| Jira's name | name of the record | description |\n|---|---|---|\n"+
		table.String()+sections.String()+"\n---\n\nMade by `make docs`: do not edit.\n")
}

func linkTo(name string, hasSection bool) string {
	if !hasSection {
		return "`" + name + "`"
	}
	return fmt.Sprintf("[%#q](#%s)", name, strings.ReplaceAll(name, ".", ""))
}

const eventSectionFormat = `
### %s

Description: %s. Name in Jira: %s.

<details>
<summary>Body and record</summary>

%s
becomes

` + "```text\n%s```" + `

</details>
`

// eventSection returns the section of an event, or "" if there is no example body.
func eventSection(t *testing.T, event documented, meaning string) string {
	t.Helper()
	file := bodyFolder + event.file
	if _, err := os.Stat(file); os.IsNotExist(err) {
		return ""
	}
	body, logs := recordsOf(t, newBuilder(func(o *Options) { o.SplitChanges = event.name == EventFieldChanged }), nil, file, Delivery{})
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.RemoveIf(func(record plog.LogRecord) bool { return record.EventName() != event.name })
	require.NotZero(t, records.Len(), "%s is not a %s", file, event.name)
	shown := "No body\n"
	if len(body) > 0 {
		shown = "```json\n" + strings.TrimSpace(string(body)) + "\n```\n"
	}
	return fmt.Sprintf(eventSectionFormat, event.name, meaning, event.jira, shown, golden.Printed(logs))
}

const attributesIntro = `# Attributes

All attributes of the records, by subject. [events.md](events.md) shows whole records.

A record has an attribute if Jira sends its value and the value is not empty. Only ` + "`service.name`" + ` and ` + "`jira.webhook.source`" + ` are
on every record.

- **type**: ids are strings, even if Jira sends numbers. Times are strings in UTC, in RFC 3339 with milliseconds. Dates are
  ` + "`YYYY-MM-DD`" + `.
- **on**: the records that have the attribute in the example bodies of this repository. Other senders may send fewer values, or
  more.
- **personal**: *id* is the account id of Jira Cloud or the user key of Data Center. For users from before Jira 8.4, the user key
  is the login name. *yes* and *in part* name the option that adds the attribute, or a part of its value, to records. *no* means
  that the attribute itself is not about people. But people can write anything into a summary, a label or the name of a sprint.
- Texts are cut after ` + "`max_text_length`" + ` characters, and the example values on this page after 60. All values have
  [limits](limits.md#of-a-record).

`

// sections are the parts of the page, by the namespaces of their attributes.
var sections = []struct {
	title      string
	namespaces []string
}{
	{"Resource", []string{"service.", "jira.site.", "jira.deployment."}},
	{"Event, delivery and actor", []string{"log.", "jira.record.", "jira.webhook.", "user."}},
	{"Issue", []string{"jira.issue.", "url.", "jira.transition.", "jira.workflow."}},
	{"Changed fields", []string{"jira.changelog.", "jira.change."}},
	{"Project", []string{"jira.project."}},
	{"Comment", []string{"jira.comment."}},
	{"Worklog", []string{"jira.worklog."}},
	{"Attachment", []string{"jira.attachment."}},
	{"Issue link", []string{"jira.issue_link."}},
	{"Sprint and board", []string{"jira.sprint.", "jira.board."}},
	{"Version", []string{"jira.version."}},
	{"User, on events about users", []string{"jira.user."}},
	{"Issue property, issue type, filter and option", []string{"jira.issue_property.", "jira.issue_type.", "jira.filter.", "jira.option."}},
}

// TestAttributesPage compares docs/attributes.md with attribute.go and the bodies in testdata.
func TestAttributesPage(t *testing.T) {
	attributes := parseAttributes(t)
	seen := seenAttributes(t)
	page, rows := strings.Builder{}, 0
	page.WriteString(attributesIntro)
	for _, section := range sections {
		fmt.Fprintf(&page, "## %s\n\n| attribute | description | type | example | on | personal |\n|---|---|---|---|---|---|\n", section.title)
		for _, attr := range attributes {
			if slices.ContainsFunc(section.namespaces, func(namespace string) bool { return strings.HasPrefix(attr.key, namespace) }) {
				page.WriteString(attr.row(seen))
				rows++
			}
		}
		page.WriteString("\n")
	}
	assert.Len(t, attributes, rows, "an attribute is in no section")
	page.WriteString("---\n\nMade by `make docs`: do not edit.\n")
	golden.AssertText(t, docsFolder+"attributes.md", page.String())
	for _, key := range slices.Sorted(maps.Keys(seen.attributes)) {
		assert.Contains(t, page.String(), "| `"+key+"` |", "attribute.go does not declare an attribute of a record")
	}
	for _, key := range []string{keyField, keyFieldID, keyFieldType, keyFrom, keyFromString, keyTo, keyToString} {
		assert.Contains(t, page.String(), "`"+key+"`", "of the maps in jira.changelog.items")
	}
}

// attribute is a row of the page.
type attribute struct{ key, description string }

// fromConventions are the attributes whose keys come from the semantic conventions.
var fromConventions = map[string]string{
	"attrServiceName":    attrServiceName,
	"attrRecordUID":      attrRecordUID,
	"attrRecordOriginal": attrRecordOriginal,
	"attrURLFull":        attrURLFull,
}

// parseAttributes returns the keys and the descriptions in attribute.go.
func parseAttributes(t *testing.T) []attribute {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "attribute.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var attributes []attribute
	for _, decl := range file.Decls {
		group, isGroup := decl.(*ast.GenDecl)
		if !isGroup {
			continue
		}
		for _, spec := range group.Specs {
			value, isValue := spec.(*ast.ValueSpec)
			switch {
			case !isValue:
			case group.Tok == token.CONST && strings.HasPrefix(value.Names[0].Name, "attr"):
				attributes = append(attributes, attribute{attributeKey(t, value), description(t, value)})
			case group.Tok == token.VAR && strings.HasSuffix(value.Names[0].Name, "Keys"):
				attributes = append(attributes, userAttributes(t, value)...)
			}
		}
	}
	return attributes
}

func description(t *testing.T, value *ast.ValueSpec) string {
	t.Helper()
	assert.NotEmpty(t, value.Comment.Text(), "%s has no description behind it", value.Names[0].Name)
	return strings.TrimSpace(value.Comment.Text())
}

func attributeKey(t *testing.T, value *ast.ValueSpec) string {
	t.Helper()
	literal, isLiteral := value.Values[0].(*ast.BasicLit)
	if !isLiteral {
		require.Contains(t, fromConventions, value.Names[0].Name)
		return fromConventions[value.Names[0].Name]
	}
	return unquote(t, literal)
}

func unquote(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	s, err := strconv.Unquote(literal.Value)
	require.NoError(t, err)
	if strings.HasSuffix(s, ".") {
		s += customAlias
	}
	return s
}

// customAlias takes the place of the alias of a custom field on the page.
const customAlias = "<alias>"

func userAttributes(t *testing.T, value *ast.ValueSpec) []attribute {
	t.Helper()
	namespace := unquote(t, value.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit))
	keys := newUserKeys(namespace)
	return []attribute{
		{keys.id, "user id of " + description(t, value)},
		{keys.name, "login name of this user; with `include::user_details`"},
		{keys.fullName, "display name of this user; with `include::user_details`"},
		{keys.email, "e-mail address of this user; with `include::user_details`"},
	}
}

var (
	withOption     = regexp.MustCompile("; with (`include::[a-z_]+`)$")
	onlyWithOption = regexp.MustCompile("only with (`include::[a-z_]+`)")
)

func (attr attribute) row(seen *observations) string {
	what, personal := attr.description, "no"
	if match := withOption.FindStringSubmatch(what); match != nil {
		what, personal = strings.TrimSuffix(what, match[0]), "yes: "+match[1]
	} else if matches := onlyWithOption.FindAllStringSubmatch(what, -1); matches != nil {
		var options []string
		for _, match := range matches {
			options = append(options, match[1])
		}
		personal = "in part: " + strings.Join(options, ", ")
	} else if strings.HasPrefix(what, "user id of ") {
		personal = "id"
	}
	o := seen.attributes[attr.key]
	if o == nil {
		o = &observation{}
	}
	return fmt.Sprintf("| %#q | %s | %s | %s | %s | %s |\n", attr.key, what, strings.Join(o.types, ", "), o.example, seen.on(o.events), personal)
}

// observations holds the attributes and the events in the records of all bodies in testdata.
type observations struct {
	attributes map[string]*observation
	events     map[string]bool
}

type observation struct {
	types   []string
	example string
	events  map[string]bool
}

// seenAttributes builds the records of all bodies, with all options that add content.
func seenAttributes(t *testing.T) *observations {
	t.Helper()
	custom := map[string]string{"customfield_10016": "story_points", "customfield_10020": "sprint"}
	builder := newBuilder(func(o *Options) {
		o.UserDetails, o.Description, o.CommentBody, o.Payload, o.SplitChanges = true, true, true, true, true
		o.CustomFields = custom
	})
	retries := int64(1)
	delivery := Delivery{ID: "5f3c1d8e-0b6a-4f27-9c4e-2d7a8b9c0d1e", Flow: "Primary", RetryCount: &retries}
	var files []string
	for _, folder := range []string{"events", "life", "senders"} {
		found, err := filepath.Glob(bodyFolder + folder + "/*.json")
		require.NoError(t, err)
		require.NotEmpty(t, found)
		files = append(files, found...)
	}
	seen := &observations{attributes: map[string]*observation{}, events: map[string]bool{}}
	for _, file := range files {
		_, logs := recordsOf(t, builder, slices.Collect(maps.Keys(custom)), file, delivery)
		resource := logs.ResourceLogs().At(0)
		for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
			if meanings[record.EventName()] == "" {
				continue // Jira does not document this event
			}
			seen.events[record.EventName()] = true
			seen.add(record.EventName(), resource.Resource().Attributes())
			seen.add(record.EventName(), record.Attributes())
		}
	}
	// No example body is long enough to reach a limit.
	seen.attributes[attrRecordTruncated] = &observation{[]string{"string slice"}, "`[\"jira.issue.labels\"]`", seen.events}
	return seen
}

func (seen *observations) add(event string, attrs pcommon.Map) {
	for key, value := range attrs.All() {
		if strings.HasPrefix(key, attrIssueCustom) {
			key = attrIssueCustom + customAlias
		}
		o := seen.attributes[key]
		if o == nil {
			o = &observation{example: exampleValue(value), events: map[string]bool{}}
			seen.attributes[key] = o
		}
		if name := typeName(value); !slices.Contains(o.types, name) {
			o.types = append(o.types, name)
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

// maxExample is the largest length in characters of an example value on the page.
const maxExample = 60

func exampleValue(value pcommon.Value) string {
	s := collapseSpace(value.AsString())
	if short := truncateRunes(s, maxExample); short != s {
		s = short + "…"
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(s) + "`"
}

// on returns the events that have an attribute. If all events of a namespace have it, they are shortened, such as
// jira.sprint.*.
func (seen *observations) on(events map[string]bool) string {
	switch {
	case len(events) == len(seen.events):
		return "any event"
	case maps.Equal(events, seen.attributes[attrIssueID].events):
		return "any event with an issue"
	}
	var parts []string
	last := ""
	for _, event := range slices.Sorted(maps.Keys(events)) {
		namespace := event[:strings.LastIndex(event, ".")+1]
		all := within(namespace, events)
		switch {
		case namespace == last && all == within(namespace, seen.events):
		case namespace == last:
			parts = append(parts, "`."+strings.TrimPrefix(event, namespace)+"`")
		case all > 1 && all == within(namespace, seen.events):
			parts = append(parts, "`"+namespace+"*`")
		default:
			parts = append(parts, "`"+event+"`")
		}
		last = namespace
	}
	return strings.Join(parts, ", ")
}

// within returns the number of events in a namespace.
func within(namespace string, events map[string]bool) (n int) {
	for event := range events {
		if strings.HasPrefix(event, namespace) {
			n++
		}
	}
	return n
}
