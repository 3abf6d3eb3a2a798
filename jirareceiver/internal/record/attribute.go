// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

// schemaURL is the schema URL of the semantic conventions that define the attributes outside the jira namespace.
const schemaURL = semconv.SchemaURL

// SchemaVersion is the version of the attributes in the jira namespace and of the event names. Before 1.0.0, the second
// number counts changes that break queries, and the third number all other changes.
const SchemaVersion = "0.1.0"

// The keys of the attributes. A key that ends in a dot continues with the alias of a custom field.
//
// The comment behind a key becomes its description in docs/attributes.md. Its words decide the column "personal":
//
//   - "user id of" at the start: the attribute is the id of a person.
//   - "hash of" at the start: the attribute is the hash of a login name.
//   - "; with `include::…`" at the end: the whole attribute needs the option.
//   - "only with `include::…`": a part of the value needs the option.

// Attributes of the instrumentation scope.
const attrSchemaVersion = "jira.schema.version" // version of the attributes in the namespace `jira` and of the event names

// Resource attributes.
const (
	attrServiceName = string(semconv.ServiceNameKey) // always `jira`
	attrSiteURL     = "jira.site.url"                // `https://host[/context]` of the Jira that sent the event: `site_url`, or without it the site of the links in the body
	attrSiteType    = "jira.site.type"               // `cloud` or `data_center`, if the body or the site shows it
)

// Attributes of every log record.
const (
	attrRecordUID      = string(semconv.LogRecordUIDKey)      // identifies the event: all deliveries of one event have the same value, and other events have other values, except [two runs of an Automation rule](senders.md#an-automation-rule) with the same body
	attrRecordOriginal = string(semconv.LogRecordOriginalKey) // the body as received, including all personal data; with `include::payload`

	attrRecordTruncated = "jira.record.truncated" // keys of the attributes that a [limit](limits.md#of-a-record) has cut

	attrWebhookEvent          = "jira.webhook.event"            // `webhookEvent` of the body, as sent
	attrWebhookIssueEventType = "jira.webhook.issue_event_type" // `issue_event_type_name` of the body, as sent
	attrWebhookID             = "jira.webhook.id"               // delivery ID, from the header `X-Atlassian-Webhook-Identifier` of Jira Cloud: the same for all attempts of a delivery
	attrWebhookRetryCount     = "jira.webhook.retry_count"      // number of the repetition, from the header `X-Atlassian-Webhook-Retry` of Jira Cloud; only if Jira repeats the delivery
	attrWebhookFlow           = "jira.webhook.flow"             // from the header `X-Atlassian-Webhook-Flow` of Jira Cloud: `Primary`, or `Secondary` for an event that another event caused
	attrWebhookSource         = "jira.webhook.source"           // sender of the event: `webhook`, `post_function`, `automation`, `operations` or `unknown`; `poll`, `repair` or `backfill` if the receiver has read the event from the REST API
)

// Attributes of records with an issue.
const (
	attrURLFull                 = string(semconv.URLFullKey)              // address of the issue, if its site and its key are known
	attrIssueID                 = "jira.issue.id"                         // id of the issue, which never changes
	attrIssueKey                = "jira.issue.key"                        // key of the issue
	attrIssuePreviousKey        = "jira.issue.previous_key"               // key of the issue before a move to another project
	attrIssueSummary            = "jira.issue.summary"                    // summary of the issue
	attrIssueDescription        = "jira.issue.description"                // description of the issue; with `include::description`
	attrIssueLabels             = "jira.issue.labels"                     // labels of the issue
	attrIssueComponents         = "jira.issue.components"                 // names of the components of the issue
	attrIssueFixVersions        = "jira.issue.fix_versions"               // names of the versions in which the issue is to be fixed
	attrIssueAffectedVersions   = "jira.issue.affected_versions"          // names of the versions that the issue affects
	attrIssueCreatedAt          = "jira.issue.created_at"                 // time at which the issue was created
	attrIssueUpdatedAt          = "jira.issue.updated_at"                 // time of the last update of the issue
	attrIssueResolvedAt         = "jira.issue.resolved_at"                // time at which the issue was resolved
	attrIssueDueDate            = "jira.issue.due_date"                   // due date of the issue
	attrIssueAge                = "jira.issue.age_seconds"                // seconds between the creation of the issue and the event
	attrIssueLeadTime           = "jira.issue.lead_time_seconds"          // seconds between the creation and the resolution of the issue; only on the event that resolves the issue
	attrIssueTypeID             = "jira.issue.type.id"                    // id of the type of the issue, or of the issue type that the event is about
	attrIssueTypeName           = "jira.issue.type.name"                  // name of the type of the issue, or of the issue type that the event is about
	attrIssuePriorityID         = "jira.issue.priority.id"                // id of the priority
	attrIssuePriorityName       = "jira.issue.priority.name"              // name of the priority
	attrIssueResolutionID       = "jira.issue.resolution.id"              // id of the resolution
	attrIssueResolutionName     = "jira.issue.resolution.name"            // name of the resolution
	attrResolutionChange        = "jira.issue.resolution.change"          // `resolved` if the event moves the issue to a status that [means done](delivery-metrics.md#which-statuses-mean-done), `reopened` if the event moves the issue back from such a status
	attrIssueParentID           = "jira.issue.parent.id"                  // id of the parent issue
	attrIssueParentKey          = "jira.issue.parent.key"                 // key of the parent issue
	attrIssueLinks              = "jira.issue.links"                      // one map for each link to another issue: `id` of the link, `type_id` and `type_name` of its type, `direction` (`outward` or `inward`, seen from this issue), and `issue_id` and `issue_key` of the other issue
	attrIssueSubtaskIDs         = "jira.issue.subtask.ids"                // ids of its subtasks
	attrIssueSubtaskKeys        = "jira.issue.subtask.keys"               // keys of its subtasks
	attrIssueSprintID           = "jira.issue.sprint.id"                  // id of its sprint, which is active or planned
	attrIssueSprintName         = "jira.issue.sprint.name"                // name of its sprint
	attrIssueSprintState        = "jira.issue.sprint.state"               // state of its sprint: `active` or `future`
	attrIssueClosedSprintIDs    = "jira.issue.closed_sprint.ids"          // ids of the closed sprints that it was in
	attrIssueFlagged            = "jira.issue.flagged"                    // `true` while it is flagged as impeded; `false` only on the event that removes the flag. A site that has translated the option `Impediment` shows a flag only on the events that set and remove it
	attrIssueSecurityLevel      = "jira.issue.security_level.name"        // name of the security level of the issue
	attrStatusID                = "jira.issue.status.id"                  // id of the status
	attrStatusName              = "jira.issue.status.name"                // name of the status, in the language of the site
	attrStatusCategory          = "jira.issue.status.category"            // key of the status category: `new`, `indeterminate`, `done` or `undefined`
	attrStatusCategoryChangedAt = "jira.issue.status.category_changed_at" // time at which the issue came into this status category; only Jira Cloud sends it
	attrStatusMapped            = "jira.issue.status.mapped"              // [mapped value](status-mapping.md) of the status
	attrPreviousStatusID        = "jira.issue.status.previous.id"         // id of the status before a transition
	attrPreviousStatusName      = "jira.issue.status.previous.name"       // name of the status before a transition
	attrPreviousStatusMapped    = "jira.issue.status.previous.mapped"     // mapped value of the status before a transition
	attrIssueCustom             = "jira.issue.custom."                    // value of a field of `custom_fields`: a string, a number, a boolean, or a list of them. Of people, the user ids; see also `jira.issue.custom_person`

	attrCustomPersonHash     = "jira.issue.custom_person.hash."      // hash of the login name of the person in a field of `custom_fields`, if the person has no id; if the field is a list, a list
	attrCustomPersonName     = "jira.issue.custom_person.name."      // login name of this person; with `include::user_details`
	attrCustomPersonFullName = "jira.issue.custom_person.full_name." // display name of this person; with `include::user_details`

	attrTransitionID   = "jira.workflow.transition.id"   // id of the transition
	attrTransitionName = "jira.workflow.transition.name" // name of the transition
	attrWorkflowID     = "jira.workflow.id"              // id of the workflow
	attrWorkflowName   = "jira.workflow.name"            // name of the workflow
)

// Attributes of the fields of Jira Service Management that `custom_fields` contains. The alias of the field follows.
const (
	attrSLAID                   = "jira.issue.sla.id."                          // id of the SLA
	attrSLAName                 = "jira.issue.sla.name."                        // name of the SLA
	attrSLAOngoingBreached      = "jira.issue.sla.ongoing.breached."            // whether the running cycle of the SLA has missed its goal
	attrSLAOngoingPaused        = "jira.issue.sla.ongoing.paused."              // whether the running cycle is paused
	attrSLAOngoingStartedAt     = "jira.issue.sla.ongoing.started_at."          // start time of the running cycle
	attrSLAOngoingBreachAt      = "jira.issue.sla.ongoing.breach_at."           // time at which the running cycle misses its goal
	attrSLAOngoingGoal          = "jira.issue.sla.ongoing.goal_seconds."        // goal of the running cycle, in seconds of working hours
	attrSLAOngoingElapsed       = "jira.issue.sla.ongoing.elapsed_seconds."     // seconds of working hours that have passed, without pauses
	attrSLAOngoingRemaining     = "jira.issue.sla.ongoing.remaining_seconds."   // seconds of working hours that are left; negative after a breach
	attrSLACompletedBreached    = "jira.issue.sla.completed.breached."          // whether the last completed cycle of the SLA missed its goal
	attrSLACompletedStartedAt   = "jira.issue.sla.completed.started_at."        // start time of the last completed cycle
	attrSLACompletedStoppedAt   = "jira.issue.sla.completed.stopped_at."        // end time of the last completed cycle
	attrSLACompletedBreachAt    = "jira.issue.sla.completed.breach_at."         // time at which the last completed cycle would have missed, or missed, its goal
	attrSLACompletedGoal        = "jira.issue.sla.completed.goal_seconds."      // goal of the last completed cycle, in seconds of working hours
	attrSLACompletedElapsed     = "jira.issue.sla.completed.elapsed_seconds."   // seconds of working hours that the last completed cycle took, without pauses
	attrSLACompletedRemaining   = "jira.issue.sla.completed.remaining_seconds." // seconds of working hours that were left; negative after a breach
	attrApprovalID              = "jira.issue.approval.id."                     // id of the current approval: the pending approval, otherwise the latest
	attrApprovalName            = "jira.issue.approval.name."                   // name of the current approval
	attrApprovalState           = "jira.issue.approval.state."                  // `pending`, or `completed` after the decision
	attrApprovalDecision        = "jira.issue.approval.decision."               // `approved` or `declined`; only after the decision
	attrApprovalCreatedAt       = "jira.issue.approval.created_at."             // time at which the approvers were asked
	attrApprovalCompletedAt     = "jira.issue.approval.completed_at."           // time of the decision
	attrApprovalRequiredCount   = "jira.issue.approval.required_count."         // number of approvers who must approve, if the body contains it
	attrApprovalRequiredPercent = "jira.issue.approval.required_percent."       // percentage of the approvers who must approve, if the body contains it
	attrApprovalApproverCount   = "jira.issue.approval.approver_count."         // number of approvers
	attrApprovalApprovedCount   = "jira.issue.approval.approved_count."         // number of approvers who have approved
	attrApprovalDeclinedCount   = "jira.issue.approval.declined_count."         // number of approvers who have declined
	attrApproverID              = "jira.issue.approval.approver.id."            // user id of each approver
	attrApproverHash            = "jira.issue.approval.approver.hash."          // hash of the login name of each approver without an id
	attrApproverName            = "jira.issue.approval.approver.name."          // login names of the approvers; with `include::user_details`
	attrApproverFullName        = "jira.issue.approval.approver.full_name."     // display names of the approvers; with `include::user_details`
	attrRequestTypeID           = "jira.issue.request.type.id."                 // id of the request type
	attrRequestTypeName         = "jira.issue.request.type.name."               // name of the request type
	attrRequestStatusName       = "jira.issue.request.status.name."             // status of the request, as customers see it
	attrRequestStatusCategory   = "jira.issue.request.status.category."         // category of this status, as in `jira.issue.status.category`
	attrRequestStatusChangedAt  = "jira.issue.request.status.changed_at."       // time at which the request came into this status
	attrSatisfactionRating      = "jira.issue.satisfaction.rating."             // rating of the service by the customer, from 1 to 5
	attrSatisfactionComment     = "jira.issue.satisfaction.comment."            // comment of the customer on the rating; with `include::comment_body`
)

// Attributes of records with changes.
const (
	attrChangelogID     = "jira.changelog.id"     // id of the change
	attrChangelogFields = "jira.changelog.fields" // ids of the changed fields in Jira's order; names if Jira sends no ids
	attrChangelogItems  = "jira.changelog.items"  // one map per changed field, in the order of `jira.changelog.fields`: `field`, `field_id`, `field_type`, `from`, `from_hash`, `from_string`, `to`, `to_hash`, `to_string`. Contains names of people only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`

	attrChangeField      = "jira.change.field"       // name of the changed field
	attrChangeFieldID    = "jira.change.field_id"    // id of the changed field
	attrChangeFrom       = "jira.change.from"        // machine-readable value before the change, usually an id; values that may be login names only with `include::user_details`
	attrChangeFromHash   = "jira.change.from_hash"   // hash of the login name in the value before the change, if the value may be a person without an id; of a list, all hashes
	attrChangeFromString = "jira.change.from_string" // readable value before the change; names of people only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`
	attrChangeTo         = "jira.change.to"          // machine-readable value after the change, usually an id; values that may be login names only with `include::user_details`
	attrChangeToHash     = "jira.change.to_hash"     // hash of the login name in the value after the change, if the value may be a person without an id; of a list, all hashes
	attrChangeToString   = "jira.change.to_string"   // readable value after the change; names of people only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`
)

// Keys of the maps in the list jira.changelog.items.
const (
	keyField      = "field"
	keyFieldID    = "field_id"
	keyFieldType  = "field_type"
	keyFrom       = "from"
	keyFromHash   = "from_hash"
	keyFromString = "from_string"
	keyTo         = "to"
	keyToHash     = "to_hash"
	keyToString   = "to_string"
)

// Keys of the maps in the list jira.issue.links.
const (
	keyID        = "id"
	keyTypeID    = "type_id"
	keyTypeName  = "type_name"
	keyDirection = "direction"
	keyIssueID   = "issue_id"
	keyIssueKey  = "issue_key"
)

// Attributes of records about other subjects.
const (
	attrProjectID       = "jira.project.id"       // id of the project
	attrProjectKey      = "jira.project.key"      // key of the project
	attrProjectName     = "jira.project.name"     // name of the project
	attrProjectCategory = "jira.project.category" // name of the project's category

	attrCommentID              = "jira.comment.id"               // id of the comment
	attrCommentCreatedAt       = "jira.comment.created_at"       // time at which the comment was written
	attrCommentUpdatedAt       = "jira.comment.updated_at"       // time of the last edit of the comment
	attrCommentPublic          = "jira.comment.public"           // whether customers see the comment; only with Jira Service Management
	attrCommentVisibilityType  = "jira.comment.visibility.type"  // `role` or `group` if only its members see the comment
	attrCommentVisibilityValue = "jira.comment.visibility.value" // name of that role or group
	attrCommentBody            = "jira.comment.body"             // text of the comment; with `include::comment_body`

	attrWorklogID              = "jira.worklog.id"                 // id of the worklog
	attrWorklogStartedAt       = "jira.worklog.started_at"         // time at which the work began
	attrWorklogCreatedAt       = "jira.worklog.created_at"         // time at which the work was logged
	attrWorklogUpdatedAt       = "jira.worklog.updated_at"         // time of the last edit of the worklog
	attrWorklogTimeSpent       = "jira.worklog.time_spent_seconds" // seconds of work
	attrWorklogVisibilityType  = "jira.worklog.visibility.type"    // `role` or `group` if only its members see the worklog
	attrWorklogVisibilityValue = "jira.worklog.visibility.value"   // name of that role or group
	attrWorklogComment         = "jira.worklog.comment"            // text of the worklog; with `include::comment_body`

	attrAttachmentID        = "jira.attachment.id"         // id of the attachment
	attrAttachmentFilename  = "jira.attachment.filename"   // name of the file
	attrAttachmentSize      = "jira.attachment.size"       // size of the file in bytes
	attrAttachmentMIMEType  = "jira.attachment.mime_type"  // MIME type of the file
	attrAttachmentCreatedAt = "jira.attachment.created_at" // time at which the file was attached

	attrIssueLinkID            = "jira.issue_link.id"                   // id of the link
	attrIssueLinkTypeID        = "jira.issue_link.type.id"              // id of the type of the link
	attrIssueLinkTypeName      = "jira.issue_link.type.name"            // name of the type of the link
	attrIssueLinkSourceID      = "jira.issue_link.source_issue.id"      // id of the issue from which the link starts
	attrIssueLinkDestinationID = "jira.issue_link.destination_issue.id" // id of the issue to which the link points
	attrIssueLinkSystem        = "jira.issue_link.system"               // whether Jira made the link itself, such as the link to a subtask

	attrIssuePropertyKey     = "jira.issue_property.key"             // key of the property
	attrIssuePropertyChannel = "jira.issue_property.request_channel" // channel of a request of Jira Service Management, such as `portal` or `email`; only for the property `request.channel.type`

	attrSprintID          = "jira.sprint.id"           // id of the sprint
	attrSprintName        = "jira.sprint.name"         // name of the sprint
	attrSprintState       = "jira.sprint.state"        // `future`, `active` or `closed`
	attrSprintGoal        = "jira.sprint.goal"         // goal of the sprint
	attrSprintCreatedAt   = "jira.sprint.created_at"   // time at which the sprint was created
	attrSprintStartAt     = "jira.sprint.start_at"     // start time of the sprint
	attrSprintEndAt       = "jira.sprint.end_at"       // planned end time of the sprint
	attrSprintCompletedAt = "jira.sprint.completed_at" // time at which the sprint was closed

	attrBoardID   = "jira.board.id"   // id of the board; for a sprint, of the board on which the sprint was created
	attrBoardName = "jira.board.name" // name of the board
	attrBoardType = "jira.board.type" // `scrum`, `kanban` or `simple`

	attrVersionID           = "jira.version.id"             // id of the version
	attrVersionName         = "jira.version.name"           // name of the version
	attrVersionReleased     = "jira.version.released"       // whether the version is released
	attrVersionArchived     = "jira.version.archived"       // whether the version is archived
	attrVersionStartDate    = "jira.version.start_date"     // date on which work on the version starts
	attrVersionReleaseDate  = "jira.version.release_date"   // planned or actual date of the release
	attrVersionMergedIntoID = "jira.version.merged_into.id" // id of the version that took over the issues of this version

	attrUserActive      = "jira.user.active"       // whether the account is active
	attrUserAccountType = "jira.user.account_type" // `atlassian`, `app` or `customer`

	attrFilterID    = "jira.filter.id"    // id of the filter
	attrFilterName  = "jira.filter.name"  // name of the filter
	attrOptionKey   = "jira.option.key"   // key of the option
	attrOptionValue = "jira.option.value" // value of the option
)

// Attributes of records about alerts.
const (
	attrAlertID               = "jira.alert.id"                 // id of the alert
	attrAlertTinyID           = "jira.alert.tiny_id"            // short number of the alert, which Jira uses again for later alerts
	attrAlertAlias            = "jira.alert.alias"              // key by which the creator of the alert recognises it
	attrAlertAction           = "jira.alert.action.name"        // `action` of the body, as sent
	attrAlertActionSourceName = "jira.alert.action.source.name" // name of the integration through which the action was performed; a name that may be a person's only with `include::user_details`
	attrAlertActionSourceType = "jira.alert.action.source.type" // kind of that source, such as `web` or `API`
	attrAlertMessage          = "jira.alert.message"            // message, the title of the alert
	attrAlertDescription      = "jira.alert.description"        // description; with `include::description`
	attrAlertDetails          = "jira.alert.details"            // custom properties of the alert, as JSON; with `include::description`
	attrAlertNote             = "jira.alert.note"               // text that the user wrote with the action; with `include::comment_body`
	attrAlertPriority         = "jira.alert.priority"           // priority: `P1`, `P2`, `P3`, `P4` or `P5`
	attrAlertPreviousPriority = "jira.alert.previous_priority"  // priority before the change: `P1`, `P2`, `P3`, `P4` or `P5`
	attrAlertSource           = "jira.alert.source"             // tool or address that created the alert; a name that may be a person's only with `include::user_details`
	attrAlertEntity           = "jira.alert.entity"             // thing that the alert is about, such as a host
	attrAlertTags             = "jira.alert.tags"               // tags
	attrAlertAddedTags        = "jira.alert.added_tags"         // tags that the action added
	attrAlertRemovedTags      = "jira.alert.removed_tags"       // tags that the action removed
	attrAlertCount            = "jira.alert.count"              // number of occurrences that Jira counts as this alert
	attrAlertCreatedAt        = "jira.alert.created_at"         // time of its creation
	attrAlertUpdatedAt        = "jira.alert.updated_at"         // time of the action
	attrAlertTeams            = "jira.alert.teams"              // ids of the teams of the alert
	attrAlertTeam             = "jira.alert.team"               // name of the team that is responsible, or that the action added
	attrAlertResponders       = "jira.alert.responders"         // one map per responder: `id`, `type`, `name`. Contains names only with `include::user_details`
	attrAlertRecipientID      = "jira.alert.recipient.id"       // user id of the user, or id of the team, schedule or escalation, that the action added or notified
	attrAlertRecipientType    = "jira.alert.recipient.type"     // `user`, `team`, `schedule` or `escalation`
	attrAlertRecipientName    = "jira.alert.recipient.name"     // name of the recipient; with `include::user_details`
	attrAlertEscalationID     = "jira.alert.escalation.id"      // id of the escalation policy
	attrAlertEscalationName   = "jira.alert.escalation.name"    // name of the escalation policy
	attrAlertIntegrationID    = "jira.alert.integration.id"     // id of the webhook integration that sent the body
	attrAlertIntegrationName  = "jira.alert.integration.name"   // name of the webhook integration that sent the body
)

// Keys of the maps in the list jira.alert.responders.
const (
	keyResponderID   = "id"
	keyResponderType = "type"
	keyResponderName = "name"
)

// userKeys are the keys of the attributes of one person with display name and e-mail address.
type userKeys struct {
	personKeys
	fullName, email string
}

var (
	actorKeys    = newUserKeys("user")                // the user who caused the event; if the body of a comment, worklog or attachment event lacks this user, the last editor or the author, but not on deletions
	assigneeKeys = newUserKeys("jira.issue.assignee") // the assignee of the issue
	reporterKeys = newUserKeys("jira.issue.reporter") // the reporter of the issue
	creatorKeys  = newUserKeys("jira.issue.creator")  // the creator of the issue
	subjectKeys  = newUserKeys("jira.user")           // the user whom the event is about
)

// personTemplates are the keys of the attributes of people in custom fields. The alias of the field follows.
type personTemplates struct{ hash, name, fullName string }

var (
	customPersonTemplates = personTemplates{attrCustomPersonHash, attrCustomPersonName, attrCustomPersonFullName}
	approverTemplates     = personTemplates{attrApproverHash, attrApproverName, attrApproverFullName}
)

// personKeys are the keys of the attributes of one person.
type personKeys struct{ id, hash, name string }

var (
	commentAuthorKeys       = newPersonKeys("jira.comment.author")        // the author of the comment
	commentUpdateAuthorKeys = newPersonKeys("jira.comment.update_author") // the last editor of the comment
	worklogAuthorKeys       = newPersonKeys("jira.worklog.author")        // the author of the worklog
	worklogUpdateAuthorKeys = newPersonKeys("jira.worklog.update_author") // the last editor of the worklog
	attachmentAuthorKeys    = newPersonKeys("jira.attachment.author")     // the user who attached the file
	projectLeadKeys         = newPersonKeys("jira.project.lead")          // the project's lead
	alertOwnerKeys          = newPersonKeys("jira.alert.owner")           // the owner of the alert
)

func newPersonKeys(prefix string) personKeys {
	return personKeys{id: prefix + ".id", hash: prefix + ".hash", name: prefix + ".name"}
}

// newUserKeys returns the keys of a user in a namespace. They follow the user attributes of the semantic conventions.
func newUserKeys(prefix string) userKeys {
	return userKeys{
		personKeys: newPersonKeys(prefix),
		fullName:   prefix + ".full_name",
		email:      prefix + ".email",
	}
}
