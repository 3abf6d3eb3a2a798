// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// anyValue has values of each type, and values that each reader takes.
var anyValue = []string{
	`null`, `{}`, `[]`, `1`, `1595970774883`, `""`, `"x"`, `true`, `"true"`, `"2026-03-06"`, `"A-1"`, `"OPS"`,
	`{"id": 1, "key": "OPS-1", "self": "s", "name": "n", "value": "v", "accountId": "a", "fields": {"summary": "s", "labels": ["l"]}, "items": [{"field": "f"}]}`,
	`{"field": "f", "from": "1", "created": 1595970774883, "author": {"name": "n"}, "child": {"value": "c"}, "body": "b"}`,
	`{"type": "doc", "content": [{"type": "text", "text": "t"}]}`,
	`["x", {"name": "n"}, {"field": "f"}]`,
	`[{"id": 7, "name": "S", "state": "active", "boardId": 3}]`, `[{"value": "Impediment"}]`,
	`[{"id": 1, "created": 1595970774883, "items": [{"field": "g"}]}]`, `20001.0`,
	`{"breached": true, "elapsedTime": {"millis": 5}, "epochMillis": 1595970774883, "millis": 7, "status": "s"}`,
	`[{"approver": {"key": "k"}, "approverDecision": "approved"}]`, `{"type": "number", "value": 2}`,
}

// members are the members that the decoder reads, by the body around them.
var members = map[string][]string{
	`{%s}`: {
		"webhookEvent", "issue_event_type_name", "timestamp", "user", "issue", "changelog", "fields", "id", "key", "self", "accountId",
		"username", "comment", "worklog", "attachment", "issueLink", "property", "option", "propertyKey", "issuetype", "issueType",
		"sprint", "board", "configuration", "version", "mergedTo", "filter", "project", "transition",
		"action", "alert", "source", "integrationId", "integrationName", "escalationId", "escalationName", "escalationNotify", "recipient",
	},
	`{"action": "a", "alert": {"alertId": "1", %s}}`: {
		"alertId", "tinyId", "alias", "message", "description", "details", "note", "priority", "oldPriority", "source", "entity",
		"tags", "addedTags", "removedTags", "count", "createdAt", "updatedAt", "userId", "username", "userFullName", "owner",
		"team", "teams", "responders", "recipient", "responder",
	},
	`{"action": "a", "alert": {"alertId": "1"}, "source": {%s}}`:           {"name", "type"},
	`{"action": "a", "alert": {"alertId": "1"}, "escalationNotify": {%s}}`: {"id", "name", "type", "entity"},
	`{"alert": {"alertId": "1"}, %s}`:                                      {"action"},
	`{"action": "a", %s}`:                                                  {"alert"},
	`{"action": "a", "alert": {"alertId": "1"}, %s}`:                       {"source", "recipient", "escalationNotify", "headers"},
	`{"fields": {}, %s}`:                                                   {"id", "key", "self"},
	`{"sprint": {"name": "b"}, %s}`:                                        {"oldValue"},
	`{"version": {}, %s}`:                                                  {"mergedTo"},
	`{"user": {%s}}`:                                                       {"self", "accountId", "key", "name", "displayName", "emailAddress", "active", "accountType"},
	`{"issue": {%s}}`:                                                      {"id", "key", "self", "fields", "changelog"},
	`{"issue": {"fields": {"status": {%s}}}}`:                              {"id", "name", "statusCategory"},
	`{"issue": {"fields": {"parent": {%s}}}}`:                              {"id", "key"},
	`{"project": {%s}}`:                                                    {"id", "self", "key", "name", "projectCategory", "projectLead", "lead"},
	`{"changelog": {%s}}`:                                                  {"id", "items", "histories"},
	`{"comment": {%s}}`:                                                    {"id", "self", "created", "updated", "author", "updateAuthor", "body", "jsdPublic", "visibility"},
	`{"worklog": {%s}}`:                                                    {"id", "issueId", "started", "timeSpentSeconds", "comment", "visibility"},
	`{"attachment": {%s}}`:                                                 {"filename", "size", "mimeType"},
	`{"issueLink": {%s}}`:                                                  {"id", "issueLinkType", "sourceIssueId", "destinationIssueId", "systemLink"},
	`{"property": {%s}}`:                                                   {"key", "value"},
	`{"issuetype": {%s}}`:                                                  {"id", "name"},
	`{"board": {%s}}`:                                                      {"id", "name", "type"},
	`{"filter": {%s}}`:                                                     {"id", "name"},
	`{"version": {%s}}`:                                                    {"name", "released", "archived", "startDate", "releaseDate", "projectId"},
	`{"issue": {"fields": {"customfield_1": {%s}}}}`:                       {"id", "type", "value", "child", "accountId", "name", "label", "title", "rating", "requestType", "data", "objectKey"},
	`{"issue": {"fields": {"customfield_1": {"requestType": "t", %s}}}}`: {"currentStatus", "requestType"},
	`{"issue": {"fields": {"customfield_1": {"rating": 1, %s}}}}`:        {"comment", "rating"},
	`{"issue": {"fields": {"customfield_1": {%s, "name": "n"}}}}`: {
		"ongoingCycle", "completedCycles", "finalDecision", "approvers", "createdDate", "completedDate", "condition", "currentStatus", "comment",
	},
	`{"issue": {"fields": {"customfield_1": {"ongoingCycle": {%s}}}}}`: {
		"startTime", "stopTime", "breachTime", "breached", "paused", "goalDuration", "elapsedTime", "remainingTime",
	},
	`{"issue": {"fields": {"customfield_1": {"completedCycles": [{"breached": true}, {%s}]}}}}`: {"stopTime", "elapsedTime"},
	`{"issue": {"fields": {"customfield_1": {"ongoingCycle": {"startTime": {%s}}}}}}`:           {"epochMillis", "jira", "iso8601"},
	`{"issue": {"fields": {"customfield_1": {"ongoingCycle": {"elapsedTime": {%s}}}}}}`:         {"millis"},
	`{"issue": {"fields": {"customfield_1": {"finalDecision": "pending", %s}}}}`:                {"approvers", "condition", "createdDate", "completedDate"},
	`{"issue": {"fields": {"customfield_1": {"approvers": [{%s}]}}}}`:                           {"approver", "approverDecision"},
	`{"issue": {"fields": {"customfield_1": {"approvers": [], "condition": {%s}}}}}`:            {"type", "value"},
	`{"issue": {"fields": {"customfield_1": {"requestType": "t", "currentStatus": {%s}}}}}`:     {"status", "statusCategory", "statusDate"},
	`{"issue": {"fields": {"customfield_1": {"rating": 1, "comment": {%s}}}}}`:                  {"body"},
	`{"property": {"key": "request.channel.type", "value": {%s}}}`:                              {"value"},
	`{"issue": {"fields": {"customfield_1": {"value": "a", "child": {%s}}}}}`:                   {"value", "child"},
	`{"issue": {"fields": {%s}}}`: {
		"summary", "description", "labels", "components", "fixVersions", "versions", "created", "updated", "resolutiondate", "duedate",
		"issuetype", "status", "priority", "resolution", "security", "parent", "project", "assignee", "reporter", "creator", "customfield_1",
		"customfield_2", "issuelinks", "subtasks", "statuscategorychangedate",
	},
	`{"issue": {"fields": {"status": {"statusCategory": {%s}}}}}`: {"key"},
	`{"changelog": {"items": [{%s}]}}`: {
		"field", "fieldId", "fieldtype", "from", "fromString", "to", "toString", "tmpFromAccountId", "tmpToAccountId",
	},
	`{"sprint": {%s}}`: {
		"id", "name", "state", "goal", "createdDate", "startDate", "endDate", "completeDate", "originBoardId",
	},
	`{"changelog": {"histories": [{"items": [{"field": "h"}], %s}]}}`: {
		"id", "items", "created",
	},
	`{"issue": {"fields": {"issuelinks": [{%s}]}}}`: {
		"id", "type", "inwardIssue", "outwardIssue",
	},
	`{"comment": {"visibility": {%s}}}`: {
		"type", "value", "identifier",
	},
	`{"transition": {%s}}`: {"transitionId", "transitionName", "workflowId", "workflowName", "from_status", "to_status"},
}

// TestLastOfEqualMembersWins gives each member twice, with each pair of values: the first one must leave nothing
// behind.
func TestLastOfEqualMembersWins(t *testing.T) {
	dec := NewDecoder([]string{"customfield_1"})
	event := func(around, members string) *Event {
		ev, err := dec.Decode(fmt.Appendf(nil, around, members))
		require.NoError(t, err)
		if ev.Issue != nil && len(ev.Issue.CustomFields) == 0 {
			ev.Issue.CustomFields = nil // an empty list is the same
		}
		return ev
	}
	for around, keys := range members {
		for _, key := range keys {
			for _, last := range anyValue {
				want := event(around, fmt.Sprintf(`%q: %s`, key, last))
				for _, first := range anyValue {
					twice := fmt.Sprintf(`%q: %s, %q: %s`, key, first, key, last)
					require.Equal(t, want, event(around, twice), around, twice)
				}
			}
		}
	}
	require.Empty(t, event(`{%s}`, `"webhookEvent": "0", "webhookEvent": null`).Name)
}
