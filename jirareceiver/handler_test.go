package jirareceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

// TestAnswers covers what Jira is told, but for authentication and the pipeline.
func TestAnswers(t *testing.T) {
	gzipped := func(body string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(body))
		_ = w.Close()
		return b.Bytes()
	}
	at := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	method := func(method string) func(*http.Request) { return func(r *http.Request) { r.Method = method } }
	for _, tt := range []struct {
		name   string
		body   []byte
		option func(*http.Request)
		status int
		answer string
		reason string
	}{
		{"event", []byte(createdBody), method(http.MethodPost), 200, `{"status": "ok"}`, ""},
		{"form content type", []byte(createdBody), withHeader("Content-Type", "application/x-www-form-urlencoded"), 200, `{"status": "ok"}`, ""},
		{"query of the sender", []byte(createdBody), withQuery("user_id=admin&user_key=admin"), 200, `{"status": "ok"}`, ""},
		{"gzip", gzipped(createdBody), withHeader("Content-Encoding", "gzip"), 200, `{"status": "ok"}`, ""},
		{"empty body", nil, method(http.MethodPost), 200, `{"status": "ok"}`, ""},
		{"unknown object", []byte(`{"a": 1}`), method(http.MethodPost), 200, `{"status": "ok"}`, ""},
		{"not JSON", []byte(`<issue/>`), method(http.MethodPost), 400, `{"error": "body is not a JSON object"}`, "malformed"},
		{"no object", []byte(`[]`), method(http.MethodPost), 400, `{"error": "body is not a JSON object"}`, "malformed"},
		{"wrong path", []byte(createdBody), at("/jira/event"), 404, `{"error": "no such path"}`, "wrong_path"},
		{"path to be cleaned", []byte(createdBody), at("//jira/events"), 404, `{"error": "no such path"}`, "wrong_path"},
		{"wrong method", nil, method(http.MethodGet), 405, `{"error": "method not allowed"}`, "wrong_method"},
		{"too large", bytes.Repeat([]byte(" "), 1001), method(http.MethodPost), 413, `{"error": "body too large"}`, "too_large"},
		{"too large after decompression", gzipped(strings.Repeat(" ", 100000)), withHeader("Content-Encoding", "gzip"), 413, `{"error": "body too large"}`, "too_large"},
		{"unknown encoding", []byte(createdBody), withHeader("Content-Encoding", "hunter2"), 400, `{"error": "content encoding cannot be decoded"}`, "undecodable"},
		{"not gzip", []byte(createdBody), withHeader("Content-Encoding", "gzip"), 400, `{"error": "content encoding cannot be decoded"}`, "undecodable"},
		{"broken gzip", append(gzipped(createdBody)[:40], make([]byte, 80)...), withHeader("Content-Encoding", "gzip"), 400, `{"error": "content encoding cannot be decoded"}`, "undecodable"},
		{"health", nil, func(r *http.Request) { method(http.MethodGet)(r); at("/health")(r) }, 200, `{"status": "ok"}`, ""},
		{"health by HEAD", nil, func(r *http.Request) { method(http.MethodHead)(r); at("/health")(r) }, 200, "", ""},
		{"health by post", nil, at("/health"), 405, `{"error": "method not allowed"}`, "wrong_method"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := &sink{}
			r := start(t, next, func(cfg *Config) { cfg.Server.MaxRequestBodySize = 1000 })
			response, answer := r.post(t, tt.body, tt.option)
			assert.Equal(t, tt.status, response.StatusCode)
			if tt.answer != "" {
				assert.JSONEq(t, tt.answer, answer)
			}
			assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
			assert.Empty(t, response.Header.Get("Retry-After"))
			if tt.reason == "" {
				assertNothingRejected(t, r)
			} else {
				assertRejected(t, r, tt.reason)
			}
			if tt.status == http.StatusMethodNotAllowed {
				assert.NotEmpty(t, response.Header.Get("Allow"))
			}
		})
	}
}

func TestNoHealthPath(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) { cfg.Jira.HealthPath = "" })
	request := r.request(t, nil)
	request.Method, request.URL.Path = http.MethodGet, "/health"
	response, _ := do(t, request)
	assert.Equal(t, http.StatusNotFound, response.StatusCode)

	conn, err := net.Dial("tcp", r.listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET http://a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") // its path is empty
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Contains(t, string(answer), "HTTP/1.1 404")
}

// TestInterruptedBody checks that a sender that stalls gets a code on which Jira tries again.
func TestInterruptedBody(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Server.ReadTimeout = 50 * time.Millisecond })
	conn, err := net.Dial("tcp", r.listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(createdBody), createdBody[:20])
	require.NoError(t, err)
	answer := make([]byte, 12)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(answer)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 408", string(answer))
	assertRejected(t, r, "interrupted")
	assert.Zero(t, next.LogRecordCount())
}

// TestPipelineErrors covers what Jira is told when the pipeline does not take the event.
func TestPipelineErrors(t *testing.T) {
	inner := errors.New("queue of customer hunter2 is full")
	exhausted := status.Error(grpccodes.ResourceExhausted, "hunter2")
	for _, tt := range []struct {
		name       string
		err        error
		status     int
		answer     string
		reason     string
		retryAfter string
	}{
		{"plain", inner, 503, `{"error": "pipeline unavailable"}`, "unavailable", "30"},
		{"retryable", consumererror.NewRetryableError(inner), 503, `{"error": "pipeline unavailable"}`, "unavailable", "30"},
		{"unavailable", status.Error(grpccodes.Unavailable, "hunter2"), 503, `{"error": "pipeline unavailable"}`, "unavailable", "30"},
		{"cancelled", context.Canceled, 503, `{"error": "pipeline unavailable"}`, "unavailable", "30"},
		{"exhausted", fmt.Errorf("wrapped: %w", exhausted), 429, `{"error": "pipeline over capacity"}`, "resource_exhausted", "30"},
		{"exhausted, from OTLP over gRPC", consumererror.NewOTLPGRPCError(nil, status.New(grpccodes.ResourceExhausted, "hunter2")), 429, `{"error": "pipeline over capacity"}`, "resource_exhausted", "30"},
		{"exhausted, from OTLP over HTTP", consumererror.NewOTLPHTTPError(inner, 429), 429, `{"error": "pipeline over capacity"}`, "resource_exhausted", "30"},
		{"exhausted, called permanent", consumererror.NewPermanent(exhausted), 429, `{"error": "pipeline over capacity"}`, "resource_exhausted", "30"},
		{"permanent in one pipeline of two", errors.Join(consumererror.NewPermanent(inner), inner), 503, `{"error": "pipeline unavailable"}`, "unavailable", "30"},
		{"permanent, for two reasons", consumererror.NewPermanent(errors.Join(inner, inner)), 422, `{"error": "pipeline refused the event"}`, "permanent", ""},
		{"exhausted in the second pipeline", errors.Join(consumererror.NewPermanent(status.Error(grpccodes.InvalidArgument, "")), consumererror.NewPermanent(exhausted)), 429, `{"error": "pipeline over capacity"}`, "resource_exhausted", "30"},
		{"permanent in both", errors.Join(consumererror.NewPermanent(inner), consumererror.NewPermanent(inner)), 422, `{"error": "pipeline refused the event"}`, "permanent", ""},
		{"permanent", fmt.Errorf("wrapped: %w", consumererror.NewPermanent(inner)), 422, `{"error": "pipeline refused the event"}`, "permanent", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, &sink{err: tt.err}, nil)
			response, answer := r.post(t, []byte(createdBody))
			assert.Equal(t, tt.status, response.StatusCode)
			assert.JSONEq(t, tt.answer, answer)
			assert.Equal(t, tt.retryAfter, response.Header.Get("Retry-After"))
			assertRejected(t, r, tt.reason)
			assertRecords(t, r, 0, 1)
		})
	}
}

func TestPanicIsAnswered(t *testing.T) {
	r := start(t, consumerFunc(func(context.Context, plog.Logs) error { panic("hunter2") }), nil)
	response, answer := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
	assert.JSONEq(t, `{"error": "internal error"}`, answer)
	assertRejected(t, r, "internal")
	assert.Len(t, r.telemetry.SpanRecorder.Ended(), 2, "the server's span and obsreport's")
	logged := r.logs.FilterLevelExact(zap.ErrorLevel).All()
	require.Len(t, logged, 1)
	assert.NotContains(t, fmt.Sprint(logged[0].ContextMap()), "hunter2")
	response, _ = r.post(t, nil, withHeader("X-Other", "still serving"))
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
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

func TestUnmappedStatusesAreReported(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	body := func(name string) []byte {
		return fmt.Appendf(nil, `{"issue": {"fields": {"status": {"id": "7", "name": %q}}}}`, name)
	}
	next.err = errors.New("full")
	r.post(t, body("Parked"))
	assert.Empty(t, r.logs.FilterLevelExact(zap.WarnLevel).FilterField(zap.String("name", "Parked")).All(), "counted when it is accepted")
	next.err = nil
	for _, name := range []string{"Parked", "Parked", "PARKED", "Done"} {
		r.post(t, body(name))
	}
	r.post(t, []byte(`{"issue": {"fields": {"status": {"name": "Review", "statusCategory": {"key": "indeterminate"}}}},
		"changelog": {"items": [{"field": "status", "fromString": "Queued", "toString": "Review"}]}}`))
	assert.Len(t, r.logs.FilterField(zap.String("name", "Parked")).All(), 1)
	assert.Len(t, r.logs.FilterMessageSnippet("No mapping").All(), 1, "a name once, and a previous status never")
	metadatatest.AssertEqualReceiverJiraUnmappedStatuses(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 3, Attributes: attribute.NewSet(attribute.String("side", "current"), attribute.String("receiver", "jira"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("side", "previous"), attribute.String("receiver", "jira"))},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	for i := range 2 * maxReported {
		r.post(t, body(fmt.Sprintf("Parked %d", i)))
	}
	assert.Len(t, r.logs.FilterMessageSnippet("No mapping").All(), maxReported)
}

// TestRefusalsAreLoggedOnceInAWhile finds each reason in the log, and not each refusal.
func TestRefusalsAreLoggedOnceInAWhile(t *testing.T) {
	r := start(t, consumertest.NewNop(), requireSignature)
	for range 5 {
		r.post(t, []byte(createdBody))
		r.post(t, []byte(createdBody), signedWith("x", createdBody))
	}
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Refused what was posted: missing_signature: ").Len())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Refused what was posted: bad_signature: ").Len())
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

// TestNothingConfidentialIsTold looks for what came in where it must not come out: logs, answers and internal telemetry.
func TestNothingConfidentialIsTold(t *testing.T) {
	r := start(t, &sink{err: errors.New("full")}, func(cfg *Config) { requireSignature(cfg); requireToken(cfg) })
	body := `{"hunter2": "hunter2", "issue": {"key": "hunter2"`
	for _, option := range []func(*http.Request){
		withQuery("token=hunter2&user_id=hunter2"),
		withHeader("X-Jira-Token", "hunter2"),
		withHeader(signature.Header, "hunter2=hunter2"),
		withHeader("Content-Encoding", "hunter2"),
		signedWith(secret, body),
		signedWith(secret, body+"}}"),
	} {
		for _, b := range []string{body, body + "}}"} {
			_, answer := r.post(t, []byte(b), option)
			assert.NotContains(t, answer, "hunter2")
		}
	}
	for _, entry := range r.logs.All() {
		text := entry.Message + fmt.Sprint(entry.ContextMap())
		for _, confidential := range []string{"hunter2", secret, oldSecret, token} {
			assert.NotContains(t, text, confidential)
		}
	}
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		assert.NotContains(t, fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events()), "hunter2")
	}
}

// TestReasonsAreDocumented holds the reasons in failure.go against those in metadata.yaml, of which no code is generated.
func TestReasonsAreDocumented(t *testing.T) {
	documented := matches(t, "metadata.yaml", `(?s)\n  reason:.*?enum: \[(.*?)\]`)
	assert.Equal(t, []string{strings.Join(reasons(t), ", ")}, documented)
}

func reasons(t *testing.T) []string {
	t.Helper()
	found := matches(t, "failure.go", `&kind\{http\.\w+, "(\w+)"`)
	require.Len(t, matches(t, "failure.go", `(&kind)\{`), len(found), "a kind is not on one line")
	return found
}

func matches(t *testing.T, file, pattern string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(content), -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return found
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
