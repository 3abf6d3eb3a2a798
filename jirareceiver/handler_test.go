// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestAuthentication covers each kind of credentials, and the reasons of rejections.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	both := func(cfg *Config) { requireSignature(cfg); requireToken(cfg) }
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		option    func(*http.Request)
		reason    string // "" for accepted
	}{
		{"signature", requireSignature, withSignature(currentSecret, createdBody), ""},
		{"signature with the old secret", requireSignature, withSignature(oldSecret, createdBody), ""},
		{"signature with another secret", requireSignature, withSignature("x", createdBody), "bad_signature"},
		{"signature of another body", requireSignature, withSignature(currentSecret, createdBody+" "), "bad_signature"},
		{"signature missing", requireSignature, withHeader("X-Other", "1"), "missing_signature"},
		{"signature with sha1", requireSignature, withHeader(signature.Header, "sha1=00"), "unsupported_algorithm"},
		{"signature malformed", requireSignature, withHeader(signature.Header, "sha256"), "malformed_signature"},
		{"token where a signature is due", requireSignature, withHeader("X-Jira-Token", token), "missing_signature"},
		{"?secret= where a signature is due", requireSignature, withQuery("user_id=admin&secret=the+new+secret"), "secret_in_query"},
		{"?token= where a signature is due", requireSignature, withQuery("token=the+new+secret"), "secret_in_query"},
		{"?secret= and a wrong signature", requireSignature, func(r *http.Request) {
			withQuery("secret=the+new+secret")(r)
			withSignature("x", createdBody)(r)
		}, "bad_signature"},
		{"?secret= and a right signature", requireSignature, func(r *http.Request) {
			withQuery("secret=x")(r)
			withSignature(currentSecret, createdBody)(r)
		}, ""},

		{"token in the header", requireToken, withHeader("X-Jira-Token", token), ""},
		{"the other token", requireToken, withHeader("X-Jira-Token", "an old token"), ""},
		{"token in the query", requireToken, withQuery("user_id=admin&token=the+token"), ""},
		{"wrong token in the header, right one in the query", requireToken, func(r *http.Request) {
			withHeader("X-Jira-Token", "x")(r)
			withQuery("token=the+token")(r)
		}, ""},
		{"token wrong", requireToken, withHeader("X-Jira-Token", token+"x"), "bad_token"},
		{"token missing", requireToken, withQuery("user_id=admin"), "missing_token"},
		{"token in another parameter", requireToken, withQuery("secret=the+token"), "missing_token"},
		{"signature where a token is due", requireToken, withSignature(currentSecret, createdBody), "missing_token"},

		{"both: signature", both, withSignature(currentSecret, createdBody), ""},
		{"both: token", both, withHeader("X-Jira-Token", token), ""},
		{"both: neither", both, withHeader("X-Other", "1"), "missing_signature"},
		{"both: wrong signature", both, withSignature("x", createdBody), "bad_signature"},
		{"both: ?secret=", both, withQuery("secret=the+new+secret"), "secret_in_query"},
		{"both: wrong token in the query", both, withQuery("token=the+new+secret"), "bad_token"},
		{"both: wrong token", both, withHeader("X-Jira-Token", "x"), "bad_token"},

		{"enforced although unauthenticated is allowed", func(cfg *Config) {
			requireSignature(cfg)
			cfg.AllowUnauthenticated = true
		}, withHeader("X-Other", "1"), "missing_signature"},
		{"none configured", nil, withHeader("X-Other", "1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := &sink{}
			r := start(t, next, tt.configure)
			response, answer := r.post(t, []byte(createdBody), tt.option)
			r.assertResponse(t, tt.reason, response, answer)
			r.assertRejected(t, tt.reason)
			assert.Equal(t, map[bool]int{true: 1}[tt.reason == ""], next.LogRecordCount())
		})
	}
}

func TestDocumentedSignatureIsAccepted(t *testing.T) {
	t.Parallel()
	// The documented body is not JSON, so it is authentic and malformed.
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		cfg.AllowUnauthenticated = false
		cfg.Signature.Secrets = []configopaque.String{"It's a Secret to Everybody"}
	})
	response, _ := r.post(t, []byte("Hello World!"),
		withHeader("X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"))
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	r.assertRejected(t, "malformed")
}

// TestRotation changes the secret step by step: the receiver accepts both secrets, then Jira signs with the new secret,
// then the receiver accepts the new secret only.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, step := range []struct {
		secrets []configopaque.String
		jira    string
		status  int
	}{
		{[]configopaque.String{oldSecret}, oldSecret, http.StatusOK},
		{[]configopaque.String{currentSecret, oldSecret}, oldSecret, http.StatusOK},
		{[]configopaque.String{currentSecret, oldSecret}, currentSecret, http.StatusOK},
		{[]configopaque.String{currentSecret}, currentSecret, http.StatusOK},
		{[]configopaque.String{currentSecret}, oldSecret, http.StatusUnauthorized},
	} {
		r := start(t, &sink{}, func(cfg *Config) {
			cfg.AllowUnauthenticated = false
			cfg.Signature.Secrets = step.secrets
		})
		response, _ := r.post(t, []byte(createdBody), withSignature(step.jira, createdBody))
		assert.Equal(t, step.status, response.StatusCode, "%q with %q", step.jira, step.secrets)
	}
}

// TestAuthExtension checks that the response and the metric are the same if an authenticator extension rejects a
// request.
func TestAuthExtension(t *testing.T) {
	t.Parallel()
	id := component.MustNewID("gate")
	r := create(t, &sink{}, func(cfg *Config) {
		cfg.AllowUnauthenticated = false
		cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	}, map[component.ID]component.Component{id: authExtension{}})
	require.NoError(t, r.Start(t.Context(), r.host))

	response, _ := r.post(t, []byte(createdBody), withHeader("Authorization", "good"))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	response, answer := r.post(t, []byte(createdBody), withHeader("Authorization", "hunter2"))
	r.assertResponse(t, "unauthenticated", response, answer)
	r.assertRejected(t, "unauthenticated")
	r.assertRecords(t, 1, 0)

	elsewhere := r.request(t, nil)
	elsewhere.URL.Path = "/elsewhere"
	response, _ = r.do(t, elsewhere)
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.Len(t, r.operations(), 2, "a request to another path is not a delivery")
}

// authExtension returns an error that contains credentials.
type authExtension struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = authExtension{}

func (authExtension) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	if slices.Equal(sources["Authorization"], []string{"good"}) {
		return ctx, nil
	}
	return ctx, fmt.Errorf("not known: %v", sources["Authorization"])
}

// TestOptionsChangeTheRecord sets each option of the record, and compares the value that depends on it.
func TestOptionsChangeTheRecord(t *testing.T) {
	t.Parallel()
	const severityKey, recordsKey = "severity text", "number of records" // values outside of the attributes
	const body = `{"webhookEvent": "jira:issue_updated", "user": {"accountId": "5b1", "displayName": "Noor"}, "issue": {"key": "OPS-1",
		"fields": {"summary": "123456", "description": "words", "priority": {"id": "2", "name": "High"}, "customfield_10016": 5,
		"status": {"id": "7", "name": "Done", "statusCategory": {"key": "new"}}}},
		"changelog": {"items": [{"field": "Comment", "toString": "written"}]}}`
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		key       string
		want      any
	}{
		{"default", func(*Config) {}, "jira.issue.status.mapped", "done"},
		{"mapping", func(c *Config) { c.Status.Mapping = map[string][]string{"over": {" done"}} }, "jira.issue.status.mapped", "over"},
		{"mapping by id", func(c *Config) { c.Status.Mapping = map[string][]string{" over ": {"7"}} }, "jira.issue.status.mapped", "over"},
		{"projects", func(c *Config) {
			c.Status.Projects = map[string]ProjectStatusConfig{"OPS": {Mapping: map[string][]string{"ours": {"7"}}}}
		}, "jira.issue.status.mapped", "ours"},
		{"projects in lower case", func(c *Config) {
			c.Status.Projects = map[string]ProjectStatusConfig{"ops": {Mapping: map[string][]string{"ours": {"7"}}}}
		}, "jira.issue.status.mapped", "ours"},
		{"use_default_mapping", func(c *Config) { c.Status.UseDefaultMapping = false }, "jira.issue.status.mapped", "planned"},
		{"category_fallback", func(c *Config) { c.Status.UseDefaultMapping, c.Status.CategoryFallback = false, false }, "jira.issue.status.mapped", nil},
		{"site_url", func(c *Config) { c.SiteURL = "https://a.example.com" }, "url.full", "https://a.example.com/browse/OPS-1"},
		{"no user_details", func(*Config) {}, "user.full_name", nil},
		{"user_details", func(c *Config) { c.Include.UserDetails = true }, "user.full_name", "Noor"},
		{"no description", func(*Config) {}, "jira.issue.description", nil},
		{"description", func(c *Config) { c.Include.Description = true }, "jira.issue.description", "words"},
		{"no comment_body", func(*Config) {}, "jira.changelog.items", []any{map[string]any{"field": "Comment"}}},
		{"comment_body", func(c *Config) { c.Include.CommentBody = true }, "jira.changelog.items", []any{map[string]any{"field": "Comment", "to_string": "written"}}},
		{"no payload", func(*Config) {}, "log.record.original", nil},
		{"payload", func(c *Config) { c.Include.Payload = true }, "log.record.original", body},
		{"max_text_length", func(c *Config) { c.MaxTextLength = 3 }, "jira.issue.summary", "123"},
		{"no custom_fields", func(*Config) {}, "jira.issue.custom.story_points", nil},
		{"custom_fields", func(c *Config) { c.CustomFields = map[string]string{"customfield_10016": "story_points"} }, "jira.issue.custom.story_points", 5.0},
		{"no severity", func(*Config) {}, severityKey, "INFO"},
		{"severity", func(c *Config) { c.Severity.Priorities = map[string]string{" high ": "error"} }, severityKey, "ERROR"},
		{"severity by id", func(c *Config) { c.Severity.Priorities = map[string]string{"2": "Warn2", "high": "error"} }, severityKey, "WARN2"},
		{"no changelog", func(*Config) {}, recordsKey, 1},
		{"changelog", func(c *Config) { c.Changelog = ChangelogSplit }, recordsKey, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := &sink{}
			r := start(t, next, func(cfg *Config) { tt.configure(cfg) })
			r.post(t, []byte(body))
			require.Len(t, next.AllLogs(), 1)
			records := next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			values := records.At(0).Attributes().AsRaw()
			values[severityKey], values[recordsKey] = strings.ToUpper(records.At(0).SeverityNumber().String()), records.Len()
			assert.Equal(t, tt.want, values[tt.key])
		})
	}
}

// TestQueryAttributes covers webhooks that have variables in their address, such as webhooks that exclude the body.
func TestQueryAttributes(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireToken(cfg)
		cfg.QueryAttributes = map[string]string{"issue": "jira.issue.key", "sprint": "jira.sprint.id", "team": "team.name"}
	})
	const credentials = "token=the+token&user_id=hunter2&user_key=hunter2&issue.key=hunter2&Issue=hunter2"
	for _, tt := range []struct {
		name, body, query string
		want              map[string]any
	}{
		{"without a body", "", "issue=OPS-42&team=B%C3%BCro+1", map[string]any{"jira.issue.key": "OPS-42", "team.name": "Büro 1"}},
		{"beside a body", `{"issue": "OPS-1"}`, "issue=OPS-42&sprint=12", map[string]any{"jira.issue.key": "OPS-1", "jira.sprint.id": "12"}},
		{"empty", `{"a": 1}`, "issue=&team", map[string]any{}},
		{"twice", "", "sprint=1&sprint=2", map[string]any{"jira.sprint.id": "1"}},
		{"not UTF-8", "", "team=a%FFb", map[string]any{"team.name": "a\uFFFDb"}},
		{"not an escape", "", "team=%zz&sprint=3", map[string]any{"jira.sprint.id": "3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next.Reset()
			response, _ := r.post(t, []byte(tt.body), withQuery(credentials+"&"+tt.query))
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Len(t, next.AllLogs(), 1)
			attrs := next.record(t).Attributes().AsRaw()
			for _, key := range []string{"jira.issue.key", "jira.sprint.id", "team.name"} {
				assert.Equal(t, tt.want[key], attrs[key], key)
			}
			written, err := (&plog.JSONMarshaler{}).MarshalLogs(next.AllLogs()[0])
			require.NoError(t, err)
			assert.NotContains(t, string(written), "hunter2", "no other parameter")
			assert.NotContains(t, string(written), token)
		})
	}
}

// TestSplitIsOneBatch checks that the records of an event and of its changed fields are one batch, in Jira's order.
func TestSplitIsOneBatch(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Changelog = ChangelogSplit })
	response, _ := r.post(t, []byte(`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1", "key": "OPS-1"},
		"changelog": {"id": "2", "items": [{"field": "a"}, {"field": "b"}, {"field": "a"}]}}`))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.Len(t, next.AllLogs(), 1)
	var got []string
	for _, record := range next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		line := record.EventName()
		if field, found := record.Attributes().Get("jira.change.field"); found {
			line += " " + field.Str()
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{"jira.issue.updated", "jira.issue.field_changed a", "jira.issue.field_changed b", "jira.issue.field_changed a"}, got)
	r.assertRecords(t, 4, 0)
}

// TestManyChanges sends so many changes that the response would exceed write_timeout unless each change has a fixed
// cost.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	const changes = 100_000
	records := 0
	r := start(t, &sink{consume: func(_ context.Context, logs plog.Logs) error {
		records = logs.LogRecordCount()
		return nil
	}}, func(cfg *Config) { cfg.Changelog = ChangelogSplit })
	item := `{"field": "a"}`
	response, _ := r.post(t, []byte(`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, "changelog": {"items": [`+
		item+strings.Repeat(", "+item, changes-1)+`]}}`))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, 1+jira.MaxEntries, records)
	metadatatest.AssertEqualReceiverJiraTruncatedRecords(t, r.telemetry,
		r.points(1), r.metricOptions()...)
}

// TestUnusualBodiesAreAnswered sends bodies that are expensive or ambiguous to decode. Few of them are rejected.
func TestUnusualBodiesAreAnswered(t *testing.T) {
	t.Parallel()
	nest := func(open, closed string, depth int) string {
		return `{"issue": {"fields": {"description": ` + strings.Repeat(open, depth) + "0" + strings.Repeat(closed, depth) + `}}}`
	}
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Include = IncludeConfig{Description: true, Payload: true}
		cfg.CustomFields = map[string]string{"customfield_1": "one"}
	})
	for _, tt := range []struct {
		name, body string
		statuses   []int
	}{
		{"arrays, 1,000 deep", nest("[", "]", 1000), []int{200}},
		{"arrays, 10,000 deep", nest("[", "]", 10_000), []int{200, 400}},
		{"objects, 10,000 deep", nest(`{"content":`, "}", 10_000), []int{200, 400}},
		{"arrays, 1,000,000 deep", nest("[", "]", 1_000_000), []int{200, 400}},
		{"objects, 1,000,000 deep", nest(`{"content":`, "}", 1_000_000), []int{200, 400}},
		{"never closed", strings.Repeat(`{"a":[`, 1_000_000), []int{400}},
		{"duplicate keys", `{"webhookEvent": "a", "issue": 1, "issue": {"id": "1"}, "webhookEvent": "comment_created", "issue": {"key": "OPS-1", "key": "OPS-2"}}`, []int{200}},
		{"bytes that are not UTF-8", "{\"webhookEvent\": \"a\xff\", \"k\xff\": 1, \"issue\": {\"key\": \"\xc3\x28\", \"fields\": {\"summary\": \"\xed\xa0\x80\", \"customfield_1\": \"\xff\"}}}", []int{200}},
		{"NUL", `{"webhookEvent": "a\u0000b", "issue": {"key": "A-1\u0000", "fields": {"summary": "\u0000"}}}`, []int{200}},
		{"half a surrogate", `{"issue": {"fields": {"summary": "\ud83d", "description": "\udc00\ud83d"}}}`, []int{200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next.Reset()
			response, _ := r.post(t, []byte(tt.body))
			assert.Contains(t, tt.statuses, response.StatusCode)
			if response.StatusCode == http.StatusOK {
				require.Len(t, next.AllLogs(), 1)
				record := next.record(t)
				assert.True(t, utf8.ValidString(fmt.Sprint(record.EventName(), record.Body().Str(), record.Attributes().AsRaw())))
			}
		})
	}
	response, _ := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusOK, response.StatusCode, "still serving")
}

// TestBodiesAreAccepted posts all bodies. Their records do not contain the query of the request or the name of the
// client. The records themselves are tested in internal/record.
func TestBodiesAreAccepted(t *testing.T) {
	t.Parallel()
	// Jira adds the user to the address of a webhook. An administrator may have added the secret.
	const query = "user_id=query-hunter2&user_key=query-hunter2&secret=query-hunter2"
	next := &sink{}
	r := start(t, next, nil)
	for _, body := range testbodies.All(t) {
		t.Run(body.Name, func(t *testing.T) {
			logs := r.deliver(t, next, body.Content, withQuery(query), withHeader("User-Agent", "query-hunter2"))
			text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "query-hunter2")
		})
	}
	r.assertRejected(t, "")
}

// TestGoldenDelivery compares the record of a whole delivery, headers included, with a golden record.
func TestGoldenDelivery(t *testing.T) {
	t.Parallel()
	next := &sink{}
	r := start(t, next, nil)
	const name = "senders/cloud_issue_updated_private"
	logs := r.deliver(t, next, testbodies.Read(t, name),
		withHeader(headerDeliveryID, "delivery-1"), withHeader(headerFlow, "Primary"), withHeader(headerRetryCount, "2"))
	golden.Assert(t, testbodies.File(t, name+".yaml"), logs)
}

// TestAlertsNeedOnlyToken posts alerts with a token to a receiver that has the secret of another webhook. Its logs
// contain neither the token nor people or their texts.
func TestAlertsNeedOnlyToken(t *testing.T) {
	t.Parallel()
	const token = "alerts-hunter2"
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.Token.Values = []configopaque.String{token}
	})
	for _, body := range testbodies.Folder(t, "events") {
		if strings.HasPrefix(body.Name, "events/jira.alert.") {
			r.deliver(t, next, body.Content, withHeader("X-Jira-Token", token))
		}
	}
	response, _ := r.post(t, testbodies.Read(t, "events/jira.alert.created"))
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.NotEmpty(t, r.logs.All())
	for _, entry := range r.logs.All() {
		logged := fmt.Sprint(entry.Message, entry.ContextMap())
		for _, private := range []string{token, "example.com", "Dvorak", "Lindqvist", "db-7"} {
			assert.NotContains(t, logged, private)
		}
	}
}

// TestLoginNamesStayInside posts events whose people have a login name, in all ways that log or count something, and
// looks for it in records, log lines, metrics and spans. The key of the hashes appears nowhere either.
func TestLoginNamesStayInside(t *testing.T) {
	t.Parallel()
	const (
		person = `{"self": "https://jira.example.com/rest/api/2/user?username=hunter2", "key": "hunter2", "name": "hunter2", "emailAddress": "hunter2@example.com", "displayName": "Hunter2"}`
		key    = "hunter2, the key of the hashes"
	)
	body := `{"webhookEvent": "jira:issue_updated", "user": ` + person + `, "issue": {"key": "OPS-1", "fields": {"status": {"name": "Parked"},
		"assignee": ` + person + `, "reporter": ` + person + `, "creator": ` + person + `, "customfield_1": [` + person + `], "customfield_2": ` + person + `}},
		"comment": {"author": ` + person + `, "updateAuthor": ` + person + `, "body": "hunter2"}, "worklog": {"author": ` + person + `, "updateAuthor": ` + person + `},
		"attachment": {"author": ` + person + `}, "project": {"projectLead": ` + person + `}, "changelog": {"items": [
		{"field": "assignee", "from": "hunter2", "fromString": "Hunter2", "to": "hunter2", "toString": "Hunter2"},
		{"field": "Approver", "fieldtype": "custom", "from": "hunter2", "fromString": "Hunter2"},
		{"field": "Approvers", "fieldtype": "custom", "to": "[hunter2(hunter2), hunter2(JIRAUSER1)]", "toString": "[Hunter2(hunter2)]"},
		{"field": "status", "fromString": "Shelved", "toString": "Parked"}]}}`
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Changelog = ChangelogSplit
		cfg.CustomFields = map[string]string{"customfield_1": "approvers", "customfield_2": "approver"}
		cfg.Deduplication.Enabled = true
		cfg.Include.UserHashKey = new(configopaque.String(key))
	})
	for _, b := range []string{
		body,
		strings.Replace(body, "jira:issue_updated", "user_created", 1),
		strings.Replace(body, "jira:issue_updated", "no_event", 1),
		strings.Replace(body, "OPS-1", "OPS-2", 1), // another body with the same delivery ID
		`{"user": ` + person + `, `,
	} {
		r.post(t, []byte(b), withQuery("user_id=hunter2&user_key=hunter2"), withDeliveryID(b[:30]))
	}
	var metrics metricdata.ResourceMetrics
	require.NoError(t, r.telemetry.Reader.Collect(t.Context(), &metrics))
	texts := []string{fmt.Sprint(metrics)}
	for _, logs := range next.AllLogs() {
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	assert.Contains(t, texts[0], "jira.issue.updated", "attributes of metrics are among the texts")
	assert.Len(t, texts, 4, "metrics and three deliveries")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("https://jira.example.com\nhunter2"))
	assert.Contains(t, texts[1], hex.EncodeToString(mac.Sum(nil))[:32], "the configured key makes the hashes")
	assert.NotZero(t, r.logs.Len())
	for _, entry := range r.logs.All() {
		texts = append(texts, entry.Message+fmt.Sprint(entry.ContextMap()))
	}
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		texts = append(texts, fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events()))
	}
	for _, text := range texts {
		assert.NotContains(t, strings.ToLower(text), "hunter2")
	}
}

// TestMutantsAreAccepted posts one mutant in a hundred.
func TestMutantsAreAccepted(t *testing.T) {
	t.Parallel()
	step := 100
	if testing.Short() {
		step = 500
	}
	next := &sink{}
	all := testbodies.All(t)
	r := start(t, next, func(cfg *Config) {
		cfg.Changelog = ChangelogSplit
		cfg.CustomFields = testbodies.CustomFields(t, all)
		cfg.Include = IncludeConfig{UserDetails: true, Description: true, CommentBody: true}
	})
	posted := 0
	for _, body := range all {
		for mutant := range testbodies.Mutants(t, body.Content, step) {
			posted++
			assert.Positive(t, r.deliver(t, next, mutant).LogRecordCount())
		}
	}
	t.Logf("%d mutants posted", posted)
}

// TestTwoSites posts events of two sites to one receiver. Each site signs with its secret, and has a mapping of its own
// for the same project key.
func TestTwoSites(t *testing.T) {
	t.Parallel()
	const acme, branch = "https://acme.atlassian.net", "https://jira.example.com/context"
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Signature.Secrets = []configopaque.String{"of acme", "of branch"}
		cfg.Status.Projects = map[string]ProjectStatusConfig{"OPS": {Mapping: map[string][]string{"done": {"Verified"}}}}
		cfg.Status.Sites = map[string]SiteStatusConfig{branch + "/": {
			Projects: map[string]ProjectStatusConfig{"OPS": {Mapping: map[string][]string{"processing": {"Verified"}}}},
		}}
	})
	for _, tt := range []struct{ site, secret, want string }{{acme, "of acme", "done"}, {branch, "of branch", "processing"}} {
		body := `{"webhookEvent": "jira:issue_created", "issue": {"id": "1", "key": "OPS-1", "self": "` + tt.site +
			`/rest/api/2/issue/1", "fields": {"status": {"name": "Verified"}}}}`
		logs := r.deliver(t, next, []byte(body), withSignature(tt.secret, body))
		site, _ := logs.ResourceLogs().At(0).Resource().Attributes().Get("jira.site.url")
		assert.Equal(t, tt.site, site.Str())
		mapped, _ := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("jira.issue.status.mapped")
		assert.Equal(t, tt.want, mapped.Str())
	}
}
