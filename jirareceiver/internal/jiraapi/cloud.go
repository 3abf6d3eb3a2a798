// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// cloud reads Jira Cloud: ids through the search, and contents by id, because the search index is eventually consistent
// and reading by id is not.
type cloud struct{ reader }

// CheckBounds implements Source.
func (s cloud) CheckBounds(ctx context.Context, now time.Time) error {
	for _, err := range s.ids(ctx, boundsQuery(now)) {
		if err != nil {
			return err
		}
		return get(OperationSearch, "search/jql", nil, nil).fail(KindUnexpected, ErrIgnoredBound)
	}
	return nil
}

// Changed implements Source. It reads all ids before the first issue: a page token is valid for days, but an issue that
// vanishes between two pages may move another issue out of both.
func (s cloud) Changed(ctx context.Context, query Query) iter.Seq2[Issue, error] {
	return func(yield func(Issue, error) bool) {
		var ids []string
		seen := map[string]bool{"": true}
		for found, err := range s.ids(ctx, query.jql()) {
			if err != nil {
				yield(Issue{}, err)
				return
			}
			if !seen[found.Issue.ID] {
				seen[found.Issue.ID] = true
				ids = append(ids, found.Issue.ID)
			}
		}
		if len(ids) == 0 {
			if _, err := s.Myself(ctx); err != nil {
				yield(Issue{}, err)
				return
			}
		}
		query.reportTotal(len(ids))
		s.issues(ctx, ids, query.HistorySince)(yield)
	}
}

// issues returns issues by their ids, whole, in the order of the ids. It does not depend on the search index. The
// histories before the given time may be missing; the zero time asks for all.
func (s cloud) issues(ctx context.Context, ids []string, historySince time.Time) iter.Seq2[Issue, error] {
	return func(yield func(Issue, error) bool) {
		for chunk := range slices.Chunk(ids, maxIssues) {
			if !s.yieldChunk(ctx, chunk, historySince, yield) {
				return
			}
		}
	}
}

// yieldChunk reads issues with one request. If they are too large for it, it reads each half of them. It returns false
// if the iterator ends.
func (s cloud) yieldChunk(
	ctx context.Context, ids []string, historySince time.Time, yield func(Issue, error) bool,
) (goOn bool) {
	snapshots, err := s.bulkFetch(ctx, ids, s.fields, s.expand)
	if KindOf(err) == KindTooLarge && len(ids) > 1 {
		half := len(ids) / 2
		return s.yieldChunk(ctx, ids[:half], historySince, yield) && s.yieldChunk(ctx, ids[half:], historySince, yield)
	}
	if KindOf(err) == KindTooLarge { // without the lists, which are then read in pages
		snapshots, err = s.bulkFetch(ctx, ids, s.withoutLists(), nil)
	}
	if err == nil {
		err = s.addMissingChangelogs(ctx, snapshots)
	}
	if err != nil {
		yield(Issue{}, err)
		return false
	}
	found := make(map[string]jira.Snapshot, len(snapshots))
	for _, snapshot := range snapshots {
		found[snapshot.Issue.ID] = snapshot
	}
	for _, id := range ids {
		issue := Issue{Snapshot: jira.Snapshot{Issue: &jira.Issue{ID: id}}, IsMissing: true}
		if snapshot, ok := found[id]; ok {
			if issue, err = s.complete(ctx, snapshot, historySince); err != nil {
				yield(Issue{}, err)
				return false
			}
		}
		if !yield(issue, nil) {
			return false
		}
	}
	return true
}

// addMissingChangelogs reads the changelogs of the issues that Jira returned without one, although the request asked
// for it.
func (s cloud) addMissingChangelogs(ctx context.Context, snapshots []jira.Snapshot) error {
	byID := map[string]*jira.Snapshot{}
	var ids []string
	for i := range snapshots {
		if snapshot := &snapshots[i]; s.contents.Changelog && snapshot.HistoryTotal == nil {
			byID[snapshot.Issue.ID] = snapshot
			ids = append(ids, snapshot.Issue.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	for histories, err := range s.Changelogs(ctx, ids) {
		if err != nil {
			return err
		}
		if snapshot := byID[histories.IssueID]; snapshot != nil {
			snapshot.Histories = mergeHistories(snapshot.Histories, histories.Histories)
		}
	}
	for _, snapshot := range byID {
		total := int64(len(snapshot.Histories))
		snapshot.HistoryTotal = &total
	}
	return nil
}

// complete reads the lists of which an issue contains a part.
func (s cloud) complete(ctx context.Context, snapshot jira.Snapshot, historySince time.Time) (Issue, error) {
	hasHistories, err := s.completeHistories(ctx, &snapshot, historySince)
	if err != nil {
		return Issue{}, err
	}
	hasLists, err := s.completeLists(ctx, &snapshot)
	return finish(snapshot, !hasHistories || !hasLists), err
}

// completeHistories reads the pages of a changelog from the end, until it has all histories since the given time. The
// pages are in the order of time, and the issue contains the newest 20 to 100 histories.
func (s cloud) completeHistories(
	ctx context.Context, snapshot *jira.Snapshot, since time.Time,
) (isComplete bool, err error) {
	if !s.contents.Changelog || hasAllSince(snapshot, since) {
		return true, nil
	}
	total := *snapshot.HistoryTotal
	for end := total; end > 0; end -= maxHistories {
		page, err := s.changelogPage(ctx, snapshot.Issue.ID, max(0, end-maxHistories))
		switch {
		case KindOf(err) == KindNotFound:
			return false, nil
		case err != nil:
			return false, err
		case len(page.Entries) == 0: // the two sources of the changelog disagree
			return false, nil
		}
		snapshot.Histories = mergeHistories(snapshot.Histories, page.Entries)
		if !since.IsZero() && oldest(page.Entries).Before(since) {
			return true, nil
		}
	}
	return int64(len(snapshot.Histories)) >= total, nil
}

// hasAllSince reports whether an issue contains all its histories, or at least all since the given time: then the list
// starts with the newest history and ends with one before that time.
func hasAllSince(snapshot *jira.Snapshot, since time.Time) bool {
	count := len(snapshot.Histories)
	if int64(count) >= *snapshot.HistoryTotal {
		return true
	}
	return !since.IsZero() && count > 1 && snapshot.Histories[count-1].Created.Before(since) &&
		slices.IsSortedFunc(snapshot.Histories, func(a, b jira.History) int { return b.Created.Compare(a.Created) })
}

// mergeHistories appends the histories with new ids.
func mergeHistories(histories, more []jira.History) []jira.History {
	seen := map[string]bool{"": true} // histories that the decoder does not understand have no id
	for _, history := range histories {
		seen[history.ID] = true
	}
	for _, history := range more {
		if !seen[history.ID] {
			seen[history.ID] = true
			histories = append(histories, history)
		}
	}
	return histories
}

func oldest(histories []jira.History) time.Time {
	return slices.MinFunc(histories, jira.CompareHistories).Created
}
