// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
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

// result is a line of the report.
type result struct {
	Check   string   `json:"check"`
	Level   level    `json:"result"`
	Message string   `json:"message"`
	Hint    string   `json:"hint,omitempty"`
	Details []string `json:"details,omitempty"` // names of events or statuses
}

func ok(format string, args ...any) result {
	return result{Level: levelOK, Message: fmt.Sprintf(format, args...)}
}

func warning(hint, format string, args ...any) result {
	return result{Level: levelWarning, Hint: hint, Message: fmt.Sprintf(format, args...)}
}

func problem(hint, format string, args ...any) result {
	return result{Level: levelProblem, Hint: hint, Message: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) result {
	return result{Level: levelSkipped, Message: fmt.Sprintf(format, args...)}
}

// report is the list of results.
type report struct {
	Receiver string   `json:"receiver"`
	Site     string   `json:"site,omitempty"`
	Level    level    `json:"result"`
	Results  []result `json:"checks"`

	out io.Writer // receives each result as text; nil for none
}

// add adds the results of a check. Their texts may contain names from Jira.
func (r *report) add(check string, results ...result) {
	for _, one := range results {
		one.Check, one.Message, one.Hint = check, plain(one.Message), plain(one.Hint)
		for i, detail := range one.Details {
			one.Details[i] = plain(detail)
		}
		r.Results = append(r.Results, one)
		if r.out != nil {
			one.print(r.out)
		}
	}
}

// maxDetails is the number of names on a line. The JSON form contains all of them.
const maxDetails = 20

// print writes the result on a line, and its hint on a second line.
func (r result) print(out io.Writer) {
	text := r.Message
	if n := len(r.Details); n > 0 {
		text += ": " + strings.Join(r.Details[:min(n, maxDetails)], ", ")
		if n > maxDetails {
			text += fmt.Sprintf(" and %d more", n-maxDetails)
		}
	}
	_, _ = fmt.Fprintf(out, "%-8s %-14s %s\n", r.Level, r.Check, text)
	if r.Hint != "" {
		_, _ = fmt.Fprintf(out, "%-23s → %s\n", "", r.Hint)
	}
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
	if r.level() == levelProblem {
		return exitProblem
	}
	return exitOK
}

func (r *report) printSummary() {
	_, _ = fmt.Fprintf(r.out, "\n%s, %s, %d ok, %d skipped\n", counted(r.count(levelProblem), "problem"),
		counted(r.count(levelWarning), "warning"), r.count(levelOK), r.count(levelSkipped))
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
