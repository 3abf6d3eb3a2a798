// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// This file reads the answers about the webhooks that are registered in Jira, and about the rights of an account and
// the statuses of a site. It never copies a secret: of a member that may contain one, it only reads whether it is
// empty.
//
// Jira has two forms of a registered webhook. Jira Cloud, and Data Center before version 10, have the members filters,
// excludeBody, enabled and self; Jira Cloud also has isSigned. Data Center has id, configuration and active since
// version 10, and all values of configuration are texts.

// Webhook is a webhook that is registered in Jira.
type Webhook struct {
	ID          string
	Name, URL   string
	Description string
	Events      []string // in Jira's names
	JQL         string   // restriction of the events of issues; "" for none

	IsDisabled   bool
	ExcludesBody bool // Jira sends no payload
	// HasSecret reports whether Jira signs the deliveries; nil if the answer does not contain it. Jira never returns
	// the secret.
	HasSecret *bool
	// HasCredentials reports whether Jira sends a user name and a password. Data Center only.
	HasCredentials bool
	// SkipsTLSVerification reports whether Jira accepts any certificate of the receiver. Data Center only.
	SkipsTLSVerification bool

	Updated time.Time // last change of the registration; zero if the answer does not contain it
}

// sectionOfIssues is the member of filters that contains the JQL.
const sectionOfIssues = "issue-related-events-section"

// DecodeWebhooks reads a list of webhooks. It drops entries that are not objects. All others count, because a reader
// that overlooks a webhook would register it again.
func DecodeWebhooks(r io.Reader) ([]Webhook, error) {
	return decodeArrayAnswer(r, func(a *answer, w *Webhook) (bool, error) {
		isObject := a.Next() == jx.Object
		return isObject, decodeInto(a.decoding, w, (*Webhook).decodeMember)
	})
}

func (w *Webhook) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "id":
		return decodeText(d, &w.ID)
	case "self":
		return w.decodeSelf(d)
	case "name":
		return decodeText(d, &w.Name)
	case "url":
		return decodeText(d, &w.URL)
	case "description":
		return decodeText(d, &w.Description)
	case "events":
		return w.decodeEvents(d)
	case "filters":
		return w.decodeFilters(d)
	case "excludeBody":
		return decodeFlag(d, &w.ExcludesBody, true)
	case "enabled", "active":
		return decodeFlag(d, &w.IsDisabled, false)
	case "isSigned":
		return decodeBool(d, &w.HasSecret)
	case "configuration":
		return decodeObject(d, w.decodeConfiguration)
	case "credentials":
		return w.decodeCredentials(d)
	case "sslVerificationRequired":
		return decodeFlag(d, &w.SkipsTLSVerification, false)
	case "lastUpdated", "updatedDate":
		return decodeTime(d, &w.Updated)
	default:
		return d.Skip()
	}
}

// decodeFlag reads true or false, and reports whether the value is the expected one.
func decodeFlag(d *decoding, flag *bool, expected bool) error {
	var value *bool
	err := decodeBool(d, &value)
	*flag = value != nil && *value == expected
	return err
}

// decodeSelf reads the link to the webhook. Its last part is the id, which has no member of its own.
func (w *Webhook) decodeSelf(d *decoding) error {
	var self string
	err := decodeText(d, &self)
	if w.ID == "" {
		self = strings.TrimRight(self, "/")
		w.ID = self[strings.LastIndex(self, "/")+1:]
	}
	return err
}

func (w *Webhook) decodeEvents(d *decoding) error {
	w.Events = nil
	var isCut bool
	return decodeEntries(d, &isCut, func(d *decoding) error {
		var event string
		err := decodeText(d, &event)
		if event != "" {
			w.Events = append(w.Events, event)
		}
		return err
	})
}

// decodeFilters reads the JQL, which is a member of an object, or the value itself.
func (w *Webhook) decodeFilters(d *decoding) error {
	w.JQL = ""
	if d.Next() != jx.Object {
		return decodeText(d, &w.JQL)
	}
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != sectionOfIssues {
			return d.Skip()
		}
		return decodeText(d, &w.JQL)
	})
}

func (w *Webhook) decodeConfiguration(d *decoding, key []byte) error {
	switch string(key) {
	case "FILTERS":
		return w.decodeFilters(d)
	case "EXCLUDE_BODY":
		return decodeFlag(d, &w.ExcludesBody, true)
	case "DESCRIPTION":
		return decodeText(d, &w.Description)
	case "SECRET":
		isSet, err := decodeIsSet(d)
		if w.HasSecret = nil; isSet { // without the member, the secret is unknown
			w.HasSecret = &isSet
		}
		return err
	default:
		return d.Skip()
	}
}

func (w *Webhook) decodeCredentials(d *decoding) error {
	w.HasCredentials = false
	return decodeObject(d, func(d *decoding, _ []byte) error {
		isSet, err := decodeIsSet(d)
		w.HasCredentials = w.HasCredentials || isSet
		return err
	})
}

// decodeIsSet reports whether a value is a text that is not empty. It does not copy the text.
func decodeIsSet(d *decoding) (bool, error) {
	if d.Next() != jx.String {
		return false, d.Skip()
	}
	text, err := d.StrBytes()
	return len(text) > 0, err
}

// WebhookStatistics are the deliveries of a webhook in a period, as Data Center counts them.
type WebhookStatistics struct {
	Successes, Failures, Errors *int64 // nil if the answer does not contain them; an error is a delivery without an answer
	Start                       time.Time
	Duration                    time.Duration // of the period; 0 if the answer does not contain it

	LastErrorAt time.Time // zero if there was none
	LastError   string    // Jira's description of it, which may contain an address
}

// DecodeWebhookStatistics reads the statistics of a webhook: {"counts": {"successes", "failures", "errors", "window":
// {"start", "duration"}}, "lastError"}. The error is [ErrNoList] if there are no counts.
func DecodeWebhookStatistics(r io.Reader) (WebhookStatistics, error) {
	var s WebhookStatistics
	var hasCounts bool
	err := newAnswer(r).object(func(d *decoding, key []byte) error {
		switch string(key) {
		case "counts":
			hasCounts = d.Next() == jx.Object
			return decodeObject(d, s.decodeCount)
		case "lastError":
			return decodeObject(d, s.decodeLastError)
		default:
			return d.Skip()
		}
	})
	if err == nil && !hasCounts {
		err = ErrNoList
	}
	return s, err
}

func (s *WebhookStatistics) decodeCount(d *decoding, key []byte) error {
	switch string(key) {
	case "successes":
		return decodeInt(d, &s.Successes)
	case "failures":
		return decodeInt(d, &s.Failures)
	case "errors":
		return decodeInt(d, &s.Errors)
	case "window":
		return decodeObject(d, s.decodeWindow)
	default:
		return d.Skip()
	}
}

func (s *WebhookStatistics) decodeWindow(d *decoding, key []byte) error {
	switch string(key) {
	case "start":
		return decodeTime(d, &s.Start)
	case "duration":
		var millis *int64
		err := decodeInt(d, &millis)
		if s.Duration = 0; millis != nil && *millis > 0 && *millis <= maxMillis {
			s.Duration = time.Duration(*millis) * time.Millisecond
		}
		return err
	default:
		return d.Skip()
	}
}

// decodeLastError reads the time and the result of a delivery. It skips the request and the answer, which contain
// payloads.
func (s *WebhookStatistics) decodeLastError(d *decoding, key []byte) error {
	switch string(key) {
	case "finish":
		return decodeTime(d, &s.LastErrorAt)
	case "result":
		return decodeObject(d, func(d *decoding, key []byte) error {
			if string(key) != "description" {
				return d.Skip()
			}
			return decodeText(d, &s.LastError)
		})
	default:
		return d.Skip()
	}
}

// DecodePermissions reads the answer of mypermissions: {"permissions": {"ADMINISTER": {"havePermission": true}}}. The
// result contains the permissions that the account has.
func DecodePermissions(r io.Reader) ([]string, error) {
	var permissions []string
	var hasList bool
	a := newAnswer(r)
	err := a.object(func(d *decoding, key []byte) error {
		if string(key) != "permissions" {
			return d.Skip()
		}
		permissions, hasList = nil, d.Next() == jx.Object
		return decodeObject(d, func(d *decoding, key []byte) error {
			name, isGranted := string(key), false
			err := decodeObject(d, func(d *decoding, key []byte) error {
				if string(key) != "havePermission" {
					return d.Skip()
				}
				return decodeFlag(d, &isGranted, true)
			})
			if isGranted {
				permissions = append(permissions, name)
			}
			return errors.Join(err, a.take(1))
		})
	})
	if err == nil && !hasList {
		err = ErrNoList
	}
	return permissions, err
}

// StatusInfo describes a status of a site.
type StatusInfo struct {
	Status
	ProjectID string // of the only project that has the status; "" if all projects can have it
}

// DecodeStatuses reads the answer of status, an array of {"id", "name", "statusCategory", "scope"}. Several statuses may
// have the same name: each team-managed project of Jira Cloud has statuses of its own.
func DecodeStatuses(r io.Reader) ([]StatusInfo, error) {
	return decodeArrayAnswer(r, func(a *answer, s *StatusInfo) (bool, error) {
		err := decodeInto(a.decoding, s, (*StatusInfo).decodeMember)
		return s.ID != "", err
	})
}

func (s *StatusInfo) decodeMember(d *decoding, key []byte) error {
	if string(key) != "scope" {
		return s.Status.decodeMember(d, key)
	}
	s.ProjectID = ""
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "project" {
			return d.Skip()
		}
		var project Named
		err := project.decode(d)
		s.ProjectID = project.ID
		return err
	})
}

// DecodeProjectStatuses reads the answer of project/KEY/statuses, an array of issue types, each with its statuses. The
// result contains each status once.
func DecodeProjectStatuses(r io.Reader) ([]StatusInfo, error) {
	var statuses []StatusInfo
	seen := map[string]bool{}
	_, err := decodeArrayAnswer(r, func(a *answer, _ *struct{}) (bool, error) {
		return true, decodeObject(a.decoding, func(d *decoding, key []byte) error {
			if string(key) != "statuses" {
				return d.Skip()
			}
			return a.decodeList(func() error {
				var s StatusInfo
				err := decodeInto(d, &s, (*StatusInfo).decodeMember)
				if s.ID != "" && !seen[s.ID] {
					seen[s.ID] = true
					statuses = append(statuses, s)
				}
				return err
			})
		})
	})
	return statuses, err
}

// DecodeProjects reads the answer of project on Data Center, an array of projects.
func DecodeProjects(r io.Reader) ([]Project, error) { return decodeArrayAnswer(r, decodeProject) }

// DecodeProjectPage reads the answer of project/search on Jira Cloud, an object with a list of projects.
func DecodeProjectPage(r io.Reader) (Page[Project], error) {
	return decodePage(r, decodeProject, "values")
}

func decodeProject(a *answer, p *Project) (bool, error) {
	err := p.decode(a.decoding)
	return p.Key != "", err
}
