// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/otel-jira/collector/jirareceiver/internal/jirasim"
)

const (
	// dropEvery and delayEvery are the numbers of deliveries of which the network drops one for good, and the first
	// attempt of one. Jira repeats the latter after its repair.
	dropEvery  = 20
	delayEvery = 100
	// sooner is the factor by which Jira repeats deliveries sooner than after its 5 to 15 minutes.
	sooner = 2
	// repairTimeout is the limit of the wait for the repair of the last changes. It takes the grace and two intervals of
	// jira-repair.yaml, and the time of two runs.
	repairTimeout = 6 * time.Minute
	// fillConnections is the number of concurrent deliveries that fill the ledger. Jira Cloud sends as many.
	fillConnections = 20
	// waiting is the largest number of deliveries that wait for their next attempt.
	waiting = 10_000
)

// repairSoak is a soak of the mode repair: a simulated Jira whose issues change at a steady rate, a network that drops
// some of its webhooks, and a backend that counts the records of each uid. Jira and the backend are in this process, so
// that they do not count as memory of the collector.
type repairSoak struct {
	site    jirasim.LargeSite
	fill    int // changes before the start, whose webhooks fill the ledger during the first samples
	records *uidCounter
	process *process

	filled, dropped, delivered, failed atomic.Int64
}

// soakRepair measures memory and storage of a collector that repairs missed webhooks. It returns an error if one of them
// grows, or if a change was not recorded exactly once.
func soakRepair(ctx context.Context, c contender, fill int, l load) (err error) {
	if l.rate <= 0 {
		return errors.New("-rate: not set; set the number of changes per second, such as 100")
	}
	s := &repairSoak{fill: fill, records: newUIDCounter()}
	s.site = jirasim.LargeSite{
		Site:           jirasim.Site{Deployment: jirasim.Cloud, Start: time.Now().Add(-time.Duration(fill) * time.Second / time.Duration(l.rate))},
		ChangesPerHour: l.rate * int(time.Hour/time.Second),
		Changes:        fill + int(l.duration.Seconds())*l.rate,
	}
	url, closeJira, err := serve(jirasim.NewLargeAPI(s.site, jirasim.Account{}))
	if err != nil {
		return err
	}
	defer closeJira()
	c.env, c.onRecords = append(c.env, "BENCH_JIRA="+url), s.records.add
	if s.process, err = start(ctx, c, load{}); err != nil {
		return err
	}
	defer func() { err = s.process.end(err) }()
	return s.run(ctx, l.duration)
}

// serve serves a handler on loopback.
func serve(handler http.Handler) (url string, closeServer func(), err error) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: waitTimeout}
	go server.Serve(listener) //nolint:errcheck // returns when the server is closed
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func (s *repairSoak) run(ctx context.Context, duration time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan struct{})
	go func() {
		s.send(ctx)
		close(sent)
	}()
	t := newRepairTable(s)
	for range soakSamples {
		if err := sleep(ctx, duration/soakSamples); err != nil {
			return err
		}
		if err := t.sample(); err != nil {
			return err
		}
	}
	<-sent
	for deadline := time.Now().Add(repairTimeout); s.lost() > 0 && time.Now().Before(deadline); {
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	if err := t.sample(); err != nil {
		return err
	}
	return errors.Join(s.outcome(), t.verdict())
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// outcome returns an error unless each change was recorded once.
func (s *repairSoak) outcome() error {
	if lost, doubled, failed := s.lost(), s.records.doubled(), s.failed.Load(); lost != 0 || doubled != 0 || failed != 0 {
		return fmt.Errorf("%d changes are lost, %d are recorded twice, and %d deliveries were not accepted", lost, doubled, failed)
	}
	return nil
}

// happened returns the number of changes that have happened since the start, without those before it.
func (s *repairSoak) happened() int {
	n := int(time.Since(s.site.Start).Seconds() * float64(s.site.ChangesPerHour) / time.Hour.Seconds())
	return min(n, s.site.Changes) - s.fill
}

// lost returns the number of changes of which there is no record yet. After the end, they are lost.
func (s *repairSoak) lost() int { return s.happened() + int(s.filled.Load()) - s.records.distinct() }

// send sends the deliveries that fill the ledger, and the deliveries of the changes at their times. It returns after the
// last attempt.
func (s *repairSoak) send(ctx context.Context) {
	filled := make(chan struct{})
	go func() {
		s.deliver(ctx, s.site.Deliveries(0, s.fill), fillConnections, jirasim.NewTransport(), &s.filled)
		close(filled)
	}()
	changes := jirasim.Pace{Rate: catchUpRate}.Apply(ctx, s.site.Deliveries(s.fill, s.site.Changes))
	s.deliver(ctx, s.dropSome(changes), waiting, &delaying{RoundTripper: jirasim.NewTransport()}, &s.delivered)
	<-filled
}

// catchUpRate is the largest rate of deliveries after a pause of this process.
const catchUpRate = 1000

func (s *repairSoak) deliver(
	ctx context.Context, deliveries iter.Seq[jirasim.Delivery], pending int, network http.RoundTripper, acknowledged *atomic.Int64,
) {
	sender := jirasim.New(jirasim.Options{URL: "http://" + s.process.endpoint + path, Compression: sooner, Transport: network})
	sender.SetSecret([]byte(secret))
	sender.DeliverEach(ctx, deliveries, pending, func(_ int, r jirasim.Result) {
		if r.Acknowledged {
			acknowledged.Add(1)
		} else {
			s.failed.Add(1)
		}
	})
}

// dropSome leaves out some deliveries, as if the network had dropped all their attempts.
func (s *repairSoak) dropSome(deliveries iter.Seq[jirasim.Delivery]) iter.Seq[jirasim.Delivery] {
	return func(yield func(jirasim.Delivery) bool) {
		n := 0
		for d := range deliveries {
			n++
			if n%dropEvery == 0 {
				s.dropped.Add(1)
			} else if !yield(d) {
				return
			}
		}
	}
}

// delaying drops the first attempt of some deliveries.
type delaying struct {
	http.RoundTripper
	deliveries atomic.Int64
}

var errDropped = errors.New("the network drops the delivery")

func (d *delaying) RoundTrip(r *http.Request) (*http.Response, error) {
	isFirst := r.Header.Get("X-Atlassian-Webhook-Retry") == ""
	if isFirst && d.deliveries.Add(1)%delayEvery == 0 {
		return nil, errDropped
	}
	return d.RoundTripper.RoundTrip(r)
}

// repairTable is the table of samples.
type repairTable struct {
	*repairSoak
	began        time.Time
	heaps, files []int64 // bytes
}

func newRepairTable(s *repairSoak) *repairTable {
	fmt.Printf("\n%d changes an hour, of %d since the start; %d changes before\n\n", s.site.ChangesPerHour, s.site.Changes-s.fill, s.fill)
	fmt.Println("| after | live heap MB | resident MB | storage MB | CPU s | before the start | changes | by webhook | dropped | repaired | late | not recorded | doubled |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	return &repairTable{repairSoak: s, began: time.Now()}
}

func (t *repairTable) sample() error {
	heap, err := t.process.liveHeap()
	if err != nil {
		return err
	}
	resident, err := memory(t.process.pid(), "VmRSS:")
	if err != nil {
		return err
	}
	files, err := sizeOf(t.process.dir)
	if err != nil {
		return err
	}
	cpu, err := cpuTime(t.process.pid())
	if err != nil {
		return err
	}
	late, err := t.process.metric("otelcol_receiver_jira_deliveries", `outcome="repaired"`)
	if err != nil {
		return err
	}
	t.heaps, t.files = append(t.heaps, heap), append(t.files, files)
	fmt.Printf("| %s | %.1f | %.1f | %.1f | %.0f | %d | %d | %d | %d | %d | %.0f | %d | %d |\n", time.Since(t.began).Round(time.Second),
		float64(heap)/1e6, float64(resident)/1e6, float64(files)/1e6, cpu.Seconds(), t.filled.Load(), t.happened(),
		t.delivered.Load(), t.dropped.Load(), t.records.repaired(), late, t.lost(), t.records.doubled())
	return nil
}

// verdict judges the samples during the load.
func (t *repairTable) verdict() error {
	return errors.Join(verdict("live heap", t.heaps[:soakSamples]), verdict("storage", t.files[:soakSamples]))
}

// sizeOf returns the size of all files of a folder in bytes.
func sizeOf(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
