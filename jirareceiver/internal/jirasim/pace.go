package jirasim

import (
	"context"
	"iter"
	"time"
)

// longestPause is how long a night takes, and a weekend, when time goes by faster than it does.
const longestPause = time.Second

// Pace is how fast things happen.
type Pace struct {
	Rate    float64 // deliveries a second, whenever things happened. 0: as SpeedUp says
	SpeedUp float64 // how many times faster than it does time goes by, until it is now: nothing is told before it happened
}

// Apply holds each delivery back until its time has come. It ends when ctx does.
func (p Pace) Apply(ctx context.Context, deliveries iter.Seq[Delivery]) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		due, last := time.Now(), time.Time{}
		for d := range deliveries {
			if p.Rate > 0 {
				due = due.Add(time.Duration(float64(time.Second) / p.Rate))
			} else {
				due = p.due(time.Now(), last, d.At)
			}
			if !sleep(ctx, time.Until(due)) || !yield(d) {
				return
			}
			last = d.At
		}
	}
}

// due returns when to tell of what happens next, after the last.
func (p Pace) due(now, last, next time.Time) time.Time {
	if !last.IsZero() {
		gap := time.Duration(float64(next.Sub(last)) / p.SpeedUp)
		if p.SpeedUp > 1 {
			gap = min(gap, longestPause)
		}
		now = now.Add(gap)
	}
	if next.After(now) {
		return next
	}
	return now
}

// sleep reports false when ctx ends before.
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
