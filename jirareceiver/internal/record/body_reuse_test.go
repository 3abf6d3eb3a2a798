// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestRecordsShareNothingWithTheBody overwrites bodies after translation, as the next delivery does whose body is read
// into the same buffer.
func TestRecordsShareNothingWithTheBody(t *testing.T) {
	const everyField = "customfield_10201"
	builder := newBuilder(func(o *Options) {
		o.UserDetails, o.Description, o.CommentBody, o.Payload, o.SplitChanges = true, true, true, true, true
		o.CustomFields = map[string]string{everyField: "any"}
	})
	for _, body := range append(testbodies.Examples(t), testbodies.Folder(t, "bench")...) {
		ev, err := jira.NewDecoder([]string{everyField}).Decode(body.Content)
		require.NoError(t, err)
		logs, _ := builder.Build(builder.Classify(ev), Delivery{Payload: body.Content, Received: received})
		want, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		clear(body.Content)
		got, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), body.Name)
	}
}
