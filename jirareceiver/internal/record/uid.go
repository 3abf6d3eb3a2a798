package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// uidLength is the number of bytes of the hash that make a log.record.uid.
const uidLength = 16

// recordUID identifies the event and not the delivery: a repeated delivery, or one of a second registration that matches
// too, gets the same. It is "" for a delivery without a body that Jira did not number: nothing tells two of those apart.
func recordUID(o Occurrence, d Delivery) string {
	entity, change := o.Kind.identify(o.Event)
	switch {
	case entity != "" && change != "":
	case len(d.Body) > 0:
		change = string(jira.Fingerprint(d.Body))
	case d.ID != "":
		change = d.ID
	default:
		return ""
	}
	return hash(o.Site.URL, o.Kind.Name, entity, change)
}

// changeUID identifies one change of an event with several.
func changeUID(eventUID string, index int) string {
	return hash(eventUID, strconv.Itoa(index))
}

// identify returns the id of what changed and the id of the change, as far as the body has them. What the body says as a
// whole stands in for what it lacks.
type identify func(ev *jira.Event) (entity, change string)

// byBody is for events whose bodies are not known to hold an identity.
func byBody(*jira.Event) (entity, change string) { return "", "" }

// byIssue takes a change without changelog for one of the comment in the body, as Data Center sends them.
func byIssue(ev *jira.Event) (entity, change string) {
	if ev.Issue == nil {
		return "", ""
	}
	if ev.Changelog.ID != "" || ev.Timestamp.IsZero() {
		return ev.Issue.ID, ev.Changelog.ID
	}
	return ev.Issue.ID, string(packed(
		millis(ev.Timestamp), ev.IssueEventType, transitionID(ev), ev.Entity().ID, millis(ev.Revision().Updated),
	))
}

func transitionID(ev *jira.Event) string {
	if ev.Transition == nil {
		return ""
	}
	return ev.Transition.ID
}

// byRevision is for what has a time of its own last change.
func byRevision(ev *jira.Event) (entity, change string) {
	return ev.Entity().ID, cmp.Or(millis(ev.Revision().Updated), millis(ev.Timestamp))
}

func byEntity(ev *jira.Event) (entity, change string) {
	return ev.Entity().ID, millis(ev.Timestamp)
}

// byUser counts on a user being deleted once.
func byUser(ev *jira.Event) (entity, change string) {
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
	digest := sha256.Sum256(packed(parts...))
	return hex.EncodeToString(digest[:uidLength])
}

// packed joins parts with the length of each before it. Parts from a body may contain any separator, so that with one, moving it
// from a part to the next would change nothing.
func packed(parts ...string) []byte {
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
