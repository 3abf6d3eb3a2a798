package jira

import "unicode/utf8"

// The limits of a record. They keep the cost of a body of any content linear in its length, and the record small. A real Jira
// stays far below each. The decoder applies the first two, so that a body of a million labels does not become a million strings;
// the writer of records applies all, and marks what it cuts.
const (
	// MaxEntries is the most entries of a list, such as labels, versions, changed fields or the values of a custom field. People
	// choose them one by one on one screen: lists have a few entries, and a move to another project changes a few dozen fields.
	MaxEntries = 500

	// MaxText is the most bytes of one text, and of all texts of one record. Jira keeps at most 32,767 characters of a description
	// or a comment unless an administrator raises that, and a record has 4,096 of them by default.
	MaxText = 1 << 20

	// MaxEvent is the most bytes of all texts of the records of one event. The record of an update and those of thirty changed
	// fields have some 50 KB.
	MaxEvent = 4 << 20

	// MaxID is the most bytes of an id, a key or another name for machines. Jira stores them in columns of 255 characters, which
	// have at most four bytes each.
	MaxID = 1024

	// MaxURL is the most bytes of the address of a site or an issue. A host has at most 253, and a context path a few.
	MaxURL = 2048
)

// Cut returns the first bytes of a text, at most most, without a part of a character at the end.
func Cut[T string | []byte](s T, most int) T {
	if len(s) <= most {
		return s
	}
	for i := most; i > most-utf8.UTFMax && i >= 0; i-- { // bytes that are no UTF-8 may have no start at all
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:most]
}

// entries calls f for the first elements of an array. It skips the elements above the limit, and reports them in isCut.
func entries(d *decoding, isCut *bool, f func(d *decoding) error) error {
	read := 0
	return array(d, func(d *decoding) error {
		if read == MaxEntries {
			*isCut = true
			return d.Skip()
		}
		read++
		return f(d)
	})
}
