package engine

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// patience is how long an object stays Ready although looking at it in the
// background fails: one failed look is no news.
const patience = 5 * time.Minute

// finish reports the outcome of a run and says when the next one is.
func (r *Managed[T, R]) finish(ctx context.Context, p *Run[T], o condition.Outcome) (ctrl.Result, error) {
	now := r.Clock.Now()
	r.Environments.Of(object.EnvironmentOf(p.obj)).Waits.Note(r.WaiterOf(p.obj), o.InLine, now)
	o.Message = p.inputs.Redact(o.Message)
	uses := r.Resource.Uses(p.obj)
	p.memory.inputs.Learn(uses, p.inputs, o.Class == condition.Ready)
	if o.Class == condition.Ready && p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		o.Reason, o.Message = v1alpha1.ReasonReadOnly, readOnlyMessage(len(p.obj.CommonStatus().Drift))
	}
	TraceOutcome(ctx, o)
	if !r.keepsQuiet(p, o, now) {
		r.report(p, o, now)
	}
	same := equality.Semantic.DeepEqual(p.before.WholeStatus(), p.obj.WholeStatus())
	if p.lost { // there is no status any more that could tell the next run
		r.lostObjects.update(p.obj)
	} else if !same { // a run that finds nothing new writes nothing
		p.memory.inputs = r.Inputs.Record(ctx, p.obj, uses, p.memory.inputs, p.inputs)
		if err := r.patchStatus(ctx, p); err != nil {
			return r.Memories.Requeue(client.ObjectKeyFromObject(p.obj), err)
		}
		r.lostObjects.forget(client.ObjectKeyFromObject(p.obj)) // it was still there
		p.memory.Seen = p.obj.GetResourceVersion()
		p.memory.firstReady.Reported(r.Kind, p.obj, p.before.CommonStatus().Conditions, p.obj.CommonStatus().Conditions, now)
		r.announce(ctx, p.obj, o, news(p.before.CommonStatus().Conditions, p.obj.CommonStatus().Conditions))
	}
	return r.next(p, o, now)
}

// patchStatus writes the status. What was just made for an object is told although the object has
// changed meanwhile: the next run may not come as far, and then nobody would know what is
// to be taken away again.
func (r *Managed[T, R]) patchStatus(ctx context.Context, p *Run[T]) error {
	err := r.Client.Status().Patch(ctx, p.obj, p.patch())
	for p.held && apierrors.IsConflict(err) {
		now := r.New()
		if err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.obj), now); err != nil {
			return err
		}
		if now.GetUID() != p.obj.GetUID() {
			return err
		}
		p.obj.SetResourceVersion(now.GetResourceVersion())
		err = r.Client.Status().Patch(ctx, p.obj, p.patch())
	}
	return err
}

// patch is what the run changes of the status. An object that is new to the operator
// may have been replaced by another of its name meanwhile, or not be what it was any
// more, and that is not what is meant.
func (p *Run[T]) patch() client.Patch {
	before := p.before.DeepCopyObject().(T)
	before.SetResourceVersion(p.obj.GetResourceVersion()) // annotations may have come since
	if p.held || !p.known() {
		return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	}
	return client.MergeFrom(before)
}

// next says when an object is looked at again, and how urgently.
func (r *Managed[T, R]) next(p *Run[T], o condition.Outcome, now time.Time) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(p.obj)
	if o.Class == condition.Ready || o.Class == condition.Stuck && o.Err == nil {
		at := Earlier(now.Add(r.Settings.Jitter(p.interval)), p.wake)
		r.Memories.Set(key, Memory{
			UID: p.obj.GetUID(), fingerprint: p.fingerprint, Ready: o.Class == condition.Ready, Seen: p.memory.Seen, wrote: p.wrote, at: at,
			firstReady: p.memory.firstReady, failure: r.pardon(p, o), restored: p.memory.restored, inputs: p.memory.inputs, unmade: p.memory.unmade,
		})
		return Background(at.Sub(now)), nil
	}
	p.memory.wrote, p.memory.open = p.wrote, p.memory.open || p.wanted && o.Class == condition.Reconciling
	if o.Fails() {
		p.memory.failure.fingerprint, p.memory.failure.epoch, p.memory.wake = p.fingerprint, p.epoch, p.wake
		r.Environments.Of(object.EnvironmentOf(p.obj)).Breaker.Fails(r.WaiterOf(p.obj), true)
	}
	if !o.Conflict && o.Class != condition.Silent { // or nothing was written, which says nothing of the next write
		p.memory.conflict = backoff.Backoff{}
	}
	r.Memories.Set(key, p.memory)
	if result, ok, err := r.tryAgain(key, o, p.comeBack); ok {
		return result, err
	}
	// A watch or the breaker wakes it; this is for what neither sees.
	at := Earlier(now.Add(r.Settings.Jitter(p.interval)), p.wake)
	if o.Class == condition.Reconciling { // a silent outcome is about a moment: an old deadline would make it a hot loop
		at = Earlier(at, object.ConditionsOf(p.obj).Deadline(r.Settings.ProgressDeadline))
	}
	return ctrl.Result{RequeueAfter: Soon(at.Sub(now))}, nil
}

// pardon is what is remembered of a failure after a run that has come to an end: nothing
// once all is well.
func (r *Managed[T, R]) pardon(p *Run[T], o condition.Outcome) failure {
	if o.Class != condition.Ready {
		return p.memory.failure
	}
	if p.memory.failure.Failing() {
		r.Environments.Of(object.EnvironmentOf(p.obj)).Breaker.Fails(r.WaiterOf(p.obj), false)
	}
	return failure{}
}

// keepsQuiet tells whether a failed look in the background is not worth a word:
// during an outage of the environment, which says so itself, and for a while
// otherwise.
func (r *Managed[T, R]) keepsQuiet(p *Run[T], o condition.Outcome, now time.Time) bool {
	if p.wanted || o.Class != condition.Reconciling || !p.memory.Ready {
		return false
	}
	if p.memory.failingSince.IsZero() {
		p.memory.failingSince = now
	}
	return o.Reason == v1alpha1.ReasonEnvironmentNotReady || now.Sub(p.memory.failingSince) < patience
}

func (r *Managed[T, R]) report(p *Run[T], o condition.Outcome, now time.Time) {
	object.ConditionsOf(p.obj).Report(o, p.obj.GetGeneration(), now, r.Settings.ProgressDeadline)
	if o.Class == condition.Silent {
		return
	}
	status := p.obj.CommonStatus()
	status.InputsVersion = p.memory.inputs.Told
	if p.account.ID != "" && p.accountErr == nil {
		status.LinkedAccountID = p.account.ID
	}
	status.LastHandledReconcileAt = p.fingerprint.request
	status.Environment = object.EnvironmentName(p.obj)
}

// event tells what happened. Whether it arrives does not matter: in a namespace
// that is being deleted, events are refused.
func (r *Managed[T, R]) event(p *Run[T], eventType, reason, action, note string) {
	r.Events.Eventf(p.obj, nil, eventType, reason, action, "%s", p.inputs.Redact(note))
}

func readOnlyMessage(differences int) string {
	if differences == 0 {
		return "Cobalt is as spec says; managementPolicy is ReadOnly"
	}
	count := fmt.Sprintf("%d differences", differences)
	switch differences {
	case 1:
		count = "1 difference"
	case drift.Most:
		count = fmt.Sprintf("%d differences or more", differences)
	}
	return count + " to spec, see status.drift; managementPolicy ReadOnly keeps the operator from correcting them"
}

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
