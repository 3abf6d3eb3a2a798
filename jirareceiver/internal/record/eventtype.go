// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"regexp"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// EventType is the type of an event, such as jira.issue.updated.
type EventType struct {
	// Name is the event name of the record.
	Name string
	// Known reports whether Jira documents the event. All other names come from the sender, so their number is
	// unlimited.
	Known    bool
	identify identify
}

// Event names that the code uses.
const (
	eventIssueCreated        = "jira.issue.created"
	eventIssueUpdated        = "jira.issue.updated"
	eventIssueDeleted        = "jira.issue.deleted"
	eventIssueWorklogUpdated = "jira.issue.worklog_updated"
	EventFieldChanged        = "jira.issue.field_changed" // records that [Options].SplitChanges adds

	eventVersionMerged = "jira.version.merged"

	// Names of events whose bodies contain no name.
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
	actionUpdated = ".updated"
)

// jiraPrefix starts some of Jira's event names. No rule predicts which names have it.
const jiraPrefix = "jira:"

// group is a group of events about the same kind of subject.
type group struct {
	prefix    string // start of Jira's event names
	namespace string // start of our event names, in place of prefix
	identify  identify
	actions   []string // rest of the documented names
}

// groups are the events of https://developer.atlassian.com/cloud/jira/platform/webhooks/, and jira:worklog_updated,
// which only Data Center sends. It is about an issue, and worklog_updated is about a worklog: these are the only two
// names that differ only in the prefix.
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

// known holds the types of the documented events by Jira's name.
var known = documentedTypes()

func documentedTypes() map[string]EventType {
	types := map[string]EventType{}
	for _, g := range groups {
		for _, action := range g.actions {
			types[g.prefix+action] = EventType{g.namespace + action, true, g.identify}
		}
	}
	return types
}

// EventNames returns the names of all known event types, except [EventFieldChanged].
func EventNames() []string {
	names := append(alertNames(), eventTransitioned, eventAutomation, eventUnknown)
	for _, et := range known {
		names = append(names, et.Name)
	}
	return names
}

// takenNames holds the names of all known event types, and of the records of changed fields.
var takenNames = namesTaken()

func namesTaken() map[string]bool {
	taken := map[string]bool{EventFieldChanged: true}
	for _, name := range EventNames() {
		taken[name] = true
	}
	return taken
}

// isTaken reports whether a name belongs to a known event type. No other event may get such a name.
func isTaken(name string) bool { return takenNames[name] }

// namespace matches the namespace of an event name, or of a pattern whose namespace contains no wildcard.
var namespace = regexp.MustCompile(`^jira\.[^.*?\[\\]+\.`)

// inKnownNamespace reports whether an event name, or a name that matches the pattern, can occur. Undocumented events
// get no namespaces of their own, so a name in an unknown namespace cannot.
func inKnownNamespace(pattern string) bool {
	start := namespace.FindString(pattern)
	return slices.ContainsFunc(EventNames(), func(name string) bool { return strings.HasPrefix(name, start) })
}

// worklogUpdated is the type of the event with which Data Center reports changes of the worklogs of an issue.
var worklogUpdated = known["jira:worklog_updated"]

// Types of the events whose bodies contain no name.
var (
	transitioned = EventType{eventTransitioned, true, byIssue}
	triggered    = EventType{eventAutomation, true, byBody}
	userDeleted  = EventType{eventUserDeleted, true, byUser}
	unknown      = EventType{eventUnknown, true, byBody}
)

// eventTypeOf returns the type of an event.
func eventTypeOf(ev *jira.Event) EventType {
	switch {
	case ev.Name != "":
		return eventTypeNamed(ev.Name)
	case ev.UserDeleted:
		return userDeleted
	case ev.Alert != nil:
		return alertType(ev.Alert.Action)
	case ev.Source == jira.SourcePostFunction:
		return transitioned
	case ev.Source == jira.SourceAutomation:
		return triggered
	default:
		return unknown
	}
}

// identifier matches the names that may become part of an event name, which must be short and free of other people's
// text.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// eventTypeNamed returns the type of an event with Jira's name for it, with or without Jira's prefix. Names that Jira
// may add later get a type of the same form, but not the name of a known type.
func eventTypeNamed(name string) EventType {
	if et, found := known[name]; found {
		return et
	}
	plain := strings.TrimPrefix(name, jiraPrefix)
	if !identifier.MatchString(plain) {
		return unknown
	}
	for _, spelling := range [...]string{plain, jiraPrefix + plain} {
		if et, found := known[spelling]; found {
			return et
		}
	}
	if et := derivedType(name, plain); !isTaken(et.Name) {
		return et
	}
	return unknown
}

// derivedType returns the type of an undocumented event. Plain is its name without Jira's prefix.
func derivedType(name, plain string) EventType {
	for _, g := range groups {
		if action, found := strings.CutPrefix(name, g.prefix); found && action != "" {
			return EventType{g.namespace + action, false, g.identify}
		}
	}
	for _, g := range groups { // again, without regard to the prefix
		if action, found := strings.CutPrefix(plain, strings.TrimPrefix(g.prefix, jiraPrefix)); found && action != "" {
			return EventType{g.namespace + action, false, g.identify}
		}
	}
	return EventType{"jira." + plain, false, byBody}
}
