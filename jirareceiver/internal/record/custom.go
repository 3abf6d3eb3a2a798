// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "github.com/otel-jira/collector/jirareceiver/internal/jira"

// customFields writes the custom fields that the options name.
func (w writer) customFields(fields []jira.CustomField) {
	for _, field := range fields {
		key := attrIssueCustom + w.opts.CustomFields[field.ID]
		if field.IsCut {
			w.budget.markCut(key)
		}
		w.custom(key, field.Value, w.customValue)
		w.customPeople(key, field.Value)
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

// custom converts a value, or each element of a list, and writes the results that are not nil.
func (w writer) custom(key string, value any, convert func(key string, value any) any) {
	list, isList := value.([]any)
	if !isList {
		if converted := convert(key, value); converted != nil {
			_ = w.attrs.PutEmpty(key).FromRaw(converted) // cannot fail: FromRaw supports all types of CustomField.Value
		}
		return
	}
	converted := make([]any, 0, len(list))
	for _, element := range list {
		if c := convert(key, element); c != nil {
			converted = append(converted, c)
		}
	}
	if len(converted) > 0 {
		_ = w.attrs.PutEmptySlice(key).FromRaw(converted)
	}
}

// customValue returns the value of a custom field. Of a user it returns the id.
func (w writer) customValue(key string, value any) any {
	switch value := value.(type) {
	case string:
		return orNil(w.text(key, value))
	case jira.User:
		return orNil(w.id(key, value.ID()))
	default:
		return value
	}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
