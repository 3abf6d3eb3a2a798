package jirareceiver

import (
	"path"
	"slices"
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

func isPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil
}
