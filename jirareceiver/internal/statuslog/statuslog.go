// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package statuslog logs each unmapped status once.
package statuslog

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// These limits bound the memory for logged statuses, because their names are free text.
const (
	maxReported       = 100
	maxReportedLength = 100 // bytes
)

// Interval is the shortest time between two lines about unmapped statuses. The collector drops equal messages after the
// tenth in ten seconds, and must not drop a status that is logged only once.
const Interval = 10 * time.Second

// Log logs statuses. It is safe for concurrent use.
type Log struct {
	logger   *zap.Logger
	interval time.Duration

	mu           sync.Mutex
	reported     map[string]bool
	limitReached bool
	closed       bool
	pending      []string    // added to reported, but not logged yet
	timer        *time.Timer // logs the pending statuses; nil if the last line is older than the interval
}

// New returns a Log that writes at most one line in an interval.
func New(logger *zap.Logger, interval time.Duration) *Log {
	return &Log{logger: logger, interval: interval, reported: map[string]bool{}}
}

// Add logs a new status at once, or together with others when the interval is over. Name or ID may be empty.
func (l *Log) Add(name, id string) {
	name, id = truncate(name), truncate(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := strings.ToLower(cmp.Or(name, id))
	switch {
	case l.closed, l.reported[key]:
	case len(l.reported) == maxReported:
		l.logLimit()
	default:
		l.reported[key] = true
		l.pending = append(l.pending, label(name, id))
		if l.timer == nil {
			l.logPending()
		}
	}
}

// label returns "In Review (10042)", or only the name or the ID.
func label(name, id string) string {
	if name == "" || id == "" {
		return name + id
	}
	return name + " (" + id + ")"
}

// logLimit and logPending require that the caller holds mu.
func (l *Log) logLimit() {
	if l.limitReached {
		return
	}
	l.limitReached = true
	l.logger.Warn("Too many Jira statuses without a mapping; "+
		"further statuses are counted in otelcol_receiver_jira_unmapped_statuses but not logged",
		zap.Int("logged", maxReported))
}

func (l *Log) logPending() {
	l.timer = nil
	if len(l.pending) == 0 {
		return
	}
	l.logger.Warn("No mapping for Jira statuses; add their names or ids to status::mapping",
		zap.Strings("statuses", l.pending))
	l.pending = nil
	if l.closed {
		return
	}
	l.timer = time.AfterFunc(l.interval, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.logPending()
	})
}

// Shutdown logs the pending statuses. Nothing is logged later.
func (l *Log) Shutdown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.logPending()
}

func truncate(s string) string {
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), maxReportedLength)]), "") // removes half a character at the end
}
