package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// TestEveryEventHasBody checks that testdata contains one example body of each known event type, and of no other, in a
// file with the name of the type.
func TestEveryEventHasBody(t *testing.T) {
	want := map[string]bool{}
	for _, et := range known {
		want[et.Name] = true
	}
	for _, et := range []EventType{transitioned, triggered, userDeleted, unknown} {
		want[et.Name] = true
	}
	files, err := filepath.Glob("../../../testdata/events/*.json")
	require.NoError(t, err)
	got := map[string]bool{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		ev, err := jira.NewDecoder(nil).Decode(body)
		require.NoError(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		assert.Equal(t, name, eventTypeOf(ev).Name)
		got[name] = true
	}
	assert.Equal(t, want, got)
}
