// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// checkpoint is the state of a poller, in JSON, without the uids of the set.
type checkpoint struct {
	Version  int       `json:"version"`
	Site     string    `json:"site"`               // address of the Jira
	ReadFrom time.Time `json:"read_from,omitzero"` // all events from here to the cursor were handed on
	Since    time.Time `json:"since,omitzero"`     // first start of the repair, on the collector's clock
	Cursor   *instant  `json:"cursor,omitempty"`   // nil before the first complete run
	Starts   []instant `json:"starts,omitempty"`   // of the runs since shownUntil
	Run      *run      `json:"run,omitempty"`      // nil if no run is unfinished
	Backfill *run      `json:"backfill,omitempty"` // nil if no back-fill is unfinished
	Minutes  []minute  `json:"ledger_minutes,omitempty"`
}

const (
	checkpointVersion = 1
	checkpointKey     = "checkpoint"
	minuteKey         = "ledger-"
)

// The errors of a checkpoint that cannot be used. A storage that does not answer has other errors.
var (
	errDamaged = errors.New("the checkpoint is damaged")
	errForeign = errors.New("the checkpoint is of another version of the receiver")
)

// store keeps checkpoints in a storage extension. Its keys are checkpoint, and ledger-<minute> for the uids of a minute.
// An earlier name of the uid set was ledger; the stored names remain, so that positions stay readable.
type store struct{ client storage.Client }

// load returns the checkpoint and its uid set, or an empty checkpoint if the storage has none.
func (s store) load(ctx context.Context, limit int) (checkpoint, *uidSet, error) {
	known := newUIDSet(limit)
	content, err := s.client.Get(ctx, checkpointKey)
	if err != nil || content == nil {
		return checkpoint{}, known, err
	}
	var state checkpoint
	if err := json.Unmarshal(content, &state); err != nil {
		return checkpoint{}, known, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if state.Version != checkpointVersion {
		return checkpoint{}, known, errForeign
	}
	for _, m := range state.Minutes {
		uids, err := s.client.Get(ctx, keyOfMinute(m))
		if err != nil {
			return checkpoint{}, newUIDSet(limit), err
		}
		known.decode(m, uids)
	}
	return state, known, nil
}

// save stores a checkpoint, and the minutes of its uid set that changed, at once.
func (s store) save(ctx context.Context, state checkpoint, known *uidSet) error {
	state.Version = checkpointVersion
	state.Minutes = slices.Sorted(maps.Keys(known.minutes))
	content, err := json.Marshal(state)
	if err != nil {
		return err
	}
	operations := []*storage.Operation{storage.SetOperation(checkpointKey, content)}
	for m := range known.changed {
		if uids := known.encode(m); uids != nil {
			operations = append(operations, storage.SetOperation(keyOfMinute(m), uids))
		} else {
			operations = append(operations, storage.DeleteOperation(keyOfMinute(m)))
		}
	}
	if err := s.client.Batch(ctx, operations...); err != nil {
		return err
	}
	clear(known.changed)
	return nil
}

func keyOfMinute(m minute) string { return minuteKey + strconv.FormatInt(int64(m), 10) }
