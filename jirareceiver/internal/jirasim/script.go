package jirasim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Script is an endless history of the issues of a site, one after the other.
type Script struct {
	site  string
	run   string // begins the ids of deliveries, so that those of two scripts differ
	start time.Time
}

// NewScript returns a new history of a site, given as https://host.
func NewScript(site string) *Script {
	return &Script{site: site, run: strings.ToLower(rand.Text()[:8]), start: time.Now()}
}

// object is one in JSON.
type object = map[string]any

// step is something that happens to each issue.
type step struct {
	event, eventType string
	flow             Flow
	parts            func(s *Script, n, issue int) object // of the body, besides what all bodies have
}

const eventsPerIssue = 8

// steps are in the order of an issue's life.
var steps = [eventsPerIssue]step{
	{"jira:issue_created", "issue_created", Primary, issueIn(toDo)},
	{"jira:issue_updated", "issue_generic", Primary, moved(toDo, inProgress)},
	{"comment_created", "", Primary, commented},
	{"worklog_created", "", Primary, worked},
	{"jira:issue_updated", "issue_generic", Primary, moved(inProgress, done)},
	{"jira:issue_deleted", "", Primary, issueIn(done)},
	{"comment_deleted", "", Secondary, commented},
	{"sprint_started", "", Primary, sprinted},
}

// Delivery returns the n-th delivery of the history, the first of which is 0. No two are of the same event.
func (s *Script) Delivery(n int) Delivery {
	step := steps[n%eventsPerIssue]
	body := step.parts(s, n, n/eventsPerIssue)
	body["timestamp"] = s.at(n).UnixMilli()
	body["webhookEvent"] = step.event
	if step.eventType != "" {
		body["issue_event_type_name"] = step.eventType
	}
	content, _ := json.Marshal(body) // maps of strings and numbers cannot fail
	return Delivery{ID: fmt.Sprintf("%s-%d", s.run, n), Flow: step.flow, Body: content}
}

// Deliveries returns a stretch of the history.
func (s *Script) Deliveries(from, to int) []Delivery {
	deliveries := make([]Delivery, 0, to-from)
	for n := from; n < to; n++ {
		deliveries = append(deliveries, s.Delivery(n))
	}
	return deliveries
}

// at is when the n-th event happens: one each millisecond, so that no two have the same time.
func (s *Script) at(n int) time.Time { return s.start.Add(time.Duration(n) * time.Millisecond) }

func (s *Script) self(what string, id int) string {
	return fmt.Sprintf("%s/rest/api/2/%s/%d", s.site, what, id)
}

// jiraTime is how Jira writes times.
const jiraTime = "2006-01-02T15:04:05.000-0700"

type status struct{ id, name, category string }

var (
	toDo       = status{"10000", "To Do", "new"}
	inProgress = status{"3", "In Progress", "indeterminate"}
	done       = status{"10001", "Done", "done"}
)

func user() object {
	return object{
		"accountId": "712020:9c8b7a69-5847-4635-a241-302f1e0d9c8b", "displayName": "Noor Haddad", "active": true,
		"timeZone": "Europe/Berlin", "accountType": "atlassian",
	}
}

// issue is as long as Jira's are with the usual custom fields.
func (s *Script) issue(n, issue int, now status) object {
	fields := object{
		"summary": fmt.Sprintf("Deploy payment service %d", issue), "description": strings.Repeat("As agreed in the review. ", 40),
		"issuetype": object{"id": "10003", "name": "Task", "subtask": false},
		"project":   object{"id": "10010", "key": "OPS", "name": "Operations", "projectTypeKey": "software"},
		"priority":  object{"id": "2", "name": "High"},
		"labels":    []string{"release", "payments"},
		"assignee":  user(), "reporter": user(), "creator": user(),
		"created": s.at(issue * eventsPerIssue).Format(jiraTime), "updated": s.at(n).Format(jiraTime),
		"status": object{"id": now.id, "name": now.name, "statusCategory": object{"key": now.category}},
	}
	for i := range 60 {
		fields[fmt.Sprintf("customfield_%d", 10020+i)] = nil
	}
	id := 10000 + issue
	return object{"id": strconv.Itoa(id), "self": s.self("issue", id), "key": fmt.Sprintf("OPS-%d", issue+1), "fields": fields}
}

func issueIn(now status) func(s *Script, n, issue int) object {
	return func(s *Script, n, issue int) object {
		return object{"user": user(), "issue": s.issue(n, issue, now)}
	}
}

func moved(from, to status) func(s *Script, n, issue int) object {
	return func(s *Script, n, issue int) object {
		body := issueIn(to)(s, n, issue)
		body["changelog"] = object{"id": strconv.Itoa(20000 + n), "items": []object{{
			"field": "status", "fieldtype": "jira", "fieldId": "status",
			"from": from.id, "fromString": from.name, "to": to.id, "toString": to.name,
		}}}
		return body
	}
}

func commented(s *Script, n, issue int) object {
	id, at := 30000+issue, s.at(n).Format(jiraTime)
	return object{
		"issue": s.issue(n, issue, inProgress),
		"comment": object{
			"id": strconv.Itoa(id), "self": s.self("comment", id), "author": user(), "updateAuthor": user(),
			"body": "Rolled out to the first region.", "created": at, "updated": at, "jsdPublic": true,
		},
	}
}

func worked(s *Script, n, issue int) object {
	id, at := 40000+issue, s.at(n).Format(jiraTime)
	return object{"worklog": object{
		"id": strconv.Itoa(id), "self": s.self("worklog", id), "issueId": strconv.Itoa(10000 + issue), "author": user(),
		"updateAuthor": user(), "started": at, "created": at, "updated": at, "timeSpent": "1h", "timeSpentSeconds": 3600,
	}}
}

func sprinted(s *Script, n, issue int) object {
	return object{"sprint": object{
		"id": 500 + issue, "self": s.self("sprint", 500+issue), "state": "active", "name": fmt.Sprintf("Sprint %d", issue),
		"startDate": s.at(n).UTC().Format("2006-01-02T15:04:05.000Z"), "originBoardId": 7,
	}}
}
