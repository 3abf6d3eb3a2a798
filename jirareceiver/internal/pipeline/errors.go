// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package pipeline knows how to hand records to the next consumer: how to merge them, and what an error means.
package pipeline

import (
	"errors"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Category is the meaning of an error of the pipeline.
type Category int

// The categories.
const (
	Unavailable Category = iota // a later attempt can succeed
	Exhausted                   // the pipeline has no room at present
	Permanent                   // every further attempt would fail
)

// Classify returns the category of an error. It tests for exhaustion before permanence: if an exhausted backend names no
// time to retry, exporters return a permanent error, although a later attempt can succeed.
func Classify(err error) Category {
	switch {
	case IsExhausted(err):
		return Exhausted
	case IsPermanent(err):
		return Permanent
	default:
		return Unavailable
	}
}

// IsPermanent reports whether every further attempt would fail. The joined errors of several pipelines are permanent
// only if each of them is permanent. Otherwise a pipeline may accept the event later, and would lose it if Jira did not
// repeat the delivery.
//
// IsPermanent unwraps err step by step: consumererror.IsPermanent also reports true if only one of several joined
// errors is permanent.
func IsPermanent(err error) bool {
	for err != nil {
		if joined, ok := err.(joinedError); ok { //nolint:errorlint // errors.As would skip a permanent error around it
			return !slices.ContainsFunc(joined.Unwrap(), func(part error) bool { return !IsPermanent(part) })
		}
		inner := errors.Unwrap(err)
		if consumererror.IsPermanent(err) && !consumererror.IsPermanent(inner) {
			return true
		}
		err = inner
	}
	return false
}

// IsExhausted reports whether any of the pipelines is over capacity.
func IsExhausted(err error) bool {
	if joined, ok := errors.AsType[joinedError](err); ok {
		return slices.ContainsFunc(joined.Unwrap(), IsExhausted)
	}
	if s, ok := status.FromError(err); ok {
		return s.Code() == codes.ResourceExhausted
	}
	return consumererror.ToHTTPStatus(err) == http.StatusTooManyRequests
}

// joinedError is the error of several pipelines. Both errors.Join and multierr return such errors.
type joinedError interface {
	error
	Unwrap() []error
}
