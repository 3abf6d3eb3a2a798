// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

func BenchmarkTranslate(b *testing.B) {
	for _, name := range []string{"comment", "issue_10k", "issue_100k"} {
		body := testbodies.Read(b, "bench/"+name)
		ev, err := jira.NewDecoder(nil).Decode(body)
		require.NoError(b, err)
		builder := newBuilder(nil)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				logs, _ := builder.Build(builder.Classify(ev), Delivery{ID: "1", Received: received, Payload: body})
				if logs.LogRecordCount() != 1 {
					b.Fatal(logs.LogRecordCount())
				}
			}
		})
	}
}
