package record

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
)

// ParseSeverity returns the severity with the given short name, in any letter case: the 24 of
// https://opentelemetry.io/docs/specs/otel/logs/data-model/#displaying-severity.
func ParseSeverity(name string) (severity plog.SeverityNumber, known bool) {
	for severity = plog.SeverityNumberTrace; severity <= plog.SeverityNumberFatal4; severity++ {
		if strings.EqualFold(severity.String(), name) {
			return severity, true
		}
	}
	return plog.SeverityNumberUnspecified, false
}

// severity goes by the priority of the issue, its id before its name.
func (t *Translator) severity(ev *jira.Event) plog.SeverityNumber {
	if ev.Issue == nil || len(t.opts.Severities) == 0 {
		return plog.SeverityNumberInfo
	}
	priority := ev.Issue.Priority
	return cmp.Or(t.opts.Severities[priority.ID], t.opts.Severities[status.Fold(priority.Name)], plog.SeverityNumberInfo)
}
