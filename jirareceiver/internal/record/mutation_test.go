// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-jira/collector/jirareceiver/internal/testbodies"
)

// TestMutants makes records of all mutants of all bodies. Each mutant must become the expected number of valid records.
// With the race detector, it leaves out nine mutants of ten.
func TestMutants(t *testing.T) {
	began, every := time.Now(), mutantStep
	if testing.Short() {
		every = 100
	}
	var mutants atomic.Int64
	all := testbodies.All(t)
	everything := func(o *Options) {
		o.CustomFields = testbodies.CustomFields(t, all)
		o.UserDetails, o.Description, o.CommentBody = true, true, true
	}
	modes := []*writing{
		newWriting(everything),
		newWriting(func(o *Options) { everything(o); o.SplitChanges = true }),
	}
	t.Run("all", func(t *testing.T) {
		for _, body := range all {
			t.Run(body.Name, func(t *testing.T) {
				t.Parallel()
				for mutant := range testbodies.Mutants(t, body.Content, every) {
					mutants.Add(1)
					if err := checkMutant(modes, mutant); err != nil {
						t.Fatalf("%v\n%s", err, mutant)
					}
				}
			})
		}
	})
	t.Logf("%d mutants of %d bodies in %s", mutants.Load(), len(all), time.Since(began).Round(time.Second/10))
}

// checkMutant makes records of a body in each mode, and returns the first error.
func checkMutant(modes []*writing, body []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for _, mode := range modes {
		event, logs, err := mode.write(body, Delivery{})
		if err != nil {
			return err
		}
		records := 1
		if event.Issue != nil && mode.opts.SplitChanges {
			records += len(event.Changelog.Items)
		}
		if got := logs.LogRecordCount(); got != records {
			return fmt.Errorf("%d records, want %d", got, records)
		}
		if err := checkValid(logs); err != nil {
			return err
		}
	}
	return nil
}

func checkValid(logs plog.Logs) error {
	for _, text := range textsOf(logs) {
		if !utf8.ValidString(text.value) {
			return fmt.Errorf("%s is not UTF-8", text.key)
		}
	}
	if _, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs); err != nil {
		return err
	}
	_, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	return err
}
