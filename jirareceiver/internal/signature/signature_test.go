// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The example of https://developer.atlassian.com/cloud/jira/platform/webhooks/.
const (
	documentedSecret    = "It's a Secret to Everybody"
	documentedBody      = "Hello World!"
	documentedSignature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
)

func signed(method string, newHash func() hash.Hash) string {
	mac := hmac.New(newHash, []byte(documentedSecret))
	mac.Write([]byte(documentedBody))
	return method + "=" + hex.EncodeToString(mac.Sum(nil))
}

func TestSignMakesTheDocumentedSignature(t *testing.T) {
	assert.Equal(t, documentedSignature, Sign([]byte(documentedSecret), []byte(documentedBody)))
}

func TestVerify(t *testing.T) {
	right, other := NewKey([]byte(documentedSecret)), NewKey([]byte("another secret"))
	for _, tt := range []struct {
		name   string
		header string
		body   string
		keys   []*Key
		want   error
	}{
		{"documented example", documentedSignature, documentedBody, []*Key{right}, nil},
		{"upper-case method", "SHA256=" + documentedSignature[7:], documentedBody, []*Key{right}, nil},
		{"mixed-case method", "Sha512=" + signed("", sha512.New)[1:], documentedBody, []*Key{right}, nil},
		{"upper-case digest", "sha256=" + strings.ToUpper(documentedSignature[7:]), documentedBody, []*Key{right}, nil},
		{"first of two secrets", documentedSignature, documentedBody, []*Key{right, other}, nil},
		{"last of two secrets", documentedSignature, documentedBody, []*Key{other, right}, nil},
		{"sha384", signed("sha384", sha512.New384), documentedBody, []*Key{right}, nil},
		{"sha512", signed("sha512", sha512.New), documentedBody, []*Key{right}, nil},
		{"sha1", signed("sha1", sha1.New), documentedBody, []*Key{right}, ErrUnsupportedAlgorithm},
		{"md5", signed("md5", md5.New), documentedBody, []*Key{right}, ErrUnsupportedAlgorithm},
		{"digest of another method", signed("sha256", sha512.New), documentedBody, []*Key{right}, ErrMalformed},
		{"changed body", documentedSignature, "Hello World?", []*Key{right}, ErrMismatch},
		{"empty body", documentedSignature, "", []*Key{right}, ErrMismatch},
		{"wrong secret", documentedSignature, documentedBody, []*Key{other}, ErrMismatch},
		{"no secret", documentedSignature, documentedBody, nil, ErrMismatch},
		{"truncated digest", documentedSignature[:20], documentedBody, []*Key{right}, ErrMalformed},
		{"short digest", documentedSignature[:21], documentedBody, []*Key{right}, ErrMalformed},
		{"long digest", documentedSignature + "00", documentedBody, []*Key{right}, ErrMalformed},
		{"empty digest", "sha256=", documentedBody, []*Key{right}, ErrMalformed},
		{"not hexadecimal", "sha256=xyz", documentedBody, []*Key{right}, ErrMalformed},
		{"no method", documentedSignature[7:], documentedBody, []*Key{right}, ErrMalformed},
		{"no header", "", documentedBody, []*Key{right}, ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, verify(tt.header, []byte(tt.body), tt.keys))
		})
	}
}

// verify parses the value of Header and verifies the signature.
func verify(header string, body []byte, keys []*Key) error {
	s, err := Parse(header)
	if err != nil {
		return err
	}
	return s.Verify(body, keys)
}

// FuzzVerify checks that a signature is accepted for exactly the bytes that were signed.
func FuzzVerify(f *testing.F) {
	f.Add(documentedSignature, []byte(documentedBody), []byte(documentedSecret))
	f.Add(signed("sha512", sha512.New), []byte(documentedBody), []byte(documentedSecret))
	f.Add("sha256=", []byte(nil), []byte("x"))
	f.Add("sha1=00", []byte("{}"), []byte("x"))
	f.Add("=", []byte("{}"), []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body, secret []byte) {
		own := Sign(secret, body)
		if err := verify(own, body, []*Key{NewKey(secret)}); err != nil {
			t.Fatalf("own signature rejected: %v", err)
		}
		if verify(own, append(body, 'x'), []*Key{NewKey(secret)}) == nil {
			t.Fatal("signature of another body accepted")
		}
		name, digest, _ := strings.Cut(header, "=")
		accepted := verify(header, body, []*Key{NewKey(secret)}) == nil
		if method, known := methods[name]; accepted != (known && strings.EqualFold(digest, hexOf(method.newHash, secret, body))) {
			t.Fatalf("accepted: %v", accepted)
		}
	})
}

func hexOf(newHash func() hash.Hash, secret, body []byte) string {
	mac := hmac.New(newHash, secret)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func BenchmarkVerify(b *testing.B) {
	secret, body := []byte("a secret"), bytes.Repeat([]byte("x"), 10_000)
	header, keys := Sign(secret, body), []*Key{NewKey(secret)}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := verify(header, body, keys); err != nil {
			b.Fatal(err)
		}
	}
}
