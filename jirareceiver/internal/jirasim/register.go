// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"slices"
	"sort"
	"strconv"
	"time"
)

// register holds the contents of a site for its REST side. Methods of a nil register do nothing: a site that only sends
// webhooks keeps no issues.
type register struct {
	issues   []int // ids, in the order of creation
	byID     map[int]*issue
	byKey    map[string]*issue // also by the keys before a move
	removed  map[int]bool
	rows     map[int][]indexed
	changes  []time.Time // times of all rows
	worklogs []*worklog  // in the order of creation
}

// indexed is the row of an issue in the search index from a time on.
type indexed struct {
	at      time.Time
	row     row
	removed bool
}

// row contains the values of an issue that a search can find.
type row struct {
	id                          int
	key                         string
	project                     project
	issueType, status, priority string
	created, updated            time.Time
}

func newRegister() *register {
	return &register{byID: map[int]*issue{}, byKey: map[string]*issue{}, removed: map[int]bool{}, rows: map[int][]indexed{}}
}

// index stores the values of an issue from a time on.
func (r *register) index(s Site, i *issue, at time.Time) {
	if r == nil {
		return
	}
	if r.byID[i.id] == nil {
		r.issues = append(r.issues, i.id)
		r.byID[i.id] = i
	}
	r.byKey[i.key] = i
	r.add(i.id, indexed{at: at, row: s.row(i)})
}

func (r *register) add(id int, entry indexed) {
	r.rows[id] = append(r.rows[id], entry)
	r.changes = append(r.changes, entry.at)
}

func (r *register) remove(i *issue, at time.Time) {
	if r == nil {
		return
	}
	r.removed[i.id] = true
	r.add(i.id, indexed{at: at, removed: true})
}

func (r *register) addWorklog(w *worklog) {
	if r != nil {
		r.worklogs = append(r.worklogs, w)
	}
}

// row returns the row of an issue at a time, or false if the index does not contain the issue at that time.
func (r *register) row(id int, at time.Time) (row, bool) {
	rows := r.rows[id]
	n := sort.Search(len(rows), func(n int) bool { return rows[n].at.After(at) })
	if n == 0 || rows[n-1].removed {
		return row{}, false
	}
	return rows[n-1].row, true
}

// version returns the number of changes of the index until a time.
func (r *register) version(at time.Time) int {
	return sort.Search(len(r.changes), func(n int) bool { return r.changes[n].After(at) })
}

// find returns an existing issue by its id or one of its keys, or nil.
func (r *register) find(idOrKey string) *issue {
	found := r.byKey[idOrKey]
	if id, err := strconv.Atoi(idOrKey); err == nil {
		found = r.byID[id]
	}
	if found == nil || r.removed[found.id] {
		return nil
	}
	return found
}

// feed returns the worklogs that were updated, or deleted, between two times, oldest first.
func (r *register) feed(since, until time.Time, deleted bool) []*worklog {
	var found []*worklog
	for _, w := range r.worklogs {
		at := w.changed()
		if w.deleted.IsZero() == deleted || at.Before(since) || at.After(until) {
			continue
		}
		found = append(found, w)
	}
	slices.SortStableFunc(found, func(a, b *worklog) int { return a.changed().Compare(b.changed()) })
	return found
}

func (r *register) worklog(id int) *worklog {
	for _, w := range r.worklogs {
		if w.id == id && w.deleted.IsZero() {
			return w
		}
	}
	return nil
}

// changed returns the time of the last change of a worklog.
func (w *worklog) changed() time.Time {
	if !w.deleted.IsZero() {
		return w.deleted
	}
	return w.updated
}

func (s Site) row(i *issue) row {
	return row{
		id: i.id, key: i.key, project: i.project, issueType: i.kind.name, status: s.statusName(i.status),
		priority: i.priority.name, created: i.created, updated: i.updated,
	}
}
