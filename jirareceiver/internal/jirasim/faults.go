// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"net/http"
	"strconv"
	"time"
)

// Operation is a resource of the REST API.
type Operation string

// The operations.
const (
	OpAny               Operation = "" // in a Failure: every operation
	OpServerInfo        Operation = "serverInfo"
	OpMyself            Operation = "myself"
	OpFields            Operation = "field"
	OpSearch            Operation = "search"
	OpBulkFetch         Operation = "bulkfetch"
	OpIssue             Operation = "issue"
	OpChangelog         Operation = "changelog"
	OpChangelogList     Operation = "changelog/list"
	OpChangelogBulk     Operation = "changelog/bulkfetch"
	OpComments          Operation = "comment"
	OpWorklogs          Operation = "worklog"
	OpWorklogUpdated    Operation = "worklog/updated"
	OpWorklogDeleted    Operation = "worklog/deleted"
	OpWorklogList       Operation = "worklog/list"
	OpWebhooks          Operation = "webhooks" // the list, or one of them
	OpWebhookCreate     Operation = "webhook/create"
	OpWebhookUpdate     Operation = "webhook/update"
	OpWebhookDelete     Operation = "webhook/delete"
	OpWebhookStatistics Operation = "webhook/statistics"
	OpPermissions       Operation = "mypermissions"
	OpStatuses          Operation = "status"
	OpProjects          Operation = "project"
	OpProjectStatuses   Operation = "project/statuses"
	opUnknown           Operation = "unknown" // any other path
	opRemovedFromCloud  Operation = "removed"
	opTenantInformation Operation = "tenant_info"
)

// Faults are the ways in which a Jira misleads pollers. G with a number is a row of the table of known bugs of pollers
// for which the fault stands. The zero value is a Jira at its best, which still has the limits of its deployment.
type Faults struct {
	// IndexLag is how late a search finds a change (G4). Reading by id is never late.
	IndexLag time.Duration
	// UnstablePages makes the page tokens of Cloud offsets into the result at the time of the request, so that rows
	// that leave make others skip a page (G3). On Data Center, pages always are offsets.
	UnstablePages bool
	// VanishPerPage is the number of issues that no search finds any more after it has returned them in a page: the
	// first ones of each page, as if they were archived (G3, G14). Reading by id still finds them.
	VanishPerPage int
	// Hidden are the ids of issues that the account cannot read any more (G14).
	Hidden []int
	// HiddenProjects are the keys of projects that the account cannot browse any more (G14).
	HiddenProjects []string
	// Token is a trap in the page tokens of Cloud (G7).
	Token TokenTrap
	// Caps replace the limits of the lists in an issue (G5, G10).
	Caps Caps

	// BulkWithoutChangelog makes bulkfetch ignore expand=changelog. Nobody has published whether Cloud does.
	BulkWithoutChangelog bool
	// EmptyChangelog makes the changelog resource empty, though expand=changelog is not (G21).
	EmptyChangelog bool
	// ShuffledHistories returns histories, and the items in them, in no order (G20).
	ShuffledHistories bool
	// EpochSeconds makes changelog/bulkfetch return times in seconds instead of milliseconds (G12).
	EpochSeconds bool
	// OddHistories adds null to histories and items, and removes the authors of histories (G13).
	OddHistories bool
	// NoUpdated removes the time of the last change from each nth issue (G13); 0 for none.
	NoUpdated int
	// SilentHistories shows the entries of changelogs that have no webhook: of links and attachments, and of worklogs on
	// Cloud (section C).
	SilentHistories bool
	// WorkflowMigration is the time at which each older issue gets an entry Workflow that does not change updated
	// (section B). Default: never.
	WorkflowMigration time.Time
	// HistoryDelay is how much later than its issue an entry of the changelog is (section B: 2 to 30 ms).
	HistoryDelay time.Duration

	// DroppedEvents are left out of each webhook that is registered, without an error. Whether Jira drops events that it
	// does not know, or answers 400, is not published.
	DroppedEvents []string

	// MillisIgnored makes JQL match everything where it compares with an unquoted number (G1, the check at the start).
	MillisIgnored bool
	// SecondIndex makes the index store times in seconds, so that a bound within the second of a change misses the
	// change (section B, believed of Data Center).
	SecondIndex bool
	// ClockOffset is added to Jira's clock, in Date, serverTime, relative dates and the worklog feeds, but not to the
	// times of changes. Change it to let the clock jump (G4).
	ClockOffset time.Duration

	// AnonymousSearch answers 200 without issues to wrong or missing credentials, except for myself (G9).
	AnonymousSearch bool
	// CaptchaAfter is the number of failed logins after which Data Center answers 403 to every login, until the faults
	// are set again (section A); 0 for never.
	CaptchaAfter int
	// RequestsPerSecond is the rate, in real time, above which requests get 429 (section E); 0 for no limit.
	RequestsPerSecond int
	// Latency delays each answer, in real time.
	Latency time.Duration
	// Failures replace answers. The first that applies is used (G6, G8).
	Failures []Failure
}

// Caps are numbers of the newest histories, and of comments and worklogs, that an issue contains; 0 for the limit of
// the deployment.
type Caps struct{ Histories, Comments, Worklogs int }

// TokenTrap is a trap in the page tokens of Cloud.
type TokenTrap string

// The traps (G7).
const (
	// TokenRepeated returns the token of the request again, so that the same page comes for ever.
	TokenRepeated TokenTrap = "repeated"
	// TokenEmpty returns an empty token with isLast false. An empty token in a request means the first page.
	TokenEmpty TokenTrap = "empty"
	// TokenStale rejects all tokens, as if they had expired.
	TokenStale TokenTrap = "stale"
	// TokenWithoutIsLast returns no isLast.
	TokenWithoutIsLast TokenTrap = "no_is_last"
)

// Failure replaces the answers to some requests for an operation. Requests count from the last SetFaults.
type Failure struct {
	Operation Operation // default: every operation
	Skip      int       // requests before the first failure
	Every     int       // from then on, each nth request fails; default: 1
	Times     int       // number of failures; default: no limit

	Status int               // of the answer; default: 500
	Header map[string]string // such as Retry-After
	HTML   bool              // the body is a page, as of a proxy or a login, instead of Jira's JSON
	Drop   bool              // the connection is closed without an answer
	Late   bool              // the request has its effect before it fails, such as a 500 after a webhook was created
	Cut    int               // the connection is closed after that many bytes of the right answer; 0 for not
}

// RateLimited returns a failure with 429 (section E). A negative number of seconds leaves Retry-After out.
func RateLimited(operation Operation, retryAfter, times int) Failure {
	f := Failure{Operation: operation, Times: times, Status: http.StatusTooManyRequests, Header: map[string]string{
		"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "RateLimit-Reason": "jira-burst-based",
	}}
	if retryAfter >= 0 {
		f.Header["Retry-After"] = strconv.Itoa(retryAfter)
	}
	return f
}

// LoginPage returns a failure with 200 and the HTML page of a login, as a proxy in front of Jira sends it (G8, G9).
func LoginPage(operation Operation) Failure {
	return Failure{Operation: operation, Status: http.StatusOK, HTML: true}
}

// faultState counts requests for the current faults.
type faultState struct {
	matched, failed []int        // by index of the failure
	vanished        map[int]bool // ids
	denied          int          // failed logins
}

func newFaultState(f Faults) faultState {
	return faultState{make([]int, len(f.Failures)), make([]int, len(f.Failures)), map[int]bool{}, 0}
}

// failure returns the failure of a request, or nil.
func (s *faultState) failure(f Faults, operation Operation) *Failure {
	for n := range f.Failures {
		failure := &f.Failures[n]
		if failure.Operation != OpAny && failure.Operation != operation {
			continue
		}
		after := s.matched[n] - failure.Skip
		s.matched[n]++
		if after < 0 || after%max(1, failure.Every) != 0 || failure.Times > 0 && s.failed[n] >= failure.Times {
			continue
		}
		s.failed[n]++
		return failure
	}
	return nil
}

// Limits of deployments.
const (
	cloudHistories  = 40 // newest
	embeddedCap     = 20 // comments on Cloud, worklogs on both
	searchWindow    = 10_000
	dataCenterPage  = 1000
	cloudPage       = 5000
	cloudFieldsPage = 100
	bulkIssues      = 100
	bulkSimple      = 1000
	changelogPage   = 100
	bulkHistories   = 10_000
	bulkFieldIDs    = 10
	commentPage     = 100
	worklogPage     = 5000
	feedPage        = 1000
	reconciled      = 50
	tokenLife       = 7 * 24 * time.Hour
	feedDelay       = time.Minute // the worklog feeds leave out the last minute
	noLimit         = 1 << 30
)

// caps returns the limits of the lists in an issue.
func (f Faults) caps(d Deployment) Caps {
	caps := Caps{noLimit, noLimit, embeddedCap}
	if d == Cloud {
		caps = Caps{cloudHistories, embeddedCap, embeddedCap}
	}
	for _, c := range []struct{ to, from *int }{
		{&caps.Histories, &f.Caps.Histories}, {&caps.Comments, &f.Caps.Comments}, {&caps.Worklogs, &f.Caps.Worklogs},
	} {
		if *c.from > 0 {
			*c.to = *c.from
		}
	}
	return caps
}
