// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"slices"
	"strconv"
	"time"
)

// Life is what happened to an issue, as the site knows it: no part of it comes from the body of a delivery.
type Life struct {
	ID, Key, Project, Type, Priority string // as they were last
	IsAssigned, IsFlagged            bool   // as it was last
	Created, Deleted                 time.Time
	First                            StatusName // status in which the issue was created
	Moves                            []Move     // in order
}

// Move is a transition of an issue.
type Move struct {
	At        time.Time
	Changelog int
	To        StatusName
}

// StatusName is a status as a site names it, and the key of its category.
type StatusName struct{ ID, Name, Category string }

// Lives returns what happened to the issues of a team until a time, also to those that were deleted.
func Lives(s Site, until time.Time) (lives []Life) {
	history := newPlayed(func() *team { return plannedTeam(s) })
	defer history.close()
	history.catchUp(until)
	for _, id := range history.issues {
		lives = append(lives, history.life(s.withDefaults(), history.byID[id]))
	}
	return lives
}

func (r *register) life(s Site, i *issue) Life {
	l := Life{
		ID: strconv.Itoa(i.id), Key: i.key, Project: i.project.key, Type: i.kind.name, Priority: i.priority.name,
		IsAssigned: i.assignee != person{}, IsFlagged: i.isFlagged, Created: i.created, First: s.named(workflows[i.kind][0]),
	}
	for _, h := range i.histories {
		for _, c := range h.changes {
			if c.id == "status" {
				l.Moves = append(l.Moves, Move{h.at, h.id, s.named(statusByID(c.to))})
			}
		}
	}
	if rows := r.rows[i.id]; rows[len(rows)-1].removed {
		l.Deleted = rows[len(rows)-1].at
	}
	return l
}

// named returns the status as the site names it.
func (s Site) named(of status) StatusName { return StatusName{of.id, s.statusName(of), of.category} }

func statusByID(id string) status {
	return statuses[slices.IndexFunc(statuses, func(s status) bool { return s.id == id })]
}
