// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestEveryEventHasBody keeps one example of each event of the table, and of no other, in a file of the event's name.
func TestEveryEventHasBody(t *testing.T) {
	want := map[string]bool{}
	for _, et := range known {
		want[et.Name] = true
	}
	for _, name := range alertNames() {
		want[name] = true
	}
	for _, et := range []EventType{transitioned, triggered, userDeleted, unknown} {
		want[et.Name] = true
	}
	got := map[string]bool{}
	for _, body := range testbodies.Folder(t, "events") {
		ev, err := jira.NewDecoder(nil).Decode(body.Content)
		require.NoError(t, err)
		name := strings.TrimPrefix(body.Name, "events/")
		assert.Equal(t, name, eventTypeOf(ev).Name)
		got[name] = true
	}
	assert.Equal(t, want, got)
}
