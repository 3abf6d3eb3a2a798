package record

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// TestRecordsShareNothingWithTheBody overwrites the body after its record was built, because the next delivery uses the
// same buffer.
func TestRecordsShareNothingWithTheBody(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	const everyField = "customfield_10201"
	builder := newBuilder(func(o *Options) {
		o.UserDetails, o.Description, o.CommentBody, o.Payload, o.SplitChanges = true, true, true, true, true
		o.CustomFields = map[string]string{everyField: "any"}
	})
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		ev, err := jira.NewDecoder([]string{everyField}).Decode(body)
		require.NoError(t, err)
		logs, _ := builder.Build(builder.Classify(ev), Delivery{Body: body, Received: received})
		want, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		clear(body)
		got, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), file)
	}
}
