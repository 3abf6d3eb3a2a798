package jirareceiver

import (
	"path"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// eventFilter decides which events become records.
type eventFilter struct{ include, exclude []string }

func (f eventFilter) admits(name string) bool {
	return (len(f.include) == 0 || matchesAny(f.include, name)) && !matchesAny(f.exclude, name)
}

// matchesAny takes patterns that the configuration has been checked for. To path.Match only a slash is special, and no name
// of an event has one.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, _ := path.Match(pattern, name)
		return matched
	})
}

// canMatch says whether there may be an event that the pattern is for.
func canMatch(pattern string) bool {
	_, err := path.Match(pattern, "")
	starts := strings.HasPrefix(pattern, "jira.") || strings.HasPrefix(pattern, "*")
	return err == nil && starts && record.InKnownNamespace(pattern)
}

// isNamespace reports whether there are documented events below a name, such as jira.comment.
func isNamespace(name string) bool {
	return name != "jira" && slices.ContainsFunc(record.EventNames(), func(event string) bool { return strings.HasPrefix(event, name+".") })
}

// undocumented returns the patterns that match no event that Jira documents.
func undocumented(patterns []string) (strangers []string) {
	for _, pattern := range patterns {
		matches := func(name string) bool { return matchesAny([]string{pattern}, name) }
		if !slices.ContainsFunc(record.EventNames(), matches) {
			strangers = append(strangers, pattern)
		}
	}
	return strangers
}
