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

// Site is the Jira that sent an event. It is empty when nobody says.
type Site struct {
	URL  string // https://host[/context]
	host string
}

// configuredSite returns the site at a valid address, or an empty one for none.
func configuredSite(address string) Site {
	u, err := url.Parse(address)
	if err != nil {
		return Site{}
	}
	return Site{URL: strings.TrimRight(address, "/"), host: u.Hostname()}
}

// siteOf prefers the configured site to the links in the event.
func (t *Translator) siteOf(ev *webhook.Event) Site {
	if t.site.URL != "" {
		return t.site
	}
	links := []string{ev.Entity().Self, ev.User.Self}
	if ev.Issue != nil {
		links = append(links, ev.Issue.Self)
	}
	for _, link := range links {
		if s := siteOfLink(link); s.URL != "" {
			return s
		}
	}
	return Site{}
}

// siteOfLink cuts a link to the REST API, as in https://jira.example.com/context/rest/api/2/issue/10001, to its site.
func siteOfLink(link string) Site {
	base, _, found := strings.Cut(link, "/rest/")
	if !found {
		return Site{}
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Host == apiGateway || (u.Scheme != "https" && u.Scheme != "http") {
		return Site{}
	}
	return Site{URL: u.Scheme + "://" + u.Host + u.EscapedPath(), host: u.Hostname()}
}

// deploymentType tells Cloud from Data Center by the site's domain and by how users are identified, or returns "".
func deploymentType(o Occurrence) string {
	if o.Site.isCloud() || o.UserDeleted { // the latter is an account id, which Data Center does not have
		return deploymentCloud
	}
	users := []webhook.User{o.User, o.Revision().Author}
	if o.Project != nil {
		users = append(users, o.Project.Lead)
	}
	if o.Issue != nil {
		users = append(users, o.Issue.Reporter, o.Issue.Creator, o.Issue.Assignee)
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

func (s Site) isCloud() bool {
	return slices.ContainsFunc(cloudDomains, func(domain string) bool { return strings.HasSuffix(s.host, domain) })
}
