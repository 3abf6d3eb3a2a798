package jirareceiver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// answer is the body of every response. It holds fixed texts only.
type answer struct {
	Status string `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

// respond writes every response of the receiver: of a delivery, a probe, or a request that confighttp turned away.
func respond(w http.ResponseWriter, err error, retryAfter time.Duration) {
	code, body := http.StatusOK, answer{Status: "ok"}
	if err != nil {
		k := kindOf(err)
		code, body = k.status, answer{Error: k.message}
	}
	if code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the sender is gone: there is nobody left to tell
}
