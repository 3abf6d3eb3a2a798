package record

import "github.com/otel-jira/collector/jirareceiver/internal/jira"

// putCustomFields writes the custom fields that the configuration names.
func (t *Translator) putCustomFields(w writer, fields []jira.CustomField) {
	for _, field := range fields {
		key := attrIssueCustom + t.opts.CustomFields[field.ID]
		if field.IsCut {
			w.budget.markCut(key)
		}
		w.custom(key, field.Value, w.customValue)
		if t.opts.UserDetails {
			w.custom(key+suffixFullName, field.Value, w.customName)
		}
	}
}

// custom writes what convert makes of a value, or of each of a list.
func (w writer) custom(key string, value any, convert func(key string, value any) any) {
	list, isList := value.([]any)
	if !isList {
		if converted := convert(key, value); converted != nil {
			_ = w.attrs.PutEmpty(key).FromRaw(converted) // of a type that it takes
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

// customValue tells of a user no more than the id.
func (w writer) customValue(key string, value any) any {
	switch value := value.(type) {
	case string:
		return orNil(w.oneLine(key, value))
	case jira.User:
		return orNil(w.id(key, value.ID()))
	default:
		return value
	}
}

// customName tells the names of users, and nothing else.
func (w writer) customName(key string, value any) any {
	user, _ := value.(jira.User)
	return orNil(w.oneLine(key, user.DisplayName))
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
