// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraflowconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jiraflowconnector/internal/metadata"
)

// Values of the attribute output.
const (
	outputLogs    = "logs"
	outputMetrics = "metrics"
)

// telemetry holds the metrics and the rate-limited log of the connector.
type telemetry struct {
	metrics     *metadata.TelemetryBuilder
	byConnector metric.MeasurementOption
	byOutput    map[string]metric.MeasurementOption
	warnings    *zap.Logger // logs each message once a minute
}

func newTelemetry(settings connector.Settings, tracker *tracker) (*telemetry, error) {
	metrics, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	id := attribute.String("connector", settings.ID.String())
	t := &telemetry{
		metrics:     metrics,
		byConnector: metric.WithAttributeSet(attribute.NewSet(id)),
		byOutput:    map[string]metric.MeasurementOption{},
		warnings:    settings.Logger.WithOptions(zap.WrapCore(oncePerMinute)),
	}
	for _, output := range []string{outputLogs, outputMetrics} {
		t.byOutput[output] = metric.WithAttributeSet(attribute.NewSet(id, attribute.String("output", output)))
	}
	err = t.registerGauges(tracker)
	return t, err
}

func (t *telemetry) registerGauges(tracker *tracker) error {
	issues := func(_ context.Context, o metric.Int64Observer) error {
		n, _ := tracker.sizes()
		o.Observe(int64(n), t.byConnector)
		return nil
	}
	if err := t.metrics.RegisterConnectorJiraFlowIssuesCallback(issues); err != nil {
		return err
	}
	pending := func(_ context.Context, o metric.Int64Observer) error {
		_, n := tracker.sizes()
		o.Observe(int64(n), t.byConnector)
		return nil
	}
	return t.metrics.RegisterConnectorJiraFlowPendingIssuesCallback(pending)
}

func oncePerMinute(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
}

// shutdown removes the gauges.
func (t *telemetry) shutdown() { t.metrics.Shutdown() }

// recordRead records the result of a call of the pipeline.
func (t *telemetry) recordRead(ctx context.Context, output string, read, withoutIssue int, n counts) {
	t.metrics.ConnectorJiraFlowRecords.Add(ctx, int64(read), t.byOutput[output])
	if withoutIssue > 0 {
		t.metrics.ConnectorJiraFlowRecordsWithoutIssue.Add(ctx, int64(withoutIssue), t.byOutput[output])
	}
	if n.late > 0 {
		t.metrics.ConnectorJiraFlowLateChanges.Add(ctx, int64(n.late), t.byConnector)
	}
	if n.evicted > 0 {
		t.metrics.ConnectorJiraFlowEvictedIssues.Add(ctx, int64(n.evicted), t.byConnector)
		t.warnings.Warn("Dropped issues, because max_issues was reached; if one of them changes again, its history is "+
			"not complete", zap.Int("issues", n.evicted))
	}
}

// recordRefused counts and logs outputs that the pipeline has refused.
func (t *telemetry) recordRefused(ctx context.Context, output string, err error) {
	t.metrics.ConnectorJiraFlowRefusedBatches.Add(ctx, 1, t.byOutput[output])
	t.warnings.Warn("The pipeline has refused the output of the connector", zap.String("output", output), zap.Error(err))
}

func (t *telemetry) recordOverflows(ctx context.Context, overflows int64) {
	if overflows > 0 {
		t.metrics.ConnectorJiraFlowOverflows.Add(ctx, overflows, t.byConnector)
		t.warnings.Warn("Values have no time series of their own, because metrics::max_series was reached; " +
			"remove a dimension, or raise the limit")
	}
}

// recordSaveError counts an error of a save, and logs it once a minute.
func (t *telemetry) recordSaveError(ctx context.Context, err error) {
	t.metrics.ConnectorJiraFlowStorageErrors.Add(ctx, 1, t.byConnector)
	t.warnings.Warn("Cannot write the issues to the storage; the connector tries again", zap.Error(err))
}

// recordLoadError counts and logs an error of the storage at the start.
func (t *telemetry) recordLoadError(ctx context.Context, err error) {
	t.metrics.ConnectorJiraFlowStorageErrors.Add(ctx, 1, t.byConnector)
	t.warnings.Warn("Cannot read the issues from the storage; the connector saves nothing until its next start",
		zap.Error(err))
}

// recordDamage counts and logs damaged pages.
func (t *telemetry) recordDamage(ctx context.Context, pages int) {
	t.metrics.ConnectorJiraFlowStorageErrors.Add(ctx, int64(pages), t.byConnector)
	t.warnings.Warn("The storage is damaged; the histories of the issues in the damaged pages are lost",
		zap.Int("damaged_pages", pages))
}
