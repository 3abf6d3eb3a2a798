// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// dataCenter reads Jira Data Center: a search returns whole issues with their whole changelogs.
type dataCenter struct{ reader }

const (
	// pageSize is the number of issues on a page. Jira builds a page with all changelogs in memory.
	pageSize = 50
	// maxOffset is the position from which a search starts anew with a later time of creation. Jira finds nothing
	// beyond 10,000.
	maxOffset = 9500
	// createdMargin is the time by which such a search starts earlier, because the index may store less than
	// milliseconds.
	createdMargin = time.Minute
)

// CheckBounds implements Source.
func (s dataCenter) CheckBounds(ctx context.Context, now time.Time) error {
	page, err := s.search(ctx, searchBody{JQL: boundsQuery(now), MaxResults: 1, Fields: []string{"created"}})
	if err == nil && len(page.Entries) > 0 {
		return get(OperationSearch, "search", nil, nil).fail(KindUnexpected, ErrIgnoredBound)
	}
	return err
}

// Changed implements Source. Each page overlaps the page before by one issue. If another issue is at this position, an
// issue before it has come or gone, and the search starts anew at the time of creation of the last issue.
func (s dataCenter) Changed(ctx context.Context, query Query) iter.Seq2[Issue, error] {
	return func(yield func(Issue, error) bool) {
		w := searchWalk{dataCenter: s, query: query, size: pageSize, seen: map[string]time.Time{}}
		for range maxPages {
			page, err := w.next(ctx)
			if err != nil {
				yield(Issue{}, err)
				return
			}
			for _, snapshot := range page {
				issue, err := s.complete(ctx, snapshot)
				if !yield(issue, err) || err != nil {
					return
				}
			}
			if w.isDone {
				return
			}
		}
		yield(Issue{}, w.fail(errTooManyPages))
	}
}

// searchWalk is the state of reading the pages of a search.
type searchWalk struct {
	dataCenter
	query    Query                // with the current lower bound of the time of creation
	size     int                  // number of issues on a page
	startAt  int                  // position of the last issue of the page before
	last     string               // id of this issue
	created  time.Time            // its time of creation
	seen     map[string]time.Time // times of creation of the issues that were returned, by id
	before   int                  // number of issues that were returned and are no longer in seen
	restarts int                  // in a row
	isDone   bool
}

func (w *searchWalk) fail(cause error) error {
	return get(OperationSearch, "search", nil, nil).fail(KindUnexpected, cause)
}

// next returns the new issues of the next page.
func (w *searchWalk) next(ctx context.Context) ([]jira.Snapshot, error) {
	page, err := w.read(ctx)
	if err != nil {
		return nil, err
	}
	w.size = min(pageSize, 2*w.size)
	count := len(page.Entries)
	if w.startAt > 0 && (count == 0 || page.Entries[0].Issue.ID != w.last) {
		w.restarts++
		if w.restarts > maxRestarts {
			return nil, w.fail(errUnstable)
		}
		return nil, w.restart()
	}
	if w.startAt == 0 {
		if err := w.begin(ctx, page.Total, count); err != nil {
			return nil, err
		}
	} else {
		w.restarts = 0
	}
	return w.takeNew(page), w.advance(page, count)
}

// read reads the page at the current position. It makes the page smaller if it is too large, and at last reads the
// issues of the page one by one.
func (w *searchWalk) read(ctx context.Context) (jira.Page[jira.Snapshot], error) {
	for {
		body := searchBody{w.query.jql(), w.startAt, w.size, w.fields, w.expand}
		page, err := w.search(ctx, body)
		if KindOf(err) != KindTooLarge {
			return page, err
		}
		if w.size <= 2 { // one issue besides the overlap
			body.Fields, body.Expand = w.withoutLists(), nil
			if page, err = w.search(ctx, body); err == nil {
				err = w.readAlone(ctx, page.Entries)
			}
			return page, err
		}
		w.size = max(2, w.size/2)
	}
}

// readAlone replaces the issues of a page, which have no lists, by whole issues. An issue that is too large alone stays
// without its changelog, and an issue that was deleted meanwhile stays as it is.
func (w *searchWalk) readAlone(ctx context.Context, page []jira.Snapshot) error {
	for i, snapshot := range page {
		id := snapshot.Issue.ID
		if _, isSeen := w.seen[id]; isSeen || id == "" {
			continue
		}
		whole, err := w.issue(ctx, id, w.fields, w.expand)
		switch KindOf(err) {
		case "":
			page[i] = whole
		case KindTooLarge, KindNotFound:
		default:
			return err
		}
	}
	return nil
}

// begin reports the total, and checks the credentials if nothing was found at all.
func (w *searchWalk) begin(ctx context.Context, total *int64, count int) error {
	if count == 0 && len(w.seen) == 0 {
		if _, err := w.Myself(ctx); err != nil {
			return err
		}
	}
	if total != nil {
		w.query.reportTotal(w.uncounted() + int(*total))
	}
	return nil
}

// uncounted returns the number of returned issues that the current search does not count.
func (w *searchWalk) uncounted() int {
	issues := w.before
	for _, created := range w.seen {
		if created.Before(w.query.CreatedFrom) {
			issues++
		}
	}
	return issues
}

// takeNew returns the issues of a page that were not returned before.
func (w *searchWalk) takeNew(page jira.Page[jira.Snapshot]) []jira.Snapshot {
	var fresh []jira.Snapshot
	for _, snapshot := range page.Entries {
		id := snapshot.Issue.ID
		w.last = id
		if id == "" { // the decoder does not understand the issue
			continue
		}
		w.created = later(w.created, snapshot.Issue.Created)
		if _, isSeen := w.seen[id]; !isSeen {
			w.seen[id] = snapshot.Issue.Created
			fresh = append(fresh, snapshot)
		}
	}
	return fresh
}

// advance moves to the next page.
func (w *searchWalk) advance(page jira.Page[jira.Snapshot], count int) error {
	next, err := nextOffset(int64(w.startAt), int64(count), page.Total, page.IsLast)
	switch {
	case err != nil:
		return w.fail(err)
	case next == 0:
		w.isDone = true
		return nil
	case next > maxOffset:
		return w.restart()
	}
	w.startAt = int(next)
	return nil
}

// restart starts a search at the time of creation of the last issue. It fails if that is where the current search
// starts.
func (w *searchWalk) restart() error {
	from := w.created.Add(-createdMargin)
	if !from.After(w.query.CreatedFrom) {
		from = w.created // more issues than a search returns were created in a minute
	}
	isSame := !from.After(w.query.CreatedFrom)
	if w.startAt >= maxOffset-pageSize && isSame {
		return w.fail(errNoProgress)
	}
	if !isSame {
		w.query.CreatedFrom = from
		w.forget(from.Add(-createdMargin))
	}
	w.startAt, w.last = 0, ""
	return nil
}

// forget removes the issues that no later search returns. They were created before the given time.
func (w *searchWalk) forget(before time.Time) {
	known := len(w.seen)
	maps.DeleteFunc(w.seen, func(_ string, created time.Time) bool { return created.Before(before) })
	w.before += known - len(w.seen)
}

// complete reads the comments and worklogs of which an issue contains a part. Data Center has no other resource for histories.
func (s dataCenter) complete(ctx context.Context, snapshot jira.Snapshot) (Issue, error) {
	hasHistories := !s.contents.Changelog ||
		snapshot.HistoryTotal != nil && int64(len(snapshot.Histories)) >= *snapshot.HistoryTotal
	hasLists, err := s.completeLists(ctx, &snapshot)
	return finish(snapshot, !hasHistories || !hasLists), err
}
