// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// customFields writes the custom fields that the options name.
func (w writer) customFields(fields []jira.CustomField) {
	for _, field := range fields {
		alias := w.opts.CustomFields[field.ID]
		w.customField(alias, field)
		w.service(alias, field.Service)
	}
}

// customField writes the values of a custom field. Of a person it writes the id; the hash and the names have keys of their
// own, because otherwise the key of the value would be their namespace.
func (w writer) customField(alias string, field jira.CustomField) {
	key := mainKey(field) + alias
	list, isList := field.Value.([]any)
	if !isList {
		list = []any{field.Value}
	}
	var persons []jira.User
	var values []any
	for _, value := range list {
		if u, isPerson := value.(jira.User); isPerson {
			persons = append(persons, u)
			value = u.ID()
		}
		if value = w.customValue(key, value); value != nil {
			values = append(values, value)
		}
	}
	w.putCustom(key, values, field.IsCut, isList)
	w.customPeople(customPersonTemplates, alias, persons, field.IsCut, isList)
}

// putCustom writes one value, or a list of values.
func (w writer) putCustom(key string, values []any, isCut, isList bool) {
	if isCut {
		w.budget.markCut(key)
	}
	switch { // FromRaw cannot fail, because it supports all types of CustomField.Value
	case len(values) == 0:
	case isList:
		_ = w.attrs.PutEmptySlice(key).FromRaw(values)
	default:
		_ = w.attrs.PutEmpty(key).FromRaw(values[0])
	}
}

// customPeople writes the hashes and the names of people.
func (w writer) customPeople(keys personTemplates, alias string, persons []jira.User, isCut, isList bool) {
	put := func(prefix string, text func(key string, u jira.User) string) {
		w.putPersons(prefix+alias, persons, isCut, isList, text)
	}
	put(keys.hash, func(key string, u jira.User) string { return w.id(key, w.hashOf(u)) })
	if w.opts.UserDetails {
		put(keys.name, func(key string, u jira.User) string { return w.text(key, u.Login()) })
		put(keys.fullName, func(key string, u jira.User) string { return w.text(key, u.DisplayName) })
	}
}

// putPersons writes one text of each person that has it.
func (w writer) putPersons(
	key string, persons []jira.User, isCut, isList bool, text func(key string, u jira.User) string,
) {
	var texts []any
	for _, u := range persons {
		if s := text(key, u); s != "" {
			texts = append(texts, s)
		}
	}
	w.putCustom(key, texts, isCut && len(texts) > 0, isList)
}

// customValue returns a value that is not a person, or nil if it is empty.
func (w writer) customValue(key string, value any) any {
	switch value := value.(type) {
	case string:
		if text := w.text(key, value); text != "" {
			return text
		}
		return nil
	case time.Time:
		return value.UTC().Format(jira.TimeFormat)
	default:
		return value
	}
}

// unreadable returns the ids of the custom fields with a value that the decoder does not understand.
func unreadable(issue *jira.Issue) (ids []string) {
	if issue == nil {
		return nil
	}
	for _, field := range issue.CustomFields {
		if field.IsUnreadable {
			ids = append(ids, field.ID)
		}
	}
	return ids
}
