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

// siteURL returns https://host[/context] of the Jira that sent the event, or "".
func siteURL(ev *webhook.Event) string {
	links := []string{ev.Entity.Self, ev.User.Self}
	if ev.Issue != nil {
		links = append(links, ev.Issue.Self)
	}
	for _, link := range links {
		if site := siteOfLink(link); site != "" {
			return site
		}
	}
	return ""
}

// siteOfLink cuts a link to the REST API, as in https://jira.example.com/context/rest/api/2/issue/10001, to its site.
func siteOfLink(link string) string {
	base, _, found := strings.Cut(link, "/rest/")
	if !found {
		return ""
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Host == apiGateway || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// deploymentType tells Cloud from Data Center by the site's domain and by how users are identified, or returns "".
func deploymentType(site string, ev *webhook.Event) string {
	if isCloudSite(site) || ev.DeletedUser != "" { // the latter is an account id, which Data Center does not have
		return deploymentCloud
	}
	users := []webhook.User{ev.User, ev.Entity.Author}
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

func isCloudSite(site string) bool {
	u, err := url.Parse(site)
	return err == nil && slices.ContainsFunc(cloudDomains, func(domain string) bool { return strings.HasSuffix(u.Hostname(), domain) })
}
