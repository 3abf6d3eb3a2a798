package jirareceiver

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
)

// decoder returns the content of an encoded body. It may read from the body.
type decoder func(io.Reader) (io.Reader, error)

// decoders are the content codings that compression_algorithms can name. Their memory is bounded: those that confighttp knows
// besides decode whole blocks, of sizes that the sender chooses.
//
// The receiver decodes by itself, since confighttp begins to read the body of a sender of whom nothing is known yet.
var decoders = map[string]decoder{
	"gzip":    func(body io.Reader) (io.Reader, error) { return gzip.NewReader(body) },
	"zlib":    func(body io.Reader) (io.Reader, error) { return zlib.NewReader(body) },
	"deflate": func(body io.Reader) (io.Reader, error) { return zlib.NewReader(body) },
}

// errUndecodable is any error of a decoder that is not one of the body.
var errUndecodable = errors.New("content encoding cannot be decoded")

// bodyDecoder decodes the content encodings that the configuration allows.
type bodyDecoder struct {
	allowed map[string]bool
	maxSize int64 // bytes of a decoded body
}

func newBodyDecoder(cfg *confighttp.ServerConfig) bodyDecoder {
	d := bodyDecoder{allowed: map[string]bool{}, maxSize: cfg.MaxRequestBodySize}
	for _, name := range cfg.CompressionAlgorithms {
		d.allowed[coding(name)] = true
	}
	return d
}

// open returns the content of a request's body, and how long it was announced to be, or -1 if it was not.
func (d bodyDecoder) open(r *http.Request) (content io.Reader, length int64, err error) {
	coding := coding(strings.Join(r.Header.Values("Content-Encoding"), ","))
	if coding == "" {
		return r.Body, r.ContentLength, nil
	}
	if !d.allowed[coding] {
		return nil, 0, failed(kindUnsupportedEncoding, nil)
	}
	source := &source{Reader: r.Body}
	decoded, err := decoders[coding](source)
	if err != nil {
		return nil, 0, source.explain(err)
	}
	return http.MaxBytesReader(nil, io.NopCloser(decodedBody{decoded, source}), d.maxSize), -1, nil
}

// coding returns the name of the content coding that a header names, "" if it names none. Names are case-insensitive, gzip has an
// alias, and identity means none (https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1). More than one coding has no name.
func coding(header string) string {
	switch name := strings.ToLower(strings.TrimSpace(header)); name {
	case "identity":
		return ""
	case "x-gzip":
		return "gzip"
	default:
		return name
	}
}

// source is an encoded body. It remembers its error, which decoders hide.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// explain returns the error of the body behind an error of its decoder: only a body that arrived in full is undecodable.
func (s *source) explain(err error) error {
	switch {
	case s.err != nil:
		return s.err
	case errors.Is(err, io.EOF) || err == nil:
		return err
	default:
		return errUndecodable
	}
}

// decodedBody is the content of an encoded body.
type decodedBody struct {
	io.Reader
	source *source
}

func (b decodedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	return n, b.source.explain(err)
}
