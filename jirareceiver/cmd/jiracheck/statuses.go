// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// maxProjects is the number of projects whose statuses are read if no project is configured. Each takes a request.
const maxProjects = 50

// scope contains the projects whose statuses are checked.
type scope struct {
	keys    []string
	read    []string            // keys whose statuses were read
	missing []string            // keys that Jira does not find
	total   int                 // number of projects of the site, if the keys are the first of them; otherwise 0
	uses    map[string][]string // keys of the projects by id of the status
	found   []jira.StatusInfo   // statuses of the site, and of the projects
}

// statuses compares the statuses that projects use with the mapping of the receiver.
func (c *checker) statuses(ctx context.Context) []result {
	s, err := c.readStatuses(ctx)
	if err != nil {
		return failed(err)
	}
	if len(s.found) == 0 {
		return []result{found(kindNoStatuses)}
	}
	s.missing = slices.DeleteFunc(s.missing, c.isReported)
	m := newMappings(&c.cfg.Status, c.siteURL())
	unmapped, byCategory, unused := m.divide(s)
	c.report.Suggestion = m.suggest(c.id.String(), slices.Concat(unmapped, byCategory))
	return s.results(group(unmapped), group(byCategory), group(unused))
}

// readStatuses reads the statuses of the site and of its projects.
func (c *checker) readStatuses(ctx context.Context) (*scope, error) {
	ofSite, err := c.client.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	s := &scope{found: ofSite, uses: map[string][]string{}}
	if err := c.chooseProjects(ctx, s); err != nil {
		return nil, err
	}
	for _, key := range s.keys {
		ofProject, err := c.client.ProjectStatuses(ctx, key)
		switch {
		case jiraapi.KindOf(err) == jiraapi.KindNotFound:
			s.missing = append(s.missing, key)
		case err != nil:
			return nil, err
		default:
			s.add(key, ofProject)
		}
	}
	return s, nil
}

// chooseProjects sets the projects: the projects of the flag, else the projects that polling reads, else the first
// projects of the site. The projects with a mapping of their own are always among them.
func (c *checker) chooseProjects(ctx context.Context, s *scope) (err error) {
	keys := c.projects
	if len(keys) == 0 {
		keys = c.cfg.Poll.Projects
	}
	if len(keys) == 0 {
		if keys, s.total, err = c.client.Projects(ctx, c.info.Deployment, maxProjects); err != nil {
			return err
		}
	}
	for _, key := range slices.Concat(keys, c.mappedProjects()) {
		s.keys = append(s.keys, status.FoldProjectKey(key))
	}
	slices.Sort(s.keys)
	s.keys = slices.Compact(s.keys)
	return nil
}

// mappedProjects returns the keys of the projects with a mapping of their own.
func (c *checker) mappedProjects() []string {
	keys := slices.Collect(maps.Keys(c.cfg.Status.Projects))
	for address, site := range c.cfg.Status.Sites {
		if record.SiteURL(address) == c.siteURL() {
			keys = slices.AppendSeq(keys, maps.Keys(site.Projects))
		}
	}
	return keys
}

// siteURL returns the address of the site that records contain.
func (c *checker) siteURL() string { return cmp.Or(record.SiteURL(c.cfg.SiteURL), c.report.Site) }

// isReported reports whether an earlier check has not found the project. That check has the keys as they are configured.
func (c *checker) isReported(project string) bool {
	isProject := func(key string) bool { return status.FoldProjectKey(key) == project }
	return slices.ContainsFunc(c.report.Results, func(r result) bool {
		return r.Kind == kindProjectNotFound && slices.ContainsFunc(r.Details, isProject)
	})
}

func (s *scope) add(project string, statuses []jira.StatusInfo) {
	s.read = append(s.read, project)
	for _, one := range statuses {
		s.uses[one.ID] = append(s.uses[one.ID], project)
		if !slices.ContainsFunc(s.found, func(known jira.StatusInfo) bool { return known.ID == one.ID }) {
			s.found = append(s.found, one)
		}
	}
}

func (s *scope) results(unmapped, byCategory, unused []statusUsage) []result {
	var results []result
	if len(s.missing) > 0 {
		results = append(results, found(kindProjectUnreadable, s.missing...))
	}
	results = append(results, s.describe())
	used := len(s.uses)
	if len(unmapped) > 0 {
		r := found(kindUnmapped, fmt.Sprintf("%d of %d statuses", countIDs(unmapped), used))
		r.Statuses = unmapped
		results = append(results, r)
	} else if used > 0 {
		results = append(results, ok("all statuses that the projects use are mapped"))
	}
	if len(byCategory) > 0 {
		results = append(results, result{
			Level: levelOK, Message: fmt.Sprintf("mapped only by their category: %d of %d statuses", countIDs(byCategory), used),
			Hint:     "Jira sends no category of the previous status of a transition; status::mapping maps that too",
			Statuses: byCategory,
		})
	}
	if len(unused) > 0 {
		results = append(results, result{
			Level: levelOK, Message: "not mapped, and used by none of these projects", Statuses: unused,
		})
	}
	return results
}

// describe returns the result with the projects.
func (s *scope) describe() result {
	projects := counted(len(s.read), "project")
	switch {
	case s.total > len(s.read):
		projects = fmt.Sprintf("%d of %d projects", len(s.read), s.total)
	case s.total > 0:
		projects = fmt.Sprintf("all %s of the site", projects)
	}
	r := ok("%d of %d statuses are in use in %s", len(s.uses), len(s.found), projects)
	if s.total > len(s.read) {
		r.Hint = "to check other projects, set -projects"
	}
	r.Details = s.read
	return r
}

// statusUsage describes statuses with the same name, and the projects that use them.
type statusUsage struct {
	Name     string   `json:"name"`
	IDs      []string `json:"ids"`
	Projects []string `json:"projects,omitempty"`

	suggestions []string // mapped values by the categories of the statuses; "" for an unknown category
}

// maxProjectNames is the number of projects on a line.
const maxProjectNames = 5

func (u statusUsage) String() string {
	text := fmt.Sprintf("%s (%s)", u.Name, listed(u.IDs, maxProjectNames))
	if len(u.Projects) > 0 {
		text += " in " + listed(u.Projects, maxProjectNames)
	}
	return text
}

func countIDs(usages []statusUsage) (n int) {
	for _, u := range usages {
		n += len(u.IDs)
	}
	return n
}

// usedStatus is a status with projects that use it.
type usedStatus struct {
	jira.StatusInfo
	projects []string
}

// group joins statuses with the same name: each team-managed project of Jira Cloud has statuses of its own.
func group(statuses []usedStatus) (usages []statusUsage) {
	positions := map[string]int{}
	for _, s := range statuses {
		name := status.Fold(s.Name)
		n, known := positions[name]
		if !known {
			n = len(usages)
			positions[name] = n
			usages = append(usages, statusUsage{Name: s.Name})
		}
		u := &usages[n]
		if !slices.Contains(u.IDs, s.ID) {
			u.IDs = append(u.IDs, s.ID)
			u.suggestions = append(u.suggestions, status.ByCategory(s.Category))
		}
		u.Projects = slices.Compact(slices.Sorted(slices.Values(slices.Concat(u.Projects, s.projects))))
	}
	return usages
}

// mappings are the mappings of the receiver, with and without the fallback to categories.
type mappings struct {
	cfg         *jirareceiver.StatusConfig
	all, byName *status.Mapper
}

func newMappings(cfg *jirareceiver.StatusConfig, siteURL string) mappings {
	byName := *cfg
	byName.CategoryFallback = false
	return mappings{cfg, cfg.Mapper().ForSite(siteURL), byName.Mapper().ForSite(siteURL)}
}

// divide returns the statuses that are not mapped in projects that use them, the statuses that only their category maps,
// and the statuses that are not mapped and that no project uses.
func (m mappings) divide(s *scope) (unmapped, byCategory, unused []usedStatus) {
	for _, one := range s.found {
		if len(s.uses[one.ID]) == 0 {
			const noProject = ""
			if _, isMapped := m.all.Map(noProject, statusOf(one)); !isMapped {
				unused = append(unused, usedStatus{StatusInfo: one})
			}
			continue
		}
		var without, only []string
		for _, project := range s.uses[one.ID] {
			if _, isMapped := m.all.Map(project, statusOf(one)); !isMapped {
				without = append(without, project)
			} else if _, isNamed := m.byName.Map(project, statusOf(one)); !isNamed {
				only = append(only, project)
			}
		}
		if len(without) > 0 {
			unmapped = append(unmapped, usedStatus{one, without})
		}
		if len(only) > 0 {
			byCategory = append(byCategory, usedStatus{one, only})
		}
	}
	return unmapped, byCategory, unused
}

func statusOf(s jira.StatusInfo) status.Status {
	return status.Status{ID: s.ID, Name: s.Name, Category: s.Category}
}

// suggestedEntry is an entry of a mapping.
type suggestedEntry struct {
	value string // "" if the category of the status does not suggest one
	entry string // name or id
}

// entries returns the entries for the statuses: the name, which maps all of them, or their ids, if their categories
// differ.
func (u statusUsage) entries() (entries []suggestedEntry) {
	if !slices.ContainsFunc(u.suggestions, func(value string) bool { return value != u.suggestions[0] }) {
		return []suggestedEntry{{u.suggestions[0], strings.TrimSpace(u.Name)}}
	}
	for i, id := range u.IDs {
		entries = append(entries, suggestedEntry{u.suggestions[i], id})
	}
	return entries
}
