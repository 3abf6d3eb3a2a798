package jirareceiver

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// okAnswer is the body of the response to what was accepted.
const okAnswer = `{"status":"ok"}` + "\n"

// respond writes every response of the receiver: of a delivery, a probe, or a request that confighttp turned away. Its texts
// are fixed.
func respond(w http.ResponseWriter, err error, retryAfter time.Duration) {
	code, body := http.StatusOK, okAnswer
	if err != nil {
		k := kindOf(err)
		code, body = k.status, `{"error":`+strconv.Quote(k.message)+"}\n"
	}
	if code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // the client is gone
}
