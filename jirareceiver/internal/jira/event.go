// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"bytes"
	"cmp"
	"regexp"
	"time"

	"github.com/go-faster/jx"
)

// Event is the content of the body of one delivery. A field is the zero value if the body does not contain it, or
// contains null or a value of an unexpected type.
type Event struct {
	Name           string    // webhookEvent, as sent
	IssueEventType string    // issue_event_type_name, as sent
	Timestamp      time.Time // time of the event, in milliseconds
	User           User      // user who caused the event; of a user event, the user whose account changed
	UserDeleted    bool      // whether the body is that of "user deleted", and contains no event name
	Issue          *Issue
	Changelog      Changelog
	Transition     *Transition // transition whose post-function sent the event

	// The subjects of the event. Most events have at most one, and all other fields are nil.
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
	Alert      *Alert

	HasHeaders bool // whether the body repeats headers of its request, which may include a token

	Source Source
}

// Source is the part of Jira that sent a delivery. The decoder derives it from the members of the body.
type Source string

// The sources of deliveries.
const (
	SourceWebhook      Source = "webhook"       // a webhook that an administrator or an app has registered
	SourcePostFunction Source = "post_function" // the post-function of a workflow transition
	SourceAutomation   Source = "automation"    // the action "Send web request" of an Automation rule
	SourceOperations   Source = "operations"    // the webhook integration of the alerts of Jira Service Management
	SourceUnknown      Source = "unknown"

	// The sources of events that no sender delivers: the receiver reads them from the REST API.
	SourcePoll     Source = "poll"     // changes since the receiver was started
	SourceRepair   Source = "repair"   // changes whose webhook did not arrive
	SourceBackfill Source = "backfill" // changes before
)

// envelope is the top level of a body while it is read. The sender is known only after the last member.
type envelope struct {
	*Decoder
	Event
	bareIssue  *Issue // members of an issue at the top level: Automation sends the issue itself as the body
	hasFields  bool   // whether the body has the member fields, which makes bareIssue an issue
	mergedInto Named
	oldSprint  *Sprint
	operations alertEnvelope

	// Members that some senders use in place of the usual member.
	option         *Property
	propertyKey    string
	issueTypeAlias *IssueType
	boardAlias     *Board

	// The body of "user deleted" without a name contains an account id, a user name and no other members.
	keys        int
	accountID   string
	username    string
	hasUsername bool
}

func (e *envelope) decodeMember(d *decoding, key []byte) error {
	e.keys++
	switch string(key) {
	case "webhookEvent":
		return decodeText(d, &e.Name)
	case "issue_event_type_name":
		return decodeText(d, &e.IssueEventType)
	case "timestamp":
		return decodeTime(d, &e.Timestamp)
	case "user":
		return e.User.decode(d)
	case "issue":
		return e.decodeIssue(d, &e.Issue)
	case "changelog":
		return e.Changelog.decode(d)
	case "transition":
		return decodePointer(d, &e.Transition, (*Transition).decodeMember)
	case "fields":
		e.hasFields = d.Next() == jx.Object
		return e.decodeBareIssue(d, key)
	case "id", "key", "self":
		return e.decodeBareIssue(d, key)
	case "accountId":
		return decodeText(d, &e.accountID)
	case "username":
		e.hasUsername = true
		return decodeText(d, &e.username)
	case "comment":
		return decodeComment(d, &e.Comment)
	case "worklog":
		return decodePointer(d, &e.Worklog, (*Worklog).decodeMember)
	case "attachment":
		return decodePointer(d, &e.Attachment, (*Attachment).decodeMember)
	case "issueLink":
		return decodePointer(d, &e.IssueLink, (*IssueLink).decodeMember)
	case "property":
		return decodePointer(d, &e.Property, (*Property).decodeMember)
	case "option":
		return decodePointer(d, &e.option, (*Property).decodeMember)
	case "propertyKey":
		return decodeText(d, &e.propertyKey)
	case "issuetype":
		return decodePointer(d, &e.IssueType, (*IssueType).decodeMember)
	case "issueType":
		return decodePointer(d, &e.issueTypeAlias, (*IssueType).decodeMember)
	case "sprint":
		return decodePointer(d, &e.Sprint, (*Sprint).decodeMember)
	case "oldValue":
		return decodePointer(d, &e.oldSprint, (*Sprint).decodeMember)
	case "board":
		return decodePointer(d, &e.Board, (*Board).decodeMember)
	case "configuration":
		return decodePointer(d, &e.boardAlias, (*Board).decodeMember)
	case "version":
		return decodePointer(d, &e.Version, (*Version).decodeMember)
	case "mergedTo":
		return e.mergedInto.decode(d)
	case "filter":
		return decodePointer(d, &e.Filter, (*Filter).decodeMember)
	case "project":
		return reset(&e.Project).decode(d)
	default:
		e.HasHeaders = e.HasHeaders || bytes.EqualFold(key, headersKey)
		return e.operations.decodeMember(d, key)
	}
}

// headersKey is the key of the headers of the request, which some senders repeat in the body. The receiver looks for
// them in all bodies: a body may contain headers, and lack the members by which it is about an alert.
var headersKey = []byte("headers")

// decodeBareIssue reads a member of an issue at the top level. It allocates the issue only then, because most bodies
// have no such member.
func (e *envelope) decodeBareIssue(d *decoding, key []byte) error {
	if e.bareIssue == nil {
		e.bareIssue = &Issue{}
	}
	return e.issueMember(e.bareIssue)(d, key)
}

// finish returns the event. It sets the fields that depend on several members.
func (e *envelope) finish() *Event {
	e.resolveAliases()
	if e.Issue == nil && e.hasFields {
		e.Issue = e.bareIssue
	}
	if e.Name == "" && e.keys == 2 && e.hasUsername && e.accountID != "" {
		e.UserDeleted = true
		e.User = User{AccountID: e.accountID, Name: e.username}
	}
	e.setAlert()
	e.Source = e.source()
	e.resolveHistory()
	if e.Issue == nil {
		e.Issue = issueWith(e.issueID())
	}
	if e.Version != nil {
		e.Version.MergedInto = e.mergedInto
	}
	if e.Sprint != nil && e.oldSprint != nil {
		e.Changelog.Items = append(e.Changelog.Items, diffSprint(e.oldSprint, e.Sprint)...)
	}
	return &e.Event
}

// setAlert sets the alert, and the user who performed the action on it. A body with a name, an issue or a transition
// does not come from the alerts.
func (e *envelope) setAlert() {
	if e.Name != "" || e.Issue != nil || e.Transition != nil {
		return
	}
	if e.Alert = e.operations.finish(); e.Alert != nil {
		e.User = e.Alert.User
	}
}

// resolveAliases uses a member with a less usual name if the usual member is missing.
func (e *envelope) resolveAliases() {
	if e.propertyKey != "" && e.option == nil {
		e.option = &Property{Key: e.propertyKey}
	}
	e.Property = cmp.Or(e.Property, e.option)
	e.IssueType = cmp.Or(e.IssueType, e.issueTypeAlias)
	e.Board = cmp.Or(e.Board, e.boardAlias)
}

// resolveHistory sets the changelog to the latest history of the issue if the body contains no change.
func (e *envelope) resolveHistory() {
	if e.Issue == nil {
		e.Changelog = e.Changelog.resolve(time.Time{})
		return
	}
	if e.Issue.history != nil && len(e.Changelog.Items) == 0 && e.Changelog.latest == nil {
		e.Changelog = *e.Issue.history
	}
	e.Issue.history = nil
	e.Changelog = e.Changelog.resolve(e.Issue.Updated)
}

func (e *envelope) source() Source {
	switch {
	case e.Name != "" || e.UserDeleted:
		return SourceWebhook
	case e.Transition != nil:
		return SourcePostFunction
	case e.Issue != nil:
		return SourceAutomation
	case e.Alert != nil:
		return SourceOperations
	default:
		return SourceUnknown
	}
}

// issueInLink matches the link to a comment or a worklog, such as .../rest/api/2/issue/10013/comment/10082.
var issueInLink = regexp.MustCompile(`/issue/(\d+)/`)

// issueID returns the id of the issue of a comment or a worklog whose body does not contain the issue, or "". Data
// Center sends comments without their issue, and Jira Cloud sends worklogs without it.
func (e *envelope) issueID() string {
	if e.Worklog != nil && e.Worklog.IssueID != "" {
		return e.Worklog.IssueID
	}
	link := e.Entity().Self
	if len(link) > MaxURL { // regular expressions are slow
		return ""
	}
	if match := issueInLink.FindStringSubmatch(link); match != nil {
		return match[1]
	}
	return ""
}
