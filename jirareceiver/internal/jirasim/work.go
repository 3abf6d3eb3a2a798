// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"strconv"
	"time"
)

// logWork logs work on an issue.
func (j *liveSite) logWork(i *issue, by person, spent time.Duration) *worklog {
	w := &worklog{id: j.nextID(), issue: i, author: by, spent: spent, started: j.now.Add(-spent), created: j.now, updated: j.now}
	i.worklogs = append(i.worklogs, w)
	j.register.addWorklog(w)
	j.postWorklog("worklog_created", "issue_work_logged", w, change{"WorklogId", "", "", "", strconv.Itoa(w.id), strconv.Itoa(w.id)})
	return w
}

// editWork corrects the time spent of a worklog.
func (j *liveSite) editWork(w *worklog, spent time.Duration) {
	w.spent, w.updated = spent, j.now
	j.postWorklog("worklog_updated", "issue_worklog_updated", w, change{
		"WorklogId", "", strconv.Itoa(w.id), strconv.Itoa(w.id), strconv.Itoa(w.id), strconv.Itoa(w.id),
	})
}

// deleteWork deletes a worklog.
func (j *liveSite) deleteWork(w *worklog) {
	w.deleted = j.now
	j.postWorklog("worklog_deleted", "issue_worklog_deleted", w, change{"WorklogId", "", strconv.Itoa(w.id), strconv.Itoa(w.id), "", ""})
}

// postWorklog appends the delivery of a worklog event. Data Center sends a second delivery, an event of the issue. On
// Jira Cloud, the entry of the changelog has no webhook.
func (j *liveSite) postWorklog(event, eventType string, w *worklog, c change) {
	if j.Deployment == Cloud {
		j.log(w.issue, w.author, true, c)
	}
	j.touch(w.issue)
	j.post(Primary, event, w.issue.key, object{"worklog": j.worklog(w)})
	if j.Deployment == DataCenter {
		j.touch(w.issue)
		id := j.log(w.issue, w.author, false, c)
		j.postIssue("jira:worklog_updated", eventType, w.issue, w.author, object{"changelog": j.changelog(id, []change{c})})
	}
}

func (s Site) worklog(w *worklog) object {
	return object{
		"self": s.rest("issue/%d/worklog/%d", w.issue.id, w.id), "id": strconv.Itoa(w.id), "issueId": strconv.Itoa(w.issue.id),
		"author": s.user(w.author), "updateAuthor": s.user(w.author), "comment": "", "created": s.time(w.created), "updated": s.time(w.updated),
		"started": s.time(w.started), "timeSpent": fmt.Sprintf("%dm", int(w.spent.Minutes())), "timeSpentSeconds": int(w.spent.Seconds()),
	}
}

func (j *liveSite) attach(i *issue, by person, filename, mimeType string, size int) {
	a := attachment{j.nextID(), by, filename, mimeType, size, j.now}
	i.attachments = append(i.attachments, a)
	j.log(i, by, true, change{"Attachment", "attachment", "", "", strconv.Itoa(a.id), filename})
	j.touch(i)
	j.post(Primary, "attachment_created", i.key, object{"attachment": j.attachment(a)})
}

func (s Site) attachment(a attachment) object {
	return object{
		"self": s.rest("attachment/%d", a.id), "id": strconv.Itoa(a.id), "filename": a.filename, "author": s.user(a.author),
		"created": s.time(a.created), "size": a.size, "mimeType": a.mimeType, "content": s.rest("attachment/content/%d", a.id),
	}
}

// link creates a link. It changes both issues.
func (j *liveSite) link(from, to *issue) {
	l := issueLink{j.nextID(), from, to}
	from.links, to.links = append(from.links, l), append(to.links, l)
	j.log(from, from.reporter, true, change{"Link", "", "", "", to.key, "This issue blocks " + to.key})
	j.log(to, from.reporter, true, change{"Link", "", "", "", from.key, "This issue is blocked by " + from.key})
	j.touch(from)
	j.touch(to)
	j.post(Primary, "issuelink_created", from.key, object{"issueLink": object{
		"id": l.id, "sourceIssueId": from.id, "destinationIssueId": to.id, "systemLink": false,
		"issueLinkType": object{
			"id": 10000, "name": "Blocks", "outwardName": "blocks", "inwardName": "is blocked by",
			"isSubTaskLinkType": false, "isSystemLinkType": false,
		},
	}})
}
