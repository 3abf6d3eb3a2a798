// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package diskguard watches the free space of disks.
package diskguard

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"go.uber.org/zap"
)

// Interval is the time for which a check of the disks is valid. It is so long that checks cost little, and so short
// that deliveries cannot fill up a disk within it.
const Interval = 100 * time.Millisecond

// Options configure a [Guard].
type Options struct {
	Directories []string                         // one or more on each disk; without directories, there is always room
	MinFree     uint64                           // bytes
	Free        func(dir string) (uint64, error) // returns the bytes that this process may use; nil: asks the file system
	Now         func() time.Time
	Warnings    *zap.Logger
}

// Guard reports whether disks are nearly full. It is safe for concurrent use.
type Guard struct {
	opts Options

	checking  sync.Mutex // only one delivery at a time checks, so that a disk that hangs does not block other deliveries
	checkedAt time.Time
	full      atomic.Bool
}

// New returns a Guard.
func New(opts Options) *Guard {
	if opts.Free == nil {
		opts.Free = freeSpace
	}
	return &Guard{opts: opts}
}

func freeSpace(dir string) (uint64, error) {
	usage, err := disk.Usage(dir)
	if err != nil {
		return 0, err
	}
	return usage.Free, nil
}

// HasRoom reports whether each disk has at least MinFree bytes of free space. It checks the disks at most once in an
// Interval.
func (g *Guard) HasRoom() bool {
	if len(g.opts.Directories) > 0 && g.checking.TryLock() {
		defer g.checking.Unlock()
		if now := g.opts.Now(); now.Sub(g.checkedAt) >= Interval {
			g.full.Store(g.check())
			g.checkedAt = now
		}
	}
	return !g.full.Load()
}

// check reports whether any of the disks is nearly full. A directory without information counts as a directory with
// room: it may not exist yet, and a mistake in the configuration must not make the receiver reject all deliveries.
func (g *Guard) check() (full bool) {
	for _, dir := range g.opts.Directories {
		free, err := g.opts.Free(dir)
		if err != nil {
			g.opts.Warnings.Warn("Cannot read the free space of a directory in admission::disk::directories; "+
				"the receiver accepts deliveries without this check; create the directory or correct its path",
				zap.String("directory", dir), zap.Error(err))
			continue
		}
		full = full || free < g.opts.MinFree
	}
	return full
}
