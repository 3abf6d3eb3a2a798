// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package calendar

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var workweek = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	require.NoError(t, err)
	return location
}

func TestBetween(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	office := Options{
		Weekdays: workweek, Hours: []Hours{{9 * 60, 12 * 60}, {13 * 60, 17 * 60}}, Zone: berlin,
		Holidays: []Date{{2026, time.December, 25}},
	}
	nights := Options{Weekdays: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Hours: []Hours{{0, 6 * 60}}, Zone: berlin}
	always := Options{Weekdays: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Hours: []Hours{{0, minutesOfDay}}, Zone: berlin}
	for _, tt := range []struct {
		name     string
		options  Options
		from, to string
		want     time.Duration
	}{
		{"inside a day", office, "2026-03-02T10:00", "2026-03-02T11:30", 90 * time.Minute},
		{"over lunch", office, "2026-03-02T11:00", "2026-03-02T14:00", 2 * time.Hour},
		{"before and after work", office, "2026-03-02T06:00", "2026-03-02T22:00", 7 * time.Hour},
		{"over night", office, "2026-03-02T16:00", "2026-03-03T10:00", 2 * time.Hour},
		{"over a weekend", office, "2026-03-06T16:00", "2026-03-09T10:00", 2 * time.Hour},
		{"on a weekend", office, "2026-03-07T10:00", "2026-03-08T10:00", 0},
		{"over a holiday", office, "2026-12-24T16:00", "2026-12-28T10:00", 2 * time.Hour},
		{"backwards", office, "2026-03-03T10:00", "2026-03-02T10:00", 0},
		{"a week", office, "2026-03-02T00:00", "2026-03-09T00:00", 35 * time.Hour},
		{"a week over the start of summer time", office, "2026-03-27T12:00", "2026-03-30T12:00", 4*time.Hour + 3*time.Hour},
		{"a week over the end of summer time", office, "2026-10-23T12:00", "2026-10-26T12:00", 4*time.Hour + 3*time.Hour},
		{"a night without an hour", nights, "2026-03-28T22:00", "2026-03-29T07:00", 5 * time.Hour},
		{"a night with an hour twice", nights, "2026-10-24T22:00", "2026-10-25T07:00", 7 * time.Hour},
		{"a day of 23 hours", always, "2026-03-29T00:00", "2026-03-30T00:00", 23 * time.Hour},
		{"a day of 25 hours", always, "2026-10-25T00:00", "2026-10-26T00:00", 25 * time.Hour},
		{"before the first year", office, "1970-01-01T00:00", "1985-01-01T00:00", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, New(tt.options).Between(instant(t, tt.from, berlin), instant(t, tt.to, berlin)))
		})
	}
}

func instant(t *testing.T, text string, zone *time.Location) int64 {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
	require.NoError(t, err)
	return at.UnixMilli()
}

// TestGaps compares hours that begin or end in the hour that the clock skips or shows twice. Where the change is at
// midnight, the day begins late.
func TestGaps(t *testing.T) {
	everyDay := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	for _, tt := range []struct {
		name, zone string
		hours      Hours
		day        string // the working time between its noon before and its noon after
		want       time.Duration
	}{
		{"begins in the skipped hour", "Europe/Berlin", Hours{2*60 + 30, 5 * 60}, "2026-03-29", 2 * time.Hour},
		{"ends in the skipped hour", "Europe/Berlin", Hours{0, 2*60 + 30}, "2026-03-29", 2 * time.Hour},
		{"is in the skipped hour", "Europe/Berlin", Hours{2*60 + 10, 2*60 + 50}, "2026-03-29", 0},
		{"begins in the double hour", "Europe/Berlin", Hours{2*60 + 30, 5 * 60}, "2026-10-25", 3*time.Hour + 30*time.Minute},
		{"ends in the double hour", "Europe/Berlin", Hours{0, 2*60 + 30}, "2026-10-25", 2*time.Hour + 30*time.Minute},
		{"begins at a skipped midnight", "Africa/Cairo", Hours{0, 3 * 60}, "2026-04-24", 2 * time.Hour},
		{"half an hour", "Australia/Lord_Howe", Hours{0, 3 * 60}, "2026-10-04", 2*time.Hour + 30*time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			location := zone(t, tt.zone)
			c := New(Options{Weekdays: everyDay, Hours: []Hours{tt.hours}, Zone: location})
			midnight, err := time.ParseInLocation(time.DateOnly, tt.day, time.UTC)
			require.NoError(t, err)
			noonBefore := time.Date(midnight.Year(), midnight.Month(), midnight.Day()-1, 12, 0, 0, 0, location)
			noon := time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 12, 0, 0, 0, location)
			assert.Equal(t, tt.want, c.Between(noonBefore.UnixMilli(), noon.UnixMilli()))
		})
	}
}

// TestBetweenMinuteByMinute compares with a clock that is read each minute.
func TestBetweenMinuteByMinute(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"} {
		location := zone(t, name)
		hours := Hours{1 * 60, 10*60 + 30}
		c := New(Options{Weekdays: workweek, Hours: []Hours{hours}, Zone: location})
		random := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			from := time.Date(2026, time.Month(1+random.IntN(12)), 1+random.IntN(28), random.IntN(24), 0, 0, 0, location)
			to := from.Add(time.Duration(random.IntN(10*24*60)) * time.Minute)
			assert.Equal(t, minuteByMinute(from, to, hours), c.Between(from.UnixMilli(), to.UnixMilli()),
				"%s to %s", from, to)
		}
	}
}

func minuteByMinute(from, to time.Time, hours Hours) (sum time.Duration) {
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		minute := at.Hour()*60 + at.Minute()
		isWork := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
		if isWork && minute >= hours.From && minute < hours.To {
			sum += time.Minute
		}
	}
	return sum
}

func TestParseHours(t *testing.T) {
	for text, want := range map[string]Hours{
		"09:00-17:30": {540, 1050}, "00:00-24:00": {0, 1440}, "22:00-24:00": {1320, 1440},
	} {
		got, err := ParseHours(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "9-17", "9:00-17:00", "09:00", "17:00-09:00", "09:00-09:00", "09:00-24:01", "09:60-10:00", "-1:00-10:00",
		"09:00-17:30 ", "09:00 17:30", "ab:cd-ef:gh",
	} {
		_, err := ParseHours(text)
		assert.Error(t, err, text)
	}
}

func TestParseDate(t *testing.T) {
	got, err := ParseDate("2026-12-25")
	require.NoError(t, err)
	assert.Equal(t, Date{2026, time.December, 25}, got)
	for _, text := range []string{"", "25.12.2026", "2026-02-30", "2026-12"} {
		_, err := ParseDate(text)
		assert.Error(t, err, text)
	}
}

func BenchmarkBetween(b *testing.B) {
	c := New(Options{Weekdays: workweek, Hours: []Hours{{540, 1020}}, Zone: time.UTC})
	from, to := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).UnixMilli(), time.Date(2026, 4, 2, 10, 0, 0, 0, time.UTC).UnixMilli()
	for b.Loop() {
		c.Between(from, to)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{Weekdays: workweek, Hours: []Hours{{540, 1020}}, Zone: time.UTC})
	}
}
