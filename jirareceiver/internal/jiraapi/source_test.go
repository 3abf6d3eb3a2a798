// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

var all = Contents{Changelog: true, Comments: true}

func TestQuery(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 123456789, time.FixedZone("", 3*3600))
	for _, tt := range []struct {
		query Query
		want  string
	}{
		{Query{}, `updated >= 1 ORDER BY created ASC, key ASC`},
		{Query{Since: at}, `updated >= 1795597200123 ORDER BY created ASC, key ASC`},
		{
			Query{Since: at, CreatedFrom: at.Add(-time.Second), Projects: []string{"A", `B"\`}, JQL: "type = Bug OR labels = x\n"},
			`updated >= 1795597200123 AND created >= 1795597199123 AND project in ("A", "B\"\\") AND (type = Bug OR labels = x) ORDER BY created ASC, key ASC`,
		},
	} {
		assert.Equal(t, tt.want, tt.query.jql())
		assert.NotRegexp(t, `<|\d{4}-\d\d`, tt.want, "no upper bound, and no date in the zone of the account")
	}
}

func TestServerInfo(t *testing.T) {
	date := time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC)
	for body, want := range map[string]ServerInfo{
		`{"deploymentType": "Cloud", "baseUrl": "https://a", "version": "1001.0.0", "versionNumbers": [1001, 0, 0], "serverTime": "2026-11-25T12:00:00.250+0200"}`: {
			Cloud, "1001.0.0", []int64{1001, 0, 0}, "https://a", time.Date(2026, 11, 25, 10, 0, 0, 250e6, time.UTC),
		},
		`{"deploymentType": "Server", "baseUrl": "https://a/jira"}`: {DataCenter, "", nil, "https://a/jira", date},
		`{"baseUrl": "https://a"}`:                                  {DataCenter, "", nil, "https://a", date},
		`{"name": "another product"}`:                               {},
	} {
		s := newSite(t, map[string]http.HandlerFunc{"/rest/api/2/serverInfo": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", date.Format(http.TimeFormat))
			writeJSON(w, 200, body)
		}})
		info, err := s.client(t, nil).ServerInfo(t.Context())
		assert.Equal(t, want, info)
		if want.BaseURL == "" {
			assert.Equal(t, KindUnexpected, KindOf(err))
		}
	}
}

func TestSoftwareFields(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"/rest/api/2/field": answer(`[{"id": "summary"},
		{"id": "customfield_1", "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
		{"id": "customfield_2", "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"}},
		{"id": "customfield_3", "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:textfield"}}]`)})
	fields, err := s.client(t, nil).Fields(t.Context())
	ids := SoftwareFields(fields)
	require.NoError(t, err)
	assert.Equal(t, []string{"customfield_1", "customfield_2"}, ids)
}

// TestCheckBounds uses sites that respect the bound of a search and that ignore it, and checks the bound.
func TestCheckBounds(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		for body, want := range map[string]Kind{`{"issues": []}`: "", `{"issues": [{"id": "1"}]}`: KindUnexpected, `{}`: KindUnexpected} {
			s := newSite(t, map[string]http.HandlerFunc{"POST /rest/api/2/": func(w http.ResponseWriter, r *http.Request) {
				assert.Contains(t, decodeBody[map[string]any](t, r)["jql"], "updated >= "+millis(start.Add(24*time.Hour)))
				writeJSON(w, 200, body)
			}})
			err := s.client(t, nil).Source(deployment, all).CheckBounds(t.Context(), start)
			assert.Equal(t, want, KindOf(err), body)
		}
	}
}

// TestEmptyResult checks that an empty result is believed only if the credentials are valid.
func TestEmptyResult(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		for code, want := range map[int]Kind{200: "", 401: KindUnauthorized} {
			s := newSite(t, map[string]http.HandlerFunc{
				"POST /rest/api/2/":      answer(`{"issues": [], "total": 0}`),
				"GET /rest/api/2/myself": status(code, `{"name": "n"}`),
			})
			issues, err := collect(s.client(t, nil).Source(deployment, all).Changed(t.Context(), Query{Since: start}))
			assert.Equal(t, want, KindOf(err))
			assert.Empty(t, issues)
			assert.Len(t, s.requests(), 2)
		}
	}
}

func ids(issues []Issue) (list []string) {
	for _, issue := range issues {
		list = append(list, issue.Issue.ID)
	}
	return list
}

func numbers(first, last int) (list []string) {
	for n := first; n <= last; n++ {
		list = append(list, strconv.Itoa(n))
	}
	return list
}

// TestCloudChanged reads two pages of ids, and the issues in chunks of 100, of which Jira returns no order and not all.
func TestCloudChanged(t *testing.T) {
	var jqls []string
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/search/jql": func(w http.ResponseWriter, r *http.Request) {
			body := decodeBody[struct {
				JQL           string
				Fields        []string
				MaxResults    int
				NextPageToken *string
			}](t, r)
			jqls = append(jqls, body.JQL)
			assert.Equal(t, 5000, body.MaxResults)
			assert.Equal(t, []string{"id"}, body.Fields)
			if body.NextPageToken == nil {
				writeJSON(w, 200, `{"issues": `+rows(numbers(1, 150))+`, "nextPageToken": "two", "isLast": false}`)
				return
			}
			assert.Equal(t, "two", *body.NextPageToken)
			writeJSON(w, 200, `{"issues": `+rows(numbers(150, 220))+`, "isLast": true}`)
		},
		"POST /rest/api/2/issue/bulkfetch": func(w http.ResponseWriter, r *http.Request) {
			body := decodeBody[struct {
				IDs            []string `json:"issueIdsOrKeys"`
				Fields, Expand []string
			}](t, r)
			assert.LessOrEqual(t, len(body.IDs), 100)
			assert.Equal(t, []string{"changelog"}, body.Expand)
			assert.Subset(t, body.Fields, []string{"status", "comment", "attachment", "customfield_7"})
			slices.Reverse(body.IDs)
			found := slices.DeleteFunc(body.IDs, func(id string) bool { return id == "42" })
			writeJSON(w, 200, `{"issues": `+rows(found)+`, "issueErrors": []}`)
		},
	})
	var total int
	query := Query{Since: start, OnTotal: func(n int) { total = n }}
	contents := all
	contents.Fields = []string{"customfield_7"}
	issues, err := collect(s.client(t, nil).Source(Cloud, contents).Changed(t.Context(), query))
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 220), ids(issues), "each issue once, in the order of the search")
	assert.Equal(t, 220, total)
	for _, issue := range issues {
		assert.Equal(t, issue.Issue.ID == "42", issue.IsMissing)
		assert.False(t, issue.IsIncomplete)
	}
	assert.Len(t, s.requests(), 5)
	assert.Equal(t, []string{jqls[0], jqls[0]}, jqls, "a token belongs to its JQL")
}

// rows returns issues with complete lists.
func rows(ids []string) string {
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		list = append(list, `{"id": "`+id+`", "changelog": {"total": 0, "histories": []}, "fields": {"comment": {"total": 0, "comments": []}}}`)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// TestCloudTokens uses answers after which a client may loop for ever, or take a part for the whole.
func TestCloudTokens(t *testing.T) {
	for name, tt := range map[string]struct {
		pages []string
		want  Kind
	}{
		"no token":                {[]string{`{"issues": []}`}, ""},
		"null token":              {[]string{`{"issues": [], "nextPageToken": null}`}, ""},
		"token on the last page":  {[]string{`{"issues": [], "nextPageToken": "a", "isLast": true}`}, ""},
		"no page after an empty":  {[]string{`{"issues": [], "nextPageToken": "a"}`, `{"issues": []}`}, ""},
		"not the last, no token":  {[]string{`{"issues": [], "isLast": false}`}, KindUnexpected},
		"same token":              {[]string{`{"issues": [], "nextPageToken": "a"}`, `{"issues": [], "nextPageToken": "a"}`}, KindUnexpected},
		"token of an older page":  {[]string{`{"issues": [], "nextPageToken": "a"}`, `{"issues": [], "nextPageToken": "b"}`, `{"issues": [], "nextPageToken": "a"}`}, KindUnexpected},
		"no list":                 {[]string{`{"isLast": true}`}, KindUnexpected},
		"no list on another page": {[]string{`{"issues": [], "nextPageToken": "a"}`, `{"isLast": true}`}, KindUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			s := newSite(t, map[string]http.HandlerFunc{
				"POST /rest/api/2/search/jql": func(w http.ResponseWriter, _ *http.Request) {
					n++
					writeJSON(w, 200, tt.pages[min(n, len(tt.pages))-1])
				},
				"GET /rest/api/2/myself": answer(`{"accountId": "5b1"}`),
			})
			_, err := collect(s.client(t, nil).Source(Cloud, all).Changed(t.Context(), Query{Since: start}))
			assert.Equal(t, tt.want, KindOf(err), err)
			assert.Equal(t, len(tt.pages), n)
		})
	}
}

// TestErrorsEndIterators checks that no iterator takes an error of a later page for the end.
func TestErrorsEndIterators(t *testing.T) {
	for code, want := range map[int]Kind{400: KindBadRequest, 401: KindUnauthorized, 403: KindForbidden, 410: KindGone, 500: KindTemporary} {
		s := newSite(t, map[string]http.HandlerFunc{
			"POST /rest/api/2/search/jql": func(w http.ResponseWriter, r *http.Request) {
				if decodeBody[map[string]any](t, r)["nextPageToken"] == nil {
					writeJSON(w, 200, `{"issues": [{"id": "1"}], "nextPageToken": "two"}`)
					return
				}
				writeJSON(w, code, `{}`)
			},
			"POST /rest/api/2/search": func(w http.ResponseWriter, r *http.Request) {
				if decodeBody[searchBody](t, r).StartAt == 0 {
					writeJSON(w, 200, `{"issues": `+rows(numbers(1, 50))+`, "total": 60}`)
					return
				}
				writeJSON(w, code, `{}`)
			},
			"POST /rest/api/2/issue/bulkfetch": status(code, `{}`),
			"GET /rest/api/2/issue/1/comment":  status(code, `{}`),
			"GET /rest/api/2/worklog/deleted":  status(code, `{}`),
		})
		c := s.client(t, nil)
		issues, err := collect(c.Source(Cloud, all).Changed(t.Context(), Query{}))
		assert.Equal(t, want, KindOf(err), code)
		assert.Empty(t, issues, "no issue is returned before all ids are known")
		issues, err = collect(c.Source(DataCenter, all).Changed(t.Context(), Query{}))
		assert.Equal(t, want, KindOf(err), code)
		assert.Len(t, issues, 50)
		_, err = collect(c.cloud(all).issues(t.Context(), []string{"1"}, start))
		assert.Equal(t, want, KindOf(err), code)
		_, err = collect(c.Comments(t.Context(), "1"))
		assert.Equal(t, want, KindOf(err), code)
		_, err = collect(c.WorklogsDeleted(t.Context(), start))
		assert.Equal(t, want, KindOf(err), code)
	}
}

// cloud returns the source for Jira Cloud.
func (c *Client) cloud(contents Contents) cloud { return c.Source(Cloud, contents).(cloud) }

// TestIteratorsStop checks that an iterator sends no request after its caller has stopped.
func TestIteratorsStop(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/search":         answer(`{"issues": ` + rows(numbers(1, 50)) + `, "total": 60}`),
		"GET /rest/api/2/issue/1/comment": answer(`{"comments": [{"id": 1}, {"id": 2}], "total": 60}`),
		"GET /rest/api/2/worklog/deleted": answer(`{"values": [{"worklogId": 1, "updatedTime": 1}], "until": 1, "lastPage": false}`),
	})
	c := s.client(t, nil)
	source := c.Source(DataCenter, all)
	for range source.Changed(t.Context(), Query{}) {
		break
	}
	for range c.Comments(t.Context(), "1") {
		break
	}
	for range source.WorklogsDeleted(t.Context(), start) {
		break
	}
	assert.Len(t, s.requests(), 3)
}

// history returns a history at a time in seconds after start.
func history(id, second int) string {
	return fmt.Sprintf(`{"id": "%d", "created": %d, "items": [{"field": "a"}, {"field": "a"}]}`, id, start.Add(time.Duration(second)*time.Second).UnixMilli())
}

func histories(first, last int) string {
	list := []string{}
	for n := first; n <= last; n++ {
		list = append(list, history(n, n))
	}
	if first > last {
		for n := first; n >= last; n-- {
			list = append(list, history(n, n))
		}
	}
	return strings.Join(list, ",")
}

func historyIDs(issue Issue) (list []string) {
	for _, h := range issue.Histories {
		list = append(list, h.ID)
	}
	return list
}

// TestCloudHistories uses issues whose changelog in the answer is whole, cut or missing.
func TestCloudHistories(t *testing.T) {
	none := time.Time{}
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	for name, tt := range map[string]struct {
		changelog  string
		pages      int // number of histories of issue/1/changelog
		since      time.Time
		want       []string
		incomplete bool
		requests   int
	}{
		"whole":                      {`{"total": 3, "histories": [` + histories(3, 1) + `]}`, 3, none, numbers(1, 3), false, 1},
		"none":                       {`{"total": 0, "histories": []}`, 0, none, nil, false, 1},
		"cut, all wanted":            {`{"total": 250, "histories": [` + histories(250, 231) + `]}`, 250, none, numbers(1, 250), false, 4},
		"cut, newer wanted":          {`{"total": 250, "histories": [` + histories(250, 231) + `]}`, 250, second(240), numbers(231, 250), false, 1},
		"cut, older wanted":          {`{"total": 250, "histories": [` + histories(250, 231) + `]}`, 250, second(180), numbers(151, 250), false, 2},
		"cut, oldest first":          {`{"total": 250, "histories": [` + histories(1, 20) + `]}`, 250, second(240), slices.Concat(numbers(1, 20), numbers(151, 250)), false, 2},
		"the page is empty":          {`{"total": 30, "histories": [` + histories(30, 11) + `]}`, 0, none, numbers(11, 30), true, 2},
		"the page has fewer":         {`{"total": 30, "histories": [` + histories(30, 11) + `]}`, 12, none, slices.Concat(numbers(1, 30)), false, 2},
		"the page lacks some":        {`{"total": 30, "histories": [` + histories(30, 21) + `]}`, 12, none, slices.Concat(numbers(1, 12), numbers(21, 30)), true, 2},
		"deleted meanwhile":          {`{"total": 30, "histories": [` + histories(30, 11) + `]}`, -1, none, numbers(11, 30), true, 2},
		"expand does not work":       {`null`, 0, none, []string{"7", "8"}, false, 2},
		"expand has another meaning": {`{"total": 3}`, 0, none, []string{"7", "8"}, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, map[string]http.HandlerFunc{
				"POST /rest/api/2/issue/bulkfetch": answer(`{"issues": [{"id": "1", "changelog": ` + tt.changelog + `}]}`),
				"GET /rest/api/2/issue/1/changelog": func(w http.ResponseWriter, r *http.Request) {
					if tt.pages < 0 {
						writeJSON(w, 404, `{}`)
						return
					}
					from, _ := strconv.Atoi(r.FormValue("startAt"))
					list := ""
					if last := min(from+100, tt.pages); last > from {
						list = histories(from+1, last)
					}
					writeJSON(w, 200, fmt.Sprintf(`{"values": [%s], "total": %d}`, list, tt.pages))
				},
				"POST /rest/api/2/changelog/bulkfetch": func(w http.ResponseWriter, r *http.Request) {
					body := decodeBody[map[string]any](t, r)
					assert.Equal(t, []any{"1"}, body["issueIdsOrKeys"])
					writeJSON(w, 200, `{"issueChangeLogs": [{"issueId": "1", "changeHistories": [`+history(8, 8)+`]},
						{"issueId": 1, "changeHistories": [`+history(7, 7)+`]}, {"issueId": "2", "changeHistories": [`+history(9, 9)+`]}]}`)
				},
			})
			issues, err := collect(s.client(t, nil).cloud(Contents{Changelog: true}).issues(t.Context(), []string{"1"}, tt.since))
			require.NoError(t, err)
			require.Len(t, issues, 1)
			assert.Equal(t, tt.want, historyIDs(issues[0]))
			assert.Equal(t, tt.incomplete, issues[0].IsIncomplete)
			assert.Len(t, s.requests(), tt.requests)
			for _, h := range issues[0].Histories {
				assert.Len(t, h.Items, 2, "equal fields of a history are two changes")
			}
		})
	}
}

// TestLists uses lists that the issue contains, and lists of several pages.
func TestLists(t *testing.T) {
	entries := numbers(1, 230)
	for list, contents := range map[string]Contents{"comment": {Comments: true}, "worklog": {Worklogs: true}} {
		page := func(w http.ResponseWriter, r *http.Request) {
			from, _ := strconv.Atoi(r.FormValue("startAt"))
			rows := []string{}
			for _, id := range entries[min(from, len(entries)):min(from+100, len(entries))] {
				rows = append(rows, `{"id": "`+id+`"}`)
			}
			writeJSON(w, 200, fmt.Sprintf(`{"%ss": [%s], "total": %d}`, list, strings.Join(rows, ","), len(entries)))
		}
		for field, want := range map[string]int{
			`{"%ss": [{"id": "1"}], "total": 1}`:   1,
			`{"%ss": [{"id": "1"}], "total": 230}`: 230,
			`{"%ss": [], "total": 230}`:            230,
			`{"%s": 1}`:                            230,
		} {
			for _, deployment := range []Deployment{Cloud, DataCenter} {
				issue := `{"id": "1", "fields": {"` + list + `": ` + fmt.Sprintf(field, list) + `}}`
				s := newSite(t, map[string]http.HandlerFunc{
					"POST /rest/api/2/search/jql":      answer(`{"issues": [{"id": "1"}], "isLast": true}`),
					"POST /rest/api/2/issue/bulkfetch": answer(`{"issues": [` + issue + `]}`),
					"POST /rest/api/2/search":          answer(`{"issues": [` + issue + `], "total": 1}`),
					"GET /rest/api/2/issue/1/" + list:  page,
				})
				issues, err := collect(s.client(t, nil).Source(deployment, contents).Changed(t.Context(), Query{}))
				require.NoError(t, err)
				assert.Equal(t, numbers(1, want), listIDs(issues[0]), field)
				assert.False(t, issues[0].IsIncomplete)
				unread, err := collect(s.client(t, nil).Source(deployment, Contents{}).Changed(t.Context(), Query{}))
				require.NoError(t, err)
				assert.False(t, unread[0].IsIncomplete)
			}
		}
	}
}

// listIDs returns the ids of the comments and worklogs of an issue.
func listIDs(issue Issue) (ids []string) {
	for _, comment := range issue.Comments {
		ids = append(ids, comment.ID)
	}
	for _, worklog := range issue.Worklogs {
		ids = append(ids, worklog.ID)
	}
	return ids
}

// TestThreadVanishes checks that an issue that is deleted while its thread is read does not stop the others.
func TestThreadVanishes(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/issue/bulkfetch": answer(`{"issues": [{"id": "1", "changelog": {"histories": []}}]}`),
	})
	issues, err := collect(s.client(t, nil).cloud(all).issues(t.Context(), []string{"1"}, time.Time{}))
	require.NoError(t, err)
	assert.True(t, issues[0].IsIncomplete)
}

// TestOffsetPages uses lists that change while they are read, and answers after which a client may loop or stop too
// early.
func TestOffsetPages(t *testing.T) {
	for name, tt := range map[string]struct {
		pages []string // list and total
		want  []string
		kind  Kind
	}{
		"two pages":         {[]string{`{"comments": [{"id": 1}, {"id": 2}], "total": 3}`, `{"comments": [{"id": 2}, {"id": 3}], "total": 3}`}, numbers(1, 3), ""},
		"odd entries":       {[]string{`{"comments": [{"id": 1}, null], "total": 3}`, `{"comments": [null, {"id": 3}], "total": 3}`}, []string{"1", "3"}, ""},
		"without a total":   {[]string{`{"comments": [{"id": 1}, {"id": 2}]}`, `{"comments": [{"id": 2}]}`}, numbers(1, 2), ""},
		"one, no total":     {[]string{`{"comments": [{"id": 1}]}`}, numbers(1, 1), ""},
		"more than a page":  {[]string{`{"comments": [{"id": 1}, {"id": 2}, {"id": 3}], "total": 3, "maxResults": 1}`}, numbers(1, 3), ""},
		"ends too early":    {[]string{`{"comments": [{"id": 1}, {"id": 2}], "total": 3}`, `{"comments": [{"id": 2}], "total": 3}`}, numbers(1, 2), KindUnexpected},
		"empty, with total": {[]string{`{"comments": [], "total": 3}`}, nil, KindUnexpected},
		"one of a page":     {[]string{`{"comments": [{"id": 1}], "total": 3}`}, numbers(1, 1), KindUnexpected},
		"an entry vanishes": {[]string{
			`{"comments": [{"id": 1}, {"id": 2}], "total": 4}`, `{"comments": [{"id": 3}, {"id": 4}], "total": 3}`,
			`{"comments": [{"id": 2}, {"id": 3}], "total": 3}`, `{"comments": [{"id": 3}, {"id": 4}], "total": 3}`,
		}, numbers(1, 4), ""},
		"startAt is ignored": {[]string{`{"comments": [{"id": 1}, {"id": 2}], "total": 4}`}, numbers(1, 2), KindUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			s := newSite(t, map[string]http.HandlerFunc{"GET /rest/api/2/issue/1/comment": func(w http.ResponseWriter, _ *http.Request) {
				n++
				writeJSON(w, 200, tt.pages[min(n, len(tt.pages))-1])
			}})
			comments, err := collect(s.client(t, nil).Comments(t.Context(), "1"))
			assert.Equal(t, tt.kind, KindOf(err), err)
			var got []string
			for _, comment := range comments {
				got = append(got, comment.ID)
			}
			assert.Equal(t, tt.want, got)
			assert.Less(t, n, 10)
		})
	}
}

func TestWorklogsOfIssue(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{"GET /rest/api/2/issue/a%2Fb/worklog": answer(`{"worklogs": [{"id": 1}, {"id": 2}], "total": 2}`)})
	worklogs, err := collect(s.client(t, nil).Worklogs(t.Context(), "a/b"))
	require.NoError(t, err)
	assert.Len(t, worklogs, 2)
}

// TestWorklogFeeds uses pages that share a worklog, an odd entry, and a link to another host.
func TestWorklogFeeds(t *testing.T) {
	feed := func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("since") {
		case "1000":
			writeJSON(w, 200, `{"values": [{"worklogId": 1, "updatedTime": 1500000000000}, null, {"worklogId": 2, "updatedTime": 1500000000001}],
				"until": 1500000000001, "nextPage": "http://other.example.com/", "lastPage": false}`)
		case "1500000000001":
			writeJSON(w, 200, `{"values": [{"worklogId": 2, "updatedTime": 1500000000001}, {"worklogId": 3, "updatedTime": 1500000000002},
				{"worklogId": 1, "updatedTime": 1500000000003}, {"worklogId": "x"}], "until": 1500000000003, "lastPage": true}`)
		default:
			t.Error(r.URL)
		}
	}
	s := newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/worklog/deleted": feed,
	})
	deleted, err := collect(s.client(t, nil).WorklogsDeleted(t.Context(), time.UnixMilli(1000)))
	require.NoError(t, err)
	assert.Len(t, deleted, 5)
	assert.Equal(t, jira.WorklogChange{ID: "2", Time: time.UnixMilli(1500000000001).UTC()}, deleted[1])

	stuck := newSite(t, map[string]http.HandlerFunc{"/": answer(`{"values": [], "until": 1500000000000, "lastPage": false}`)})
	_, err = collect(stuck.client(t, nil).WorklogsDeleted(t.Context(), start))
	assert.Equal(t, KindUnexpected, KindOf(err))
	assert.Len(t, stuck.requests(), 1)
}

// TestTooLargeChunk checks that an issue that is too large does not stop the others.
func TestTooLargeChunk(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/issue/bulkfetch": func(w http.ResponseWriter, r *http.Request) {
			body := decodeBody[struct {
				IDs            []string `json:"issueIdsOrKeys"`
				Fields, Expand []string
			}](t, r)
			if body.Expand != nil && slices.Contains(body.IDs, "3") {
				writeJSON(w, 200, `{"issues": `+rows(body.IDs)+strings.Repeat(" ", 2000)+`}`)
				return
			}
			assert.Equal(t, body.Expand == nil, !slices.Contains(body.Fields, "comment"))
			list := rows(body.IDs)
			if body.Expand == nil {
				list = `[{"id": "3"}]`
			}
			writeJSON(w, 200, `{"issues": `+list+`}`)
		},
		"POST /rest/api/2/changelog/bulkfetch": answer(`{"issueChangeLogs": [{"issueId": "3", "changeHistories": [` + history(1, 1) + `]}]}`),
		"GET /rest/api/2/issue/3/comment":      answer(`{"comments": [{"id": 9}], "total": 1}`),
	})
	c := s.client(t, func(o *Options) { o.MaxBody = 1500 })
	issues, err := collect(c.cloud(all).issues(t.Context(), numbers(1, 6), time.Time{}))
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 6), ids(issues))
	assert.False(t, slices.ContainsFunc(issues, func(i Issue) bool { return i.IsMissing || i.IsIncomplete }))
	assert.Equal(t, []string{"1"}, historyIDs(issues[2]))
	assert.Len(t, issues[2].Comments, 1)
}

// dataCenterSite is the search of a Data Center with issues whose ids are numbers and whose times of creation are
// seconds after start.
type dataCenterSite struct {
	*site
	created map[int]int // second of creation by id
	change  func(request int)
	sorted  []int // ids in the order of the search
	bounds  []string
	largest int
}

var createdBound = regexp.MustCompile(`created >= (\d+)`)

func newDataCenter(t *testing.T, created map[int]int, change func(int)) *dataCenterSite {
	t.Helper()
	dc := &dataCenterSite{created: created, change: change}
	dc.site = newSite(t, map[string]http.HandlerFunc{
		"GET /rest/api/2/myself": answer(`{"name": "n"}`),
		"POST /rest/api/2/search": func(w http.ResponseWriter, r *http.Request) {
			body := decodeBody[searchBody](t, r)
			if dc.change != nil {
				dc.change(len(dc.requests()))
			}
			assert.LessOrEqual(t, body.StartAt, 10_000, "Jira finds nothing beyond 10,000")
			dc.largest = max(dc.largest, body.StartAt)
			from := int64(0)
			if match := createdBound.FindStringSubmatch(body.JQL); match != nil {
				from, _ = strconv.ParseInt(match[1], 10, 64)
				dc.bounds = append(dc.bounds, match[1])
			}
			found := dc.search(from)
			page := found[min(body.StartAt, len(found)):min(body.StartAt+body.MaxResults, len(found))]
			list := make([]json.RawMessage, 0, len(page))
			for _, id := range page {
				list = append(list, json.RawMessage(fmt.Sprintf(`{"id": "%d", "changelog": {"histories": [%s]},
					"fields": {"created": %d, "comment": {"comments": []}}}`, id, histories(2, 1), dc.at(id).UnixMilli())))
			}
			content, _ := json.Marshal(map[string]any{"issues": list, "total": len(found), "startAt": body.StartAt})
			writeJSON(w, 200, string(content))
		},
	})
	return dc
}

func (dc *dataCenterSite) at(id int) time.Time {
	return start.Add(time.Duration(dc.created[id]) * time.Second)
}

// search returns the ids of the issues that were created at or after a time.
func (dc *dataCenterSite) search(from int64) []int {
	order := func(id int) int { return dc.created[id]*1_000_000 + id }
	if dc.sorted == nil || dc.change != nil {
		dc.sorted = slices.SortedFunc(maps.Keys(dc.created), func(a, b int) int { return order(a) - order(b) })
	}
	first := slices.IndexFunc(dc.sorted, func(id int) bool { return dc.at(id).UnixMilli() >= from })
	if first < 0 {
		return nil
	}
	return dc.sorted[first:]
}

func everySecond(issues int) map[int]int {
	created := map[int]int{}
	for n := range issues {
		created[n+1] = n
	}
	return created
}

func (dc *dataCenterSite) changed(t *testing.T, query Query) ([]string, error) {
	t.Helper()
	issues, err := collect(dc.client(t, nil).Source(DataCenter, all).Changed(t.Context(), query))
	for _, issue := range issues {
		assert.Equal(t, []string{"1", "2"}, historyIDs(issue), "sorted by time")
		assert.False(t, issue.IsIncomplete)
	}
	return ids(issues), err
}

func TestDataCenterPages(t *testing.T) {
	for _, count := range []int{1, 49, 50, 51, 99, 100, 148} {
		dc := newDataCenter(t, everySecond(count), nil)
		total := 0
		got, err := dc.changed(t, Query{Since: start, OnTotal: func(n int) { total = n }})
		require.NoError(t, err)
		assert.Equal(t, numbers(1, count), got)
		assert.Equal(t, count, total)
		assert.Len(t, dc.requests(), max(1, (count-2)/49+1))
	}
}

func TestDataCenterGoesOn(t *testing.T) {
	dc := newDataCenter(t, everySecond(200), nil)
	got, err := dc.changed(t, Query{CreatedFrom: dc.at(120)})
	require.NoError(t, err)
	assert.Equal(t, numbers(120, 200), got)
}

// TestDataCenterRowsMove checks that issues that leave or enter the result meanwhile hide no other issue.
func TestDataCenterRowsMove(t *testing.T) {
	created := everySecond(200)
	dc := newDataCenter(t, created, func(request int) {
		switch request {
		case 2:
			for id := 10; id < 30; id++ {
				delete(created, id)
			}
		case 5:
			created[1000] = -1 // an older issue is updated
		}
	})
	got, err := dc.changed(t, Query{})
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 200), got, "each remaining issue once; the next run finds the older one")
	dc = newDataCenter(t, everySecond(200), nil)
	dc.change = func(request int) { delete(dc.created, (request-1)*10+2) }
	got, err = dc.changed(t, Query{})
	require.NoError(t, err)
	for id := range dc.created {
		assert.Contains(t, got, strconv.Itoa(id), "an issue vanishes before each page")
	}
}

// TestDataCenterWindow reads more issues than a search can return, with times of creation that differ and that do not.
func TestDataCenterWindow(t *testing.T) {
	t.Parallel()
	dc := newDataCenter(t, everySecond(12_000), nil)
	var totals []int
	got, err := dc.changed(t, Query{OnTotal: func(n int) { totals = append(totals, n) }})
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 12_000), got)
	assert.Equal(t, []int{12_000, 12_000}, totals)
	assert.Equal(t, maxOffset/49*49, dc.largest)
	assert.NotEmpty(t, dc.bounds)

	busy := everySecond(10_500)
	for id := range busy {
		busy[id] /= 300 // all within a minute
	}
	got, err = newDataCenter(t, busy, nil).changed(t, Query{})
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 10_500), got)

	bulk := everySecond(11_000)
	for id := 1000; id <= 9000; id++ {
		bulk[id] = 1000 // an import
	}
	got, err = newDataCenter(t, bulk, nil).changed(t, Query{})
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 11_000), got)

	for id := range bulk {
		bulk[id] = 7
	}
	dc = newDataCenter(t, bulk, nil)
	_, err = dc.changed(t, Query{})
	assert.Equal(t, KindUnexpected, KindOf(err), "no search can return them all, and the caller must know")
	assert.Less(t, len(dc.requests()), 600, "three searches")
}

// TestDataCenterIgnoresPosition checks that a site that returns the first page for each position is an error.
func TestDataCenterIgnoresPosition(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/search": answer(`{"issues": ` + rows(numbers(1, 50)) + `, "total": 60}`),
	})
	_, err := collect(s.client(t, nil).Source(DataCenter, all).Changed(t.Context(), Query{}))
	assert.Equal(t, KindUnexpected, KindOf(err))
	assert.Less(t, len(s.requests()), 10)
}

// TestDataCenterTooLarge checks that an issue that is too large is returned without its changelog, and the others
// whole.
func TestDataCenterTooLarge(t *testing.T) {
	whole := func(id int) string { return strings.Trim(rows(numbers(id, id)), "[]") }
	large := strings.Repeat(" ", 20_000)
	s := newSite(t, map[string]http.HandlerFunc{
		"POST /rest/api/2/search": func(w http.ResponseWriter, r *http.Request) {
			body := decodeBody[searchBody](t, r)
			first, last := body.StartAt+1, min(body.StartAt+body.MaxResults, 60)
			content := `{"total": 60, "issues": ` + rows(numbers(first, last)) + `}`
			if body.Expand == nil {
				content = strings.ReplaceAll(content, "changelog", "x")
			} else if first <= 30 && last >= 30 {
				content += large
			}
			writeJSON(w, 200, content)
		},
		"GET /rest/api/2/issue/30":         answer(whole(30) + large),
		"GET /rest/api/2/issue/30/comment": answer(`{"comments": [], "total": 0}`),
		"GET /rest/api/2/issue/{id}": func(w http.ResponseWriter, r *http.Request) {
			id, _ := strconv.Atoi(r.PathValue("id"))
			writeJSON(w, 200, whole(id))
		},
	})
	issues, err := collect(s.client(t, func(o *Options) { o.MaxBody = 20_000 }).Source(DataCenter, all).Changed(t.Context(), Query{}))
	require.NoError(t, err)
	assert.Equal(t, numbers(1, 60), ids(issues))
	for _, issue := range issues {
		assert.Equal(t, issue.Issue.ID == "30", issue.IsIncomplete, issue.Issue.ID)
	}
	assert.Less(t, len(s.requests()), 30, "pages become large again")
}
