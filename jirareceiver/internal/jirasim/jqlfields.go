// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jqlReader evaluates the operands of JQL as one account reads them at one time.
type jqlReader struct {
	now        time.Time      // Jira's clock
	zone       *time.Location // time zone of quoted dates
	precision  time.Duration  // of the times in the index
	deafMillis bool           // unquoted numbers match everything
	projects   []project      // that the account can browse
	anchor     func(id string) bool
}

// jqlTimes are the fields with times.
var jqlTimes = map[string]func(row) time.Time{
	"created": func(r row) time.Time { return r.created }, "createddate": func(r row) time.Time { return r.created },
	"updated": func(r row) time.Time { return r.updated }, "updateddate": func(r row) time.Time { return r.updated },
}

// jqlTexts are the fields with names. A row matches by any of the values.
var jqlTexts = map[string]func(row) []string{
	"project":   func(r row) []string { return []string{r.project.key, r.project.name, strconv.Itoa(r.project.id)} },
	"issuetype": func(r row) []string { return []string{r.issueType} },
	"type":      func(r row) []string { return []string{r.issueType} },
	"status":    func(r row) []string { return []string{r.status} },
	"priority":  func(r row) []string { return []string{r.priority} },
}

// jqlIDs are the fields that identify an issue, by id or key.
var jqlIDs = []string{"id", "issue", "issuekey", "key"}

// orders are the fields of ORDER BY.
var orders = map[string]func(a, b row) int{
	"created": func(a, b row) int { return a.created.Compare(b.created) },
	"updated": func(a, b row) int { return a.updated.Compare(b.updated) },
	"id":      func(a, b row) int { return cmp.Compare(a.id, b.id) },
	"key":     compareKeys, "issuekey": compareKeys,
}

// compareKeys orders by project, then by number.
func compareKeys(a, b row) int {
	return cmp.Or(cmp.Compare(a.project.key, b.project.key), cmp.Compare(keyNumber(a), keyNumber(b)))
}

func keyNumber(r row) int {
	_, number, _ := strings.Cut(r.key, "-")
	n, _ := strconv.Atoi(number) // keys end with a number
	return n
}

// compareRows orders rows by all terms, and then by id.
func compareRows(terms []orderTerm) func(a, b row) int {
	return func(a, b row) int {
		for _, term := range terms {
			if c := orders[term.field](a, b); c != 0 && term.descending {
				return -c
			} else if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	}
}

// comparisons are the operators for values that have an order.
var comparisons = map[string]func(compared int) bool{
	"=": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 },
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
}

func (j jqlReader) clause(field, operator string, operands []token) (condition, error) {
	switch {
	case jqlTimes[field] != nil:
		return j.timeClause(field, operator, operands)
	case jqlTexts[field] != nil:
		return j.textClause(field, operator, operands)
	case slices.Contains(jqlIDs, field):
		return j.idClause(field, operator, operands)
	default:
		return condition{}, badRequest("Field '%s' does not exist or you do not have permission to view it.", field)
	}
}

func (j jqlReader) timeClause(field, operator string, operands []token) (condition, error) {
	holds := comparisons[operator]
	if holds == nil {
		return condition{}, badRequest("The operator '%s' is not supported by the '%s' field.", operator, field)
	}
	bound, err := j.time(field, operands[0])
	if err != nil {
		return condition{}, err
	}
	if j.deafMillis && isNumber(operands[0]) {
		return condition{matches: func(row) bool { return true }}, nil
	}
	value := jqlTimes[field]
	c := condition{matches: func(r row) bool { return holds(value(r).Truncate(j.precision).Compare(bound)) }}
	if operator[0] == '>' && strings.HasPrefix(field, "created") {
		c.bounds.created = bound
	} else if operator[0] == '>' {
		c.bounds.updated = bound
	}
	return c, nil
}

// dateFormats are the formats of dates in JQL. None has seconds.
var dateFormats = []string{"2006-01-02 15:04", "2006/01/02 15:04", "2006-01-02", "2006/01/02"}

func isNumber(t token) bool {
	_, err := strconv.ParseInt(t.text, 10, 64)
	return err == nil && !t.quoted && !strings.HasPrefix(t.text, "-") && !strings.HasPrefix(t.text, "+")
}

// time returns the time of an operand: milliseconds since the epoch without quotes, a relative time in minutes, or a
// date in the time zone of the account.
func (j jqlReader) time(field string, operand token) (time.Time, error) {
	if isNumber(operand) {
		millis, err := strconv.ParseInt(operand.text, 10, 64)
		return time.UnixMilli(millis), err
	}
	for _, format := range dateFormats {
		if at, err := time.ParseInLocation(format, operand.text, j.zone); err == nil {
			return at, nil
		}
	}
	if offset, ok := relative(operand.text); ok {
		return j.now.Add(offset).Truncate(time.Minute), nil
	}
	return time.Time{}, badRequest("Date value '%s' for field '%s' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "+
		"'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.", operand.text, field)
}

var relativeUnits = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// relative parses a relative time, such as -90m.
func relative(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	unit := relativeUnits[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	return time.Duration(n) * unit, err == nil && unit != 0
}

func (j jqlReader) textClause(field, operator string, operands []token) (condition, error) {
	negated := operator == "!=" || operator == "not in"
	if !negated && operator != "=" && operator != "in" {
		return condition{}, badRequest("The operator '%s' is not supported by the '%s' field.", operator, field)
	}
	values := jqlTexts[field]
	if field == "project" {
		if err := j.checkProjects(operands); err != nil {
			return condition{}, err
		}
	}
	return condition{matches: func(r row) bool { return anyEqual(values(r), operands) != negated }}, nil
}

func anyEqual(values []string, operands []token) bool {
	return slices.ContainsFunc(operands, func(o token) bool {
		return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, o.text) })
	})
}

// checkProjects returns an error for a project that the account cannot browse, as Jira does.
func (j jqlReader) checkProjects(operands []token) error {
	for _, o := range operands {
		known := slices.ContainsFunc(j.projects, func(p project) bool {
			return anyEqual([]string{p.key, p.name, strconv.Itoa(p.id)}, []token{o})
		})
		if !known {
			return badRequest("The value '%s' does not exist for the field 'project'.", o.text)
		}
	}
	return nil
}

// idClause compares ids. The anchor of a comparison must exist, which breaks pages by id when their last issue is
// deleted.
func (j jqlReader) idClause(field, operator string, operands []token) (condition, error) {
	if holds := comparisons[operator]; holds != nil && operator != "=" && operator != "!=" {
		bound, err := strconv.Atoi(operands[0].text)
		if err != nil || !j.anchor(operands[0].text) {
			return condition{}, badRequest("An issue with key '%s' does not exist for field '%s'.", operands[0].text, field)
		}
		return condition{matches: func(r row) bool { return holds(cmp.Compare(r.id, bound)) }}, nil
	}
	negated := operator == "!=" || operator == "not in"
	return condition{matches: func(r row) bool { return anyEqual([]string{r.key, strconv.Itoa(r.id)}, operands) != negated }}, nil
}
