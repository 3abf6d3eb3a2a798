package translate

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// schemaURL is the version of the semantic conventions that the attributes outside the jira namespace come from.
const schemaURL = semconv.SchemaURL

// Resource attributes.
const (
	attrServiceName    = string(semconv.ServiceNameKey)
	attrSiteURL        = "jira.site.url"
	attrDeploymentType = "jira.deployment.type"
)

// Log record attributes.
const (
	attrRecordUID      = string(semconv.LogRecordUIDKey)
	attrRecordOriginal = string(semconv.LogRecordOriginalKey)
	attrURLFull        = string(semconv.URLFullKey)

	attrWebhookEvent          = "jira.webhook.event"
	attrWebhookIssueEventType = "jira.webhook.issue_event_type"
	attrWebhookID             = "jira.webhook.id"
	attrWebhookRetryCount     = "jira.webhook.retry_count"
	attrWebhookFlow           = "jira.webhook.flow"
	attrWebhookSource         = "jira.webhook.source"

	attrIssueID               = "jira.issue.id"
	attrIssueKey              = "jira.issue.key"
	attrIssuePreviousKey      = "jira.issue.previous_key"
	attrIssueSummary          = "jira.issue.summary"
	attrIssueDescription      = "jira.issue.description"
	attrIssueLabels           = "jira.issue.labels"
	attrIssueComponents       = "jira.issue.components"
	attrIssueFixVersions      = "jira.issue.fix_versions"
	attrIssueAffectedVersions = "jira.issue.affected_versions"
	attrIssueCreatedAt        = "jira.issue.created_at"
	attrIssueUpdatedAt        = "jira.issue.updated_at"
	attrIssueResolvedAt       = "jira.issue.resolved_at"
	attrIssueDueDate          = "jira.issue.due_date"
	attrIssueTypeID           = "jira.issue.type.id"
	attrIssueTypeName         = "jira.issue.type.name"
	attrIssuePriorityID       = "jira.issue.priority.id"
	attrIssuePriorityName     = "jira.issue.priority.name"
	attrIssueResolutionID     = "jira.issue.resolution.id"
	attrIssueResolutionName   = "jira.issue.resolution.name"
	attrIssueParentID         = "jira.issue.parent.id"
	attrIssueParentKey        = "jira.issue.parent.key"
	attrIssueSecurityLevel    = "jira.issue.security_level.name"
	attrStatusID              = "jira.issue.status.id"
	attrStatusName            = "jira.issue.status.name"
	attrStatusCategory        = "jira.issue.status.category"
	attrStatusMapped          = "jira.issue.status.mapped"
	attrPreviousStatusID      = "jira.issue.status.previous.id"
	attrPreviousStatusName    = "jira.issue.status.previous.name"
	attrPreviousStatusMapped  = "jira.issue.status.previous.mapped"

	attrProjectID       = "jira.project.id"
	attrProjectKey      = "jira.project.key"
	attrProjectName     = "jira.project.name"
	attrProjectCategory = "jira.project.category"

	attrChangelogID     = "jira.changelog.id"
	attrChangelogFields = "jira.changelog.fields"
	attrChangelogItems  = "jira.changelog.items"
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

// userKeys are the attributes of one user of a record.
type userKeys struct{ id, name, fullName, email string }

var (
	actorKeys    = newUserKeys("user")
	assigneeKeys = newUserKeys("jira.issue.assignee")
	reporterKeys = newUserKeys("jira.issue.reporter")
	creatorKeys  = newUserKeys("jira.issue.creator")
)

// newUserKeys follows the names of the user attributes in the semantic conventions.
func newUserKeys(namespace string) userKeys {
	return userKeys{
		id:       namespace + ".id",
		name:     namespace + ".name",
		fullName: namespace + ".full_name",
		email:    namespace + ".email",
	}
}

// writer writes attributes. It leaves out what is empty.
type writer struct {
	attrs   pcommon.Map
	maxText int
}

// exact writes what would be worth nothing if it were cut, such as ids.
func (w writer) exact(key, value string) {
	if value != "" {
		w.attrs.PutStr(key, value)
	}
}

// text writes what people have written or named, and cuts it after maxText runes.
func (w writer) text(key, value string) { w.exact(key, w.clip(value)) }

func (w writer) texts(key string, values []string) {
	if len(values) == 0 {
		return
	}
	list := w.attrs.PutEmptySlice(key)
	list.EnsureCapacity(len(values))
	for _, value := range values {
		list.AppendEmpty().SetStr(w.clip(value))
	}
}

// instantFormat is RFC 3339 with milliseconds.
const instantFormat = "2006-01-02T15:04:05.000Z07:00"

func (w writer) instant(key string, t time.Time) {
	if !t.IsZero() {
		w.attrs.PutStr(key, t.UTC().Format(instantFormat))
	}
}

func (w writer) user(keys userKeys, u webhook.User, details bool) {
	w.exact(keys.id, u.ID())
	if !details {
		return
	}
	w.text(keys.name, u.Name)
	w.text(keys.fullName, u.DisplayName)
	w.text(keys.email, u.Email)
}

// clip copies what it keeps of a long text, so that the record does not hold all of it in memory.
func (w writer) clip(s string) string {
	if len(s) <= w.maxText { // no text has more runes than bytes
		return s
	}
	runes := 0
	for i := range s {
		if runes == w.maxText {
			return strings.Clone(s[:i])
		}
		runes++
	}
	return s
}
