// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// tally counts what comes of deliveries, and tells of it.
type tally struct {
	out      io.Writer
	verbose  bool
	terminal bool // a line can be written over

	mu                                                sync.Mutex
	sent, acknowledged, retried, givenUp, interrupted int
	refusals                                          map[string]int // of those given up, by the last answer
	at                                                time.Time      // in the history
}

func newTally(out io.Writer, verbose bool) *tally {
	t := &tally{out: out, verbose: verbose, refusals: map[string]int{}}
	if file, isFile := out.(*os.File); isFile {
		info, err := file.Stat()
		t.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return t
}

// say has nobody to tell when it cannot.
func (t *tally) say(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format, args...) }

// attempted counts an attempt.
func (t *tally) attempted(d jirasim.Delivery, retry int, a jirasim.Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if retry == 0 {
		t.sent++
	} else {
		t.retried++
	}
	if d.At.After(t.at) {
		t.at = d.At
	}
	if t.verbose {
		t.say("  %-32s %s %s\n", d.About, answer(a), a.Answer)
	}
}

func answer(a jirasim.Attempt) string {
	if a.Err != nil {
		return "no answer"
	}
	return fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
}

// caughtUp explains why it becomes quiet.
func (t *tally) caughtUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.terminal {
		t.say("\r\033[K")
	}
	t.say("It is now in the history: from here on, things take as long as they do. Stop with Ctrl-C\n")
}

// ended counts what came of a delivery in the end.
func (t *tally) ended(r jirasim.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.Acknowledged:
		t.acknowledged++
	case r.Interrupted:
		t.interrupted++
	default:
		t.givenUp++
		t.refusals[answer(r.Attempts[len(r.Attempts)-1])]++
	}
}

// progress tells how it goes until it is stopped.
func (t *tally) progress() (stop func()) {
	if t.verbose {
		return func() {}
	}
	every, format := 10*time.Second, "%s\n"
	if t.terminal {
		every, format = time.Second/2, "\r\033[K%s"
	}
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		for {
			select {
			case <-done:
				if t.terminal {
					t.say("\r\033[K")
				}
				return
			case <-time.After(every):
				t.mu.Lock()
				t.say(format, t.line())
				t.mu.Unlock()
			}
		}
	})
	return func() {
		close(done)
		telling.Wait()
	}
}

func (t *tally) line() string {
	waiting := t.sent - t.acknowledged - t.givenUp - t.interrupted
	return fmt.Sprintf("it is %s in the history: %s, %d waiting", t.at.Format("Mon 2 Jan 15:04"), t.numbers(), waiting)
}

func (t *tally) numbers() string {
	return fmt.Sprintf("%d sent, %d acknowledged, %d retried, %d given up", t.sent, t.acknowledged, t.retried, t.givenUp)
}

// summary returns an error if something was given up.
func (t *tally) summary() error {
	t.say("%s", t.numbers())
	if t.interrupted > 0 {
		t.say(", %d interrupted", t.interrupted)
	}
	t.say("\n")
	if t.givenUp == 0 {
		return nil
	}
	var answers []string
	for _, answer := range slices.Sorted(maps.Keys(t.refusals)) {
		answers = append(answers, fmt.Sprintf("%d × %s", t.refusals[answer], answer))
	}
	hint := ""
	if t.refusals[answer(jirasim.Attempt{Status: http.StatusUnauthorized})] > 0 {
		hint = ". At 401, see that " + secretVariable + " is the same for the collector"
	}
	return fmt.Errorf("%d of %d were given up: %s%s", t.givenUp, t.sent, strings.Join(answers, ", "), hint)
}
