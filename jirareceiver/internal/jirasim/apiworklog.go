// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// comments answers with a page of the comments of an issue. Data Center returns all comments if the request has no
// maxResults.
func (c *call) comments() (any, error) {
	i, err := c.pathIssue()
	if err != nil {
		return nil, err
	}
	largest := commentPage
	if c.site.Deployment == DataCenter {
		largest = noLimit
	}
	startAt, size, err := c.limits(largest, largest)
	if err != nil {
		return nil, err
	}
	bodies := c.commentBodies(i)
	switch order := c.request.URL.Query().Get("orderBy"); strings.TrimSpace(order) { // a plus sign is a space
	case "", "created", "+created":
	case "-created":
		slices.Reverse(bodies)
	default:
		return nil, badRequest("The orderBy parameter '%s' is not supported.", order)
	}
	if c.site.Deployment == DataCenter {
		size = min(size, len(bodies))
	}
	return object{"startAt": startAt, "maxResults": size, "total": len(bodies), "comments": pageOf(bodies, startAt, size)}, nil
}

// worklogs answers with a page of the worklogs of an issue, or with the oldest ones on Data Center.
func (c *call) worklogs() (any, error) {
	i, err := c.pathIssue()
	if err != nil {
		return nil, err
	}
	startAt, size, err := c.limits(worklogPage, worklogPage)
	if err != nil {
		return nil, err
	}
	if c.site.Deployment == DataCenter {
		startAt, size = 0, worklogPage
	}
	existing := i.existingWorklogs()
	return object{
		"startAt": startAt, "maxResults": size, "total": len(existing),
		"worklogs": c.worklogBodies(pageOf(existing, startAt, size)),
	}, nil
}

func (c *call) updatedWorklogs() (any, error) { return c.worklogFeed("updated") }
func (c *call) deletedWorklogs() (any, error) { return c.worklogFeed("deleted") }

// worklogFeed answers with the worklogs that were updated or deleted at or after a time, oldest first, without the last
// minute. A page also contains all worklogs with the time of its last one.
func (c *call) worklogFeed(which string) (any, error) {
	millis, err := c.number("since", 0)
	if err != nil {
		return nil, err
	}
	since := time.UnixMilli(int64(millis))
	found := slices.DeleteFunc(c.source.feed(since, c.clock.Add(-feedDelay), which == "deleted", feedPage+1), func(w *worklog) bool {
		return c.issue(strconv.Itoa(w.issue.id)) == nil
	})
	end := min(feedPage, len(found))
	for end > 0 && end < len(found) && found[end].changed().Equal(found[end-1].changed()) {
		end++
	}
	until, values := since, []object{}
	for _, w := range found[:end] {
		until = w.changed()
		values = append(values, object{"worklogId": w.id, "updatedTime": until.UnixMilli(), "properties": []object{}})
	}
	return object{
		"values": values, "since": since.UnixMilli(), "until": until.UnixMilli(), "lastPage": end == len(found),
		"self":     c.site.rest("worklog/%s?since=%d", which, since.UnixMilli()),
		"nextPage": c.site.rest("worklog/%s?since=%d", which, until.UnixMilli()),
	}, nil
}

// worklogList answers with the worklogs that exist.
func (c *call) worklogList() (any, error) {
	var wanted struct {
		IDs []int `json:"ids"`
	}
	if err := c.decode(&wanted); err != nil {
		return nil, err
	}
	if len(wanted.IDs) > feedPage {
		return nil, badRequest("At most %d worklogs can be requested.", feedPage)
	}
	var found []*worklog
	for _, id := range wanted.IDs {
		if w := c.source.worklog(id); w != nil && c.issue(strconv.Itoa(w.issue.id)) != nil {
			found = append(found, w)
		}
	}
	return c.worklogBodies(found), nil
}
