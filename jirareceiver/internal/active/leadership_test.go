// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
)

// elector is an extension that elects a leader.
type elector struct {
	component.Component
	onBegin func(context.Context)
	onEnd   func()
}

func (e *elector) SetCallBackFuncs(onBegin func(context.Context), onEnd func()) {
	e.onBegin, e.onEnd = onBegin, onEnd
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

// TestLeadership counts the runs while the collector is elected, deposed and stopped.
func TestLeadership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, runs := 0, 0
		l := leadership{run: func(ctx context.Context) {
			running++
			runs++
			<-ctx.Done()
			running--
		}}
		id, e := component.MustNewID("k8s_leader_elector"), &elector{}
		require.NoError(t, l.await(hostWith{id: e}, id))
		check := func(wantRunning, wantRuns int, state string) {
			synctest.Wait()
			assert.Equal(t, []int{wantRunning, wantRuns}, []int{running, runs}, state)
		}
		check(0, 0, "not elected yet")
		ctx, cancel := context.WithCancel(t.Context())
		e.onBegin(ctx)
		check(1, 1, "elected")
		e.onBegin(t.Context())
		check(1, 1, "elected twice")
		cancel()
		check(0, 1, "the end of the context ends the leadership")
		e.onBegin(ctx)
		check(0, 1, "the election was over before it arrived")
		e.onBegin(t.Context())
		check(1, 2, "elected again")
		e.onEnd()
		check(0, 2, "deposed")
		e.onEnd()
		e.onBegin(t.Context())
		check(1, 3, "elected again")
		l.end()
		check(0, 3, "stopped")
		e.onBegin(t.Context())
		check(0, 3, "elected after the stop")
	})
}

func TestUnfitElectors(t *testing.T) {
	id := component.MustNewID("k8s_leader_elector")
	var l leadership
	assert.ErrorContains(t, l.await(componenttest.NewNopHost(), id), "k8s_leader_elector: the extension k8s_leader_elector does not exist")
	unfit := hostWith{id: struct{ component.Component }{}}
	assert.ErrorContains(t, l.await(unfit, id), "k8s_leader_elector elects no leader")
}
