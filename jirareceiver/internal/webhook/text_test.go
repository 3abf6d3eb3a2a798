package webhook

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTextsKeepWhatTheyHold(t *testing.T) {
	var shared texts
	var got, want []string
	for n := range 3 * maxShared {
		b := []byte(strings.Repeat(string(rune('a'+n%26)), n))
		got = append(got, shared.copy(b))
		want = append(want, string(b))
		clear(b) // the body is not the texts' own
	}
	assert.Equal(t, want, got)
}

func TestTextsAreUTF8(t *testing.T) {
	var shared texts
	assert.Equal(t, "a\uFFFDb", shared.copy([]byte("a\xffb")))
	assert.Equal(t, "né", shared.copy([]byte("né")))
}
