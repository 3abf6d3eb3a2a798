// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package strictconf decodes the configuration of a component, and reports all mistakes in it at once, each in one line
// with its place, such as "poll::intervall: there is no such key; did you mean poll::interval?".
//
// The decoder of the collector reports a part of the mistakes, below a heading for each level, with names of Go types.
package strictconf

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Mistakes are the mistakes that [Unmarshal] has found. The zero value contains none.
type Mistakes struct {
	errs  []error
	about []string // the keys with a mistake, and the keys that the administrator may have meant
	keys  []string // all keys of the configuration, and the sections that contain them
}

// Unmarshal decodes a configuration, except for the values with a mistake. Its caller must report the mistakes with
// [Mistakes.Join], when the collector validates the configuration. Hints holds the texts about values of the wrong type,
// and the advice about unknown keys, by their place. Others returns further mistakes, after the decoding.
func Unmarshal(conf *confmap.Conf, cfg any, hints map[string]string, others func() error) Mistakes {
	content, root := conf.ToStringMap(), sectionOf(reflect.TypeOf(cfg))
	found := unknownKeys(content, root, hints)
	remove(conf, found)
	for more := true; more; { // the decoder stops at some mistakes
		wrong := mistakesOf(conf.Unmarshal(cfg), content, root, hints)
		found = append(found, wrong...)
		more = remove(conf, wrong)
	}
	m := Mistakes{errs: flatten(others())}
	if len(found)+len(m.errs) == 0 {
		return Mistakes{}
	}
	m.keys = keysOf("", content)
	for _, e := range found {
		if !slices.Contains(m.errs, error(e)) {
			m.errs = append(m.errs, e)
			m.about = append(m.about, strings.Split(e.meant, meantSeparator)...)
		}
	}
	for _, err := range m.errs {
		m.about = append(m.about, keyOf(err))
	}
	slices.SortFunc(m.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return m
}

// remove removes the keys with a mistake, and lists with a mistake in an element. It reports whether it has removed any.
func remove(conf *confmap.Conf, found []mistake) (removed bool) {
	for _, e := range found {
		removed = conf.Delete(e.key()) || removed
	}
	return removed
}

// Join returns the mistakes and the errors of a validation of the values, or nil if there are none. The validation sees
// the default in place of a value with a mistake. After a mistake, Join therefore leaves out the errors about keys that
// the configuration does not contain, and the errors that mention a key of a mistake.
func (m Mistakes) Join(validation error) error {
	errs := slices.Clone(m.errs)
	for _, err := range flatten(validation) {
		if len(m.errs) == 0 || slices.Contains(m.keys, keyOf(err)) && !m.areMentionedIn(err) {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return list(errs)
}

func (m Mistakes) areMentionedIn(err error) bool {
	return slices.ContainsFunc(m.about, func(key string) bool { return key != "" && strings.Contains(err.Error(), key) })
}

// keyOf returns the key at the start of an error, or other text. The key of a[0]::b is a.
func keyOf(err error) string {
	place, _, _ := strings.Cut(err.Error(), ": ")
	key, _, _ := strings.Cut(place, "[")
	return key
}

// flatten returns the single errors of errors.Join.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, flatten(e)...)
	}
	return errs
}

// list is an error with several errors, each in its line. The collector writes the place of the component before it.
type list []error

// Error returns the text of the only error, or an indented line for each error.
func (l list) Error() string {
	if len(l) == 1 {
		return l[0].Error()
	}
	var text strings.Builder
	for _, err := range l {
		fmt.Fprintf(&text, "\n  %s", err)
	}
	return text.String()
}

// Unwrap returns the errors.
func (l list) Unwrap() []error { return l }

// keysOf returns all keys of a map, and the sections that contain them.
func keysOf(prefix string, content map[string]any) []string {
	var keys []string
	for key, value := range content {
		keys = append(keys, prefix+key)
		if section, ok := value.(map[string]any); ok {
			keys = append(keys, keysOf(prefix+key+confmap.KeyDelimiter, section)...)
		}
	}
	return keys
}

// mistake is a mistake at a place, such as stuck::rules[0]::limit.
type mistake struct {
	place, text string
	meant       string // the keys that the administrator may have meant
}

const meantSeparator = " or "

func (m mistake) Error() string { return m.place + ": " + m.text }

// key returns the key that contains the place.
func (m mistake) key() string { return keyOf(m) }
