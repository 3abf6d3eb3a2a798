// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package jirareceiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/bodylimit"
	"github.com/otel-jira/collector/jirareceiver/internal/contentcoding"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
	"github.com/otel-jira/collector/jirareceiver/internal/drain"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/webserver"
)

const (
	transport = "http"
	// format is the name of the received data in obsreport.
	format = "jira"
)

// handler answers all requests to the receiver's server.
type handler struct {
	path, healthPath string
	retryAfter       time.Duration
	authenticator    *auth.Authenticator
	authenticates    bool // something checks who sends, here or in confighttp
	disk             *diskguard.Guard
	bodies           *bodylimit.Limiter
	codings          *contentcoding.Decoder
	decoder          *jira.Decoder
	events           record.Filter
	queryAttributes  []queryAttribute
	cache            *dedup.Cache // nil without deduplication
	records          *record.Builder
	next             consumer.Logs

	calls       *drain.Calls
	reading     context.Context // done when the receiver stops
	stopReading func()
	health      *health
	obsreport   *receiverhelper.ObsReport
	telemetry   *telemetry
	logger      *zap.Logger
	now         func() time.Time
}

func newHandler(settings receiver.Settings, cfg *Config, next consumer.Logs, now func() time.Time) (*handler, error) {
	obsreport, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             settings.ID,
		Transport:              transport,
		ReceiverCreateSettings: settings,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := newTelemetry(settings, now)
	if err != nil {
		return nil, err
	}
	reading, stopReading := context.WithCancel(context.Background())
	h := &handler{
		path:            cfg.Jira.Path,
		healthPath:      cfg.Jira.HealthPath,
		retryAfter:      cfg.Jira.Admission.RetryAfter,
		authenticator:   cfg.Jira.newAuthenticator(),
		authenticates:   cfg.authenticated(),
		disk:            cfg.Jira.Admission.Disk.newGuard(now, telemetry.warnings),
		bodies:          bodylimit.New(cfg.Jira.Admission.MaxInFlightBytes),
		codings:         contentcoding.New(cfg.Server.CompressionAlgorithms, cfg.Server.MaxRequestBodySize),
		decoder:         jira.NewDecoder(slices.Collect(maps.Keys(cfg.Jira.CustomFields))),
		events:          record.Filter{Include: cfg.Jira.Events.Include, Exclude: cfg.Jira.Events.Exclude},
		queryAttributes: newQueryAttributes(cfg.Jira.QueryAttributes),
		cache:           cfg.Jira.Deduplication.newCache(now),
		records:         newBuilder(settings, &cfg.Jira),
		next:            next,
		calls:           drain.New(),
		reading:         reading,
		stopReading:     stopReading,
		obsreport:       obsreport,
		telemetry:       telemetry,
		logger:          settings.Logger,
		now:             now,
	}
	h.health = &health{bodies: h.bodies, disk: h.disk, forgetAfter: h.retryAfter, now: now}
	return h, telemetry.registerGauges(h)
}

func newBuilder(settings receiver.Settings, cfg *JiraConfig) *record.Builder {
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

// ServeHTTP routes requests. It compares paths to the letter: a mux would answer some wrong paths with a redirect, which Jira does
// not follow, and a proxy in front may take an escaped path for another.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.health.draining.Load() {
		w.Header().Set("Connection", "close") // the next request of this sender goes elsewhere
	}
	switch path := r.URL.EscapedPath(); {
	case path == h.path && r.Method == http.MethodPost:
		h.serve(w, r, h.deliverSafely)
	case path == h.path:
		h.reject(w, r, errWrongMethod)
	case path != h.healthPath || path == "":
		h.reject(w, r, errWrongPath)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		answer(w, r, h.health.check(), h.retryAfter)
	default:
		h.reject(w, r, errWrongHealthMethod)
	}
}

// handleUnauthorized answers requests that the extension of auth rejects before ServeHTTP.
func (h *handler) handleUnauthorized(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != h.path || r.Method != http.MethodPost {
		h.reject(w, r, errUnauthenticated)
		return
	}
	h.serve(w, r, func(http.ResponseWriter, *http.Request) (result, error) { return result{}, errUnauthenticated })
}

// result is the outcome of a delivery, as far as it got.
type result struct {
	authentic bool
	bodySize  int // bytes
	eventType record.EventType
	outcome   outcome // "" unless the body is a JSON object
	records   int
	happened  time.Time // the event
	received  time.Time // the delivery
	remarks   record.Remarks
	conflict  bool // the body differs from that of the accepted delivery with the same ID
}

// serve answers a delivery, and does all bookkeeping about it.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, deliver func(http.ResponseWriter, *http.Request) (result, error)) {
	ctx := h.obsreport.StartLogsOp(r.Context())
	result, err := deliver(w, r.WithContext(ctx))
	h.obsreport.EndLogsOp(ctx, format, result.records, err)
	h.telemetry.recordResult(ctx, result)
	if err != nil {
		h.reject(w, r, err)
		return
	}
	answer(w, r, nil, h.retryAfter)
}

// reject answers a request that is not accepted.
func (h *handler) reject(w http.ResponseWriter, r *http.Request, err error) {
	rejected := rejectionOf(err)
	h.telemetry.recordRejection(r.Context(), rejected)
	answer(w, r, rejected, h.retryAfter)
}

// deliverSafely turns a panic into an error. It does not log the value: a component may put anything into it.
func (h *handler) deliverSafely(w http.ResponseWriter, r *http.Request) (result result, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.logger.Error("A delivery failed with a panic", zap.String("type", fmt.Sprintf("%T", p)), zap.Stack("stack"))
			err = fmt.Errorf("panic of type %T", p)
		}
	}()
	return h.deliver(w, r)
}

// deliver takes a delivery from the socket into the pipeline.
func (h *handler) deliver(w http.ResponseWriter, r *http.Request) (result, error) {
	received := h.now()
	payload, err := h.readAuthenticated(w, r)
	if err != nil {
		return result{}, err
	}
	defer payload.Release()
	res := result{authentic: true, bodySize: len(payload.Bytes()), received: received}
	event, err := h.decoder.Decode(payload.Bytes())
	if err != nil {
		return res, err
	}
	classified := h.records.Classify(event)
	res.eventType, res.happened = classified.Type, record.EventTime(event, received)
	if !h.events.Admits(classified.Type.Name) {
		res.outcome = excluded
		return res, nil
	}
	return h.deliverOnce(r.Context(), classified, h.newDelivery(r, received, payload.Bytes()), res)
}

// readAuthenticated returns the payload of a delivery whose sender is authentic. It must be released.
func (h *handler) readAuthenticated(w http.ResponseWriter, r *http.Request) (*bodylimit.Reader, error) {
	credentials, err := h.authenticator.CheckHeaders(r.Header, r.URL)
	if err != nil {
		return nil, err
	}
	if !h.disk.HasRoom() {
		return nil, errDiskFull
	}
	payload, err := h.bodies.Acquire(r.ContentLength, credentials.AreVerified(), http.NewResponseController(w))
	if err != nil {
		return nil, readFailure(r.Context(), err)
	}
	if err := h.readVerified(w, r, credentials, payload); err != nil {
		payload.Release()
		return nil, err
	}
	if h.authenticates {
		webserver.MarkAuthenticated(r.Context())
	}
	return payload, nil
}

func (h *handler) readVerified(w http.ResponseWriter, r *http.Request, credentials auth.Credentials, payload *bodylimit.Reader) error {
	if err := h.read(w, r, payload); err != nil {
		return readFailure(r.Context(), err)
	}
	if err := h.authenticator.VerifyBody(credentials, payload.Bytes()); err != nil {
		return err
	}
	payload.Verified()
	return nil
}

// read reads the body of a request and decodes its content coding.
func (h *handler) read(w http.ResponseWriter, r *http.Request, payload *bodylimit.Reader) error {
	if r.ProtoMajor > 1 { // its connection goes on reading when the receiver stops
		defer h.endReadingAtStop(w)()
	}
	coding := r.Header.Values("Content-Encoding")
	if !contentcoding.IsEncoded(coding) {
		return payload.Read(r.Body, r.ContentLength)
	}
	content, err := h.codings.Open(coding, r.Body)
	if err != nil {
		return err
	}
	return payload.Read(content, -1)
}

// endReadingAtStop sets a deadline for the body when the receiver stops. The caller must call the function that it returns, after
// which w is not touched.
func (h *handler) endReadingAtStop(w http.ResponseWriter) (end func()) {
	set := make(chan struct{})
	stop := context.AfterFunc(h.reading, func() {
		defer close(set)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webserver.ReadGrace))
	})
	return func() {
		if !stop() {
			<-set
		}
	}
}

// deliverOnce hands an event on, unless an earlier attempt of the delivery was accepted.
func (h *handler) deliverOnce(ctx context.Context, o record.ClassifiedEvent, d record.Delivery, res result) (result, error) {
	transaction, err := h.begin(ctx, o.Site, d)
	if err != nil {
		return res, err
	}
	if transaction.Duplicate {
		res.outcome, res.conflict = duplicate, transaction.Conflict
		return res, nil
	}
	defer transaction.Release()
	ctx, end, ok := h.calls.Begin(ctx)
	if !ok {
		return res, errShuttingDown
	}
	defer end() // not before the delivery is remembered
	logs, remarks := h.records.Build(o, d)
	res.records = logs.LogRecordCount()
	if err := h.consume(ctx, logs); err != nil {
		res.outcome = refused
		return res, err
	}
	transaction.Commit()
	res.outcome, res.remarks = accepted, remarks
	return res, nil
}

// begin looks for the delivery and not for the event: deliveries without an ID are never duplicates. IDs are unique within a site.
func (h *handler) begin(ctx context.Context, site record.Site, d record.Delivery) (dedup.Transaction, error) {
	if h.cache == nil || d.ID == "" {
		return dedup.Transaction{}, nil
	}
	return h.cache.Begin(ctx, dedup.NewKey(site.URL, d.ID), dedup.BodySum(d.Body))
}

// consume hands the records to the pipeline.
func (h *handler) consume(ctx context.Context, logs plog.Logs) error {
	err := h.next.ConsumeLogs(ctx, logs)
	if err != nil {
		err = pipelineFailure(err)
	}
	h.health.observe(err)
	return err
}

// The headers of a delivery, documented at https://developer.atlassian.com/cloud/jira/platform/webhooks/.
const (
	headerDeliveryID = "X-Atlassian-Webhook-Identifier"
	headerRetryCount = "X-Atlassian-Webhook-Retry"
	headerFlow       = "X-Atlassian-Webhook-Flow"
)

func (h *handler) newDelivery(r *http.Request, received time.Time, body []byte) record.Delivery {
	d := record.Delivery{
		ID:       r.Header.Get(headerDeliveryID),
		Flow:     r.Header.Get(headerFlow),
		Received: received,
		Body:     body,
		Extra:    h.extra(r.URL),
	}
	if count, err := strconv.ParseInt(r.Header.Get(headerRetryCount), 10, 64); err == nil {
		d.RetryCount = &count
	}
	return d
}

// queryAttribute is a parameter of the query that becomes an attribute.
type queryAttribute struct{ parameter, attribute string }

func newQueryAttributes(configured map[string]string) []queryAttribute {
	var attributes []queryAttribute
	for _, parameter := range slices.Sorted(maps.Keys(configured)) {
		attributes = append(attributes, queryAttribute{parameter, configured[parameter]})
	}
	return attributes
}

// extra returns the attributes that the configuration takes from the query.
func (h *handler) extra(u *url.URL) []record.Attribute {
	if len(h.queryAttributes) == 0 || u.RawQuery == "" {
		return nil
	}
	query := u.Query()
	attributes := make([]record.Attribute, 0, len(h.queryAttributes))
	for _, a := range h.queryAttributes {
		attributes = append(attributes, record.Attribute{Key: a.attribute, Value: query.Get(a.parameter)})
	}
	return attributes
}
