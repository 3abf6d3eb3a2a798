// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhook is a webhook that is registered in a simulated Jira.
type Webhook struct {
	ID                     int
	Name, URL, Description string
	Events                 []string
	JQL                    string
	Secret                 string // Jira never returns it; Data Center signs since version 10
	Disabled               bool
	ExcludeBody            bool
	User, Password         string // that Jira sends; Data Center since version 10
	SkipTLSVerification    bool   // Data Center since version 10
	Updated                time.Time
}

func (w *Webhook) clone() Webhook {
	copied := *w
	copied.Events = append([]string{}, w.Events...) // never null
	return copied
}

// webhookAdmin holds the registered webhooks of a site.
type webhookAdmin struct {
	webhooks []*Webhook
	lastID   int
	attempts map[int][]Attempt // by id of the webhook
}

func (a *webhookAdmin) find(id string) *Webhook {
	n := slices.IndexFunc(a.webhooks, func(w *Webhook) bool { return strconv.Itoa(w.ID) == id })
	if n < 0 {
		return nil
	}
	return a.webhooks[n]
}

func (a *webhookAdmin) add(w Webhook) *Webhook {
	a.lastID++
	w = w.clone()
	w.ID = a.lastID
	a.webhooks = append(a.webhooks, &w)
	return &w
}

// Webhooks returns the registered webhooks, with their secrets.
func (a *API) Webhooks() []Webhook {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Webhook
	for _, w := range a.admin.webhooks {
		all = append(all, w.clone())
	}
	return all
}

// SetAdministrator gives the account the right to manage webhooks, or takes it away.
func (a *API) SetAdministrator(isAdministrator bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.account.Administrator = isAdministrator
}

// AddWebhook registers a webhook, as an administrator does by hand, and returns its id.
func (a *API) AddWebhook(w Webhook) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Updated = a.clock()
	return a.admin.add(w).ID
}

// EditWebhook changes a webhook, as an administrator does by hand.
func (a *API) EditWebhook(id int, change func(*Webhook)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.admin.find(strconv.Itoa(id)); w != nil {
		change(w)
		w.Updated = a.clock()
	}
}

// DuplicateWebhook registers a copy of a webhook, and returns its id.
func (a *API) DuplicateWebhook(id int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.admin.find(strconv.Itoa(id))
	if w == nil {
		return 0
	}
	return a.admin.add(*w).ID
}

// DeleteWebhook deletes a webhook, as an administrator does by hand.
func (a *API) DeleteWebhook(id int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admin.delete(strconv.Itoa(id))
}

func (a *webhookAdmin) delete(id string) {
	a.webhooks = slices.DeleteFunc(a.webhooks, func(w *Webhook) bool { return strconv.Itoa(w.ID) == id })
}

// RecordAttempt adds an attempt to the statistics of a webhook.
func (a *API) RecordAttempt(id int, attempt Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admin.attempts[id] = append(a.admin.attempts[id], attempt)
}

// Targets returns the webhooks to which Jira sends an event: webhooks that are enabled and contain the event, and whose
// JQL matches the issue at the time of the event. A JQL also matches an issue that does not exist at Jira's time.
func (a *API) Targets(d Delivery) []Webhook {
	a.mu.Lock()
	defer a.mu.Unlock()
	var body struct{ WebhookEvent string }
	_ = json.Unmarshal(d.Body, &body) // bodies of the simulation are valid
	var targets []Webhook
	for _, w := range a.admin.webhooks {
		if !w.Disabled && slices.Contains(w.Events, body.WebhookEvent) && a.matchesJQL(w.JQL, body.WebhookEvent, d) {
			targets = append(targets, w.clone())
		}
	}
	return targets
}

// restrictable are the starts of the names of the events that the JQL of a webhook restricts.
var restrictable = []string{"jira:issue_", "issue_property_", "jira:worklog_", "worklog_", "comment_", "attachment_"}

func (a *API) matchesJQL(jql, event string, d Delivery) bool {
	if jql == "" || !slices.ContainsFunc(restrictable, func(start string) bool { return strings.HasPrefix(event, start) }) {
		return true
	}
	c := &call{API: a, site: a.site, faults: a.faults, now: a.clock()}
	a.source.catchUp(c.now)
	c.clock = c.now
	q, err := parseJQL(jql, c.jqlReader())
	if err != nil {
		return false
	}
	key, _, _ := strings.Cut(d.About, " ")
	i := a.source.find(key)
	if i == nil {
		return true
	}
	row, found := a.source.row(i.id, d.At)
	return !found || q.matches(row)
}

// The paths of the administration of webhooks. Version 10 of Data Center moved it.
const (
	webhookPath       = "/rest/webhooks/1.0/webhook"
	modernWebhookPath = "/rest/jira-webhook/1.0/webhooks"
)

const modernVersion = 10

// isModern reports whether the site has the administration of Data Center 10.
func (s Site) isModern() bool { return s.Deployment == DataCenter && s.Version >= modernVersion }

var webhookRoutes = []route{
	{pattern: "GET " + webhookPath, operation: OpWebhooks, answer: old((*call).listWebhooks)},
	{pattern: "POST " + webhookPath, operation: OpWebhookCreate, answer: old((*call).createWebhook)},
	{pattern: "GET " + webhookPath + "/{webhook}", operation: OpWebhooks, answer: old((*call).readWebhook)},
	{pattern: "PUT " + webhookPath + "/{webhook}", operation: OpWebhookUpdate, answer: old((*call).updateWebhook)},
	{pattern: "DELETE " + webhookPath + "/{webhook}", operation: OpWebhookDelete, answer: old((*call).deleteWebhook)},
	{pattern: "GET " + modernWebhookPath, operation: OpWebhooks, answer: modern((*call).listWebhooks)},
	{pattern: "POST " + modernWebhookPath, operation: OpWebhookCreate, answer: modern((*call).createWebhook)},
	{pattern: "GET " + modernWebhookPath + "/{webhook}", operation: OpWebhooks, answer: modern((*call).readWebhook)},
	{pattern: "PUT " + modernWebhookPath + "/{webhook}", operation: OpWebhookUpdate, answer: modern((*call).updateWebhook)},
	{
		pattern: "DELETE " + modernWebhookPath + "/{webhook}", operation: OpWebhookDelete,
		answer: modern((*call).deleteWebhook),
	},
	{
		pattern: "GET " + modernWebhookPath + "/{webhook}/statistics", operation: OpWebhookStatistics,
		answer: modern((*call).webhookStatistics),
	},
	{pattern: "GET " + restPath + "mypermissions", operation: OpPermissions, answer: (*call).permissions},
}

type answer = func(*call) (any, error)

// old returns the answer of a site with the old administration, for administrators.
func old(next answer) answer { return administer(next, false) }

// modern returns the answer of a site with the administration of Data Center 10, for administrators.
func modern(next answer) answer { return administer(next, true) }

func administer(next answer, isModern bool) answer {
	return func(c *call) (any, error) {
		switch {
		case c.site.isModern() != isModern:
			return c.unknown()
		case c.anonymous || !c.account.Administrator:
			return nil, c.webhookError(http.StatusForbidden, "You do not have permission to manage webhooks.")
		default:
			return next(c)
		}
	}
}

// webhookError returns an error in the form of the administration of webhooks.
func (c *call) webhookError(status int, message string) error {
	content := object{"messages": []string{message}}
	if c.site.isModern() {
		content = object{"errors": []object{{"context": nil, "message": message, "exceptionName": nil}}}
	}
	return &restError{status: status, message: message, content: content}
}

func (c *call) webhook() (*Webhook, error) {
	if w := c.admin.find(c.request.PathValue("webhook")); w != nil {
		return w, nil
	}
	return nil, c.webhookError(http.StatusNotFound, "Webhook not found.")
}

func (c *call) readWebhook() (any, error) {
	w, err := c.webhook()
	if err != nil {
		return nil, err
	}
	return c.describeWebhook(w), nil
}

// modernPage is the largest number of webhooks in an answer of Data Center 10. The number of a real one is not known.
const modernPage = 25

func (c *call) listWebhooks() (any, error) {
	webhooks := c.admin.webhooks
	if c.site.isModern() {
		query := c.request.URL.Query()
		start, _ := strconv.Atoi(query.Get("start")) // 0 if it is not a number
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit <= 0 || limit > modernPage {
			limit = modernPage
		}
		webhooks = webhooks[min(max(start, 0), len(webhooks)):]
		webhooks = webhooks[:min(limit, len(webhooks))]
	}
	list := []object{}
	for _, w := range webhooks {
		list = append(list, c.describeWebhook(w))
	}
	return list, nil
}

// sectionOfIssues is the key of the JQL in the filters of a webhook.
const sectionOfIssues = "issue-related-events-section"

// describeWebhook returns a webhook as Jira does, without its secret.
func (c *call) describeWebhook(w *Webhook) object {
	updated := w.Updated.UnixMilli()
	if c.site.isModern() {
		configuration := object{"EXCLUDE_BODY": strconv.FormatBool(w.ExcludeBody)}
		for key, value := range map[string]string{"FILTERS": w.JQL, "DESCRIPTION": w.Description} {
			if value != "" {
				configuration[key] = value
			}
		}
		described := object{
			"id": w.ID, "name": w.Name, "url": w.URL, "events": w.Events, "active": !w.Disabled, "createdDate": updated,
			"updatedDate": updated, "configuration": configuration, "scopeType": "global",
			"sslVerificationRequired": !w.SkipTLSVerification,
		}
		if w.User != "" {
			described["credentials"] = object{"username": w.User}
		}
		return described
	}
	described := object{
		"name": w.Name, "url": w.URL, "description": w.Description, "events": w.Events, "excludeBody": w.ExcludeBody,
		"filters": object{sectionOfIssues: w.JQL}, "enabled": !w.Disabled, "lastUpdated": updated,
		"lastUpdatedUser": c.site.userID(ada), "lastUpdatedDisplayName": ada.fullName,
		"self": c.site.URL + webhookPath + "/" + strconv.Itoa(w.ID),
	}
	if c.site.Deployment == Cloud {
		described["isSigned"] = w.Secret != ""
	}
	return described
}

// webhookBody is the body of a request that creates or changes a webhook, in both forms. Jira ignores members that it
// does not know, such as the member secret on Data Center.
type webhookBody struct {
	Name, URL, Description string
	Events                 []string
	Filters                map[string]string
	ExcludeBody            bool
	Enabled                *bool
	Secret                 string

	Active        any // a truth value, or a text
	Configuration map[string]string
	Credentials   *struct{ Username, Password string }
	TLS           *bool `json:"sslVerificationRequired"`
}

// maxCloudWebhooks is the largest number of enabled webhooks of a site of Jira Cloud.
const maxCloudWebhooks = 100

func (c *call) createWebhook() (any, error) {
	var w Webhook
	if err := c.changeWebhook(&w); err != nil {
		return nil, err
	}
	isSame := func(other *Webhook) bool {
		return other.URL == w.URL && other.JQL == w.JQL && slices.Equal(other.Events, w.Events)
	}
	enabled := 0
	for _, other := range c.admin.webhooks {
		if !other.Disabled {
			enabled++
		}
	}
	switch {
	case c.site.Deployment == Cloud && enabled >= maxCloudWebhooks:
		return nil, c.webhookError(http.StatusBadRequest, "The limit of 100 active webhooks is reached.")
	case c.site.Deployment == DataCenter && !c.site.isModern() && slices.ContainsFunc(c.admin.webhooks, isSame):
		return nil, c.webhookError(http.StatusConflict, "A webhook with the same parameters is registered already.")
	}
	return withStatus{http.StatusCreated, c.describeWebhook(c.admin.add(w))}, nil
}

func (c *call) updateWebhook() (any, error) {
	w, err := c.webhook()
	if err != nil {
		return nil, err
	}
	changed := w.clone()
	if err := c.changeWebhook(&changed); err != nil {
		return nil, err
	}
	*w = changed
	return c.describeWebhook(w), nil
}

func (c *call) deleteWebhook() (any, error) {
	w, err := c.webhook()
	if err != nil {
		return nil, err
	}
	c.admin.delete(strconv.Itoa(w.ID))
	return withStatus{status: http.StatusNoContent}, nil
}

// changeWebhook sets the values of a webhook from a request. A missing value becomes its default, but Jira Cloud keeps
// the secret, and both old forms keep whether the webhook is enabled.
func (c *call) changeWebhook(w *Webhook) error {
	var body webhookBody
	if err := json.Unmarshal(c.body, &body); err != nil {
		return c.webhookError(http.StatusBadRequest, "The body is not a webhook.")
	}
	if c.site.isModern() {
		w.setModern(body)
	} else {
		w.setOld(body, c.site.Deployment)
	}
	w.Name, w.URL, w.Updated = body.Name, body.URL, c.clock
	w.Events = slices.DeleteFunc(body.Events, func(event string) bool { return slices.Contains(c.faults.DroppedEvents, event) })
	return c.validateWebhook(w)
}

func (w *Webhook) setOld(body webhookBody, d Deployment) {
	w.Description, w.ExcludeBody, w.JQL = body.Description, body.ExcludeBody, body.Filters[sectionOfIssues]
	if body.Enabled != nil {
		w.Disabled = !*body.Enabled
	}
	if d == Cloud && body.Secret != "" {
		w.Secret = body.Secret
	}
}

func (w *Webhook) setModern(body webhookBody) {
	w.Disabled = body.Active == false || body.Active == "false"
	w.Description, w.JQL = body.Configuration["DESCRIPTION"], body.Configuration["FILTERS"]
	w.ExcludeBody, w.Secret = body.Configuration["EXCLUDE_BODY"] == "true", body.Configuration["SECRET"]
	w.SkipTLSVerification = body.TLS != nil && !*body.TLS
	w.User, w.Password = "", ""
	if body.Credentials != nil {
		w.User, w.Password = body.Credentials.Username, body.Credentials.Password
	}
}

// webhookSchemes returns the schemes of URLs to which a site delivers.
func (s Site) webhookSchemes() []string {
	if s.Deployment == Cloud {
		return []string{"https"}
	}
	return []string{"https", "http"}
}

func (c *call) validateWebhook(w *Webhook) error {
	address, err := url.Parse(w.URL)
	switch {
	case w.Name == "":
		return c.webhookError(http.StatusBadRequest, "The name is required.")
	case err != nil || address.Host == "" || !slices.Contains(c.site.webhookSchemes(), address.Scheme):
		return c.webhookError(http.StatusBadRequest, "The URL "+w.URL+" is not valid.")
	}
	if _, err := parseJQL(w.JQL, c.jqlReader()); err != nil {
		return c.webhookError(http.StatusBadRequest, err.Error())
	}
	return nil
}

// statisticsPeriod is the period that the statistics of a webhook cover.
const statisticsPeriod = 24 * time.Hour

func (c *call) webhookStatistics() (any, error) {
	w, err := c.webhook()
	if err != nil {
		return nil, err
	}
	successes, failures, failed := 0, 0, 0
	statistics := object{}
	for _, a := range c.admin.attempts[w.ID] {
		description := strconv.Itoa(a.Status)
		switch {
		case a.Err != nil:
			failed++
			description = a.Err.Error()
		case a.acknowledged():
			successes++
			continue
		default:
			failures++
		}
		statistics["lastError"] = object{
			"finish": c.clock.UnixMilli(), "request": object{"method": http.MethodPost, "url": w.URL},
			"result": object{"outcome": "FAILURE", "description": description},
		}
	}
	statistics["counts"] = object{
		"successes": successes, "failures": failures, "errors": failed,
		"window": object{"start": c.clock.Add(-statisticsPeriod).UnixMilli(), "duration": statisticsPeriod.Milliseconds()},
	}
	return statistics, nil
}

// administration is the permission of Jira's administrators.
const administration = "ADMINISTER"

func (c *call) permissions() (any, error) {
	names := c.request.URL.Query().Get("permissions")
	switch {
	case names != "":
	case c.site.Deployment == Cloud:
		return nil, badRequest("The 'permissions' query parameter is required.")
	default:
		names = administration
	}
	permissions := object{}
	for name := range strings.SplitSeq(names, ",") {
		permissions[name] = object{
			"key": name, "name": name, "type": "GLOBAL",
			"havePermission": !c.anonymous && (name != administration || c.account.Administrator),
		}
	}
	return object{"permissions": permissions}, nil
}
