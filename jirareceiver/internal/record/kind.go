package record

import (
	"regexp"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Kind is what kind of event a delivery tells of.
type Kind struct {
	// Name is the event name of the record.
	Name string
	// Known says whether Jira documents such events. The names of all others come from the sender, and have no end.
	Known    bool
	identify identify
}

// Event names that the code needs to know.
const (
	eventIssueCreated = "jira.issue.created"
	eventIssueDeleted = "jira.issue.deleted"
	EventFieldChanged = "jira.issue.field_changed" // of the records that split mode adds

	eventVersionMerged = "jira.version.merged"

	// Names of events whose bodies do not name them.
	eventTransitioned = "jira.issue.transitioned"
	eventAutomation   = "jira.automation.triggered"
	eventUserDeleted  = "jira.user.deleted"
	eventUnknown      = "jira.unknown"
)

const (
	issueNamespace  = "jira.issue."
	optionNamespace = "jira.option."
	userNamespace   = "jira.user."

	actionDeleted = ".deleted"
)

// jiraPrefix stands before the names of some events and not of others, by no rule.
const jiraPrefix = "jira:"

// group is the events about one kind of thing.
type group struct {
	wire      string // what Jira's event names start with
	namespace string // what ours start with instead
	identify  identify
	actions   []string // the rest of the names that are known
}

// groups are the events of https://developer.atlassian.com/cloud/jira/platform/webhooks/. Data Center alone sends
// jira:worklog_updated, which is about an issue, where the prefix does make a difference.
var groups = []group{
	{"issue_property_", "jira.issue_property.", byBody, []string{"set", "deleted"}},
	{"jira:issue_", issueNamespace, byIssue, []string{"created", "updated", "deleted"}},
	{"comment_", "jira.comment.", byRevision, []string{"created", "updated", "deleted"}},
	{"worklog_", "jira.worklog.", byRevision, []string{"created", "updated", "deleted"}},
	{"jira:worklog_", issueNamespace + "worklog_", byIssue, []string{"updated"}},
	{"attachment_", "jira.attachment.", byEntity, []string{"created", "deleted"}},
	{"issuelink_", "jira.issue_link.", byEntity, []string{"created", "deleted"}},
	{"issuetype_", "jira.issue_type.", byEntity, []string{"created", "updated", "deleted"}},
	{"project_", "jira.project.", byEntity, []string{
		"created", "updated", "deleted", "soft_deleted", "restored_deleted", "archived", "restored_archived",
	}},
	{"jira:version_", "jira.version.", byEntity, []string{
		"created", "updated", "released", "unreleased", "moved", "merged", "deleted",
	}},
	{"sprint_", "jira.sprint.", byEntity, []string{"created", "updated", "started", "closed", "deleted"}},
	{"board_", "jira.board.", byEntity, []string{"created", "updated", "deleted", "configuration_changed"}},
	{"user_", userNamespace, byUser, []string{"created", "updated", "deleted"}},
	{"filter_", "jira.filter.", byEntity, []string{"created", "updated", "deleted"}},
	{"option_", optionNamespace, byBody, []string{
		"voting_changed", "watching_changed", "unassigned_issues_changed", "subtasks_changed", "attachments_changed",
		"issuelinks_changed", "timetracking_changed", "timetracking_provider_changed",
	}},
	{"app_", "jira.app.", byBody, []string{"access_to_objects_blocked", "access_to_objects_in_container_blocked"}},
	{"jira_expression_", "jira.expression.", byBody, []string{"evaluation_failed"}},
}

// known finds the kinds of events that Jira documents, by Jira's name.
var known = knownKinds()

func knownKinds() map[string]Kind {
	kinds := map[string]Kind{}
	for _, g := range groups {
		for _, action := range g.actions {
			kinds[g.wire+action] = Kind{g.namespace + action, true, g.identify}
		}
	}
	return kinds
}

// EventNames returns the event names of all known kinds.
func EventNames() []string {
	names := []string{eventTransitioned, eventAutomation, eventUnknown}
	for _, k := range known {
		names = append(names, k.Name)
	}
	return names
}

// namespace is what an event name or a pattern of names starts with, if that is spelt out.
var namespace = regexp.MustCompile(`^jira\.[^.*?\[\\]+\.`)

// InKnownNamespace says whether there may be events of a name or pattern. Those that Jira does not document get no namespaces of
// their own.
func InKnownNamespace(pattern string) bool {
	start := namespace.FindString(pattern)
	return slices.ContainsFunc(EventNames(), func(name string) bool { return strings.HasPrefix(name, start) })
}

// Kinds of events whose bodies do not name them.
var (
	transitioned = Kind{eventTransitioned, true, byIssue}
	triggered    = Kind{eventAutomation, true, byBody}
	userDeleted  = Kind{eventUserDeleted, true, byUser}
	unknown      = Kind{eventUnknown, true, byBody}
)

// kindOf tells what kind of event a body is about.
func kindOf(ev *jira.Event) Kind {
	switch {
	case ev.Name != "":
		return named(ev.Name)
	case ev.UserDeleted:
		return userDeleted
	case ev.Source == jira.SourcePostFunction:
		return transitioned
	case ev.Source == jira.SourceAutomation:
		return triggered
	default:
		return unknown
	}
}

// identifier is what may become part of an event name: names must stay short and free of other people's text.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// named knows the events of the table, and gives names to those that Jira may add.
func named(name string) Kind {
	if kind, found := known[name]; found {
		return kind
	}
	plain := strings.TrimPrefix(name, jiraPrefix)
	if !identifier.MatchString(plain) {
		return unknown
	}
	for _, g := range groups {
		if action, found := strings.CutPrefix(name, g.wire); found && action != "" {
			return Kind{g.namespace + action, false, g.identify}
		}
	}
	for _, g := range groups { // as above, with the prefix where Jira has none and the other way round
		if action, found := strings.CutPrefix(plain, strings.TrimPrefix(g.wire, jiraPrefix)); found && action != "" {
			return Kind{g.namespace + action, false, g.identify}
		}
	}
	return Kind{"jira." + plain, false, byBody}
}
