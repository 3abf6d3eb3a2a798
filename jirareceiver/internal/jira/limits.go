// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import "unicode/utf8"

// The limits of a record. They keep the cost of any body linear in its length, and the record small. The bodies of a
// real Jira are far below all of them. The decoder applies the first two limits, so that a body with a million labels
// does not become a million strings. Package record applies all limits, and marks the attributes that it cuts.
const (
	// MaxEntries is the largest number of entries of a list, such as labels, versions, changed fields or the values of
	// a custom field. People choose them one by one on one screen, so lists have a few entries. A move to another
	// project changes a few dozen fields.
	MaxEntries = 500

	// MaxText is the largest size in bytes of one text, and of all texts of one record together. Jira stores at most
	// 32,767 characters of a description or a comment unless an administrator raises that limit. A record contains
	// 4,096 of them by default.
	MaxText = 1 << 20

	// MaxEvent is the largest size in bytes of all texts of all records of one event. The record of an update and the
	// records of thirty changed fields have about 50 KB.
	MaxEvent = 4 << 20

	// MaxID is the largest size in bytes of an id, a key or another name for machines. Jira stores them in columns of
	// 255 characters, and a character has at most four bytes.
	MaxID = 1024

	// MaxURL is the largest size in bytes of the address of a site or an issue. A host name has at most 253 bytes, and
	// a context path a few.
	MaxURL = 2048
)

// Cut returns at most the first maxBytes bytes of a text. It does not cut a character in two.
func Cut[T string | []byte](s T, maxBytes int) T {
	if len(s) <= maxBytes {
		return s
	}
	for i := maxBytes; i > maxBytes-utf8.UTFMax && i >= 0; i-- { // text that is not UTF-8 may have no start
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:maxBytes]
}
