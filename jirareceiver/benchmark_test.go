package jirareceiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// BenchmarkDelivery sets a whole delivery beside its floor, which is to read the body and verify its signature. Both go
// through the handler's own code, without a socket.
func BenchmarkDelivery(b *testing.B) {
	var compact bytes.Buffer
	require.NoError(b, json.Compact(&compact, readBody(b, "life/3_in_progress.json"))) // as Jira sends it
	body := compact.Bytes()
	cfg := createDefaultConfig().(*Config)
	cfg.Jira.Signature.Secrets = []configopaque.String{secret}
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), &cfg.Jira, consumertest.NewNop())
	require.NoError(b, err)
	request := httptest.NewRequest(http.MethodPost, defaultPath, http.NoBody)
	request.Header.Set(signature.Header, signature.Sign([]byte(secret), body))

	run := func(deliver func(*http.Request) error) func(*testing.B) {
		return func(b *testing.B) {
			b.Helper()
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				request.ContentLength = int64(len(body))
				request.Body = readCloser{bytes.NewReader(body)}
				if err := deliver(request); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("read_and_verify", run(func(r *http.Request) error {
		content, err := read(r)
		if err != nil {
			return err
		}
		return h.authenticator.authenticate(r, content)
	}))
	b.Run("whole", run(func(r *http.Request) error {
		_, err := h.deliver(r)
		return err
	}))
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
