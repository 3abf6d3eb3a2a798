// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/bodylimit"
	"github.com/otel-jira/collector/jirareceiver/internal/contentcoding"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/pipeline"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// rejection is one reason to reject a request, with the response to the sender and the texts for the metric and the
// log.
//
// The status code decides whether Jira Cloud sends the event again. It does so after 408, 409, 425, 429 and 5xx, at
// most five times. After any other 4xx the event is lost
// (https://developer.atlassian.com/cloud/jira/platform/webhooks/).
type rejection struct {
	cause   error // of the errors with this rejection, by errors.Is
	status  int
	reason  string // value of the attribute reason of the metric
	message string // for the sender; a fixed text, so that it discloses nothing
	hint    string // for the administrator, in the log; also a fixed text
	allow   string // the Allow header
	closes  bool   // whether to close the connection; otherwise net/http reads up to 256 KB of the body before it responds
}

// The causes that are not errors of another package.
var (
	errWrongPath         = errors.New("no such path")
	errWrongMethod       = errors.New("method not allowed")
	errWrongHealthMethod = errors.New("method not allowed for health")
	errDiskFull          = errors.New("disk full")
	errShuttingDown      = errors.New("shutting down")
	errTooLarge          = errors.New("body too large")
	errInterrupted       = errors.New("body incomplete")
	errUnauthenticated   = errors.New("rejected by the auth extension")
	errUnavailable       = errors.New("pipeline unavailable")
	errExhausted         = errors.New("pipeline over capacity")
	errPermanent         = errors.New("pipeline refused the event")
)

const unauthorized = "unauthorized" // does not disclose the reason

// internalFault is the rejection of an error without a row in rejections: a fault of the receiver.
var internalFault = &rejection{
	status: http.StatusInternalServerError, reason: "internal",
	message: "internal error",
	hint:    "a fault of the receiver; see the collector's log",
}

// rejections are all other rejections. The first row whose cause is in the chain of an error applies.
var rejections = []*rejection{
	{
		cause: errWrongPath, status: http.StatusNotFound, reason: "wrong_path", message: "no such path", closes: true,
		hint: "set the path of the URL in Jira to exactly the configured path",
	},
	{
		cause: errWrongMethod, status: http.StatusMethodNotAllowed, reason: "wrong_method",
		message: "method not allowed", closes: true,
		allow: http.MethodPost,
		hint:  "Jira sends POST; set the method of an Automation rule to POST",
	},
	{
		cause: errWrongHealthMethod, status: http.StatusMethodNotAllowed, reason: "wrong_method",
		message: "method not allowed", closes: true,
		allow: http.MethodGet + ", " + http.MethodHead,
		hint:  "health_path accepts GET and HEAD; if Jira posts to it, set the path of the URL in Jira to the option path",
	},

	{
		cause: errUnauthenticated, status: http.StatusUnauthorized, reason: "unauthenticated",
		message: unauthorized, closes: true,
		hint: "the auth extension rejects the credentials of the sender",
	},
	{
		cause: signature.ErrMissing, status: http.StatusUnauthorized, reason: "missing_signature",
		message: unauthorized, closes: true,
		hint: "set a secret on the webhook in Jira; a sender that cannot sign needs a token of token::values",
	},
	{
		cause: auth.ErrSecretInQuery, status: http.StatusUnauthorized, reason: "secret_in_query",
		message: unauthorized, closes: true,
		hint: "enter the secret in the field Secret of the webhook in Jira, not in the URL; " +
			"for senders that cannot sign, set token::query_parameter",
	},
	{
		cause: signature.ErrMalformed, status: http.StatusUnauthorized, reason: "malformed_signature",
		message: unauthorized, closes: true,
		hint: "the sender does not sign as Jira does",
	},
	{
		cause: signature.ErrUnsupportedAlgorithm, status: http.StatusUnauthorized, reason: "unsupported_algorithm",
		message: unauthorized, closes: true,
		hint: "the sender does not sign as Jira does, or uses an outdated algorithm",
	},
	{
		cause: signature.ErrMismatch, status: http.StatusUnauthorized, reason: "bad_signature",
		message: unauthorized, closes: true,
		hint: "the secret in Jira is not in signature::secrets, or a proxy changes the body",
	},
	{
		cause: auth.ErrMissingToken, status: http.StatusUnauthorized, reason: "missing_token",
		message: unauthorized, closes: true,
		hint: "configure the sender to send the header or the query parameter of token",
	},
	{
		cause: auth.ErrBadToken, status: http.StatusUnauthorized, reason: "bad_token",
		message: unauthorized, closes: true,
		hint: "the sender's token is not in token::values",
	},

	{
		cause: errDiskFull, status: http.StatusServiceUnavailable, reason: "disk_full", message: "disk full",
		hint: "make space on the disks of admission::disk::directories",
	},
	{
		cause: bodylimit.ErrOverCapacity, status: http.StatusTooManyRequests, reason: "over_capacity",
		message: "over capacity",
		hint:    "raise admission::max_in_flight_bytes, or find out why the pipeline is slow",
	},
	{
		cause: errTooLarge, status: http.StatusRequestEntityTooLarge, reason: "too_large", message: "body too large",
		hint: "raise max_request_body_size",
	},
	{
		cause: errInterrupted, status: http.StatusRequestTimeout, reason: "interrupted", message: "body incomplete",
		hint: "the connection broke, or the sender took longer than read_timeout",
	},
	{
		cause: contentcoding.ErrUnsupported, status: http.StatusUnsupportedMediaType, reason: "undecodable",
		message: "content encoding not supported",
		hint:    "the sender is not Jira, or a proxy compresses bodies; see compression_algorithms",
	},
	{
		cause: contentcoding.ErrUndecodable, status: http.StatusBadRequest, reason: "undecodable",
		message: "content encoding cannot be decoded",
		hint:    "the sender is not Jira, or a proxy compresses bodies; see compression_algorithms",
	},
	{
		cause: jira.ErrNotJSON, status: http.StatusBadRequest, reason: "malformed",
		message: "body is not a JSON object",
		hint:    "the sender is not Jira, or an Automation rule writes JSON without asJsonString",
	},
	{
		cause: jira.ErrNotObject, status: http.StatusBadRequest, reason: "malformed",
		message: "body is not a JSON object",
		hint:    "the sender is not Jira, or an Automation rule writes JSON without asJsonString",
	},

	{
		cause: dedup.ErrInProgress, status: http.StatusServiceUnavailable, reason: "in_progress",
		message: "the same delivery is in progress",
		hint:    "the pipeline is slow, or the sender closed the connection while an earlier attempt was in progress",
	},
	{
		cause: errShuttingDown, status: http.StatusServiceUnavailable, reason: "shutting_down",
		message: "shutting down",
		hint:    "the collector stopped before the pipeline accepted the event",
	},
	{
		cause: errUnavailable, status: http.StatusServiceUnavailable, reason: "unavailable",
		message: "pipeline unavailable",
		hint:    "the exporter or its queue cannot keep up",
	},
	{
		cause: errExhausted, status: http.StatusTooManyRequests, reason: "resource_exhausted",
		message: "pipeline over capacity",
		hint:    "the exporter or its queue cannot keep up",
	},
	{
		cause: errPermanent, status: http.StatusUnprocessableEntity, reason: "permanent",
		message: "pipeline refused the event",
		hint:    "the backend does not accept the record; see the exporter's log",
	},
}

// rejectionOf returns the rejection of an error.
func rejectionOf(err error) *rejection {
	if p, ok := errors.AsType[*pipelineError](err); ok {
		err = p.category // not the error of the pipeline, whose chain may contain the cause of another row
	}
	for _, row := range rejections {
		if errors.Is(err, row.cause) {
			return row
		}
	}
	return internalFault
}

// okBody is the body of the response to an accepted request.
const okBody = `{"status":"ok"}` + "\n"

// writeResponse writes all responses of the receiver: a rejection, or 200 without one. A response contains no text of
// the request.
func writeResponse(w http.ResponseWriter, r *http.Request, rejected *rejection, retryAfter time.Duration) {
	code, body, header := http.StatusOK, okBody, w.Header()
	if rejected != nil {
		code, body = rejected.status, rejected.body()
		rejected.setHeaders(header, retryAfter)
		if rejected.closes && r.ProtoMajor == 1 && r.ContentLength != 0 {
			header.Set("Connection", "close")
		}
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // fails if the client has closed the connection
}

func (r *rejection) body() string {
	body, _ := json.Marshal(map[string]string{"error": r.message}) // cannot fail for strings
	return string(body) + "\n"
}

func (r *rejection) setHeaders(header http.Header, retryAfter time.Duration) {
	if r.allow != "" {
		header.Set("Allow", r.allow)
	}
	if r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests {
		header.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
}

// pipelineError is an error of the pipeline with its category: errExhausted, errPermanent or errUnavailable. Its text
// contains both.
type pipelineError struct{ category, err error }

func (e *pipelineError) Error() string { return e.category.Error() + ": " + e.err.Error() }

func (e *pipelineError) Unwrap() error { return e.err }

// readFailure returns the cause, in rejections, of an error of reading a body. The context is the context of the
// request.
func readFailure(ctx context.Context, err error) error {
	_, maxBytes := errors.AsType[*http.MaxBytesError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case maxBytes, errors.Is(err, contentcoding.ErrTooLarge), errors.Is(err, bodylimit.ErrTooLarge):
		return errTooLarge
	case errors.Is(err, bodylimit.ErrOverCapacity),
		errors.Is(err, contentcoding.ErrUnsupported),
		errors.Is(err, contentcoding.ErrUndecodable):
		return err
	case network, errors.Is(err, io.ErrUnexpectedEOF), ctx.Err() != nil:
		return errInterrupted
	default:
		return contentcoding.ErrUndecodable // a malformed chunk
	}
}

// pipelineFailure adds the category to an error of the next consumer.
func pipelineFailure(err error) error {
	switch pipeline.Classify(err) {
	case pipeline.Exhausted:
		return &pipelineError{errExhausted, err}
	case pipeline.Permanent:
		return &pipelineError{errPermanent, err}
	default:
		return &pipelineError{errUnavailable, err}
	}
}
