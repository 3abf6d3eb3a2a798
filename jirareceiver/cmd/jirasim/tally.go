// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// tally counts the outcomes of deliveries, and prints them.
type tally struct {
	out      io.Writer
	verbose  bool
	terminal bool // out can overwrite a line
	giveUp   func()

	mu                                                sync.Mutex
	sent, acknowledged, retried, givenUp, interrupted int
	givenUpBy                                         map[string]int  // deliveries that were given up, by their last response
	causes                                            map[string]bool // printed causes of attempts without a response
	at                                                time.Time       // time of the latest event
	wrongServer                                       string          // response of a server that is not a receiver of webhooks
}

func newTally(out io.Writer, verbose bool) *tally {
	t := &tally{out: out, verbose: verbose, givenUpBy: map[string]int{}, causes: map[string]bool{}}
	if file, isFile := out.(*os.File); isFile {
		info, err := file.Stat()
		t.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return t
}

// printf ignores errors, because no other output is left to report them.
func (t *tally) printf(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format, args...) }

func (t *tally) attempted(d jirasim.Delivery, retry int, a jirasim.Attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.IsWrongServer() && t.acknowledged == 0 {
		t.wrongServer = response(a)
		t.giveUp()
	}
	if t.wrongServer != "" {
		return
	}
	if retry == 0 {
		t.sent++
	} else {
		t.retried++
	}
	if d.At.After(t.at) {
		t.at = d.At
	}
	if t.verbose {
		t.printf("  %-32s %s %s\n", d.About, response(a), a.Answer)
	} else if a.Err != nil && !errors.Is(a.Err, context.Canceled) && !t.causes[response(a)] {
		t.causes[response(a)] = true
		t.clearLine()
		t.printf("%s\n", response(a))
	}
}

func (t *tally) clearLine() {
	if t.terminal {
		t.printf("\r\033[K")
	}
}

func response(a jirasim.Attempt) string {
	if a.Err != nil {
		return "no response: " + cause(a.Err)
	}
	return fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
}

// cause returns the part of an error that is the same for all attempts with this error. It contains no ports.
func cause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return err.Error()
}

// caughtUp reports that deliveries become less frequent.
func (t *tally) caughtUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clearLine()
	t.printf("The history has reached the present; each further delivery is sent at the time of its event. Stop with Ctrl-C\n")
}

// ended counts the final state of a delivery.
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
		t.givenUpBy[response(r.Attempts[len(r.Attempts)-1])]++
	}
}

// progress prints the numbers repeatedly until stop is called.
func (t *tally) progress() (stop func()) {
	if t.verbose {
		return func() {}
	}
	every, format := 10*time.Second, "%s\n"
	if t.terminal {
		every, format = time.Second/2, "\r\033[K%s"
	}
	done := make(chan struct{})
	var printing sync.WaitGroup
	printing.Go(func() {
		for {
			select {
			case <-done:
				t.clearLine()
				return
			case <-time.After(every):
				t.mu.Lock()
				t.printf(format, t.line())
				t.mu.Unlock()
			}
		}
	})
	return func() {
		close(done)
		printing.Wait()
	}
}

func (t *tally) line() string {
	waiting := t.sent - t.acknowledged - t.givenUp - t.interrupted
	return fmt.Sprintf("history at %s: %s, %d waiting", t.at.Format("Mon 2 Jan 15:04"), t.numbers(), waiting)
}

func (t *tally) numbers() string {
	return fmt.Sprintf("%d sent, %d acknowledged, %d retried, %d given up",
		t.sent, t.acknowledged, t.retried, t.givenUp)
}

// summary prints the numbers. It returns an error if a delivery was given up.
func (t *tally) summary() error {
	t.printf("%s", t.numbers())
	if t.interrupted > 0 {
		t.printf(", %d interrupted", t.interrupted)
	}
	t.printf("\n")
	if t.givenUp == 0 {
		return nil
	}
	var responses []string
	for _, last := range slices.Sorted(maps.Keys(t.givenUpBy)) {
		responses = append(responses, fmt.Sprintf("%d × %s", t.givenUpBy[last], last))
	}
	hint := ""
	if t.givenUpBy[response(jirasim.Attempt{Status: http.StatusUnauthorized})] > 0 {
		hint = ". For 401, check that the collector has the same " + secretVariable
	}
	return fmt.Errorf("%d of %d were given up: %s%s", t.givenUp, t.sent, strings.Join(responses, ", "), hint)
}
