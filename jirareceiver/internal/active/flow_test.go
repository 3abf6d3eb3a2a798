// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-jira/collector/jiraflowconnector"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// TestFlowOfAMonth computes the flow of a team from what its Jira knows, and compares the result with all records and
// all metrics that the connector makes of the records of the receiver: of webhooks, over a restart in the middle of the
// month, and of a back-fill; with all hours and with working hours. The month has a change of daylight saving time.
//
// The numbers are equal, with one exception: a back-fill does not find issues that were deleted. FLOW_SEEDS=20 compares
// more months.
func TestFlowOfAMonth(t *testing.T) {
	t.Parallel()
	seeds, languages := uint64(1), []string{"en", "de"}
	if n, err := strconv.ParseUint(os.Getenv("FLOW_SEEDS"), 10, 8); err == nil {
		seeds = n
	}
	if testing.Short() {
		languages = languages[:1]
	}
	total := flowTally{records: map[string]int{}}
	t.Run("sites", func(t *testing.T) {
		for seed := range seeds {
			for _, deployment := range []jirasim.Deployment{jirasim.Cloud, jirasim.DataCenter} {
				for _, language := range languages {
					site := jirasim.Site{Deployment: deployment, Language: language, Seed: 40 + seed, Start: monthStart}
					t.Run(fmt.Sprintf("%s %s %d", deployment, language, site.Seed), func(t *testing.T) {
						t.Parallel()
						webhooks, backfill := flowRecords(t, site, monthMiddle, monthEnd), backfillRecords(t, site)
						for _, hours := range []*workingHours{nil, office} {
							total.compareWebhooks(t, site, hours, webhooks)
							total.compareBackfill(t, site, hours, backfill)
						}
					})
				}
			}
		}
	})
	t.Logf("%d computations: %d issues, %d of them deleted, %v records and %d values of metrics are equal",
		total.computations, total.issues, total.deleted, total.records, total.values)
	assert.Positive(t, total.deleted)
	assert.Len(t, total.records, 3, "all events occur")
}

// The month. It is in the past, so that all open issues have an age on every computer.
var (
	monthStart  = time.Date(2024, 3, 11, 8, 0, 0, 0, time.UTC)
	monthMiddle = monthStart.AddDate(0, 0, 17)
	monthEnd    = monthStart.AddDate(0, 0, 31)
)

// stuckFor is the time before the end of a part of the month since which issues are stuck.
const stuckFor = 30 * time.Hour

// flowTally counts the equal records and values.
type flowTally struct {
	mu                                    sync.Mutex
	computations, issues, deleted, values int
	records                               map[string]int // by event
}

func (f *flowTally) add(lives []jirasim.Life, o *flowOutputs) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.computations++
	f.issues += len(lives)
	for _, l := range lives {
		if !l.Deleted.IsZero() {
			f.deleted++
		}
	}
	for key := range o.records {
		name, _, _ := strings.Cut(key, " ")
		f.records[name]++
	}
	f.values += len(o.values)
}

// flowRecords returns the records of the webhooks of a team, in parts that end at the given times.
func flowRecords(t *testing.T, site jirasim.Site, ends ...time.Time) (parts []plog.Logs) {
	t.Helper()
	var deliveries []jirasim.Delivery
	for d := range jirasim.Team(site) {
		for len(ends) > 0 && d.At.After(ends[0]) {
			parts = append(parts, logsOfDeliveries(t, deliveries, site.Deployment))
			deliveries, ends = nil, ends[1:]
		}
		if len(ends) == 0 {
			return parts
		}
		deliveries = append(deliveries, d)
	}
	return parts
}

func logsOfDeliveries(t *testing.T, deliveries []jirasim.Delivery, d jirasim.Deployment) plog.Logs {
	t.Helper()
	kept := newKeptLogs()
	r := create(t, listenConfig(), options{sink: &sink{consume: kept.add}})
	require.NoError(t, r.Start(t.Context(), r.host))
	r.post(t, deliveries, d)
	return kept.logs
}

// backfillRecords returns the records of a back-fill after the month.
func backfillRecords(t *testing.T, site jirasim.Site) plog.Logs {
	t.Helper()
	s := serve(t, site, jirasim.NewAPI(site, jirasim.Account{}))
	s.advance(monthEnd.Sub(s.Now())) // the clock is later: it stays
	s.Follow(func() time.Time { return monthEnd })
	kept := newKeptLogs()
	cfg := pollConfig(time.Hour)
	cfg.Poll.StartFrom = monthStart.Format(time.RFC3339)
	o := options{sink: &sink{consume: kept.add}}.withStorage(cfg, newMemory())
	s.poll(t, cfg, o).assertOK(t)
	return kept.logs
}

// keptLogs keeps copies of the records of a pipeline.
type keptLogs struct {
	mu   sync.Mutex
	logs plog.Logs
}

func newKeptLogs() *keptLogs { return &keptLogs{logs: plog.NewLogs()} }

func (k *keptLogs) add(_ context.Context, logs plog.Logs) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, resource := range logs.ResourceLogs().All() {
		resource.CopyTo(k.logs.ResourceLogs().AppendEmpty())
	}
	return nil
}

// shuffled returns the records in another order, each in its own resource, and some of them twice.
func shuffled(logs plog.Logs, seed uint64) plog.Logs {
	random := rand.New(rand.NewPCG(seed, 21))
	var records []plog.ResourceLogs
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, lr := range scope.LogRecords().All() {
				for range 1 + random.IntN(4)/3 {
					one := plog.NewResourceLogs()
					resource.Resource().CopyTo(one.Resource())
					lr.CopyTo(one.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
					records = append(records, one)
				}
			}
		}
	}
	random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	result := plog.NewLogs()
	for _, one := range records {
		one.MoveTo(result.ResourceLogs().AppendEmpty())
	}
	return result
}

// flowOutputs is what the connector has made, or should have made.
type flowOutputs struct {
	records map[string]map[string]any // the attributes of each record, by event, issue and, of lifecycles, time
	times   map[string]time.Time      // of the records, by the same keys
	values  map[string]string         // of counters, histograms and gauges of numbers, by name and labels
	ages    map[string]float64        // of gauges of seconds, by name and labels
}

// runConnector lets a connector read records, and returns its outputs at its end.
func runConnector(t *testing.T, cfg *jiraflowconnector.Config, state component.Component, logs plog.Logs) *flowOutputs {
	t.Helper()
	factory := jiraflowconnector.NewFactory()
	settings := connectortest.NewNopSettings(factory.Type())
	records, metrics := &consumertest.LogsSink{}, &consumertest.MetricsSink{}
	toLogs, err := factory.CreateLogsToLogs(t.Context(), settings, cfg, records)
	require.NoError(t, err)
	toMetrics, err := factory.CreateLogsToMetrics(t.Context(), settings, cfg, metrics)
	require.NoError(t, err)
	host := &host{extensions: map[component.ID]component.Component{storageID: state}}
	for _, half := range []connector.Logs{toLogs, toMetrics} {
		require.NoError(t, half.Start(t.Context(), host))
	}
	require.NoError(t, toLogs.ConsumeLogs(t.Context(), logs))
	for _, half := range []connector.Logs{toLogs, toMetrics} {
		require.NoError(t, half.Shutdown(t.Context()))
	}
	o := &flowOutputs{
		records: map[string]map[string]any{}, times: map[string]time.Time{},
		values: map[string]string{}, ages: map[string]float64{},
	}
	for _, batch := range records.AllLogs() {
		for _, e := range eventsOf(batch) {
			o.addRecord(t, e)
		}
	}
	for _, batch := range metrics.AllMetrics() {
		for _, resource := range batch.ResourceMetrics().All() {
			for _, metric := range resource.ScopeMetrics().At(0).Metrics().All() {
				o.addMetric(metric)
			}
		}
	}
	return o
}

func (o *flowOutputs) addRecord(t *testing.T, e event) {
	t.Helper()
	key := fmt.Sprintf("%s %s", e.name, e.attrs["jira.issue.id"])
	if e.name == "jira.issue.lifecycle" {
		key += " " + e.time.UTC().Format(time.RFC3339Nano)
	}
	assert.NotContains(t, o.records, key)
	assert.NotEmpty(t, e.uid)
	delete(e.attrs, "log.record.uid")
	o.records[key], o.times[key] = e.attrs, e.time
}

func (o *flowOutputs) addMetric(metric pmetric.Metric) {
	switch metric.Type() {
	case pmetric.MetricTypeSum:
		for _, p := range metric.Sum().DataPoints().All() {
			o.values[labelled(metric.Name(), p.Attributes())] = strconv.FormatInt(p.IntValue(), 10)
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range metric.Histogram().DataPoints().All() {
			millis := int64(p.Sum()*1000 + 0.5)
			o.values[labelled(metric.Name(), p.Attributes())] = fmt.Sprint(p.Count(), millis, p.BucketCounts().AsRaw())
		}
	default:
		for _, p := range metric.Gauge().DataPoints().All() {
			name := labelled(metric.Name(), p.Attributes())
			if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				o.ages[name] = p.DoubleValue()
			} else if p.IntValue() != 0 {
				o.values[name] = strconv.FormatInt(p.IntValue(), 10)
			}
		}
	}
}

// labelled returns the name of a metric with the values of its attributes: previous and current mapped status, type
// and project.
func labelled(name string, attributes pcommon.Map) string {
	parts := []string{name}
	for _, key := range []string{
		"jira.issue.status.previous.mapped", "jira.issue.status.mapped", "jira.issue.type.name", "jira.project.key",
	} {
		if value, found := attributes.Get(key); found {
			parts = append(parts, value.Str())
		}
	}
	return strings.Join(parts, " ")
}

// flowConfig returns a configuration whose issues settle only at the end. Issues are stuck if they have been in their
// status since a time, or for a shorter time in BILL. Issues with the priority Low are never stuck.
func flowConfig(hours *workingHours, stuckSince time.Time) *jiraflowconnector.Config {
	cfg := jiraflowconnector.NewFactory().CreateDefaultConfig().(*jiraflowconnector.Config)
	cfg.SettleTime, cfg.Metrics.FlushInterval = time.Hour, time.Hour
	cfg.Metrics.CountBackfill = true
	cfg.Storage = &storageID
	none, limit := time.Duration(0), hours.between(stuckSince, time.Now())
	short := hours.between(stuckSince.Add(stuckFor/2), time.Now())
	cfg.Stuck.Rules = []jiraflowconnector.StuckRule{
		{Priorities: []string{"Low"}, Limit: &none},
		{Projects: []string{"BILL"}, Statuses: []string{"processing"}, Limit: &short},
	}
	cfg.Stuck.Limits = map[string]time.Duration{"planned": limit, "processing": limit}
	if hours != nil {
		cfg.Calendar = &jiraflowconnector.CalendarConfig{
			TimeZone: "Europe/Berlin", Weekdays: []string{"monday", "tuesday", "wednesday", "thursday", "friday"},
			Hours: []string{"08:30-12:00", "13:00-17:15"}, Holidays: []string{"2024-03-29", "2024-04-01"},
		}
	}
	return cfg
}

func (f *flowTally) compareWebhooks(t *testing.T, site jirasim.Site, hours *workingHours, parts []plog.Logs) {
	t.Helper()
	expected := &expectation{site: site, hours: hours, stuck: map[string]*sentStuck{}}
	state := newFlowStorage()
	begin := monthStart.Add(-time.Hour)
	for n, end := range []time.Time{monthMiddle, monthEnd} {
		cfg := flowConfig(hours, end.Add(-stuckFor))
		lives := jirasim.Lives(site, end)
		before := time.Now()
		got := runConnector(t, cfg, state, shuffled(parts[n], site.Seed))
		expected.compare(t, cfg, lives, begin, got, before, time.Now())
		f.add(lives, got)
		begin = end
	}
}

func (f *flowTally) compareBackfill(t *testing.T, site jirasim.Site, hours *workingHours, records plog.Logs) {
	t.Helper()
	expected := &expectation{site: site, hours: hours, stuck: map[string]*sentStuck{}}
	lives := slices.DeleteFunc(jirasim.Lives(site, monthEnd), func(l jirasim.Life) bool { return !l.Deleted.IsZero() })
	cfg := flowConfig(hours, monthEnd.Add(-stuckFor))
	before := time.Now()
	got := runConnector(t, cfg, newFlowStorage(), shuffled(records, site.Seed))
	expected.compare(t, cfg, lives, monthStart.Add(-time.Hour), got, before, time.Now())
	f.add(lives, got)
}

// workingHours counts working time day by day. The zero pointer counts all time.
type workingHours struct {
	zone     *time.Location
	spans    [][2]time.Duration // since midnight
	holidays []string
}

var office = &workingHours{
	zone:     berlin(),
	spans:    [][2]time.Duration{{8*time.Hour + 30*time.Minute, 12 * time.Hour}, {13 * time.Hour, 17*time.Hour + 15*time.Minute}},
	holidays: []string{"2024-03-29", "2024-04-01"},
}

func berlin() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return zone
}

func (w *workingHours) between(from, to time.Time) (total time.Duration) {
	if w == nil {
		return to.Sub(from)
	}
	from, to = from.In(w.zone), to.In(w.zone)
	for day := from.AddDate(0, 0, -1); !day.After(to.AddDate(0, 0, 1)); day = day.AddDate(0, 0, 1) {
		isFree := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday ||
			slices.Contains(w.holidays, day.Format(time.DateOnly))
		if isFree {
			continue
		}
		for _, span := range w.spans {
			begin, end := w.clock(day, span[0]), w.clock(day, span[1])
			if begin.Before(from) {
				begin = from
			}
			if end.After(to) {
				end = to
			}
			total += max(0, end.Sub(begin))
		}
	}
	return total
}

// clock returns the time at which the clock shows a time of the day.
func (w *workingHours) clock(day time.Time, at time.Duration) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), int(at.Hours()), int(at.Minutes())%60, 0, 0, w.zone)
}

// The mapping of the receiver, by docs/status-mapping.md.
var (
	mappedNames = map[string]string{
		"To Do": "planned", "Open": "processing", "Reopened": "processing", "In Progress": "processing",
		"Canceled": "canceled", "Done": "done", "Resolved": "done", "Closed": "done",
	}
	mappedCategories = map[string]string{"new": "planned", "indeterminate": "processing", "done": "done"}
)

func mappedOf(s jirasim.StatusName) string {
	return cmp.Or(mappedNames[s.Name], mappedCategories[s.Category])
}

func isEnd(s jirasim.StatusName) bool { return mappedOf(s) == "done" || mappedOf(s) == "canceled" }

// expectedStay is a stay in a status.
type expectedStay struct {
	in           jirasim.StatusName
	since, until time.Time // until is zero for the current status
}

// staysOf returns all stays of an issue. A deletion does not end a stay.
func staysOf(l jirasim.Life) []expectedStay {
	stays := []expectedStay{{in: l.First, since: l.Created}}
	for _, m := range l.Moves {
		stays[len(stays)-1].until = m.At
		stays = append(stays, expectedStay{in: m.To, since: m.At})
	}
	return stays
}

// expectation computes what the connector should make.
type expectation struct {
	site  jirasim.Site
	hours *workingHours
	stuck map[string]*sentStuck // by id of the issue: the connector has sent that it is stuck

	cfg     *jiraflowconnector.Config
	records map[string]map[string]any
	counts  map[string]int
	times   map[string][]time.Duration
}

// sentStuck is a stay of which the connector has sent at a time that the issue is stuck.
type sentStuck struct {
	*expectedStay
	at time.Time
}

// compare computes the outputs of the moves after begin, and compares them with the outputs of the connector, which has
// sent its last metrics between the times before and after.
func (x *expectation) compare(
	t *testing.T, cfg *jiraflowconnector.Config, lives []jirasim.Life, begin time.Time, got *flowOutputs, before, after time.Time,
) {
	t.Helper()
	x.cfg, x.records, x.counts, x.times = cfg, map[string]map[string]any{}, map[string]int{}, map[string][]time.Duration{}
	ages := map[string][2]float64{}
	for _, l := range lives {
		stays := staysOf(l)
		x.addMoves(l, stays, begin)
		x.addUnstuck(t, l, stays, got)
		current := &stays[len(stays)-1]
		if !l.Deleted.IsZero() || isEnd(current.in) {
			continue
		}
		x.addOpen(t, l, current, got, before, after)
		for name, since := range map[string]time.Time{"oldest_age": l.Created, "longest_in_status": current.since} {
			name = x.name(name, l, mappedOf(current.in))
			low, high := x.hours.between(since, before).Seconds(), x.hours.between(since, after).Seconds()
			ages[name] = [2]float64{max(low, ages[name][0]), max(high, ages[name][1])}
		}
	}
	assert.Equal(t, x.records, got.records)
	assert.Equal(t, x.values(), got.values)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(ages)), slices.Collect(maps.Keys(got.ages)))
	for name, bounds := range ages {
		assert.GreaterOrEqual(t, got.ages[name], bounds[0]-0.002, name)
		assert.LessOrEqual(t, got.ages[name], bounds[1]+0.002, name)
	}
}

// name returns the name of a metric with its labels, in the order of labelled.
func (x *expectation) name(metric string, l jirasim.Life, mapped ...string) string {
	return strings.Join(slices.Concat([]string{"jira.issue." + metric}, mapped, []string{l.Type, l.Project}), " ")
}

// values returns the values of the metrics as text.
func (x *expectation) values() map[string]string {
	values := map[string]string{}
	for name, count := range x.counts {
		values[name] = strconv.Itoa(count)
	}
	for name, times := range x.times {
		sum, buckets := time.Duration(0), make([]uint64, len(x.cfg.Metrics.Buckets)+1)
		for _, d := range times {
			sum += d
			at := 0
			for at < len(x.cfg.Metrics.Buckets) && d > x.cfg.Metrics.Buckets[at] {
				at++
			}
			buckets[at]++
		}
		values[name] = fmt.Sprint(len(times), sum.Milliseconds(), buckets)
	}
	return values
}

// addMoves adds the outputs of the creation and the moves after a time.
func (x *expectation) addMoves(l jirasim.Life, stays []expectedStay, begin time.Time) {
	if l.Created.After(begin) {
		x.counts[x.name("created", l)]++
	}
	for i, m := range l.Moves {
		from, to := stays[i].in, m.To
		if !m.At.After(begin) {
			continue
		}
		x.counts[x.name("transitions", l, mappedOf(from), mappedOf(to))]++
		inStatus := x.name("time_in_status", l, mappedOf(from))
		x.times[inStatus] = append(x.times[inStatus], x.hours.between(stays[i].since, m.At))
		switch {
		case isEnd(from) && !isEnd(to):
			x.counts[x.name("reopened", l)]++
		case !isEnd(from) && isEnd(to):
			x.counts[x.name("resolved", l, mappedOf(to))]++
			x.addLifecycle(l, stays[:i+1], m)
		}
	}
}

// addLifecycle adds the record of a resolution, which ends the last stay.
func (x *expectation) addLifecycle(l jirasim.Life, stays []expectedStay, resolution jirasim.Move) {
	attributes := x.issue(l)
	put := func(key string, d time.Duration) { attributes["jira.issue."+key+"_seconds"] = int64(d / time.Second) }
	lead := x.hours.between(l.Created, resolution.At)
	put("lead_time", lead)
	leads := x.name("lead_time", l, mappedOf(resolution.To))
	x.times[leads] = append(x.times[leads], lead)

	var started time.Time
	var active, waiting time.Duration
	inStatus, inMapped, visits := map[string]time.Duration{}, map[string]time.Duration{}, map[string]int64{}
	var order []jirasim.StatusName
	reopenings := int64(0)
	for i, stay := range stays {
		isNew := i == 0 && stay.in.Category == "new"
		if started.IsZero() && mappedOf(stay.in) == "processing" && !isNew {
			started = stay.since
		}
		if i > 0 && isEnd(stays[i-1].in) && !isEnd(stay.in) {
			reopenings++
		}
		spent := x.hours.between(stay.since, stay.until)
		if visits[stay.in.ID] == 0 {
			order = append(order, stay.in)
		}
		visits[stay.in.ID]++
		inStatus[stay.in.ID] += spent
		inMapped[mappedOf(stay.in)] += spent
		switch {
		case started.IsZero() || isEnd(stay.in):
		case mappedOf(stay.in) == "processing":
			active += spent
		default:
			waiting += spent
		}
	}
	if !started.IsZero() {
		cycle := x.hours.between(started, resolution.At)
		cycles := x.name("cycle_time", l, mappedOf(resolution.To))
		x.times[cycles] = append(x.times[cycles], cycle)
		put("cycle_time", cycle)
		put("active_time", active)
		put("waiting_time", waiting)
		attributes["jira.issue.cycle_started_at"] = jiraTime(started)
		if active+waiting > 0 {
			attributes["jira.issue.flow_efficiency"] = float64(active) / float64(active+waiting)
		}
	}
	for mapped, spent := range inMapped {
		attributes["jira.issue.time_in_mapped_status_seconds."+mapped] = int64(spent / time.Second)
	}
	var list []any
	for _, s := range order {
		spent := int64(inStatus[s.ID] / time.Second)
		list = append(list, map[string]any{
			"id": s.ID, "name": s.Name, "mapped": mappedOf(s), "seconds": spent, "visits": visits[s.ID],
		})
		attributes["jira.issue.time_in_status_seconds."+strings.ReplaceAll(strings.ToLower(s.Name), " ", "_")] = spent
	}
	attributes["jira.issue.time_in_statuses"] = list
	attributes["jira.issue.reopen_count"] = reopenings
	attributes["jira.issue.lifecycle.complete"] = true
	attributes["jira.issue.resolved_at"] = jiraTime(resolution.At)
	attributes["jira.changelog.id"] = strconv.Itoa(resolution.Changelog)
	putStatus(attributes, "jira.issue.status.", resolution.To)
	x.records["jira.issue.lifecycle "+l.ID+" "+resolution.At.UTC().Format(time.RFC3339Nano)] = attributes
}

// issue returns the attributes that all records of an issue have.
func (x *expectation) issue(l jirasim.Life) map[string]any {
	site := map[jirasim.Deployment]string{
		jirasim.Cloud: "https://acme.atlassian.net", jirasim.DataCenter: "https://jira.example.com/context",
	}[x.site.Deployment]
	return map[string]any{
		"jira.issue.id": l.ID, "jira.issue.key": l.Key, "url.full": site + "/browse/" + l.Key,
		"jira.project.key": l.Project, "jira.issue.type.name": l.Type, "jira.issue.priority.name": l.Priority,
		"jira.issue.created_at": jiraTime(l.Created),
	}
}

func jiraTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func putStatus(attributes map[string]any, prefix string, s jirasim.StatusName) {
	attributes[prefix+"id"], attributes[prefix+"name"], attributes[prefix+"mapped"] = s.ID, s.Name, mappedOf(s)
}

// limit returns the longest time of an issue in a status, by the rules of flowConfig.
func (x *expectation) limit(l jirasim.Life, in jirasim.StatusName) time.Duration {
	switch {
	case l.Priority == "Low":
		return 0
	case l.Project == "BILL" && mappedOf(in) == "processing":
		return *x.cfg.Stuck.Rules[1].Limit
	default:
		return x.cfg.Stuck.Limits[mappedOf(in)]
	}
}

// addOpen adds the outputs of an open issue.
func (x *expectation) addOpen(
	t *testing.T, l jirasim.Life, current *expectedStay, got *flowOutputs, before, after time.Time,
) {
	t.Helper()
	mapped := mappedOf(current.in)
	x.counts[x.name("open", l, mapped)]++
	if !l.IsAssigned {
		x.counts[x.name("unassigned", l, mapped)]++
	}
	if l.IsFlagged {
		x.counts[x.name("flagged", l, mapped)]++
	}
	limit, atLeast := x.limit(l, current.in), x.hours.between(current.since, before)
	if limit == 0 || x.hours.between(current.since, after) < limit {
		return
	}
	x.counts[x.name("stuck", l, mapped)]++
	if x.stuck[l.ID] != nil {
		return // sent before
	}
	attributes := x.issue(l)
	putStatus(attributes, "jira.issue.status.", current.in)
	attributes["jira.issue.status.since"] = jiraTime(current.since)
	attributes["jira.issue.stuck.limit_seconds"] = int64(limit / time.Second)
	attributes["jira.issue.assigned"] = l.IsAssigned
	if l.IsFlagged {
		attributes["jira.issue.flagged"] = true
	}
	key := "jira.issue.stuck " + l.ID
	x.records[key] = attributes
	x.stuck[l.ID] = &sentStuck{current, got.times[key]}
	duration, _ := got.records[key]["jira.issue.status.duration_seconds"].(int64)
	assert.GreaterOrEqual(t, duration, int64(atLeast/time.Second), key)
	assert.LessOrEqual(t, duration, int64(x.hours.between(current.since, after)/time.Second), key)
	delete(got.records[key], "jira.issue.status.duration_seconds")
}

// addUnstuck adds the end of a stay for which the connector has sent that the issue is stuck.
// The end follows the beginning, although the test sends all records later than they happened.
func (x *expectation) addUnstuck(t *testing.T, l jirasim.Life, stays []expectedStay, got *flowOutputs) {
	t.Helper()
	stuck := x.stuck[l.ID]
	if stuck == nil {
		return
	}
	at := slices.IndexFunc(stays, func(s expectedStay) bool { return s.since.Equal(stuck.since) })
	left := cmp.Or(stays[at].until, l.Deleted)
	if left.IsZero() {
		return
	}
	delete(x.stuck, l.ID)
	attributes := x.issue(l)
	putStatus(attributes, "jira.issue.status.", stays[len(stays)-1].in)
	putStatus(attributes, "jira.issue.status.previous.", stuck.in)
	attributes["jira.issue.status.previous.duration_seconds"] = int64(x.hours.between(stuck.since, left) / time.Second)
	key := "jira.issue.unstuck " + l.ID
	x.records[key] = attributes
	assert.Equal(t, stuck.at.Add(time.Millisecond), got.times[key], key)
}

// flowStorage is a storage extension with one client.
type flowStorage struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
	mu      sync.Mutex
	content map[string][]byte
}

func newFlowStorage() *flowStorage { return &flowStorage{content: map[string][]byte{}} }

// GetClient implements [storage.Extension].
func (s *flowStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

// Batch implements [storage.Client].
func (s *flowStorage) Batch(_ context.Context, operations ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = s.content[o.Key]
		case storage.Set:
			s.content[o.Key] = o.Value
		case storage.Delete:
			delete(s.content, o.Key)
		}
	}
	return nil
}

// Close implements [storage.Client].
func (*flowStorage) Close(context.Context) error { return nil }
