// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
)

// writing is the way of a body to its records, with the same options in both halves: decode and write.
type writing struct {
	opts    Options
	decoder *jira.Decoder
	builder *Builder
}

// newWriting uses the receiver's default options, as changed.
func newWriting(change func(*Options)) *writing {
	w := &writing{}
	w.builder = newBuilder(func(o *Options) {
		o.ScopeName, o.ScopeVersion = metadata.ScopeName, "1.2.3"
		if change != nil {
			change(o)
		}
		w.opts = *o
	})
	w.decoder = jira.NewDecoder(slices.Collect(maps.Keys(w.opts.CustomFields)))
	return w
}

func (w *writing) write(body []byte, d Delivery) (*jira.Event, plog.Logs, error) {
	event, err := w.decoder.Decode(body)
	if err != nil {
		return nil, plog.Logs{}, err
	}
	d.Payload, d.Received = body, received
	logs, _ := w.builder.Build(w.builder.Classify(event), d)
	return event, logs, nil
}

// logs returns the records of a body.
func (w *writing) logs(t *testing.T, body []byte, d Delivery) plog.Logs {
	t.Helper()
	_, logs, err := w.write(body, d)
	require.NoError(t, err)
	return logs
}

// record returns the only record of a body.
func (w *writing) record(t *testing.T, body []byte) plog.LogRecord {
	t.Helper()
	logs := w.logs(t, body, Delivery{})
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}
