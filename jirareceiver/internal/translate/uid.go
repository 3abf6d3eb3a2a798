package translate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// uidLength is the number of bytes of the hash that make a log.record.uid.
const uidLength = 16

// recordUID identifies the event and not the delivery: a repeated delivery, or one of a second registration that matches
// too, gets the same. It is "" for a delivery without a body that Jira did not number: nothing tells two of those apart.
func recordUID(site string, e event, ev *webhook.Event, d Delivery) string {
	entity, change := e.identify(ev)
	switch {
	case entity != "" && change != "":
	case len(d.Body) > 0:
		digest := sha256.Sum256(d.Body)
		change = string(digest[:])
	case d.ID != "":
		change = d.ID
	default:
		return ""
	}
	return hash(site, e.name, entity, change)
}

// identify returns the id of what changed and the id of the change, as far as the body has them. The whole body stands in
// for what it lacks.
type identify func(ev *webhook.Event) (entity, change string)

// byBody is for events whose bodies are not known to hold an identity.
func byBody(*webhook.Event) (entity, change string) { return "", "" }

// byIssue takes a change without changelog for one of the comment in the body, as Data Center sends them.
func byIssue(ev *webhook.Event) (entity, change string) {
	if ev.Issue == nil {
		return "", ""
	}
	if ev.Changelog.ID != "" || ev.Timestamp.IsZero() {
		return ev.Issue.ID, ev.Changelog.ID
	}
	return ev.Issue.ID, strings.Join([]string{millis(ev.Timestamp), ev.IssueEventType, ev.Entity.ID, millis(ev.Entity.Updated)}, " ")
}

// byRevision is for what has a time of its own last change.
func byRevision(ev *webhook.Event) (entity, change string) {
	return ev.Entity.ID, cmp.Or(millis(ev.Entity.Updated), millis(ev.Timestamp))
}

func byEntity(ev *webhook.Event) (entity, change string) {
	return ev.Entity.ID, millis(ev.Timestamp)
}

func byUser(ev *webhook.Event) (entity, change string) {
	return cmp.Or(ev.DeletedUser, ev.User.ID()), cmp.Or(millis(ev.Timestamp), ev.DeletedUser)
}

func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// hash separates the parts, so that moving a character from one to the next makes another hash.
func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:uidLength])
}
