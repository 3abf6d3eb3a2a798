// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// keyedSite has issues whose keys lead to all partitions.
var keyedSite = jirasim.Site{Start: flowStart, Seed: 1}

// TestKafkaFlow lets two collectors in one consumer group measure the flow. All records of an issue reach one of them.
// Both together have the exact numbers, also if one of them is killed and comes back.
func TestKafkaFlow(t *testing.T) {
	kafka := startKafka(t, "jira-issues")
	front := startRecipe(t, "kafka-flow-front")
	deliveries, cut := flowParts(t)

	backs := []*flowCollector{startFlowBack(t, 0, t.TempDir()), startFlowBack(t, 1, t.TempDir())}
	deliver(t, front, keyedSite, deliveries[:cut])
	awaitFlow(t, flowNumbersBefore, nil, backs...)
	owner := ownerOf(t, "open planned Bug WEB = 1", backs)
	before := flowLines(t, scrape(t, backs[owner].metrics))
	assert.NotEmpty(t, flowLines(t, scrape(t, backs[1-owner].metrics)), "both measure issues")

	// The owner of WEB-2, which is open, is killed. It comes back after the last events, and its counters begin with 0.
	time.Sleep(storageTime)
	backs[owner].kill(t)
	deliver(t, front, keyedSite, deliveries[cut:])
	backs[owner] = startFlowBack(t, owner, backs[owner].dir)
	awaitFlow(t, flowNumbers, slices.DeleteFunc(before, isGauge), backs...)

	var lifecycles, others []string
	for _, f := range backs {
		f.terminate(t)
		some, more := f.records(t)
		lifecycles, others = append(lifecycles, some...), append(others, more...)
	}
	slices.Sort(lifecycles)
	slices.Sort(others)
	assert.Equal(t, flowLifecycles, "\n"+strings.Join(lifecycles, "\n")+"\n", "each from one collector")
	assert.Equal(t, []string{flowStuck, "WEB-2 stuck in 4 since 40", "WEB-2 unstuck from 4"}, others)
	front.terminate(t)
	assertKeys(t, kafka.messages(t))
}

// assertKeys checks that all events of an issue have the same key and partition, and another key than other issues.
func assertKeys(t *testing.T, messages []message) {
	t.Helper()
	issues, keys, partitions := map[string]string{}, map[string]string{}, map[int]bool{}
	for _, m := range messages {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(m.Value)
		require.NoError(t, err)
		for _, resource := range logs.ResourceLogs().All() {
			for _, lr := range resource.ScopeLogs().At(0).LogRecords().All() {
				id := text(lr, "jira.issue.id")
				if id == "none" {
					assert.Empty(t, m.Key)
					continue
				}
				place := fmt.Sprint(m.Key, m.Partition)
				assert.Equal(t, place, cmp.Or(issues[id], place))
				assert.Equal(t, id, cmp.Or(keys[m.Key], id))
				issues[id], keys[m.Key], partitions[m.Partition] = place, id, true
			}
		}
	}
	assert.Len(t, issues, 8)
	assert.Len(t, partitions, 3)
}

func isGauge(line string) bool {
	name, _, _ := strings.Cut(line, " ")
	return name == "open" || name == "stuck" || name == "unassigned"
}

// ownerOf returns the index of the collector whose metrics contain a line.
func ownerOf(t *testing.T, line string, collectors []*flowCollector) int {
	t.Helper()
	owner := slices.IndexFunc(collectors, func(f *flowCollector) bool {
		return slices.Contains(flowLines(t, scrape(t, f.metrics)), line)
	})
	require.GreaterOrEqual(t, owner, 0)
	return owner
}

// TestKafkaFlowRebalance lets one of two collectors end for good. The other one gets its partitions, and does not know
// the past of their issues: the lifecycle says so, and contains no time that is not known. A back-fill completes it.
func TestKafkaFlowRebalance(t *testing.T) {
	startKafka(t, "jira-issues")
	front := startRecipe(t, "kafka-flow-front")
	deliveries, cut := flowParts(t)
	args := []string{ // the shortest session of a usual broker
		"--set", "receivers::kafka::session_timeout=6s", "--set", "receivers::kafka::heartbeat_interval=1s",
		"--set", "connectors::jira_flow::lifecycle::corrections=true",
	}
	backs := []*flowCollector{startFlowBack(t, 0, t.TempDir(), args...), startFlowBack(t, 1, t.TempDir(), args...)}
	deliver(t, front, keyedSite, deliveries[:cut])
	awaitFlow(t, flowNumbersBefore, nil, backs...)
	owner := ownerOf(t, "open planned Bug WEB = 1", backs)
	other := backs[1-owner]
	backs[owner].terminate(t)
	deliver(t, front, keyedSite, deliveries[cut:])
	other.awaitLine(t, "lead_time_seconds done Bug WEB = 1 in 54", "each record contains the time of the creation")
	front.terminate(t)
	lr := other.resolutions(t)["WEB-2 at 57.5"]
	complete, _ := lr.Attributes().Get("jira.issue.lifecycle.complete")
	assert.False(t, complete.Bool())
	reasons, _ := lr.Attributes().Get("jira.issue.lifecycle.incomplete_reasons")
	assert.Equal(t, []any{"creation_not_seen"}, reasons.Slice().AsRaw())
	assert.InDelta(t, -1, hours(lr, "cycle_time"), 0, "not guessed")
	assert.InDelta(t, 16.5, hours(lr, "time_in_status", "in_progress"), 0, "the stay that it has seen")

	filler := startRecipe(t, "kafka-flow-front", append(pollScenario(t, keyedSite),
		"--set", "extensions::file_storage::directory="+t.TempDir(), "--set", "service::extensions=[file_storage]")...)
	filler.awaitLog(t, "The back-fill is complete")
	other.awaitLine(t, "cycle_time_seconds done Bug WEB = 1 in 51.5", "the time is known now")
	filler.terminate(t)
	other.terminate(t)
	all := backs[owner].resolutions(t)
	maps.Copy(all, other.resolutions(t))
	var lifecycles []string
	for _, lr := range all {
		lifecycles = append(lifecycles, flowRecord(t, lr))
	}
	slices.Sort(lifecycles)
	assert.Equal(t, flowLifecycles, "\n"+strings.Join(lifecycles, "\n")+"\n")
}

// awaitLine waits until the metrics contain a line.
func (f *flowCollector) awaitLine(t *testing.T, line, why string) {
	t.Helper()
	found := assert.Eventually(t, func() bool { return slices.Contains(flowLines(t, scrape(t, f.metrics)), line) },
		waitLimit, 100*time.Millisecond, why)
	require.True(t, found, f.output())
}

// resolutions returns the latest revision of each lifecycle record, by key and hour.
func (f *flowCollector) resolutions(t *testing.T) map[string]plog.LogRecord {
	t.Helper()
	latest := map[string]plog.LogRecord{}
	for _, logs := range readRecords(t, filepath.Join(f.dir, "jira-flow.jsonl")) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, lr := range resource.ScopeLogs().At(0).LogRecords().All() {
				if lr.EventName() == "jira.issue.lifecycle" { // a correction is later in the file
					hour := lr.Timestamp().AsTime().Sub(flowStart).Hours()
					latest[fmt.Sprintf("%s at %v", text(lr, "jira.issue.key"), hour)] = lr
				}
			}
		}
	}
	return latest
}

// flowParts returns the deliveries of the scenario, and the index of the first one after hour 40.5.
func flowParts(t *testing.T) (deliveries []jirasim.Delivery, cut int) {
	t.Helper()
	deliveries, err := jirasim.Scenario("delivery", keyedSite)
	require.NoError(t, err)
	cut = slices.IndexFunc(deliveries, func(d jirasim.Delivery) bool { return d.At.Sub(flowStart) > 40*time.Hour+half })
	return deliveries, cut
}

// startFlowBack starts a collector of the second tier, with a name and a folder.
func startFlowBack(t *testing.T, number int, dir string, args ...string) *flowCollector {
	t.Helper()
	f := &flowCollector{dir: dir, metrics: address(t)}
	t.Setenv("INSTANCE", fmt.Sprintf("jira-flow-%d", number))
	f.collector = launch(t, dir, recipe(t, "kafka-flow-back"), append([]string{
		"--set", "exporters::prometheus::endpoint=" + f.metrics, "--set", "service::telemetry::metrics::level=none",
		"--set", "connectors::jira_flow::settle_time=1s", "--set", "connectors::jira_flow::metrics::flush_interval=1s",
	}, args...)...)
	assert.Eventually(t, func() bool { return regexp.MustCompile(`"added": "jira-issues\[`).MatchString(f.output()) },
		waitLimit, 20*time.Millisecond, "it has partitions")
	return f
}

// awaitFlow waits until the lines of an earlier process and of collectors together have the numbers.
func awaitFlow(t *testing.T, numbers string, earlier []string, collectors ...*flowCollector) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(waitLimit); got != numbers && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		lines := slices.Clone(earlier)
		for _, f := range collectors {
			lines = append(lines, flowLines(t, scrape(t, f.metrics))...)
		}
		got = "\n" + strings.Join(addLines(t, lines), "\n") + "\n"
	}
	require.Equal(t, numbers, got)
}

// addLines adds up the values of lines with the same beginning, such as "lead_time_seconds done Bug WEB = 2 in 84".
func addLines(t *testing.T, lines []string) (sums []string) {
	t.Helper()
	totals := map[string][]float64{}
	for _, line := range lines {
		name, values, _ := strings.Cut(line, " = ")
		for i, text := range strings.Split(values, " in ") {
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			if len(totals[name]) <= i {
				totals[name] = append(totals[name], 0)
			}
			totals[name][i] += value
		}
	}
	for name, values := range totals {
		line := fmt.Sprintf("%s = %v", name, values[0])
		if len(values) > 1 {
			line += fmt.Sprintf(" in %v", values[1])
		}
		sums = append(sums, line)
	}
	slices.Sort(sums)
	return sums
}
