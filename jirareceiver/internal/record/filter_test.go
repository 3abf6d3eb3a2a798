// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFilter(t *testing.T) {
	names := []string{"jira.issue.created", "jira.issue.deleted", "jira.issue_property.set", "jira.sprint.started", "jira.unknown"}
	for _, tt := range []struct {
		name             string
		include, exclude []string
		admitted         string
	}{
		{"neither", nil, nil, "jira.issue.created jira.issue.deleted jira.issue_property.set jira.sprint.started jira.unknown"},
		{"include", []string{"jira.issue.*"}, nil, "jira.issue.created jira.issue.deleted"},
		{"include by name", []string{"jira.sprint.started", "jira.issue.deleted"}, nil, "jira.issue.deleted jira.sprint.started"},
		{"include with alternatives", []string{"jira.issue.[cd]*ed"}, nil, "jira.issue.created jira.issue.deleted"},
		{"include what is no event", []string{"issue.*"}, nil, ""},
		{"exclude", nil, []string{"jira.issue*"}, "jira.sprint.started jira.unknown"},
		{"exclude everything", nil, []string{"*"}, ""},
		{"exclude wins", []string{"jira.issue*"}, []string{"*.deleted", "*_property.*"}, "jira.issue.created"},
		{"the whole name", []string{"jira.issue"}, nil, ""},
	} {
		var admitted []string
		for _, name := range names {
			if (Filter{tt.include, tt.exclude}).Admits(name) {
				admitted = append(admitted, name)
			}
		}
		assert.Equal(t, tt.admitted, strings.Join(admitted, " "), tt.name)
	}
}
