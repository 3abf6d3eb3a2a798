// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var administrator = Account{Administrator: true}

// newAdministration returns a client of a Jira that manages its webhooks, and the path of the webhooks.
func newAdministration(t *testing.T, s Site) (c *client, path string) {
	t.Helper()
	s.Start = start
	c = wrap(t, NewAPI(s, administrator))
	c.SetNow(start.AddDate(0, 0, 8))
	path = webhookPath
	if c.site.isModern() {
		path = modernWebhookPath
	}
	return c, c.ContextPath() + path
}

var administrations = map[string]Site{
	"Cloud":          {Deployment: Cloud},
	"Data Center 9":  {Deployment: DataCenter, Version: 9},
	"Data Center 10": {Deployment: DataCenter},
}

// send sends a request about webhooks, and returns the decoded answer, which must have the given status code.
func (c *client) send(status int, method, path string, body any) any {
	c.t.Helper()
	answer := c.do(method, path, text(body))
	require.Equal(c.t, status, answer.Code, "%s %s: %s", method, path, answer.Body)
	if status == http.StatusNoContent {
		return nil
	}
	return decoded(c.t, answer.Body.Bytes())
}

// registration returns a body in the form of a site.
func registration(s Site, jql string) object {
	body := object{"name": "n", "url": "https://collector/hook?token=t", "events": []string{"jira:issue_created", "comment_created"}}
	if s.withDefaults().isModern() {
		body["active"], body["configuration"] = true, object{"FILTERS": jql, "EXCLUDE_BODY": "false", "SECRET": "hunter2"}
		return body
	}
	body["filters"], body["excludeBody"], body["secret"] = object{sectionOfIssues: jql}, false, "hunter2"
	return body
}

func TestWebhookAdministration(t *testing.T) {
	for name, site := range administrations {
		t.Run(name, func(t *testing.T) {
			c, path := newAdministration(t, site)
			assert.Equal(t, []any{}, c.send(200, http.MethodGet, path, nil))
			created := c.send(201, http.MethodPost, path, registration(site, "project = OPS"))
			one := path + "/1"
			assert.Equal(t, created, c.send(200, http.MethodGet, one, nil))
			assert.Equal(t, []any{created}, c.send(200, http.MethodGet, path, nil))
			assert.NotContains(t, text(created), "hunter2", "Jira never returns the secret")

			updated := registration(site, "")
			updated["events"], updated["enabled"], updated["active"] = []string{"jira:issue_updated"}, false, "false"
			c.send(200, http.MethodPut, one, updated)
			w := c.Webhooks()[0]
			assert.Equal(t, []string{"jira:issue_updated"}, w.Events)
			assert.True(t, w.Disabled)
			assert.Empty(t, w.JQL)
			assert.Equal(t, map[string]string{"Cloud": "hunter2", "Data Center 9": "", "Data Center 10": "hunter2"}[name], w.Secret)

			for body, change := range map[string]object{
				"no name": {"name": ""}, "no URL": {"url": "x"}, "no scheme": {"url": "ftp://a/"}, "other type": {"name": 1},
			} {
				broken := registration(site, "")
				maps.Copy(broken, change)
				c.send(400, http.MethodPut, one, broken)
				assert.Equal(t, w, c.Webhooks()[0], body)
			}
			c.send(400, http.MethodPost, path, registration(site, "project =="))
			c.send(404, http.MethodPut, path+"/2", updated)
			c.send(204, http.MethodDelete, one, nil)
			c.send(404, http.MethodGet, one, nil)
			assert.Empty(t, c.Webhooks())
		})
	}
}

// TestWebhookPaths checks that each site has one administration.
func TestWebhookPaths(t *testing.T) {
	for name, site := range administrations {
		c, _ := newAdministration(t, site)
		assert.Equal(t, name == "Data Center 10", c.do(http.MethodGet, c.ContextPath()+webhookPath, "").Code == 404, name)
		assert.Equal(t, name != "Data Center 10", c.do(http.MethodGet, c.ContextPath()+modernWebhookPath, "").Code == 404, name)
		assert.Equal(t, name != "Data Center 9", at(c.get("serverInfo"), "versionNumbers", 0).(float64) >= 10)
	}
}

func TestWebhookPermission(t *testing.T) {
	for name, site := range administrations {
		site.Start = start
		c := wrap(t, NewAPI(site, Account{User: "ada", Token: "t"}))
		path := c.ContextPath() + webhookPath
		if c.site.isModern() {
			path = c.ContextPath() + modernWebhookPath
		}
		assert.Equal(t, http.StatusUnauthorized, c.do(http.MethodGet, path, "").Code, name)
		c.header.Set("Authorization", "Basic YWRhOnQ=")
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			assert.Equal(t, http.StatusForbidden, c.do(method, path, text(registration(site, ""))).Code, name)
		}
		assert.Equal(t, false, at(c.get("mypermissions?permissions=ADMINISTER,BROWSE"), "permissions", "ADMINISTER", "havePermission"))
		assert.Equal(t, true, at(c.get("mypermissions?permissions=ADMINISTER,BROWSE"), "permissions", "BROWSE", "havePermission"))
		assert.Equal(t, name == "Cloud", c.status("mypermissions") == http.StatusBadRequest)
	}
}

// TestSecretOfWebhooks checks which requests set the secret, keep it and clear it.
func TestSecretOfWebhooks(t *testing.T) {
	cloud, path := newAdministration(t, Site{})
	created := cloud.send(201, http.MethodPost, path, registration(Site{}, ""))
	assert.Equal(t, true, at(created, "isSigned"))
	unsigned := registration(Site{}, "")
	delete(unsigned, "secret")
	cloud.send(200, http.MethodPut, path+"/1", unsigned)
	assert.Equal(t, "hunter2", cloud.Webhooks()[0].Secret, "Jira Cloud keeps the secret")
	assert.Equal(t, false, at(cloud.send(201, http.MethodPost, path, unsigned), "isSigned"))

	modern, path := newAdministration(t, Site{Deployment: DataCenter})
	topLevel := registration(Site{Deployment: DataCenter}, "")
	modern.send(201, http.MethodPost, path, topLevel)
	delete(topLevel["configuration"].(object), "SECRET")
	topLevel["secret"] = "hunter2"
	modern.send(200, http.MethodPut, path+"/1", topLevel)
	assert.Empty(t, modern.Webhooks()[0].Secret, "Data Center ignores a secret outside of the configuration")
}

// TestValuesThatAWriteMayLose uses the values of Data Center 10 that a request must repeat.
func TestValuesThatAWriteMayLose(t *testing.T) {
	site := Site{Deployment: DataCenter}
	c, path := newAdministration(t, site)
	c.AddWebhook(Webhook{Name: "n", URL: "http://a/", User: "u", Password: "p", SkipTLSVerification: true, Description: "d"})
	described := c.send(200, http.MethodGet, path+"/1", nil)
	assert.Equal(t, "u", at(described, "credentials", "username"))
	assert.Equal(t, "d", at(described, "configuration", "DESCRIPTION"))
	assert.Equal(t, false, at(described, "sslVerificationRequired"))
	assert.NotContains(t, text(described), `"p"`)
	body := registration(site, "")
	body["sslVerificationRequired"], body["credentials"] = false, object{"username": "v", "password": "w"}
	c.send(200, http.MethodPut, path+"/1", body)
	assert.Equal(t, []any{true, "v", ""}, []any{c.Webhooks()[0].SkipTLSVerification, c.Webhooks()[0].User, c.Webhooks()[0].Description})
	c.send(200, http.MethodPut, path+"/1", registration(site, ""))
	assert.False(t, c.Webhooks()[0].SkipTLSVerification)
	assert.Empty(t, c.Webhooks()[0].User)
}

func TestPagesOfWebhooks(t *testing.T) {
	c, path := newAdministration(t, Site{Deployment: DataCenter})
	for n := range 60 {
		c.AddWebhook(Webhook{Name: strconv.Itoa(n)})
	}
	length := func(query string) int { return len(c.send(200, http.MethodGet, path+query, nil).([]any)) }
	assert.Equal(t, []int{25, 25, 25, 10, 0, 3}, []int{
		length(""), length("?limit=1000"), length("?start=25"), length("?start=50&limit=1000"), length("?start=60"), length("?limit=3&start=x"),
	})
}

func TestLimitsOfWebhooks(t *testing.T) {
	cloud, path := newAdministration(t, Site{})
	for range maxCloudWebhooks - 1 {
		cloud.AddWebhook(Webhook{Name: "n"})
	}
	cloud.AddWebhook(Webhook{Name: "n", Disabled: true})
	cloud.send(201, http.MethodPost, path, registration(Site{}, ""))
	cloud.send(400, http.MethodPost, path, registration(Site{}, ""))

	site := administrations["Data Center 9"]
	old, path := newAdministration(t, site)
	old.send(201, http.MethodPost, path, registration(site, ""))
	answer := old.send(409, http.MethodPost, path, registration(site, ""))
	assert.NotEmpty(t, at(answer, "messages", 0))
	old.send(201, http.MethodPost, path, registration(site, "project = OPS"))
}

// TestHandOfAnAdministrator checks the changes that an administrator makes by hand.
func TestHandOfAnAdministrator(t *testing.T) {
	c, path := newAdministration(t, Site{})
	id := c.AddWebhook(Webhook{Name: "n", URL: "https://a/"})
	c.SetNow(start.AddDate(0, 0, 9))
	c.EditWebhook(id, func(w *Webhook) { w.Disabled = true })
	assert.Equal(t, start.AddDate(0, 0, 9), c.Webhooks()[0].Updated)
	copied := c.DuplicateWebhook(id)
	assert.NotEqual(t, id, copied)
	c.Webhooks()[0].Name = "changed"
	c.DeleteWebhook(id)
	assert.Equal(t, "n", c.Webhooks()[0].Name)
	assert.Len(t, c.send(200, http.MethodGet, path, nil), 1)
	c.EditWebhook(99, func(*Webhook) { t.Error("no such webhook") })
	assert.Zero(t, c.DuplicateWebhook(99))
}

func TestStatisticsOfWebhooks(t *testing.T) {
	c, path := newAdministration(t, Site{Deployment: DataCenter})
	id := c.AddWebhook(Webhook{Name: "n"})
	c.RecordAttempt(id, Attempt{Status: 200})
	c.RecordAttempt(id, Attempt{Status: 401})
	assert.Equal(t, "401", at(c.send(200, http.MethodGet, path+"/1/statistics", nil), "lastError", "result", "description"))
	c.RecordAttempt(id, Attempt{Err: errors.New("connection refused")})
	statistics := c.send(200, http.MethodGet, path+"/1/statistics", nil)
	assert.Equal(t, []any{1., 1., 1.}, []any{at(statistics, "counts", "successes"), at(statistics, "counts", "failures"), at(statistics, "counts", "errors")})
	assert.Equal(t, "connection refused", at(statistics, "lastError", "result", "description"))
	c.send(404, http.MethodGet, path+"/2/statistics", nil)
}

func TestStatusesOfASite(t *testing.T) {
	c, _ := newAdministration(t, Site{Language: "de"})
	statuses := c.get("status").([]any)
	assert.Len(t, statuses, 10)
	assert.Equal(t, "Offen", at(statuses, 0, "name"))
	assert.Equal(t, "new", at(statuses, 0, "statusCategory", "key"))
}

// TestStatusesOfProjects checks that the statuses of each project contain the statuses of all its issues.
func TestStatusesOfProjects(t *testing.T) {
	c, _ := newAdministration(t, Site{})
	c.SetNow(start.AddDate(0, 2, 0))
	used := map[string]bool{}
	for _, i := range list(c.post("search/jql", object{"jql": everything, "maxResults": 100, "fields": []string{"project", "status"}}), "issues") {
		used[at(i, "fields", "project", "key").(string)+" "+at(i, "fields", "status", "id").(string)] = true
	}
	assert.Greater(t, len(used), 9)
	for _, p := range c.get("project/search?maxResults=100").(map[string]any)["values"].([]any) {
		key := at(p, "key").(string)
		for _, kind := range c.get("project/%s/statuses", key).([]any) {
			for _, s := range list(kind, "statuses") {
				delete(used, key+" "+at(s, "id").(string))
			}
		}
	}
	assert.Empty(t, used)
	assert.Len(t, c.get("project/SUP/statuses"), 1)
}

func TestProjects(t *testing.T) {
	cloud, _ := newAdministration(t, Site{})
	page := cloud.get("project/search?maxResults=3")
	assert.Equal(t, []any{4.0, false}, []any{at(page, "total"), at(page, "isLast")})
	assert.Equal(t, []any{"BILL", "OPS", "SUP"}, values(list(page, "values"), "key"))
	assert.Equal(t, http.StatusNotFound, cloud.status("project/ops/statuses"))
	cloud.SetFaults(Faults{HiddenProjects: []string{"OPS"}})
	assert.Equal(t, http.StatusNotFound, cloud.status("project/OPS/statuses"))
	assert.Len(t, cloud.get("project"), 3)
	assert.Equal(t, http.StatusBadRequest, cloud.status("project/search?startAt=x"))

	dataCenter, _ := newAdministration(t, Site{Deployment: DataCenter})
	assert.Len(t, dataCenter.get("project"), 4)
	assert.Equal(t, http.StatusNotFound, dataCenter.status("project/search"))
}

// TestTargets checks which webhooks receive the events of a team.
func TestTargets(t *testing.T) {
	c, _ := newAdministration(t, Site{})
	all := []string{"jira:issue_created", "jira:issue_updated", "comment_created", "sprint_started"}
	c.AddWebhook(Webhook{Name: "all", Events: all})
	c.AddWebhook(Webhook{Name: "disabled", Events: all, Disabled: true})
	c.AddWebhook(Webhook{Name: "none"})
	c.AddWebhook(Webhook{Name: "created", Events: all[:1]})
	c.AddWebhook(Webhook{Name: "OPS", Events: all, JQL: "project = OPS"})
	c.AddWebhook(Webhook{Name: "WEB", Events: all, JQL: "project = WEB"})
	c.AddWebhook(Webhook{Name: "invalid", Events: all, JQL: "project =="})
	seen := map[string]int{}
	for _, d := range first(300, Team(Site{Start: start})) {
		c.SetNow(d.At)
		event, project := at(decoded(t, d.Body), "webhookEvent").(string), d.About[:3]
		for _, target := range c.Targets(d) {
			seen[target.Name+" "+event]++
			assert.Contains(t, target.Events, event)
			if (target.Name == "OPS" || target.Name == "WEB") && event != "sprint_started" {
				assert.Equal(t, target.Name, project, d.About)
			}
		}
	}
	assert.Positive(t, seen["WEB jira:issue_updated"])
	assert.Equal(t, seen["all jira:issue_created"], seen["created jira:issue_created"])
	assert.Equal(t, seen["all sprint_started"], seen["OPS sprint_started"], "the JQL restricts only events of issues")
	assert.Zero(t, seen["disabled jira:issue_created"]+seen["invalid jira:issue_created"]+seen["none jira:issue_created"])
}

// TestLateFailure checks a failure after the request had its effect.
func TestLateFailure(t *testing.T) {
	c, path := newAdministration(t, Site{})
	c.SetFaults(Faults{
		DroppedEvents: []string{"comment_created"},
		Failures:      []Failure{{Operation: OpWebhookCreate, Late: true, Times: 1}, {Operation: OpWebhookCreate, Times: 1}},
	})
	c.send(500, http.MethodPost, path, registration(Site{}, ""))
	require.Len(t, c.Webhooks(), 1)
	assert.Equal(t, []string{"jira:issue_created"}, c.Webhooks()[0].Events)
	c.send(500, http.MethodPost, path, registration(Site{}, ""))
	assert.Len(t, c.Webhooks(), 1)
	assert.Equal(t, 2, c.Requests()[OpWebhookCreate])
}
