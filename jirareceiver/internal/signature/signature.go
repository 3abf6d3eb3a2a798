// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package signature signs deliveries as Jira does, and verifies their signatures, which are HMACs.
//
// A signature has the form "method=hexdigest" and covers the raw bytes of the body. Jira uses the method sha256 today,
// and Atlassian reserves the right to change it (https://developer.atlassian.com/cloud/jira/platform/webhooks/). The
// package therefore accepts the stronger hashes of the SHA-2 family too, and methods in any letter case. It rejects
// broken hashes, so that the sender cannot choose a weak one.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
)

// Header is the name of the request header with the signature. Unlike other senders, Jira does not append the method to
// this name.
const Header = "X-Hub-Signature"

// The errors of [Parse] and [Signature.Verify].
var (
	ErrMissing              = errors.New("no signature")
	ErrMalformed            = errors.New("signature is not method=hexdigest, with a digest of the method's length")
	ErrUnsupportedAlgorithm = errors.New("signature method is not supported")
	ErrMismatch             = errors.New("signature does not match the body")
)

const defaultMethod = "sha256"

// method is a hash function and the length of its digest in bytes.
type method struct {
	newHash func() hash.Hash
	size    int
}

var methods = map[string]method{
	defaultMethod: {sha256.New, sha256.Size},
	"sha384":      {sha512.New384, sha512.Size384},
	"sha512":      {sha512.New, sha512.Size},
}

// Sign returns the value of [Header] that Jira sends with body.
func Sign(secret, body []byte) string {
	return defaultMethod + "=" + hex.EncodeToString(digest(methods[defaultMethod].newHash, secret, body))
}

// Signature is a parsed value of [Header] that has not been verified.
type Signature struct {
	newHash func() hash.Hash
	digest  []byte
}

// Parse parses the value of [Header]. The error is [ErrMissing], [ErrMalformed] or [ErrUnsupportedAlgorithm], and
// contains no part of the input.
func Parse(header string) (Signature, error) {
	if header == "" {
		return Signature{}, ErrMissing
	}
	name, hexDigest, found := strings.Cut(header, "=")
	if !found {
		return Signature{}, ErrMalformed
	}
	method, supported := methods[strings.ToLower(name)]
	if !supported {
		return Signature{}, ErrUnsupportedAlgorithm
	}
	digest, err := hex.DecodeString(hexDigest)
	if err != nil || len(digest) != method.size {
		return Signature{}, ErrMalformed
	}
	return Signature{method.newHash, digest}, nil
}

// Verify returns nil if one of the secrets gives the signature for body, otherwise [ErrMismatch]. It tries all secrets,
// and each comparison takes constant time.
func (s Signature) Verify(body []byte, secrets [][]byte) error {
	match := false
	for _, secret := range secrets {
		match = hmac.Equal(s.digest, digest(s.newHash, secret, body)) || match
	}
	if !match {
		return ErrMismatch
	}
	return nil
}

// Verify parses the value of [Header] and verifies it, for callers that have both header and body.
func Verify(header string, body []byte, secrets [][]byte) error {
	s, err := Parse(header)
	if err != nil {
		return err
	}
	return s.Verify(body, secrets)
}

func digest(newHash func() hash.Hash, secret, body []byte) []byte {
	mac := hmac.New(newHash, secret)
	mac.Write(body)
	return mac.Sum(nil)
}
