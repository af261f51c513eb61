package engine

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

// TraceOutcome says in the span of a reconcile what came of it. One that says
// nothing had nothing to do, or not yet.
func TraceOutcome(ctx context.Context, o condition.Outcome) {
	if o.Class != condition.Silent {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("cobalt.reason", o.Reason))
	}
}

// TraceCall makes a span of a call that is over, in that of its reconcile. It is
// not told to Cobalt, who is not part of whoever's system this is.
func TraceCall(ctx context.Context, tracer trace.Tracer, call cobalt.Call) {
	status := metrics.Status(call)
	_, span := tracer.Start(ctx, call.Operation, trace.WithTimestamp(call.Start), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("cobalt.operation", call.Operation), attribute.String("cobalt.status", status)))
	if call.Err != nil {
		span.SetStatus(codes.Error, status)
	}
	span.End(trace.WithTimestamp(call.Start.Add(call.Duration)))
}
