// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadatatest"
)

// TestDeliveriesAreCounted has one delivery of each outcome. The name of an event that Jira does not document is the sender's.
func TestDeliveriesAreCounted(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Jira.Events = EventsConfig{Include: []string{"jira.*"}, Exclude: []string{"jira.sprint.*"}}
	})
	post := func(name string, status int) {
		response, _ := r.post(t, fmt.Appendf(nil, `{"webhookEvent": %q, "n": 1}`, name))
		assert.Equal(t, status, response.StatusCode, name)
	}
	post("comment_created", http.StatusOK)
	post("comment_created", http.StatusOK)
	post("sprint_started", http.StatusOK)
	post("sprint_paused", http.StatusOK)
	post("hunter2", http.StatusOK)
	post("issue_hunter3", http.StatusOK)
	post("Hunter 4", http.StatusOK)
	assert.Equal(t, 5, next.LogRecordCount(), "an excluded delivery makes no record")
	next.err = errors.New("full")
	post("comment_created", http.StatusServiceUnavailable)
	r.post(t, []byte(`no JSON`)) // counted as rejected, and not here

	point := func(event, outcome string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(
			attribute.String("event", event), attribute.String("outcome", outcome), attribute.String("receiver", "jira"))}
	}
	metadatatest.AssertEqualReceiverJiraDeliveries(t, r.telemetry, []metricdata.DataPoint[int64]{
		point("jira.comment.created", "accepted", 2),
		point("jira.comment.created", "refused", 1),
		point("jira.sprint.started", "excluded", 1),
		point("other", "excluded", 1),
		point("other", "accepted", 2),
		point("jira.unknown", "accepted", 1),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// TestQueryAttributes has webhooks with variables in their addresses, as those that exclude the body need them.
func TestQueryAttributes(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		requireToken(cfg)
		cfg.Jira.QueryAttributes = map[string]string{"issue": "jira.issue.key", "sprint": "jira.sprint.id", "team": "team.name"}
	})
	const credentials = "token=the+token&user_id=hunter2&user_key=hunter2&issue.key=hunter2&Issue=hunter2"
	for _, tt := range []struct {
		name, body, query string
		want              map[string]any
	}{
		{"without a body", "", "issue=OPS-42&team=B%C3%BCro+1", map[string]any{"jira.issue.key": "OPS-42", "team.name": "Büro 1"}},
		{"beside a body", `{"issue": "OPS-1"}`, "issue=OPS-42&sprint=12", map[string]any{"jira.issue.key": "OPS-1", "jira.sprint.id": "12"}},
		{"empty", `{"a": 1}`, "issue=&team", map[string]any{}},
		{"twice", "", "sprint=1&sprint=2", map[string]any{"jira.sprint.id": "1"}},
		{"not UTF-8", "", "team=a%FFb", map[string]any{"team.name": "a\uFFFDb"}},
		{"not an escape", "", "team=%zz&sprint=3", map[string]any{"jira.sprint.id": "3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next.Reset()
			response, _ := r.post(t, []byte(tt.body), withQuery(credentials+"&"+tt.query))
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Len(t, next.AllLogs(), 1)
			attrs := onlyRecord(t, next.AllLogs()[0]).Attributes().AsRaw()
			for _, key := range []string{"jira.issue.key", "jira.sprint.id", "team.name"} {
				assert.Equal(t, tt.want[key], attrs[key], key)
			}
			written, err := (&plog.JSONMarshaler{}).MarshalLogs(next.AllLogs()[0])
			require.NoError(t, err)
			assert.NotContains(t, string(written), "hunter2", "no other parameter")
			assert.NotContains(t, string(written), token)
		})
	}
}

// TestSplitIsOneBatch hands the record of an event and those of its changed fields on together, in Jira's order.
func TestSplitIsOneBatch(t *testing.T) {
	next := &sink{}
	r := start(t, next, func(cfg *Config) { cfg.Jira.Changelog = ChangelogSplit })
	response, _ := r.post(t, []byte(`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1", "key": "OPS-1"},
		"changelog": {"id": "2", "items": [{"field": "a"}, {"field": "b"}, {"field": "a"}]}}`))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.Len(t, next.AllLogs(), 1)
	var told []string
	for _, record := range next.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		line := record.EventName()
		if field, found := record.Attributes().Get("jira.change.field"); found {
			line += " " + field.Str()
		}
		told = append(told, line)
	}
	assert.Equal(t, []string{"jira.issue.updated", "jira.issue.field_changed a", "jira.issue.field_changed b", "jira.issue.field_changed a"}, told)
	assertRecords(t, r, 4, 0)
}

// TestManyChanges has one record for each of so many changes that anything but a fixed cost for each would take longer than
// write_timeout.
func TestManyChanges(t *testing.T) {
	const changes = 100_000
	records := 0
	r := start(t, consumerFunc(func(_ context.Context, logs plog.Logs) error {
		records = logs.LogRecordCount()
		return nil
	}), func(cfg *Config) { cfg.Jira.Changelog = ChangelogSplit })
	item := `{"field": "a"}`
	response, _ := r.post(t, []byte(`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, "changelog": {"items": [`+
		item+strings.Repeat(", "+item, changes-1)+`]}}`))
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, 1+jira.MaxEntries, records)
	metadatatest.AssertEqualReceiverJiraTruncatedRecords(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1, Attributes: byReceiver}}, measured()...)
}

// TestStrangeBodiesAreAnswered has bodies that are hard on a reader. None is a reason to fall over, and few to refuse.
func TestStrangeBodiesAreAnswered(t *testing.T) {
	nested := func(open, closed string, depth int) string {
		return `{"issue": {"fields": {"description": ` + strings.Repeat(open, depth) + "0" + strings.Repeat(closed, depth) + `}}}`
	}
	next := &sink{}
	r := start(t, next, func(cfg *Config) {
		cfg.Jira.Include = IncludeConfig{Description: true, Payload: true}
		cfg.Jira.CustomFields = map[string]string{"customfield_1": "one"}
	})
	for _, tt := range []struct {
		name, body string
		statuses   []int
	}{
		{"arrays, 1,000 deep", nested("[", "]", 1000), []int{200}},
		{"arrays, 10,000 deep", nested("[", "]", 10_000), []int{200, 400}},
		{"objects, 10,000 deep", nested(`{"content":`, "}", 10_000), []int{200, 400}},
		{"arrays, 1,000,000 deep", nested("[", "]", 1_000_000), []int{200, 400}},
		{"objects, 1,000,000 deep", nested(`{"content":`, "}", 1_000_000), []int{200, 400}},
		{"never closed", strings.Repeat(`{"a":[`, 1_000_000), []int{400}},
		{"duplicate keys", `{"webhookEvent": "a", "issue": 1, "issue": {"id": "1"}, "webhookEvent": "comment_created", "issue": {"key": "OPS-1", "key": "OPS-2"}}`, []int{200}},
		{"bytes that are not UTF-8", "{\"webhookEvent\": \"a\xff\", \"k\xff\": 1, \"issue\": {\"key\": \"\xc3\x28\", \"fields\": {\"summary\": \"\xed\xa0\x80\", \"customfield_1\": \"\xff\"}}}", []int{200}},
		{"NUL", `{"webhookEvent": "a\u0000b", "issue": {"key": "A-1\u0000", "fields": {"summary": "\u0000"}}}`, []int{200}},
		{"half a surrogate", `{"issue": {"fields": {"summary": "\ud83d", "description": "\udc00\ud83d"}}}`, []int{200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next.Reset()
			response, _ := r.post(t, []byte(tt.body))
			assert.Contains(t, tt.statuses, response.StatusCode)
			if response.StatusCode == http.StatusOK {
				require.Len(t, next.AllLogs(), 1)
				record := onlyRecord(t, next.AllLogs()[0])
				assert.True(t, utf8.ValidString(fmt.Sprint(record.EventName(), record.Body().Str(), record.Attributes().AsRaw())))
			}
		})
	}
	response, _ := r.post(t, []byte(createdBody))
	assert.Equal(t, http.StatusOK, response.StatusCode, "still serving")
}

func TestStrangePatternsAreWarnedOf(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(cfg *Config) {
		cfg.Jira.Events = EventsConfig{Include: []string{"jira.issue.update", "jira.sprint.*"}, Exclude: []string{"jira.issue.deleted", "jira.sprint.stopped"}}
	})
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Patterns of events::include").FilterField(zap.Strings("patterns", []string{"jira.issue.update"})).Len())
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Patterns of events::exclude").FilterField(zap.Strings("patterns", []string{"jira.sprint.stopped"})).Len())
}
