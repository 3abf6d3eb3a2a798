package record

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// schemaURL is the version of the semantic conventions that the attributes outside the jira namespace come from.
const schemaURL = semconv.SchemaURL

// The attributes. What stands behind each becomes its description in docs/attributes.md, and says whether it is about people:
// "user id of", "; with `include::…`" at the end for all of it, "only with `include::…`" for a part.

// Resource attributes.
const (
	attrServiceName    = string(semconv.ServiceNameKey) // always `jira`
	attrSiteURL        = "jira.site.url"                // `https://host[/context]` of the Jira that sent the event: `site_url`, or else from the links in the body
	attrDeploymentType = "jira.deployment.type"         // `cloud` or `data_center`, when it can be told
)

// Attributes of every log record.
const (
	attrRecordUID      = string(semconv.LogRecordUIDKey)      // the same for all deliveries of one event, and for no other event, but for [two runs of an Automation rule](senders.md#an-automation-rule) with the same body
	attrRecordOriginal = string(semconv.LogRecordOriginalKey) // the body as it was received, with all that it says of people; with `include::payload`

	attrRecordTruncated = "jira.record.truncated" // keys of the attributes that were cut at a [limit](limits.md#of-a-record)

	attrWebhookEvent          = "jira.webhook.event"            // `webhookEvent` of the body, as sent
	attrWebhookIssueEventType = "jira.webhook.issue_event_type" // `issue_event_type_name` of the body, as sent
	attrWebhookID             = "jira.webhook.id"               // from the header `X-Atlassian-Webhook-Identifier` of Jira Cloud: the same for all attempts to deliver
	attrWebhookRetryCount     = "jira.webhook.retry_count"      // from the header `X-Atlassian-Webhook-Retry` of Jira Cloud, on repeated deliveries
	attrWebhookFlow           = "jira.webhook.flow"             // from the header `X-Atlassian-Webhook-Flow` of Jira Cloud: `Primary`, or `Secondary` for what follows from another event
	attrWebhookSource         = "jira.webhook.source"           // what sent the event: `webhook`, `post_function`, `automation` or `unknown`
)

// Attributes of records with an issue.
const (
	attrURLFull               = string(semconv.URLFullKey)          // address of the issue, when its site and its key are known
	attrIssueID               = "jira.issue.id"                     // id of the issue, which it keeps for life
	attrIssueKey              = "jira.issue.key"                    // key of the issue
	attrIssuePreviousKey      = "jira.issue.previous_key"           // key before a move to another project
	attrIssueSummary          = "jira.issue.summary"                // summary
	attrIssueDescription      = "jira.issue.description"            // description; with `include::description`
	attrIssueLabels           = "jira.issue.labels"                 // labels
	attrIssueComponents       = "jira.issue.components"             // names of the components
	attrIssueFixVersions      = "jira.issue.fix_versions"           // names of the versions that it is to be fixed in
	attrIssueAffectedVersions = "jira.issue.affected_versions"      // names of the versions that it affects
	attrIssueCreatedAt        = "jira.issue.created_at"             // when it was created
	attrIssueUpdatedAt        = "jira.issue.updated_at"             // when it was last updated
	attrIssueResolvedAt       = "jira.issue.resolved_at"            // when it was resolved
	attrIssueDueDate          = "jira.issue.due_date"               // due date
	attrIssueAge              = "jira.issue.age_seconds"            // seconds from when it was created to the event
	attrIssueLeadTime         = "jira.issue.lead_time_seconds"      // seconds from when it was created to when it was resolved, on the event that resolves it
	attrIssueTypeID           = "jira.issue.type.id"                // id of its type
	attrIssueTypeName         = "jira.issue.type.name"              // name of its type
	attrIssuePriorityID       = "jira.issue.priority.id"            // id of its priority
	attrIssuePriorityName     = "jira.issue.priority.name"          // name of its priority
	attrIssueResolutionID     = "jira.issue.resolution.id"          // id of its resolution
	attrIssueResolutionName   = "jira.issue.resolution.name"        // name of its resolution
	attrResolutionChange      = "jira.issue.resolution.change"      // `resolved` if the event takes the issue to a status that [means done](delivery-metrics.md#which-statuses-mean-done), `reopened` if it takes the issue back from one
	attrIssueParentID         = "jira.issue.parent.id"              // id of its parent
	attrIssueParentKey        = "jira.issue.parent.key"             // key of its parent
	attrIssueSecurityLevel    = "jira.issue.security_level.name"    // name of its security level
	attrStatusID              = "jira.issue.status.id"              // id of its status
	attrStatusName            = "jira.issue.status.name"            // name of its status, in the language of the site
	attrStatusCategory        = "jira.issue.status.category"        // key of the status category: `new`, `indeterminate`, `done` or `undefined`
	attrStatusMapped          = "jira.issue.status.mapped"          // what the status [maps to](status-mapping.md)
	attrPreviousStatusID      = "jira.issue.status.previous.id"     // id of the status before a transition
	attrPreviousStatusName    = "jira.issue.status.previous.name"   // name of the status before a transition
	attrPreviousStatusMapped  = "jira.issue.status.previous.mapped" // what the status before a transition maps to
	attrIssueCustom           = "jira.issue.custom."                // a field of `custom_fields`: text, number or truth value, or a list of them; of people the ids, and their names in `….full_name` only with `include::user_details`

	attrTransitionID   = "jira.transition.id"   // id of the transition
	attrTransitionName = "jira.transition.name" // name of the transition
	attrWorkflowID     = "jira.workflow.id"     // id of the workflow
	attrWorkflowName   = "jira.workflow.name"   // name of the workflow
)

// Attributes of records with changes.
const (
	attrChangelogID     = "jira.changelog.id"     // id of the change
	attrChangelogFields = "jira.changelog.fields" // ids of the changed fields in Jira's order; names where Jira gives no ids
	attrChangelogItems  = "jira.changelog.items"  // a map for each changed field, in the same order: `field`, `field_id`, `field_type`, `from`, `from_string`, `to`, `to_string`. Names of people are there only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`

	attrChangeField      = "jira.change.field"       // name of the changed field
	attrChangeFieldID    = "jira.change.field_id"    // id of the changed field
	attrChangeFrom       = "jira.change.from"        // value before, for machines: an id as a rule; what may be the login name of a person only with `include::user_details`
	attrChangeFromString = "jira.change.from_string" // value before, for people; their names only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`
	attrChangeTo         = "jira.change.to"          // value after, for machines: an id as a rule; what may be the login name of a person only with `include::user_details`
	attrChangeToString   = "jira.change.to_string"   // value after, for people; their names only with `include::user_details`, descriptions only with `include::description`, comments only with `include::comment_body`
)

// Keys of the maps in the list jira.changelog.items.
const (
	keyField      = "field"
	keyFieldID    = "field_id"
	keyFieldType  = "field_type"
	keyFrom       = "from"
	keyFromString = "from_string"
	keyTo         = "to"
	keyToString   = "to_string"
)

// Attributes of records about other things.
const (
	attrProjectID       = "jira.project.id"       // id of the project
	attrProjectKey      = "jira.project.key"      // key of the project
	attrProjectName     = "jira.project.name"     // name of the project
	attrProjectCategory = "jira.project.category" // name of the project's category
	attrProjectLeadID   = "jira.project.lead.id"  // user id of the project's lead

	attrCommentID             = "jira.comment.id"               // id of the comment
	attrCommentAuthorID       = "jira.comment.author.id"        // user id of who wrote it
	attrCommentUpdateAuthorID = "jira.comment.update_author.id" // user id of who edited it last
	attrCommentCreatedAt      = "jira.comment.created_at"       // when it was written
	attrCommentUpdatedAt      = "jira.comment.updated_at"       // when it was last edited
	attrCommentPublic         = "jira.comment.public"           // whether customers see it; Jira Service Management
	attrCommentBody           = "jira.comment.body"             // its text; with `include::comment_body`

	attrWorklogID             = "jira.worklog.id"                 // id of the worklog
	attrWorklogAuthorID       = "jira.worklog.author.id"          // user id of who logged it
	attrWorklogUpdateAuthorID = "jira.worklog.update_author.id"   // user id of who edited it last
	attrWorklogStartedAt      = "jira.worklog.started_at"         // when the work began
	attrWorklogCreatedAt      = "jira.worklog.created_at"         // when it was logged
	attrWorklogUpdatedAt      = "jira.worklog.updated_at"         // when it was last edited
	attrWorklogTimeSpent      = "jira.worklog.time_spent_seconds" // seconds of work
	attrWorklogComment        = "jira.worklog.comment"            // its text; with `include::comment_body`

	attrAttachmentID        = "jira.attachment.id"         // id of the attachment
	attrAttachmentFilename  = "jira.attachment.filename"   // name of the file
	attrAttachmentSize      = "jira.attachment.size"       // bytes
	attrAttachmentMIMEType  = "jira.attachment.mime_type"  // type of the file
	attrAttachmentCreatedAt = "jira.attachment.created_at" // when it was attached
	attrAttachmentAuthorID  = "jira.attachment.author.id"  // user id of who attached it

	attrIssueLinkID            = "jira.issue_link.id"                   // id of the link
	attrIssueLinkTypeID        = "jira.issue_link.type.id"              // id of the type of the link
	attrIssueLinkTypeName      = "jira.issue_link.type.name"            // name of the type of the link
	attrIssueLinkSourceID      = "jira.issue_link.source_issue.id"      // id of the issue that it starts from
	attrIssueLinkDestinationID = "jira.issue_link.destination_issue.id" // id of the issue that it points to
	attrIssueLinkSystem        = "jira.issue_link.system"               // whether Jira made it itself, as for subtasks

	attrIssuePropertyKey = "jira.issue_property.key" // key of the property
	attrIssueTypeItemID  = "jira.issue_type.id"      // id of the issue type
	attrIssueTypeItem    = "jira.issue_type.name"    // name of the issue type

	attrSprintID          = "jira.sprint.id"           // id of the sprint
	attrSprintName        = "jira.sprint.name"         // name of the sprint
	attrSprintState       = "jira.sprint.state"        // `future`, `active` or `closed`
	attrSprintGoal        = "jira.sprint.goal"         // goal of the sprint
	attrSprintCreatedAt   = "jira.sprint.created_at"   // when it was created
	attrSprintStartAt     = "jira.sprint.start_at"     // when it starts
	attrSprintEndAt       = "jira.sprint.end_at"       // when it is to end
	attrSprintCompletedAt = "jira.sprint.completed_at" // when it was closed

	attrBoardID   = "jira.board.id"   // id of the board; of a sprint, the board that it was created on
	attrBoardName = "jira.board.name" // name of the board
	attrBoardType = "jira.board.type" // `scrum`, `kanban` or `simple`

	attrVersionID           = "jira.version.id"             // id of the version
	attrVersionName         = "jira.version.name"           // name of the version
	attrVersionReleased     = "jira.version.released"       // whether it is released
	attrVersionArchived     = "jira.version.archived"       // whether it is archived
	attrVersionStartDate    = "jira.version.start_date"     // when work on it starts
	attrVersionReleaseDate  = "jira.version.release_date"   // when it is or was released
	attrVersionMergedIntoID = "jira.version.merged_into.id" // id of the version that took over its issues

	attrUserActive      = "jira.user.active"       // whether the account is active
	attrUserAccountType = "jira.user.account_type" // `atlassian`, `app` or `customer`

	attrFilterID    = "jira.filter.id"    // id of the filter
	attrFilterName  = "jira.filter.name"  // name of the filter
	attrOptionKey   = "jira.option.key"   // key of the option
	attrOptionValue = "jira.option.value" // value of the option
)

// userKeys are the attributes of one user of a record.
type userKeys struct{ id, name, fullName, email string }

var (
	actorKeys    = newUserKeys("user")                // who caused the event; of a comment, worklog or attachment that names nobody else, who made it or edited it last, but not who deleted it
	assigneeKeys = newUserKeys("jira.issue.assignee") // who the issue is assigned to
	reporterKeys = newUserKeys("jira.issue.reporter") // who reported the issue
	creatorKeys  = newUserKeys("jira.issue.creator")  // who created the issue
	subjectKeys  = newUserKeys("jira.user")           // who the event is about
)

// suffixFullName is the last part of the key of a person's name.
const suffixFullName = ".full_name"

// newUserKeys follows the names of the user attributes in the semantic conventions.
func newUserKeys(namespace string) userKeys {
	return userKeys{
		id:       namespace + ".id",
		name:     namespace + ".name",
		fullName: namespace + suffixFullName,
		email:    namespace + ".email",
	}
}

// writer writes attributes, within the budget of their record. It leaves out empty values and control characters.
type writer struct {
	attrs   pcommon.Map
	maxText int
	budget  *budget
	parent  string // key of the attribute whose value is a map with these attributes, or ""
}

// exact writes ids and keys, which are worth nothing when they are cut: no real one reaches the limit.
func (w writer) exact(key, value string) {
	if value != "" { // half of all values
		w.put(key, w.id(key, value))
	}
}

// text writes a text or a name by people, in one line.
func (w writer) text(key, value string) {
	if value != "" {
		w.put(key, w.oneLine(key, value))
	}
}

// url writes an address.
func (w writer) url(key, value string) {
	w.put(key, oneLineText(w.take(key, value, jira.MaxURL)))
}

// original writes the body to the letter.
func (w writer) original(body []byte) {
	kept := jira.Cut(body, w.budget.left)
	if len(kept) < len(body) {
		w.budget.markCut(attrRecordOriginal)
	}
	w.put(attrRecordOriginal, w.take(attrRecordOriginal, validUTF8(string(kept)), jira.MaxText))
}

func (w writer) put(key, value string) {
	if value != "" {
		w.attrs.PutStr(key, value)
	}
}

func (w writer) id(key, value string) string {
	return oneLineText(w.take(key, value, jira.MaxID))
}

func (w writer) oneLine(key, value string) string {
	return oneLineText(w.take(key, w.clip(value), jira.MaxText))
}

func (w writer) take(key, value string, most int) string {
	return w.budget.take(cmp.Or(w.parent, key), value, most)
}

func (w writer) texts(key string, names jira.Names) {
	if names.IsCut {
		w.budget.markCut(key)
	}
	w.list(key, len(names.List), func(i int) string { return w.oneLine(key, names.List[i]) })
}

// list writes a list of n values, without empty ones.
func (w writer) list(key string, n int, value func(i int) string) {
	if n == 0 {
		return
	}
	list := w.attrs.PutEmptySlice(key)
	list.EnsureCapacity(n)
	for i := range n {
		if s := value(i); s != "" {
			list.AppendEmpty().SetStr(s)
		}
	}
	if list.Len() == 0 {
		w.attrs.Remove(key)
	}
}

// finish marks what was cut, and reports whether anything was.
func (w writer) finish() (isCut bool) {
	w.list(attrRecordTruncated, len(w.budget.cut), func(i int) string { return w.budget.cut[i] })
	return len(w.budget.cut) > 0
}

func (w writer) integer(key string, value *int64) {
	if value != nil {
		w.attrs.PutInt(key, *value)
	}
}

func (w writer) boolean(key string, value *bool) {
	if value != nil {
		w.attrs.PutBool(key, *value)
	}
}

// seconds writes a duration, unless it is unknown or a clock was wrong.
func (w writer) seconds(key string, from, to time.Time) {
	if duration := to.Sub(from).Round(time.Second); !from.IsZero() && duration >= 0 {
		w.attrs.PutInt(key, int64(duration/time.Second))
	}
}

// instantFormat is RFC 3339 with milliseconds.
const instantFormat = "2006-01-02T15:04:05.000Z07:00"

func (w writer) instant(key string, t time.Time) {
	if !t.IsZero() {
		w.attrs.PutStr(key, t.UTC().Format(instantFormat))
	}
}

func (w writer) user(keys userKeys, u jira.User, details bool) {
	w.exact(keys.id, u.ID())
	if !details {
		return
	}
	w.text(keys.name, u.Name)
	w.text(keys.fullName, u.DisplayName)
	w.text(keys.email, u.Email)
}

// clip cuts a text after maxText runes.
func (w writer) clip(s string) string { return clip(s, w.maxText) }

// clip copies what it keeps of a long text, so that the record does not hold all of it in memory.
func clip(s string, most int) string {
	if len(s) <= most { // no text has more runes than bytes
		return s
	}
	runes := 0
	for i := range s {
		if runes == most {
			return strings.Clone(s[:i])
		}
		runes++
	}
	return s
}
