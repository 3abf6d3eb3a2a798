// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// header is the header of a request.
type header map[string]string

func (h header) Get(key string) string { return h[key] }

// TestCheck checks the headers of requests, and the body if the headers do not suffice.
func TestCheck(t *testing.T) {
	const body = "{}"
	signed := func(secret string) header {
		return header{signature.Header: signature.Sign([]byte(secret), []byte(body))}
	}
	secrets := Options{Secrets: []string{"new", "old"}}
	tokens := Options{Tokens: []string{"token", "other"}, Header: "X-Jira-Token", QueryParameter: "token"}
	both := Options{Secrets: secrets.Secrets, Tokens: tokens.Tokens, Header: tokens.Header, QueryParameter: tokens.QueryParameter}
	for _, tt := range []struct {
		name    string
		opts    Options
		header  header
		query   string
		headers error // of CheckHeaders
		body    error
	}{
		{"nothing to check", Options{}, nil, "", nil, nil},
		{"new secret", secrets, signed("new"), "", nil, nil},
		{"old secret", secrets, signed("old"), "", nil, nil},
		{"unknown secret", secrets, signed("x"), "", nil, signature.ErrMismatch},
		{"no signature", secrets, nil, "", signature.ErrMissing, nil},
		{"secret in the query", secrets, nil, "secret=new", ErrSecretInQuery, nil},
		{"secret in the query and a signature", secrets, signed("new"), "secret=x", nil, nil},
		{"token in the header", tokens, header{"X-Jira-Token": "other"}, "", nil, nil},
		{"token in the query", tokens, nil, "token=token", nil, nil},
		{"one of two tokens is known", tokens, header{"X-Jira-Token": "x"}, "token=token", nil, nil},
		{"unknown token", tokens, header{"X-Jira-Token": "tokens"}, "", ErrBadToken, nil},
		{"no token", tokens, signed("new"), "", ErrMissingToken, nil},
		{"both, signed", both, signed("old"), "", nil, nil},
		{"both, token", both, header{"X-Jira-Token": "token"}, "", nil, nil},
		{"both, neither", both, nil, "", signature.ErrMissing, nil},
		{"both, unknown token", both, nil, "token=x", ErrBadToken, nil},
		{"both, wrong signature and a token", both, header{signature.Header: "sha256=00", "X-Jira-Token": "token"}, "", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := New(tt.opts)
			credentials, err := a.CheckHeaders(tt.header, &url.URL{RawQuery: tt.query})
			require.ErrorIs(t, err, tt.headers)
			if err == nil {
				assert.ErrorIs(t, a.VerifyBody(credentials, []byte(body)), tt.body)
			}
		})
	}
}
