// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package poll reads the changes of a Jira at intervals, each change at least once.
//
// # Words
//
//   - A run reads all issues that changed since the run before, and hands on their events.
//   - The cursor is the start of the last complete run, less the grace, on the clocks of Jira and of the collector.
//   - The grace is the time for which the poller leaves a change to its webhook. It is zero without webhooks.
//   - The bound of a run is the time from which it reads: the cursor less the overlap and a minute.
//   - The overlap is how late Jira's search index may show a change.
//   - The uid set contains the uids that were handed on, from the bound to the present. Runs overlap, and the set
//     keeps them from handing on an event twice.
//   - The mark is the last issue, in the order of creation, whose events were all handed on. A run that was interrupted
//     goes on from its mark.
//   - The back-fill is one long run over the past, from a start date to the bound of the first run.
//   - The checkpoint is the stored state: cursor, unfinished run, back-fill and uid set.
//
// # What holds
//
// An event is handed on at least once if its change moves the time of update of its issue, the issue stays visible to
// the account, and the search index shows the change within the grace, the overlap and a minute. This holds whatever the
// durations of runs, their failures, restarts and the jumps of Jira's clock, unless the clock goes back and forward again
// between two runs, or, with a grace, forward and back again. The reasons:
//
//   - The cursor moves only after a run has read all pages and the pipeline has taken all events.
//   - The cursor is the start of a run and never a time in an issue: issues with a later time may have been indexed
//     after issues with an earlier one.
//   - A run without a grace has no upper bound, so that changes of an issue while it is read cannot hide it.
//   - Each run compares Jira's clock with the collector's. If Jira's clock has jumped, in either direction, the bound
//     is early enough for changes with times before and after the jump, until the search index shows all changes before
//     the jump.
//
// An event is handed on twice, with the same uid, only
//   - after a crash between the pipeline and the next checkpoint, or a stop whose checkpoint the storage did not take,
//   - after Jira's clock has gone back,
//   - if it happened within the duration of a request before the end of the back-fill,
//   - if the uid set is full, or
//   - if the overlap becomes longer, or the start of an unfinished back-fill changes.
package poll
