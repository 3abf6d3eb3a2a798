// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
)

// NewFactory returns the factory of the connector.
func NewFactory() connector.Factory {
	shared := newRegistry(time.Now)
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithLogsToLogs(shared.createLogsToLogs, metadata.LogsToLogsStability),
		connector.WithLogsToMetrics(shared.createLogsToMetrics, metadata.LogsToMetricsStability),
	)
}

func (r *registry) createLogsToLogs(
	_ context.Context, settings connector.Settings, cfg component.Config, next consumer.Logs,
) (connector.Logs, error) {
	c, err := r.get(settings, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	c.setLogs(next)
	return &logsOutput{half: half{core: c}, next: next}, nil
}

func (r *registry) createLogsToMetrics(
	_ context.Context, settings connector.Settings, cfg component.Config, next consumer.Metrics,
) (connector.Logs, error) {
	c, err := r.get(settings, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	c.metrics = next
	return &metricsOutput{half: half{core: c}}, nil
}
