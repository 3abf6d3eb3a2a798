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

// The reasons for which Verify refuses a signature.
var (
	ErrMissing              = errors.New("no signature")
	ErrMalformed            = errors.New("signature is not method=hexdigest")
	ErrUnsupportedAlgorithm = errors.New("signature method is not supported")
	ErrMismatch             = errors.New("signature does not match the body")
)

const defaultMethod = "sha256"

var methods = map[string]func() hash.Hash{
	defaultMethod: sha256.New,
	"sha384":      sha512.New384,
	"sha512":      sha512.New,
}

// Sign returns the value of [Header] with which Jira signs body.
func Sign(secret, body []byte) string {
	return defaultMethod + "=" + hex.EncodeToString(digest(methods[defaultMethod], secret, body))
}

// Verify reports whether the value of [Header] is the signature of body under any of the secrets. Every secret is tried
// and each comparison takes constant time. The error is one of this package's sentinels and holds nothing of the input.
func Verify(header string, body []byte, secrets [][]byte) error {
	if header == "" {
		return ErrMissing
	}
	method, hexDigest, found := strings.Cut(header, "=")
	if !found {
		return ErrMalformed
	}
	newHash, supported := methods[method]
	if !supported {
		return ErrUnsupportedAlgorithm
	}
	got, err := hex.DecodeString(hexDigest)
	if err != nil {
		return ErrMalformed
	}
	match := false
	for _, secret := range secrets {
		match = hmac.Equal(got, digest(newHash, secret, body)) || match
	}
	if !match {
		return ErrMismatch
	}
	return nil
}

func digest(newHash func() hash.Hash, secret, body []byte) []byte {
	mac := hmac.New(newHash, secret)
	mac.Write(body)
	return mac.Sum(nil)
}
