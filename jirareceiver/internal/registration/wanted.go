// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// Mode decides whether the receiver reads and writes registered webhooks.
type Mode string

// The modes.
const (
	ModeOff    Mode = "off"
	ModeVerify Mode = "verify" // reports findings
	ModeManage Mode = "manage" // also repairs drift
)

// Wanted is the webhook that the configuration describes. It is enabled and has a payload.
type Wanted struct {
	Name, URL string
	// Events are in Jira's names. If it is nil, the webhook has the [DefaultEvents] and may have others.
	Events []string
	JQL    string         // "" for none
	Secret jiraapi.Secret // the first of the configuration; "" if senders need none
}

// notOffered holds, for each product, the starts of the names of events that its administrators cannot choose. Apps
// receive the events about apps and expressions; no other webhook can.
//   - https://developer.atlassian.com/cloud/jira/platform/webhooks/
//   - https://developer.atlassian.com/server/jira/platform/webhooks/
var notOffered = map[jiraapi.Deployment][]string{
	jiraapi.Cloud: {"app_", "jira_expression_", "jira:worklog_", "option_attachments_"},
	jiraapi.DataCenter: {
		"app_", "jira_expression_", "issue_property_", "attachment_", "issuetype_", "filter_", "project_soft_",
		"project_restored_", "project_archived", "option_timetracking_provider_",
	},
}

// DefaultEvents returns the events that the receiver knows and that administrators of a deployment can choose, in Jira's
// names.
func DefaultEvents(deployment jiraapi.Deployment) []string {
	var events []string
	for _, event := range record.JiraEvents() {
		isMissing := func(start string) bool { return strings.HasPrefix(event.JiraName, start) }
		if !slices.ContainsFunc(notOffered[deployment], isMissing) {
			events = append(events, event.JiraName)
		}
	}
	return events
}

// UnknownEvents returns the events that Jira does not document. A configuration with one of them is probably misspelt.
func UnknownEvents(events []string) []string {
	isKnown := map[string]bool{}
	for _, event := range record.JiraEvents() {
		isKnown[event.JiraName] = true
	}
	return slices.DeleteFunc(slices.Clone(events), func(event string) bool { return isKnown[event] })
}

// events returns the events of the wanted webhook on a deployment.
func (w Wanted) events(deployment jiraapi.Deployment) []string {
	if w.Events == nil {
		return DefaultEvents(deployment)
	}
	return w.Events
}
