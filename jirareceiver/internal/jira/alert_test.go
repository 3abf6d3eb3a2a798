// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decodeAlert(t *testing.T, members string) *Alert {
	t.Helper()
	ev := decode(t, `{"action": "Create", "alert": {"alertId": "1", `+members+`}}`)
	require.NotNil(t, ev.Alert, members)
	assert.Equal(t, SourceOperations, ev.Source)
	return ev.Alert
}

func TestDecodeTags(t *testing.T) {
	for value, want := range map[string][]string{
		`["a", "b,c", null, 1]`: {"a", "b,c"},
		`"a,b , c,,"`:           {"a", "b", "c"},
		`""`:                    nil,
		`[]`:                    nil,
		`null`:                  nil,
	} {
		assert.Equal(t, want, decodeAlert(t, `"tags": `+value).Tags.List, value)
	}
}

func TestDecodeTeams(t *testing.T) {
	teams := decodeAlert(t, `"teams": ["a", {"id": "b", "name": "Databases"}, {"name": "c"}, null]`).Teams
	assert.Equal(t, Names{List: []string{"a", "b", "c"}}, teams)
}

func TestDecodeDetails(t *testing.T) {
	for value, want := range map[string]string{
		`{"host": "db-7", "n": [1]}`: `{"host": "db-7", "n": [1]}`,
		`{}`:                         "",
		`"text"`:                     "",
		`null`:                       "",
	} {
		assert.Equal(t, want, decodeAlert(t, `"details": `+value).Details, value)
	}
}

// TestDecodeRecipient has each place in which senders write the recipient. The alert itself counts more than the rest
// of the body.
func TestDecodeRecipient(t *testing.T) {
	const id = "712020:7c6b5a49-3827-4165-9403-f2e1d0c9b8a7"
	user := `{"id": "` + id + `", "type": "default", "entity": "user"}`
	want := Responder{ID: id, Type: "user"}
	for _, members := range []string{
		`"alert": {"alertId": "1"}, "escalationNotify": ` + user,
		`"alert": {"alertId": "1"}, "recipient": ` + user,
		`"alert": {"alertId": "1", "recipient": ` + user + `}`,
		`"alert": {"alertId": "1", "responder": ` + user + `}, "escalationNotify": {"name": "x"}`,
	} {
		assert.Equal(t, want, decode(t, `{"action": "a", `+members+`}`).Alert.Recipient, members)
	}
}

func TestIsOpaque(t *testing.T) {
	const uuid = "7c6b5a49-3827-4165-9403-f2e1d0c9b8a7"
	for id, want := range map[string]bool{
		uuid:                                true,
		"5b10ac8d82e05b22cc7d4ef5":          true,
		"712020:" + uuid:                    true,
		"qm:" + uuid + ":" + uuid:           true,
		"":                                  false,
		"ada":                               false,
		"ada@example.com":                   false,
		"maximiliane-schneider-braun-2":     false,
		uuid + "@example.com":               false,
		uuid + "\n":                         false,
		strings.Repeat("a", 24) + "-kim":    false,
		strings.Repeat("0", maxUserID+1):    false,
		"ada-lindqvist:" + uuid:             false,
		"712020:" + strings.Repeat("a", 23): false,
	} {
		assert.Equal(t, want, isOpaque(id), id)
	}
}
