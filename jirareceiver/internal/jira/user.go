// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "strings"

// User is a person or an app. Jira Cloud identifies users by AccountID, Data Center by Key and Name. The key is
// JIRAUSER10100 or similar for users since Jira 8.4. For older users, the key is the login name with which they
// started.
type User struct {
	Self        string
	AccountID   string
	Key         string
	Name        string // login name; Data Center
	DisplayName string
	Email       string
	Active      *bool
	AccountType string // atlassian, app or customer; Jira Cloud
}

// ID returns the account id, otherwise a user key that does not name the person, otherwise "".
func (u User) ID() string {
	if u.AccountID == "" && isOpaqueKey(u.Key) {
		return u.Key
	}
	return u.AccountID
}

// Login returns the login name, or "" if the body does not contain it.
func (u User) Login() string {
	if u.Name == "" && u.ID() == "" {
		return u.Key
	}
	return u.Name
}

// isOpaqueKey reports whether a user key has the form JIRAUSER10100, which does not name the person.
func isOpaqueKey(key string) bool {
	number, found := strings.CutPrefix(key, "JIRAUSER")
	return found && number != "" && strings.Trim(number, "0123456789") == ""
}

func (u *User) decode(d *decoding) error { return decodeInto(d, u, (*User).decodeMember) }

func (u *User) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "self":
		return decodeText(d, &u.Self)
	case "accountId":
		return decodeText(d, &u.AccountID)
	case "key":
		return decodeText(d, &u.Key)
	case "name":
		return decodeText(d, &u.Name)
	case "displayName":
		return decodeText(d, &u.DisplayName)
	case "emailAddress":
		return decodeText(d, &u.Email)
	case "active":
		return decodeBool(d, &u.Active)
	case "accountType":
		return decodeText(d, &u.AccountType)
	default:
		return d.Skip()
	}
}
