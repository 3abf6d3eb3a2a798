// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"net/url"
	"slices"
	"strings"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
)

// SecretState is the knowledge about the secret in Jira.
type SecretState int

// The states of the secret.
const (
	SecretNotChecked SecretState = iota // ModeVerify, which cannot know
	SecretDiffers                       // ModeVerify, by the signatures of deliveries
	SecretUnknown
	SecretCurrent
	SecretOutdated
)

// Product describes the abilities of a Jira.
type Product struct {
	Deployment jiraapi.Deployment
	CanSign    bool
}

// Comparison is the difference between the registered webhooks and the wanted one.
type Comparison struct {
	Ours     *jira.Webhook // nil if none is ours
	Findings []Finding
}

// Compare compares the registered webhooks with the wanted one. It calls secretOf for the state of the secret of each
// webhook that is ours.
func Compare(
	wanted Wanted, product Product, registered []jira.Webhook, secretOf func(jira.Webhook) SecretState,
) Comparison {
	var c Comparison
	var drift []Finding
	ours := 0
	for _, w := range registered {
		if w.Name != wanted.Name || w.URL != wanted.URL {
			c.Findings = append(c.Findings, wanted.compareOther(w)...)
			continue
		}
		ours++
		found := wanted.compareOurs(w, product, secretOf(w))
		if c.Ours == nil || len(found) < len(drift) { // otherwise writes would alternate between several of ours
			c.Ours, drift = &w, found
		}
	}
	c.Findings = append(c.Findings, drift...)
	switch {
	case ours == 0:
		c.Findings = append(c.Findings, Finding{Kind: KindMissing})
	case ours > 1:
		c.Findings = append(c.Findings, Finding{Kind: KindDuplicates, WebhookID: c.Ours.ID})
	}
	if wanted.Secret != "" && !product.CanSign {
		c.Findings = append(c.Findings, Finding{Kind: KindCannotSign})
	}
	sortFindings(c.Findings)
	return c
}

// compareOurs returns the drift of a webhook that is ours.
func (w Wanted) compareOurs(found jira.Webhook, product Product, secret SecretState) []Finding {
	var findings []Finding
	report := func(isFound bool, kind Kind, events ...string) {
		if isFound {
			findings = append(findings, Finding{Kind: kind, WebhookID: found.ID, Events: events})
		}
	}
	report(found.IsDisabled, KindDisabled)
	missing := without(w.events(product.Deployment), found.Events)
	report(len(missing) > 0, KindEventsMissing, missing...)
	if w.Events != nil {
		superfluous := without(found.Events, w.Events)
		report(len(superfluous) > 0, KindEventsSuperfluous, superfluous...)
	}
	report(strings.TrimSpace(found.JQL) != strings.TrimSpace(w.JQL), KindJQLDiffers)
	report(found.ExcludesBody, KindBodyExcluded)
	if w.Secret != "" && product.CanSign {
		isUnsigned := found.HasSecret != nil && !*found.HasSecret
		report(isUnsigned, KindUnsigned)
		report(!isUnsigned && secret == SecretDiffers, KindSecretDiffers)
		report(!isUnsigned && secret == SecretOutdated, KindSecretOutdated)
		report(!isUnsigned && secret == SecretUnknown, KindSecretUnknown)
	}
	report(found.HasCredentials && len(findings) > 0, KindCredentials)
	return findings
}

// compareOther returns the finding about a webhook that is not ours, if there is one.
func (w Wanted) compareOther(found jira.Webhook) []Finding {
	isSameAddress := address(found.URL) == address(w.URL)
	f := Finding{WebhookID: found.ID, Name: found.Name, Host: host(found.URL), blocks: isSameAddress && !found.IsDisabled}
	switch {
	case found.Name == w.Name:
		f.Kind = KindOtherURL
	case isSameAddress:
		f.Kind = KindOtherName
	default:
		return nil
	}
	return []Finding{f}
}

// without returns the elements of a list that another list does not contain.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(element string) bool { return slices.Contains(other, element) })
}

// address returns the parts of a URL that decide to which server and path Jira delivers, in one spelling.
func address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		plain, _, _ := strings.Cut(raw, "?")
		return plain
	}
	scheme, hostname, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	return scheme + "://" + hostname + ":" + port + strings.TrimRight(u.Path, "/")
}

// host returns the host name of a URL, or "".
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// action is the write that a comparison needs.
type action int

const (
	actionNone action = iota
	actionCreate
	actionUpdate
)

func (c Comparison) hasDrift() bool { return slices.ContainsFunc(c.Findings, Finding.IsDrift) }

// hasOnlyDrift reports whether the drift consists of findings of one kind.
func (c Comparison) hasOnlyDrift(kind Kind) bool {
	return c.hasDrift() && !c.withoutKinds(kind).hasDrift()
}

// with returns the comparison with another finding.
func (c Comparison) with(f Finding) Comparison {
	c.Findings = append(slices.Clone(c.Findings), f)
	sortFindings(c.Findings)
	return c
}

// withoutKinds returns the comparison without the findings of some kinds.
func (c Comparison) withoutKinds(kinds ...Kind) Comparison {
	c.Findings = slices.DeleteFunc(slices.Clone(c.Findings), func(f Finding) bool { return slices.Contains(kinds, f.Kind) })
	return c
}

// plan returns the write that repairs the drift.
func (c Comparison) plan() action {
	isBlocked := slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.blocks })
	switch {
	case !c.hasDrift() || hasKind(c.Findings, KindCredentials):
		return actionNone
	case c.Ours != nil:
		return actionUpdate
	case isBlocked:
		return actionNone
	default:
		return actionCreate
	}
}

// settings returns the values that repair the drift. Values that the receiver does not decide stay.
func (c Comparison) settings(wanted Wanted, product Product) jiraapi.WebhookSettings {
	s := jiraapi.WebhookSettings{
		Name: wanted.Name, URL: wanted.URL, Events: slices.Clone(wanted.events(product.Deployment)), JQL: wanted.JQL,
	}
	if product.CanSign {
		s.Secret = wanted.Secret
	}
	if c.Ours != nil {
		s.Description, s.SkipsTLSVerification = c.Ours.Description, c.Ours.SkipsTLSVerification
		if wanted.Events == nil {
			s.Events = append(s.Events, without(c.Ours.Events, s.Events)...)
		}
	}
	return s
}
