// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func defaults() Options { return Options{UseDefault: true, CategoryFallback: true} }

// TestBuiltinTable repeats the table of Flashduty row by row.
func TestBuiltinTable(t *testing.T) {
	opts := defaults()
	opts.CategoryFallback = false
	m := NewMapper(opts)
	for name, want := range map[string]string{
		"planned":     "planned",
		"to do":       "planned",
		"ready":       "ready",
		"processing":  "processing",
		"open":        "processing",
		"reopen":      "processing",
		"in progress": "processing",
		"canceled":    "canceled",
		"aborted":     "canceled",
		"done":        "done",
		"resolved":    "done",
		"closed":      "done",

		"reopened":  "processing",
		"cancelled": "canceled",

		"To Do":              "planned",
		"IN PROGRESS":        "processing",
		"  Done\t":           "done",
		"\u00a0Closed\u00a0": "done",
	} {
		mapped, ok := m.Map("OPS", Status{Name: name})
		assert.True(t, ok, name)
		assert.Equal(t, want, mapped, name)
	}
	for _, name := range []string{"", " ", "In Review", "done!", "to  do"} {
		_, ok := m.Map("OPS", Status{Name: name})
		assert.False(t, ok, name)
	}
}

func TestCategoryFallback(t *testing.T) {
	m := NewMapper(defaults())
	for category, want := range map[string]string{"new": "planned", "indeterminate": "processing", "done": "done", "undefined": "", "": "", "Done": ""} {
		mapped, ok := m.Map("OPS", Status{Name: "In Review", Category: category})
		assert.Equal(t, want, mapped, category)
		assert.Equal(t, want != "", ok, category)
	}
}

// TestSites removes the mappings of a site one by one. The mappings of other sites do not apply.
func TestSites(t *testing.T) {
	const site, other = "https://a.example.com", "https://b.example.com"
	of := Site{Mapping: Mapping{"site": {"Closed"}}, Projects: map[string]Mapping{"ops": {"project of site": {"closed"}}}}
	opts := defaults()
	opts.Mapping = Mapping{"global": {"Closed"}}
	opts.Projects = map[string]Mapping{"OPS": {"project": {"Closed"}}}
	check := func(site, project, want string) {
		t.Helper()
		mapper := NewMapper(opts)
		mapped, _ := mapper.ForSite(site).Map(project, Status{Name: "Closed"})
		assert.Equal(t, want, mapped)
		mapped, _ = mapper.ForSite(site).Map(project, Status{Name: "To Do"})
		assert.Equal(t, Planned, mapped)
		mapped, _ = mapper.ForSite(site).Map(project, Status{Name: "?", Category: "done"})
		assert.Equal(t, Done, mapped)
	}
	opts.Sites = map[string]Site{site: of}
	check(site, "OPS", "project of site")
	check(site, "WEB", "site")
	for _, elsewhere := range []string{other, ""} {
		check(elsewhere, "OPS", "project")
		check(elsewhere, "WEB", "global")
	}
	of.Projects = nil
	opts.Sites = map[string]Site{site: of}
	check(site, "OPS", "site")
	opts.Sites = map[string]Site{site: {}}
	check(site, "OPS", "project")
	check(site, "WEB", "global")
}

// TestOrder removes the sources of a mapping one by one, from the most specific to the least.
func TestOrder(t *testing.T) {
	status := Status{ID: "10042", Name: "Closed", Category: "indeterminate"}
	opts := defaults()
	opts.Mapping = Mapping{"global": {"CLOSED"}}
	opts.Projects = map[string]Mapping{"OPS": {"project": {" closed "}}}

	check := func(project, want string) {
		t.Helper()
		mapped, _ := NewMapper(opts).Map(project, status)
		assert.Equal(t, want, mapped)
	}
	check("OPS", "project")
	check("WEB", "global")
	opts.Mapping = nil
	check("WEB", "done")
	opts.UseDefault = false
	check("WEB", "processing")
	opts.CategoryFallback = false
	check("WEB", "")
	check("OPS", "project")
}

func TestIDs(t *testing.T) {
	m := NewMapper(Options{Mapping: Mapping{"by id": {"10042"}, "by name": {"Verified"}}})
	for _, tt := range []struct {
		status Status
		want   string
	}{
		{Status{ID: "10042", Name: "Whatever"}, "by id"},
		{Status{ID: "10042", Name: "Verified"}, "by id"},
		{Status{ID: "1", Name: "Verified"}, "by name"},
		{Status{ID: "0010042"}, ""},
		{Status{}, ""},
	} {
		mapped, _ := m.Map("", tt.status)
		assert.Equal(t, tt.want, mapped, "%+v", tt.status)
	}
}

func TestUnicodeCaseFolding(t *testing.T) {
	m := NewMapper(Options{Mapping: Mapping{"done": {"GESCHLOSSEN ẞ", "Выполнено", "ΤΈΛΟΣ"}}})
	for _, name := range []string{"geschlossen ß", "GESCHLOSSEN SS", "ВЫПОЛНЕНО", "τέλος"} {
		mapped, _ := m.Map("", Status{Name: name})
		assert.Equal(t, "done", mapped, name)
	}
}

func TestProjectKeysMatchInAnyLetterCase(t *testing.T) {
	m := NewMapper(Options{Projects: map[string]Mapping{"ops": {"done": {"Verified"}}}})
	mapped, _ := m.Map("OPS", Status{Name: "Verified"})
	assert.Equal(t, "done", mapped)
}

func TestValidate(t *testing.T) {
	assert.NoError(t, Mapping{"done": {"Verified", "verified"}, "canceled": {"10042"}}.Validate())
	assert.EqualError(t, Mapping{"done": {"Verified"}, "ready": {"VERIFIED "}}.Validate(),
		`status "VERIFIED" is listed under both "done" and "ready"; keep it under one`)
	assert.ErrorContains(t, Mapping{" ": {"Verified"}}.Validate(), "a mapped value is empty")
	assert.ErrorContains(t, Mapping{"done": {" "}}.Validate(), `"done" lists an empty status`)
}

func BenchmarkMap(b *testing.B) {
	m := NewMapper(Options{UseDefault: true, CategoryFallback: true})
	b.ReportAllocs()
	for b.Loop() {
		if mapped, ok := m.Map("OPS", Status{ID: "3", Name: "In Progress", Category: "indeterminate"}); !ok || mapped != Processing {
			b.Fatal(mapped)
		}
	}
}
