// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Source reads the changes of one Jira, of Jira Cloud or of Data Center. All errors are of type *[Error]; an iterator
// ends after its first error, and the caller must then not take its entries for all.
//
// A source never asks for an upper bound of a time, never sends a time that Jira would read in the time zone of the
// account, and never takes the absence of an issue for its deletion.
type Source interface {
	// ServerInfo returns the time of Jira's clock, and proves that the endpoint is a Jira.
	ServerInfo(ctx context.Context) (ServerInfo, error)

	// Myself returns the account, and proves that the credentials are valid.
	Myself(ctx context.Context) (jira.User, error)

	// CheckBounds proves that the site reads the bounds of a search: nothing has changed a day after now. It returns an
	// error of kind KindUnexpected if Jira finds an issue.
	CheckBounds(ctx context.Context, now time.Time) error

	// Changed returns the issues that the query describes, whole, in the order of their creation. A caller that was
	// interrupted goes on with Query.CreatedFrom. An empty result is returned only after Myself has succeeded.
	//
	// On Jira Cloud, the search index may be minutes behind. An issue that the index does not show yet is missing, but
	// the contents of returned issues are current.
	Changed(ctx context.Context, query Query) iter.Seq2[Issue, error]

	// WorklogsDeleted returns the deleted worklogs of the whole site. It leaves out the last minute.
	WorklogsDeleted(ctx context.Context, since time.Time) iter.Seq2[jira.WorklogChange, error]
}

// Contents selects what a source reads of issues, besides their fields.
type Contents struct {
	Changelog bool
	Comments  bool
	Worklogs  bool
	// Fields are the ids of further fields, such as custom fields.
	Fields []string
}

// Source returns the source for a deployment, which ServerInfo has returned.
func (c *Client) Source(deployment Deployment, contents Contents) Source {
	r := reader{Client: c, contents: contents, fields: contents.fields()}
	if contents.Changelog {
		r.expand = []string{"changelog"}
	}
	if deployment == Cloud {
		return cloud{r}
	}
	return dataCenter{r}
}

// Query describes a set of issues.
type Query struct {
	// Since is the lower bound of the time of the last change, with milliseconds. The zero time asks for all issues.
	Since time.Time
	// CreatedFrom is the lower bound of the time of creation, or zero. It is the time of creation of the last issue
	// that an interrupted caller has handled; this issue is returned again.
	CreatedFrom time.Time
	// HistorySince permits the source to leave out histories before this time. The zero time asks for all.
	HistorySince time.Time
	// Projects are keys of projects, or empty for all.
	Projects []string
	// JQL is a further restriction, without ORDER BY, or "".
	JQL string
	// OnTotal is called with the number of issues before the first issue is returned, and again when Data Center counts
	// anew. It may be nil.
	OnTotal func(issues int)
}

// Issue is an issue with its history: an entry of a changelog for each change, ordered by time and id.
type Issue struct {
	jira.Snapshot

	// IsMissing means that Jira returned nothing but the id: the issue is deleted, archived, in the trash, or hidden
	// from the account. Jira does not return which.
	IsMissing bool
	// IsIncomplete means that Jira announced more histories, comments or worklogs than it returned, or returned no list of them.
	IsIncomplete bool
}

// baseFields are the fields of issues that records use.
var baseFields = []string{
	"summary", "description", "labels", "components", "fixVersions", "versions", "created", "updated", "resolutiondate",
	"duedate", "issuetype", "status", "statuscategorychangedate", "priority", "resolution", "security", "parent",
	"issuelinks", "subtasks", "assignee", "reporter", "creator", "project", "attachment",
}

// The fields that are lists with pages. An issue contains a part of them.
const (
	fieldComments = "comment"
	fieldWorklogs = "worklog"
)

func (c Contents) fields() []string {
	fields := slices.Clone(baseFields)
	if c.Comments {
		fields = append(fields, fieldComments)
	}
	if c.Worklogs {
		fields = append(fields, fieldWorklogs)
	}
	return append(fields, c.Fields...)
}

// reader is the common part of both sources.
type reader struct {
	*Client
	contents Contents
	fields   []string
	expand   []string
}

// withoutLists returns the fields without the lists that have pages.
func (r reader) withoutLists() []string {
	return slices.DeleteFunc(slices.Clone(r.fields), func(field string) bool {
		return field == fieldComments || field == fieldWorklogs
	})
}

// softwareFields are the types of the fields of Jira Software that records use: the sprints of an issue and its flag,
// which has the type of all fields with check boxes.
var softwareFields = []string{
	"com.pyxis.greenhopper.jira:gh-sprint", "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes",
}

// SoftwareFields returns the ids of the fields that may contain sprints and flags, for [Contents.Fields].
func SoftwareFields(fields []jira.FieldInfo) (ids []string) {
	for _, field := range fields {
		if slices.Contains(softwareFields, field.Type) {
			ids = append(ids, field.ID)
		}
	}
	return ids
}

// jql returns the search for a query. Its conditions are lower bounds in milliseconds, and its order is that of the
// creation: issues that change while pages are read do not move.
func (q Query) jql() string {
	conditions := []string{"updated >= " + millis(q.Since)}
	if !q.CreatedFrom.IsZero() {
		conditions = append(conditions, "created >= "+millis(q.CreatedFrom))
	}
	if len(q.Projects) > 0 {
		quoted := make([]string, 0, len(q.Projects))
		for _, key := range q.Projects {
			quoted = append(quoted, `"`+jqlEscapes.Replace(key)+`"`)
		}
		conditions = append(conditions, "project in ("+strings.Join(quoted, ", ")+")")
	}
	if jql := strings.TrimSpace(q.JQL); jql != "" {
		conditions = append(conditions, "("+jql+")")
	}
	return strings.Join(conditions, " AND ") + " ORDER BY created ASC, key ASC"
}

var jqlEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (q Query) reportTotal(issues int) {
	if q.OnTotal != nil {
		q.OnTotal(issues)
	}
}

// ErrIgnoredBound is the cause of the error of a site that does not read the bounds of searches, so that polling is
// impossible.
var ErrIgnoredBound = errors.New(
	"a search for changes of the future finds an issue; the site does not read times in milliseconds")

// boundsQuery finds nothing on a site that reads its bound.
func boundsQuery(now time.Time) string { return Query{Since: now.Add(24 * time.Hour)}.jql() }

// finish orders the histories and returns the issue.
func finish(s jira.Snapshot, isIncomplete bool) Issue {
	slices.SortFunc(s.Histories, jira.CompareHistories)
	return Issue{Snapshot: s, IsIncomplete: isIncomplete}
}

// completeLists reads the comments and the worklogs if the issue does not contain all of them. It returns false if Jira
// does not return them any more.
func (r reader) completeLists(ctx context.Context, s *jira.Snapshot) (isComplete bool, err error) {
	hasComments, err := complete(r.contents.Comments, &s.Comments, &s.CommentTotal, r.Comments(ctx, s.Issue.ID))
	if err != nil {
		return false, err
	}
	hasWorklogs, err := complete(r.contents.Worklogs, &s.Worklogs, &s.WorklogTotal, r.Worklogs(ctx, s.Issue.ID))
	return hasComments && hasWorklogs, err
}

// complete replaces a list by all its entries if it is wanted and not complete.
func complete[T any](isWanted bool, list *[]T, total **int64, all iter.Seq2[T, error]) (isComplete bool, err error) {
	if !isWanted || *total != nil && int64(len(*list)) >= **total {
		return true, nil
	}
	var entries []T
	for entry, err := range all {
		if KindOf(err) == KindNotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		entries = append(entries, entry)
	}
	count := int64(len(entries))
	*list, *total = entries, &count
	return true, nil
}
