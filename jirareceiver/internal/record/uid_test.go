// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

func TestUIDNamesTheEvent(t *testing.T) {
	uid := func(body string, d Delivery) any {
		_, attrs := build(t, newBuilder(nil), body, d)
		return attrs["log.record.uid"]
	}
	updated := `{"webhookEvent": "jira:issue_updated", "timestamp": %d, "issue": {"id": "1", "self": "https://%s/rest/api/2/1"}, "changelog": {"id": %q}%s}`
	base := uid(fmt.Sprintf(updated, 1595970774883, "a", "7", ""), Delivery{ID: "first"})
	assert.Regexp(t, "^[0-9a-f]{32}$", base)
	retries := int64(1)
	assert.Equal(t, base, uid(fmt.Sprintf(updated, 1595970774883, "a", "7", ""), Delivery{ID: "second", RetryCount: &retries}), "another delivery")
	assert.Equal(t, base, uid(fmt.Sprintf(updated, 1595970774999, "a", "7", `, "matchedWebhookIds": [2]`), Delivery{}), "another registration")

	distinct := map[any]string{}
	for _, body := range []string{
		fmt.Sprintf(updated, 1595970774883, "a", "7", ""),
		fmt.Sprintf(updated, 1595970774883, "a", "8", ""),
		fmt.Sprintf(updated, 1595970774883, "b", "7", ""),
		`{"webhookEvent": "jira:issue_deleted", "timestamp": 1595970774883, "issue": {"id": "1"}}`,
		`{"webhookEvent": "jira:issue_deleted", "timestamp": 1595970774884, "issue": {"id": "1"}}`,
		`{"webhookEvent": "jira:issue_deleted", "timestamp": 1595970774883, "issue": {"id": "2"}}`,
		`{"webhookEvent": "jira:issue_updated", "timestamp": 1595970774883, "issue": {"id": "1"}, "comment": {"id": "5"}}`,
		`{"webhookEvent": "jira:issue_updated", "timestamp": 1595970774883, "issue": {"id": "1"}, "comment": {"id": "6"}}`,
		`{"webhookEvent": "comment_updated", "timestamp": 1595970774883, "comment": {"id": "6", "updated": "2020-01-01T00:00:00.000Z"}}`,
		`{"webhookEvent": "comment_updated", "timestamp": 1595970774883, "comment": {"id": "6", "updated": "2020-01-01T00:00:01.000Z"}}`,
		`{"webhookEvent": "option_voting_changed", "timestamp": 1595970774883}`,
		`{"webhookEvent": "option_voting_changed", "timestamp": 1595970774883, "property": 1}`,
		`{"accountId": "1", "username": "a"}`,
		`{"accountId": "2", "username": "a"}`,
		`{"issue": {"id": "1"}}`,
		`{"issue": {"id": "1"}, "a": 1}`,
		`{"webhookEvent": "issue_property_set", "timestamp": 1595970774883, "issue": {"id": "1"}, "property": {"key": "a"}}`,
		`{"webhookEvent": "issue_property_set", "timestamp": 1595970774883, "issue": {"id": "1"}, "property": {"key": "b"}}`,
		`{"webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_commented", "timestamp": 1595970774883, "issue": {"id": "1"}, "comment": {"id": "9"}}`,
		`{"webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_comment_deleted", "timestamp": 1595970774883, "issue": {"id": "1"}, "comment": {"id": "9"}}`,
		`{"webhookEvent": "user_updated", "timestamp": 1595970774883, "user": {"accountId": "1"}}`,
		`{"webhookEvent": "user_updated", "timestamp": 1595970774884, "user": {"accountId": "1"}}`,
		`{"webhookEvent": "something_new", "timestamp": 1595970774883, "user": {"accountId": "1"}, "a": 1}`,
		`{"webhookEvent": "something_new", "timestamp": 1595970774883, "user": {"accountId": "1"}, "a": 2}`,
		`{"accountId": "1", "message": "started"}`,
		`{"timestamp": 1595970774881, "action": "warned", "issue": {"id": "1"}, "comment": {"id": "9", "updated": "2020-01-01T00:00:00.000Z"}}`,
		`{"timestamp": 1595970774882, "action": "solved", "issue": {"id": "1"}, "comment": {"id": "9", "updated": "2020-01-01T00:00:00.000Z"}}`,
		`{"webhookEvent": "something_new", "timestamp": 1595970774883, "comment": {"id": "9", "updated": "2020-01-01T00:00:00.000Z"}}`,
		`{"webhookEvent": "something_new", "timestamp": 1595970774884, "comment": {"id": "9", "updated": "2020-01-01T00:00:00.000Z"}}`,
		`{"timestamp": 1595970774881, "a": 1, "project": {"id": 1}}`,
		`{"timestamp": 1595970774881, "a": 2, "project": {"id": 1}}`,
		`{"webhookEvent": "sprint_updated", "timestamp": 1595970774881, "sprint": {"id": 1}}`,
		`{"webhookEvent": "sprint_updated", "timestamp": 1595970774882, "sprint": {"id": 1}}`,
		`{"accountId": "1", "message": "ended"}`,
	} {
		id := uid(body, Delivery{})
		assert.Empty(t, distinct[id], "same uid as %s", body)
		distinct[id] = body
	}

	const user = `{"webhookEvent": "user_updated", "timestamp": 1595970774883, "user": {"accountId": "1"}, "matchedWebhookIds": [%d]}`
	assert.Equal(t, uid(fmt.Sprintf(user, 1), Delivery{}), uid(fmt.Sprintf(user, 2), Delivery{}), "another registration")

	assert.Nil(t, uid("", Delivery{}), "two deliveries without a body cannot be distinguished")
	assert.Nil(t, uid("\xef\xbb\xbf", Delivery{}), "a byte order mark is not a body")
	assert.NotEqual(t, uid("", Delivery{ID: "1"}), uid("", Delivery{ID: "2"}))
	again := uid("", Delivery{ID: "1"})
	assert.Equal(t, again, uid("", Delivery{ID: "1"}))

	for _, parts := range [][2][]string{
		{{"a", "b"}, {"ab", ""}}, {{"a", ""}, {"", "a"}}, {{"a", "b", ""}, {"a", "b"}}, {{"a\x00", "b"}, {"a", "\x00b"}}, {{"a\x00b"}, {"a", "b"}},
	} {
		assert.NotEqual(t, hash(parts[0]...), hash(parts[1]...), parts)
	}
}

// TestSeparatorsInIDs moves NUL and space from one id to the next.
func TestSeparatorsInIDs(t *testing.T) {
	for _, bodies := range [][2]string{
		{
			`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1\u0000", "key": "A-1"}, "changelog": {"id": "2"}}`,
			`{"webhookEvent": "jira:issue_updated", "issue": {"id": "1", "key": "A-1"}, "changelog": {"id": "\u00002"}}`,
		},
		{
			`{"webhookEvent": "jira:issue_updated", "timestamp": 1595970774881, "issue_event_type_name": "a ", "issue": {"id": "1"}, "comment": {"id": "2"}}`,
			`{"webhookEvent": "jira:issue_updated", "timestamp": 1595970774881, "issue_event_type_name": "a", "issue": {"id": "1"}, "comment": {"id": " 2"}}`,
		},
		{`{"a\u0000\"b\"\u0000c": "d"}`, `{"a": "b", "c": "d"}`},
	} {
		assert.NotEqual(t, uids(t, []byte(bodies[0]), Delivery{}), uids(t, []byte(bodies[1]), Delivery{}), bodies)
	}
}

// TestOneEventHasOneUID has links that name one site in several ways.
func TestOneEventHasOneUID(t *testing.T) {
	const body = `{"webhookEvent": "comment_created", "timestamp": 1595970774881, "comment": {"id": "1", "self": "%s/rest/api/2/comment/1",
		"author": {"self": "https://acme.atlassian.net/rest/api/2/user?accountId=1"}}}`
	want := uids(t, fmt.Appendf(nil, body, "https://acme.atlassian.net"), Delivery{})
	for _, base := range []string{"https://ACME.atlassian.net:443", "https://acme.atlassian.net.", "https://api.atlassian.com/ex/jira/1", "https://api.atlassian.com:443/ex/jira/1"} {
		assert.Equal(t, want, uids(t, fmt.Appendf(nil, body, base), Delivery{}), base)
	}
}

// bodies returns the content of all bodies that are not empty, by name.
func bodies(t *testing.T) map[string][]byte {
	t.Helper()
	bodies := map[string][]byte{}
	for _, body := range testbodies.All(t) {
		if !body.Empty() {
			bodies[body.Name] = body.Content
		}
	}
	return bodies
}

// uids returns the uid of each record of a body: of the event, and of its changed fields.
func uids(t *testing.T, body []byte, d Delivery) (uids []string) {
	t.Helper()
	ev, err := jira.NewDecoder(nil).Decode(body)
	require.NoError(t, err)
	d.Payload, d.Received = body, received
	builder := newBuilder(func(o *Options) { o.SplitChanges = true })
	logs, _ := builder.Build(builder.Classify(ev), d)
	return uidsOf(t, logs)
}

// uidsOf returns the uid of each record.
func uidsOf(t *testing.T, logs plog.Logs) (uids []string) {
	t.Helper()
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		uid, found := record.Attributes().Get("log.record.uid")
		require.True(t, found)
		uids = append(uids, uid.Str())
	}
	return uids
}

// TestUIDIsStable delivers each body again: by a retry, and to another registration that matches too.
func TestUIDIsStable(t *testing.T) {
	retries := int64(2)
	for file, body := range bodies(t) {
		base := uids(t, body, Delivery{ID: "first", Flow: "Primary"})
		assert.Equal(t, base, uids(t, body, Delivery{ID: "second", Flow: "Secondary", RetryCount: &retries}), file)
		assert.Equal(t, base, uids(t, body, Delivery{Extra: []Attribute{{"a", "b"}}}), file)
		if !hasName(t, body) {
			continue // only webhooks have registrations
		}
		for _, ids := range []string{`[1]`, `[2, 3]`} {
			assert.Equal(t, base, uids(t, withMember(body, "matchedWebhookIds", ids), Delivery{}), "%s to %s", file, ids)
		}
	}
}

// TestUIDOfEventThatHappensOnce delivers events at several times, and an issue with and without a changelog.
func TestUIDOfEventThatHappensOnce(t *testing.T) {
	seen := map[string]string{}
	for _, subject := range []struct{ event, key string }{
		{"jira:issue", "issue"}, {"comment", "comment"}, {"worklog", "worklog"}, {"attachment", "attachment"}, {"issuelink", "issueLink"},
	} {
		for _, action := range []string{"created", "deleted"} {
			for _, id := range []string{"7", "8"} {
				event := subject.event + "_" + action
				body := func(timestamp, site, more string) []byte {
					return fmt.Appendf(nil, `{"webhookEvent": %q, "timestamp": %s, "user": {"self": "https://%s/rest/api/2/user?accountId=1"}, %q: {"id": %q}%s}`,
						event, timestamp, site, subject.key, id, more)
				}
				uid := uids(t, body("1595970774881", "a", ""), Delivery{})[0]
				for _, again := range [][]byte{
					body("1595970774999", "a", ""),
					body("null", "a", ""),
					body("1595970774881", "A.:443", ""),
					body("1595970774881", "a", `, "changelog": {"id": "3"}`),
					body("1595970774881", "a", `, "issue_event_type_name": "issue_generic"`),
				} {
					assert.Equal(t, uid, uids(t, again, Delivery{})[0], "%s", again)
				}
				assert.NotEqual(t, uid, uids(t, body("1595970774881", "b", ""), Delivery{})[0], "%s of another site", event)
				assert.Empty(t, seen[uid], "same uid as %s", event)
				seen[uid] = event
			}
		}
	}
}

// TestUIDOfEventThatMayHappenAgain has bodies in which the id of the subject does not suffice: without a site, without the
// id, with the id of another subject only, and about subjects whose ids may recur.
func TestUIDOfEventThatMayHappenAgain(t *testing.T) {
	const user = `"user": {"self": "https://a/rest/api/2/user?accountId=1"}`
	for _, members := range []string{
		`"webhookEvent": "issuelink_created", "issueLink": {"id": 7}`,
		`"webhookEvent": "comment_created", "comment": {"body": "Done"}, ` + user,
		`"webhookEvent": "attachment_created", "comment": {"id": "7"}, ` + user,
		`"webhookEvent": "sprint_created", "sprint": {"id": 7}, ` + user,
		`"webhookEvent": "board_deleted", "board": {"id": 7}, ` + user,
		`"webhookEvent": "issuetype_created", "issuetype": {"id": 7}, ` + user,
		`"webhookEvent": "project_soft_deleted", "project": {"id": 7}, ` + user,
		`"webhookEvent": "comment_updated", "comment": {"id": "7"}, ` + user,
	} {
		first := uids(t, fmt.Appendf(nil, `{"timestamp": 1595970774881, %s}`, members), Delivery{})
		second := uids(t, fmt.Appendf(nil, `{"timestamp": 1595970774882, %s}`, members), Delivery{})
		assert.NotEqual(t, first, second, members)
	}
}

// TestUIDOfWorklogChange has one history of Data Center under the names that a webhook and the REST API give it.
func TestUIDOfWorklogChange(t *testing.T) {
	const (
		worklog  = `{"field": "WorklogId", "fieldtype": "jira", "to": "9"}`
		spent    = `{"field": "timespent", "fieldtype": "jira", "to": "60"}`
		status   = `{"field": "status", "fieldtype": "jira", "to": "3"}`
		estimate = `{"field": "timeestimate", "fieldtype": "jira", "to": "0"}`
		custom   = `{"field": "timespent", "fieldtype": "custom", "to": "1"}`
	)
	dataCenter, cloud := `{"name": "kim"}`, `{"accountId": "1"}`
	const updated, worklogUpdated = "jira:issue_updated", "jira:worklog_updated"
	uid := map[string]bool{}
	for _, tt := range []struct{ event, user, items, name string }{
		{worklogUpdated, dataCenter, worklog + "," + spent, "jira.issue.worklog_updated"},
		{updated, dataCenter, worklog + "," + spent, "jira.issue.worklog_updated"},
		{updated, dataCenter, estimate + "," + spent + "," + worklog, "jira.issue.worklog_updated"},
		{updated, dataCenter, worklog, "jira.issue.worklog_updated"},
		{updated, dataCenter, spent, "jira.issue.updated"},
		{updated, dataCenter, worklog + "," + custom, "jira.issue.updated"},
		{updated, dataCenter, status + "," + spent + "," + worklog, "jira.issue.updated"}, // logged on the screen of a transition
		{updated, cloud, worklog + "," + spent, "jira.issue.updated"},
		{worklogUpdated, dataCenter, spent, "jira.issue.worklog_updated"},
	} {
		body := fmt.Sprintf(`{"webhookEvent": %q, "timestamp": 1595970774881, "user": %s, "issue": {"id": "1"}, "changelog": {"id": "2", "items": [%s]}}`, tt.event, tt.user, tt.items)
		record, attrs := build(t, newBuilder(nil), body, Delivery{})
		assert.Equal(t, tt.name, record.EventName(), body)
		uid[attrs["log.record.uid"].(string)] = true
	}
	assert.Len(t, uid, 1, "one changelog")
}

// withItems returns an update of an issue with the changed fields.
func withItems(items ...string) []byte {
	return fmt.Appendf(nil, `{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, "changelog": {"id": "2", "items": [%s]}}`, strings.Join(items, ","))
}

// TestUIDOfChangeFollowsContent compares changes that differ in one value.
func TestUIDOfChangeFollowsContent(t *testing.T) {
	seen := map[string]string{}
	for _, item := range []string{
		`{"field": "status", "from": "1", "fromString": "a", "to": "2", "toString": "b"}`,
		`{"field": "labels", "from": "1", "fromString": "a", "to": "2", "toString": "b"}`,
		`{"field": "x", "fieldId": "customfield_1", "from": "1", "fromString": "a", "to": "2", "toString": "b"}`,
		`{"field": "x", "fieldId": "customfield_2", "from": "1", "fromString": "a", "to": "2", "toString": "b"}`,
		`{"field": "status", "from": "3", "fromString": "a", "to": "2", "toString": "b"}`,
		`{"field": "status", "from": "1", "fromString": "c", "to": "2", "toString": "b"}`,
		`{"field": "status", "from": "1", "fromString": "a", "to": "3", "toString": "b"}`,
		`{"field": "status", "from": "1", "fromString": "a", "to": "2", "toString": "c"}`,
		`{"field": "status", "from": "2", "fromString": "b", "to": "1", "toString": "a"}`,
		`{"field": "assignee", "from": "JIRAUSER1", "to": "JIRAUSER2"}`,
		`{"field": "assignee", "from": "JIRAUSER2", "to": "JIRAUSER1"}`,
		`{"field": "assignee", "tmpToAccountId": "712020:1"}`,
	} {
		uid := uids(t, withItems(item), Delivery{})[1]
		assert.Empty(t, seen[uid], "same uid as %s", item)
		seen[uid] = item
	}
	first := uids(t, withItems(`{"field": "x", "fieldId": "status", "to": "2"}`), Delivery{})
	assert.Equal(t, first, uids(t, withItems(`{"field": "Statut", "fieldId": "status", "to": "2"}`), Delivery{}), "another language")
	assert.Equal(t, uids(t, withItems(`{"field": "status", "to": "2"}`), Delivery{}), uids(t, withItems(`{"field": "Status", "from": null, "to": "2"}`), Delivery{}))
}

// TestUIDsOfEqualChanges has changes that are equal, and changes that differ only in what uids do not contain.
func TestUIDsOfEqualChanges(t *testing.T) {
	label := `{"field": "labels", "fromString": "", "toString": "a"}`
	for _, items := range [][]string{
		{label, label, label},
		{`{"field": "assignee", "from": "kim", "to": "noor"}`, `{"field": "assignee", "from": "noor", "to": "olu"}`, `{"field": "assignee", "from": "olu"}`},
		{`{"field": "description", "toString": "a"}`, `{"field": "description", "fromString": "a", "toString": "b"}`},
		{`{"field": "timespent", "fieldtype": "custom", "to": "1"}`, `{"field": "timespent", "fieldtype": "jira", "to": "1"}`},
	} {
		forth := uids(t, withItems(items...), Delivery{})
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(forth))), len(items)+1, items)
		reversed := slices.Clone(items)
		slices.Reverse(reversed)
		back := uids(t, withItems(reversed...), Delivery{})
		if items[0] != items[1] {
			slices.Reverse(back[1:])
		}
		assert.Equal(t, forth, back, items)
	}
}

// TestUIDsOfChangesDoNotDependOnOrder shuffles the changelog of each body.
func TestUIDsOfChangesDoNotDependOnOrder(t *testing.T) {
	random, shuffled := rand.New(rand.NewPCG(1, 2)), 0
	for file, body := range bodies(t) {
		ev, err := jira.NewDecoder(nil).Decode(body)
		require.NoError(t, err)
		changes := ev.Changelog.Items
		base := map[string]jira.Change{}
		for i, uid := range changeUIDs("event", changes) {
			base[uid] = changes[i]
		}
		require.Len(t, base, len(changes), file)
		for range 5 {
			random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			for i, uid := range changeUIDs("event", changes) {
				assert.Equal(t, changes[i], base[uid], file)
			}
		}
		if len(changes) > 1 {
			shuffled++
		}
	}
	assert.NotZero(t, shuffled)
}

// TestUIDsDoNotDependOnOptions compares the uids of all bodies without and with the values that may be about people.
func TestUIDsDoNotDependOnOptions(t *testing.T) {
	without := newWriting(func(o *Options) { o.SplitChanges = true })
	with := newWriting(func(o *Options) {
		o.SplitChanges, o.UserDetails, o.Description, o.CommentBody = true, true, true, true
		o.UserHashKey, o.MaxText = "0123456789abcdef", 1
	})
	for file, body := range bodies(t) {
		assert.Equal(t, uidsOf(t, without.logs(t, body, Delivery{})), uidsOf(t, with.logs(t, body, Delivery{})), file)
	}
}

// withMember adds a member in front.
func withMember(body []byte, key, value string) []byte {
	_, rest, _ := bytes.Cut(body, []byte("{"))
	return fmt.Appendf(nil, `{%q: %s, %s`, key, value, rest)
}

func hasName(t *testing.T, body []byte) bool {
	t.Helper()
	var named struct{ WebhookEvent string }
	require.NoError(t, json.Unmarshal(body, &named))
	return named.WebhookEvent != ""
}

// TestUIDsAreDistinct compares all bodies, and their changed fields, with each other. Some of the bodies of real
// webhooks are edited copies of one delivery, because their ids are the same: to Jira, that is one event.
func TestUIDsAreDistinct(t *testing.T) {
	files := map[string]string{}
	all := bodies(t)
	for file, body := range all {
		of := uids(t, body, Delivery{})
		distinct := map[string]bool{}
		for _, uid := range of {
			assert.False(t, distinct[uid], "two changes of %s", file)
			distinct[uid] = true
		}
		other, taken := files[of[0]]
		if !taken {
			files[of[0]] = file
			continue
		}
		id := changeOf(t, body)
		assert.Equal(t, id, changeOf(t, all[other]), "%s and %s", file, other)
		assert.NotEmpty(t, id, "%s and %s", file, other)
		t.Logf("copies of one delivery: %s and %s", file, other)
	}
}

// changeOf returns the ids by which Jira names the change of an issue, or the subject of an event that happens once, or "".
func changeOf(t *testing.T, body []byte) string {
	t.Helper()
	var change struct {
		WebhookEvent              string
		Timestamp                 json.Number
		Issue, Changelog, Comment struct{ ID string }
	}
	require.NoError(t, json.Unmarshal(body, &change))
	switch change.WebhookEvent {
	case "jira:issue_created", "jira:issue_deleted":
		return change.WebhookEvent + change.Issue.ID
	case "comment_created":
		return change.WebhookEvent + change.Comment.ID
	}
	if change.Issue.ID == "" || change.Changelog.ID == "" {
		return ""
	}
	return fmt.Sprint(change)
}

// gatewayLink matches the links to the gateway of Jira Cloud, which do not contain the address of the site.
var gatewayLink = regexp.MustCompile(`://api\.atlassian\.com/ex/jira/[^"]*`)

// siteLink matches the links that contain the address of the site, in compact JSON.
var siteLink = regexp.MustCompile(`"self":"[^"]*/rest/`)

// apiLink matches the links that contain the address of the site, from the host on.
var apiLink = regexp.MustCompile(`://([^"]*/rest/)`)

// TestUIDFollowsIdentity changes each value that distinguishes an event from other events.
func TestUIDFollowsIdentity(t *testing.T) {
	changed := map[string]int{}
	for file, body := range bodies(t) {
		base := uids(t, rewritten(t, body, "", ""), Delivery{})
		plain := rewritten(t, body, "", "")
		hasSite := siteLink.Match(gatewayLink.ReplaceAll(plain, nil))
		counts, doesNotCount := identityOf(t, body, hasSite)
		for _, path := range counts {
			for i, uid := range uids(t, rewritten(t, body, path, "1600000000000"), Delivery{}) {
				assert.NotEqual(t, base[i], uid, "%s, %s", file, path)
			}
			changed[path]++
		}
		for _, path := range doesNotCount {
			assert.Equal(t, base, uids(t, rewritten(t, body, path, "1600000000000"), Delivery{}), "%s, %s", file, path)
		}
		elsewhere := uids(t, apiLink.ReplaceAll(plain, []byte("://other.$1")), Delivery{})
		assert.Equal(t, hasSite, base[0] != elsewhere[0], "%s of another site", file)
	}
	t.Logf("changed: %v", changed)
}

// identities holds the paths of the ids of the subject and of the change, by the start of the event type. The first
// path that a body contains counts.
var identities = []struct {
	names   string
	subject []string
	change  []string
}{
	{"jira.issue.", []string{"issue.id"}, []string{"changelog.id", "timestamp"}},
	{"jira.comment.", []string{"comment.id"}, []string{"comment.updated", "timestamp"}},
	{"jira.worklog.", []string{"worklog.id"}, []string{"worklog.updated", "timestamp"}},
	{"jira.attachment.", []string{"attachment.id"}, []string{"timestamp"}},
	{"jira.issue_link.", []string{"issueLink.id"}, []string{"timestamp"}},
	{"jira.issue_type.", []string{"issuetype.id"}, []string{"timestamp"}},
	{"jira.project.", []string{"project.id"}, []string{"timestamp"}},
	{"jira.version.", []string{"version.id"}, []string{"timestamp"}},
	{"jira.sprint.", []string{"sprint.id"}, []string{"timestamp"}},
	{"jira.board.", []string{"board.id", "configuration.id"}, []string{"timestamp"}},
	{"jira.filter.", []string{"filter.id"}, []string{"timestamp"}},
	{"jira.user.", []string{"user.accountId", "user.key", "accountId"}, []string{"timestamp"}},
	{"jira.automation.", []string{"id", "issue.id"}, []string{"timestamp"}},
	{"jira.option.", nil, []string{"timestamp"}},
	{"jira.app.", nil, []string{"timestamp"}},
	{"jira.expression.", nil, []string{"timestamp"}},
	{"jira.issue_property.", []string{"property.key"}, []string{"timestamp"}},
	{"jira.alert.", []string{"alert.alertId"}, []string{"alert.updatedAt", "escalationTime"}},
}

// happensOnce matches the events that happen once to a subject whose id does not recur.
var happensOnce = regexp.MustCompile(`^jira\.(issue|comment|worklog|attachment|issue_link)\.(created|deleted)$`)

// identityOf returns the paths of the values that tell the event of a body from others, and of the values that would if the
// event could happen again.
func identityOf(t *testing.T, body []byte, hasSite bool) (counts, doesNotCount []string) {
	t.Helper()
	ev, err := jira.NewDecoder(nil).Decode(body)
	require.NoError(t, err)
	tree := treeOf(t, body)
	for _, identity := range identities {
		if !strings.HasPrefix(eventTypeOf(ev).Name, identity.names) {
			continue
		}
		found := func(path string) bool { return parentOf(tree, path) != nil }
		if i := slices.IndexFunc(identity.subject, found); i >= 0 {
			counts = append(counts, identity.subject[i])
		}
		i := slices.IndexFunc(identity.change, found)
		switch {
		case i < 0:
		case hasSite && happensOnce.MatchString(eventTypeOf(ev).Name):
			doesNotCount = append(doesNotCount, identity.change[i])
		default:
			counts = append(counts, identity.change[i])
		}
	}
	return counts, doesNotCount
}

func treeOf(t *testing.T, body []byte) (tree map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	require.NoError(t, d.Decode(&tree))
	return tree
}

// parentOf returns the object that has the last key of a path, or nil.
func parentOf(tree map[string]any, path string) map[string]any {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		tree, _ = tree[key].(map[string]any)
	}
	if tree[keys[len(keys)-1]] == nil {
		return nil
	}
	return tree
}

// rewritten returns the body with another value at a path, or, for none, with the values as they are.
func rewritten(t *testing.T, body []byte, path, value string) []byte {
	t.Helper()
	tree := treeOf(t, body)
	if path != "" {
		parentOf(tree, path)[path[strings.LastIndex(path, ".")+1:]] = value
	}
	written, err := json.Marshal(tree)
	require.NoError(t, err)
	return written
}
