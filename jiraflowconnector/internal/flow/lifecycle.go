// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"slices"
	"strings"
	"time"
)

// Reason states why a lifecycle is not complete.
type Reason string

// The reasons.
const (
	CreationNotSeen   Reason = "creation_not_seen"
	TransitionNotSeen Reason = "transition_not_seen"
	HistoryCut        Reason = "history_cut"
)

// Spent is the time of an issue in a status, or in all statuses with a mapped value.
type Spent struct {
	Status Status
	Time   time.Duration
	Visits int
}

// Lifecycle is the life of an issue from its creation to one of its resolutions.
type Lifecycle struct {
	Resolution Move
	Created    int64
	Lead       time.Duration // only with HasLead
	Cycle      time.Duration // the times of the cycle: only with HasCycle
	Active     time.Duration
	Waiting    time.Duration
	CycleStart int64
	HasLead    bool
	HasCycle   bool
	Reopenings int
	Statuses   []Spent // in the order of the first visits
	Mapped     []Spent // by the mapped value, which may be empty
	Incomplete []Reason
}

// FlowEfficiency returns the share of the active time in the cycle, without the time in which the issue was resolved. A
// cycle without any time has no efficiency.
func (l *Lifecycle) FlowEfficiency() (share float64, exists bool) {
	total := l.Active + l.Waiting
	if !l.HasCycle || total <= 0 {
		return 0, false
	}
	return float64(l.Active) / float64(total), true
}

// Lifecycle returns the life of the issue up to the move with the index, which resolves the issue.
func (t *Timeline) Lifecycle(index int, rules *Rules) Lifecycle {
	moves := t.Moves[:index+1]
	l := Lifecycle{Resolution: moves[index], Created: t.Created, Incomplete: t.incomplete(moves)}
	end := moves[index].At
	if t.Created != 0 {
		l.Lead, l.HasLead = rules.Between(t.Created, end), true
	}
	for i := range moves {
		m := &moves[i]
		if m.Kind == Reopened {
			l.Reopenings++
		}
		if m.Before.IsKnown {
			l.spend(m.Before, rules)
		}
	}
	if len(l.Incomplete) == 0 {
		l.measureCycle(moves, rules)
	}
	return l
}

func (t *Timeline) incomplete(moves []Move) []Reason {
	var reasons []Reason
	if !t.IsCreation {
		reasons = append(reasons, CreationNotSeen)
	}
	if slices.ContainsFunc(moves, func(m Move) bool { return m.HasGap }) {
		reasons = append(reasons, TransitionNotSeen)
	}
	if t.IsCut {
		reasons = append(reasons, HistoryCut)
	}
	return reasons
}

func (l *Lifecycle) spend(stay Stay, rules *Rules) {
	spent := rules.Between(stay.Since, stay.Until)
	add := func(list []Spent, isSame func(Spent) bool, status Status) []Spent {
		i := slices.IndexFunc(list, isSame)
		if i < 0 {
			i = len(list)
			list = append(list, Spent{Status: status})
		}
		list[i].Time += spent
		list[i].Visits++
		return list
	}
	l.Statuses = add(l.Statuses, func(s Spent) bool { return s.Status.IsSame(stay.Status) }, stay.Status)
	l.Mapped = add(l.Mapped, func(s Spent) bool { return s.Status.Mapped == stay.Status.Mapped },
		Status{Mapped: stay.Status.Mapped})
	slices.SortFunc(l.Mapped, func(a, b Spent) int { return strings.Compare(a.Status.Mapped, b.Status.Mapped) })
}

// measureCycle sets the times of the cycle, if the issue was in a status that starts it. The cycle begins with the
// first such status, also after a reopening, as the lead time does. A new issue that is still to do has not started: the
// built-in mapping of the receiver has the value processing for Open.
func (l *Lifecycle) measureCycle(moves []Move, rules *Rules) {
	start := slices.IndexFunc(moves, func(m Move) bool { return rules.Start[m.To.Mapped] && m.Marks&ToDo == 0 })
	if start < 0 {
		return
	}
	l.HasCycle, l.CycleStart = true, moves[start].At
	l.Cycle = rules.Between(l.CycleStart, l.Resolution.At)
	l.Waiting = l.Cycle
	for _, m := range moves[start+1:] {
		spent := rules.Between(m.Before.Since, m.Before.Until)
		mapped := m.Before.Status.Mapped
		switch {
		case rules.Active[mapped]:
			l.Active += spent
			l.Waiting -= spent
		case rules.End[mapped]:
			l.Waiting -= spent
		}
	}
}
