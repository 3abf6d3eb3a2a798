package jirareceiver

import (
	"path"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/translate"
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
	return err == nil && starts && translate.InKnownNamespace(pattern)
}

// warnOfStrangers finds what may be misspelt. It is no error: Jira may have events that it does not document.
func (f eventFilter) warnOfStrangers(logger *zap.Logger) {
	for _, pattern := range slices.Concat(f.include, f.exclude) {
		matches := func(name string) bool { return matchesAny([]string{pattern}, name) }
		if !slices.ContainsFunc(translate.EventNames(), matches) {
			logger.Warn("No event that Jira documents has this name: check its spelling in events", zap.String("pattern", pattern))
		}
	}
}
