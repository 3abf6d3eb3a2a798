// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// Values of the resource attribute jira.site.type.
const (
	siteCloud      = "cloud"
	siteDataCenter = "data_center"
)

// The gateways of Jira Cloud are the hosts of the links that it sends to OAuth apps. They are not sites.
var (
	gatewayPrefixes = []string{"api.", "api-private."}
	// gatewayDomains are the domains of the gateways of all clouds: the commercial cloud and the clouds of governments. A
	// staging cloud has a subdomain, such as api.stg.atlassian.com.
	gatewayDomains = []string{
		".atlassian.com", ".atlassian-us-gov.com", ".atlassian-us-gov-mod.com", ".atlassian-fex.com",
		".atlassian-stg-fedm.com",
	}
)

// gatewayPath starts the path of all links to a gateway. The id of the site follows.
const gatewayPath = "/ex/jira/"

// cloudDomains are the domains of the sites of Jira Cloud: of the commercial cloud, the clouds of governments, the
// isolated cloud, and the staging clouds.
var cloudDomains = []string{
	".atlassian.net", ".jira.com", ".atlassian-us-gov.net", ".atlassian-us-gov-mod.net", ".atlassian-fex.net",
	".atlassian-isolated.net", ".jira-dev.com", ".atlassian-stg-fedm.net",
}

// Site is the Jira that sent an event. It is the zero value if neither the configuration nor the body contains its
// address.
type Site struct {
	URL  string // https://host[/context]
	host string
	path string // context, or ""
}

// defaultPorts holds the port that an address may omit, by scheme.
var defaultPorts = map[string]string{"https": "443", "http": "80"}

// parseSite returns the site with an address, or the zero value if the address is not valid. All spellings of an
// address give the same site, so that one event has one log.record.uid.
func parseSite(address string) Site {
	u, err := url.Parse(address)
	if err != nil || len(address) > jira.MaxURL {
		return Site{}
	}
	host := plainHost(u.Hostname())
	port, isWeb := defaultPorts[u.Scheme]
	if !isWeb || host == "" {
		return Site{}
	}
	authority := host
	if strings.Contains(host, ":") { // an IPv6 address
		authority = "[" + host + "]"
	}
	if p := u.Port(); p != "" && p != port {
		authority += ":" + p
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	return Site{URL: u.Scheme + "://" + authority + path, host: host, path: path}
}

// SiteURL returns the address of a site in the form in which records contain it, or "" if it is not valid.
func SiteURL(address string) string { return parseSite(address).URL }

// PageSegments returns segments in the paths of Jira's pages. A context of a site does not contain them.
func PageSegments() []string { return slices.Clone(pageSegments) }

var pageSegments = []string{"browse", "projects", "secure", "rest", "plugins", "issues", "boards", "servicedesk"}

// IsPage reports whether the URL is the address of a page. Sites of Jira Cloud have no path.
func IsPage(u *url.URL) bool {
	path := strings.ToLower(strings.Trim(u.Path, "/"))
	return path != "" && IsCloudHost(u.Hostname()) || slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		return slices.Contains(pageSegments, segment)
	})
}

// siteOf returns the configured site, otherwise the site of the first link in the event that contains one. Some links
// may point to the gateway. Links to people come last: a user directory may belong to another site.
func (b *Builder) siteOf(ev *jira.Event) Site {
	if b.site.URL != "" {
		return b.site
	}
	issue, project, revision := cmp.Or(ev.Issue, &jira.Issue{}), cmp.Or(ev.Project, &jira.Project{}), ev.Revision()
	for _, link := range [...]string{
		ev.Entity().Self, issue.Self, project.Self, issue.Project.Self, ev.User.Self,
		revision.Author.Self, revision.UpdateAuthor.Self, issue.Reporter.Self, issue.Creator.Self, issue.Assignee.Self,
	} {
		if s := siteOfLink(link); s.URL != "" {
			return s
		}
	}
	return Site{}
}

// siteOfLink returns the site of a link to the REST API, such as
// https://jira.example.com/context/rest/api/2/issue/10001.
func siteOfLink(link string) Site {
	base, _, isLink := strings.Cut(link, "/rest/")
	if !isLink {
		return Site{}
	}
	s := parseSite(base)
	if s.isGateway() {
		return Site{}
	}
	return s
}

func (s Site) isGateway() bool {
	return strings.HasPrefix(s.path, gatewayPath) ||
		slices.ContainsFunc(gatewayPrefixes, func(prefix string) bool { return strings.HasPrefix(s.host, prefix) }) &&
			slices.ContainsFunc(gatewayDomains, func(domain string) bool { return strings.HasSuffix(s.host, domain) })
}

// siteType returns siteCloud, siteDataCenter or "". It decides by the domain of the site and by the
// ids of the users: only Jira Cloud has account ids.
func siteType(ev ClassifiedEvent) string {
	// A "user deleted" body without a name contains an account id. Only Jira Cloud has alerts.
	if ev.Site.isCloud() || ev.UserDeleted || ev.Alert != nil {
		return siteCloud
	}
	candidates := []jira.User{ev.User, ev.Revision().Author}
	if ev.Project != nil {
		candidates = append(candidates, ev.Project.Lead)
	}
	if ev.Issue != nil {
		candidates = append(candidates, ev.Issue.Reporter, ev.Issue.Creator, ev.Issue.Assignee)
	}
	kind := ""
	for _, u := range candidates {
		switch {
		case u.AccountID != "":
			return siteCloud
		case u.Key != "" || u.Name != "":
			kind = siteDataCenter
		}
	}
	return kind
}

func (s Site) isCloud() bool { return IsCloudHost(s.host) }

// IsCloudHost reports whether a host is a site of Jira Cloud.
func IsCloudHost(host string) bool {
	host = plainHost(host)
	return slices.ContainsFunc(cloudDomains, func(domain string) bool { return strings.HasSuffix(host, domain) })
}

// CloudDomains returns the ends of the hosts of Jira Cloud, such as .atlassian.net.
func CloudDomains() []string { return slices.Clone(cloudDomains) }

// plainHost returns the usual spelling of the name of a host.
func plainHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }
