// Package jira decodes the bodies that Jira posts. It knows Jira's wire and nothing of OpenTelemetry.
//
// Jira's bodies are documented in part and vary by product, version and sender: an id is a string here and a number
// there, an object may be null, a bare string or missing, field names are localised, and the list of events is open.
// Decoding is therefore strict about JSON and lenient about everything else: a value of an unexpected type counts as
// absent, and no body that is a JSON object is refused.
//
// # The decoder
//
// A body is read once, by go-faster/jx, a pull parser: what an [Event] needs is picked up on the way and all else is
// skipped, so that nothing is built for the nine tenths of a body that nobody asks for.
// On one machine and the 10 KB of BenchmarkDecode: Decode 14 µs, of which skipping through the body is 8 µs; encoding/json
// 60 µs to fill six fields of a struct. valyala/fastjson parses a body in less than skipping takes, but into a tree of
// 80-byte nodes, with which 25 MB of "[" and "]" become a gigabyte, and it takes 1.2.3, 01 and nan for numbers and raw line
// breaks for text. jx refuses what is not JSON, is maintained, and has two small dependencies.
package jira

import (
	"cmp"
	"errors"
	"io"
	"regexp"

	"github.com/go-faster/jx"
)

// The reasons for which Decode refuses a body.
var (
	ErrNotJSON   = errors.New("body is not JSON")
	ErrNotObject = errors.New("body is not a JSON object")
)

// Decoder decodes the bodies of deliveries. It is safe for concurrent use.
type Decoder struct {
	customFields map[string]bool
}

// NewDecoder returns a Decoder that reads the custom fields with the given ids, and skips all others.
func NewDecoder(customFields []string) *Decoder {
	dec := &Decoder{customFields: make(map[string]bool, len(customFields))}
	for _, id := range customFields {
		dec.customFields[id] = true
	}
	return dec
}

// Decode reads the body of a delivery. An empty body is an empty event: a webhook registered with "exclude body" sends
// none. The error is one of this package's sentinels and holds nothing of the body.
func (dec *Decoder) Decode(body []byte) (*Event, error) {
	if len(body) == 0 {
		return &Event{Source: SourceUnknown}, nil
	}
	d := newDecoding(body)
	isObject := d.Next() == jx.Object
	e := envelope{Decoder: dec}
	if err := object(d, e.member); err != nil {
		return nil, ErrNotJSON
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) { // anything behind the first value
		return nil, ErrNotJSON
	}
	if !isObject {
		return nil, ErrNotObject
	}
	return e.finish(), nil
}

// decoding is the decoding of one body, or of a part of it.
type decoding struct {
	*jx.Decoder
	texts *texts
}

func newDecoding(body []byte) *decoding {
	return &decoding{jx.DecodeBytes(body), &texts{}} // no decoder from jx's pool, which would keep the body
}

// part decodes again what has been passed over.
func (d *decoding) part(raw jx.Raw) *decoding { return &decoding{jx.DecodeBytes(raw), d.texts} }

// envelope is the top level of a body, before it is known what sent it.
type envelope struct {
	*Decoder
	Event
	bare        *Issue // Automation sends the issue itself as the body
	isBare      bool
	mergedInto  Named
	oldSprint   *Sprint
	option      *Property // this and the three below: members with a less usual name
	propertyKey string
	issueType   *IssueType
	board       *Board
	keys        int
	accountID   string // "user deleted" is an account id and a user name, and nothing else
	username    string
	hasUsername bool
}

func (e *envelope) member(d *decoding, key []byte) error {
	e.keys++
	switch string(key) {
	case "webhookEvent":
		return text(d, &e.Name)
	case "issue_event_type_name":
		return text(d, &e.IssueEventType)
	case "timestamp":
		return instant(d, &e.Timestamp)
	case "user":
		return e.User.decode(d)
	case "issue":
		return e.decodeIssue(d)
	case "changelog":
		return e.Changelog.decode(d)
	case "fields":
		e.isBare = d.Next() == jx.Object
		return e.issue(e.bareIssue())(d, key)
	case "id", "key", "self":
		return e.issue(e.bareIssue())(d, key)
	case "accountId":
		return text(d, &e.accountID)
	case "username":
		e.hasUsername = true
		return text(d, &e.username)
	default:
		return e.subject(d, key)
	}
}

// bareIssue makes the bare issue when the body has some of it: most have none.
func (e *envelope) bareIssue() *Issue {
	if e.bare == nil {
		e.bare = &Issue{}
	}
	return e.bare
}

// subject reads what the event is about, besides the issue.
func (e *envelope) subject(d *decoding, key []byte) error {
	switch string(key) {
	case "comment":
		return e.decodeComment(d)
	case "worklog":
		return decodeNew(d, &e.Worklog, (*Worklog).member)
	case "attachment":
		return decodeNew(d, &e.Attachment, (*Attachment).member)
	case "issueLink":
		return decodeNew(d, &e.IssueLink, (*IssueLink).member)
	case "property":
		return decodeNew(d, &e.Property, (*Property).member)
	case "option":
		return decodeNew(d, &e.option, (*Property).member)
	case "propertyKey":
		return text(d, &e.propertyKey)
	case "issuetype":
		return decodeNew(d, &e.IssueType, (*IssueType).member)
	case "issueType":
		return decodeNew(d, &e.issueType, (*IssueType).member)
	case "sprint":
		return decodeNew(d, &e.Sprint, (*Sprint).member)
	case "oldValue":
		return decodeNew(d, &e.oldSprint, (*Sprint).member)
	case "board":
		return decodeNew(d, &e.Board, (*Board).member)
	case "configuration":
		return decodeNew(d, &e.board, (*Board).member)
	case "version":
		return decodeNew(d, &e.Version, (*Version).member)
	case "mergedTo":
		return e.mergedInto.decode(d)
	case "filter":
		return decodeNew(d, &e.Filter, (*Filter).member)
	case "project":
		return emptied(&e.Project).decode(d)
	case "transition":
		return decodeNew(d, &e.Transition, (*Transition).member)
	default:
		return d.Skip()
	}
}

// decodeNew puts an empty T at target and reads its members, when there is an object to read it from.
func decodeNew[T any](d *decoding, target **T, read func(*T, *decoding, []byte) error) error {
	if d.Next() != jx.Object {
		*target = nil
		return d.Skip()
	}
	return replace(d, emptied(target), read)
}

// emptied returns the empty T at target. A million equal members share one.
func emptied[T any](target **T) *T {
	if *target == nil {
		*target = new(T)
	}
	**target = *new(T)
	return *target
}

// decodeIssue also takes a bare key or id.
func (e *envelope) decodeIssue(d *decoding) error {
	if d.Next() != jx.Object {
		var s string
		err := text(d, &s)
		e.Issue = bareIssue(s)
		return err
	}
	return object(d, e.issue(emptied(&e.Issue)))
}

// decodeComment also takes a bare text, as post-functions send it.
func (e *envelope) decodeComment(d *decoding) error {
	if d.Next() != jx.String {
		return decodeNew(d, &e.Comment, (*Comment).member)
	}
	e.Comment = nil
	var comment Comment
	err := text(d, &comment.Body)
	if comment.Body != "" {
		e.Comment = &comment
	}
	return err
}

// finish draws the conclusions that need the whole body.
func (e *envelope) finish() *Event {
	e.aliases()
	if e.Issue == nil && e.isBare {
		e.Issue = e.bare
	}
	if e.Name == "" && e.keys == 2 && e.hasUsername && e.accountID != "" {
		e.UserDeleted = true
		e.User = User{AccountID: e.accountID, Name: e.username}
	}
	e.Source = e.source()
	if e.Issue == nil {
		e.Issue = bareIssue(e.issueID())
	}
	if e.Version != nil {
		e.Version.MergedInto = e.mergedInto
	}
	if e.Sprint != nil && e.oldSprint != nil {
		e.Changelog.Items = append(e.Changelog.Items, e.Sprint.since(e.oldSprint)...)
	}
	return &e.Event
}

// aliases uses the members with a less usual name where the usual member is missing.
func (e *envelope) aliases() {
	if e.propertyKey != "" && e.option == nil {
		e.option = &Property{Key: e.propertyKey}
	}
	e.Property = cmp.Or(e.Property, e.option)
	e.IssueType = cmp.Or(e.IssueType, e.issueType)
	e.Board = cmp.Or(e.Board, e.board)
}

func (e *envelope) source() Source {
	switch {
	case e.Name != "" || e.UserDeleted:
		return SourceWebhook
	case e.Transition != nil:
		return SourcePostFunction
	case e.Issue != nil:
		return SourceAutomation
	default:
		return SourceUnknown
	}
}

// issueInLink matches the link to a comment or a worklog, as in .../rest/api/2/issue/10013/comment/10082.
var issueInLink = regexp.MustCompile(`/issue/(\d+)/`)

// issueID finds the issue of a comment or a worklog in bodies that have no issue: Data Center sends comments, and Jira
// Cloud worklogs, in that way.
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
