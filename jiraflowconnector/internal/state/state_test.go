// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

func keyOf(id string) Key { return Key{Site: TextOf("https://acme.atlassian.net"), ID: id} }

func fullIssue() *Issue {
	todo, done := flow.Ref(flow.Status{ID: "1", Name: "To Do", Mapped: "planned"}), flow.Ref(flow.Status{Name: "Fertig"})
	return &Issue{
		Key:        keyOf("10142"),
		page:       pageOf(keyOf("10142")),
		About:      About{At: 5, IsPartial: true, Key: "OPS-42", Project: TextOf("OPS"), Type: TextOf("Task"), Priority: TextOf("High")},
		Assigned:   Flag{At: 3, Is: true},
		Flagged:    Flag{At: 4},
		LastChange: 1_772_528_471_009,
		DeletedAt:  9,
		Stuck:      Stuck{Status: todo, Since: 2, At: 3},
		History: flow.History{
			Created: 1, CutAt: 2,
			Changes: []flow.Change{
				{At: 1, ID: flow.CreationID, To: todo, Marks: flow.Live},
				{At: 7, ID: flow.ChangeID("10503"), From: todo, To: done, Sum: 1 << 31, Marks: flow.Sent | flow.Live, Revision: 255, Hint: flow.HintResolved},
			},
			Seen: []flow.Sighting{{Status: todo, First: -1, Last: 4}},
		},
	}
}

func TestPages(t *testing.T) {
	issues := []*Issue{fullIssue(), {Key: Key{ID: "7"}, page: pageOf(Key{ID: "7"})}}
	page := newWriter().page(issues)
	got, err := decodePage(page)
	require.NoError(t, err)
	assert.Equal(t, issues, got)
	for i := range page {
		damaged := append([]byte{}, page...)
		damaged[i] ^= 0x40
		_, err := decodePage(damaged)
		assert.ErrorIs(t, err, ErrDamaged, "byte %d", i)
		_, err = decodePage(page[:i])
		assert.ErrorIs(t, err, ErrDamaged, "length %d", i)
	}
}

// FuzzDecodePage gives pages with a valid checksum to the decoder.
func FuzzDecodePage(f *testing.F) {
	content := newWriter().page([]*Issue{fullIssue()})
	f.Add(content[1 : len(content)-4])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		r := &reader{rest: content}
		var issues []*Issue
		for range r.count() {
			issues = append(issues, r.issue())
		}
		if r.isDamaged || len(r.rest) > 0 {
			return
		}
		again, err := decodePage(newWriter().page(issues))
		require.NoError(t, err)
		assert.Equal(t, issues, again)
	})
}

// TestObserveOrder observes random descriptions in random orders.
func TestObserveOrder(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		var observations []Observation
		for range 1 + random.IntN(8) {
			observations = append(observations, randomObservation(random))
		}
		want := observeAll(observations)
		random.Shuffle(len(observations), func(i, j int) {
			observations[i], observations[j] = observations[j], observations[i]
		})
		require.Equal(t, want, observeAll(observations), "seed %d", seed)
		for i := range observations {
			differs, _ := want.Observe(&observations[i])
			require.False(t, differs, "a repeated observation changes nothing")
		}
	}
}

func observeAll(observations []Observation) *Issue {
	issue := &Issue{}
	for i := range observations {
		issue.Observe(&observations[i])
	}
	return issue
}

func randomObservation(random *rand.Rand) Observation {
	at := int64(1 + random.IntN(4))
	text := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	return Observation{
		At:        at,
		Created:   int64(random.IntN(3)),
		IsDeleted: random.IntN(5) == 0,
		Status:    flow.Ref(flow.Status{ID: text("1", "2"), Mapped: text("", "planned")}),
		About: About{
			At: at, IsPartial: random.IntN(2) == 0, Key: text("OPS-1", "WEB-1"),
			Project: TextOf(text("OPS", "WEB")), Type: TextOf(text("", "Task")), Priority: TextOf(text("", "High")),
		},
		Assigned: Flag{At: at * int64(random.IntN(2)), Is: random.IntN(2) == 0},
		Flagged:  Flag{At: at * int64(random.IntN(2)), Is: random.IntN(2) == 0},
	}
}

func TestEviction(t *testing.T) {
	s := NewStore(200)
	add := func(id string, change func(*Issue)) {
		issue, _ := s.FindOrAdd(keyOf(id))
		change(issue)
	}
	for i := range 195 {
		add("open-"+strconv.Itoa(i), func(issue *Issue) { issue.LastChange, issue.Summary.IsOpen = int64(1000+i), true })
	}
	add("deleted", func(issue *Issue) { issue.DeletedAt, issue.LastChange = 5000, 5000 })
	add("resolved-late", func(issue *Issue) { issue.Summary.ResolvedAt = 4000 })
	add("resolved-early", func(issue *Issue) { issue.Summary.ResolvedAt, issue.LastChange = 3000, 6000 })
	add("resolved-unseen", func(issue *Issue) { issue.LastChange = 3500 })
	add("open-old", func(issue *Issue) { issue.LastChange, issue.Summary.IsOpen = 1, true })
	require.Equal(t, 200, s.Len())
	_, evicted := s.FindOrAdd(keyOf("new"))
	var ids []string
	for _, issue := range evicted {
		ids = append(ids, issue.Key.ID)
	}
	assert.Equal(t, []string{"deleted", "resolved-early", "resolved-unseen"}, ids)
	assert.Equal(t, 198, s.Len())
	assert.Nil(t, s.Find(keyOf("deleted")))
	assert.NotNil(t, s.Find(keyOf("open-old")))
}

// failingClient is a client that fails.
type failingClient struct{ storage.Client }

var errDisk = errors.New("disk full")

func (failingClient) Batch(context.Context, ...*storage.Operation) error { return errDisk }

func TestStorageErrors(t *testing.T) {
	s := NewStore(10)
	_, err := s.Load(t.Context(), failingClient{}, func(*Issue) {})
	assert.ErrorIs(t, err, errDisk)
	issue, _ := s.FindOrAdd(keyOf("1"))
	s.Touch(issue)
	pages := s.TakeDirty()
	assert.Len(t, pages, 1)
	assert.Empty(t, s.TakeDirty())
	assert.ErrorIs(t, Save(t.Context(), failingClient{}, pages), errDisk)
	s.ReturnDirty(pages)
	assert.Len(t, s.TakeDirty(), 1)
}

// TestHash pins the pages of some issues: with another hash, the storage would contain an issue twice.
func TestHash(t *testing.T) {
	assert.EqualValues(t, 0x72d4, pageOf(keyOf("10142")))
	counts := map[uint16]int{}
	for i := range 200_000 {
		counts[pageOf(keyOf(strconv.Itoa(10000+i)))]++
	}
	assert.Greater(t, len(counts), PageCount*9/10, "ids spread over the pages")
	for _, count := range counts {
		assert.Less(t, count, 25)
	}
}
