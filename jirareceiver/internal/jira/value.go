package jira

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// The functions of this file read the next value of any type. A value that does not fit, such as null, empties the target and is
// not an error: of equal members, the last one counts, as in most parsers. The errors that they return are errors of JSON.

// member reads the value of the member of an object that has the given key.
type member func(d *decoding, key []byte) error

// object calls f for the members of an object.
func object(d *decoding, f member) error {
	if d.Next() != jx.Object {
		return d.Skip()
	}
	return d.ObjBytes(func(_ *jx.Decoder, key []byte) error { return f(d, key) })
}

// replace reads an object into target, in place of what an earlier member of the same name has left there.
func replace[T any](d *decoding, target *T, read func(*T, *decoding, []byte) error) error {
	*target = *new(T)
	return object(d, func(d *decoding, key []byte) error { return read(target, d, key) })
}

// array calls f for the elements of an array, or for the one value that stands where an array was due.
func array(d *decoding, f func(d *decoding) error) error {
	if d.Next() != jx.Array {
		return f(d)
	}
	return d.Arr(func(*jx.Decoder) error { return f(d) })
}

// text reads a string, or a number as it is written: ids are one or the other, depending on the sender.
func text(d *decoding, s *string) error {
	*s = ""
	switch d.Next() {
	case jx.String:
		b, err := d.StrBytes()
		*s = d.texts.copy(b)
		return err
	case jx.Number:
		n, err := d.Raw()
		*s = d.texts.copy(n)
		return err
	default:
		return d.Skip()
	}
}

// boolean reads true or false, which Jira's own examples also write as strings.
func boolean(d *decoding, b **bool) error {
	*b = nil
	if d.Next() == jx.Bool {
		value, err := d.Bool()
		*b = &value
		return err
	}
	s, err := scalar(d)
	if s == "true" || s == "false" {
		value := s == "true"
		*b = &value
	}
	return err
}

// maxScalar is more bytes than any number, date or truth value of Jira has.
const maxScalar = 64

// scalar reads a text that is to be parsed. A longer text is none: errors of parsers hold a copy.
func scalar(d *decoding) (s string, err error) {
	if err = text(d, &s); len(s) > maxScalar {
		return "", err
	}
	return s, err
}

// integer reads a whole number, or a string of one.
func integer(d *decoding, n **int64) error {
	*n = nil
	s, err := scalar(d)
	if value, parseErr := strconv.ParseInt(s, 10, 64); parseErr == nil {
		*n = &value
	}
	return err
}

// names reads an array of strings or of objects that have a name.
func names(d *decoding, list *Names) error {
	*list = Names{}
	return entries(d, &list.IsCut, func(d *decoding) error {
		var n Named
		err := n.decode(d)
		if n.Name != "" {
			list.List = append(list.List, n.Name)
		}
		return err
	})
}

// instant reads a point in time: milliseconds since the epoch, or one of the timestamp formats.
func instant(d *decoding, t *time.Time) error {
	s, err := scalar(d)
	*t = parseInstant(s)
	return err
}

// date reads a calendar date.
func date(d *decoding, s *string) error {
	*s = ""
	value, err := scalar(d)
	if _, notDate := time.Parse(time.DateOnly, value); notDate == nil {
		*s = value
	}
	return err
}

// layouts are the timestamp formats that Jira writes: issues have a zone without colon, sprints follow RFC 3339. In both,
// Go accepts a fraction of a second where the layout has none.
var layouts = []string{"2006-01-02T15:04:05-0700", time.RFC3339}

// maxMillis is the last instant that fits the 64-bit nanoseconds of a log record, in the year 2262.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

func parseInstant(s string) time.Time {
	if !strings.Contains(s, "-") {
		millis, _ := strconv.ParseInt(s, 10, 64)
		return fromMillis(millis)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return fromMillis(t.UnixMilli())
		}
	}
	return time.Time{}
}

// fromMillis returns the zero time for what no log record can hold.
func fromMillis(millis int64) time.Time {
	if millis <= 0 || millis > maxMillis {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}
