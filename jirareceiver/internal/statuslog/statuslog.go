// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package statuslog logs the statuses that nothing maps, each once.
package statuslog

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// These bound the memory for statuses that were reported: names are free text.
const (
	maxReported       = 100
	maxReportedLength = 100 // bytes
)

// Interval is the least time between two lines about unmapped statuses. The collector drops equal messages beyond ten in
// ten seconds, and a name that is logged once must not be among them.
const Interval = 10 * time.Second

// Log logs statuses. It is safe for concurrent use.
type Log struct {
	logger   *zap.Logger
	interval time.Duration

	mu           sync.Mutex
	reported     map[string]bool
	limitReached bool
	closed       bool
	pending      []string    // reported and not logged yet
	timer        *time.Timer // logs what is pending; nil if the last line is older than the interval
}

// New returns a Log that writes at most one line in an interval.
func New(logger *zap.Logger, interval time.Duration) *Log {
	return &Log{logger: logger, interval: interval, reported: map[string]bool{}}
}

// Add logs a new status at once, or with others when the interval is over. Name or ID may be empty.
func (l *Log) Add(name, id string) {
	name, id = clip(name), clip(id)
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

// logLimit is called with mu held, as is logPending.
func (l *Log) logLimit() {
	if l.limitReached {
		return
	}
	l.limitReached = true
	l.logger.Warn("Too many Jira statuses without a mapping: further statuses are counted in otelcol_receiver_jira_unmapped_statuses and not logged",
		zap.Int("logged", maxReported))
}

func (l *Log) logPending() {
	l.timer = nil
	if len(l.pending) == 0 {
		return
	}
	l.logger.Warn("No mapping for Jira statuses: add their names or ids to status::mapping", zap.Strings("statuses", l.pending))
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

func clip(s string) string {
	return strings.ToValidUTF8(strings.Clone(s[:min(len(s), maxReportedLength)]), "") // without half a character at the end
}
