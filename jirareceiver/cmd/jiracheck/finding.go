// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// kind identifies a warning or a problem, in the JSON form and on the page about findings. A script may depend on it.
type kind string

// The kinds that are not about the webhook. The package registration has the kinds about the webhook. The package
// jiraapi has the kinds of failed requests, which get a prefix here.
const (
	kindTimeout             kind = "timeout"
	kindSetting             kind = "setting"
	kindExtensionNotStarted kind = "extension_not_started"
	kindNotInPipeline       kind = "not_in_pipeline"
	kindClock               kind = "clock_differs"
	kindSiteURL             kind = "site_url_differs"
	kindCannotBrowse        kind = "cannot_browse"
	kindNotAdministrator    kind = "not_administrator"
	kindBoundIgnored        kind = "search_bound_ignored"
	kindProjectNotFound     kind = "project_not_found"
	kindJQLRejected         kind = "jql_rejected"
	kindNoChanges           kind = "no_changes"
	kindDeliveriesFailed    kind = "deliveries_failed"
	kindNoStatistics        kind = "no_statistics"
	kindNoStatuses          kind = "no_statuses"
	kindUnmapped            kind = "status_not_mapped"
	kindProjectUnreadable   kind = "project_not_read"
)

// explanation is the text of a kind. All texts are fixed; a result adds the facts.
type explanation struct {
	kind    kind
	check   string // that finds it; "" for several
	level   level
	message string
	hint    string
}

// explanations are in the order of the checks.
var explanations = []explanation{
	{
		kind: kindSetting, check: checkConfiguration, level: levelWarning,
		message: "a valid setting has an effect that may not be intended; the receiver logs the same warning when it starts",
		hint:    "depends on the setting",
	},
	{
		kind: kindExtensionNotStarted, check: checkConfiguration, level: levelProblem,
		message: "service::extensions lacks the extension with the credentials, so that the collector does not start",
		hint:    "add the extension to service::extensions",
	},
	{
		kind: kindNotInPipeline, check: checkConfiguration, level: levelProblem,
		message: "no pipeline contains the receiver, so that it does not start",
		hint:    "add the receiver to the receivers of a pipeline of logs",
	},
	{
		kind: kindClock, check: checkSite, level: levelWarning,
		message: "the clock of Jira differs from the clock of this computer",
		hint:    "correct the clock that is wrong; the timestamps of records are on Jira's clock",
	},
	{
		kind: kindSiteURL, check: checkSite, level: levelWarning,
		message: "site_url is not the address that Jira returns as its own, and records contain site_url",
		hint:    "correct site_url, unless this is intended",
	},
	{
		kind: kindCannotBrowse, check: checkRights, level: levelProblem,
		message: "the account can browse no project",
		hint:    "give the account the permission Browse Projects",
	},
	{
		kind: kindNotAdministrator, check: checkRights, level: levelProblem,
		message: "the account is not an administrator of Jira, so that it cannot read webhooks",
		hint:    "give the account the permission Administer Jira, or set registration::mode to off",
	},
	{
		kind: kindBoundIgnored, check: checkSearch, level: levelProblem,
		message: "Jira does not read times in searches in milliseconds, so that polling would find wrong issues",
		hint:    "set poll::mode to off, and report the version of Jira",
	},
	{
		kind: kindProjectNotFound, check: checkIssues, level: levelProblem,
		message: "Jira does not find a project of poll::projects",
		hint:    "check the key, and the permission Browse Projects of the account",
	},
	{
		kind: kindJQLRejected, check: checkIssues, level: levelProblem,
		message: "Jira does not accept poll::jql",
		hint:    "try it in the search of Jira, with the same account",
	},
	{
		kind: kindNoChanges, check: checkIssues, level: levelWarning,
		message: "no issue in scope changed in the last day",
		hint:    "if there were changes, check the permissions of the account, poll::projects and poll::jql",
	},
	{
		kind: kindDeliveriesFailed, check: checkDeliveries, level: levelWarning,
		message: "Jira counted deliveries that failed",
		hint:    "check the proxy, the certificate, and the log of the receiver",
	},
	{
		kind: kindNoStatistics, check: checkDeliveries, level: levelWarning,
		message: "Jira does not return its statistics of deliveries",
		hint:    "check again after the first delivery",
	},
	{
		kind: kindNoStatuses, check: checkStatuses, level: levelWarning,
		message: "Jira returns no statuses",
		hint:    "check the permissions of the account",
	},
	{
		kind: kindUnmapped, check: checkStatuses, level: levelWarning,
		message: "projects use statuses that are not mapped, so that records lack jira.issue.status.mapped",
		hint:    "add them to status::mapping; the end of the output is a suggestion",
	},
	{
		kind: kindProjectUnreadable, check: checkStatuses, level: levelWarning,
		message: "Jira does not find projects whose statuses should be checked",
		hint:    "check the keys in poll::projects, status::projects or -projects, and the permission Browse Projects",
	},
	{
		kind: kindTimeout, level: levelProblem,
		message: "no complete answer within the time of -timeout",
		hint:    "check api::endpoint and the network, or set a longer -timeout",
	},
}

func explain(k kind) explanation {
	n := slices.IndexFunc(explanations, func(e explanation) bool { return e.kind == k })
	return explanations[n] // a test uses all kinds
}

// found returns the result for a kind, with facts that its message lacks.
func found(k kind, facts ...string) result {
	e := explain(k)
	return result{Level: e.level, Kind: e.kind, Message: e.message, Hint: e.hint, Details: facts}
}

// requestKind is the start of the kinds of failed requests.
const requestKind = "request_"

// requestHints are the advice for errors of the API that have none of their own.
var requestHints = map[jiraapi.Kind]string{
	jiraapi.KindTemporary:  "check api::endpoint, the network and the proxy; Jira may be down",
	jiraapi.KindNotFound:   "check api::endpoint and its context path",
	jiraapi.KindTooLarge:   "report it as a fault of jiracheck",
	jiraapi.KindUnexpected: "check that api::endpoint is the address of Jira",
	jiraapi.KindBadRequest: "check poll::projects and poll::jql",
}

func hintOfRequest(k jiraapi.Kind) string { return cmp.Or(k.Hint(), requestHints[k]) }

// failed returns the result of a check whose request failed. Its text contains no query and no credentials.
func failed(err error) []result {
	failure, ok := errors.AsType[*jiraapi.Error](err)
	if !ok {
		return []result{{Level: levelProblem, Message: err.Error()}}
	}
	return []result{{
		Level: levelProblem, Kind: requestKind + kind(failure.Kind), Message: failure.Kind.Message(),
		Hint: hintOfRequest(failure.Kind), Details: failure.Facts(),
	}}
}

// ofRegistration returns the result for a finding about the webhook. The name and the path of another webhook may be
// private.
func ofRegistration(f registration.Finding) result {
	r := result{
		Level: levelWarning, Kind: kind(f.Kind), Message: f.Message(), Hint: f.Hint(), Details: slices.Clone(f.Events),
	}
	if f.IsProblem() {
		r.Level = levelProblem
	}
	if failure, ok := errors.AsType[*jiraapi.Error](f.Err); ok {
		r.Details = append([]string{failure.Kind.Message()}, failure.Facts()...)
	}
	if f.Host != "" {
		r.Details = []string{"id " + f.WebhookID, "host " + f.Host}
	}
	return r
}
