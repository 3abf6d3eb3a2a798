// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package bodylimit

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connection records its last deadline.
type connection struct{ deadline time.Time }

func (c *connection) SetReadDeadline(deadline time.Time) error {
	c.deadline = deadline
	return nil
}

func acquire(t *testing.T, l *Limiter, verified bool) (*Reader, *connection) {
	t.Helper()
	c := &connection{}
	r, err := l.Acquire(-1, verified, c)
	require.NoError(t, err)
	return r, c
}

func TestEarliestBodyIsEvicted(t *testing.T) {
	l := New(10)
	first, firstConnection := acquire(t, l, false)
	second, secondConnection := acquire(t, l, false)
	verified, _ := acquire(t, l, true)
	require.NoError(t, first.grow(4))
	require.NoError(t, second.grow(4))
	require.NoError(t, verified.grow(4))
	assert.False(t, firstConnection.deadline.IsZero(), "its reading ends")
	assert.True(t, secondConnection.deadline.IsZero())
	assert.Equal(t, int64(8), l.Held())
	require.ErrorIs(t, first.grow(1), ErrOverCapacity)
	require.ErrorIs(t, verified.grow(7), ErrOverCapacity, "a verified body makes no room")
	first.Release()
	second.Release()
	verified.Release()
	assert.Zero(t, l.Held())
}

// TestEvictedAfterTheEnd evicts a body between its end and the check of its signature.
func TestEvictedAfterTheEnd(t *testing.T) {
	l := New(10)
	complete, connection := acquire(t, l, false)
	require.NoError(t, complete.Read(strings.NewReader("12345678"), 8))
	other, _ := acquire(t, l, false)
	require.NoError(t, other.grow(9))
	assert.Equal(t, int64(9), l.Held())
	assert.True(t, connection.deadline.IsZero(), "its reading has ended")
	complete.MarkVerified()
	assert.Equal(t, "12345678", string(complete.Bytes()))
	assert.Equal(t, int64(17), l.Held(), "it is held again, for the moment beyond the limit")
	assert.False(t, l.HasRoomFor(3))
	complete.Release()
	other.Release()
	assert.Zero(t, l.Held())
	assert.True(t, l.HasRoomFor(10))
}

func TestAcquire(t *testing.T) {
	l := New(10)
	_, err := l.Acquire(11, false, nil)
	require.ErrorIs(t, err, ErrTooLarge)
	verified, _ := acquire(t, l, true)
	require.NoError(t, verified.grow(8))
	_, err = l.Acquire(3, false, nil)
	require.ErrorIs(t, err, ErrOverCapacity)
}
