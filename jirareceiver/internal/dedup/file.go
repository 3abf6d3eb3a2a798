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

// ErrDamaged reports a page that is not as it was saved. The other pages are not affected.
var ErrDamaged = errors.New("damaged page")

// A page of a file is a header and the entries. The header holds the format, the number of entries, and the checksum of both
// and of the entries.
const (
	pageFormat   = "OJD\x01"
	countOffset  = len(pageFormat)
	sumOffset    = countOffset + 4
	headerSize   = sumOffset + 4
	filePageSize = headerSize + pageSize*entrySize
	// maxFilePages bounds what is read of a file that is larger than any that Save has written.
	maxFilePages = (MaxEntries + pageSize - 1) / pageSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FileStore is a [Store] in a file. Its content cannot make it fail: a page without the right checksum is ErrDamaged until it
// is saved again.
//
// It does not wait for the disk. After a power failure, pages are missing or damaged, and Jira's repetitions of the deliveries
// in them are not recognised; to wait would cost more than that.
type FileStore struct{ file *os.File }

var _ Store = (*FileStore)(nil)

// OpenFile opens a file, and makes it and its directory if they do not exist. One Memory at a time may use a file.
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

// checkRegular finds files such as named pipes, which can be opened and never end.
func checkRegular(info os.FileInfo, err error) error {
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	return err
}

// Load returns the entries of a page.
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

// checkPage returns the entries of a page whose checksum is right.
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

// Save writes pages one after the other. After an error or a crash, some of them may be written.
func (s *FileStore) Save(_ context.Context, pages map[int][]byte) error {
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		if _, err := s.file.WriteAt(filePage(pages[page]), int64(page*filePageSize)); err != nil {
			return err
		}
	}
	return nil
}

// filePage adds the header to the entries of a page.
func filePage(entries []byte) []byte {
	content := make([]byte, headerSize, headerSize+len(entries))
	copy(content, pageFormat)
	binary.BigEndian.PutUint32(content[countOffset:], uint32(len(entries)/entrySize)) //nolint:gosec // at most pageSize
	content = append(content, entries...)
	binary.BigEndian.PutUint32(content[sumOffset:], pageSum(content))
	return content
}

// pageSum is the checksum of a page without the checksum in it.
func pageSum(content []byte) uint32 {
	return crc32.Update(crc32.Checksum(content[:sumOffset], castagnoli), castagnoli, content[headerSize:])
}

// Close closes the file.
func (s *FileStore) Close() error { return s.file.Close() }
