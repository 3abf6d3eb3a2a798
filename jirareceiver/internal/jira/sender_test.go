// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDecodeIssueIdentity uses bodies whose issue is not an object, or is missing.
func TestDecodeIssueIdentity(t *testing.T) {
	for body, want := range map[string]*Issue{
		`{"issue": "OPS-42"}`:          {Key: "OPS-42"},
		`{"issue": "A_B2-7"}`:          {Key: "A_B2-7"},
		`{"issue": "10042"}`:           {ID: "10042"},
		`{"issue": 10042}`:             {ID: "10042"},
		`{"issue": "ops-42"}`:          nil,
		`{"issue": "see OPS-42"}`:      nil,
		`{"issue": null}`:              nil,
		`{"issue": ["OPS-42"]}`:        nil,
		`{"id": "1", "key": "OPS-1"}`:  nil,
		`{"id": "1", "fields": {}}`:    {ID: "1"},
		`{"id": "1", "fields": "all"}`: nil,

		`{"comment": {"self": "https://jira.example.com/context/rest/api/2/issue/10013/comment/10082"}}`: {ID: "10013"},
		`{"worklog": {"self": "https://jira.example.com/rest/api/2/issue/10013/worklog/1"}}`:             {ID: "10013"},
		`{"worklog": {"issueId": "10014", "self": "https://a/rest/api/2/issue/10013/worklog/1"}}`:        {ID: "10014"},
		`{"worklog": {"issueId": 10014}}`:                                                       {ID: "10014"},
		`{"comment": {"self": "https://jira.example.com/rest/api/2/comment/10082"}}`:            nil,
		`{"comment": {"self": "https://a/rest/api/2/issue/1/comment/2"}, "issue": {"id": "9"}}`: {ID: "9"},
	} {
		assert.Equal(t, want, decode(t, body).Issue, body)
	}
}

// TestDecodeLongIdentities uses texts that are too long for a regular expression.
func TestDecodeLongIdentities(t *testing.T) {
	long := strings.Repeat("7", MaxID+1)
	assert.Nil(t, decode(t, `{"issue": "AB-`+long+`"}`).Issue)
	assert.Nil(t, decode(t, `{"comment": {"self": "https://a/`+strings.Repeat("a", MaxURL)+`/issue/10013/comment/1"}}`).Issue)
	assert.Equal(t, &Project{}, decode(t, `{"project": `+long+`}`).Project)
	assert.Zero(t, decode(t, `{"timestamp": "`+strings.Repeat("0", maxScalar)+`1595970774883"}`).Timestamp)
	sprint := "com.atlassian.greenhopper.service.sprint.Sprint@1[name=a,goal=" + strings.Repeat("b", maxSprintString) + "]"
	assert.Equal(t, sprint, sprintField(t, `"`+sprint+`"`))
}

// TestDecodeBoundsLists counts the entries that are kept of long lists. The decoder still reads the whole body.
func TestDecodeBoundsLists(t *testing.T) {
	list := func(entry string, n int) string { return "[" + strings.Repeat(entry+",", n-1) + entry + "]" }
	dec := NewDecoder([]string{"customfield_1"})
	for n, isCut := range map[int]bool{MaxEntries: false, MaxEntries + 1: true, 10 * MaxEntries: true} {
		ev, err := dec.Decode([]byte(`{"issue": {"fields": {"labels": ` + list(`"a"`, n) + `, "customfield_1": ` + list(`"b"`, n) + `}},
			"changelog": {"items": ` + list(`{"field": "c"}`, n) + `}, "webhookEvent": "last"}`))
		require.NoError(t, err)
		assert.Equal(t, "last", ev.Name)
		assert.Len(t, ev.Issue.Labels.List, MaxEntries)
		assert.Len(t, ev.Issue.CustomFields[0].Value, MaxEntries)
		assert.Len(t, ev.Changelog.Items, MaxEntries)
		assert.Equal(t, []bool{isCut, isCut, isCut}, []bool{ev.Issue.Labels.IsCut, ev.Issue.CustomFields[0].IsCut, ev.Changelog.IsCut})
		_, err = dec.Decode([]byte(`{"issue": {"fields": {"labels": ` + list(`"a"`, n) + `}, "x": [` + strings.Repeat(`"a",`, n) + `]}}`))
		assert.Equal(t, ErrNotJSON, err)
		_, err = dec.Decode([]byte(`{"issue": {"fields": {"labels": [` + strings.Repeat(`"a",`, n) + `01]}}}`))
		assert.Equal(t, ErrNotJSON, err)
	}
}

func TestDecodeReferences(t *testing.T) {
	for value, want := range map[string]Reference{
		`{"id": 7, "key": "OPS-1"}`: {ID: "7", Key: "OPS-1"},
		`"OPS-1"`:                   {Key: "OPS-1"},
		`7`:                         {ID: "7"},
		`"epic"`:                    {},
		`null`:                      {},
	} {
		assert.Equal(t, want, decode(t, `{"issue": {"fields": {"parent": `+value+`}}}`).Issue.Parent, value)
	}
	for value, want := range map[string]Project{
		`"OPS"`:  {Key: "OPS"},
		`10000`:  {Entity: Entity{ID: "10000"}},
		`"Büro"`: {},
		`null`:   {},
		`{"id": 10000, "key": "OPS", "projectCategory": {"name": "Back office"}, "projectLead": {"key": "kim"}}`: {
			Entity: Entity{ID: "10000"}, Key: "OPS", Category: "Back office", Lead: User{Key: "kim"},
		},
	} {
		assert.Equal(t, want, decode(t, `{"issue": {"fields": {"project": `+value+`}}}`).Issue.Project, value)
		assert.Equal(t, &want, decode(t, `{"project": `+value+`}`).Project, value)
	}
}

// TestDecodeSprintUpdates checks the changes between the old and the new state of a sprint.
func TestDecodeSprintUpdates(t *testing.T) {
	ev := decode(t, `{"webhookEvent": "sprint_updated",
		"oldValue": {"id": 5, "name": "Sprint 5", "state": "future", "startDate": "2026-03-02T09:00:00.000Z", "originBoardId": 1},
		"sprint": {"id": 5, "name": "Sprint 5", "state": "active", "goal": "Ship it", "startDate": "2026-03-02T10:00:00.000+0100", "endDate": "2026-03-16T09:00:00.000Z", "originBoardId": "2"}}`)
	assert.Equal(t, []Change{
		{Field: "state", FromText: "future", ToText: "active"},
		{Field: "goal", ToText: "Ship it"},
		{Field: "endDate", ToText: "2026-03-16T09:00:00.000Z"},
		{Field: "originBoardId", FromText: "1", ToText: "2"},
	}, ev.Changelog.Items, "the same instant in another zone is not a change")
	assert.Equal(t, "5", ev.Sprint.ID)

	for _, body := range []string{`{"sprint": {"name": "a"}}`, `{"oldValue": {"name": "a"}}`, `{"sprint": {"name": "a"}, "oldValue": null}`} {
		assert.Empty(t, decode(t, body).Changelog.Items, body)
	}
}

func TestDecodePostFunction(t *testing.T) {
	ev := decode(t, `{"transition": {"workflowId": 10100, "workflowName": "Ops", "transitionId": 21, "transitionName": "Start",
		"from_status": "To Do", "to_status": {"id": "3", "name": "In Progress"}}, "comment": "", "issue": {"id": "1"}}`)
	assert.Equal(t, &Transition{
		Named: Named{"21", "Start"}, Workflow: Named{"10100", "Ops"}, From: Named{Name: "To Do"}, To: Named{"3", "In Progress"},
	}, ev.Transition)
	assert.Nil(t, ev.Comment, "no comment was written")
	assert.Equal(t, SourcePostFunction, ev.Source)
	assert.Equal(t, "done", decode(t, `{"transition": {}, "comment": "done"}`).Comment.Body)
}

func TestDecodeMergedVersions(t *testing.T) {
	ev := decode(t, `{"webhookEvent": "jira:version_deleted", "mergedTo": {"id": 10201, "name": "1.4.0"}, "version": {"id": "10200", "projectId": 10000}}`)
	assert.Equal(t, Named{"10201", "1.4.0"}, ev.Version.MergedInto)
	assert.Equal(t, "10000", ev.Version.ProjectID)
	assert.Equal(t, Named{Name: "1.4.0"}, decode(t, `{"version": {}, "mergedTo": "1.4.0"}`).Version.MergedInto)
	assert.Nil(t, decode(t, `{"mergedTo": {"id": 1}}`).Version)
}

func TestDecodeUserDeleted(t *testing.T) {
	for body, want := range map[string]bool{
		`{"accountId": "5b1", "username": "former-user"}`:                   true,
		`{"accountId": "5b1", "username": null}`:                            true,
		`{"accountId": "", "username": "former-user"}`:                      false,
		`{"accountId": "5b1", "username": "u", "timestamp": 1}`:             false,
		`{"webhookEvent": "user_updated", "accountId": "1", "username": 1}`: false,
	} {
		assert.Equal(t, want, decode(t, body).UserDeleted, body)
	}
}

func TestDecodeUserID(t *testing.T) {
	assert.Equal(t, "a", User{AccountID: "a", Key: "b", Name: "c"}.ID())
	assert.Equal(t, "JIRAUSER10200", User{Key: "JIRAUSER10200", Name: "c"}.ID())
	for _, key := range []string{"b", "JIRAUSER", "JIRAUSER1x", "jirauser1", "xJIRAUSER1", "JIRAUSER-1"} {
		assert.Empty(t, User{Key: key, Name: "c"}.ID(), "a login name is not an id")
	}
	assert.Empty(t, User{Name: "c", Email: "d"}.ID(), "a name and an e-mail address are not ids")
}

// TestDecodeScalars uses the truth values, numbers and dates that Jira and people write.
func TestDecodeScalars(t *testing.T) {
	ev := decode(t, `{"version": {"released": "true", "archived": false, "releaseDate": "2026-03-06", "startDate": "06/Mar/26"},
		"attachment": {"size": "12"}, "worklog": {"timeSpentSeconds": 5400, "started": 1595970774883}}`)
	assert.True(t, *ev.Version.Released)
	assert.False(t, *ev.Version.Archived)
	assert.Equal(t, "2026-03-06", ev.Version.ReleaseDate)
	assert.Empty(t, ev.Version.StartDate)
	assert.Equal(t, int64(12), *ev.Attachment.Size)
	assert.Equal(t, int64(5400), *ev.Worklog.TimeSpent)
	assert.Equal(t, time.UnixMilli(1595970774883).UTC(), ev.Worklog.Started)

	ev = decode(t, `{"version": {"released": "yes", "archived": 1}, "attachment": {"size": 1.5}, "worklog": {"timeSpentSeconds": "1h"}}`)
	assert.Nil(t, ev.Version.Released)
	assert.Nil(t, ev.Version.Archived)
	assert.Nil(t, ev.Attachment.Size)
	assert.Nil(t, ev.Worklog.TimeSpent)

	ev = decode(t, `{"attachment": {"size": 2.048E3}, "worklog": {"timeSpentSeconds": "3600.0"}}`)
	assert.Equal(t, int64(2048), *ev.Attachment.Size)
	assert.Equal(t, int64(3600), *ev.Worklog.TimeSpent)
	for _, text := range []string{`"1e"`, `"0x10"`, `"1e99"`, `"--1"`, `"1.2.3"`, `""`, `"."`, `1e18`, `"1_0"`} {
		ev = decode(t, `{"attachment": {"size": `+text+`}}`)
		assert.Equal(t, text == `1e18`, ev.Attachment.Size != nil, text)
	}

	for value, want := range map[string]string{`true`: "true", `"3h"`: "3h", `7`: "7", `null`: "", `{}`: ""} {
		assert.Equal(t, want, decode(t, `{"webhookEvent": "option_voting_changed", "property": {"key": "k", "value": `+value+`}}`).Property.Value, value)
	}
}

// TestDecodeDuplicateObjects checks that the first of two objects with one key does not affect the event.
func TestDecodeDuplicateObjects(t *testing.T) {
	ev := decode(t, `{"user": {"accountId": "a"}, "user": {"key": "b"}, "issue": {"id": "1", "key": "A-1"}, "issue": {"id": "2"},
		"comment": {"id": "1", "body": "x"}, "comment": {"id": "2"}}`)
	assert.Equal(t, User{Key: "b"}, ev.User)
	assert.Equal(t, &Issue{ID: "2"}, ev.Issue)
	assert.Equal(t, &Comment{Entity: Entity{ID: "2"}}, ev.Comment)

	ev = decode(t, `{"issue": {"fields": {"labels": ["a"], "status": {"id": "1", "name": "a"}, "labels": ["b"], "status": {"id": "2"}}}}`)
	assert.Equal(t, []string{"b"}, ev.Issue.Labels.List)
	assert.Equal(t, Status{Named: Named{ID: "2"}}, ev.Issue.Status)

	dec := NewDecoder([]string{"customfield_1"})
	ev, err := dec.Decode([]byte(`{"fields": {"customfield_1": 1, "customfield_1": 2}}`))
	require.NoError(t, err)
	assert.Equal(t, []CustomField{{ID: "customfield_1", Value: 2.0}}, ev.Issue.CustomFields)
}

// TestDecodeDeepNesting uses values that could exhaust the stack of a recursive decoder.
func TestDecodeDeepNesting(t *testing.T) {
	for _, around := range []string{
		`{"unknown": %}`, `{"issue": {"fields": {"description": %}}}`, `{"fields": {"customfield_1": %}}`, `{"changelog": {"items": %}}`,
	} {
		before, after, _ := strings.Cut(around, "%")
		for _, depth := range []int{1000, 9000, 10_000, 1_000_000} {
			for _, pair := range [][2]string{{"[", "]"}, {`{"content":`, "}"}, {`[{"child":`, "}]"}} {
				body := before + strings.Repeat(pair[0], depth) + "1" + strings.Repeat(pair[1], depth) + after
				_, err := NewDecoder([]string{"customfield_1"}).Decode([]byte(body))
				if depth == 1000 {
					assert.NoError(t, err, around)
				}
				if err != nil {
					assert.ErrorIs(t, err, ErrNotJSON)
				}
			}
		}
	}
}

func TestFingerprint(t *testing.T) {
	of := func(body string) string { return string(Fingerprint([]byte(body))) }
	base := of(`{"a": 1, "b": {"c": 2}}`)
	assert.Len(t, base, 32)
	assert.Equal(t, base, of(`{"a": 1, "matchedWebhookIds": [1], "b": {"c": 2}}`), "another registration")
	assert.Equal(t, base, of(`{"matchedWebhookIds": [2, 3], "a": 1, "b": {"c": 2}}`), "two others")
	assert.Equal(t, base, of(`{"integrationId": "1", "a": 1, "integrationName": "x", "b": {"c": 2}}`), "an integration")
	for _, other := range []string{
		`{"a": 2, "b": {"c": 2}}`, `{"a": 1, "b": {"c": 3}}`, `{"a": 1}`, `{"a1": 0, "b": {"c": 2}}`, `{}`,
		`{"a": 1, "b": {"c": 2, "matchedWebhookIds": 1}}`,
	} {
		assert.NotEqual(t, base, of(other), other)
	}
}
