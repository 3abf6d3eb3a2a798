// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestTable has two rounds, and the machine is twice as slow in the second. The pairs of a round have the same ratio.
func TestTable(t *testing.T) {
	of := func(deliveries int) []measurement {
		return []measurement{
			{took: make([]time.Duration, deliveries), elapsed: time.Second, cpuTime: time.Second},
			{took: make([]time.Duration, deliveries/2), elapsed: time.Second, cpuTime: time.Second},
		}
	}
	table := table{
		contenders: []contender{{name: "base"}, {name: "other"}},
		before:     []contender{{name: "base, before"}, {name: "other, before"}},
		columns: []column{
			speedColumn, relative("relative", speeds), relativeToBefore("to before", speeds), more("more µs", cpuTimes),
		},
	}
	var b strings.Builder
	table.write(&b, [][]measurement{of(1000), of(2000), of(1000), of(500)})
	assert.Equal(t, `|  | accepted/s | relative | to before | more µs |
| --- | --- | --- | --- | --- |
| base | 750 | 1.00 [1.00, 1.00] | 1.00 [1.00, 1.00] | 0.00 [0.00, 0.00] |
| other | 1500 | 2.00 [2.00, 2.00] | 4.00 [4.00, 4.00] | -750.00 [-875.00, -625.00] |
| base, before | 750 | 1.00 [1.00, 1.00] |  | 0.00 [0.00, 0.00] |
| other, before | 375 | 0.50 [0.50, 0.50] |  | 1500.00 [1250.00, 1750.00] |
`, b.String())
}

func TestTogether(t *testing.T) {
	all := together([]measurement{
		{took: []time.Duration{1, 4}, failed: 1, elapsed: 10, cpuTime: 5, peak: 7},
		{took: []time.Duration{2, 3}, failed: 2, elapsed: 20, cpuTime: 6, peak: 6},
	})
	assert.Equal(t, measurement{took: []time.Duration{1, 2, 3, 4}, failed: 3, elapsed: 30, cpuTime: 11, peak: 7}, all)
}
