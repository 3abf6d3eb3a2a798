// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Deployment is the product, Jira Cloud or Data Center. It decides the shape of the bodies and the rules of sending.
type Deployment string

// The deployments.
const (
	Cloud      Deployment = "cloud"
	DataCenter Deployment = "data_center"
)

// Site is a Jira. The same site always has the same history.
type Site struct {
	URL        string // https://host[/context]; default: an invented address
	Deployment Deployment
	Version    int       // first number of the version of Data Center; default: 10
	Language   string    // language of the names of statuses; default: en
	Seed       uint64    // decides the history and the ids
	Start      time.Time // start of the history
	Load       int       // factor by which the issues of a sprint are more than usual; default: 1

	reader *time.Location // time zone of the account that reads; nil for webhooks
}

// Validate returns an error for an unknown deployment or language.
func (s Site) Validate() error {
	if s.Deployment != Cloud && s.Deployment != DataCenter {
		return fmt.Errorf("deployment %q is unknown; use %s or %s", s.Deployment, Cloud, DataCenter)
	}
	if s.Language != english && categoryNames[s.Language] == nil {
		return fmt.Errorf("language %q is unknown; use %s", s.Language, strings.Join(Languages(), ", "))
	}
	return nil
}

const english = "en"

// Languages returns the languages in which statuses have names.
func Languages() []string {
	return append([]string{english}, slices.Sorted(maps.Keys(categoryNames))...)
}

// withDefaults returns the site with default values for empty fields. Its times are rounded to milliseconds, as Jira's
// are.
func (s Site) withDefaults() Site {
	if s.Deployment == "" {
		s.Deployment = Cloud
	}
	if s.Version == 0 {
		s.Version = modernVersion
	}
	if s.Language == "" {
		s.Language = english
	}
	if s.Load == 0 {
		s.Load = 1
	}
	if s.URL == "" {
		s.URL = map[Deployment]string{Cloud: "https://acme.atlassian.net", DataCenter: "https://jira.example.com/context"}[s.Deployment]
	}
	s.Start = s.Start.In(zone).Truncate(time.Millisecond)
	return s
}

// zone is the time zone of the site. It has no daylight saving time, so that histories do not depend on the machine.
var zone = time.FixedZone("CET", 3600)

// status is a status of a workflow. Its name depends on the language of the site.
type status struct {
	id, name string
	category string
	names    map[string]string // names in other languages
}

// The statuses of the workflows. Statuses of a German or Russian site are mapped by their category, unless the
// configuration maps them.
var (
	open       = status{"1", "Open", toDoCategory, map[string]string{"de": "Offen", "ru": "Открыто"}}
	inProgress = status{"3", "In Progress", inProgressCategory, map[string]string{"de": "In Arbeit", "ru": "В работе"}}
	reopened   = status{"4", "Reopened", toDoCategory, map[string]string{"de": "Erneut geöffnet", "ru": "Переоткрыто"}}
	resolved   = status{"5", "Resolved", doneCategory, map[string]string{"de": "Erledigt", "ru": "Решено"}}
	closed     = status{"6", "Closed", doneCategory, map[string]string{"de": "Geschlossen", "ru": "Закрыто"}}
	toDo       = status{"10000", "To Do", toDoCategory, map[string]string{"de": "Zu erledigen", "ru": "К выполнению"}}
	done       = status{"10001", "Done", doneCategory, map[string]string{"de": "Fertig", "ru": "Готово"}}
	inReview   = status{"10002", "In Review", inProgressCategory, map[string]string{"de": "In Prüfung", "ru": "На проверке"}}
	canceled   = status{"10003", "Canceled", doneCategory, map[string]string{"de": "Abgebrochen", "ru": "Отменено"}}
	waiting    = status{"10004", "Waiting for Customer", inProgressCategory, map[string]string{"de": "Wartet auf Kunden", "ru": "Ожидает клиента"}}
)

var statuses = []status{open, inProgress, reopened, resolved, closed, toDo, done, inReview, canceled, waiting}

// Keys of status categories.
const (
	toDoCategory       = "new"
	inProgressCategory = "indeterminate"
	doneCategory       = "done"
)

var categoryNumbers = map[string]int{toDoCategory: 2, doneCategory: 3, inProgressCategory: 4}

// categoryNames are the names of the categories in other languages.
var categoryNames = map[string]map[string]string{
	"de": {toDoCategory: "Zu erledigen", inProgressCategory: "In Arbeit", doneCategory: "Fertig"},
	"ru": {toDoCategory: "К выполнению", inProgressCategory: "В работе", doneCategory: "Выполнено"},
}

var englishCategories = map[string]string{toDoCategory: "To Do", inProgressCategory: "In Progress", doneCategory: "Done"}

// statusFields are the names of the field Status in changelogs, by language.
var statusFields = map[string]string{english: "status", "de": "Status", "ru": "Статус"}

func (s Site) statusName(of status) string {
	if name := of.names[s.Language]; name != "" {
		return name
	}
	return of.name
}

func (s Site) categoryName(of status) string {
	if names := categoryNames[s.Language]; names != nil {
		return names[of.category]
	}
	return englishCategories[of.category]
}

// issueType is the type of an issue.
type issueType struct{ id, name string }

var (
	story    = issueType{"10001", "Story"}
	task     = issueType{"10003", "Task"}
	bug      = issueType{"10004", "Bug"}
	incident = issueType{"10005", "Incident"}
	request  = issueType{"10006", "Service Request"}
)

type priority struct{ id, name string }

var (
	highest = priority{"1", "Highest"}
	high    = priority{"2", "High"}
	medium  = priority{"3", "Medium"}
	low     = priority{"4", "Low"}
)

// project is a project. A move to another project gives an issue another key.
type project struct {
	id        int
	key, name string
}

var (
	operations = project{10010, "OPS", "Operations"}
	webShop    = project{10011, "WEB", "Web Shop"}
	billing    = project{10012, "BILL", "Billing"}
	support    = project{10013, "SUP", "Support"} // nobody has created an issue in it yet

	projects = []project{operations, webShop, billing, support}
)

// person is a member of the team. People have an account id on Jira Cloud, and a name and a key on Data Center.
type person struct{ accountID, name, key, fullName string }

var (
	ada  = person{"557058:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b", "ada", "JIRAUSER10100", "Ada Lindqvist"}
	noor = person{"712020:9c8b7a69-5847-4635-a241-302f1e0d9c8b", "noor", "JIRAUSER10101", "Noor Haddad"}
	rosa = person{"712020:0a1b2c3d-4e5f-4607-9182-a3b4c5d6e7f8", "rmontero", "JIRAUSER10200", "Rosa Montero"}
	kim  = person{"557058:7d6c5b4a-3928-4170-8f6e-5d4c3b2a1908", "kim", "kim", "Kim Dvorak"}

	people = []person{ada, noor, rosa, kim}
)
