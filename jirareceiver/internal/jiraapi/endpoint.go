// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// gatewayPath is the path of the API gateway of Jira Cloud, with the id of the site.
var gatewayPath = regexp.MustCompile(`^/ex/jira/[^/]+$`)

// ParseEndpoint parses the address of a Jira: https://site, https://api.atlassian.com/ex/jira/<cloudId> for scoped
// tokens and service accounts, or https://host/context for Data Center. The path of the result does not end with a
// slash.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, errors.New("not an address; use https://host[/context]") // the error of url.Parse may quote a password
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("not an address; use https://host[/context]")
	case u.User != nil:
		return nil, errors.New("contains credentials; use an authenticator extension")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("contains a query or a fragment; use https://host[/context]")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	switch {
	case strings.Contains(u.Path+"/", "/rest/"):
		return nil, errors.New("contains the path of the REST API; use https://host[/context]")
	case isGatewayHost(u.Hostname()) && !gatewayPath.MatchString(u.Path):
		return nil, errors.New("the API gateway needs the id of the site; use https://api.atlassian.com/ex/jira/<cloudId>")
	}
	return u, nil
}

// IsGateway reports whether an endpoint is the API gateway of Jira Cloud. Its address is not the address of a site.
func IsGateway(endpoint *url.URL) bool { return gatewayPath.MatchString(endpoint.Path) }

func isGatewayHost(host string) bool { return strings.EqualFold(host, "api.atlassian.com") }
