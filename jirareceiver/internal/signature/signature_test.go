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
	right, other := []byte(documentedSecret), []byte("another secret")
	for _, tt := range []struct {
		name    string
		header  string
		body    string
		secrets [][]byte
		want    error
	}{
		{"documented example", documentedSignature, documentedBody, [][]byte{right}, nil},
		{"upper-case method", "SHA256=" + documentedSignature[7:], documentedBody, [][]byte{right}, nil},
		{"mixed-case method", "Sha512=" + signed("", sha512.New)[1:], documentedBody, [][]byte{right}, nil},
		{"upper-case digest", "sha256=" + strings.ToUpper(documentedSignature[7:]), documentedBody, [][]byte{right}, nil},
		{"first of two secrets", documentedSignature, documentedBody, [][]byte{right, other}, nil},
		{"last of two secrets", documentedSignature, documentedBody, [][]byte{other, right}, nil},
		{"sha384", signed("sha384", sha512.New384), documentedBody, [][]byte{right}, nil},
		{"sha512", signed("sha512", sha512.New), documentedBody, [][]byte{right}, nil},
		{"sha1", signed("sha1", sha1.New), documentedBody, [][]byte{right}, ErrUnsupportedAlgorithm},
		{"md5", signed("md5", md5.New), documentedBody, [][]byte{right}, ErrUnsupportedAlgorithm},
		{"digest of another method", signed("sha256", sha512.New), documentedBody, [][]byte{right}, ErrMalformed},
		{"changed body", documentedSignature, "Hello World?", [][]byte{right}, ErrMismatch},
		{"empty body", documentedSignature, "", [][]byte{right}, ErrMismatch},
		{"wrong secret", documentedSignature, documentedBody, [][]byte{other}, ErrMismatch},
		{"no secret", documentedSignature, documentedBody, nil, ErrMismatch},
		{"truncated digest", documentedSignature[:20], documentedBody, [][]byte{right}, ErrMalformed},
		{"short digest", documentedSignature[:21], documentedBody, [][]byte{right}, ErrMalformed},
		{"long digest", documentedSignature + "00", documentedBody, [][]byte{right}, ErrMalformed},
		{"empty digest", "sha256=", documentedBody, [][]byte{right}, ErrMalformed},
		{"not hexadecimal", "sha256=xyz", documentedBody, [][]byte{right}, ErrMalformed},
		{"no method", documentedSignature[7:], documentedBody, [][]byte{right}, ErrMalformed},
		{"no header", "", documentedBody, [][]byte{right}, ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Verify(tt.header, []byte(tt.body), tt.secrets))
		})
	}
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
		if err := Verify(own, body, [][]byte{secret}); err != nil {
			t.Fatalf("own signature rejected: %v", err)
		}
		if Verify(own, append(body, 'x'), [][]byte{secret}) == nil {
			t.Fatal("signature of another body accepted")
		}
		name, digest, _ := strings.Cut(header, "=")
		accepted := Verify(header, body, [][]byte{secret}) == nil
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
	body, secrets := bytes.Repeat([]byte("x"), 10_000), [][]byte{[]byte("a secret")}
	header := Sign(secrets[0], body)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := Verify(header, body, secrets); err != nil {
			b.Fatal(err)
		}
	}
}
