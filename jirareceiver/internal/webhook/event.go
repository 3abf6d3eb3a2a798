package webhook

import "time"

// Event is what the body of one delivery tells. Whatever a body lacks, holds null or holds in a shape that makes no sense
// is the zero value: Jira's bodies vary too much for anything else.
type Event struct {
	Name           string    // webhookEvent, as sent
	IssueEventType string    // issue_event_type_name, as sent
	Timestamp      time.Time // when the event happened, in milliseconds
	User           User      // who caused it
	Issue          *Issue    // nil when the body holds none
	Changelog      Changelog
	Entity         Entity // the comment, sprint, version or the like that the event is about
	DeletedUser    string // account id; "user deleted" is the one event whose body does not name itself
	Source         Source
}

// Source is the part of Jira that sent a delivery, told by the shape of its body.
type Source string

// The sources of deliveries.
const (
	SourceWebhook      Source = "webhook"       // a webhook registered by an administrator or an app
	SourcePostFunction Source = "post_function" // the post-function of a workflow transition
	SourceAutomation   Source = "automation"    // the action "Send web request" of an Automation rule
	SourceUnknown      Source = "unknown"
)

// Issue is the issue of an event: all of it on issue events, a few fields on others.
type Issue struct {
	ID, Key, Self string

	Summary          string
	Description      string // wiki markup; a document in Atlassian Document Format stays JSON
	Labels           []string
	Components       []string
	FixVersions      []string
	AffectedVersions []string
	Created          time.Time
	Updated          time.Time
	Resolved         time.Time
	DueDate          string // YYYY-MM-DD
	Type             Named
	Status           Status
	Priority         Named
	Resolution       Named
	SecurityLevel    Named
	Parent           Reference
	Assignee         User
	Reporter         User
	Creator          User
	Project          Project
}

// Named is one of the many small objects that have an id and a name, as priorities do.
type Named struct{ ID, Name string }

// Reference points to an issue.
type Reference struct{ ID, Key string }

// Status is the status of an issue.
type Status struct {
	Named
	Category string // key of the status category: new, indeterminate, done or undefined
}

// Project is the project of an issue.
type Project struct {
	ID, Key, Name string
	Category      string
}

// User is a person or an app. Jira Cloud knows users by AccountID, Data Center by Key and Name.
type User struct {
	Self        string
	AccountID   string
	Key         string
	Name        string // login name, Data Center
	DisplayName string
	Email       string
}

// ID returns the identifier of the user that says least about the person.
func (u User) ID() string {
	if u.AccountID != "" {
		return u.AccountID
	}
	return u.Key
}

// Changelog lists the fields that an update changed, in Jira's order.
type Changelog struct {
	ID    string
	Items []Change
}

// Change is one changed field. From and To are the values for machines, FromText and ToText those for people.
type Change struct {
	Field     string // display name: localised, and not always in the same letter case
	FieldID   string // stable, but absent on Data Center
	FieldType string // jira or custom
	From      string
	FromText  string
	To        string
	ToText    string
	OfUser    bool // the values are account ids and names of people
}

// Entity holds what all things other than issues have in common.
type Entity struct {
	ID, Self     string
	Created      time.Time
	Updated      time.Time
	Author       User
	UpdateAuthor User
}
