// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// direction is the way in which an attribute may differ.
type direction int

const (
	onlyWebhook direction = iota // the event of a webhook may have the attribute while the event of a history lacks it
	onlyHistory
)

// exception is an attribute, or a pattern of attributes, that the events of webhooks and of histories need not share.
// No attribute that both have may differ.
type exception struct {
	event      string // pattern of event names
	deployment jirasim.Deployment
	direction  direction
	attribute  string
	reason     string
}

const anyDeployment = ""

// exceptions are all differences of the records.
var exceptions = []exception{
	{"*", anyDeployment, onlyWebhook, "jira.webhook.source", "the caller sets the source"},
	{"*", anyDeployment, onlyWebhook, "jira.webhook.issue_event_type", "the REST API does not contain it"},

	{"jira.issue.created", jirasim.Cloud, onlyWebhook, "jira.changelog.*", "the REST API has no such changelog"},

	{"jira.worklog.*", anyDeployment, onlyHistory, "jira.issue.*", "webhooks contain only the id of the issue"},
	{"jira.worklog.*", anyDeployment, onlyHistory, "jira.project.*", "as above"},
	{"jira.worklog.*", anyDeployment, onlyHistory, "url.full", "as above: it contains the key"},
	{"jira.comment.*", jirasim.DataCenter, onlyHistory, "jira.issue.*", "webhooks contain only the id of the issue"},
	{"jira.comment.*", jirasim.DataCenter, onlyHistory, "jira.project.*", "as above"},
	{"jira.comment.*", jirasim.DataCenter, onlyHistory, "url.full", "as above"},

	{"jira.comment.created", anyDeployment, onlyWebhook, "jira.comment.body", "the comment was edited later"},
	{"jira.comment.created", jirasim.Cloud, onlyWebhook, "jira.comment.public", "as above"},

	{"*", anyDeployment, onlyWebhook, "jira.issue.status.category", "histories do not contain the category"},
	{"*", anyDeployment, onlyWebhook, "jira.issue.status.mapped", "as above, for statuses that are mapped by category"},
	{"*", anyDeployment, onlyWebhook, "jira.issue.resolved_at", "histories do not contain the resolution date"},

	// The resolution decides if the category is unknown. If the name of the status field is not English, records of
	// webhooks do not recognise the transition.
	{"jira.issue.updated", jirasim.DataCenter, onlyHistory, "jira.issue.resolution.change", "unknown category"},
	{"jira.issue.updated", jirasim.DataCenter, onlyHistory, "jira.issue.lead_time_seconds", "as above"},
}

// TestSameRecordsAsWebhooks lets all kinds of teams work, and compares the records of their webhooks with the records
// of the histories of their issues.
func TestSameRecordsAsWebhooks(t *testing.T) {
	t.Parallel()
	used := map[exception]bool{}
	for _, deployment := range []jirasim.Deployment{jirasim.Cloud, jirasim.DataCenter} {
		for _, language := range jirasim.Languages() {
			team := readTeam(t, jirasim.Site{Deployment: deployment, Language: language, Seed: 1, Start: start})
			team.compare(t, used)
		}
	}
	for _, e := range exceptions {
		assert.True(t, used[e], "the exception is necessary: %+v", e)
	}
}

// team is a simulated team: its webhooks, and its issues at the end as the REST API returns them.
type team struct {
	deployment jirasim.Deployment
	webhooks   []*jira.Event
	inputs     map[string]*Input // by id of the issue
	sprints    map[string]jira.SprintRef
}

var customFields = map[string]string{"customfield_10016": "points"}

func readTeam(t *testing.T, site jirasim.Site) *team {
	t.Helper()
	const events = 1200
	decoder := jira.NewDecoder([]string{"customfield_10016"})
	team := &team{deployment: site.Deployment, inputs: map[string]*Input{}, sprints: map[string]jira.SprintRef{}}
	for d := range jirasim.Team(site) {
		ev, err := decoder.Decode(d.Body)
		require.NoError(t, err)
		team.read(ev)
		if len(team.webhooks) == events {
			break
		}
	}
	for _, in := range team.inputs {
		issue := *in.Issue
		issue.Sprints.List = slices.Clone(issue.Sprints.List)
		for i, sprint := range issue.Sprints.List {
			issue.Sprints.List[i] = team.sprints[sprint.ID]
		}
		in.Issue = &issue
	}
	return team
}

// read keeps an event that the REST API also contains.
func (team *team) read(ev *jira.Event) {
	if ev.Sprint != nil {
		team.sprints[ev.Sprint.ID] = jira.SprintRef{
			ID: ev.Sprint.ID, Name: ev.Sprint.Name, State: ev.Sprint.State,
			Start: ev.Sprint.Start, Completed: ev.Sprint.Completed,
		}
	}
	isMirror := strings.HasPrefix(ev.Name, "jira:") && ev.Comment != nil // the second delivery of a comment
	isKept := ev.Issue != nil && !isMirror && !strings.HasSuffix(ev.Name, "_deleted")
	if !isKept {
		return
	}
	ev.Issue.Links = jira.Links{} // no webhook contains the histories of links
	team.webhooks = append(team.webhooks, ev)
	in := team.inputs[ev.Issue.ID]
	if in == nil {
		in = &Input{IsDataCenter: team.deployment == jirasim.DataCenter}
		team.inputs[ev.Issue.ID] = in
	}
	switch {
	case ev.Comment != nil:
		in.Comments = slices.DeleteFunc(in.Comments, func(c jira.Comment) bool { return c.ID == ev.Comment.ID })
		in.Comments = append(in.Comments, *ev.Comment)
	case ev.Worklog != nil:
		in.Worklogs = append(in.Worklogs, *ev.Worklog)
	default:
		in.Issue = ev.Issue
		if ev.Name != issueCreated {
			in.Histories = append(in.Histories, jira.History{Changelog: ev.Changelog, Author: ev.User, Created: ev.Timestamp})
		}
	}
}

func (team *team) compare(t *testing.T, used map[exception]bool) {
	t.Helper()
	builder := record.New(record.Options{
		Statuses: status.NewMapper(status.Options{UseDefault: true, CategoryFallback: true}), MaxText: 4096,
		CustomFields: customFields, UserDetails: true, Description: true, CommentBody: true,
	})
	rebuilt := map[string]*jira.Event{}
	for _, in := range team.inputs {
		var last time.Time
		for _, ev := range in.Events(time.Time{}, time.Now().AddDate(10, 0, 0)) {
			rebuilt[identity(ev)] = ev
			assert.False(t, ev.Timestamp.Before(last), "in order")
			last = ev.Timestamp
		}
	}
	assert.Len(t, rebuilt, len(team.webhooks), "as many events as webhooks")
	for _, webhook := range team.webhooks {
		ev := rebuilt[identity(webhook)]
		if !assert.NotNil(t, ev, identity(webhook)) {
			continue
		}
		name, expected := attributes(builder, webhook)
		_, actual := attributes(builder, ev)
		assert.Equal(t, webhook.Timestamp, ev.Timestamp)
		team.compareAttributes(t, name, expected, actual, used)
	}
}

// identity identifies an event as its log.record.uid does.
func identity(ev *jira.Event) string {
	parts := []string{ev.Name, ev.Issue.ID, ev.Entity().ID}
	switch ev.Name {
	case issueUpdated, worklogLogged:
		parts = append(parts, ev.Changelog.ID)
	case commentUpdated, worklogUpdated:
		parts = append(parts, ev.Revision().Updated.String())
	}
	return strings.Join(parts, " ")
}

func attributes(builder *record.Builder, ev *jira.Event) (name string, attrs map[string]any) {
	logs, _ := builder.Build(builder.Classify(ev), record.Delivery{})
	return firstRecord(logs).EventName(), firstRecord(logs).Attributes().AsRaw()
}

func firstRecord(logs plog.Logs) plog.LogRecord {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func (team *team) compareAttributes(
	t *testing.T, event string, webhook, history map[string]any, used map[exception]bool,
) {
	t.Helper()
	excepted := func(d direction, attribute string) bool {
		for _, e := range exceptions {
			isEvent, _ := path.Match(e.event, event)
			isAttribute, _ := path.Match(e.attribute, attribute)
			isDeployment := e.deployment == anyDeployment || e.deployment == team.deployment
			if e.direction == d && isEvent && isAttribute && isDeployment {
				used[e] = true
				return true
			}
		}
		return false
	}
	for key, value := range webhook {
		if _, exists := history[key]; exists || !excepted(onlyWebhook, key) {
			assert.Equal(t, value, history[key], "%s: %s of %v", event, key, webhook["jira.issue.key"])
		}
	}
	for key := range history {
		if _, exists := webhook[key]; !exists {
			assert.True(t, excepted(onlyHistory, key), "%s: only the history has %s", event, key)
		}
	}
}
