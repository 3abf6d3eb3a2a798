// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTextsKeepWhatTheyHold(t *testing.T) {
	var shared textBlocks
	var got, want []string
	for n := range 3 * maxShared {
		b := []byte(strings.Repeat(string(rune('a'+n%26)), n))
		got = append(got, shared.copy(b))
		want = append(want, string(b))
		clear(b) // the texts must not share the memory of the body
	}
	assert.Equal(t, want, got)
}

func TestTextsAreUTF8(t *testing.T) {
	var shared textBlocks
	assert.Equal(t, "a\uFFFDb", shared.copy([]byte("a\xffb")))
	assert.Equal(t, "né", shared.copy([]byte("né")))
	assert.Len(t, shared.copy([]byte("x"+strings.Repeat("é", MaxText))), MaxText-1, "half a character is left out")
}

// TestTextsTakeLittleMoreThanTheyHold uses texts that share a block, texts that do not, and texts of sizes in between.
func TestTextsTakeLittleMoreThanTheyHold(t *testing.T) {
	for _, size := range []int{1, 30, maxShared, maxShared + 1, textBlock * 5 / 8, 5 * textBlock} {
		const n = 2_000
		b := bytes.Repeat([]byte("x"), size)
		var shared textBlocks
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			shared.copy(b)
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(n*size)*4/3+2*textBlock, "texts of %d bytes", size)
	}
}
