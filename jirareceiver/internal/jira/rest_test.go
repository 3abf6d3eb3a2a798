// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// restVariable names the environment variable with the path of a folder with real answers. The repository does not
// contain them, because they contain names of people.
const restVariable = "JIRA_REST_BODIES"

func realAnswer(t *testing.T, name string) []byte {
	t.Helper()
	folder := os.Getenv(restVariable)
	if folder == "" {
		t.Skipf("%s is not set: real answers are not tested", restVariable)
	}
	content, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return content
}

const issueAnswer = `{"id": "10", "key": "A-1", "self": "https://a/rest/api/2/issue/10",
	"changelog": {"startAt": 0, "maxResults": 20, "total": 41, "histories": [
		{"id": 12, "created": "2026-03-06T10:00:00.500+0100", "author": {"accountId": "5b1"},
			"items": [{"field": "Fix Version", "to": "1"}, {"field": "Fix Version", "from": "1"}, null]},
		null, 7, {"items": [{}]}, {"id": "11", "author": null, "items": null}]},
	"fields": {"summary": "s", "updated": null, "comment": {"total": 1, "comments": [{"id": "5", "body": "b"}, null]},
		"worklog": {"total": 30, "worklogs": [{"id": "3", "issueId": "10"}, null]},
		"attachment": [{"id": "8", "filename": "f"}, null]}}`

func TestDecodeSnapshot(t *testing.T) {
	want := Snapshot{
		Issue: &Issue{ID: "10", Key: "A-1", Self: "https://a/rest/api/2/issue/10", Summary: "s"},
		Histories: []History{
			{
				Changelog: Changelog{ID: "12", Items: []Change{{Field: "Fix Version", To: "1"}, {Field: "Fix Version", From: "1"}}},
				Created:   time.Date(2026, 3, 6, 9, 0, 0, 500e6, time.UTC),
				Author:    User{AccountID: "5b1"},
			},
			{Changelog: Changelog{ID: "11"}},
		},
		Comments:     []Comment{{Entity: Entity{ID: "5"}, Body: "b"}},
		Worklogs:     []Worklog{{Entity: Entity{ID: "3"}, IssueID: "10"}},
		Attachments:  []Attachment{{Entity: Entity{ID: "8"}, Filename: "f"}},
		HistoryTotal: new(int64(38)), // 41 without three odd entries
		CommentTotal: new(int64(1)),
		WorklogTotal: new(int64(29)), // without an odd entry
	}
	for name, r := range map[string]io.Reader{
		"at once":             strings.NewReader(issueAnswer),
		"byte by byte":        iotest.OneByteReader(strings.NewReader(issueAnswer)),
		"with an order mark":  strings.NewReader("\xef\xbb\xbf" + issueAnswer),
		"with error after it": iotest.DataErrReader(strings.NewReader(issueAnswer)),
	} {
		got, err := NewDecoder(nil).DecodeSnapshot(r)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	got, err := NewDecoder(nil).DecodeSnapshots(strings.NewReader(`{"issues": [` + issueAnswer + `, null, {"key": "A-2"}], "total": 3}`))
	require.NoError(t, err)
	require.Len(t, got.Entries, 3, "odd issues count for the position of the next page")
	assert.Equal(t, want, got.Entries[0])
	assert.Equal(t, Snapshot{Issue: &Issue{}}, got.Entries[1])
	assert.Equal(t, int64(3), *got.Total)
}

// TestDecodeSnapshotTotals uses lists that are missing, and totals that are missing or too small.
func TestDecodeSnapshotTotals(t *testing.T) {
	for changelog, want := range map[string]*int64{
		`null`:                          nil,
		`[]`:                            nil,
		`{}`:                            nil,
		`{"total": 3}`:                  nil,
		`{"total": 3, "histories": {}}`: nil,
		`{"histories": []}`:             new(int64(0)),
		`{"histories": [{"id": "1"}]}`:  new(int64(1)),
		`{"histories": [{"id": "1"}], "total": 0}`: new(int64(1)),
		`{"histories": [], "total": "20"}`:         new(int64(20)),
	} {
		s, err := NewDecoder(nil).DecodeSnapshot(strings.NewReader(`{"id": 1, "changelog": ` + changelog + `}`))
		require.NoError(t, err, changelog)
		assert.Equal(t, want, s.HistoryTotal, changelog)
	}
}

// TestDecodeHistoriesInAllShapes uses both names of the list, and all forms of the time.
func TestDecodeHistoriesInAllShapes(t *testing.T) {
	want := []History{{Changelog: Changelog{ID: "9"}, Created: time.Date(2026, 9, 28, 7, 8, 57, 0, time.UTC)}}
	for _, body := range []string{
		`{"values": [{"id": "9", "created": "2026-09-28T00:08:57.000-0700"}], "isLast": true}`,
		`{"histories": [{"id": 9, "created": 1790579337}], "isLast": true}`,
	} {
		page, err := DecodeHistories(strings.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, Page[History]{Entries: want, IsLast: new(true)}, page)
	}
	for _, created := range []string{`1790579337000`, `1790579337`, `"2026-09-28T07:08:57Z"`} {
		body := `{"issueChangeLogs": [{"issueId": 10, "changeHistories": [{"id": "9", "created": ` + created + `}, null]}], "nextPageToken": "n"}`
		page, err := DecodeIssueHistories(strings.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, Page[IssueHistories]{Entries: []IssueHistories{{"10", want}}, NextPageToken: "n"}, page, created)
	}
}

func TestDecodeSmallAnswers(t *testing.T) {
	info, err := DecodeServerInfo(strings.NewReader(
		`{"baseUrl": "https://a", "deploymentType": "Server", "version": "10.3.1", "versionNumbers": [10, 3, "1"], "serverTime": "2026-03-06T10:00:00.000+0100"}`))
	require.NoError(t, err)
	assert.Equal(t, ServerInfo{"https://a", "Server", "10.3.1", []int64{10, 3, 1}, time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)}, info)

	user, err := DecodeUser(strings.NewReader(`{"accountId": "5b1", "groups": {}}`))
	require.NoError(t, err)
	assert.Equal(t, User{AccountID: "5b1"}, user)

	fields, err := DecodeFields(strings.NewReader(`[{"id": "summary", "name": "S"}, null, {"id": "customfield_1", "schema": {"custom": "a:b"}}]`))
	require.NoError(t, err)
	assert.Equal(t, []FieldInfo{{ID: "summary", Name: "S"}, {ID: "customfield_1", Type: "a:b"}}, fields)

	changes, err := DecodeWorklogChanges(strings.NewReader(`{"values": [{"worklogId": 103, "updatedTime": 1438013671562}], "until": 1438013693136, "lastPage": false}`))
	require.NoError(t, err)
	assert.Equal(t, []WorklogChange{{"103", time.UnixMilli(1438013671562).UTC()}}, changes.Entries)
	assert.Equal(t, time.UnixMilli(1438013693136).UTC(), changes.Until)
	assert.False(t, *changes.IsLast)

	messages, err := DecodeMessages(strings.NewReader(`{"errorMessages": ["a", 1], "errors": {"jql": "b"}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "1", "b"}, messages)
}

// TestDecodeAnswerErrors uses answers that must not be taken for an empty list.
func TestDecodeAnswerErrors(t *testing.T) {
	decoders := map[string]func(io.Reader) error{
		"snapshots":       func(r io.Reader) error { _, err := NewDecoder(nil).DecodeSnapshots(r); return err },
		"snapshot":        func(r io.Reader) error { _, err := NewDecoder(nil).DecodeSnapshot(r); return err },
		"histories":       func(r io.Reader) error { _, err := DecodeHistories(r); return err },
		"issue histories": func(r io.Reader) error { _, err := DecodeIssueHistories(r); return err },
		"comments":        func(r io.Reader) error { _, err := DecodeComments(r); return err },
		"worklogs":        func(r io.Reader) error { _, err := DecodeWorklogs(r); return err },
		"worklog changes": func(r io.Reader) error { _, err := DecodeWorklogChanges(r); return err },
	}
	for name, decode := range decoders {
		for body, want := range map[string]error{
			``:              ErrNotJSON,
			`<html></html>`: ErrNotJSON,
			`{"issues": [`:  ErrNotJSON,
			`{} {}`:         ErrNotJSON,
			`null`:          ErrNotObject,
			`[]`:            ErrNotObject,
			`{}`:            ErrNoList,
			`{"issues": {}, "values": null, "comments": "", "worklogs": 1, "total": 0}`: ErrNoList,
		} {
			assert.Equal(t, want, decode(strings.NewReader(body)), "%s: %s", name, body)
		}
	}
	_, err := DecodeFields(strings.NewReader(`{}`))
	assert.Equal(t, ErrNoList, err)
	_, err = DecodeComments(strings.NewReader(`{"comments": [` + strings.Repeat(`{},`, maxRows) + `{}]}`))
	assert.Equal(t, ErrTooLong, err)
	_, err = DecodeHistories(strings.NewReader(`{"values": [` + strings.TrimSuffix(strings.Repeat(
		`{"items": [`+strings.TrimSuffix(strings.Repeat(`{"to": 1},`, MaxEntries), ",")+`]},`, maxRows/MaxEntries), ",") + `]}`))
	assert.Equal(t, ErrTooLong, err, "changes count as entries")
}

func TestCompareHistories(t *testing.T) {
	at := func(id string, ms int64) History {
		return History{Changelog: Changelog{ID: id}, Created: time.UnixMilli(ms)}
	}
	sorted := []History{at("100", 1), at("9", 2), at("10", 2), at("a", 2), at("b", 2), at("1", 3)}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortFunc(got, CompareHistories)
	assert.Equal(t, sorted, got)
	assert.Positive(t, CompareHistories(at("10", 2), at("9", 2)), "ids are numbers")
}

// plainIssue is the independent reading of an issue by encoding/json.
type plainIssue struct {
	ID, Key   string
	Changelog plainPage
	Fields    struct {
		Summary string
		Updated string
		Comment struct {
			Total    int
			Comments []plainComment
		}
	}
}

type plainPage struct {
	Total             int
	Histories, Values []struct {
		ID      string
		Created string
		Author  struct{ AccountID, Name string }
		Items   []plainItem
	}
}

type plainItem struct {
	Field, FieldID, Fieldtype string
	From, FromString          *string
	To, ToString              *string
}

type plainComment struct{ ID, Body, Created, Updated string }

// TestRealIssues compares the decoder with encoding/json.
func TestRealIssues(t *testing.T) {
	for _, name := range []string{
		"01-cloud-issue-expand-changelog-many-statuses", "02-cloud-issue-workflow-after-updated-and-same-field-twice",
		"03-cloud-issue-worklogid-and-timespent-items", "04-dc-issue-expand-changelog-ascending", "10-cloud-issue-updated-without-history",
	} {
		t.Run(name, func(t *testing.T) {
			body := realAnswer(t, name+".json")
			var want plainIssue
			require.NoError(t, json.Unmarshal(body, &want))
			got, err := NewDecoder(nil).DecodeSnapshot(iotest.HalfReader(bytes.NewReader(body)))
			require.NoError(t, err)

			assert.Equal(t, want.ID, got.Issue.ID)
			assert.Equal(t, want.Key, got.Issue.Key)
			assert.Equal(t, want.Fields.Summary, got.Issue.Summary)
			assert.Equal(t, plainTime(t, want.Fields.Updated), got.Issue.Updated)
			assert.Equal(t, int64(want.Changelog.Total), *got.HistoryTotal)
			compareHistories(t, want.Changelog, got.Histories)
			assert.Equal(t, int64(want.Fields.Comment.Total), *got.CommentTotal)
			require.Len(t, got.Comments, len(want.Fields.Comment.Comments))
			for i, comment := range want.Fields.Comment.Comments {
				assert.Equal(t, comment.ID, got.Comments[i].ID)
				assert.Equal(t, comment.Body, got.Comments[i].Body)
				assert.Equal(t, plainTime(t, comment.Created), got.Comments[i].Created)
				assert.Equal(t, plainTime(t, comment.Updated), got.Comments[i].Updated)
			}
		})
	}
}

func TestRealChangelogPage(t *testing.T) {
	body := realAnswer(t, "05-cloud-v3-issue-changelog-page.json")
	var want plainPage
	require.NoError(t, json.Unmarshal(body, &want))
	got, err := DecodeHistories(bytes.NewReader(body))
	require.NoError(t, err)
	assert.Equal(t, int64(want.Total), *got.Total)
	compareHistories(t, want, got.Entries)
}

func TestRealWorklogs(t *testing.T) {
	body := realAnswer(t, "06-cloud-worklogs.json")
	var want struct {
		Worklogs []struct {
			ID, IssueID, Created, Updated, Started string
			TimeSpentSeconds                       int64
			Author                                 struct{ AccountID string }
		}
	}
	require.NoError(t, json.Unmarshal(body, &want))
	got, err := DecodeWorklogs(bytes.NewReader(body))
	require.NoError(t, err)
	require.Len(t, got.Entries, len(want.Worklogs))
	for i, worklog := range want.Worklogs {
		assert.Equal(t, worklog.ID, got.Entries[i].ID)
		assert.Equal(t, worklog.IssueID, got.Entries[i].IssueID)
		assert.Equal(t, worklog.TimeSpentSeconds, *got.Entries[i].TimeSpent)
		assert.Equal(t, worklog.Author.AccountID, got.Entries[i].Author.AccountID)
		assert.Equal(t, plainTime(t, worklog.Created), got.Entries[i].Created)
		assert.Equal(t, plainTime(t, worklog.Updated), got.Entries[i].Updated)
		assert.Equal(t, plainTime(t, worklog.Started), got.Entries[i].Started)
	}
}

func compareHistories(t *testing.T, want plainPage, got []History) {
	t.Helper()
	histories := slices.Concat(want.Histories, want.Values)
	require.Len(t, got, len(histories))
	text := func(s *string) string { return *cmp.Or(s, new("")) }
	for i, history := range histories {
		assert.Equal(t, history.ID, got[i].ID)
		assert.Equal(t, plainTime(t, history.Created), got[i].Created)
		assert.Equal(t, history.Author.AccountID, got[i].Author.AccountID)
		assert.Equal(t, history.Author.Name, got[i].Author.Name)
		items := got[i].Items
		for n := range items { // plainItem does not read these members
			items[n].OfUser, items[n].FromAccountID, items[n].ToAccountID = false, "", ""
		}
		var changes []Change
		for _, item := range history.Items {
			changes = append(changes, Change{
				Field: item.Field, FieldID: item.FieldID, FieldType: item.Fieldtype, From: text(item.From),
				FromText: text(item.FromString), To: text(item.To), ToText: text(item.ToString),
			})
		}
		assert.Equal(t, changes, items, history.ID)
	}
}

func plainTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000-0700", s)
	require.NoError(t, err)
	return at.UTC()
}

// FuzzDecodeAnswers reads an input as each kind of answer. A decoder accepts only JSON, gives the same result for a
// stream in small pieces, and finds as many histories as encoding/json.
func FuzzDecodeAnswers(f *testing.F) {
	for _, seed := range []string{
		issueAnswer, `{"issues": [` + issueAnswer + `]}`, `{"values": [{"id": "1", "created": 1790584137824}]}`,
		`{"issueChangeLogs": [{"issueId": "1", "changeHistories": [{"id": 1}]}]}`, `{"comments": [{"id": 1}], "total": 1e3}`,
		`{"worklogs": [{"id": 1, "timeSpentSeconds": 60}]}`, `[{"id": 1}]`, `{"versionNumbers": [1]}`, `{"errors": {"a": "b"}}`,
	} {
		f.Add([]byte(seed))
	}
	testbodies.AddTo(f)
	dec := NewDecoder([]string{"customfield_10016"})
	decoders := map[string]func(io.Reader) (any, error){
		"snapshots":       func(r io.Reader) (any, error) { return dec.DecodeSnapshots(r) },
		"snapshot":        func(r io.Reader) (any, error) { return dec.DecodeSnapshot(r) },
		"histories":       func(r io.Reader) (any, error) { return DecodeHistories(r) },
		"issue histories": func(r io.Reader) (any, error) { return DecodeIssueHistories(r) },
		"comments":        func(r io.Reader) (any, error) { return DecodeComments(r) },
		"worklogs":        func(r io.Reader) (any, error) { return DecodeWorklogs(r) },
		"worklog changes": func(r io.Reader) (any, error) { return DecodeWorklogChanges(r) },
		"fields":          func(r io.Reader) (any, error) { return DecodeFields(r) },
		"server info":     func(r io.Reader) (any, error) { return DecodeServerInfo(r) },
		"user":            func(r io.Reader) (any, error) { return DecodeUser(r) },
		"messages":        func(r io.Reader) (any, error) { return DecodeMessages(r) },
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		isJSON := json.Valid(trimMark(body))
		for name, decode := range decoders {
			got, err := decode(bytes.NewReader(body))
			if err == nil && !isJSON {
				t.Fatalf("%s: accepts input that is not JSON", name)
			}
			if isJSON && err == ErrNotJSON { //nolint:errorlint // decoders return the error itself
				t.Fatalf("%s: takes JSON for something else", name)
			}
			inPieces, errInPieces := decode(iotest.OneByteReader(bytes.NewReader(body)))
			if err != errInPieces || err == nil && !assert.ObjectsAreEqual(got, inPieces) { //nolint:errorlint // as above
				t.Fatalf("%s: %v and %v in pieces", name, err, errInPieces)
			}
		}
		var plain struct{ Values []json.RawMessage }
		page, err := DecodeHistories(bytes.NewReader(body))
		if err == nil && json.Unmarshal(trimMark(body), &plain) == nil && len(plain.Values) > 0 && !bytes.Contains(body, []byte(`istories"`)) &&
			bytes.Count(body, []byte("alues\"")) == 1 && len(page.Entries) != len(plain.Values) {
			t.Fatalf("%d histories, encoding/json: %d", len(page.Entries), len(plain.Values))
		}
	})
}
