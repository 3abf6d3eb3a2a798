// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// The kinds of texts about people. Each kind except links has an option of its own.
const (
	ofUser        = "user_details"
	ofDescription = "description"
	ofComment     = "comment_body"
	ofLinks       = "" // addresses of avatars and profiles: no option writes them
)

// TestPersonalDataIsLeftOut looks for people and their texts in whole records, wherever a value might have ended up.
func TestPersonalDataIsLeftOut(t *testing.T) {
	forEachMode(t, func(*Options) {}, func(t *testing.T, texts []recorded, s *bodyTexts) {
		t.Helper()
		for _, kind := range []string{ofUser, ofDescription, ofComment, ofLinks} {
			assert.Empty(t, s.leaks(texts, kind), "with the defaults")
		}
	})
}

// TestIncludeSwitchesOnOneKindAlone checks that records contain the texts of one kind with its option, and no texts of
// the other kinds.
func TestIncludeSwitchesOnOneKindAlone(t *testing.T) {
	for kind, include := range map[string]func(*Options){
		ofUser:        func(o *Options) { o.UserDetails = true },
		ofDescription: func(o *Options) { o.Description = true },
		ofComment:     func(o *Options) { o.CommentBody = true },
	} {
		t.Run(kind, func(t *testing.T) {
			found := 0
			forEachMode(t, include, func(t *testing.T, texts []recorded, s *bodyTexts) {
				t.Helper()
				found += len(s.leaks(texts, kind))
				maps.Copy(s.public, s.personal[kind]) // a text that is asked for may name people
				for _, other := range []string{ofUser, ofDescription, ofComment, ofLinks} {
					if other != kind {
						assert.Empty(t, s.leaks(texts, other))
					}
				}
			})
			assert.Positive(t, found, "the option does something")
		})
	}
}

// TestPayloadSwitchesOnNothingElse compares a record with the payload, but for it, to one without.
func TestPayloadSwitchesOnNothingElse(t *testing.T) {
	without, with := newWriting(nil), newWriting(func(o *Options) { o.Payload = true })
	for _, body := range testbodies.Examples(t) {
		want := without.record(t, body.Content).Attributes().AsRaw()
		got := with.record(t, body.Content).Attributes()
		got.Remove("log.record.original")
		assert.Equal(t, want, got.AsRaw(), body.Name)
	}
}

// forEachMode writes the records of all bodies in both modes, with all of their custom fields, and passes their texts
// to check.
func forEachMode(t *testing.T, include func(*Options), check func(*testing.T, []recorded, *bodyTexts)) {
	t.Helper()
	all := testbodies.All(t)
	fields := testbodies.CustomFields(t, all)
	for mode, split := range map[string]bool{"attributes": false, "split": true} {
		w := newWriting(func(o *Options) {
			o.SplitChanges, o.CustomFields = split, fields
			include(o)
		})
		for _, body := range all {
			t.Run(mode+"/"+body.Name, func(t *testing.T) {
				check(t, textsOf(w.logs(t, body.Content, Delivery{})), textsOfBody(readTree(t, body.Content)))
			})
		}
	}
}

// recorded is a text of a record, and the key under which it stands.
type recorded struct{ key, value string }

// textsOf returns all texts of all records.
func textsOf(logs plog.Logs) (texts []recorded) {
	var add func(key string, value pcommon.Value)
	addMap := func(m pcommon.Map) {
		for key, value := range m.All() {
			add(key, value)
		}
	}
	add = func(key string, value pcommon.Value) {
		switch value.Type() {
		case pcommon.ValueTypeMap:
			addMap(value.Map())
		case pcommon.ValueTypeSlice:
			for _, element := range value.Slice().All() {
				add(key, element)
			}
		default:
			texts = append(texts, recorded{key, value.AsString()})
		}
	}
	resource := logs.ResourceLogs().At(0)
	addMap(resource.Resource().Attributes())
	for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
		texts = append(texts, recorded{"EventName", record.EventName()}, recorded{"SeverityText", record.SeverityText()})
		add("Body", record.Body())
		addMap(record.Attributes())
	}
	return texts
}

type set map[string]bool

// bodyTexts holds the texts of a body, sorted without the code of the receiver.
type bodyTexts struct {
	personal map[string]set // texts by kind
	ids      set            // of users, which stay
	public   set            // all other texts
}

func textsOfBody(tree any) *bodyTexts {
	s := &bodyTexts{personal: map[string]set{ofUser: {}, ofDescription: {}, ofComment: {}, ofLinks: {}}, ids: set{}, public: set{}}
	s.walk(tree)
	for text := range s.personal[ofUser] {
		delete(s.public, text) // such as the names in a field that is not known to hold users
	}
	s.public[siteInBody(tree)] = true
	s.public[textAt(tree, "issue.fields.project.name")] = true // some people name a project after themselves
	return s
}

// siteInBody returns the address of the Jira in a body's links, as some people name the host after themselves.
func siteInBody(tree any) string {
	address, _, _ := strings.Cut(textAt(tree, "issue.self", "comment.self", "user.self", "self"), "/rest/")
	return address
}

// walk sorts all texts of a value.
func (s *bodyTexts) walk(value any) {
	switch value := value.(type) {
	case map[string]any:
		switch {
		case isUser(value):
			s.user(value)
		case hasAny(value, "fromString", "toString"):
			s.change(value)
		default:
			for key, member := range value {
				s.member(key, member, value)
			}
		}
	case []any:
		for _, element := range value {
			s.walk(element)
		}
	case json.Number:
		s.public[value.String()] = true
	case string:
		s.public[value] = true
	}
}

// member sorts the texts of a member of an object that is not a user.
func (s *bodyTexts) member(key string, value any, parent map[string]any) {
	isText := hasAny(parent, "summary", "customfield_10000") || hasAny(parent, "issuetype", "status")
	switch {
	case s.alertMember(key, value, parent):
	case key == "description" && isText, key == "environment":
		s.addTexts(ofDescription, value)
	case key == "body", key == "comment" && (hasAny(parent, "timeSpentSeconds") || isString(value)):
		s.addTexts(ofComment, value)
	case key == "renderedFields":
		s.addTexts(ofDescription, value)
	case key == "username":
		s.addTexts(ofUser, value)
	case key == "accountId":
		s.ids[textAt(parent, key)] = true
	default:
		s.walk(value)
	}
}

// isUser recognizes users by members that no other object has. Projects have avatars and names as well, and languages
// have a display name.
func isUser(object map[string]any) bool {
	if hasAny(object, "webhookEvent", "username", "languageCode") {
		return false
	}
	return hasAny(object, "displayName", "emailAddress", "accountId") || hasAny(object, "avatarUrls") && !hasAny(object, "id")
}

func (s *bodyTexts) user(u map[string]any) {
	for key, value := range u {
		switch key {
		case "displayName", "emailAddress", "name":
			s.addTexts(ofUser, value)
		case "self", "avatarUrls":
			s.addTexts(ofLinks, value)
		case "accountId":
			s.ids[textAt(u, key)] = true
		case "key":
			s.addUserID(textAt(u, key))
		default:
			s.walk(value)
		}
	}
}

// addUserID adds a user key, or the machine-readable value of a change. Records contain its ids, but no login names.
func (s *bodyTexts) addUserID(value string) {
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune("[](), ", r) }) {
		if accountOrKey.MatchString(word) {
			s.ids[word] = true
		} else {
			s.addTexts(ofUser, word)
		}
	}
}

// change sorts the texts of a changelog item.
func (s *bodyTexts) change(item map[string]any) {
	field := strings.ToLower(textAt(item, "fieldId", "field"))
	switch {
	case field == "description", field == "environment":
		s.addChange(ofDescription, item)
	case field == "comment":
		s.addChange(ofComment, item)
	case isUserField(field, item):
		s.addTexts(ofUser, item["fromString"])
		s.addTexts(ofUser, item["toString"])
		s.addUserID(textAt(item, "from"))
		s.addUserID(textAt(item, "to"))
		s.ids[textAt(item, "tmpFromAccountId")], s.ids[textAt(item, "tmpToAccountId")] = true, true
	default:
		for _, value := range item {
			s.walk(value)
		}
		return
	}
	for _, key := range []string{"field", "fieldId", "fieldtype"} {
		s.walk(item[key])
	}
}

func (s *bodyTexts) addChange(kind string, item map[string]any) {
	for _, key := range []string{"from", "fromString", "to", "toString"} {
		s.addTexts(kind, item[key])
	}
}

// accountOrKey matches ids that only users have.
var accountOrKey = regexp.MustCompile(`^\[?([0-9a-f]{24}|[0-9a-z]+:[0-9a-f-]{36}|JIRAUSER\d+)\b`)

// nameAndKey matches the end of a list of users of Data Center.
var nameAndKey = regexp.MustCompile(`\(\S+\)\]$`)

func isUserField(field string, item map[string]any) bool {
	return slices.Contains([]string{"assignee", "reporter", "creator"}, field) || hasAny(item, "tmpFromAccountId", "tmpToAccountId") ||
		accountOrKey.MatchString(textAt(item, "from", "to")) || nameAndKey.MatchString(textAt(item, "from", "to"))
}

func hasAny(object map[string]any, keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { _, found := object[key]; return found })
}

func isString(value any) bool {
	_, is := value.(string)
	return is
}

// structure are the keys of a document that hold no text of people.
var structure = set{"type": true, "version": true, "localId": true, "id": true, "marks": true}

// addTexts adds all texts below a value, line by line: a text in a record may be cut, or made one line.
func (s *bodyTexts) addTexts(kind string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if !structure[key] {
				s.addTexts(kind, member)
			}
		}
	case []any:
		for _, element := range value {
			s.addTexts(kind, element)
		}
	case string:
		for line := range strings.Lines(value) {
			if line = oneSpace(line); strings.ContainsFunc(line, unicode.IsLetter) {
				s.personal[kind][line] = true
			}
		}
	}
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// leaks returns the texts of a record that contain a personal text of the kind. A personal text inside a public text of
// the body is not a leak, for example a name in a summary. A user id that equals the login name is
// a leak, except in the attributes of ids.
func (s *bodyTexts) leaks(texts []recorded, kind string) (leaks []string) {
	for _, text := range texts {
		if madeHere[text.key] || strings.HasSuffix(text.key, "_at") {
			continue
		}
		value := oneSpace(text.value)
		for personal := range s.personal[kind] {
			if !containsWord(value, personal) {
				continue
			}
			rest := without(value, s.public, personal)
			if strings.HasSuffix(text.key, ".id") || strings.HasPrefix(text.key, attrIssueCustom) || placesOfIDs[text.key] {
				rest = without(rest, s.ids, personal)
			}
			if containsWord(rest, personal) {
				leaks = append(leaks, text.key+": "+cmp.Or(personal, value))
			}
		}
	}
	return leaks
}

// madeHere are the keys of texts that do not come from the body.
var madeHere = set{"EventName": true, "log.record.uid": true, "service.name": true, "jira.webhook.source": true, "jira.site.type": true}

// placesOfIDs are the keys of changed values. Keys that end in ".id" contain ids as well.
var placesOfIDs = set{"from": true, "to": true, "jira.change.from": true, "jira.change.to": true}

// without cuts the texts that contain a personal one out of a value.
func without(value string, texts set, personal string) string {
	for text := range texts {
		if text = oneSpace(text); strings.Contains(text, personal) {
			value = strings.ReplaceAll(value, text, " ")
		}
	}
	return value
}

// containsWord finds a text that does not begin or end within a word.
func containsWord(s, text string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
	for rest := s; ; {
		before, after, found := strings.Cut(rest, text)
		if !found {
			return false
		}
		last, first := []rune(before), []rune(after)
		if (len(last) == 0 || !inWord(last[len(last)-1])) && (len(first) == 0 || !inWord(first[0])) {
			return true
		}
		rest = after
	}
}
