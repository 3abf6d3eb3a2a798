package jira

import "time"

// Event is what the body of one delivery tells. Whatever a body lacks, holds null or holds in a shape that makes no sense
// is the zero value: Jira's bodies vary too much for anything else.
type Event struct {
	Name           string    // webhookEvent, as sent
	IssueEventType string    // issue_event_type_name, as sent
	Timestamp      time.Time // when the event happened, in milliseconds
	User           User      // who caused it; whom it happened to, when it is about a user
	UserDeleted    bool      // the one webhook whose body does not name its event
	Issue          *Issue
	Changelog      Changelog
	Transition     *Transition // of a post-function

	// What the event is about, besides the issue. One of them as a rule, all others nil.
	Comment    *Comment
	Worklog    *Worklog
	Attachment *Attachment
	IssueLink  *IssueLink
	Property   *Property
	IssueType  *IssueType
	Sprint     *Sprint
	Board      *Board
	Version    *Version
	Filter     *Filter
	Project    *Project

	Source Source
}

// Entity returns what all the things that events are about, besides issues, have in common.
func (ev *Event) Entity() Entity {
	switch {
	case ev.Comment != nil:
		return ev.Comment.Entity
	case ev.Worklog != nil:
		return ev.Worklog.Entity
	case ev.Attachment != nil:
		return ev.Attachment.Entity
	case ev.IssueLink != nil:
		return ev.IssueLink.Entity
	case ev.IssueType != nil:
		return ev.IssueType.Entity
	case ev.Sprint != nil:
		return ev.Sprint.Entity
	case ev.Version != nil:
		return ev.Version.Entity
	case ev.Board != nil:
		return ev.Board.Entity
	case ev.Filter != nil:
		return ev.Filter.Entity
	case ev.Project != nil:
		return ev.Project.Entity
	default:
		return Entity{}
	}
}

// Revision returns who made what the event is about, and when.
func (ev *Event) Revision() Revision {
	switch {
	case ev.Comment != nil:
		return ev.Comment.Revision
	case ev.Worklog != nil:
		return ev.Worklog.Revision
	case ev.Attachment != nil:
		return ev.Attachment.Revision
	default:
		return Revision{}
	}
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
	Description      string // wiki markup, or the text of a document
	Labels           Names
	Components       Names
	FixVersions      Names
	AffectedVersions Names
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
	CustomFields     []CustomField // those that were asked for and are there, in the order of the body
}

// CustomField is a custom field of an issue.
type CustomField struct {
	ID string // customfield_10016
	// Value is a string, int64, float64, bool, [User], or a []any of those that is not empty.
	Value any
	IsCut bool // there were more than MaxEntries
}

// Names is a list of names.
type Names struct {
	List  []string
	IsCut bool // there were more than MaxEntries
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

// User is a person or an app. Jira Cloud knows users by AccountID, Data Center by Key and Name.
type User struct {
	Self        string
	AccountID   string
	Key         string
	Name        string // login name, Data Center
	DisplayName string
	Email       string
	Active      *bool
	AccountType string // atlassian, app or customer; Jira Cloud
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
	IsCut bool // there were more than MaxEntries
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

// Transition is the transition of a workflow whose post-function sent the event.
type Transition struct {
	Named
	Workflow Named
	From, To Named // statuses
}

// Entity is what identifies a thing.
type Entity struct{ ID, Self string }

// Revision is who made a thing, who changed it last, and when.
type Revision struct {
	Created      time.Time
	Updated      time.Time
	Author       User
	UpdateAuthor User
}

// Comment is a comment on an issue.
type Comment struct {
	Entity
	Revision
	Body   string // wiki markup, or the text of a document
	Public *bool  // whether customers of Jira Service Management see it; nil elsewhere
}

// Worklog is time that somebody has logged on an issue.
type Worklog struct {
	Entity
	Revision
	IssueID   string
	Started   time.Time
	TimeSpent *int64 // seconds
	Comment   string // wiki markup, or the text of a document
}

// Attachment is a file on an issue.
type Attachment struct {
	Entity
	Revision
	Filename string
	Size     *int64 // bytes
	MIMEType string
}

// IssueLink is a link between two issues.
type IssueLink struct {
	Entity
	Type        Named
	Source      string // id of an issue
	Destination string // id of an issue
	System      *bool  // made by Jira itself, as the links to subtasks are
}

// Property is a property of an issue, or an option of the site.
type Property struct{ Key, Value string }

// IssueType is a type of issues.
type IssueType struct {
	Entity
	Name string
}

// Sprint is a sprint of a board.
type Sprint struct {
	Entity
	Name      string
	State     string // future, active or closed
	Goal      string
	Created   time.Time
	Start     time.Time
	End       time.Time // as planned
	Completed time.Time
	BoardID   string // of the board that the sprint was made on
}

// Board is a board of Jira Software.
type Board struct {
	Entity
	Name string
	Type string // scrum, kanban or simple
}

// Version is a version, also called a release, of a project.
type Version struct {
	Entity
	Name        string
	Released    *bool
	Archived    *bool
	StartDate   string // YYYY-MM-DD
	ReleaseDate string // YYYY-MM-DD
	ProjectID   string
	MergedInto  Named // the version that took over this one's issues
}

// Filter is a saved search.
type Filter struct {
	Entity
	Name string
}

// Project is a project.
type Project struct {
	Entity
	Key, Name string
	Category  string
	Lead      User
}
