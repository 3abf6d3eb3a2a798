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

// Interval is how long a look at the disks counts: long enough to cost nothing, and too short for a disk to fill up.
const Interval = 100 * time.Millisecond

// Options configure a [Guard].
type Options struct {
	Directories []string                         // on the disks; none: there is always room
	MinFree     uint64                           // bytes
	Free        func(dir string) (uint64, error) // bytes that this process may use; nil: of the file system
	Now         func() time.Time
	Warnings    *zap.Logger
}

// Guard reports whether disks are nearly full. It is safe for concurrent use.
type Guard struct {
	opts Options

	looking  sync.Mutex // one delivery at a time looks; a disk that hangs does not hold up the others
	lookedAt time.Time
	full     atomic.Bool
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

// HasRoom reports whether each disk has the least free space. It looks at most once in an Interval.
func (g *Guard) HasRoom() bool {
	if len(g.opts.Directories) > 0 && g.looking.TryLock() {
		defer g.looking.Unlock()
		if now := g.opts.Now(); now.Sub(g.lookedAt) >= Interval {
			g.full.Store(g.look())
			g.lookedAt = now
		}
	}
	return !g.full.Load()
}

// look reports whether any of the disks is nearly full. A directory that cannot be looked up counts as one with room: it may not
// exist yet, and a mistake in the configuration must not reject all deliveries.
func (g *Guard) look() (full bool) {
	for _, dir := range g.opts.Directories {
		free, err := g.opts.Free(dir)
		if err != nil {
			g.opts.Warnings.Warn("Cannot read the free space of a directory in admission::disk::directories; deliveries are accepted without this check; create the directory or correct its path",
				zap.String("directory", dir), zap.Error(err))
			continue
		}
		full = full || free < g.opts.MinFree
	}
	return full
}
