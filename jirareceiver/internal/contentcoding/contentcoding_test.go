// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package contentcoding

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const plain = "the content of a body, the content of a body"

func compressed(t *testing.T, w io.WriteCloser, b *bytes.Buffer) []byte {
	t.Helper()
	_, err := io.WriteString(w, plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func gzipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	return compressed(t, gzip.NewWriter(&b), &b)
}

func zlibbed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	return compressed(t, zlib.NewWriter(&b), &b)
}

// read decodes a body with a Content-Encoding header.
func read(d *Decoder, coding string, body io.Reader) (string, error) {
	content, err := d.Open([]string{coding}, body)
	if err != nil {
		return "", err
	}
	decoded, err := io.ReadAll(content)
	return string(decoded), err
}

func TestCodings(t *testing.T) {
	d := New([]string{"", "x-gzip", "zlib", "deflate"}, int64(len(plain)))
	for coding, body := range map[string][]byte{
		"gzip": gzipped(t), "GZip": gzipped(t), "x-gzip": gzipped(t), "zlib": zlibbed(t), "Deflate": zlibbed(t),
	} {
		decoded, err := read(d, coding, bytes.NewReader(body))
		require.NoError(t, err, coding)
		assert.Equal(t, plain, decoded, coding)
	}
	for _, coding := range []string{"br", "zstd", "gzip, gzip", "*"} {
		_, err := read(d, coding, nil)
		require.ErrorIs(t, err, ErrUnsupported, coding)
	}
	_, err := read(New([]string{"deflate"}, 100), "gzip", nil)
	require.ErrorIs(t, err, ErrUnsupported, "not allowed")
}

func TestIsEncoded(t *testing.T) {
	for _, header := range [][]string{nil, {""}, {"identity"}, {" Identity "}} {
		assert.False(t, IsEncoded(header), header)
	}
	for _, header := range [][]string{{"gzip"}, {"gzip", "gzip"}, {"hunter2"}} {
		assert.True(t, IsEncoded(header), header)
	}
}

// TestErrors distinguishes a damaged body from an incomplete body, after which the sender tries again.
func TestErrors(t *testing.T) {
	broken := errors.New("connection reset")
	d := New([]string{"gzip"}, 1000)
	body := gzipped(t)
	for _, tt := range []struct {
		name string
		body io.Reader
		want error
	}{
		{"not gzip", strings.NewReader(plain), ErrUndecodable},
		{"truncated", bytes.NewReader(body[:len(body)/2]), ErrUndecodable},
		{"without its checksum", bytes.NewReader(body[:len(body)-1]), ErrUndecodable},
		{"interrupted at its start", iotest.ErrReader(broken), broken},
		{"interrupted", io.MultiReader(bytes.NewReader(body[:len(body)/2]), iotest.ErrReader(broken)), broken},
	} {
		_, err := read(d, "gzip", tt.body)
		require.ErrorIs(t, err, tt.want, tt.name)
	}
}

func TestDecodedSizeIsBounded(t *testing.T) {
	d := New([]string{"gzip"}, int64(len(plain)-1))
	decoded, err := read(d, "gzip", bytes.NewReader(gzipped(t)))
	require.ErrorIs(t, err, ErrTooLarge)
	assert.Equal(t, plain[:len(plain)-1], decoded)
}
