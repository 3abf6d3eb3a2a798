// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package jirareceiver receives the webhooks of Jira Cloud and Jira Data Center, and hands log records of their events
// to the logs pipeline.
//
// # Glossary
//
// CONTRIBUTING.md contains the same list.
//
//   - delivery: an event that Jira, or another sender, posts to the receiver: in one attempt, or in several if Jira
//     Cloud repeats it
//   - attempt: one HTTP request of a delivery
//   - delivery ID: the value of the header X-Atlassian-Webhook-Identifier, the same for all attempts of a delivery;
//     only Jira Cloud sends this header
//   - sender: the client that sends a request: Jira, or another program
//   - payload: the bytes of a delivery: the body of its request, decompressed
//   - event: a change in Jira, which a payload describes; several deliveries can contain the same event
//   - event type: the name that the receiver derives from a payload, such as jira.issue.updated; it becomes the
//     EventName of the record
//   - subject: the object in Jira that an event is about, such as an issue, a comment or a sprint
//   - site: one Jira, identified by its address: https://host[/context]
//   - record: an OpenTelemetry log record. An event has one record, and with changelog: split another record for each
//     changed field
//   - Body: the display line of a record
//   - cut: the receiver shortens a value at a limit; a record with such a value is truncated
//   - credentials: the signature or the token of a request
//   - verified: a body is verified if it needs no signature, or if its signature is valid
//   - authentic: a delivery is authentic if its credentials are valid, or if the configuration requires none
//   - accept: the pipeline takes the records of a delivery without an error, and the receiver answers 200
//   - refuse: the pipeline returns an error for a record
//   - exclude: the receiver makes no record of an event, because of the option events, and answers 200
//   - duplicate: an attempt of a delivery that was accepted before
//   - outcome: the result of an authentic delivery: accepted, duplicate, excluded or refused
//   - reject: the receiver answers a request with an HTTP error
//   - rejection: a reason to reject, with its status code, its message for the sender and its hint for the
//     administrator
//   - cache: the delivery IDs of accepted deliveries, bounded in number and time
package jirareceiver
