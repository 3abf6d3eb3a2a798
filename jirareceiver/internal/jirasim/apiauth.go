// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authenticate checks the credentials of a request. Without an error, the request may still be anonymous.
func (c *call) authenticate(r route) error {
	if r.public || c.account.Token == "" {
		return nil
	}
	if captcha := c.faults.CaptchaAfter; captcha > 0 && c.state.denied >= captcha && c.site.Deployment == DataCenter {
		header := map[string]string{
			"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=" + c.site.URL + "/login.jsp",
			"X-Seraph-LoginReason":           "AUTHENTICATION_DENIED",
		}
		return &restError{status: http.StatusForbidden, message: "Basic Authentication Failure", html: true, header: header}
	}
	if c.hasCredentials() {
		return nil
	}
	c.state.denied++
	if c.faults.AnonymousSearch && r.operation != OpMyself {
		c.anonymous = true
		return nil
	}
	return &restError{
		status: http.StatusUnauthorized, message: "Client must be authenticated to access this resource.",
		header: map[string]string{"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}, html: c.site.Deployment == DataCenter,
	}
}

// hasCredentials reports whether a request has the credentials of the account. Cloud accepts a bearer token only at the
// gateway.
func (c *call) hasCredentials() bool {
	if user, password, found := c.request.BasicAuth(); found {
		return user == c.account.User && password == c.account.Token
	}
	token, found := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	atGateway := strings.HasPrefix(c.request.RequestURI, gateway)
	return found && token == c.account.Token && (atGateway || c.site.Deployment == DataCenter)
}

// rateWindow counts the requests of a second.
type rateWindow struct {
	second time.Time
	count  int
}

func (w *rateWindow) allows(perSecond int, now time.Time) bool {
	if second := now.Truncate(time.Second); !second.Equal(w.second) {
		*w = rateWindow{second: second}
	}
	w.count++
	return perSecond == 0 || w.count <= perSecond
}

// tooManyRequests returns the 429 of a deployment. Data Center answers with a page.
func tooManyRequests(d Deployment) error {
	e := &restError{status: http.StatusTooManyRequests, message: "Rate limit exceeded.", header: map[string]string{
		"Retry-After": "1", "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0",
	}}
	if e.html = d == DataCenter; e.html {
		e.header["X-RateLimit-Interval-Seconds"], e.header["X-RateLimit-FillRate"] = "1", "1"
	} else {
		e.header["RateLimit-Reason"] = "jira-burst-based"
	}
	return e
}

func (c *call) serverInfo() (any, error) {
	info := object{
		"baseUrl": c.site.URL, "version": "1001.0.0-SNAPSHOT", "versionNumbers": []int{1001, 0, 0}, "deploymentType": "Cloud",
		"buildNumber": 100286, "serverTime": c.site.time(c.clock), "serverTitle": "Jira", "defaultLocale": object{"locale": "en_US"},
	}
	if c.site.Deployment == DataCenter {
		version := c.site.Version
		info["version"], info["versionNumbers"] = strconv.Itoa(version)+".3.1", []int{version, 3, 1}
		info["buildNumber"], info["deploymentType"] = version*1_000_000+30_001, "Server"
	}
	return info, nil
}

func (c *call) myself() (any, error) {
	user := c.site.user(ada)
	user["timeZone"], user["locale"] = c.account.Zone.String(), "en_US"
	return user, nil
}

// fields answers with the custom fields that changes and issues contain, and some of Jira's own.
func (c *call) fields() (any, error) {
	custom := func(id, name, kind string) object {
		return object{"id": id, "name": name, "custom": true, "schema": object{"type": "any", "custom": kind}}
	}
	return []object{
		{"id": "summary", "name": "Summary", "custom": false, "schema": object{"type": "string", "system": "summary"}},
		{"id": "status", "name": "Status", "custom": false, "schema": object{"type": "status", "system": "status"}},
		custom(pointsField, "Story Points", "com.atlassian.jira.plugin.system.customfieldtypes:float"),
		custom(sprintField, "Sprint", "com.pyxis.greenhopper.jira:gh-sprint"),
		custom(flagField, "Flagged", "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"),
	}, nil
}

func (c *call) tenantInformation() (any, error) {
	return object{"cloudId": "11111111-2222-4333-8444-555555555555"}, nil
}

// removed answers for the search that Cloud has removed (G8).
func (c *call) removed() (any, error) {
	return nil, &restError{
		status: http.StatusGone, message: "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. " +
			"A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046",
	}
}

func (c *call) unknown() (any, error) {
	return nil, &restError{status: http.StatusNotFound, message: "null for uri: " + c.site.URL + c.request.URL.Path}
}

func notFound() error {
	return &restError{status: http.StatusNotFound, message: "Issue does not exist or you do not have permission to see it."}
}
