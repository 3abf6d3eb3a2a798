// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Keys and names of the fields that need more than their function in the table.
const (
	keyStatus   = "status"
	keySprint   = "sprint"
	keyFlagged  = "flagged"
	keyEpicLink = "epic link"
)

// field is one of Jira's own fields.
type field struct {
	// undo restores the value before a change, or the zero value if the change does not contain it.
	undo func(p *past, c jira.Change)
	// holds reports whether the field has the value to which a change has set it. It is nil for lists, which a change
	// describes in part.
	holds func(i *jira.Issue, c jira.Change) bool
}

// fields are the fields of an issue by [jira.Change.FieldKey]: the ids, and the names in histories without ids if they
// differ. They are the fields that the decoder reads.
var fields = map[string]field{
	"summary":     text(func(i *jira.Issue) *string { return &i.Summary }),
	"description": text(func(i *jira.Issue) *string { return &i.Description }),
	keyStatus:     named(func(i *jira.Issue) *jira.Named { return &i.Status.Named }),
	"priority":    named(func(i *jira.Issue) *jira.Named { return &i.Priority }),
	"issuetype":   named(func(i *jira.Issue) *jira.Named { return &i.Type }),
	"security":    named(func(i *jira.Issue) *jira.Named { return &i.SecurityLevel }),
	"resolution":  resolution(),
	"assignee":    person(func(i *jira.Issue) *jira.User { return &i.Assignee }),
	"reporter":    person(func(i *jira.Issue) *jira.User { return &i.Reporter }),

	"key":     {undoKey, holdsKey},
	"project": {undoProject, holdsProject},
	"duedate": {undoDueDate, holdsDueDate},
	"labels":  {undoLabels, holdsLabels},

	"parent":                 {undoParent, holdsParent},
	"parent issue":           {undo: undoParent},
	"issueparentassociation": {undo: undoParent},

	"components":  {undo: undoComponents},
	"component":   {undo: undoComponents},
	"fixversions": {undo: undoFixVersions},
	"fix version": {undo: undoFixVersions},
	"versions":    {undo: undoAffectedVersions},
	"version":     {undo: undoAffectedVersions},
	"issuelinks":  {undo: undoLink},
	"link":        {undo: undoLink},
}

// neutral are the keys of changes that histories contain beside the fields, and of fields that records do not contain.
var neutral = map[string]bool{
	"workflow": true, "remoteissuelink": true, "epic child": true, "attachment": true, "comment": true,
	"environment": true,
}

// Names of the lists of which a change contains one entry. After the first change that does not fit to such a list, the
// list remains unknown for all earlier times.
const (
	listComponents       = "components"
	listFixVersions      = "fix versions"
	listAffectedVersions = "affected versions"
)

// allLists is the value of past.lost if all these lists are lost.
var allLists = map[string]bool{
	listComponents: true, listFixVersions: true, listAffectedVersions: true,
}

func text(of func(*jira.Issue) *string) field {
	return field{
		undo:  func(p *past, c jira.Change) { *of(&p.issue) = c.FromText },
		holds: func(i *jira.Issue, c jira.Change) bool { return c.To == "" && c.ToText != "" && *of(i) == c.ToText },
	}
}

func named(of func(*jira.Issue) *jira.Named) field {
	return field{
		undo: func(p *past, c jira.Change) { *of(&p.issue) = jira.Named{ID: c.From, Name: c.FromText} },
		holds: func(i *jira.Issue, c jira.Change) bool {
			return c.To != "" && *of(i) == jira.Named{ID: c.To, Name: c.ToText}
		},
	}
}

// resolution also forgets the resolution date, which changes with the resolution and is not in the history.
func resolution() field {
	f := named(func(i *jira.Issue) *jira.Named { return &i.Resolution })
	undo := f.undo
	f.undo = func(p *past, c jira.Change) {
		undo(p, c)
		p.issue.Resolved = time.Time{}
	}
	return f
}

func person(of func(*jira.Issue) *jira.User) field {
	return field{
		undo: func(p *past, c jira.Change) { *of(&p.issue) = userOf(c.From, c.FromAccountID, c.FromText) },
		holds: func(i *jira.Issue, c jira.Change) bool {
			to, now := userOf(c.To, c.ToAccountID, c.ToText), *of(i)
			return c.To != "" && to.AccountID == now.AccountID && (to.Key == now.Key || to.Key == now.Name)
		},
	}
}

// userOf returns the user whom a change describes.
func userOf(id, accountID, displayName string) jira.User {
	user := jira.User{AccountID: accountID}
	if accountID == "" {
		user = jira.UserOf(id)
	}
	user.DisplayName = displayName
	return user
}

// undoKey restores the key before a move to another project.
func undoKey(p *past, c jira.Change) { p.issue.Key = cmp.Or(c.FromText, p.issue.Key) }

func holdsKey(i *jira.Issue, c jira.Change) bool { return c.To == "" && c.ToText == i.Key }

// undoProject leaves out the key of the project, which is a part of the key of the issue.
func undoProject(p *past, c jira.Change) {
	p.issue.Project = jira.Project{Entity: jira.Entity{ID: c.From}, Name: c.FromText}
}

func holdsProject(i *jira.Issue, c jira.Change) bool {
	return c.To != "" && c.To == i.Project.ID && c.ToText == i.Project.Name
}

func undoDueDate(p *past, c jira.Change) {
	p.issue.DueDate = ""
	if _, err := time.Parse(time.DateOnly, c.From); err == nil {
		p.issue.DueDate = c.From
	}
}

func holdsDueDate(i *jira.Issue, c jira.Change) bool { return c.To != "" && c.To == i.DueDate }

func undoLabels(p *past, c jira.Change) {
	p.issue.Labels = jira.Names{List: strings.Fields(c.FromText)}
}

func holdsLabels(i *jira.Issue, c jira.Change) bool {
	return c.To == "" && c.ToText != "" && slices.Equal(strings.Fields(c.ToText), i.Labels.List)
}

func undoParent(p *past, c jira.Change) { p.issue.Parent = jira.Reference{ID: c.From, Key: c.FromText} }

func holdsParent(i *jira.Issue, c jira.Change) bool {
	return c.To != "" && i.Parent == jira.Reference{ID: c.To, Key: c.ToText}
}

func undoComponents(p *past, c jira.Change) { p.undoName(&p.issue.Components, listComponents, c) }

func undoFixVersions(p *past, c jira.Change) { p.undoName(&p.issue.FixVersions, listFixVersions, c) }

func undoAffectedVersions(p *past, c jira.Change) {
	p.undoName(&p.issue.AffectedVersions, listAffectedVersions, c)
}

// undoName removes the name that a change has added to a list, and adds the name that it has removed.
func (p *past) undoName(names *jira.Names, list string, c jira.Change) {
	before := slices.Clone(names.List)
	if c.ToText != "" {
		at := slices.Index(before, c.ToText)
		if at < 0 || names.IsCut || p.lost[list] {
			*names = jira.Names{}
			p.lost[list] = true
			return
		}
		before = slices.Delete(before, at, at+1)
	}
	if c.FromText != "" && !p.lost[list] {
		before = append(before, c.FromText)
	}
	names.List = before
}

// undoLink removes the link that a change has added, if only one link to the other issue exists. The link that a change
// has removed is not known.
func undoLink(p *past, c jira.Change) {
	isAdded := func(l jira.Link) bool { return l.Outward.Key == c.To || l.Inward.Key == c.To }
	links := p.issue.Links.List
	at := slices.IndexFunc(links, isAdded)
	isCertain := c.From == "" && c.To != "" && at >= 0 && !slices.ContainsFunc(links[at+1:], isAdded)
	if !isCertain || p.issue.Links.IsCut {
		p.issue.Links = jira.Links{} // no earlier change finds its link
		return
	}
	p.issue.Links.List = slices.Concat(links[:at], links[at+1:])
}
