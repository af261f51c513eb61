package engine

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// patience is how long an object stays Ready although looking at it in the
// background fails: one failed look is no news.
const patience = 5 * time.Minute

// finish reports what a run has come to, in one status patch, and says when the next run is.
func (l *Loop[T, H]) finish(ctx context.Context, run *Run[T], handled H, ready Readiness, err error) (ctrl.Result, error) {
	o, now := condition.Classify(err), l.Clock.Now()
	l.waits(run.Obj).Note(l.WaiterOf(run.Obj), o.InLine, now)
	if err == nil {
		o.Reason, o.Message = ready.Reason, ready.Message
	}
	o.Message = run.Inputs.Redact(o.Message)
	run.Memory.Inputs.Learn(run.uses, run.Inputs, o.Class == condition.Ready)
	TraceOutcome(ctx, o)
	if l.keepsQuiet(run, o, now) {
		o = quiet(o, run.AfterQuiet)
	}
	was := run.Before.MemberStatus().Conditions
	l.report(run, o, now)
	if err := l.handler.Commit(ctx, handled); err != nil {
		run.Remember()
		return l.Requeue(client.ObjectKeyFromObject(run.Obj), err)
	}
	is := run.Obj.MemberStatus().Conditions
	run.Memory.FirstReady.Reported(l.Kind, run.Obj, was, is, now)
	run.DoLater()
	l.Announce(ctx, run.Obj, "Reconcile", o, was, is)
	if err := l.handler.Annotate(ctx, handled); err != nil {
		run.Remember()
		return l.Requeue(client.ObjectKeyFromObject(run.Obj), err)
	}
	return l.next(run, handled, o, now)
}

// keepsQuiet tells whether it is not worth a word that an object which is Ready
// could not be looked after: during an outage of the environment, which says so
// itself, and for a while otherwise. It remembers since when.
func (l *Loop[T, H]) keepsQuiet(run *Run[T], o condition.Outcome, now time.Time) bool {
	if o.Class != condition.Reconciling || !run.Calm {
		return false
	}
	if run.Memory.FailingSince.IsZero() {
		run.Memory.FailingSince = now
	}
	return o.Reason == v1alpha1.ReasonEnvironmentNotReady || now.Sub(run.Memory.FailingSince) < patience
}

// quiet is an outcome that is not worth a word. What nothing else brings back is tried again after a while.
func quiet(o condition.Outcome, after time.Duration) condition.Outcome {
	if o.After == 0 && o.Err == nil && o.Reason != v1alpha1.ReasonEnvironmentNotReady { // the breaker or a watch wakes it then
		o.After = after
	}
	o.Class = condition.Silent
	return o
}

// report takes an outcome into the status.
func (l *Loop[T, H]) report(run *Run[T], o condition.Outcome, now time.Time) {
	if o.Class == condition.Silent {
		return
	}
	object.ConditionsOf(run.Obj).Report(o, run.Obj.GetGeneration(), now, l.Settings.ProgressDeadline)
	status := run.Obj.MemberStatus()
	status.LastHandledReconcileAt = run.Requested
	status.Environment = object.EnvironmentName(run.Obj)
	if run.Account.ID != "" && run.AccountErr == nil {
		status.LinkedAccountID = run.Account.ID
	}
	if used := inputs.StatusOf(run.Obj); used != nil {
		used.InputsVersion = run.Memory.Inputs.Told
	}
}

// next remembers what a run has come to, and says when the next run is.
func (l *Loop[T, H]) next(run *Run[T], handled H, o condition.Outcome, now time.Time) (ctrl.Result, error) {
	if run.Refused && meta.IsStatusConditionTrue(run.Obj.MemberStatus().Conditions, v1alpha1.ConditionStalled) {
		o.Class, o.Err = condition.Stuck, nil // also by the deadline: it is not tried any more by itself
	}
	if o.Class == condition.Ready {
		run.Memory.FailingSince = time.Time{}
	}
	if !o.Conflict && o.Class != condition.Silent { // or nothing was written, which says nothing of the next write
		run.Memory.Conflict = backoff.Backoff{}
	}
	l.failed(run, o)
	at, background := l.handler.Next(handled, o, now)
	at = Earlier(at, run.Wake)
	run.Remember()
	if result, ok, err := l.tryAgain(client.ObjectKeyFromObject(run.Obj), o, run.comeBack); ok {
		return result, err
	}
	if o.Class == condition.Reconciling { // a silent outcome is about a moment: an old deadline would make it a hot loop
		at = Earlier(at, object.ConditionsOf(run.Obj).Deadline(l.Settings.ProgressDeadline))
	}
	switch {
	case at.IsZero():
		return ctrl.Result{}, nil
	case background:
		return Background(at.Sub(now)), nil
	}
	return ctrl.Result{RequeueAfter: Soon(at.Sub(now))}, nil
}

// failed remembers what a run has failed at, until Cobalt does what is asked of it.
func (l *Loop[T, H]) failed(run *Run[T], o condition.Outcome) {
	m, tellBreaker := &run.Memory, func(fails bool) {
		l.Environments.Of(object.EnvironmentOf(run.Obj)).Breaker.Fails(l.WaiterOf(run.Obj), fails)
	}
	switch {
	case o.Fails():
		m.Failure.Fingerprint, m.Failure.Epoch, m.Failure.Aside, m.Wake = run.Fingerprint, run.epoch, run.Aside, run.Wake
		tellBreaker(true)
	case m.Failure.Failing() && o.GoesOn():
		m.Failure, m.Wake = memory.Failure{}, time.Time{}
		tellBreaker(false)
	}
}
