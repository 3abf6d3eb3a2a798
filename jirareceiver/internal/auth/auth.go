// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package auth authenticates the sender of a delivery by the signature of its body or by a shared token.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// The reasons for which CheckHeaders rejects a request, besides those of the package signature.
var (
	ErrMissingToken  = errors.New("no token")
	ErrBadToken      = errors.New("unknown token")
	ErrSecretInQuery = errors.New("secret in the query and no signature")
)

// Options configure an [Authenticator].
type Options struct {
	Secrets        []string // of webhooks; a signature must match one of them
	Tokens         []string // a token must match one of them
	Header         string   // request header with the token; "" for no header
	QueryParameter string   // query parameter with the token; "" for no parameter
}

// Authenticator accepts deliveries that are signed with a known secret or carry a known token. Without secrets and
// tokens it accepts every delivery. It is safe for concurrent use.
type Authenticator struct {
	keys           []*signature.Key
	tokenDigests   [][sha256.Size]byte
	header         string
	queryParameter string
}

// New returns an Authenticator. It keeps no token, only digests.
func New(opts Options) *Authenticator {
	a := &Authenticator{header: opts.Header, queryParameter: opts.QueryParameter}
	for _, secret := range opts.Secrets {
		a.keys = append(a.keys, signature.NewKey([]byte(secret)))
	}
	for _, token := range opts.Tokens {
		a.tokenDigests = append(a.tokenDigests, sha256.Sum256([]byte(token)))
	}
	return a
}

// Credentials are the credentials in the headers of a request. The zero value needs no check of the body.
type Credentials struct {
	signature *signature.Signature // that the body must have; nil if the body needs no signature
}

// NeedNoSignature reports whether no signature of the body must be verified: the request carries a valid token, or no
// authentication is configured.
func (c Credentials) NeedNoSignature() bool { return c.signature == nil }

// Header is the header of a request, such as http.Header.
type Header interface{ Get(key string) string }

// CheckHeaders rejects requests that no body could authenticate, so that unauthenticated senders cannot make the
// receiver read a body. One valid credential is enough. The error concerns the credential in the request.
func (a *Authenticator) CheckHeaders(header Header, u *url.URL) (Credentials, error) {
	if len(a.keys) == 0 && len(a.tokenDigests) == 0 {
		return Credentials{}, nil
	}
	tokens := a.tokensOf(header, u)
	if a.anyKnown(tokens) {
		return Credentials{}, nil
	}
	signed := header.Get(signature.Header)
	switch {
	case len(a.keys) > 0 && signed == "" && len(tokens) == 0 && hasSecret(u):
		return Credentials{}, ErrSecretInQuery
	case len(a.keys) > 0 && (signed != "" || len(tokens) == 0):
		s, err := signature.Parse(signed)
		return Credentials{signature: &s}, err
	case len(tokens) > 0:
		return Credentials{}, ErrBadToken
	default:
		return Credentials{}, ErrMissingToken
	}
}

// VerifyBody compares the body with the signature in the credentials. It returns the error of
// [signature.Signature.Verify].
func (a *Authenticator) VerifyBody(c Credentials, body []byte) error {
	if c.NeedNoSignature() {
		return nil
	}
	return c.signature.Verify(body, a.keys)
}

// secretParameters are the names that other receivers of Jira's webhooks give to a secret in the URL.
var secretParameters = []string{"secret", "token"}

// hasSecret reports whether the query contains a secret. Administrators who come from such a receiver make this
// mistake.
func hasSecret(u *url.URL) bool {
	return slices.ContainsFunc(secretParameters, u.Query().Has)
}

// tokensOf returns the tokens in the configured header and query parameter.
func (a *Authenticator) tokensOf(header Header, u *url.URL) []string {
	if len(a.tokenDigests) == 0 {
		return nil
	}
	var tokens []string
	if a.header != "" {
		tokens = appendToken(tokens, header.Get(a.header))
	}
	if a.queryParameter != "" {
		tokens = appendToken(tokens, u.Query().Get(a.queryParameter))
	}
	return tokens
}

func appendToken(tokens []string, token string) []string {
	if token == "" {
		return tokens
	}
	return append(tokens, token)
}

// anyKnown compares digests, so that its duration depends neither on a token nor on the length of a token.
func (a *Authenticator) anyKnown(tokens []string) bool {
	known := 0
	for _, token := range tokens {
		digest := sha256.Sum256([]byte(token))
		for _, accepted := range a.tokenDigests {
			known |= subtle.ConstantTimeCompare(digest[:], accepted[:])
		}
	}
	return known == 1
}
