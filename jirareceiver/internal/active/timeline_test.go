// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package active_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// timeline is the clock of several receivers and of their Jira. It stands still while one of the receivers works.
type timeline struct {
	changed chan struct{} // contains a value after a change of sleeps

	mu      sync.Mutex
	now     time.Time
	sleeps  []*sleep // of all receivers
	working int      // number of goroutines of the receivers that sleep or work
}

func newTimeline(now time.Time) *timeline {
	return &timeline{changed: make(chan struct{}, 1), now: now}
}

func (c *timeline) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set moves the clock forward.
func (c *timeline) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.now) {
		c.now = now
	}
}

// expect changes the number of goroutines of the receivers.
func (c *timeline) expect(more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working += more
	c.notify()
}

func (c *timeline) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *timeline) add(d time.Duration) *sleep {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &sleep{c.now.Add(d), make(chan struct{})}
	c.sleeps = append(c.sleeps, s)
	c.notify()
	return s
}

func (c *timeline) remove(s *sleep) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sleeps = slices.DeleteFunc(c.sleeps, func(other *sleep) bool { return other == s })
	c.notify()
}

func (c *timeline) isSettled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sleeps) == c.working
}

// settle waits until all goroutines of the receivers sleep.
func (c *timeline) settle(t *testing.T) {
	t.Helper()
	for !c.isSettled() {
		wait(t, c.changed, "the receivers sleep")
	}
}

// next returns the sleep that ends first, or nil if none ends until a time.
func (c *timeline) next(end time.Time) *sleep {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *sleep
	for _, s := range c.sleeps {
		if !s.until.After(end) && (next == nil || s.until.Before(next.until)) {
			next = s
		}
	}
	return next
}

// runUntil lets the receivers work until a time.
func (c *timeline) runUntil(t *testing.T, end time.Time) {
	t.Helper()
	for c.settle(t); ; c.settle(t) {
		s := c.next(end)
		if s == nil {
			c.set(end)
			return
		}
		c.set(s.until)
		c.remove(s)
		close(s.woken)
	}
}

// process is a collector that can crash. It is the clock of its receiver.
type process struct {
	*timeline
	crashed chan struct{}
	kill    func() // lets it crash
}

// newProcess returns a process. While it runs, a number of its goroutines sleep or work.
func newProcess(c *timeline, goroutines *int) *process {
	p := &process{timeline: c, crashed: make(chan struct{})}
	p.kill = sync.OnceFunc(func() {
		c.expect(-*goroutines)
		close(p.crashed)
	})
	return p
}

func (p *process) hasCrashed() bool {
	select {
	case <-p.crashed:
		return true
	default:
		return false
	}
}

// alive returns an error after a crash.
func (p *process) alive() error {
	if p.hasCrashed() {
		return errCrashed
	}
	return nil
}

var errCrashed = errors.New("the collector does not run any more")

// Sleep implements [jiraapi.Clock]. After a crash, it does not return before the end of the test.
func (p *process) Sleep(ctx context.Context, d time.Duration) error {
	if d < time.Millisecond && !p.hasCrashed() {
		p.set(p.Now().Add(d))
		return ctx.Err()
	}
	s := p.add(d)
	select {
	case <-s.woken:
		return nil
	case <-ctx.Done():
	case <-p.crashed:
	}
	p.remove(s)
	<-ctx.Done()
	return ctx.Err()
}

// disk keeps the contents of all clients of a storage.
type disk struct {
	mu       sync.Mutex
	contents map[string]map[string][]byte // by name of the client
}

func newDisk() *disk { return &disk{contents: map[string]map[string][]byte{}} }

// mounted is the extension with which one collector uses a disk.
type mounted struct {
	component.StartFunc
	component.ShutdownFunc
	*disk
	by *process
}

// mountedFile is a client of a mounted disk. A crash ends its writes.
type mountedFile struct {
	mounted
	name string
}

var (
	_ storage.Extension = mounted{}
	_ storage.Client    = mountedFile{}
)

// GetClient implements [storage.Extension].
func (m mounted) GetClient(_ context.Context, _ component.Kind, _ component.ID, name string) (storage.Client, error) {
	return mountedFile{m, name}, nil
}

// Get implements [storage.Client].
func (f mountedFile) Get(_ context.Context, key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.contents[f.name][key]), nil
}

// Set implements [storage.Client].
func (f mountedFile) Set(ctx context.Context, key string, value []byte) error {
	return f.Batch(ctx, storage.SetOperation(key, value))
}

// Delete implements [storage.Client].
func (f mountedFile) Delete(ctx context.Context, key string) error {
	return f.Batch(ctx, storage.DeleteOperation(key))
}

// Batch implements [storage.Client].
func (f mountedFile) Batch(_ context.Context, operations ...*storage.Operation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.by.alive(); err != nil {
		return err
	}
	if f.contents[f.name] == nil {
		f.contents[f.name] = map[string][]byte{}
	}
	for _, o := range operations {
		switch o.Type {
		case storage.Set:
			f.contents[f.name][o.Key] = slices.Clone(o.Value)
		case storage.Delete:
			delete(f.contents[f.name], o.Key)
		default:
			o.Value = slices.Clone(f.contents[f.name][o.Key])
		}
	}
	return nil
}

// Close implements [storage.Client].
func (mountedFile) Close(context.Context) error { return nil }

// TestTimeline lets two goroutines sleep for different times.
func TestTimeline(t *testing.T) {
	t.Parallel()
	c := newTimeline(start)
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	var mu sync.Mutex
	var woken []time.Duration
	for _, d := range []time.Duration{3 * time.Minute, 2 * time.Minute} {
		c.expect(1)
		p := newProcess(c, new(int))
		ended.Go(func() {
			for p.Sleep(ctx, d) == nil {
				mu.Lock()
				woken = append(woken, c.Now().Sub(start)/time.Minute)
				mu.Unlock()
			}
		})
	}
	c.runUntil(t, start.Add(5*time.Minute))
	require.Equal(t, []time.Duration{2, 3, 4}, woken)
	require.Equal(t, start.Add(5*time.Minute), c.Now())
	cancel()
	ended.Wait()
}
