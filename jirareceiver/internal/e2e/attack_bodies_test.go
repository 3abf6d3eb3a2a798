// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// shape makes a body of about a given size in bytes.
type shape struct {
	name string
	make func(size int) []byte
}

const issueBegin = `{"timestamp": 1, "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_updated", ` +
	`"issue": {"id": "1", "self": "https://acme.atlassian.net/rest/api/2/issue/1", `

// repeated fills a body with copies of a list entry.
func repeated(before, entry, after string) func(int) []byte {
	return func(size int) []byte {
		n := max((size-len(before)-len(after))/(len(entry)+1), 1)
		return []byte(before + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + after)
	}
}

// stretched fills a body with one text.
func stretched(before, after string) func(int) []byte {
	return func(size int) []byte {
		return []byte(before + strings.Repeat("x", max(size-len(before)-len(after), 1)) + after)
	}
}

// inFields fills a list in the fields of an issue.
func inFields(name, entry string) func(int) []byte {
	return repeated(issueBegin+`"key": "OPS-1", "fields": {"`+name+`": [`, entry, `]}}}`)
}

// inChangelog fills the changelog.
func inChangelog(item string) func(int) []byte {
	return repeated(issueBegin+`"key": "OPS-1", "fields": {"summary": "a"}}, "changelog": {"id": "1", "items": [`, item, `]}}`)
}

var shapes = []shape{
	{"smallest changes", inChangelog(`{"field":"a"}`)},
	{"changes with long texts", inChangelog(`{"field":"summary","fromString":"` + strings.Repeat("a", 4000) + `","toString":"` + strings.Repeat("b", 4000) + `"}`)},
	{"one-letter labels", inFields("labels", `"a"`)},
	{"components", inFields("components", `{"name":"a"}`)},
	{"versions", inFields("fixVersions", `{"name":"a"}`)},
	{"entries of a custom field", inFields("customfield_10016", `{"value":"a"}`)},
	{"paragraphs of ADF", repeated(issueBegin+`"key": "OPS-1", "fields": {"description": {"type": "doc", "version": 1, "content": [`,
		`{"type":"paragraph","content":[{"type":"text","text":"a"}]}`, `]}}}}`)},
	{"nested arrays", inFields("customfield_10016", strings.Repeat("[", 50)+strings.Repeat("]", 50))},
	{"one summary", stretched(issueBegin+`"key": "OPS-1", "fields": {"summary": "`, `"}}}`)},
	{"one key", stretched(issueBegin+`"key": "OPS-`, `", "fields": {"summary": "a"}}, "changelog": {"items": [{"field":"a"},{"field":"b"}]}}`)},
}

// longKey uses half of the body for the key of the issue, and half for changes. With split, each change repeats the
// key.
func longKey(size int) []byte {
	key := strings.Repeat("K", size/2)
	return repeated(issueBegin+`"key": "`+key+`", "fields": {"summary": "a"}}, "changelog": {"items": [`, `{"field":"a"}`, `]}}`)(size)
}

// with returns the arguments for one way to write records. The records contain everything that they omit by default.
func with(changelog string, payload bool) []string {
	return []string{
		"--set", "receivers::jira::changelog=" + changelog,
		"--set", fmt.Sprintf("receivers::jira::include={description: true, comment_body: true, payload: %t}", payload),
		"--set", "receivers::jira::custom_fields={customfield_10016: points}",
	}
}

// attacksWithBodies are attacks with signed bodies.
func attacksWithBodies() []attack {
	attacks := []attack{{name: "e1 long key times many changes, split", args: with("split", false), run: signedBodies(longKeys())}}
	n := 2
	for _, changelog := range []string{"attributes", "split"} {
		for _, payload := range []bool{false, true} {
			name := fmt.Sprintf("e%d bodies of ten shapes, %s, payload %t", n, changelog, payload)
			if n == 5 || form(0, 1) == 1 { // the short form runs only the last way, which costs most
				attacks = append(attacks, attack{name: name, args: with(changelog, payload), run: signedBodies(shaped(form(4, 25) * 1_000_000))})
			}
			n++
		}
	}
	return attacks
}

func longKeys() (deliveries []jirasim.Delivery) {
	for i, size := range []int{100_000, 200_000, 400_000}[:form(2, 3)] {
		deliveries = append(deliveries, harmful(fmt.Sprintf("long-key-%d", i), longKey(size)))
	}
	return deliveries
}

func shaped(size int) (deliveries []jirasim.Delivery) {
	for i, s := range shapes {
		deliveries = append(deliveries, harmful(fmt.Sprintf("shape-%d", i), s.make(size)))
	}
	return deliveries
}

func harmful(id string, body []byte) jirasim.Delivery {
	return jirasim.Delivery{ID: id, Flow: jirasim.Primary, Body: body, About: id}
}

// signedBodies posts deliveries one after the other. The collector must accept each of them in the end.
func signedBodies(deliveries []jirasim.Delivery) func(*testing.T, *attacker) {
	return func(t *testing.T, a *attacker) {
		t.Helper()
		jira := jirasim.New(jirasim.Options{URL: a.c.url, Compression: slowCompression, Timeout: 4 * waitLimit, Seed: 1})
		jira.SetSecret([]byte(secret))
		for _, d := range deliveries {
			if !a.c.alive() {
				return
			}
			begun := time.Now()
			result := jira.Deliver(a.ctx, d)
			a.sent.Add(int64(len(result.Attempts) * len(d.Body)))
			t.Logf("%s: %d bytes, %.1f s, %d attempts", d.ID, len(d.Body), time.Since(begun).Seconds(), len(result.Attempts))
			assert.True(t, result.Acknowledged, "%s: %v", d.ID, result.Attempts)
		}
		a.pause(2 * time.Second) // until the queue is empty
	}
}

// queued is the configuration under attack with a persistent queue.
const queued = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
    deduplication: { by_event: false } # several deliveries have the same event
exporters:
  otlp_http:
    endpoint: %s
    timeout: 60s
    sending_queue: { storage: file_storage, queue_size: 100000 }
    retry_on_failure: { initial_interval: 50ms, max_interval: 500ms, max_elapsed_time: 0 }
extensions:
  file_storage: { directory: "%s" }
service:
  extensions: [file_storage]
  pipelines: { logs: { receivers: [jira], exporters: [otlp_http] } }
  telemetry: { metrics: { level: none } }
`

// harmfulBodiesFromQueue posts thirty bodies at once while the backend is down. Then it starts the collector again with
// the queue. The collector must empty the queue.
func harmfulBodiesFromQueue(t *testing.T, rows *attackRows) {
	t.Helper()
	for _, changelog := range []string{"attributes", "split"}[form(1, 0):] {
		for _, payload := range []bool{false, true}[form(1, 0):] {
			name := fmt.Sprintf("e6 30 bodies at once, queue, %s, payload %t", changelog, payload)
			t.Run(name, func(t *testing.T) { queueAmid(t, rows, name, with(changelog, payload)) })
		}
	}
}

func queueAmid(t *testing.T, rows *attackRows, name string, args []string) {
	t.Helper()
	b := newBackend(t)
	config := writeConfig(t, queued, address(t), b.url(), t.TempDir())
	c := startLimited(t, t.TempDir(), config, args...)
	o := observe(c)
	jira, _ := connect(t, c, normalCompression)
	a := newAttacker(t, c, nil)
	defer a.end()
	results := beside(t, c.alive, jira, leisurely, func() { atOnce(t, a, form(1, 25)*mebibyte) })
	row := attackRow{attack: name, sent: a.sent.Load()}
	endings := 0
	if c.alive() {
		c.terminate(t)
	} else {
		endings++
	}
	row.peak, row.cpu = o.end()
	b.start(t)
	starts := 0
	for ended := true; ended && starts < 4; starts++ {
		c = startLimited(t, t.TempDir(), config, args...)
		o = observe(c)
		awaitQueue(c, b, results)
		if ended = !c.alive(); ended {
			endings++
		}
		peak, cpu := o.end()
		row.peak, row.cpu = max(row.peak, peak), row.cpu+cpu
	}
	row.ended = endings > 0
	row.good = b.countGood(results)
	row.note = fmt.Sprintf("%d restarts, ended %d times", starts, endings)
	rows.add(row)
	requireUnharmed(t, c, row)
	for i := range results {
		assert.True(t, results[i].Acknowledged)
	}
	assert.Len(t, b.harmful(), len(shapes)*3, "harmful bodies that arrived")
	c.terminate(t)
}

// awaitQueue waits for all events, as long as events arrive and the process is alive.
func awaitQueue(c *collector, b *backend, results []jirasim.Result) {
	arrived := func() int { return len(b.harmful()) - b.missing(results) }
	last, since := arrived(), time.Now()
	for c.alive() && time.Since(since) < waitLimit && (b.missing(results) > 0 || len(b.harmful()) < 3*len(shapes)) {
		time.Sleep(50 * time.Millisecond)
		if now := arrived(); now != last {
			last, since = now, time.Now()
		}
	}
}

// harmful returns the IDs of harmful deliveries that have arrived.
func (b *backend) harmful() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.arrivals {
		if strings.HasPrefix(id, "at-once-") {
			ids = append(ids, id)
		}
	}
	return ids
}

// atOnce posts each shape three times. The collector must accept each body in the end.
func atOnce(t *testing.T, a *attacker, size int) {
	t.Helper()
	jira := jirasim.New(jirasim.Options{URL: a.c.url, Compression: slowCompression, Timeout: 4 * waitLimit, Seed: 1})
	jira.SetSecret([]byte(secret))
	var posting sync.WaitGroup
	for i := range 3 * len(shapes) {
		posting.Go(func() {
			d := harmful(fmt.Sprintf("at-once-%d", i), shapes[i%len(shapes)].make(size-1000))
			result := jira.Deliver(a.ctx, d)
			a.sent.Add(int64(len(result.Attempts) * len(d.Body)))
			assert.True(t, result.Acknowledged || !a.c.alive(), "%s", shapes[i%len(shapes)].name)
		})
	}
	posting.Wait()
}

// TestConsole posts texts with terminal control characters to the configuration of `make run`. None of these characters
// may reach the console.
func TestConsole(t *testing.T) {
	config, err := filepath.Abs(root + "/examples/quickstart.yaml")
	require.NoError(t, err)
	c := start(t, t.TempDir(), config, "--set", "receivers::jira::endpoint="+address(t), "--set", "service::telemetry::metrics::level=none",
		"--set", "receivers::jira::include={user_details: true, description: true, comment_body: true}",
		"--set", "receivers::jira::deduplication::enabled=false")
	bodies, err := filepath.Glob(root + "/testdata/*/*.json")
	require.NoError(t, err)
	posted := 0
	for _, file := range bodies {
		for _, names := range []bool{false, true} {
			body, ok := disfigured(read(t, file), names)
			if !ok {
				continue
			}
			status, err := post(c.url, body, signature.Sign([]byte(secret), body))
			require.NoError(t, err)
			assert.Less(t, status, http.StatusInternalServerError)
			posted++
		}
	}
	require.Greater(t, posted, 10)
	c.terminate(t)
	forgedLines, controls := 0, map[rune]int{}
	for line := range strings.Lines(c.output()) {
		if strings.HasPrefix(line, "FORGED") {
			forgedLines++
		}
		for _, r := range line {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				controls[r]++
			}
		}
	}
	t.Logf("%d bodies: %d forged lines, control characters %v", posted, forgedLines, controls)
	assert.Zero(t, forgedLines)
	assert.Empty(t, controls)
}

// disfigured adds terminal control characters to every text of a body, and optionally to the names of events.
func disfigured(body []byte, names bool) ([]byte, bool) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	disfigured, err := json.Marshal(disfigure(value, names))
	return disfigured, err == nil
}

func disfigure(value any, names bool) any {
	const harm = "\x1b]0;owned\a\x1b[31m\r\nFORGED \u202e\u2066\u009b2J"
	switch value := value.(type) {
	case string:
		return value + harm
	case []any:
		for i := range value {
			value[i] = disfigure(value[i], names)
		}
	case map[string]any:
		for key := range value {
			if names || key != "webhookEvent" && key != "issue_event_type_name" {
				value[key] = disfigure(value[key], names)
			}
		}
	}
	return value
}
