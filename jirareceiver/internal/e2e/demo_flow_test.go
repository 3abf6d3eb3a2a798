// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// reachedPresent matches the line that jirasim prints after the history.
var reachedPresent = regexp.MustCompile(`The history has reached the present`)

// TestDemoFlow compares the views of the UI with the webhooks of the team, as this test reads them.
func TestDemoFlow(t *testing.T) {
	d := newDemo(t)
	receiver, ui := address(t), address(t)
	site := teamSite(7)
	d.start(t, append([]string{"-receiver", receiver, "-ui", ui, "--", "-rate", "400"}, flags(site)...)...)
	d.await(t, reachedPresent)
	assertViews(t, ui, site, time.Now)
	d.interrupt(t)
}

// teamSite returns a team in its third sprint.
func teamSite(seed uint64) jirasim.Site {
	return jirasim.Site{Seed: seed, Start: time.Now().AddDate(0, 0, -32).Truncate(time.Second)}
}

func flags(site jirasim.Site) []string {
	return []string{"-seed", strconv.FormatUint(site.Seed, 10), "-start", site.Start.Format(time.RFC3339)}
}

// assertViews waits until the views of the UI show the numbers of a team at a time.
func assertViews(t *testing.T, ui string, site jirasim.Site, until func() time.Time) {
	t.Helper()
	var expected teamNumbers
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		expected = numbersOf(t, site, until())
		board, stuck, resolved := map[string]string{}, map[string]string{}, map[string]string{}
		for _, row := range ask(t, ui, viewQuery(t, ui, "/board")) {
			board[row["project"]+" "+row["status"]] = row["number"] + " " + row["issues"]
		}
		for _, row := range ask(t, ui, viewQuery(t, ui, "/stuck")) {
			stuck[row["issue"]] = fmt.Sprintf("%s since %s, with assignee: %s, with flag: %s",
				row["status"], row["since"], row["with_assignee"], row["with_flag"])
		}
		for _, row := range ask(t, ui, viewQuery(t, ui, "/times")) {
			resolved[row["project"]] = row["resolved"]
		}
		assert.Equal(c, expected.board, board)
		assert.Equal(c, expected.stuck, stuck)
		assert.Equal(c, expected.resolved, resolved)
		var times []string
		for _, row := range ask(t, ui, "event_name:=jira.issue.lifecycle") {
			times = append(times, fmt.Sprintf("%s: lead %s, cycle %s", row["jira.issue.id"],
				row["jira.issue.lead_time_seconds"], row["jira.issue.cycle_time_seconds"]))
		}
		assert.ElementsMatch(c, expected.times, times)
	}, waitLimit, 500*time.Millisecond)
	assert.GreaterOrEqual(t, len(expected.stuck), 2, "somebody is stuck")
	assert.Greater(t, len(expected.board), 3)
	assert.Greater(t, len(expected.times), 20)
}

// viewQuery returns the query to which a short address of the UI leads.
func viewQuery(t *testing.T, ui, path string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get("http://" + ui + path)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusFound, response.StatusCode)
	_, parameters, _ := strings.Cut(response.Header.Get("Location"), "#/?")
	values, err := url.ParseQuery(parameters)
	require.NoError(t, err)
	return values.Get("query")
}

// teamNumbers are the numbers of a team at a time.
type teamNumbers struct {
	board    map[string]string // number and keys of the open issues, by project and status
	stuck    map[string]string // by key
	resolved map[string]string // number of resolutions, by project
	times    []string          // of the resolutions, in seconds
}

// teamBody is the part of a webhook from which the numbers follow.
type teamBody struct {
	Timestamp    int64
	WebhookEvent string
	Issue        struct {
		ID, Key string
		Fields  struct {
			Project struct{ Key string }
			Status  struct {
				Name           string
				StatusCategory struct{ Key string }
			}
			Assignee *struct{}
			Flag     []struct{} `json:"customfield_10021"`
		}
	}
}

// teamIssue is an issue of a team, as its last webhook shows it.
type teamIssue struct {
	teamBody
	created, since, started time.Time // since: of its status
	deleted                 bool
}

func (i *teamIssue) category() string { return i.Issue.Fields.Status.StatusCategory.Key }

// limits are the limits of examples/demo.yaml, by the category of the status.
var limits = map[string]time.Duration{"new": 240 * time.Hour, "indeterminate": 168 * time.Hour}

// numbersOf reads the webhooks of a team until a time.
func numbersOf(t *testing.T, site jirasim.Site, until time.Time) teamNumbers {
	t.Helper()
	issues := map[string]*teamIssue{}
	numbers := teamNumbers{board: map[string]string{}, stuck: map[string]string{}, resolved: map[string]string{}}
	resolutions := map[string]int{} // by id
	for d := range jirasim.Team(site) {
		if d.At.After(until) {
			break
		}
		var body teamBody
		require.NoError(t, json.Unmarshal(d.Body, &body))
		if !strings.HasPrefix(body.WebhookEvent, "jira:issue_") {
			continue
		}
		if issue, isResolved := follow(issues, body); isResolved {
			resolutions[issue.Issue.ID]++
			numbers.times = append(numbers.times, fmt.Sprintf("%s: lead %d, cycle %d", issue.Issue.ID,
				int(issue.since.Sub(issue.created).Seconds()), int(issue.since.Sub(issue.started).Seconds())))
		}
	}
	numbers.count(issues, resolutions, until)
	return numbers
}

// follow adds a webhook to its issue, and reports whether it has resolved the issue.
func follow(issues map[string]*teamIssue, body teamBody) (issue *teamIssue, isResolved bool) {
	at := time.UnixMilli(body.Timestamp)
	issue = issues[body.Issue.ID]
	if issue == nil {
		issue = &teamIssue{created: at, since: at}
		issues[body.Issue.ID] = issue
	} else if issue.Issue.Fields.Status.Name != body.Issue.Fields.Status.Name {
		issue.since = at
	}
	wasOpen := issue.category() != "done"
	issue.teamBody = body
	if issue.category() == "indeterminate" && issue.started.IsZero() {
		issue.started = at
	}
	issue.deleted = body.WebhookEvent == "jira:issue_deleted"
	return issue, wasOpen && issue.category() == "done"
}

func (n *teamNumbers) count(issues map[string]*teamIssue, resolutions map[string]int, now time.Time) {
	keys, resolved := map[string][]string{}, map[string]int{}
	for id, issue := range issues {
		project, status, key := issue.Issue.Fields.Project.Key, issue.Issue.Fields.Status.Name, issue.Issue.Key
		if resolutions[id] > 0 {
			resolved[project] += resolutions[id]
		}
		if issue.deleted || issue.category() == "done" {
			continue
		}
		keys[project+" "+status] = append(keys[project+" "+status], key)
		if now.Sub(issue.since) > limits[issue.category()] {
			flag := map[bool]string{true: "true"}[len(issue.Issue.Fields.Flag) > 0]
			n.stuck[key] = fmt.Sprintf("%s since %s, with assignee: %t, with flag: %s", status,
				issue.since.UTC().Format("2006-01-02T15:04:05.000Z"), issue.Issue.Fields.Assignee != nil, flag)
		}
	}
	for place, inPlace := range keys {
		slices.SortFunc(inPlace, func(a, b string) int { // VictoriaLogs sorts OPS-9 before OPS-10
			return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
		})
		list, _ := json.Marshal(inPlace) // cannot fail
		n.board[place] = fmt.Sprintf("%d %s", len(inPlace), list)
	}
	for project, number := range resolved {
		n.resolved[project] = strconv.Itoa(number)
	}
}
