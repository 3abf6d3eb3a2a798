// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

const (
	secret      = "the new secret"
	oldSecret   = "the old secret"
	token       = "the token"
	createdBody = `{"webhookEvent": "jira:issue_created", "timestamp": 1595970774883, "issue": {"id": "1", "key": "A-1"}}`
)

func requireSignature(cfg *Config) {
	cfg.Jira.AllowUnauthenticated = false
	cfg.Jira.Signature.Secrets = []configopaque.String{secret, oldSecret}
}

func requireToken(cfg *Config) {
	cfg.Jira.AllowUnauthenticated = false
	cfg.Jira.Token.Values = []configopaque.String{"an old token", token}
	cfg.Jira.Token.QueryParameter = "token"
}

func signedWith(secret, body string) func(*http.Request) {
	return withHeader(signature.Header, signature.Sign([]byte(secret), []byte(body)))
}

// TestAuthentication covers each way to prove who sends, and the reason that is counted when it fails.
func TestAuthentication(t *testing.T) {
	both := func(cfg *Config) { requireSignature(cfg); requireToken(cfg) }
	for _, tt := range []struct {
		name      string
		configure func(*Config)
		option    func(*http.Request)
		reason    string // "" for accepted
	}{
		{"signature", requireSignature, signedWith(secret, createdBody), ""},
		{"signature with the old secret", requireSignature, signedWith(oldSecret, createdBody), ""},
		{"signature with another secret", requireSignature, signedWith("x", createdBody), "bad_signature"},
		{"signature of another body", requireSignature, signedWith(secret, createdBody+" "), "bad_signature"},
		{"signature missing", requireSignature, withHeader("X-Other", "1"), "missing_signature"},
		{"signature with sha1", requireSignature, withHeader(signature.Header, "sha1=00"), "unsupported_algorithm"},
		{"signature malformed", requireSignature, withHeader(signature.Header, "sha256"), "malformed_signature"},
		{"token where a signature is due", requireSignature, withHeader("X-Jira-Token", token), "missing_signature"},
		{"?secret= where a signature is due", requireSignature, withQuery("user_id=admin&secret=the+new+secret"), "secret_in_query"},
		{"?token= where a signature is due", requireSignature, withQuery("token=the+new+secret"), "secret_in_query"},
		{"?secret= and a wrong signature", requireSignature, func(r *http.Request) {
			withQuery("secret=the+new+secret")(r)
			signedWith("x", createdBody)(r)
		}, "bad_signature"},
		{"?secret= and a right signature", requireSignature, func(r *http.Request) {
			withQuery("secret=x")(r)
			signedWith(secret, createdBody)(r)
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
		{"signature where a token is due", requireToken, signedWith(secret, createdBody), "missing_token"},

		{"both: signature", both, signedWith(secret, createdBody), ""},
		{"both: token", both, withHeader("X-Jira-Token", token), ""},
		{"both: neither", both, withHeader("X-Other", "1"), "missing_signature"},
		{"both: wrong signature", both, signedWith("x", createdBody), "bad_signature"},
		{"both: ?secret=", both, withQuery("secret=the+new+secret"), "secret_in_query"},
		{"both: wrong token in the query", both, withQuery("token=the+new+secret"), "bad_token"},
		{"both: wrong token", both, withHeader("X-Jira-Token", "x"), "bad_token"},

		{"enforced although unauthenticated is allowed", func(cfg *Config) {
			requireSignature(cfg)
			cfg.Jira.AllowUnauthenticated = true
		}, withHeader("X-Other", "1"), "missing_signature"},
		{"none configured", nil, withHeader("X-Other", "1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			r := start(t, next, tt.configure)
			response, answer := r.post(t, []byte(createdBody), tt.option)
			if tt.reason == "" {
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.Equal(t, 1, next.LogRecordCount())
				assertNothingRejected(t, r)
				return
			}
			assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
			assert.JSONEq(t, `{"error": "unauthorized"}`, answer)
			assert.Zero(t, next.LogRecordCount())
			assertRejected(t, r, tt.reason)
		})
	}
}

func TestDocumentedSignatureIsAccepted(t *testing.T) {
	// The documented body is no JSON, so it passes authentication and fails after it.
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		cfg.Jira.AllowUnauthenticated = false
		cfg.Jira.Signature.Secrets = []configopaque.String{"It's a Secret to Everybody"}
	})
	response, _ := r.post(t, []byte("Hello World!"),
		withHeader("X-Hub-Signature", "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"))
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assertRejected(t, r, "malformed")
}

// TestAuthExtension checks that the refusal of an authenticator extension looks and counts like one of our own.
func TestAuthExtension(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = "localhost:0"
	id := component.MustNewID("gate")
	cfg.Server.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	require.NoError(t, cfg.Validate())
	next := &sink{}
	r := startConfigured(t, next, cfg, map[component.ID]component.Component{id: authExtension{}})

	response, _ := r.post(t, []byte(createdBody), withHeader("Authorization", "good"))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	response, answer := r.post(t, []byte(createdBody), withHeader("Authorization", "hunter2"))
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.JSONEq(t, `{"error": "unauthorized"}`, answer)
	assertRejected(t, r, "unauthenticated")
	assertRecords(t, r, 1, 0)

	elsewhere := r.request(t, nil)
	elsewhere.URL.Path = "/elsewhere"
	response, _ = do(t, elsewhere)
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.Len(t, operations(r), 2, "what is posted elsewhere is no delivery")
}

// authExtension says in its error what a careless one would.
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

// TestObsreport checks that each delivery starts one operation and ends it with what came of it.
func TestObsreport(t *testing.T) {
	next := &sink{}
	r := start(t, next, requireSignature)
	good := signedWith(secret, createdBody)
	r.post(t, []byte(createdBody), good)
	r.post(t, []byte(createdBody), good)
	r.post(t, []byte(createdBody))
	r.post(t, []byte("x"), signedWith(secret, "x"))
	next.err = errors.New("full")
	r.post(t, []byte(createdBody), good)

	assertRecords(t, r, 2, 1)
	assert.Equal(t, []codes.Code{codes.Unset, codes.Unset, codes.Error, codes.Error, codes.Error}, operations(r))
	assert.Len(t, r.telemetry.SpanRecorder.Started(), len(r.telemetry.SpanRecorder.Ended()))
}

// loggedStatuses returns the statuses of all lines about unmapped statuses.
func loggedStatuses(logs *observer.ObservedLogs) (statuses []string) {
	for _, entry := range logs.FilterMessageSnippet("No mapping for Jira statuses").All() {
		for _, status := range entry.ContextMap()["statuses"].([]any) {
			statuses = append(statuses, status.(string))
		}
	}
	return statuses
}

func TestUnmappedStatusesAreReported(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	body := func(name string) []byte {
		return fmt.Appendf(nil, `{"issue": {"fields": {"status": {"id": "7", "name": %q}}}}`, name)
	}
	next.err = errors.New("full")
	r.post(t, body("Parked"))
	assert.Empty(t, r.logs.FilterMessageSnippet("No mapping").All(), "counted when it is accepted")
	next.err = nil
	for _, name := range []string{"Parked", "Parked", "PARKED", "Done"} {
		r.post(t, body(name))
	}
	r.post(t, []byte(`{"issue": {"fields": {"status": {"name": "Review", "statusCategory": {"key": "indeterminate"}}}},
		"changelog": {"items": [{"field": "status", "fromString": "Queued", "toString": "Review"}]}}`))
	assert.Equal(t, []string{"Parked (7)"}, loggedStatuses(r.logs), "a name once, and a previous status never")
	metadatatest.AssertEqualReceiverJiraUnmappedStatuses(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 3, Attributes: attribute.NewSet(attribute.String("side", "current"), attribute.String("receiver", "jira"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("side", "previous"), attribute.String("receiver", "jira"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	r.post(t, body("Waiting"))
	assert.Len(t, loggedStatuses(r.logs), 1, "too soon after the first line")
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, []string{"Parked (7)", "Waiting (7)"}, loggedStatuses(r.logs), "pending statuses are logged at the end")
}

// TestRefusalsAreLoggedOnceInAWhile finds each reason in the log with what to do about it, and not each refusal.
func TestRefusalsAreLoggedOnceInAWhile(t *testing.T) {
	r := start(t, consumertest.NewNop(), requireSignature)
	for minute := 1; minute <= 2; minute++ {
		for range 5 {
			r.post(t, []byte(createdBody))
			r.post(t, []byte(createdBody), signedWith("x", createdBody))
			r.post(t, []byte(createdBody), withQuery("secret=hunter2"))
		}
		rejected := r.logs.FilterMessage("Rejected webhook request")
		assert.Equal(t, 3*minute, rejected.Len())
		for _, cause := range []error{signature.ErrMissing, signature.ErrMismatch, auth.ErrSecretInQuery} {
			row := rejectionOf(cause)
			logged := rejected.FilterField(zap.String("reason", row.reason)).FilterField(zap.String("hint", row.hint))
			assert.Equal(t, minute, logged.Len(), row.reason)
		}
		r.clock.advance(time.Minute)
	}
}

// TestRotation changes the secret as an operator does: here the new one beside the old, then in Jira, then here the new one
// alone.
func TestRotation(t *testing.T) {
	for _, step := range []struct {
		secrets []configopaque.String
		jira    string
		status  int
	}{
		{[]configopaque.String{oldSecret}, oldSecret, http.StatusOK},
		{[]configopaque.String{secret, oldSecret}, oldSecret, http.StatusOK},
		{[]configopaque.String{secret, oldSecret}, secret, http.StatusOK},
		{[]configopaque.String{secret}, secret, http.StatusOK},
		{[]configopaque.String{secret}, oldSecret, http.StatusUnauthorized},
	} {
		r := start(t, &sink{}, func(cfg *Config) {
			cfg.Jira.AllowUnauthenticated = false
			cfg.Jira.Signature.Secrets = step.secrets
		})
		response, _ := r.post(t, []byte(createdBody), signedWith(step.jira, createdBody))
		assert.Equal(t, step.status, response.StatusCode, "%q with %q", step.jira, step.secrets)
	}
}

// What a record says outside of its attributes, and how many there are.
const (
	severityKey = "severity text"
	recordsKey  = "number of records"
)

// TestOptionsChangeTheRecord turns every option that a record depends on, and looks at what it is for.
func TestOptionsChangeTheRecord(t *testing.T) {
	const body = `{"webhookEvent": "jira:issue_updated", "user": {"accountId": "5b1", "displayName": "Noor"}, "issue": {"key": "OPS-1",
		"fields": {"summary": "123456", "description": "words", "priority": {"id": "2", "name": "High"}, "customfield_10016": 5,
		"status": {"id": "7", "name": "Done", "statusCategory": {"key": "new"}}}},
		"changelog": {"items": [{"field": "Comment", "toString": "written"}]}}`
	for _, tt := range []struct {
		name      string
		configure func(*JiraConfig)
		key       string
		want      any
	}{
		{"default", func(*JiraConfig) {}, "jira.issue.status.mapped", "done"},
		{"mapping", func(c *JiraConfig) { c.Status.Mapping = map[string][]string{"over": {" done"}} }, "jira.issue.status.mapped", "over"},
		{"mapping by id", func(c *JiraConfig) { c.Status.Mapping = map[string][]string{" over ": {"7"}} }, "jira.issue.status.mapped", "over"},
		{"projects", func(c *JiraConfig) {
			c.Status.Projects = map[string]ProjectStatusConfig{"OPS": {Mapping: map[string][]string{"ours": {"7"}}}}
		}, "jira.issue.status.mapped", "ours"},
		{"projects in lower case", func(c *JiraConfig) {
			c.Status.Projects = map[string]ProjectStatusConfig{"ops": {Mapping: map[string][]string{"ours": {"7"}}}}
		}, "jira.issue.status.mapped", "ours"},
		{"use_default_mapping", func(c *JiraConfig) { c.Status.UseDefaultMapping = false }, "jira.issue.status.mapped", "planned"},
		{"category_fallback", func(c *JiraConfig) { c.Status.UseDefaultMapping, c.Status.CategoryFallback = false, false }, "jira.issue.status.mapped", nil},
		{"site_url", func(c *JiraConfig) { c.SiteURL = "https://a.example.com" }, "url.full", "https://a.example.com/browse/OPS-1"},
		{"no user_details", func(*JiraConfig) {}, "user.full_name", nil},
		{"user_details", func(c *JiraConfig) { c.Include.UserDetails = true }, "user.full_name", "Noor"},
		{"no description", func(*JiraConfig) {}, "jira.issue.description", nil},
		{"description", func(c *JiraConfig) { c.Include.Description = true }, "jira.issue.description", "words"},
		{"no comment_body", func(*JiraConfig) {}, "jira.changelog.items", []any{map[string]any{"field": "Comment"}}},
		{"comment_body", func(c *JiraConfig) { c.Include.CommentBody = true }, "jira.changelog.items", []any{map[string]any{"field": "Comment", "to_string": "written"}}},
		{"no payload", func(*JiraConfig) {}, "log.record.original", nil},
		{"payload", func(c *JiraConfig) { c.Include.Payload = true }, "log.record.original", body},
		{"max_text_length", func(c *JiraConfig) { c.MaxTextLength = 3 }, "jira.issue.summary", "123"},
		{"no custom_fields", func(*JiraConfig) {}, "jira.issue.custom.story_points", nil},
		{"custom_fields", func(c *JiraConfig) { c.CustomFields = map[string]string{"customfield_10016": "story_points"} }, "jira.issue.custom.story_points", int64(5)},
		{"no severity", func(*JiraConfig) {}, severityKey, "INFO"},
		{"severity", func(c *JiraConfig) { c.Severity.Priorities = map[string]string{" high ": "error"} }, severityKey, "ERROR"},
		{"severity by id", func(c *JiraConfig) { c.Severity.Priorities = map[string]string{"2": "Warn2", "high": "error"} }, severityKey, "WARN2"},
		{"no changelog", func(*JiraConfig) {}, recordsKey, 1},
		{"changelog", func(c *JiraConfig) { c.Changelog = ChangelogSplit }, recordsKey, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			r := start(t, next, func(cfg *Config) { tt.configure(&cfg.Jira) })
			r.post(t, []byte(body))
			require.Len(t, next.AllLogs(), 1)
			records := next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			said := records.At(0).Attributes().AsRaw()
			said[severityKey], said[recordsKey] = records.At(0).SeverityText(), records.Len()
			assert.Equal(t, tt.want, said[tt.key])
		})
	}
}

// TestRejections holds the table against metadata.yaml, of which no code is generated, and against itself.
func TestRejections(t *testing.T) {
	content, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	documented := regexp.MustCompile(`(?s)\n {2}reason:.*?enum: \[(.*?)\]`).FindStringSubmatch(string(content))
	require.NotEmpty(t, documented)
	reasons := []string{internal.reason}
	for _, row := range rejections {
		assert.Same(t, row, rejectionOf(row.cause), row.reason)
		assert.Same(t, row, rejectionOf(fmt.Errorf("wrapped: %w", row.cause)), row.reason)
		assert.GreaterOrEqual(t, row.status, 400, row.reason)
		assert.NotEmpty(t, row.message, row.reason)
		assert.NotEmpty(t, row.hint, row.reason)
		reasons = append(reasons, row.reason)
	}
	slices.Sort(reasons)
	assert.Equal(t, documented[1], strings.Join(slices.Compact(reasons), ", "))
	assert.Same(t, internal, rejectionOf(errors.New("a new sentinel")), "no error without an answer")
	assert.Equal(t, errPermanent, rejectionOf(&failure{errPermanent, jira.ErrNotJSON}).cause, "whatever the pipeline returns")
}

func assertRejected(t *testing.T, r *running, reason string) {
	t.Helper()
	metadatatest.AssertEqualReceiverJiraRejectedDeliveries(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", reason), attribute.String("receiver", "jira"))}},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func assertNothingRejected(t *testing.T, r *running) {
	t.Helper()
	_, err := r.telemetry.GetMetric("otelcol_receiver_jira_rejected_deliveries")
	assert.Error(t, err, "the counter was never touched")
}

// operations returns how each operation of obsreport has ended.
func operations(r *running) []codes.Code {
	var outcomes []codes.Code
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		if span.Name() == "receiver/jira/LogsReceived" {
			outcomes = append(outcomes, span.Status().Code)
		}
	}
	return outcomes
}

func assertRecords(t *testing.T, r *running, accepted, refused int64) {
	t.Helper()
	for name, want := range map[string]int64{
		"otelcol_receiver_accepted_log_records": accepted,
		"otelcol_receiver_refused_log_records":  refused,
	} {
		metric, err := r.telemetry.GetMetric(name)
		require.NoError(t, err)
		points := metric.Data.(metricdata.Sum[int64]).DataPoints
		require.Len(t, points, 1)
		assert.Equal(t, want, points[0].Value, name)
	}
}
