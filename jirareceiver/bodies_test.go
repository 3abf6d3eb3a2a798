// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// queryWithUser has the parameters that Jira adds to the address of a webhook, and a secret that an administrator might add.
const queryWithUser = "user_id=query-hunter2&user_key=query-hunter2&secret=query-hunter2"

// TestBodiesAreAccepted posts all bodies. Their records do not contain the query of the request or the name of the client. The
// records themselves are tested in internal/record.
func TestBodiesAreAccepted(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	for _, body := range testbodies.All(t) {
		t.Run(body.Name, func(t *testing.T) {
			logs := deliver(t, r, next, body.Content, withQuery(queryWithUser), withHeader("User-Agent", "query-hunter2"))
			text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "query-hunter2")
		})
	}
	assertNothingRejected(t, r)
}

// TestGoldenDelivery compares the record of a whole delivery, headers included, with a golden record.
func TestGoldenDelivery(t *testing.T) {
	next := &sink{}
	r := start(t, next, nil)
	const name = "senders/cloud_issue_updated_private"
	logs := deliver(t, r, next, testbodies.Read(t, name),
		withHeader(headerDeliveryID, "delivery-1"), withHeader(headerFlow, "Primary"), withHeader(headerRetryCount, "2"))
	golden.Assert(t, testbodies.File(t, name+".yaml"), logs)
}

// TestMutantsAreAccepted posts one mutant in a hundred.
func TestMutantsAreAccepted(t *testing.T) {
	step := 100
	if testing.Short() {
		step = 500
	}
	next := &sink{}
	all := testbodies.All(t)
	r := start(t, next, func(cfg *Config) {
		cfg.Jira.Changelog = ChangelogSplit
		cfg.Jira.CustomFields = testbodies.CustomFields(t, all)
		cfg.Jira.Include = IncludeConfig{UserDetails: true, Description: true, CommentBody: true}
	})
	posted := 0
	for _, body := range all {
		for mutant := range testbodies.Mutants(t, body.Content, step) {
			posted++
			assert.Positive(t, deliver(t, r, next, mutant).LogRecordCount())
		}
	}
	t.Logf("%d mutants posted", posted)
}

// deliver posts a body and returns its records.
func deliver(t *testing.T, r *running, next *sink, body []byte, options ...func(*http.Request)) plog.Logs {
	t.Helper()
	next.Reset()
	response, answer := r.post(t, body, options...)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	require.JSONEq(t, `{"status": "ok"}`, answer)
	require.Len(t, next.AllLogs(), 1)
	return next.AllLogs()[0]
}

func onlyRecord(t *testing.T, logs plog.Logs) plog.LogRecord {
	t.Helper()
	require.Equal(t, 1, logs.LogRecordCount())
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

// TestAlertsNeedOnlyToken posts alerts with a token to a receiver that has the secret of another webhook. Its logs
// contain neither the token nor people or their texts.
func TestAlertsNeedOnlyToken(t *testing.T) {
	const token = "alerts-hunter2"
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireSignature(cfg)
		cfg.Jira.Token.Values = []configopaque.String{token}
	})
	for _, body := range testbodies.Folder(t, "events") {
		if strings.HasPrefix(body.Name, "events/jira.alert.") {
			deliver(t, r, next, body.Content, withHeader("X-Jira-Token", token))
		}
	}
	response, _ := r.post(t, testbodies.Read(t, "events/jira.alert.created"))
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.NotEmpty(t, r.logs.All())
	for _, entry := range r.logs.All() {
		logged := fmt.Sprint(entry.Message, entry.ContextMap())
		for _, private := range []string{token, "example.com", "Dvorak", "Lindqvist", "db-7"} {
			assert.NotContains(t, logged, private)
		}
	}
}
