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

const (
	issueNamespace = "jira.issue."
	userNamespace  = "jira.user."
)

// event is what kind of event a delivery tells of.
type event struct {
	name     string
	identify identify
}

// jiraPrefix stands before the names of some events and not of others, by no rule.
const jiraPrefix = "jira:"

// issueWorklogPrefix starts the names of issue-shaped events that Data Center sends beside worklog_…: there the prefix
// does make a difference.
const issueWorklogPrefix = jiraPrefix + "worklog_"

// namespaces turns the entity that Jira's event name starts with, after any [jiraPrefix], into the beginning of ours. The
// first match counts.
var namespaces = []struct {
	entity, namespace string
	identify          identify
}{
	{"issue_property_", "jira.issue_property.", byBody},
	{"issue_", issueNamespace, byIssue},
	{"comment_", "jira.comment.", byRevision},
	{"worklog_", "jira.worklog.", byRevision},
	{"attachment_", "jira.attachment.", byEntity},
	{"issuelink_", "jira.issue_link.", byEntity},
	{"issuetype_", "jira.issue_type.", byEntity},
	{"project_", "jira.project.", byEntity},
	{"version_", "jira.version.", byEntity},
	{"sprint_", "jira.sprint.", byEntity},
	{"board_", "jira.board.", byEntity},
	{"option_", "jira.option.", byBody},
	{"user_", userNamespace, byUser},
	{"filter_", "jira.filter.", byEntity},
	{"app_", "jira.app.", byBody},
	{"jira_expression_", "jira.expression.", byBody},
}

// identifier is what may become part of an event name: names must stay few, short and free of other people's text.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func classify(ev *webhook.Event) event {
	switch {
	case ev.Name != "":
		return namedEvent(ev.Name)
	case ev.Source == webhook.SourcePostFunction:
		return event{eventTransitioned, byIssue}
	case ev.Source == webhook.SourceAutomation:
		return event{eventAutomation, byBody}
	case ev.DeletedUser != "":
		return event{eventUserDeleted, byUser}
	default:
		return event{eventUnknown, byBody}
	}
}

func namedEvent(name string) event {
	plain := strings.TrimPrefix(name, jiraPrefix)
	if !identifier.MatchString(plain) {
		return event{eventUnknown, byBody}
	}
	if action, found := strings.CutPrefix(name, issueWorklogPrefix); found {
		return event{issueNamespace + "worklog_" + action, byIssue}
	}
	for _, n := range namespaces {
		if action, found := strings.CutPrefix(plain, n.entity); found && action != "" {
			return event{n.namespace + action, n.identify}
		}
	}
	return event{"jira." + plain, byBody}
}
