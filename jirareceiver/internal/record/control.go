// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stripControl removes control characters, which can steer a terminal, and characters that change the direction of
// writing. It replaces line breaks with spaces: on a console, a record with a line break looks like two records.
func stripControl(s string) string {
	if isPlainASCII(s) {
		return s
	}
	if strings.Contains(s, "\r\n") { // line end of Data Center; one space, not two
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	return strings.Map(plainRune, s)
}

// isPlainASCII reports whether a text contains only printable ASCII characters. Nearly all ids and many texts do.
func isPlainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// plainRune returns a space for white space, -1 for other control characters, and r itself for all other runes.
func plainRune(r rune) rune {
	switch {
	case r >= ' ' && r <= '~':
		return r
	case strings.ContainsRune("\t\n\v\f\r\u0085\u2028\u2029", r):
		return ' '
	case r < utf8.RuneSelf, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return -1
	default:
		return r
	}
}
