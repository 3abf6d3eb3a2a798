// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package statuslog

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// loggedStatuses returns the statuses of all lines about unmapped statuses.
func loggedStatuses(logs *observer.ObservedLogs) (statuses []string) {
	for _, entry := range logs.FilterMessageSnippet("No mapping for Jira statuses").All() {
		for _, status := range entry.ContextMap()["statuses"].([]any) {
			statuses = append(statuses, status.(string))
		}
	}
	return statuses
}

// newSampledStatuses logs through a sampler with the settings of the collector.
func newSampledStatuses() (*Log, *observer.ObservedLogs) {
	core, logs := observer.New(zap.DebugLevel)
	return New(zap.New(zapcore.NewSamplerWithOptions(core, 10*time.Second, 10, 100)), Interval), logs
}

// TestEachStatusIsLogged adds more statuses within a second than the collector logs equal messages.
func TestEachStatusIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, logs := newSampledStatuses()
		var want []string
		add := func(n int) {
			for range n {
				name := fmt.Sprintf("Status %d", len(want))
				u.Add(name, "7")
				want = append(want, name+" (7)")
			}
		}
		add(15)
		assert.Equal(t, want[:1], loggedStatuses(logs), "the first at once")
		time.Sleep(Interval)
		synctest.Wait()
		assert.Equal(t, want, loggedStatuses(logs))
		assert.Equal(t, 2, logs.Len())
		add(1)
		time.Sleep(10 * Interval)
		synctest.Wait()
		assert.Equal(t, want, loggedStatuses(logs))
		add(2)
		assert.Len(t, loggedStatuses(logs), len(want)-1, "at once after a pause, and then not")
		u.Shutdown()
		assert.Equal(t, want, loggedStatuses(logs), "the rest at the end")
		u.Add("late", "7")
		time.Sleep(10 * Interval)
		synctest.Wait()
		assert.Equal(t, want, loggedStatuses(logs), "no timer is left")

		idle, logs := newSampledStatuses()
		idle.Shutdown()
		idle.Add("late", "7")
		assert.Empty(t, loggedStatuses(logs), "nothing was pending")
	})
}

// TestLimitOfStatusesIsLogged adds more statuses than the limit.
func TestLimitOfStatusesIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, logs := newSampledStatuses()
		reached := func() int { return logs.FilterMessageSnippet("Too many Jira statuses without a mapping").Len() }
		for i := range maxReported {
			u.Add(strconv.Itoa(i), "")
		}
		u.Add("0", "")
		assert.Zero(t, reached())
		for i := range maxReported {
			u.Add(strconv.Itoa(maxReported+i), "")
		}
		assert.Equal(t, 1, reached())
		u.Shutdown()
		assert.Len(t, loggedStatuses(logs), maxReported)
	})
}

func TestLabels(t *testing.T) {
	assert.Equal(t, "In Review (7)", label("In Review", "7"))
	assert.Equal(t, "In Review", label("In Review", ""))
	assert.Equal(t, "7", label("", "7"))
}
