// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// way is the way in which the events of a site reach a receiver.
type way string

const (
	byPolling  way = "poll"     // many runs while the team works
	byBackfill way = "backfill" // one walk over the past
)

const anything = "" // any deployment

// direction is the way in which a record of the REST API may differ from the record of the webhook.
type direction string

const (
	lacks   direction = "lacks"   // only the record of the webhook has the attribute
	adds    direction = "adds"    // only the record of the REST API has it
	differs direction = "differs" // both have it
)

// exception is an attribute, or a pattern of attributes, in which records may differ. The timestamp, the severity, the
// body and the resource count as attributes, too.
type exception struct {
	event      string // pattern of event names
	deployment jirasim.Deployment
	direction  direction
	attribute  string
	reason     string
}

// exceptions are all differences of records with the same uid.
var exceptions = []exception{
	{"*", anything, differs, "jira.webhook.source", "it is the difference: webhook, poll or backfill"},
	{"*", jirasim.Cloud, lacks, "jira.webhook.id", "there is no delivery"},
	{"*", jirasim.Cloud, lacks, "jira.webhook.flow", "there is no delivery"},
	{"jira.issue.*", anything, lacks, "jira.webhook.issue_event_type", "the REST API does not contain it"},
	{"jira.issue.created", jirasim.Cloud, lacks, "jira.changelog.*", "the REST API has no changelog of a new issue"},

	{"jira.worklog.*", anything, adds, "jira.issue.*", "webhooks contain only the id of the issue"},
	{"jira.worklog.*", anything, adds, "jira.project.*", "webhooks contain only the id of the issue"},
	{"jira.worklog.*", anything, adds, "url.full", "webhooks contain only the id of the issue"},
	{"jira.worklog.*", anything, differs, "body", "webhooks contain only the id of the issue"},
	{"jira.comment.*", jirasim.DataCenter, adds, "jira.issue.*", "webhooks contain only the id of the issue"},
	{"jira.comment.*", jirasim.DataCenter, adds, "jira.project.*", "webhooks contain only the id of the issue"},
	{"jira.comment.*", jirasim.DataCenter, adds, "url.full", "webhooks contain only the id of the issue"},
	{"jira.comment.*", jirasim.DataCenter, differs, "body", "webhooks contain only the id of the issue"},

	{"jira.worklog.deleted", anything, lacks, "jira.issue.id", "the REST API contains only the id of a deleted worklog"},
	{"jira.worklog.deleted", anything, lacks, "jira.worklog.*", "the REST API contains only the id of a deleted worklog"},
	{"jira.worklog.deleted", jirasim.DataCenter, differs, "resource", "without a person, the type of the site is not known"},
	{"jira.comment.created", anything, lacks, "jira.comment.body", "the comment was edited later"},
	{"jira.comment.created", jirasim.Cloud, lacks, "jira.comment.public", "the comment was edited later"},
	{"jira.worklog.created", anything, lacks, "jira.worklog.*", "the worklog was edited later"},

	{"jira.issue.*", anything, lacks, "jira.issue.resolved_at", "histories do not contain the resolution date"},
	{"jira.issue.*", anything, lacks, "jira.issue.links", "the linked issue was deleted later"},
	{"jira.issue.*", anything, differs, "jira.issue.links", "a linked issue was moved or deleted later"},
}

// absence is a kind of records of one side that have no counterpart on the other side.
type absence struct {
	event      string // pattern of event names
	deployment jirasim.Deployment
	reason     string
	applies    func(h *happenings, e event) bool // nil: always
}

// onlyWebhooks are all records of webhooks that the REST API does not lead to.
var onlyWebhooks = []absence{
	{event: "jira.sprint.*", reason: "sprints are not issues"},
	{event: "jira.version.*", reason: "versions are not issues"},
	{event: "jira.attachment.*", reason: "the REST API shows a change of the issue"},
	{event: "jira.issue_link.*", reason: "the REST API shows changes of both issues"},
	{event: "jira.issue.deleted", reason: "deleted issues are gone"},
	{event: "jira.comment.deleted", reason: "deleted comments are gone"},
	{
		event: "jira.issue.updated", deployment: jirasim.DataCenter, reason: "second delivery of a comment",
		applies: func(_ *happenings, e event) bool { return e.has("jira.comment.id") && !e.has("jira.changelog.id") },
	},
	{
		event: "jira.issue.field_changed", deployment: jirasim.Cloud, reason: "first value of a field of a new issue",
		applies: func(h *happenings, e event) bool {
			return h.parents[e.text("jira.changelog.id")] == "jira.issue.created"
		},
	},
	{
		event: "*", reason: "the issue was deleted before the next run",
		applies: func(h *happenings, e event) bool { return h.isGone(h.issues, e, "jira.issue.id") },
	},
	{
		event: "jira.worklog.*", reason: "the worklog was deleted before the next run",
		applies: func(h *happenings, e event) bool { return h.isGone(h.worklogs, e, "jira.worklog.id") },
	},
}

// onlyREST are all records of the REST API that no webhook leads to.
var onlyREST = []absence{
	{
		event: "jira.issue.*", reason: "history of a link, which has its own webhook",
		applies: func(_ *happenings, e event) bool { return e.isChangeOf("Link") },
	},
	{
		event: "jira.issue.*", reason: "history of an attachment, which has its own webhook",
		applies: func(_ *happenings, e event) bool { return e.isChangeOf("Attachment") },
	},
	{
		event: "jira.issue.*", deployment: jirasim.Cloud, reason: "history of a worklog, which has its own webhook",
		applies: func(_ *happenings, e event) bool { return e.isChangeOf("WorklogId") },
	},
}

func (e event) has(attribute string) bool { return e.attrs[attribute] != nil }

func (e event) text(attribute string) string {
	value, _ := e.attrs[attribute].(string)
	return value
}

func (e event) isChangeOf(field string) bool {
	fields, _ := e.attrs["jira.changelog.fields"].([]any)
	return slices.ContainsFunc(append(fields, e.text("jira.change.field")), func(f any) bool {
		return strings.EqualFold(f.(string), field) // ids of fields begin with a small letter
	})
}

// happenings are the facts about a site that decide which records the REST API lacks.
type happenings struct {
	issues, worklogs map[string]time.Time // times of deletions, by id
	parents          map[string]string    // event names, by id of the changelog
	runs             []time.Time
}

func newHappenings(webhooks map[string]event, runs []time.Time) *happenings {
	h := &happenings{map[string]time.Time{}, map[string]time.Time{}, map[string]string{}, runs}
	for _, e := range webhooks {
		switch e.name {
		case "jira.issue.deleted":
			h.issues[e.text("jira.issue.id")] = e.time
		case "jira.worklog.deleted":
			h.worklogs[e.text("jira.worklog.id")] = e.time
		case "jira.issue.created":
			h.parents[e.text("jira.changelog.id")] = e.name
		}
	}
	return h
}

// isGone reports whether no run took place between an event and the deletion of its subject.
func (h *happenings) isGone(deletions map[string]time.Time, e event, attribute string) bool {
	deleted, isDeleted := deletions[e.text(attribute)]
	return isDeleted && !slices.ContainsFunc(h.runs, func(run time.Time) bool {
		return !run.Before(e.time) && run.Before(deleted)
	})
}

// TestSameRecordsAsWebhooks lets simulated teams work. One receiver gets their webhooks, one polls while they work, and
// one reads everything afterwards. All of them must have the same records, except for the tables above.
func TestSameRecordsAsWebhooks(t *testing.T) {
	t.Parallel()
	const seed = 29 // with the seeds after it, all rows of the tables above occur
	days, languages := 15, jirasim.Languages()
	modes := []jirareceiver.ChangelogMode{jirareceiver.ChangelogAttributes, jirareceiver.ChangelogSplit}
	if testing.Short() {
		days, languages, modes = 3, languages[:1], modes[1:]
	}
	total := newComparison()
	t.Run("sites", func(t *testing.T) {
		for n, language := range languages {
			for _, deployment := range []jirasim.Deployment{jirasim.Cloud, jirasim.DataCenter} {
				for _, mode := range modes {
					s := jirasim.Site{Deployment: deployment, Language: language, Seed: uint64(seed + n), Start: start}
					w := &world{Site: s, mode: mode, end: start.AddDate(0, 0, days)}
					t.Run(fmt.Sprintf("%s %s %s", deployment, mode, language), func(t *testing.T) {
						t.Parallel()
						webhooks := w.receive(t)
						for _, by := range []way{byPolling, byBackfill} {
							records, runs := w.read(t, by)
							total.compare(w, by, webhooks, records, newHappenings(webhooks, runs))
						}
					})
				}
			}
		}
	})
	total.report(t, !testing.Short())
}

// world is a site until a point in time.
type world struct {
	jirasim.Site
	mode jirareceiver.ChangelogMode
	end  time.Time
}

// configure selects everything that records can contain.
func (w *world) configure(cfg *jirareceiver.Config) *jirareceiver.Config {
	cfg.Changelog = w.mode
	cfg.CustomFields = map[string]string{"customfield_10016": "points"}
	cfg.Include.UserDetails, cfg.Include.Description, cfg.Include.CommentBody = true, true, true
	return cfg
}

// receive posts all deliveries of the site to a receiver, and returns the records.
func (w *world) receive(t *testing.T) map[string]event {
	t.Helper()
	var deliveries []jirasim.Delivery
	for d := range jirasim.Team(w.Site) {
		if d.At.After(w.end) {
			break
		}
		deliveries = append(deliveries, d)
	}
	return receive(t, w.configure(listenConfig()), deliveries, w.Deployment)
}

// read returns the records of a receiver that polls or back-fills, and the times of its runs. The account is in another
// time zone than the site.
func (w *world) read(t *testing.T, by way) (map[string]event, []time.Time) {
	t.Helper()
	const interval = 3 * time.Hour
	account := jirasim.Account{User: "bot", Token: "hunter2", Zone: time.FixedZone("NST", -(3*60+30)*60)}
	s := newSite(t, w.Site, account)
	s.SetFaults(jirasim.Faults{SilentHistories: true}) // as real sites
	cfg := w.configure(pollConfig(interval))
	o := options{}.withCredentials(cfg, newCredentials(account))
	if by == byBackfill {
		cfg.SiteURL = otherSpellings[w.Deployment]
		cfg.Poll.StartFrom = start.Format(time.RFC3339)
		o = o.withStorage(cfg, newMemory())
		s.advance(w.end.Sub(s.Now()))
	}
	r := s.poll(t, cfg, o)
	runs := []time.Time{s.Now()}
	for s.Now().Before(w.end) {
		r.run(t)
		runs = append(runs, s.Now())
	}
	r.assertOK(t)
	return r.byUID(t), runs
}

// otherSpellings are the addresses of the sites in a form that Jira does not use.
var otherSpellings = map[jirasim.Deployment]string{
	jirasim.Cloud: "HTTPS://ACME.atlassian.net:443/", jirasim.DataCenter: "https://Jira.Example.com/context/",
}

// comparison counts what is equal, and what is not.
type comparison struct {
	mu         sync.Mutex
	rows       map[string]*tally // by deployment, way and mode
	exceptions map[string]int    // by key
	absences   map[string]int    // by key
	unexpected map[string]int
}

type tally struct{ webhooks, rest, equal, attributes, equalAttributes int }

func newComparison() *comparison {
	return &comparison{
		rows: map[string]*tally{}, exceptions: map[string]int{}, absences: map[string]int{}, unexpected: map[string]int{},
	}
}

func (c *comparison) compare(w *world, by way, webhooks, records map[string]event, h *happenings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := fmt.Sprintf("%-11s %-8s %-10s", w.Deployment, by, w.mode)
	row := c.rows[key]
	if row == nil {
		row = &tally{}
		c.rows[key] = row
	}
	row.webhooks += len(webhooks)
	row.rest += len(records)
	for uid, e := range webhooks {
		if other, exists := records[uid]; exists {
			row.equal++
			c.compareRecords(w, by, row, e, other)
		} else {
			c.countAbsence("only webhooks", onlyWebhooks, w, by, h, e)
		}
	}
	for uid, e := range records {
		if _, exists := webhooks[uid]; !exists {
			c.countAbsence("only REST", onlyREST, w, by, h, e)
		}
	}
}

func (c *comparison) countAbsence(side string, table []absence, w *world, by way, h *happenings, e event) {
	for _, a := range table {
		if a.explains(h, w.Deployment, e) {
			c.absences[a.key(side, by)]++
			return
		}
	}
	c.unexpected[fmt.Sprintf("%s: %s %s: %s", side, w.Deployment, by, e.name)]++
}

// explains reports whether the absence is the reason why an event has no counterpart.
func (a absence) explains(h *happenings, d jirasim.Deployment, e event) bool {
	isEvent, _ := path.Match(a.event, e.name)
	return isEvent && (a.deployment == anything || a.deployment == d) && (a.applies == nil || a.applies(h, e))
}

// values returns everything that a record contains besides its uid.
func (e event) values() map[string]any {
	values := maps.Clone(e.attrs)
	values["timestamp"], values["severity"], values["body"], values["resource"] = e.time, e.severity, e.body, e.resource
	values["event"] = e.name
	return values
}

func (c *comparison) compareRecords(w *world, by way, row *tally, webhook, rest event) {
	wanted, got := webhook.values(), rest.values()
	names := maps.Clone(wanted)
	maps.Copy(names, got)
	for name := range names {
		row.attributes++
		want, isWanted := wanted[name]
		value, exists := got[name]
		var d direction
		switch {
		case !exists:
			d = lacks
		case !isWanted:
			d = adds
		case !reflect.DeepEqual(want, value):
			d = differs
		default:
			row.equalAttributes++
			continue
		}
		if e, found := exceptionOf(w.Deployment, webhook.name, d, name); found {
			c.exceptions[e.key(by)]++
		} else {
			c.unexpected[fmt.Sprintf("%s %s %s %s", w.Deployment, webhook.name, d, name)]++
		}
	}
}

func exceptionOf(deployment jirasim.Deployment, event string, d direction, attribute string) (exception, bool) {
	for _, e := range exceptions {
		isEvent, _ := path.Match(e.event, event)
		isAttribute, _ := path.Match(e.attribute, attribute)
		if isEvent && isAttribute && e.direction == d && (e.deployment == anything || e.deployment == deployment) {
			return e, true
		}
	}
	return exception{}, false
}

// report logs the numbers, and checks that there is no other difference than those of the tables, and that each row of
// the tables is necessary.
func (c *comparison) report(t *testing.T, isComplete bool) {
	t.Helper()
	assert.Empty(t, c.unexpected)
	lines := []string{"records with equal uids, and their attributes:"}
	for _, key := range slices.Sorted(maps.Keys(c.rows)) {
		r := c.rows[key]
		lines = append(lines, fmt.Sprintf("%s webhooks %5d  REST %5d  both %5d  attributes %6d  equal %6d",
			key, r.webhooks, r.rest, r.equal, r.attributes, r.equalAttributes))
	}
	lines = append(lines, "records of one side, by poll and by backfill:")
	for side, table := range map[string][]absence{"only webhooks": onlyWebhooks, "only REST": onlyREST} {
		for _, a := range table {
			poll, backfill := c.absences[a.key(side, byPolling)], c.absences[a.key(side, byBackfill)]
			lines = append(lines, fmt.Sprintf("%6d %6d  %s", poll, backfill, a.key(side, "")))
			assert.True(t, poll+backfill > 0 || !isComplete, "the row is necessary: %s", a.reason)
		}
	}
	lines = append(lines, "attributes that differ, by poll and by backfill:")
	for _, e := range exceptions {
		poll, backfill := c.exceptions[e.key(byPolling)], c.exceptions[e.key(byBackfill)]
		lines = append(lines, fmt.Sprintf("%6d %6d  %s", poll, backfill, e.key("")))
		assert.True(t, poll+backfill > 0 || !isComplete, "the exception is necessary: %+v", e)
	}
	t.Log(strings.Join(lines, "\n"))
}

func (a absence) key(side string, by way) string {
	return fmt.Sprintf("%s %s %s %s: %s", by, side, a.deployment, a.event, a.reason)
}

func (e exception) key(by way) string {
	return fmt.Sprintf("%s %s %s %s %s: %s", by, e.deployment, e.event, e.direction, e.attribute, e.reason)
}
