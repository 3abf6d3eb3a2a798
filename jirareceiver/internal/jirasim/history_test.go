// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	mapping "github.com/otel-jira/collector/jirareceiver/internal/status"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func first(n int, deliveries iter.Seq[Delivery]) []Delivery {
	var taken []Delivery
	for d := range deliveries {
		if taken = append(taken, d); len(taken) == n {
			break
		}
	}
	return taken
}

// TestEveryEventIsUnderstood lets all kinds of sites work for a few sprints, and checks the records of their
// deliveries.
func TestEveryEventIsUnderstood(t *testing.T) {
	const events = 1200
	seeds := []uint64{1, 2}
	if testing.Short() {
		seeds = seeds[:1]
	}
	everyEvent := []string{
		"jira.attachment.created", "jira.comment.created", "jira.comment.deleted", "jira.comment.updated", "jira.issue.created",
		"jira.issue.deleted", "jira.issue.updated", "jira.issue_link.created", "jira.sprint.closed", "jira.sprint.created",
		"jira.sprint.started", "jira.version.created", "jira.version.released", "jira.worklog.created",
		"jira.worklog.deleted", "jira.worklog.updated",
	}
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		for _, language := range Languages() {
			t.Run(string(deployment)+" "+language, func(t *testing.T) {
				t.Parallel()
				names, uids := map[string]bool{}, map[string]bool{}
				for _, seed := range seeds {
					site := Site{Deployment: deployment, Language: language, Seed: seed, Start: start}
					for _, d := range first(events, Team(site)) {
						name, uid := understand(t, site, d)
						names[name], uids[uid] = true, true
					}
				}
				assert.Len(t, uids, len(seeds)*events)
				expected := everyEvent
				if deployment == DataCenter {
					expected = append(slices.Clone(everyEvent), "jira.issue.worklog_updated")
				}
				assert.ElementsMatch(t, expected, slices.Collect(maps.Keys(names)))
			})
		}
	}
}

// understand checks the attributes that all records have in common, and returns the name and the uid of the record.
func understand(t *testing.T, site Site, d Delivery) (name, uid string) {
	t.Helper()
	ev, err := jira.NewDecoder(nil).Decode(d.Body)
	require.NoError(t, err)
	builder := record.New(record.Options{Statuses: mapping.NewMapper(mapping.Options{UseDefault: true, CategoryFallback: true}), MaxText: 4096})
	classified := builder.Classify(ev)
	assert.True(t, classified.Type.Known, d.About)
	logs, remarks := builder.Build(classified, record.Delivery{ID: d.ID, Flow: string(d.Flow), Payload: d.Body})
	assert.Empty(t, remarks.Current, "%s", d.Body)
	if site.Language == english && remarks.Previous.Name != "" {
		assert.Equal(t, inReview.name, remarks.Previous.Name, "the only status that the built-in table does not map")
	}
	resource := logs.ResourceLogs().At(0)
	deployment, _ := resource.Resource().Attributes().Get("jira.site.type")
	if ev.Issue != nil || ev.Comment != nil {
		assert.Equal(t, string(site.Deployment), deployment.Str(), d.About)
	}
	first := resource.ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, d.At.UnixMilli(), first.Timestamp().AsTime().UnixMilli())
	attr, _ := first.Attributes().Get("log.record.uid")
	return first.EventName(), attr.Str()
}

// TestShapes checks the differences of Data Center and of other languages.
func TestShapes(t *testing.T) {
	const events = 300
	all := func(site Site) string {
		site.Start = start
		var bodies strings.Builder
		for _, d := range first(events, Team(site)) {
			assert.Equal(t, site.Deployment == DataCenter, d.ID == "", "only deliveries of Jira Cloud have an ID")
			bodies.Write(d.Body)
			bodies.WriteByte('\n')
		}
		return bodies.String()
	}
	cloud, german, dataCenter := all(Site{}), all(Site{Language: "de"}), all(Site{Deployment: DataCenter})
	for _, text := range []string{`"accountId":`, `"fieldId":`, `"name":"To Do"`, `"field":"status"`, `/rest/api/2/1`} {
		assert.Contains(t, cloud, text)
	}
	for _, text := range []string{`"name":"Zu erledigen"`, `"field":"Status"`, `"toString":"In Arbeit"`} {
		assert.Contains(t, german, text)
	}
	assert.NotContains(t, german, `"To Do"`)
	for _, text := range []string{`"key":"JIRAUSER10200"`, `greenhopper`, `"issue_event_type_name":"issue_commented"`, `/rest/api/2/issue/1`} {
		assert.Contains(t, dataCenter, text)
	}
	for _, text := range []string{`"accountId":`, `"fieldId":`} {
		assert.NotContains(t, dataCenter, text)
	}
}

func TestSameSeedSameHistory(t *testing.T) {
	const events = 1000
	history := func(seed uint64, start time.Time) []Delivery {
		return first(events, Team(Site{Seed: seed, Start: start}))
	}
	one := history(1, start)
	assert.Equal(t, one, history(1, start))
	assert.NotEqual(t, one, history(2, start))

	ids := map[string]bool{}
	for i, d := range one {
		assert.False(t, ids[d.ID])
		ids[d.ID] = true
		assert.False(t, i > 0 && !d.At.After(one[i-1].At), "one after the other")
	}
	for _, d := range history(1, start.AddDate(0, 0, 7)) {
		assert.False(t, ids[d.ID], "a later history has other deliveries")
	}
}

// decodedBody is the content of a body about an issue, decoded without the receiver.
type decodedBody struct {
	WebhookEvent   string `json:"webhookEvent"`
	IssueEventType string `json:"issue_event_type_name"`
	Issue          struct {
		Fields struct {
			Project   struct{ Key string }
			IssueType struct{ Name string }
			Status    struct {
				Name           string
				StatusCategory struct{ Key string }
			}
			Created  string
			Resolved string `json:"resolutiondate"`
		}
	}
	Changelog struct {
		Items []struct {
			FieldID string `json:"fieldId"`
			From    *string
			To      *string
		}
	}
}

// TestDeliveryScenario checks the numbers in the comment of the scenario.
func TestDeliveryScenario(t *testing.T) {
	deliveries, err := Scenario("delivery", Site{Seed: 7, Start: start})
	require.NoError(t, err)
	assert.Len(t, deliveries, 50)
	count, hours := map[string]int{}, map[string][]float64{}
	for _, d := range deliveries {
		var body decodedBody
		require.NoError(t, json.Unmarshal(d.Body, &body))
		if fields := body.Issue.Fields; fields.Created != "" {
			assert.Equal(t, fields.Status.StatusCategory.Key == doneCategory, fields.Resolved != "", d.About)
		}
		body.countInto(t, count, hours)
	}
	assert.Equal(t, map[string]int{
		"created OPS": 5, "created WEB": 2, "created BILL": 1,
		"created Story": 2, "created Task": 2, "created Bug": 1, "created Incident": 3,
		"reopened WEB":   1,
		"transition OPS": 10, "transition WEB": 9, "transition BILL": 1,
		"to In Progress": 9, "to In Review": 1, "to Reopened": 1, "to Resolved": 4, "to Closed": 1, "to Done": 3, "to Canceled": 1,
	}, count)
	assert.Equal(t, map[string][]float64{
		"resolved OPS": {1, 12, 24, 3}, "resolved WEB": {6, 30, 30, 54},
		"resolved Story": {24, 30}, "resolved Task": {12, 6}, "resolved Bug": {30, 54}, "resolved Incident": {1, 3},
	}, hours)
	assert.Equal(t, ScenarioLength("delivery"), deliveries[len(deliveries)-2].At.Sub(start))
}

// countInto adds to the numbers of events, and to the hours from creation to resolution.
func (body *decodedBody) countInto(t *testing.T, count map[string]int, hours map[string][]float64) {
	t.Helper()
	fields := body.Issue.Fields
	in, of := " "+fields.Project.Key, " "+fields.IssueType.Name
	if body.WebhookEvent == "jira:issue_created" {
		count["created"+in]++
		count["created"+of]++
	}
	if body.WebhookEvent != "jira:issue_updated" {
		return
	}
	if body.IssueEventType == "issue_reopened" {
		count["reopened"+in]++
	}
	for _, item := range body.Changelog.Items {
		switch {
		case item.FieldID == "status":
			count["transition"+in]++
			count["to "+fields.Status.Name]++
		case item.FieldID == "resolution" && item.From == nil:
			lead := between(t, fields.Created, fields.Resolved).Hours()
			hours["resolved"+in] = append(hours["resolved"+in], lead)
			hours["resolved"+of] = append(hours["resolved"+of], lead)
		}
	}
}

func between(t *testing.T, from, to string) time.Duration {
	t.Helper()
	begin, err := time.Parse(timeFormat, from)
	require.NoError(t, err)
	end, err := time.Parse(timeFormat, to)
	require.NoError(t, err)
	return end.Sub(begin)
}

func TestUnknownNames(t *testing.T) {
	_, err := Scenario("nothing", Site{})
	assert.ErrorContains(t, err, "scenarios are delivery")
	assert.ErrorContains(t, Site{Deployment: "moon", Language: "en"}.Validate(), "cloud or data_center")
	assert.ErrorContains(t, Site{Deployment: Cloud, Language: "xx"}.Validate(), "en, de, ru")
	_, err = Bodies(t.TempDir())
	assert.ErrorContains(t, err, "no *.json")
}

// TestOfficeHours checks that only incidents happen outside working hours.
func TestOfficeHours(t *testing.T) {
	friday := time.Date(2026, 3, 6, 16, 30, 0, 0, zone)
	assert.Equal(t, friday, office(friday))
	monday := time.Date(2026, 3, 9, 9, 0, 0, 0, zone)
	assert.Equal(t, monday, office(friday.Add(time.Hour)))
	assert.Equal(t, monday.Add(30*time.Minute), workLater(friday, time.Hour))
	assert.Equal(t, monday.AddDate(0, 0, 1).Add(30*time.Minute), workLater(friday, 9*time.Hour))
}

func TestPace(t *testing.T) {
	asItHappens := Pace{SpeedUp: 3600}
	assert.Zero(t, asItHappens.gap(time.Time{}, start), "the first comes at once")
	assert.Equal(t, 500*time.Millisecond, asItHappens.gap(start, start.Add(30*time.Minute)))
	assert.Equal(t, time.Second, asItHappens.gap(start, start.Add(16*time.Hour)), "a night takes a second")
	assert.Equal(t, 16*time.Hour, Pace{SpeedUp: 1}.gap(start, start.Add(16*time.Hour)), "a night takes a night")
}

// TestNothingBeforeItHappens has one event now, and one event a moment later.
func TestNothingBeforeItHappens(t *testing.T) {
	const moment = 200 * time.Millisecond
	for _, pace := range []Pace{{Rate: 1000}, {SpeedUp: 1000}} {
		caughtUp, began := 0, time.Now()
		pace.CaughtUp = func() { caughtUp++ }
		history := []Delivery{{At: began}, {At: began.Add(moment)}, {At: began.Add(moment + time.Millisecond)}}
		assert.Len(t, first(3, pace.Apply(t.Context(), slices.Values(history))), 3)
		assert.GreaterOrEqual(t, time.Since(began), moment)
		assert.Equal(t, 1, caughtUp)
	}
}

func TestRate(t *testing.T) {
	const rate, events = 200, 40
	began := time.Now()
	assert.Len(t, first(events, Pace{Rate: rate}.Apply(t.Context(), Team(Site{Start: start}))), events)
	assert.GreaterOrEqual(t, time.Since(began), events*time.Second/rate)
}

// TestLinks checks the links in the bodies of issues. A link ends with the first of its issues that is deleted.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		deleted, ended, open := map[any]bool{}, 0, 0
		for _, d := range first(3000, Team(Site{Deployment: deployment, Seed: 15, Start: start})) {
			issue := at(decoded(t, d.Body), "issue")
			links := list(issue, "fields", "issuelinks")
			for _, link := range links {
				other := cmp.Or(at(link, "inwardIssue", "id"), at(link, "outwardIssue", "id"))
				assert.False(t, deleted[other], d.About)
			}
			open += len(links)
			if strings.HasSuffix(d.About, "jira:issue_deleted") {
				deleted[at(issue, "id")] = true
				ended += len(links)
			}
		}
		assert.Positive(t, open)
		assert.Positive(t, ended)
	}
}

// TestClosedSprint checks that Data Center tells when a sprint of an issue was closed.
func TestClosedSprint(t *testing.T) {
	t.Parallel()
	states := map[string]bool{}
	for _, d := range first(1200, Team(Site{Deployment: DataCenter, Start: start})) {
		for _, sprint := range list(at(decoded(t, d.Body), "issue"), "fields", sprintField) {
			isOpen := strings.Contains(sprint.(string), "completeDate=<null>")
			assert.Equal(t, !isOpen, strings.Contains(sprint.(string), "state=CLOSED"), sprint)
			states[strconv.FormatBool(isOpen)] = true
		}
	}
	assert.Len(t, states, 2)
}
