// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/registration"
)

// registrar reports what a [registration.Manager] finds, in metrics, log and status.
type registrar struct {
	opts   *Options
	status *status
	logged []registration.Kind // the findings of the last report
}

func (s *Side) newManager() *registration.Manager {
	cfg := &s.opts.Registration
	r := &registrar{opts: &s.opts, status: s.observer.status}
	return registration.New(registration.Options{
		Mode: cfg.Mode,
		Wanted: registration.Wanted{
			Name: cfg.Name, URL: cfg.URL, Events: cfg.Events, JQL: cfg.JQL, Secret: jiraapi.Secret(s.opts.Secret),
		},
		Connect:         s.connectWebhooks,
		Store:           s.registrations,
		Clock:           s.clock,
		WrongSignatures: s.opts.WrongSignatures,
		LastDelivery:    s.observer.webhooks.LastDelivery,
		Interval:        cfg.Interval,
		OnReport:        r.report,
	})
}

func (s *Side) connectWebhooks(ctx context.Context) (registration.API, error) {
	info, err := s.prove(ctx)
	if err != nil {
		return nil, err
	}
	return s.client.Webhooks(info), nil
}

// report reports the result of a check. It logs findings when they change.
func (r *registrar) report(report registration.Report) {
	r.status.set(partRegistration, report.Err())
	r.count(report)
	if report.Write != registration.WriteNone && report.WriteErr == nil {
		r.opts.Settings.Logger.Info("Wrote the webhook in Jira", zap.String("write", string(report.Write)),
			zap.Any("repaired", kinds(report.Repaired)))
	}
	found := kinds(report.Findings)
	if slices.Equal(found, r.logged) {
		return
	}
	r.logged = found
	for _, f := range report.Findings {
		fields := []zap.Field{zap.String("finding", string(f.Kind)), zap.String("hint", f.Hint())}
		for _, field := range []struct{ key, value string }{
			{"webhook_id", f.WebhookID}, {"name", f.Name}, {"host", f.Host},
		} {
			if field.value != "" {
				fields = append(fields, zap.String(field.key, field.value))
			}
		}
		if len(f.Events) > 0 {
			fields = append(fields, zap.Strings("events", f.Events))
		}
		if !report.NextWrite.IsZero() && f.IsDrift() {
			fields = append(fields, zap.Time("next_write", report.NextWrite))
		}
		if f.Err != nil {
			fields = append(fields, zap.Error(f.Err))
		}
		r.opts.Settings.Logger.Warn(f.Message(), fields...)
	}
	if len(found) == 0 {
		r.opts.Settings.Logger.Info("The webhook in Jira is as configured")
	}
}

func kinds(findings []registration.Finding) []registration.Kind {
	var kinds []registration.Kind
	for _, f := range findings {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

// count sets the gauges to the result of a check, and counts its write.
func (r *registrar) count(report registration.Report) {
	ctx, metrics := context.Background(), r.opts.Metrics
	for _, state := range []registration.State{registration.StateOK, registration.StateProblem, registration.StateUnknown} {
		value := int64(0)
		if state == report.State() {
			value = 1
		}
		metrics.ReceiverJiraRegistrationState.Record(ctx, value, r.opts.ByReceiver,
			metric.WithAttributes(attribute.String("state", string(state))))
	}
	found := kinds(report.Findings)
	for _, kind := range registration.Kinds() {
		if kind == registration.KindSilent {
			continue // the observer of the polling sets it
		}
		count := len(slices.DeleteFunc(slices.Clone(found), func(k registration.Kind) bool { return k != kind }))
		metrics.ReceiverJiraRegistrationFindings.Record(ctx, int64(count), r.opts.ByReceiver,
			metric.WithAttributes(attribute.String("finding", string(kind))))
	}
	if report.Write != registration.WriteNone {
		metrics.ReceiverJiraRegistrationWrites.Add(ctx, 1, r.opts.ByReceiver, metric.WithAttributes(
			attribute.String("write", string(report.Write)), attribute.String("result", resultOf(report.WriteErr))))
	}
	if report.Statistics != nil {
		r.countDeliveries(ctx, report.Statistics)
	}
}

// countDeliveries sets the gauges to the numbers that Data Center counts.
func (r *registrar) countDeliveries(ctx context.Context, statistics *jira.WebhookStatistics) {
	for outcome, count := range map[string]*int64{
		"success": statistics.Successes, "failure": statistics.Failures, "error": statistics.Errors,
	} {
		if count != nil {
			r.opts.Metrics.ReceiverJiraRegistrationDeliveries.Record(ctx, *count, r.opts.ByReceiver,
				metric.WithAttributes(attribute.String("delivery", outcome)))
		}
	}
}
