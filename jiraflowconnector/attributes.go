// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import "github.com/otel-jira/collector/jiraflowconnector/internal/aggregate"

// Attributes of the records of the receiver. docs/attributes.md describes them.
const (
	attrSiteURL          = aggregate.AttrSite
	attrProjectKey       = aggregate.AttrProject
	attrIssueTypeName    = aggregate.AttrType
	attrPriorityName     = aggregate.AttrPriority
	attrStatusName       = aggregate.AttrStatus
	attrStatusMapped     = aggregate.AttrMapped
	attrPreviousMapped   = aggregate.AttrPrevious
	attrStatusID         = "jira.issue.status.id"
	attrStatusCategory   = "jira.issue.status.category"
	attrPreviousID       = "jira.issue.status.previous.id"
	attrPreviousName     = "jira.issue.status.previous.name"
	attrSource           = "jira.webhook.source"
	attrIssueID          = "jira.issue.id"
	attrIssueKey         = "jira.issue.key"
	attrCreatedAt        = "jira.issue.created_at"
	attrResolvedAt       = "jira.issue.resolved_at"
	attrFlagged          = "jira.issue.flagged"
	attrAssigneeID       = "jira.issue.assignee.id"
	attrAssigneeHash     = "jira.issue.assignee.hash"
	attrAssigneeName     = "jira.issue.assignee.name"
	attrResolutionChange = "jira.issue.resolution.change"
	attrLeadTime         = "jira.issue.lead_time_seconds"
	attrChangelogID      = "jira.changelog.id"
	attrUID              = "log.record.uid"
	attrURL              = "url.full"
)

// Attributes that the connector adds. docs/flow.md describes them.
const (
	attrPreviousDuration  = "jira.issue.status.previous.duration_seconds"
	attrStatusSince       = "jira.issue.status.since"
	attrStatusDuration    = "jira.issue.status.duration_seconds"
	attrStatusAtLeast     = "jira.issue.status.duration_is_minimum"
	attrStuckLimit        = "jira.issue.stuck.limit_seconds"
	attrAssigned          = "jira.issue.assigned"
	attrCycleTime         = "jira.issue.cycle_time_seconds"
	attrCycleStartedAt    = "jira.issue.cycle_started_at"
	attrActiveTime        = "jira.issue.active_time_seconds"
	attrWaitingTime       = "jira.issue.waiting_time_seconds"
	attrFlowEfficiency    = "jira.issue.flow_efficiency"
	attrReopenCount       = "jira.issue.reopen_count"
	attrComplete          = "jira.issue.lifecycle.complete"
	attrIncompleteReasons = "jira.issue.lifecycle.incomplete_reasons"
	attrRevision          = "jira.issue.lifecycle.revision"
	attrTimeInStatuses    = "jira.issue.time_in_statuses"
	attrTruncated         = "jira.record.truncated"
	prefixTimeInStatus    = "jira.issue.time_in_status_seconds."
	prefixTimeInMapped    = "jira.issue.time_in_mapped_status_seconds."
)

// Events of the receiver that have a meaning of their own.
const (
	eventIssueCreated      = "jira.issue.created"
	eventIssueDeleted      = "jira.issue.deleted"
	eventIssueTransitioned = "jira.issue.transitioned"
	eventFieldChanged      = "jira.issue.field_changed"
)

// Events of the connector.
const (
	eventLifecycle = "jira.issue.lifecycle"
	eventStuck     = "jira.issue.stuck"
	eventUnstuck   = "jira.issue.unstuck"
)

const sourceBackfill = "backfill" // a value of attrSource

const categoryToDo = "new" // a value of attrStatusCategory

// Values of attrResolutionChange.
const (
	changeResolved = "resolved"
	changeReopened = "reopened"
)
