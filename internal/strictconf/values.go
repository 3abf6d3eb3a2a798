// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"go.opentelemetry.io/collector/confmap"
)

// descriptions translate the errors of the decoder, by a part of their text. Where quote is set, the value stands before
// the text. Texts can be secrets.
var descriptions = []struct {
	symptom, text string
	quote         bool
}{
	{"configopaque.String', got unconvertible", "not a text; put secrets and tokens in quotes", false},
	{"'string', got unconvertible", "not a text; put it in quotes", false},
	{"'bool', got unconvertible", "not a switch; write true or false", true},
	{"'float64', got unconvertible", "not a number; write it without a unit", true},
	{"'int', got unconvertible", "not a whole number; write it without a unit", true},
	{"'int64', got unconvertible", "not a whole number; write it without a unit, and sizes in bytes", true},
	{"must be an array or slice", "not a list; write a list, such as [one, another]", false},
	{"expected a map or struct", "not a section; write its keys below it, indented", false},
	{"expected type 'map[", "not a section; write pairs below it, such as one: another", false},
	{" id: ", "not the id of an extension; write its type, or type/name", true},
	{"time: ", "not a duration; write it with the units h, m and s, such as 1h30m", true},
}

// mistakesOf returns the mistakes that an error of the decoder describes.
func mistakesOf(err error, content map[string]any, root *section, hints map[string]string) []mistake {
	var found []mistake
	visit("", err, content, func(place string, err error, value any) {
		text := describe(place, err, value, hints)
		if s := root.at(place); s != nil && len(s.keys) > 0 && len(s.keys) <= maxListed {
			text += ": " + strings.Join(s.names(), ", ")
		}
		found = append(found, mistake{place: place, text: text})
	})
	return found
}

func describe(place string, err error, value any, hints map[string]string) string {
	if hint, found := hints[place]; found {
		return quoted(value) + hint
	}
	for _, d := range descriptions {
		if !strings.Contains(err.Error(), d.symptom) {
			continue
		}
		if d.quote {
			return quoted(value) + d.text
		}
		return d.text
	}
	return err.Error()
}

// quoted returns the beginning of a sentence about a value, or "" if the value has parts.
func quoted(value any) string {
	switch value.(type) {
	case string, int, float64, bool:
		return fmt.Sprintf("%#v is ", value)
	default:
		return ""
	}
}

// visit calls a function for each single error of the decoder, with its place and the value there.
func visit(place string, err error, content any, found func(place string, err error, value any)) {
	switch e := err.(type) { //nolint:errorlint // it walks through the tree
	case nil:
	case *mapstructure.DecodeError:
		place, content = enter(place, e.Name(), content)
		visit(place, e.Unwrap(), content, found)
	case interface{ Unwrap() []error }:
		for _, child := range e.Unwrap() {
			visit(place, child, content, found)
		}
	default:
		if _, isHeading := errors.AsType[*mapstructure.DecodeError](err); isHeading {
			visit(place, errors.Unwrap(err), content, found)
			return
		}
		found(place, err, content)
	}
}

// parts matches the parts of a name of the decoder.
var parts = regexp.MustCompile(`\[([^\]]*)\]|([^.\[]+)`)

// enter returns the place of a name of the decoder, such as rules[0].limit or mapping[done], and the content there.
func enter(place, name string, content any) (string, any) {
	for _, part := range parts.FindAllStringSubmatch(name, -1) {
		key := part[1] + part[2]
		if elements, isList := content.([]any); isList {
			place = fmt.Sprintf("%s[%s]", place, key)
			var i int
			if _, err := fmt.Sscan(key, &i); err == nil && i < len(elements) {
				content = elements[i]
			}
			continue
		}
		section, _ := content.(map[string]any)
		content = section[key]
		if place != "" {
			key = place + confmap.KeyDelimiter + key
		}
		place = key
	}
	return place, content
}
