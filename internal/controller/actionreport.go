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
)

// finish reports how an object stands, and says when its next run is.
func (r *ActionReconciler[T]) finish(ctx context.Context, t *actionRun[T], stands readiness, err error) (ctrl.Result, error) {
	o, now := classify(err), r.clock.Now()
	r.environments.connections.of(environmentOf(t.obj)).waits.note(r.waiterOf(t.obj), o.inLine, now)
	if err == nil {
		o.reason, o.message = stands.reason, stands.message
	}
	o.message = t.inputs.Redact(o.message)
	t.learn(o.class == ready)
	traceOutcome(ctx, o)
	if r.keepsQuiet(t, o, now) {
		if o.after == 0 && o.err == nil && o.reason != v1alpha1.ReasonEnvironmentNotReady { // the gate wakes it then
			o.after = longestPoll
		}
		o.class = silent
	}
	conditions := t.before.MemberStatus().Conditions
	was := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	r.report(t, o, now)
	is := meta.FindStatusCondition(t.obj.MemberStatus().Conditions, v1alpha1.ConditionReady)
	if is != nil && is.Status != "True" && (was == nil || was.Reason != is.Reason || was.Message != is.Message) && o.class != silent {
		if (o.err == nil || o.after > 0) && is.Reason != v1alpha1.ReasonExecutionRunning { // or else the work queue logs it, or it is no problem
			t.later(func() { ctrl.LoggerFrom(ctx).Info("not Ready", "reason", is.Reason, "message", is.Message) })
		}
		t.event(o.eventType(is.Reason), is.Reason, "Reconcile", is.Message)
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
	last.firstReady.reported(r.kind, t.obj, was, t.obj.MemberStatus().Conditions, now)
	r.memories.set(key, last)
}

// keepsQuiet tells whether it is not worth a word that an object which is Ready
// could not be looked after: during an outage of the environment, which says so
// itself, and for a while otherwise.
func (r *ActionReconciler[T]) keepsQuiet(t *actionRun[T], o outcome, now time.Time) bool {
	if o.class != reconciling || !t.settled || !conditionsOf(t.before).ready(t.obj.GetGeneration()) {
		return false
	}
	key := client.ObjectKeyFromObject(t.obj)
	last := r.memories.get(key, t.obj.GetUID())
	if last.failingSince.IsZero() {
		last.failingSince = now
		r.memories.set(key, last)
	}
	return o.reason == v1alpha1.ReasonEnvironmentNotReady || now.Sub(last.failingSince) < patience
}

func (r *ActionReconciler[T]) report(t *actionRun[T], o outcome, now time.Time) {
	if o.class == silent {
		return
	}
	conditionsOf(t.obj).report(o, t.obj.GetGeneration(), now, r.options.ProgressDeadline)
	status := t.obj.MemberStatus()
	status.LastHandledReconcileAt = requested(t.obj)
	status.Environment = environmentIn(t.obj)
	if t.account.id != "" {
		status.LinkedAccountID = t.account.id
	}
	if inputs := inputsIn(t.obj); inputs != nil {
		inputs.InputsVersion = t.used.told
	}
}

// next says when an object has its next run.
func (r *ActionReconciler[T]) next(t *actionRun[T], o outcome, now time.Time) (ctrl.Result, error) {
	key, again := client.ObjectKeyFromObject(t.obj), now.Add(r.options.Jitter(r.interval(t)))
	last := r.memories.get(key, t.obj.GetUID())
	if t.refused && meta.IsStatusConditionTrue(t.obj.MemberStatus().Conditions, v1alpha1.ConditionStalled) {
		o.class, o.err, again = stuck, nil, now.Add(never) // also what was tried until the deadline
	}
	switch {
	case o.class == stuck:
		last.fingerprint, last.at = t.fingerprint, again
		if t.rests {
			last.at = t.rest
		}
		t.wakeAt(last.at)
	case o.class != silent:
		last.fingerprint, last.at = fingerprint{}, time.Time{}
	}
	if o.class == ready {
		last.failingSince = time.Time{}
	}
	if !o.conflict && o.class != silent { // or nothing was written, which says nothing of the next write
		last.conflict = backoff.Backoff{}
	}
	environment := r.environments.connections.of(environmentOf(t.obj)).gate
	switch {
	case o.fails():
		last.failure.fingerprint, last.failure.epoch, last.failure.aside, last.wake = t.fingerprint, t.epoch, t.aside, t.wake
		environment.Fails(r.waiterOf(t.obj), true)
	case last.failure.Failing() && o.goesOn():
		last.failure, last.wake = failure{}, time.Time{}
		environment.Fails(r.waiterOf(t.obj), false)
	}
	r.memories.set(key, last)
	switch {
	case o.conflict:
		return ctrl.Result{RequeueAfter: r.memories.refused(key)}, nil
	case o.again:
		return ctrl.Result{RequeueAfter: r.options.ConflictPause}, nil
	case o.err != nil && o.after == 0:
		return ctrl.Result{}, errors.New(o.message) // without the secrets that o.err may quote
	case o.fails():
		return background(r.memories.failed(key, o.after)), nil
	case o.after > 0:
		return ctrl.Result{RequeueAfter: o.after}, nil
	case o.class == reconciling:
		t.wakeAt(earlier(again, conditionsOf(t.obj).deadline(r.options.ProgressDeadline)))
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
	t.used = t.flow.inputs.record(ctx, t.obj, t.flow.Action.Uses(t.obj), t.used, t.inputs)
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
	t.used.learn(t.flow.Action.Uses(t.obj), t.inputs, well)
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
	marked, err := annotate(ctx, r.client, t.obj, annotations)
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
	held, err := addFinalizer(ctx, t.flow.client, t.obj, annotations)
	if err != nil {
		return err
	}
	if held.GetResourceVersion() != t.obj.GetResourceVersion() {
		t.obj = held
		t.wrote()
	}
	return nil
}
