// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package drain

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func begin(t *testing.T, c *Calls, ctx context.Context) (call context.Context, end func()) { //nolint:revive // the test comes first
	t.Helper()
	call, end, ok := c.Begin(ctx)
	require.True(t, ok)
	return call, end
}

func TestCallsOutliveTheirRequest(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	call, end := begin(t, New(), ctx)
	cancel()
	require.NoError(t, call.Err())
	assert.Equal(t, "value", call.Value(key{}))
	end()
	require.Error(t, call.Err())
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		call, end := begin(t, c, t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
		require.NoError(t, call.Err(), "the call continues")
		_, _, ok := c.Begin(t.Context())
		assert.False(t, ok, "no more calls begin")
		time.AfterFunc(time.Minute, end)
		require.NoError(t, c.Wait(t.Context()))
	})
}

func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		call, end := begin(t, c, t.Context())
		context.AfterFunc(call, func() {
			time.Sleep(time.Second)
			end()
		})
		_, endLate := begin(t, c, t.Context())
		started := time.Now()
		c.Abort(time.Minute)
		require.Error(t, call.Err())
		assert.Equal(t, time.Minute, time.Since(started), "one call does not return")
		endLate()
		c.Abort(time.Minute)
		assert.Equal(t, time.Minute, time.Since(started), "all have returned")
	})
}
