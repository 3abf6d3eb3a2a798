package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// uidLength is the number of bytes of the hash that make a log.record.uid.
const uidLength = 16

// recordUID identifies the event and not the delivery: a repeated delivery, or one of a second registration that matches
// too, gets the same. It is "" for a delivery without a body that Jira did not number: nothing tells two of those apart.
func recordUID(site, name string, ev *webhook.Event, d Delivery) string {
	entity, change := identity(ev)
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

// identity returns the id of what changed and the id of the change, as far as the body has them.
func identity(ev *webhook.Event) (entity, change string) {
	switch {
	case ev.DeletedUser != "":
		return ev.DeletedUser, "deleted"
	case ev.Issue != nil && ev.Changelog.ID != "":
		return ev.Issue.ID, ev.Changelog.ID
	case ev.Entity.ID != "":
		return ev.Entity.ID, firstInstant(ev.Entity.Updated, ev.Timestamp)
	case ev.Issue != nil:
		return ev.Issue.ID, firstInstant(ev.Timestamp)
	default:
		return "", ""
	}
}

func firstInstant(instants ...time.Time) string {
	for _, t := range instants {
		if !t.IsZero() {
			return strconv.FormatInt(t.UnixMilli(), 10)
		}
	}
	return ""
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
