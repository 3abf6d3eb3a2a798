// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name  string
		heaps []int64
		grows bool
	}{
		{"flat", []int64{100, 100, 100, 100, 100, 100, 100, 100}, false},
		{"grows at first", []int64{10, 60, 100, 100, 100, 100, 100, 100}, false},
		{"shrinks", []int64{100, 100, 100, 100, 80, 80, 80, 80}, false},
		{"a peak in between", []int64{100, 100, 100, 100, 200, 100, 100, 100}, false},
		{"as much more as it may", []int64{100, 100, 100, 100, 100, 100, 100, 105}, false},
		{"a little more than it may", []int64{100, 100, 100, 100, 100, 100, 100, 106}, true},
		{"grows steadily", []int64{100, 110, 120, 130, 140, 150, 160, 170}, true},
		{"grows at last", []int64{100, 100, 100, 100, 100, 100, 200, 100}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.grows, verdict("live heap", tt.heaps) != nil)
		})
	}
}
