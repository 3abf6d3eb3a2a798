// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// mayBeUnknown are the fields of an issue that an earlier event may lack although it had them. All other fields are
// exact. A site with translated names of fields may lack all of them.
var mayBeUnknown = map[string]string{
	"Resolved":      "no history contains the resolution date",
	"CategorySince": "only the last one is known",
	"Links":         "the history of a link that was removed contains neither its id nor its type",
	"Sprints":       "a sprint that the issue has left is unknown",
	"CustomFields":  "most histories do not contain the value as issues do",
	"Subtasks":      "subtasks have no history",
}

// dialect is the form of the histories of a site.
type dialect int

const (
	cloud dialect = iota
	dataCenter
	translated // Data Center with names of fields in another language
)

// TestRandomLives lets issues live at random. After each change, the event of the history has the contents that the
// issue had after the change.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	lives := 100
	if testing.Short() {
		lives = 20
	}
	for seed := range uint64(lives) {
		for _, d := range []dialect{cloud, dataCenter, translated} {
			l := newLife(seed, d)
			l.live(25)
			events := l.input().Events(time.Time{}, l.now.Add(time.Hour))
			require.Len(t, events, len(l.want))
			for i, ev := range events {
				l.compare(t, l.want[i], ev)
			}
			l.checkPermutation(t, events)
			l.checkWindows(t, events)
			if t.Failed() {
				t.Fatalf("seed %d, dialect %d", seed, d)
			}
		}
	}
}

// life is an issue with its past, and the webhooks of the past.
type life struct {
	dice      *rand.Rand
	dialect   dialect
	now       time.Time
	lastID    int
	issue     jira.Issue
	histories []jira.History
	comments  []jira.Comment
	worklogs  []jira.Worklog
	want      []*jira.Event
}

const (
	numberField = "customfield_10001"
	textField   = "customfield_10002"
	optionField = "customfield_10003"
)

var customNames = map[string][]string{
	"Points": {numberField}, "Team": {textField}, "Size": {optionField, "customfield_10009"},
}

func newLife(seed uint64, d dialect) *life {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	l := &life{dice: rand.New(rand.NewPCG(seed, uint64(d))), dialect: d, now: start, lastID: 9990}
	l.issue = jira.Issue{
		ID: "1", Key: "OPS-1", Self: "https://acme.atlassian.net/rest/api/2/1", Summary: "Summary 1",
		Created: start, Updated: start,
		Type: namedNo(3, 1), Priority: namedNo(4, 1), Status: l.statusNo(1), Creator: personNo(0), Reporter: personNo(0),
		Project: jira.Project{Entity: jira.Entity{ID: "501"}, Name: "Project 1"},
	}
	if d == cloud {
		l.issue.CategorySince = start
	}
	l.expect(issueCreated, personNo(0))
	return l
}

func (l *life) input() Input {
	issue := l.issue
	return Input{
		Issue: &issue, Histories: l.histories, Comments: l.comments, Worklogs: l.worklogs,
		IsDataCenter: l.dialect != cloud, FieldIDs: customNames,
	}
}

// expect adds the webhook of a change. Its issue is a copy, whose slices no later change writes to.
func (l *life) expect(name string, by jira.User) *jira.Event {
	issue := l.issue
	ev := &jira.Event{Name: name, Timestamp: l.now, User: by, Issue: &issue}
	l.want = append(l.want, ev)
	return ev
}

func (l *life) live(steps int) {
	for range steps {
		l.now = l.now.Add(time.Duration(1+l.dice.IntN(100_000)) * time.Millisecond)
		switch l.dice.IntN(8) {
		case 0:
			l.write()
		case 1:
			l.log()
		default:
			l.change()
		}
	}
}

func (l *life) id() string {
	l.lastID++
	return strconv.Itoa(l.lastID)
}

// change changes one to three fields.
func (l *life) change() {
	h := jira.History{Changelog: jira.Changelog{ID: l.id()}, Author: personNo(l.dice.IntN(4)), Created: l.now}
	for range 1 + l.dice.IntN(3) {
		h.Items = append(h.Items, l.changes()[l.dice.IntN(len(l.changes()))]()...)
	}
	l.issue.Updated = l.now
	l.histories = append(l.histories, h)
	l.expect(issueUpdated, h.Author).Changelog = h.Changelog
}

// changes are all changes that can happen to an issue.
func (l *life) changes() []func() []jira.Change {
	i := &l.issue
	return []func() []jira.Change{
		func() []jira.Change { return l.changeText("summary", "summary", &i.Summary) },
		func() []jira.Change { return l.changeText("description", "description", &i.Description) },
		func() []jira.Change { return l.changeNamed("issuetype", &i.Type, 3) },
		func() []jira.Change { return l.changeNamed("priority", &i.Priority, 4) },
		func() []jira.Change { return l.changeNamed("security", &i.SecurityLevel, 6) },
		l.transition, l.transition, l.resolve, l.label, l.plan, l.adopt, l.move, l.relate, l.enter, l.flag,
		func() []jira.Change { return l.changePerson("assignee", &i.Assignee) },
		func() []jira.Change { return l.changePerson("reporter", &i.Reporter) },
		func() []jira.Change { return l.changeList("Component", "components", &i.Components) },
		func() []jira.Change { return l.changeList("Fix Version", "fixVersions", &i.FixVersions) },
		func() []jira.Change { return l.changeList("Version", "versions", &i.AffectedVersions) },
		l.count, l.describe, l.choose,
	}
}

// of returns a change of one of Jira's own fields in the dialect of the site.
func (l *life) of(name, id string, c jira.Change) []jira.Change {
	c.Field, c.FieldType = name, "jira"
	switch l.dialect {
	case cloud:
		c.FieldID = id
	case translated:
		c.Field = "Feld " + name
	}
	return []jira.Change{c}
}

func (l *life) ofCustom(name, id string, c jira.Change) []jira.Change {
	c.Field, c.FieldType = name, "custom"
	if l.dialect == cloud {
		c.FieldID = id
	}
	return []jira.Change{c}
}

func namedNo(group, n int) jira.Named {
	return jira.Named{ID: strconv.Itoa(group*100 + n), Name: fmt.Sprintf("Name %d.%d", group, n)}
}

func (l *life) statusNo(n int) jira.Status {
	return jira.Status{Named: namedNo(7, n), Category: []string{"new", "indeterminate", "done"}[n%3]}
}

func personNo(n int) jira.User {
	return jira.User{
		AccountID:   fmt.Sprintf("557058:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5%d", n),
		DisplayName: fmt.Sprintf("Person %d", n),
	}
}

func (l *life) changeText(name, id string, field *string) []jira.Change {
	from := *field
	*field = fmt.Sprintf("%s %d", name, l.dice.IntN(1000))
	return l.of(name, id, jira.Change{FromText: from, ToText: *field})
}

func (l *life) changeNamed(id string, field *jira.Named, group int) []jira.Change {
	from := *field
	*field = jira.Named{}
	if from == (jira.Named{}) || l.dice.IntN(3) > 0 {
		*field = namedNo(group, 1+l.dice.IntN(5))
	}
	return l.of(id, id, jira.Change{From: from.ID, FromText: from.Name, To: field.ID, ToText: field.Name})
}

func (l *life) transition() []jira.Change {
	from := l.issue.Status
	to := l.statusNo(1 + l.dice.IntN(6))
	l.issue.Status = to
	if l.dialect == cloud && to.Category != from.Category {
		l.issue.CategorySince = l.now
	}
	return l.of("status", "status", jira.Change{From: from.ID, FromText: from.Name, To: to.ID, ToText: to.Name})
}

func (l *life) resolve() []jira.Change {
	changes := l.changeNamed("resolution", &l.issue.Resolution, 8)
	l.issue.Resolved = time.Time{}
	if l.issue.Resolution != (jira.Named{}) {
		l.issue.Resolved = l.now
	}
	return changes
}

func (l *life) changePerson(id string, field *jira.User) []jira.Change {
	from := *field
	*field = jira.User{}
	if from == (jira.User{}) || l.dice.IntN(3) > 0 {
		*field = personNo(l.dice.IntN(4))
	}
	return l.of(id, id, jira.Change{
		From: from.AccountID, FromText: from.DisplayName, To: field.AccountID, ToText: field.DisplayName,
	})
}

func (l *life) changeList(name, id string, names *jira.Names) []jira.Change {
	if n := len(names.List); n > 0 && l.dice.IntN(2) == 0 {
		at := l.dice.IntN(n)
		from := names.List[at]
		names.List = slices.Delete(slices.Clone(names.List), at, at+1)
		return l.of(name, id, jira.Change{From: "7" + from, FromText: from})
	}
	to := name + " " + l.id()
	names.List = append(slices.Clone(names.List), to)
	return l.of(name, id, jira.Change{To: "7" + to, ToText: to})
}

func (l *life) label() []jira.Change {
	from := strings.Join(l.issue.Labels.List, " ")
	l.issue.Labels.List = nil
	for range l.dice.IntN(4) {
		l.issue.Labels.List = append(l.issue.Labels.List, "label"+l.id())
	}
	return l.of("labels", "labels", jira.Change{FromText: from, ToText: strings.Join(l.issue.Labels.List, " ")})
}

func (l *life) plan() []jira.Change {
	from := l.issue.DueDate
	l.issue.DueDate = ""
	if l.dice.IntN(3) > 0 {
		l.issue.DueDate = fmt.Sprintf("2026-04-%02d", 1+l.dice.IntN(30))
	}
	to := l.issue.DueDate
	return l.of("duedate", "duedate", jira.Change{From: from, FromText: from, To: to, ToText: to})
}

func (l *life) adopt() []jira.Change {
	from := l.issue.Parent
	l.issue.Parent = jira.Reference{}
	if l.dice.IntN(3) > 0 {
		n := l.id()
		l.issue.Parent = jira.Reference{ID: n, Key: "EPIC-" + n}
	}
	to := l.issue.Parent
	return l.of("Parent", "", jira.Change{From: from.ID, FromText: from.Key, To: to.ID, ToText: to.Key})
}

func (l *life) move() []jira.Change {
	project, key := l.issue.Project, l.issue.Key
	n := l.id()
	l.issue.Project = jira.Project{Entity: jira.Entity{ID: n}, Name: "Project " + n}
	l.issue.Key = "P" + n + "-1"
	return slices.Concat(
		l.of("project", "project", jira.Change{
			From: project.ID, FromText: project.Name, To: n, ToText: l.issue.Project.Name,
		}),
		l.of("Key", "", jira.Change{FromText: key, ToText: l.issue.Key}),
		[]jira.Change{{Field: "Workflow", FieldType: "jira", From: "1", FromText: "One", To: "2", ToText: "Two"}},
	)
}

func (l *life) relate() []jira.Change {
	links := &l.issue.Links
	if n := len(links.List); n > 0 && l.dice.IntN(4) == 0 {
		key := links.List[n-1].Outward.Key
		links.List = slices.Clone(links.List[:n-1])
		return l.of("Link", "", jira.Change{From: key, FromText: "This issue blocks " + key})
	}
	key := "OTHER-" + strconv.Itoa(l.dice.IntN(6))
	links.List = append(slices.Clone(links.List), jira.Link{ID: l.id(), Outward: jira.Reference{Key: key}})
	return l.of("Link", "", jira.Change{To: key, ToText: "This issue blocks " + key})
}

// enter moves the issue to another sprint. It stays in the closed ones.
func (l *life) enter() []jira.Change {
	join := func() string {
		var ids []string
		for _, s := range l.issue.Sprints.List {
			ids = append(ids, s.ID)
		}
		return strings.Join(ids, ", ")
	}
	from := join()
	l.issue.Sprints.List = slices.DeleteFunc(slices.Clone(l.issue.Sprints.List), func(s jira.SprintRef) bool {
		return s.State == jira.SprintFuture
	})
	l.issue.Sprints.List = append(l.issue.Sprints.List, jira.SprintRef{
		ID: l.id(), State: []string{jira.SprintFuture, jira.SprintClosed}[l.dice.IntN(2)], Completed: time.Unix(1, 0),
	})
	return l.ofCustom("Sprint", "customfield_10020", jira.Change{From: from, FromText: from, To: join(), ToText: join()})
}

func (l *life) flag() []jira.Change {
	l.issue.IsFlagged = !l.issue.IsFlagged
	if l.issue.IsFlagged {
		return l.ofCustom("Flagged", "customfield_10021", jira.Change{To: "[10019]", ToText: "Impediment"})
	}
	return l.ofCustom("Flagged", "customfield_10021", jira.Change{From: "[10019]", FromText: "Impediment"})
}

// setCustom sets the value of a custom field, and returns its old value.
func (l *life) setCustom(id string, value any) (from any) {
	for _, f := range l.issue.CustomFields {
		if f.ID == id {
			from = f.Value
		}
	}
	fields := slices.DeleteFunc(slices.Clone(l.issue.CustomFields), func(f jira.CustomField) bool { return f.ID == id })
	fields = append(fields, jira.CustomField{ID: id, Value: value})
	l.issue.CustomFields = fields
	return from
}

func textOf(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func (l *life) count() []jira.Change {
	to := float64(l.dice.IntN(20)) / 2
	from := l.setCustom(numberField, to)
	return l.ofCustom("Points", numberField, jira.Change{FromText: textOf(from), ToText: textOf(to)})
}

func (l *life) describe() []jira.Change {
	to := "team " + l.id()
	return l.ofCustom("Team", textField, jira.Change{FromText: textOf(l.setCustom(textField, to)), ToText: to})
}

func (l *life) choose() []jira.Change {
	to := "option " + l.id()
	from := textOf(l.setCustom(optionField, to))
	fromID := ""
	if from != "" {
		fromID = "10035"
	}
	return l.ofCustom("Size", optionField, jira.Change{From: fromID, FromText: from, To: "10036", ToText: to})
}

// write writes a comment, and sometimes edits an earlier one.
func (l *life) write() {
	l.issue.Updated = l.now
	if n := len(l.comments); n > 0 && l.dice.IntN(3) == 0 {
		c := &l.comments[n-1]
		if isEdited(c.Revision) {
			return // the earlier edit would be lost
		}
		c.Updated, c.UpdateAuthor, c.Body = l.now, personNo(1), "edited"
		edited := *c
		l.expect(commentUpdated, jira.User{}).Comment = &edited
		return
	}
	c := jira.Comment{
		Entity: jira.Entity{ID: l.id()}, Body: "text",
		Revision: jira.Revision{Created: l.now, Updated: l.now, Author: personNo(2), UpdateAuthor: personNo(2)},
	}
	l.comments = append(l.comments, c)
	l.expect(commentCreated, jira.User{}).Comment = &c
}

// log logs work. Data Center adds a history.
func (l *life) log() {
	spent := int64(60)
	w := jira.Worklog{
		Entity: jira.Entity{ID: l.id()}, TimeSpent: &spent, IssueID: "1",
		Revision: jira.Revision{Created: l.now, Updated: l.now, Author: personNo(2), UpdateAuthor: personNo(2)},
	}
	l.worklogs = append(l.worklogs, w)
	l.expect(worklogCreated, jira.User{}).Worklog = &w
	l.now = l.now.Add(17 * time.Millisecond)
	l.issue.Updated = l.now
	h := jira.History{Created: l.now, Author: personNo(2), Changelog: jira.Changelog{ID: l.id(), Items: []jira.Change{
		{Field: "WorklogId", FieldType: "jira", To: w.ID, ToText: w.ID},
		{Field: "timespent", FieldType: "jira", From: "60", FromText: "60", To: "120", ToText: "120"},
	}}}
	l.histories = append(l.histories, h)
	name := worklogLogged
	if l.dialect == cloud {
		name = issueUpdated
	}
	l.expect(name, h.Author).Changelog = h.Changelog
}

// compare compares an event with the webhook.
func (l *life) compare(t *testing.T, want, got *jira.Event) {
	t.Helper()
	assert.Equal(t, want.Name, got.Name)
	assert.Equal(t, want.Timestamp, got.Timestamp)
	assert.Equal(t, want.User, got.User)
	assert.Equal(t, want.Changelog, got.Changelog)
	assert.Equal(t, want.Entity(), got.Entity())
	assert.Equal(t, want.Revision(), got.Revision())
	assert.Empty(t, got.Source)
	expected := want.Issue
	if want.Comment != nil || want.Worklog != nil {
		expected = partial(want.Issue)
	}
	wanted, actual := reflect.ValueOf(*expected), reflect.ValueOf(*got.Issue)
	for i := range wanted.NumField() {
		if field := wanted.Type().Field(i); field.IsExported() {
			l.compareField(t, field.Name, wanted.Field(i).Interface(), actual.Field(i).Interface())
		}
	}
}

func (l *life) compareField(t *testing.T, name string, want, got any) {
	t.Helper()
	_, isAllowed := mayBeUnknown[name]
	if (isAllowed || l.dialect == translated) && reflect.ValueOf(got).IsZero() {
		return
	}
	switch got := got.(type) {
	case jira.Names:
		assert.ElementsMatch(t, want.(jira.Names).List, got.List, name)
	case jira.Links:
		assert.ElementsMatch(t, want.(jira.Links).List, got.List, name)
	case jira.Status:
		expected := want.(jira.Status)
		assert.Equal(t, expected.Named, got.Named, name)
		if got.Category != "" {
			assert.Equal(t, expected.Category, got.Category, name)
		}
	case []jira.CustomField:
		assert.Subset(t, want, got, name)
	default:
		assert.Equal(t, want, got, name)
	}
}

func (l *life) checkPermutation(t *testing.T, events []*jira.Event) {
	t.Helper()
	in := l.input()
	in.Histories = append(slices.Clone(in.Histories), in.Histories...) // pages may overlap
	in.Comments, in.Worklogs = slices.Clone(in.Comments), slices.Clone(in.Worklogs)
	l.dice.Shuffle(len(in.Histories), reflect.Swapper(in.Histories))
	l.dice.Shuffle(len(in.Comments), reflect.Swapper(in.Comments))
	l.dice.Shuffle(len(in.Worklogs), reflect.Swapper(in.Worklogs))
	assert.Equal(t, events, in.Events(time.Time{}, l.now.Add(time.Hour)))
}

// checkWindows checks that a window contains its start and not its end.
func (l *life) checkWindows(t *testing.T, events []*jira.Event) {
	t.Helper()
	for range 3 {
		first := l.dice.IntN(len(events))
		last := first + l.dice.IntN(len(events)-first)
		got := l.input().Events(events[first].Timestamp, events[last].Timestamp)
		assert.Len(t, got, last-first)
		assert.True(t, len(got) == 0 || reflect.DeepEqual(events[first:last], got))
	}
}
