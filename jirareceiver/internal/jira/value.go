// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// Each decode function of this file reads the next value, of any type, and returns only errors of JSON. It sets the
// target to the zero value if the value is null or has another type than expected. If an object has several members
// with the same key, the last one counts, as in most parsers.

// memberDecoder reads the value of the member of an object that has the given key.
type memberDecoder func(d *decoding, key []byte) error

// decodeObject calls f for each member of an object.
func decodeObject(d *decoding, f memberDecoder) error {
	if d.Next() != jx.Object {
		return d.Skip()
	}
	return d.ObjBytes(func(_ *jx.Decoder, key []byte) error { return f(d, key) })
}

// decodeInto sets target to the zero value and reads the members of an object into it.
func decodeInto[T any](d *decoding, target *T, decodeMember func(*T, *decoding, []byte) error) error {
	*target = *new(T)
	return decodeObject(d, func(d *decoding, key []byte) error { return decodeMember(target, d, key) })
}

// decodePointer reads an object like decodeInto, and allocates it if necessary. It sets the pointer to nil for a value
// that is not an object.
func decodePointer[T any](d *decoding, target **T, decodeMember func(*T, *decoding, []byte) error) error {
	if d.Next() != jx.Object {
		*target = nil
		return d.Skip()
	}
	return decodeInto(d, reset(target), decodeMember)
}

// reset returns the T at target with its zero value. It allocates only once, so that a million members with the same
// key share one T.
func reset[T any](target **T) *T {
	if *target == nil {
		*target = new(T)
	}
	**target = *new(T)
	return *target
}

// decodeArray calls f for each element of an array. Any other value counts as an array with one element.
func decodeArray(d *decoding, f func(d *decoding) error) error {
	if d.Next() != jx.Array {
		return f(d)
	}
	return d.Arr(func(*jx.Decoder) error { return f(d) })
}

// decodeEntries calls f for the first MaxEntries elements of an array. It sets isCut if there are more, and skips them.
func decodeEntries(d *decoding, isCut *bool, f func(d *decoding) error) error {
	read := 0
	return decodeArray(d, func(d *decoding) error {
		if read == MaxEntries {
			*isCut = true
			return d.Skip()
		}
		read++
		return f(d)
	})
}

// decodeText reads a string, or the digits of a number: depending on the sender, an id is one or the other. All
// spellings of a number give the same digits.
func decodeText(d *decoding, s *string) error {
	*s = ""
	switch d.Next() {
	case jx.String:
		b, err := d.StrBytes()
		*s = d.texts.copy(b)
		return err
	case jx.Number:
		n, err := d.Raw()
		*s = d.texts.copy(canonicalNumber(n))
		return err
	default:
		return d.Skip()
	}
}

// decodeBool reads true or false. Some of Jira's own examples write them as strings.
func decodeBool(d *decoding, b **bool) error {
	*b = nil
	if d.Next() == jx.Bool {
		value, err := d.Bool()
		*b = &value
		return err
	}
	s, err := decodeScalar(d)
	if s == "true" || s == "false" {
		value := s == "true"
		*b = &value
	}
	return err
}

// maxScalar is the largest size in bytes of a value that is parsed. All numbers, dates and truth values of Jira are
// shorter.
const maxScalar = 64

// decodeScalar returns a text that the caller parses, or "" if it is longer than maxScalar: the errors of parsers
// contain a copy of their input.
func decodeScalar(d *decoding) (s string, err error) {
	if err = decodeText(d, &s); len(s) > maxScalar {
		return "", err
	}
	return s, err
}

// decodeInt reads a whole number, or a string that contains one.
func decodeInt(d *decoding, n **int64) error {
	*n = nil
	s, err := decodeScalar(d)
	if value, isWhole := parseWhole(s); isWhole {
		*n = &value
	}
	return err
}

// decodeTime reads a point in time: milliseconds or seconds since the epoch, or a timestamp in one of Jira's formats.
func decodeTime(d *decoding, t *time.Time) error {
	s, err := decodeScalar(d)
	*t = parseTime(s)
	return err
}

// decodeDate reads a calendar date in the form YYYY-MM-DD.
func decodeDate(d *decoding, s *string) error {
	*s = ""
	value, err := decodeScalar(d)
	if _, parseErr := time.Parse(time.DateOnly, value); parseErr == nil {
		*s = value
	}
	return err
}

// TimeFormat is the format of times in records: RFC 3339 with milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// The ranges of numbers that are times. Jira sends milliseconds; people who write the body of a rule also send seconds.
// All numbers between the ranges, and below both, are years that no issue is from, such as 1970.
const (
	minSeconds = 1e8  // in the year 1973
	minMillis  = 1e11 // the same instant; as seconds, in the year 5138
	// maxMillis is the last instant, in the year 2262, that fits the 64-bit nanoseconds of a log record.
	maxMillis = math.MaxInt64 / int64(time.Millisecond)
	// maxSeconds is the same instant.
	maxSeconds = maxMillis / 1000
)

func parseTime(s string) time.Time {
	if !strings.Contains(s, "-") {
		return parseEpoch(s)
	}
	// The times of sprints follow RFC 3339. The zone of all other times has no colon, which RFC 3339 requires.
	if n := len(s); n > 5 && (s[n-5] == '+' || s[n-5] == '-') {
		s = s[:n-2] + ":" + s[n-2:]
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return fromMillis(t.UnixMilli())
}

// parseEpoch returns the time of a number of milliseconds or seconds since the epoch, in any spelling of JSON.
func parseEpoch(s string) time.Time {
	if _, isNumber := parseDecimal(s); !isNumber { // ParseFloat also accepts 0x1p40, Infinity and underscores
		return time.Time{}
	}
	n, err := strconv.ParseFloat(s, 64) // exact: both ranges are far below 2^53
	switch {
	case err != nil:
		return time.Time{}
	case n >= minSeconds && n <= float64(maxSeconds):
		return fromMillis(int64(math.Round(n * 1000)))
	case n >= minMillis && n <= float64(maxMillis):
		return fromMillis(int64(n))
	default:
		return time.Time{}
	}
}

// fromMillis returns the zero time if a log record cannot contain the instant.
func fromMillis(millis int64) time.Time {
	if millis <= 0 || millis > maxMillis {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}
