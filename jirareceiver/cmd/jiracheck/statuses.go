// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// statuses compares the statuses of the site with the mapping of the receiver.
func (c *checker) statuses(ctx context.Context) []result {
	found, err := c.client.Statuses(ctx)
	if err != nil {
		return failed(err)
	}
	m := newMappings(&c.cfg.Status)
	var unmapped, partly, byCategory []string
	for _, s := range found {
		switch name := fmt.Sprintf("%s (%s)", s.Name, s.ID); m.sourceOf(s) {
		case sourceCategory:
			byCategory = append(byCategory, name)
		case sourceProject:
			partly = append(partly, name+" is mapped in "+strings.Join(m.projectsThatMap(s), ", "))
		case sourceNone:
			unmapped = append(unmapped, name)
		default:
		}
	}
	return describeStatuses(len(found), unmapped, partly, byCategory)
}

func describeStatuses(count int, unmapped, partly, byCategory []string) []result {
	if count == 0 {
		return []result{warning("check the permissions of the account", "Jira returns no statuses")}
	}
	var results []result
	add := func(names []string, r result) {
		if len(names) > 0 {
			r.Details = names
			results = append(results, r)
		}
	}
	add(unmapped, warning("add to status::mapping, by name or id",
		"%s of your site %s not mapped", share(unmapped, count), verb(unmapped)))
	add(partly, warning("add to status::mapping what other projects use too",
		"%s %s mapped only in some projects", share(partly, count), verb(partly)))
	if len(results) == 0 {
		results = append(results, ok("all %d statuses of your site are mapped", count))
	}
	add(byCategory, result{
		Level: levelOK, Message: fmt.Sprintf("%s %s mapped only by category", share(byCategory, count), verb(byCategory)),
		Hint: "Jira sends no category of the previous status of a transition; status::mapping maps it as well",
	})
	return results
}

func share(names []string, count int) string {
	return fmt.Sprintf("%d of %d statuses", len(names), count)
}

func verb(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

// mappings are the mappings of the receiver, with and without the fallback to categories.
type mappings struct {
	all, byName *status.Mapper
	projects    []string
}

func newMappings(cfg *jirareceiver.StatusConfig) mappings {
	byName := *cfg
	byName.CategoryFallback = false
	return mappings{cfg.Mapper(), byName.Mapper(), slices.Sorted(maps.Keys(cfg.Projects))}
}

// source is the part of the configuration that maps a status.
type source int

const (
	sourceNone     source = iota
	sourceProject         // only the mappings of some projects
	sourceCategory        // in the projects that do not map it
	sourceName
)

// sourceOf returns the source for a status in a project without a mapping of its own.
func (m mappings) sourceOf(s jira.StatusInfo) source {
	const otherProject = ""
	if _, isMapped := m.byName.Map(otherProject, statusOf(s)); isMapped {
		return sourceName
	}
	if _, isMapped := m.all.Map(otherProject, statusOf(s)); isMapped {
		return sourceCategory
	}
	if len(m.projectsThatMap(s)) > 0 {
		return sourceProject
	}
	return sourceNone
}

func (m mappings) projectsThatMap(s jira.StatusInfo) (keys []string) {
	for _, key := range m.projects {
		if _, isMapped := m.byName.Map(key, statusOf(s)); isMapped {
			keys = append(keys, key)
		}
	}
	return keys
}

func statusOf(s jira.StatusInfo) status.Status {
	return status.Status{ID: s.ID, Name: s.Name, Category: s.Category}
}
