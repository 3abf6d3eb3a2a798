// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// TestFlowLoad lets a collector on one core remember many open issues, receives signed webhooks of 10 KB at 1,000 in a
// second, and starts it again. No event may be missing in the metrics. JIRA_FAULTS=long has 200,000 issues, and logs the
// figures of docs/flow.md, with those of a collector without the connector.
func TestFlowLoad(t *testing.T) {
	issues, events := form(1_000, 200_000), form(3_000, 20_000)
	t.Setenv("GOMAXPROCS", "1")
	dir := t.TempDir()
	f, otlp := startLoad(t, dir)
	begin := time.Now()
	fillIssues(t, otlp, issues)
	f.awaitSum(t, "jira_issue_open", issues)
	f.awaitSum(t, "jira_issue_transitions_total", issues*len(fillPath))
	t.Logf("%d issues by OTLP in %.0f s, %.1f s of CPU, resident memory %d MB", issues, time.Since(begin).Seconds(),
		f.cpu().Seconds(), f.memory(t, "VmRSS")>>20)

	f.logIdle(t)
	f.logLoad(t, "with jira_flow", issues, events)
	f.awaitSum(t, "jira_issue_transitions_total", issues*len(fillPath)+events)
	f.terminate(t)
	stored, err := filepath.Glob(filepath.Join(dir, "jira-flow-state", "*"))
	require.NoError(t, err)
	size := int64(0)
	for _, file := range stored {
		info, err := os.Stat(file)
		require.NoError(t, err)
		size += info.Size()
	}

	f, _ = startLoad(t, dir)
	ready := time.Since(f.started)
	loaded := loadedLine.FindStringSubmatch(f.output())
	require.NotNil(t, loaded, f.output())
	assert.Equal(t, strconv.Itoa(issues), loaded[1])
	t.Logf("start from a file of %d MB: issues loaded in %s s, receiver listens after %.1f s, %.1f s of CPU, resident memory %d MB, at most %d MB",
		size>>20, loaded[2], ready.Seconds(), f.cpu().Seconds(), f.memory(t, "VmRSS")>>20, f.memory(t, "VmHWM")>>20)
	f.awaitSum(t, "jira_issue_open", issues)
	f.terminate(t)

	if os.Getenv("JIRA_FAULTS") == "long" {
		config := writeConfig(t, loadBaseline, address(t))
		plain := &flowCollector{collector: start(t, t.TempDir(), config, "--set", "service::telemetry::metrics::level=none")}
		plain.logLoad(t, "without jira_flow", issues, events)
		plain.terminate(t)
	}
}

var loadedLine = regexp.MustCompile(`Loaded the issues.*"issues": (\d+), "duration": ([0-9.]+)`)

// loadBaseline is the receiver alone.
const loadBaseline = `
receivers: { jira: { endpoint: %q, signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] } } }
exporters: { debug: { verbosity: basic, sampling_initial: 1, sampling_thereafter: 100000 } }
service: { pipelines: { logs: { receivers: [jira], exporters: [debug] } } }
`

// startLoad starts the example with an OTLP receiver, and returns its address.
func startLoad(t *testing.T, dir string) (f *flowCollector, otlp string) {
	t.Helper()
	f, otlp = &flowCollector{dir: dir, metrics: address(t)}, address(t)
	config, err := filepath.Abs(root + "/examples/flow.yaml")
	require.NoError(t, err)
	f.collector = start(t, dir, config,
		"--set", "receivers::jira::endpoint="+address(t), "--set", "exporters::prometheus::endpoint="+f.metrics,
		"--set", "receivers::jira::allow_unauthenticated=false", "--set", "receivers::jira::signature::secrets=["+secret+"]",
		"--set", "receivers::otlp::protocols::http::endpoint="+otlp, "--set", "service::pipelines::logs::receivers=[jira, otlp]",
		"--set", "connectors::jira_flow::max_issues=300000", "--set", "connectors::jira_flow::settle_time=1s",
		"--set", "connectors::jira_flow::metrics::flush_interval="+loadFlush().String(), "--set", "service::telemetry::metrics::level=none")
	return f, otlp
}

func loadFlush() time.Duration { return time.Duration(form(1, 10)) * time.Second }

// fillPath are the statuses through which each issue moves before the load.
var fillPath = []struct{ id, name, mapped string }{
	{"3", "In Progress", "processing"},
	{"10002", "Blocked", "waiting"},
	{"3", "In Progress", "processing"},
	{"10001", "In Review", "processing"},
	{"3", "In Progress", "processing"},
}

// fillIssues sends the creation and the moves of issues to an OTLP receiver.
func fillIssues(t *testing.T, otlp string, issues int) {
	t.Helper()
	const batch = 500
	for first := 0; first < issues; first += batch {
		logs := plog.NewLogs()
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("jira.site.url", "https://acme.atlassian.net")
		records := resource.ScopeLogs().AppendEmpty().LogRecords()
		for i := first; i < min(first+batch, issues); i++ {
			fillIssue(records, i)
		}
		body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
		require.NoError(t, err)
		response, err := http.Post("http://"+otlp+"/v1/logs", "application/x-protobuf", bytes.NewReader(body))
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
}

func fillIssue(records plog.LogRecordSlice, i int) {
	at := loadStart.Add(time.Duration(i) * time.Millisecond)
	created := at.Format(time.RFC3339Nano)
	last := struct{ id, name, mapped string }{"10000", "To Do", "planned"}
	for n := -1; n < len(fillPath); n++ {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(n+1) * time.Hour)))
		attributes := lr.Attributes()
		put := func(values ...string) {
			for v := 0; v < len(values); v += 2 {
				attributes.PutStr(values[v], values[v+1])
			}
		}
		put("jira.issue.id", strconv.Itoa(firstLoadIssue+i), "jira.issue.key", loadKey(i), "jira.project.key", loadProject(i),
			"jira.issue.type.name", "Task", "jira.issue.priority.name", "High", "jira.issue.created_at", created)
		if n < 0 {
			lr.SetEventName("jira.issue.created")
		} else {
			lr.SetEventName("jira.issue.updated")
			put("jira.issue.status.previous.id", last.id, "jira.issue.status.previous.name", last.name,
				"jira.issue.status.previous.mapped", last.mapped, "jira.changelog.id", strconv.Itoa(10*i+n))
			last = fillPath[n]
		}
		put("jira.issue.status.id", last.id, "jira.issue.status.name", last.name, "jira.issue.status.mapped", last.mapped)
	}
}

// loadStart is so late that no issue is stuck.
var loadStart = time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Millisecond)

// firstLoadIssue is the id of the first issue. The issues are in 50 projects.
const firstLoadIssue = 1_000_000

func loadProject(i int) string { return "P" + strconv.Itoa(i%50) }
func loadKey(i int) string     { return loadProject(i) + "-" + strconv.Itoa(i+1) }

// logIdle logs the CPU time of a flush: of a collector without events.
func (f *flowCollector) logIdle(t *testing.T) {
	t.Helper()
	flushes := form(1, 3)
	time.Sleep(time.Duration(form(0, 10)) * time.Second) // saves and garbage of the events before
	before := f.cpu()
	time.Sleep(time.Duration(flushes) * loadFlush())
	t.Logf("without events: %d ms of CPU for each flush", (f.cpu()-before).Milliseconds()/int64(flushes))
}

// logLoad posts moves of the issues at 1,000 in a second, and logs the costs.
func (f *flowCollector) logLoad(t *testing.T, name string, issues, events int) {
	t.Helper()
	const rate, senders = 1000, 32
	template := string(read(t, root+"/testdata/bench/issue_10k.json"))
	cpu, begin := f.cpu(), time.Now()
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for n := s; n < events; n += senders {
				time.Sleep(time.Until(begin.Add(time.Duration(n) * time.Second / rate)))
				status, err := f.send(context.Background(), loadDelivery(template, n%issues, n/issues, n))
				assert.NoError(t, err)
				assert.Equal(t, http.StatusOK, status)
			}
		})
	}
	group.Wait()
	spent := f.cpu() - cpu
	took := time.Since(begin)
	t.Logf("%s: %d events in %.1f s, %.0f %% of a core, %d µs of CPU for each event, resident memory %d MB, at most %d MB",
		name, events, took.Seconds(), 100*spent.Seconds()/took.Seconds(), spent.Microseconds()/int64(events),
		f.memory(t, "VmRSS")>>20, f.memory(t, "VmHWM")>>20)
}

// loadDelivery is a move of an issue: from In Progress to To Do in even rounds, and back in odd rounds.
func loadDelivery(template string, issue, round, n int) jirasim.Delivery {
	const move = `"from":"10000","fromString":"To Do","to":"3","toString":"In Progress"`
	next := move
	if round%2 == 0 {
		next = `"from":"3","fromString":"In Progress","to":"10000","toString":"To Do"`
	}
	id := strconv.Itoa(firstLoadIssue + issue)
	body := strings.NewReplacer(
		`"id":"10142"`, `"id":"`+id+`"`, `"OPS-42"`, `"`+loadKey(issue)+`"`, move, next,
		`"timestamp":1772528471009`, fmt.Sprintf(`"timestamp":%d`, time.Now().UnixMilli()),
		`"changelog":{"id":"10503"`, fmt.Sprintf(`"changelog":{"id":"%d"`, 900_000_000+n)).Replace(template)
	return jirasim.Delivery{ID: fmt.Sprintf("load-%d", n), Flow: jirasim.Primary, Body: []byte(body)}
}

// awaitSum waits until the sum of a metric is a number.
func (f *flowCollector) awaitSum(t *testing.T, name string, want int) {
	t.Helper()
	got := -1
	for deadline := time.Now().Add(time.Duration(form(1, 10)) * waitLimit); got != want && time.Now().Before(deadline); {
		time.Sleep(200 * time.Millisecond)
		got = int(metric(t, f.metrics, name))
	}
	require.Equal(t, want, got, name)
}

// cpu returns the CPU time of the collector.
func (c *collector) cpu() time.Duration {
	o := observer{pid: c.command.Process.Pid}
	o.look()
	return time.Duration(o.ticks.Load()) * 10 * time.Millisecond
}
