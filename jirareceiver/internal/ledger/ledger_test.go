// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
)

func TestBothSides(t *testing.T) {
	l := New(time.Second, time.Now)
	record := func(uid string, side Side) Transaction {
		tx, err := l.Begin(t.Context(), uid, side)
		require.NoError(t, err)
		defer tx.Release()
		if !tx.Duplicate {
			tx.Commit()
		}
		return tx
	}
	assert.False(t, record("a", Webhook).Duplicate)
	assert.False(t, record("b", REST).Duplicate)
	for _, test := range []struct {
		uid      string
		side, by Side
	}{{"a", Webhook, Webhook}, {"a", REST, Webhook}, {"b", Webhook, REST}, {"b", REST, REST}} {
		tx := record(test.uid, test.side)
		assert.True(t, tx.Duplicate)
		assert.Equal(t, test.by, tx.By, "%s by %d", test.uid, test.side)
	}
	assert.False(t, record("", Webhook).Duplicate)
	assert.False(t, record("", Webhook).Duplicate, "an event without a uid")
	assert.Equal(t, 2, l.Cache().Len())
}

func TestRefusedEventIsNoDuplicate(t *testing.T) {
	l := New(time.Second, time.Now)
	tx, err := l.Begin(t.Context(), "a", Webhook)
	require.NoError(t, err)
	tx.Release()
	tx, err = l.Begin(t.Context(), "a", REST)
	require.NoError(t, err)
	assert.False(t, tx.Duplicate)
}

// TestBothAtOnce lets the sides record an event at the same time.
func TestBothAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(10*time.Second, time.Now)
		first, err := l.Begin(t.Context(), "a", Webhook)
		require.NoError(t, err)
		_, err = l.Begin(t.Context(), "a", REST)
		require.ErrorIs(t, err, dedup.ErrInProgress)
		go func() {
			time.Sleep(time.Second)
			first.Commit()
			first.Release()
		}()
		second, err := l.Begin(t.Context(), "a", REST)
		require.NoError(t, err)
		assert.True(t, second.Duplicate)
		assert.Equal(t, Webhook, second.By)
	})
}

func TestNilLedger(t *testing.T) {
	var l *Ledger
	for range 2 {
		tx, err := l.Begin(context.Background(), "a", Webhook)
		require.NoError(t, err)
		assert.False(t, tx.Duplicate)
		tx.Commit()
		tx.Release()
	}
}
