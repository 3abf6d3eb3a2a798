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

// TestHealthFollowsThePipeline lets the pipeline return one error after another, and sends a probe after each.
func TestHealthFollowsThePipeline(t *testing.T) {
	t.Parallel()
	full := errors.New("hunter2")
	exhausted := status.Error(grpccodes.ResourceExhausted, "hunter2")
	next := &sink{}
	r := start(t, next, nil)
	r.assertHealth(t, "", "before any delivery")
	for _, step := range []struct {
		when   string
		err    error
		reason string
	}{
		{"accepted", nil, ""},
		{"unavailable", full, "unavailable"},
		{"accepted after unavailable", nil, ""},
		{"exhausted", exhausted, "resource_exhausted"},
		{"unavailable after exhausted", full, "unavailable"},
		{"permanent, which concerns one event only", consumererror.NewPermanent(full), "unavailable"},
		{"accepted again", nil, ""},
		{"permanent while all is well", consumererror.NewPermanent(full), ""},
	} {
		next.err = step.err
		r.post(t, []byte(createdBody))
		r.assertHealth(t, step.reason, step.when)
	}
}

// TestHealthForgets sends no delivery that could clear the state.
func TestHealthForgets(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{err: errors.New("full")}, nil)
	r.post(t, []byte(createdBody))
	r.clock.advance(defaultRetryAfter - 1)
	r.assertHealth(t, "unavailable", "within retry_after")
	r.clock.advance(1)
	r.assertHealth(t, "", "after retry_after")
	r.post(t, []byte(createdBody))
	r.assertHealth(t, "unavailable", "refused again")
}

// TestHealthIgnoresRejectedRequests checks that unauthenticated senders cannot make the receiver unhealthy.
func TestHealthIgnoresRejectedRequests(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, requireSignature)
	r.post(t, []byte(createdBody))
	r.post(t, []byte("x"), withSignature(currentSecret, "x"))
	r.assertHealth(t, "", "after 401 and 400")
}

func TestHealthWhileFull(t *testing.T) {
	t.Parallel()
	r, finish := states{t}.busy(len(createdBody))
	r.assertHealth(t, "over_capacity", "while full")
	finish()
	r.assertHealth(t, "", "after the delivery has ended")
}

// TestHealthWhileDraining covers the time between the start of the shutdown and the end of the listener.
func TestHealthWhileDraining(t *testing.T) {
	t.Parallel()
	r := start(t, &sink{}, nil)
	r.handler.health.draining.Store(true)
	r.assertHealth(t, "shutting_down", "draining")
}

// TestNoHealthWhileShuttingDown sends a probe on an open connection while a delivery is in the pipeline. net/http then
// answers no request, so the probe does not get 200.
func TestNoHealthWhileShuttingDown(t *testing.T) {
	t.Parallel()
	next := newGated()
	r := start(t, next, nil)
	probe := r.dial(t, "") // is accepted before the delivery is, which comes after it
	delivered := r.inBackground(t)
	wait(t, next.entered, "delivery")
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	require.Eventually(t, r.handler.health.draining.Load, waitLimit, time.Millisecond)
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
