package engine

import (
	"context"
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
func (r *Once[T]) finish(ctx context.Context, t *OnceRun[T], stands Readiness, err error) (ctrl.Result, error) {
	o, now := condition.Classify(err), r.Clock.Now()
	r.Environments.Of(object.EnvironmentOf(t.Obj)).Waits.Note(r.WaiterOf(t.Obj), o.InLine, now)
	if err == nil {
		o.Reason, o.Message = stands.Reason, stands.Message
	}
	o.Message = t.Inputs.Redact(o.Message)
	t.learn(o.Class == condition.Ready)
	TraceOutcome(ctx, o)
	if r.keepsQuiet(t, o, now) {
		if o.After == 0 && o.Err == nil && o.Reason != v1alpha1.ReasonEnvironmentNotReady { // the breaker wakes it then
			o.After = quietPause
		}
		o.Class = condition.Silent
	}
	conditions := t.before.MemberStatus().Conditions
	r.report(t, o, now)
	said := news(conditions, t.Obj.MemberStatus().Conditions)
	t.Later(func() { r.announce(ctx, t.Obj, o, said) })
	if err := t.Commit(ctx); err != nil {
		return r.Memories.Requeue(client.ObjectKeyFromObject(t.Obj), err)
	}
	r.attempts.forget(t.Resolved)
	r.grewUp(t, conditions, now)
	for _, do := range t.Afterwards {
		do()
	}
	if err := r.annotate(ctx, t); err != nil {
		return r.Memories.Requeue(client.ObjectKeyFromObject(t.Obj), err)
	}
	return r.next(t, o, now)
}

// grewUp counts it if this is the first time that an object is Ready.
func (r *Once[T]) grewUp(t *OnceRun[T], was []metav1.Condition, now time.Time) {
	key := client.ObjectKeyFromObject(t.Obj)
	last := r.Memories.Get(key, t.Obj.GetUID())
	last.firstReady.Reported(r.Kind, t.Obj, was, t.Obj.MemberStatus().Conditions, now)
	r.Memories.Set(key, last)
}

// quietPause is after how long it is tried again what is not worth a word, if nothing else tells when.
const quietPause = 30 * time.Second

// keepsQuiet tells whether it is not worth a word that an object which is Ready
// could not be looked after: during an outage of the environment, which says so
// itself, and for a while otherwise.
func (r *Once[T]) keepsQuiet(t *OnceRun[T], o condition.Outcome, now time.Time) bool {
	if o.Class != condition.Reconciling || !t.settled || !object.ConditionsOf(t.before).IsReady(t.Obj.GetGeneration()) {
		return false
	}
	key := client.ObjectKeyFromObject(t.Obj)
	last := r.Memories.Get(key, t.Obj.GetUID())
	if last.failingSince.IsZero() {
		last.failingSince = now
		r.Memories.Set(key, last)
	}
	return o.Reason == v1alpha1.ReasonEnvironmentNotReady || now.Sub(last.failingSince) < patience
}

func (r *Once[T]) report(t *OnceRun[T], o condition.Outcome, now time.Time) {
	if o.Class == condition.Silent {
		return
	}
	object.ConditionsOf(t.Obj).Report(o, t.Obj.GetGeneration(), now, r.Settings.ProgressDeadline)
	status := t.Obj.MemberStatus()
	status.LastHandledReconcileAt = object.Requested(t.Obj)
	status.Environment = object.EnvironmentName(t.Obj)
	if t.Account.ID != "" {
		status.LinkedAccountID = t.Account.ID
	}
	if used := inputs.StatusOf(t.Obj); used != nil {
		used.InputsVersion = t.Used.Told
	}
}

// next says when an object has its next run.
func (r *Once[T]) next(t *OnceRun[T], o condition.Outcome, now time.Time) (ctrl.Result, error) {
	key, again := client.ObjectKeyFromObject(t.Obj), now.Add(r.Settings.Jitter(r.interval(t)))
	last := r.Memories.Get(key, t.Obj.GetUID())
	if t.Refused && meta.IsStatusConditionTrue(t.Obj.MemberStatus().Conditions, v1alpha1.ConditionStalled) {
		o.Class, o.Err, again = condition.Stuck, nil, now.Add(Never) // also what was tried until the deadline
	}
	switch {
	case o.Class == condition.Stuck:
		last.fingerprint, last.at = t.fingerprint, again
		if t.Rests {
			last.at = t.Rest
		}
		t.WakeAt(last.at)
	case o.Class != condition.Silent:
		last.fingerprint, last.at = fingerprint{}, time.Time{}
	}
	if o.Class == condition.Ready {
		last.failingSince = time.Time{}
	}
	if !o.Conflict && o.Class != condition.Silent { // or nothing was written, which says nothing of the next write
		last.conflict = backoff.Backoff{}
	}
	environment := r.Environments.Of(object.EnvironmentOf(t.Obj)).Breaker
	switch {
	case o.Fails():
		last.failure.fingerprint, last.failure.epoch, last.failure.aside, last.wake = t.fingerprint, t.epoch, t.Aside, t.wake
		environment.Fails(r.WaiterOf(t.Obj), true)
	case last.failure.Failing() && o.GoesOn():
		last.failure, last.wake = failure{}, time.Time{}
		environment.Fails(r.WaiterOf(t.Obj), false)
	}
	r.Memories.Set(key, last)
	if result, ok, err := r.tryAgain(key, o, func(after time.Duration) ctrl.Result { return ctrl.Result{RequeueAfter: after} }); ok {
		return result, err
	}
	if o.Class == condition.Reconciling {
		t.WakeAt(Earlier(again, object.ConditionsOf(t.Obj).Deadline(r.Settings.ProgressDeadline)))
	}
	if t.wake.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: Soon(t.wake.Sub(now))}, nil
}

// Commit writes the status, unless somebody has written obj meanwhile: an intent
// must not be written over by whoever has not seen it.
func (t *OnceRun[T]) Commit(ctx context.Context) error {
	if equality.Semantic.DeepEqual(t.before, t.Obj) {
		return nil
	}
	t.Used = t.Flow.Inputs.Record(ctx, t.Obj, t.Flow.Action.Uses(t.Obj), t.Used, t.Inputs)
	patch := client.MergeFromWithOptions(t.before, client.MergeFromWithOptimisticLock{})
	if err := t.Flow.Client.Status().Patch(ctx, t.Obj, patch); err != nil {
		return err
	}
	t.wrote()
	return nil
}

// wrote takes obj for what the API server has.
func (t *OnceRun[T]) wrote() {
	t.before = t.Obj.DeepCopyObject().(T)
	key := client.ObjectKeyFromObject(t.Obj)
	last := t.Flow.Memories.Get(key, t.Obj.GetUID())
	last.Seen, last.inputs = t.Obj.GetResourceVersion(), t.Used
	t.Flow.Memories.Set(key, last)
}

// learn notes what the run has used of Secrets and ConfigMaps.
func (t *OnceRun[T]) learn(well bool) {
	before := t.Used
	t.Used.Learn(t.Flow.Action.Uses(t.Obj), t.Inputs, well)
	if t.Used != before {
		key := client.ObjectKeyFromObject(t.Obj)
		last := t.Flow.Memories.Get(key, t.Obj.GetUID())
		last.inputs = t.Used
		t.Flow.Memories.Set(key, last)
	}
}

// annotate puts the annotations on obj that must outlive its status, unless somebody has
// written obj meanwhile: they may be older than those that it has.
func (r *Once[T]) annotate(ctx context.Context, t *OnceRun[T]) error {
	annotations := r.Action.Annotations(t.Obj)
	if t.early > 0 && maps.Equal(annotations, t.annotations) { // what somebody has taken away comes back in time
		return nil
	}
	marked, err := object.Annotate(ctx, r.Client, t.Obj, annotations)
	if err == nil && marked.GetResourceVersion() != t.Obj.GetResourceVersion() {
		t.Obj = marked
		t.wrote()
	}
	return err
}

// AddFinalizer puts the finalizer and annotations on obj. It comes before anything is changed in
// the status, which it reads anew. An object that somebody robs again and again goes
// without as long as there is nothing to be done for it.
func (t *OnceRun[T]) AddFinalizer(ctx context.Context, annotations map[string]string) error {
	if t.early > 0 && t.settled {
		return nil
	}
	held, err := object.AddFinalizer(ctx, t.Flow.Client, t.Obj, annotations)
	if err != nil {
		return err
	}
	if held.GetResourceVersion() != t.Obj.GetResourceVersion() {
		t.Obj = held
		t.wrote()
	}
	return nil
}
