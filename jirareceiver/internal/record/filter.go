// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"path"
	"slices"
	"strings"
)

// Filter selects events by patterns of their names. Without Include, it admits all events but those of Exclude.
type Filter struct{ Include, Exclude []string }

// Admits reports whether events of a name become records.
func (f Filter) Admits(name string) bool {
	return (len(f.Include) == 0 || matchesAny(f.Include, name)) && !matchesAny(f.Exclude, name)
}

// matchesAny expects valid patterns. To path.Match only a slash is special, and no name of an event contains one.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, _ := path.Match(pattern, name)
		return matched
	})
}

// CanMatch reports whether a pattern is valid and may match an event, documented by Jira or not.
func CanMatch(pattern string) bool {
	_, err := path.Match(pattern, "")
	starts := strings.HasPrefix(pattern, "jira.") || strings.HasPrefix(pattern, "*")
	return err == nil && starts && inKnownNamespace(pattern)
}

// IsNamespace reports whether there are documented events below a name, such as jira.comment.
func IsNamespace(name string) bool {
	return name != "jira" && slices.ContainsFunc(EventNames(), func(event string) bool { return strings.HasPrefix(event, name+".") })
}

// Undocumented returns the patterns that match no event that Jira documents.
func Undocumented(patterns []string) (unmatched []string) {
	for _, pattern := range patterns {
		matches := func(name string) bool { return matchesAny([]string{pattern}, name) }
		if !slices.ContainsFunc(EventNames(), matches) {
			unmatched = append(unmatched, pattern)
		}
	}
	return unmatched
}
