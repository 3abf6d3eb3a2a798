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
func recordUID(site, name string, ev *webhook.Event, d Delivery) string {
	entity, change := identity(name, ev)
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
	return hash(site, name, entity, change)
}

// identity returns the id of what changed and the id of the change, as far as the body has them. It knows nothing of events
// whose bodies are not known to hold either.
func identity(name string, ev *webhook.Event) (entity, change string) {
	switch {
	case strings.HasPrefix(name, issueNamespace) && ev.Issue != nil:
		return ev.Issue.ID, cmp.Or(ev.Changelog.ID, issueChange(ev))
	case ev.Entity.ID != "":
		return ev.Entity.ID, cmp.Or(millis(ev.Entity.Updated), millis(ev.Timestamp))
	case strings.HasPrefix(name, userNamespace):
		return cmp.Or(ev.DeletedUser, ev.User.ID()), cmp.Or(millis(ev.Timestamp), ev.DeletedUser)
	default:
		return "", ""
	}
}

// issueChange identifies a change without changelog. On Data Center that may be one of a comment.
func issueChange(ev *webhook.Event) string {
	if ev.Timestamp.IsZero() {
		return ""
	}
	return strings.Join([]string{millis(ev.Timestamp), ev.IssueEventType, ev.Entity.ID, millis(ev.Entity.Updated)}, " ")
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
