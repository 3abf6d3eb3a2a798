// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func system(id string, c jira.Change) jira.Change {
	c.Field, c.FieldID, c.FieldType = id, id, "jira"
	return c
}

func updated(id string, minutes int, items ...jira.Change) jira.History {
	return jira.History{Changelog: jira.Changelog{ID: id, Items: items}, Created: at(minutes)}
}

func all(in Input) []*jira.Event { return in.Events(time.Time{}, at(1_000_000)) }

func TestNoIssueHasNoEvents(t *testing.T) {
	assert.Empty(t, all(Input{Histories: []jira.History{updated("1", 1)}}))
}

// TestOrder sorts by time, and the histories of a millisecond by their numbers.
func TestOrder(t *testing.T) {
	in := Input{
		Issue:     &jira.Issue{ID: "1", Created: at(0)},
		Histories: []jira.History{updated("1000", 1), updated("999", 1), updated("8", 2), updated("7", 0)},
		Comments:  []jira.Comment{{Entity: jira.Entity{ID: "5"}, Revision: jira.Revision{Created: at(1), Updated: at(2)}}},
	}
	var order []string
	for _, ev := range all(in) {
		order = append(order, ev.Name+" "+ev.Changelog.ID+ev.Entity().ID)
	}
	assert.Equal(t, []string{
		"jira:issue_created ", "jira:issue_updated 7", "jira:issue_updated 999", "jira:issue_updated 1000",
		"comment_created 5", "jira:issue_updated 8", "comment_updated 5",
	}, order)
}

// TestChainWithGap has a history that was imported from another tracker: the transitions do not fit to each other.
func TestChainWithGap(t *testing.T) {
	in := Input{
		Issue: &jira.Issue{
			ID: "1", Created: at(0), Updated: at(9), CategorySince: at(4),
			Status: jira.Status{Named: jira.Named{ID: "5", Name: "Closed"}, Category: "done"},
		},
		Histories: []jira.History{
			updated("1", 2, system("status", jira.Change{From: "1", FromText: "Open", To: "2", ToText: "Busy"})),
			updated("2", 4, system("status", jira.Change{From: "3", FromText: "Review", To: "4", ToText: "Resolved"})),
			updated("3", 6, system("status", jira.Change{From: "4", FromText: "Resolved", To: "5", ToText: "Closed"})),
			updated("4", 8, system("status", jira.Change{From: "5", FromText: "Closed", To: "5", ToText: "Closed"})),
		},
	}
	var statuses []jira.Status
	for _, ev := range all(in) {
		statuses = append(statuses, ev.Issue.Status)
		assert.Equal(t, !ev.Timestamp.Before(at(4)), !ev.Issue.CategorySince.IsZero())
	}
	assert.Equal(t, []jira.Status{
		{Named: jira.Named{ID: "1", Name: "Open"}},
		{Named: jira.Named{ID: "2", Name: "Busy"}},
		{Named: jira.Named{ID: "4", Name: "Resolved"}, Category: "done"},
		{Named: jira.Named{ID: "5", Name: "Closed"}, Category: "done"},
		{Named: jira.Named{ID: "5", Name: "Closed"}, Category: "done"},
	}, statuses, "the category is known since the issue came into it")
}

// TestPeople distinguishes account ids, user keys and login names. A login name must never become an id, which records
// contain.
func TestPeople(t *testing.T) {
	for id, want := range map[string]jira.User{
		"557058:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b": {AccountID: "557058:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"},
		"5ecfbd0a47d31e0c2a15fd87":                    {AccountID: "5ecfbd0a47d31e0c2a15fd87"},
		"JIRAUSER10100":                               {Key: "JIRAUSER10100"},
		"kim":                                         {Key: "kim"},
		"":                                            {},
	} {
		in := Input{Issue: &jira.Issue{ID: "1"}, Histories: []jira.History{
			updated("1", 1), updated("2", 2, system("assignee", jira.Change{From: id, To: "x"})),
		}}
		events := all(in)
		assert.Equal(t, want, events[0].Issue.Assignee)
		assert.Empty(t, events[1].Issue.Assignee)
	}
	change := system("reporter", jira.Change{From: "kim", FromText: "Kim", FromAccountID: "5ecfbd0a47d31e0c2a15fd87"})
	events := all(Input{Issue: &jira.Issue{ID: "1"}, Histories: []jira.History{updated("1", 1), updated("2", 2, change)}})
	assert.Equal(t, jira.User{AccountID: "5ecfbd0a47d31e0c2a15fd87", DisplayName: "Kim"}, events[0].Issue.Reporter)
}

// TestValuesWithoutHistory are only in the events that are as new as the issue.
func TestValuesWithoutHistory(t *testing.T) {
	number := int64(7)
	isTrue := true
	issue := &jira.Issue{
		ID: "1", Created: at(0), Updated: at(5), Subtasks: jira.References{List: []jira.Reference{{ID: "2"}}},
		CustomFields: []jira.CustomField{
			{ID: "customfield_1", Value: "text"},
			{ID: "customfield_2", Service: &jira.SLA{ID: "3", Ongoing: jira.Cycle{
				Started: at(1), Elapsed: &number, Remaining: &number, Breached: &isTrue, Goal: &number,
			}}},
			{ID: "customfield_3", Value: "Incident", Service: &jira.Request{
				Type: jira.Named{ID: "4"}, Status: jira.RequestStatus{Name: "Waiting"},
			}},
			{ID: "customfield_4", Service: &jira.Approval{ID: "5"}},
		},
	}
	events := all(Input{Issue: issue, Histories: []jira.History{updated("1", 5)}})
	earlier, latest := events[0].Issue, events[1].Issue
	assert.Empty(t, earlier.Subtasks)
	assert.Equal(t, []jira.CustomField{
		{ID: "customfield_1", Value: "text"},
		{ID: "customfield_3", Value: "Incident", Service: &jira.Request{Type: jira.Named{ID: "4"}}},
	}, earlier.CustomFields)
	assert.Equal(t, issue.Subtasks, latest.Subtasks)
	assert.Len(t, latest.CustomFields, 4)
	assert.Equal(t, &jira.SLA{ID: "3", Ongoing: jira.Cycle{Started: at(1), Goal: &number}}, latest.CustomFields[1].Service)
	assert.Equal(t, &number, issue.CustomFields[1].Service.(*jira.SLA).Ongoing.Elapsed, "the input is unchanged")
}

// TestSprintStates follow from the times of the sprints.
func TestSprintStates(t *testing.T) {
	sprints := jira.SprintRefs{List: []jira.SprintRef{
		{ID: "7", State: jira.SprintClosed, Start: at(1), Completed: at(3)},
		{ID: "8", State: jira.SprintActive, Start: at(5)},
		{ID: "9", State: jira.SprintFuture, Start: at(2)},
	}}
	in := Input{
		Issue:     &jira.Issue{ID: "1", Created: at(0), Sprints: sprints},
		Histories: []jira.History{updated("1", 2), updated("2", 3), updated("3", 6)},
	}
	var states [][]string
	for _, ev := range all(in) {
		var of []string
		for _, s := range ev.Issue.Sprints.List {
			of = append(of, s.State)
		}
		states = append(states, of)
	}
	assert.Equal(t, [][]string{
		{"future", "future", "future"},
		{"active", "future", "future"},
		{"closed", "future", "future"},
		{"closed", "active", "future"},
	}, states)

	sprints.List[0].Completed = time.Time{}
	for _, ev := range all(in) {
		assert.Empty(t, ev.Issue.Sprints, "it is not known when the sprint was closed")
	}
}

// TestUnknownCustomField leaves out all custom fields before a change of one without an id.
func TestUnknownCustomField(t *testing.T) {
	issue := &jira.Issue{ID: "1", Created: at(0), CustomFields: []jira.CustomField{{ID: "customfield_1", Value: "text"}}}
	change := jira.Change{Field: "Rank", FieldType: "custom", ToText: "Ranked higher"}
	in := Input{Issue: issue, Histories: []jira.History{updated("1", 1, change)}, IsDataCenter: true}
	assert.Empty(t, all(in)[0].Issue.CustomFields)
	assert.Equal(t, issue.CustomFields, all(in)[1].Issue.CustomFields)
	in.FieldIDs = map[string][]string{"Rank": {"customfield_2"}}
	assert.Equal(t, issue.CustomFields, all(in)[0].Issue.CustomFields, "another field changed")
}

// TestFormerDate leaves out a date, whose text in the history is in another format than in the issue.
func TestFormerDate(t *testing.T) {
	change := jira.Change{
		Field: "Start", FieldID: "customfield_1", FieldType: "custom",
		From: "2026-03-01", FromText: "01/Mar/26", To: "2026-03-02",
	}
	custom := []jira.CustomField{{ID: "customfield_1", Value: "2026-03-02"}}
	issue := &jira.Issue{ID: "1", Created: at(0), CustomFields: custom}
	assert.Empty(t, all(Input{Issue: issue, Histories: []jira.History{updated("1", 1, change)}})[0].Issue.CustomFields)
}

// TestResolutionDate is unknown before a change of the resolution, and before the date itself.
func TestResolutionDate(t *testing.T) {
	change := system("resolution", jira.Change{From: "1", To: "2"})
	for resolved, want := range map[time.Time][]time.Time{
		at(1): {{}, {}, at(1)},
		at(5): {{}, {}, {}},
	} {
		in := Input{
			Issue:     &jira.Issue{ID: "1", Created: at(0), Resolved: resolved},
			Histories: []jira.History{updated("1", 2), updated("2", 4, change)},
		}
		var dates []time.Time
		for _, ev := range all(in) {
			dates = append(dates, ev.Issue.Resolved)
		}
		assert.Equal(t, want, dates)
	}
}

// TestRenamedVersion has a version with another name in the issue than in the history. The list before is unknown.
func TestRenamedVersion(t *testing.T) {
	in := Input{
		Issue: &jira.Issue{ID: "1", Created: at(0), FixVersions: jira.Names{List: []string{"2.0", "3.0"}}},
		Histories: []jira.History{
			updated("1", 1, system("fixVersions", jira.Change{From: "5", FromText: "1.0"})),
			updated("2", 2, system("fixVersions", jira.Change{To: "6", ToText: "2.0 beta"})),
		},
	}
	assert.Empty(t, all(in)[0].Issue.FixVersions)
	assert.Empty(t, all(in)[1].Issue.FixVersions)
	assert.Equal(t, in.Issue.FixVersions, all(in)[2].Issue.FixVersions)
}

// TestEpicLink is the parent on Jira Cloud, and a custom field on Data Center.
func TestEpicLink(t *testing.T) {
	change := jira.Change{
		Field: "Epic Link", FieldType: "custom", From: "10", FromText: "OPS-10", To: "11", ToText: "OPS-11",
	}
	in := Input{
		Issue:     &jira.Issue{ID: "1", Created: at(0), Parent: jira.Reference{ID: "11", Key: "OPS-11"}},
		Histories: []jira.History{updated("1", 1, change)},
	}
	assert.Equal(t, jira.Reference{ID: "10", Key: "OPS-10"}, all(in)[0].Issue.Parent)
	in.IsDataCenter = true
	assert.Equal(t, in.Issue.Parent, all(in)[0].Issue.Parent)
}

// TestCutHistory has a history with so many changes that the decoder dropped some.
func TestCutHistory(t *testing.T) {
	history := updated("1", 1, system("summary", jira.Change{FromText: "a", ToText: "b"}))
	history.IsCut = true
	in := Input{
		Issue: &jira.Issue{
			ID: "1", Key: "OPS-1", Created: at(0), Summary: "b", Reporter: jira.User{Key: "kim"},
			Labels: jira.Names{List: []string{"a"}},
		},
		Histories: []jira.History{history, updated("0", 1, system("fixVersions", jira.Change{FromText: "1.0"}))},
	}
	assert.Equal(t, &jira.Issue{ID: "1", Key: "OPS-1", Created: at(0), Updated: at(0)}, all(in)[0].Issue)
}

// TestEditedLater has a comment and a worklog whose first version nobody knows.
func TestEditedLater(t *testing.T) {
	kim, ada := jira.User{Key: "kim"}, jira.User{Key: "ada"}
	revision := jira.Revision{Created: at(1), Updated: at(2), Author: kim, UpdateAuthor: ada}
	first := jira.Revision{Created: at(1), Updated: at(1), Author: kim, UpdateAuthor: kim}
	in := Input{
		Issue: &jira.Issue{ID: "1", Summary: "s", Labels: jira.Names{List: []string{"a"}}},
		Comments: []jira.Comment{{
			Entity: jira.Entity{ID: "5"}, Revision: revision, Body: "b", Visibility: jira.Visibility{Type: "role"},
		}},
		Worklogs: []jira.Worklog{{
			Entity: jira.Entity{ID: "6"}, Revision: revision, IssueID: "1", Comment: "c", Started: at(0),
		}},
	}
	events := all(in)
	require.Len(t, events, 4)
	assert.Equal(t, &jira.Comment{Entity: jira.Entity{ID: "5"}, Revision: first}, events[0].Comment)
	assert.Equal(t, &jira.Worklog{Entity: jira.Entity{ID: "6"}, Revision: first, IssueID: "1"}, events[1].Worklog)
	assert.Equal(t, &in.Comments[0], events[2].Comment)
	assert.Equal(t, &in.Worklogs[0], events[3].Worklog)
	for _, ev := range events {
		assert.Equal(t, "s", ev.Issue.Summary)
		assert.Empty(t, ev.Issue.Labels, "comments have a few fields of the issue")
		assert.Zero(t, ev.User)
	}
}

// TestTransitionWithWorklog is an update of the issue on Data Center too.
func TestTransitionWithWorklog(t *testing.T) {
	work := jira.Change{Field: "WorklogId", FieldType: "jira", To: "5"}
	in := Input{Issue: &jira.Issue{ID: "1"}, IsDataCenter: true, Histories: []jira.History{
		updated("1", 1, work), updated("2", 2, work, system("status", jira.Change{From: "1", To: "2"})),
	}}
	assert.Equal(t, worklogLogged, all(in)[0].Name)
	assert.Equal(t, issueUpdated, all(in)[1].Name)
	in.IsDataCenter = false
	assert.Equal(t, issueUpdated, all(in)[0].Name)
}

// restIssue is an answer of the REST API, read without the decoder.
type restIssue struct {
	Fields struct {
		FixVersions []struct{ Name string }
		Comment     struct{ Comments []json.RawMessage }
		Worklog     struct{ Worklogs []json.RawMessage }
	}
	Changelog struct{ Histories []restHistory }
}

type restHistory struct {
	ID      string
	Created string
	Items   []struct {
		Field, FieldID, FieldType, From, FromString, To string
		Text                                            string `json:"toString"`
	}
}

// TestRealAnswers makes events of answers of real sites, and follows each field that changed through them.
func TestRealAnswers(t *testing.T) {
	folder := os.Getenv("JIRA_REST_BODIES")
	if folder == "" {
		t.Skip("JIRA_REST_BODIES is not set: answers of real sites are not tested")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*-issue-*.json"))
	require.NoError(t, err)
	followed := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		var rest restIssue
		require.NoError(t, json.Unmarshal(body, &rest))
		decoded, err := jira.NewDecoder(nil).Decode(body)
		require.NoError(t, err)
		if decoded.Issue == nil { // a page of a changelog
			continue
		}
		in := rest.input(t, decoded.Issue)
		events := all(in)
		assert.Len(t, events, 1+len(in.Histories)+len(in.Comments)+len(in.Worklogs), file)
		assert.Equal(t, issueCreated, events[0].Name)
		for i, ev := range events {
			for _, item := range ev.Changelog.Items {
				followed += follow(t, item, events[i-1].Issue, ev.Issue)
			}
		}
	}
	assert.Positive(t, followed)
	t.Logf("%d changes followed", followed)
}

func (rest restIssue) input(t *testing.T, issue *jira.Issue) Input {
	t.Helper()
	in := Input{Issue: issue}
	for _, h := range rest.Changelog.Histories {
		created, err := time.Parse("2006-01-02T15:04:05.000-0700", h.Created)
		require.NoError(t, err)
		history := jira.History{Changelog: jira.Changelog{ID: h.ID}, Created: created}
		for _, item := range h.Items {
			history.Items = append(history.Items, jira.Change{
				Field: item.Field, FieldID: item.FieldID, FieldType: item.FieldType,
				From: item.From, FromText: item.FromString, To: item.To, ToText: item.Text,
			})
		}
		in.Histories = append(in.Histories, history)
	}
	for _, comment := range rest.Fields.Comment.Comments {
		ev, err := jira.NewDecoder(nil).Decode([]byte(`{"comment": ` + string(comment) + `}`))
		require.NoError(t, err)
		in.Comments = append(in.Comments, *ev.Comment)
	}
	for _, worklog := range rest.Fields.Worklog.Worklogs {
		ev, err := jira.NewDecoder(nil).Decode([]byte(`{"worklog": ` + string(worklog) + `}`))
		require.NoError(t, err)
		in.Worklogs = append(in.Worklogs, *ev.Worklog)
	}
	return in
}

// follow checks a field before and after a change, and returns 1 if it knows the field. It compares only ids, because
// the names in histories and in issues may be in different languages.
func follow(t *testing.T, c jira.Change, before, after *jira.Issue) int {
	t.Helper()
	isFrom, isTo := "", ""
	switch c.Field {
	case "status":
		isFrom, isTo = before.Status.ID, after.Status.ID
	case "resolution":
		isFrom, isTo = before.Resolution.ID, after.Resolution.ID
	case "priority":
		isFrom, isTo = before.Priority.ID, after.Priority.ID
	case "issuetype":
		isFrom, isTo = before.Type.ID, after.Type.ID
	case "assignee":
		isFrom, isTo = before.Assignee.AccountID, after.Assignee.AccountID
	case "Parent":
		isFrom, isTo = before.Parent.ID, after.Parent.ID
	case "Fix Version":
		if slices.Contains(after.FixVersions.List, c.ToText) { // otherwise it was renamed
			assert.NotContains(t, before.FixVersions.List, c.ToText)
		}
		return 1
	case "Flagged":
		assert.Equal(t, c.FromText != "", before.IsFlagged)
		assert.Equal(t, c.ToText != "", after.IsFlagged)
		return 1
	default:
		return 0
	}
	assert.Equal(t, c.From, isFrom, c.Field)
	assert.Equal(t, c.To, isTo, c.Field)
	return 1
}
