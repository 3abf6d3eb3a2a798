// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const remembering = `
receivers:
  jira:
    endpoint: %s
    signature: { secrets: ["${env:JIRA_WEBHOOK_SECRET}"] }
    deduplication: { file: %s, max_entries: %d }
exporters:
  debug: { verbosity: basic, sampling_initial: 1, sampling_thereafter: 1000000000 }
service:
  pipelines: { logs: { receivers: [jira], exporters: [debug] } }
  telemetry: { metrics: { level: none } }
`

// TestMemoryOfDeliveriesIsBounded delivers many times more deliveries than the cache can hold. Once the cache is full,
// neither process nor file may grow.
func TestMemoryOfDeliveriesIsBounded(t *testing.T) {
	for _, test := range []struct{ maxEntries, deliveries int }{
		{form(1000, 20_000), form(16_000, 1_000_000)},
		{100_000, 400_000}, // the default
	}[:form(1, 2)] {
		t.Run(fmt.Sprintf("%d of %d", test.maxEntries, test.deliveries), func(t *testing.T) {
			const samples = 16
			deduplication := filepath.Join(t.TempDir(), "deliveries")
			c := start(t, t.TempDir(), writeConfig(t, remembering, address(t), deduplication, test.maxEntries))
			jira, _ := connect(t, c, fastCompression)
			var resident, file []int64
			for i := range samples {
				size := test.deliveries / samples
				for _, result := range jira.DeliverAll(t.Context(), small(i*size, (i+1)*size), pending) {
					require.True(t, result.Acknowledged)
				}
				resident = append(resident, c.memory(t, "VmRSS"))
				file = append(file, sizeOf(t, deduplication))
			}
			c.terminate(t)
			t.Logf("%d deliveries, %d remembered, in %d steps: KiB resident %d, KiB on disk %d", test.deliveries, test.maxEntries, samples, kibibytes(resident), kibibytes(file))
			assert.Less(t, slices.Max(resident[12:]), slices.Max(resident[4:8])*5/4, "resident, last quarter and second")
			assert.LessOrEqual(t, slices.Max(file[12:]), slices.Max(file[4:8]), "on disk, last quarter and second")
		})
	}
}

// small returns deliveries with the smallest payload of an event.
func small(from, to int) []jirasim.Delivery {
	deliveries := make([]jirasim.Delivery, 0, to-from)
	for n := from; n < to; n++ {
		body := fmt.Appendf(nil, `{"timestamp": %d, "webhookEvent": "sprint_started", "sprint": {"id": %d, "self": "https://acme.atlassian.net/rest/agile/1.0/sprint/%d"}}`, n, n, n)
		deliveries = append(deliveries, jirasim.Delivery{ID: fmt.Sprintf("small-%d", n), Flow: jirasim.Primary, Body: body})
	}
	return deliveries
}

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}

func kibibytes(bytes []int64) (kibibytes []int64) {
	for _, n := range bytes {
		kibibytes = append(kibibytes, n>>10)
	}
	return kibibytes
}
