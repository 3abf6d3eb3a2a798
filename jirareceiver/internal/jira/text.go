// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
	"unicode/utf8"
)

const (
	// textBlock is the size in bytes of a block of memory for texts. A record that waits in a queue keeps all blocks in
	// memory that contain one of its texts, including their other texts. Larger blocks would save a few allocations,
	// and take a third more memory in a queue.
	textBlock = 1 << 8
	// maxShared is the largest size in bytes of a text that is copied into a block.
	maxShared = textBlock / 4
)

// textBlocks allocates the texts of a body. They share blocks of memory, because a body has about fifty texts, and most
// of them are short.
type textBlocks struct{ block strings.Builder }

// copy returns a copy of bytes of the body as a text, cut at MaxText. It replaces bytes that are not UTF-8, which JSON
// from a faulty sender may contain and a log record must not.
func (t *textBlocks) copy(b []byte) string {
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
