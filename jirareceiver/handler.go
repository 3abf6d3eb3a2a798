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

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otel-jira/collector/jirareceiver/internal/active"
	"github.com/otel-jira/collector/jirareceiver/internal/auth"
	"github.com/otel-jira/collector/jirareceiver/internal/bodylimit"
	"github.com/otel-jira/collector/jirareceiver/internal/contentcoding"
	"github.com/otel-jira/collector/jirareceiver/internal/dedup"
	"github.com/otel-jira/collector/jirareceiver/internal/diskguard"
	"github.com/otel-jira/collector/jirareceiver/internal/drain"
	"github.com/otel-jira/collector/jirareceiver/internal/groupcommit"
	"github.com/otel-jira/collector/jirareceiver/internal/jira"
	"github.com/otel-jira/collector/jirareceiver/internal/ledger"
	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/pipeline"
	"github.com/otel-jira/collector/jirareceiver/internal/record"
	"github.com/otel-jira/collector/jirareceiver/internal/webserver"
)

const (
	transport = "http"
	// format is the name of the received data in obsreport.
	format = "jira"
)

// handler responds to all requests to the server of the receiver.
type handler struct {
	path, healthPath       string
	retryAfter             time.Duration
	authenticator          *auth.Authenticator
	requiresAuthentication bool // whether the receiver or confighttp authenticates senders
	disk                   *diskguard.Guard
	bodies                 *bodylimit.Limiter
	codings                *contentcoding.Decoder
	decoder                *jira.Decoder
	events                 record.Filter
	queryAttributes        []queryAttribute
	cache                  *dedup.Cache   // nil without deduplication
	ledger                 *ledger.Ledger // nil without deduplication by event
	records                *record.Builder
	next                   consumer.Logs
	groups                 *groupcommit.Committer // nil if each delivery must keep its own context
	active                 *active.Side           // nil if the receiver does not read Jira

	calls       *drain.Calls
	readContext context.Context // of the reading of all bodies; stopReading ends it
	stopReading func()
	health      *healthCheck
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
	telemetry, err := newTelemetry(settings, cfg.Path, now)
	if err != nil {
		return nil, err
	}
	readContext, stopReading := context.WithCancel(context.Background())
	h := &handler{
		path:                   cfg.Path,
		healthPath:             cfg.HealthPath,
		retryAfter:             cfg.Admission.RetryAfter,
		authenticator:          cfg.newAuthenticator(),
		requiresAuthentication: cfg.authenticated(),
		disk:                   cfg.Admission.Disk.newGuard(now, telemetry.warnings),
		bodies:                 bodylimit.New(cfg.Admission.MaxInFlightBytes),
		codings:                contentcoding.New(cfg.ServerConfig.CompressionAlgorithms, cfg.ServerConfig.MaxRequestBodySize),
		decoder:                jira.NewDecoder(slices.Collect(maps.Keys(cfg.CustomFields))),
		events:                 record.Filter{Include: cfg.Events.Include, Exclude: cfg.Events.Exclude},
		queryAttributes:        newQueryAttributes(cfg.QueryAttributes),
		cache:                  cfg.newCache(now),
		ledger:                 cfg.newLedger(now),
		records:                newBuilder(settings, cfg),
		next:                   next,
		calls:                  drain.New(),
		readContext:            readContext,
		stopReading:            stopReading,
		obsreport:              obsreport,
		telemetry:              telemetry,
		logger:                 settings.Logger,
		now:                    now,
	}
	if !cfg.ServerConfig.IncludeMetadata && !cfg.ServerConfig.Auth.HasValue() && len(cfg.ServerConfig.Middlewares) == 0 {
		h.groups = groupcommit.New(groupcommit.Options{
			Next: next, IsPermanent: pipeline.IsPermanent, IsExhausted: pipeline.IsExhausted, OnPanic: h.logPanic,
		})
	}
	h.health = &healthCheck{bodies: h.bodies, disk: h.disk, forgetAfter: h.retryAfter, now: now}
	return h, telemetry.registerGauges(h.bodies, h.cache)
}

func newBuilder(settings receiver.Settings, cfg *Config) *record.Builder {
	return record.New(record.Options{
		ScopeName:    metadata.ScopeName,
		ScopeVersion: settings.BuildInfo.Version,
		SiteURL:      cfg.SiteURL,
		Statuses:     cfg.Status.Mapper(),
		MaxText:      cfg.MaxTextLength,
		CustomFields: cfg.CustomFields,
		Severities:   cfg.Severity.byPriority(),
		SplitChanges: cfg.Changelog == ChangelogSplit,
		UserHashKey:  cfg.Include.userHashKey(),
		UserDetails:  cfg.Include.UserDetails,
		Description:  cfg.Include.Description,
		CommentBody:  cfg.Include.CommentBody,
		Payload:      cfg.Include.Payload,
	})
}

// ServeHTTP routes requests. It compares paths exactly and without unescaping them. http.ServeMux would respond to some
// wrong paths with a redirect, and Jira does not follow redirects. It would also accept escaped spellings of a path,
// although the rules of a proxy in front may not apply to them.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.health.draining.Load() {
		w.Header().Set("Connection", "close") // so that the next request of this sender reaches another instance
	}
	switch path := r.URL.EscapedPath(); {
	case path == h.healthPath && h.healthPath != "":
		h.serveHealth(w, r)
	case path == h.path && r.Method == http.MethodPost:
		h.serve(w, r, h.deliverSafely)
	case path == h.path:
		h.reject(w, r, errWrongMethod)
	default:
		h.reject(w, r, errWrongPath)
	}
}

func (h *handler) serveHealth(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.reject(w, r, errWrongHealthMethod)
		return
	}
	writeResponse(w, r, h.health.check(), h.retryAfter)
}

// handleUnauthorized responds to requests that the authenticator extension rejects before ServeHTTP runs.
func (h *handler) handleUnauthorized(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != h.path || r.Method != http.MethodPost {
		h.reject(w, r, errUnauthenticated)
		return
	}
	h.serve(w, r, func(context.Context, http.ResponseWriter, *http.Request) (result, error) {
		return result{}, errUnauthenticated
	})
}

// serve responds to a delivery, and records its result in obsreport, metrics and logs.
func (h *handler) serve(
	w http.ResponseWriter, r *http.Request,
	deliver func(context.Context, http.ResponseWriter, *http.Request) (result, error),
) {
	ctx := h.obsreport.StartLogsOp(r.Context())
	res, err := deliver(ctx, w, r)
	h.obsreport.EndLogsOp(ctx, format, res.records, err)
	h.telemetry.recordResult(ctx, res)
	if res.authentic {
		h.active.Received()
	}
	if err != nil {
		h.reject(w, r, err)
		return
	}
	writeResponse(w, r, nil, h.retryAfter)
}

// reject responds to a request with the rejection of an error.
func (h *handler) reject(w http.ResponseWriter, r *http.Request, err error) {
	rejected := rejectionOf(err)
	h.telemetry.recordRejection(r.Context(), rejected)
	writeResponse(w, r, rejected, h.retryAfter)
}

// deliverSafely turns a panic into an error. It does not log the value of the panic, which may contain any data.
func (h *handler) deliverSafely(ctx context.Context, w http.ResponseWriter, r *http.Request) (res result, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.logPanic(p)
			err = fmt.Errorf("panic of type %T", p)
		}
	}()
	return h.deliver(ctx, w, r)
}

func (h *handler) logPanic(value any) {
	h.logger.Error("A delivery failed with a panic", zap.String("type", fmt.Sprintf("%T", value)), zap.Stack("stack"))
}

// deliver reads a delivery and hands its records to the pipeline.
func (h *handler) deliver(ctx context.Context, w http.ResponseWriter, r *http.Request) (result, error) {
	received := h.now()
	body, err := h.readAuthenticated(w, r)
	if err != nil {
		return result{}, err
	}
	defer body.Release()
	payload := body.Bytes()
	res := result{authentic: true, payloadSize: len(payload), received: received}
	event, err := h.decoder.Decode(payload)
	if err != nil {
		return res, err
	}
	classified := h.records.Classify(event)
	res.eventType, res.happened = classified.Type, record.EventTime(event, received)
	if !h.events.Admits(classified.Type.Name) {
		res.outcome = outcomeExcluded
		return res, nil
	}
	return h.deliverOnce(ctx, classified, h.newDelivery(r, received, payload), res)
}

// readAuthenticated returns the reader that holds the payload of an authentic delivery. The caller must release it.
func (h *handler) readAuthenticated(w http.ResponseWriter, r *http.Request) (*bodylimit.Reader, error) {
	credentials, err := h.authenticator.CheckHeaders(r.Header, r.URL)
	if err != nil {
		return nil, err
	}
	if !h.disk.HasRoom() {
		return nil, errDiskFull
	}
	body, err := h.bodies.Acquire(r.ContentLength, credentials.NeedNoSignature(), http.NewResponseController(w))
	if err != nil {
		return nil, readFailure(r.Context(), err)
	}
	if err := h.readAndVerify(w, r, credentials, body); err != nil {
		body.Release()
		return nil, err
	}
	if h.requiresAuthentication {
		webserver.MarkAuthenticated(r.Context())
	}
	return body, nil
}

// readAndVerify reads the body of a request, and verifies its signature.
func (h *handler) readAndVerify(
	w http.ResponseWriter, r *http.Request, credentials auth.Credentials, body *bodylimit.Reader,
) error {
	if err := h.readBody(w, r, body); err != nil {
		return readFailure(r.Context(), err)
	}
	if err := h.authenticator.VerifyBody(credentials, body.Bytes()); err != nil {
		return err
	}
	body.MarkVerified()
	return nil
}

// readBody reads the body of a request and decodes its content coding.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request, body *bodylimit.Reader) error {
	if r.ProtoMajor > 1 { // when the receiver stops, the server sets read deadlines on HTTP/1 connections only
		defer h.endReadingAtStop(w)()
	}
	coding := r.Header.Values("Content-Encoding")
	if !contentcoding.IsEncoded(coding) {
		return body.Read(r.Body, r.ContentLength)
	}
	content, err := h.codings.Open(coding, r.Body)
	if err != nil {
		return err
	}
	return body.Read(content, -1)
}

// endReadingAtStop sets a read deadline for the body when the receiver stops. The caller must call end. After end, the
// deadline of w no longer changes.
func (h *handler) endReadingAtStop(w http.ResponseWriter) (end func()) {
	set := make(chan struct{})
	stop := context.AfterFunc(h.readContext, func() {
		defer close(set)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(webserver.ReadGrace))
	})
	return func() {
		if !stop() {
			<-set
		}
	}
}

// deliverOnce records an event, unless the delivery is a duplicate.
func (h *handler) deliverOnce(
	ctx context.Context, event record.ClassifiedEvent, d record.Delivery, res result,
) (result, error) {
	transaction, err := h.begin(ctx, event.Site, d)
	if err != nil {
		return res, err
	}
	if transaction.Duplicate {
		res.outcome, res.conflict = outcomeDuplicate, transaction.Conflict
		return res, nil
	}
	defer transaction.Release()
	ctx, end, ok := h.calls.Begin(ctx)
	if !ok {
		return res, errShuttingDown
	}
	defer end() // after Commit, so that a shutdown waits until the cache contains the delivery ID
	res, err = h.recordOnce(ctx, event, d, res)
	if err == nil {
		transaction.Commit()
	}
	return res, err
}

// recordOnce hands the records of an event to the pipeline, unless the event was recorded before.
func (h *handler) recordOnce(
	ctx context.Context, event record.ClassifiedEvent, d record.Delivery, res result,
) (result, error) {
	d.ChangeUID = h.changeUID(event)
	recording, err := h.ledger.Begin(ctx, d.ChangeUID, ledger.Webhook)
	if err != nil {
		return res, err
	}
	if recording.Duplicate {
		res.outcome = outcomeDuplicate
		if recording.By == ledger.REST {
			res.outcome = outcomeRepaired
		}
		return res, nil
	}
	defer recording.Release()
	err = h.consume(ctx, func() (logs plog.Logs) {
		logs, res.remarks = h.records.Build(event, d)
		res.records = logs.LogRecordCount()
		return logs
	})
	if err != nil {
		res.outcome = outcomeRefused
		return res, err
	}
	recording.Commit()
	h.active.Accepted(event)
	res.outcome = outcomeAccepted
	return res, nil
}

// changeUID returns the uid by which the ledger knows an event, or "" without a ledger.
func (h *handler) changeUID(event record.ClassifiedEvent) string {
	if h.ledger == nil {
		return ""
	}
	return record.ChangeUID(event)
}

// begin looks up the delivery ID in the cache. Deliveries without an ID are never duplicates. IDs are unique within a
// site.
func (h *handler) begin(ctx context.Context, site record.Site, d record.Delivery) (dedup.Transaction, error) {
	if h.cache == nil || d.ID == "" {
		return dedup.Transaction{}, nil
	}
	return h.cache.Begin(ctx, dedup.NewKey(site.URL, d.ID), dedup.PayloadSum(d.Payload))
}

// consume hands the records that build returns to the pipeline, together with the records of other deliveries that arrive
// during a call. The pipeline then gets no data of the client, because a group has several.
func (h *handler) consume(ctx context.Context, build func() plog.Logs) (err error) {
	if h.groups == nil {
		err = h.next.ConsumeLogs(ctx, build())
	} else {
		err = h.groups.Commit(client.NewContext(ctx, client.Info{}), build)
	}
	if err != nil {
		err = pipelineFailure(err)
	}
	h.health.recordResult(err)
	return err
}

// The headers of a delivery, documented at https://developer.atlassian.com/cloud/jira/platform/webhooks/.
const (
	headerDeliveryID = "X-Atlassian-Webhook-Identifier"
	headerRetryCount = "X-Atlassian-Webhook-Retry"
	headerFlow       = "X-Atlassian-Webhook-Flow"
)

func (h *handler) newDelivery(r *http.Request, received time.Time, payload []byte) record.Delivery {
	d := record.Delivery{
		ID:       r.Header.Get(headerDeliveryID),
		Flow:     r.Header.Get(headerFlow),
		Received: received,
		Payload:  payload,
		Extra:    h.extra(r.URL),
	}
	if count, err := strconv.ParseInt(r.Header.Get(headerRetryCount), 10, 64); err == nil {
		d.RetryCount = &count
	}
	return d
}

// queryAttribute is a query parameter that becomes an attribute.
type queryAttribute struct{ parameter, attribute string }

func newQueryAttributes(configured map[string]string) []queryAttribute {
	var attributes []queryAttribute
	for _, parameter := range slices.Sorted(maps.Keys(configured)) {
		attributes = append(attributes, queryAttribute{parameter, configured[parameter]})
	}
	return attributes
}

// extra returns the configured attributes with the values of their query parameters.
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
