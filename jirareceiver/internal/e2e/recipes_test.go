// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // the exporter compresses with gzip
	"google.golang.org/grpc/metadata"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// export is a request to a backend.
type export struct {
	path   string
	header http.Header
	logs   plog.Logs
}

// exports holds the requests to the backends of the recipes.
type exports struct {
	mu  sync.Mutex
	all []export
}

func (e *exports) add(got export) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, got)
}

// await returns all requests once they contain the records of the life of an issue.
func (e *exports) await(t *testing.T, c *collector) []export {
	t.Helper()
	want := lifeUIDs(t)
	arrived := assert.Eventually(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		var got []string
		for _, export := range e.all {
			got = append(got, recordUIDs(export.logs)...)
		}
		return assert.ObjectsAreEqual(want, slices.Compact(slices.Sorted(slices.Values(got))))
	}, waitLimit, 50*time.Millisecond)
	require.True(t, arrived, c.output())
	return e.all
}

// serveHTTP returns the URL of a backend that accepts OTLP/HTTP at any path.
func (e *exports) serveHTTP(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := readLogs(r)
		assert.NoError(t, err)
		e.add(export{r.URL.Path, r.Header, request.Logs()})
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// serveGRPC returns the address of a backend that accepts OTLP/gRPC.
func (e *exports) serveGRPC(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, &logsServer{exports: e})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

type logsServer struct {
	plogotlp.UnimplementedGRPCServer
	exports *exports
}

func (s *logsServer) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	sent, _ := metadata.FromIncomingContext(ctx)
	header := http.Header{}
	for key, values := range sent {
		header[http.CanonicalHeaderKey(key)] = values
	}
	method, _ := grpc.Method(ctx)
	s.exports.add(export{method, header, request.Logs()})
	return plogotlp.NewExportResponse(), nil
}

// TestOTLPRecipes starts each recipe that sends OTLP, and compares the received records with the life of an issue.
func TestOTLPRecipes(t *testing.T) {
	for _, recipe := range []struct {
		name, variable string
		serve          func(*exports, *testing.T) string
		path           string
		header, value  string
		onResource     string // an attribute that the recipe adds to the resource
	}{
		{"otlp-http", "OTLP_ENDPOINT", (*exports).serveHTTP, "/v1/logs", "Authorization", "Bearer a token", ""},
		{"otlp-grpc", "OTLP_ENDPOINT", (*exports).serveGRPC, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "Authorization", "Bearer a token", ""},
		{"victorialogs", "VICTORIALOGS_URL", (*exports).serveHTTP, "/insert/opentelemetry/v1/logs", "VL-Stream-Fields", "service.name,jira.site.url,jira.project.key", ""},
		{"loki", "LOKI_URL", (*exports).serveHTTP, "/otlp/v1/logs", "X-Scope-OrgID", "operations", "jira.project.key"},
	} {
		t.Run(recipe.name, func(t *testing.T) {
			got := &exports{}
			t.Setenv(recipe.variable, recipe.serve(got, t))
			t.Setenv("OTLP_TOKEN", "a token")
			t.Setenv("LOKI_TENANT", "operations")
			c := startRecipe(t, recipe.name)
			c.postAll(t, life(t))
			for _, export := range got.await(t, c) {
				assert.Equal(t, recipe.path, export.path)
				assert.Equal(t, recipe.value, export.header.Get(recipe.header))
				if recipe.onResource != "" {
					value, _ := export.logs.ResourceLogs().At(0).Resource().Attributes().Get(recipe.onResource)
					assert.Equal(t, "OPS", value.Str())
					record := export.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
					assert.Equal(t, record.EventName(), text(record, "jira.event.name"))
				}
			}
			c.terminate(t)
		})
	}
}

// TestLokiProjects delivers events of two projects at the same time, while the backend is slow. Each record must have
// the project of its own issue on its resource.
func TestLokiProjects(t *testing.T) {
	got := &exports{}
	url := got.serveHTTP(t)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		http.Redirect(w, r, url+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(slow.Close)
	t.Setenv("LOKI_URL", slow.URL)
	c := startRecipe(t, "loki", "--set", "exporters::otlp_http::sending_queue::enabled=false")
	const deliveries = 10
	var senders sync.WaitGroup
	for i := range deliveries {
		senders.Go(func() {
			body := fmt.Appendf(nil, `{"webhookEvent":"jira:issue_created","issue":{"id":"%d","key":"%s-%d",
				"self":"https://acme.atlassian.net/rest/api/2/issue/%[1]d"}}`, i+1, []string{"OPS", "WEB"}[i%2], i+1)
			status, err := c.send(t.Context(), jirasim.Delivery{ID: fmt.Sprintf("delivery-%d", i+1), Flow: jirasim.Primary, Body: body})
			assert.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
		})
	}
	senders.Wait()
	c.terminate(t)
	records := 0
	for _, export := range got.all {
		for _, resource := range export.logs.ResourceLogs().All() {
			project, _ := resource.Resource().Attributes().Get("jira.project.key")
			for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
				want, _ := record.Attributes().Get("jira.project.key")
				assert.Equal(t, want.Str(), project.Str())
				records++
			}
		}
	}
	assert.Equal(t, deliveries, records)
}

// TestFilesRecipe writes more than one file holds, and restarts the collector in between.
func TestFilesRecipe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made by the exporter")
	t.Setenv("JIRA_EVENTS_FILE", filepath.Join(dir, "events.jsonl"))
	body := read(t, root+"/testdata/bench/issue_100k.json")
	const deliveries = 14
	for range 2 {
		c := startRecipe(t, "files", "--set", "exporters::file::rotation::max_megabytes=1", "--set", "receivers::jira::include::payload=true",
			"--set", "receivers::jira::deduplication::enabled=false")
		for range deliveries / 2 {
			require.Equal(t, http.StatusOK, c.post(t, body, signature.Sign([]byte(secret), body)))
		}
		c.terminate(t)
	}
	files, err := filepath.Glob(filepath.Join(dir, "events*.jsonl"))
	require.NoError(t, err)
	assert.Greater(t, len(files), 1, "the exporter rotates files")
	records := 0
	for _, file := range files {
		records += len(readRecords(t, file))
	}
	assert.Equal(t, deliveries, records)
}

// TestKafkaTiers sends the life of an issue through both tiers. The second tier starts last, and its backend rejects
// the first requests.
func TestKafkaTiers(t *testing.T) {
	kafka := startKafka(t, "jira-events")
	front := startRecipe(t, "kafka-front")
	front.postAll(t, life(t))

	got := &exports{}
	backend, refusals := refuseFirst(t, 2, got.serveHTTP(t))
	t.Setenv("OTLP_ENDPOINT", backend)
	back := launch(t, t.TempDir(), recipe(t, "kafka-back"), "--set", "service::telemetry::metrics::level=none")
	got.await(t, back)
	assert.Len(t, refusals, cap(refusals))
	back.terminate(t)
	front.terminate(t)
	assert.Len(t, kafka.finish(t), len(life(t)), "one message for each delivery")
}

// TestKafkaUnreachable checks that Jira has to send an event again if Kafka has not accepted it.
func TestKafkaUnreachable(t *testing.T) {
	t.Setenv("KAFKA_BROKER", address(t))
	c := startRecipe(t, "kafka-front", "--set", "exporters::kafka::timeout=1s", "--set", "exporters::kafka::retry_on_failure::max_interval=1s",
		"--set", "exporters::kafka::retry_on_failure::initial_interval=500ms", "--set", "exporters::kafka::retry_on_failure::max_elapsed_time=2s")
	body := read(t, life(t)[0])
	assert.Equal(t, http.StatusServiceUnavailable, c.post(t, body, signature.Sign([]byte(secret), body)))
}

// TestTransformRecipes compares the messages for the life of an issue with golden messages.
func TestTransformRecipes(t *testing.T) {
	for _, recipe := range []struct{ name, topic string }{{"flashduty", "flashduty-changes"}, {"cdevents", "cdevents"}} {
		t.Run(recipe.name, func(t *testing.T) {
			kafka := startKafka(t, recipe.topic)
			c := startRecipe(t, recipe.name)
			bodies := life(t)
			for _, body := range []string{"datacenter_issue_resolved", "automation_jira_format", "forge_issue_updated_thin", "post_function"} {
				bodies = append(bodies, root+"/testdata/senders/"+body+".json")
			}
			c.postAll(t, bodies)
			c.terminate(t) // empties the queue
			file := root + "/testdata/recipes/" + recipe.name + ".jsonl"
			messages := kafka.finish(t)
			assert.NotContains(t, c.output(), "failed to execute")
			golden.AssertText(t, file, strings.Join(messages, "\n")+"\n")
			assertValid(t, recipe.name, messages)
		})
	}
}

// TestOtherExporters builds a collector with each available exporter that the distribution lacks, from the line in its
// recipe, and validates the recipe with it.
func TestOtherExporters(t *testing.T) {
	content := string(read(t, root+"/examples/other-exporters/clickhouse.yaml"))
	line := regexp.MustCompile(`(?m)^# {3}(- gomod: \S+ \S+)$`).FindStringSubmatch(content)
	require.NotNil(t, line)
	manifest := strings.NewReplacer("\nexporters:", "\nexporters:\n  "+line[1], "path: .", "path: ./otel-jira-collector",
		"name: otelcol-jira", "name: my-collector", "output_path: ./build/otelcol-jira", "output_path: ./my-collector").
		Replace(string(read(t, root+"/builder-config.yaml")))
	t.Setenv(binaryVariable, buildManifest(t, manifest))
	validate(t, root+"/examples/other-exporters/clickhouse.yaml")
}

func recipe(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(root + "/examples/" + name + ".yaml")
	require.NoError(t, err)
	return file
}

func startRecipe(t *testing.T, name string, args ...string) *collector {
	t.Helper()
	args = append(args, "--set", "receivers::jira::endpoint="+address(t), "--set", "service::telemetry::metrics::level=none")
	return start(t, t.TempDir(), recipe(t, name), args...)
}

// postAll posts files. Each delivery has a different delivery ID.
func (c *collector) postAll(t *testing.T, files []string) {
	t.Helper()
	for i, file := range files {
		c.deliver(t, jirasim.Delivery{ID: fmt.Sprintf("delivery-%d", i+1), Flow: jirasim.Primary, Body: read(t, file)})
	}
}

// deliver posts a signed delivery, which the collector must accept.
func (c *collector) deliver(t *testing.T, d jirasim.Delivery) {
	t.Helper()
	status, err := c.send(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// send posts a signed delivery.
func (c *collector) send(ctx context.Context, d jirasim.Delivery) (status int, err error) {
	request, err := jirasim.NewRequest(ctx, c.url, []byte(secret), d, 0)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

func lifeUIDs(t *testing.T) []string {
	t.Helper()
	var uids []string
	for _, file := range life(t) {
		content := string(read(t, strings.TrimSuffix(file, ".json")+".yaml"))
		uid := regexp.MustCompile(`log\.record\.uid\n\s+value:\n\s+stringValue: "?(\w+)"?\n`).FindStringSubmatch(content)
		require.NotNil(t, uid, file)
		uids = append(uids, uid[1])
	}
	slices.Sort(uids)
	return uids
}

func recordUIDs(logs plog.Logs) []string {
	var uids []string
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				uid, _ := record.Attributes().Get("log.record.uid")
				uids = append(uids, uid.Str())
			}
		}
	}
	return uids
}

// kafka is a separate process with a broker in memory. Its output ends with the messages of its topics.
type kafka struct {
	command *exec.Cmd
	stdin   io.Closer
	lines   *bufio.Scanner
}

// startKafka starts a broker, and sets its address for the recipes.
func startKafka(t *testing.T, topics ...string) *kafka {
	t.Helper()
	program := filepath.Join(t.TempDir(), "kafka")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-C", root+"/tools/kafka", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	k := &kafka{command: exec.CommandContext(t.Context(), program, topics...)}
	k.command.Stderr = os.Stderr
	k.stdin, err = k.command.StdinPipe()
	require.NoError(t, err)
	stdout, err := k.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, k.command.Start())
	k.lines = bufio.NewScanner(stdout)
	require.True(t, k.lines.Scan())
	t.Setenv("KAFKA_BROKER", k.lines.Text())
	t.Cleanup(func() {
		_ = k.command.Process.Kill()
		_ = k.command.Wait()
	})
	return k
}

// message is a message of a topic.
type message struct {
	Partition int
	Key       string
	Value     []byte
}

// messages ends the broker and returns all messages. Kafka keeps their order only within a partition.
func (k *kafka) messages(t *testing.T) (messages []message) {
	t.Helper()
	k.stdin.Close()
	for k.lines.Scan() {
		var m message
		require.NoError(t, json.Unmarshal(k.lines.Bytes(), &m))
		messages = append(messages, m)
	}
	return messages
}

// finish ends the broker and returns the values of all messages, sorted.
func (k *kafka) finish(t *testing.T) (values []string) {
	t.Helper()
	for _, m := range k.messages(t) {
		values = append(values, string(m.Value))
	}
	slices.Sort(values)
	return values
}

// refuseFirst returns the URL of a backend that refuses a number of requests with 503, and redirects all later requests
// to another backend. The channel contains the refusals.
func refuseFirst(t *testing.T, number int, accepting string) (url string, refusals chan struct{}) {
	t.Helper()
	refusals = make(chan struct{}, number)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case refusals <- struct{}{}:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.Redirect(w, r, accepting+r.URL.Path, http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(backend.Close)
	return backend.URL, refusals
}
