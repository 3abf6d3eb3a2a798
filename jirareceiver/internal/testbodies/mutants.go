// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package testbodies

import (
	"bytes"
	"encoding/json"
	"iter"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// retyped holds a value of each JSON type.
var retyped = []string{
	`null`, `{"id": 7, "name": ["text"], "key": {}}`, `[null, "text", 7, {"id": "7"}, [true]]`, `""`, `"text"`, `7`, `true`,
}

var isID = regexp.MustCompile(`^"\d{1,18}"$|^\d+$`)

// Mutants returns copies of a body, each with one changed value. Every value is changed in every way in which senders
// differ: it is missing, null, or of another type. Of all mutants, it returns every step-th.
func Mutants(tb testing.TB, body []byte, step int) iter.Seq[[]byte] {
	tb.Helper()
	return func(yield func([]byte) bool) {
		n := 0
		for _, p := range placesIn(tb, body) {
			mutants := [][]byte{p.drop(body)}
			for _, value := range retyped {
				mutants = append(mutants, p.replace(body, value))
			}
			if value := string(body[p.start:p.end]); isID.MatchString(value) {
				mutants = append(mutants, p.replace(body, swapped(value)))
			}
			for _, mutant := range mutants {
				n++
				if n%step == 0 && !yield(mutant) {
					return
				}
			}
		}
	}
}

// swapped turns an ID that is a string into a number, and the other way round.
func swapped(id string) string {
	if text := strings.Trim(id, `"`); text != id {
		return strings.TrimLeft(text[:len(text)-1], "0") + text[len(text)-1:]
	}
	return `"` + id + `"`
}

// place is the position of a value in a body. The member of an object begins before the key. An element of an array is
// its own member.
type place struct{ member, start, end int }

func (p place) replace(body []byte, value string) []byte {
	return slicesOf(body[:p.start], []byte(value), body[p.end:])
}

// drop removes the value and one of the commas around it.
func (p place) drop(body []byte) []byte {
	before, after := bytes.TrimRight(body[:p.member], " \t\r\n"), bytes.TrimLeft(body[p.end:], " \t\r\n")
	if rest, found := bytes.CutPrefix(after, []byte(",")); found {
		return slicesOf(before, rest)
	}
	return slicesOf(bytes.TrimSuffix(before, []byte(",")), after)
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// placesIn returns the places of all values in a body, except the body itself.
func placesIn(tb testing.TB, body []byte) (places []place) {
	tb.Helper()
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	next := func() int { // returns the offset of the next token
		offset := int(d.InputOffset())
		return len(body) - len(bytes.TrimLeft(body[offset:], " \t\r\n,:"))
	}
	token := func() json.Token {
		token, err := d.Token()
		require.NoError(tb, err)
		return token
	}
	var value func(member int)
	value = func(member int) {
		start, opening := next(), token()
		for opening == json.Delim('{') && d.More() {
			key := next()
			token()
			value(key)
		}
		for opening == json.Delim('[') && d.More() {
			value(next())
		}
		if _, isDelim := opening.(json.Delim); isDelim {
			token()
		}
		places = append(places, place{member, start, int(d.InputOffset())})
	}
	value(0)
	return places[:len(places)-1]
}
