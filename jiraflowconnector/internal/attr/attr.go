// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package attr holds the keys of the attributes of the records that the connector reads and makes, and the names of the
// events.
package attr

import semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

// SchemaVersion is the version of the attributes and the event names. It is the version of the receiver too.
const SchemaVersion = "0.1.0"

// Attributes of the resource and of the instrumentation scope.
const (
	ServiceName       = string(semconv.ServiceNameKey)
	SiteURL           = "jira.site.url"
	JiraSchemaVersion = "jira.schema.version"
)

// Attributes that the records of the receiver have. docs/attributes.md describes them.
const (
	UID              = string(semconv.LogRecordUIDKey)
	URL              = string(semconv.URLFullKey)
	Truncated        = "jira.record.truncated"
	Source           = "jira.webhook.source"
	IssueID          = "jira.issue.id"
	IssueKey         = "jira.issue.key"
	IssueTypeName    = "jira.issue.type.name"
	PriorityName     = "jira.issue.priority.name"
	ProjectKey       = "jira.project.key"
	CreatedAt        = "jira.issue.created_at"
	ResolvedAt       = "jira.issue.resolved_at"
	ResolutionChange = "jira.issue.resolution.change"
	LeadTime         = "jira.issue.lead_time_seconds"
	Flagged          = "jira.issue.flagged"
	AssigneeID       = "jira.issue.assignee.id"
	AssigneeHash     = "jira.issue.assignee.hash"
	AssigneeName     = "jira.issue.assignee.name"
	ChangelogID      = "jira.changelog.id"
	StatusID         = "jira.issue.status.id"
	StatusName       = "jira.issue.status.name"
	StatusMapped     = "jira.issue.status.mapped"
	StatusCategory   = "jira.issue.status.category"
	PreviousID       = "jira.issue.status.previous.id"
	PreviousName     = "jira.issue.status.previous.name"
	PreviousMapped   = "jira.issue.status.previous.mapped"
)

// Attributes that only the connector writes. The comment behind a key becomes its description in docs/attributes.md. A
// key that ends in a dot continues with a status.
const (
	CycleStartedAt    = "jira.issue.cycle_started_at"                 // time of the first move to a status that starts the cycle, or of the creation in such a status
	CycleTime         = "jira.issue.cycle_time_seconds"               // time from `jira.issue.cycle_started_at` to the resolution
	ActiveTime        = "jira.issue.active_time_seconds"              // time of the cycle in the statuses of `cycle::active`
	WaitingTime       = "jira.issue.waiting_time_seconds"             // time of the cycle in other statuses, without the time in which the issue was resolved
	FlowEfficiency    = "jira.issue.flow_efficiency"                  // active time divided by the sum of active time and waiting time
	ReopenCount       = "jira.issue.reopen_count"                     // number of reopenings before the resolution
	TimeInMapped      = "jira.issue.time_in_mapped_status_seconds."   // time in all statuses with the mapped value
	TimeInStatus      = "jira.issue.time_in_status_seconds."          // time in the status. The name is in lower case, such as `in_progress`
	TimeInStatuses    = "jira.issue.time_in_statuses"                 // one map for each status: `id`, `name`, `mapped`, `seconds`, `visits`
	Complete          = "jira.issue.lifecycle.complete"               // whether the connector has seen the whole history
	IncompleteReasons = "jira.issue.lifecycle.incomplete_reasons"     // why the history is [incomplete](flow.md#incomplete-histories): `creation_not_seen`, `transition_not_seen` or `history_cut`
	Revision          = "jira.issue.lifecycle.revision"               // number of the correction, if the record is one
	StatusSince       = "jira.issue.status.since"                     // time of the move to the status
	StatusDuration    = "jira.issue.status.duration_seconds"          // time in the status until now
	StatusAtLeast     = "jira.issue.status.duration_is_minimum"       // `true` if the move to the status was not seen. The duration then starts at the first record that showed the status
	StuckLimit        = "jira.issue.stuck.limit_seconds"              // longest time in the status, by the configuration
	Assigned          = "jira.issue.assigned"                         // whether the issue has an assignee, if it is known
	PreviousDuration  = "jira.issue.status.previous.duration_seconds" // time in the previous status. With `pass_through`, transitions have it too
)

// Overflow is an attribute of the series that stands for all series beyond a limit, as in the SDKs of OpenTelemetry.
const Overflow = "otel.metric.overflow"

// Unmapped stands in metrics for the mapped value of a status that has none.
const Unmapped = "unmapped"

// Events of the receiver that have a meaning of their own.
const (
	EventIssueCreated      = "jira.issue.created"
	EventIssueDeleted      = "jira.issue.deleted"
	EventIssueTransitioned = "jira.issue.transitioned"
	EventFieldChanged      = "jira.issue.field_changed"
)

// Events of the connector.
const (
	EventLifecycle = "jira.issue.lifecycle"
	EventStuck     = "jira.issue.stuck"
	EventUnstuck   = "jira.issue.unstuck"
)

// Values of attributes that the connector distinguishes.
const (
	SourceBackfill = "backfill" // of Source
	CategoryToDo   = "new"      // of StatusCategory
	ChangeResolved = "resolved" // of ResolutionChange
	ChangeReopened = "reopened" // of ResolutionChange
)
