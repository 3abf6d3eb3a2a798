package jirareceiver

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-jira/collector/jirareceiver/internal/metadata"
	"github.com/otel-jira/collector/jirareceiver/internal/translate"
	"github.com/otel-jira/collector/jirareceiver/internal/webhook"
)

// The headers of a delivery, documented at https://developer.atlassian.com/cloud/jira/platform/webhooks/.
const (
	headerDeliveryID = "X-Atlassian-Webhook-Identifier"
	headerRetryCount = "X-Atlassian-Webhook-Retry"
	headerFlow       = "X-Atlassian-Webhook-Flow"
)

const (
	transport = "http"
	// format is how obsreport calls what was received.
	format = "jira"
	// maxReserve is how many bytes are set aside for a body because its sender says that it will be that long.
	maxReserve = 64 << 10
)

// handler answers all requests to the receiver's server.
type handler struct {
	path, healthPath string
	authenticator    *authenticator
	decoder          *webhook.Decoder
	events           eventFilter
	translator       *translate.Translator
	queryAttributes  []queryAttribute
	next             consumer.Logs
	obsreport        *receiverhelper.ObsReport
	telemetry        *metadata.TelemetryBuilder
	unmapped         *unmappedStatuses
	logger           *zap.Logger
	sampled          *zap.Logger // logs each message once a minute
	byReceiver       metric.MeasurementOption

	now      func() time.Time
	inflight *inflight
}

func newHandler(settings receiver.Settings, cfg *JiraConfig, next consumer.Logs) (*handler, error) {
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
	byReceiver := metric.WithAttributes(attribute.String("receiver", settings.ID.String()))
	return &handler{
		path:            cfg.Path,
		healthPath:      cfg.HealthPath,
		authenticator:   newAuthenticator(cfg),
		decoder:         webhook.NewDecoder(slices.Collect(maps.Keys(cfg.CustomFields))),
		events:          eventFilter{include: cfg.Events.Include, exclude: cfg.Events.Exclude},
		translator:      newTranslator(settings, cfg),
		queryAttributes: newQueryAttributes(cfg.QueryAttributes),
		next:            next,
		obsreport:       obsreport,
		telemetry:       telemetry,
		unmapped:        newUnmappedStatuses(telemetry, byReceiver, settings.Logger),
		logger:          settings.Logger,
		sampled:         settings.Logger.WithOptions(zap.WrapCore(oncePerMinute)),
		byReceiver:      byReceiver,
		now:             time.Now,
		inflight:        newInflight(),
	}, nil
}

func oncePerMinute(core zapcore.Core) zapcore.Core {
	return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
}

func newTranslator(settings receiver.Settings, cfg *JiraConfig) *translate.Translator {
	return translate.New(translate.Options{
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

// ServeHTTP tells deliveries from everything else. It compares paths as they are: a mux would answer some of the wrong
// ones with a redirect, which Jira does not follow.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == h.path:
		if h.allow(w, r, http.MethodPost) {
			h.serve(w, r, h.deliverSafely)
		}
	case path == h.healthPath && path != "":
		if h.allow(w, r, http.MethodGet, http.MethodHead) {
			respond(w, nil)
		}
	default:
		h.refuse(w, r, failed(kindNotFound, nil))
	}
}

// turnedAway answers for confighttp what it does not let through to ServeHTTP.
func (h *handler) turnedAway(w http.ResponseWriter, r *http.Request, _ string, code int) {
	err := failed(kindUndecodable, nil)
	if code == http.StatusUnauthorized {
		err = failed(kindUnauthenticated, nil)
	}
	if r.URL.Path != h.path || r.Method != http.MethodPost {
		h.refuse(w, r, err)
		return
	}
	h.serve(w, r, func(*http.Request) (int, error) { return 0, err })
}

// serve answers a delivery, and reports to internal telemetry what became of it.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, deliver func(*http.Request) (records int, err error)) {
	ctx := h.obsreport.StartLogsOp(r.Context())
	records, err := deliver(r.WithContext(ctx))
	h.obsreport.EndLogsOp(ctx, format, records, err)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	respond(w, nil)
}

// refuse answers, counts and, once in a while, logs what is not accepted.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	reason := kindOf(err).reason
	h.telemetry.ReceiverJiraRejectedDeliveries.Add(r.Context(), 1, h.byReceiver, metric.WithAttributes(attribute.String("reason", reason)))
	h.sampled.Warn("Refused what was posted: " + reason)
	respond(w, err)
}

// deliverSafely makes a panic an error. Its value is not logged: nobody knows what a component puts in there.
func (h *handler) deliverSafely(r *http.Request) (records int, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.logger.Error("A delivery failed with a panic", zap.String("type", fmt.Sprintf("%T", p)), zap.Stack("stack"))
			err = failed(kindInternal, nil)
		}
	}()
	return h.deliver(r)
}

// deliver is the way of a delivery from the socket into the pipeline. It returns the number of log records that it made.
func (h *handler) deliver(r *http.Request) (records int, err error) {
	received := h.now()
	body, err := read(r)
	if err != nil {
		return 0, err
	}
	if err := h.authenticator.authenticate(r, body); err != nil {
		return 0, err
	}
	event, err := h.decoder.Decode(body)
	if err != nil {
		return 0, failed(kindMalformed, err)
	}
	kind := translate.Classify(event)
	if !h.events.admits(kind.Name) {
		h.count(r.Context(), kind, outcomeExcluded)
		return 0, nil
	}
	logs, unmapped := h.translator.Translate(event, kind, h.newDelivery(r, received, body))
	records = logs.LogRecordCount()
	if err := h.consume(r.Context(), logs); err != nil {
		h.count(r.Context(), kind, outcomeRefused)
		return records, err
	}
	h.count(r.Context(), kind, outcomeAccepted)
	h.unmapped.report(r.Context(), unmapped)
	return records, nil
}

// What became of a delivery that was authentic and understood: values of the metric's attribute.
const (
	outcomeAccepted = "accepted"
	outcomeExcluded = "excluded"
	outcomeRefused  = "refused" // by the pipeline
)

// otherEvents stands for the names of events that Jira does not document: there is no end of them.
const otherEvents = "other"

func (h *handler) count(ctx context.Context, kind translate.Kind, outcome string) {
	event := otherEvents
	if kind.Known {
		event = kind.Name
	}
	h.telemetry.ReceiverJiraDeliveries.Add(ctx, 1, h.byReceiver,
		metric.WithAttributes(attribute.String("event", event), attribute.String("outcome", outcome)))
}

// read returns the body, decompressed and bounded by confighttp.
func read(r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), maxReserve)) + bytes.MinRead)
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, readFailure(err)
	}
	return body.Bytes(), nil
}

func (h *handler) newDelivery(r *http.Request, received time.Time, body []byte) translate.Delivery {
	d := translate.Delivery{
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

// extra returns what the query tells, as far as the configuration asks for it.
func (h *handler) extra(u *url.URL) []translate.Attribute {
	if len(h.queryAttributes) == 0 || u.RawQuery == "" {
		return nil
	}
	var attributes []translate.Attribute
	query := u.Query()
	for _, a := range h.queryAttributes {
		attributes = append(attributes, translate.Attribute{Key: a.attribute, Value: query.Get(a.parameter)})
	}
	return attributes
}

// consume hands the records on.
func (h *handler) consume(ctx context.Context, logs plog.Logs) error {
	ctx, end, ok := h.inflight.begin(ctx)
	if !ok {
		return failed(kindShuttingDown, nil)
	}
	defer end()
	if err := h.next.ConsumeLogs(ctx, logs); err != nil {
		return pipelineFailure(err)
	}
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
