// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package jirareceiver receives the webhooks of Jira Cloud and Jira Data Center, and hands each delivery to the logs
// pipeline as one log record.
//
// # Glossary
//
//   - delivery: one HTTP request in which Jira posts a webhook; a repeated attempt has the same delivery ID
//   - delivery ID: the value of X-Atlassian-Webhook-Identifier, which only Jira Cloud sends
//   - payload: the decompressed body of a delivery
//   - event type: the name that the receiver derives from a payload, such as jira.issue.updated
//   - event: a change in Jira, as a payload describes it; several deliveries can carry one event
//   - record: the log record of an event
//   - reject: the receiver answers a request with an HTTP error
//   - refuse: the pipeline does not accept a record
//   - duplicate: a delivery whose ID belongs to an accepted delivery
//   - cache: the delivery IDs of accepted deliveries
//   - credentials: the signature or the token in the headers of a request
//   - site: the Jira that sends, https://host[/context]
package jirareceiver
