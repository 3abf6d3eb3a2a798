package jirareceiver

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/translate"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// These bound the memory for statuses that were reported: names are free text.
const (
	maxReported       = 100
	maxReportedLength = 100 // bytes
)

// unmappedStatuses makes a gap in the mapping visible: each counts, and each name is logged once.
type unmappedStatuses struct {
	meter  *meter
	logger *zap.Logger

	mu       sync.Mutex
	reported map[string]bool
}

func newUnmappedStatuses(m *meter, logger *zap.Logger) *unmappedStatuses {
	return &unmappedStatuses{meter: m, logger: logger, reported: map[string]bool{}}
}

// report logs only current statuses: of a previous one Jira does not tell the category, by which it may well map as long
// as it is the current one.
func (u *unmappedStatuses) report(ctx context.Context, unmapped translate.Unmapped) {
	u.count(ctx, "previous", unmapped.Previous)
	u.count(ctx, "current", unmapped.Current)
	name, id := clip(unmapped.Current.Name), clip(unmapped.Current.ID)
	if unmapped.Current != (webhook.Status{}) && u.isNew(cmp.Or(name, id)) {
		u.logger.Warn("No mapping for a Jira status: add its name or id to status::mapping", zap.String("name", name), zap.String("id", id))
	}
}

func (u *unmappedStatuses) count(ctx context.Context, side string, status webhook.Status) {
	if status != (webhook.Status{}) {
		u.meter.unmapped(ctx, side)
	}
}

func (u *unmappedStatuses) isNew(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	name = strings.ToLower(name)
	if u.reported[name] || len(u.reported) == maxReported {
		return false
	}
	u.reported[name] = true
	return true
}

func clip(s string) string {
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), maxReportedLength)]), "") // without half a character at the end
}
