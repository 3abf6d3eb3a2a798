// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package jirareceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAllocations bounds what a delivery allocates beyond reading and verifying it. Unlike times, that hardly differs between
// machines. The race detector changes it.
func TestAllocations(t *testing.T) {
	for name, most := range map[string]float64{"comment": 100, "issue_10k": 155, "issue_100k": 475} {
		b := newBench(t, name)
		floor := testing.AllocsPerRun(200, func() { b.call(b.floor) })
		whole := testing.AllocsPerRun(200, func() { b.call(b.whole) })
		b.assertRecorded(t)
		t.Logf("%s: %.0f, of which %.0f to read and verify", name, whole, floor)
		assert.LessOrEqual(t, whole-floor, most, name)
	}
}
