// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// level is the result of a check.
type level string

// The levels. A warning does not change the exit status.
const (
	levelOK      level = "ok"
	levelWarning level = "warning"
	levelProblem level = "problem"
	levelSkipped level = "skipped"
)

// levels are in the order of the output.
var levels = []level{levelProblem, levelWarning, levelOK, levelSkipped}

// The names of the checks.
const (
	checkConfiguration = "configuration"
	checkSite          = "site"
	checkAccount       = "account"
	checkRights        = "rights"
	checkSearch        = "search"
	checkIssues        = "issues"
	checkWebhook       = "webhook"
	checkSecret        = "secret"
	checkDeliveries    = "deliveries"
	checkStatuses      = "statuses"
)

// result is a line of the report.
type result struct {
	Check    string        `json:"check"`
	Level    level         `json:"result"`
	Kind     kind          `json:"kind,omitempty"` // of a warning or a problem
	Message  string        `json:"message"`
	Hint     string        `json:"hint,omitempty"`
	Details  []string      `json:"details,omitempty"`  // facts that the message lacks
	Statuses []statusUsage `json:"statuses,omitempty"` // that the message is about
}

func ok(format string, args ...any) result {
	return result{Level: levelOK, Message: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) result {
	return result{Level: levelSkipped, Message: fmt.Sprintf(format, args...)}
}

// report is the list of results.
type report struct {
	Receiver string   `json:"receiver"`
	Site     string   `json:"site,omitempty"`
	Level    level    `json:"result"`
	Results  []result `json:"checks"` // in the order of the checks
	// Suggestion is a part of a configuration, in YAML, that maps all statuses.
	Suggestion string `json:"suggestion,omitempty"`
}

// add adds the results of a check. Their texts may contain names from Jira.
func (r *report) add(check string, results ...result) {
	for _, one := range results {
		one.Check, one.Message, one.Hint = check, plain(one.Message), plain(one.Hint)
		for i, detail := range one.Details {
			one.Details[i] = plain(detail)
		}
		for i := range one.Statuses {
			one.Statuses[i].Name = plain(one.Statuses[i].Name)
		}
		r.Results = append(r.Results, one)
	}
}

// print writes the numbers, and then all results, the worst first.
func (r *report) print(out io.Writer) {
	site := cmp.Or(r.Site, "a site that did not answer")
	_, _ = fmt.Fprintf(out, "%s, %s, %d ok, %d skipped: receiver %s, %s\n\n", counted(r.count(levelProblem), "problem"),
		counted(r.count(levelWarning), "warning"), r.count(levelOK), r.count(levelSkipped), r.Receiver, site)
	for _, l := range levels {
		for _, one := range r.Results {
			if one.Level == l {
				one.print(out)
			}
		}
	}
	if r.Suggestion != "" {
		_, _ = fmt.Fprintf(out, "\nSuggestion for status::mapping; check the values of the new entries:\n\n%s", r.Suggestion)
	}
}

// maxNames is the number of names on a line, and of statuses. The JSON form contains all of them.
const maxNames = 20

// print writes the result on a line, and its statuses and its hint on further lines.
func (r result) print(out io.Writer) {
	text := r.Message
	if len(r.Details) > 0 {
		text += ": " + listed(r.Details, maxNames)
	}
	_, _ = fmt.Fprintf(out, "%-8s %-14s %s\n", r.Level, r.Check, text)
	further := func(line string) { _, _ = fmt.Fprintf(out, "%-23s %s\n", "", line) }
	for _, s := range r.Statuses[:min(maxNames, len(r.Statuses))] {
		further("- " + s.String())
	}
	if n := len(r.Statuses) - maxNames; n > 0 {
		further(fmt.Sprintf("- and %d more", n))
	}
	if r.Hint != "" {
		further("→ " + r.Hint)
	}
}

// listed returns the first names of a list, and the number of the others.
func listed(names []string, most int) string {
	text := strings.Join(names[:min(most, len(names))], ", ")
	if n := len(names) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func (r *report) count(l level) (n int) {
	for _, one := range r.Results {
		if one.Level == l {
			n++
		}
	}
	return n
}

func (r *report) level() level {
	switch {
	case r.count(levelProblem) > 0:
		return levelProblem
	case r.count(levelWarning) > 0:
		return levelWarning
	default:
		return levelOK
	}
}

func (r *report) exitStatus() int {
	switch {
	case r.Site == "":
		return exitUnchecked
	case r.level() == levelProblem:
		return exitProblem
	default:
		return exitOK
	}
}

func (r *report) printJSON(out io.Writer) error {
	r.Level = r.level()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// counted returns a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// plain returns a text on one line, without characters that steer a terminal.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
