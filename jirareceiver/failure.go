package jirareceiver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// kind is one way in which a delivery fails: what the sender is told, and under which reason it is counted.
//
// The status decides whether Jira Cloud sends the event again: it does on 408, 409, 425, 429 and 5xx, at most five times;
// after any other 4xx the event is lost (https://developer.atlassian.com/cloud/jira/platform/webhooks/).
type kind struct {
	status  int
	reason  string // value of the metric's attribute
	message string // for the sender; a fixed text, so that it can give nothing away
	advice  string // for the administrator, in the log; a fixed text too
}

const unauthorized = "unauthorized" // and no word on what was wrong

var (
	kindNotFound         = &kind{http.StatusNotFound, "wrong_path", "no such path", "the URL in Jira must end in the configured path, to the letter"}
	kindMethodNotAllowed = &kind{http.StatusMethodNotAllowed, "wrong_method", "method not allowed", "Jira posts; set the method of an Automation rule to POST"}

	kindOverCapacity        = &kind{http.StatusTooManyRequests, "over_capacity", "over capacity", "raise admission::max_in_flight_bytes, or see what holds the pipeline up"}
	kindShuttingDown        = &kind{http.StatusServiceUnavailable, "shutting_down", "shutting down", "the collector stopped before the event was through"}
	kindTooLarge            = &kind{http.StatusRequestEntityTooLarge, "too_large", "body too large", "raise max_request_body_size"}
	kindInterrupted         = &kind{http.StatusRequestTimeout, "interrupted", "body incomplete", "the connection broke, or the sender took longer than read_timeout"}
	kindUnsupportedEncoding = &kind{http.StatusUnsupportedMediaType, "unsupported_encoding", "content encoding not supported", "something other than Jira posts, or a proxy compresses: see compression_algorithms"}
	kindUndecodable         = &kind{http.StatusBadRequest, "undecodable", "content encoding cannot be decoded", "something other than Jira posts"}
	kindDiskFull            = &kind{http.StatusServiceUnavailable, "disk_full", "disk full", "make room on the disks of admission::disk::directories"}

	kindUnauthenticated      = &kind{http.StatusUnauthorized, "unauthenticated", unauthorized, "the auth extension does not know the sender"}
	kindMissingSignature     = &kind{http.StatusUnauthorized, "missing_signature", unauthorized, "the webhook in Jira has no secret"}
	kindSecretInQuery        = &kind{http.StatusUnauthorized, "secret_in_query", unauthorized, "a secret in the URL signs nothing: enter it in the field Secret of the webhook in Jira; for senders that cannot sign, set token::query_parameter"}
	kindMalformedSignature   = &kind{http.StatusUnauthorized, "malformed_signature", unauthorized, "something other than Jira signs"}
	kindUnsupportedAlgorithm = &kind{http.StatusUnauthorized, "unsupported_algorithm", unauthorized, "something other than Jira signs, or an outdated algorithm"}
	kindBadSignature         = &kind{http.StatusUnauthorized, "bad_signature", unauthorized, "secrets here and in Jira differ, or a proxy changes the body"}
	kindMissingToken         = &kind{http.StatusUnauthorized, "missing_token", unauthorized, "the sender does not send the header or the query parameter"}
	kindBadToken             = &kind{http.StatusUnauthorized, "bad_token", unauthorized, "tokens here and at the sender differ"}

	kindMalformed   = &kind{http.StatusBadRequest, "malformed", "body is not a JSON object", "something other than Jira posts, or an Automation rule writes JSON without asJsonString"}
	kindInProgress  = &kind{http.StatusServiceUnavailable, "in_progress", "the same delivery is in progress", "the pipeline takes long"}
	kindUnavailable = &kind{http.StatusServiceUnavailable, "unavailable", "pipeline unavailable", "the exporter or its queue cannot keep up"}
	kindExhausted   = &kind{http.StatusTooManyRequests, "resource_exhausted", "pipeline over capacity", "the exporter or its queue cannot keep up"}
	kindPermanent   = &kind{http.StatusUnprocessableEntity, "permanent", "pipeline refused the event", "the backend refuses the record: see the exporter's log"}
	kindInternal    = &kind{http.StatusInternalServerError, "internal", "internal error", "a fault: see the collector's log"}
)

// failure is the error of a delivery. Its text is a fixed one followed by that of the cause, if there is one: a sentinel, or
// the error of the pipeline.
type failure struct {
	kind  *kind
	cause error
}

func failed(k *kind, cause error) error { return &failure{kind: k, cause: cause} }

func (f *failure) Error() string {
	if f.cause == nil {
		return f.kind.message
	}
	return f.kind.message + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// kindOf classifies any error. One that nobody classified is our own fault.
func kindOf(err error) *kind {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.kind
	}
	return kindInternal
}

// readFailure classifies an error of reading the body of the request that ctx is of.
func readFailure(ctx context.Context, err error) error {
	if _, classified := errors.AsType[*failure](err); classified {
		return err
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, errOverCapacity):
		return failed(kindOverCapacity, nil)
	case tooLarge:
		return failed(kindTooLarge, nil)
	case errors.Is(err, errUndecodable):
		return failed(kindUndecodable, nil)
	case network, errors.Is(err, io.ErrUnexpectedEOF), ctx.Err() != nil:
		return failed(kindInterrupted, nil)
	default:
		return failed(kindUndecodable, nil)
	}
}

var signatureKinds = map[error]*kind{
	signature.ErrMissing:              kindMissingSignature,
	signature.ErrMalformed:            kindMalformedSignature,
	signature.ErrUnsupportedAlgorithm: kindUnsupportedAlgorithm,
	signature.ErrMismatch:             kindBadSignature,
}

// signatureFailure classifies an error of the package signature, which may be nil.
func signatureFailure(err error) error {
	if err == nil {
		return nil
	}
	return failed(signatureKinds[err], nil)
}

// pipelineFailure classifies an error of the next consumer. Exhaustion counts before permanence: exporters call it
// permanent when the backend does not say when to come back, but Jira will come back in some minutes.
func pipelineFailure(err error) error {
	switch {
	case isExhausted(err):
		return failed(kindExhausted, err)
	case isPermanent(err):
		return failed(kindPermanent, err)
	default:
		return failed(kindUnavailable, err)
	}
}

// isPermanent reports whether trying again is no use. When several pipelines refuse an event for different reasons, one
// that may take it later decides: to repeat is bounded, to lose is not.
func isPermanent(err error) bool {
	for err != nil {
		if joined, ok := err.(joinedError); ok { //nolint:errorlint // a join inside a permanent error is as permanent
			return !slices.ContainsFunc(joined.Unwrap(), func(part error) bool { return !isPermanent(part) })
		}
		inner := errors.Unwrap(err)
		if consumererror.IsPermanent(err) && !consumererror.IsPermanent(inner) {
			return true
		}
		err = inner
	}
	return false
}

// isExhausted reports whether any of the pipelines has no room.
func isExhausted(err error) bool {
	if joined, ok := errors.AsType[joinedError](err); ok {
		return slices.ContainsFunc(joined.Unwrap(), isExhausted)
	}
	if s, ok := status.FromError(err); ok {
		return s.Code() == codes.ResourceExhausted
	}
	return consumererror.ToHTTPStatus(err) == http.StatusTooManyRequests
}

// joinedError is what errors.Join makes of the errors of several pipelines.
type joinedError interface {
	error
	Unwrap() []error
}
