package jirareceiver

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// These bound the memory for statuses that were reported: names are free text.
const (
	maxReported       = 100
	maxReportedLength = 100 // bytes
)

// unmappedInterval is the least time between two lines about unmapped statuses. The collector drops equal messages beyond ten in
// ten seconds, and a name that is logged once must not be among them.
const unmappedInterval = 10 * time.Second

// unmappedStatuses makes a gap in the mapping visible: each status counts, and each name is logged once.
type unmappedStatuses struct {
	meter    *meter
	logger   *zap.Logger
	interval time.Duration

	mu           sync.Mutex
	reported     map[string]bool
	limitReached bool
	closed       bool
	pending      []string    // reported and not logged yet
	timer        *time.Timer // logs what is pending; nil if the last line is older than the interval
}

func newUnmappedStatuses(m *meter, logger *zap.Logger, interval time.Duration) *unmappedStatuses {
	return &unmappedStatuses{meter: m, logger: logger, interval: interval, reported: map[string]bool{}}
}

// report logs only current statuses. Jira does not send the category of a previous status, by which it may well be mapped while it is
// the current one.
func (u *unmappedStatuses) report(ctx context.Context, unmapped record.Unmapped) {
	u.count(ctx, "previous", unmapped.Previous)
	u.count(ctx, "current", unmapped.Current)
	if unmapped.Current != (jira.Status{}) {
		u.add(clip(unmapped.Current.Name), clip(unmapped.Current.ID))
	}
}

func (u *unmappedStatuses) count(ctx context.Context, side string, status jira.Status) {
	if status != (jira.Status{}) {
		u.meter.unmapped(ctx, side)
	}
}

// add logs a new status at once, or with others when the interval is over.
func (u *unmappedStatuses) add(name, id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := strings.ToLower(cmp.Or(name, id))
	switch {
	case u.closed, u.reported[key]:
	case len(u.reported) == maxReported:
		u.logLimit()
	default:
		u.reported[key] = true
		u.pending = append(u.pending, label(name, id))
		if u.timer == nil {
			u.logPending()
		}
	}
}

// label returns "In Review (10042)", or only the name or the ID.
func label(name, id string) string {
	if name == "" || id == "" {
		return name + id
	}
	return name + " (" + id + ")"
}

// logLimit is called with mu held, as is logPending.
func (u *unmappedStatuses) logLimit() {
	if u.limitReached {
		return
	}
	u.limitReached = true
	u.logger.Warn("Too many Jira statuses without a mapping: further statuses are counted in otelcol_receiver_jira_unmapped_statuses and not logged",
		zap.Int("logged", maxReported))
}

func (u *unmappedStatuses) logPending() {
	u.timer = nil
	if len(u.pending) == 0 {
		return
	}
	u.logger.Warn("No mapping for Jira statuses: add their names or ids to status::mapping", zap.Strings("statuses", u.pending))
	u.pending = nil
	if u.closed {
		return
	}
	u.timer = time.AfterFunc(u.interval, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.logPending()
	})
}

// shutdown logs what is pending. Nothing is logged later.
func (u *unmappedStatuses) shutdown() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	if u.timer != nil {
		u.timer.Stop()
	}
	u.logPending()
}

func clip(s string) string {
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), maxReportedLength)]), "") // without half a character at the end
}
