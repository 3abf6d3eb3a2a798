// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

// Package jirasim simulates a Jira. It creates histories of events with bodies like Jira's, and sends them by the rules
// of https://developer.atlassian.com/cloud/jira/platform/webhooks/.
package jirasim

import (
	"bytes"
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/signature"
)

// Flow is Jira's name for the origin of an event.
type Flow string

const (
	// Primary is the flow of the action of a user.
	Primary Flow = "Primary"
	// Secondary is the flow of a consequence of that action, such as the deletion of the comments of a deleted issue.
	Secondary Flow = "Secondary"
)

const (
	maxRetries = 5
	minPause   = 5 * time.Minute
	maxPause   = 15 * time.Minute
	// The largest numbers of requests that Jira has in progress to one host.
	primaryRequests   = 20
	secondaryRequests = 10

	answerLength = 200 // bytes of a response that are kept
)

// Delivery is an event for one webhook.
type Delivery struct {
	ID    string // delivery ID, the same for each attempt; "" on Data Center, which sends none
	Flow  Flow
	Body  []byte
	At    time.Time // time of the event
	About string    // subject and event, for people
}

// NewRequest returns the request of an attempt. The number of the first attempt is 0. Without a secret, the request is
// not signed.
func NewRequest(ctx context.Context, url string, secret []byte, d Delivery, attempt int) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("User-Agent", "Atlassian HttpClient 4.2.0 / JIRA-10.3.1 (10030001) / Default")
	if d.ID != "" {
		request.Header.Set("User-Agent", "Atlassian Webhook HTTP Client")
		request.Header.Set("X-Atlassian-Webhook-Identifier", d.ID)
		request.Header.Set("X-Atlassian-Webhook-Flow", string(d.Flow))
	}
	if attempt > 0 {
		request.Header.Set("X-Atlassian-Webhook-Retry", strconv.Itoa(attempt))
	}
	if len(secret) > 0 {
		request.Header.Set(signature.Header, signature.Sign(secret, d.Body))
	}
	return request, nil
}

// Options define the target and the timing of a [Sender].
type Options struct {
	URL string
	// Compression is the factor by which the pauses between attempts are shorter than Jira's. Default: 1.
	Compression float64
	// Timeout ends an attempt without a response. Default: 30 seconds. Atlassian does not document Jira's timeout.
	Timeout time.Duration
	// Transport sends the requests. Default: a new transport.
	Transport http.RoundTripper
	// Seed decides the random parts of the pauses.
	Seed uint64
	// Deployment decides the rules of sending. Default: Cloud. Data Center sends each delivery once.
	Deployment Deployment
	// Observe is called for each attempt. It may be nil, and must be safe for concurrent use.
	Observe func(d Delivery, retry int, a Attempt)
}

// NewTransport returns a transport with as many connections as Jira may have requests in progress.
func NewTransport() *http.Transport {
	const connections = primaryRequests + secondaryRequests
	return &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
}

// Sender sends deliveries. It is safe for concurrent use.
type Sender struct {
	opts   Options
	secret atomic.Pointer[[]byte]
	slots  map[Flow]chan struct{}

	mu     sync.Mutex // guards random
	random *rand.Rand
}

// New returns a Sender that does not sign its requests.
func New(opts Options) *Sender {
	if opts.Compression == 0 {
		opts.Compression = 1
	}
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.Transport == nil {
		opts.Transport = NewTransport()
	}
	s := &Sender{
		opts: opts,
		slots: map[Flow]chan struct{}{
			Primary:   make(chan struct{}, primaryRequests),
			Secondary: make(chan struct{}, secondaryRequests),
		},
		random: rand.New(rand.NewPCG(opts.Seed, 0)), //nolint:gosec // pauses are not secrets
	}
	s.SetSecret(nil)
	return s
}

// SetSecret changes the secret, as an administrator does in Jira. Deliveries whose first attempt follows are signed
// with it.
func (s *Sender) SetSecret(secret []byte) { s.secret.Store(&secret) }

// Attempt is the result of one request: a status code, or an error if there was no response.
type Attempt struct {
	Status int
	Answer string // start of the response
	Err    error
}

func (a Attempt) acknowledged() bool { return a.Err == nil && a.Status >= 200 && a.Status <= 299 }

// IsWrongServer reports whether no receiver of webhooks can have answered so.
func (a Attempt) IsWrongServer() bool {
	switch a.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return true
	default:
		return a.Status >= 300 && a.Status <= 399
	}
}

// final reports whether Jira makes no further attempt. Jira may repeat a delivery after any 5xx, but not if the server
// can never accept it.
func (a Attempt) final() bool {
	if a.Err != nil {
		return false
	}
	switch a.Status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return true
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return a.Status < 500
	}
}

// Result is the final state of a delivery from Jira's point of view.
type Result struct {
	Delivery     Delivery
	Attempts     []Attempt
	Acknowledged bool // if false, Jira has given up: the event is lost, unless only the response was lost
	Interrupted  bool // whether ctx was done before Jira would have given up
}

// Deliver sends a delivery until it is acknowledged, Jira gives up, or ctx is done.
func (s *Sender) Deliver(ctx context.Context, d Delivery) Result {
	result := Result{Delivery: d}
	var secret []byte
	for retry := range s.attempts() {
		if retry > 0 && !s.pause(ctx) {
			break
		}
		s.slots[d.Flow] <- struct{}{}
		if retry == 0 {
			secret = *s.secret.Load()
		}
		attempt := s.attempt(ctx, d, secret, retry)
		<-s.slots[d.Flow]
		result.Attempts = append(result.Attempts, attempt)
		if s.opts.Observe != nil {
			s.opts.Observe(d, retry, attempt)
		}
		if result.Acknowledged = attempt.acknowledged(); attempt.final() {
			return result
		}
	}
	result.Interrupted = ctx.Err() != nil
	return result
}

// attempts returns the largest number of attempts that Jira makes.
func (s *Sender) attempts() int {
	if s.opts.Deployment == DataCenter {
		return 1
	}
	return 1 + maxRetries
}

// DeliverAll sends deliveries. At most pending deliveries are in progress, or wait for their next attempt, at a time.
// The results are in the order of the deliveries.
func (s *Sender) DeliverAll(ctx context.Context, deliveries []Delivery, pending int) []Result {
	results := make([]Result, len(deliveries))
	s.DeliverEach(ctx, slices.Values(deliveries), pending, func(i int, r Result) { results[i] = r })
	return results
}

// DeliverEach sends deliveries as they come. At most pending deliveries are in progress, or wait for their next
// attempt, at a time. It calls a function with the index and the result of each delivery, concurrently.
func (s *Sender) DeliverEach(ctx context.Context, deliveries iter.Seq[Delivery], pending int, ended func(int, Result)) {
	slots := make(chan struct{}, pending)
	var all sync.WaitGroup
	n := 0
	for d := range deliveries {
		slots <- struct{}{}
		number := n
		all.Go(func() {
			ended(number, s.Deliver(ctx, d))
			<-slots
		})
		n++
	}
	all.Wait()
}

// attempt sends one request. It reads the response to its end, so that the connection can be used again.
func (s *Sender) attempt(ctx context.Context, d Delivery, secret []byte, retry int) Attempt {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	request, err := NewRequest(ctx, s.opts.URL, secret, d, retry)
	if err != nil {
		return Attempt{Err: err}
	}
	response, err := s.opts.Transport.RoundTrip(request)
	if err != nil {
		return Attempt{Err: err}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerLength))
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	if err != nil {
		return Attempt{Err: err}
	}
	return Attempt{Status: response.StatusCode, Answer: string(bytes.TrimSpace(answer))}
}

// pause waits for the pause before the next attempt. It returns false if ctx is done before.
func (s *Sender) pause(ctx context.Context) bool {
	return sleep(ctx, time.Duration(float64(s.nextPause())/s.opts.Compression))
}

func (s *Sender) nextPause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return minPause + time.Duration(s.random.Int64N(int64(maxPause-minPause)))
}
