// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Account is the account that reads the REST side.
type Account struct {
	// User and Token are the credentials: an email address and an API token on Cloud; on Data Center, a name and a
	// password, or the token alone. With an empty token, Jira accepts every request.
	User, Token string
	// Zone is the time zone of the profile. Jira reads quoted dates of JQL in it, and renders times in it (G1). Default:
	// the time zone of the site.
	Zone *time.Location
	// Administrator gives the account the right to manage webhooks.
	Administrator bool
}

// API is the REST side of a simulated Jira, an [http.Handler]. Its answers describe the same history as the deliveries
// of the same [Site], as of a time that the user sets. It is safe for concurrent use.
type API struct {
	site    Site
	account Account
	mux     *http.ServeMux

	mu       sync.Mutex // guards the following fields
	source   source
	clock    func() time.Time
	faults   Faults
	state    faultState
	requests map[Operation]int
	found    foundIDs
	rate     rateWindow
	admin    webhookAdmin
}

// NewAPI returns the REST side of the history of [Team].
func NewAPI(s Site, a Account) *API {
	return newAPI(s, a, newPlayed(func() *team { return plannedTeam(s) }))
}

// NewScenarioAPI returns the REST side of the history of [Scenario].
func NewScenarioAPI(name string, s Site, a Account) (*API, error) {
	if _, err := plannedScenario(name, s); err != nil {
		return nil, err
	}
	return newAPI(s, a, newPlayed(func() *team {
		t, _ := plannedScenario(name, s) // exists
		return t
	})), nil
}

// NewLargeAPI returns the REST side of a large site. [LargeSite.Deliveries] returns its deliveries.
func NewLargeAPI(s LargeSite, a Account) *API { return newAPI(s.Site, a, newLarge(s)) }

func newAPI(s Site, a Account, content source) *API {
	s = s.withDefaults()
	if a.Zone == nil {
		a.Zone = zone
	}
	s.reader = a.Zone
	api := &API{
		site: s, account: a, mux: http.NewServeMux(), source: content, clock: time.Now,
		state: newFaultState(Faults{}), requests: map[Operation]int{}, admin: webhookAdmin{attempts: map[int][]Attempt{}},
	}
	for _, r := range slices.Concat(routes, webhookRoutes, projectRoutes) {
		if r.only == "" || r.only == s.Deployment {
			api.mux.Handle(r.pattern, api.handler(r))
		}
	}
	return api
}

// SetNow sets Jira's time, and stops the clock. The history until this time has happened; an earlier time takes back
// what has happened since. Default: the clock of the computer.
func (a *API) SetNow(now time.Time) { a.Follow(func() time.Time { return now }) }

// Follow sets Jira's clock. The API calls it for each request, one request after the other.
func (a *API) Follow(clock func() time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = clock
}

// SetFaults replaces the faults. Requests that are in progress have the old faults.
func (a *API) SetFaults(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults, a.state, a.found = f, newFaultState(f), foundIDs{}
}

// Requests returns the number of requests by operation, with those that failed.
func (a *API) Requests() map[Operation]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.requests)
}

// Changes are the numbers of changes that the REST side shows.
type Changes struct {
	Issues                                    int // that exist
	Updates                                   int // of these issues, each with an entry in the changelog
	Comments, EditedComments                  int // that exist
	Worklogs, EditedWorklogs, DeletedWorklogs int
}

// Total returns the number of all changes.
func (c Changes) Total() int {
	return c.Issues + c.Updates + c.Comments + c.EditedComments + c.Worklogs + c.EditedWorklogs + c.DeletedWorklogs
}

// Changes counts the changes until Jira's time.
func (a *API) Changes() Changes {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &call{API: a, site: a.site, faults: a.faults, now: a.clock()}
	a.source.catchUp(c.now)
	changes := Changes{}
	for _, w := range a.source.feed(time.Time{}, c.now, true, noLimit) {
		if c.issue(strconv.Itoa(w.issue.id)) != nil {
			changes.DeletedWorklogs++
		}
	}
	for _, id := range a.source.candidates(bounds{}, c.now) {
		i := c.issue(strconv.Itoa(id))
		if i == nil {
			continue
		}
		changes.Issues++
		changes.Updates += len(c.histories(i))
		changes.Comments += len(i.comments)
		for _, one := range i.comments {
			if one.updated.After(one.created) {
				changes.EditedComments++
			}
		}
		for _, w := range i.existingWorklogs() {
			changes.Worklogs++
			if w.updated.After(w.created) {
				changes.EditedWorklogs++
			}
		}
	}
	return changes
}

// Close ends the history. The API must not be used afterwards.
func (a *API) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.source.close()
}

// gateway is the path of a site at api.atlassian.com. The id of the site follows.
const gateway = "/ex/jira/"

// ServeHTTP answers below the context path of the site and, for Cloud, below the path of the gateway.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, inside := a.resource(r.URL.Path)
	if !inside {
		http.NotFound(w, r)
		return
	}
	inner := new(http.Request)
	*inner = *r
	inner.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery}
	a.mux.ServeHTTP(w, inner)
}

// ContextPath returns the path below which the API answers, without a slash at its end.
func (a *API) ContextPath() string {
	base, err := url.Parse(a.site.URL)
	if err != nil {
		return ""
	}
	return base.Path
}

// resource returns the path without the context path, or false if the path is outside.
func (a *API) resource(path string) (string, bool) {
	if rest, found := strings.CutPrefix(path, gateway); found && a.site.Deployment == Cloud {
		_, rest, _ = strings.Cut(rest, "/")
		return "/" + rest, true
	}
	rest, found := strings.CutPrefix(path, a.ContextPath())
	return rest, found && strings.HasPrefix(rest, "/")
}

// route is a resource of the REST API.
type route struct {
	pattern   string
	operation Operation
	answer    func(*call) (any, error)
	only      Deployment // the deployment that has the resource; "" if both have it
	public    bool       // it needs no credentials
}

const restPath = "/rest/api/2/"

var routes = []route{
	{pattern: "GET " + restPath + "serverInfo", operation: OpServerInfo, answer: (*call).serverInfo, public: true},
	{pattern: "GET " + restPath + "myself", operation: OpMyself, answer: (*call).myself},
	{pattern: "GET " + restPath + "field", operation: OpFields, answer: (*call).fields},
	{pattern: "GET " + restPath + "search", operation: OpSearch, answer: (*call).searchPage, only: DataCenter},
	{pattern: "POST " + restPath + "search", operation: OpSearch, answer: (*call).searchPage, only: DataCenter},
	{pattern: "GET " + restPath + "search/jql", operation: OpSearch, answer: (*call).searchToken, only: Cloud},
	{pattern: "POST " + restPath + "search/jql", operation: OpSearch, answer: (*call).searchToken, only: Cloud},
	{pattern: restPath + "search", operation: opRemovedFromCloud, answer: (*call).removed, only: Cloud},
	{pattern: "/rest/api/3/search", operation: opRemovedFromCloud, answer: (*call).removed, only: Cloud},
	{pattern: "POST " + restPath + "issue/bulkfetch", operation: OpBulkFetch, answer: (*call).bulkFetch, only: Cloud},
	{pattern: "GET " + restPath + "issue/{issue}", operation: OpIssue, answer: (*call).readIssue},
	{pattern: "GET " + restPath + "issue/{issue}/changelog", operation: OpChangelog, answer: (*call).changelogPage, only: Cloud},
	{pattern: "POST " + restPath + "issue/{issue}/changelog/list", operation: OpChangelogList, answer: (*call).changelogList, only: Cloud},
	{pattern: "POST " + restPath + "changelog/bulkfetch", operation: OpChangelogBulk, answer: (*call).changelogBulk, only: Cloud},
	{pattern: "GET " + restPath + "issue/{issue}/comment", operation: OpComments, answer: (*call).comments},
	{pattern: "GET " + restPath + "issue/{issue}/worklog", operation: OpWorklogs, answer: (*call).worklogs},
	{pattern: "GET " + restPath + "worklog/updated", operation: OpWorklogUpdated, answer: (*call).updatedWorklogs},
	{pattern: "GET " + restPath + "worklog/deleted", operation: OpWorklogDeleted, answer: (*call).deletedWorklogs},
	{pattern: "POST " + restPath + "worklog/list", operation: OpWorklogList, answer: (*call).worklogList},
	{pattern: "GET /_edge/tenant_info", operation: opTenantInformation, answer: (*call).tenantInformation, only: Cloud, public: true},
	{pattern: "/", operation: opUnknown, answer: (*call).unknown, public: true},
}

// call is a request with all that its answer depends on.
type call struct {
	*API
	site      Site
	faults    Faults
	request   *http.Request
	body      []byte
	now       time.Time // until which the history has happened
	clock     time.Time // Jira's clock
	anonymous bool
}

// reply is an answer as it is sent.
type reply struct {
	status int
	header map[string]string
	body   []byte
	clock  time.Time
	drop   bool
	cut    int
}

const maxRequestBody = 1 << 20

func (a *API) handler(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxRequestBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		answer, latency := a.reply(r, request, body)
		sleep(request.Context(), latency)
		answer.send(w)
	})
}

// reply returns the answer to a request, and its delay.
func (a *API) reply(r route, request *http.Request, body []byte) (reply, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests[r.operation]++
	c := &call{API: a, site: a.site, faults: a.faults, request: request, body: body, now: a.clock()}
	a.source.catchUp(c.now)
	c.clock = c.now.Add(a.faults.ClockOffset)
	answer := c.outcome(r)
	answer.clock = c.clock
	return answer, a.faults.Latency
}

// outcome returns the right answer, or a failure in its place.
func (c *call) outcome(r route) reply {
	f := c.state.failure(c.faults, r.operation)
	if f != nil && f.Cut == 0 && !f.Late {
		return c.fail(f)
	}
	right := c.render(c.answer(r))
	switch {
	case f == nil:
	case f.Cut > 0:
		right.cut = f.Cut
	default:
		return c.fail(f)
	}
	return right
}

// answer returns the content of the answer of a Jira without failures.
func (c *call) answer(r route) (any, error) {
	if !c.rate.allows(c.faults.RequestsPerSecond, time.Now()) {
		return nil, tooManyRequests(c.site.Deployment)
	}
	if err := c.authenticate(r); err != nil {
		return nil, err
	}
	if err := c.checkMediaType(); err != nil {
		return nil, err
	}
	return r.answer(c)
}

func (c *call) checkMediaType() error {
	mediaType, _, _ := strings.Cut(c.request.Header.Get("Content-Type"), ";")
	hasBody := c.request.Method == http.MethodPost || c.request.Method == http.MethodPut
	if hasBody && mediaType != "application/json" {
		return &restError{status: http.StatusUnsupportedMediaType, message: "Unsupported Media Type"}
	}
	return nil
}

// decode reads the JSON body of a request. Unknown members are an error on Cloud.
func (c *call) decode(into any) error {
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	if c.site.Deployment == Cloud {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(into); err != nil {
		return badRequest("Invalid request payload. Refer to the REST API documentation and try again.")
	}
	return nil
}

// withStatus is content that is sent with a status code other than 200.
type withStatus struct {
	status  int
	content any
}

// restError is an answer with an error.
type restError struct {
	status  int
	message string
	header  map[string]string
	html    bool
	content any // instead of Jira's usual form
}

func (e *restError) Error() string { return e.message }

// render returns an answer with its content, or with its error in Jira's form.
func (c *call) render(content any, err error) reply {
	answer := reply{status: http.StatusOK, header: map[string]string{}}
	if success, is := content.(withStatus); is {
		answer.status, content = success.status, success.content
	}
	if failed, is := errors.AsType[*restError](err); is {
		answer.status = failed.status
		maps.Copy(answer.header, failed.header)
		content = object{"errorMessages": []string{failed.message}, "errors": object{}}
		if failed.content != nil {
			content = failed.content
		}
		if failed.html {
			return answer.page(failed.message)
		}
	}
	answer.header["Content-Type"] = "application/json;charset=UTF-8"
	answer.body, _ = json.Marshal(content) // cannot fail for maps of texts and numbers
	return answer
}

func (c *call) fail(f *Failure) reply {
	status := f.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	answer := c.render(nil, &restError{status: status, message: http.StatusText(status), header: f.Header, html: f.HTML})
	answer.drop = f.Drop
	return answer
}

// page makes the body an HTML page.
func (r reply) page(text string) reply {
	r.header["Content-Type"] = "text/html;charset=UTF-8"
	r.body = []byte("<!DOCTYPE html>\n<html><head><title>" + text + "</title></head><body><h1>" + text + "</h1></body></html>\n")
	return r
}

func (r reply) send(w http.ResponseWriter) {
	if r.drop {
		panic(http.ErrAbortHandler)
	}
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Date", r.clock.UTC().Format(http.TimeFormat))
	w.WriteHeader(r.status)
	if r.cut == 0 || r.cut >= len(r.body) {
		_, _ = w.Write(r.body) // the client has gone
		return
	}
	_, _ = w.Write(r.body[:r.cut])
	_ = http.NewResponseController(w).Flush() // the client has gone
	panic(http.ErrAbortHandler)
}
