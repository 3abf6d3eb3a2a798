// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	stdhash "hash"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// hashFor returns the hash of a login name if the configuration has no key.
func hashFor(site, login string) string { return hashWith("jira.site.url="+site, site, login) }

func hashWith(key, site, login string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(site + "\n" + login))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

// TestPersonHasOneIdentity has an id or a hash for each form of a person, and the login name only with the option.
func TestPersonHasOneIdentity(t *testing.T) {
	kim := hashFor("", "kim")
	for _, tt := range []struct{ user, id, hash, name any }{
		{`{"accountId": "a", "key": "kim", "name": "kim"}`, "a", nil, "kim"},
		{`{"accountId": "a", "key": "kim"}`, "a", nil, nil},
		{`{"key": "JIRAUSER10200", "name": "kim"}`, "JIRAUSER10200", nil, "kim"},
		{`{"key": "JIRAUSER10200"}`, "JIRAUSER10200", nil, nil},
		{`{"key": "kim", "name": "kim"}`, nil, kim, "kim"},
		{`{"key": "kim", "name": "Kim"}`, nil, kim, "Kim"},
		{`{"name": "kim"}`, nil, kim, "kim"},
		{`{"key": "kim"}`, nil, kim, "kim"},
		{`{"key": "kim", "name": "new.kim"}`, nil, kim, "new.kim"}, // renamed
		{`{"name": "JIRAUSER10200"}`, nil, hashFor("", "jirauser10200"), "JIRAUSER10200"},
		{`{"displayName": "Kim Dvorak", "emailAddress": "kim@example.com"}`, nil, nil, nil},
		{`{}`, nil, nil, nil},
	} {
		for _, details := range []bool{false, true} {
			builder := newBuilder(func(o *Options) { o.UserDetails = details })
			_, attrs := build(t, builder, fmt.Sprintf(`{"user": %s, "issue": {"fields": {"assignee": %[1]s}}, "comment": {"author": %[1]s}}`, tt.user), Delivery{})
			for _, prefix := range []string{"user", "jira.issue.assignee", "jira.comment.author"} {
				assert.Equal(t, tt.id, attrs[prefix+".id"], tt.user)
				assert.Equal(t, tt.hash, attrs[prefix+".hash"], tt.user)
				if details {
					assert.Equal(t, tt.name, attrs[prefix+".name"], tt.user)
				} else {
					assert.NotContains(t, attrs, prefix+".name", tt.user)
				}
			}
		}
	}
}

// TestHashesJoinThePlacesOfAPerson compares the hashes of one person as actor, in a field, in a change and in a custom
// field.
func TestHashesJoinThePlacesOfAPerson(t *testing.T) {
	body := []byte(`{"user": {"name": "Kim"}, "issue": {"fields": {"assignee": {"key": "kim", "name": "kim"}, "customfield_1": {"name": "kim", "displayName": "Kim Dvorak"}}},
		"changelog": {"items": [{"field": "assignee", "to": "kim"}, {"field": "Approver", "fieldtype": "custom", "to": "[kim(kim)]"}]}}`)
	w := newWriting(func(o *Options) { o.CustomFields = map[string]string{"customfield_1": "approver"} })
	attrs := w.record(t, body).Attributes().AsRaw()
	kim := attrs["user.hash"]
	assert.Len(t, kim, 32)
	assert.Equal(t, kim, attrs["jira.issue.assignee.hash"])
	assert.Equal(t, kim, attrs["jira.issue.custom_person.hash.approver"])
	items := attrs["jira.changelog.items"].([]any)
	assert.Equal(t, map[string]any{"field": "assignee", "to_hash": kim}, items[0])
	assert.Equal(t, map[string]any{"field": "Approver", "field_type": "custom", "to_hash": fmt.Sprintf("[%s]", kim)}, items[1])
}

// TestHashDependsOnKeyAndSite also alternates sites, because the state of the last site is kept.
func TestHashDependsOnKeyAndSite(t *testing.T) {
	const key = "0123456789abcdef"
	body := func(site, name string) string {
		return fmt.Sprintf(`{"user": {"name": %q}, "issue": {"self": "%s/rest/api/2/issue/1"}}`, name, site)
	}
	builders := map[string]*Builder{
		"":  newBuilder(nil),
		key: newBuilder(func(o *Options) { o.UserHashKey = key }),
	}
	seen := map[any]bool{}
	for range 2 {
		for _, site := range []string{"https://a.example.com", "https://b.example.com/jira", "http://j"} {
			for configured, builder := range builders {
				for _, name := range []string{"kim", "noor"} {
					_, attrs := build(t, builder, body(site, name), Delivery{})
					want := hashFor(site, name)
					if configured != "" {
						want = hashWith(configured, site, name)
					}
					assert.Equal(t, want, attrs["user.hash"])
					seen[want] = true
				}
			}
		}
	}
	assert.Len(t, seen, 12)
}

// TestHasherIsSafeForConcurrentUse alternates two sites in many goroutines.
func TestHasherIsSafeForConcurrentUse(t *testing.T) {
	hasher := &loginHasher{}
	var group sync.WaitGroup
	for i := range 8 {
		site := strings.Repeat("a", i%2)
		group.Go(func() {
			for range 200 {
				assert.Equal(t, hashFor(site, "kim"), siteHasher{hasher, site}.hash("kim"))
			}
		})
	}
	group.Wait()
}

// TestLoginsStayOutOfUIDs shows that log.record.uid, whose hash has no key, does not contain the login name of a user
// event beside values that anyone knows.
func TestLoginsStayOutOfUIDs(t *testing.T) {
	ev := ClassifiedEvent{
		Event: &jira.Event{Name: "user_created", User: jira.User{Key: "kim"}},
		Type:  eventTypeOf(&jira.Event{Name: "user_created"}),
	}
	body := []byte(`{"email": "a@example.com"}`)
	assert.NotEqual(t, hash("", ev.Type.Name, "kim", ""), recordUID(ev, Delivery{Payload: body}))
	assert.Equal(t, hash("", ev.Type.Name, "", string(jira.Fingerprint(body))), recordUID(ev, Delivery{Payload: body}))
}

// TestLoginsStayOutOfUIDsOfChanges changes each value that options exclude. The uid must stay, because whoever can read the
// records could otherwise compute the uids of the names that they guess.
func TestLoginsStayOutOfUIDsOfChanges(t *testing.T) {
	const event = "f7dc53f1d731a12f10ad57622e5ff612"
	for _, tt := range []struct{ changed, other jira.Change }{
		{jira.Change{Field: "assignee", From: "kim", FromText: "Kim", To: "olu", ToText: "Olu"}, jira.Change{Field: "assignee", From: "ann", FromText: "Ann", To: "bo", ToText: "Bo"}},
		{jira.Change{Field: "assignee", To: "JIRAUSER1", ToText: "Olu"}, jira.Change{Field: "assignee", To: "JIRAUSER1", ToText: "Bo"}},
		{jira.Change{Field: "Reviewer", FieldType: "custom", To: "kim"}, jira.Change{Field: "Reviewer", FieldType: "custom", To: "ann"}},
		{jira.Change{Field: "Reviewer", FieldType: "custom", To: "[kim(kim)]"}, jira.Change{Field: "Reviewer", FieldType: "custom", To: "[ann(ann)]"}},
		{jira.Change{Field: "Reviewer", FieldType: "custom", ToText: "[Kim (kim)]"}, jira.Change{Field: "Reviewer", FieldType: "custom", ToText: "[Ann (ann)]"}},
		{jira.Change{Field: "Owner", OfUser: true, ToText: "Kim", ToAccountID: "712020:1"}, jira.Change{Field: "Owner", OfUser: true, ToText: "Ann", ToAccountID: "712020:1"}},
		{jira.Change{Field: "description", FromText: "a", ToText: "b"}, jira.Change{Field: "description", FromText: "c", ToText: "d"}},
		{jira.Change{Field: "environment", ToText: "b"}, jira.Change{Field: "environment", ToText: "d"}},
		{jira.Change{Field: "Comment", From: "1", FromText: "b"}, jira.Change{Field: "Comment", From: "2", FromText: "d"}},
	} {
		assert.Equal(t, changeUIDs(event, []jira.Change{tt.changed}), changeUIDs(event, []jira.Change{tt.other}), tt.changed)
	}
}

// brokenMAC is an HMAC that cannot be copied.
type brokenMAC struct{ stdhash.Cloner }

func (brokenMAC) Clone() (stdhash.Cloner, error) { return nil, errors.New("not supported") }

// TestHashWithoutCopies uses HMACs that are no Cloner, such as those of BoringCrypto, and a Cloner that fails.
func TestHashWithoutCopies(t *testing.T) {
	for _, state := range []*siteState{{site: "s"}, {site: "s", mac: brokenMAC{}}} {
		hasher := &loginHasher{}
		hasher.last.Store(state)
		assert.Equal(t, hashFor("s", "kim"), siteHasher{hasher, "s"}.hash("kim"))
	}
	hasher := &loginHasher{key: "key"}
	hasher.last.Store(&siteState{key: "key", site: "s"})
	assert.Equal(t, hashWith("key", "s", "kim"), siteHasher{hasher, "s"}.hash("kim"))
}

func BenchmarkHash(b *testing.B) {
	hasher := siteHasher{&loginHasher{}, "https://jira.example.com"}
	b.ReportAllocs()
	for b.Loop() {
		hasher.hash("kim")
	}
}
