// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// ErrDamaged reports a page whose content is not the content that was saved. Other pages are not affected.
var ErrDamaged = errors.New("damaged page")

// A page of a file consists of a header and the entries. The header contains the format, the number of entries, and a
// checksum of the format, the number and the entries.
const (
	pageFormat   = "OJD\x01"
	countOffset  = len(pageFormat)
	sumOffset    = countOffset + 4
	headerSize   = sumOffset + 4
	filePageSize = headerSize + pageSize*entrySize
	// maxFilePages is the number of pages of the largest file that Save writes. Load ignores all further pages of a
	// file.
	maxFilePages = (MaxEntries + pageSize - 1) / pageSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FileStore is a [Store] in a file. No content of the file makes it fail: a page with a wrong checksum is [ErrDamaged]
// until it is saved again.
//
// FileStore does not wait until data is on the disk. After a power failure, pages may be missing or damaged, and
// further attempts of the deliveries in these pages are not recognized. Waiting for the disk would cost more.
type FileStore struct{ file *os.File }

var _ Store = (*FileStore)(nil)

// OpenFile opens a file. It creates the file and its directory if they do not exist. Only one [Cache] may use a file at
// a time.
func OpenFile(path string) (*FileStore, error) {
	if err := checkRegular(os.Stat(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &FileStore{file}, nil
}

// checkRegular returns an error for files that are not regular, such as named pipes: reading them may never end.
func checkRegular(info os.FileInfo, err error) error {
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	return err
}

// Load returns the entries of a page, or nil if the page is not in the file. The error is [ErrDamaged] if its checksum
// is wrong.
func (s *FileStore) Load(_ context.Context, page int) ([]byte, error) {
	if page >= maxFilePages {
		return nil, nil
	}
	content := make([]byte, filePageSize)
	n, err := s.file.ReadAt(content, int64(page*filePageSize))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case n == 0:
		return nil, nil
	}
	return checkPage(content[:n])
}

// checkPage returns the entries of a page. The error is [ErrDamaged] if the header or the checksum is wrong.
func checkPage(content []byte) ([]byte, error) {
	if len(content) < headerSize || string(content[:countOffset]) != pageFormat {
		return nil, ErrDamaged
	}
	count := binary.BigEndian.Uint32(content[countOffset:])
	if count > pageSize || headerSize+int(count)*entrySize > len(content) {
		return nil, ErrDamaged
	}
	content = content[:headerSize+int(count)*entrySize]
	if binary.BigEndian.Uint32(content[sumOffset:]) != pageSum(content) {
		return nil, ErrDamaged
	}
	return content[headerSize:], nil
}

// Save writes pages one after the other. After an error or a crash, the file may contain some of them.
func (s *FileStore) Save(_ context.Context, pages map[int][]byte) error {
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		if _, err := s.file.WriteAt(filePage(pages[page]), int64(page*filePageSize)); err != nil {
			return err
		}
	}
	return nil
}

// filePage returns the header and the entries of a page.
func filePage(entries []byte) []byte {
	content := make([]byte, headerSize, headerSize+len(entries))
	copy(content, pageFormat)
	binary.BigEndian.PutUint32(content[countOffset:], uint32(len(entries)/entrySize)) //nolint:gosec // at most pageSize
	content = append(content, entries...)
	binary.BigEndian.PutUint32(content[sumOffset:], pageSum(content))
	return content
}

// pageSum returns the checksum of a page, without the bytes of the checksum itself.
func pageSum(content []byte) uint32 {
	return crc32.Update(crc32.Checksum(content[:sumOffset], castagnoli), castagnoli, content[headerSize:])
}

// Close closes the file.
func (s *FileStore) Close(context.Context) error { return s.file.Close() }
