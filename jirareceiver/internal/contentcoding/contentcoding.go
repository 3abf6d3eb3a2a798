// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package contentcoding decodes the content codings of request bodies with bounded memory.
//
// confighttp could decode them, but it begins to read a body before the receiver has checked the headers of the
// request.
package contentcoding

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
)

// The reasons for which a body is not decoded.
var (
	ErrUnsupported = errors.New("content encoding not supported")         // the configuration does not allow the coding
	ErrUndecodable = errors.New("content encoding cannot be decoded")     // the body is damaged or truncated
	ErrTooLarge    = errors.New("decoded body is larger than configured") // larger than maxSize of New
)

// decoders are the content codings that a configuration may contain. Their memory is bounded. The other codings of
// confighttp decode whole blocks, and the sender chooses the size of a block.
var decoders = map[string]func(body io.Reader) (io.Reader, error){
	"gzip":    func(body io.Reader) (io.Reader, error) { return gzip.NewReader(body) },
	"zlib":    func(body io.Reader) (io.Reader, error) { return zlib.NewReader(body) },
	"deflate": func(body io.Reader) (io.Reader, error) { return zlib.NewReader(body) },
}

// Decoder decodes the content codings that the configuration allows. It is safe for concurrent use.
type Decoder struct {
	allowed map[string]bool
	maxSize int64
}

// New returns a Decoder for the named codings. Decoded bodies have at most maxSize bytes.
func New(codings []string, maxSize int64) *Decoder {
	d := &Decoder{allowed: map[string]bool{}, maxSize: maxSize}
	for _, name := range codings {
		d.allowed[fold(name)] = true
	}
	return d
}

// IsEncoded reports whether the values of a Content-Encoding header name a coding other than identity.
func IsEncoded(header []string) bool { return fold(strings.Join(header, ",")) != "" }

// Open returns the decoded content of a body with a Content-Encoding header. It may read from the body. Open and the
// content return the errors of this package and of the body.
func (d *Decoder) Open(header []string, body io.Reader) (content io.Reader, err error) {
	coding := fold(strings.Join(header, ","))
	if !d.allowed[coding] {
		return nil, ErrUnsupported
	}
	source := &source{body: body}
	decoded, err := decoders[coding](source)
	if err != nil {
		return nil, source.explain(err)
	}
	return &bounded{content: decoded, source: source, left: d.maxSize}, nil
}

// fold returns the canonical name of a content coding, or "" for no coding. Names are case-insensitive, x-gzip is gzip,
// and identity is no coding (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1). A list of several codings is never
// allowed.
func fold(name string) string {
	switch name := strings.ToLower(strings.TrimSpace(name)); name {
	case "identity":
		return ""
	case "x-gzip":
		return "gzip"
	default:
		return name
	}
}

// source is an encoded body. It keeps the error of the body, because decoders replace it with their own error.
type source struct {
	body io.Reader
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// explain returns the error of the body behind an error of its decoder. A body is undecodable only if it has arrived
// completely.
func (s *source) explain(err error) error {
	switch {
	case s.err != nil:
		return s.err
	case err == nil, err == io.EOF: //nolint:errorlint // io.Reader requires the value itself
		return err
	default:
		return ErrUndecodable
	}
}

// bounded is the decoded content of a body, up to a number of bytes.
type bounded struct {
	content io.Reader
	source  *source
	left    int64 // bytes
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.content.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		n, b.left = int(b.left), 0
		return n, ErrTooLarge
	}
	b.left -= int64(n)
	return n, b.source.explain(err)
}
