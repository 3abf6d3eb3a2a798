// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package jiraflowconnector reads the log records of the Jira receiver, and makes metrics and log records of the flow
// of issues through their statuses.
//
// # Glossary
//
// The glossary of the package jirareceiver applies. This package adds the following words:
//
//   - change: the creation of an issue or a move from one status to another, as a record contains it
//   - move: a change, or several changes that describe the same event in Jira; the creation is a move too
//   - history: the set of the changes of an issue that were read
//   - issue state: everything that the connector remembers about an issue: its history, its latest facts, such as its
//     project and its assignee, and the outputs that were made
//   - timeline: the moves of an issue, computed from its history
//   - stay: the time of an issue in a status, between two moves
//   - gap: a move that starts in another status than the move before has reached, so that a move was not seen
//   - sighting: a record that shows the status of an issue and does not change the status
//   - resolution: a move from a status that does not end the cycle to a status that ends the cycle
//   - reopening: a move in the opposite direction
//   - cycle: the time from the first status that starts the cycle to a resolution
//   - lifecycle: the life of an issue from its creation to a resolution
//   - lifecycle record: the record jira.issue.lifecycle, which the connector sends once for each resolution
//   - stuck: an open issue is stuck while it has been in its status for longer than the limit
//   - settle: an issue settles when no further change of it arrives for settle_time; then its outputs are made
//   - output: an increment of a metric, or a record that the connector makes
package jiraflowconnector
