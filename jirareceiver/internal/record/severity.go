// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// ParseSeverity returns the severity with a short name, such as WARN2, in any letter case. The 24 short names are
// listed at https://opentelemetry.io/docs/specs/otel/logs/data-model/#displaying-severity.
func ParseSeverity(name string) (severity plog.SeverityNumber, isKnown bool) {
	for severity = plog.SeverityNumberTrace; severity <= plog.SeverityNumberFatal4; severity++ {
		if strings.EqualFold(severity.String(), name) {
			return severity, true
		}
	}
	return plog.SeverityNumberUnspecified, false
}

// severity returns the severity of the event, which depends on the priority of the issue or the alert. The id of the
// priority takes precedence over its name.
func (b *Builder) severity(ev *jira.Event) plog.SeverityNumber {
	if len(b.opts.Severities) == 0 {
		return plog.SeverityNumberInfo
	}
	priority := jira.Named{Name: alertPriority(ev)}
	if ev.Issue != nil {
		priority = ev.Issue.Priority
	}
	return cmp.Or(b.opts.Severities[priority.ID], b.opts.Severities[status.Fold(priority.Name)], plog.SeverityNumberInfo)
}
