// Package status maps the statuses of Jira workflows to a small vocabulary that does not depend on the site.
//
// A status is free text: every site names its own, renames them and translates them. Only the id and the key of the
// status category are stable. The mapping therefore goes from the most deliberate knowledge to the least: what the
// configuration says of the project, what it says of all projects, the built-in names, and the category.
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

// builtin is the status table of Flashduty's change events.
var builtin = Mapping{
	Planned:    {"planned", "to do"},
	Ready:      {"ready"},
	Processing: {"processing", "open", "reopen", "in progress"},
	Canceled:   {"canceled", "aborted"},
	Done:       {"done", "resolved", "closed"},
}

// spellings are names that Jira's own workflows ship for statuses of the built-in table.
var spellings = Mapping{
	Processing: {"reopened"},
	Canceled:   {"cancelled"},
}

// categories maps status.statusCategory.key; its names are localised. "undefined" says nothing, so it is not here.
var categories = map[string]string{
	"new":           Planned,
	"indeterminate": Processing,
	"done":          Done,
}

// ByCategory returns what a status maps to of which only the key of its category is known, or "".
func ByCategory(key string) string { return categories[key] }

// Status is a Jira status as a body names it. Any field may be empty.
type Status struct {
	ID       string
	Name     string
	Category string // key of the status category
}

// Mapping lists, for each mapped value, the names or ids of the statuses that it stands for.
type Mapping map[string][]string

// Validate reports every empty entry and every status that stands under more than one value.
func (m Mapping) Validate() error {
	var errs []error
	seen := map[string]string{}
	for _, mapped := range slices.Sorted(maps.Keys(m)) {
		if strings.TrimSpace(mapped) == "" {
			errs = append(errs, errors.New("a mapped value is empty: name the value that these statuses map to"))
		}
		for _, status := range m[mapped] {
			name := Fold(status)
			other, taken := seen[name]
			switch {
			case name == "":
				errs = append(errs, fmt.Errorf("%q lists an empty status: write a status name or id", mapped))
			case taken && other != mapped:
				errs = append(errs, fmt.Errorf("status %q stands under both %q and %q: keep it under one", strings.TrimSpace(status), other, mapped))
			}
			seen[name] = mapped
		}
	}
	return errors.Join(errs...)
}

// Options say where a [Mapper] looks.
type Options struct {
	Mapping          Mapping
	Projects         map[string]Mapping // by project key; wins over Mapping
	UseDefault       bool               // look into the built-in tables after Mapping
	CategoryFallback bool               // map by category what no table knows
}

// Mapper maps statuses. It is safe for concurrent use.
type Mapper struct {
	projects         map[string]table
	global           []table
	categoryFallback bool
}

// table finds a mapped value by folded status name, or by id.
type table map[string]string

// NewMapper returns a Mapper for valid mappings.
func NewMapper(opts Options) *Mapper {
	m := &Mapper{
		projects:         make(map[string]table, len(opts.Projects)),
		global:           []table{newTable(opts.Mapping)},
		categoryFallback: opts.CategoryFallback,
	}
	for key, mapping := range opts.Projects {
		m.projects[FoldProjectKey(key)] = newTable(mapping)
	}
	if opts.UseDefault {
		m.global = append(m.global, newTable(builtin), newTable(spellings))
	}
	return m
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

// Map returns the mapped value of a status of the project with the given key, and whether there is one.
func (m *Mapper) Map(project string, s Status) (mapped string, ok bool) {
	name := Fold(s.Name)
	if mapped, ok = m.projects[FoldProjectKey(project)].lookup(s.ID, name); ok {
		return mapped, true
	}
	for _, t := range m.global {
		if mapped, ok = t.lookup(s.ID, name); ok {
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

// Fold makes names that differ in letter case or surrounding space equal. Ids are digits, which folding leaves alone.
func Fold(name string) string {
	name = strings.TrimSpace(name)
	if strings.ContainsFunc(name, isNotASCII) {
		return folder.String(name)
	}
	return strings.ToLower(name) // the same, in a fraction of the time
}

func isNotASCII(r rune) bool { return r >= utf8.RuneSelf }

var folder = cases.Fold() // stateless

// FoldProjectKey makes a configured key of a project match Jira's, which are upper case.
func FoldProjectKey(key string) string {
	return strings.ToUpper(strings.TrimSpace(key))
}
