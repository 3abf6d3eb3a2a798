// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package jirareceiver receives the webhooks of Jira Cloud and Jira Data Center, or polls their REST API, and hands log
// records of the events to the logs pipeline.
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
//   - event: a change in Jira, which a payload or the REST API describes; several deliveries can contain the same event
//   - event type: the name that the receiver derives from an event, such as jira.issue.updated; it becomes the
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
//   - duplicate: an attempt of a delivery that was accepted before, or a delivery of an event that was recorded
//     before
//   - outcome: the result of an authentic delivery: accepted, duplicate, excluded, refused, or repaired if polling has
//     recorded the event before
//   - reject: the receiver answers a request with an HTTP error
//   - rejection: a reason to reject, with its status code, its message for the sender and its hint for the
//     administrator
//   - cache: the delivery IDs of accepted deliveries, bounded in number and time
//   - poll: to read changes from Jira's REST API at intervals
//   - session: a connection to the REST API, after the receiver has checked the site, the account and the search
//   - run: one reading of all issues that changed since the run before
//   - cursor: the start of the last complete run, on Jira's clock and on the collector's
//   - overlap: how late Jira's search index may show a change
//   - bound: the time from which a run reads: the cursor less the overlap and a minute
//   - ledger: the uids of recorded events, which keep both sides from recording an event again
//   - uid set: the uids of the polled events since the bound, which keep runs that overlap from recording an event again
//   - mark: the last issue, in the order of creation, whose events the pipeline has accepted; an interrupted run goes
//     on from its mark
//   - repair: to record the changes whose webhook has not arrived
//   - grace: how long the repair leaves a change to its webhook
//   - leader: the replica that polls
//   - back-fill: one long run over the past, from poll::start_from to the bound of the first run
//   - checkpoint: the stored state of polling: cursor, unfinished run, back-fill and uid set
//   - lag: the time since the start of the last complete run
package jirareceiver
