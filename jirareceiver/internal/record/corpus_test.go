// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestPayloads compares the records of real webhooks with what encoding/json reads in the bodies, and lists the
// records.
func TestPayloads(t *testing.T) {
	w, records := newWriting(nil), map[string]int{}
	payloads := testbodies.RequirePayloads(t)
	for _, body := range payloads {
		t.Run(body.Name, func(t *testing.T) {
			record := w.record(t, body.Content)
			records[record.EventName()]++
			assertRecordMatches(t, record, readTree(t, body.Content))
		})
	}
	logRecords(t, len(payloads), records)
}

// TestExamplesMatchTheirRecords compares the records of the example bodies in the same way. It leaves out odd bodies:
// only the golden records define the results of their values.
func TestExamplesMatchTheirRecords(t *testing.T) {
	w := newWriting(nil)
	for _, body := range testbodies.Examples(t) {
		if body.Odd() {
			continue
		}
		t.Run(body.Name, func(t *testing.T) {
			assertRecordMatches(t, w.record(t, body.Content), readTree(t, body.Content))
		})
	}
}

func logRecords(t *testing.T, bodies int, records map[string]int) {
	t.Helper()
	total := 0
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(records)) {
		total += records[name]
		fmt.Fprintf(&table, "\n  %-36s %3d", name, records[name])
	}
	t.Logf("%d bodies, %d records:%s", bodies, total, table.String())
	assert.Equal(t, bodies, total, "every body becomes a record")
}

// readTree decodes a body with encoding/json, which the receiver does not use. An empty body is nil.
func readTree(t *testing.T, body []byte) any {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	require.NoError(t, d.Decode(&tree))
	return tree
}

// valueAt returns the value at a path of keys, as issue.fields.status, or nil.
func valueAt(tree any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		object, _ := tree.(map[string]any)
		tree = object[key]
	}
	return tree
}

// textAt returns the first string or number at any of the paths, or "".
func textAt(tree any, paths ...string) string {
	for _, path := range paths {
		switch value := valueAt(tree, path).(type) {
		case string:
			if value != "" {
				return value
			}
		case json.Number:
			return value.String()
		}
	}
	return ""
}

// eventNames has the event name for each name in a body. It repeats the table of the code as a list, on purpose.
var eventNames = map[string]string{
	"app_access_to_objects_blocked":              "jira.app.access_to_objects_blocked",
	"app_access_to_objects_in_container_blocked": "jira.app.access_to_objects_in_container_blocked",
	"attachment_created":                         "jira.attachment.created",
	"attachment_deleted":                         "jira.attachment.deleted",
	"board_configuration_changed":                "jira.board.configuration_changed",
	"board_created":                              "jira.board.created",
	"board_deleted":                              "jira.board.deleted",
	"board_updated":                              "jira.board.updated",
	"comment_created":                            "jira.comment.created",
	"comment_deleted":                            "jira.comment.deleted",
	"comment_updated":                            "jira.comment.updated",
	"filter_created":                             "jira.filter.created",
	"filter_deleted":                             "jira.filter.deleted",
	"filter_updated":                             "jira.filter.updated",
	"issue_property_deleted":                     "jira.issue_property.deleted",
	"issue_property_set":                         "jira.issue_property.set",
	"issuelink_created":                          "jira.issue_link.created",
	"issuelink_deleted":                          "jira.issue_link.deleted",
	"issuetype_created":                          "jira.issue_type.created",
	"issuetype_deleted":                          "jira.issue_type.deleted",
	"issuetype_updated":                          "jira.issue_type.updated",
	"jira:issue_created":                         "jira.issue.created",
	"jira:issue_deleted":                         "jira.issue.deleted",
	"jira:issue_unknown":                         "jira.issue.unknown", // no event of Jira's: a test of a receiver has it
	"jira:issue_updated":                         "jira.issue.updated",
	"jira:version_created":                       "jira.version.created",
	"jira:version_deleted":                       "jira.version.deleted",
	"jira:version_merged":                        "jira.version.merged",
	"jira:version_moved":                         "jira.version.moved",
	"jira:version_released":                      "jira.version.released",
	"jira:version_unreleased":                    "jira.version.unreleased",
	"jira:version_updated":                       "jira.version.updated",
	"jira:worklog_updated":                       "jira.issue.worklog_updated",
	"jira_expression_evaluation_failed":          "jira.expression.evaluation_failed",
	"option_attachments_changed":                 "jira.option.attachments_changed",
	"option_issuelinks_changed":                  "jira.option.issuelinks_changed",
	"option_subtasks_changed":                    "jira.option.subtasks_changed",
	"option_timetracking_changed":                "jira.option.timetracking_changed",
	"option_timetracking_provider_changed":       "jira.option.timetracking_provider_changed",
	"option_unassigned_issues_changed":           "jira.option.unassigned_issues_changed",
	"option_voting_changed":                      "jira.option.voting_changed",
	"option_watching_changed":                    "jira.option.watching_changed",
	"project_archived":                           "jira.project.archived",
	"project_created":                            "jira.project.created",
	"project_deleted":                            "jira.project.deleted",
	"project_restored_archived":                  "jira.project.restored_archived",
	"project_restored_deleted":                   "jira.project.restored_deleted",
	"project_soft_deleted":                       "jira.project.soft_deleted",
	"project_updated":                            "jira.project.updated",
	"sprint_closed":                              "jira.sprint.closed",
	"sprint_created":                             "jira.sprint.created",
	"sprint_deleted":                             "jira.sprint.deleted",
	"sprint_started":                             "jira.sprint.started",
	"sprint_updated":                             "jira.sprint.updated",
	"user_created":                               "jira.user.created",
	"user_deleted":                               "jira.user.deleted",
	"user_updated":                               "jira.user.updated",
	"worklog_created":                            "jira.worklog.created",
	"worklog_deleted":                            "jira.worklog.deleted",
	"worklog_updated":                            "jira.worklog.updated",
}

// eventNameOf returns the event type of a body. If the body contains no name, its members decide.
func eventNameOf(tree any) string {
	has := func(path string) bool { return valueAt(tree, path) != nil }
	switch name := textAt(tree, "webhookEvent"); {
	case name != "":
		return cmp.Or(eventNames[name], "jira."+strings.TrimPrefix(name, "jira:"))
	case has("transition"):
		return "jira.issue.transitioned"
	case has("issue"), has("fields"):
		return "jira.automation.triggered"
	case has("accountId") && has("username"):
		return "jira.user.deleted"
	case has("action") && has("alert.alertId"):
		return alertNamesByAction[textAt(tree, "action")]
	default:
		return "jira.unknown"
	}
}

// placesOfPeople has the paths of people in bodies, by the namespace of their attributes.
var placesOfPeople = map[string][]string{
	"jira.issue.assignee":        {"issue.fields.assignee", "fields.assignee"},
	"jira.issue.reporter":        {"issue.fields.reporter", "fields.reporter"},
	"jira.issue.creator":         {"issue.fields.creator", "fields.creator"},
	"jira.project.lead":          {"project.projectLead"},
	"jira.comment.author":        {"comment.author"},
	"jira.comment.update_author": {"comment.updateAuthor"},
	"jira.worklog.author":        {"worklog.author"},
	"jira.worklog.update_author": {"worklog.updateAuthor"},
	"jira.attachment.author":     {"attachment.author"},
}

// personAt returns the id or the login name of the first person at the paths.
func personAt(tree any, paths ...string) (id, login string) {
	for _, path := range paths {
		if valueAt(tree, path) == nil {
			continue
		}
		id = textAt(tree, path+".accountId")
		if key := textAt(tree, path+".key"); id == "" && strings.HasPrefix(key, "JIRAUSER") {
			id = key
		}
		return id, textAt(tree, path+".name", path+".key")
	}
	return "", ""
}

// placesOfAttributes has the paths of attribute values in bodies. A body has a value at one of the paths.
var placesOfAttributes = map[string][]string{
	"jira.webhook.event":                   {"webhookEvent"},
	"jira.webhook.issue_event_type":        {"issue_event_type_name"},
	"jira.issue.key":                       {"issue.key", "key"},
	"jira.issue.summary":                   {"issue.fields.summary", "fields.summary"},
	"jira.issue.type.id":                   {"issue.fields.issuetype.id", "fields.issuetype.id", "issuetype.id", "issueType.id"},
	"jira.issue.priority.id":               {"issue.fields.priority.id", "fields.priority.id"},
	"jira.issue.resolution.id":             {"issue.fields.resolution.id", "fields.resolution.id"},
	"jira.issue.parent.id":                 {"issue.fields.parent.id", "fields.parent.id"},
	"jira.issue.parent.key":                {"issue.fields.parent.key", "fields.parent.key"},
	"jira.issue.due_date":                  {"issue.fields.duedate", "fields.duedate"},
	"jira.project.id":                      {"issue.fields.project.id", "fields.project.id", "project.id", "version.projectId"},
	"jira.project.name":                    {"issue.fields.project.name", "fields.project.name", "project.name"},
	"jira.workflow.transition.id":          {"transition.transitionId"},
	"jira.workflow.id":                     {"transition.workflowId"},
	"jira.comment.id":                      {"comment.id"},
	"jira.worklog.id":                      {"worklog.id"},
	"jira.worklog.time_spent_seconds":      {"worklog.timeSpentSeconds"},
	"jira.attachment.id":                   {"attachment.id"},
	"jira.attachment.filename":             {"attachment.filename"},
	"jira.attachment.size":                 {"attachment.size"},
	"jira.issue_link.id":                   {"issueLink.id"},
	"jira.issue_link.type.id":              {"issueLink.issueLinkType.id"},
	"jira.issue_link.source_issue.id":      {"issueLink.sourceIssueId"},
	"jira.issue_link.destination_issue.id": {"issueLink.destinationIssueId"},
	"jira.sprint.id":                       {"sprint.id"},
	"jira.sprint.name":                     {"sprint.name"},
	"jira.sprint.state":                    {"sprint.state"},
	"jira.board.id":                        {"board.id", "configuration.id", "sprint.originBoardId"},
	"jira.board.name":                      {"board.name", "configuration.name"},
	"jira.board.type":                      {"board.type", "configuration.type"},
	"jira.version.id":                      {"version.id"},
	"jira.version.name":                    {"version.name"},
	"jira.version.release_date":            {"version.releaseDate"},
	"jira.version.merged_into.id":          {"mergedTo.id"},
	"jira.filter.id":                       {"filter.id"},
	"jira.issue_property.request_channel":  {"property.value.value"},
	"jira.alert.id":                        {"alert.alertId"},
	"jira.alert.tiny_id":                   {"alert.tinyId"},
	"jira.alert.alias":                     {"alert.alias"},
	"jira.alert.message":                   {"alert.message"},
	"jira.alert.priority":                  {"alert.priority"},
	"jira.alert.previous_priority":         {"alert.oldPriority"},
	"jira.alert.entity":                    {"alert.entity"},
	"jira.alert.count":                     {"alert.count"},
	"jira.alert.team":                      {"alert.team"},
	"jira.alert.action.source.type":        {"source.type"},
	"jira.alert.recipient.id":              {"alert.responder.id", "escalationNotify.id"},
	"jira.alert.escalation.id":             {"escalationId"},
	"jira.alert.escalation.name":           {"escalationName"},
	"jira.alert.integration.id":            {"integrationId"},
	"jira.alert.integration.name":          {"integrationName"},
}

// assertRecordMatches compares a record with its body in both directions: values of the body are in the record, and the
// record has no other values under these keys.
func assertRecordMatches(t *testing.T, record plog.LogRecord, tree any) {
	t.Helper()
	assert.Equal(t, eventNameOf(tree), record.EventName())
	if timestamp, isNumber := valueAt(tree, "timestamp").(json.Number); isNumber {
		assert.Equal(t, timestamp.String(), strconv.FormatInt(record.Timestamp().AsTime().UnixMilli(), 10))
	}
	get := func(key string) string {
		value, found := record.Attributes().Get(key)
		if !found {
			return ""
		}
		return value.AsString()
	}
	for key, paths := range placesOfAttributes {
		assert.Equal(t, textAt(tree, paths...), get(key), key)
	}
	assert.Equal(t, issueID(tree), get("jira.issue.id"), "jira.issue.id")
	assert.Equal(t, projectKeyIn(tree), get("jira.project.key"), "jira.project.key")
	assertPeople(t, get, tree)
	assertStatuses(t, get, tree)
	assertAge(t, get, tree)
	assert.Equal(t, cmp.Or(textAt(tree, "changelog.id"), historyID(tree)), get("jira.changelog.id"))
	assertRelations(t, record, tree)
	items := 0
	if list, found := record.Attributes().Get("jira.changelog.items"); found {
		items = list.Slice().Len()
	}
	assert.Equal(t, len(changes(tree))+sprintChanges(tree), items, "changed fields")
}

// assertPeople checks that the record contains the id of each person, or a hash in place of a login name.
func assertPeople(t *testing.T, get func(string) string, tree any) {
	t.Helper()
	places := maps.Clone(placesOfPeople)
	places["user"], places["jira.user"] = users(tree)
	for prefix, paths := range places {
		id, login := personAt(tree, paths...)
		switch {
		case prefix == "jira.user" && id == "":
			id = textAt(tree, "accountId")
		case prefix == "user" && textAt(tree, "alert.alertId") != "":
			id, login = textAt(tree, "alert.userId"), textAt(tree, "alert.username")
		}
		assert.Equal(t, id, get(prefix+".id"), prefix+".id")
		assert.Equal(t, id == "" && login != "", get(prefix+".hash") != "", prefix+".hash")
		assert.Empty(t, get(prefix+".name"), prefix+".name")
	}
}

// assertAge checks the age of the issue for bodies that contain both times in the format of Jira Cloud.
func assertAge(t *testing.T, get func(string) string, tree any) {
	t.Helper()
	timestamp, isNumber := valueAt(tree, "timestamp").(json.Number)
	created, err := time.Parse("2006-01-02T15:04:05.000-0700", textAt(tree, "issue.fields.created", "fields.created"))
	if !isNumber || err != nil {
		return
	}
	happened, err := timestamp.Int64()
	require.NoError(t, err)
	if age := int64(math.Round(float64(happened-created.UnixMilli()) / 1000)); age >= 0 {
		assert.Equal(t, strconv.FormatInt(age, 10), get("jira.issue.age_seconds"))
	}
}

var issueInLink = regexp.MustCompile(`/issue/(\d+)/(?:comment|worklog)/`)

// issueID also finds the issues of bodies that have none: in the links to comments, and in worklogs.
func issueID(tree any) string {
	if id := textAt(tree, "issue.id", "worklog.issueId"); id != "" {
		return id
	}
	if valueAt(tree, "fields") != nil {
		return textAt(tree, "id")
	}
	if match := issueInLink.FindStringSubmatch(textAt(tree, "comment.self", "worklog.self")); match != nil {
		return match[1]
	}
	return ""
}

func projectKeyIn(tree any) string {
	ofIssue, _, _ := strings.Cut(textAt(tree, "issue.key", "key"), "-")
	return cmp.Or(textAt(tree, "issue.fields.project.key", "fields.project.key", "project.key"), ofIssue)
}

// users returns the paths of who caused an event, and of whom it happened to.
func users(tree any) (actor, subject []string) {
	switch name := eventNameOf(tree); {
	case strings.HasPrefix(name, "jira.user."):
		return nil, []string{"user"}
	case strings.HasSuffix(name, ".deleted"):
		return []string{"user"}, nil
	}
	return []string{"user", "comment.updateAuthor", "comment.author", "worklog.updateAuthor", "worklog.author", "attachment.author"}, nil
}

// changes returns the changed fields that a body lists.
func changes(tree any) []any {
	items, _ := valueAt(tree, "changelog.items").([]any)
	if histories, _ := valueAt(tree, "changelog.histories").([]any); len(histories) > 0 {
		items, _ = valueAt(histories[0], "items").([]any)
	}
	return items
}

// historyID returns the id of the history of an issue.
func historyID(tree any) string {
	histories, _ := valueAt(tree, "changelog.histories").([]any)
	if len(histories) == 0 {
		return ""
	}
	return textAt(histories[0], "id")
}

// assertRelations compares the keys of the other issues that an issue names.
func assertRelations(t *testing.T, record plog.LogRecord, tree any) {
	t.Helper()
	attrs := record.Attributes().AsRaw()
	list := func(field string) []any {
		inIssue, _ := valueAt(tree, "issue.fields."+field).([]any)
		bare, _ := valueAt(tree, "fields."+field).([]any)
		return append(inIssue, bare...)
	}
	var links, subtasks []any
	for _, link := range list("issuelinks") {
		links = append(links, textAt(link, "outwardIssue.key", "inwardIssue.key"))
	}
	for _, subtask := range list("subtasks") {
		subtasks = append(subtasks, textAt(subtask, "key"))
	}
	var linked []any
	if written, found := attrs["jira.issue.links"].([]any); found {
		for _, link := range written {
			linked = append(linked, link.(map[string]any)["issue_key"])
		}
	}
	assert.Equal(t, links, linked, "links")
	written, _ := attrs["jira.issue.subtask.keys"].([]any)
	assert.Equal(t, subtasks, written, "subtasks")
}

// sprintChanges counts the differences between the old and the new state of a sprint.
func sprintChanges(tree any) (n int) {
	if valueAt(tree, "oldValue") == nil {
		return 0
	}
	for _, key := range []string{"name", "state", "goal", "startDate", "endDate", "completeDate", "originBoardId"} {
		if textAt(tree, "oldValue."+key) != textAt(tree, "sprint."+key) {
			n++
		}
	}
	return n
}

// assertStatuses looks for the status that the issue has after the event, and for the one before.
func assertStatuses(t *testing.T, get func(string) string, tree any) {
	t.Helper()
	type status struct{ id, name string }
	issue := status{
		textAt(tree, "issue.fields.status.id", "fields.status.id"),
		textAt(tree, "issue.fields.status.name", "fields.status.name", "issue.fields.status", "fields.status"),
	}
	from, to := status{name: textAt(tree, "transition.from_status")}, status{name: textAt(tree, "transition.to_status")}
	for _, change := range changes(tree) {
		if strings.EqualFold(textAt(change, "fieldId", "field"), "status") {
			from = cmp.Or(from, status{textAt(change, "from"), textAt(change, "fromString")})
			to = status{textAt(change, "to"), textAt(change, "toString")}
		}
	}
	for _, s := range []*status{&from, &to} {
		if s.name == issue.name {
			s.id = cmp.Or(s.id, issue.id)
		}
	}
	current := status{get("jira.issue.status.id"), get("jira.issue.status.name")}
	assert.Equal(t, cmp.Or(to, issue), current)
	previous := status{get("jira.issue.status.previous.id"), get("jira.issue.status.previous.name")}
	assert.Equal(t, from, previous)
	category := textAt(tree, "issue.fields.status.statusCategory.key", "fields.status.statusCategory.key")
	if to != (status{}) && to != issue {
		category = ""
	}
	assert.Equal(t, category, get("jira.issue.status.category"))
}
