package controller

import (
	"context"
	"errors"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// finish reports how an object stands, and says when its next run is.
func (r *ActionReconciler[T]) finish(ctx context.Context, t *actionRun[T], stands readiness, err error) (ctrl.Result, error) {
	o, now := condition.Classify(err), r.clock.Now()
	r.environments.Of(object.EnvironmentOf(t.obj)).Waits.Note(r.waiterOf(t.obj), o.InLine, now)
	if err == nil {
		o.Reason, o.Message = stands.Reason, stands.Message
	}
	o.Message = t.inputs.Redact(o.Message)
	t.learn(o.Class == condition.Ready)
	traceOutcome(ctx, o)
	if r.keepsQuiet(t, o, now) {
		if o.After == 0 && o.Err == nil && o.Reason != v1alpha1.ReasonEnvironmentNotReady { // the breaker wakes it then
			o.After = quietPause
		}
		o.Class = condition.Silent
	}
	conditions := t.before.MemberStatus().Conditions
	was := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	r.report(t, o, now)
	is := meta.FindStatusCondition(t.obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	if is != nil && is.Status != "True" && (was == nil || was.Reason != is.Reason || was.Message != is.Message) && o.Class != condition.Silent {
		if (o.Err == nil || o.After > 0) && is.Reason != v1alpha1.ReasonExecutionRunning { // or else the work queue logs it, or it is no problem
			t.later(func() { ctrl.LoggerFrom(ctx).Info("not Ready", "reason", is.Reason, "message", is.Message) })
		}
		t.event(o.EventType(is.Reason), is.Reason, "Reconcile", is.Message)
	}
	if err := t.commit(ctx); err != nil {
		return r.memories.requeue(client.ObjectKeyFromObject(t.obj), err)
	}
	r.attempts.forget(t.resolved)
	r.grewUp(t, conditions, now)
	for _, do := range t.afterwards {
		do()
	}
	if err := r.annotate(ctx, t); err != nil {
		return r.memories.requeue(client.ObjectKeyFromObject(t.obj), err)
	}
	return r.next(t, o, now)
}

// grewUp counts it if this is the first time that an object is Ready.
func (r *ActionReconciler[T]) grewUp(t *actionRun[T], was []metav1.Condition, now time.Time) {
	key := client.ObjectKeyFromObject(t.obj)
	last := r.memories.get(key, t.obj.GetUID())
	last.firstReady.Reported(r.kind, t.obj, was, t.obj.MemberStatus().Conditions, now)
	r.memories.set(key, last)
}

// quietPause is after how long it is tried again what is not worth a word, if nothing else tells when.
const quietPause = 30 * time.Second

// keepsQuiet tells whether it is not worth a word that an object which is Ready
// could not be looked after: during an outage of the environment, which says so
// itself, and for a while otherwise.
func (r *ActionReconciler[T]) keepsQuiet(t *actionRun[T], o condition.Outcome, now time.Time) bool {
	if o.Class != condition.Reconciling || !t.settled || !object.ConditionsOf(t.before).IsReady(t.obj.GetGeneration()) {
		return false
	}
	key := client.ObjectKeyFromObject(t.obj)
	last := r.memories.get(key, t.obj.GetUID())
	if last.failingSince.IsZero() {
		last.failingSince = now
		r.memories.set(key, last)
	}
	return o.Reason == v1alpha1.ReasonEnvironmentNotReady || now.Sub(last.failingSince) < patience
}

func (r *ActionReconciler[T]) report(t *actionRun[T], o condition.Outcome, now time.Time) {
	if o.Class == condition.Silent {
		return
	}
	object.ConditionsOf(t.obj).Report(o, t.obj.GetGeneration(), now, r.settings.ProgressDeadline)
	status := t.obj.MemberStatus()
	status.LastHandledReconcileAt = object.Requested(t.obj)
	status.Environment = object.EnvironmentName(t.obj)
	if t.account.Id != "" {
		status.LinkedAccountID = t.account.Id
	}
	if reader := inputs.StatusOf(t.obj); reader != nil {
		reader.InputsVersion = t.used.Told
	}
}

// next says when an object has its next run.
func (r *ActionReconciler[T]) next(t *actionRun[T], o condition.Outcome, now time.Time) (ctrl.Result, error) {
	key, again := client.ObjectKeyFromObject(t.obj), now.Add(r.settings.Jitter(r.interval(t)))
	last := r.memories.get(key, t.obj.GetUID())
	if t.refused && meta.IsStatusConditionTrue(t.obj.MemberStatus().Conditions, v1alpha1.ConditionStalled) {
		o.Class, o.Err, again = condition.Stuck, nil, now.Add(never) // also what was tried until the deadline
	}
	switch {
	case o.Class == condition.Stuck:
		last.fingerprint, last.at = t.fingerprint, again
		if t.rests {
			last.at = t.rest
		}
		t.wakeAt(last.at)
	case o.Class != condition.Silent:
		last.fingerprint, last.at = fingerprint{}, time.Time{}
	}
	if o.Class == condition.Ready {
		last.failingSince = time.Time{}
	}
	if !o.Conflict && o.Class != condition.Silent { // or nothing was written, which says nothing of the next write
		last.conflict = backoff.Backoff{}
	}
	environment := r.environments.Of(object.EnvironmentOf(t.obj)).Breaker
	switch {
	case o.Fails():
		last.failure.fingerprint, last.failure.epoch, last.failure.aside, last.wake = t.fingerprint, t.epoch, t.aside, t.wake
		environment.Fails(r.waiterOf(t.obj), true)
	case last.failure.Failing() && o.GoesOn():
		last.failure, last.wake = failure{}, time.Time{}
		environment.Fails(r.waiterOf(t.obj), false)
	}
	r.memories.set(key, last)
	switch {
	case o.Conflict:
		return ctrl.Result{RequeueAfter: r.memories.refused(key)}, nil
	case o.Again:
		return ctrl.Result{RequeueAfter: r.settings.ConflictPause}, nil
	case o.Err != nil && o.After == 0:
		return ctrl.Result{}, errors.New(o.Message) // without the secrets that o.err may quote
	case o.Fails():
		return background(r.memories.failed(key, o.After)), nil
	case o.After > 0:
		return ctrl.Result{RequeueAfter: o.After}, nil
	case o.Class == condition.Reconciling:
		t.wakeAt(earlier(again, object.ConditionsOf(t.obj).Deadline(r.settings.ProgressDeadline)))
	}
	if t.wake.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: soon(t.wake.Sub(now))}, nil
}

// commit writes the status, unless somebody has written obj meanwhile: an intent
// must not be written over by whoever has not seen it.
func (t *actionRun[T]) commit(ctx context.Context) error {
	if equality.Semantic.DeepEqual(t.before, t.obj) {
		return nil
	}
	t.used = t.flow.inputs.Record(ctx, t.obj, t.flow.Action.Uses(t.obj), t.used, t.inputs)
	patch := client.MergeFromWithOptions(t.before, client.MergeFromWithOptimisticLock{})
	if err := t.flow.client.Status().Patch(ctx, t.obj, patch); err != nil {
		return err
	}
	t.wrote()
	return nil
}

// wrote takes obj for what the API server has.
func (t *actionRun[T]) wrote() {
	t.before = t.obj.DeepCopyObject().(T)
	key := client.ObjectKeyFromObject(t.obj)
	last := t.flow.memories.get(key, t.obj.GetUID())
	last.seen, last.inputs = t.obj.GetResourceVersion(), t.used
	t.flow.memories.set(key, last)
}

// learn notes what the run has used of Secrets and ConfigMaps.
func (t *actionRun[T]) learn(well bool) {
	before := t.used
	t.used.Learn(t.flow.Action.Uses(t.obj), t.inputs, well)
	if t.used != before {
		key := client.ObjectKeyFromObject(t.obj)
		last := t.flow.memories.get(key, t.obj.GetUID())
		last.inputs = t.used
		t.flow.memories.set(key, last)
	}
}

// annotate puts the annotations on obj that must outlive its status, unless somebody has
// written obj meanwhile: they may be older than those that it has.
func (r *ActionReconciler[T]) annotate(ctx context.Context, t *actionRun[T]) error {
	annotations := r.Action.Annotations(t.obj)
	if t.early > 0 && maps.Equal(annotations, t.annotations) { // what somebody has taken away comes back in time
		return nil
	}
	marked, err := object.Annotate(ctx, r.client, t.obj, annotations)
	if err == nil && marked.GetResourceVersion() != t.obj.GetResourceVersion() {
		t.obj = marked
		t.wrote()
	}
	return err
}

// addFinalizer puts the finalizer and annotations on obj. It comes before anything is changed in
// the status, which it reads anew. An object that somebody robs again and again goes
// without as long as there is nothing to be done for it.
func (t *actionRun[T]) addFinalizer(ctx context.Context, annotations map[string]string) error {
	if t.early > 0 && t.settled {
		return nil
	}
	held, err := object.AddFinalizer(ctx, t.flow.client, t.obj, annotations)
	if err != nil {
		return err
	}
	if held.GetResourceVersion() != t.obj.GetResourceVersion() {
		t.obj = held
		t.wrote()
	}
	return nil
}
