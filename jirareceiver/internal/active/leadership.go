// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// leaderElector is the extension k8s_leader_elector of opentelemetry-collector-contrib, which calls these functions when
// the collector becomes the leader and when it is no longer.
type leaderElector interface {
	SetCallBackFuncs(onBegin func(context.Context), onEnd func())
}

// leadership runs a function while the collector is the leader. Its methods are safe for concurrent use.
type leadership struct {
	run func(context.Context)

	mu      sync.Mutex
	stop    context.CancelFunc // nil while the function does not run
	ended   <-chan struct{}    // closed when the leadership of the function has ended
	running sync.WaitGroup
	isOver  bool // end was called
}

// await lets an extension begin and end the leadership.
func (l *leadership) await(host component.Host, id component.ID) error {
	extension, found := host.GetExtensions()[id]
	if !found {
		return fmt.Errorf("k8s_leader_elector: the extension %s does not exist; "+
			"add it under extensions and service::extensions", id)
	}
	elector, ok := extension.(leaderElector)
	if !ok {
		return fmt.Errorf("k8s_leader_elector: %s elects no leader; name an extension k8s_leader_elector", id)
	}
	elector.SetCallBackFuncs(l.begin, l.pause)
	return nil
}

// begin starts the function unless it runs. The function ends with ctx, which an elector cancels when the leadership is
// lost. The elector may call begin after that.
func (l *leadership) begin(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isOver || ctx.Err() != nil || l.isLeading() {
		return
	}
	l.running.Wait() // for the function of an earlier leadership
	ctx, l.stop = context.WithCancel(ctx)
	l.ended = ctx.Done()
	l.running.Go(func() { l.run(ctx) })
}

// isLeading reports whether the function runs and its leadership has not ended. The caller holds the lock.
func (l *leadership) isLeading() bool {
	if l.stop == nil {
		return false
	}
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// pause ends the function until begin is called again.
func (l *leadership) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
		l.stop = nil
		l.running.Wait()
	}
}

// end ends the function for good.
func (l *leadership) end() {
	l.mu.Lock()
	l.isOver = true
	l.mu.Unlock()
	l.pause()
}
