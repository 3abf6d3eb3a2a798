// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// The operations.
const (
	OperationServerInfo     Operation = "server_info"
	OperationMyself         Operation = "myself"
	OperationFields         Operation = "fields"
	OperationSearch         Operation = "search"
	OperationIssues         Operation = "issues"     // issue/bulkfetch
	OperationIssue          Operation = "issue"      // issue/ID
	OperationChangelog      Operation = "changelog"  // issue/ID/changelog
	OperationChangelogs     Operation = "changelogs" // changelog/bulkfetch
	OperationComments       Operation = "comments"
	OperationWorklogs       Operation = "worklogs"
	OperationWorklogDeleted Operation = "worklog_deleted"
)

// The largest pages that Jira returns.
const (
	maxIDs       = 5000 // search/jql without fields
	maxIssues    = 100  // issue/bulkfetch
	maxHistories = 100  // issue/ID/changelog
	maxBulk      = 1000 // histories of changelog/bulkfetch, whose answer would have 10,000 at most
	maxComments  = 100  // issue/ID/comment
	maxWorklogs  = 1000 // issue/ID/worklog
)

// api is the start of the paths of all requests.
const api = "/rest/api/2/"

// Deployment is the product that runs a Jira.
type Deployment string

// The deployments.
const (
	Cloud      Deployment = "cloud"
	DataCenter Deployment = "data_center" // also Jira Server
)

// ServerInfo describes the Jira of a client.
type ServerInfo struct {
	Deployment Deployment
	Version    string    // such as 10.3.1
	Versions   []int64   // numbers of the version
	BaseURL    string    // address of the site, also behind the API gateway
	Time       time.Time // time of Jira's clock
}

// ServerInfo asks for the deployment, the version and the time of Jira. The answer needs no permission, and does not
// prove that the credentials are valid.
func (c *Client) ServerInfo(ctx context.Context) (ServerInfo, error) {
	var info jira.ServerInfo
	var date time.Time
	req := get(OperationServerInfo, "serverInfo", nil, into(&info, jira.DecodeServerInfo))
	req.onAnswer = func(h http.Header) { date, _ = http.ParseTime(h.Get("Date")) }
	if err := c.do(ctx, req); err != nil {
		return ServerInfo{}, err
	}
	if info.Time.IsZero() {
		info.Time = date.UTC()
	}
	result := ServerInfo{DataCenter, info.Version, info.Versions, info.BaseURL, info.Time}
	if info.BaseURL == "" || info.Time.IsZero() {
		return ServerInfo{}, req.fail(KindUnexpected, errors.New("the answer has no base URL or no time"))
	}
	if info.Deployment == "Cloud" {
		result.Deployment = Cloud
	}
	return result, nil
}

// Myself returns the account of the credentials. Searches with wrong credentials may succeed and find nothing, so only
// the success of Myself proves that the account can read.
func (c *Client) Myself(ctx context.Context) (jira.User, error) {
	var user jira.User
	req := get(OperationMyself, "myself", nil, into(&user, jira.DecodeUser))
	if err := c.do(ctx, req); err != nil {
		return jira.User{}, err
	}
	if user.AccountID == "" && user.Name == "" && user.Key == "" {
		return jira.User{}, req.fail(KindUnauthorized, errors.New("the answer contains no account"))
	}
	return user, nil
}

// Fields returns the fields of issues. The ids of custom fields differ from site to site, and their types do not.
func (c *Client) Fields(ctx context.Context) ([]jira.FieldInfo, error) {
	var fields []jira.FieldInfo
	err := c.do(ctx, get(OperationFields, "field", nil, into(&fields, jira.DecodeFields)))
	return fields, err
}

// get returns a GET request.
func get(operation Operation, path string, query url.Values, decode func(io.Reader) error) request {
	return request{operation: operation, method: http.MethodGet, path: api + path, query: query, decode: decode}
}

// post returns a POST request with a body in JSON.
func post(operation Operation, path string, body any, decode func(io.Reader) error) request {
	return request{operation: operation, method: http.MethodPost, path: api + path, body: body, decode: decode}
}

// into returns a function that decodes an answer into target.
func into[T any](target *T, decode func(io.Reader) (T, error)) func(io.Reader) error {
	return func(r io.Reader) (err error) {
		*target, err = decode(r)
		return err
	}
}

// millis returns a time as the milliseconds since the epoch, the only form that Jira does not read in the time zone of
// the account. It is at least 1, because a search needs a lower bound.
func millis(t time.Time) string { return strconv.FormatInt(max(1, t.UnixMilli()), 10) }

func offset(startAt, maxResults int64) url.Values {
	return url.Values{"startAt": {strconv.FormatInt(startAt, 10)}, "maxResults": {strconv.FormatInt(maxResults, 10)}}
}

// issuePath returns the path of a resource of an issue. The id is not trusted to be one part of a path.
func issuePath(id, resource string) string { return "issue/" + url.PathEscape(id) + resource }

// ids returns the ids of the issues that match the JQL, in its order. Jira Cloud only: POST search/jql returns up to
// 5,000 ids and a token for the next page, which belongs to the same JQL.
func (c *Client) ids(ctx context.Context, jql string) iter.Seq2[jira.Snapshot, error] {
	return tokenPages(ctx, c, func(token string, page *jira.Page[jira.Snapshot]) request {
		body := struct { // Jira Cloud does not accept unknown members
			JQL           string   `json:"jql"`
			Fields        []string `json:"fields"`
			MaxResults    int      `json:"maxResults"`
			NextPageToken string   `json:"nextPageToken,omitempty"`
		}{jql, []string{"id"}, maxIDs, token}
		return post(OperationSearch, "search/jql", body, into(page, c.opts.Decoder.DecodeSnapshots))
	})
}

// search reads a page of whole issues. Data Center only: POST search.
func (c *Client) search(ctx context.Context, body searchBody) (jira.Page[jira.Snapshot], error) {
	var page jira.Page[jira.Snapshot]
	err := c.do(ctx, post(OperationSearch, "search", body, into(&page, c.opts.Decoder.DecodeSnapshots)))
	return page, err
}

type searchBody struct {
	JQL        string   `json:"jql"`
	StartAt    int      `json:"startAt"`
	MaxResults int      `json:"maxResults"`
	Fields     []string `json:"fields"`
	Expand     []string `json:"expand,omitempty"`
}

// bulkFetch reads up to 100 issues by id. The answer contains only issues that exist and that the account can browse.
// Jira Cloud only.
func (c *Client) bulkFetch(ctx context.Context, ids, fields, expand []string) ([]jira.Snapshot, error) {
	var page jira.Page[jira.Snapshot]
	body := struct {
		IDs    []string `json:"issueIdsOrKeys"`
		Fields []string `json:"fields"`
		Expand []string `json:"expand,omitempty"`
	}{ids, fields, expand}
	err := c.do(ctx, post(OperationIssues, "issue/bulkfetch", body, into(&page, c.opts.Decoder.DecodeSnapshots)))
	return page.Entries, err
}

// issue reads an issue by id. It does not depend on the search index.
func (c *Client) issue(ctx context.Context, id string, fields, expand []string) (jira.Snapshot, error) {
	var s jira.Snapshot
	query := url.Values{"fields": {strings.Join(fields, ",")}}
	if len(expand) > 0 {
		query.Set("expand", strings.Join(expand, ","))
	}
	err := c.do(ctx, get(OperationIssue, issuePath(id, ""), query, into(&s, c.opts.Decoder.DecodeSnapshot)))
	return s, err
}

// Changelogs returns the histories of up to 1,000 issues. Jira Cloud only. There may be several entries for an issue,
// and there is none for an issue without histories.
func (c *Client) Changelogs(ctx context.Context, ids []string) iter.Seq2[jira.IssueHistories, error] {
	return tokenPages(ctx, c, func(token string, page *jira.Page[jira.IssueHistories]) request {
		body := struct {
			IDs           []string `json:"issueIdsOrKeys"`
			MaxResults    int      `json:"maxResults"`
			NextPageToken string   `json:"nextPageToken,omitempty"`
		}{ids, maxBulk, token}
		return post(OperationChangelogs, "changelog/bulkfetch", body, into(page, jira.DecodeIssueHistories))
	})
}

// changelogPage reads up to 100 histories of an issue, oldest first. Jira Cloud only.
func (c *Client) changelogPage(ctx context.Context, id string, startAt int64) (jira.Page[jira.History], error) {
	var page jira.Page[jira.History]
	query := offset(startAt, maxHistories)
	err := c.do(ctx, get(OperationChangelog, issuePath(id, "/changelog"), query, into(&page, jira.DecodeHistories)))
	return page, err
}

// Comments returns all comments of an issue, oldest first. Jira returns only the last edit of a comment, and cannot
// filter comments by time.
func (c *Client) Comments(ctx context.Context, id string) iter.Seq2[jira.Comment, error] {
	return offsetPages(ctx, c, func(startAt int64, page *jira.Page[jira.Comment]) request {
		query := offset(startAt, maxComments)
		query.Set("orderBy", "created")
		return get(OperationComments, issuePath(id, "/comment"), query, into(page, jira.DecodeComments))
	}, func(comment jira.Comment) string { return comment.ID })
}

// Worklogs returns all worklogs of an issue that the account can read, oldest first. Data Center may return no more
// than the oldest 5,000.
func (c *Client) Worklogs(ctx context.Context, id string) iter.Seq2[jira.Worklog, error] {
	return offsetPages(ctx, c, func(startAt int64, page *jira.Page[jira.Worklog]) request {
		query := offset(startAt, maxWorklogs)
		return get(OperationWorklogs, issuePath(id, "/worklog"), query, into(page, jira.DecodeWorklogs))
	}, func(worklog jira.Worklog) string { return worklog.ID })
}

// WorklogsDeleted returns the ids of the worklogs that were deleted at or after a time, oldest deletion first, with the
// time of the deletion, up to 1,000 on a page. Jira leaves out the last minute. The next page starts where this page ends.
// The client does not use the address in nextPage, which may be that of another host.
func (c *Client) WorklogsDeleted(ctx context.Context, since time.Time) iter.Seq2[jira.WorklogChange, error] {
	const path = "worklog/deleted"
	return func(yield func(jira.WorklogChange, error) bool) {
		seen := map[jira.WorklogChange]bool{} // pages may share the changes of one millisecond
		from := max(1, since.UnixMilli())
		for range maxPages {
			var page jira.Page[jira.WorklogChange]
			query := url.Values{"since": {strconv.FormatInt(from, 10)}}
			req := get(OperationWorklogDeleted, path, query, into(&page, jira.DecodeWorklogChanges))
			if err := c.do(ctx, req); err != nil {
				yield(jira.WorklogChange{}, err)
				return
			}
			for _, change := range page.Entries {
				if change.ID == "" || seen[change] {
					continue
				}
				seen[change] = true
				if !yield(change, nil) {
					return
				}
			}
			if page.IsLast == nil || *page.IsLast {
				return
			}
			if page.Until.UnixMilli() <= from {
				yield(jira.WorklogChange{}, req.fail(KindUnexpected, errNoProgress))
				return
			}
			from = page.Until.UnixMilli()
		}
		req := get(OperationWorklogDeleted, path, nil, nil)
		yield(jira.WorklogChange{}, req.fail(KindUnexpected, errTooManyPages))
	}
}
