// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// The operations on webhooks, and the requests about rights and statuses.
const (
	OperationWebhooks          Operation = "webhooks"
	OperationWebhookCreate     Operation = "webhook_create"
	OperationWebhookUpdate     Operation = "webhook_update"
	OperationWebhookStatistics Operation = "webhook_statistics"
	OperationPermissions       Operation = "permissions"
	OperationStatuses          Operation = "statuses"
	OperationProjects          Operation = "projects"         // jiracheck only
	OperationProjectStatuses   Operation = "project_statuses" // jiracheck only
)

// The paths of the administration of webhooks.
//   - Jira Cloud, and Data Center before version 10:
//     https://developer.atlassian.com/cloud/jira/platform/webhooks/#registering-a-webhook-using-the-jira-rest-api--other-integrations-
//   - Data Center since version 10, which answers 404 to the other path:
//     https://developer.atlassian.com/server/jira/platform/webhooks/
const (
	webhookPath       = "/rest/webhooks/1.0/webhook"
	modernWebhookPath = "/rest/jira-webhook/1.0/webhooks"

	// modernVersion is the first version of Data Center with the other path.
	modernVersion = 10
	// maxWebhooks is the number of webhooks that the client asks for. Jira may return fewer.
	maxWebhooks = 1000
)

// Secret is the secret of a webhook. It formats as a constant, so that no log contains it.
type Secret string

// Format implements [fmt.Formatter].
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// WebhookSettings are the values of a webhook that a request writes. An enabled webhook with a payload results.
type WebhookSettings struct {
	Name, URL string
	Events    []string
	JQL       string // "" for none
	Secret    Secret // "" for none; see [Webhooks.CanSign]

	// Values that Jira would lose if an update did not repeat them.
	Description          string
	SkipsTLSVerification bool
}

// Webhooks reads and writes the webhooks that are registered in one Jira. It has no method to delete one. All errors are
// of type *[Error]. The account must be an administrator of Jira; for others, all requests fail with [KindForbidden].
type Webhooks struct {
	client     *Client
	deployment Deployment
	isModern   bool
}

// Webhooks returns the webhooks of the Jira that ServerInfo has described.
func (c *Client) Webhooks(info ServerInfo) *Webhooks {
	return &Webhooks{c, info.Deployment, info.Deployment == DataCenter && info.firstVersion() >= modernVersion}
}

// firstVersion returns the first number of the version, or 0.
func (s ServerInfo) firstVersion() int64 {
	if len(s.Versions) > 0 {
		return s.Versions[0]
	}
	first, _, _ := strings.Cut(s.Version, ".")
	number, _ := strconv.ParseInt(first, 10, 64) // 0 if it is not a number
	return number
}

// Deployment returns the product that runs the Jira.
func (w *Webhooks) Deployment() Deployment { return w.deployment }

// CanSign reports whether the Jira signs deliveries. Data Center does so since version 10.
func (w *Webhooks) CanSign() bool { return w.deployment == Cloud || w.isModern }

// HasStatistics reports whether the Jira counts deliveries. Data Center does so since version 10.
func (w *Webhooks) HasStatistics() bool { return w.isModern }

var (
	errWebhookWithoutID = errors.New("a webhook has no id")
	errListChanges      = errors.New("the list changes while it is read")
)

// List returns all webhooks. It fails if the list may be incomplete.
func (w *Webhooks) List(ctx context.Context) ([]jira.Webhook, error) {
	if w.isModern {
		return w.listPages(ctx)
	}
	return w.page(ctx, request{operation: OperationWebhooks, method: http.MethodGet, path: webhookPath})
}

func (w *Webhooks) page(ctx context.Context, req request) ([]jira.Webhook, error) {
	var webhooks []jira.Webhook
	req.decode = into(&webhooks, jira.DecodeWebhooks)
	if err := w.client.do(ctx, req); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(webhooks, func(webhook jira.Webhook) bool { return webhook.ID == "" }) {
		return nil, req.fail(KindUnexpected, errWebhookWithoutID)
	}
	return webhooks, nil
}

// listPages reads pages whose size Jira decides. Each page begins with the last webhook of the page before. If it begins
// with another one, a webhook was deleted meanwhile, and the list is read again. A page without a new webhook is the end.
func (w *Webhooks) listPages(ctx context.Context) ([]jira.Webhook, error) {
	var all []jira.Webhook
	seen := map[string]bool{}
	restarts := 0
	req := request{operation: OperationWebhooks, method: http.MethodGet, path: modernWebhookPath}
	for range maxPages {
		start := max(0, len(all)-1)
		req.query = url.Values{"start": {strconv.Itoa(start)}, "limit": {strconv.Itoa(maxWebhooks)}}
		page, err := w.page(ctx, req)
		if err != nil {
			return nil, err
		}
		unseen := slices.DeleteFunc(slices.Clone(page), func(webhook jira.Webhook) bool { return seen[webhook.ID] })
		switch {
		case len(unseen) == 0:
			return all, nil
		case start > 0 && page[0].ID != all[start].ID:
			restarts++
			if restarts > maxRestarts {
				return nil, req.fail(KindUnexpected, errListChanges)
			}
			all, seen = nil, map[string]bool{}
			continue
		}
		for _, webhook := range unseen {
			seen[webhook.ID] = true
		}
		all = append(all, unseen...)
	}
	return nil, req.fail(KindUnexpected, errTooManyPages)
}

// Create registers a webhook. It sends one request. If [MayHaveSucceeded] reports true for the error, the webhook may
// exist, and only List knows.
func (w *Webhooks) Create(ctx context.Context, settings WebhookSettings) error {
	path := webhookPath
	if w.isModern {
		path = modernWebhookPath
	}
	return w.write(ctx, OperationWebhookCreate, http.MethodPost, path, w.body("", settings), settings)
}

// Update replaces the values of a webhook, and enables it. It sends one request. Jira Cloud keeps its secret if the
// settings have none; Data Center loses it.
func (w *Webhooks) Update(ctx context.Context, id string, settings WebhookSettings) error {
	path := webhookPath
	if w.isModern {
		path = modernWebhookPath
	}
	path += "/" + url.PathEscape(id)
	return w.write(ctx, OperationWebhookUpdate, http.MethodPut, path, w.body(id, settings), settings)
}

func (w *Webhooks) write(
	ctx context.Context, operation Operation, method, path string, body any, settings WebhookSettings,
) error {
	query := ""
	if _, after, found := strings.Cut(settings.URL, "?"); found {
		query = "?" + after // may contain a token
	}
	return w.client.do(ctx, request{
		operation: operation, method: method, path: path, body: body, isWrite: true,
		secrets: []string{string(settings.Secret), query},
		decode: func(r io.Reader) error { // the caller lists the webhooks again
			_, err := io.Copy(io.Discard, r)
			return err
		},
	})
}

// MayHaveSucceeded reports whether Jira may have done what a failed request asked for: the answer did not arrive, or it
// is not from Jira.
func MayHaveSucceeded(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	if !ok {
		return err != nil
	}
	switch failure.Kind {
	case KindUnauthorized, KindForbidden, KindNotFound, KindGone, KindBadRequest:
		return false
	case KindThrottled: // a 503 may come from a proxy
		return failure.Status != 0 && failure.Status != http.StatusTooManyRequests
	default:
		return true
	}
}

// sectionOfIssues is the key of the JQL in the filters of a webhook.
const sectionOfIssues = "issue-related-events-section"

// oldWebhook is a webhook of Jira Cloud, or of Data Center before version 10.
type oldWebhook struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	URL         string            `json:"url"`
	Events      []string          `json:"events"`
	Filters     map[string]string `json:"filters"`
	ExcludeBody bool              `json:"excludeBody"`
	Enabled     *bool             `json:"enabled,omitempty"` // of an update; a new webhook is enabled
	Secret      string            `json:"secret,omitempty"`
}

// modernWebhook is a webhook of Data Center since version 10. Jira ignores a member secret outside of the configuration.
type modernWebhook struct {
	ID            json.Number       `json:"id,omitempty"`
	Name          string            `json:"name"`
	URL           string            `json:"url"`
	Events        []string          `json:"events"`
	Active        bool              `json:"active"`
	ScopeType     string            `json:"scopeType"`
	Configuration map[string]string `json:"configuration"`
	VerifiesTLS   bool              `json:"sslVerificationRequired"`
}

// body returns the body of a request. The id is "" for a new webhook.
func (w *Webhooks) body(id string, s WebhookSettings) any {
	if w.isModern {
		configuration := map[string]string{"EXCLUDE_BODY": "false"}
		for key, value := range map[string]string{
			"FILTERS": s.JQL, "SECRET": string(s.Secret), "DESCRIPTION": s.Description,
		} {
			if value != "" {
				configuration[key] = value
			}
		}
		return modernWebhook{
			json.Number(id), s.Name, s.URL, s.Events, true, "global", configuration, !s.SkipsTLSVerification,
		}
	}
	body := oldWebhook{
		Name: s.Name, Description: s.Description, URL: s.URL, Events: s.Events,
		Filters: map[string]string{sectionOfIssues: s.JQL},
	}
	if id != "" {
		body.Enabled = new(true)
	}
	if w.CanSign() {
		body.Secret = string(s.Secret)
	}
	return body
}

// Statistics returns the deliveries of a webhook. Only for a Jira that HasStatistics. The description of the last error
// contains no query of an address.
func (w *Webhooks) Statistics(ctx context.Context, id string) (jira.WebhookStatistics, error) {
	var statistics jira.WebhookStatistics
	err := w.client.do(ctx, request{
		operation: OperationWebhookStatistics, method: http.MethodGet,
		path:   modernWebhookPath + "/" + url.PathEscape(id) + "/statistics",
		decode: into(&statistics, jira.DecodeWebhookStatistics),
	})
	statistics.LastError = withoutSecrets(statistics.LastError)
	return statistics, err
}

// The permissions of an administrator of Jira, and of a user who can see the issues of at least one project.
const (
	administer = "ADMINISTER"
	browse     = "BROWSE_PROJECTS"
)

// IsAdministrator reports whether the account is an administrator of Jira.
func (c *Client) IsAdministrator(ctx context.Context) (bool, error) {
	return c.hasPermission(ctx, administer)
}

// CanBrowse reports whether the account can browse a project.
func (c *Client) CanBrowse(ctx context.Context) (bool, error) { return c.hasPermission(ctx, browse) }

func (c *Client) hasPermission(ctx context.Context, permission string) (bool, error) {
	var permissions []string
	query := url.Values{"permissions": {permission}}
	err := c.do(ctx, get(OperationPermissions, "mypermissions", query, into(&permissions, jira.DecodePermissions)))
	return slices.Contains(permissions, permission), err
}

// Statuses returns the statuses of the site that the account can see.
func (c *Client) Statuses(ctx context.Context) ([]jira.StatusInfo, error) {
	var statuses []jira.StatusInfo
	err := c.do(ctx, get(OperationStatuses, "status", nil, into(&statuses, jira.DecodeStatuses)))
	return statuses, err
}

// ProjectStatuses returns the statuses that the workflows of a project contain, each once. Jira reads the key with its
// letter case, and answers 404 if the account cannot browse the project.
func (c *Client) ProjectStatuses(ctx context.Context, key string) ([]jira.StatusInfo, error) {
	var statuses []jira.StatusInfo
	path := "project/" + url.PathEscape(key) + "/statuses"
	err := c.do(ctx, get(OperationProjectStatuses, path, nil, into(&statuses, jira.DecodeProjectStatuses)))
	return statuses, err
}

// maxProjects is the largest page of projects that Jira Cloud returns.
const maxProjects = 100

// Projects returns the keys of the first projects that the account can browse, in the order of the keys, and the number
// of all of them. It sends one request, so that the limit is at most 100 on Jira Cloud.
func (c *Client) Projects(ctx context.Context, deployment Deployment, limit int) (keys []string, total int, err error) {
	projects, total, err := c.projects(ctx, deployment, limit)
	for _, p := range projects {
		if p.Key != "" {
			keys = append(keys, p.Key)
		}
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))], max(total, len(keys)), err
}

func (c *Client) projects(ctx context.Context, deployment Deployment, limit int) ([]jira.Project, int, error) {
	if deployment == DataCenter { // it has no pages of projects
		var projects []jira.Project
		err := c.do(ctx, get(OperationProjects, "project", nil, into(&projects, jira.DecodeProjects)))
		return projects, len(projects), err
	}
	var page jira.Page[jira.Project]
	query := offset(0, int64(min(limit, maxProjects)))
	query.Set("orderBy", "key")
	query.Set("action", "browse")
	err := c.do(ctx, get(OperationProjects, "project/search", query, into(&page, jira.DecodeProjectPage)))
	if page.Total == nil {
		return page.Entries, len(page.Entries), err
	}
	return page.Entries, int(*page.Total), err
}
