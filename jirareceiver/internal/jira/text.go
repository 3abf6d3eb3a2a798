package jira

import (
	"strings"
	"unicode/utf8"
)

const (
	// textBlock is how many bytes the texts of a body get at a time. A record that waits in a queue holds all the blocks that its
	// texts are in, with what is there besides: larger blocks save a few allocations, and take a third more memory then.
	textBlock = 1 << 8
	// maxShared is how many bytes a text may have to be put into a block.
	maxShared = textBlock / 4
)

// texts holds the texts of a body. They share blocks of memory, because there are some fifty, and most of them are short.
type texts struct{ block strings.Builder }

// copy returns the text of some bytes, which belong to the body. JSON from a faulty sender may hold bytes that are not UTF-8,
// and a log record must not.
func (t *texts) copy(b []byte) string {
	b = Cut(b, MaxText)
	switch {
	case !utf8.Valid(b):
		return strings.ToValidUTF8(string(b), "\uFFFD")
	case len(b) > maxShared:
		return string(b)
	case t.block.Len()+len(b) > t.block.Cap():
		t.block = strings.Builder{}
		t.block.Grow(textBlock)
	}
	start := t.block.Len()
	t.block.Write(b)
	return t.block.String()[start:]
}
