// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestIsSilent(t *testing.T) {
	minutes := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	for _, tt := range []struct {
		now, delivered int
		missed         int // 0 for none
		want           bool
	}{
		{now: 600, delivered: 0, want: false}, // a quiet site
		{now: 39, delivered: 0, missed: 10, want: false},
		{now: 40, delivered: 0, missed: 10, want: true},
		{now: 600, delivered: 0, missed: 590, want: false}, // after a quiet night
		{now: 620, delivered: 0, missed: 590, want: true},
		{now: 40, delivered: 11, missed: 10, want: false}, // a delivery after the missed change
		{now: 40, delivered: 10, missed: 10, want: false},
	} {
		missed := time.Time{}
		if tt.missed > 0 {
			missed = minutes(tt.missed)
		}
		assert.Equal(t, tt.want, IsSilent(minutes(tt.now), minutes(tt.delivered), missed), tt)
	}
}

func TestWatch(t *testing.T) {
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	w := NewWatch(start)
	silent := func(n int) bool {
		_, isSilent := w.Finding(at(n))
		return isSilent
	}
	w.Missed(at(-60)) // while the receiver was off
	assert.False(t, silent(120))
	w.Missed(at(125))
	w.Missed(at(121))
	w.Missed(at(123))
	assert.False(t, silent(150))
	assert.True(t, silent(151))
	since, _ := w.SilentSince(at(151))
	assert.Equal(t, at(121), since, "the earliest")
	f, _ := w.Finding(at(151))
	assert.Equal(t, KindSilent, f.Kind)

	w.Delivered(at(155))
	w.Delivered(at(140)) // in another goroutine, later
	assert.False(t, silent(300))
	w.Missed(at(154)) // found late
	assert.False(t, silent(300))
	w.Missed(at(160))
	assert.True(t, silent(190))
}

func TestWatchIsSafeForConcurrentUse(t *testing.T) {
	w := NewWatch(start)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 100 {
				at := start.Add(time.Duration(n*100+i) * time.Second)
				w.Delivered(at)
				w.Missed(at)
				w.SilentSince(at)
			}
		})
	}
	all.Wait()
	_, isSilent := w.SilentSince(start.Add(24 * time.Hour))
	assert.False(t, isSilent)
}
