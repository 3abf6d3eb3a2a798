// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package registration

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otel-jira/collector/jirareceiver/internal/jiraapi"
	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

// fakeClock is a clock that does not wait.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.advance(d)
	return nil
}

// memoryStore is a store whose calls a test can make fail.
type memoryStore struct {
	values   map[string][]byte
	failGet  bool
	failSets int // number of the next calls of Set that fail
	sets     int
}

func newStore() *memoryStore { return &memoryStore{values: map[string][]byte{}} }

var errStore = errors.New("disk full")

func (s *memoryStore) Get(_ context.Context, key string) ([]byte, error) {
	if s.failGet {
		return nil, errStore
	}
	return s.values[key], nil
}

func (s *memoryStore) Set(_ context.Context, key string, value []byte) error {
	s.sets++
	if s.failSets > 0 {
		s.failSets--
		return errStore
	}
	s.values[key] = value
	return nil
}

// noStore is the client without a storage extension.
type noStore struct{}

func (noStore) Get(context.Context, string) ([]byte, error) { return nil, nil }
func (noStore) Set(context.Context, string, []byte) error   { return nil }

// request is a request that arrived at a simulated Jira and that does not only read.
type request struct {
	sender, method, path string
	at                   time.Time
}

// world is a simulated Jira behind a socket.
type world struct {
	t     *testing.T
	clock *fakeClock
	sim   *jirasim.API
	signs bool // whether the Jira can sign
	url   string

	mu     sync.Mutex
	writes []request
}

// products are the kinds of Jira.
var products = map[string]jirasim.Site{
	"Cloud":          {Deployment: jirasim.Cloud},
	"Data Center 9":  {Deployment: jirasim.DataCenter, Version: 9},
	"Data Center 10": {Deployment: jirasim.DataCenter},
}

// someProducts returns all kinds of Jira, or one in the short form of the tests.
func someProducts() map[string]jirasim.Site {
	if testing.Short() {
		return map[string]jirasim.Site{"Cloud": products["Cloud"]}
	}
	return products
}

func newWorld(t *testing.T, site jirasim.Site) *world {
	t.Helper()
	site.Start = start
	w := &world{t: t, clock: &fakeClock{now: start}, signs: site.Version != 9}
	w.sim = jirasim.NewAPI(site, jirasim.Account{Administrator: true})
	w.sim.Follow(w.clock.Now)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.mu.Lock()
			w.writes = append(w.writes, request{r.Header.Get("User-Agent"), r.Method, r.URL.Path, w.clock.Now()})
			w.mu.Unlock()
		}
		w.sim.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.sim.Close)
	t.Cleanup(server.Close)
	w.url = server.URL + w.sim.ContextPath()
	return w
}

// requests returns the requests of a sender that do not only read.
func (w *world) requests(sender string) (list []request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.writes {
		if r.sender == sender {
			list = append(list, r)
		}
	}
	return list
}

// names are the events of the wanted webhook.
var names = []string{"jira:issue_created", "jira:issue_updated", "comment_created"}

// options returns the options of a manager that is the only one.
func (w *world) options() Options {
	return Options{
		Mode:   ModeManage,
		Wanted: Wanted{Name: "otelcol-jira", URL: "https://hooks.acme.com/jira/events?token=t0ken", Events: names, JQL: "project = OPS", Secret: "first"},
		Store:  newStore(),
		Clock:  w.clock,
	}
}

// client returns a client with a User-Agent.
func (w *world) client(sender string) *jiraapi.Client {
	w.t.Helper()
	config := confighttp.NewDefaultClientConfig()
	config.Endpoint = w.url
	client, err := jiraapi.New(w.t.Context(), componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings(), jiraapi.Options{
		Config: config, RequestsPerSecond: 1e6, Clock: w.clock, UserAgent: sender, Random: func() float64 { return 0.5 },
	})
	require.NoError(w.t, err)
	w.t.Cleanup(client.Close)
	return client
}

// manager returns a manager that sends requests over a socket. The sender is the User-Agent of its requests.
func (w *world) manager(sender string, opts Options) *Manager {
	w.t.Helper()
	client := w.client(sender)
	if opts.Connect == nil {
		opts.Connect = func(ctx context.Context) (API, error) {
			info, err := client.ServerInfo(ctx)
			if err != nil {
				return nil, err
			}
			return client.Webhooks(info), nil
		}
	}
	return New(opts)
}

// ours returns the registered webhooks with the name and the URL of a wanted one.
func (w *world) ours(wanted Wanted) (list []jirasim.Webhook) {
	for _, webhook := range w.sim.Webhooks() {
		if webhook.Name == wanted.Name && webhook.URL == wanted.URL {
			list = append(list, webhook)
		}
	}
	return list
}

// checkCorrect fails unless exactly one webhook is ours, and is as wanted.
func (w *world) checkCorrect(wanted Wanted) {
	w.t.Helper()
	ours := w.ours(wanted)
	require.Len(w.t, ours, 1)
	assert.ElementsMatch(w.t, wanted.Events, ours[0].Events)
	assert.Equal(w.t, wanted.JQL, ours[0].JQL)
	assert.False(w.t, ours[0].Disabled)
	assert.False(w.t, ours[0].ExcludeBody)
	if w.signs {
		assert.Equal(w.t, string(wanted.Secret), ours[0].Secret)
	} else {
		assert.Empty(w.t, ours[0].Secret)
	}
}

// checkFor runs checks for a time, and returns the last report. They are an hour apart while the manager waits after
// several writes, to save time.
func (w *world) checkFor(m *Manager, total time.Duration) (last Report) {
	for interval := DefaultInterval; total > 0; total -= interval {
		last = m.Check(w.t.Context())
		if m.attempts >= maxWrites {
			interval = time.Hour
		}
		w.clock.advance(interval)
	}
	return last
}

var _ API = (*jiraapi.Webhooks)(nil)

// hookedAPI calls functions before requests.
type hookedAPI struct {
	API
	beforeCreate func()
}

func (a hookedAPI) Create(ctx context.Context, settings jiraapi.WebhookSettings) error {
	if a.beforeCreate != nil {
		a.beforeCreate()
	}
	return a.API.Create(ctx, settings)
}
