// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Kind is the kind of an error. It decides what the caller does next.
type Kind string

// The kinds of errors.
const (
	// KindUnauthorized is a 401, a login that Jira has locked, or an answer to an anonymous request. The credentials
	// are wrong or have expired. The caller stops until Myself succeeds.
	KindUnauthorized Kind = "unauthorized"
	// KindForbidden is a 403. The account may not read the resource of the error.
	KindForbidden Kind = "forbidden"
	// KindNotFound is a 404. The issue is deleted, archived or hidden from the account, or the site does not have the
	// resource.
	KindNotFound Kind = "not_found"
	// KindGone is a 410. Jira has removed the resource, and no later request can succeed.
	KindGone Kind = "gone"
	// KindThrottled is a 429 or a 503 after all attempts, or a pause that is longer than [MaxPause].
	KindThrottled Kind = "throttled"
	// KindTooLarge is an answer of more bytes than [Options].MaxBody.
	KindTooLarge Kind = "too_large"
	// KindNotJSON is a successful answer that is not JSON, such as a login page.
	KindNotJSON Kind = "not_json"
	// KindUnexpected is JSON that contradicts the documentation of the resource: a missing list, pages without an end.
	KindUnexpected Kind = "unexpected"
	// KindRedirected is an answer that refers to another address. The client follows none, because the other host would
	// receive the credentials.
	KindRedirected Kind = "redirected"
	// KindBadRequest is a 400 or another status code that blames the request, such as invalid JQL or an expired page
	// token.
	KindBadRequest Kind = "bad_request"
	// KindTemporary is a failure of the network or a 5xx after all attempts.
	KindTemporary Kind = "temporary"
	// KindCanceled is a request whose context has ended.
	KindCanceled Kind = "canceled"
)

// explanation is the text of a kind: what is wrong, and what to do if that does not depend on the caller.
type explanation struct{ message, hint string }

var explanations = map[Kind]explanation{
	KindUnauthorized: {"Jira does not accept the credentials", "check the token, its expiry date and its scopes"},
	KindForbidden: {
		"the account has no permission for this resource", "check its permissions and the scopes of the token",
	},
	KindNotFound:  {message: "Jira has no such resource, or hides it from the account"},
	KindGone:      {"Jira removed this endpoint", "update the collector"},
	KindThrottled: {"Jira limits the rate of requests", "lower api::requests_per_second"},
	KindTooLarge:  {message: "the answer is too large"},
	KindNotJSON: {
		"the answer is not JSON", "check that the endpoint is the address of Jira and not of a login page",
	},
	KindUnexpected: {message: "the answer does not have the documented form"},
	KindRedirected: {"the answer is a redirect", "set the endpoint to the final address of Jira"},
	KindBadRequest: {message: "Jira does not accept the request"},
	KindTemporary:  {message: "the request failed"},
	KindCanceled:   {message: "the request was canceled"},
}

// Kinds returns all kinds in the order of their names.
func Kinds() []Kind { return slices.Sorted(maps.Keys(explanations)) }

// Message returns the meaning of the kind.
func (k Kind) Message() string { return explanations[k].message }

// Hint returns what the administrator can do, or "" if that depends on the request.
func (k Kind) Hint() string { return explanations[k].hint }

// Error is the error of all requests. Its text contains no query, no credentials and no personal data.
type Error struct {
	Kind      Kind
	Operation Operation
	Resource  string    // path of the request below the endpoint, without the query
	Status    int       // status code of the answer; 0 if there is none
	RetryAt   time.Time // for KindThrottled, the end of the pause; otherwise zero

	// Messages are the texts with which Jira explains a KindBadRequest. They repeat parts of the request, such as the JQL,
	// in the language of the account, and are not part of the text of the error. They contain no secret of a webhook.
	Messages []string

	cause error
}

// KindOf returns the kind of an error of this package, and "" for nil and any other error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("jira api: ")
	b.WriteString(string(e.Operation))
	if e.Resource != "" {
		b.WriteString(" (" + e.Resource + ")")
	}
	b.WriteString(": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "status %d: ", e.Status)
	}
	b.WriteString(e.Kind.Message())
	if hint := e.Kind.Hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	if e.cause != nil {
		b.WriteString(": " + describe(e.cause))
	}
	return b.String()
}

// Facts returns the path of the request, the status code of the answer and the cause, as far as they are known.
func (e *Error) Facts() (facts []string) {
	if e.Resource != "" {
		facts = append(facts, e.Resource)
	}
	if e.Status != 0 {
		facts = append(facts, fmt.Sprintf("status %d", e.Status))
	}
	if e.cause != nil {
		facts = append(facts, describe(e.cause))
	}
	return facts
}

// Unwrap returns the cause of the error.
func (e *Error) Unwrap() error { return e.cause }

// maxCause is the largest size in bytes of the text of a cause.
const maxCause = 200

// secretParts are the parts of an address that may contain secrets: user information and everything behind the path.
var secretParts = regexp.MustCompile(`(https?://)[^\s/?#"]*@|[?#][^\s"]*`)

// describe returns the first line of the text of an error, without queries. The error of net/http contains the whole
// address, and an extension for authentication may quote the answer of a token server on the following lines.
func describe(err error) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return withoutSecrets(err.Error())
}

// withoutSecrets returns the first line of a text, without the parts of addresses that may contain secrets.
func withoutSecrets(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return jira.Cut(secretParts.ReplaceAllString(line, "$1"), maxCause)
}

// redacted stands in place of a secret.
const redacted = "[REDACTED]"

// redact replaces secrets in the messages of Jira, which may repeat parts of a request.
func redact(messages, secrets []string) []string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for i, message := range messages {
			messages[i] = strings.ReplaceAll(message, secret, redacted)
		}
	}
	return messages
}

// canceled returns the error of a request whose context has ended.
func canceled(ctx context.Context, req *request) *Error {
	return req.fail(KindCanceled, context.Cause(ctx))
}
