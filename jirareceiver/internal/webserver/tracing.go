// Copyright The otel-jira Authors
// SPDX-License-Identifier: Apache-2.0

package webserver

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
)

// withheld are the attributes that a span of a request must not have, because the sender chooses their values: a query
// may contain a token, and client.address comes from X-Forwarded-For. The span keeps the address of the connection,
// network.peer.address.
var withheld = []attribute.Key{
	semconv.URLQueryKey, semconv.URLFullKey, semconv.URLPathKey, semconv.UserAgentOriginalKey,
	semconv.HTTPRequestMethodOriginalKey, semconv.ClientAddressKey,
}

// discreetTracing is a tracer provider whose spans start without the withheld attributes.
type discreetTracing struct {
	embedded.TracerProvider
	next trace.TracerProvider
}

func (p discreetTracing) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return discreetTracer{next: p.next.Tracer(name, options...)}
}

type discreetTracer struct {
	embedded.Tracer
	next trace.Tracer
}

func (t discreetTracer) Start(
	ctx context.Context, name string, options ...trace.SpanStartOption,
) (context.Context, trace.Span) {
	config := trace.NewSpanStartConfig(options...)
	attributes := slices.DeleteFunc(slices.Clone(config.Attributes()), func(kv attribute.KeyValue) bool {
		return slices.Contains(withheld, kv.Key)
	})
	kept := []trace.SpanStartOption{
		trace.WithAttributes(attributes...),
		trace.WithLinks(config.Links()...),
		trace.WithSpanKind(config.SpanKind()),
		trace.WithTimestamp(config.Timestamp()),
	}
	if config.NewRoot() {
		kept = append(kept, trace.WithNewRoot())
	}
	return t.next.Start(ctx, name, kept...)
}
