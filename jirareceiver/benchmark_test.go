package jirareceiver

import (
	"bytes"
	"encoding/json"
	"io"
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

// BenchmarkDelivery sets a whole delivery beside its floor, which is to read the body and verify its signature: as calls in
// the process, and over a socket.
func BenchmarkDelivery(b *testing.B) {
	var compact bytes.Buffer
	require.NoError(b, json.Compact(&compact, readBody(b, "life/3_in_progress.json"))) // as Jira sends it
	body := compact.Bytes()
	signed := signature.Sign([]byte(secret), body)
	cfg := createDefaultConfig().(*Config)
	cfg.Jira.Signature.Secrets = []configopaque.String{secret}
	next := &consumertest.LogsSink{}
	h, err := newHandler(receivertest.NewNopSettings(metadata.Type), &cfg.Jira, next)
	require.NoError(b, err)
	floor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lease, err := h.admission.admit(r)
		if err == nil {
			defer lease.release()
			var content []byte
			if content, err = lease.read(r); err == nil {
				err = h.authenticator.authenticate(r, content)
			}
		}
		respond(w, err, h.retryAfter)
	})

	for _, way := range []struct {
		name    string
		handler http.Handler
	}{{"read_and_verify", floor}, {"whole", h}} {
		b.Run("call/"+way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, defaultPath, bytes.NewReader(body))
				request.Header.Set(signature.Header, signed)
				recorder := httptest.NewRecorder()
				way.handler.ServeHTTP(recorder, request)
				if recorder.Code != http.StatusOK {
					b.Fatal(recorder.Code)
				}
				next.Reset()
			}
		})
		b.Run("socket/"+way.name, func(b *testing.B) {
			server := httptest.NewServer(way.handler)
			defer server.Close()
			b.ReportAllocs()
			for b.Loop() {
				request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+defaultPath, bytes.NewReader(body))
				require.NoError(b, err)
				request.Header.Set(signature.Header, signed)
				response, err := server.Client().Do(request)
				require.NoError(b, err)
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					b.Fatal(response.Status)
				}
				next.Reset()
			}
		})
	}
}
