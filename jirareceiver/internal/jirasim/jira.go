// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

type issue struct {
	id                           int
	key, summary, description    string
	kind                         issueType
	project                      project
	status                       status
	priority                     priority
	assignee, reporter           person
	labels                       []string
	component                    string
	fixVersion                   *version
	sprint                       *sprint
	points                       int
	isFlagged                    bool // as impeded
	created, updated, resolvedAt time.Time
	resolution                   resolution
	comments                     []*comment
	worklogs                     []*worklog
	attachments                  []attachment
	links                        []issueLink
	histories                    []history // oldest first
}

type resolution struct{ id, name string }

var (
	resolutionDone = resolution{"10000", "Done"}
	resolutionNot  = resolution{"10001", "Won't Do"}
)

type comment struct {
	id               int
	author           person
	text             string
	created, updated time.Time
}

type worklog struct {
	id                        int
	issue                     *issue
	author                    person
	spent                     time.Duration
	started, created, updated time.Time
	deleted                   time.Time // zero if the worklog exists
}

type attachment struct {
	id                 int
	author             person
	filename, mimeType string
	size               int
	created            time.Time
}

// issueLink is a link from one issue to another: from blocks to.
type issueLink struct {
	id       int
	from, to *issue
}

// history is an entry of the changelog of an issue.
type history struct {
	id      int
	by      person
	at      time.Time
	changes []change
	silent  bool // Jira sends no webhook of its own for it
}

type sprint struct {
	id                    int
	name, goal, state     string
	start, end, completed time.Time
}

type version struct {
	id       int
	name     string
	project  project
	released bool
}

// liveSite is a site with its history. Each method performs an action of a person in Jira, and appends the deliveries
// that Jira would send.
type liveSite struct {
	Site
	now        time.Time
	lastID     int
	numbers    map[string]int // number of the last issue, by project key
	count      int
	deliveries []Delivery
	register   *register // for the REST side; nil if there is none
	posted     func()    // called after each event, in place of its delivery; nil for deliveries
}

// newLiveSite returns a site whose ids depend on the seed, so that two histories have no ids in common.
func newLiveSite(s Site) *liveSite {
	s = s.withDefaults()
	const room = 1_000_000 // ids for each seed
	return &liveSite{Site: s, now: s.Start, lastID: 10_000 + int(s.Seed%room)*room, numbers: map[string]int{}}
}

// at sets the time of the site. It never sets the time back.
func (j *liveSite) at(t time.Time) {
	if t.After(j.now) {
		j.now = t.In(zone).Truncate(time.Millisecond)
	}
}

// take returns the deliveries since its last call.
func (j *liveSite) take() []Delivery {
	taken := j.deliveries
	j.deliveries = nil
	return taken
}

func (j *liveSite) nextID() int {
	j.lastID++
	return j.lastID
}

// post appends a delivery. No two events have the same time.
func (j *liveSite) post(flow Flow, event, about string, body object) {
	if j.posted == nil {
		j.deliver(flow, event, about, body)
	}
	j.now = j.now.Add(time.Millisecond)
	if j.posted != nil {
		j.posted()
	}
}

// deliver appends a delivery. Only deliveries of Jira Cloud have an ID.
func (j *liveSite) deliver(flow Flow, event, about string, body object) {
	body["timestamp"], body["webhookEvent"] = j.now.UnixMilli(), event
	content, _ := json.Marshal(body) // cannot fail for maps of texts and numbers
	d := Delivery{Flow: flow, Body: content, At: j.now, About: about + " " + event}
	if j.Deployment == Cloud {
		d.ID = fmt.Sprintf("%d-%d-%d", j.Start.UnixMilli(), j.Seed, j.count)
	}
	j.count++
	j.deliveries = append(j.deliveries, d)
}

// touch sets the time of the last change of an issue.
func (j *liveSite) touch(i *issue) {
	i.updated = j.now
	j.register.index(j.Site, i, j.now)
}

// log appends an entry to the changelog of an issue, and returns its id.
func (j *liveSite) log(i *issue, by person, silent bool, changes ...change) int {
	h := history{id: j.nextID(), by: by, at: j.now, changes: changes, silent: silent}
	i.histories = append(i.histories, h)
	return h.id
}

// postIssue appends a delivery of an issue event that a person has caused.
func (j *liveSite) postIssue(event, eventType string, i *issue, by person, parts object) {
	if j.posted == nil {
		parts["user"], parts["issue"] = j.user(by), j.issue(i)
	}
	if eventType != "" {
		parts["issue_event_type_name"] = eventType
	}
	j.post(Primary, event, i.key, parts)
}

// create sets the id, the key and the first status of an issue.
func (j *liveSite) create(i *issue) {
	j.numbers[i.project.key]++
	i.id, i.key = j.nextID(), fmt.Sprintf("%s-%d", i.project.key, j.numbers[i.project.key])
	i.status = workflows[i.kind][0]
	i.created = j.now
	j.touch(i)
	parts := object{}
	if j.Deployment == Cloud {
		parts["changelog"] = j.changelog(j.nextID(), []change{j.statusChange(status{}, i.status)})
	}
	j.postIssue("jira:issue_created", "issue_created", i, i.reporter, parts)
}

// update appends a delivery of changes that the caller has made.
func (j *liveSite) update(eventType string, i *issue, by person, changes ...change) {
	j.touch(i)
	j.postIssue("jira:issue_updated", eventType, i, by, object{"changelog": j.changelog(j.log(i, by, false, changes...), changes)})
}

func (s Site) statusChange(from, to status) change {
	return change{statusFields[s.Language], "status", from.id, s.statusName(from), to.id, s.statusName(to)}
}

// transition changes the status of an issue.
func (j *liveSite) transition(i *issue, to status, by person) {
	from := i.status
	j.update(transitionType(from, to), i, by, j.setStatus(i, to, j.now)...)
}

// setStatus changes the status of an issue. It sets the resolution if the issue becomes done, and clears it if the
// issue is reopened.
func (s Site) setStatus(i *issue, to status, at time.Time) []change {
	from := i.status
	i.status = to
	changes := []change{s.statusChange(from, to)}
	switch wasDone, isDone := from.category == doneCategory, to.category == doneCategory; {
	case isDone && !wasDone:
		i.resolution, i.resolvedAt = resolutionDone, at
		if to.id == canceled.id {
			i.resolution = resolutionNot
		}
		changes = append(changes, change{"resolution", "resolution", "", "", i.resolution.id, i.resolution.name})
	case wasDone && !isDone:
		changes = append(changes, change{"resolution", "resolution", i.resolution.id, i.resolution.name, "", ""})
		i.resolution, i.resolvedAt = resolution{}, time.Time{}
	}
	return changes
}

// transitionType returns the event type of a transition in Jira's own workflows.
func transitionType(from, to status) string {
	switch {
	case from.category == doneCategory && to.category != doneCategory:
		return "issue_reopened"
	case to.id == closed.id:
		return "issue_closed"
	case to.category == doneCategory:
		return "issue_resolved"
	case to.id == inProgress.id:
		return "issue_work_started"
	default:
		return "issue_generic"
	}
}

func (j *liveSite) assign(i *issue, to, by person) {
	from := i.assignee
	i.assignee = to
	j.update("issue_assigned", i, by, change{"assignee", "assignee", j.userID(from), from.fullName, j.userID(to), to.fullName})
}

func (j *liveSite) prioritise(i *issue, to priority, by person) {
	from := i.priority
	i.priority = to
	j.update("issue_updated", i, by, change{"priority", "priority", from.id, from.name, to.id, to.name})
}

// flag sets or removes the flag of an issue that is impeded.
func (j *liveSite) flag(i *issue, isFlagged bool, by person) {
	i.isFlagged = isFlagged
	c := change{field: "Flagged", id: flagField, to: "[" + impedimentID + "]", toText: impediment}
	if !isFlagged {
		c.from, c.fromText, c.to, c.toText = c.to, c.toText, "", ""
	}
	j.update("issue_updated", i, by, c)
}

func (j *liveSite) addToSprint(i *issue, to *sprint, by person) {
	i.sprint = to
	j.update("issue_updated", i, by, change{"Sprint", sprintField, "", "", strconv.Itoa(to.id), to.name})
}

func (j *liveSite) fixIn(i *issue, v *version, by person) {
	i.fixVersion = v
	j.update("issue_updated", i, by, change{"Fix Version", "fixVersions", "", "", strconv.Itoa(v.id), v.name})
}

// move moves an issue to another project. The issue gets another key, keeps its id, and loses its version, which belongs
// to the old project.
func (j *liveSite) move(i *issue, to project, by person) {
	from, key, v := i.project, i.key, i.fixVersion
	j.numbers[to.key]++
	i.project, i.key, i.fixVersion = to, fmt.Sprintf("%s-%d", to.key, j.numbers[to.key]), nil
	changes := []change{
		{"project", "project", strconv.Itoa(from.id), from.name, strconv.Itoa(to.id), to.name},
		{"Workflow", "", strconv.Itoa(from.id + 30), "Workflow of " + from.key, strconv.Itoa(to.id + 30), "Workflow of " + to.key},
		{"Key", "", "", key, "", i.key},
	}
	if v != nil {
		changes = append(changes, change{"Fix Version", "fixVersions", strconv.Itoa(v.id), v.name, "", ""})
	}
	j.update("issue_moved", i, by, changes...)
}

func (j *liveSite) comment(i *issue, by person, text string) {
	c := &comment{j.nextID(), by, text, j.now, j.now}
	i.comments = append(i.comments, c)
	j.touch(i)
	j.postComment(Primary, "comment_created", i, c)
	j.mirrorComment("issue_commented", i, c)
}

func (j *liveSite) editComment(i *issue, c *comment, text string) {
	c.text, c.updated = text, j.now
	j.touch(i)
	j.postComment(Primary, "comment_updated", i, c)
	j.mirrorComment("issue_comment_edited", i, c)
}

// postComment appends a delivery of a comment event. The body contains the issue only on Jira Cloud.
func (j *liveSite) postComment(flow Flow, event string, i *issue, c *comment) {
	body := object{"comment": j.Site.comment(i, c)}
	if j.Deployment == Cloud {
		body["issue"] = j.partialIssue(i)
	}
	j.post(flow, event, i.key, body)
}

// mirrorComment appends the second delivery with which Data Center reports a comment: an update of the issue.
func (j *liveSite) mirrorComment(eventType string, i *issue, c *comment) {
	if j.Deployment == DataCenter {
		j.touch(i)
		j.postIssue("jira:issue_updated", eventType, i, c.author, object{"comment": j.Site.comment(i, c)})
	}
}

// remove deletes an issue, its links and its comments. Jira writes no history for the links.
func (j *liveSite) remove(i *issue, by person) {
	j.register.remove(i, j.now)
	j.postIssue("jira:issue_deleted", "", i, by, object{})
	for _, l := range i.links {
		for _, other := range []*issue{l.from, l.to} {
			if other != i {
				other.links = slices.DeleteFunc(other.links, func(o issueLink) bool { return o.id == l.id })
			}
		}
	}
	for _, c := range i.comments {
		j.postComment(Secondary, "comment_deleted", i, c)
	}
}

func (j *liveSite) createSprint(name, goal string, start, end time.Time) *sprint {
	p := &sprint{id: j.nextID(), name: name, goal: goal, state: "future", start: start, end: end}
	j.postSprint("sprint_created", p)
	return p
}

func (j *liveSite) startSprint(p *sprint) {
	p.state, p.start = "active", j.now
	j.postSprint("sprint_started", p)
}

func (j *liveSite) closeSprint(p *sprint) {
	p.state, p.completed = "closed", j.now
	j.postSprint("sprint_closed", p)
}

func (j *liveSite) postSprint(event string, p *sprint) {
	j.post(Primary, event, p.name, object{"sprint": j.sprint(p)})
}

func (j *liveSite) createVersion(in project, name string) *version {
	v := &version{id: j.nextID(), name: name, project: in}
	j.postVersion("jira:version_created", v)
	return v
}

func (j *liveSite) release(v *version) {
	v.released = true
	j.postVersion("jira:version_released", v)
}

func (j *liveSite) postVersion(event string, v *version) {
	j.post(Primary, event, v.project.key+" "+v.name, object{"version": j.version(v, j.now)})
}
