// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirasim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// freshLength is the length of a history that [Fresh] returns, unless it was shorter before.
const freshLength = 10 * time.Minute

// Fresh returns deliveries as if their events had happened just now, for backends that reject old records. The last
// event happens now, the others in the minutes before, in their order. Issues, changelogs, comments and worklogs have
// other ids at each second, so that a receiver does not take the events for repetitions.
func Fresh(deliveries []Delivery, now time.Time) []Delivery {
	c := newClock(deliveries, now)
	ids := freshIDs(deliveries, now)
	fresh := slices.Clone(deliveries)
	for i := range fresh {
		fresh[i].Body = []byte(ids.Replace(c.move(string(fresh[i].Body))))
	}
	return fresh
}

// identity is the part of a body that identifies its event.
type identity struct {
	Timestamp                          int64
	Issue, Changelog, Comment, Worklog struct{ ID string }
}

func identityOf(d Delivery) identity {
	var in identity
	_ = json.Unmarshal(d.Body, &in) // another body has no time and no ids
	return in
}

// freshIDs replaces the ids of the deliveries where they stand alone: as texts, and in links.
func freshIDs(deliveries []Delivery, now time.Time) *strings.Replacer {
	var pairs []string
	for _, d := range deliveries {
		in := identityOf(d)
		for _, old := range []string{in.Issue.ID, in.Changelog.ID, in.Comment.ID, in.Worklog.ID} {
			if old == "" {
				continue
			}
			id := strconv.FormatInt(now.Unix(), 10) + old
			for _, end := range []string{`"`, `/`} {
				pairs = append(pairs, `"`+old+end, `"`+id+end, `/`+old+end, `/`+id+end)
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// clock maps the times of a history to the present.
type clock struct {
	end, now time.Time
	slowness float64 // of the new times
}

func newClock(deliveries []Delivery, now time.Time) *clock {
	var times []time.Time
	for _, d := range deliveries {
		if in := identityOf(d); in.Timestamp != 0 {
			times = append(times, time.UnixMilli(in.Timestamp))
		}
	}
	if len(times) == 0 {
		return &clock{now, now, 1}
	}
	end := slices.MaxFunc(times, time.Time.Compare)
	length := end.Sub(slices.MinFunc(times, time.Time.Compare))
	return &clock{end, now, min(1, float64(freshLength)/float64(max(length, 1)))}
}

func (c *clock) at(t time.Time) time.Time {
	return c.now.Add(-time.Duration(float64(c.end.Sub(t)) * c.slowness))
}

// times matches the times of Jira, and dates, which are texts of their own.
var times = regexp.MustCompile(`"timestamp":\s*\d+|"\d{4}-\d\d-\d\dT[^"]+"|"\d{4}-\d\d-\d\d"`)

// move replaces the times in a body. Each keeps its format and its time zone.
func (c *clock) move(body string) string {
	return times.ReplaceAllStringFunc(body, func(old string) string {
		if key, millis, isTimestamp := strings.Cut(old, ":"); isTimestamp && key == `"timestamp"` {
			n, _ := strconv.ParseInt(strings.TrimSpace(millis), 10, 64) // matches the expression
			return key + ":" + strconv.FormatInt(c.at(time.UnixMilli(n)).UnixMilli(), 10)
		}
		for _, format := range []string{timeFormat, sprintFormat, dateFormat} {
			if t, err := time.Parse(format, strings.Trim(old, `"`)); err == nil {
				return `"` + c.at(t).In(t.Location()).Format(format) + `"`
			}
		}
		return old
	})
}
