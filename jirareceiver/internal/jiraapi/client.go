// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package jiraapi reads issues from the REST API of Jira Cloud and Jira Data Center.
//
// A [Client] sends requests at one pace, pauses all of them together when Jira limits them, and repeats those that
// failed for a reason that passes. A [Source] hides the differences between Jira Cloud and Data Center from its caller:
// it returns whole issues, with all pages of their history and their comments.
//
// [Webhooks] reads and writes the webhooks that are registered in Jira. These are the only requests that write. They are
// sent once, because Jira may have done what a failed request asked for. All other requests only read, so repeating them
// is safe. They use version 2 of the API, whose texts have the same form as the texts of webhooks. Times are on Jira's
// clock, with milliseconds.
package jiraapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

const (
	// defaultMaxBody is the largest size in bytes of an answer if the options have none.
	defaultMaxBody = 64 << 20
	// maxAttempts is the number of attempts of a request. Atlassian advises four.
	maxAttempts = 4
	// defaultTimeout is the time for a request and its answer if the configuration has none. A request without a
	// timeout could keep its slot for ever.
	defaultTimeout = 2 * time.Minute
	// maxErrorBody is the number of bytes of an error that are read.
	maxErrorBody = 16 << 10
)

// Options configure a [Client].
type Options struct {
	// Config is the configuration of the HTTP client, with the endpoint and the authenticator extension. See
	// [ParseEndpoint] for the forms of the endpoint.
	Config confighttp.ClientConfig
	// RequestsPerSecond is the pace of all requests together. Default: 5.
	RequestsPerSecond float64
	// MaxConcurrentRequests is the largest number of requests at the same time. Default: 4.
	MaxConcurrentRequests int
	// MaxBody is the largest size in bytes of an answer, after decompression. Default: 64 MiB.
	MaxBody int64
	// UserAgent identifies the collector, such as otelcol-jira/1.0. Default: otelcol-jira.
	UserAgent string
	// Decoder reads issues, with the custom fields of the configuration. Default: no custom fields.
	Decoder *jira.Decoder
	// Clock and Random are the time, and random numbers in [0,1). Default: those of the system.
	Clock  Clock
	Random func() float64

	// OnRequest is called after each attempt of a request. The kind is "" after a success.
	OnRequest func(Operation, Kind)
	// OnPause is called with the time by which a pause of all requests is longer than before.
	OnPause func(time.Duration)
}

// Operation is a request of the API. It is the value of an attribute of metrics, and has one value for all issues.
type Operation string

// Client sends requests to one Jira. It is safe for concurrent use.
type Client struct {
	opts     Options
	endpoint *url.URL
	http     *http.Client
	pacer    *pacer
	cost     int // number of requests as which each request counts
}

// New returns a Client. It sends no request.
func New(
	ctx context.Context, host component.Host, telemetry component.TelemetrySettings, opts Options,
) (*Client, error) {
	endpoint, err := ParseEndpoint(opts.Config.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("api::endpoint: %w", err)
	}
	opts.Config.Timeout = cmp.Or(opts.Config.Timeout, defaultTimeout)
	opts.RequestsPerSecond = cmp.Or(opts.RequestsPerSecond, 5)
	opts.MaxConcurrentRequests = cmp.Or(opts.MaxConcurrentRequests, 4)
	opts.MaxBody = cmp.Or(opts.MaxBody, defaultMaxBody)
	opts.UserAgent = cmp.Or(opts.UserAgent, "otelcol-jira")
	if opts.Decoder == nil {
		opts.Decoder = jira.NewDecoder(nil)
	}
	if opts.Clock == nil {
		opts.Clock = SystemClock{}
	}
	if opts.Random == nil {
		opts.Random = rand.Float64
	}
	client, err := opts.Config.ToClient(ctx, host.GetExtensions(), telemetry)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{opts: opts, endpoint: endpoint, http: client, pacer: newPacer(opts), cost: 1}, nil
}

// HalfPace returns a client whose requests count twice, and which therefore sends them at half the pace. It shares the
// limits and the pauses of the original client.
func (c *Client) HalfPace() *Client {
	half := *c
	half.cost = 2
	return &half
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// request is a request of the API.
type request struct {
	operation Operation
	method    string
	path      string // below the endpoint
	query     url.Values
	body      any                   // JSON; nil for none
	decode    func(io.Reader) error // reads the answer
	onAnswer  func(h http.Header)   // optional; receives the headers of a successful answer
	content   []byte                // body as JSON

	isWrite bool     // it is sent once, and its answer may be empty
	secrets []string // parts of the body that the messages of an error must not repeat
}

func (r request) fail(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Operation: r.operation, Resource: r.path, cause: cause}
}

// do sends a request until it succeeds or fails for good. The error is an *Error.
func (c *Client) do(ctx context.Context, req request) error {
	if req.body != nil {
		var err error
		if req.content, err = json.Marshal(req.body); err != nil {
			return req.fail(KindBadRequest, err)
		}
	}
	for attempt := 1; ; attempt++ {
		err := c.attempt(ctx, &req)
		if err == nil {
			return nil
		}
		if attempt == maxAttempts || req.isWrite {
			return err
		}
		switch {
		case err.Kind == KindThrottled && err.Status != 0: // the next attempt waits for the end of the pause
		case err.Kind == KindTemporary:
			if c.opts.Clock.Sleep(ctx, c.pacer.backoff(attempt)) != nil {
				return canceled(ctx, &req)
			}
		default:
			return err
		}
	}
}

// attempt sends a request once, and reports its outcome.
func (c *Client) attempt(ctx context.Context, req *request) *Error {
	started, err := c.pacer.acquire(ctx, c.cost)
	if err != nil {
		if tooLong, ok := errors.AsType[tooLongError](err); ok {
			failure := req.fail(KindThrottled, tooLong)
			failure.RetryAt = tooLong.until
			return failure
		}
		return canceled(ctx, req)
	}
	defer c.pacer.release()
	failure := c.send(ctx, req, started)
	if failure == nil {
		c.pacer.succeeded(started)
	}
	if c.opts.OnRequest != nil {
		kind := Kind("")
		if failure != nil {
			kind = failure.Kind
		}
		c.opts.OnRequest(req.operation, kind)
	}
	return failure
}

func (c *Client) send(ctx context.Context, req *request, started time.Time) *Error {
	r, err := c.newRequest(ctx, req)
	if err != nil {
		return req.fail(KindBadRequest, err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return failedTransfer(ctx, req, err)
	}
	defer resp.Body.Close()
	if isNearLimit(resp.Header) {
		c.pacer.slowDown()
	}
	if failure := c.checkStatus(req, resp, started); failure != nil {
		return failure
	}
	body := &boundedReader{r: resp.Body, left: c.opts.MaxBody}
	if resp.ContentLength > c.opts.MaxBody {
		return req.failWith(resp, KindTooLarge, nil)
	}
	if err := req.decode(body); err != nil {
		return failedDecoding(ctx, req, resp, body.err, err)
	}
	if req.onAnswer != nil {
		req.onAnswer(resp.Header)
	}
	return nil
}

func (c *Client) newRequest(ctx context.Context, req *request) (*http.Request, error) {
	u := c.endpoint.JoinPath(req.path)
	u.RawQuery = req.query.Encode()
	r, err := http.NewRequestWithContext(ctx, req.method, u.String(), bytes.NewReader(req.content))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", c.opts.UserAgent)
	if req.content != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Atlassian-Token", "no-check") // Data Center suspects some POST requests of cross-site forgery
	}
	return r, nil
}

// failedTransfer returns the error of a request or an answer that did not arrive.
func failedTransfer(ctx context.Context, req *request, err error) *Error {
	if ctx.Err() != nil {
		return canceled(ctx, req)
	}
	return req.fail(KindTemporary, err)
}

// failedDecoding returns the error of an answer that could not be decoded. readErr is the error of its body, or nil.
func failedDecoding(ctx context.Context, req *request, resp *http.Response, readErr, err error) *Error {
	switch {
	case errors.Is(readErr, errTooLarge) || errors.Is(err, jira.ErrTooLong):
		return req.failWith(resp, KindTooLarge, nil)
	case readErr != nil:
		return failedTransfer(ctx, req, readErr)
	case errors.Is(err, jira.ErrNotJSON):
		return req.failWith(resp, KindNotJSON, nil)
	default:
		return req.failWith(resp, KindUnexpected, err)
	}
}

func (r request) failWith(resp *http.Response, kind Kind, cause error) *Error {
	failure := r.fail(kind, cause)
	failure.Status = resp.StatusCode
	return failure
}

// checkStatus returns the error of an answer that is not JSON with a status code of success.
func (c *Client) checkStatus(req *request, resp *http.Response, started time.Time) *Error {
	kind := kindOfAnswer(resp)
	if kind == "" || req.isWrite && kind == KindNotJSON && !isHTML(resp.Header) {
		return nil
	}
	failure := req.failWith(resp, kind, nil)
	switch kind {
	case KindThrottled:
		failure.RetryAt = c.pacer.throttled(started, askedPause(resp.Header, c.opts.Clock.Now()))
	case KindBadRequest:
		if isJSON(resp.Header) {
			messages, _ := jira.DecodeMessages(io.LimitReader(resp.Body, maxErrorBody))
			failure.Messages = redact(messages, req.secrets)
		}
	default:
	}
	return failure
}

func kindOfAnswer(resp *http.Response) Kind {
	switch code := resp.StatusCode; {
	case isLoginRefused(resp.Header):
		return KindUnauthorized
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return KindThrottled
	case code >= http.StatusInternalServerError || code == http.StatusRequestTimeout:
		return KindTemporary
	case code == http.StatusUnauthorized:
		return KindUnauthorized
	case code == http.StatusForbidden:
		return KindForbidden
	case code == http.StatusNotFound:
		return KindNotFound
	case code == http.StatusGone:
		return KindGone
	case code >= http.StatusBadRequest:
		return KindBadRequest
	case code >= http.StatusMultipleChoices:
		return KindRedirected
	case code != http.StatusOK || !isJSON(resp.Header):
		return KindNotJSON
	default:
		return ""
	}
}

// isLoginRefused reports whether Jira has treated the request as anonymous because it did not accept the credentials,
// or has locked the login until a person solves a CAPTCHA. The status code of such an answer may be 200:
// https://github.com/go-jira/jira/issues/8
func isLoginRefused(h http.Header) bool {
	reason := h.Get("X-Seraph-Loginreason")
	return h.Get("X-Authentication-Denied-Reason") != "" ||
		strings.Contains(reason, "AUTHENTICATED_FAILED") || strings.Contains(reason, "AUTHENTICATION_DENIED")
}

func isJSON(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}

// isHTML reports whether an answer is a page, such as the login of a proxy.
func isHTML(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mediaType == "text/html"
}

var errTooLarge = errors.New("body is too large")

// boundedReader fails after a number of bytes, and keeps its first error, which decoders do not return.
type boundedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		n, err = 0, errTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}
