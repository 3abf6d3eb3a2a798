package translate

import (
	"regexp"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// Event names of deliveries whose body does not name its event.
const (
	eventTransitioned = "jira.issue.transitioned"
	eventAutomation   = "jira.automation.triggered"
	eventUserDeleted  = "jira.user.deleted"
	eventUnknown      = "jira.unknown"
)

// Event names on which the display line depends.
const (
	eventIssueCreated = "jira.issue.created"
	eventIssueDeleted = "jira.issue.deleted"
)

// Namespaces of event names whose events have an identity of their own kind.
const (
	issueNamespace = "jira.issue."
	userNamespace  = "jira.user."
)

// jiraPrefix stands before the names of some events and not of others, by no rule.
const jiraPrefix = "jira:"

// issueWorklogPrefix starts the names of issue-shaped events that Data Center sends beside worklog_…: there the prefix
// does make a difference.
const issueWorklogPrefix = jiraPrefix + "worklog_"

// namespaces turns the entity that Jira's event name starts with, after any [jiraPrefix], into the beginning of ours. The
// first match counts.
var namespaces = []struct{ entity, namespace string }{
	{"issue_property_", "jira.issue_property."},
	{"issue_", issueNamespace},
	{"comment_", "jira.comment."},
	{"worklog_", "jira.worklog."},
	{"attachment_", "jira.attachment."},
	{"issuelink_", "jira.issue_link."},
	{"issuetype_", "jira.issue_type."},
	{"project_", "jira.project."},
	{"version_", "jira.version."},
	{"sprint_", "jira.sprint."},
	{"board_", "jira.board."},
	{"option_", "jira.option."},
	{"user_", userNamespace},
	{"filter_", "jira.filter."},
	{"app_", "jira.app."},
	{"jira_expression_", "jira.expression."},
}

// identifier is what may become part of an event name: names must stay few, short and free of other people's text.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func eventName(ev *webhook.Event) string {
	switch {
	case ev.Name != "":
		return namedEvent(ev.Name)
	case ev.Source == webhook.SourcePostFunction:
		return eventTransitioned
	case ev.Source == webhook.SourceAutomation:
		return eventAutomation
	case ev.DeletedUser != "":
		return eventUserDeleted
	default:
		return eventUnknown
	}
}

func namedEvent(name string) string {
	plain := strings.TrimPrefix(name, jiraPrefix)
	if !identifier.MatchString(plain) {
		return eventUnknown
	}
	if action, found := strings.CutPrefix(name, issueWorklogPrefix); found {
		return issueNamespace + "worklog_" + action
	}
	for _, n := range namespaces {
		if action, found := strings.CutPrefix(plain, n.entity); found && action != "" {
			return n.namespace + action
		}
	}
	return "jira." + plain
}
