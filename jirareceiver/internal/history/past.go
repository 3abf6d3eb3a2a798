// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// past is an issue on its way back in time. Its slices are replaced and never changed, because events share them.
type past struct {
	now          *jira.Issue
	issue        jira.Issue // contents before the histories that were undone; values that are not known are zero
	lost         map[string]bool
	categories   map[string]string // known categories of statuses, by keyOf
	fieldIDs     map[string][]string
	isDataCenter bool
	translations map[string]field // fields by a name in another language; the zero value if the field is unknown
}

func newPast(in Input) *past {
	categories := map[string]string{}
	maps.Copy(categories, in.Categories)
	categories[keyOf(in.Issue.Status.Named)] = in.Issue.Status.Category
	return &past{
		now: in.Issue, issue: *in.Issue, lost: map[string]bool{}, fieldIDs: in.FieldIDs, isDataCenter: in.IsDataCenter,
		translations: map[string]field{},
		categories:   categories,
	}
}

func keyOf(status jira.Named) string { return cmp.Or(status.ID, status.Name) }

// learnCategory stores the category of the status after a change if the issue did not leave its category since: then it
// is the category of the status now.
func (p *past) learnCategory(c change) {
	if since := p.now.CategorySince; !since.IsZero() && !c.at.Before(since) {
		p.categories[keyOf(p.statusAfter(c))] = p.now.Status.Category
	}
}

// statusAfter returns the status after a change. The change itself decides if it is a transition: in imported issues,
// the next transition may start in another status.
func (p *past) statusAfter(c change) jira.Named {
	var last jira.Change
	if c.history != nil {
		for _, item := range c.history.Items {
			if !item.IsCustom() && item.FieldKey() == keyStatus {
				last = item
			}
		}
	}
	if last.To != "" && last.To != p.issue.Status.ID {
		return jira.Named{ID: last.To, Name: last.ToText}
	}
	return p.issue.Status.Named
}

// issueAt returns the issue after a change, which is the last one that is not undone.
func (p *past) issueAt(c change) *jira.Issue {
	i := p.issue
	i.Updated = c.at
	i.Status.Named = p.statusAfter(c)
	i.Status.Category = p.categories[keyOf(i.Status.Named)]
	if i.CategorySince.After(c.at) {
		i.CategorySince = time.Time{}
	}
	if i.Resolved.After(c.at) {
		i.Resolved = time.Time{}
	}
	i.Sprints = sprintsAt(i.Sprints, c.at)
	isLatest := !c.at.Before(p.now.Updated)
	if !isLatest {
		i.Subtasks = jira.References{}
	}
	i.CustomFields = servicesAt(i.CustomFields, isLatest)
	return &i
}

// sprintsAt returns the sprints with their states at an earlier time. It returns none if the time at which one of them
// was closed is not known.
func sprintsAt(sprints jira.SprintRefs, at time.Time) jira.SprintRefs {
	earlier := jira.SprintRefs{IsCut: sprints.IsCut}
	for _, sprint := range sprints.List {
		if sprint.State == jira.SprintClosed && sprint.Completed.IsZero() {
			return jira.SprintRefs{}
		}
		sprint.State = stateAt(sprint, at)
		earlier.List = append(earlier.List, sprint)
	}
	return earlier
}

// stateAt returns the state of a sprint at an earlier time. A sprint that is in the future now always was.
func stateAt(sprint jira.SprintRef, at time.Time) string {
	switch {
	case sprint.State == jira.SprintFuture, sprint.State == jira.SprintClosed && !at.Before(sprint.Completed):
		return sprint.State
	case at.Before(sprint.Start):
		return jira.SprintFuture
	default:
		return jira.SprintActive
	}
}

// servicesAt returns custom fields without the values of Jira Service Management that are not known at an earlier time.
func servicesAt(fields []jira.CustomField, isLatest bool) []jira.CustomField {
	if !slices.ContainsFunc(fields, func(f jira.CustomField) bool { return f.Service != nil }) { // usually
		return fields
	}
	var known []jira.CustomField
	for _, field := range fields {
		switch service := field.Service.(type) {
		case nil:
		case *jira.SLA:
			sla := *service
			sla.Ongoing.Elapsed, sla.Ongoing.Remaining, sla.Ongoing.Breached = nil, nil, nil
			field.Service = &sla
		case *jira.Request:
			if !isLatest {
				field.Service = &jira.Request{Type: service.Type}
			}
		}
		_, isRequest := field.Service.(*jira.Request)
		if isLatest || field.Service == nil || isRequest {
			known = append(known, field)
		}
	}
	return known
}

// undo goes back to the contents before a history. Several changes of one field are undone from the last to the first.
func (p *past) undo(h *jira.History) {
	for _, c := range slices.Backward(h.Items) {
		p.undoChange(c)
	}
	if h.IsCut { // the changes that are missing may be of any field
		i := p.issue
		p.issue = jira.Issue{ID: i.ID, Key: i.Key, Self: i.Self, Created: i.Created, Creator: i.Creator}
		p.loseLists()
	}
}

// loseLists leaves out all lists, in which a change of an unknown field may have changed an entry.
func (p *past) loseLists() {
	i := &p.issue
	i.Labels, i.Components, i.FixVersions, i.AffectedVersions, i.Links =
		jira.Names{}, jira.Names{}, jira.Names{}, jira.Names{}, jira.Links{}
	p.lost = maps.Clone(allLists)
}

func (p *past) undoChange(c jira.Change) {
	sprintField, flagField := p.now.SoftwareFields()
	key := c.FieldKey()
	switch {
	case strings.EqualFold(c.Field, keySprint) || sprintField != "" && key == sprintField:
		p.undoSprints(c)
		p.undoSoftware(c, sprintField)
	case strings.EqualFold(c.Field, keyFlagged) || flagField != "" && key == flagField:
		p.issue.IsFlagged = c.From != "" || c.FromText != ""
		p.undoSoftware(c, flagField)
	case c.IsCustom():
		if !p.isDataCenter && strings.EqualFold(c.Field, keyEpicLink) { // only on Jira Cloud, epics are parents
			undoParent(p, c)
		}
		p.undoCustom(c, "")
	case fields[key].undo != nil:
		fields[key].undo(p, c)
	case c.FieldID == "" && !neutral[key] && !c.IsTimeTracking():
		p.undoTranslated(key, c)
	}
}

// undoTranslated undoes the change of a field whose name is in the language of the site. If the field is unknown, the
// change may be of an entry in a list.
func (p *past) undoTranslated(name string, c jira.Change) {
	f, isSeen := p.translations[name]
	if !isSeen {
		f = p.translate(c)
		p.translations[name] = f
	}
	if f.undo == nil {
		p.loseLists()
		return
	}
	f.undo(p, c)
}

// translate returns the field that has the value to which the last change under a name has set it. If several fields
// have this value, it leaves all of them out, and returns the zero value.
func (p *past) translate(c jira.Change) field {
	var found []field
	for _, f := range fields {
		if f.holds != nil && f.holds(&p.issue, c) {
			found = append(found, f)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	for _, f := range found {
		f.undo(p, jira.Change{})
	}
	return field{}
}

// undoSprints restores the sprints if the current value contains all of them.
func (p *past) undoSprints(c jira.Change) {
	p.issue.Sprints = jira.SprintRefs{}
	if c.From == "" {
		return
	}
	var before jira.SprintRefs
	for id := range strings.SplitSeq(c.From, ",") {
		at := slices.IndexFunc(p.now.Sprints.List, func(s jira.SprintRef) bool { return s.ID == strings.TrimSpace(id) })
		if at < 0 {
			return
		}
		before.List = append(before.List, p.now.Sprints.List[at])
	}
	p.issue.Sprints = before
}

// undoSoftware restores a field of Jira Software that is also configured as a custom field. Without an id, the field
// has no value now, so that it is not among the custom fields.
func (p *past) undoSoftware(c jira.Change, id string) {
	if c.FieldID != "" || id != "" {
		p.undoCustom(c, id)
	}
}

// undoCustom restores a custom field if its former value is certain, and otherwise leaves it out. The id is the one of
// the field, if the caller knows it.
func (p *past) undoCustom(c jira.Change, id string) {
	ids := []string{cmp.Or(c.FieldID, id)}
	if ids[0] == "" {
		ids = p.fieldIDs[c.Field]
	}
	before := slices.DeleteFunc(slices.Clone(p.issue.CustomFields), func(f jira.CustomField) bool {
		return len(ids) == 0 || slices.Contains(ids, f.ID)
	})
	if len(ids) == 1 {
		at := slices.IndexFunc(p.now.CustomFields, func(f jira.CustomField) bool { return f.ID == ids[0] })
		if at >= 0 {
			if value := formerValue(p.now.CustomFields[at].Value, c); value != nil {
				before = append(before, jira.CustomField{ID: ids[0], Value: value})
			}
		}
	}
	p.issue.CustomFields = before
}

// formerValue returns the value of a custom field before a change if the field contains numbers or plain texts, and
// otherwise nil. Histories contain an id beside the text of all other values, for example of options, dates and people.
func formerValue(now any, c jira.Change) any {
	if c.From != "" || c.FromText == "" {
		return nil
	}
	switch now.(type) {
	case string:
		return c.FromText
	case float64:
		if number, err := strconv.ParseFloat(c.FromText, 64); err == nil {
			return number
		}
	}
	return nil
}
