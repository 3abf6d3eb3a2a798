// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// foundIDs is the result of the last search, because each page of a result repeats the search.
type foundIDs struct {
	jql     string
	version int
	minute  time.Time // of relative dates
	query   query
	ids     []int
}

// find returns the query and the ids of its result in the search index, in order.
func (c *call) find(jql string, reconcile []int) (query, []int, error) {
	version, minute := c.source.version(c.indexed()), c.clock.Truncate(time.Minute)
	if f := c.found; f.jql != jql || f.version != version || !f.minute.Equal(minute) {
		q, err := parseJQL(jql, c.jqlReader())
		if err != nil {
			return q, nil, err
		}
		c.found = foundIDs{jql, version, minute, q, c.match(q)}
	}
	q := c.found.query
	return q, slices.DeleteFunc(c.reconcile(q, c.found.ids, reconcile), c.unseen), nil
}

// indexed returns the time as of which the search index shows issues.
func (c *call) indexed() time.Time { return c.now.Add(-c.faults.IndexLag) }

func (c *call) jqlReader() jqlReader {
	precision := time.Millisecond
	if c.faults.SecondIndex {
		precision = time.Second
	}
	return jqlReader{
		now: c.clock, zone: c.account.Zone, precision: precision, deafMillis: c.faults.MillisIgnored,
		projects: slices.DeleteFunc(slices.Clone(projects), c.hiddenProject),
		anchor:   func(id string) bool { return c.issue(id) != nil },
	}
}

func (c *call) match(q query) []int {
	at := c.indexed()
	var ids []int
	for _, id := range c.source.candidates(q.bounds, at) {
		if r, found := c.source.row(id, at); found && q.matches(r) {
			ids = append(ids, id)
		}
	}
	if order := q.terms(); order[0] != (orderTerm{field: "created"}) { // candidates are in this order
		c.sort(ids, order)
	}
	return ids
}

// terms returns the order of the result. Without ORDER BY, the newest issues are first.
func (q query) terms() []orderTerm {
	if len(q.order) == 0 {
		return []orderTerm{{field: "created", descending: true}}
	}
	return q.order
}

func (c *call) sort(ids []int, order []orderTerm) {
	rows, at := make(map[int]row, len(ids)), c.indexed()
	for _, id := range ids {
		rows[id], _ = c.source.row(id, at)
	}
	compare := compareRows(order)
	slices.SortFunc(ids, func(a, b int) int { return compare(rows[a], rows[b]) })
}

// reconcile returns a copy of the result in which the given issues are as they are now.
func (c *call) reconcile(q query, ids, reconcile []int) []int {
	ids = slices.Clone(ids)
	if len(reconcile) == 0 {
		return ids
	}
	ids = slices.DeleteFunc(ids, func(id int) bool { return slices.Contains(reconcile, id) })
	for _, id := range reconcile {
		if r, found := c.source.row(id, c.now); found && q.matches(r) {
			ids = append(ids, id)
		}
	}
	c.sort(ids, q.terms())
	return ids
}

// unseen reports whether no search returns an issue to the account.
func (c *call) unseen(id int) bool {
	if c.anonymous || c.state.vanished[id] || slices.Contains(c.faults.Hidden, id) {
		return true
	}
	if len(c.faults.HiddenProjects) == 0 {
		return false
	}
	r, _ := c.source.row(id, c.indexed())
	return c.hiddenProject(r.project)
}

func (c *call) hiddenProject(p project) bool { return slices.Contains(c.faults.HiddenProjects, p.key) }

// vanish hides the first issues of a page from later searches.
func (c *call) vanish(page []int) {
	for _, id := range page[:min(c.faults.VanishPerPage, len(page))] {
		c.state.vanished[id] = true
	}
}

// tokenSearch is a search of Cloud.
type tokenSearch struct {
	JQL             string   `json:"jql"`
	NextPageToken   string   `json:"nextPageToken"`
	MaxResults      *int     `json:"maxResults"`
	Fields          []string `json:"fields"`
	Expand          string   `json:"expand"`
	Properties      []string `json:"properties"`
	FieldsByKeys    bool     `json:"fieldsByKeys"`
	FailFast        bool     `json:"failFast"`
	ReconcileIssues []int    `json:"reconcileIssues"`
}

func (c *call) readTokenSearch() (s tokenSearch, err error) {
	if c.request.Method == http.MethodPost {
		err = c.decode(&s)
		return s, err
	}
	q := c.request.URL.Query()
	s = tokenSearch{JQL: q.Get("jql"), NextPageToken: q.Get("nextPageToken"), Fields: q["fields"], Expand: q.Get("expand")}
	if text := q.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return s, badRequest("maxResults is not a number.")
		}
		s.MaxResults = &n
	}
	for _, text := range q["reconcileIssues"] {
		id, _ := strconv.Atoi(text) // another text finds nothing
		s.ReconcileIssues = append(s.ReconcileIssues, id)
	}
	return s, nil
}

// pageSize returns the number of issues per page.
func (s tokenSearch) pageSize() (int, error) {
	const usual = 50
	size := usual
	if s.MaxResults != nil {
		size = *s.MaxResults
	}
	if size < 1 || size > cloudPage {
		return 0, badRequest("The maxResults parameter must be between 1 and %d.", cloudPage)
	}
	if !newFieldSet(s.Fields, "id").light() || s.Expand != "" {
		size = min(size, cloudFieldsPage)
	}
	return size, nil
}

// searchToken answers a search of Cloud.
func (c *call) searchToken() (any, error) {
	s, err := c.readTokenSearch()
	if err != nil {
		return nil, err
	}
	size, err := s.pageSize()
	if err != nil {
		return nil, err
	}
	if len(s.ReconcileIssues) > reconciled {
		return nil, badRequest("At most %d issues can be reconciled.", reconciled)
	}
	q, ids, err := c.find(s.JQL, s.ReconcileIssues)
	if err != nil {
		return nil, err
	}
	if !q.bounded {
		return nil, badRequest("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
	}
	from, err := c.position(s, q, ids)
	if err != nil {
		return nil, err
	}
	page := ids[from:min(from+size, len(ids))]
	answer := object{"issues": c.tokenIssues(page, s)}
	c.addToken(answer, s, page, from+len(page) >= len(ids), from+len(page))
	c.vanish(page)
	return answer, nil
}

func (c *call) tokenIssues(page []int, s tokenSearch) []object {
	fields, issues := newFieldSet(s.Fields, "id"), make([]object, 0, len(page))
	for _, id := range page {
		switch i := c.source.find(strconv.Itoa(id)); {
		case fields.onlyID():
			issues = append(issues, object{"id": strconv.Itoa(id)})
		case i != nil:
			issues = append(issues, c.issueBody(i, fields, strings.Contains(s.Expand, "changelog"), c.faults.caps(c.site.Deployment)))
		}
	}
	return issues
}

// pageToken is the content of a page token: an offset, or the last row of the previous page.
type pageToken struct {
	Query  uint64 // hash of the text of the query
	Issued time.Time
	Offset int

	ID               int
	Key, Project     string
	Created, Updated time.Time
}

func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64()
}

func (p pageToken) encode() string {
	content, _ := json.Marshal(p) // cannot fail
	return base64.RawURLEncoding.EncodeToString(content)
}

// readToken decodes a token, and checks that it is not too old and belongs to the query.
func (c *call) readToken(text, queryText string) (token pageToken, err error) {
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(content, &token)
	}
	old := c.now.Sub(token.Issued) > tokenLife || c.faults.Token == TokenStale
	if err != nil || old || token.Query != hashOf(queryText) {
		return token, badRequest("The provided nextPageToken is invalid or expired.")
	}
	return token, nil
}

// position returns the index of the first issue of the page. An empty token means the first page.
func (c *call) position(s tokenSearch, q query, ids []int) (int, error) {
	if s.NextPageToken == "" {
		return 0, nil
	}
	token, err := c.readToken(s.NextPageToken, s.JQL)
	if err != nil {
		return 0, err
	}
	if c.faults.UnstablePages {
		return min(token.Offset, len(ids)), nil
	}
	compare, at := compareRows(q.terms()), c.indexed()
	last := row{id: token.ID, key: token.Key, project: project{key: token.Project}, created: token.Created, updated: token.Updated}
	return sort.Search(len(ids), func(n int) bool {
		r, _ := c.source.row(ids[n], at)
		return compare(last, r) < 0
	}), nil
}

// addToken adds the token of the next page and isLast to an answer.
func (c *call) addToken(answer object, s tokenSearch, page []int, last bool, offset int) {
	answer["isLast"] = last
	if !last {
		r, _ := c.source.row(page[len(page)-1], c.indexed())
		answer["nextPageToken"] = pageToken{hashOf(s.JQL), c.now, offset, r.id, r.key, r.project.key, r.created, r.updated}.encode()
	}
	switch c.faults.Token {
	case TokenRepeated:
		if s.NextPageToken != "" {
			answer["nextPageToken"], answer["isLast"] = s.NextPageToken, false
		}
	case TokenEmpty:
		answer["nextPageToken"], answer["isLast"] = "", false
	case TokenWithoutIsLast:
		delete(answer, "isLast")
	case TokenStale: // readToken rejects it
	}
}

// pageSearch is a search of Data Center.
type pageSearch struct {
	JQL        string          `json:"jql"`
	StartAt    int             `json:"startAt"`
	MaxResults *int            `json:"maxResults"`
	Fields     []string        `json:"fields"`
	Expand     json.RawMessage `json:"expand"` // a text or a list
}

func (c *call) readPageSearch() (s pageSearch, err error) {
	if c.request.Method == http.MethodPost {
		err = c.decode(&s)
		return s, err
	}
	q := c.request.URL.Query()
	s = pageSearch{JQL: q.Get("jql"), Fields: q["fields"], Expand: json.RawMessage(q.Get("expand"))}
	if s.StartAt, err = c.number("startAt", 0); err != nil {
		return s, err
	}
	size, err := c.number("maxResults", -1)
	if size >= 0 {
		s.MaxResults = &size
	}
	return s, err
}

// number returns a number of the query string.
func (c *call) number(name string, missing int) (int, error) {
	text := c.request.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("%s is not a number.", name)
	}
	return n, nil
}

// searchPage answers a search of Data Center. It leaves out issues that no longer exist.
func (c *call) searchPage() (any, error) {
	s, err := c.readPageSearch()
	if err != nil {
		return nil, err
	}
	size := 50
	if s.MaxResults != nil {
		size = min(max(0, *s.MaxResults), dataCenterPage)
	}
	if s.StartAt+size > searchWindow {
		return nil, &restError{
			status: http.StatusInternalServerError, message: "Search limit exceeded: max_result_window is " + strconv.Itoa(searchWindow),
		}
	}
	_, ids, err := c.find(s.JQL, nil)
	if err != nil {
		return nil, err
	}
	page := pageOf(ids, s.StartAt, size)
	fields, issues := newFieldSet(s.Fields, "*navigable"), []object{}
	for _, id := range page {
		if i := c.source.find(strconv.Itoa(id)); i != nil {
			issues = append(issues, c.issueBody(i, fields, strings.Contains(string(s.Expand), "changelog"), c.faults.caps(DataCenter)))
		}
	}
	c.vanish(page)
	return object{"expand": "schema,names", "startAt": s.StartAt, "maxResults": size, "total": len(ids), "issues": issues}, nil
}

// pageOf returns a page of a list.
func pageOf[T any](list []T, startAt, size int) []T {
	from := min(max(0, startAt), len(list))
	return list[from:min(from+size, len(list))]
}

// limits returns startAt and maxResults of a request.
func (c *call) limits(usual, largest int) (startAt, size int, err error) {
	startAt, err = c.number("startAt", 0)
	size, second := c.number("maxResults", usual)
	return startAt, min(max(0, size), largest), cmp.Or(err, second)
}
