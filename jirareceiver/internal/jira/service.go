// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jira

import (
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// The objects of Jira Service Management are values of custom fields. Issues contain them in the format of its REST
// API: https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/

// serviceObject contains the members of an object that only objects of Jira Service Management have.
type serviceObject struct {
	sla      *SLA
	approval *Approval
	status   *RequestStatus
	comment  string // of the satisfaction of a customer
}

// decodeMember reads a member if it is one of these, and reports whether it is.
func (o *serviceObject) decodeMember(d *decoding, key []byte) (isRead bool, err error) {
	switch string(key) {
	case "ongoingCycle", "completedCycles":
		return true, allocate(&o.sla).decodeMember(d, key)
	case "finalDecision", "approvers", "condition", "createdDate", "completedDate":
		return true, allocate(&o.approval).decodeMember(d, key)
	case "currentStatus":
		return true, decodePointer(d, &o.status, (*RequestStatus).decodeMember)
	case "comment":
		return true, decodeFeedback(d, &o.comment)
	default:
		return false, nil
	}
}

// allocate returns the T at target, which it allocates if necessary.
func allocate[T any](target **T) *T {
	if *target == nil {
		*target = new(T)
	}
	return *target
}

// decodeFeedback reads the comment of a customer: a text, or an object that contains it.
func decodeFeedback(d *decoding, s *string) error {
	if d.Next() != jx.Object {
		return decodeText(d, s)
	}
	*s = ""
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "body" {
			return d.Skip()
		}
		return decodeMarkup(d, s)
	})
}

// appendService keeps an SLA or an approval, and reports whether the object is one of them. A field contains one SLA,
// or all approvals of the issue.
func (v *fieldValues) appendService(o *fieldObject) (isService bool) {
	switch {
	case o.sla != nil:
		o.sla.ID, o.sla.Name = o.id, o.Name
		v.isUnreadable = v.isUnreadable || v.service != nil || o.sla.isUnreadable || o.sla.Ongoing.isUnreadable()
		if v.service == nil {
			v.service = o.sla
		}
	case o.approval != nil && o.approval.isApproval:
		o.approval.ID, o.approval.Name = o.id, o.Name
		earlier, isApproval := v.service.(*Approval)
		v.isUnreadable = v.isUnreadable || v.service != nil && !isApproval || !o.approval.isReadable()
		if v.service == nil || isApproval && o.approval.replaces(earlier) {
			v.service = o.approval
		}
	default:
		return false
	}
	return true
}

// service returns the request or the satisfaction of an object, or nil. Such a field usually has a value too.
func (o *fieldObject) service() any {
	request := Request{Type: o.requestType}
	if o.status != nil {
		request.Status = *o.status
	}
	switch {
	case request != (Request{}):
		return new(request) // a pointer to the variable would allocate it for every object
	case o.rating != nil:
		return &Satisfaction{Rating: wholeNumber(o.rating), Comment: o.comment}
	default:
		return nil
	}
}

// wholeNumber returns a value of a field as a whole number, or nil.
func wholeNumber(value any) *int64 {
	n, isWhole := int64(0), false
	switch value := value.(type) {
	case float64:
		n = int64(value)
		isWhole = float64(n) == value
	case string:
		n, isWhole = parseWhole(value)
	}
	if !isWhole {
		return nil
	}
	return &n
}

// SLA is the state of a service level agreement.
type SLA struct {
	ID, Name  string
	Ongoing   Cycle // the running cycle, or the zero value
	Completed Cycle // the cycle that was completed last, or the zero value
	IsCut     bool  // whether the body contains more than MaxEntries completed cycles

	isUnreadable bool // whether a completed cycle is unreadable
}

// Cycle is one run of the clock of an SLA. An SLA can start again, for example after each question of a customer.
type Cycle struct {
	Started, Stopped time.Time
	Breach           time.Time // time at which the goal is or was missed
	Breached, Paused *bool
	Goal, Elapsed    *int64 // milliseconds within the working hours of the calendar
	Remaining        *int64 // the same; negative after a breach

	hasContent, isOfAnotherType bool
}

func (s *SLA) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "ongoingCycle":
		return s.Ongoing.decode(d)
	case "completedCycles":
		return s.decodeCompleted(d)
	default:
		return d.Skip()
	}
}

// decodeCompleted keeps the cycle that was stopped last: the order of the cycles is not documented.
func (s *SLA) decodeCompleted(d *decoding) error {
	s.Completed, s.IsCut, s.isUnreadable = Cycle{}, false, false
	var cycle Cycle
	return decodeEntries(d, &s.IsCut, func(d *decoding) error {
		err := cycle.decode(d)
		s.isUnreadable = s.isUnreadable || cycle.isUnreadable()
		if cycle.isReadable() && !cycle.Stopped.Before(s.Completed.Stopped) {
			s.Completed = cycle
		}
		return err
	})
}

func (c *Cycle) decode(d *decoding) error {
	kind := d.Next()
	err := decodeInto(d, c, (*Cycle).decodeMember)
	c.isOfAnotherType = kind != jx.Object && kind != jx.Null
	return err
}

func (c *Cycle) decodeMember(d *decoding, key []byte) error {
	c.hasContent = true
	switch string(key) {
	case "startTime":
		return decodeMoment(d, &c.Started)
	case "stopTime":
		return decodeMoment(d, &c.Stopped)
	case "breachTime":
		return decodeMoment(d, &c.Breach)
	case "breached":
		return decodeBool(d, &c.Breached)
	case "paused":
		return decodeBool(d, &c.Paused)
	case "goalDuration":
		return decodeDuration(d, &c.Goal)
	case "elapsedTime":
		return decodeDuration(d, &c.Elapsed)
	case "remainingTime":
		return decodeDuration(d, &c.Remaining)
	default:
		return d.Skip()
	}
}

// isReadable reports whether the decoder understands a part of the cycle.
func (c *Cycle) isReadable() bool {
	rest := *c
	rest.hasContent, rest.isOfAnotherType = false, false
	return rest != Cycle{}
}

// isUnreadable reports whether the decoder understands nothing of a cycle that contains something.
func (c *Cycle) isUnreadable() bool {
	return c.isOfAnotherType || c.hasContent && !c.isReadable()
}

// decodeMoment reads a time, or an object with the time in several formats.
func decodeMoment(d *decoding, t *time.Time) error {
	if d.Next() != jx.Object {
		return decodeTime(d, t)
	}
	var epochMillis, jira, iso8601 time.Time
	err := decodeObject(d, func(d *decoding, key []byte) error {
		switch string(key) {
		case "epochMillis":
			return decodeTime(d, &epochMillis)
		case "jira":
			return decodeTime(d, &jira)
		case "iso8601":
			return decodeTime(d, &iso8601)
		default:
			return d.Skip()
		}
	})
	*t = firstTime(epochMillis, jira, iso8601)
	return err
}

// firstTime returns the first time that is not zero.
func firstTime(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return first
}

// decodeDuration reads a number of milliseconds, or an object that contains it.
func decodeDuration(d *decoding, millis **int64) error {
	if d.Next() != jx.Object {
		return decodeInt(d, millis)
	}
	*millis = nil
	return decodeObject(d, func(d *decoding, key []byte) error {
		if string(key) != "millis" {
			return d.Skip()
		}
		return decodeInt(d, millis)
	})
}

// The decisions about an approval, and of an approver.
const (
	decisionPending  = "pending"
	decisionApproved = "approved"
	decisionDeclined = "declined"
)

// Approval is a step of a workflow that waits for the consent of approvers.
type Approval struct {
	ID, Name           string
	Decision           string // approved, declined or pending
	Created, Completed time.Time
	Approvers          Approvers
	Condition          ApprovalCondition

	isApproval bool // whether the object has a member that only approvals have
}

// IsPending reports whether approvers have not yet decided.
func (a *Approval) IsPending() bool { return a.Decision == decisionPending }

// Approvers are the users who decide about an approval.
type Approvers struct {
	Users                     []User
	Total, Approved, Declined int64
	IsCut                     bool // whether the body contains more than MaxEntries approvers
}

// ApprovalCondition is the consent that an approval needs. Data Center sends it.
type ApprovalCondition struct {
	Type  string // number or percent
	Value *int64
}

// isReadable reports whether the decoder understands the state of the approval.
func (a *Approval) isReadable() bool { return a.Decision != "" || a.Approvers.Total > 0 }

// replaces reports whether the approval counts more than an earlier approval of the same field. A field contains all
// approvals of an issue. The pending approval is the current one, otherwise the latest.
func (a *Approval) replaces(earlier *Approval) bool {
	switch {
	case a.IsPending() != earlier.IsPending():
		return a.IsPending()
	default:
		return !a.Created.Before(earlier.Created)
	}
}

func (a *Approval) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "finalDecision":
		a.isApproval = true
		return decodeKeyword(d, &a.Decision)
	case "createdDate":
		return decodeMoment(d, &a.Created)
	case "completedDate":
		return decodeMoment(d, &a.Completed)
	case "approvers":
		a.isApproval = true
		return a.Approvers.decode(d)
	case "condition":
		return decodeInto(d, &a.Condition, (*ApprovalCondition).decodeMember)
	default:
		return d.Skip()
	}
}

// decodeKeyword reads a word of a fixed set. Jira writes some of them in upper case.
func decodeKeyword(d *decoding, s *string) error {
	err := decodeText(d, s)
	*s = strings.ToLower(Cut(*s, MaxID))
	return err
}

func (a *Approvers) decode(d *decoding) error {
	*a = Approvers{}
	var next approver
	return decodeEntries(d, &a.IsCut, func(d *decoding) error {
		if d.Next() != jx.Object {
			return d.Skip()
		}
		err := decodeInto(d, &next, (*approver).decodeMember)
		a.add(next)
		return err
	})
}

func (a *Approvers) add(next approver) {
	a.Total++
	switch next.decision {
	case decisionApproved:
		a.Approved++
	case decisionDeclined:
		a.Declined++
	}
	if next.user != (User{}) {
		a.Users = append(a.Users, next.user)
	}
}

// approver is one of the approvers of an approval.
type approver struct {
	user     User
	decision string // as the decision about the approval
}

func (a *approver) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "approver":
		return a.user.decode(d)
	case "approverDecision":
		return decodeKeyword(d, &a.decision)
	default:
		return d.Skip()
	}
}

func (c *ApprovalCondition) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "type":
		return decodeText(d, &c.Type)
	case "value":
		return decodeInt(d, &c.Value)
	default:
		return d.Skip()
	}
}

// Request is a request of a customer, as the customer sees it in the portal.
type Request struct {
	Type   Named
	Status RequestStatus
}

// RequestStatus is the status of a request in the words for customers.
type RequestStatus struct {
	Name     string
	Category string // as the category of [Status], in lower case
	Since    time.Time
}

func (s *RequestStatus) decodeMember(d *decoding, key []byte) error {
	switch string(key) {
	case "status":
		return decodeText(d, &s.Name)
	case "statusCategory":
		return decodeKeyword(d, &s.Category)
	case "statusDate":
		return decodeMoment(d, &s.Since)
	default:
		return d.Skip()
	}
}

// Satisfaction is the opinion of a customer about the service.
type Satisfaction struct {
	Rating  *int64
	Comment string
}
