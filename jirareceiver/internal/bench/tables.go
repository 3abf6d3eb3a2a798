// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// table is a comparison of contenders. The first one is the base of the ratios.
type table struct {
	contenders []contender
	before     []contender // the same contenders before a change, or none
	rounds     int
	columns    []column
}

// column is a column of a table: the value of a contender from all its measurements.
type column struct {
	title string
	value func(own, base, before []measurement) string
}

var (
	cpuTimes  = measurement.cpu
	speeds    = measurement.perSecond
	cpuColumn = column{"CPU µs per delivery", func(own, _, _ []measurement) string {
		return spreadOf(valuesOf(own, cpuTimes)).String()
	}}
	speedColumn = column{"accepted/s", func(own, _, _ []measurement) string {
		return fmt.Sprintf("%.0f", spreadOf(valuesOf(own, speeds)).median)
	}}
	restColumns = []column{
		{"p50 ms", func(own, _, _ []measurement) string { return fmt.Sprintf("%.2f", together(own).percentile(50)) }},
		{"p99 ms", func(own, _, _ []measurement) string { return fmt.Sprintf("%.2f", together(own).percentile(99)) }},
		{"peak memory MB", func(own, _, _ []measurement) string { return fmt.Sprintf("%.0f", together(own).memory()) }},
		{"not accepted", func(own, _, _ []measurement) string { return strconv.Itoa(together(own).failed) }},
	}
)

// relative returns a column with paired ratios to the base.
func relative(title string, value func(measurement) float64) column {
	return column{title, func(own, base, _ []measurement) string {
		return spreadOf(paired(valuesOf(own, value), valuesOf(base, value), ratio)).String()
	}}
}

// more returns a column with paired differences to the base.
func more(title string, value func(measurement) float64) column {
	return column{title, func(own, base, _ []measurement) string {
		return spreadOf(paired(valuesOf(own, value), valuesOf(base, value), difference)).String()
	}}
}

// relativeToBefore returns a column with paired ratios to the same contender before a change.
func relativeToBefore(title string, value func(measurement) float64) column {
	return column{title, func(own, _, before []measurement) string {
		if before == nil {
			return ""
		}
		return spreadOf(paired(valuesOf(own, value), valuesOf(before, value), ratio)).String()
	}}
}

func valuesOf(measurements []measurement, value func(measurement) float64) []float64 {
	values := make([]float64, len(measurements))
	for i, m := range measurements {
		values[i] = value(m)
	}
	return values
}

// print measures the contenders and prints the table.
func (t table) print(ctx context.Context, file string, l load) (err error) {
	if l.body, err = os.ReadFile(file); err != nil {
		return err
	}
	results, err := contest(ctx, slices.Concat(t.contenders, t.before), t.rounds, l)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s: %d bytes, connections: %d, windows of %s in %d rounds; medians, with quartiles in brackets\n\n",
		filepath.Base(file), len(l.body), l.connections, l.duration, t.rounds)
	t.write(os.Stdout, results)
	return nil
}

// write writes the table. The results are those of the contenders, and then those of the contenders before the change.
func (t table) write(w io.Writer, results [][]measurement) {
	titles, lines := []string{""}, []string{"---"}
	for _, c := range t.columns {
		titles, lines = append(titles, c.title), append(lines, "---")
	}
	writeRow(w, titles)
	writeRow(w, lines)
	after, before := results[:len(t.contenders)], results[len(t.contenders):]
	for i, c := range t.contenders {
		var own []measurement
		if len(before) > 0 {
			own = before[i]
		}
		writeRow(w, t.row(c, after[i], after[0], own))
	}
	for i, c := range t.before {
		writeRow(w, t.row(c, before[i], before[0], nil))
	}
}

func (t table) row(c contender, own, base, before []measurement) []string {
	cells := []string{c.name}
	for _, column := range t.columns {
		cells = append(cells, column.value(own, base, before))
	}
	return cells
}

func writeRow(w io.Writer, cells []string) {
	_, _ = fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}
