package record

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
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

// Site is the Jira that sent an event. It is empty when neither the configuration nor the body names one.
type Site struct {
	URL  string // https://host[/context]
	host string
}

// defaultPorts are the ports that an address does not need, by scheme.
var defaultPorts = map[string]string{"https": "443", "http": "80"}

// siteAt returns the site at an address, or an empty one. All spellings of an address are one site, so that one event has one uid.
func siteAt(address string) Site {
	u, err := url.Parse(address)
	if err != nil || len(address) > jira.MaxURL {
		return Site{}
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port, isWeb := defaultPorts[u.Scheme]
	if !isWeb || host == "" {
		return Site{}
	}
	authority := host
	if strings.Contains(host, ":") { // an address of IPv6
		authority = "[" + host + "]"
	}
	if p := u.Port(); p != "" && p != port {
		authority += ":" + p
	}
	return Site{URL: u.Scheme + "://" + authority + strings.TrimRight(u.EscapedPath(), "/"), host: host}
}

// siteOf prefers the configured site to the links in the event. It tries all links, because some may go through the gateway.
func (t *Translator) siteOf(ev *jira.Event) Site {
	if t.site.URL != "" {
		return t.site
	}
	issue, project, revision := cmp.Or(ev.Issue, &jira.Issue{}), cmp.Or(ev.Project, &jira.Project{}), ev.Revision()
	for _, link := range [...]string{
		ev.Entity().Self, ev.User.Self, issue.Self, project.Self, issue.Project.Self,
		revision.Author.Self, revision.UpdateAuthor.Self, issue.Reporter.Self, issue.Creator.Self, issue.Assignee.Self,
	} {
		if s := siteOfLink(link); s.URL != "" {
			return s
		}
	}
	return Site{}
}

// siteOfLink cuts a link to the REST API, as in https://jira.example.com/context/rest/api/2/issue/10001, to its site.
func siteOfLink(link string) Site {
	base, _, isLink := strings.Cut(link, "/rest/")
	if !isLink {
		return Site{}
	}
	s := siteAt(base)
	if s.host == apiGateway {
		return Site{}
	}
	return s
}

// deploymentType tells Cloud from Data Center by the site's domain and by how users are identified, or returns "".
func deploymentType(o Occurrence) string {
	if o.Site.isCloud() || o.UserDeleted { // the latter is an account id, which Data Center does not have
		return deploymentCloud
	}
	users := []jira.User{o.User, o.Revision().Author}
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
