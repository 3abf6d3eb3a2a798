// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// eventsIntro is the start of the page. A backtick is written as ´.
const eventsIntro = `# Events

The names of all events: Jira's name, which the body contains, and the name of the record, for ´events::include´,
filters and queries. [record.md](record.md) shows a body beside its record, [attributes.md](attributes.md) explains the
attributes, and [senders.md](senders.md) describes the bodies of each sender.

Jira can add events. An event that is not in the table gets its name in the same way: ´sprint_paused´ becomes
´jira.sprint.paused´, and ´jira:portfolio_rebalanced´ becomes ´jira.portfolio_rebalanced´. A name becomes
´jira.unknown´ if it is longer than 64 characters, does not start with a lower-case letter, or contains anything but
lower-case letters, digits and underscores. A name that would become the name of another event, such as
´jira:issue_field_changed´, becomes ´jira.unknown´ too. Jira's names with and without ´jira:´ are the same event, except
´worklog_updated´. The attribute ´jira.webhook.event´ contains the name as sent.

The sections show records with the default configuration. The first section of a chapter shows the whole record. Each
further section shows only the values that differ from that record, except the timestamp, ´log.record.uid´ and the names
of the event, and lists the attributes that are missing. Links lead to the whole example body and record. Some example
bodies are shorter than the bodies of a real Jira, and their records lack the attributes of the missing values.

`

// chapters are the parts of the page, by the namespace of the events.
var chapters = []struct{ namespace, title, note string }{
	{"jira.issue.", "Issues", "The body contains the issue with all its fields. A transition to another status is an update with a change of `status`. Data Center also sends comments as updates."},
	{"jira.comment.", "Comments", "Jira Cloud also sends a few fields of the issue, Data Center only the id of the issue. If the body does not contain the user who caused the event, `user.id` is the last editor of the comment. The record of a deleted comment then has no `user.id`, because another user may have deleted the comment."},
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
	{"jira.alert.", "Alerts", "Alerts of the operations of Jira Service Management and of Opsgenie, see [senders.md](senders.md#alerts-of-jira-service-management). Custom actions get a name in the same way: `RestartServer` becomes `jira.alert.restart_server`. Bodies of escalations contain little more than the id of the alert."},
	{"jira.automation.", "Automation", "[Automation rules](senders.md#an-automation-rule) send these deliveries."},
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
	"jira.alert.created":                              "an alert was created",
	"jira.alert.acknowledged":                         "a user acknowledged an alert",
	"jira.alert.unacknowledged":                       "a user took an acknowledgement back",
	"jira.alert.escalated":                            "an alert was escalated, for example because no responder acknowledged it",
	"jira.alert.snoozed":                              "the notifications of an alert were paused",
	"jira.alert.snooze_ended":                         "the pause of the notifications ended",
	"jira.alert.ownership_assigned":                   "a user assigned an alert to an owner",
	"jira.alert.ownership_taken":                      "a user became the owner of an alert",
	"jira.alert.responder_added":                      "a responder was added to an alert",
	"jira.alert.recipient_added":                      "a recipient was added to an alert",
	"jira.alert.team_added":                           "a team was added to an alert",
	"jira.alert.note_added":                           "a note was added to an alert",
	"jira.alert.tags_added":                           "tags were added to an alert",
	"jira.alert.tags_removed":                         "tags were removed from an alert",
	"jira.alert.priority_updated":                     "the priority of an alert was changed",
	"jira.alert.message_updated":                      "the message of an alert was changed",
	"jira.alert.description_updated":                  "the description of an alert was changed",
	"jira.alert.closed":                               "an alert was closed",
	"jira.alert.deleted":                              "an alert was deleted",
	"jira.automation.triggered":                       "an Automation rule ran",
	"jira.unknown":                                    "unknown: the body is empty, contains no event, or contains an invalid event name",
}

// documentedEvent is an event type of the page.
type documentedEvent struct {
	jira string // its name in Jira, or the reason why it has none
	name string
	body string // name of the example body
}

// isGolden reports whether testdata contains the record with the default configuration.
func (e documentedEvent) isGolden() bool { return e.name != record.EventFieldChanged }

// documentedEvents returns the event types that Jira documents, and the event types of bodies without a name.
func documentedEvents() []documentedEvent {
	var events []documentedEvent
	for _, event := range record.JiraEvents() {
		events = append(events, documentedEvent{"`" + event.JiraName + "`", event.Name, "events/" + event.Name})
	}
	for _, event := range record.AlertEvents() {
		actions := "action `" + strings.ReplaceAll(event.JiraName, ", ", "`, `") + "`"
		events = append(events, documentedEvent{actions, event.Name, "events/" + event.Name})
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
		var first plog.Logs
		heading := "\n## " + chapter.title + "\n"
		if chapter.note != "" {
			heading += "\n" + wrap(chapter.note)
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
				section, logs, err := eventSection(event, body.Content, first)
				if err != nil {
					return "", err
				}
				sections.WriteString(heading + section)
				if heading != "" {
					heading, first = "", logs
				}
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
	return backticks(eventsIntro) + "| Jira's name | name of the record | description |\n|---|---|---|\n" + table.String() + sections.String() + footer, nil
}

func linkTo(name string, hasSection bool) string {
	if !hasSection {
		return "`" + name + "`"
	}
	return fmt.Sprintf("[%#q](#%s)", name, strings.ReplaceAll(name, ".", ""))
}

// eventSection returns the section of an event. Its record is compared with reference, the first record of the chapter,
// if there is one and a link leads to the whole record.
func eventSection(event documentedEvent, body []byte, reference plog.Logs) (string, plog.Logs, error) {
	logs, err := eventRecord(event, body)
	if err != nil {
		return "", plog.Logs{}, err
	}
	source := fmt.Sprintf("[Example body](../testdata/%s.json)", event.body)
	if event.isGolden() {
		source += fmt.Sprintf(", [record](../testdata/%s.yaml)", event.body)
	}
	shown, missing := golden.Printed(logs), []string(nil)
	if reference != (plog.Logs{}) && event.isGolden() {
		shown, missing = difference(reference, logs)
	}
	lead := fmt.Sprintf("%s. Name in Jira: %s. %s.", capitalise(meanings[event.name]), event.jira, source)
	section := "\n### " + event.name + "\n\n" + wrap(lead) + "\n```text\n" + shown + "```\n"
	if len(missing) > 0 {
		section += "\n" + wrap("Missing: `"+strings.Join(missing, "`, `")+"`.")
	}
	return section, logs, nil
}

// eventRecord returns the record of the event.
func eventRecord(event documentedEvent, body []byte) (plog.Logs, error) {
	w := newWriting(record.Options{SplitChanges: event.name == record.EventFieldChanged})
	logs, err := w.logs(body, record.Delivery{})
	if err != nil {
		return plog.Logs{}, fmt.Errorf("%s: %w", event.body, err)
	}
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.RemoveIf(func(record plog.LogRecord) bool { return record.EventName() != event.name })
	if records.Len() == 0 {
		return plog.Logs{}, fmt.Errorf("%s does not become %s", event.body, event.name)
	}
	return logs, nil
}

// differsAlways has the start of the lines that differ in all records.
var differsAlways = []string{"Timestamp ", "EventName ", "  log.record.uid ", "  jira.webhook.event "}

// difference returns the lines of a printed record that the reference does not have, and the attributes that only the
// reference has.
func difference(reference, logs plog.Logs) (differing string, missing []string) {
	old, printed := lines(reference), lines(logs)
	var b strings.Builder
	for _, line := range printed {
		if !slices.Contains(old, line) && !slices.ContainsFunc(differsAlways, func(start string) bool { return strings.HasPrefix(line, start) }) {
			b.WriteString(line + "\n")
		}
	}
	for _, line := range old {
		key := strings.Fields(line)[0]
		if !slices.ContainsFunc(printed, func(line string) bool { return strings.Fields(line)[0] == key }) {
			missing = append(missing, key)
		}
	}
	return b.String(), missing
}

func lines(logs plog.Logs) []string {
	return strings.Split(strings.TrimSpace(golden.Printed(logs)), "\n")
}

func capitalise(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
