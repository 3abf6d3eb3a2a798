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
}

const unauthorized = "unauthorized" // and no word on what was wrong

var (
	kindNotFound         = &kind{http.StatusNotFound, "wrong_path", "no such path"}
	kindMethodNotAllowed = &kind{http.StatusMethodNotAllowed, "wrong_method", "method not allowed"}

	kindShuttingDown = &kind{http.StatusServiceUnavailable, "shutting_down", "shutting down"}
	kindTooLarge     = &kind{http.StatusRequestEntityTooLarge, "too_large", "body too large"}
	kindInterrupted  = &kind{http.StatusRequestTimeout, "interrupted", "body incomplete"}
	kindUndecodable  = &kind{http.StatusBadRequest, "undecodable", "content encoding cannot be decoded"}

	kindUnauthenticated      = &kind{http.StatusUnauthorized, "unauthenticated", unauthorized} // says the auth extension
	kindMissingSignature     = &kind{http.StatusUnauthorized, "missing_signature", unauthorized}
	kindMalformedSignature   = &kind{http.StatusUnauthorized, "malformed_signature", unauthorized}
	kindUnsupportedAlgorithm = &kind{http.StatusUnauthorized, "unsupported_algorithm", unauthorized}
	kindBadSignature         = &kind{http.StatusUnauthorized, "bad_signature", unauthorized}
	kindMissingToken         = &kind{http.StatusUnauthorized, "missing_token", unauthorized}
	kindBadToken             = &kind{http.StatusUnauthorized, "bad_token", unauthorized}

	kindMalformed   = &kind{http.StatusBadRequest, "malformed", "body is not a JSON object"}
	kindUnavailable = &kind{http.StatusServiceUnavailable, "unavailable", "pipeline unavailable"}
	kindExhausted   = &kind{http.StatusTooManyRequests, "resource_exhausted", "pipeline over capacity"}
	kindPermanent   = &kind{http.StatusUnprocessableEntity, "permanent", "pipeline refused the event"}
	kindInternal    = &kind{http.StatusInternalServerError, "internal", "internal error"}
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

// readFailure classifies an error of reading the body.
func readFailure(err error) error {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	_, network := errors.AsType[net.Error](err)
	switch {
	case tooLarge:
		return failed(kindTooLarge, nil)
	case network, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.Canceled):
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
