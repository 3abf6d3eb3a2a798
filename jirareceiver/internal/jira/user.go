// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
)

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
	if u.AccountID == "" && isUserKey(u.Key) {
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

// maxUserID is the largest size in bytes of an id of a user. The longest ids are those of customers of Jira Service
// Management, with two UUIDs.
const maxUserID = 128

// IsUserID reports whether a text has the form of an account id of Jira Cloud, or of a user key of Data Center since
// Jira 8.4. Neither names the person.
func IsUserID(s string) bool { return len(s) <= maxUserID && (isAccountID(s) || isUserKey(s)) }

// UserOf returns the user whom a value in a changelog identifies: by an account id, a user key or a login name.
func UserOf(id string) User {
	if len(id) <= maxUserID && isAccountID(id) {
		return User{AccountID: id}
	}
	return User{Key: id}
}

// isUserKey reports whether a user key has the form JIRAUSER10100, which does not name the person.
func isUserKey(key string) bool {
	number, found := strings.CutPrefix(key, "JIRAUSER")
	return found && isDigits(number)
}

// isAccountID reports whether a text has the form of an account id: 24 hexadecimal digits, or a prefix and one or two
// ids, such as 712020:3f1b2c4d-9a8e-4b7c-8d6f-5e4a3b2c1d0e. It uses no regular expression, because bodies may contain
// hundreds of thousands of ids.
func isAccountID(s string) bool {
	prefix, ids, hasPrefix := strings.Cut(s, ":")
	if !hasPrefix {
		return isHexNumber(s)
	}
	first, second, isPair := strings.Cut(ids, ":")
	return isAccountPrefix(prefix) && isHexID(first) && (!isPair || isHexID(second))
}

// isAccountPrefix reports whether a text has the form of the start of an account id, such as 712020 or qm.
func isAccountPrefix(s string) bool {
	const maxPrefix = 16
	return s != "" && len(s) <= maxPrefix &&
		!strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') })
}

// isHexID reports whether a text has one of the two forms of the ids of Atlassian.
func isHexID(s string) bool { return isHexNumber(s) || IsUUID(s) }

func isHexNumber(s string) bool {
	const size = 24
	return len(s) == size && isHex(s)
}

// IsUUID reports whether a text is a UUID in lower case. Teams and workspaces have such ids.
func IsUUID(s string) bool {
	const size = 36
	if len(s) != size || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return isHex(s[:8]) && isHex(s[9:13]) && isHex(s[14:18]) && isHex(s[19:23]) && isHex(s[24:])
}

// isHex reports whether a text consists of hexadecimal digits in lower case.
func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
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
