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

// configured are configurations that make other records, and the bodies that show it. The records are in folders of that name.
var configured = []struct {
	name      string
	configure func(*JiraConfig)
	bodies    []string
	query     string // of the delivery
}{
	{
		name:      "changelog_split",
		configure: func(cfg *JiraConfig) { cfg.Changelog = ChangelogSplit },
		bodies:    []string{"senders/cloud_issue_updated_private", "senders/cloud_issue_moved_status_and_type", "senders/datacenter_issue_assigned", "events/jira.sprint.updated"},
	},
	{
		name:      "changelog_split_with_user_details",
		configure: func(cfg *JiraConfig) { cfg.Changelog, cfg.Include.UserDetails = ChangelogSplit, true },
		bodies:    []string{"senders/cloud_issue_updated_private"},
	},
	{
		name:      "custom_fields",
		configure: func(cfg *JiraConfig) { cfg.CustomFields = everyCustomField },
		bodies:    []string{"senders/cloud_issue_updated_every_custom_field"},
	},
	{
		name: "custom_fields_with_user_details",
		configure: func(cfg *JiraConfig) {
			cfg.CustomFields, cfg.Include.UserDetails = everyCustomField, true
		},
		bodies: []string{"senders/cloud_issue_updated_every_custom_field"},
	},
	{
		name:      "severity",
		configure: func(cfg *JiraConfig) { cfg.Severity.Priorities = map[string]string{"high": "warn", "1": "error2"} },
		bodies:    []string{"events/jira.issue.updated", "senders/datacenter_issue_created", "senders/odd_priority_as_text", "events/jira.sprint.started"},
	},
	{
		name: "query_attributes",
		configure: func(cfg *JiraConfig) {
			cfg.QueryAttributes = map[string]string{"issue": "jira.issue.key", "project": "jira.project.key"}
		},
		bodies: []string{"senders/exclude_body", "events/jira.issue.created"},
		query:  "issue=OPS-43&project=OPS&user_id=kim",
	},
	{
		name: "status",
		configure: func(cfg *JiraConfig) {
			cfg.SiteURL = "https://issues.example.org/"
			cfg.Status.Projects = map[string]ProjectStatusConfig{"ops": {Mapping: map[string][]string{"underway": {"in progress"}}}}
		},
		bodies: []string{"events/jira.issue.updated", "senders/cloud_issue_moved_status_and_type"},
	},
	{
		name:      "include_user_details",
		configure: func(cfg *JiraConfig) { cfg.Include.UserDetails = true },
		bodies:    append([]string{"events/jira.user.created", "events/jira.user.deleted"}, personal...),
	},
	{
		name:      "include_description",
		configure: func(cfg *JiraConfig) { cfg.Include.Description = true },
		bodies:    personal,
	},
	{
		name:      "include_comment_body",
		configure: func(cfg *JiraConfig) { cfg.Include.CommentBody = true },
		bodies:    append([]string{"events/jira.worklog.created", "senders/post_function_loop_with_comment"}, personal...),
	},
	{
		name:      "include_payload",
		configure: func(cfg *JiraConfig) { cfg.Include.Payload = true },
		bodies:    []string{"events/jira.user.deleted", "senders/odd_invalid_utf8", "senders/exclude_body"},
	},
}

// personal are bodies with all that is left out by default.
var personal = []string{
	"senders/cloud_issue_updated_private", "senders/cloud_issue_updated_adf", "senders/cloud_comment_created_adf",
	"senders/datacenter_issue_resolved", "senders/datacenter_issue_commented",
}

var everyCustomField = map[string]string{
	"customfield_10100": "integer",
	"customfield_10101": "float",
	"customfield_10102": "bool",
	"customfield_10103": "string",
	"customfield_10104": "date",
	"customfield_10105": "date_time",
	"customfield_10106": "option",
	"customfield_10107": "options",
	"customfield_10108": "user",
	"customfield_10109": "users",
	"customfield_10110": "cascading",
	"customfield_10111": "group",
	"customfield_10112": "version",
	"customfield_10113": "sprints",
	"customfield_10114": "sprint_strings",
	"customfield_10115": "labels",
	"customfield_10116": "document",
	"customfield_10117": "nothing",
	"customfield_10118": "empty_list",
	"customfield_10119": "project",
	"customfield_10120": "numbers",
}

// TestGoldenConfigured does the same with each of the configurations.
func TestGoldenConfigured(t *testing.T) {
	for _, variant := range configured {
		next := &sink{}
		r := start(t, next, func(cfg *Config) { variant.configure(&cfg.Jira) })
		for _, body := range variant.bodies {
			t.Run(variant.name+"/"+body, func(t *testing.T) {
				logs := deliver(t, r, next, "../testdata/"+body+".json", withQuery(variant.query))
				golden.Assert(t, "../testdata/configured/"+variant.name+"/"+filepath.Base(body)+".yaml", logs)
			})
		}
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
