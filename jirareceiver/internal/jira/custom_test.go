// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decodeField returns the custom field with a value, or nil if the decoder finds none.
func decodeField(t *testing.T, value string) *CustomField {
	t.Helper()
	body := `{"issue": {"fields": {"customfield_2": "not asked for", "customfield_1": ` + value + `}}}`
	ev, err := NewDecoder([]string{"customfield_1", "summary"}).Decode([]byte(body))
	require.NoError(t, err, body)
	if len(ev.Issue.CustomFields) == 0 {
		return nil
	}
	require.Len(t, ev.Issue.CustomFields, 1)
	return &ev.Issue.CustomFields[0]
}

func TestDecodeCustomFields(t *testing.T) {
	for value, want := range map[string]any{
		`"text"`:                     "text",
		`5`:                          5.0,
		`5.0`:                        5.0,
		`0.5e1`:                      5.0,
		`20001.0`:                    20001.0,
		`-1.5e3`:                     -1500.0,
		`99999999999999999999`:       1e20,
		`true`:                       true,
		`null`:                       nil,
		`""`:                         nil,
		`[]`:                         nil,
		`{}`:                         nil,
		`"2026-03-06"`:               "2026-03-06",
		`"2026-03-06T14:12:54.883Z"`: time.Date(2026, 3, 6, 14, 12, 54, 883e6, time.UTC),

		`{"self": "x", "value": "Blue", "id": "10021"}`: "Blue",
		`{"id": "10021"}`:                                              "10021",
		`{"id": "10021", "value": 5}`:                                  5.0,
		`{"id": "10021", "value": ""}`:                                 "10021",
		`[{"value": "Blue"}, {"value": "Red"}]`:                        []any{"Blue", "Red"},
		`[{"value": "Blue"}]`:                                          []any{"Blue"},
		`{"child": {"value": "Norway", "id": "2"}, "value": "Europe"}`: []any{"Europe", "Norway"},
		`{"value": "Europe", "child": null}`:                           "Europe",
		`{"value": "a", "child": {"child": {"value": "c", "child": {}}, "value": "b"}}`: []any{"a", "b", "c"},
		`["a", 1, 2.5, false, null, "", {"value": "b"}, ["c"]]`:                         []any{"a", 1.0, 2.5, false, "b", "c"},
		`{"name": "1.4.0", "id": "10000"}`:                                              "1.4.0",
		`{"key": "OPS", "id": 10000}`:                                                   "OPS",
		`[{"id": 12, "name": "Sprint 5", "state": "active"}]`:                           []any{"Sprint 5"},
		`{"type": "doc", "content": [{"type": "text", "text": "words"}]}`:               "words",
		`{"type": "doc", "content": []}`:                                                nil,
		`{"id": "9", "displayName": "Gold plan"}`:                                       "Gold plan",
		`{"id": "9", "displayName": "Gold plan", "archived": true}`:                     "Gold plan",
		`{"languageCode": "de", "displayName": "Deutsch"}`:                              "Deutsch",
		`{"workspaceId": "x", "id": "x:88", "displayName": "Pump 3"}`:                   "Pump 3",
		`{"objectKey": "CMDB-88", "id": "x:88", "displayName": "Pump 3"}`:               "Pump 3",
		`{"showField": true, "data": {"id": 20100, "key": "ZED-1", "summary": "Pump"}}`: "ZED-1",
		`{"hasEpicLinkFieldDependency": false, "showField": false, "nonEditableReason": {"reason": "PLUGIN_LICENSE_ERROR", "message": "a"}}`: nil,
		`{"showField": true, "data": {"id": 20100}}`:                                                      "20100",
		`[{"label": "Pump 3", "objectKey": "CMDB-88"}, {"objectKey": "CMDB-89", "id": "x:1"}]`:            []any{"Pump 3", "CMDB-89"},
		`{"workspaceId": "x", "id": "x:88", "objectId": "88"}`:                                            "x:88",
		`{"id": "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f", "title": "Blue team", "avatarUrl": ""}`:           "Blue team",
		`{"id": "3a1b2c3d-1111-4222-8333-0a1b2c3d4e5f", "name": "Blue team", "displayName": "Blue team"}`: "Blue team",

		`{"accountId": "5b1", "displayName": "Ada Lindqvist"}`:                             User{AccountID: "5b1", DisplayName: "Ada Lindqvist"},
		`{"name": "ada", "key": "JIRAUSER1", "emailAddress": "ada@example.com"}`:           User{Name: "ada", Key: "JIRAUSER1", Email: "ada@example.com"},
		`{"name": "ada", "self": "https://jira.example.com/rest/api/2/user?username=ada"}`: User{Name: "ada", Self: "https://jira.example.com/rest/api/2/user?username=ada"},
		`{"name": "ada", "displayName": "Ada Lindqvist"}`:                                  User{Name: "ada", DisplayName: "Ada Lindqvist"},
		`{"displayName": "Ada Lindqvist"}`:                                                 User{DisplayName: "Ada Lindqvist"},
		`{"id": "5b", "displayName": "Ada Lindqvist"}`:                                     User{DisplayName: "Ada Lindqvist"},
		`{"id": "5b10ac8d82e05b22cc7d4ef5", "displayName": "Ada Lindqvist"}`:               User{AccountID: "5b10ac8d82e05b22cc7d4ef5", DisplayName: "Ada Lindqvist"},
		`{"displayName": "Ada Lindqvist", "avatarUrls": {}}`:                               User{DisplayName: "Ada Lindqvist"},
		`{"displayName": "Ada Lindqvist", "timeZone": "UTC"}`:                              User{DisplayName: "Ada Lindqvist"},
		`{"id": 7, "displayName": "Ada Lindqvist", "email": "ada@example.com"}`:            User{DisplayName: "Ada Lindqvist"},
		`{"key": "JIRAUSER1", "id": "1"}`:                                                  User{Key: "JIRAUSER1"},
		`[{"accountId": "5b1"}, {"accountId": "5b2"}]`:                                     []any{User{AccountID: "5b1"}, User{AccountID: "5b2"}},
	} {
		field := decodeField(t, value)
		if want == nil {
			assert.Nil(t, field, value)
			continue
		}
		assert.Equal(t, &CustomField{ID: "customfield_1", Value: want}, field, value)
	}
}

// TestDecodeUnreadableFields uses values of which the decoder understands nothing, or only a part.
func TestDecodeUnreadableFields(t *testing.T) {
	for value, want := range map[string]any{
		`1e999`:                     nil, // larger than any float64
		`{"surprise": {"id": 1}}`:   nil,
		`[{"surprise": 1}]`:         nil,
		`["a", {"surprise": 1}, 2]`: []any{"a", 2.0},
	} {
		assert.Equal(t, &CustomField{ID: "customfield_1", Value: want, IsUnreadable: true}, decodeField(t, value), value)
	}
}

// TestDecodeDeepOptions uses as many children of an option as it may have, and one more.
func TestDecodeDeepOptions(t *testing.T) {
	for depth, isCut := range map[int]bool{maxChildren: false, maxChildren + 1: true} {
		field := decodeField(t, strings.Repeat(`{"value": "a", "child": `, depth)+`{"value": "a"}`+strings.Repeat("}", depth))
		assert.Len(t, field.Value, 1+maxChildren)
		assert.Equal(t, isCut, field.IsCut)
	}
}

// TestDecodeSprintStrings uses sprints in the format of Data Center. Their names may contain any text.
func TestDecodeSprintStrings(t *testing.T) {
	const class = "com.atlassian.greenhopper.service.sprint.Sprint@5d2af540"
	for name, want := range map[string]string{
		"Sprint 5":                 "Sprint 5",
		"Fix, test, ship":          "Fix, test, ship",
		"[Ops] Sprint (5)":         "[Ops] Sprint (5)",
		"a=b, c=d":                 "a=b, c=d",
		"2026.3 Sp5, id=7":         "2026.3 Sp5, id=7",
		"<null>":                   "<null>",
		"Спринт 5":                 "Спринт 5",
		`with \"quotes\" and ]`:    `with "quotes" and ]`,
		"state=CLOSED,name=inside": "state=CLOSED,name=inside",
	} {
		for _, tail := range []string{
			",startDate=2026-03-02T09:00:00.000Z,endDate=<null>,completeDate=<null>,sequence=1255,goal=<null>]",
			",goal=Ship, name=it,startDate=<null>,endDate=<null>,completeDate=<null>,sequence=1255]",
		} {
			value := class + "[id=1255,rapidViewId=323,state=ACTIVE,name=" + name + tail
			assert.Equal(t, []any{want}, sprintField(t, `["`+value+`"]`), value)
		}
	}
	for _, other := range []string{class, class + "[id=1]", class + "[id=1,name=a,goal=b", "com.example.Sprint@1[name=a,goal=b]"} {
		assert.Equal(t, other, sprintField(t, `"`+other+`"`), "other texts are kept")
	}
}

// TestDecodeSortedSprintStrings uses sprints in the format of Data Center 10 and 11, whose properties are in
// alphabetical order. The goal precedes the name, and both may contain any text.
func TestDecodeSortedSprintStrings(t *testing.T) {
	const class = "com.atlassian.greenhopper.service.sprint.Sprint@1a2b3c4d"
	for _, name := range []string{
		"Delta Run 7", "Fix, test, ship", "[Ops] Run (5)", "a=b, c=d", "2026.3 Sp5, id=7", "Run,rapidViewId=3", "a,name=b", "Lauf\n5",
	} {
		for _, goal := range []string{"", "Tidy, name=none", "a,name=b,rapidViewId=3", "x,id=5,state=OPEN,name=y", "two\nlines"} {
			for _, layout := range []string{
				"[activatedDate=<null>,autoStartStop=false,completeDate=<null>,endDate=<null>,goal=%s,id=77,incompleteIssuesDestinationId=<null>,name=%s,rapidViewId=9,sequence=77,startDate=<null>,state=ACTIVE,synced=false]",
				"[completeDate=<null>,endDate=<null>,goal=%s,id=77,name=%s,rapidViewId=9,sequence=77,startDate=<null>,state=ACTIVE]",
			} {
				text := class + fmt.Sprintf(layout, goal, name)
				sprint, ok := parseSprint(text)
				require.True(t, ok, text)
				assert.Equal(t, SprintRef{ID: "77", Name: name, State: "active"}, sprint, text)
			}
		}
	}
	sprint, ok := parseSprint(class + "[id=77,name=Run 7,rapidViewId=9,state=CLOSED]")
	assert.True(t, ok)
	assert.Equal(t, SprintRef{ID: "77", Name: "Run 7", State: "closed"}, sprint)
}

// TestSprintTimes reads the times in all forms of a sprint. Times in the name and in the goal do not count.
func TestSprintTimes(t *testing.T) {
	const class = "com.atlassian.greenhopper.service.sprint.Sprint@1a2b3c4d"
	want := SprintRef{
		ID: "7", Name: "a,id=9", State: SprintClosed,
		Start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Completed: time.Date(2026, 3, 16, 8, 0, 0, 0, time.UTC),
	}
	for _, sprint := range []string{
		`{"boardId": 1, "id": 7, "name": "a,id=9", "state": "closed", "startDate": "2026-03-02T08:00:00.000Z", "completeDate": "2026-03-16T08:00:00.000Z"}`,
		`"` + class + `[id=7,rapidViewId=3,state=CLOSED,name=a,id=9,startDate=2026-03-02T09:00:00.000+01:00,endDate=<null>,completeDate=2026-03-16T09:00:00.000+01:00,sequence=7,goal=x,completeDate=2020-01-01T00:00:00.000Z]"`,
		`"` + class + `[completeDate=2026-03-16T08:00:00.000Z,endDate=<null>,goal=x,startDate=2020-01-01T00:00:00.000Z,id=7,name=a,id=9,rapidViewId=3,startDate=2026-03-02T08:00:00.000Z,state=CLOSED]"`,
	} {
		ev, err := NewDecoder(nil).Decode([]byte(`{"fields": {"customfield_1": [` + sprint + `]}}`))
		require.NoError(t, err)
		assert.Equal(t, []SprintRef{want}, ev.Issue.Sprints.List, sprint)
		field, _ := ev.Issue.SoftwareFields()
		assert.Equal(t, "customfield_1", field)
	}
}

func sprintField(t *testing.T, value string) any {
	t.Helper()
	ev, err := NewDecoder([]string{"customfield_1"}).Decode([]byte(`{"fields": {"customfield_1": ` + value + `}}`))
	require.NoError(t, err)
	return ev.Issue.CustomFields[0].Value
}

func TestDecodeDocuments(t *testing.T) {
	text := func(s string) string { return `{"type": "text", "text": "` + s + `"}` }
	node := func(kind, content string) string { return `{"type": "` + kind + `", "content": [` + content + `]}` }
	item := func(s string) string { return node("listItem", node("paragraph", text(s))) }
	for content, want := range map[string]string{
		``:                             "",
		node("paragraph", text("one")): "one",
		node("paragraph", text("one")) + "," + node("paragraph", text("two")):                                  "one\ntwo",
		node("heading", text("Head")) + "," + node("paragraph", text("a ")+","+text("b")):                      "Head\na b",
		node("bulletList", item("first")+","+item("second")):                                                   "first\nsecond",
		node("orderedList", item("first")+","+node("listItem", node("bulletList", item("inner")))):             "first\ninner",
		node("paragraph", text("hi ")+`,{"type": "mention", "attrs": {"id": "5b1", "text": "@Noor Haddad"}}`):  "hi @Noor Haddad",
		node("paragraph", `{"type": "emoji", "attrs": {"shortName": ":rocket:", "id": "1f680", "text": "🚀"}}`): "🚀",
		node("paragraph", text("see ")+`,{"type": "inlineCard", "attrs": {"url": "https://example.com/a"}}`):   "see https://example.com/a",
		node("paragraph", text("one")+`,{"type": "hardBreak"},`+text("two")):                                   "one\ntwo",
		node("codeBlock", text("a\\nb")): "a\nb",
		node("table", node("tableRow", node("tableHeader", text("a"))+","+node("tableHeader", text("b")))+","+
			node("tableRow", node("tableCell", text("1"))+","+node("tableCell", text("2")))): "a b \n1 2",
		`{"type": "unheard_of", "content": {"type": "text", "text": "kept"}}`: "kept",
		`null, 7, "loose"`: "",
	} {
		document := `{"version": 1, "content": [` + content + `], "type": "doc"}`
		ev := decode(t, `{"comment": {"body": `+document+`}, "issue": {"fields": {"description": `+document+`}}}`)
		assert.Equal(t, want, ev.Issue.Description, document)
		assert.Equal(t, want, ev.Comment.Body, document)
	}
}

// TestLongDocuments checks that the text of a document is cut at MaxText.
func TestLongDocuments(t *testing.T) {
	node := `{"type": "text", "text": "` + strings.Repeat("x", MaxText) + `"}, {"type": "paragraph"}`
	var doc document
	require.NoError(t, doc.decodeNode(newDecoding([]byte(`{"type": "doc", "content": [`+node+`, `+node+`]}`))))
	assert.Equal(t, MaxText, doc.text.Len())
}
