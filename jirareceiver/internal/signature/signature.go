// Package signature signs and verifies the HMAC that Jira puts on a delivery.
//
// Jira sends it as "method=hexdigest" over the raw bytes of the body. The method is sha256 today and Atlassian reserves
// the right to change it (https://developer.atlassian.com/cloud/jira/platform/webhooks/), so the stronger members of the
// SHA-2 family are accepted as well. The broken ones are not: the sender must not be able to choose a weak hash.
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

// Header is the request header that carries the signature. Jira does not append the method to its name.
const Header = "X-Hub-Signature"

// The reasons for which a signature is refused.
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

// Sign returns the value of [Header] with which Jira signs body.
func Sign(secret, body []byte) string {
	return defaultMethod + "=" + hex.EncodeToString(digest(methods[defaultMethod].newHash, secret, body))
}

// Signature is what [Header] says, still to be compared with a body.
type Signature struct {
	newHash func() hash.Hash
	digest  []byte
}

// Parse reads the value of [Header]. The error is one of this package's sentinels and holds nothing of the input.
func Parse(header string) (Signature, error) {
	if header == "" {
		return Signature{}, ErrMissing
	}
	name, hexDigest, found := strings.Cut(header, "=")
	if !found {
		return Signature{}, ErrMalformed
	}
	method, supported := methods[name]
	if !supported {
		return Signature{}, ErrUnsupportedAlgorithm
	}
	digest, err := hex.DecodeString(hexDigest)
	if err != nil || len(digest) != method.size {
		return Signature{}, ErrMalformed
	}
	return Signature{method.newHash, digest}, nil
}

// Verify reports whether the signature is that of body under any of the secrets. Every secret is tried and each comparison
// takes constant time. The error is [ErrMismatch].
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

// Verify parses the value of [Header] and verifies it, for those who have both header and body at hand.
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
