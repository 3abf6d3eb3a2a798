// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// unknownKeys returns a mistake for each key that the type of the configuration does not have.
func unknownKeys(content map[string]any, root *section, hints map[string]string) []mistake {
	w := walk{known: root.places(""), hints: hints}
	w.section("", content, root)
	return w.found
}

// section is a part of a configuration.
type section struct {
	keys map[string]*section // by key; nil for a value
	any  *section            // of all keys of a map, and of the elements of a list
}

// sectionOf returns the keys of a type, as the decoder of the collector finds them.
func sectionOf(t reflect.Type) *section {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isValue(t):
		return &section{}
	case isOptional(t):
		value, _ := t.FieldByName("value")
		s := sectionOf(value.Type)
		if s.keys != nil {
			s.keys["enabled"] = &section{}
		}
		return s
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
		return &section{any: sectionOf(t.Elem())}
	case t.Kind() == reflect.Struct:
		s := &section{keys: map[string]*section{}}
		for field := range t.Fields() {
			key, options, _ := strings.Cut(field.Tag.Get(confmap.MapstructureTag), ",")
			switch {
			case strings.Contains(options, "squash"):
				maps.Copy(s.keys, sectionOf(field.Type).keys)
			case key != "" && key != "-":
				s.keys[key] = sectionOf(field.Type)
			}
		}
		return s
	default:
		return &section{}
	}
}

// isValue reports whether the decoder reads a type from a text, or with a method of its own.
func isValue(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		pointer.Implements(reflect.TypeFor[confmap.Unmarshaler]()) && t.Kind() != reflect.Struct
}

// isOptional reports whether a type is a configoptional.Optional.
func isOptional(t reflect.Type) bool { return strings.HasPrefix(t.Name(), "Optional[") }

func (s *section) names() []string { return slices.Sorted(maps.Keys(s.keys)) }

// at returns the section or the value at a place, or nil.
func (s *section) at(place string) *section {
	for key := range strings.SplitSeq(place, confmap.KeyDelimiter) {
		if s == nil {
			return nil
		}
		if s.any != nil {
			s = s.any
		} else {
			s = s.keys[key]
		}
	}
	return s
}

// places returns the places of all keys outside of maps and lists.
func (s *section) places(prefix string) []string {
	var places []string
	for _, key := range s.names() {
		places = append(places, prefix+key)
		places = append(places, s.keys[key].places(prefix+key+confmap.KeyDelimiter)...)
	}
	return places
}

// walk visits all keys of a configuration.
type walk struct {
	known []string // places of all keys
	hints map[string]string
	found []mistake
}

func (w *walk) value(place string, value any, s *section) {
	switch value := value.(type) {
	case map[string]any:
		w.section(place+confmap.KeyDelimiter, value, s)
	case []any:
		for i, element := range value {
			if s.any != nil {
				w.value(fmt.Sprintf("%s[%d]", place, i), element, s.any)
			}
		}
	}
}

func (w *walk) section(prefix string, content map[string]any, s *section) {
	for _, key := range slices.Sorted(maps.Keys(content)) {
		if s.any != nil {
			w.value(prefix+key, content[key], s.any)
		} else if child, known := s.keys[key]; known {
			w.value(prefix+key, content[key], child)
		} else if s.keys != nil {
			w.found = append(w.found, w.unknown(prefix, key, s))
		}
	}
}

// unknown returns the mistake of an unknown key.
func (w *walk) unknown(prefix, key string, s *section) mistake {
	m := mistake{place: prefix + key, text: "there is no such key; "}
	meant := w.similar(prefix, key, s)
	switch hint, found := w.hints[m.place]; {
	case found:
		m.text += hint
	case len(meant) > 0:
		m.meant = strings.Join(meant, meantSeparator)
		m.text += "did you mean " + m.meant + "?"
	case len(s.keys) <= maxListed:
		m.text += "write one of these keys: " + strings.Join(s.names(), ", ")
	default:
		m.text += "check its spelling and its indentation"
	}
	return m
}

// similar returns the most similar keys of this section, of the sections in it, or of all sections.
func (w *walk) similar(prefix, key string, s *section) []string {
	var here []string
	for _, known := range s.names() {
		here = append(here, prefix+known)
	}
	for _, near := range [][]string{
		nearest(key, here, max(1, len(key)/3)),
		containing(key, here),
		nearest(key, s.places(prefix), max(1, len(key)/3)),
		nearest(key, w.known, 0),
		containing(key, w.known),
	} {
		if len(near) > 0 && len(near) <= maxProposals {
			return near
		}
	}
	return nil
}

const (
	// maxProposals is the largest number of similar keys that help.
	maxProposals = 3
	// maxListed is the largest number of keys that are listed.
	maxListed = 6
)

// nearest returns the places whose last key is most similar to a key, and differs in a number of letters at most.
func nearest(key string, places []string, best int) []string {
	var near []string
	for _, place := range places {
		switch d := distance(simple(key), simple(lastKey(place))); {
		case d < best:
			near, best = []string{place}, d
		case d == best:
			near = append(near, place)
		}
	}
	return near
}

func lastKey(place string) string { return place[strings.LastIndex(":"+place, ":"):] }

// containing returns the places with all words of a key, or with longer forms of them, and with the fewest other words.
func containing(key string, places []string) []string {
	var found []string
	fewest := 0
	for _, place := range places {
		words := wordsOf(place)
		contains := func(word string) bool {
			return slices.ContainsFunc(words, func(longer string) bool { return strings.HasPrefix(longer, word) })
		}
		switch {
		case slices.ContainsFunc(wordsOf(key), func(word string) bool { return !contains(word) }):
		case len(found) == 0 || len(words) < fewest:
			found, fewest = []string{place}, len(words)
		case len(words) == fewest:
			found = append(found, place)
		}
	}
	return found
}

func wordsOf(place string) []string {
	return strings.FieldsFunc(strings.ToLower(place), func(r rune) bool { return r == '_' || r == '-' || r == ':' })
}

// simple returns the same text for siteUrl, site-url and site_url.
func simple(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(key))
}

// distance returns the number of letters to add, to remove, to replace or to swap with their neighbour.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
