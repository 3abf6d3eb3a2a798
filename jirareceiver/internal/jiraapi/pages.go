// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"errors"
	"iter"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// The iterators of this file decode a page completely before they yield its first entry, so that a slow caller keeps
// no connection open. After an error, they end.

const (
	// maxPages is the largest number of pages of one list. A longer list is taken for one without an end.
	maxPages = 10_000
	// maxRestarts is the number of times that a list is read again because entries have vanished from it meanwhile.
	maxRestarts = 3
)

// The causes of errors of kind KindUnexpected.
var (
	errTooManyPages  = errors.New("the list has too many pages")
	errRepeatedToken = errors.New("the token of the next page is the token of an earlier page")
	errNoToken       = errors.New("the page is not the last, and has no token of the next page")
	errNoProgress    = errors.New("the next page starts where this page starts")
	errCutShort      = errors.New("the list ends before its total")
	errUnstable      = errors.New("entries of the list vanish while it is read")
)

// tokenPages returns the entries of a list whose pages have a token of the next page. The first page has no token: Jira
// would take an empty token for the first page again.
func tokenPages[T any](
	ctx context.Context, c *Client, build func(token string, page *jira.Page[T]) request,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[string]bool{}
		token := ""
		var req request
		for range maxPages {
			var page jira.Page[T]
			req = build(token, &page)
			if err := c.do(ctx, req); err != nil {
				yield(none, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
			var err error
			if token, err = nextToken(page.NextPageToken, page.IsLast, seen); err != nil {
				yield(none, req.fail(KindUnexpected, err))
				return
			}
			if token == "" {
				return
			}
		}
		yield(none, req.fail(KindUnexpected, errTooManyPages))
	}
}

// nextToken returns the token of the next page, or "" after the last page.
func nextToken(token string, isLast *bool, seen map[string]bool) (string, error) {
	switch {
	case isLast != nil && *isLast:
		return "", nil
	case token == "" && isLast != nil:
		return "", errNoToken
	case seen[token]:
		return "", errRepeatedToken
	}
	seen[token] = true
	return token, nil
}

// offsetPages returns the entries of a list whose pages have a position. Each page overlaps the page before by one
// entry. If another entry is at this position, an entry before it has vanished, and the rest has moved up. The list is
// then read again from the start, without the entries that the caller already has.
func offsetPages[T any](
	ctx context.Context, c *Client, build func(startAt int64, page *jira.Page[T]) request, idOf func(T) string,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[string]bool{"": true} // entries that the decoder does not understand have no id
		startAt, last, restarts := int64(0), "", 0
		var req request
		for range maxPages {
			var page jira.Page[T]
			req = build(startAt, &page)
			if err := c.do(ctx, req); err != nil {
				yield(none, err)
				return
			}
			if startAt > 0 && (len(page.Entries) == 0 || idOf(page.Entries[0]) != last) {
				restarts++
				if restarts > maxRestarts {
					yield(none, req.fail(KindUnexpected, errUnstable))
					return
				}
				startAt = 0
				continue
			}
			for _, entry := range page.Entries {
				last = idOf(entry)
				if seen[last] {
					continue
				}
				seen[last] = true
				if !yield(entry, nil) {
					return
				}
			}
			next, err := nextOffset(startAt, int64(len(page.Entries)), page.Total, page.IsLast)
			if err != nil {
				yield(none, req.fail(KindUnexpected, err))
				return
			}
			if startAt = next; startAt == 0 {
				return
			}
		}
		yield(none, req.fail(KindUnexpected, errTooManyPages))
	}
}

// nextOffset returns the position of the last entry of a page, where the next page starts, or 0 after the last page. A
// page with nothing but the overlap is an error if the total announces more entries.
func nextOffset(startAt, count int64, total *int64, isLast *bool) (int64, error) {
	end := startAt + count
	hasNew := count > min(startAt, 1)
	switch {
	case total != nil && end >= *total:
		return 0, nil
	case total == nil && (!hasNew || end < 2 || isLast != nil && *isLast):
		return 0, nil
	case !hasNew:
		return 0, errCutShort
	case end < 2: // a page of one entry cannot overlap the next
		return 0, errNoProgress
	}
	return end - 1, nil
}
