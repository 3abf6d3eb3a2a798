package jirareceiver

import (
	"net/http"
	"sync/atomic"
	"time"
)

// health knows whether a delivery would be accepted, as far as that can be known without one.
type health struct {
	admission *admission
	disk      *diskGuard
	// forgetAfter is how long a refusal of the pipeline counts. It has to end: whoever routes deliveries by the health of the
	// receiver sends none that could show that all is well again.
	forgetAfter time.Duration
	now         func() time.Time
	draining    atomic.Bool
	refusal     atomic.Pointer[refusal]
}

// refusal is why the pipeline took no event, and until when that counts.
type refusal struct {
	kind  *kind
	until time.Time
}

// observe learns from what the pipeline says to an event. A permanent error says something of the event only.
func (h *health) observe(err error) {
	switch k := kindOf(err); {
	case err == nil:
		if h.refusal.Load() != nil {
			h.refusal.Store(nil)
		}
	case k == kindUnavailable || k == kindExhausted:
		h.refusal.Store(&refusal{k, h.now().Add(h.forgetAfter)})
	}
}

// check returns nil, or why deliveries are not accepted, for which a probe expects 503.
func (h *health) check() error {
	if k := h.reason(); k != nil {
		return failed(&kind{http.StatusServiceUnavailable, k.reason, k.message, k.advice}, nil)
	}
	return nil
}

func (h *health) reason() *kind {
	refusal := h.refusal.Load()
	switch {
	case h.draining.Load():
		return kindShuttingDown
	case !h.admission.hasRoomFor(1):
		return kindOverCapacity
	case !h.disk.hasRoom():
		return kindDiskFull
	case refusal != nil && h.now().Before(refusal.until):
		return refusal.kind
	default:
		return nil
	}
}
