// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"errors"
	"slices"
	"strings"
)

// Kind is the kind of a finding.
type Kind string

// The kinds of findings.
const (
	KindMissing           Kind = "missing"
	KindDisabled          Kind = "disabled"
	KindEventsMissing     Kind = "events_missing"
	KindEventsSuperfluous Kind = "events_superfluous"
	KindJQLDiffers        Kind = "jql_differs"
	KindBodyExcluded      Kind = "body_excluded"
	KindUnsigned          Kind = "unsigned"
	KindSecretDiffers     Kind = "secret_differs"
	KindSecretOutdated    Kind = "secret_outdated"
	KindSecretUnknown     Kind = "secret_unknown"

	KindDuplicates  Kind = "duplicates"
	KindOtherName   Kind = "other_name"
	KindOtherURL    Kind = "other_url"
	KindCannotSign  Kind = "cannot_sign"
	KindCredentials Kind = "credentials"

	KindRejected    Kind = "rejected"
	KindWriteFailed Kind = "write_failed"
	KindIneffective Kind = "ineffective"
	KindNotListed   Kind = "not_listed"
	KindStorage     Kind = "storage"

	KindUnauthorized Kind = "unauthorized"
	KindForbidden    Kind = "forbidden"
	KindUnsupported  Kind = "unsupported"
	KindUnreachable  Kind = "unreachable"

	KindSilent Kind = "silent"
)

// explanation is the text of a kind of findings. All texts are fixed, so that they disclose nothing.
type explanation struct {
	kind Kind
	// isDrift means that a write repairs the finding.
	isDrift bool
	// isNotice means that events arrive all the same, so that the status of the receiver stays OK.
	isNotice bool
	message  string
	hint     string // for the administrator
}

// explanations are in the order in which findings are reported.
var explanations = []*explanation{
	{
		kind: KindUnauthorized, message: "Jira does not accept the credentials of the API",
		hint: "check the token and its expiry date; scoped tokens may not manage webhooks",
	},
	{
		kind: KindForbidden, message: "the account may not read the webhooks of Jira",
		hint: "give the account the permission Administer Jira, or set registration::mode to off",
	},
	{
		kind: KindUnsupported, message: "Jira does not have the resource for webhooks",
		hint: "scoped tokens and some proxies hide it; set registration::mode to off, and check the webhook by hand",
	},
	{
		kind: KindUnreachable, message: "the webhooks of Jira could not be read",
		hint: "check api::endpoint and the network, and wait for the next check",
	},

	{
		kind: KindMissing, isDrift: true, message: "the webhook is not registered in Jira",
		hint: "register it in Jira with exactly the name and the URL of the configuration",
	},
	{
		kind: KindDisabled, isDrift: true, message: "the webhook is disabled in Jira",
		hint: "enable it",
	},
	{
		kind: KindEventsMissing, isDrift: true, message: "the webhook lacks events",
		hint: "select the events in Jira, or set registration::events",
	},
	{
		kind: KindJQLDiffers, isDrift: true, message: "the JQL of the webhook differs from the configuration",
		hint: "change it in Jira, or set registration::jql",
	},
	{
		kind: KindBodyExcluded, isDrift: true, message: "the webhook sends no payload",
		hint: "clear the option Exclude body in Jira",
	},
	{
		kind: KindUnsigned, isDrift: true, message: "the webhook has no secret, so that the receiver rejects its deliveries",
		hint: "enter the first secret of signature::secrets in Jira",
	},
	{
		kind: KindSecretDiffers, isDrift: true,
		message: "deliveries have a wrong signature, and none has had the right one since; the secret in Jira differs",
		hint:    "enter the first secret of signature::secrets in Jira",
	},
	{
		kind: KindSecretOutdated, isDrift: true, isNotice: true, message: "Jira signs with an older secret",
		hint: "enter the first secret of signature::secrets in Jira before you remove the older one",
	},
	{
		kind: KindSecretUnknown, isDrift: true, isNotice: true, message: "the secret in Jira is not known",
		hint: "set poll::storage, which keeps it known over a restart",
	},
	{
		kind: KindEventsSuperfluous, isDrift: true, isNotice: true,
		message: "the webhook has events that the configuration does not contain",
		hint:    "remove the events in Jira, or add them to registration::events",
	},

	{
		kind: KindCannotSign, message: "this version of Jira cannot sign deliveries",
		hint: "add a token to the URL, and set token::query_parameter and token::values",
	},
	{
		kind: KindDuplicates, message: "several webhooks have the name and the URL, so that events arrive several times",
		hint: "delete all but one of them in Jira; the receiver never deletes a webhook",
	},
	{
		kind: KindOtherName, isNotice: true, message: "a webhook with another name has the same address",
		hint: "delete it in Jira, or set registration::name to its name",
	},
	{
		kind: KindOtherURL, isNotice: true, message: "a webhook with the same name has another URL",
		hint: "delete it in Jira if it is an old one of this receiver, or set registration::name to another name",
	},
	{
		kind: KindCredentials, isNotice: true,
		message: "the webhook has a user name and a password, which a write would delete; the receiver does not write",
		hint:    "change the webhook by hand, or remove its credentials in Jira",
	},

	{
		kind: KindRejected, message: "Jira does not accept the webhook",
		hint: "check registration::url, registration::jql and registration::events; older versions know fewer events",
	},
	{
		kind: KindWriteFailed, message: "the webhook could not be written",
		hint: "wait for a later check, which writes again",
	},
	{
		kind: KindIneffective, message: "Jira accepted the webhook without applying all of it",
		hint: "set registration::events to the events that this version of Jira knows",
	},
	{
		kind: KindNotListed, message: "Jira accepted a new webhook and does not list it",
		hint: "look for it in Jira; the receiver registers no other one for a day",
	},
	{
		kind: KindStorage, message: "the state of the registration could not be stored; the receiver does not write to Jira",
		hint: "check the storage extension",
	},

	{
		kind: KindSilent, message: "Jira has changed, and no webhook has arrived for 30 minutes",
		hint: "check the webhook in Jira, the network and the certificate of the receiver, and rejected requests",
	},
}

func (k Kind) explanation() *explanation {
	n := slices.IndexFunc(explanations, func(e *explanation) bool { return e.kind == k })
	return explanations[n] // a test checks that all kinds have one
}

// Kinds returns all kinds in the order of reports.
func Kinds() []Kind {
	kinds := make([]Kind, len(explanations))
	for i, e := range explanations {
		kinds[i] = e.kind
	}
	return kinds
}

// Finding is a difference between the registered webhooks and the wanted one, or a reason why they could not be compared
// or repaired.
type Finding struct {
	Kind      Kind
	WebhookID string   // of the webhook; "" if there is none
	Name      string   // of a webhook that is not ours
	Host      string   // of its URL, whose other parts may contain secrets
	Events    []string // that the webhook lacks, or should not have
	Err       error    // of the API or the storage

	blocks bool // no webhook may be created
}

// Message returns the meaning of the finding.
func (f Finding) Message() string { return f.Kind.explanation().message }

// Hint returns what the administrator can do.
func (f Finding) Hint() string { return f.Kind.explanation().hint }

// IsProblem reports whether events may be missing or doubled, so that the status of the receiver is an error.
func (f Finding) IsProblem() bool { return !f.Kind.explanation().isNotice }

// IsDrift reports whether a write repairs the finding.
func (f Finding) IsDrift() bool { return f.Kind.explanation().isDrift }

// Error is the text for the status of the receiver.
func (f Finding) Error() string {
	text := "registration: " + f.Message()
	switch {
	case f.Err != nil:
		text += " (" + f.Err.Error() + ")"
	case len(f.Events) > 0:
		text += " (" + strings.Join(f.Events, ", ") + ")"
	}
	return text + "; " + f.Hint()
}

// Unwrap returns the error of the API or the storage.
func (f Finding) Unwrap() error { return f.Err }

func sortFindings(findings []Finding) {
	order := map[Kind]int{}
	for i, e := range explanations {
		order[e.kind] = i
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return order[a.Kind] - order[b.Kind] })
}

// problems returns the errors of all findings that are problems, or nil.
func problems(findings []Finding) error {
	var errs []error
	for _, f := range findings {
		if f.IsProblem() {
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// hasKind reports whether one of the findings has a kind.
func hasKind(findings []Finding, kind Kind) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Kind == kind })
}
