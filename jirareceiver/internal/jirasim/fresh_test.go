// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFresh moves the life of an issue to the present.
func TestFresh(t *testing.T) {
	old, err := Bodies("../../../testdata/life")
	require.NoError(t, err)
	now := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	fresh := Fresh(old, now)
	require.Len(t, fresh, len(old))
	last := now.Add(-10*time.Minute - time.Millisecond)
	for i, d := range fresh {
		assert.NotContains(t, string(d.Body), "2026-03-")
		assert.NotRegexp(t, `["/]10142["/]`, string(d.Body))
		assert.Len(t, fields(d), len(fields(old[i])))
		body := decoded(t, d.Body)
		happened := time.UnixMilli(int64(at(body, "timestamp").(float64)))
		assert.True(t, happened.After(last), "in their order")
		assert.False(t, happened.After(now))
		last = happened
		if updated, ok := at(body, "issue", "fields", "updated").(string); ok && i < len(fresh)-1 {
			at, err := time.Parse(timeFormat, updated)
			require.NoError(t, err)
			assert.WithinDuration(t, happened, at, time.Second)
			assert.Contains(t, updated, "+0100")
		}
	}
	assert.Equal(t, now, last.UTC())
	issues, changes := map[any]bool{}, map[any]bool{}
	for _, deliveries := range [][]Delivery{old, fresh, Fresh(old, now.Add(time.Second))} {
		for _, d := range deliveries {
			body := decoded(t, d.Body)
			issues[at(body, "issue", "id")] = true
			changes[at(body, "changelog", "id")] = true
		}
	}
	assert.Len(t, issues, 3)
	assert.Len(t, changes, 3*5+1, "and none")
	assert.Equal(t, fresh, Fresh(old, now), "the same at the same time")
}

// fields returns the keys of a body, in their order.
func fields(d Delivery) []string {
	return regexp.MustCompile(`"[A-Za-z_0-9]+":`).FindAllString(string(d.Body), -1)
}

// TestFreshOfOtherBodies leaves bodies without times and ids as they are.
func TestFreshOfOtherBodies(t *testing.T) {
	bodies := []Delivery{{Body: []byte(`{"a": "2026"}`)}, {Body: []byte(`not JSON`)}, {}}
	for i, d := range Fresh(bodies, time.Now()) {
		assert.Equal(t, string(bodies[i].Body), string(d.Body))
	}
	assert.Empty(t, Fresh(nil, time.Now()))
}
