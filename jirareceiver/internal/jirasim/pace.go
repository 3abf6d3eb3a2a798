// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"context"
	"iter"
	"time"
)

// longestPause is the longest time between two deliveries if time is sped up, for example for a night or a weekend.
const longestPause = time.Second

// Pace is the speed of a history in the past. From the present on, each delivery is sent at the time of its event.
type Pace struct {
	Rate     float64 // deliveries per second, regardless of the time between events; 0 to use SpeedUp
	SpeedUp  float64 // factor by which time is sped up
	CaughtUp func()  // called once when the history has reached the present; may be nil
}

// Apply returns each delivery at its time. It ends when ctx is done.
func (p Pace) Apply(ctx context.Context, deliveries iter.Seq[Delivery]) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		due, last := time.Now(), time.Time{}
		for d := range deliveries {
			if p.Rate > 0 {
				due = due.Add(time.Duration(float64(time.Second) / p.Rate))
			} else {
				due = time.Now().Add(p.gap(last, d.At))
			}
			if d.At.After(due) {
				due = d.At
				p.catchUp()
				p.CaughtUp = nil
			}
			if !sleep(ctx, time.Until(due)) || !yield(d) {
				return
			}
			last = d.At
		}
	}
}

// gap returns the time to wait between two deliveries.
func (p Pace) gap(last, next time.Time) time.Duration {
	if last.IsZero() {
		return 0
	}
	gap := time.Duration(float64(next.Sub(last)) / p.SpeedUp)
	if p.SpeedUp > 1 {
		return min(gap, longestPause)
	}
	return gap
}

func (p Pace) catchUp() {
	if p.CaughtUp != nil {
		p.CaughtUp()
	}
}

// sleep waits for d. It returns false if ctx is done before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
