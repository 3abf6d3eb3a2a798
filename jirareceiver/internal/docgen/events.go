// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

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

// documentedEvent is an event type of the page.
type documentedEvent struct {
	jira string // its name in Jira, or the reason why it has none
	name string
	body string // name of the example body
}

// documentedEvents returns the event types that Jira documents, and the event types of bodies without a name.
func documentedEvents() []documentedEvent {
	var events []documentedEvent
	for _, event := range record.JiraEvents() {
		events = append(events, documentedEvent{"`" + event.JiraName + "`", event.Name, "events/" + event.Name})
	}
	return append(events,
		documentedEvent{"none, from [a post-function](senders.md#a-post-function-of-a-workflow)", "jira.issue.transitioned", "senders/post_function"},
		documentedEvent{"`jira:issue_updated`, with [`changelog: split`](configuration.md)", record.EventFieldChanged, "life/3_in_progress"},
		documentedEvent{"none, from [an Automation rule](senders.md#an-automation-rule)", "jira.automation.triggered", "senders/automation_issue_data"},
		documentedEvent{"none", "jira.unknown", "senders/exclude_body"},
	)
}

// eventsPage returns docs/events.md.
func eventsPage(bodies []testbodies.Body) (string, error) {
	events := documentedEvents()
	byName := map[string]testbodies.Body{}
	for _, body := range bodies {
		byName[body.Name] = body
	}
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
			if meanings[event.name] == "" {
				return "", fmt.Errorf("%s has no meaning in docgen", event.name)
			}
			body, found := byName[event.body]
			if found {
				section, err := eventSection(event, body.Content)
				if err != nil {
					return "", err
				}
				sections.WriteString(heading + section)
				heading = ""
			}
			fmt.Fprintf(&table, "| %s | %s | %s |\n", event.jira, linkTo(event.name, found), meanings[event.name])
		}
	}
	if strings.Count(table.String(), "\n") != len(events) {
		return "", errors.New("an event is in no chapter, or in two")
	}
	if len(meanings) != len(events) {
		return "", errors.New("a meaning belongs to no event")
	}
	return eventsIntro + "| Jira's name | name of the record | description |\n|---|---|---|\n" + table.String() + sections.String() + footer, nil
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

func eventSection(event documentedEvent, body []byte) (string, error) {
	w := newWriting(record.Options{SplitChanges: event.name == record.EventFieldChanged})
	logs, err := w.logs(body, record.Delivery{})
	if err != nil {
		return "", fmt.Errorf("%s: %w", event.body, err)
	}
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.RemoveIf(func(record plog.LogRecord) bool { return record.EventName() != event.name })
	if records.Len() == 0 {
		return "", fmt.Errorf("%s does not become %s", event.body, event.name)
	}
	shown := "No body\n"
	if len(body) > 0 {
		shown = "```json\n" + strings.TrimSpace(string(body)) + "\n```\n"
	}
	return fmt.Sprintf(eventSectionFormat, event.name, meanings[event.name], event.jira, shown, golden.Printed(logs)), nil
}
