package jirareceiver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"go.uber.org/zap"
)

// diskInterval is how long a look at the disks counts: long enough to cost nothing, and too short for a disk to fill up.
const diskInterval = 100 * time.Millisecond

// diskGuard rejects deliveries while a disk is nearly full. A persistent queue needs free space to take events out as well, and
// loses events on a full disk (docs/durability.md).
type diskGuard struct {
	directories []string
	minFree     uint64                           // bytes
	free        func(dir string) (uint64, error) // bytes that this process may use
	now         func() time.Time
	warnings    *zap.Logger

	looking  sync.Mutex // one delivery at a time looks; a disk that hangs does not hold up the others
	lookedAt time.Time
	full     atomic.Bool
}

func newDiskGuard(cfg *DiskConfig, now func() time.Time, warnings *zap.Logger) *diskGuard {
	return &diskGuard{
		directories: cfg.Directories,
		minFree:     uint64(cfg.MinFreeBytes), //nolint:gosec // validated to be positive
		free:        freeSpace,
		now:         now,
		warnings:    warnings,
	}
}

func freeSpace(dir string) (uint64, error) {
	usage, err := disk.Usage(dir)
	if err != nil {
		return 0, err
	}
	return usage.Free, nil
}

// check returns an error if there is too little free space.
func (g *diskGuard) check() error {
	if g.hasRoom() {
		return nil
	}
	return failed(kindDiskFull, nil)
}

func (g *diskGuard) hasRoom() bool {
	if len(g.directories) > 0 && g.looking.TryLock() {
		defer g.looking.Unlock()
		if now := g.now(); now.Sub(g.lookedAt) >= diskInterval {
			g.full.Store(g.look())
			g.lookedAt = now
		}
	}
	return !g.full.Load()
}

// look reports whether any of the disks is nearly full. A directory that cannot be looked up counts as one with room: it may not
// exist yet, and a mistake in the configuration must not reject all deliveries.
func (g *diskGuard) look() (full bool) {
	for _, dir := range g.directories {
		free, err := g.free(dir)
		if err != nil {
			g.warnings.Warn("Cannot read the free space of a directory in admission::disk::directories; deliveries are accepted without this check; create the directory or correct its path",
				zap.String("directory", dir), zap.Error(err))
			continue
		}
		full = full || free < g.minFree
	}
	return full
}
