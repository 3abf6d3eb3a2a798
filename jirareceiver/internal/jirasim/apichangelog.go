// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// changelogPage answers with a page of the changelog of an issue, oldest first.
func (c *call) changelogPage() (any, error) {
	i, err := c.pathIssue()
	if err != nil {
		return nil, err
	}
	startAt, size, err := c.limits(changelogPage, changelogPage)
	if err != nil {
		return nil, err
	}
	histories := c.histories(i)
	if c.faults.EmptyChangelog {
		histories = nil
	}
	page := pageOf(histories, startAt, size)
	return object{
		"self": c.site.rest("issue/%d/changelog?maxResults=%d&startAt=%d", i.id, size, startAt), "startAt": startAt, "maxResults": size,
		"total": len(histories), "isLast": startAt+len(page) >= len(histories), "values": c.historyBodies(i, page),
	}, nil
}

// changelogList answers with the histories of an issue that have the given ids.
func (c *call) changelogList() (any, error) {
	i, err := c.pathIssue()
	if err != nil {
		return nil, err
	}
	var wanted struct {
		ChangelogIDs []int `json:"changelogIds"`
	}
	if err := c.decode(&wanted); err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(c.histories(i), func(h history) bool { return !slices.Contains(wanted.ChangelogIDs, h.id) })
	return object{
		"startAt": 0, "maxResults": len(found), "total": len(found), "isLast": true, "histories": c.historyBodies(i, found),
	}, nil
}

// bulkChangelog is a request for the changelogs of many issues.
type bulkChangelog struct {
	IssueIDsOrKeys []string `json:"issueIdsOrKeys"`
	FieldIDs       []string `json:"fieldIds"`
	MaxResults     *int     `json:"maxResults"`
	NextPageToken  string   `json:"nextPageToken"`
}

func (b bulkChangelog) validate() error {
	if n := len(b.IssueIDsOrKeys); n == 0 || n > bulkSimple {
		return badRequest("The number of issues must be between 1 and %d.", bulkSimple)
	}
	if len(b.FieldIDs) > bulkFieldIDs {
		return badRequest("The number of fields must be at most %d.", bulkFieldIDs)
	}
	if b.MaxResults != nil && (*b.MaxResults < 1 || *b.MaxResults > bulkHistories) {
		return badRequest("The maxResults parameter must be between 1 and %d.", bulkHistories)
	}
	return nil
}

// issueHistory is a history with its issue.
type issueHistory struct {
	history
	of *issue
}

// changelogBulk answers with a page of the changelogs of many issues, sorted by time and then by issue.
func (c *call) changelogBulk() (any, error) {
	var wanted bulkChangelog
	if err := c.decode(&wanted); err != nil {
		return nil, err
	}
	if err := wanted.validate(); err != nil {
		return nil, err
	}
	from, size := 0, bulkSimple
	if wanted.MaxResults != nil {
		size = *wanted.MaxResults
	}
	if wanted.NextPageToken != "" {
		token, err := c.readToken(wanted.NextPageToken, wanted.text())
		if err != nil {
			return nil, err
		}
		from = token.Offset
	}
	all := c.bulkHistories(wanted)
	page := pageOf(all, from, size)
	answer := object{"issueChangeLogs": c.grouped(page)}
	if end := from + len(page); end < len(all) {
		answer["nextPageToken"] = pageToken{Query: hashOf(wanted.text()), Issued: c.now, Offset: end}.encode()
	}
	return answer, nil
}

// text returns the text to which a page token belongs.
func (b bulkChangelog) text() string {
	return strings.Join(b.IssueIDsOrKeys, ",") + " " + strings.Join(b.FieldIDs, ",")
}

func (c *call) bulkHistories(wanted bulkChangelog) []issueHistory {
	var all []issueHistory
	found, _ := c.issues(wanted.IssueIDsOrKeys)
	for _, i := range found {
		for _, h := range c.histories(i) {
			if len(wanted.FieldIDs) > 0 {
				h.changes = slices.DeleteFunc(slices.Clone(h.changes), func(one change) bool {
					return !slices.Contains(wanted.FieldIDs, one.id)
				})
			}
			if len(h.changes) > 0 {
				all = append(all, issueHistory{h, i})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b issueHistory) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.of.id, b.of.id))
	})
	return all
}

// grouped returns the histories of a page by issue. Their times are numbers.
func (c *call) grouped(page []issueHistory) []object {
	groups, byIssue := []object{}, map[int]object{}
	for _, h := range page {
		group := byIssue[h.of.id]
		if group == nil {
			group = object{"issueId": strconv.Itoa(h.of.id), "changeHistories": []object{}}
			byIssue[h.of.id] = group
			groups = append(groups, group)
		}
		body := c.historyBody(h.history)
		body["created"] = h.at.UnixMilli()
		if c.faults.EpochSeconds {
			body["created"] = h.at.Unix()
		}
		group["changeHistories"] = append(group["changeHistories"].([]object), body)
	}
	return groups
}
