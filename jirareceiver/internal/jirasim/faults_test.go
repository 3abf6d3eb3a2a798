// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"io"
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

// TestIndexLag checks that only searches are late: for a new issue, for a change, and for a deletion.
func TestIndexLag(t *testing.T) {
	const lag = 10 * time.Minute
	site := Site{Start: start}
	c := wrap(t, NewAPI(site, Account{}))
	c.SetFaults(Faults{IndexLag: lag})
	created, deleted := 0, 0
	for _, d := range first(1500, Team(site)) {
		body := decoded(t, d.Body)
		id, bound := at(body, "issue", "id"), fmt.Sprintf("updated >= %d", d.At.UnixMilli())
		switch at(body, "webhookEvent") {
		case "jira:issue_created":
			created++
			c.SetNow(d.At.Add(lag - time.Millisecond))
			assert.NotContains(t, c.search(everything), id)
			assert.Equal(t, http.StatusOK, c.status("issue/%s", id))
			assert.NotContains(t, c.search(bound), id)
			reconciled, _ := strconv.Atoi(id.(string))
			found := c.post("search/jql", object{"jql": everything, "reconcileIssues": []int{reconciled}})
			assert.Contains(t, values(list(found, "issues"), "id"), id)
			c.SetNow(d.At.Add(lag))
			assert.Contains(t, c.search(bound), id)
		case "jira:issue_deleted":
			deleted++
			c.SetNow(d.At.Add(lag - time.Millisecond))
			assert.Contains(t, c.search(everything), id)
			assert.Equal(t, http.StatusNotFound, c.status("issue/%s", id))
			c.SetNow(d.At.Add(lag))
			assert.NotContains(t, c.search(everything), id)
		}
		if created > 5 && deleted > 0 {
			return
		}
	}
	assert.Positive(t, deleted)
}

// readAll reads all pages of Cloud, and calls a function before each further page.
func (c *client) readAll(size int, between func()) (ids []any) {
	c.t.Helper()
	body := object{"jql": everything, "maxResults": size}
	for {
		page := c.post("search/jql", body)
		ids = append(ids, values(list(page, "issues"), "id")...)
		if at(page, "isLast") == true {
			return ids
		}
		body["nextPageToken"] = at(page, "nextPageToken")
		between()
	}
}

// TestVanishingRows checks that rows that leave a result make others skip a page where pages are offsets (G3).
func TestVanishingRows(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	all := c.search(everything)
	c.SetFaults(Faults{VanishPerPage: 2})
	assert.Equal(t, all, c.readAll(10, func() {}), "tokens are stable")
	assert.NotContains(t, c.search(everything), all[0])
	assert.Equal(t, http.StatusOK, c.status("issue/%s", all[0]))

	c.SetFaults(Faults{VanishPerPage: 2, UnstablePages: true})
	read := c.readAll(10, func() {})
	assert.Equal(t, all[:10], read[:10])
	assert.Equal(t, all[12], read[10], "two are skipped")

	d := newClient(t, DataCenter, Account{})
	all = d.search(everything)
	page := func(startAt int) []any {
		return values(list(d.get("search?jql=%s&maxResults=10&startAt=%d", url.QueryEscape(everything), startAt), "issues"), "id")
	}
	d.SetFaults(Faults{VanishPerPage: 1})
	assert.Equal(t, all[:10], page(0))
	assert.Equal(t, all[11:21], page(10))
	d.SetFaults(Faults{})
	assert.Equal(t, all, d.search(everything))
}

// TestMovingRows checks that a row that changes between two pages moves in ORDER BY updated (G3).
func TestMovingRows(t *testing.T) {
	c := talk(t, DataCenter, 30)
	assert.Len(t, c.search("updated >= 0 ORDER BY updated"), 1)
	site := newClient(t, DataCenter, Account{})
	before := site.search("updated >= 0 ORDER BY updated")
	site.SetNow(site.clock().AddDate(0, 0, 2))
	after := site.search("updated >= 0 ORDER BY updated")
	assert.NotEqual(t, before, after[:len(before)])
}

// TestHidden checks issues and projects that the account cannot read any more (G14).
func TestHidden(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		c := newClient(t, deployment, Account{})
		all := c.search(everything)
		ops := c.search("project = OPS ORDER BY created")
		hidden, _ := strconv.Atoi(all[0].(string))
		c.SetFaults(Faults{Hidden: []int{hidden}})
		assert.Equal(t, all[1:], c.search(everything))
		assert.Equal(t, http.StatusNotFound, c.status("issue/%s", all[0]))
		assert.Equal(t, http.StatusNotFound, c.status("issue/%s/comment", all[0]))

		feed := list(c.get("worklog/updated"), "values")
		c.SetFaults(Faults{HiddenProjects: []string{"OPS"}})
		assert.Equal(t, slices.DeleteFunc(slices.Clone(all), func(id any) bool { return slices.Contains(ops, id) }), c.search(everything))
		assert.Equal(t, http.StatusNotFound, c.status("issue/%s", ops[0]))
		assert.Equal(t, http.StatusBadRequest, c.status("%s?jql=%s", c.searchResource(), url.QueryEscape("project = OPS")))
		assert.Less(t, len(list(c.get("worklog/updated"), "values")), len(feed))
	}
}

// TestTokenTraps checks each trap in page tokens (G7).
func TestTokenTraps(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	body := object{"jql": everything, "maxResults": 5}
	plain := c.post("search/jql", body)
	next := object{"jql": everything, "maxResults": 5, "nextPageToken": at(plain, "nextPageToken")}

	c.SetFaults(Faults{Token: TokenRepeated})
	assert.Equal(t, plain, c.post("search/jql", body))
	for range 3 {
		page := c.post("search/jql", next)
		assert.Equal(t, []any{next["nextPageToken"], false}, []any{at(page, "nextPageToken"), at(page, "isLast")})
	}
	c.SetFaults(Faults{Token: TokenEmpty})
	page := c.post("search/jql", object{"jql": everything, "maxResults": 5000})
	assert.Equal(t, []any{"", false}, []any{at(page, "nextPageToken"), at(page, "isLast")})
	c.SetFaults(Faults{Token: TokenStale})
	assert.Equal(t, http.StatusBadRequest, c.do(http.MethodPost, c.path("search/jql"), text(next)).Code)
	assert.NotEmpty(t, list(c.post("search/jql", body), "issues"))
	c.SetFaults(Faults{Token: TokenWithoutIsLast})
	assert.NotContains(t, c.post("search/jql", body), "isLast")
	c.SetFaults(Faults{})
	assert.Equal(t, plain, c.post("search/jql", body))
}

// TestHistoryFaults checks the faults of changelogs and of single fields.
func TestHistoryFaults(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	id := c.busiest()
	expanded := func() any { return at(c.get("issue/%s?expand=changelog", id), "changelog") }
	bulk := func() any {
		return at(c.post("issue/bulkfetch", object{"issueIdsOrKeys": []any{id}, "expand": []string{"changelog"}}), "issues", 0)
	}
	right := expanded()
	histories := list(right, "histories")
	ids := values(histories, "id")
	newest := at(histories, 0, "created")
	for _, test := range []struct {
		faults Faults
		check  func()
	}{
		{Faults{Caps: Caps{Histories: 2, Comments: 1, Worklogs: 1}}, func() {
			assert.Equal(t, histories[:2], list(expanded(), "histories"), "the newest ones")
			assert.Equal(t, at(right, "total"), at(expanded(), "total"))
			assert.LessOrEqual(t, len(list(bulk(), "fields", "comment", "comments")), 1)
			assert.Len(t, list(c.get("issue/%s/changelog", id), "values"), len(ids))
		}},
		{Faults{BulkWithoutChangelog: true}, func() {
			assert.NotContains(t, bulk(), "changelog")
			assert.Equal(t, right, expanded())
		}},
		{Faults{EmptyChangelog: true}, func() {
			assert.InDelta(t, 0, at(c.get("issue/%s/changelog", id), "total"), 0)
			assert.Equal(t, right, expanded())
		}},
		{Faults{ShuffledHistories: true}, func() {
			shuffled := values(list(expanded(), "histories"), "id")
			assert.NotEqual(t, ids, shuffled)
			assert.ElementsMatch(t, ids, shuffled)
		}},
		{Faults{EpochSeconds: true}, func() {
			answer := c.post("changelog/bulkfetch", object{"issueIdsOrKeys": []any{id}})
			assert.Less(t, at(answer, "issueChangeLogs", 0, "changeHistories", 0, "created").(float64), 1e10)
		}},
		{Faults{OddHistories: true}, func() {
			odd := list(expanded(), "histories")
			assert.Nil(t, odd[len(odd)-1])
			assert.Nil(t, at(odd, 0, "items", 0))
			assert.NotNil(t, at(odd, 0, "items", 1))
			assert.NotContains(t, odd[0], "author")
			assert.Equal(t, ids, values(odd[:len(odd)-1], "id"), "nothing is lost")
		}},
		{Faults{HistoryDelay: 20 * time.Millisecond}, func() {
			delayed := at(expanded(), "histories", 0, "created")
			assert.Equal(t, 20*time.Millisecond, between(t, newest.(string), delayed.(string)))
		}},
		{Faults{WorkflowMigration: start.AddDate(0, 0, 7)}, func() {
			migrated := at(expanded(), "histories", 0)
			assert.Equal(t, "Workflow", at(migrated, "items", 0, "field"))
			assert.Greater(t, at(migrated, "created"), at(c.get("issue/%s", id), "fields", "updated"))
			assert.Equal(t, histories, list(expanded(), "histories")[1:])
		}},
		{Faults{WorkflowMigration: start.AddDate(1, 0, 0)}, func() { assert.Equal(t, right, expanded()) }},
	} {
		c.SetFaults(test.faults)
		test.check()
	}
	c.SetFaults(Faults{})
	assert.Equal(t, right, expanded())
}

// TestNoUpdated finds issues with and without the field.
func TestNoUpdated(t *testing.T) {
	c := newClient(t, DataCenter, Account{})
	c.SetFaults(Faults{NoUpdated: 2})
	with, without := 0, 0
	for _, id := range c.search(everything) {
		number, _ := strconv.Atoi(id.(string))
		_, has := at(c.get("issue/%s", id), "fields").(object)["updated"]
		assert.Equal(t, number%2 != 0, has)
		if has {
			with++
		} else {
			without++
		}
	}
	assert.Positive(t, with*without)
}

// TestSilentHistories checks which histories have no webhook.
func TestSilentHistories(t *testing.T) {
	for deployment, expect := range map[Deployment][]string{
		Cloud: {"Attachment", "Link", "WorklogId"}, DataCenter: {"Attachment", "Link"},
	} {
		c := newClient(t, deployment, Account{})
		count := func() map[string]int {
			fields := map[string]int{}
			for _, id := range c.search(everything) {
				for _, history := range list(c.get("issue/%s?expand=changelog", id), "changelog", "histories") {
					for _, field := range values(list(history, "items"), "field") {
						fields[field.(string)]++
					}
				}
			}
			return fields
		}
		before := count()
		c.SetFaults(Faults{SilentHistories: true})
		after := count()
		for _, field := range expect {
			assert.Zero(t, before[field], field)
			assert.Positive(t, after[field], field)
			delete(after, field)
		}
		assert.Equal(t, before, after)
	}
}

// TestTimesOfSearches checks the faults of JQL with times.
func TestTimesOfSearches(t *testing.T) {
	c := newClient(t, DataCenter, Account{})
	all := c.search(everything)
	future := fmt.Sprintf("updated >= %d ORDER BY created", c.clock().AddDate(1, 0, 0).UnixMilli())
	assert.Empty(t, c.search(future))
	c.SetFaults(Faults{MillisIgnored: true})
	assert.Equal(t, all, c.search(future))

	c.SetFaults(Faults{})
	var id any
	var updated time.Time
	for _, id = range all {
		updated, _ = time.Parse(timeFormat, at(c.get("issue/%s", id), "fields", "updated").(string))
		if updated.Nanosecond() > 0 {
			break
		}
	}
	exact := fmt.Sprintf("updated >= %d ORDER BY created", updated.UnixMilli())
	assert.Contains(t, c.search(exact), id)
	c.SetFaults(Faults{SecondIndex: true})
	assert.NotContains(t, c.search(exact), id)
	assert.Contains(t, c.search(fmt.Sprintf("updated >= %d", updated.Truncate(time.Second).UnixMilli())), id)
}

// TestClock checks that a jump of the clock changes what Jira says about the present, but no issue.
func TestClock(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	all, recent := c.search(everything), c.search("updated >= -2h")
	issue := c.get("issue/%s", all[0])
	feed := list(c.get("worklog/updated"), "values")
	c.SetFaults(Faults{ClockOffset: -4 * 24 * time.Hour})
	assert.Equal(t, "Fri, 06 Mar 2026 08:00:00 GMT", c.do(http.MethodGet, c.path("myself"), "").Header().Get("Date"))
	assert.Equal(t, "2026-03-06T09:00:00.000+0100", at(c.get("serverInfo"), "serverTime"))
	assert.Greater(t, len(c.search("updated >= -2h")), len(recent))
	assert.Less(t, len(list(c.get("worklog/updated"), "values")), len(feed))
	assert.Equal(t, issue, c.get("issue/%s", all[0]))
	assert.Equal(t, all, c.search(everything))
}

// TestAnonymousSearch checks that a search with wrong credentials is empty, not an error (G9).
func TestAnonymousSearch(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		c := newClient(t, deployment, Account{User: "ada", Token: "secret"})
		c.SetFaults(Faults{AnonymousSearch: true})
		assert.Empty(t, c.search(everything))
		assert.Equal(t, http.StatusUnauthorized, c.status("myself"))
		c.header.Set("Authorization", "Basic YWRhOnNlY3JldA==")
		ids := c.search(everything)
		assert.NotEmpty(t, ids)
		assert.Equal(t, http.StatusOK, c.status("myself"))
		c.header.Set("Authorization", "Basic d3Jvbmc=")
		assert.Equal(t, http.StatusNotFound, c.status("issue/%s", ids[0]))
		assert.Empty(t, list(c.get("worklog/updated"), "values"))
	}
}

// TestCaptcha checks that failed logins lock the account until somebody logs in by hand.
func TestCaptcha(t *testing.T) {
	c := newClient(t, DataCenter, Account{User: "ada", Token: "secret"})
	c.SetFaults(Faults{CaptchaAfter: 3})
	for range 3 {
		assert.Equal(t, http.StatusUnauthorized, c.status("myself"))
	}
	c.header.Set("Authorization", "Basic YWRhOnNlY3JldA==")
	answer := c.do(http.MethodGet, c.path("myself"), "")
	assert.Equal(t, http.StatusForbidden, answer.Code)
	assert.Contains(t, answer.Header().Get("X-Authentication-Denied-Reason"), "CAPTCHA_CHALLENGE")
	c.SetFaults(Faults{CaptchaAfter: 3})
	assert.Equal(t, http.StatusOK, c.status("myself"))
}

// TestFailures checks which requests fail, and with which answers.
func TestFailures(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	codes := func(resource string, n int) (found []int) {
		for range n {
			found = append(found, c.status("%s", resource))
		}
		return found
	}
	const search = "search/jql?jql=updated%3E0"
	c.SetFaults(Faults{Failures: []Failure{
		{Operation: OpSearch, Status: http.StatusForbidden, Skip: 1, Every: 2, Times: 2},
		{Operation: OpMyself, Status: http.StatusUnauthorized},
	}})
	assert.Equal(t, []int{200, 403, 200, 403, 200, 200, 200}, codes(search, 7))
	assert.Equal(t, []int{401, 401}, codes("myself", 2))
	assert.Equal(t, []int{200}, codes("serverInfo", 1))
	c.SetFaults(Faults{Failures: []Failure{{Times: 1}}})
	assert.Equal(t, []int{500, 200}, codes(search, 2))
	c.SetFaults(Faults{Failures: []Failure{{Skip: 2, Times: 1}}})
	assert.Equal(t, []int{200, 200, 500, 200}, codes(search, 4))
	assert.Equal(t, map[Operation]int{OpSearch: 13, OpMyself: 2, OpServerInfo: 1}, c.Requests())

	c.SetFaults(Faults{Failures: []Failure{RateLimited(OpSearch, 7, 1), RateLimited(OpSearch, -1, 1), {Operation: OpSearch, Status: http.StatusGone}}})
	for _, expect := range []struct {
		status     int
		retryAfter string
	}{{http.StatusTooManyRequests, "7"}, {http.StatusTooManyRequests, ""}, {http.StatusGone, ""}} {
		answer := c.do(http.MethodGet, c.path("%s", search), "")
		assert.Equal(t, expect.status, answer.Code)
		assert.Equal(t, expect.retryAfter, answer.Header().Get("Retry-After"))
		assert.NotEmpty(t, list(decoded(t, answer.Body.Bytes()), "errorMessages"))
	}
	c.SetFaults(Faults{Failures: []Failure{LoginPage(OpAny)}})
	answer := c.do(http.MethodGet, c.path("%s", search), "")
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Contains(t, answer.Header().Get("Content-Type"), "text/html")
	assert.True(t, strings.HasPrefix(answer.Body.String(), "<!DOCTYPE html>"))
}

// TestRequestRate checks the 429 of both deployments.
func TestRequestRate(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		c := newClient(t, deployment, Account{})
		c.SetFaults(Faults{RequestsPerSecond: 3})
		accepted, rejected := 0, 0
		for range 60 {
			answer := c.do(http.MethodGet, c.path("serverInfo"), "")
			if answer.Code == http.StatusOK {
				accepted++
				continue
			}
			rejected++
			assert.Equal(t, http.StatusTooManyRequests, answer.Code)
			assert.Equal(t, "1", answer.Header().Get("Retry-After"))
			assert.Equal(t, deployment == DataCenter, strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html"))
		}
		assert.GreaterOrEqual(t, accepted, 3)
		assert.Positive(t, rejected)
	}
}

// TestConnections checks the faults that only a socket shows.
func TestConnections(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	server := httptest.NewServer(c)
	defer server.Close()
	get := func() (int, []byte, error) {
		response, err := http.Get(server.URL + c.path("myself"))
		if err != nil {
			return 0, nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, body, err
	}
	status, right, err := get()
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)

	c.SetFaults(Faults{Failures: []Failure{{Drop: true}}})
	_, _, err = get()
	assert.Error(t, err)
	c.SetFaults(Faults{Failures: []Failure{{Cut: 10}}})
	status, body, err := get()
	assert.Equal(t, http.StatusOK, status)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, right[:10], body)

	const latency = 100 * time.Millisecond
	c.SetFaults(Faults{Latency: latency})
	began := time.Now()
	_, body, err = get()
	require.NoError(t, err)
	assert.Equal(t, right, body)
	assert.GreaterOrEqual(t, time.Since(began), latency)
}

// TestConcurrentRequests lets the time and the faults change during requests.
func TestConcurrentRequests(t *testing.T) {
	c := newClient(t, Cloud, Account{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 20 {
			c.SetNow(start.AddDate(0, 0, n))
			c.SetFaults(Faults{VanishPerPage: n})
		}
	}()
	for range 20 {
		assert.Equal(t, http.StatusOK, c.status("search/jql?jql=updated%%3E0"))
	}
	<-done
}
