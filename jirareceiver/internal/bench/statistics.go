// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// spread describes a sample. Half of the sample lies between the quartiles.
type spread struct{ lower, median, upper float64 }

func (s spread) String() string { return fmt.Sprintf("%.2f [%.2f, %.2f]", s.median, s.lower, s.upper) }

func spreadOf(sample []float64) spread {
	sorted := slices.Sorted(slices.Values(sample))
	return spread{quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)}
}

// quantile interpolates between the neighbors in a sorted sample.
func quantile(sorted []float64, q float64) float64 {
	position := q * float64(len(sorted)-1)
	i := int(position)
	if i == len(sorted)-1 {
		return sorted[i]
	}
	return sorted[i] + (position-float64(i))*(sorted[i+1]-sorted[i])
}

// paired combines the values of two contenders in each round. Other load on the machine affects both values of a pair.
func paired(a, b []float64, combine func(a, b float64) float64) []float64 {
	combined := make([]float64, len(a))
	for i := range a {
		combined[i] = combine(a[i], b[i])
	}
	return combined
}

func ratio(a, b float64) float64 { return a / b }

func difference(a, b float64) float64 { return a - b }

// orders returns a random order of n contenders for each round, so that none always runs after the same one.
func orders(random *rand.Rand, rounds, n int) [][]int {
	all := make([][]int, rounds)
	for round := range all {
		all[round] = random.Perm(n)
	}
	return all
}
