package jirareceiver

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
)

// payloadsVariable names a folder with bodies of real webhooks. They hold names of people and are not in this repository.
const payloadsVariable = "JIRA_PAYLOADS"

// TestGolden posts every body in testdata and compares the record with the one beside it.
func TestGolden(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	for _, file := range bodies(t) {
		t.Run(file, func(t *testing.T) {
			logs := deliver(t, r, next, file,
				withHeader(headerDeliveryID, "delivery-1"), withHeader(headerFlow, "Primary"), withHeader(headerRetryCount, "2"))
			golden.Assert(t, strings.TrimSuffix(file, ".json")+".yaml", logs)
		})
	}
}

// TestGoldenIncluded does the same with everything included that is about people.
func TestGoldenIncluded(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Jira.Include = IncludeConfig{UserDetails: true, Description: true, CommentBody: true}
		cfg.Jira.SiteURL = "https://issues.example.org/"
		cfg.Jira.Status.Projects = map[string]ProjectStatusConfig{"ops": {Mapping: map[string][]string{"underway": {"in progress"}}}}
	})
	for _, name := range []string{"cloud_issue_updated_private", "datacenter_issue_resolved"} {
		t.Run(name, func(t *testing.T) {
			logs := deliver(t, r, next, "../testdata/senders/"+name+".json")
			golden.Assert(t, "../testdata/included/"+name+".yaml", logs)
		})
	}
}

// TestPersonalDataIsLeftOut looks for people in whole records, wherever a value might have ended up.
func TestPersonalDataIsLeftOut(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	for _, file := range bodies(t) {
		t.Run(file, func(t *testing.T) {
			logs, err := (&plog.JSONMarshaler{}).MarshalLogs(deliver(t, r, next, file))
			require.NoError(t, err)
			for _, personal := range []string{
				"Ada", "Lindqvist", "Noor", "Haddad", "Rosa", "Montero", "Kim", "Dvorak", "rmontero", "@example.com", "former-user",
				"Goal", "VAT rate", "Queue is frozen", "Seen in production", "Old words", "New words",
			} {
				assert.NotContains(t, string(logs), personal)
			}
		})
	}
}

// TestPayloads posts the bodies of real webhooks.
func TestPayloads(t *testing.T) {
	folder := os.Getenv(payloadsVariable)
	if folder == "" {
		t.Skipf("%s is not set: bodies of real webhooks are not posted", payloadsVariable)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	next := &sink{}
	r := start(t, next, nil)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			record := onlyRecord(t, deliver(t, r, next, file))
			assert.NotEqual(t, "jira.unknown", record.EventName())
			assertSays(t, record, readPlain(t, file))
		})
	}
}

// plain is some of a body, read by other means than the receiver's.
type plain struct {
	WebhookEvent string `json:"webhookEvent"`
	Transition   struct {
		To string `json:"to_status"`
	} `json:"transition"`
	Issue struct {
		ID     string `json:"id"`
		Key    string `json:"key"`
		Fields struct {
			Summary string `json:"summary"`
			Status  struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"status"`
		} `json:"fields"`
	} `json:"issue"`
	Changelog struct {
		Items []any `json:"items"`
	} `json:"changelog"`
}

func readPlain(t *testing.T, file string) plain {
	t.Helper()
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	var p plain
	require.NoError(t, json.Unmarshal(body, &p))
	if p.Transition.To != "" { // counts more than the issue, which may not have it yet
		p.Issue.Fields.Status.Name, p.Issue.Fields.Status.ID = p.Transition.To, ""
	}
	return p
}

func assertSays(t *testing.T, record plog.LogRecord, p plain) {
	t.Helper()
	for key, want := range map[string]string{
		"jira.webhook.event":     p.WebhookEvent,
		"jira.issue.id":          p.Issue.ID,
		"jira.issue.key":         p.Issue.Key,
		"jira.issue.summary":     p.Issue.Fields.Summary,
		"jira.issue.status.id":   p.Issue.Fields.Status.ID,
		"jira.issue.status.name": p.Issue.Fields.Status.Name,
	} {
		if want != "" {
			got, _ := record.Attributes().Get(key)
			assert.Equal(t, want, got.AsString(), key)
		}
	}
	if len(p.Changelog.Items) > 0 {
		got, _ := record.Attributes().Get("jira.changelog.items")
		assert.Len(t, got.Slice().AsRaw(), len(p.Changelog.Items))
	}
}

// deliver posts the body in a file, and returns what came of it.
func deliver(t *testing.T, r *running, next *sink, file string, options ...func(*http.Request)) plog.Logs {
	t.Helper()
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	next.Reset()
	response, answer := r.post(t, body, options...)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.JSONEq(t, `{"status": "ok"}`, answer)
	require.Len(t, next.AllLogs(), 1)
	return next.AllLogs()[0]
}

func onlyRecord(t *testing.T, logs plog.Logs) plog.LogRecord {
	t.Helper()
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// bodies returns the files with bodies: one for each event in events, one for each peculiarity of a sender in senders, and the
// life of an issue.
func bodies(t *testing.T) []string {
	t.Helper()
	var bodies []string
	for _, folder := range []string{"events", "senders", "life"} {
		files, err := filepath.Glob("../testdata/" + folder + "/*.json")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		bodies = append(bodies, files...)
	}
	return bodies
}

// TestBodiesAreJSON keeps the bodies honest: all but the one that stands for no body at all.
func TestBodiesAreJSON(t *testing.T) {
	for _, file := range bodies(t) {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.True(t, json.Valid(body) || filepath.Base(file) == "exclude_body.json", file)
	}
}
