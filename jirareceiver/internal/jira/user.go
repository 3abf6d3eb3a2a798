// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

// User is a person or an app. Jira Cloud identifies users by AccountID, Data Center by Key and Name.
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

// ID returns the account id or, without an account id, the user key: the identifiers that reveal the least about the
// person.
func (u User) ID() string {
	if u.AccountID != "" {
		return u.AccountID
	}
	return u.Key
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
