// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// WithClock returns a context for Start, so that the polling uses a clock in place of that of the system.
func WithClock(ctx context.Context, clock jiraapi.Clock) context.Context {
	return context.WithValue(ctx, clockKey{}, clock)
}
