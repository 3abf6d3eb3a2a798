// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rows are three issues of three projects.
var rows = []row{
	{1, "WEB-2", webShop, "Bug", "Open", "High", start, start.Add(10*time.Hour + 700*time.Millisecond)},
	{2, "OPS-10", operations, "Task", "In Progress", "Low", start.Add(time.Hour), start.Add(2 * time.Hour)},
	{3, "OPS-9", operations, "Bug", "Done", "High", start.Add(2 * time.Hour), start.Add(3 * time.Hour)},
}

func reader(zone *time.Location) jqlReader {
	return jqlReader{
		now: start.Add(10*time.Hour + 30*time.Minute + 30*time.Second), zone: zone, precision: time.Millisecond, projects: largeProjects,
		anchor: func(id string) bool { return id == "1" || id == "2" || id == "3" },
	}
}

// matched returns the ids that a query matches, in its order.
func matched(t *testing.T, jql string, r jqlReader) (ids []int) {
	t.Helper()
	q, err := parseJQL(jql, r)
	require.NoError(t, err, jql)
	sorted := slices.SortedFunc(slices.Values(rows), compareRows(q.order))
	for _, row := range sorted {
		if q.matches(row) {
			ids = append(ids, row.id)
			assert.False(t, row.created.Before(q.bounds.created) || row.updated.Before(q.bounds.updated), jql)
		}
	}
	return ids
}

// TestJQL has start at 2026-03-02 08:00 UTC.
func TestJQL(t *testing.T) {
	for _, test := range []struct {
		jql    string
		expect []int
	}{
		{``, []int{1, 2, 3}},
		{`updated >= 1772474400700`, []int{1}},
		{`updated >= 1772474400000`, []int{1}},
		{`updated > 1772474400700`, nil},
		{`updated >= 1772470800000 AND updated >= 0`, []int{1}},
		{`updated < 1772474400700`, []int{2, 3}},
		{`updated >= "2026-03-02 10:00"`, []int{1, 2, 3}},
		{`updated >= '2026/03/02 10:01'`, []int{1, 3}},
		{`updated <= "2026-03-02 11:00"`, []int{2, 3}},
		{`created >= 2026-03-02`, []int{1, 2, 3}},
		{`created >= "2026-03-03"`, nil},
		{`updated >= -30m`, []int{1}},
		{`updated >= "-29m"`, nil},
		{`updated >= -9h`, []int{1, 2, 3}},
		{`updated >= -8h`, []int{1, 3}},
		{`created >= 1772438400000 AND updated >= 1772445600000`, []int{1, 2, 3}},
		{`updated >= 1772445600000 AND created >= 1772438400001`, []int{2, 3}},
		{`updated <= -1d`, nil},
		{`project in (OPS, BILL)`, []int{2, 3}},
		{`project in ("Web Shop")`, []int{1}},
		{`project not in (OPS)`, []int{1}},
		{`project = ops AND issuetype = bug`, []int{3}},
		{`project != ops`, []int{1}},
		{`(issuetype = Bug OR priority = Low) AND project = OPS`, []int{2, 3}},
		{`issuetype = Task OR issuetype = Bug AND project = OPS`, []int{2, 3}},
		{`not (status = "In Progress")`, []int{1, 3}},
		{`status in ("Done", Open)`, []int{1, 3}},
		{`key = OPS-9 or id = 1`, []int{1, 3}},
		{`issuekey in (OPS-9) and id != 3`, nil},
		{`id > 1`, []int{2, 3}},
		{`id <= 2`, []int{1, 2}},
		{`ORDER BY key`, []int{3, 2, 1}},
		{`project in (OPS) order by created desc`, []int{3, 2}},
		{`order by updated DESC, key ASC`, []int{1, 3, 2}},
		{`order by updated`, []int{2, 3, 1}},
	} {
		assert.Equal(t, test.expect, matched(t, test.jql, reader(time.UTC)), test.jql)
	}
}

// TestZones checks that dates depend on the time zone of the account, and that other times do not (G1).
func TestZones(t *testing.T) {
	india, pacific := time.FixedZone("IST", 19800), time.FixedZone("PST", -8*3600)
	const date, millis, ago = `updated >= "2026-03-02 10:00"`, `updated >= 1772470800000`, `updated >= -8h`
	for _, test := range []struct {
		jql    string
		zone   *time.Location
		expect []int
	}{
		{date, time.UTC, []int{1, 2, 3}},
		{date, india, []int{1, 2, 3}}, // 04:30 UTC
		{`updated <= "2026-03-02 16:00"`, india, []int{2}},
		{date, pacific, []int{1}}, // 18:00 UTC
		{`updated >= "2026-03-02 10:01"`, pacific, nil},
		{millis, india, []int{1}},
		{millis, pacific, []int{1}},
		{ago, india, []int{1, 3}},
		{ago, pacific, []int{1, 3}},
	} {
		assert.Equal(t, test.expect, matched(t, test.jql, reader(test.zone)), "%s %s", test.jql, test.zone)
	}
}

func TestInvalidJQL(t *testing.T) {
	for jql, expect := range map[string]string{
		`updated`:                          "ends too early",
		`updated >=`:                       "ends too early",
		`updated >= yesterday`:             "Date value 'yesterday'",
		`updated >= "2026-03-02 10:00:00"`: "Date value",
		`updated >= "1772474400700"`:       "Date value",
		`updated in (1)`:                   "operator 'in' is not supported",
		`project in (NOPE)`:                "value 'NOPE' does not exist",
		`project > OPS`:                    "operator '>' is not supported",
		`nothing = 1`:                      "Field 'nothing' does not exist",
		`(project = OPS`:                   "Expecting ')'",
		`project = OPS)`:                   "Expecting either 'OR' or 'AND'",
		`project = OPS project = WEB`:      "Expecting either 'OR' or 'AND'",
		`(project = OPS ORDER BY key) AND updated >= 0`: "Expecting ')'",
		`project = OPS ORDER BY key AND updated >= 0`:   "Expecting either 'OR' or 'AND'",
		`project in OPS`:                       "Expecting '('",
		`project in (OPS WEB)`:                 "Expecting ','",
		`project ~ OPS`:                        "Expecting operator",
		`summary" = 1`:                         "reserved JQL character",
		`order by nothing`:                     "cannot be used for sorting",
		`order by key,id,key,id,key,id,key,id`: "maximum number of ORDER BY",
		`id > 4`:                               "An issue with key '4' does not exist",
		`id > -1`:                              "An issue with key '-1' does not exist",
	} {
		_, err := parseJQL(jql, reader(time.UTC))
		require.Error(t, err, jql)
		assert.ErrorContains(t, err, expect, jql)
	}
}

// TestInvalidJQLIsAnError checks the answer of both deployments.
func TestInvalidJQLIsAnError(t *testing.T) {
	for _, deployment := range []Deployment{Cloud, DataCenter} {
		c := newClient(t, deployment, Account{})
		answer := c.do(http.MethodGet, c.path("%s?jql=%s", c.searchResource(), url.QueryEscape("nothing = 1")), "")
		assert.Equal(t, http.StatusBadRequest, answer.Code)
		assert.True(t, strings.HasPrefix(at(decoded(t, answer.Body.Bytes()), "errorMessages", 0).(string), "Field 'nothing'"))
	}
}

// TestAccountZone checks that answers have the times of the account, and that dates are read in its zone.
func TestAccountZone(t *testing.T) {
	pacific := time.FixedZone("America/Los_Angeles", -8*3600)
	there, here := newClient(t, Cloud, Account{Zone: pacific}), newClient(t, Cloud, Account{})
	assert.Equal(t, "America/Los_Angeles", at(there.get("myself"), "timeZone"))
	ids := here.search(everything)
	assert.Equal(t, ids, there.search(everything))
	for _, field := range []string{"created", "updated"} {
		one, other := at(here.get("issue/%s", ids[0]), "fields", field).(string), at(there.get("issue/%s", ids[0]), "fields", field).(string)
		assert.True(t, strings.HasSuffix(one, "+0100") && strings.HasSuffix(other, "-0800"))
		assert.Zero(t, between(t, one, other))
	}
	const date = `created >= "2026-03-02 09:00" ORDER BY created`
	assert.Equal(t, ids, here.search(date))
	assert.Less(t, len(there.search(date)), len(ids), "hours are skipped")
}
