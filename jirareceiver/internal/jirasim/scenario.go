// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"container/heap"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// scenario is a history of a few issues with a fixed length.
type scenario struct {
	length time.Duration
	issues []plannedIssue
}

// plannedIssue is the history of an issue. Its times count from the start of the scenario.
type plannedIssue struct {
	kind    issueType
	project project
	created time.Duration
	path    []pathStep
}

// pathStep is a transition to a status, or a move to another project.
type pathStep struct {
	at      time.Duration
	to      status
	project project
}

const (
	hour = time.Hour
	half = time.Hour / 2
)

// scenarios are scenarios with known numbers of events.
var scenarios = map[string]scenario{
	// delivery is for delivery metrics. Its 50 deliveries belong to 3 days, in which
	//
	//   - 8 issues are created: 5 in OPS, 2 in WEB, 1 in BILL, which is moved to WEB after its first transition
	//   - issues are resolved 8 times: 4 times in OPS (once as Canceled), 4 times in WEB
	//   - 1 issue is reopened, in WEB, and resolved again
	//   - the hours from created to resolved are 24, 12, 1 and 3 in OPS, 30, 30, 54 and 6 in WEB: 160 in all
	//   - there are 20 transitions: 10 in OPS, 9 in WEB, 1 in BILL; to processing 11 (one of them In Review, one
	//     Reopened), to done 8 (one of them Closed, after Resolved), to canceled 1
	//   - 3 incidents are opened and 2 restored, after 1 hour and after 3; they are of the type Incident, with the label
	//     incident
	//
	// Each issue has a comment and a worklog, and there is a sprint and a version.
	"delivery": {72 * hour, []plannedIssue{
		{kind: story, project: operations, created: half, path: []pathStep{{at: 4 * hour, to: inProgress}, {at: 24*hour + half, to: done}}},
		{kind: task, project: operations, created: hour + half, path: []pathStep{{at: 2*hour + half, to: inProgress}, {at: 13*hour + half, to: canceled}}},
		{kind: story, project: webShop, created: 2 * hour, path: []pathStep{{at: 5 * hour, to: inProgress}, {at: 21 * hour, to: inReview}, {at: 32 * hour, to: done}}},
		{kind: bug, project: webShop, created: 3*hour + half, path: []pathStep{
			{at: 6 * hour, to: inProgress}, {at: 33*hour + half, to: resolved}, {at: 40 * hour, to: reopened}, {at: 41 * hour, to: inProgress}, {at: 57*hour + half, to: resolved},
		}},
		{kind: incident, project: operations, created: 10 * hour, path: []pathStep{{at: 10*hour + half, to: inProgress}, {at: 11 * hour, to: resolved}, {at: 20 * hour, to: closed}}},
		{kind: task, project: billing, created: 12 * hour, path: []pathStep{{at: 13 * hour, to: inProgress}, {at: 14 * hour, project: webShop}, {at: 18 * hour, to: done}}},
		{kind: incident, project: operations, created: 30 * hour, path: []pathStep{{at: 31 * hour, to: inProgress}, {at: 33 * hour, to: resolved}}},
		{kind: incident, project: operations, created: 70 * hour, path: []pathStep{{at: 71 * hour, to: inProgress}}},
	}},
}

// Scenarios returns the names of all scenarios.
func Scenarios() []string { return slices.Sorted(maps.Keys(scenarios)) }

// ScenarioLength returns the length of a scenario.
func ScenarioLength(name string) time.Duration { return scenarios[name].length }

// Scenario returns the deliveries of a scenario. The events are the same on all sites, but Data Center sends comments
// and worklogs a second time, as updates of the issue.
func Scenario(name string, s Site) ([]Delivery, error) {
	t, err := plannedScenario(name, s)
	if err != nil {
		return nil, err
	}
	for t.agenda.Len() > 0 {
		t.runNext()
	}
	return t.take(), nil
}

// plannedScenario returns a team whose agenda is a scenario.
func plannedScenario(name string, s Site) (*team, error) {
	planned, found := scenarios[name]
	if !found {
		return nil, fmt.Errorf("%q is neither a scenario nor a folder; scenarios are %s", name, strings.Join(Scenarios(), ", "))
	}
	t := newTeam(s)
	t.plan(t.Start, func() {
		t.sprint = t.createSprint("Sprint 1", goals[0], t.Start, t.Start.Add(planned.length))
		t.version = t.createVersion(webShop, "4.1")
		t.startSprint(t.sprint)
	})
	for _, p := range planned.issues {
		t.planIssue(p)
	}
	t.plan(t.Start.Add(planned.length), func() {
		t.closeSprint(t.sprint)
		t.release(t.version)
	})
	return t, nil
}

// planIssue plans the history of an issue, with a comment and a worklog, which no delivery metric may count.
func (t *team) planIssue(p plannedIssue) {
	at := func(d time.Duration) time.Time { return t.Start.Add(d) }
	i := t.newIssue(p.kind)
	i.project = p.project
	who := pick(t, people...)
	t.plan(at(p.created), func() { t.create(i) })
	t.plan(at(p.created+10*time.Minute), func() { t.comment(i, who, "I'll have a look.") })
	t.plan(at(p.created+20*time.Minute), func() { t.logWork(i, who, 10*time.Minute) })
	for _, next := range p.path {
		t.plan(at(next.at), func() {
			if next.project != (project{}) {
				t.move(i, next.project, who)
			} else {
				t.transition(i, next.to, who)
			}
		})
	}
}

// runNext runs the next action of the agenda.
func (t *team) runNext() {
	next := heap.Pop(&t.agenda).(action)
	t.at(next.at)
	next.do()
}

// Bodies returns deliveries with the bodies in a folder, in the order of the file names. Each call returns new delivery
// IDs.
func Bodies(dir string) ([]Delivery, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no *.json in %s", dir)
	}
	deliveries := make([]Delivery, 0, len(files))
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, Delivery{ID: rand.Text(), Flow: Primary, Body: body, About: filepath.Base(file)})
	}
	return deliveries, nil
}
