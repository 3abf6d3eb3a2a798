// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/bodylimit"
	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
)

// health reports whether a delivery would be accepted, as far as the receiver can know without one.
type health struct {
	bodies *bodylimit.Limiter
	disk   *diskguard.Guard
	// forgetAfter is how long a refusal of the pipeline counts. It must expire: a load balancer that sees an unhealthy receiver sends
	// no delivery that could clear the state.
	forgetAfter time.Duration
	now         func() time.Time
	draining    atomic.Bool
	refusal     atomic.Pointer[refusal]
}

// refusal is the last refusal of the pipeline, and when it expires.
type refusal struct {
	rejection *rejection
	until     time.Time
}

// observe learns from the answer of the pipeline to an event. A permanent error is about the event only.
func (h *health) observe(err error) {
	if err == nil {
		if h.refusal.Load() != nil {
			h.refusal.Store(nil)
		}
		return
	}
	if r := rejectionOf(err); r == rejectionOf(errUnavailable) || r == rejectionOf(errExhausted) {
		h.refusal.Store(&refusal{r, h.now().Add(h.forgetAfter)})
	}
}

// check returns nil, or the reason for which deliveries would be rejected. Probes expect 503 for all reasons.
func (h *health) check() *rejection {
	reason := h.reason()
	if reason == nil {
		return nil
	}
	unhealthy := *reason
	unhealthy.status = http.StatusServiceUnavailable
	return &unhealthy
}

func (h *health) reason() *rejection {
	refusal := h.refusal.Load()
	switch {
	case h.draining.Load():
		return rejectionOf(errShuttingDown)
	case !h.bodies.HasRoomFor(1):
		return rejectionOf(bodylimit.ErrOverCapacity)
	case !h.disk.HasRoom():
		return rejectionOf(errDiskFull)
	case refusal != nil && h.now().Before(refusal.until):
		return refusal.rejection
	default:
		return nil
	}
}
