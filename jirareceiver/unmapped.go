package jirareceiver

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// maxReported bounds the memory for statuses that were reported: names are free text.
const maxReported = 100

// unmappedStatuses makes a gap in the mapping visible: each counts, and each name is logged once.
type unmappedStatuses struct {
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger

	mu       sync.Mutex
	reported map[webhook.Status]bool
}

func newUnmappedStatuses(telemetry *metadata.TelemetryBuilder, logger *zap.Logger) *unmappedStatuses {
	return &unmappedStatuses{telemetry: telemetry, logger: logger, reported: map[webhook.Status]bool{}}
}

func (u *unmappedStatuses) report(ctx context.Context, statuses []webhook.Status) {
	for _, status := range statuses {
		u.telemetry.ReceiverJiraUnmappedStatuses.Add(ctx, 1)
		if u.isNew(status) {
			u.logger.Warn("No mapping for a Jira status: add its name or id to status::mapping",
				zap.String("name", status.Name), zap.String("id", status.ID), zap.String("category", status.Category))
		}
	}
}

func (u *unmappedStatuses) isNew(status webhook.Status) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reported[status] || len(u.reported) == maxReported {
		return false
	}
	u.reported[status] = true
	return true
}
