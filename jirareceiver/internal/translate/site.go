package translate

import (
	"net/url"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// Values of the resource attribute jira.deployment.type.
const (
	deploymentCloud      = "cloud"
	deploymentDataCenter = "data_center"
)

// apiGateway is the host of the links that Jira Cloud gives to OAuth apps. It is no site.
const apiGateway = "api.atlassian.com"

// cloudDomains are the domains of Jira Cloud's sites.
var cloudDomains = []string{".atlassian.net", ".jira.com"}

// site is the Jira that sent an event. It is empty when nobody says.
type site struct {
	url  string // https://host[/context]
	host string
}

// configuredSite returns the site at a valid address, or an empty one for none.
func configuredSite(address string) site {
	u, err := url.Parse(address)
	if err != nil {
		return site{}
	}
	return site{url: strings.TrimRight(address, "/"), host: u.Hostname()}
}

// SiteURL returns https://host[/context] of the Jira that sent an event, or "".
func (t *Translator) SiteURL(ev *webhook.Event) string { return t.siteOf(ev).url }

// siteOf prefers the configured site to the links in the event.
func (t *Translator) siteOf(ev *webhook.Event) site {
	if t.site.url != "" {
		return t.site
	}
	links := []string{ev.Entity().Self, ev.User.Self}
	if ev.Issue != nil {
		links = append(links, ev.Issue.Self)
	}
	for _, link := range links {
		if s := siteOfLink(link); s.url != "" {
			return s
		}
	}
	return site{}
}

// siteOfLink cuts a link to the REST API, as in https://jira.example.com/context/rest/api/2/issue/10001, to its site.
func siteOfLink(link string) site {
	base, _, found := strings.Cut(link, "/rest/")
	if !found {
		return site{}
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Host == apiGateway || (u.Scheme != "https" && u.Scheme != "http") {
		return site{}
	}
	return site{url: u.Scheme + "://" + u.Host + u.EscapedPath(), host: u.Hostname()}
}

// deploymentType tells Cloud from Data Center by the site's domain and by how users are identified, or returns "".
func deploymentType(s site, ev *webhook.Event) string {
	if s.isCloud() || ev.UserDeleted { // the latter is an account id, which Data Center does not have
		return deploymentCloud
	}
	users := []webhook.User{ev.User, ev.Revision().Author}
	if ev.Project != nil {
		users = append(users, ev.Project.Lead)
	}
	if ev.Issue != nil {
		users = append(users, ev.Issue.Reporter, ev.Issue.Creator, ev.Issue.Assignee)
	}
	deployment := ""
	for _, u := range users {
		switch {
		case u.AccountID != "":
			return deploymentCloud
		case u.Key != "" || u.Name != "":
			deployment = deploymentDataCenter
		}
	}
	return deployment
}

func (s site) isCloud() bool {
	return slices.ContainsFunc(cloudDomains, func(domain string) bool { return strings.HasSuffix(s.host, domain) })
}
