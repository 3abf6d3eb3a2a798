// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// many returns a list with as many elements as fit into size bytes.
func many(element string, size int) string {
	return "[" + strings.Repeat(element+",", size/(len(element)+1)) + element + "]"
}

func long(size int) string { return `"` + strings.Repeat("x", size) + `"` }

func issueUpdated(fields, items string) string {
	return `{"webhookEvent": "jira:issue_updated", "issue": {"id": "1", "key": "OPS-1", "self": "https://jira.example.com/rest/api/2/1", "fields": {` +
		fields + `}}, "changelog": {"id": "2", "items": ` + items + `}}`
}

// hostileBodies returns bodies of about size bytes that are expensive for a careless reader.
func hostileBodies(size int) map[string]string {
	const change = `{"field":"a","fieldtype":"custom","fromString":%q,"toString":%[1]q}`
	bodies := map[string]string{
		"labels":            issueUpdated(`"labels": `+many(`"a"`, size), "[]"),
		"components":        issueUpdated(`"components": `+many(`{"name":"a"}`, size), "[]"),
		"versions":          issueUpdated(`"versions": `+many(`{}`, size/2)+`, "fixVersions": `+many(`{"name":1}`, size/2), "[]"),
		"changes":           issueUpdated("", many(`{"field":"a"}`, size)),
		"empty changes":     issueUpdated("", many(`{}`, size)),
		"long changes":      issueUpdated("", many(fmt.Sprintf(change, strings.Repeat("é", 2000)), size)),
		"user lists":        issueUpdated("", many(fmt.Sprintf(change, "["+strings.Repeat("a(b)", 2000)+")]"), size)),
		"long ids":          issueUpdated("", many(`{"field":"a","fieldtype":"custom","from":"`+strings.Repeat("0a", 8<<10)+`","to":"`+strings.Repeat("0a", 8<<10)+`"}`, size)),
		"user keys":         issueUpdated("", many(`{"field":"a","fieldtype":"custom","from":"`+strings.Repeat("JIRAUSER1, ", 1400)+`a"}`, size)),
		"resource names":    issueUpdated("", many(`{"field":"a","fieldtype":"custom","from":"`+strings.Repeat("ari:cloud:a::a/a,", 900)+`a"}`, size)),
		"one long change":   issueUpdated("", "["+fmt.Sprintf(change, strings.Repeat("x", size/2))+"]"),
		"field names":       issueUpdated("", many(`{"field":`+long(20_000)+`}`, size)),
		"key and changes":   strings.Replace(issueUpdated("", many(`{"field":"a"}`, size/2)), `"OPS-1"`, long(size/2), 1),
		"ids":               `{"user": {"accountId": ` + long(size/2) + `}, "issue": {"id": ` + long(size/2) + `}, "changelog": {"items": ` + many(`{"field":"a"}`, 9000) + `}}`,
		"link":              `{"issue": {"self": "https://` + strings.Repeat("a", size) + `/rest/"}, "changelog": {"items": [{}]}}`,
		"event name":        `{"webhookEvent": ` + long(size) + `}`,
		"summary":           issueUpdated(`"summary": `+long(size), "[]"),
		"escaped summary":   issueUpdated(`"summary": "`+strings.Repeat(`\u00e4`, size/6)+`"`, "[]"),
		"not UTF-8":         issueUpdated(`"summary": "`+strings.Repeat("\xff", size)+`"`, "[]"),
		"control":           issueUpdated(`"summary": "`+strings.Repeat(`\u001b`, size/6)+`"`, "[]"),
		"status":            issueUpdated(`"status": {"name": `+long(size)+`}, "priority": `+long(9000), many(`{"field":"a"}`, 9000)),
		"number":            issueUpdated(`"customfield_1": `+strings.Repeat("1", size), "[]"),
		"numbers":           issueUpdated(`"customfield_1": `+many("1", size), "[]"),
		"arrays":            issueUpdated(`"customfield_1": `+many("[]", size), "[]"),
		"nested arrays":     issueUpdated(`"customfield_1": `+many(strings.Repeat("[", 100)+"1"+strings.Repeat("]", 100), size), "[]"),
		"empty objects":     issueUpdated(`"customfield_1": `+many("{}", size), "[]"),
		"users":             issueUpdated(`"customfield_1": `+many(`{"accountId":"a","displayName":"b"}`, size), "[]"),
		"sprints":           issueUpdated(`"customfield_1": `+many(`"com.atlassian.greenhopper.service.sprint.Sprint@1[name=a,goal=b]"`, size), "[]"),
		"long sprint":       issueUpdated(`"customfield_1": "com.atlassian.greenhopper.service.sprint.Sprint@1[`+strings.Repeat("name=a,", size/7)+`"`, "[]"),
		"sorted sprint":     issueUpdated(`"customfield_1": "com.atlassian.greenhopper.service.sprint.Sprint@1[goal=`+strings.Repeat(",id=1,j=2", size/9)+`,rapidViewId=1]"`, "[]"),
		"sorted sprints":    issueUpdated(`"customfield_1": `+many(`"com.atlassian.greenhopper.service.sprint.Sprint@1[goal=`+strings.Repeat(",id=1,j=2", 1700)+`,rapidViewId=1]"`, size), "[]"),
		"sprint refs":       issueUpdated(`"customfield_2": `+many(`{"id":1,"state":"active","boardId":1}`, size), "[]"),
		"software fields":   issueUpdated(strings.Repeat(`"customfield_1": ["boardId","Impediment"], `, size/43)+`"a": 1`, "[]"),
		"impediments":       issueUpdated(`"customfield_2": `+many(`{"value":"Impediment"}`, size), "[]"),
		"links":             issueUpdated(`"issuelinks": `+many(`{"id":1}`, size/2)+`, "subtasks": `+many(`{"id":1}`, size/2), "[]"),
		"objects":           issueUpdated(`"customfield_1": `+many(`{"a":1}`, size), "[]"),
		"cycles":            issueUpdated(`"customfield_1": {"completedCycles": `+many(`{"breached":true}`, size)+`}`, "[]"),
		"empty cycles":      issueUpdated(`"customfield_1": {"completedCycles": `+many(`{}`, size)+`}`, "[]"),
		"slas":              issueUpdated(`"customfield_1": `+many(`{"ongoingCycle":{"breached":true}}`, size), "[]"),
		"repeated slas":     issueUpdated(strings.Repeat(`"customfield_1": {"ongoingCycle":{"paused":true}}, `, size/52)+`"a": 1`, "[]"),
		"approvals":         issueUpdated(`"customfield_1": `+many(`{"approvers":`+many(`{"approver":{"key":"a"}}`, 3900)+`}`, size), "[]"),
		"approvers":         issueUpdated(`"customfield_1": {"approvers":`+many(`{"approver":{"key":"a"}}`, size)+`}`, "[]"),
		"approver names":    issueUpdated(`"customfield_1": {"approvers":`+many(`{"approver":{"displayName":`+long(9000)+`}}`, size)+`}`, "[]"),
		"feedback":          issueUpdated(`"customfield_1": {"rating": 1, "comment": {"body": `+long(size)+`}}`, "[]"),
		"options":           issueUpdated(`"customfield_1": `+many(strings.Repeat(`{"value":1,"child":`, 9000)+"1"+strings.Repeat("}", 9000), size), "[]"),
		"floats":            `{"timestamp": 1` + strings.Repeat(`,"timestamp":1.0`, size/16) + "}",
		"empty histories":   `{"id": 1, "fields": {}, "changelog": {"histories": ` + many(`{}`, size) + `}}`,
		"histories":         `{"id": 1, "fields": {}, "changelog": {"histories": ` + many(`{"items":[{"field":"a"}]}`, size) + `}}`,
		"sprint objects":    `{"sprint": {"name": ` + long(size/2) + `}, "oldValue": {"name": ` + long(size/2) + `}}`,
		"document":          issueUpdated(`"description": {"type": "doc", "content": `+many(`{"type":"text","text":"a"}`, size)+`}`, "[]"),
		"empty nodes":       issueUpdated(`"description": {"type": "doc", "content": `+many(`{"type":"paragraph"}`, size)+`}`, "[]"),
		"object":            issueUpdated(`"description": {"a": `+many("1", size)+`}`, "[]"),
		"nested object":     issueUpdated(`"description": `+strings.Repeat(`{"content":`, 9000)+"1"+strings.Repeat("}", 9000), "[]"),
		"members":           `{` + strings.Repeat(`"issue": {"fields": {"labels": ["a"]}}, `, size/40) + `"a": 1}`,
		"responders":        alertBody("Create", `"responders": `+many(`"a"`, size)),
		"responder objects": alertBody("Create", `"responders": `+many(`{"type":"a","name":"b"}`, size)),
		"joined tags":       alertBody("AddTags", `"addedTags": "`+strings.Repeat("a,", size/2)+`"`),
		"details":           alertBody("Create", `"details": {"a": `+many(`"b"`, size)+`}`),
		"action":            `{"action": ` + long(size) + `, "alert": {"alertId": ` + long(size/2) + `, "source": ` + long(size/2) + `}}`,
		"unread":            `{"a": ` + many(`{"b":[]}`, size) + `}`,
		"repeated comments": `{` + strings.Repeat(`"comment": {"body": {"type": "doc"}}, `, size/40) + `"a": 1}`,
	}
	return bodies
}

// TestHostileBodiesBecomeSmallRecords limits the memory for a body of any shape, and the size of its records.
func TestHostileBodiesBecomeSmallRecords(t *testing.T) {
	const size = 2 << 20
	modes := []struct {
		split, payload bool
		maxText        int
	}{{true, true, 1 << 30}, {true, true, 4096}, {false, true, 4096}, {true, false, 4096}, {false, false, 4096}}
	if testing.Short() {
		modes = modes[:1]
	}
	for name, body := range hostileBodies(size) {
		for _, mode := range modes {
			logs, remarks, allocated := hostileRecords(t, body, func(o *Options) {
				o.SplitChanges, o.Payload, o.MaxText = mode.split, mode.payload, mode.maxText
			})
			assert.LessOrEqual(t, logs.LogRecordCount(), 1+jira.MaxEntries, name)
			assert.Less(t, (&plog.ProtoMarshaler{}).LogsSize(logs), jira.MaxEvent+1<<20, name)
			assert.Less(t, float64(allocated)/float64(len(body)), 20.0, "%s: bytes allocated for each of the body", name)
			for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				assert.Less(t, stringBytes(record.Attributes().AsRaw()), jira.MaxText+1<<18, name)
			}
			if mode.payload && len(body) > jira.MaxText {
				assert.Positive(t, remarks.Truncated, name)
			}
			requireNoControl(t, logs)
		}
	}
}

// hostileRecords returns the records of a body, and the bytes allocated for them.
func hostileRecords(t *testing.T, body string, change func(*Options)) (plog.Logs, Remarks, uint64) {
	t.Helper()
	builder := newBuilder(func(o *Options) {
		o.UserDetails, o.Description, o.CommentBody = true, true, true
		o.CustomFields = map[string]string{"customfield_1": "one"}
		change(o)
	})
	dec, raw := jira.NewDecoder([]string{"customfield_1"}), []byte(body)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ev, err := dec.Decode(raw)
	require.NoError(t, err)
	logs, remarks := builder.Build(builder.Classify(ev), Delivery{ID: "1", Payload: raw, Received: received})
	runtime.ReadMemStats(&after)
	return logs, remarks, after.TotalAlloc - before.TotalAlloc
}

// stringBytes counts the bytes of all strings below a value, without keys.
func stringBytes(value any) (n int) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			n += stringBytes(member)
		}
	case []any:
		for _, element := range value {
			n += stringBytes(element)
		}
	case string:
		n = len(value)
	}
	return n
}

// TestCostIsLinear has a long key and many changes, which cost the square of their length while each record repeated
// the key.
func TestCostIsLinear(t *testing.T) {
	cost := func(size int) float64 {
		body := hostileBodies(size)["key and changes"]
		_, _, allocated := hostileRecords(t, body, func(o *Options) { o.SplitChanges = true })
		return float64(allocated)
	}
	assert.Less(t, cost(200_000), 3*cost(100_000))
}

// TestRedactionIsCheap compares the time to build the records of values that look like ids with the time to decode them.
// Regular expressions over the values took a hundred times as long as the decoder.
func TestRedactionIsCheap(t *testing.T) {
	bodies := hostileBodies(4 << 20)
	for _, name := range []string{"long ids", "user keys", "resource names", "user lists"} {
		raw := []byte(bodies[name])
		builder := newBuilder(func(o *Options) { o.SplitChanges = true })
		fastest := func(f func()) time.Duration {
			best := time.Hour
			for range 5 {
				start := time.Now()
				f()
				best = min(best, time.Since(start))
			}
			return best
		}
		var ev *jira.Event
		decoding := fastest(func() { ev, _ = jira.NewDecoder(nil).Decode(raw) })
		building := fastest(func() { builder.Build(builder.Classify(ev), Delivery{ID: "1", Payload: raw, Received: received}) })
		assert.Less(t, building, 40*decoding, "%s: decoding takes %s", name, decoding)
	}
}

// TestTruncatedAttributesAreMarked has one body for each limit.
func TestTruncatedAttributesAreMarked(t *testing.T) {
	tooLong := long(jira.MaxID + 1)
	for body, want := range map[string][]any{
		issueUpdated(`"labels": `+many(`"a"`, 4*jira.MaxEntries), "[]"):                                          {"jira.issue.labels"},
		issueUpdated(`"labels": `+many(`"a"`, 4*jira.MaxEntries-4), "[]"):                                        nil,
		issueUpdated(`"customfield_1": `+many("1", 2*jira.MaxEntries), "[]"):                                     {"jira.issue.custom.one"},
		issueUpdated(`"customfield_1": `+many(`{"accountId":"a"}`, 20*jira.MaxEntries), "[]"):                    {"jira.issue.custom.one"},
		issueUpdated(`"customfield_1": {"completedCycles": `+many(`{}`, 3*jira.MaxEntries)+`}`, "[]"):            {"jira.issue.sla.completed.stopped_at.one"},
		issueUpdated(`"customfield_1": {"approvers": `+many(`{}`, 3*jira.MaxEntries)+`}`, "[]"):                  {"jira.issue.approval.approver_count.one"},
		issueUpdated(`"customfield_1": `+many(`{"finalDecision":"pending"}`, 28*jira.MaxEntries), "[]"):          {"jira.issue.approval.id.one"},
		issueUpdated("", many(`{"field":"a"}`, 14*jira.MaxEntries)):                                              {"jira.changelog.fields", "jira.changelog.items", "jira.change.field"},
		issueUpdated("", many(`{"field":"a"}`, 14*jira.MaxEntries-14)):                                           nil,
		issueUpdated("", `[{"field": "a", "fieldtype": `+tooLong+`}, {"fieldtype": `+tooLong+`}]`):               {"jira.changelog.items"},
		issueUpdated(`"summary": `+long(5000), "[]"):                                                             nil, // max_text_length is no limit of ours
		`{"issue": {"key": ` + tooLong + `}}`:                                                                    {"jira.issue.key"},
		`{"webhookEvent": ` + tooLong + `, "issue_event_type_name": ` + tooLong + `}`:                            {"jira.webhook.event", "jira.webhook.issue_event_type"},
		`{"user": {"accountId": ` + tooLong + `}, "comment": {"id": "` + strings.Repeat("é", jira.MaxID) + `"}}`: {"user.id", "jira.comment.id"},
		`{"issue": {"self": "https://jira.example.com/rest/", "key": ` + long(jira.MaxURL) + `}}`:                {"jira.issue.key", "url.full"},
	} {
		_, remarks, _ := hostileRecords(t, body, func(o *Options) { o.SplitChanges = true })
		logs, _, _ := hostileRecords(t, body, func(o *Options) { o.SplitChanges = true })
		marked := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()[attrRecordTruncated]
		shown := body[:min(len(body), 200)]
		if want == nil {
			assert.Nil(t, marked, shown)
			assert.Zero(t, remarks.Truncated, shown)
			continue
		}
		assert.Equal(t, want, marked, shown)
		assert.Positive(t, remarks.Truncated, shown)
	}
}

// TestCutsLeaveCharactersWhole cuts between two bytes of a character, in an id and in the payload.
func TestCutsLeaveCharactersWhole(t *testing.T) {
	body := `{"comment": {"id": "x` + strings.Repeat("é", jira.MaxText) + `"}}`
	logs, remarks, _ := hostileRecords(t, body, func(o *Options) { o.Payload = true })
	attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
	assert.Equal(t, 1, remarks.Truncated)
	assert.Equal(t, "x"+strings.Repeat("é", jira.MaxID/2-1), attrs[attrCommentID])
	original := attrs[attrRecordOriginal].(string)
	assert.True(t, strings.HasPrefix(body, original) && utf8.ValidString(original))
	assert.Greater(t, len(original), jira.MaxText*9/10)
	assert.Equal(t, []any{attrCommentID, attrRecordOriginal}, attrs[attrRecordTruncated])
}

// TestCutsOfWhatIsNotUTF8 has a long text in which no byte begins a character.
func TestCutsOfWhatIsNotUTF8(t *testing.T) {
	body := `{"issue": {"fields": {"summary": "` + strings.Repeat("\x80", jira.MaxText+1) + `"}}}`
	logs, _, _ := hostileRecords(t, body, func(*Options) {})
	attrs := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
	assert.Equal(t, "\uFFFD", attrs[attrIssueSummary])
}

// TestBudgetOfAnEvent has more changes than fit. The records of some changes are missing, and the other records are
// complete.
func TestBudgetOfAnEvent(t *testing.T) {
	logs, remarks, _ := hostileRecords(t, hostileBodies(4 << 20)["long changes"], func(o *Options) { o.SplitChanges, o.MaxText = true, 1<<20 })
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	assert.Less(t, records.Len(), jira.MaxEntries)
	assert.Greater(t, (&plog.ProtoMarshaler{}).LogsSize(logs), jira.MaxEvent*9/10)
	assert.Equal(t, 1, remarks.Truncated)
	marked := records.At(0).Attributes().AsRaw()[attrRecordTruncated]
	assert.Contains(t, marked, attrChangeField)
	for _, record := range records.All() {
		if record.EventName() == EventFieldChanged {
			assert.Contains(t, record.Attributes().AsRaw(), attrChangeToString)
		}
	}
}

// TestCutTextsAreNotHeld keeps the records of long texts, and nothing of the texts.
func TestCutTextsAreNotHeld(t *testing.T) {
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	body := `{"issue": {"id": ` + long(jira.MaxText) + `, "fields": {"summary": ` + long(jira.MaxText) + `}}}`
	before := held()
	var kept []plog.Logs
	for range 10 {
		logs, _, _ := hostileRecords(t, body, func(*Options) {})
		kept = append(kept, logs)
	}
	assert.Less(t, int64(held())-int64(before), int64(2<<20))
	runtime.KeepAlive(kept)
}

// TestLongListsOfUsers checks that records omit a list that is too long to be searched for login names.
func TestLongListsOfUsers(t *testing.T) {
	ids := strings.Repeat("5cedcb4355a88a0fc86388ba, ", 700)
	for change, want := range map[string]any{
		`{"fieldtype": "custom", "from": "` + ids[:26*600-2] + `"}`: ids[:4096],
		`{"fieldtype": "custom", "from": "` + ids[:26*700-2] + `"}`: nil,
	} {
		_, attrs := build(t, newBuilder(nil), `{"changelog": {"items": [`+change+`]}}`, Delivery{})
		assert.Equal(t, want, attrs[attrChangelogItems].([]any)[0].(map[string]any)[keyFrom])
	}
}

func TestDisplayLineOfLongNames(t *testing.T) {
	name := strings.Repeat("x", jira.MaxText)
	items := []jira.Change{{Field: name}, {Field: name}}
	assert.Len(t, changedFields(jira.Changelog{Items: items}), 2*jira.MaxID+len(", "))
	line := displayLine(EventType{Name: eventIssueCreated}, &jira.Event{Issue: &jira.Issue{Key: name, Summary: name}})
	assert.Less(t, len(line), 3*maxLine*utf8.UTFMax)
}

// TestPayloadComesLast has a payload that uses up the budget, and attributes that are still there.
func TestPayloadComesLast(t *testing.T) {
	_, attrs := build(t, newBuilder(func(o *Options) { o.Payload = true }), `{"a": `+long(2*jira.MaxText)+`}`, Delivery{Extra: []Attribute{{"team", "ops"}}})
	assert.Equal(t, "ops", attrs["team"])
	assert.Equal(t, []any{attrRecordOriginal}, attrs[attrRecordTruncated])
}
