// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package registration compares the webhooks that are registered in Jira with the webhook that the receiver needs, and
// repairs the registration if it may.
//
// # Words
//
//   - The wanted webhook is the one that the configuration describes.
//   - A registered webhook is ours if its name and its URL are exactly those of the wanted webhook.
//   - A finding is a difference between the registered webhooks and the wanted one, or a reason why they could not be
//     compared or repaired. Its kind is the value of an attribute of metrics.
//   - Drift is a finding that a write repairs.
//   - A write is a request that creates or changes a webhook.
//   - A check lists the webhooks, compares them and, if it may, writes once and lists them again.
//
// # What holds
//
//   - [ModeVerify] sends no write.
//   - [ModeManage] creates a webhook if none is ours, and updates ours if it has drift. No code deletes a webhook.
//   - It never writes to a webhook that is not ours. If several are ours, it writes to one of them and reports the
//     others.
//   - It never creates a webhook while an enabled one delivers to the same address: scheme, host and path. Jira would
//     deliver each event twice. The query may differ, for example in an old token, and so may the spelling, so that a
//     Jira that spells the URL in another way does not get one twin after the other.
//   - It creates no other webhook for a day after one that Jira has accepted and does not list.
//   - It does not write to a webhook with a user name and a password, which Data Center would delete.
//   - In each period of an hour, it sends at most three writes, successful or not. With a storage, this also holds over
//     restarts: a write is stored before it is sent, and not sent if it cannot be stored. Without a storage, each start
//     begins anew.
//   - After three writes without a check in between that found nothing to write, it waits for an hour, and twice as long
//     after each further write, at most a day. Such writes fail, or Jira accepts them without effect, or another program
//     or an administrator takes them back.
//   - It never repeats a write whose outcome it does not know. It lists the webhooks instead.
//   - No finding, log or error contains the secret, or the query of a URL, which may contain a token.
//
// # The secret
//
// Jira never returns the secret of a webhook. Jira Cloud returns whether there is one. To know after a restart whether
// Jira has the present secret, the manager stores, after a write, a fingerprint of the secret: an HMAC with the secret as
// its key over a random value. Jira sends such an HMAC of known text with each delivery, so the fingerprint discloses no
// more than a recorded delivery does. The fingerprint is valid for one webhook. It is no longer valid if the webhook was
// changed after the write and, since the last check, deliveries had a wrong signature: an administrator has probably
// changed the secret. One of the two signs is not enough. Otherwise two replicas that manage the webhook would answer
// each other's writes, and anybody could cause writes with wrong signatures.
//
// The manager writes the first secret of the configuration if it is not known to be the one in Jira. Without a storage,
// that is the case after each start. It then waits for 20 minutes, so that a collector that restarts again and again
// does not write the secret each time.
//
// To rotate the secret, the receiver must accept the new secret before Jira signs with it, because Jira does not repeat a
// delivery that was rejected with 401:
//
//  1. Add the new secret behind the old one, and restart all replicas. They accept both.
//  2. Put the new secret first, and restart the replicas. The manager writes it to Jira.
//  3. Remove the old secret after two hours, when Jira has given up its last retries.
//
// With a single replica, the first two steps can be one.
package registration
