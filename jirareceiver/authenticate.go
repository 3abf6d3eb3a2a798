package jirareceiver

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// authenticator admits deliveries that are signed with a known secret or carry a known token. With neither configured it
// admits all: then confighttp has authenticated them, or the user has said that nobody need.
type authenticator struct {
	secrets        [][]byte
	tokenDigests   [][sha256.Size]byte
	header         string
	queryParameter string
}

func newAuthenticator(cfg *JiraConfig) *authenticator {
	a := &authenticator{header: cfg.Token.Header, queryParameter: cfg.Token.QueryParameter}
	for _, secret := range cfg.Signature.Secrets {
		a.secrets = append(a.secrets, []byte(secret))
	}
	for _, token := range cfg.Token.Values {
		a.tokenDigests = append(a.tokenDigests, digestOf(token))
	}
	return a
}

// proof is what a delivery presents of who sends it. The zero proof is enough as it is.
type proof struct {
	signature *signature.Signature // that the body has to have
}

// isComplete reports whether the headers are proof enough, whatever the body.
func (p proof) isComplete() bool { return p.signature == nil }

// examine refuses what no body can make right, so that strangers cannot have one read. It accepts any one proof, and the error
// tells of the proof that the delivery presented.
func (a *authenticator) examine(r *http.Request) (proof, error) {
	if len(a.secrets) == 0 && len(a.tokenDigests) == 0 {
		return proof{}, nil
	}
	presented := a.presentedTokens(r)
	if a.anyKnown(presented) {
		return proof{}, nil
	}
	signed := r.Header.Get(signature.Header)
	switch {
	case len(a.secrets) > 0 && signed == "" && len(presented) == 0 && hasSecret(r.URL):
		return proof{}, failed(kindSecretInQuery, nil)
	case len(a.secrets) > 0 && (signed != "" || len(presented) == 0):
		s, err := signature.Parse(signed)
		return proof{signature: &s}, signatureFailure(err)
	case len(presented) > 0:
		return proof{}, failed(kindBadToken, nil)
	default:
		return proof{}, failed(kindMissingToken, nil)
	}
}

// authenticate holds the body against what the delivery has presented.
func (a *authenticator) authenticate(p proof, body []byte) error {
	if p.isComplete() {
		return nil
	}
	return signatureFailure(p.signature.Verify(body, a.secrets))
}

// secretParameters are what other receivers of Jira's webhooks call a secret in the URL.
var secretParameters = []string{"secret", "token"}

// hasSecret finds the mistake of those who come from such a receiver.
func hasSecret(u *url.URL) bool {
	return slices.ContainsFunc(secretParameters, u.Query().Has)
}

// presentedTokens returns the tokens in the places where tokens are expected.
func (a *authenticator) presentedTokens(r *http.Request) []configopaque.String {
	if len(a.tokenDigests) == 0 {
		return nil
	}
	var presented []configopaque.String
	if a.header != "" {
		presented = appendToken(presented, r.Header.Get(a.header))
	}
	if a.queryParameter != "" {
		presented = appendToken(presented, r.URL.Query().Get(a.queryParameter))
	}
	return presented
}

func appendToken(tokens []configopaque.String, token string) []configopaque.String {
	if token == "" {
		return tokens
	}
	return append(tokens, configopaque.String(token))
}

// anyKnown compares digests, so that the time it takes tells nothing of a token, not even its length.
func (a *authenticator) anyKnown(presented []configopaque.String) bool {
	known := 0
	for _, token := range presented {
		digest := digestOf(token)
		for _, accepted := range a.tokenDigests {
			known |= subtle.ConstantTimeCompare(digest[:], accepted[:])
		}
	}
	return known == 1
}

func digestOf(token configopaque.String) [sha256.Size]byte {
	return sha256.Sum256([]byte(token))
}
