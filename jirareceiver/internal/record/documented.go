// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// JiraEvent is an event type that Jira documents, with Jira's name and the name of the record.
type JiraEvent struct{ JiraName, Name string }

// JiraEvents returns the event types that Jira documents, in the order of the documentation.
func JiraEvents() []JiraEvent {
	var events []JiraEvent
	for _, g := range groups {
		for _, action := range g.actions {
			events = append(events, JiraEvent{g.prefix + action, g.namespace + action})
		}
	}
	return events
}

// AlertEvents returns the known actions on alerts, with the names of the action in bodies, separated by commas.
func AlertEvents() []JiraEvent {
	events := make([]JiraEvent, len(alertEvents))
	for i, event := range alertEvents {
		events[i] = JiraEvent{strings.Join(event.actions, ", "), alertNamespace + event.name}
	}
	return events
}
