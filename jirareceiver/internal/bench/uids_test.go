// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func TestUIDCounter(t *testing.T) {
	c := newUIDCounter()
	for _, one := range []struct{ uid, source string }{{"a", ""}, {"b", "repair"}, {"c", "poll"}, {"a", "repair"}} {
		logs := plog.NewLogs()
		attributes := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes()
		attributes.PutStr("log.record.uid", one.uid)
		attributes.PutStr("jira.webhook.source", one.source)
		request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
		require.NoError(t, err)
		require.NoError(t, c.add(request))
	}
	assert.Equal(t, 3, c.distinct())
	assert.Equal(t, 1, c.doubled())
	assert.Equal(t, 2, c.repaired())
	assert.Error(t, c.add([]byte("no protobuf")))
}
