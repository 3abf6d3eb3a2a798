// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// loadBatch is the number of pages of one call of the storage.
const loadBatch = 1024

// Load adds the issues of the storage. It returns the number of damaged pages, which the next save of one of their
// issues replaces. If the storage contains more issues than the store may, Load evicts as FindOrAdd does; onLoad
// computes the summary on which this depends.
func (s *Store) Load(ctx context.Context, client storage.Client, onLoad func(*Issue)) (damaged int, err error) {
	for first := 0; first < PageCount; first += loadBatch {
		operations := make([]*storage.Operation, loadBatch)
		for i := range operations {
			operations[i] = storage.GetOperation(pageKey(first + i))
		}
		if err := client.Batch(ctx, operations...); err != nil {
			return damaged, err
		}
		for _, operation := range operations {
			if !s.loadPage(operation.Value, onLoad) {
				damaged++
			}
		}
	}
	if s.count > s.maxIssues {
		s.evict()
	}
	return damaged, nil
}

func (s *Store) loadPage(content []byte, onLoad func(*Issue)) bool {
	if len(content) == 0 {
		return true
	}
	issues, err := decodePage(content)
	if err != nil {
		return false
	}
	for _, issue := range issues {
		if s.Find(issue.Key) == nil {
			s.add(issue)
			onLoad(issue)
		}
	}
	return true
}

// TakeDirty returns the pages that have changed since the last call. A nil page is empty.
func (s *Store) TakeDirty() map[uint16][]byte {
	if len(s.dirty) == 0 {
		return nil
	}
	pages := make(map[uint16][]byte, len(s.dirty))
	w := newWriter()
	for page := range s.dirty {
		if issues := s.pages[page]; len(issues) > 0 {
			pages[page] = w.page(issues)
		} else {
			pages[page] = nil
		}
	}
	clear(s.dirty)
	return pages
}

// ReturnDirty marks pages again that could not be saved.
func (s *Store) ReturnDirty(pages map[uint16][]byte) {
	for page := range pages {
		s.dirty[page] = true
	}
}

// Save writes pages to the storage in one batch.
func Save(ctx context.Context, client storage.Client, pages map[uint16][]byte) error {
	if len(pages) == 0 {
		return nil
	}
	operations := make([]*storage.Operation, 0, len(pages))
	for page, content := range pages {
		if content == nil {
			operations = append(operations, storage.DeleteOperation(pageKey(int(page))))
		} else {
			operations = append(operations, storage.SetOperation(pageKey(int(page)), content))
		}
	}
	return client.Batch(ctx, operations...)
}

func pageKey(page int) string { return "page-" + strconv.Itoa(page) }
