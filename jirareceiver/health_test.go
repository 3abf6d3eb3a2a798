// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// toldExhaustedToProbe is what a probe is told where a sender is told 429: a probe takes only 5xx for bad.
var toldExhaustedToProbe = told{503, `{"error": "pipeline over capacity"}`, "30", ""}

func (r *running) assertHealth(t *testing.T, want told, when string) {
	t.Helper()
	request := r.request(t, nil, at(http.MethodGet, "/health"))
	response, answer := do(t, request)
	assertTold(t, want, response, answer)
	assert.Equal(t, want.status, response.StatusCode, when)
}

// TestHealthFollowsThePipeline has the pipeline say one thing after another, and asks after each.
func TestHealthFollowsThePipeline(t *testing.T) {
	full := errors.New("hunter2")
	exhausted := status.Error(grpccodes.ResourceExhausted, "hunter2")
	next := &sink{}
	r := start(t, next, nil)
	r.assertHealth(t, toldOK, "before any delivery")
	for _, step := range []struct {
		when string
		err  error
		want told
	}{
		{"accepted", nil, toldOK},
		{"unavailable", full, toldUnavailable},
		{"accepted after unavailable", nil, toldOK},
		{"exhausted", exhausted, toldExhaustedToProbe},
		{"unavailable after exhausted", full, toldUnavailable},
		{"permanent, which tells of one event only", consumererror.NewPermanent(full), toldUnavailable},
		{"accepted again", nil, toldOK},
		{"permanent while all is well", consumererror.NewPermanent(full), toldOK},
	} {
		next.err = step.err
		r.post(t, []byte(createdBody))
		r.assertHealth(t, step.want, step.when)
	}
}

// TestHealthForgets has no delivery come that could show that all is well again.
func TestHealthForgets(t *testing.T) {
	r := start(t, &sink{err: errors.New("full")}, nil)
	r.post(t, []byte(createdBody))
	r.clock.advance(defaultRetryAfter - 1)
	r.assertHealth(t, toldUnavailable, "within retry_after")
	r.clock.advance(1)
	r.assertHealth(t, toldOK, "after retry_after")
	r.post(t, []byte(createdBody))
	r.assertHealth(t, toldUnavailable, "refused again")
}

// TestHealthIgnoresWhatNeverReachedThePipeline would take a receiver out of service for what strangers post.
func TestHealthIgnoresWhatNeverReachedThePipeline(t *testing.T) {
	r := start(t, &sink{}, requireSignature)
	r.post(t, []byte(createdBody))
	r.post(t, []byte("x"), signedWith(secret, "x"))
	r.assertHealth(t, toldOK, "after 401 and 400")
}

func TestHealthWhileFull(t *testing.T) {
	r, finish := withHeld(t, len(createdBody), nil)
	r.assertHealth(t, told{503, `{"error": "over capacity"}`, "30", ""}, "while full")
	finish()
	r.assertHealth(t, toldOK, "when there is room again")
}

// TestHealthOnceShutdownHasBegun covers the moment between that and the end of the listener.
func TestHealthOnceShutdownHasBegun(t *testing.T) {
	r := start(t, &sink{}, nil)
	r.handler.health.draining.Store(true)
	r.assertHealth(t, toldShuttingDown, "draining")
}

// TestNoHealthWhileShuttingDown asks while a delivery is in the pipeline still, on a connection that was open before. net/http
// answers nothing any more, which is no 200 either.
func TestNoHealthWhileShuttingDown(t *testing.T) {
	next := newGated()
	r := start(t, next, nil)
	probe := r.dial(t, "") // is accepted before the delivery is, which comes after it
	delivered := r.inBackground(t)
	wait(t, next.entered, "delivery")
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	require.Eventually(t, r.handler.health.draining.Load, patience, time.Millisecond)
	r.awaitClosed(t)

	_, err := fmt.Fprint(probe, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	_, err = probe.Read(make([]byte, 1))
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed")

	close(next.release)
	assert.Equal(t, http.StatusOK, wait(t, delivered, "answer"))
	assert.NoError(t, wait(t, stopped, "shutdown"))
}
