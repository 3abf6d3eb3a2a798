// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e tests the built collector: as a process, over a socket, with the files that it writes.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

const (
	binaryVariable = "OTELCOL_JIRA" // path of the collector
	root           = "../../.."
	secret         = "a secret for the test"
	waitLimit      = 30 * time.Second // limit of every wait
)

// signedConfig does not deduplicate, because all deliveries of the golden records have the same delivery ID.
const signedConfig = `
receivers:
  jira:
    endpoint: %s
    deduplication: { enabled: false }
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
exporters:
  file: { path: %s }
service:
  pipelines:
    logs: { receivers: [jira], exporters: [file] }
  telemetry: { metrics: { level: none } }
`

// TestRecordsInAFile posts the life of an issue, signed, and compares the output of the file exporter with the golden
// records.
func TestRecordsInAFile(t *testing.T) {
	output := filepath.Join(t.TempDir(), "events.jsonl")
	c := start(t, t.TempDir(), writeConfig(t, signedConfig, address(t), output))
	files := life(t)
	for _, file := range files {
		body := read(t, file)
		assert.Equal(t, http.StatusOK, c.post(t, body, signature.Sign([]byte(secret), body)))
	}
	tampered := read(t, files[0])
	header := signature.Sign([]byte(secret), tampered)
	tampered[len(tampered)/2] ^= 1
	assert.Equal(t, http.StatusUnauthorized, c.post(t, tampered, header), "one bit changed")
	assert.Equal(t, http.StatusUnauthorized, c.post(t, read(t, files[0]), ""), "not signed")
	c.terminate(t)

	records := readRecords(t, output)
	require.Len(t, records, len(files))
	for i, file := range files {
		scope := records[i].ResourceLogs().At(0).ScopeLogs().At(0).Scope()
		assert.Equal(t, version(t), scope.Version())
		scope.SetVersion("1.2.3") // of the golden records
		golden.Assert(t, strings.TrimSuffix(file, ".json")+".yaml", records[i], plogtest.IgnoreObservedTimestamp())
	}
}

// TestTermination sends SIGTERM during 200 concurrent deliveries. The file must contain each delivery whose response
// was 200.
func TestTermination(t *testing.T) {
	const deliveries = 200
	output := filepath.Join(t.TempDir(), "events.jsonl")
	c := start(t, t.TempDir(), writeConfig(t, signedConfig, address(t), output))

	var mu sync.Mutex
	accepted := map[string]bool{}
	half := make(chan struct{})
	var senders sync.WaitGroup
	for i := range deliveries {
		senders.Go(func() {
			key := fmt.Sprintf("OPS-%d", i)
			body := fmt.Appendf(nil, `{"webhookEvent": "jira:issue_created", "issue": {"id": "%d", "key": %q}}`, i, key)
			status, err := post(c.url, body, signature.Sign([]byte(secret), body))
			mu.Lock()
			defer mu.Unlock()
			if err == nil && status == http.StatusOK {
				accepted[key] = true
				if len(accepted) == deliveries/2 {
					close(half)
				}
			}
		})
	}
	select {
	case <-half:
	case <-time.After(waitLimit):
		require.FailNow(t, "too few deliveries were accepted")
	}
	c.terminate(t)
	senders.Wait()

	written := map[string]bool{}
	for _, logs := range readRecords(t, output) {
		for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			key, _ := record.Attributes().Get("jira.issue.key")
			written[key.Str()] = true
		}
	}
	t.Logf("%d of %d accepted, %d written", len(accepted), deliveries, len(written))
	assert.GreaterOrEqual(t, len(accepted), deliveries/2)
	for key := range accepted {
		assert.True(t, written[key], "%s was accepted and is not in the file", key)
	}
}

// TestQuickstart runs the commands of `make run` and `make send`. The console shows a line for each event, after the
// hint.
func TestQuickstart(t *testing.T) {
	dir, endpoint := t.TempDir(), address(t)
	console := exec.CommandContext(t.Context(), absolute(t, root+"/tools/run.sh"), binary(t), "--config", absolute(t, root+"/examples/quickstart.yaml"),
		"--set", "receivers::jira::endpoint="+endpoint, "--set", "service::telemetry::metrics::level=none")
	console.Env = append(os.Environ(), "JIRA_WEBHOOK_SECRET=", "TZ=Asia/Tokyo") // the log has times of the local zone
	console.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                   // as in a terminal, where Ctrl-C reaches all processes of the group
	c := run(t, dir, console)
	t.Cleanup(func() { _ = syscall.Kill(-console.Process.Pid, syscall.SIGKILL) })
	c.awaitListening(t)

	send := exec.CommandContext(t.Context(), "go", "run", "./jirareceiver/cmd/jirasim", "-scenario", "testdata/life", "-verbose", "-url", c.url)
	send.Dir = root
	send.Env = console.Env
	answers, err := send.CombinedOutput()
	require.NoError(t, err, string(answers))
	assert.Equal(t, len(life(t)), strings.Count(string(answers), `200 OK {"status":"ok"}`), string(answers))

	records := filepath.Join(dir, "jira-events.jsonl")
	require.Eventually(t, func() bool {
		content, _ := os.ReadFile(records)
		return bytes.Count(content, []byte("\n")) == len(life(t))
	}, waitLimit, 20*time.Millisecond, "the file is written while the collector runs")
	require.NoError(t, syscall.Kill(-console.Process.Pid, syscall.SIGINT))
	require.NoError(t, <-c.exited, c.output())
	log, events, found := strings.Cut(c.output(), "\nNow try in a second terminal: make send URL="+c.url+"\nCtrl-C stops the collector.\n\n")
	require.True(t, found, c.output())
	assert.Contains(t, log, "Everything is ready.")
	assert.NotContains(t, log, "service.instance.id")
	events, end, found := strings.Cut(events, "Received signal from OS")
	require.True(t, found, c.output())
	assert.Contains(t, end, "Shutdown complete.")
	lines := strings.Split(events, "\n")
	assert.ElementsMatch(t, []string{
		"2026-03-02T08:15:27Z OPS-42 created: Deploy payment service status=planned",
		"2026-03-02T08:17:02Z OPS-42 updated (assignee, priority): Deploy payment service status=planned",
		"2026-03-03T09:01:11Z OPS-42 moved from To Do to In Progress: Deploy payment service status=processing",
		"2026-03-03T09:05:40Z OPS-42 comment created: Deploy payment service status=processing",
		"2026-03-04T13:30:00Z OPS-42 moved from In Progress to In Review: Deploy payment service status=processing",
		"2026-03-05T15:45:12Z OPS-42 moved from In Review to Done: Deploy payment service status=done",
		"2026-03-09T07:00:03Z OPS-42 deleted: Deploy payment service status=done",
	}, lines[:len(lines)-1])
}

// TestRunFails checks that `make run` fails if the collector does not start.
func TestRunFails(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), absolute(t, root+"/tools/run.sh"), binary(t), "--config", "missing.yaml").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "missing.yaml")
	assert.NotContains(t, string(output), "Now try")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// TestVersion checks that the version contains the version of the manifest and the commit.
func TestVersion(t *testing.T) {
	manifest := regexp.MustCompile(`(?m)^ {2}version: (\S+)$`).FindSubmatch(read(t, root+"/builder-config.yaml"))
	require.NotNil(t, manifest)
	assert.Regexp(t, "^"+regexp.QuoteMeta(string(manifest[1]))+`(\+[0-9a-f]+(-dirty)?)?$`, version(t))
}

// TestDocumentedConfigurations validates every YAML in docs, in the READMEs and in examples with the collector, and
// builds the manifest in docs with ocb, from a clone. The module tools/release builds it without a clone.
func TestDocumentedConfigurations(t *testing.T) {
	const aroundReceivers = "\nexporters: { debug: }\nservice: { pipelines: { logs: { receivers: [jira], exporters: [debug] } } }\n"
	pages, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	blocks := 0
	for _, page := range append(pages, root+"/README.md", root+"/jirareceiver/README.md", root+"/jiraflowconnector/README.md") {
		for i, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read(t, page)), -1) {
			blocks++
			t.Run(fmt.Sprintf("%s %d", filepath.Base(page), i+1), func(t *testing.T) {
				switch yaml := block[1]; {
				case strings.HasPrefix(yaml, "dist:"):
					buildManifest(t, strings.Replace(yaml, "/jirareceiver\n", "/jirareceiver\n    path: ./otel-jira-collector\n", 1))
				case strings.HasPrefix(yaml, "service:") || filepath.Base(page) == "recipes.md":
					validate(t, root+"/examples/quickstart.yaml", writeConfig(t, "%s", yaml))
				case strings.Contains(yaml, "\nservice:"):
					validate(t, writeConfig(t, "%s", strings.ReplaceAll(yaml, "/var/lib/otelcol-jira", t.TempDir())))
				default:
					validate(t, writeConfig(t, "%s", yaml+aroundReceivers))
				}
			})
		}
	}
	require.Greater(t, blocks, 6)
	examples, err := filepath.Glob(root + "/examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		if slices.Contains([]string{"alerts.yaml", "alerts-oncall.yaml", "prometheus.yaml"}, filepath.Base(example)) {
			continue // for Prometheus; make test-alerts checks it
		}
		t.Run(filepath.Base(example), func(t *testing.T) { validate(t, example) })
	}
}

// TestMisspeltKey checks with the collector that a misspelt key is an error, as unit tests of the receiver do without
// it.
func TestMisspeltKey(t *testing.T) {
	config := writeConfig(t, strings.ReplaceAll(signedConfig, "signature:", "signatures:"), "localhost:0", "events.jsonl")
	output, err := command(t, "validate", "--config", config).CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, "Error: receivers::jira: signatures: there is no such key; did you mean signature?\n", string(output))
}

// validate makes the collector validate the merged files.
func validate(t *testing.T, configs ...string) {
	t.Helper()
	args := []string{"validate"}
	for _, config := range configs {
		args = append(args, "--config", config)
	}
	output, err := command(t, args...).CombinedOutput()
	assert.NoError(t, err, string(output))
}

// buildManifest builds my-collector from a manifest that expects a clone of the repository in ./otel-jira-collector.
func buildManifest(t *testing.T, manifest string) (program string) {
	t.Helper()
	repository, err := filepath.Abs(root)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(repository, filepath.Join(dir, "otel-jira-collector")))
	builder, err := exec.CommandContext(t.Context(), "go", "tool", "-C", root, "-modfile=tools/go.mod", "-n", "builder").Output()
	require.NoError(t, err)
	program = runBuilder(t, dir, manifest, strings.TrimSpace(string(builder)))
	components, err := exec.CommandContext(t.Context(), program, "components").Output()
	require.NoError(t, err)
	assert.Contains(t, string(components), "name: jira")
	return program
}

// runBuilder builds my-collector in a folder. The builder is a program and its first arguments.
func runBuilder(t *testing.T, dir, manifest string, builder ...string) (program string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.yaml"), []byte(manifest), 0o600))
	build := exec.CommandContext(t.Context(), builder[0], append(builder[1:], "--config", "manifest.yaml")...)
	build.Dir = dir
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	return filepath.Join(dir, "my-collector", "my-collector")
}

// post delivers a body with the headers of the golden records.
func (c *collector) post(t *testing.T, body []byte, signed string) (status int) {
	t.Helper()
	status, err := post(c.url, body, signed)
	require.NoError(t, err)
	return status
}

func post(url string, body []byte, signed string) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	d := jirasim.Delivery{ID: "delivery-1", Flow: jirasim.Primary, Body: body}
	request, err := jirasim.NewRequest(ctx, url, nil, d, 2)
	if err != nil {
		return 0, err
	}
	request.Header.Set(signature.Header, signed)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// address returns a free address on loopback.
func address(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func writeConfig(t *testing.T, format string, args ...any) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600))
	return file
}

func life(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(root + "/testdata/life/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return content
}

// readRecords reads the output of the file exporter, one delivery per line.
func readRecords(t *testing.T, file string) []plog.Logs {
	t.Helper()
	var records []plog.Logs
	for line := range bytes.Lines(read(t, file)) {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		require.NoError(t, err)
		records = append(records, logs)
	}
	return records
}

// version returns the version that the collector prints.
func version(t *testing.T) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), binary(t), "--version").Output()
	require.NoError(t, err)
	return strings.TrimPrefix(strings.TrimSpace(string(output)), "otelcol-jira version ")
}
