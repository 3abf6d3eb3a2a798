package record

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLineText removes control characters, which steer a terminal, and marks that change the direction of writing. Line breaks become
// spaces: on a console, a record with a line break looks like two.
func oneLineText(s string) string {
	if isPlainASCII(s) {
		return s
	}
	if strings.Contains(s, "\r\n") { // Data Center ends lines so
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	return strings.Map(plainRune, s)
}

// isPlainASCII reports whether a text has only printable ASCII characters, as nearly all ids and many texts do.
func isPlainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// plainRune returns a space for white space, and a negative number for other control characters.
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
