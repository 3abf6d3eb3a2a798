// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jira"
)

// service writes the attributes of a custom field of Jira Service Management. The alias of the field is the last part
// of each key, as in the templates of the semantic conventions (http.request.header.<key>). An alias that users choose
// can then never make an attribute the namespace of another one.
func (w writer) service(alias string, value any) {
	switch value := value.(type) {
	case *jira.SLA:
		w.sla(alias, value)
	case *jira.Approval:
		w.approval(alias, value)
	case *jira.Request:
		w.putID(attrRequestTypeID+alias, value.Type.ID)
		w.putText(attrRequestTypeName+alias, value.Type.Name)
		w.putText(attrRequestStatusName+alias, value.Status.Name)
		w.putID(attrRequestStatusCategory+alias, value.Status.Category)
		w.putTime(attrRequestStatusChangedAt+alias, value.Status.Since)
	case *jira.Satisfaction:
		w.putInt(attrSatisfactionRating+alias, value.Rating)
		if w.opts.CommentBody {
			w.putText(attrSatisfactionComment+alias, value.Comment)
		}
	}
}

// mainKey returns the key, without the alias, of the attribute that every field of its kind has.
func mainKey(field jira.CustomField) string {
	switch field.Service.(type) {
	case *jira.SLA:
		return attrSLAID
	case *jira.Approval:
		return attrApprovalID
	default:
		return attrIssueCustom
	}
}

func (w writer) sla(alias string, sla *jira.SLA) {
	w.putID(attrSLAID+alias, sla.ID)
	w.putText(attrSLAName+alias, sla.Name)
	ongoing := sla.Ongoing
	w.putBool(attrSLAOngoingBreached+alias, ongoing.Breached)
	w.putBool(attrSLAOngoingPaused+alias, ongoing.Paused)
	w.putTime(attrSLAOngoingStartedAt+alias, ongoing.Started)
	w.putTime(attrSLAOngoingBreachAt+alias, ongoing.Breach)
	w.putMillis(attrSLAOngoingGoal+alias, ongoing.Goal)
	w.putMillis(attrSLAOngoingElapsed+alias, ongoing.Elapsed)
	w.putMillis(attrSLAOngoingRemaining+alias, ongoing.Remaining)
	completed := sla.Completed
	w.putBool(attrSLACompletedBreached+alias, completed.Breached)
	w.putTime(attrSLACompletedStartedAt+alias, completed.Started)
	w.putTime(attrSLACompletedStoppedAt+alias, completed.Stopped)
	w.putTime(attrSLACompletedBreachAt+alias, completed.Breach)
	w.putMillis(attrSLACompletedGoal+alias, completed.Goal)
	w.putMillis(attrSLACompletedElapsed+alias, completed.Elapsed)
	w.putMillis(attrSLACompletedRemaining+alias, completed.Remaining)
	if sla.IsCut {
		w.budget.markCut(attrSLACompletedStoppedAt + alias)
	}
}

// putMillis writes a number of milliseconds as whole seconds.
func (w writer) putMillis(key string, duration *int64) {
	if duration == nil {
		return
	}
	const perSecond = int64(time.Second / time.Millisecond)
	seconds, rest := *duration/perSecond, *duration%perSecond
	switch {
	case rest >= perSecond/2:
		seconds++
	case rest <= -perSecond/2:
		seconds--
	}
	w.attrs.PutInt(key, seconds)
}

// States of an approval.
const (
	approvalPending   = "pending"
	approvalCompleted = "completed"
)

// Types of the condition of an approval.
const (
	conditionNumber  = "number"
	conditionPercent = "percent"
)

func (w writer) approval(alias string, a *jira.Approval) {
	w.putID(attrApprovalID+alias, a.ID)
	w.putText(attrApprovalName+alias, a.Name)
	switch {
	case a.IsPending():
		w.putID(attrApprovalState+alias, approvalPending)
	case a.Decision != "":
		w.putID(attrApprovalState+alias, approvalCompleted)
		w.putID(attrApprovalDecision+alias, a.Decision)
	}
	w.putTime(attrApprovalCreatedAt+alias, a.Created)
	w.putTime(attrApprovalCompletedAt+alias, a.Completed)
	switch a.Condition.Type {
	case conditionNumber:
		w.putInt(attrApprovalRequiredCount+alias, a.Condition.Value)
	case conditionPercent:
		w.putInt(attrApprovalRequiredPercent+alias, a.Condition.Value)
	}
	w.approvers(alias, a.Approvers)
}

// approvers writes the people who decide about an approval, as the people in other custom fields.
func (w writer) approvers(alias string, a jira.Approvers) {
	if a.Total == 0 {
		return
	}
	w.putInt(attrApprovalApproverCount+alias, &a.Total)
	w.putInt(attrApprovalApprovedCount+alias, &a.Approved)
	w.putInt(attrApprovalDeclinedCount+alias, &a.Declined)
	if a.IsCut {
		w.budget.markCut(attrApprovalApproverCount + alias)
	}
	id := func(key string, u jira.User) string { return w.id(key, u.ID()) }
	w.putPersons(attrApproverID+alias, a.Users, a.IsCut, true, id)
	w.customPeople(approverTemplates, alias, a.Users, a.IsCut, true)
}
