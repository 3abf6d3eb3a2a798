// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/golden"
	"github.com/otel-jira/collector/jirareceiver/internal/status"
	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestGolden compares the record of each example body with the golden record beside it.
func TestGolden(t *testing.T) {
	retries := int64(2)
	w := newWriting(nil)
	for _, body := range testbodies.Examples(t) {
		t.Run(body.Name, func(t *testing.T) {
			logs := w.logs(t, body.Content, Delivery{ID: "delivery-1", Flow: "Primary", RetryCount: &retries})
			golden.Assert(t, strings.TrimSuffix(body.File, ".json")+".yaml", logs)
		})
	}
}

// configured has options that change records, and bodies that show the change. The golden records are in folders of the
// same name.
var configured = []struct {
	name   string
	change func(*Options)
	bodies []string
	extra  []Attribute
}{
	{
		name:   "changelog_split",
		change: func(o *Options) { o.SplitChanges = true },
		bodies: []string{"senders/cloud_issue_updated_private", "senders/cloud_issue_moved_status_and_type", "senders/datacenter_issue_assigned", "events/jira.sprint.updated"},
	},
	{
		name:   "changelog_split_with_user_details",
		change: func(o *Options) { o.SplitChanges, o.UserDetails = true, true },
		bodies: []string{"senders/cloud_issue_updated_private"},
	},
	{
		name:   "custom_fields",
		change: func(o *Options) { o.CustomFields = everyCustomField },
		bodies: []string{"senders/cloud_issue_updated_every_custom_field"},
	},
	{
		name: "custom_fields_with_user_details",
		change: func(o *Options) {
			o.CustomFields, o.UserDetails = everyCustomField, true
		},
		bodies: []string{"senders/cloud_issue_updated_every_custom_field"},
	},
	{
		name:   "people",
		change: peopleOptions,
		bodies: []string{"senders/datacenter_issue_updated_by_login"},
	},
	{
		name:   "people_with_user_details",
		change: func(o *Options) { peopleOptions(o); o.UserDetails = true },
		bodies: []string{
			"senders/datacenter_issue_updated_by_login", "senders/datacenter_project_created_by_login",
			"senders/datacenter_attachment_created_by_login", "senders/datacenter_worklog_created_by_login",
		},
	},
	{
		name:   "service_fields",
		change: func(o *Options) { o.CustomFields = serviceFields },
		bodies: serviceBodies,
	},
	{
		name:   "service_fields_with_user_details",
		change: func(o *Options) { o.CustomFields, o.UserDetails = serviceFields, true },
		bodies: serviceBodies,
	},
	{
		name:   "service_fields_with_comment_body",
		change: func(o *Options) { o.CustomFields, o.CommentBody = serviceFields, true },
		bodies: serviceBodies[:1],
	},
	{
		name: "severity",
		change: func(o *Options) {
			o.Severities = map[string]plog.SeverityNumber{"high": plog.SeverityNumberWarn, "1": plog.SeverityNumberError2}
		},
		bodies: []string{"events/jira.issue.updated", "senders/datacenter_issue_created", "senders/odd_priority_as_text", "events/jira.sprint.started"},
	},
	{
		name:   "query_attributes",
		extra:  []Attribute{{"jira.issue.key", "OPS-43"}, {"jira.project.key", "OPS"}},
		bodies: []string{"senders/exclude_body", "events/jira.issue.created"},
	},
	{
		name: "status",
		change: func(o *Options) {
			o.SiteURL = "https://issues.example.org/"
			o.Statuses = status.NewMapper(status.Options{
				Projects:   map[string]status.Mapping{"ops": {"underway": {"in progress"}}},
				UseDefault: true, CategoryFallback: true,
			})
		},
		bodies: []string{"events/jira.issue.updated", "senders/cloud_issue_moved_status_and_type"},
	},
	{
		name:   "include_user_details",
		change: func(o *Options) { o.UserDetails = true },
		bodies: append([]string{"events/jira.user.created", "events/jira.user.deleted", "events/jira.alert.responder_added", "senders/operations_created_by_person"}, personal...),
	},
	{
		name:   "include_description",
		change: func(o *Options) { o.Description = true },
		bodies: append([]string{"events/jira.alert.created"}, personal...),
	},
	{
		name:   "include_comment_body",
		change: func(o *Options) { o.CommentBody = true },
		bodies: append([]string{"events/jira.worklog.created", "events/jira.alert.note_added", "senders/post_function_loop_with_comment"}, personal...),
	},
	{
		name:   "include_payload",
		change: func(o *Options) { o.Payload = true },
		bodies: []string{"events/jira.user.deleted", "senders/odd_invalid_utf8", "senders/exclude_body", "senders/operations_escalated_with_headers"},
	},
}

// personal names bodies with all texts that the default options leave out.
var personal = []string{
	"senders/cloud_issue_updated_private", "senders/cloud_issue_updated_adf", "senders/cloud_comment_created_adf",
	"senders/datacenter_issue_resolved", "senders/datacenter_issue_commented",
}

// peopleOptions adds all places of people.
func peopleOptions(o *Options) {
	o.SplitChanges, o.UserHashKey = true, "a key of the hashes of login names"
	o.CustomFields = map[string]string{"customfield_10100": "approver", "customfield_10101": "reviewers"}
}

// serviceFields are the fields of Jira Service Management in serviceBodies.
var serviceFields = map[string]string{
	"customfield_10301": "first_response",
	"customfield_10302": "time_to_approve",
	"customfield_10303": "approvals",
	"customfield_10304": "request_type",
	"customfield_10305": "satisfaction",
	"customfield_10306": "planned_start",
	"customfield_10307": "planned_end",
	"customfield_10308": "change_type",
	"customfield_10309": "risk",
	"customfield_10310": "urgency",
	"customfield_10311": "impact",
	"customfield_10312": "organizations",
	"customfield_10313": "budget",
	"customfield_10314": "language",
}

var serviceBodies = []string{"senders/jsm_issue_updated_change_request", "senders/jsm_datacenter_issue_updated_approved"}

var everyCustomField = map[string]string{
	"customfield_10100": "integer",
	"customfield_10101": "float",
	"customfield_10102": "bool",
	"customfield_10103": "string",
	"customfield_10104": "date",
	"customfield_10105": "date_time",
	"customfield_10106": "option",
	"customfield_10107": "options",
	"customfield_10108": "user",
	"customfield_10109": "users",
	"customfield_10110": "cascading",
	"customfield_10111": "group",
	"customfield_10112": "version",
	"customfield_10113": "sprints",
	"customfield_10114": "sprint_strings",
	"customfield_10115": "labels",
	"customfield_10116": "document",
	"customfield_10117": "nothing",
	"customfield_10118": "empty_list",
	"customfield_10119": "project",
	"customfield_10120": "numbers",
}

// TestGoldenConfigured compares the records that other options produce.
func TestGoldenConfigured(t *testing.T) {
	for _, variant := range configured {
		w := newWriting(variant.change)
		for _, name := range variant.bodies {
			t.Run(variant.name+"/"+name, func(t *testing.T) {
				logs := w.logs(t, testbodies.Read(t, name), Delivery{Extra: variant.extra})
				golden.Assert(t, testbodies.File(t, "configured/"+variant.name+"/"+filepath.Base(name)+".yaml"), logs)
			})
		}
	}
}

// TestBodiesAreJSON checks that all bodies are JSON but the example of a webhook that excludes the body.
func TestBodiesAreJSON(t *testing.T) {
	for _, body := range testbodies.Examples(t) {
		assert.True(t, json.Valid(body.Content) || body.Name == "senders/exclude_body", body.Name)
	}
}
