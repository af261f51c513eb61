package controller

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
)

// traced gives each reconcile a span. What is in it are names of this cluster
// and words of this program: no message, no id of a customer, nothing that was
// sent or answered.
type traced struct {
	reconcile.Reconciler
	tracer trace.Tracer
	kind   string
}

// Reconcile reconciles within a span.
func (t traced) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	ctx, span := t.tracer.Start(ctx, "reconcile "+t.kind, trace.WithAttributes(
		attribute.String("cobalt.kind", t.kind),
		attribute.String("cobalt.namespace", request.Namespace),
		attribute.String("cobalt.name", request.Name),
	))
	defer span.End()
	result, err := t.Reconciler.Reconcile(ctx, request)
	if err != nil {
		span.SetStatus(codes.Error, "it is tried again")
	}
	return result, err
}

// traceOutcome says in the span of a reconcile what came of it. One that says
// nothing had nothing to do, or not yet.
func traceOutcome(ctx context.Context, o condition.Outcome) {
	if o.Class != condition.Silent {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("cobalt.reason", o.Reason))
	}
}

// traceCall makes a span of a call that is over, in that of its reconcile. It is
// not told to Cobalt, who is not part of whoever's system this is.
func traceCall(ctx context.Context, tracer trace.Tracer, call cobalt.Call) {
	status := metrics.Status(call)
	_, span := tracer.Start(ctx, call.Operation, trace.WithTimestamp(call.Start), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("cobalt.operation", call.Operation), attribute.String("cobalt.status", status)))
	if call.Err != nil {
		span.SetStatus(codes.Error, status)
	}
	span.End(trace.WithTimestamp(call.Start.Add(call.Duration)))
}
