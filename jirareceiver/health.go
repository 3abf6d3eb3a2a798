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

// healthCheck reports whether a load balancer should send deliveries to the receiver, as far as the receiver knows
// without a delivery. During shutdown_delay it reports that it should not, although the receiver still accepts them.
type healthCheck struct {
	bodies *bodylimit.Limiter
	disk   *diskguard.Guard
	// forgetAfter is the time for which a refusal of the pipeline counts. A refusal must expire: a load balancer sends
	// no deliveries to an unhealthy receiver, so that no delivery can show that the pipeline accepts again.
	forgetAfter time.Duration
	now         func() time.Time
	draining    atomic.Bool
	refusal     atomic.Pointer[refusal]
}

// refusal is the last refusal of the pipeline, and its expiry.
type refusal struct {
	rejection *rejection
	until     time.Time
}

// recordResult records the result of the pipeline for an event. It ignores permanent errors, which concern only the
// event.
func (h *healthCheck) recordResult(err error) {
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

// check returns nil if a load balancer should send deliveries, or the reason why not as a rejection with the status
// code 503, which probes expect.
func (h *healthCheck) check() *rejection {
	reason := h.reason()
	if reason == nil {
		return nil
	}
	unhealthy := *reason
	unhealthy.status = http.StatusServiceUnavailable
	return &unhealthy
}

func (h *healthCheck) reason() *rejection {
	last := h.refusal.Load()
	switch {
	case h.draining.Load():
		return rejectionOf(errShuttingDown)
	case !h.bodies.HasRoomFor(1):
		return rejectionOf(bodylimit.ErrOverCapacity)
	case !h.disk.HasRoom():
		return rejectionOf(errDiskFull)
	case last != nil && h.now().Before(last.until):
		return last.rejection
	default:
		return nil
	}
}
