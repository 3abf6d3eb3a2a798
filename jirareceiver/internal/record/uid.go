// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// uidLength is the number of bytes of a hash that become a log.record.uid.
const uidLength = 16

// RestsOnChangelog reports whether the log.record.uid of an event rests on the id of its changelog.
func RestsOnChangelog(ev ClassifiedEvent) bool {
	_, happensOnce := once[ev.Type.Name]
	return ev.Issue != nil && ev.Changelog.ID != "" && (!happensOnce || ev.Site.URL == "")
}

// ChangeUID returns the log.record.uid of an event if it rests on an id that Jira gives to the change, so that each
// other way by which the event arrives gives the same uid. Otherwise it returns "".
func ChangeUID(ev ClassifiedEvent) string {
	_, happensOnce := once[ev.Type.Name]
	isRevision := (ev.Comment != nil || ev.Worklog != nil) && !ev.Revision().Updated.IsZero() &&
		strings.HasSuffix(ev.Type.Name, actionUpdated)
	if happensOnce && ev.Site.URL != "" || RestsOnChangelog(ev) || isRevision {
		return recordUID(ev, Delivery{})
	}
	return ""
}

// recordUID returns the log.record.uid of an event: 32 hexadecimal digits that identify the event and not the delivery.
// All deliveries of one event have the same uid, also if several registered webhooks send the event. The same event from
// Jira's REST API has this uid too.
//
// The uid depends on the id of the subject and the id of the change. If the payload lacks one of them, the fingerprint
// of the payload is the id of the change. If the payload is empty, the delivery ID is the id of the change. An empty
// payload without a delivery ID has the uid "", because two such deliveries cannot be distinguished.
func recordUID(ev ClassifiedEvent, d Delivery) string {
	if d.ChangeUID != "" {
		return d.ChangeUID
	}
	subject, change := subjectAndChange(ev)
	switch {
	case subject != "" && change != "":
	case !jira.IsEmpty(d.Payload):
		change = string(jira.Fingerprint(d.Payload))
	case d.ID != "":
		change = d.ID
	default:
		return ""
	}
	return hash(ev.Site.URL, nameInUID(ev), subject, change)
}

// subjectAndChange returns the id of the subject and the id of the change. An event that happens once to its subject needs
// no id of the change: its time and its changelog, which only some bodies contain, do not count. But if the site is
// unknown, a subject of another site may have the same id.
func subjectAndChange(ev ClassifiedEvent) (subject, change string) {
	if idOf, happensOnce := once[ev.Type.Name]; happensOnce && ev.Site.URL != "" {
		if id := idOf(ev.Event); id != "" {
			return id, id
		}
	}
	return ev.Type.identify(ev.Event)
}

// nameInUID returns the event name that the uid contains. The id of a changelog identifies it under each name: the same
// changelog is an event about the worklogs of the issue in some bodies, and an update of the issue in others.
func nameInUID(ev ClassifiedEvent) string {
	if ev.Type.Name == eventIssueWorklogUpdated && ev.Changelog.ID != "" {
		return eventIssueUpdated
	}
	return ev.Type.Name
}

// changeUIDs returns the log.record.uid of the record of each changed field. It consists of the uid of the event and the
// content of the change, so that the order of the changes does not count. Changes with the same content are numbered.
func changeUIDs(eventUID string, changes []jira.Change) []string {
	uids := make([]string, len(changes))
	seen := make(map[string]int, len(changes))
	for _, i := range sortedChanges(changes) {
		content := hash(append([]string{eventUID}, publicContent(changes[i])...)...)
		uids[i] = hash(content, strconv.Itoa(seen[content]))
		seen[content]++
	}
	return uids
}

// publicContent returns the parts of a change that records contain with all options: neither login names nor names of
// people, and no descriptions and comments. The hash has no key, and everyone who can read the records knows the uid of
// the event, so that a login name in the hash could be guessed.
func publicContent(change jira.Change) []string {
	field := strings.ToLower(cmp.Or(change.FieldID, change.Field))
	switch privacyOf(change) {
	case public:
		return []string{field, change.From, change.FromText, change.To, change.ToText}
	case aboutUser:
		from := peopleIn(change, change.From, change.FromAccountID)
		to := peopleIn(change, change.To, change.ToAccountID)
		return []string{field, from.ids(), to.ids()}
	default:
		return []string{field}
	}
}

// sortedChanges returns the indexes of the changes in the order of all their values, so that the numbers of changes with
// the same public content do not depend on the order in which Jira sends them.
func sortedChanges(changes []jira.Change) []int {
	indexes := make([]int, len(changes))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortFunc(indexes, func(i, j int) int { return compareChanges(&changes[i], &changes[j]) })
	return indexes
}

func compareChanges(a, b *jira.Change) int {
	return cmp.Or(
		strings.Compare(a.FieldID, b.FieldID),
		strings.Compare(a.Field, b.Field),
		strings.Compare(a.FieldType, b.FieldType),
		strings.Compare(a.From, b.From),
		strings.Compare(a.FromText, b.FromText),
		strings.Compare(a.To, b.To),
		strings.Compare(a.ToText, b.ToText),
		strings.Compare(a.FromAccountID, b.FromAccountID),
		strings.Compare(a.ToAccountID, b.ToAccountID),
	)
}

// identify returns the id of the subject that changed and the id of the change. Either is "" if the body does not
// contain it.
type identify func(ev *jira.Event) (subject, change string)

// byBody identifies events whose bodies are not known to contain ids.
func byBody(*jira.Event) (subject, change string) { return "", "" }

// once holds the id of the subject of each event that happens once to it. Jira takes the ids of these subjects from
// sequences, and gives none of them again. That is not known of the ids of sprints, boards and issue types.
var once = map[string]func(*jira.Event) string{
	eventIssueCreated:         idOfIssue,
	eventIssueDeleted:         idOfIssue,
	"jira.comment.created":    idOfComment,
	"jira.comment.deleted":    idOfComment,
	"jira.worklog.created":    idOfWorklog,
	"jira.worklog.deleted":    idOfWorklog,
	"jira.attachment.created": idOfAttachment,
	"jira.attachment.deleted": idOfAttachment,
	"jira.issue_link.created": idOfLink,
	"jira.issue_link.deleted": idOfLink,
}

func idOfIssue(ev *jira.Event) string      { return cmp.Or(ev.Issue, &jira.Issue{}).ID }
func idOfComment(ev *jira.Event) string    { return cmp.Or(ev.Comment, &jira.Comment{}).ID }
func idOfWorklog(ev *jira.Event) string    { return cmp.Or(ev.Worklog, &jira.Worklog{}).ID }
func idOfAttachment(ev *jira.Event) string { return cmp.Or(ev.Attachment, &jira.Attachment{}).ID }
func idOfLink(ev *jira.Event) string       { return cmp.Or(ev.IssueLink, &jira.IssueLink{}).ID }

// byIssue identifies events about an issue. A change without a changelog is a change of the comment in the body: Data
// Center sends changes of comments in this form.
func byIssue(ev *jira.Event) (subject, change string) {
	if ev.Issue == nil {
		return "", ""
	}
	if ev.Changelog.ID != "" || ev.Timestamp.IsZero() {
		return ev.Issue.ID, ev.Changelog.ID
	}
	return ev.Issue.ID, string(pack(
		millis(ev.Timestamp), ev.IssueEventType, transitionID(ev), ev.Entity().ID, millis(ev.Revision().Updated),
	))
}

func transitionID(ev *jira.Event) string {
	if ev.Transition == nil {
		return ""
	}
	return ev.Transition.ID
}

// byRevision identifies events about a subject that contains the time of its last change.
func byRevision(ev *jira.Event) (subject, change string) {
	return ev.Entity().ID, cmp.Or(millis(ev.Revision().Updated), millis(ev.Timestamp))
}

// byEntity identifies events about a subject with an id.
func byEntity(ev *jira.Event) (subject, change string) {
	return ev.Entity().ID, millis(ev.Timestamp)
}

// byUser identifies events about a user. It assumes that a user is deleted once.
func byUser(ev *jira.Event) (subject, change string) {
	if ev.UserDeleted {
		return ev.User.ID(), ev.User.ID()
	}
	return ev.User.ID(), millis(ev.Timestamp)
}

func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func hash(parts ...string) string {
	digest := sha256.Sum256(pack(parts...))
	return hex.EncodeToString(digest[:uidLength])
}

// pack joins parts and puts its length before each part, so that different parts always give different results. With a
// separator they might not, because parts from a body may contain any separator.
func pack(parts ...string) []byte {
	size := 0
	for _, part := range parts {
		size += binary.MaxVarintLen64 + len(part)
	}
	joined := make([]byte, 0, size)
	for _, part := range parts {
		joined = binary.AppendUvarint(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return joined
}
