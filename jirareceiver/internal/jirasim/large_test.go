// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLargeSite compares searches with the contents of all issues of a site that is not large.
func TestLargeSite(t *testing.T) {
	const issues, perHour, hours = 300, 60, 20
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		c := wrap(t, NewLargeAPI(LargeSite{Site: Site{Deployment: deployment, Start: start}, Issues: issues, ChangesPerHour: perHour}, Account{}))
		c.SetNow(start.Add(hours*time.Hour - time.Millisecond))
		ids := c.search(everything)
		assert.Len(t, ids, issues)
		read := map[any]any{}
		changes, comments, worklogs := 0, 0, 0
		for _, id := range ids {
			i := c.get("issue/%s?expand=changelog", id)
			read[id] = i
			assert.Equal(t, i, c.get("issue/%s?expand=changelog", at(i, "key")))
			changes += len(list(i, "changelog", "histories"))
			comments += len(list(i, "fields", "comment", "comments"))
			worklogs += len(list(i, "fields", "worklog", "worklogs"))
		}
		assert.Equal(t, perHour*hours, changes+comments+worklogs, "changes")
		assert.InDelta(t, 0.7*perHour*hours, changes, 10)
		assert.InDelta(t, 0.2*perHour*hours, comments, 10)
		feed := list(c.get("worklog/updated"), "values")
		assert.Len(t, feed, worklogs)
		first := at(feed, 0, "worklogId")
		listed := c.post("worklog/list", object{"ids": []any{first, 17}})
		assert.Equal(t, fmt.Sprintf("%.0f", first), at(listed, 0, "id"))
		assert.Empty(t, list(c.get("worklog/deleted"), "values"))

		for _, since := range []time.Duration{0, 10 * time.Hour, 19*time.Hour + 30*time.Minute, 20 * time.Hour} {
			var expect []any
			for _, id := range ids {
				updated, _ := time.Parse(timeFormat, at(read[id], "fields", "updated").(string))
				if !updated.Before(start.Add(since)) {
					expect = append(expect, id)
				}
			}
			found := c.search(fmt.Sprintf("updated >= %d ORDER BY created", start.Add(since).UnixMilli()))
			assert.Equal(t, expect, found, since)
		}
		created, _ := time.Parse(timeFormat, at(read[ids[100]], "fields", "created").(string))
		found := c.search(fmt.Sprintf("created >= %d AND updated >= 0 ORDER BY created", created.UnixMilli()))
		assert.Equal(t, ids[100:], found)
		assert.Empty(t, c.search(fmt.Sprintf("updated >= %d ORDER BY created", start.AddDate(1, 0, 0).UnixMilli())), "the future")
		c.SetNow(start.Add(-150*time.Minute - time.Second))
		assert.Equal(t, ids[:150], c.search(everything), "the other ones do not exist yet")
	}
}

// TestLargeSiteChains checks that the changelog of an issue leads to its status, and that nothing depends on the time
// of the request but later changes.
func TestLargeSiteChains(t *testing.T) {
	l := newLarge(LargeSite{Site: Site{Start: start}, Issues: 7, ChangesPerHour: 100})
	l.catchUp(start.Add(10 * time.Hour))
	for n := range 7 {
		i, was := l.read(n), toDo.id
		for _, h := range i.histories {
			assert.Equal(t, was, h.changes[0].from)
			was = h.changes[0].to
		}
		assert.Equal(t, i.status.id, was)
		l.catchUp(start.Add(20 * time.Hour))
		assert.Equal(t, i.histories, l.read(n).histories[:len(i.histories)])
		l.catchUp(start.Add(10 * time.Hour))
	}
	assert.Nil(t, l.find("NO-1"))
	assert.Nil(t, l.find("OPS-2"), "the second issue is in WEB")
	assert.NotNil(t, l.find("WEB-2"))
	assert.Nil(t, l.find(strconv.Itoa(largeIssueID+7)))
	l.catchUp(start.Add(-time.Hour))
	assert.Nil(t, l.find("WEB-2"), "not created yet")
}

// TestLargeSiteDeliveries checks that each change has one delivery, with the ids and the times of the REST side.
func TestLargeSiteDeliveries(t *testing.T) {
	const changes = 100
	site := LargeSite{Site: Site{Start: start}, Issues: 7, ChangesPerHour: 100, Changes: changes}
	c := wrap(t, NewLargeAPI(site, Account{}))
	c.SetNow(start.Add(1000 * time.Hour))
	c.SetFaults(Faults{Caps: Caps{Histories: changes, Comments: changes, Worklogs: changes}})
	onREST := map[string]string{} // times by ids
	for _, id := range c.search(everything) {
		i := c.get("issue/%s?expand=changelog", id)
		for _, lists := range [][]any{
			list(i, "changelog", "histories"), list(i, "fields", "comment", "comments"), list(i, "fields", "worklog", "worklogs"),
		} {
			for _, change := range lists {
				onREST[at(change, "id").(string)] = at(change, "created").(string)
			}
		}
	}
	assert.Len(t, onREST, changes, "nothing happens after the last change")

	byWebhook, ids := map[string]string{}, map[string]bool{}
	for d := range site.Deliveries(0, changes) {
		var body object
		require.NoError(t, json.Unmarshal(d.Body, &body))
		change, found := body["changelog"], false
		for _, member := range []string{"comment", "worklog"} {
			if one, is := body[member]; is {
				change, found = one, true
				assert.Equal(t, at(one, "created"), d.At.Format(timeFormat))
			}
		}
		assert.NotEqual(t, found, body["webhookEvent"] == "jira:issue_updated")
		byWebhook[at(change, "id").(string)] = d.At.Format(timeFormat)
		ids[d.ID] = true
	}
	assert.Equal(t, onREST, byWebhook)
	assert.Len(t, ids, changes)
	assert.Len(t, slices.Collect(site.Deliveries(60, 70)), 10)
}

// TestLargeSiteIsQuick checks that a site of 1,000,000 issues needs little memory, and that a poll needs little time.
func TestLargeSiteIsQuick(t *testing.T) {
	c := wrap(t, NewLargeAPI(LargeSite{Site: Site{Start: start}}, Account{}))
	c.SetNow(start.Add(1000 * time.Hour))
	began := time.Now()
	ids := c.search(fmt.Sprintf("updated >= %d ORDER BY created", start.Add(1000*time.Hour-15*time.Minute).UnixMilli()))
	assert.Len(t, ids, 501)
	assert.Len(t, slices.Compact(slices.Clone(ids)), 501)
	page := c.post("search/jql", object{"jql": everything, "maxResults": 5000})
	assert.Len(t, list(page, "issues"), 5000)
	page = c.post("search/jql", object{"jql": everything, "maxResults": 5000, "nextPageToken": at(page, "nextPageToken")})
	assert.Equal(t, strconv.Itoa(largeIssueID+5000), at(page, "issues", 0, "id"))
	assert.Len(t, list(c.post("issue/bulkfetch", object{"issueIdsOrKeys": ids[:100], "expand": []string{"changelog"}}), "issues"), 100)
	assert.Less(t, time.Since(began), 30*time.Second)

	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	const megabyte = 1 << 20
	assert.Less(t, memory.HeapAlloc, uint64(100*megabyte))
}
