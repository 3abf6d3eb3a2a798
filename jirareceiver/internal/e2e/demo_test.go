// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDemo runs the demo with a scenario of known numbers, and queries the log backend for these numbers.
func TestDemo(t *testing.T) {
	d := newDemo(t)
	receiver, ui := address(t), address(t)
	d.start(t, "-receiver", receiver, "-ui", ui, "--", "-scenario", "delivery", "-rate", "500")
	page := d.await(t, regexp.MustCompile(`http://\S+`))
	d.await(t, regexp.MustCompile(`50 sent, 50 acknowledged, 0 retried, 0 given up$`))

	shown, err := url.Parse(page)
	require.NoError(t, err)
	assert.Equal(t, ui, shown.Host)
	response, err := http.Get(page)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)

	const records = 50 + 8 // events, and lifecycles of issues
	require.Eventually(t, func() bool {
		return ask(t, ui, "* | count_uniq(log.record.uid) n")[0]["n"] == strconv.Itoa(records)
	}, waitLimit, 100*time.Millisecond)
	assertBackendHas(t, ui)
	assertDocumentedQueriesWork(t, ui)
	d.interrupt(t)
	for _, address := range []string{receiver, ui} {
		_, err := net.Dial("tcp", address)
		assert.ErrorIs(t, err, syscall.ECONNREFUSED, "something still listens")
	}
}

// TestDemoPoll compares the number of records in the log backend with the number of changes that the Jira has to show.
func TestDemoPoll(t *testing.T) {
	d := newDemo(t)
	api, ui := address(t), address(t)
	site := teamSite(7)
	d.start(t, append([]string{"-poll", "-api", api, "-ui", ui, "--"}, flags(site)...)...)
	changes, err := strconv.Atoi(strings.Fields(d.await(t, regexp.MustCompile(`shows \d+ changes`)))[1])
	require.NoError(t, err)
	read := time.Now() // later changes arrive after a minute
	d.await(t, regexp.MustCompile(`http://\S+`))
	const lastSeconds = 2 // changes that can happen until the first run, which reads those of the last minutes
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		found := ask(t, ui, "jira.webhook.source:in(backfill, poll) | stats count() all, count_uniq(log.record.uid) events")
		all, _ := strconv.Atoi(found[0]["all"]) // 0 fails
		assert.InDelta(c, changes+lastSeconds/2, all, lastSeconds/2)
		assert.Equal(c, found[0]["all"], found[0]["events"])
	}, waitLimit, 100*time.Millisecond)
	assert.Empty(t, ask(t, ui, "jira.webhook.source:* !jira.webhook.source:in(backfill, poll)"))
	assertViews(t, ui, site, func() time.Time { return read })
	d.interrupt(t)
}

// assertBackendHas compares the backend with the numbers in jirareceiver/internal/jirasim/scenario.go.
func assertBackendHas(t *testing.T, backend string) {
	t.Helper()
	assert.Equal(t, map[string]string{
		"jira.issue.created": "8", "jira.issue.updated": "21", "jira.comment.created": "8", "jira.worklog.created": "8",
		"jira.issue.lifecycle": "8",
		"jira.sprint.created":  "1", "jira.sprint.started": "1", "jira.sprint.closed": "1", "jira.version.created": "1", "jira.version.released": "1",
	}, counts(ask(t, backend, "* | stats by (event_name) count() n"), "event_name"))

	assert.Equal(t, map[string]string{ // the move counts as processing in WEB, and Reopened as planned
		"OPS processing": "5", "OPS done": "4", "OPS canceled": "1", "WEB planned": "1", "WEB processing": "5", "WEB done": "4", "BILL processing": "1",
	}, counts(ask(t, backend, "event_name:=jira.issue.updated | stats by (jira.project.key, jira.issue.status.mapped) count() n"), "jira.project.key", "jira.issue.status.mapped"))

	var moved []map[string]string
	require.Eventually(t, func() bool { // VictoriaLogs counts new records before queries find them
		moved = ask(t, backend, "jira.issue.key:=WEB-3 event_name:=jira.issue.updated | sort by (_time)")
		return len(moved) == 2
	}, waitLimit, 100*time.Millisecond)
	assert.Equal(t, "BILL-1", moved[0]["jira.issue.previous_key"])
	assert.Contains(t, moved[1]["_msg"], "WEB-3 moved from In Progress to Done: ")
	assert.Equal(t, `{jira.project.key="WEB",service.name="jira"}`, moved[1]["_stream"])
}

// assertDocumentedQueriesWork checks that each query in docs/demo.md has results.
func assertDocumentedQueriesWork(t *testing.T, backend string) {
	t.Helper()
	queries := 0
	for _, block := range regexp.MustCompile("(?s)```logsql\n(.*?)\n```").FindAllStringSubmatch(string(read(t, root+"/docs/demo.md")), -1) {
		for query := range strings.Lines(block[1]) {
			queries++
			assert.Eventually(t, func() bool { return len(ask(t, backend, query)) > 0 }, waitLimit, 100*time.Millisecond, query)
		}
	}
	assert.Greater(t, queries, 5)
}

// TestDemoReportsMistakes checks the messages for a machine that cannot run the demo.
func TestDemoReportsMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer taken.Close()
	d := newDemo(t)
	for _, test := range []struct {
		args   []string
		expect string
	}{
		{[]string{"-ui", taken.Addr().String(), "-receiver", address(t)}, taken.Addr().String() + ": bind: address already in use. Choose other addresses: make demo ARGS="},
		{[]string{"-config", "nothing.yaml", "-ui", address(t), "-receiver", address(t)}, "otelcol-jira ended:"},
		{[]string{"-backend", "nothing", "-ui", address(t), "-receiver", address(t)}, "start the demo with `make demo`"},
	} {
		output, err := d.command(t, test.args...).CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(output), test.expect)
		d.assertNothingLeft(t)
	}
}

// demo is the program of `make demo`, with a separate folder for its data.
type demo struct {
	tmp     string
	process *exec.Cmd
	lines   chan string
	ended   chan error
}

// newDemo builds all programs of the demo except the collector, where `make demo` has them. All tests share them, so that
// they are linked once.
func newDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{tmp: t.TempDir(), lines: make(chan string, 100)}
	for _, build := range [][]string{
		{"-modfile=tools/victorialogs/go.mod", "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"},
		{"./jirareceiver/cmd/jirasim", "./examples/demo"},
	} {
		command := exec.CommandContext(t.Context(), "go", append([]string{"build", "-C", root, "-o", "bin/"}, build...)...)
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
	}
	return d
}

func (d *demo) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/demo")
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, append([]string{"-collector", binary(t)}, args...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "TMPDIR="+d.tmp, "JIRA_WEBHOOK_SECRET=", "JIRA_TOKEN=")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // otherwise the programs of the demo would continue
	command.WaitDelay = waitLimit
	return command
}

func (d *demo) start(t *testing.T, args ...string) {
	t.Helper()
	d.process = d.command(t, args...)
	output, input := io.Pipe()
	d.process.Stdout, d.process.Stderr = input, input
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			d.lines <- scanner.Text()
		}
	}()
	require.NoError(t, d.process.Start())
	d.ended = make(chan error, 1)
	go func() { d.ended <- d.process.Wait() }()
	t.Cleanup(func() {
		_ = d.process.Process.Signal(os.Interrupt)
		<-d.ended
	})
}

// await returns the first match in the output of the demo.
func (d *demo) await(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	for deadline := time.After(2 * waitLimit); ; {
		select {
		case line := <-d.lines:
			if match := pattern.FindString(line); match != "" {
				return match
			}
		case <-deadline:
			require.FailNow(t, "the demo does not print "+pattern.String())
		}
	}
}

// interrupt sends the signal of Ctrl-C.
func (d *demo) interrupt(t *testing.T) {
	t.Helper()
	require.NoError(t, d.process.Process.Signal(os.Interrupt))
	require.NoError(t, <-d.ended)
	close(d.ended)
	d.assertNothingLeft(t)
}

func (d *demo) assertNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(d.tmp)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// ask returns the results of a query.
func ask(t *testing.T, backend, query string) (found []map[string]string) {
	t.Helper()
	response, err := http.PostForm("http://"+backend+"/select/logsql/query", url.Values{"query": {query}})
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode, query)
	for decoder := json.NewDecoder(response.Body); ; {
		var fields map[string]string
		err := decoder.Decode(&fields)
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		found = append(found, fields)
	}
}

// counts returns the numbers in the results of a query by the values of some fields.
func counts(found []map[string]string, by ...string) map[string]string {
	numbers := map[string]string{}
	for _, fields := range found {
		var values []string
		for _, field := range by {
			values = append(values, fields[field])
		}
		numbers[strings.Join(values, " ")] = fields["n"]
	}
	return numbers
}
