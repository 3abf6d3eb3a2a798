package jirareceiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

// TestMutants changes every value of every body, one at a time, in every way in which senders differ: the value is missing,
// null, or of another type. Each mutant makes records, and valid ones. The socket is left out, for speed; with the race detector,
// nine mutants of ten as well.
func TestMutants(t *testing.T) {
	began := time.Now()
	var mutants atomic.Int64
	files := allBodies(t)
	modes := map[ChangelogMode]*handler{}
	for _, mode := range []ChangelogMode{ChangelogAttributes, ChangelogSplit} {
		modes[mode] = mutantHandler(t, files, mode)
	}
	t.Run("all", func(t *testing.T) {
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				for mutant := range mutantsOf(t, file, mutantStep) {
					mutants.Add(1)
					if err := check(modes, mutant); err != nil {
						t.Fatalf("%v\n%s", err, mutant)
					}
				}
			})
		}
	})
	t.Logf("%d mutants of %d bodies in %s", mutants.Load(), len(files), time.Since(began).Round(time.Second/10))
}

// TestMutantsAreAnswered posts some of the mutants: one in a hundred.
func TestMutantsAreAnswered(t *testing.T) {
	next := &sink{}
	files := allBodies(t)
	r := start(t, next, func(cfg *Config) { configureMutants(t, cfg, files, ChangelogSplit) })
	posted := 0
	for _, file := range files {
		for mutant := range mutantsOf(t, file, 100) {
			posted++
			next.Reset()
			response, _ := r.post(t, mutant)
			require.Equal(t, http.StatusOK, response.StatusCode, string(mutant))
			require.Len(t, next.AllLogs(), 1)
			assert.Positive(t, next.LogRecordCount())
		}
	}
	t.Logf("%d mutants posted", posted)
}

func mutantHandler(t *testing.T, files []string, mode ChangelogMode) *handler {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	configureMutants(t, cfg, files, mode)
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop(), time.Now)
	require.NoError(t, err)
	return h
}

// configureMutants makes records hold as much as they can.
func configureMutants(t *testing.T, cfg *Config, files []string, mode ChangelogMode) {
	t.Helper()
	cfg.Jira.Changelog = mode
	cfg.Jira.CustomFields = customFields(t, files)
	cfg.Jira.Include = IncludeConfig{UserDetails: true, Description: true, CommentBody: true}
}

// check makes records of a body in each mode, and returns what is wrong with them.
func check(modes map[ChangelogMode]*handler, body []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	event, err := modes[ChangelogAttributes].decoder.Decode(body)
	if err != nil {
		return err
	}
	for mode, h := range modes {
		logs, _ := h.records.Build(h.records.Classify(event), record.Delivery{Received: observedAt, Body: body})
		records := 1
		if event.Issue != nil && mode == ChangelogSplit {
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

// retyped is one value of each type of JSON.
var retyped = []string{
	`null`, `{"id": 7, "name": ["text"], "key": {}}`, `[null, "text", 7, {"id": "7"}, [true]]`, `""`, `"text"`, `7`, `true`,
}

var isID = regexp.MustCompile(`^"\d{1,18}"$|^\d+$`)

// mutantsOf sends the mutants of the body in a file: all, or one in step.
func mutantsOf(t *testing.T, file string, step int) func(yield func([]byte) bool) {
	t.Helper()
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	return func(yield func([]byte) bool) {
		n := 0
		for _, p := range placesIn(t, body) {
			mutants := [][]byte{p.drop(body)}
			for _, value := range retyped {
				mutants = append(mutants, p.replace(body, value))
			}
			if value := string(body[p.start:p.end]); isID.MatchString(value) {
				mutants = append(mutants, p.replace(body, swapped(value)))
			}
			for _, mutant := range mutants {
				n++
				if n%step == 0 && !yield(mutant) {
					return
				}
			}
		}
	}
}

// swapped makes an id that is a string a number, and the other way round.
func swapped(id string) string {
	if text := strings.Trim(id, `"`); text != id {
		return strings.TrimLeft(text[:len(text)-1], "0") + text[len(text)-1:]
	}
	return `"` + id + `"`
}

// place is where a value is in a body. Its member begins before the key; an element of an array is its own member.
type place struct{ member, start, end int }

func (p place) replace(body []byte, value string) []byte {
	return slicesOf(body[:p.start], []byte(value), body[p.end:])
}

// drop also cuts out one of the commas around the value.
func (p place) drop(body []byte) []byte {
	before, after := bytes.TrimRight(body[:p.member], " \t\r\n"), bytes.TrimLeft(body[p.end:], " \t\r\n")
	if rest, found := bytes.CutPrefix(after, []byte(",")); found {
		return slicesOf(before, rest)
	}
	return slicesOf(bytes.TrimSuffix(before, []byte(",")), after)
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// placesIn finds all values of a body, but for the body itself.
func placesIn(t *testing.T, body []byte) (places []place) {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	next := func() int { // where the next token begins
		offset := int(d.InputOffset())
		return len(body) - len(bytes.TrimLeft(body[offset:], " \t\r\n,:"))
	}
	token := func() json.Token {
		token, err := d.Token()
		require.NoError(t, err)
		return token
	}
	var value func(member int)
	value = func(member int) {
		start, opening := next(), token()
		for opening == json.Delim('{') && d.More() {
			key := next()
			token()
			value(key)
		}
		for opening == json.Delim('[') && d.More() {
			value(next())
		}
		if _, isDelim := opening.(json.Delim); isDelim {
			token()
		}
		places = append(places, place{member, start, int(d.InputOffset())})
	}
	value(0)
	return places[:len(places)-1]
}
