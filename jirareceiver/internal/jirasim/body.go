// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

const (
	// timeFormat is Jira's format of times.
	timeFormat   = "2006-01-02T15:04:05.000-0700"
	sprintFormat = "2006-01-02T15:04:05.000Z"
	dateFormat   = "2006-01-02"

	// customFields is the number of custom fields without a value per issue. They make bodies as long as the bodies of
	// a real Jira.
	customFields = 60
	pointsField  = "customfield_10016"
	sprintField  = "customfield_10020"
	flagField    = "customfield_10021"
	// impediment is the only option of the field Flagged.
	impediment   = "Impediment"
	impedimentID = "10019"
	// board is the id of the board of all sprints.
	board = 3
)

func (s Site) rest(format string, args ...any) string {
	return s.URL + "/rest/api/2/" + fmt.Sprintf(format, args...)
}

// time renders a time in the time zone of the site, or of the account that reads it.
func (s Site) time(t time.Time) string {
	if s.reader == nil {
		return t.Format(timeFormat)
	}
	return t.In(s.reader).Format(timeFormat)
}

func (s Site) user(p person) object {
	if p == (person{}) {
		return nil
	}
	u := object{"displayName": p.fullName, "active": true, "timeZone": "Europe/Berlin"}
	if s.Deployment == Cloud {
		u["self"] = s.rest("user?accountId=%s", url.QueryEscape(p.accountID))
		u["accountId"], u["accountType"] = p.accountID, "atlassian"
		return u
	}
	u["self"] = s.rest("user?username=%s", p.name)
	u["name"], u["key"], u["emailAddress"] = p.name, p.key, p.name+"@example.com"
	return u
}

// userID returns the id of a person in changelogs.
func (s Site) userID(p person) string {
	if s.Deployment == Cloud {
		return p.accountID
	}
	return p.key
}

func (s Site) status(of status) object {
	return object{
		"self": s.rest("status/%s", of.id), "id": of.id, "name": s.statusName(of), "description": "",
		"statusCategory": object{
			"self": s.rest("statuscategory/%d", categoryNumbers[of.category]), "id": categoryNumbers[of.category],
			"key": of.category, "name": s.categoryName(of),
		},
	}
}

func (s Site) project(p project) object {
	return object{
		"self": s.rest("project/%d", p.id), "id": strconv.Itoa(p.id), "key": p.key, "name": p.name, "projectTypeKey": "software",
	}
}

func named(self, id, name string) object { return object{"self": self, "id": id, "name": name} }

// issue returns an issue with all its fields, for issue events.
func (s Site) issue(i *issue) object {
	fields := s.partialFields(i)
	for n := range customFields {
		fields[fmt.Sprintf("customfield_%d", 10030+n)] = nil
	}
	fields["description"] = i.description
	fields["labels"] = i.labels
	fields["components"] = []object{named(s.rest("component/10020"), "10020", i.component)}
	fields["fixVersions"] = s.versions(i.fixVersion)
	fields["versions"] = []object{}
	fields["reporter"], fields["creator"] = s.user(i.reporter), s.user(i.reporter)
	fields["created"], fields["updated"] = s.time(i.created), s.time(i.updated)
	fields["resolution"], fields["resolutiondate"] = nil, nil
	if !i.resolvedAt.IsZero() {
		fields["resolution"] = named(s.rest("resolution/%s", i.resolution.id), i.resolution.id, i.resolution.name)
		fields["resolutiondate"] = s.time(i.resolvedAt)
	}
	fields["duedate"] = nil
	fields["issuelinks"] = s.links(i)
	fields[pointsField] = i.points
	fields[sprintField] = s.sprintsOf(i)
	fields[flagField] = s.flags(i)
	return s.issueWith(i, fields)
}

func (s Site) links(of *issue) []object {
	links := []object{}
	for _, l := range of.links {
		links = append(links, s.link(of, l))
	}
	return links
}

func (s Site) link(of *issue, l issueLink) object {
	direction, other := "outwardIssue", l.to
	if of == l.to {
		direction, other = "inwardIssue", l.from
	}
	kind := named(s.rest("issueLinkType/10000"), "10000", "Blocks")
	kind["inward"], kind["outward"] = "is blocked by", "blocks"
	partial := s.partialFields(other)
	delete(partial, "project")
	delete(partial, "assignee")
	return object{
		"id": strconv.Itoa(l.id), "self": s.rest("issueLink/%d", l.id), "type": kind,
		direction: object{"id": strconv.Itoa(other.id), "key": other.key, "self": s.rest("issue/%d", other.id), "fields": partial},
	}
}

// partialIssue returns an issue with the fields that comment events of Jira Cloud contain.
func (s Site) partialIssue(i *issue) object { return s.issueWith(i, s.partialFields(i)) }

func (s Site) issueWith(i *issue, fields object) object {
	return object{"id": strconv.Itoa(i.id), "self": s.issueSelf(i), "key": i.key, "fields": fields}
}

func (s Site) issueSelf(i *issue) string {
	if s.Deployment == Cloud {
		return s.rest("%d", i.id)
	}
	return s.rest("issue/%d", i.id)
}

func (s Site) partialFields(i *issue) object {
	issueType := named(s.rest("issuetype/%s", i.kind.id), i.kind.id, i.kind.name)
	issueType["subtask"] = false
	return object{
		"summary": i.summary, "issuetype": issueType, "project": s.project(i.project), "status": s.status(i.status),
		"priority": named(s.rest("priority/%s", i.priority.id), i.priority.id, i.priority.name),
		"assignee": s.user(i.assignee),
	}
}

func (s Site) versions(v *version) []object {
	if v == nil {
		return []object{}
	}
	short := named(s.rest("version/%d", v.id), strconv.Itoa(v.id), v.name)
	short["archived"], short["released"] = false, v.released
	return []object{short}
}

// sprintsOf returns the sprints of an issue: objects on Jira Cloud, and strings in a special format on Data Center.
func (s Site) sprintsOf(i *issue) any {
	switch {
	case i.sprint == nil:
		return nil
	case s.Deployment == Cloud:
		return []object{s.sprint(i.sprint)}
	default:
		p, completed := i.sprint, "<null>"
		if !i.sprint.completed.IsZero() {
			completed = s.time(p.completed)
		}
		return []string{fmt.Sprintf(
			"com.atlassian.greenhopper.service.sprint.Sprint@5d2af540[id=%d,rapidViewId=%d,state=%s,name=%s,startDate=%s,endDate=%s,completeDate=%s,sequence=%d,goal=%s]",
			p.id, board, strings.ToUpper(p.state), p.name, s.time(p.start), s.time(p.end), completed, p.id, p.goal)}
	}
}

// flags returns the value of the field Flagged: null, or the impediment.
func (s Site) flags(i *issue) any {
	if !i.isFlagged {
		return nil
	}
	return []object{{"self": s.rest("customFieldOption/%s", impedimentID), "value": impediment, "id": impedimentID}}
}

func (s Site) sprint(p *sprint) object {
	o := object{
		"id": p.id, "self": fmt.Sprintf("%s/rest/agile/1.0/sprint/%d", s.URL, p.id), "state": p.state, "name": p.name,
		"goal": p.goal, "originBoardId": board,
	}
	for key, at := range map[string]time.Time{"startDate": p.start, "endDate": p.end, "completeDate": p.completed} {
		if !at.IsZero() {
			o[key] = at.UTC().Format(sprintFormat)
		}
	}
	return o
}

func (s Site) version(v *version, now time.Time) object {
	o := named(s.rest("version/%d", v.id), strconv.Itoa(v.id), v.name)
	o["description"], o["archived"], o["released"], o["overdue"], o["projectId"] = "", false, v.released, false, v.project.id
	if v.released {
		o["releaseDate"] = now.Format(dateFormat)
	}
	return o
}

func (s Site) comment(i *issue, c *comment) object {
	o := object{
		"self": s.rest("issue/%d/comment/%d", i.id, c.id), "id": strconv.Itoa(c.id), "author": s.user(c.author),
		"updateAuthor": s.user(c.author), "body": c.text,
		"created": s.time(c.created), "updated": s.time(c.updated),
	}
	if s.Deployment == Cloud {
		o["jsdPublic"] = true
	}
	return o
}

// change is a changed field of an issue.
type change struct{ field, id, from, fromText, to, toText string }

// changelog returns a changelog. It contains the ids of fields only on Jira Cloud.
func (s Site) changelog(id int, changes []change) object {
	items := make([]object, 0, len(changes))
	for _, c := range changes {
		kind := "jira"
		if strings.HasPrefix(c.id, "customfield_") {
			kind = "custom"
		}
		item := object{"field": c.field, "fieldtype": kind, "from": nullable(c.from), "fromString": c.fromText, "to": nullable(c.to), "toString": c.toText}
		if s.Deployment == Cloud && c.id != "" {
			item["fieldId"] = c.id
		}
		items = append(items, item)
	}
	return object{"id": strconv.Itoa(id), "items": items}
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
