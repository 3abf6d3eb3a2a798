// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// checkWrites fails if more than three of the times, in order, are within any hour.
func checkWrites(t *testing.T, writes []time.Time) {
	t.Helper()
	for i := 3; i < len(writes); i++ {
		if writes[i].Sub(writes[i-3]) < time.Hour {
			t.Fatalf("four writes from %s to %s", writes[i-3], writes[i])
		}
	}
}

// TestLimitOfWrites writes whenever the limit permits it, with restarts in between.
func TestLimitOfWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var m memory
		var writes []time.Time
		for now := start; now.Before(start.AddDate(0, 0, 1)); now = now.Add(time.Duration(random.Int64N(int64(20 * time.Minute)))) {
			m.clampTo(now)
			if m.nextWrite(now).After(now) {
				continue
			}
			m.addWrite(now)
			if random.IntN(2) == 0 { // otherwise a crash
				m.sent(now)
			}
			writes = append(writes, now)
			var err error
			m, err = decodeMemory(m.encode(), now)
			require.NoError(t, err)
		}
		checkWrites(t, writes)
		assert.Greater(t, len(writes), 40, "the limit is not lower")
	}
	var m memory
	for n := range 3 {
		assert.Equal(t, start, m.nextWrite(start))
		m.addWrite(start)
		m.sent(start.Add(time.Duration(n) * time.Minute))
	}
	assert.Equal(t, start.Add(time.Hour), m.nextWrite(start.Add(3*time.Minute)))
	assert.Len(t, m.Writes, 3)
	m.Writes = nil
	for range 3 {
		m.addWrite(start)
		m.sent(start.Add(time.Nanosecond))
	}
	assert.Equal(t, start.Add(time.Hour+time.Millisecond), m.nextWrite(start.Add(time.Minute)), "rounded up")
}

// TestClockOfWrites sets the clock back after writes.
func TestClockOfWrites(t *testing.T) {
	var m memory
	for range 3 {
		m.addWrite(start.AddDate(70, 0, 0))
	}
	m.CreatedAt = m.Writes[0]
	m.clampTo(start)
	assert.Equal(t, start.Add(time.Hour), m.nextWrite(start))
	assert.Equal(t, start.Add(24*time.Hour), m.nextCreate(start))
	m.clampTo(start.Add(time.Hour))
	assert.Equal(t, start.Add(time.Hour), m.nextWrite(start.Add(time.Hour)))
}

func TestWaitAfter(t *testing.T) {
	var hours []float64
	for n := range 12 {
		hours = append(hours, waitAfter(n).Hours())
	}
	assert.Equal(t, []float64{0, 0, 0, 1, 2, 4, 8, 16, 24, 24, 24, 24}, hours)
	assert.Equal(t, maxWait, waitAfter(1<<40))
}

func TestForeignMemory(t *testing.T) {
	for _, content := range []string{"", "{", "null", "{}", `{"version": 2}`, `{"version": 1, "writes": "x"}`} {
		m, err := decodeMemory([]byte(content), start)
		require.ErrorIs(t, err, errForeignMemory, content)
		assert.Equal(t, start.Add(time.Hour), m.nextWrite(start), "all writes of the hour count as made")
	}
}

// TestSecretState checks for which webhook, secret and time a fingerprint is valid.
func TestSecretState(t *testing.T) {
	w := jira.Webhook{ID: "7", Updated: start}
	var m memory
	assert.Equal(t, SecretUnknown, m.secretOf(w, "a", false))
	m.setSecret(w, "a")
	m, err := decodeMemory(m.encode(), start)
	require.NoError(t, err)
	assert.Equal(t, SecretCurrent, m.secretOf(w, "a", false))
	assert.Equal(t, SecretCurrent, m.secretOf(w, "a", true), "wrong signatures of others")
	assert.Equal(t, SecretOutdated, m.secretOf(w, "b", false))
	assert.Equal(t, SecretUnknown, m.secretOf(jira.Webhook{ID: "8", Updated: start}, "a", false))
	changed := jira.Webhook{ID: "7", Updated: start.Add(time.Second)}
	assert.Equal(t, SecretCurrent, m.secretOf(changed, "a", false), "a change by somebody else, after which signatures are right")
	assert.Equal(t, SecretUnknown, m.secretOf(changed, "a", true))
	previous := m
	m.forgetSecret()
	assert.Equal(t, SecretUnknown, m.secretOf(w, "a", false))
	m.restoreSecret(previous)
	assert.Equal(t, previous, m)
}

// TestFingerprint checks that the stored state does not contain the secret, and that a fingerprint is not the signature
// of a payload.
func TestFingerprint(t *testing.T) {
	var m, n memory
	m.setSecret(jira.Webhook{ID: "7"}, "hunter2")
	n.setSecret(jira.Webhook{ID: "7"}, "hunter2")
	assert.NotEqual(t, m.Fingerprint, n.Fingerprint, "the same secret has other fingerprints elsewhere")
	assert.NotContains(t, string(m.encode()), "hunter2")
	signed := append([]byte(fingerprintContext), m.Salt...)
	assert.NotEqual(t, byte('{'), signed[0])
	parsed, err := signature.Parse(signature.Sign([]byte("hunter2"), signed))
	require.NoError(t, err)
	require.NoError(t, parsed.Verify(signed, []*signature.Key{signature.NewKey([]byte("hunter2"))}))
	assert.False(t, bytes.HasPrefix(bytes.TrimSpace(signed), []byte("{")), "the receiver accepts only objects")
}
