// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	stdhash "hash"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Records identify a person by an account id of Jira Cloud or by a user key such as JIRAUSER10100. Any other user key,
// and any name without a key, is a login name, which names the person. In its place, records contain a hash.

// person writes the id of a person, or the hash of the login name if the person has no id.
func (w writer) person(keys personKeys, u jira.User) {
	w.putID(keys.id, u.ID())
	w.putID(keys.hash, w.hashOf(u))
	if w.opts.UserDetails {
		w.putText(keys.name, u.Login())
	}
}

// user writes a person with display name and e-mail address.
func (w writer) user(keys userKeys, u jira.User) {
	w.person(keys.personKeys, u)
	if w.opts.UserDetails {
		w.putText(keys.fullName, u.DisplayName)
		w.putText(keys.email, u.Email)
	}
}

// hashOf returns the hash of a person without an id, otherwise "". It prefers the user key, which is the login name
// with which the person started: the key survives a change of the login name, and changed fields contain only the key.
func (w writer) hashOf(u jira.User) string {
	if u.ID() != "" {
		return ""
	}
	return w.logins.hash(cmp.Or(u.Key, u.Name))
}

// redactPeople replaces the login names in From and To with hashes, and leaves out display names.
func (w writer) redactPeople(change jira.Change) visibleChange {
	from := peopleIn(change, change.From, change.FromAccountID)
	to := peopleIn(change, change.To, change.ToAccountID)
	if !w.opts.UserDetails {
		change.From, change.To = from.ids(), to.ids()
		change.FromText, change.ToText = "", ""
	}
	return visibleChange{Change: change, privacy: aboutUser, fromHash: from.hashes(w), toHash: to.hashes(w)}
}

// people are the persons in a value of a change.
type people struct {
	list     []jira.User
	brackets bool // whether the value is a list in brackets
}

// maxLogins is the largest number of people in a value with login names, because hashes are slow.
const maxLogins = 50

// peopleIn returns the people in a value of a change about people. Jira's own user fields contain one person. All other
// fields may contain a list, such as [kim(kim), jdoe(JIRAUSER10100)] with names and keys of users, and values that are
// not people.
func peopleIn(change jira.Change, value, accountID string) people {
	switch {
	case accountID != "":
		return people{list: []jira.User{{AccountID: accountID}}}
	case value == "":
		return people{}
	case areIDs(value, jira.IsUserID):
		return people{list: []jira.User{{AccountID: value}}} // one id, or the whole list as Jira writes it
	case isOwnUserField(change):
		return people{list: []jira.User{{Name: value}}}
	case len(value) > maxIDs:
		return people{}
	default:
		return parsePeople(value)
	}
}

// isOwnUserField reports whether a changed field is one of Jira's own fields. Senders that leave the type out write the
// assignee and the reporter without it.
func isOwnUserField(change jira.Change) bool {
	_, isListed := privateFields[change.FieldKey()]
	return change.IsOwn() || change.FieldType == "" && (isListed || change.OfUser)
}

// parsePeople reads the value of a custom field. It returns no people if an entry cannot be a login name.
func parsePeople(value string) people {
	inner, opened := strings.CutPrefix(value, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	entries := strings.SplitN(inner, ", ", maxLogins+1)
	if opened != closed || len(entries) > maxLogins {
		return people{}
	}
	found := people{brackets: opened}
	for _, entry := range entries {
		u, canBeUser := parsePerson(entry)
		if !canBeUser {
			return people{}
		}
		found.list = append(found.list, u)
	}
	return found
}

// parsePerson reads an account id, also in a resource name of Atlassian, a user key, a login name, or a login name with
// the user key in parentheses.
func parsePerson(s string) (u jira.User, canBeUser bool) {
	if _, id, isResource := strings.Cut(s, userResource); isResource {
		return jira.User{AccountID: id}, true
	}
	switch name, key, hasKey := strings.Cut(s, "("); {
	case s == "" || len(s) > jira.MaxID || strings.ContainsFunc(s, unicode.IsSpace):
		return u, false
	case hasKey:
		key, closed := strings.CutSuffix(key, ")")
		return jira.User{Name: name, Key: key}, closed
	case jira.IsUserID(s):
		return jira.User{AccountID: s}, true
	default:
		return jira.User{Name: s}, true
	}
}

func (p people) ids() string { return p.join(jira.User.ID) }

func (p people) hashes(w writer) string { return p.join(w.hashOf) }

// join joins the texts of the people that are not empty, in the form that Jira uses.
func (p people) join(text func(jira.User) string) string {
	if len(p.list) == 1 && !p.brackets { // usually
		return text(p.list[0])
	}
	var texts []string
	for _, u := range p.list {
		if s := text(u); s != "" {
			texts = append(texts, s)
		}
	}
	joined := strings.Join(texts, ", ")
	if p.brackets && joined != "" {
		return "[" + joined + "]"
	}
	return joined
}

// loginHashSize is the number of bytes of an HMAC that become the hash of a login name.
const loginHashSize = 16

// keyOfSite is the start of the key of the hashes if the configuration has no key. The address of the site follows.
const keyOfSite = "jira.site.url="

// loginHasher hashes login names with HMAC-SHA256. It is safe for concurrent use.
type loginHasher struct {
	key  string // if empty, the site is the key
	last atomic.Pointer[siteState]
}

// siteState is the state of an HMAC after the key and the site, so that a login name costs the rest. It does not
// change.
type siteState struct {
	key, site string
	mac       stdhash.Cloner // nil if the HMACs of this build cannot be copied
}

// siteHasher hashes the login names of a site.
type siteHasher struct {
	*loginHasher
	site string
}

// hash returns the hash of a login name, or "" without a login name. Letter case does not count, as in Jira: the key
// of a user may be the login name in lower case.
func (h siteHasher) hash(login string) string {
	if login == "" {
		return ""
	}
	mac := h.state().copyMAC()
	var sum [sha256.Size]byte
	_, _ = mac.Write([]byte(strings.ToLower(login)))
	return hex.EncodeToString(mac.Sum(sum[:0])[:loginHashSize])
}

// copyMAC returns an HMAC in this state. It computes the state again if the HMAC cannot be copied.
func (s *siteState) copyMAC() stdhash.Hash {
	if s.mac != nil {
		if mac, err := s.mac.Clone(); err == nil {
			return mac
		}
	}
	return newSiteMAC(s.key, s.site)
}

// state returns the state for the site. Usually all events come from one site.
func (h siteHasher) state() *siteState {
	if last := h.last.Load(); last != nil && last.site == h.site {
		return last
	}
	state := newSiteState(h.key, h.site)
	h.last.Store(state)
	return state
}

// newSiteState returns the state of a new HMAC. HMACs of the standard library can be copied, but HMACs of BoringCrypto,
// which a build with GOEXPERIMENT=boringcrypto uses, cannot.
func newSiteState(key, site string) *siteState {
	mac, _ := newSiteMAC(key, site).(stdhash.Cloner)
	return &siteState{key, site, mac}
}

// newSiteMAC starts the HMAC. A line break separates the site from the login name, because addresses contain none.
func newSiteMAC(key, site string) stdhash.Hash {
	if key == "" {
		key = keyOfSite + site
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Reset() // precomputes the state after the key
	_, _ = mac.Write([]byte(site + "\n"))
	return mac
}
