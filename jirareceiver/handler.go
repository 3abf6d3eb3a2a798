package jirareceiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
)

const (
	transport = "http"
	// format is how obsreport calls what was received.
	format = "jira"
)

// handler answers all requests to the receiver's server.
type handler struct {
	path, healthPath string
	retryAfter       time.Duration
	authenticator    *authenticator
	disk             *diskGuard
	admission        *admission
	encodings        bodyDecoder
	authenticates    bool // something checks who sends, here or in confighttp
	decoder          *jira.Decoder
	events           eventFilter
	queryAttributes  []queryAttribute
	memory           *dedup.Memory // nil without deduplication
	translator       *record.Translator
	next             consumer.Logs

	inflight    *inflight
	reading     context.Context // done when the receiver stops
	stopReading func()
	health      *health
	obsreport   *receiverhelper.ObsReport
	meter       *meter
	unmapped    *unmappedStatuses
	logger      *zap.Logger
	now         func() time.Time
}

func newHandler(settings receiver.Settings, config *Config, next consumer.Logs) (*handler, error) {
	cfg := &config.Jira
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             settings.ID,
		Transport:              transport,
		ReceiverCreateSettings: settings,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	reading, stopReading := context.WithCancel(context.Background())
	h := &handler{
		path:            cfg.Path,
		healthPath:      cfg.HealthPath,
		retryAfter:      cfg.Admission.RetryAfter,
		authenticator:   newAuthenticator(cfg),
		admission:       &admission{limit: cfg.Admission.MaxInFlightBytes},
		encodings:       newBodyDecoder(&config.Server),
		authenticates:   config.authenticated(),
		decoder:         jira.NewDecoder(slices.Collect(maps.Keys(cfg.CustomFields))),
		events:          eventFilter{include: cfg.Events.Include, exclude: cfg.Events.Exclude},
		queryAttributes: newQueryAttributes(cfg.QueryAttributes),
		translator:      newTranslator(settings, cfg),
		next:            next,
		inflight:        newInflight(),
		reading:         reading,
		stopReading:     stopReading,
		obsreport:       obsreport,
		meter:           newMeter(telemetry, settings),
		logger:          settings.Logger,
		now:             time.Now,
	}
	h.memory = cfg.Deduplication.newMemory(h.clock)
	h.disk = newDiskGuard(&cfg.Admission.Disk, h.clock, h.meter.warnings)
	h.health = &health{admission: h.admission, disk: h.disk, forgetAfter: h.retryAfter, now: h.clock}
	h.unmapped = newUnmappedStatuses(h.meter, settings.Logger, unmappedInterval)
	return h, h.meter.observe(h)
}

// clock lets all parts of the handler go by the same time, also when it is set later.
func (h *handler) clock() time.Time { return h.now() }

func newTranslator(settings receiver.Settings, cfg *JiraConfig) *record.Translator {
	return record.New(record.Options{
		ScopeName:    metadata.ScopeName,
		ScopeVersion: settings.BuildInfo.Version,
		SiteURL:      cfg.SiteURL,
		Statuses:     cfg.Status.mapper(),
		MaxText:      cfg.MaxTextLength,
		CustomFields: cfg.CustomFields,
		Severities:   cfg.Severity.byPriority(),
		SplitChanges: cfg.Changelog == ChangelogSplit,
		UserDetails:  cfg.Include.UserDetails,
		Description:  cfg.Include.Description,
		CommentBody:  cfg.Include.CommentBody,
		Payload:      cfg.Include.Payload,
	})
}

// ServeHTTP tells deliveries from everything else. It compares paths to the letter: a mux would answer some of the wrong
// ones with a redirect, which Jira does not follow, and a proxy in front may take an escaped path for another.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.health.draining.Load() {
		w.Header().Set("Connection", "close") // the next request of this sender goes elsewhere
	}
	switch path := r.URL.EscapedPath(); {
	case path == h.path:
		if h.allow(w, r, http.MethodPost) {
			h.serve(w, r, h.deliverSafely)
		}
	case path == h.healthPath && path != "":
		if h.allow(w, r, http.MethodGet, http.MethodHead) {
			respond(w, h.health.check(), h.retryAfter)
		}
	default:
		h.refuse(w, r, failed(kindNotFound, nil))
	}
}

// turnedAway answers for confighttp a request that the extension of auth does not let through to ServeHTTP.
func (h *handler) turnedAway(w http.ResponseWriter, r *http.Request, _ string, _ int) {
	err := failed(kindUnauthenticated, nil)
	if r.URL.EscapedPath() != h.path || r.Method != http.MethodPost {
		h.refuse(w, r, err)
		return
	}
	h.serve(w, r, func(http.ResponseWriter, *http.Request) (int, error) { return 0, err })
}

// serve answers a delivery, and reports to internal telemetry what became of it.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, deliver func(http.ResponseWriter, *http.Request) (records int, err error)) {
	ctx := h.obsreport.StartLogsOp(r.Context())
	records, err := deliver(w, r.WithContext(ctx))
	h.obsreport.EndLogsOp(ctx, format, records, err)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	respond(w, nil, h.retryAfter)
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	k := kindOf(err)
	h.meter.rejected(r.Context(), k)
	if r.ProtoMajor == 1 && r.ContentLength != 0 && slices.Contains(strangersStatus, k.status) {
		w.Header().Set("Connection", "close") // else net/http reads up to 256 KB of the body before it answers
	}
	respond(w, err, h.retryAfter)
}

// strangersStatus are the answers to requests whose body is of no interest.
var strangersStatus = []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed}

// deliverSafely makes a panic an error. Its value is not logged: nobody knows what a component puts in there.
func (h *handler) deliverSafely(w http.ResponseWriter, r *http.Request) (records int, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.logger.Error("A delivery failed with a panic", zap.String("type", fmt.Sprintf("%T", p)), zap.Stack("stack"))
			err = failed(kindInternal, nil)
		}
	}()
	return h.deliver(w, r)
}

// deliver is the way of a delivery from the socket into the pipeline. It returns the number of log records that it made.
func (h *handler) deliver(w http.ResponseWriter, r *http.Request) (records int, err error) {
	received := h.now()
	proof, err := h.authenticator.examine(r)
	if err != nil {
		return 0, err
	}
	if err := h.disk.check(); err != nil {
		return 0, err
	}
	lease, err := h.admission.admit(w, r, proof.isComplete())
	if err != nil {
		return 0, err
	}
	defer lease.release()
	body, err := h.read(w, r, lease)
	if err != nil {
		return 0, readFailure(r.Context(), err)
	}
	if err := h.authenticator.authenticate(proof, body); err != nil {
		return 0, err
	}
	lease.verified(body)
	h.markAuthenticated(r.Context())
	h.meter.size(r.Context(), body)
	event, err := h.decoder.Decode(body)
	if err != nil {
		return 0, failed(kindMalformed, err)
	}
	occurrence := h.translator.Recognize(event)
	if !h.events.admits(occurrence.Kind.Name) {
		h.meter.delivered(r.Context(), occurrence.Kind, excluded)
		return 0, nil
	}
	return h.deliverOnce(r.Context(), occurrence, h.newDelivery(r, received, body))
}

// read returns the decoded body. It decodes nothing for a sender whose headers are wrong already.
func (h *handler) read(w http.ResponseWriter, r *http.Request, l *lease) ([]byte, error) {
	if r.ProtoMajor > 1 { // its connection goes on reading when the receiver stops
		defer h.endReadingAtStop(w)()
	}
	content, length, err := h.encodings.open(r)
	if err != nil {
		return nil, err
	}
	return l.read(content, length)
}

// endReadingAtStop sets a deadline for the body when the receiver stops. The function that it returns has to be called: w is not
// touched after it.
func (h *handler) endReadingAtStop(w http.ResponseWriter) (end func()) {
	set := make(chan struct{})
	stop := context.AfterFunc(h.reading, func() {
		defer close(set)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readGrace))
	})
	return func() {
		if !stop() {
			<-set
		}
	}
}

// deliverOnce hands an event on, unless an earlier delivery of it was accepted.
func (h *handler) deliverOnce(ctx context.Context, o record.Occurrence, d record.Delivery) (records int, err error) {
	claim, err := h.claim(ctx, o.Site, d)
	if err != nil {
		return 0, failed(kindInProgress, nil)
	}
	if claim.Duplicate {
		h.meter.delivered(ctx, o.Kind, duplicate)
		if claim.Conflict {
			h.meter.conflicting(ctx)
		}
		return 0, nil
	}
	defer claim.Release()
	ctx, end, ok := h.inflight.begin(ctx)
	if !ok {
		return 0, failed(kindShuttingDown, nil)
	}
	defer end() // not before the delivery is remembered
	logs, remarks := h.translator.Translate(o, d)
	records = logs.LogRecordCount()
	if err := h.consume(ctx, logs); err != nil {
		h.meter.delivered(ctx, o.Kind, refused)
		return records, err
	}
	claim.Accept()
	h.meter.delivered(ctx, o.Kind, accepted)
	h.meter.lag(ctx, record.EventTime(o.Event, d.Received), d.Received)
	h.unmapped.report(ctx, remarks.Unmapped)
	h.meter.truncated(ctx, remarks.Truncated)
	return records, nil
}

// claim is about the delivery and not the event: what Jira has not numbered is no duplicate. Jira numbers the deliveries of a
// site.
func (h *handler) claim(ctx context.Context, site record.Site, d record.Delivery) (dedup.Claim, error) {
	if h.memory == nil || d.ID == "" {
		return dedup.Claim{}, nil
	}
	return h.memory.Claim(ctx, dedup.NewKey(site.URL, d.ID), dedup.BodySum(d.Body))
}

// consume hands the records on.
func (h *handler) consume(ctx context.Context, logs plog.Logs) error {
	if err := h.next.ConsumeLogs(ctx, logs); err != nil {
		err = pipelineFailure(err)
		h.health.observe(err)
		return err
	}
	h.health.observe(nil)
	return nil
}

func (h *handler) allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	h.refuse(w, r, failed(kindMethodNotAllowed, nil))
	return false
}
