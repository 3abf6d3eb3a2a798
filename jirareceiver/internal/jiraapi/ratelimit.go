// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jiraapi

import (
	"net/http"
	"strconv"
	"time"
)

// The headers with which Jira describes its rate limits.
//   - Jira Cloud: https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
//   - Data Center: https://confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html
const (
	headerRetryAfter = "Retry-After"                  // seconds or a date; 0 on Data Center while tokens are left
	headerReset      = "X-Ratelimit-Reset"            // time of the reset in ISO 8601; Jira Cloud
	headerNearLimit  = "X-Ratelimit-Nearlimit"        // true if less than a fifth of the limit is left; Jira Cloud
	headerLimit      = "X-Ratelimit-Limit"            // number of requests, or of tokens in the bucket
	headerRemaining  = "X-Ratelimit-Remaining"        // number of requests or tokens that are left
	headerInterval   = "X-Ratelimit-Interval-Seconds" // time until the bucket receives tokens again; Data Center
)

// resetFormats are the formats of the time of a reset. Examples of Atlassian omit the seconds.
var resetFormats = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999Z0700"}

// askedPause returns the time for which Jira asks the client to pause, at most maxAsked, or 0 if it does not. Times are
// relative to the date of the answer, because the clocks of Jira and of the collector may differ.
func askedPause(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	for _, ask := range []func() time.Duration{
		func() time.Duration { return seconds(h.Get(headerRetryAfter)) },
		func() time.Duration {
			date, err := http.ParseTime(h.Get(headerRetryAfter))
			return untilReset(date, err, now)
		},
		func() time.Duration { return reset(h.Get(headerReset), now) },
		func() time.Duration { return seconds(h.Get(headerInterval)) },
	} {
		if pause := ask(); pause > 0 {
			return min(pause, maxAsked)
		}
	}
	return 0
}

func reset(value string, now time.Time) time.Duration {
	for _, format := range resetFormats {
		if date, err := time.Parse(format, value); err == nil {
			return untilReset(date, nil, now)
		}
	}
	return 0
}

func untilReset(date time.Time, err error, now time.Time) time.Duration {
	if err != nil {
		return 0
	}
	return date.Sub(now)
}

// seconds returns 0 for a text that is not a number of seconds.
func seconds(value string) time.Duration {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n > 0) { // not a number is not greater than 0
		return 0
	}
	return time.Duration(min(n, maxAsked.Seconds()) * float64(time.Second))
}

// isNearLimit reports whether the headers of an answer report that less than a fifth of a limit is left.
func isNearLimit(h http.Header) bool {
	if near, err := strconv.ParseBool(h.Get(headerNearLimit)); err == nil {
		return near
	}
	limit, errLimit := strconv.ParseInt(h.Get(headerLimit), 10, 64)
	remaining, errRemaining := strconv.ParseInt(h.Get(headerRemaining), 10, 64)
	return errLimit == nil && errRemaining == nil && limit > 0 && remaining < limit/5
}
