// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// flowStart is the start of the scenario, Monday at 9:00 in Berlin. All times below are hours since then.
var flowStart = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// flowNumbers are counted by hand from the paths of the issues of the scenario:
//
//	OPS-1  Story     created  0.5  In Progress  4    Done     24.5
//	OPS-2  Task      created  1.5  In Progress  2.5  Canceled 13.5
//	WEB-1  Story     created  2    In Progress  5    In Review 21   Done 32
//	WEB-2  Bug       created  3.5  In Progress  6    Resolved 33.5  Reopened 40  In Progress 41  Resolved 57.5
//	OPS-3  Incident  created 10    In Progress 10.5  Resolved 11    Closed 20
//	WEB-3  Task      created 12    In Progress 13    Done     18    (moved from BILL at 14)
//	OPS-4  Incident  created 30    In Progress 31    Resolved 33
//	OPS-5  Incident  created 70    In Progress 71
//
// Each line has the number of values and the sum of the hours.
//
//	time in status, planned:    OPS Incident 10.5-10 + 31-30 + 71-70 = 2.5; OPS Story 4-0.5 = 3.5; OPS Task 2.5-1.5 = 1;
//	                            WEB Bug 6-3.5 + 41-40 = 3.5; WEB Story 5-2 = 3; WEB Task 13-12 = 1
//	time in status, processing: OPS Incident 11-10.5 + 33-31 = 2.5; OPS Story 24.5-4 = 20.5; OPS Task 13.5-2.5 = 11;
//	                            WEB Bug 33.5-6 + 57.5-41 = 44; WEB Story 21-5 + 32-21 = 27; WEB Task 18-13 = 5
//	time in status, done:       OPS Incident 20-11 = 9; WEB Bug 40-33.5 = 6.5
//	cycle time:                 OPS Incident 11-10.5 + 33-31 = 2.5; OPS Story 24.5-4 = 20.5; OPS Task 13.5-2.5 = 11;
//	                            WEB Bug 33.5-6 + 57.5-6 = 79; WEB Story 32-5 = 27; WEB Task 18-13 = 5
//	lead time:                  OPS Incident 11-10 + 33-30 = 4; OPS Story 24.5-0.5 = 24; OPS Task 13.5-1.5 = 12;
//	                            WEB Bug 33.5-3.5 + 57.5-3.5 = 84; WEB Story 32-2 = 30; WEB Task 18-12 = 6
const flowNumbers = `
created Bug WEB = 1
created Incident OPS = 3
created Story OPS = 1
created Story WEB = 1
created Task OPS = 1
created Task WEB = 1
cycle_time_seconds canceled Task OPS = 1 in 11
cycle_time_seconds done Bug WEB = 2 in 79
cycle_time_seconds done Incident OPS = 2 in 2.5
cycle_time_seconds done Story OPS = 1 in 20.5
cycle_time_seconds done Story WEB = 1 in 27
cycle_time_seconds done Task WEB = 1 in 5
lead_time_seconds canceled Task OPS = 1 in 12
lead_time_seconds done Bug WEB = 2 in 84
lead_time_seconds done Incident OPS = 2 in 4
lead_time_seconds done Story OPS = 1 in 24
lead_time_seconds done Story WEB = 1 in 30
lead_time_seconds done Task WEB = 1 in 6
open processing Incident OPS = 1
reopened Bug WEB = 1
resolved canceled Task OPS = 1
resolved done Bug WEB = 2
resolved done Incident OPS = 2
resolved done Story OPS = 1
resolved done Story WEB = 1
resolved done Task WEB = 1
stuck processing Incident OPS = 1
time_in_status_seconds done Bug WEB = 1 in 6.5
time_in_status_seconds done Incident OPS = 1 in 9
time_in_status_seconds planned Bug WEB = 2 in 3.5
time_in_status_seconds planned Incident OPS = 3 in 2.5
time_in_status_seconds planned Story OPS = 1 in 3.5
time_in_status_seconds planned Story WEB = 1 in 3
time_in_status_seconds planned Task OPS = 1 in 1
time_in_status_seconds planned Task WEB = 1 in 1
time_in_status_seconds processing Bug WEB = 2 in 44
time_in_status_seconds processing Incident OPS = 2 in 2.5
time_in_status_seconds processing Story OPS = 1 in 20.5
time_in_status_seconds processing Story WEB = 2 in 27
time_in_status_seconds processing Task OPS = 1 in 11
time_in_status_seconds processing Task WEB = 1 in 5
transitions done done Incident OPS = 1
transitions done planned Bug WEB = 1
transitions planned processing Bug WEB = 2
transitions planned processing Incident OPS = 3
transitions planned processing Story OPS = 1
transitions planned processing Story WEB = 1
transitions planned processing Task OPS = 1
transitions planned processing Task WEB = 1
transitions processing canceled Task OPS = 1
transitions processing done Bug WEB = 2
transitions processing done Incident OPS = 2
transitions processing done Story OPS = 1
transitions processing done Story WEB = 1
transitions processing done Task WEB = 1
transitions processing processing Story WEB = 1
unassigned processing Incident OPS = 1
`

// flowLifecycles are counted by hand too. Times in statuses are by the id of the status, with the number of visits:
// 1 Open, 3 In Progress, 4 Reopened, 5 Resolved, 10000 To Do, 10002 In Review. The cycle of WEB-2 lasts 57.5-6 = 51.5
// hours: 27.5 + 16.5 = 44 in progress, 1 in Reopened, which is waiting time, and 6.5 in Resolved, which are neither.
const flowLifecycles = `
OPS-1 done at 24.5: lead 24, cycle 20.5, active 20.5, waiting 0, efficiency 1.000, reopened 0; 10000: 3.5 (1) 3: 20.5 (1)
OPS-2 canceled at 13.5: lead 12, cycle 11, active 11, waiting 0, efficiency 1.000, reopened 0; 10000: 1 (1) 3: 11 (1)
OPS-3 done at 11: lead 1, cycle 0.5, active 0.5, waiting 0, efficiency 1.000, reopened 0; 1: 0.5 (1) 3: 0.5 (1)
OPS-4 done at 33: lead 3, cycle 2, active 2, waiting 0, efficiency 1.000, reopened 0; 1: 1 (1) 3: 2 (1)
WEB-1 done at 32: lead 30, cycle 27, active 27, waiting 0, efficiency 1.000, reopened 0; 10000: 3 (1) 3: 16 (1) 10002: 11 (1)
WEB-2 done at 33.5: lead 30, cycle 27.5, active 27.5, waiting 0, efficiency 1.000, reopened 0; 1: 2.5 (1) 3: 27.5 (1)
WEB-2 done at 57.5: lead 54, cycle 51.5, active 44, waiting 1, efficiency 0.978, reopened 1; 1: 2.5 (1) 3: 44 (2) 5: 6.5 (1) 4: 1 (1)
WEB-3 done at 18: lead 6, cycle 5, active 5, waiting 0, efficiency 1.000, reopened 0; 10000: 1 (1) 3: 5 (1)
`

// workingHours replaces the numbers of hours above if only the working hours from 9:00 to 17:00 count. The scenario
// starts on Monday at 9:00, so that the hours 0 to 8, 24 to 32 and 48 to 56 are working hours. The working hours until
// an hour of the scenario are:
//
//	0 to 8: the hour itself; 8 to 24: 8; 24 to 32: the hour - 16; 32 to 48: 16; 48 to 56: the hour - 32; 56 to 72: 24
//
//	OPS-1  0.5, 4, 24.5 become 0.5, 4, 8.5: planned 3.5, processing 4.5, lead 8
//	OPS-2  1.5, 2.5, 13.5 become 1.5, 2.5, 8: planned 1, processing 5.5, lead 6.5
//	WEB-1  2, 5, 21, 32 become 2, 5, 8, 16: planned 3, In Progress 3, In Review 8, cycle 11, lead 14
//	WEB-2  3.5, 6, 33.5, 40, 41, 57.5 become 3.5, 6, 16, 16, 16, 24: planned 2.5 + 0, processing 10 + 8, done 0,
//	       cycles 10 and 18, leads 12.5 and 20.5
//	OPS-3  10, 10.5, 11, 20 become 8: 0 in all
//	WEB-3  12, 13, 18 become 8: 0 in all
//	OPS-4  30, 31, 33 become 14, 15, 16: planned 1, processing 1, lead 2
//	OPS-5  70, 71 become 24: 0 in all
var workingHours = strings.NewReplacer(
	"cycle_time_seconds canceled Task OPS = 1 in 11", "cycle_time_seconds canceled Task OPS = 1 in 5.5",
	"cycle_time_seconds done Bug WEB = 2 in 79", "cycle_time_seconds done Bug WEB = 2 in 28", // 10 + 18
	"cycle_time_seconds done Incident OPS = 2 in 2.5", "cycle_time_seconds done Incident OPS = 2 in 1", // 0 + 1
	"cycle_time_seconds done Story OPS = 1 in 20.5", "cycle_time_seconds done Story OPS = 1 in 4.5",
	"cycle_time_seconds done Story WEB = 1 in 27", "cycle_time_seconds done Story WEB = 1 in 11",
	"cycle_time_seconds done Task WEB = 1 in 5", "cycle_time_seconds done Task WEB = 1 in 0",
	"lead_time_seconds canceled Task OPS = 1 in 12", "lead_time_seconds canceled Task OPS = 1 in 6.5",
	"lead_time_seconds done Bug WEB = 2 in 84", "lead_time_seconds done Bug WEB = 2 in 33", // 12.5 + 20.5
	"lead_time_seconds done Incident OPS = 2 in 4", "lead_time_seconds done Incident OPS = 2 in 2", // 0 + 2
	"lead_time_seconds done Story OPS = 1 in 24", "lead_time_seconds done Story OPS = 1 in 8",
	"lead_time_seconds done Story WEB = 1 in 30", "lead_time_seconds done Story WEB = 1 in 14",
	"lead_time_seconds done Task WEB = 1 in 6", "lead_time_seconds done Task WEB = 1 in 0",
	"status_seconds done Bug WEB = 1 in 6.5", "status_seconds done Bug WEB = 1 in 0",
	"status_seconds done Incident OPS = 1 in 9", "status_seconds done Incident OPS = 1 in 0",
	"status_seconds planned Bug WEB = 2 in 3.5", "status_seconds planned Bug WEB = 2 in 2.5",
	"status_seconds planned Incident OPS = 3 in 2.5", "status_seconds planned Incident OPS = 3 in 1", // 0 + 1 + 0
	"status_seconds planned Task WEB = 1 in 1", "status_seconds planned Task WEB = 1 in 0",
	"status_seconds processing Bug WEB = 2 in 44", "status_seconds processing Bug WEB = 2 in 18", // 10 + 8
	"status_seconds processing Incident OPS = 2 in 2.5", "status_seconds processing Incident OPS = 2 in 1", // 0 + 1
	"status_seconds processing Story OPS = 1 in 20.5", "status_seconds processing Story OPS = 1 in 4.5",
	"status_seconds processing Story WEB = 2 in 27", "status_seconds processing Story WEB = 2 in 11", // 3 + 8
	"status_seconds processing Task OPS = 1 in 11", "status_seconds processing Task OPS = 1 in 5.5",
	"status_seconds processing Task WEB = 1 in 5", "status_seconds processing Task WEB = 1 in 0",

	"lead 24, cycle 20.5, active 20.5", "lead 8, cycle 4.5, active 4.5", "3: 20.5 (1)", "3: 4.5 (1)", // OPS-1
	"lead 12, cycle 11, active 11", "lead 6.5, cycle 5.5, active 5.5", "3: 11 (1)", "3: 5.5 (1)", // OPS-2
	"lead 1, cycle 0.5, active 0.5, waiting 0, efficiency 1.000", "lead 0, cycle 0, active 0, waiting 0, efficiency none", // OPS-3
	"1: 0.5 (1) 3: 0.5 (1)", "1: 0 (1) 3: 0 (1)",
	"lead 3, cycle 2, active 2", "lead 2, cycle 1, active 1", "3: 2 (1)", "3: 1 (1)", // OPS-4
	"lead 30, cycle 27, active 27", "lead 14, cycle 11, active 11", "3: 16 (1) 10002: 11 (1)", "3: 3 (1) 10002: 8 (1)", // WEB-1
	"lead 30, cycle 27.5, active 27.5", "lead 12.5, cycle 10, active 10", "3: 27.5 (1)", "3: 10 (1)", // WEB-2
	"lead 54, cycle 51.5, active 44, waiting 1, efficiency 0.978", "lead 20.5, cycle 18, active 18, waiting 0, efficiency 1.000",
	"3: 44 (2) 5: 6.5 (1) 4: 1 (1)", "3: 18 (2) 5: 0 (1) 4: 0 (1)",
	"lead 6, cycle 5, active 5, waiting 0, efficiency 1.000", "lead 0, cycle 0, active 0, waiting 0, efficiency none", // WEB-3
	"10000: 1 (1) 3: 5 (1)", "10000: 0 (1) 3: 0 (1)",
)

// flowStuck is the record about OPS-5, which is in progress since hour 71.
const flowStuck = "OPS-5 stuck in 3 since 71"

// flowSites are the kinds of sites. All of them have the same numbers.
func flowSites() map[string]jirasim.Site {
	sites := map[string]jirasim.Site{}
	for _, deployment := range []jirasim.Deployment{jirasim.Cloud, jirasim.DataCenter} {
		for _, language := range []string{"en", "de"} {
			sites[string(deployment)+" "+language] = jirasim.Site{Deployment: deployment, Language: language, Start: flowStart}
		}
	}
	return sites
}

// mapped returns the arguments for the statuses of a German site. Its category Fertig contains Abgebrochen.
func mapped(site jirasim.Site) []string {
	if site.Language == "de" {
		return []string{"--set", "receivers::jira::status::mapping::canceled=[Abgebrochen]"}
	}
	return nil
}

// TestFlow runs the example, and compares its metrics and its records with the numbers. Webhooks are delivered twice
// if Jira repeats deliveries.
func TestFlow(t *testing.T) {
	for name, site := range flowSites() {
		t.Run("webhook "+name, func(t *testing.T) {
			t.Parallel()
			f := startFlow(t, mapped(site)...)
			deliveries := deliverScenario(t, f.collector, site)
			if site.Deployment == jirasim.Cloud {
				deliver(t, f.collector, site, deliveries)
			}
			f.assertMetrics(t, flowNumbers)
			page, _ := deliveryPage(t)
			assertDashboard(t, scrape(t, f.metrics), page, "flow-dashboard.json")
			assertAlerts(t, scrape(t, f.metrics))
			f.assert(t, flowNumbers, flowLifecycles, flowStuck)
		})
		t.Run("back-fill "+name, func(t *testing.T) {
			t.Parallel()
			f := startFlow(t, append(mapped(site), pollScenario(t, site)...)...)
			f.awaitLog(t, "The back-fill is complete")
			f.assert(t, flowNumbers, flowLifecycles, flowStuck)
		})
	}
}

// TestFlowWebhookAndPoll delivers a history that the receiver also polls. Each change counts once.
func TestFlowWebhookAndPoll(t *testing.T) {
	for name, site := range flowSites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFlow(t, append(mapped(site), pollScenario(t, site)...)...)
			deliverScenario(t, f.collector, site)
			f.awaitLog(t, "The back-fill is complete")
			f.assert(t, flowNumbers, flowLifecycles, flowStuck)
		})
	}
}

func TestFlowWorkingHours(t *testing.T) {
	site := jirasim.Site{Start: flowStart}
	calendar := []string{"--set", "connectors::jira_flow::calendar::time_zone=Europe/Berlin"}
	t.Run("webhook", func(t *testing.T) {
		t.Parallel()
		f := startFlow(t, calendar...)
		deliverScenario(t, f.collector, site)
		f.assert(t, workingHours.Replace(flowNumbers), workingHours.Replace(flowLifecycles), flowStuck)
	})
	t.Run("back-fill", func(t *testing.T) {
		t.Parallel()
		f := startFlow(t, append(calendar, pollScenario(t, site)...)...)
		f.awaitLog(t, "The back-fill is complete")
		f.assert(t, workingHours.Replace(flowNumbers), workingHours.Replace(flowLifecycles), flowStuck)
	})
}

// flowNumbersBefore are the numbers until hour 40.5. WEB-2 is reopened then, and it is planned. The rest is the
// difference to flowNumbers.
const flowNumbersBefore = `
created Bug WEB = 1
created Incident OPS = 2
created Story OPS = 1
created Story WEB = 1
created Task OPS = 1
created Task WEB = 1
cycle_time_seconds canceled Task OPS = 1 in 11
cycle_time_seconds done Bug WEB = 1 in 27.5
cycle_time_seconds done Incident OPS = 2 in 2.5
cycle_time_seconds done Story OPS = 1 in 20.5
cycle_time_seconds done Story WEB = 1 in 27
cycle_time_seconds done Task WEB = 1 in 5
lead_time_seconds canceled Task OPS = 1 in 12
lead_time_seconds done Bug WEB = 1 in 30
lead_time_seconds done Incident OPS = 2 in 4
lead_time_seconds done Story OPS = 1 in 24
lead_time_seconds done Story WEB = 1 in 30
lead_time_seconds done Task WEB = 1 in 6
open planned Bug WEB = 1
reopened Bug WEB = 1
resolved canceled Task OPS = 1
resolved done Bug WEB = 1
resolved done Incident OPS = 2
resolved done Story OPS = 1
resolved done Story WEB = 1
resolved done Task WEB = 1
stuck planned Bug WEB = 1
time_in_status_seconds done Bug WEB = 1 in 6.5
time_in_status_seconds done Incident OPS = 1 in 9
time_in_status_seconds planned Bug WEB = 1 in 2.5
time_in_status_seconds planned Incident OPS = 2 in 1.5
time_in_status_seconds planned Story OPS = 1 in 3.5
time_in_status_seconds planned Story WEB = 1 in 3
time_in_status_seconds planned Task OPS = 1 in 1
time_in_status_seconds planned Task WEB = 1 in 1
time_in_status_seconds processing Bug WEB = 1 in 27.5
time_in_status_seconds processing Incident OPS = 2 in 2.5
time_in_status_seconds processing Story OPS = 1 in 20.5
time_in_status_seconds processing Story WEB = 2 in 27
time_in_status_seconds processing Task OPS = 1 in 11
time_in_status_seconds processing Task WEB = 1 in 5
transitions done done Incident OPS = 1
transitions done planned Bug WEB = 1
transitions planned processing Bug WEB = 1
transitions planned processing Incident OPS = 2
transitions planned processing Story OPS = 1
transitions planned processing Story WEB = 1
transitions planned processing Task OPS = 1
transitions planned processing Task WEB = 1
transitions processing canceled Task OPS = 1
transitions processing done Bug WEB = 1
transitions processing done Incident OPS = 2
transitions processing done Story OPS = 1
transitions processing done Story WEB = 1
transitions processing done Task WEB = 1
transitions processing processing Story WEB = 1
unassigned planned Bug WEB = 1
`

// flowNumbersAfter are the numbers of the new process, whose counters begin with 0: WEB-2 is in progress from 41 to
// 57.5, after an hour in Reopened, and OPS-5 is created.
const flowNumbersAfter = `
created Incident OPS = 1
cycle_time_seconds done Bug WEB = 1 in 51.5
lead_time_seconds done Bug WEB = 1 in 54
open processing Incident OPS = 1
resolved done Bug WEB = 1
stuck processing Incident OPS = 1
time_in_status_seconds planned Bug WEB = 1 in 1
time_in_status_seconds planned Incident OPS = 1 in 1
time_in_status_seconds processing Bug WEB = 1 in 16.5
transitions planned processing Bug WEB = 1
transitions planned processing Incident OPS = 1
transitions processing done Bug WEB = 1
unassigned processing Incident OPS = 1
`

// TestFlowAfterKill kills the collector at hour 40.5 of the scenario. After the restart, it gets the last events
// again, and the rest of the scenario. The times of WEB-2 contain both lives of the collector.
func TestFlowAfterKill(t *testing.T) {
	for name, site := range flowSites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := jirasim.Scenario("delivery", site)
			require.NoError(t, err)
			cut := slices.IndexFunc(all, func(d jirasim.Delivery) bool { return d.At.Sub(flowStart) > 40*time.Hour+half })
			state := append(mapped(site), "--set", "extensions::file_storage::directory="+t.TempDir())
			f := startFlow(t, state...)
			deliver(t, f.collector, site, all[:cut])
			f.assertMetrics(t, flowNumbersBefore)
			time.Sleep(storageTime)
			f.kill(t)

			f = f.restart(t, state...)
			deliver(t, f.collector, site, all[cut-10:])
			f.assert(t, flowNumbersAfter, flowLifecycles, "WEB-2 stuck in 4 since 40\nWEB-2 unstuck from 4\n"+flowStuck)
		})
	}
}

// TestFlowKilledEarly kills the collector after it has written the changes to the storage, and before they settle. No
// output is lost.
func TestFlowKilledEarly(t *testing.T) {
	t.Parallel()
	site := jirasim.Site{Start: flowStart}
	state := []string{"--set", "extensions::file_storage::directory=" + t.TempDir()}
	f := startFlow(t, append(state, "--set", "connectors::jira_flow::settle_time=10m")...)
	deliverScenario(t, f.collector, site)
	time.Sleep(storageTime)
	f.kill(t)
	f = f.restart(t, state...)
	f.assert(t, flowNumbers, flowLifecycles, flowStuck)
}

// storageTime is longer than the connector waits before it writes changed issues.
const storageTime = 1500 * time.Millisecond

const half = 30 * time.Minute

// flowCollector runs the example.
type flowCollector struct {
	*collector
	dir, metrics string
}

func startFlow(t *testing.T, args ...string) *flowCollector {
	t.Helper()
	return (&flowCollector{dir: t.TempDir()}).restart(t, args...)
}

func (f *flowCollector) restart(t *testing.T, args ...string) *flowCollector {
	t.Helper()
	config, err := filepath.Abs(root + "/examples/flow.yaml")
	require.NoError(t, err)
	next := &flowCollector{dir: f.dir, metrics: address(t)}
	next.collector = start(t, next.dir, config, append([]string{
		"--set", "receivers::jira::endpoint=" + address(t), "--set", "exporters::prometheus::endpoint=" + next.metrics,
		"--set", "connectors::jira_flow::settle_time=1s", "--set", "connectors::jira_flow::metrics::flush_interval=1s",
		"--set", "service::telemetry::metrics::level=none",
	}, args...)...)
	return next
}

// pollScenario returns the arguments of a collector that polls a Jira with the scenario, and counts its past.
func pollScenario(t *testing.T, site jirasim.Site) []string {
	t.Helper()
	api, err := jirasim.NewScenarioAPI("delivery", site, jirasim.Account{})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return []string{
		"--set", "receivers::jira::api::endpoint=" + server.URL + api.ContextPath(), "--set", "receivers::jira::poll::mode=full",
		"--set", "receivers::jira::api::requests_per_second=100", "--set", "receivers::jira::poll::start_from=2026-02-01",
		"--set", "receivers::jira::poll::storage=file_storage", "--set", "connectors::jira_flow::metrics::count_backfill=true",
	}
}

// assert compares the metrics and all records of the connector.
func (f *flowCollector) assert(t *testing.T, numbers, lifecycles, stuck string) {
	t.Helper()
	f.assertMetrics(t, numbers)
	f.terminate(t)
	got, others := f.records(t)
	assert.Equal(t, lifecycles, "\n"+strings.Join(got, "\n")+"\n")
	assert.Equal(t, stuck, strings.Join(others, "\n"))
	assert.NotContains(t, f.output(), "error")
}

// assertMetrics waits until the collector exposes the numbers.
func (f *flowCollector) assertMetrics(t *testing.T, numbers string) {
	t.Helper()
	got := ""
	deadline := time.Now().Add(waitLimit)
	for got != numbers && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		got = "\n" + strings.Join(flowLines(t, scrape(t, f.metrics)), "\n") + "\n"
	}
	require.Equal(t, numbers, got)
}

var alertMetric = regexp.MustCompile(`\b(jira_issue|otelcol_receiver_jira|otelcol_connector_jira_flow)_\w+`)

// assertAlerts checks that the metrics of the alerts are exposed, or documented by the components.
func assertAlerts(t *testing.T, series []string) {
	t.Helper()
	known := strings.Join(series, "\n") + string(read(t, root+"/jirareceiver/documentation.md")) +
		string(read(t, root+"/jiraflowconnector/documentation.md"))
	alerts := alertMetric.FindAllString(string(read(t, root+"/examples/alerts.yaml")), -1)
	require.NotEmpty(t, alerts)
	for _, name := range alerts {
		assert.Contains(t, known, strings.TrimSuffix(name, "_count"))
	}
}

// flowLines returns lines such as "lead_time_seconds done Bug WEB = 2 in 84", sorted. It omits series whose value is
// 0, buckets, and the metrics of ages, which depend on the time of the test.
func flowLines(t *testing.T, series []string) (lines []string) {
	t.Helper()
	values, sums := map[string]float64{}, map[string]float64{}
	for _, line := range series {
		match := seriesLine.FindStringSubmatch(line)
		require.NotNil(t, match, line)
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		require.NoError(t, err)
		name := strings.TrimSuffix(strings.TrimPrefix(match[1], "jira_issue_"), "_total")
		id := strings.Join(flowLabels(match[2]), " ")
		switch {
		case strings.HasSuffix(name, "_bucket"), name == "oldest_age_seconds", name == "longest_in_status_seconds":
		case strings.HasSuffix(name, "_sum"):
			sums[strings.TrimSuffix(name, "_sum")+" "+id] = value / 3600
		default:
			values[strings.TrimSuffix(name, "_count")+" "+id] = value
		}
	}
	for id, value := range values {
		line := fmt.Sprintf("%s = %v", id, value)
		if sum, found := sums[id]; found {
			line += fmt.Sprintf(" in %v", sum)
		}
		if value != 0 {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// flowLabels returns the values of labels: previous mapped status, mapped status, type and project.
func flowLabels(labels string) (values []string) {
	for _, name := range []string{"status_previous_mapped", "status_mapped", "type_name", "project_key"} {
		if _, rest, found := strings.Cut(labels, name+`="`); found {
			value, _, _ := strings.Cut(rest, `"`)
			values = append(values, value)
		}
	}
	return values
}

// records returns a line for each lifecycle record, sorted, and for each other record. A record that was sent again
// has the same line.
func (f *flowCollector) records(t *testing.T) (lifecycles, others []string) {
	t.Helper()
	lines := map[string]string{} // by uid
	for _, logs := range readRecords(t, filepath.Join(f.dir, "jira-flow.jsonl")) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
				uid := text(record, "log.record.uid")
				line := flowRecord(t, record)
				if before, found := lines[record.EventName()+uid]; found {
					assert.Equal(t, before, line, "the uid identifies the record")
					continue
				}
				lines[record.EventName()+uid] = line
				if record.EventName() == "jira.issue.lifecycle" {
					lifecycles = append(lifecycles, line)
				} else {
					others = append(others, line)
				}
			}
		}
	}
	slices.Sort(lifecycles)
	return lifecycles, others
}

func flowRecord(t *testing.T, record plog.LogRecord) string {
	t.Helper()
	key := text(record, "jira.issue.key")
	switch record.EventName() {
	case "jira.issue.stuck":
		since, err := time.Parse(time.RFC3339, text(record, "jira.issue.status.since"))
		require.NoError(t, err)
		return fmt.Sprintf("%s stuck in %s since %v", key, text(record, "jira.issue.status.id"), since.Sub(flowStart).Hours())
	case "jira.issue.unstuck":
		return fmt.Sprintf("%s unstuck from %s", key, text(record, "jira.issue.status.previous.id"))
	}
	efficiency := "none"
	if share, found := record.Attributes().Get("jira.issue.flow_efficiency"); found {
		efficiency = strconv.FormatFloat(share.Double(), 'f', 3, 64)
	}
	reopened, _ := record.Attributes().Get("jira.issue.reopen_count")
	complete, _ := record.Attributes().Get("jira.issue.lifecycle.complete")
	assert.True(t, complete.Bool(), key)
	line := fmt.Sprintf("%s %s at %v: lead %v, cycle %v, active %v, waiting %v, efficiency %s, reopened %d;", key,
		text(record, "jira.issue.status.mapped"), record.Timestamp().AsTime().Sub(flowStart).Hours(), hours(record, "lead_time"),
		hours(record, "cycle_time"), hours(record, "active_time"), hours(record, "waiting_time"), efficiency, reopened.Int())
	list, _ := record.Attributes().Get("jira.issue.time_in_statuses")
	var stays []string
	byMapped := map[string]int64{}
	for _, entry := range list.Slice().All() {
		m := entry.Map().AsRaw()
		stays = append(stays, fmt.Sprintf(" %s: %v (%d)", m["id"], float64(m["seconds"].(int64))/3600, m["visits"]))
		byMapped[m["mapped"].(string)] += m["seconds"].(int64)
	}
	for mapped, seconds := range byMapped {
		assert.InDelta(t, float64(seconds)/3600, hours(record, "time_in_mapped_status", mapped), 0, "%s %s", key, mapped)
	}
	return line + strings.Join(stays, "")
}

func text(record plog.LogRecord, attribute string) string {
	value, found := record.Attributes().Get(attribute)
	if !found {
		return "none"
	}
	return value.Str()
}

// hours returns the value of an attribute of seconds, or -1.
func hours(record plog.LogRecord, name string, suffix ...string) float64 {
	attribute := strings.Join(append([]string{"jira.issue." + name + "_seconds"}, suffix...), ".")
	value, found := record.Attributes().Get(attribute)
	if !found || value.Type() != pcommon.ValueTypeInt {
		return -1
	}
	return float64(value.Int()) / 3600
}
