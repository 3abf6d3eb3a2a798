package record

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// BenchmarkTranslate measures Classify and Build. testdata/bench/baseline.txt contains it under this name.
func BenchmarkTranslate(b *testing.B) {
	for _, name := range []string{"comment", "issue_10k", "issue_100k"} {
		body, err := os.ReadFile("../../../testdata/bench/" + name + ".json")
		require.NoError(b, err)
		ev, err := jira.NewDecoder(nil).Decode(body)
		require.NoError(b, err)
		builder := newBuilder(nil)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				logs, _ := builder.Build(builder.Classify(ev), Delivery{ID: "1", Received: received, Body: body})
				if logs.LogRecordCount() != 1 {
					b.Fatal(logs.LogRecordCount())
				}
			}
		})
	}
}
