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
	"sync"
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

// Key is a secret with which senders sign. It is safe for concurrent use.
type Key struct {
	macs map[string]*sync.Pool // of hash.Hash, by method: a used HMAC has hashed the secret already
}

// NewKey returns the Key of a secret.
func NewKey(secret []byte) *Key {
	k := &Key{macs: map[string]*sync.Pool{}}
	for name, method := range methods {
		k.macs[name] = &sync.Pool{New: func() any { return hmac.New(method.newHash, secret) }}
	}
	return k
}

func (k *Key) digest(method string, body []byte) []byte {
	mac := k.macs[method].Get().(hash.Hash)
	defer k.macs[method].Put(mac)
	mac.Reset()
	mac.Write(body)
	return mac.Sum(nil)
}

// Sign returns the value of [Header] that Jira sends with body.
func Sign(secret, body []byte) string {
	return defaultMethod + "=" + hex.EncodeToString(NewKey(secret).digest(defaultMethod, body))
}

// Signature is a parsed value of [Header] that has not been verified.
type Signature struct {
	method string
	digest []byte
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
	name = strings.ToLower(name)
	method, supported := methods[name]
	if !supported {
		return Signature{}, ErrUnsupportedAlgorithm
	}
	digest, err := hex.DecodeString(hexDigest)
	if err != nil || len(digest) != method.size {
		return Signature{}, ErrMalformed
	}
	return Signature{name, digest}, nil
}

// Verify returns nil if one of the keys gives the signature for body, otherwise [ErrMismatch]. It tries all keys, and
// each comparison takes constant time.
func (s Signature) Verify(body []byte, keys []*Key) error {
	match := false
	for _, key := range keys {
		match = hmac.Equal(s.digest, key.digest(s.method, body)) || match
	}
	if !match {
		return ErrMismatch
	}
	return nil
}
