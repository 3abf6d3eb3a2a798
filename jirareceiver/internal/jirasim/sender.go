// Package jirasim plays the part of a Jira: it makes histories of events with bodies as Jira's, and sends them as Jira does, by
// the rules of https://developer.atlassian.com/cloud/jira/platform/webhooks/.
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

// Flow is how Jira calls what an event comes from.
type Flow string

const (
	// Primary is the flow of what somebody did.
	Primary Flow = "Primary"
	// Secondary is the flow of what followed from that, such as the end of the comments of a deleted issue.
	Secondary Flow = "Secondary"
)

const (
	maxRetries = 5
	minPause   = 5 * time.Minute
	maxPause   = 15 * time.Minute
	// Jira has no more requests than these under way to one host.
	primaryRequests   = 20
	secondaryRequests = 10

	answerLength = 200 // bytes that are kept of an answer
)

// Delivery is an event on its way to one webhook.
type Delivery struct {
	ID    string // the same for each attempt; "" on Data Center, which does not number what it sends
	Flow  Flow
	Body  []byte
	At    time.Time // when it happened
	About string    // what happened to what, for people
}

// NewRequest returns the request of an attempt, the first of which is 0. Without a secret it is not signed.
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

// Options say where a [Sender] sends, and how fast its time goes by.
type Options struct {
	URL string
	// Compression is how many times faster than at Atlassian the pauses between attempts go by. Default: 1.
	Compression float64
	// Timeout ends an attempt that has no answer. Default: 30 seconds; Atlassian does not tell Jira's.
	Timeout time.Duration
	// Transport sends the requests. Default: one of its own.
	Transport http.RoundTripper
	// Seed makes the pauses the same in each run.
	Seed uint64
	// Deployment says whose rules to send by. Default: those of Jira Cloud. Data Center sends once.
	Deployment Deployment
	// Observe is told of each attempt, if set. It has to be safe for concurrent use.
	Observe func(d Delivery, retry int, a Attempt)
}

// NewTransport returns a transport with as many connections as Jira may have requests under way.
func NewTransport() *http.Transport {
	const connections = primaryRequests + secondaryRequests
	return &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
}

// Sender sends deliveries. It is safe for concurrent use.
type Sender struct {
	opts   Options
	secret atomic.Pointer[[]byte]
	slots  map[Flow]chan struct{}

	mu     sync.Mutex // of random
	random *rand.Rand
}

// New returns a Sender that does not sign.
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
		random: rand.New(rand.NewPCG(opts.Seed, 0)), //nolint:gosec // pauses are no secrets
	}
	s.SetSecret(nil)
	return s
}

// SetSecret is what the administrator does in Jira: deliveries whose first attempt is still to come are signed with it.
func (s *Sender) SetSecret(secret []byte) { s.secret.Store(&secret) }

// Attempt is what came of one request: a status, or an error when nobody answered.
type Attempt struct {
	Status int
	Answer string // its beginning
	Err    error
}

func (a Attempt) acknowledged() bool { return a.Err == nil && a.Status >= 200 && a.Status <= 299 }

// final reports whether Jira makes no other attempt after this one.
func (a Attempt) final() bool {
	if a.Err != nil {
		return false
	}
	switch a.Status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return a.Status < 500
	}
}

// Result is what Jira knows of a delivery in the end.
type Result struct {
	Delivery     Delivery
	Attempts     []Attempt
	Acknowledged bool // otherwise Jira has given up, and the event is lost unless it arrived without Jira's knowing
	Interrupted  bool // ctx ended before Jira would have given up
}

// Deliver sends until the delivery is acknowledged or given up. It gives up as well when ctx ends.
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

// attempts is how many Jira makes at most.
func (s *Sender) attempts() int {
	if s.opts.Deployment == DataCenter {
		return 1
	}
	return 1 + maxRetries
}

// DeliverAll sends deliveries, of which no more than pending are under way or wait for their next attempt. The results are
// in the order of the deliveries.
func (s *Sender) DeliverAll(ctx context.Context, deliveries []Delivery, pending int) []Result {
	results := make([]Result, len(deliveries))
	s.DeliverEach(ctx, slices.Values(deliveries), pending, func(i int, r Result) { results[i] = r })
	return results
}

// DeliverEach sends deliveries as they come, of which no more than pending are under way or wait for their next attempt. It
// hands over what came of each with its number, several at a time.
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

// attempt reads the answer to its end, so that the connection can be used again.
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

// pause reports false when ctx ends before.
func (s *Sender) pause(ctx context.Context) bool {
	return sleep(ctx, time.Duration(float64(s.nextPause())/s.opts.Compression))
}

func (s *Sender) nextPause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return minPause + time.Duration(s.random.Int64N(int64(maxPause-minPause)))
}
