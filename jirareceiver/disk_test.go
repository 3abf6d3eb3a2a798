// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
)

// fakeDisks are disks by their directories. Others cannot be looked up.
type fakeDisks map[string]uint64

func (d fakeDisks) free(dir string) (uint64, error) {
	free, found := d[dir]
	if !found {
		return 0, os.ErrNotExist
	}
	return free, nil
}

func startWithDisks(t *testing.T, disks fakeDisks, directories ...string) *running {
	t.Helper()
	r := start(t, &sink{}, nil)
	r.watch(disks.free, directories...)
	return r
}

// watch has the receiver watch disks that the test fills.
func (r *running) watch(free func(string) (uint64, error), directories ...string) {
	guard := diskguard.New(diskguard.Options{
		Directories: directories, MinFree: 1000, Free: free, Now: r.clock.Now, Warnings: r.handler.telemetry.warnings,
	})
	r.handler.disk, r.handler.health.disk = guard, guard
}

// TestDiskFull fills one of two disks, and makes room again. A look at them counts for a while.
func TestDiskFull(t *testing.T) {
	disks := fakeDisks{"/a": 1000, "/b": 1000}
	r := startWithDisks(t, disks, "/a", "/b")
	assertAnswer := func(want told, when string) {
		response, answer := r.post(t, []byte(createdBody))
		assertTold(t, want, response, answer)
		r.assertHealth(t, want, when)
	}
	assertAnswer(toldOK, "just enough")
	disks["/a"] = 999
	r.clock.advance(diskguard.Interval - 1)
	assertAnswer(toldOK, "nobody has looked again")
	r.clock.advance(1)
	assertAnswer(toldDiskFull, "too little on one disk")
	assertRejected(t, r, "disk_full")
	disks["/a"] = 1000
	r.clock.advance(diskguard.Interval)
	assertAnswer(toldOK, "room again")
}

// TestDiskFullReadsNoBody announces a body and does not send it. Who is not authentic does not learn of the disk.
func TestDiskFullReadsNoBody(t *testing.T) {
	r := start(t, &sink{}, func(cfg *Config) {
		requireToken(cfg)
		cfg.Jira.Admission.Disk.Directories = []string{"/a"}
	})
	r.watch(fakeDisks{"/a": 0}.free, "/a")
	announce := "POST /jira/events HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n"
	response, answer := readAnswer(t, r.dial(t, announce+"\r\n"))
	assertTold(t, toldUnauthorized, response, answer)
	response, answer = readAnswer(t, r.dial(t, announce+"X-Jira-Token: "+token+"\r\n\r\n"))
	assertTold(t, toldDiskFull, response, answer)
}

// TestDiskThatCannotBeLookedUp accepts deliveries, and says so once a minute.
func TestDiskThatCannotBeLookedUp(t *testing.T) {
	r := startWithDisks(t, fakeDisks{}, "/missing")
	for range 3 {
		response, answer := r.post(t, []byte(createdBody))
		assertTold(t, toldOK, response, answer)
		r.clock.advance(diskguard.Interval)
	}
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("Cannot read the free space").Len())
	assertNothingRejected(t, r)
}

// TestDiskThatHangs holds up one delivery and not the others.
func TestDiskThatHangs(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, &sink{}, nil)
	r.watch(func(string) (uint64, error) {
		close(entered)
		<-release
		return 0, errors.New("late")
	}, "/a")
	first := r.inBackground(t)
	wait(t, entered, "look at the disk")
	response, answer := r.post(t, []byte(createdBody))
	assertTold(t, toldOK, response, answer)
	close(release)
	assert.Equal(t, http.StatusOK, wait(t, first, "first answer"))
}
