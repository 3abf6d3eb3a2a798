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

// healthCheck reports whether the receiver would accept a delivery, as far as it can know without a delivery.
type healthCheck struct {
	bodies *bodylimit.Limiter
	disk   *diskguard.Guard
	// forgetAfter is the time for which a refusal of the pipeline counts. A refusal must expire: a load balancer that
	// sees an unhealthy receiver sends no delivery that could clear the state.
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

// check returns nil, or the rejection that a delivery would get. Its status code is always 503, as probes expect.
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
