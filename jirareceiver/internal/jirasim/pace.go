package jirasim

import (
	"context"
	"iter"
	"time"
)

// longestPause is how long a night takes, and a weekend, when time goes by faster than it does.
const longestPause = time.Second

// Pace is how fast things happen, until it is now: nothing is told before it happens.
type Pace struct {
	Rate     float64 // deliveries a second, whatever the time between them. 0: as SpeedUp says
	SpeedUp  float64 // how many times faster than it does time goes by
	CaughtUp func()  // told once when it is now, if set
}

// Apply holds each delivery back until its time has come. It ends when ctx does.
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

// gap is how long to wait between two deliveries.
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
