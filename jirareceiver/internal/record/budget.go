package record

import (
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// minRecord is how many bytes an event must have left for one more record of a changed field. With less, the record would be of
// no use.
const minRecord = 64 << 10

// budget bounds the texts of one record.
type budget struct {
	left  int      // bytes that the record may still hold
	event *int     // the same of all records of the event
	cut   []string // keys of the attributes that lack something
}

func newBudget(event *int) *budget {
	return &budget{left: min(jira.MaxText, *event), event: event}
}

// take returns as much of the value of an attribute as may be written, at most most bytes.
func (b *budget) take(key, value string, most int) string {
	kept := value
	if most = min(most, b.left); len(value) > most {
		b.markCut(key)
		kept = strings.Clone(jira.Cut(value, most)) // so that the record does not hold all of it in memory
	}
	b.left -= len(kept)
	*b.event -= len(kept)
	return kept
}

func (b *budget) markCut(key string) {
	if !slices.Contains(b.cut, key) {
		b.cut = append(b.cut, key)
	}
}
