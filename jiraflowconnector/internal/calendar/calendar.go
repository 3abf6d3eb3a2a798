// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package calendar measures working hours. It does no I/O and reads no clock.
package calendar

import (
	"errors"
	"fmt"
	"sort"
	"time"
)

// Hours are working hours on a day of work, in minutes since midnight on the clock of the time zone.
type Hours struct{ From, To int }

// ParseHours parses working hours such as 09:00-17:30. The end of a day is 24:00.
func ParseHours(text string) (Hours, error) {
	var fromHour, fromMinute, toHour, toMinute int
	var rest string
	n, _ := fmt.Sscanf(text+"\n", "%02d:%02d-%02d:%02d%s", &fromHour, &fromMinute, &toHour, &toMinute, &rest)
	h := Hours{From: fromHour*60 + fromMinute, To: toHour*60 + toMinute}
	isTime := func(hour, minute int) bool {
		return hour >= 0 && minute >= 0 && minute < 60 && hour*60+minute <= minutesOfDay
	}
	if n != 4 || len(text) != len("09:00-17:30") || !isTime(fromHour, fromMinute) || !isTime(toHour, toMinute) {
		return Hours{}, errors.New("not working hours; write them like 09:00-17:30")
	}
	if h.From >= h.To {
		return Hours{}, errors.New("the end is not after the beginning; write hours over midnight as two entries, " +
			"such as 22:00-24:00 and 00:00-06:00")
	}
	return h, nil
}

const minutesOfDay = 24 * 60

// Date is a day without a time.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate parses a date such as 2026-12-25.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, errors.New("not a date; write it like 2026-12-25")
	}
	return dateOf(t), nil
}

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// Options describe a [Calendar].
type Options struct {
	Weekdays []time.Weekday
	Hours    []Hours // on each day of work; they do not overlap
	Zone     *time.Location
	Holidays []Date
}

// The calendar knows the working hours of these years. Outside of them no time passes.
const (
	firstYear = 1990
	lastYear  = 2100
)

// span is a span of working hours in milliseconds since 1970.
type span struct {
	from, to int64
	before   int64 // working milliseconds before the span
}

// Calendar contains the working hours of all years. It is made once, so that a measurement is two binary searches.
type Calendar struct{ spans []span }

// New returns the calendar. The clock of the time zone decides about each day: a shift over a change of daylight saving
// time is longer or shorter by the change.
func New(o Options) *Calendar {
	isWorkday := [7]bool{}
	for _, day := range o.Weekdays {
		isWorkday[day] = true
	}
	isHoliday := map[Date]bool{}
	for _, day := range o.Holidays {
		isHoliday[day] = true
	}
	c := &Calendar{}
	for day := time.Date(firstYear, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() <= lastYear; day = day.AddDate(0, 0, 1) {
		if date := dateOf(day); isWorkday[day.Weekday()] && !isHoliday[date] {
			for _, hours := range o.Hours {
				c.add(date.at(hours.From, o.Zone), date.at(hours.To, o.Zone))
			}
		}
	}
	c.sum()
	return c
}

// at returns the instant at which the clock shows the minutes on the day. A time that the clock skips is the end of the
// gap, and of a time that the clock shows twice, it is the first.
func (d Date) at(minutes int, zone *time.Location) int64 {
	t := time.Date(d.Year, d.Month, d.Day, 0, minutes, 0, 0, zone)
	wanted := time.Date(d.Year, d.Month, d.Day, 0, minutes, 0, 0, time.UTC)
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	if shown.Equal(wanted) {
		return first(t).UnixMilli()
	}
	// time.Date has taken one of the two offsets of a gap. The end of the gap is where the zone changes.
	start, end := t.ZoneBounds()
	if shown.After(wanted) {
		return start.UnixMilli()
	}
	return end.UnixMilli()
}

// first returns the first of the two instants at which the clock shows the same time, if there are two.
func first(t time.Time) time.Time {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, offsetBefore := start.Add(-time.Second).Zone()
	earlier := t.Add(time.Duration(offset-offsetBefore) * time.Second)
	if offsetBefore > offset && earlier.Before(start) {
		return earlier
	}
	return t
}

func (c *Calendar) add(from, to int64) {
	if from < to {
		c.spans = append(c.spans, span{from: from, to: to})
	}
}

func (c *Calendar) sum() {
	sort.Slice(c.spans, func(i, j int) bool { return c.spans[i].from < c.spans[j].from })
	var total int64
	for i := range c.spans {
		c.spans[i].before = total
		total += c.spans[i].to - c.spans[i].from
	}
}

// Between returns the working time between two instants in milliseconds since 1970. It is 0 if the second is not after
// the first.
func (c *Calendar) Between(from, to int64) time.Duration {
	if to <= from {
		return 0
	}
	return time.Duration(c.until(to)-c.until(from)) * time.Millisecond
}

// until returns the working milliseconds before an instant.
func (c *Calendar) until(at int64) int64 {
	i := sort.Search(len(c.spans), func(i int) bool { return c.spans[i].from > at }) - 1
	if i < 0 {
		return 0
	}
	s := c.spans[i]
	return s.before + min(at, s.to) - s.from
}

// Elapsed returns all of the time between two instants in milliseconds since 1970, for a flow without a calendar.
func Elapsed(from, to int64) time.Duration {
	return time.Duration(max(to-from, 0)) * time.Millisecond
}
