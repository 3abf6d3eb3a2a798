// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// fieldSet contains the names of the fields that a request asks for.
type fieldSet []string

func newFieldSet(names []string, missing string) fieldSet {
	var set fieldSet
	for _, list := range names {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				set = append(set, name)
			}
		}
	}
	if len(set) == 0 {
		return fieldSet{missing}
	}
	return set
}

// onlyID reports whether an answer contains nothing but ids.
func (f fieldSet) onlyID() bool {
	return !slices.ContainsFunc(f, func(name string) bool { return name != "id" })
}

// light reports whether an answer contains only ids and keys.
func (f fieldSet) light() bool {
	return !slices.ContainsFunc(f, func(name string) bool { return name != "id" && name != "key" })
}

// notNavigable are fields that only *all or their name contains.
var notNavigable = []string{"comment", "worklog", "attachment"}

// heavy are fields with lists of objects.
var heavy = append([]string{"*all", "*navigable", "issuelinks"}, notNavigable...)

func (f fieldSet) contains(name string) bool {
	switch {
	case slices.Contains(f, "-"+name):
		return false
	case slices.Contains(f, name) || slices.Contains(f, "*all"):
		return true
	default:
		return slices.Contains(f, "*navigable") && !slices.Contains(notNavigable, name)
	}
}

// issue returns an issue that the account can read, or nil.
func (c *call) issue(idOrKey string) *issue {
	i := c.source.find(idOrKey)
	if i == nil || c.anonymous || slices.Contains(c.faults.Hidden, i.id) || c.hiddenProject(i.project) {
		return nil
	}
	return i
}

// pathIssue returns the issue that the path names.
func (c *call) pathIssue() (*issue, error) {
	if i := c.issue(c.request.PathValue("issue")); i != nil {
		return i, nil
	}
	return nil, notFound()
}

// issueBody returns an issue as it is now.
func (c *call) issueBody(i *issue, fields fieldSet, changelog bool, caps Caps) object {
	body := c.site.issue(i)
	body["self"] = c.site.rest("issue/%d", i.id)
	body["expand"] = "operations,versionedRepresentations,editmeta,changelog,renderedFields"
	all := body["fields"].(object)
	c.addLists(all, i, caps)
	for name := range all {
		if !fields.contains(name) {
			delete(all, name)
		}
	}
	if n := c.faults.NoUpdated; n > 0 && i.id%n == 0 {
		delete(all, "updated")
	}
	if len(all) == 0 {
		delete(body, "fields")
	}
	if changelog {
		body["changelog"] = c.expandedChangelog(i, caps.Histories)
	}
	return body
}

// addLists adds the fields that only REST answers contain. Comments and worklogs may be incomplete: the oldest ones,
// and worklogs in no order that Jira promises.
func (c *call) addLists(fields object, i *issue, caps Caps) {
	comments := c.commentBodies(i)
	fields["comment"] = object{
		"self": c.site.rest("issue/%d/comment", i.id), "startAt": 0, "total": len(comments),
		"comments": pageOf(comments, 0, caps.Comments), "maxResults": min(len(comments), caps.Comments),
	}
	existing := i.existingWorklogs()
	worklogs := c.worklogBodies(pageOf(existing, 0, caps.Worklogs))
	slices.Reverse(worklogs)
	fields["worklog"] = object{"startAt": 0, "maxResults": caps.Worklogs, "total": len(existing), "worklogs": worklogs}
	attachments := []object{}
	for _, a := range i.attachments {
		attachments = append(attachments, c.site.attachment(a))
	}
	fields["attachment"] = attachments
	spent := time.Duration(0)
	for _, w := range existing {
		spent += w.spent
	}
	if fields["timespent"] = nil; spent > 0 {
		fields["timespent"] = int(spent.Seconds())
	}
}

func (i *issue) existingWorklogs() []*worklog {
	return slices.DeleteFunc(slices.Clone(i.worklogs), func(w *worklog) bool { return !w.deleted.IsZero() })
}

func (c *call) worklogBodies(worklogs []*worklog) []object {
	bodies := make([]object, 0, len(worklogs))
	for _, w := range worklogs {
		bodies = append(bodies, c.site.worklog(w))
	}
	return bodies
}

func (c *call) commentBodies(i *issue) []object {
	bodies := make([]object, 0, len(i.comments))
	for _, one := range i.comments {
		bodies = append(bodies, c.site.comment(i, one))
	}
	return bodies
}

func (c *call) readIssue() (any, error) {
	i, err := c.pathIssue()
	if err != nil {
		return nil, err
	}
	caps := c.faults.caps(c.site.Deployment)
	if c.faults.Caps.Comments == 0 {
		caps.Comments = noLimit
	}
	q := c.request.URL.Query()
	return c.issueBody(i, newFieldSet(q["fields"], "*all"), strings.Contains(q.Get("expand"), "changelog"), caps), nil
}

// bulkFetch answers with the issues that exist, in the order of their ids, and with an error for each other one.
func (c *call) bulkFetch() (any, error) {
	var wanted struct {
		IssueIDsOrKeys []string `json:"issueIdsOrKeys"`
		Fields         []string `json:"fields"`
		Expand         []string `json:"expand"`
		Properties     []string `json:"properties"`
		FieldsByKeys   bool     `json:"fieldsByKeys"`
	}
	if err := c.decode(&wanted); err != nil {
		return nil, err
	}
	fields, limit := newFieldSet(wanted.Fields, "*navigable"), bulkSimple
	if len(wanted.Expand) > 0 || slices.ContainsFunc(fields, func(name string) bool { return slices.Contains(heavy, name) }) {
		limit = bulkIssues
	}
	if n := len(wanted.IssueIDsOrKeys); n == 0 || n > limit {
		return nil, badRequest("The number of issues must be between 1 and %d.", limit)
	}
	found, missing := c.issues(wanted.IssueIDsOrKeys)
	changelog := slices.Contains(wanted.Expand, "changelog") && !c.faults.BulkWithoutChangelog
	issues, failed := []object{}, []object{}
	for _, i := range found {
		issues = append(issues, c.issueBody(i, fields, changelog, c.faults.caps(c.site.Deployment)))
	}
	for _, id := range missing {
		failed = append(failed, object{"id": id, "errorMessage": "Issue does not exist or you do not have permission to see it."})
	}
	return object{"expand": "names,schema", "issues": issues, "issueErrors": failed}, nil
}

// issues returns issues by ids or keys, each once, in the order of their ids, and the ids and keys that no readable
// issue has.
func (c *call) issues(idsOrKeys []string) (found []*issue, missing []string) {
	seen := map[int]bool{}
	for _, id := range idsOrKeys {
		switch i := c.issue(id); {
		case i == nil:
			missing = append(missing, id)
		case !seen[i.id]:
			seen[i.id] = true
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *issue) int { return cmp.Compare(a.id, b.id) })
	return found, missing
}

// migrationID is added to the id of an issue for the id of its history of a workflow migration.
const migrationID = 4_000_000_000_000

// histories returns the changelog of an issue, oldest first.
func (c *call) histories(i *issue) []history {
	visible := make([]history, 0, len(i.histories)+1)
	for _, h := range i.histories {
		if !h.silent || c.faults.SilentHistories {
			h.at = h.at.Add(c.faults.HistoryDelay)
			visible = append(visible, h)
		}
	}
	if at := c.faults.WorkflowMigration; !at.IsZero() && i.created.Before(at) && !c.now.Before(at) {
		visible = append(visible, history{id: migrationID + i.id, by: ada, at: at, changes: []change{
			{"Workflow", "", "10040", "Old workflow", "10041", "New workflow"},
		}})
	}
	slices.SortStableFunc(visible, func(a, b history) int { return a.at.Compare(b.at) })
	return visible
}

func (c *call) historyBody(h history) object {
	body := c.site.changelog(h.id, h.changes)
	body["author"], body["created"] = c.site.user(h.by), c.site.time(h.at)
	items := body["items"].([]object)
	if c.faults.ShuffledHistories {
		shuffle(items, h.id)
	}
	if c.faults.OddHistories {
		delete(body, "author")
		body["items"] = append([]object{nil}, items...)
	}
	return body
}

// shuffle changes the order of a list, always in the same way for a seed.
func shuffle[T any](list []T, seed int) {
	r := rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // not a secret
	r.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
}

// historyBodies returns histories in the order of a list of the API.
func (c *call) historyBodies(i *issue, histories []history) []object {
	bodies := make([]object, 0, len(histories))
	for _, h := range histories {
		bodies = append(bodies, c.historyBody(h))
	}
	if c.faults.ShuffledHistories {
		shuffle(bodies, i.id)
	}
	return bodies
}

// expandedChangelog returns the newest histories, newest first, on Cloud, and all, oldest first, on Data Center.
func (c *call) expandedChangelog(i *issue, limit int) object {
	histories := c.histories(i)
	total := len(histories)
	histories = histories[max(0, total-limit):]
	if c.site.Deployment == Cloud {
		slices.Reverse(histories)
	}
	bodies := c.historyBodies(i, histories)
	if c.faults.OddHistories {
		bodies = append(bodies, nil)
	}
	return object{"startAt": 0, "maxResults": len(bodies), "total": total, "histories": bodies}
}
