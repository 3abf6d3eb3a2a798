package webhook

import (
	"strings"
	"unicode/utf8"
)

const (
	// textBlock is how many bytes the texts of a body get at a time. Most bodies have less than two blocks of them.
	textBlock = 1 << 10
	// maxShared is how many bytes a text may have to be put into a block.
	maxShared = textBlock / 4
)

// texts holds the texts of a body. They share blocks of memory, because there are some fifty, most of them short, and they
// live as long as each other: in one record.
type texts struct{ block strings.Builder }

// copy returns the text of some bytes, which belong to the body. JSON from a faulty sender may hold bytes that are not UTF-8,
// and a log record must not.
func (t *texts) copy(b []byte) string {
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
