// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sample []float64
		want   spread
	}{
		{"one", []float64{7}, spread{7, 7, 7}},
		{"two", []float64{3, 1}, spread{1.5, 2, 2.5}},
		{"odd", []float64{5, 1, 4, 2, 3}, spread{2, 3, 4}},
		{"an outlier", []float64{1, 1, 1, 1, 1000}, spread{1, 1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.sample)
			assert.Equal(t, tt.want, spreadOf(tt.sample))
			assert.Equal(t, before, tt.sample, "the sample keeps its order, which pairs it with others")
		})
	}
}

// TestPaired has a contender that always needs twice the time of its base, on a machine that becomes slower.
func TestPaired(t *testing.T) {
	base, contender := []float64{10, 30, 90}, []float64{20, 60, 180}
	assert.Equal(t, []float64{2, 2, 2}, paired(contender, base, ratio))
	assert.Equal(t, []float64{10, 30, 90}, paired(contender, base, difference))
}

func TestOrders(t *testing.T) {
	const rounds, n = 1000, 5
	positions := [n][n]int{} // of each contender
	for _, order := range orders(rand.New(rand.NewPCG(1, 0)), rounds, n) {
		assert.ElementsMatch(t, []int{0, 1, 2, 3, 4}, order)
		for position, contender := range order {
			positions[contender][position]++
		}
	}
	for contender := range positions {
		for position, times := range positions[contender] {
			assert.InDelta(t, rounds/n, times, rounds/n/3, "contender %d at position %d", contender, position)
		}
	}
}

func TestCPUTime(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	require.NoError(t, err)
	for start := time.Now(); time.Since(start) < 20*time.Millisecond; { //nolint:revive // uses CPU
	}
	after, err := cpuTime(os.Getpid())
	require.NoError(t, err)
	assert.Positive(t, after-before)
	assert.NotZero(t, (after-before)%(10*time.Millisecond), "ticks are too coarse")

	_, err = cpuTime(1 << 22)
	assert.Error(t, err, "no process")
}
