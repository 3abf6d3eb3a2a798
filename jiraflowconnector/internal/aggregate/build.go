// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/attr"
	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// Counter is a metric that counts changes.
type Counter int

// The counters.
const (
	Created Counter = iota
	Resolved
	Reopened
	Transitions
	counterCount
)

// Histogram is a metric of durations.
type Histogram int

// The histograms.
const (
	TimeInStatus Histogram = iota
	CycleTime
	LeadTime
	histogramCount
)

type description struct{ name, unit, text string }

var counters = [counterCount]description{
	Created:     {"jira.issue.created", "{issue}", "Number of created issues."},
	Resolved:    {"jira.issue.resolved", "{issue}", "Number of moves of an issue to a status that ends the cycle."},
	Reopened:    {"jira.issue.reopened", "{issue}", "Number of moves of an issue back from a status that ends the cycle."},
	Transitions: {"jira.issue.transitions", "{transition}", "Number of moves of issues from one status to another."},
}

var histograms = [histogramCount]description{
	TimeInStatus: {"jira.issue.time_in_status", "s", "Time of a stay in a status, when the issue leaves the status."},
	CycleTime:    {"jira.issue.cycle_time", "s", "Time from the first start of work to a resolution."},
	LeadTime:     {"jira.issue.lead_time", "s", "Time from the creation to a resolution."},
}

var gauges = []struct {
	description
	count   func(*Gauge) int64
	seconds func(*Gauge) float64
}{
	{
		description: description{"jira.issue.open", "{issue}", "Number of open issues."},
		count:       func(g *Gauge) int64 { return g.Open },
	},
	{
		description: description{"jira.issue.stuck", "{issue}", "Number of open issues that have been in their status for longer than its limit."},
		count:       func(g *Gauge) int64 { return g.Stuck },
	},
	{
		description: description{"jira.issue.unassigned", "{issue}", "Number of open issues without an assignee."},
		count:       func(g *Gauge) int64 { return g.Unassigned },
	},
	{
		description: description{"jira.issue.flagged", "{issue}", "Number of open issues that are flagged as impeded."},
		count:       func(g *Gauge) int64 { return g.Flagged },
	},
	{
		description: description{"jira.issue.creation_unseen", "{issue}", "Number of open issues whose creation was not seen, so that their history is not complete."},
		count:       func(g *Gauge) int64 { return g.CreationUnseen },
	},
	{
		description: description{"jira.issue.oldest_age", "s", "Time since the creation of the oldest open issue."},
		seconds:     func(g *Gauge) float64 { return g.OldestAge },
	},
	{
		description: description{"jira.issue.longest_in_status", "s", "Time since an open issue moved to its status, of the issue with the longest time."},
		seconds:     func(g *Gauge) float64 { return g.LongestInStatus },
	},
}

// builder writes the values of Metrics. Each site has a resource.
type builder struct {
	m          *Metrics
	out        pmetric.Metrics
	sites      map[state.Text]pmetric.MetricSlice
	start, now pcommon.Timestamp
	isLast     bool
}

func (b *builder) gauges() {
	labels := sorted(b.m.gauges)
	for _, g := range gauges {
		metrics := b.metrics(g.description)
		for _, l := range labels {
			metric := metrics(l)
			if metric.Type() == pmetric.MetricTypeEmpty {
				metric.SetEmptyGauge()
			}
			point := metric.Gauge().DataPoints().AppendEmpty()
			point.SetTimestamp(b.now)
			l.put(point.Attributes())
			if g.count != nil {
				point.SetIntValue(g.count(b.m.gauges[l]))
			} else {
				point.SetDoubleValue(g.seconds(b.m.gauges[l]))
			}
		}
	}
}

func (b *builder) counter(c Counter, list map[Labels]*series) {
	metrics := b.metrics(counters[c])
	for _, l := range sorted(list) {
		metric := metrics(l)
		if metric.Type() == pmetric.MetricTypeEmpty {
			sum := metric.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(b.temporality())
		}
		value := b.take(list[l])
		point := metric.Sum().DataPoints().AppendEmpty()
		point.SetStartTimestamp(b.start)
		point.SetTimestamp(b.now)
		point.SetIntValue(int64(value.count)) //nolint:gosec // counts issues
		l.put(point.Attributes())
	}
}

func (b *builder) histogram(h Histogram, list map[Labels]*series) {
	metrics := b.metrics(histograms[h])
	for _, l := range sorted(list) {
		metric := metrics(l)
		if metric.Type() == pmetric.MetricTypeEmpty {
			metric.SetEmptyHistogram().SetAggregationTemporality(b.temporality())
		}
		value := b.take(list[l])
		point := metric.Histogram().DataPoints().AppendEmpty()
		point.SetStartTimestamp(b.start)
		point.SetTimestamp(b.now)
		point.SetCount(value.count)
		point.SetSum(float64(value.sum) / millisPerSecond)
		point.ExplicitBounds().FromRaw(b.m.opts.Buckets)
		point.BucketCounts().FromRaw(value.buckets)
		l.put(point.Attributes())
	}
}

const millisPerSecond = 1000

// take returns the value to write. It remembers the value that Commit subtracts.
func (b *builder) take(s *series) series {
	value := series{count: s.count, sum: s.sum, buckets: slices.Clone(s.buckets)}
	switch {
	case b.m.opts.IsDelta:
		s.sent = &value
	case !s.isAnnounced && !b.isLast:
		value = series{buckets: make([]uint64, len(s.buckets))}
	}
	s.isAnnounced = true
	return value
}

func (b *builder) temporality() pmetric.AggregationTemporality {
	if b.m.opts.IsDelta {
		return pmetric.AggregationTemporalityDelta
	}
	return pmetric.AggregationTemporalityCumulative
}

// metrics returns a function that returns the metric in the resource of the site of labels, and makes it first.
func (b *builder) metrics(d description) func(Labels) pmetric.Metric {
	bySite := map[state.Text]pmetric.Metric{}
	return func(l Labels) pmetric.Metric {
		metric, found := bySite[l.Site]
		if !found {
			metric = b.site(l.Site).AppendEmpty()
			metric.SetName(d.name)
			metric.SetUnit(d.unit)
			metric.SetDescription(d.text)
			bySite[l.Site] = metric
		}
		return metric
	}
}

func (b *builder) site(site state.Text) pmetric.MetricSlice {
	if metrics, found := b.sites[site]; found {
		return metrics
	}
	resource := b.out.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr(attr.ServiceName, "jira")
	if url := site.String(); url != "" {
		resource.Resource().Attributes().PutStr(attr.SiteURL, url)
	}
	scope := resource.ScopeMetrics().AppendEmpty()
	b.m.opts.Scope(scope.Scope())
	b.sites[site] = scope.Metrics()
	return scope.Metrics()
}

func (l Labels) put(attributes pcommon.Map) {
	if l.IsOverflow {
		attributes.PutBool(attr.Overflow, true)
		return
	}
	putText := func(key string, value state.Text) {
		if text := value.String(); text != "" {
			attributes.PutStr(key, text)
		}
	}
	if l.HasSite {
		putText(attr.SiteURL, l.Site)
	}
	putText(attr.ProjectKey, l.Project)
	putText(attr.IssueTypeName, l.Type)
	putText(attr.PriorityName, l.Priority)
	putText(attr.StatusName, l.Status)
	if l.HasPrevious {
		attributes.PutStr(attr.PreviousMapped, cmp.Or(l.Previous.String(), attr.Unmapped))
	}
	if l.HasMapped {
		attributes.PutStr(attr.StatusMapped, cmp.Or(l.Mapped.String(), attr.Unmapped))
	}
}

// sorted returns the labels in a fixed order.
func sorted[V any](list map[Labels]V) []Labels {
	return slices.SortedFunc(maps.Keys(list), func(a, b Labels) int {
		for _, pair := range [...][2]state.Text{
			{a.Site, b.Site},
			{a.Project, b.Project},
			{a.Type, b.Type},
			{a.Priority, b.Priority},
			{a.Status, b.Status},
			{a.Mapped, b.Mapped},
			{a.Previous, b.Previous},
		} {
			if order := cmp.Compare(pair[0].String(), pair[1].String()); order != 0 {
				return order
			}
		}
		return 0
	})
}
