// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/otel-jira/collector/jiraflowconnector/internal/flow"
)

// ErrDamaged is the error of a page that is not as it was saved, or that another version has saved.
var ErrDamaged = errors.New("the page is damaged")

// pageVersion is the first byte of a page. It is raised with each change of the format.
const pageVersion = 1

var checksums = crc32.MakeTable(crc32.Castagnoli)

// writer writes pages.
type writer struct {
	buf      []byte
	texts    map[string]uint64
	statuses map[flow.StatusRef]uint64
}

func newWriter() *writer {
	return &writer{texts: map[string]uint64{}, statuses: map[flow.StatusRef]uint64{}}
}

// page returns a page: its version, its issues, and a checksum. A text or a status that repeats is written once, and
// then as the number of its first place.
func (w *writer) page(issues []*Issue) []byte {
	w.buf = append(w.buf[:0], pageVersion)
	clear(w.texts)
	clear(w.statuses)
	w.uint(uint64(len(issues)))
	for _, issue := range issues {
		w.issue(issue)
	}
	w.buf = binary.BigEndian.AppendUint32(w.buf, crc32.Checksum(w.buf, checksums))
	return slices.Clone(w.buf)
}

func (w *writer) uint(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *writer) int(n int64)   { w.buf = binary.AppendVarint(w.buf, n) }

func (w *writer) bool(b bool) {
	n := byte(0)
	if b {
		n = 1
	}
	w.buf = append(w.buf, n)
}

// text writes 0 and a new text, or the number of a text that was written before.
func (w *writer) text(s string) {
	if number, known := w.texts[s]; known {
		w.uint(number)
		return
	}
	w.texts[s] = uint64(len(w.texts) + 1)
	w.uint(0)
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

// status writes 0 and a new status, or the number of a status that was written before.
func (w *writer) status(r flow.StatusRef) {
	if number, known := w.statuses[r]; known {
		w.uint(number)
		return
	}
	w.statuses[r] = uint64(len(w.statuses) + 1)
	w.uint(0)
	s := r.Get()
	w.text(s.ID)
	w.text(s.Name)
	w.text(s.Mapped)
}

func (w *writer) flag(f Flag) {
	w.int(f.At)
	w.bool(f.Is)
}

func (w *writer) issue(i *Issue) {
	w.text(i.Key.Site.String())
	w.text(i.Key.ID)
	w.int(i.About.At)
	w.bool(i.About.IsPartial)
	w.text(i.About.Key)
	w.text(i.About.Project.String())
	w.text(i.About.Type.String())
	w.text(i.About.Priority.String())
	w.flag(i.Assigned)
	w.flag(i.Flagged)
	w.int(i.LastChange)
	w.int(i.DeletedAt)
	w.status(i.Stuck.Status)
	w.int(i.Stuck.Since)
	w.int(i.Stuck.At)
	w.history(&i.History)
}

func (w *writer) history(h *flow.History) {
	w.int(h.Created)
	w.int(h.CutAt)
	w.uint(uint64(len(h.Changes)))
	for _, c := range h.Changes {
		w.int(c.At)
		w.uint(c.ID)
		w.status(c.From)
		w.status(c.To)
		w.uint(uint64(c.Sum))
		w.uint(uint64(c.Marks))
		w.buf = append(w.buf, c.Revision, byte(c.Hint))
	}
	w.uint(uint64(len(h.Seen)))
	for _, s := range h.Seen {
		w.status(s.Status)
		w.int(s.First)
		w.int(s.Last)
	}
}

// decodePage returns the issues of a page. The error is [ErrDamaged] or nil.
func decodePage(page []byte) (issues []*Issue, err error) {
	const sumSize = 4
	if len(page) < 1+sumSize || page[0] != pageVersion {
		return nil, ErrDamaged
	}
	content, sum := page[:len(page)-sumSize], page[len(page)-sumSize:]
	if crc32.Checksum(content, checksums) != binary.BigEndian.Uint32(sum) {
		return nil, ErrDamaged
	}
	r := &reader{rest: content[1:]}
	for range r.count() {
		issues = append(issues, r.issue())
	}
	if r.isDamaged || len(r.rest) > 0 {
		return nil, ErrDamaged
	}
	return issues, nil
}

// reader reads a page. After a mistake it returns zero values.
type reader struct {
	rest      []byte
	texts     []string
	statuses  []flow.StatusRef
	isDamaged bool
}

func (r *reader) fail() {
	r.isDamaged, r.rest = true, nil
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count returns a number of entries. There cannot be more entries than bytes.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // not more than the length of a slice
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) text() string {
	number := r.uint()
	if number == 0 {
		size := r.count()
		s := string(r.rest[:size])
		r.rest = r.rest[size:]
		r.texts = append(r.texts, s)
		return s
	}
	if number > uint64(len(r.texts)) {
		r.fail()
		return ""
	}
	return r.texts[number-1]
}

func (r *reader) status() flow.StatusRef {
	number := r.uint()
	if number == 0 {
		s := flow.Ref(flow.Status{ID: r.text(), Name: r.text(), Mapped: r.text()})
		r.statuses = append(r.statuses, s)
		return s
	}
	if number > uint64(len(r.statuses)) {
		r.fail()
		return flow.StatusRef{}
	}
	return r.statuses[number-1]
}

func (r *reader) flag() Flag { return Flag{At: r.int(), Is: r.bool()} }

func (r *reader) issue() *Issue {
	i := &Issue{Key: Key{Site: TextOf(r.text()), ID: r.text()}}
	i.page = pageOf(i.Key)
	i.About = About{
		At: r.int(), IsPartial: r.bool(), Key: r.text(),
		Project: TextOf(r.text()), Type: TextOf(r.text()), Priority: TextOf(r.text()),
	}
	i.Assigned, i.Flagged = r.flag(), r.flag()
	i.LastChange, i.DeletedAt = r.int(), r.int()
	i.Stuck = Stuck{Status: r.status(), Since: r.int(), At: r.int()}
	i.History = r.history()
	return i
}

func (r *reader) history() flow.History {
	h := flow.History{Created: r.int(), CutAt: r.int()}
	n := r.count()
	h.Changes = slices.Grow(h.Changes, n)
	for range n {
		h.Changes = append(h.Changes, flow.Change{
			At: r.int(), ID: r.uint(), From: r.status(), To: r.status(),
			Sum: uint32(r.uint()), Marks: flow.Marks(r.uint()), //nolint:gosec // as they were written
			Revision: r.byte(), Hint: flow.Hint(r.byte()),
		})
	}
	n = r.count()
	h.Seen = slices.Grow(h.Seen, n)
	for range n {
		h.Seen = append(h.Seen, flow.Sighting{Status: r.status(), First: r.int(), Last: r.int()})
	}
	return h
}
