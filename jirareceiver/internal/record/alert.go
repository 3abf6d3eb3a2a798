// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// alertNamespace starts the names of the events about alerts.
const alertNamespace = "jira.alert."

// actionCreate is the action that creates an alert.
const actionCreate = "Create"

// alertEvents are the actions on alerts, in the order in which people usually perform them. Atlassian documents most of
// them with their bodies, and the others in the settings of the integration:
// https://support.atlassian.com/jira-service-management-cloud/docs/alert-action-data-for-jira-edge-connector/
var alertEvents = []struct {
	name    string   // rest of our event name
	actions []string // names of the action in bodies
}{
	{"created", []string{actionCreate}},
	{"acknowledged", []string{"Acknowledge"}},
	{"unacknowledged", []string{"UnAcknowledge"}},
	{"escalated", []string{"Escalate", "EscalateNext", "EscalateToNext"}},
	{"snoozed", []string{"Snooze"}},
	{"snooze_ended", []string{"SnoozeEnded"}},
	{"ownership_assigned", []string{"AssignOwnership"}},
	{"ownership_taken", []string{"TakeOwnership"}},
	{"responder_added", []string{"AddResponder"}},
	{"recipient_added", []string{"AddRecipient"}},
	{"team_added", []string{"AddTeam"}},
	{"note_added", []string{"AddNote"}},
	{"tags_added", []string{"AddTags"}},
	{"tags_removed", []string{"RemoveTags"}},
	{"priority_updated", []string{"UpdatePriority"}},
	{"message_updated", []string{"UpdateMessage"}},
	{"description_updated", []string{"UpdateDescription"}},
	{"closed", []string{"Close"}},
	{"deleted", []string{"Delete"}},
}

// knownAlerts holds the types of the events about alerts by the action in lower case.
var knownAlerts = alertTypes()

func alertTypes() map[string]EventType {
	types := map[string]EventType{}
	for _, event := range alertEvents {
		for _, action := range event.actions {
			types[strings.ToLower(action)] = EventType{alertNamespace + event.name, true, byAlert}
		}
	}
	return types
}

// alertNames returns the event names of the known actions on alerts.
func alertNames() []string {
	names := make([]string, len(alertEvents))
	for i, event := range alertEvents {
		names[i] = alertNamespace + event.name
	}
	return names
}

// alertType returns the type of an action on an alert. Users can define actions of their own, with any name: such an
// action must not look like another event.
func alertType(action string) EventType {
	if et, found := knownAlerts[strings.ToLower(jira.Cut(action, jira.MaxID))]; found {
		return et
	}
	name := snakeCase(jira.Cut(action, jira.MaxID))
	if !identifier.MatchString(name) || isTaken(alertNamespace+name) {
		return EventType{eventUnknown, true, byAlert}
	}
	return EventType{alertNamespace + name, false, byAlert}
}

// snakeCase returns the words of a name in camel case, such as RestartServer, in lower case and joined with
// underscores.
func snakeCase(name string) string {
	var b strings.Builder
	previous := ' '
	for _, r := range strings.TrimSpace(name) {
		if unicode.IsUpper(r) && (unicode.IsLower(previous) || unicode.IsDigit(previous)) {
			b.WriteByte('_')
		}
		if r == ' ' || r == '-' {
			r = '_'
		}
		b.WriteRune(unicode.ToLower(r))
		previous = r
	}
	return b.String()
}

// byAlert identifies actions on an alert. Two actions can be performed within one millisecond, and the body has the
// time in nanoseconds. Two people can perform the same action at the same time, and one action can concern several
// recipients. If one of them has only a name, the whole payload identifies the action, because the uid is a hash
// without a key, from which the name could be guessed.
func byAlert(ev *jira.Event) (subject, change string) {
	a := ev.Alert
	isNamed := a.User != (jira.User{}) && a.User.AccountID == "" || a.Recipient.Name != "" && a.Recipient.ID == ""
	if a.Updated.IsZero() || isNamed {
		return a.ID, ""
	}
	return a.ID, string(pack(
		a.Action, strconv.FormatInt(a.Updated.UnixNano(), 10), a.User.AccountID, a.Recipient.ID, a.Escalation.ID,
	))
}

// responderKeys is the largest number of keys of an item of the list of responders.
const responderKeys = 3

func (w writer) alert(a *jira.Alert) {
	w.alertAction(a)
	w.putID(attrAlertID, a.ID)
	w.putID(attrAlertTinyID, a.TinyID)
	w.putText(attrAlertAlias, a.Alias)
	w.putText(attrAlertMessage, a.Message)
	w.putText(attrAlertPriority, a.Priority)
	w.putText(attrAlertPreviousPriority, a.PreviousPriority)
	w.putText(attrAlertEntity, a.Concern)
	w.putText(attrAlertSource, w.alertOrigin(a))
	w.putTexts(attrAlertTags, a.Tags)
	w.putTexts(attrAlertAddedTags, a.AddedTags)
	w.putTexts(attrAlertRemovedTags, a.RemovedTags)
	w.putInt(attrAlertCount, a.Count)
	w.putTime(attrAlertCreatedAt, a.Created)
	w.putTime(attrAlertUpdatedAt, a.Updated)
	w.putTexts(attrAlertTeams, a.Teams)
	w.putText(attrAlertTeam, a.Team)
	w.alertPeople(a)
	if w.opts.Description {
		w.putText(attrAlertDescription, a.Description)
		w.putText(attrAlertDetails, a.Details)
	}
	if w.opts.CommentBody {
		w.putText(attrAlertNote, a.Note)
	}
}

func (w writer) alertAction(a *jira.Alert) {
	w.putText(attrAlertAction, a.Action)
	w.putText(attrAlertActionSourceName, w.actionSource(a))
	w.putText(attrAlertActionSourceType, a.SourceType)
	w.putID(attrAlertEscalationID, a.Escalation.ID)
	w.putText(attrAlertEscalationName, a.Escalation.Name)
	w.putID(attrAlertIntegrationID, a.Integration.ID)
	w.putText(attrAlertIntegrationName, a.Integration.Name)
}

// alertPeople writes the owner, the responders and the recipient of an alert.
func (w writer) alertPeople(a *jira.Alert) {
	w.person(alertOwnerKeys, a.Owner)
	w.putID(attrAlertRecipientID, a.Recipient.ID)
	w.putText(attrAlertRecipientType, a.Recipient.Type)
	if w.opts.UserDetails {
		w.putText(attrAlertRecipientName, a.Recipient.Name)
	}
	w.responders(a)
}

func (w writer) responders(a *jira.Alert) {
	if a.RespondersCut {
		w.budget.markCut(attrAlertResponders)
	}
	responders := slices.DeleteFunc(slices.Clone(a.Responders), func(r jira.Responder) bool {
		return r.ID == "" && r.Type == "" && !w.opts.UserDetails // nothing but a name
	})
	if len(responders) == 0 {
		return
	}
	items := w.attrs.PutEmptySlice(attrAlertResponders)
	items.EnsureCapacity(len(responders))
	for _, r := range responders {
		item := w.into(items.AppendEmpty().SetEmptyMap(), attrAlertResponders)
		item.attrs.EnsureCapacity(responderKeys)
		item.responder(r)
	}
}

func (w writer) responder(r jira.Responder) {
	w.putID(keyResponderID, r.ID)
	w.putText(keyResponderType, r.Type)
	if w.opts.UserDetails {
		w.putText(keyResponderName, r.Name)
	}
}

// alertOrigin returns the source of an alert, or "" if the source may be a person whose name the options exclude. The
// source of an alert that a person creates is the person, and the bodies of all later actions repeat it. It is the name
// of a tool if the tool performs the action, and either creates the alert with it, or has the same name.
func (w writer) alertOrigin(a *jira.Alert) string {
	isTool := hasToolSource(a) && !isPersonOf(a, a.Origin) &&
		(strings.EqualFold(a.Action, actionCreate) || isSameName(a.Origin, a.SourceName))
	if isTool || w.opts.UserDetails {
		return a.Origin
	}
	return ""
}

// actionSource returns the source of an action, or "" if the source may be a person whose name the options exclude.
func (w writer) actionSource(a *jira.Alert) string {
	if hasToolSource(a) && !isPersonOf(a, a.SourceName) || w.opts.UserDetails {
		return a.SourceName
	}
	return ""
}

// peopleSources are the types of sources through which people act, in lower case. All other types are API, or the type
// of an integration, such as Prometheus.
var peopleSources = map[string]bool{
	"": true, "web": true, "mobile": true, "android": true, "ios": true, "email": true, "phone": true, "voice": true,
	"sms": true, "chat": true, "slack": true, "msteams": true, "microsoft teams": true, "user": true, "system": true,
}

// hasToolSource reports whether the action was performed through an API or by an integration.
func hasToolSource(a *jira.Alert) bool {
	return !peopleSources[strings.ToLower(strings.TrimSpace(jira.Cut(a.SourceType, jira.MaxID)))]
}

// isPersonOf reports whether a source is an e-mail address, or the name of a person in the body.
func isPersonOf(a *jira.Alert, source string) bool {
	isPerson := func(r jira.Responder) bool { return isSameName(source, r.Name) }
	return strings.Contains(source, "@") ||
		isSameName(source, a.User.Name) || isSameName(source, a.User.DisplayName) || isSameName(source, a.Owner.Name) ||
		isPerson(a.Recipient) || slices.ContainsFunc(a.Responders, isPerson)
}

func isSameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// alertPriority returns the priority of the alert, or "".
func alertPriority(ev *jira.Event) string { return cmp.Or(ev.Alert, &jira.Alert{}).Priority }
