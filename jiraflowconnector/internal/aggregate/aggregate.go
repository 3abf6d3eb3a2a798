// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package aggregate adds up the metrics of the flow of issues, and writes them as OTLP. It reads no clock. It is not
// safe for concurrent use.
package aggregate

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector/internal/state"
)

// Labels are the attributes of a time series. Empty values are not written, except the mapped values.
type Labels struct {
	Site                            state.Text // of the resource, and an attribute with the dimension
	Project, Type, Priority, Status state.Text
	Mapped, Previous                state.Text
	HasSite, HasMapped, HasPrevious bool
	IsOverflow                      bool // all series beyond the limit
}

// overflow returns the labels of the series that stands for all series beyond the limit.
func (l Labels) overflow() Labels { return Labels{Site: l.Site, IsOverflow: true} }

// Options configure [Metrics].
type Options struct {
	IsDelta   bool
	Buckets   []float64 // upper bounds in seconds
	MaxSeries int       // of each metric
	Start     time.Time
	Scope     func(pcommon.InstrumentationScope)
}

// Gauge is the value of the gauges with the same labels.
type Gauge struct {
	Open, Stuck, Unassigned, Flagged, CreationUnseen int64
	OldestAge, LongestInStatus                       float64 // seconds
}

// Metrics holds the values of all time series.
type Metrics struct {
	opts       Options
	counters   [counterCount]map[Labels]*series
	histograms [histogramCount]map[Labels]*series
	gauges     map[Labels]*Gauge
	overflows  int64
	deltaStart time.Time
	deltaEnd   time.Time // of the last Build
}

// series is a counter or a histogram.
type series struct {
	count       uint64
	sum         int64    // milliseconds: the sum of integers does not depend on the order
	buckets     []uint64 // nil for a counter
	isAnnounced bool     // a zero value was written
	sent        *series  // the part that the last Build wrote; only with delta temporality
}

// New returns metrics without any time series.
func New(o Options) *Metrics {
	m := &Metrics{opts: o, gauges: map[Labels]*Gauge{}, deltaStart: o.Start}
	for i := range m.counters {
		m.counters[i] = map[Labels]*series{}
	}
	for i := range m.histograms {
		m.histograms[i] = map[Labels]*series{}
	}
	return m
}

// Add increments a counter.
func (m *Metrics) Add(c Counter, l Labels) {
	m.find(m.counters[c], l).count++
}

// Record adds a duration to a histogram.
func (m *Metrics) Record(h Histogram, l Labels, d time.Duration) {
	s := m.find(m.histograms[h], l)
	if s.buckets == nil {
		s.buckets = make([]uint64, len(m.opts.Buckets)+1)
	}
	seconds := d.Seconds()
	s.count++
	s.sum += d.Milliseconds()
	bucket, _ := slices.BinarySearch(m.opts.Buckets, seconds)
	s.buckets[bucket]++
}

// find returns a time series, or the overflow beyond the limit.
func (m *Metrics) find(list map[Labels]*series, l Labels) *series {
	if s, found := list[l]; found {
		return s
	}
	if len(list) >= m.opts.MaxSeries {
		m.overflows++
		l = l.overflow()
		if s, found := list[l]; found {
			return s
		}
	}
	s := &series{}
	list[l] = s
	return s
}

// ResetGauges starts the computation of the gauges. Series that exist remain, with the value 0, so that a group without
// issues shows 0 and not its last value.
func (m *Metrics) ResetGauges() {
	for _, g := range m.gauges {
		*g = Gauge{}
	}
}

// Gauge returns the gauges with the labels, to add an issue to them.
func (m *Metrics) Gauge(l Labels) *Gauge {
	if g, found := m.gauges[l]; found {
		return g
	}
	if len(m.gauges) >= m.opts.MaxSeries {
		m.overflows++
		l = l.overflow()
		if g, found := m.gauges[l]; found {
			return g
		}
	}
	g := &Gauge{}
	m.gauges[l] = g
	return g
}

// TakeOverflows returns how often a series was beyond the limit since the last call.
func (m *Metrics) TakeOverflows() int64 {
	n := m.overflows
	m.overflows = 0
	return n
}

// Build returns all metrics. With delta temporality, the values count as sent after Commit. With cumulative
// temporality, a new series begins with 0, because backends see only the increase over an earlier value; in the last
// Build it begins with its value.
func (m *Metrics) Build(now time.Time, isLast bool) pmetric.Metrics {
	b := &builder{m: m, now: pcommon.NewTimestampFromTime(now), isLast: isLast, sites: map[state.Text]pmetric.MetricSlice{}}
	b.start = pcommon.NewTimestampFromTime(m.opts.Start)
	if m.opts.IsDelta {
		b.start = pcommon.NewTimestampFromTime(m.deltaStart)
	}
	m.deltaEnd = now
	b.out = pmetric.NewMetrics()
	b.gauges()
	for c, list := range m.counters {
		b.counter(Counter(c), list)
	}
	for h, list := range m.histograms {
		b.histogram(Histogram(h), list)
	}
	return b.out
}

// Commit subtracts the values that the last Build wrote, because the pipeline has accepted them. It does nothing with
// cumulative temporality.
func (m *Metrics) Commit() {
	if !m.opts.IsDelta {
		return
	}
	m.deltaStart = m.deltaEnd
	for _, list := range m.counters {
		commit(list)
	}
	for _, list := range m.histograms {
		commit(list)
	}
}

// commit also drops the series without a new value: their labels may not come again.
func commit(list map[Labels]*series) {
	for l, s := range list {
		if s.sent == nil {
			continue
		}
		s.count -= s.sent.count
		s.sum -= s.sent.sum
		for i := range s.buckets {
			s.buckets[i] -= s.sent.buckets[i]
		}
		s.sent = nil
		if s.count == 0 {
			delete(list, l)
		}
	}
}
