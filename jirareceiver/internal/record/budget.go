// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// minRecord is the number of bytes that the budget of an event must have left for one more record of a changed field. A
// record with a smaller budget would be of no use.
const minRecord = 64 << 10

// budget limits the size of all texts of one record.
type budget struct {
	left      int      // bytes that the record may still contain
	eventLeft *int     // bytes that all records of the event together may still contain
	cut       []string // keys of the attributes that a limit has cut
}

func newBudget(eventLeft *int) *budget {
	return &budget{left: min(jira.MaxText, *eventLeft), eventLeft: eventLeft}
}

// take returns the start of the value of an attribute, at most maxBytes bytes and at most the rest of the budget. It
// reduces the budget by the number of bytes returned.
func (b *budget) take(key, value string, maxBytes int) string {
	kept := value
	if maxBytes = min(maxBytes, b.left); len(value) > maxBytes {
		b.markCut(key)
		kept = strings.Clone(jira.Cut(value, maxBytes)) // so that the record does not keep the whole value in memory
	}
	b.left -= len(kept)
	*b.eventLeft -= len(kept)
	return kept
}

func (b *budget) markCut(key string) {
	if !slices.Contains(b.cut, key) {
		b.cut = append(b.cut, key)
	}
}
