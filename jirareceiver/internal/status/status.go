// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package status maps the statuses of Jira workflows to a small vocabulary that does not depend on the site.
//
// The name of a status is free text: every site defines, renames and translates its own statuses. Only the id of a
// status and the key of its status category are stable. The mapping therefore uses the most specific source first: the
// configured mapping of the project in this site, of this site, of the project in all sites, of all projects and sites, the
// built-in names, and the category.
package status

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// The mapped values of the built-in tables. A configured mapping may use words of its own.
const (
	Planned    = "planned"
	Ready      = "ready"
	Processing = "processing"
	Canceled   = "canceled"
	Done       = "done"
)

// builtin is the status table of the change events of Flashduty.
var builtin = Mapping{
	Planned:    {"planned", "to do"},
	Ready:      {"ready"},
	Processing: {"processing", "open", "reopen", "in progress"},
	Canceled:   {"canceled", "aborted"},
	Done:       {"done", "resolved", "closed"},
}

// aliases are other names that Jira's own workflows use for statuses of the built-in table.
var aliases = Mapping{
	Processing: {"reopened"},
	Canceled:   {"cancelled"},
}

// categories maps status.statusCategory.key, because the names of categories are in the language of the site. The key
// "undefined" has no meaning and is not mapped.
var categories = map[string]string{
	"new":           Planned,
	"indeterminate": Processing,
	"done":          Done,
}

// ByCategory returns the mapped value for the key of a status category, or "".
func ByCategory(key string) string { return categories[key] }

// Status is the status of an issue. Any field may be empty.
type Status struct {
	ID       string
	Name     string
	Category string // key of the status category
}

// Mapping lists the names or ids of statuses by their mapped value.
type Mapping map[string][]string

// Validate returns an error for each empty entry, and for each status with more than one mapped value.
func (m Mapping) Validate() error {
	var errs []error
	seen := map[string]string{}
	for _, mapped := range slices.Sorted(maps.Keys(m)) {
		if strings.TrimSpace(mapped) == "" {
			errs = append(errs, errors.New("a mapped value is empty; name the value of these statuses"))
		}
		for _, status := range m[mapped] {
			name := Fold(status)
			other, taken := seen[name]
			switch {
			case name == "":
				errs = append(errs, fmt.Errorf("%q lists an empty status; write the name or the id of a status",
					mapped))
			case taken && other != mapped:
				errs = append(errs, fmt.Errorf("status %q is listed under both %q and %q; keep it under one",
					strings.TrimSpace(status), other, mapped))
			}
			seen[name] = mapped
		}
	}
	return errors.Join(errs...)
}

// Options define the sources of a [Mapper].
type Options struct {
	Mapping          Mapping
	Projects         map[string]Mapping // by project key; takes precedence over Mapping
	Sites            map[string]Site    // by address; takes precedence over Mapping and Projects
	UseDefault       bool               // use the built-in tables after Mapping
	CategoryFallback bool               // map statuses that are in no table by their category
}

// Site holds the mappings of one site.
type Site struct {
	Mapping  Mapping
	Projects map[string]Mapping // by project key; takes precedence over Mapping
}

// Mapper maps statuses. It is safe for concurrent use.
type Mapper struct {
	sites            map[string]*Mapper
	levels           []level // in order of precedence
	categoryFallback bool
}

// level holds tables. Those of projects take precedence.
type level struct {
	projects map[string]table
	mapping  table
}

// table holds mapped values by folded status name and by id.
type table map[string]string

// NewMapper returns a Mapper. All mappings must be valid.
func NewMapper(opts Options) *Mapper {
	m := &Mapper{
		sites:            make(map[string]*Mapper, len(opts.Sites)),
		levels:           []level{newLevel(opts.Mapping, opts.Projects)},
		categoryFallback: opts.CategoryFallback,
	}
	if opts.UseDefault {
		m.levels = append(m.levels, level{mapping: newTable(builtin)}, level{mapping: newTable(aliases)})
	}
	for address, site := range opts.Sites {
		m.sites[address] = &Mapper{
			levels:           append([]level{newLevel(site.Mapping, site.Projects)}, m.levels...),
			categoryFallback: m.categoryFallback,
		}
	}
	return m
}

func newLevel(mapping Mapping, projects map[string]Mapping) level {
	l := level{projects: make(map[string]table, len(projects)), mapping: newTable(mapping)}
	for key, mapping := range projects {
		l.projects[FoldProjectKey(key)] = newTable(mapping)
	}
	return l
}

func newTable(mapping Mapping) table {
	t := table{}
	for mapped, statuses := range mapping {
		for _, status := range statuses {
			t[Fold(status)] = strings.TrimSpace(mapped)
		}
	}
	return t
}

// ForSite returns the Mapper of the site with the given address.
func (m *Mapper) ForSite(site string) *Mapper {
	if of, found := m.sites[site]; found {
		return of
	}
	return m
}

// Map returns the mapped value of a status in the project with the given key, and whether the status is mapped.
func (m *Mapper) Map(project string, s Status) (mapped string, ok bool) {
	name, project := Fold(s.Name), FoldProjectKey(project)
	for _, l := range m.levels {
		if mapped, ok = l.projects[project].lookup(s.ID, name); ok {
			return mapped, true
		}
		if mapped, ok = l.mapping.lookup(s.ID, name); ok {
			return mapped, true
		}
	}
	if m.categoryFallback {
		mapped, ok = categories[s.Category]
	}
	return mapped, ok
}

func (t table) lookup(id, name string) (mapped string, ok bool) {
	if mapped, ok = t[id]; !ok {
		mapped, ok = t[name]
	}
	return mapped, ok
}

// Fold returns the same text for names that differ only in letter case or surrounding space. It does not change ids,
// which consist of digits.
func Fold(name string) string {
	name = strings.TrimSpace(name)
	if strings.ContainsFunc(name, isNotASCII) {
		return folder.String(name)
	}
	return strings.ToLower(name) // the same result in a fraction of the time
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }

var folder = cases.Fold() // stateless

// FoldProjectKey returns a configured project key in Jira's spelling, which is upper case.
func FoldProjectKey(key string) string {
	return strings.ToUpper(strings.TrimSpace(key))
}
