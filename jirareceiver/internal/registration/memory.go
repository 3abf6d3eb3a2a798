// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// The limits of writes.
const (
	// maxWrites is the largest number of writes in a period.
	maxWrites   = 3
	writePeriod = time.Hour
	// firstWait is the time after the third write in a row without success. It doubles with each further write.
	firstWait = time.Hour
	maxWait   = 24 * time.Hour
	// secretDelay is the time after a start without a stored state before a write that only sets the secret. It keeps a
	// collector that restarts again and again, without a storage, to three writes an hour.
	secretDelay = writePeriod / maxWrites
	// unlistedWait is the time for which no webhook is created after one that Jira accepted and does not list.
	unlistedWait = 24 * time.Hour
)

const memoryVersion = 1

// memory holds the writes of a manager, in JSON. Times are in milliseconds.
type memory struct {
	Version int     `json:"version"`
	Writes  []int64 `json:"writes,omitempty"` // times of the last writes
	// CreatedAt is the time of a new webhook that Jira has accepted and has not listed yet; 0 if there is none.
	CreatedAt int64 `json:"created_at,omitempty"`

	// The webhook to which the secret with the fingerprint was written, as of its last change.
	WebhookID   string `json:"webhook_id,omitempty"`
	Updated     int64  `json:"updated,omitempty"`
	Salt        []byte `json:"salt,omitempty"`
	Fingerprint []byte `json:"fingerprint,omitempty"` // nil if the secret is not known
}

var errForeignMemory = errors.New("the stored state is damaged, or of another version of the receiver")

// decodeMemory returns the stored state. Of a state that it does not understand, it assumes that all writes of the period
// were made just now.
func decodeMemory(content []byte, now time.Time) (memory, error) {
	var m memory
	err := json.Unmarshal(content, &m)
	if err == nil && m.Version == memoryVersion {
		return m, nil
	}
	return memory{Version: memoryVersion, Writes: slices.Repeat([]int64{ceilMillis(now)}, maxWrites)}, errForeignMemory
}

func (m *memory) encode() []byte {
	m.Version = memoryVersion
	content, _ := json.Marshal(m) // cannot fail for texts and numbers
	return content
}

// addWrite adds a write that is about to be sent. The client may send it much later, after a pause that Jira asked for.
// Until sent stores its time, its time is therefore in the future. After a crash, clampTo makes it the time of the start.
func (m *memory) addWrite(now time.Time) {
	m.Writes = append(m.Writes, ceilMillis(now.Add(jiraapi.MaxPause)))
	m.Writes = slices.Clone(m.Writes[max(0, len(m.Writes)-maxWrites):])
}

// sent stores the time of the last write.
func (m *memory) sent(now time.Time) { m.Writes[len(m.Writes)-1] = ceilMillis(now) }

// ceilMillis returns the next whole millisecond.
func ceilMillis(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// nextWrite returns the earliest time at which another write keeps the limit.
func (m *memory) nextWrite(now time.Time) time.Time {
	if len(m.Writes) < maxWrites {
		return now
	}
	return later(now, time.UnixMilli(m.Writes[len(m.Writes)-maxWrites]).UTC().Add(writePeriod))
}

// nextCreate returns the earliest time at which a webhook may be created: none was accepted that Jira does not list.
func (m *memory) nextCreate(now time.Time) time.Time {
	if m.CreatedAt == 0 {
		return now
	}
	return later(now, time.UnixMilli(m.CreatedAt).UTC().Add(unlistedWait))
}

// clampTo turns times in the future, from before the clock was set back, into the present.
func (m *memory) clampTo(now time.Time) {
	for i := range m.Writes {
		m.Writes[i] = min(m.Writes[i], ceilMillis(now))
	}
	m.CreatedAt = min(m.CreatedAt, now.UnixMilli())
}

// setSecret stores that a webhook has a secret.
func (m *memory) setSecret(w jira.Webhook, secret jiraapi.Secret) {
	m.WebhookID, m.Updated = w.ID, millisOf(w.Updated)
	m.Salt = make([]byte, 16)
	_, _ = rand.Read(m.Salt) // never fails
	m.Fingerprint = fingerprint(secret, m.Salt)
}

// forgetSecret stores that the secret is not known.
func (m *memory) forgetSecret() { m.WebhookID, m.Updated, m.Salt, m.Fingerprint = "", 0, nil, nil }

// restoreSecret restores the knowledge about the secret after a write that Jira did not do.
func (m *memory) restoreSecret(before memory) {
	m.WebhookID, m.Updated, m.Salt, m.Fingerprint = before.WebhookID, before.Updated, before.Salt, before.Fingerprint
}

// secretOf returns the state of the secret of a webhook. If deliveries have a wrong signature and the webhook was changed
// after the secret was written, an administrator has probably changed the secret.
func (m *memory) secretOf(w jira.Webhook, secret jiraapi.Secret, hasWrongSignatures bool) SecretState {
	switch {
	case m.Fingerprint == nil || m.WebhookID != w.ID || hasWrongSignatures && m.Updated != millisOf(w.Updated):
		return SecretUnknown
	case hmac.Equal(m.Fingerprint, fingerprint(secret, m.Salt)):
		return SecretCurrent
	default:
		return SecretOutdated
	}
}

// fingerprintContext keeps a fingerprint from being the signature of a payload, which begins with a brace.
const fingerprintContext = "otelcol-jira registration\x00"

func fingerprint(secret jiraapi.Secret, salt []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(fingerprintContext))
	mac.Write(salt)
	return mac.Sum(nil)
}

func millisOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// waitAfter returns the time without a write after a number of writes in a row that did not settle the registration.
func waitAfter(writes int) time.Duration {
	if writes < maxWrites {
		return 0
	}
	wait := firstWait
	for range writes - maxWrites {
		if wait = 2 * wait; wait >= maxWait {
			return maxWait
		}
	}
	return wait
}
