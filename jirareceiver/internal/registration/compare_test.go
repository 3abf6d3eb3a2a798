// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

var (
	cloud        = Product{jiraapi.Cloud, true}
	dataCenter   = Product{jiraapi.DataCenter, true}
	oldServer    = Product{jiraapi.DataCenter, false}
	wanted       = Wanted{Name: "otelcol-jira", URL: "https://hooks.acme.com/jira/events?token=t0ken", Events: []string{"a", "b"}, JQL: "project = A", Secret: "hunter2"}
	correct      = jira.Webhook{ID: "7", Name: wanted.Name, URL: wanted.URL, Events: []string{"b", "a"}, JQL: " project = A\n", HasSecret: new(true)}
	allDrift     = []Kind{KindDisabled, KindEventsMissing, KindJQLDiffers, KindBodyExcluded, KindSecretUnknown, KindEventsSuperfluous}
	defaultsOnly = Wanted{Name: wanted.Name, URL: wanted.URL}
)

func kinds(findings []Finding) (list []Kind) {
	for _, f := range findings {
		list = append(list, f.Kind)
	}
	return list
}

// edited returns a copy of the correct webhook with changes.
func edited(change func(*jira.Webhook)) jira.Webhook {
	w := correct
	change(&w)
	return w
}

// TestCompare checks the findings and the plan for each difference.
func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		wanted     *Wanted  // default: wanted
		product    *Product // default: Jira Cloud
		registered []jira.Webhook
		secret     SecretState
		want       []Kind
		plan       action
	}{
		"correct":             {registered: []jira.Webhook{correct}, secret: SecretCurrent},
		"correct of others":   {registered: []jira.Webhook{{ID: "1", Name: "x", URL: "https://x"}, correct, {ID: "8"}}, secret: SecretCurrent},
		"none":                {want: []Kind{KindMissing}, plan: actionCreate},
		"others":              {registered: []jira.Webhook{{ID: "1", Name: "x", URL: "https://x"}, {ID: "2"}}, want: []Kind{KindMissing}, plan: actionCreate},
		"disabled":            {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.IsDisabled = true })}, want: []Kind{KindDisabled}, plan: actionUpdate},
		"event missing":       {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Events = []string{"a"} })}, want: []Kind{KindEventsMissing}, plan: actionUpdate},
		"no events":           {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Events = nil })}, want: []Kind{KindEventsMissing}, plan: actionUpdate},
		"event superfluous":   {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Events = []string{"a", "b", "c"} })}, want: []Kind{KindEventsSuperfluous}, plan: actionUpdate},
		"no JQL":              {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.JQL = "" })}, want: []Kind{KindJQLDiffers}, plan: actionUpdate},
		"other JQL":           {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.JQL = "project = B" })}, want: []Kind{KindJQLDiffers}, plan: actionUpdate},
		"no payload":          {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.ExcludesBody = true })}, want: []Kind{KindBodyExcluded}, plan: actionUpdate},
		"no secret":           {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.HasSecret = new(false) })}, want: []Kind{KindUnsigned}, plan: actionUpdate},
		"secret not returned": {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.HasSecret = nil })}, secret: SecretCurrent},
		"secret unknown":      {registered: []jira.Webhook{correct}, secret: SecretUnknown, want: []Kind{KindSecretUnknown}, plan: actionUpdate},
		"secret outdated":     {registered: []jira.Webhook{correct}, secret: SecretOutdated, want: []Kind{KindSecretOutdated}, plan: actionUpdate},
		"secret not wanted":   {wanted: &Wanted{Name: wanted.Name, URL: wanted.URL, Events: wanted.Events, JQL: wanted.JQL}, registered: []jira.Webhook{correct}, secret: SecretUnknown},
		"cannot sign": {
			product: &oldServer, registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.HasSecret = nil })}, secret: SecretUnknown,
			want: []Kind{KindCannotSign},
		},
		"everything": {
			product: &dataCenter, secret: SecretUnknown, want: allDrift, plan: actionUpdate,
			registered: []jira.Webhook{{ID: "7", Name: wanted.Name, URL: wanted.URL, Events: []string{"c"}, IsDisabled: true, ExcludesBody: true}},
		},
		"credentials": {
			product: &dataCenter, registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.HasCredentials = true; w.IsDisabled = true })}, secret: SecretCurrent,
			want: []Kind{KindDisabled, KindCredentials},
		},
		"credentials without drift": {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.HasCredentials = true })}, secret: SecretCurrent},
		"several of ours": {
			registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.ID, w.IsDisabled = "6", true }), correct, edited(func(w *jira.Webhook) { w.ID = "8" })},
			secret:     SecretCurrent, want: []Kind{KindDuplicates},
		},
		"several of ours with drift": {
			registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.IsDisabled = true }), edited(func(w *jira.Webhook) { w.ID, w.IsDisabled, w.JQL = "8", true, "x" })},
			secret:     SecretCurrent, want: []Kind{KindDisabled, KindDuplicates}, plan: actionUpdate,
		},
		"same name elsewhere":      {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.URL = "https://old.acme.com/jira/events" })}, want: []Kind{KindMissing, KindOtherURL}, plan: actionCreate},
		"same name, other path":    {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.URL = "https://hooks.acme.com/jira/events2?token=t0ken" })}, want: []Kind{KindMissing, KindOtherURL}, plan: actionCreate},
		"same name, other query":   {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.URL = "https://hooks.acme.com/jira/events?token=old" })}, want: []Kind{KindMissing, KindOtherURL}},
		"same name, no query":      {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.URL = "https://hooks.acme.com/jira/events" })}, want: []Kind{KindMissing, KindOtherURL}},
		"same name, other case":    {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.URL = "HTTPS://Hooks.acme.com:443/jira/events/?token=t0ken" })}, want: []Kind{KindMissing, KindOtherURL}},
		"same URL, other name":     {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Name = "by hand" })}, want: []Kind{KindMissing, KindOtherName}},
		"same URL, name with case": {registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Name = "Otelcol-Jira" })}, want: []Kind{KindMissing, KindOtherName}},
		"same URL, disabled": {
			registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Name, w.IsDisabled = "by hand", true })}, want: []Kind{KindMissing, KindOtherName}, plan: actionCreate,
		},
		"ours and one by hand": {
			registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Name = "by hand" }), correct}, secret: SecretCurrent, want: []Kind{KindOtherName},
		},
		"ours with drift and one by hand": {
			registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Name = "by hand" }), edited(func(w *jira.Webhook) { w.IsDisabled = true })}, secret: SecretCurrent,
			want: []Kind{KindDisabled, KindOtherName}, plan: actionUpdate,
		},
		"default events": {
			wanted: &defaultsOnly, registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Events, w.JQL = append(DefaultEvents(jiraapi.Cloud), "new"), "" })},
		},
		"default events of the other product": {
			wanted: &defaultsOnly, registered: []jira.Webhook{edited(func(w *jira.Webhook) { w.Events, w.JQL = DefaultEvents(jiraapi.DataCenter), "" })},
			want: []Kind{KindEventsMissing}, plan: actionUpdate,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, product := wanted, cloud
			if tt.wanted != nil {
				w = *tt.wanted
			}
			if tt.product != nil {
				product = *tt.product
			}
			c := Compare(w, product, tt.registered, func(jira.Webhook) SecretState { return tt.secret })
			assert.Equal(t, tt.want, kinds(c.Findings))
			assert.Equal(t, tt.plan, c.plan())
			if c.Ours != nil {
				assert.Equal(t, []string{w.Name, w.URL}, []string{c.Ours.Name, c.Ours.URL})
				if tt.plan == actionNone && !hasKind(c.Findings, KindCredentials) {
					assert.False(t, c.Ours.IsDisabled, "of several, the one without drift")
				}
			}
			assert.Equal(t, c.Ours == nil, hasKind(c.Findings, KindMissing))
		})
	}
}

func TestFindingsOfEvents(t *testing.T) {
	c := Compare(wanted, cloud, []jira.Webhook{edited(func(w *jira.Webhook) { w.Events = []string{"c", "a", "d"} })}, func(jira.Webhook) SecretState { return SecretCurrent })
	assert.Equal(t, []Finding{
		{Kind: KindEventsMissing, WebhookID: "7", Events: []string{"b"}},
		{Kind: KindEventsSuperfluous, WebhookID: "7", Events: []string{"c", "d"}},
	}, c.Findings)
	assert.Equal(t, "registration: the webhook lacks events (b); select the events in Jira, or set registration::events", c.Findings[0].Error())
}

// TestFindingsContainNoSecret checks that a finding about another webhook has only the host of its URL, and no finding has
// the query of ours.
func TestFindingsContainNoSecret(t *testing.T) {
	registered := []jira.Webhook{
		{ID: "1", Name: wanted.Name, URL: "https://user:hunter2@hooks.slack.com/services/T0/hunter2?token=hunter2#hunter2"},
		{ID: "2", Name: wanted.Name, URL: "https://%zz/hunter2?hunter2"},
		{ID: "3", Name: "by hand", URL: wanted.URL},
	}
	c := Compare(wanted, cloud, registered, func(jira.Webhook) SecretState { return SecretCurrent })
	assert.Equal(t, []Finding{
		{Kind: KindMissing},
		{Kind: KindOtherName, WebhookID: "3", Name: "by hand", Host: "hooks.acme.com", blocks: true},
		{Kind: KindOtherURL, WebhookID: "1", Name: wanted.Name, Host: "hooks.slack.com"},
		{Kind: KindOtherURL, WebhookID: "2", Name: wanted.Name},
	}, c.Findings)
	text := fmt.Sprintf("%+v %+v", c.Findings, wanted.Secret)
	assert.NotContains(t, text, "hunter2")
	assert.NotContains(t, text, "t0ken")
	assert.NotContains(t, problems(c.Findings).Error(), "t0ken")
}

// TestSettings checks which values a write sets, and which stay.
func TestSettings(t *testing.T) {
	ours := edited(func(w *jira.Webhook) { w.Description, w.SkipsTLSVerification, w.Events = "d", true, []string{"c"} })
	assert.Equal(t, jiraapi.WebhookSettings{
		Name: wanted.Name, URL: wanted.URL, Events: []string{"a", "b"}, JQL: wanted.JQL, Secret: "hunter2", Description: "d", SkipsTLSVerification: true,
	}, Comparison{Ours: &ours}.settings(wanted, cloud))
	s := Comparison{Ours: &ours}.settings(defaultsOnly, oldServer)
	assert.Equal(t, append(DefaultEvents(jiraapi.DataCenter), "c"), s.Events, "by default, other events stay")
	assert.Empty(t, s.JQL)
	assert.Empty(t, Comparison{}.settings(wanted, oldServer).Secret, "this version would ignore it")
	s.Events[0] = "changed"
	assert.NotEqual(t, "changed", DefaultEvents(jiraapi.DataCenter)[0])
}

// TestDefaultEvents repeats the lists of Atlassian's pages for Jira Cloud and Data Center.
func TestDefaultEvents(t *testing.T) {
	both := []string{
		"jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_updated", "comment_deleted",
		"worklog_created", "worklog_updated", "worklog_deleted", "issuelink_created", "issuelink_deleted",
		"project_created", "project_updated", "project_deleted",
		"jira:version_created", "jira:version_updated", "jira:version_released", "jira:version_unreleased", "jira:version_moved",
		"jira:version_merged", "jira:version_deleted",
		"sprint_created", "sprint_updated", "sprint_started", "sprint_closed", "sprint_deleted",
		"board_created", "board_updated", "board_deleted", "board_configuration_changed", "user_created", "user_updated", "user_deleted",
		"option_voting_changed", "option_watching_changed", "option_unassigned_issues_changed", "option_subtasks_changed",
		"option_issuelinks_changed", "option_timetracking_changed",
	}
	onlyCloud := []string{
		"issue_property_set", "issue_property_deleted", "attachment_created", "attachment_deleted", "issuetype_created", "issuetype_updated",
		"issuetype_deleted", "project_soft_deleted", "project_restored_deleted", "project_archived", "project_restored_archived",
		"filter_created", "filter_updated", "filter_deleted", "option_timetracking_provider_changed",
	}
	assert.ElementsMatch(t, append(onlyCloud, both...), DefaultEvents(jiraapi.Cloud))
	assert.ElementsMatch(t, append([]string{"jira:worklog_updated", "option_attachments_changed"}, both...), DefaultEvents(jiraapi.DataCenter))
	assert.Equal(t, []string{"jira:isue_created"}, UnknownEvents([]string{"jira:issue_created", "jira:isue_created", "app_access_to_objects_blocked"}))
}

// TestExplanations checks the texts of all kinds.
func TestExplanations(t *testing.T) {
	all := []Kind{
		KindMissing, KindDisabled, KindEventsMissing, KindEventsSuperfluous, KindJQLDiffers, KindBodyExcluded, KindUnsigned, KindSecretDiffers, KindSecretOutdated,
		KindSecretUnknown, KindDuplicates, KindOtherName, KindOtherURL, KindCannotSign, KindCredentials, KindRejected, KindWriteFailed,
		KindIneffective, KindNotListed, KindStorage, KindUnauthorized, KindForbidden, KindUnsupported, KindUnreachable, KindSilent,
	}
	assert.ElementsMatch(t, all, Kinds(), "each kind has one explanation")
	for _, kind := range all {
		f := Finding{Kind: kind}
		for _, text := range []string{f.Message(), f.Hint()} {
			assert.Regexp(t, `^[a-zA-Z].*[a-zA-Z0-9]$`, text, "%s: no full stop", kind)
		}
		assert.Regexp(t, `^[a-z_]+$`, string(kind))
	}
	cause := errors.New("cause")
	f := Finding{Kind: KindRejected, Err: cause}
	require.ErrorIs(t, f, cause)
	assert.Equal(t, "registration: Jira does not accept the webhook (cause); "+f.Hint(), f.Error())
	require.NoError(t, problems([]Finding{{Kind: KindOtherURL}}))
	assert.ErrorContains(t, problems([]Finding{{Kind: KindOtherURL}, {Kind: KindDisabled}}), "disabled")
}
