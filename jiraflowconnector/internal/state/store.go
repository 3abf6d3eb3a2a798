// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// PageCount is the number of pages. A page contains the issues with the same hash. It is the unit of a save: with
// 200,000 issues, a page has three issues and about one KB. With a quarter of the pages, a save cost four times the CPU
// time.
const PageCount = 1 << 16

// Store keeps issues in pages, which are also the index: the issues of a page are compared one by one.
type Store struct {
	maxIssues int
	count     int
	pages     [][]*Issue
	dirty     map[uint16]bool
}

// NewStore returns an empty store for at most maxIssues issues.
func NewStore(maxIssues int) *Store {
	return &Store{maxIssues: maxIssues, pages: make([][]*Issue, PageCount), dirty: map[uint16]bool{}}
}

// Len returns the number of issues.
func (s *Store) Len() int { return s.count }

// Find returns an issue, or nil.
func (s *Store) Find(key Key) *Issue {
	for _, issue := range s.pages[pageOf(key)] {
		if issue.Key == key {
			return issue
		}
	}
	return nil
}

// FindOrAdd returns an issue, which is new if the store did not contain it. It returns the issues that had to go.
func (s *Store) FindOrAdd(key Key) (issue *Issue, evicted []*Issue) {
	if known := s.Find(key); known != nil {
		return known, nil
	}
	if s.count >= s.maxIssues {
		evicted = s.evict()
	}
	key.ID = strings.Clone(key.ID) // the text of a record may be a part of a large text
	issue = &Issue{Key: key, page: pageOf(key)}
	s.add(issue)
	return issue, evicted
}

func (s *Store) add(issue *Issue) {
	s.pages[issue.page] = append(s.pages[issue.page], issue)
	s.count++
}

// Remove drops an issue.
func (s *Store) Remove(issue *Issue) {
	page := s.pages[issue.page]
	if at := slices.Index(page, issue); at >= 0 {
		s.pages[issue.page] = slices.Delete(page, at, at+1)
		s.count--
		s.Touch(issue)
	}
}

// Touch marks the page of an issue for the next save.
func (s *Store) Touch(issue *Issue) { s.dirty[issue.page] = true }

// All returns all issues.
func (s *Store) All() iter.Seq[*Issue] { return s.Pages(0, PageCount) }

// Pages returns the issues from one page up to, but not including, another. An issue stays in its page.
func (s *Store) Pages(first, end int) iter.Seq[*Issue] {
	return func(yield func(*Issue) bool) {
		for _, page := range s.pages[first:end] {
			for _, issue := range page {
				if !yield(issue) {
					return
				}
			}
		}
	}
}

// evictShare is the share of the issues that go at a time, so that a full store does not sort for each new issue.
const evictShare = 100

// evict drops the deleted issues first, then the issues that have been resolved for the longest time, then the issues
// without a record for the longest time.
func (s *Store) evict() []*Issue {
	type candidate struct {
		rank  int
		at    int64
		issue *Issue
	}
	candidates := make([]candidate, 0, s.count)
	for issue := range s.All() {
		c := candidate{rank: 2, at: issue.LastChange, issue: issue}
		switch {
		case issue.DeletedAt != 0:
			c.rank, c.at = 0, issue.DeletedAt
		case !issue.Summary.IsOpen:
			c.rank, c.at = 1, cmp.Or(issue.Summary.ResolvedAt, issue.LastChange)
		}
		candidates = append(candidates, c)
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.at, b.at), cmp.Compare(a.issue.Key.ID, b.issue.Key.ID))
	})
	var evicted []*Issue
	for _, c := range candidates[:min(len(candidates), s.count-s.maxIssues+1+s.maxIssues/evictShare)] {
		s.Remove(c.issue)
		evicted = append(evicted, c.issue)
	}
	return evicted
}

// pageOf returns the page of an issue, by a hash that is the same in every process.
func pageOf(key Key) uint16 {
	const prime = 1099511628211
	h := uint64(14695981039346656037) // FNV-1a
	for _, part := range [...]string{key.Site.String(), key.ID} {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * prime
		}
		h = (h ^ 0xff) * prime
	}
	return uint16((h ^ h>>32) % PageCount)
}
