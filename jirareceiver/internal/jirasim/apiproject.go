// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"net/http"
	"slices"
)

var projectRoutes = []route{
	{pattern: "GET " + restPath + "status", operation: OpStatuses, answer: (*call).statuses},
	{pattern: "GET " + restPath + "project", operation: OpProjects, answer: (*call).allProjects},
	{pattern: "GET " + restPath + "project/search", operation: OpProjects, answer: (*call).projectPage, only: Cloud},
	{pattern: "GET " + restPath + "project/{project}/statuses", operation: OpProjectStatuses, answer: (*call).projectStatuses},
}

// issueTypes are the types of the issues of each project.
var issueTypes = map[project][]issueType{
	operations: {story, task, bug, incident},
	webShop:    {story, task, bug},
	billing:    {story, task, bug},
	support:    {request},
}

// statusesOf returns all statuses that an issue of a type can have.
func statusesOf(kind issueType) []status {
	if kind == request {
		return []status{open, waiting, done}
	}
	reachable := slices.Clone(workflows[kind])
	if kind != incident {
		reachable = append(reachable, canceled)
		if back := reopenedAs(kind); !slices.ContainsFunc(reachable, func(s status) bool { return s.id == back.id }) {
			reachable = append(reachable, back)
		}
	}
	return reachable
}

func (c *call) statuses() (any, error) {
	var list []object
	for _, s := range statuses {
		list = append(list, c.site.status(s))
	}
	return list, nil
}

// visibleProjects returns the projects that the account can browse, in the order of their keys.
func (c *call) visibleProjects() []project {
	visible := slices.Clone(projects)
	visible = slices.DeleteFunc(visible, func(p project) bool { return c.anonymous || c.hiddenProject(p) })
	slices.SortFunc(visible, func(a, b project) int { return cmp.Compare(a.key, b.key) })
	return visible
}

func (c *call) projectBodies(of []project) []object {
	bodies := []object{} // never null
	for _, p := range of {
		bodies = append(bodies, c.site.project(p))
	}
	return bodies
}

func (c *call) allProjects() (any, error) { return c.projectBodies(c.visibleProjects()), nil }

// largestProjectPage is the number of projects on a page of Jira Cloud.
const largestProjectPage = 100

func (c *call) projectPage() (any, error) {
	startAt, size, err := c.limits(largestProjectPage/2, largestProjectPage)
	if err != nil {
		return nil, err
	}
	all := c.visibleProjects()
	page := pageOf(all, startAt, size)
	return object{
		"startAt": startAt, "maxResults": size, "total": len(all), "isLast": startAt+len(page) >= len(all),
		"values": c.projectBodies(page),
	}, nil
}

// projectStatuses answers with the issue types of a project, each with its statuses. Jira distinguishes upper and lower
// case in the key.
func (c *call) projectStatuses() (any, error) {
	key := c.request.PathValue("project")
	all := c.visibleProjects()
	n := slices.IndexFunc(all, func(p project) bool { return p.key == key })
	if n < 0 {
		return nil, &restError{status: http.StatusNotFound, message: "No project could be found with key '" + key + "'."}
	}
	var list []object
	for _, kind := range issueTypes[all[n]] {
		var bodies []object
		for _, s := range statusesOf(kind) {
			bodies = append(bodies, c.site.status(s))
		}
		list = append(list, object{
			"self": c.site.rest("issuetype/%s", kind.id), "id": kind.id, "name": kind.name, "subtask": false, "statuses": bodies,
		})
	}
	return list, nil
}
