// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// client calls an API.
type client struct {
	*API
	t      *testing.T
	header http.Header
}

// newClient returns a client of a Jira after a week of work.
func newClient(t *testing.T, d Deployment, a Account) *client {
	t.Helper()
	c := wrap(t, NewAPI(Site{Deployment: d, Start: start}, a))
	c.SetNow(start.AddDate(0, 0, 8))
	return c
}

func wrap(t *testing.T, api *API) *client {
	t.Helper()
	t.Cleanup(api.Close)
	return &client{api, t, http.Header{"Content-Type": {"application/json"}}}
}

// path returns a path below the context path of the site.
func (c *client) path(resource string, args ...any) string {
	return c.ContextPath() + restPath + fmt.Sprintf(resource, args...)
}

func (c *client) do(method, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header = c.header
	recorder := httptest.NewRecorder()
	c.ServeHTTP(recorder, request)
	return recorder
}

// get returns the decoded answer, which must be 200.
func (c *client) get(resource string, args ...any) any {
	c.t.Helper()
	return c.content(c.do(http.MethodGet, c.path(resource, args...), ""))
}

func (c *client) post(resource string, body object) any {
	c.t.Helper()
	return c.content(c.do(http.MethodPost, c.path("%s", resource), text(body)))
}

// status returns the status code of GET.
func (c *client) status(resource string, args ...any) int {
	return c.do(http.MethodGet, c.path(resource, args...), "").Code
}

func (c *client) content(answer *httptest.ResponseRecorder) any {
	c.t.Helper()
	require.Equal(c.t, http.StatusOK, answer.Code, "%s", answer.Body)
	return decoded(c.t, answer.Body.Bytes())
}

func decoded(t *testing.T, content []byte) (value any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(content, &value), "%s", content)
	return value
}

func text(value any) string {
	content, _ := json.Marshal(value)
	return string(content)
}

// at returns the value at a path of members and indexes, or nil.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(object)
			value = members[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func list(value any, path ...any) []any {
	found, _ := at(value, path...).([]any)
	return found
}

// values returns a member of each element of a list.
func values(elements []any, member string) []any {
	var found []any
	for _, e := range elements {
		found = append(found, at(e, member))
	}
	return found
}

// search returns the ids of a result, in one page.
func (c *client) search(jql string) []any {
	c.t.Helper()
	body := object{"jql": jql, "maxResults": 1000, "fields": []string{"id"}}
	return values(list(c.post(c.searchResource(), body), "issues"), "id")
}

func (c *client) searchResource() string {
	if c.site.Deployment == Cloud {
		return "search/jql"
	}
	return "search"
}

// everything is a JQL text that all issues match.
const everything = "updated >= 0 ORDER BY created"

// TestSameHistory compares each delivery of a history with the answers at the time of the event.
func TestSameHistory(t *testing.T) {
	events := 900
	if testing.Short() {
		events = 300
	}
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		for _, language := range []string{"en", "de"} {
			t.Run(string(deployment)+" "+language, func(t *testing.T) {
				t.Parallel()
				site := Site{Deployment: deployment, Language: language, Seed: 3, Start: start}
				c := &comparison{client: wrap(t, NewAPI(site, Account{})), histories: map[any]bool{}, worklogs: map[any]any{}}
				for _, d := range first(events, Team(site)) {
					c.SetNow(d.At)
					c.compare(d)
				}
				c.compareAll()
			})
		}
	}
}

// comparison keeps what the deliveries contain.
type comparison struct {
	*client
	histories map[any]bool // ids that a delivery contained
	worklogs  map[any]any  // times of the last change, by id; nil for deleted ones
	deleted   []any        // ids of worklogs
	last      time.Time
}

func (c *comparison) compare(d Delivery) {
	c.last = d.At
	body := decoded(c.t, d.Body)
	event := at(body, "webhookEvent").(string)
	switch {
	case event == "jira:issue_deleted":
		id := at(body, "issue", "id")
		assert.Equal(c.t, http.StatusNotFound, c.status("issue/%s", id))
		assert.NotContains(c.t, c.search("id != 1"), id)
	case strings.HasPrefix(event, "jira:issue") || event == "jira:worklog_updated":
		c.compareIssue(d, body, event == "jira:issue_created")
	case event == "comment_created" || event == "comment_updated":
		id, _, _ := strings.Cut(strings.TrimPrefix(at(body, "comment", "self").(string), c.site.rest("issue/")), "/")
		assert.Contains(c.t, list(c.get("issue/%s/comment", id), "comments"), at(body, "comment"))
		assert.Contains(c.t, list(c.get("issue/%s", id), "fields", "comment", "comments"), at(body, "comment"))
		c.checkUpdated(d, id)
	case event == "attachment_created":
		issue := c.get("issue/%s?fields=attachment", strings.Fields(d.About)[0])
		assert.Contains(c.t, list(issue, "fields", "attachment"), at(body, "attachment"))
		c.checkUpdated(d, at(issue, "id"))
	case event == "issuelink_created":
		for member, direction := range map[string]string{"sourceIssueId": "outwardIssue", "destinationIssueId": "inwardIssue"} {
			links := list(c.get("issue/%v?fields=issuelinks", int(at(body, "issueLink", member).(float64))), "fields", "issuelinks")
			n := slices.Index(values(links, "id"), any(strconv.Itoa(int(at(body, "issueLink", "id").(float64)))))
			assert.NotNil(c.t, at(links, max(0, n), direction), d.About)
			c.checkUpdated(d, strconv.Itoa(int(at(body, "issueLink", member).(float64))))
		}
	case strings.HasPrefix(event, "worklog_"):
		c.compareWorklog(d, at(body, "worklog"), event)
	}
}

// compareIssue checks all fields that a delivery contains, the changelog, and that a search finds the issue.
func (c *comparison) compareIssue(d Delivery, body any, created bool) {
	id := at(body, "issue", "id")
	issue := c.get("issue/%s?expand=changelog", id)
	assert.Equal(c.t, at(body, "issue", "key"), at(issue, "key"))
	for name, value := range at(body, "issue", "fields").(object) {
		assert.Equal(c.t, value, at(issue, "fields", name), "%s: %s", d.About, name)
	}
	assert.Equal(c.t, c.site.time(d.At), at(issue, "fields", "updated"), d.About)
	ids := c.search(fmt.Sprintf("updated >= %d ORDER BY created", d.At.UnixMilli()))
	assert.Equal(c.t, []any{id}, ids, d.About)
	assert.Empty(c.t, c.search(fmt.Sprintf("updated >= %d ORDER BY created", d.At.UnixMilli()+1)))
	changelog := at(body, "changelog")
	if changelog == nil || created { // REST does not contain the creation
		return
	}
	c.histories[at(changelog, "id")] = true
	histories := list(issue, "changelog", "histories")
	n := slices.Index(values(histories, "id"), at(changelog, "id"))
	require.GreaterOrEqual(c.t, n, 0, d.About)
	assert.Equal(c.t, at(changelog, "items"), at(histories, n, "items"))
	assert.Equal(c.t, c.site.time(d.At), at(histories, n, "created"))
	assert.Equal(c.t, at(body, "user"), at(histories, n, "author"))
}

// checkUpdated checks that an event is the last change of an issue, for the issue and for searches.
func (c *comparison) checkUpdated(d Delivery, id any) {
	assert.Equal(c.t, c.site.time(d.At), at(c.get("issue/%s", id), "fields", "updated"), d.About)
	assert.Contains(c.t, c.search(fmt.Sprintf("updated >= %d", d.At.UnixMilli())), id, d.About)
}

func (c *comparison) compareWorklog(d Delivery, worklog any, event string) {
	c.checkUpdated(d, at(worklog, "issueId"))
	id, _ := strconv.ParseFloat(at(worklog, "id").(string), 64)
	listed := c.post("worklog/list", object{"ids": []any{id}})
	if event == "worklog_deleted" {
		assert.Empty(c.t, listed)
		delete(c.worklogs, id)
		c.deleted = append(c.deleted, id)
		return
	}
	assert.Equal(c.t, []any{worklog}, listed)
	assert.Contains(c.t, list(c.get("issue/%s/worklog", at(worklog, "issueId")), "worklogs"), worklog)
	c.worklogs[id] = float64(d.At.UnixMilli())
}

// compareAll checks that the answers contain no history and no worklog that the deliveries did not contain.
func (c *comparison) compareAll() {
	for _, id := range c.search(everything) {
		for _, history := range values(list(c.get("issue/%s?expand=changelog", id), "changelog", "histories"), "id") {
			assert.True(c.t, c.histories[history])
		}
	}
	c.SetNow(c.last.Add(feedDelay))
	found := map[any]any{}
	for _, w := range list(c.get("worklog/updated"), "values") {
		found[at(w, "worklogId")] = at(w, "updatedTime")
	}
	for id := range c.worklogs {
		if text(c.post("worklog/list", object{"ids": []any{id}})) == "[]" {
			delete(c.worklogs, id) // with its issue
		}
	}
	assert.Equal(c.t, c.worklogs, found)
	assert.NotEmpty(c.t, c.deleted)
	assert.Equal(c.t, c.deleted, values(list(c.get("worklog/deleted?since=0"), "values"), "worklogId"))
}

// TestTimeGoesBack checks that an earlier time takes back what has happened since.
func TestTimeGoesBack(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	c.SetNow(start.AddDate(0, 0, 3))
	then := c.get("search/jql?jql=updated%%3E%%3D0&fields=*all&expand=changelog")
	c.SetNow(start.AddDate(0, 0, 9))
	assert.NotEqual(t, then, c.get("search/jql?jql=updated%%3E%%3D0&fields=*all&expand=changelog"))
	c.SetNow(start.AddDate(0, 0, 3))
	assert.Equal(t, then, c.get("search/jql?jql=updated%%3E%%3D0&fields=*all&expand=changelog"))
	c.SetNow(start.Add(-time.Hour))
	assert.Empty(t, c.search(everything))
}

func TestScenarioAPI(t *testing.T) {
	api, err := NewScenarioAPI("delivery", Site{Start: start}, Account{})
	require.NoError(t, err)
	c := wrap(t, api)
	c.SetNow(start.Add(ScenarioLength("delivery")))
	assert.Len(t, c.search(everything), 8)
	_, err = NewScenarioAPI("nothing", Site{}, Account{})
	assert.ErrorContains(t, err, "scenarios are delivery")
}

func TestServerInfo(t *testing.T) {
	for deployment, expect := range map[Deployment][]any{
		Cloud:      {"https://acme.atlassian.net", "Cloud", 1001.0},
		DataCenter: {"https://jira.example.com/context", "Server", 10.0},
	} {
		c := newClient(t, deployment, Account{User: "ada", Token: "secret"})
		info := c.get("serverInfo")
		described := []any{at(info, "baseUrl"), at(info, "deploymentType"), at(info, "versionNumbers", 0)}
		assert.Equal(t, expect, described)
		assert.Equal(t, "2026-03-10T09:00:00.000+0100", at(info, "serverTime"))
		answer := c.do(http.MethodGet, c.path("serverInfo"), "")
		assert.Equal(t, "Tue, 10 Mar 2026 08:00:00 GMT", answer.Header().Get("Date"))
		assert.Equal(t, map[Operation]int{OpServerInfo: 2}, c.Requests())
	}
}

// TestPlaces checks the paths below which a site answers, and the resources that one deployment lacks.
func TestPlaces(t *testing.T) {
	cloud, dataCenter := newClient(t, Cloud, Account{}), newClient(t, DataCenter, Account{})
	id := cloud.search(everything)[0]
	for _, test := range []struct {
		*client
		method, path string
		expect       int
	}{
		{cloud, http.MethodGet, "/rest/api/2/myself", http.StatusOK},
		{cloud, http.MethodGet, "/ex/jira/11111111-2222-4333-8444-555555555555/rest/api/2/myself", http.StatusOK},
		{cloud, http.MethodGet, "/_edge/tenant_info", http.StatusOK},
		{cloud, http.MethodGet, "/rest/api/2/search?jql=", http.StatusGone},
		{cloud, http.MethodPost, "/rest/api/3/search", http.StatusGone},
		{cloud, http.MethodGet, "/rest/api/2/nothing", http.StatusNotFound},
		{cloud, http.MethodDelete, "/rest/api/2/myself", http.StatusNotFound},
		{cloud, http.MethodGet, fmt.Sprintf("/rest/api/2/issue/%s/changelog", id), http.StatusOK},
		{dataCenter, http.MethodGet, "/context/rest/api/2/myself", http.StatusOK},
		{dataCenter, http.MethodGet, "/rest/api/2/myself", http.StatusNotFound},
		{dataCenter, http.MethodGet, "/ex/jira/1/rest/api/2/myself", http.StatusNotFound},
		{dataCenter, http.MethodGet, "/context/rest/api/2/search/jql", http.StatusNotFound},
		{dataCenter, http.MethodPost, "/context/rest/api/2/issue/bulkfetch", http.StatusNotFound},
		{dataCenter, http.MethodGet, fmt.Sprintf("/context/rest/api/2/issue/%s/changelog", id), http.StatusNotFound},
	} {
		answer := test.do(test.method, test.path, "{}")
		assert.Equal(t, test.expect, answer.Code, test.path)
	}
	cloud.header = http.Header{"Content-Type": {"text/plain"}}
	assert.Equal(t, http.StatusUnsupportedMediaType, cloud.do(http.MethodPost, "/rest/api/2/search/jql", "{}").Code)
}

func TestCredentials(t *testing.T) {
	const user, token, gatewayPath = "ada@example.com", "secret", "/ex/jira/1/rest/api/2/myself"
	basic := func(user, password string) http.Header {
		request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		request.SetBasicAuth(user, password)
		return request.Header
	}
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for _, test := range []struct {
		deployment Deployment
		header     http.Header
		path       string
		expect     int
	}{
		{Cloud, basic(user, token), "", http.StatusOK},
		{Cloud, basic(user, "wrong"), "", http.StatusUnauthorized},
		{Cloud, basic("wrong", token), "", http.StatusUnauthorized},
		{Cloud, nil, "", http.StatusUnauthorized},
		{Cloud, bearer(token), "", http.StatusUnauthorized},
		{Cloud, bearer(token), gatewayPath, http.StatusOK},
		{Cloud, bearer("wrong"), gatewayPath, http.StatusUnauthorized},
		{DataCenter, basic(user, token), "", http.StatusOK},
		{DataCenter, bearer(token), "", http.StatusOK},
		{DataCenter, bearer("wrong"), "", http.StatusUnauthorized},
		{DataCenter, nil, "", http.StatusUnauthorized},
	} {
		c := newClient(t, test.deployment, Account{User: user, Token: token})
		c.header = test.header
		if test.path == "" {
			test.path = c.path("myself")
		}
		answer := c.do(http.MethodGet, test.path, "")
		assert.Equal(t, test.expect, answer.Code, "%+v", test)
		isPage := strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html")
		assert.Equal(t, test.deployment == DataCenter && test.expect != http.StatusOK, isPage)
		assert.NotContains(t, answer.Body.String(), token)
	}
}

// TestTokenPages reads all pages of Cloud.
func TestTokenPages(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	all := c.search(everything)
	assert.Greater(t, len(all), 20)
	body, read, pages := object{"jql": everything, "maxResults": 7}, []any{}, 0
	for {
		page := c.post("search/jql", body)
		pages++
		for _, i := range list(page, "issues") {
			assert.Len(t, i, 1, "the id alone by default")
		}
		read = append(read, values(list(page, "issues"), "id")...)
		if at(page, "isLast") == true {
			assert.Nil(t, at(page, "nextPageToken"))
			break
		}
		body["nextPageToken"] = at(page, "nextPageToken")
	}
	assert.Equal(t, all, read)
	assert.Equal(t, (len(all)+6)/7, pages)
}

// TestSearchRules checks the requests that Cloud rejects, or limits.
func TestSearchRules(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	first := c.post("search/jql", object{"jql": everything, "maxResults": 5})
	token := at(first, "nextPageToken")
	for _, test := range []struct {
		body   object
		expect string // error; "" for the first page
	}{
		{object{"jql": everything, "nextPageToken": ""}, ""},
		{object{"jql": everything, "nextPageToken": nil}, ""},
		{object{"jql": everything, "nextPageToken": "malformed"}, "nextPageToken"},
		{object{"jql": everything + " ASC", "nextPageToken": token}, "nextPageToken"},
		{object{"jql": everything, "startAt": 5}, "Invalid request payload"},
		{object{"jql": everything, "maxResults": 0}, "maxResults"},
		{object{"jql": everything, "maxResults": 5001}, "maxResults"},
		{object{"jql": "order by created"}, "Unbounded JQL"},
		{object{"jql": ""}, "Unbounded JQL"},
		{object{"jql": everything, "reconcileIssues": make([]int, 51)}, "reconciled"},
	} {
		if _, given := test.body["maxResults"]; !given {
			test.body["maxResults"] = 5
		}
		answer := c.do(http.MethodPost, c.path("search/jql"), text(test.body))
		if test.expect == "" {
			assert.Equal(t, list(first, "issues"), list(decoded(t, answer.Body.Bytes()), "issues"), test.body)
			continue
		}
		assert.Equal(t, http.StatusBadRequest, answer.Code, test.body)
		assert.Contains(t, at(decoded(t, answer.Body.Bytes()), "errorMessages", 0), test.expect)
	}
	c.SetNow(c.clock().Add(tokenLife + time.Hour))
	assert.Equal(t, http.StatusBadRequest, c.do(http.MethodPost, c.path("search/jql"), text(object{"jql": everything, "nextPageToken": token})).Code)
	c.SetNow(start.AddDate(0, 0, 100))
	assert.Greater(t, len(c.search(everything)), cloudFieldsPage)
	assert.Len(t, list(c.post("search/jql", object{"jql": everything, "maxResults": 1000, "fields": []string{"summary"}}), "issues"), cloudFieldsPage)
}

// TestOffsetPages checks the pages of Data Center: offsets, totals, complete changelogs and the window.
func TestOffsetPages(t *testing.T) {
	c := newClient(t, DataCenter, Account{})
	all := c.search(everything)
	query := url.QueryEscape(everything)
	page := c.get("search?jql=%s&startAt=7&maxResults=5&expand=changelog", query)
	assert.Equal(t, all[7:12], values(list(page, "issues"), "id"))
	assert.Equal(t, []any{7.0, 5.0, float64(len(all))}, []any{at(page, "startAt"), at(page, "maxResults"), at(page, "total")})
	changelog := at(page, "issues", 0, "changelog")
	assert.Len(t, list(changelog, "histories"), int(at(changelog, "total").(float64)))
	assert.True(t, slices.IsSortedFunc(list(changelog, "histories"), oldestFirst))
	assert.Nil(t, at(page, "issues", 0, "fields", "comment"), "not navigable")
	assert.NotNil(t, at(page, "issues", 0, "fields", "summary"))
	assert.Empty(t, list(c.get("search?jql=%s&startAt=5000", query), "issues"))
	assert.Equal(t, http.StatusInternalServerError, c.status("search?jql=%s&startAt=9990", query))
	assert.InDelta(t, dataCenterPage, at(c.get("search?jql=&maxResults=5000"), "maxResults"), 0)
	assert.Equal(t, http.StatusBadRequest, c.status("search?startAt=x"))
}

func oldestFirst(a, b any) int {
	return strings.Compare(at(a, "created").(string), at(b, "created").(string))
}

// TestChanges compares the numbers of changes with the answers.
func TestChanges(t *testing.T) {
	c := newClient(t, DataCenter, Account{})
	var want Changes
	for _, id := range c.search(everything) {
		i := c.get("issue/%s?expand=changelog", id)
		want.Issues++
		want.Updates += len(list(at(i, "changelog"), "histories"))
		for _, comment := range list(at(i, "fields", "comment"), "comments") {
			want.Comments++
			if at(comment, "created") != at(comment, "updated") {
				want.EditedComments++
			}
		}
		for _, worklog := range list(c.get("issue/%s/worklog", id), "worklogs") {
			want.Worklogs++
			if at(worklog, "created") != at(worklog, "updated") {
				want.EditedWorklogs++
			}
		}
	}
	want.DeletedWorklogs = len(list(c.get("worklog/deleted?since=0"), "values"))
	assert.Equal(t, want, c.Changes())
	assert.Positive(t, want.EditedComments*want.EditedWorklogs*want.DeletedWorklogs)
}

// TestFieldList checks that each custom field with a value has a name and a type.
func TestFieldList(t *testing.T) {
	c := newClient(t, DataCenter, Account{})
	var fields []map[string]any
	require.NoError(t, json.Unmarshal([]byte(text(c.get("field"))), &fields))
	for _, f := range fields {
		assert.NotEmpty(t, f["name"])
		if f["custom"] == true {
			assert.Contains(t, at(c.get("issue/%s", c.search(everything)[0]), "fields"), f["id"])
		}
	}
}

// TestFields checks which members of an issue an answer contains.
func TestFields(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	id := c.search(everything)[0]
	for _, test := range []struct {
		fields          string
		present, absent []string
	}{
		{"", []string{"summary", "comment", "updated", "customfield_10030"}, nil},
		{"summary,status", []string{"summary", "status"}, []string{"updated", "comment"}},
		{"*navigable", []string{"summary"}, []string{"comment", "worklog"}},
		{"*all,-comment", []string{"summary", "worklog"}, []string{"comment"}},
	} {
		fields := at(c.get("issue/%s?fields=%s", id, test.fields), "fields")
		for _, name := range test.present {
			assert.Contains(t, fields, name, test.fields)
		}
		for _, name := range test.absent {
			assert.NotContains(t, fields, name, test.fields)
		}
	}
	assert.NotContains(t, c.get("issue/%s?fields=key", id), "fields")
	assert.NotContains(t, c.get("issue/%s", id), "changelog")
}

func TestBulkFetch(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	ids := c.search(everything)[:3]
	key := at(c.get("issue/%s", ids[0]), "key")
	answer := c.post("issue/bulkfetch", object{
		"issueIdsOrKeys": []any{ids[2], ids[1], key, ids[0], "1", "NO-1"}, "fields": []string{"summary", "comment"}, "expand": []string{"changelog"},
	})
	assert.Equal(t, ids, values(list(answer, "issues"), "id"))
	assert.Equal(t, []any{"1", "NO-1"}, values(list(answer, "issueErrors"), "id"))
	for _, i := range list(answer, "issues") {
		assert.Equal(t, at(c.get("issue/%s?expand=changelog", at(i, "id")), "changelog"), at(i, "changelog"))
		assert.NotNil(t, at(i, "fields", "comment", "total"))
	}
	for n, expect := range map[int]int{0: http.StatusBadRequest, 100: http.StatusOK, 101: http.StatusBadRequest} {
		body := object{"issueIdsOrKeys": make([]string, n), "fields": []string{"comment"}}
		assert.Equal(t, expect, c.do(http.MethodPost, c.path("issue/bulkfetch"), text(body)).Code, n)
	}
	body := object{"issueIdsOrKeys": make([]string, 1000), "fields": []string{"summary"}}
	assert.Equal(t, http.StatusOK, c.do(http.MethodPost, c.path("issue/bulkfetch"), text(body)).Code)
}

// TestMovedIssue checks that an issue has its old key, too.
func TestMovedIssue(t *testing.T) {
	api, err := NewScenarioAPI("delivery", Site{Start: start}, Account{})
	require.NoError(t, err)
	c := wrap(t, api)
	c.SetNow(start.Add(13 * hour))
	assert.Equal(t, "BILL-1", at(c.get("issue/BILL-1"), "key"))
	c.SetNow(start.Add(15 * hour))
	assert.Equal(t, "WEB-3", at(c.get("issue/BILL-1"), "key"))
	assert.Equal(t, c.get("issue/BILL-1"), c.get("issue/WEB-3"))
	assert.Empty(t, c.search("project = BILL"))
}

// busiest returns the id of the issue with the most histories.
func (c *client) busiest() (id any) {
	c.t.Helper()
	most := 0.0
	for _, candidate := range c.search(everything) {
		if total := at(c.get("issue/%s?expand=changelog", candidate), "changelog", "total").(float64); total > most {
			most, id = total, candidate
		}
	}
	return id
}

// TestChangelogs compares the resources with changelogs.
func TestChangelogs(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	id := c.busiest()
	page := c.get("issue/%s/changelog", id)
	histories := list(page, "values")
	assert.Greater(t, len(histories), 6)
	assert.True(t, slices.IsSortedFunc(histories, oldestFirst))
	assert.Equal(t, true, at(page, "isLast"))
	expanded := slices.Clone(list(c.get("issue/%s?expand=changelog", id), "changelog", "histories"))
	slices.Reverse(expanded)
	assert.Equal(t, histories, expanded, "newest first on Cloud")

	second := c.get("issue/%s/changelog?startAt=2&maxResults=3", id)
	assert.Equal(t, histories[2:5], list(second, "values"))
	assert.Equal(t, []any{false, float64(len(histories))}, []any{at(second, "isLast"), at(second, "total")})
	last, _ := strconv.Atoi(at(histories, 3, "id").(string))
	listed := c.content(c.do(http.MethodPost, c.path("issue/%s/changelog/list", id), text(object{"changelogIds": []int{last, 1}})))
	assert.Equal(t, histories[3:4], list(listed, "histories"))
}

// TestChangelogBulk reads the pages of changelog/bulkfetch.
func TestChangelogBulk(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	ids := c.search(everything)[:5]
	expect := map[any][]any{}
	for _, id := range ids {
		expect[id] = values(list(c.get("issue/%s/changelog", id), "values"), "id")
	}
	body, found, previous := object{"issueIdsOrKeys": ids, "maxResults": 4}, map[any][]any{}, 0.0
	for {
		page := c.post("changelog/bulkfetch", body)
		for _, group := range list(page, "issueChangeLogs") {
			for _, history := range list(group, "changeHistories") {
				id := at(group, "issueId")
				found[id] = append(found[id], at(history, "id"))
			}
		}
		oldest := at(page, "issueChangeLogs", 0, "changeHistories", 0, "created").(float64)
		assert.GreaterOrEqual(t, oldest, previous, "sorted by time")
		previous = oldest
		if body["nextPageToken"] = at(page, "nextPageToken"); body["nextPageToken"] == nil {
			break
		}
	}
	assert.Equal(t, expect, found)
	assert.Greater(t, previous, float64(start.UnixMilli()), "milliseconds")

	for _, group := range list(c.post("changelog/bulkfetch", object{"issueIdsOrKeys": ids, "fieldIds": []string{"status"}}), "issueChangeLogs") {
		for _, history := range list(group, "changeHistories") {
			assert.Equal(t, []any{"status"}, values(list(history, "items"), "fieldId"))
		}
	}
	for _, wrong := range []object{
		{"issueIdsOrKeys": make([]string, 1001)},
		{"issueIdsOrKeys": ids, "fieldIds": make([]string, 11)},
		{"issueIdsOrKeys": ids, "maxResults": 10_001},
		{"issueIdsOrKeys": ids, "nextPageToken": "x"},
		{"issueIdsOrKeys": []string{}},
	} {
		assert.Equal(t, http.StatusBadRequest, c.do(http.MethodPost, c.path("changelog/bulkfetch"), text(wrong)).Code)
	}
}

// talk returns a site with one issue that has many comments and worklogs.
func talk(t *testing.T, d Deployment, n int) *client {
	t.Helper()
	site := Site{Deployment: d, Start: start}
	c := wrap(t, newAPI(site, Account{}, newPlayed(func() *team {
		team := newTeam(site)
		i := team.newIssue(task)
		team.plan(start, func() { team.create(i) })
		for k := range n {
			team.plan(start.Add(time.Duration(k+1)*time.Hour), func() {
				team.comment(i, ada, strconv.Itoa(k))
				team.logWork(i, ada, time.Hour)
				team.assign(i, pick(team, people...), ada)
			})
		}
		return team
	})))
	c.SetNow(start.AddDate(0, 1, 0))
	return c
}

// TestLists checks the limits of the lists in an issue, and of the resources that contain all.
func TestLists(t *testing.T) {
	const n = 130
	for _, test := range []struct {
		deployment                                   Deployment
		histories, comments, firstComments, worklogs int
	}{
		{Cloud, cloudHistories, embeddedCap, commentPage, embeddedCap},
		{DataCenter, 2 * n, n, n, embeddedCap},
	} {
		c := talk(t, test.deployment, n)
		found := c.post(c.searchResource(), object{"jql": everything, "fields": []string{"*all"}, "expand": "changelog"})
		i := at(found, "issues", 0)
		id := at(i, "id")
		assert.Len(t, list(i, "changelog", "histories"), test.histories)
		assert.Len(t, list(i, "fields", "comment", "comments"), test.comments)
		assert.Equal(t, "0", at(i, "fields", "comment", "comments", 0, "body"), "the oldest ones")
		assert.Len(t, list(i, "fields", "worklog", "worklogs"), test.worklogs)
		assert.Equal(t, []any{float64(n), float64(n)}, []any{at(i, "fields", "comment", "total"), at(i, "fields", "worklog", "total")})

		first := list(c.get("issue/%s/comment", id), "comments")
		assert.Len(t, first, test.firstComments)
		rest := list(c.get("issue/%s/comment?startAt=%d", id, test.firstComments), "comments")
		assert.Len(t, rest, n-test.firstComments)
		assert.Equal(t, strconv.Itoa(n-1), at(c.get("issue/%s/comment?orderBy=-created", id), "comments", 0, "body"))
		assert.Equal(t, http.StatusBadRequest, c.status("issue/%s/comment?orderBy=updated", id))
		worklogs := list(c.get("issue/%s/worklog", id), "worklogs")
		assert.Len(t, worklogs, n)
		assert.Equal(t, worklogs[embeddedCap-1], at(i, "fields", "worklog", "worklogs", 0), "in another order")
		assert.Len(t, list(c.get("issue/%s", id), "fields", "comment", "comments"), n)
	}
	c := talk(t, Cloud, n)
	id := c.search(everything)[0]
	page := c.get("issue/%s/changelog", id)
	assert.Len(t, list(page, "values"), changelogPage)
	assert.Equal(t, []any{false, float64(n)}, []any{at(page, "isLast"), at(page, "total")})
	assert.Len(t, list(c.get("issue/%s/changelog?startAt=100", id), "values"), n-changelogPage)
	newest := at(c.get("issue/%s?expand=changelog", id), "changelog", "histories", 0, "id")
	assert.Equal(t, at(c.get("issue/%s/changelog?startAt=%d", id, n-1), "values", 0, "id"), newest)
}

// TestWorklogFeed follows the pages of the feed.
func TestWorklogFeed(t *testing.T) {
	const n = 1500
	c := talk(t, Cloud, n)
	end := start.Add(n * time.Hour)
	c.SetNow(end.Add(30 * time.Second))
	first := c.get("worklog/updated")
	assert.Len(t, list(first, "values"), feedPage)
	assert.Equal(t, false, at(first, "lastPage"))
	next := strings.TrimPrefix(at(first, "nextPage").(string), c.site.rest(""))
	second := c.get("%s", next)
	assert.Len(t, list(second, "values"), n-feedPage, "without the last one, which is in the last minute, and with the bound")
	assert.Equal(t, at(first, "values", feedPage-1), at(second, "values", 0))
	assert.Equal(t, true, at(second, "lastPage"))
	c.SetNow(end.Add(2 * time.Minute))
	assert.Len(t, list(c.get("%s", next), "values"), n-feedPage+1)
	assert.Empty(t, list(c.get("worklog/updated?since=%d", end.UnixMilli()+1000), "values"))
	assert.Equal(t, http.StatusBadRequest, c.do(http.MethodPost, c.path("worklog/list"), text(object{"ids": make([]int, 1001)})).Code)
}
