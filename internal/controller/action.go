package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Action is what one kind teaches the flow of the kinds whose calls must not be
// made twice: they end, rather than keep a state. An implementation holds no
// state of a run.
type Action[T object.Object] interface {
	// Uses names what spec uses of Secrets and ConfigMaps. It is pure.
	Uses(obj T) []inputs.Use
	// Act takes obj as far as it can go now, and says how it stands. Whatever it
	// changes in the status is written after it, and by attempt before a call.
	Act(ctx context.Context, t *actionRun[T]) (readiness, error)
	// Marks names the annotations that obj must carry once its status is written. It is pure.
	Annotations(obj T) map[string]string
	// Holds tells whether objects of the kind have a finalizer.
	Holds() bool
	// Refused tells whether the status says that Cobalt has refused what obj starts, which is not tried again by itself. It is pure.
	Refused(obj T) bool
	// Suspend takes out of the status what is not going to happen. It is pure.
	Suspend(obj T)
	// Leave says what stays behind in Cobalt when obj goes; empty for nothing. It is pure.
	LeftBehind(obj T) string
}

// readiness is how an object stands that nothing is wrong with.
type readiness struct{ Reason, Message string }

// ActionReconciler is the flow that the kinds share whose calls must not be made twice.
type ActionReconciler[T object.Object] struct {
	Action Action[T]

	deps
	memories  *memories
	attempts  *attempts
	waker     *breaker.Waker
	kind      string
	prototype T
}

// newActionReconciler returns the reconciler of a kind.
func newActionReconciler[T object.Object](d deps, action Action[T], prototype T) *ActionReconciler[T] {
	return &ActionReconciler[T]{
		Action: action, deps: d, memories: newMemories(d.clock, d.settings.ConflictPause, longestPause), attempts: newAttempts(),
		waker: &breaker.Waker{}, kind: object.KindOf(prototype), prototype: prototype,
	}
}

// actionRun is one reconcile of one object.
type actionRun[T object.Object] struct {
	obj T
	// before is obj as the API server has it.
	before T
	// account is what obj belongs to, or what is known of that beside accountErr.
	account    account.Owner
	accountErr error
	env        object.Environment
	envErr     error
	inputs     *inputs.Reader
	// used is what is known of the Secrets and ConfigMaps that spec uses.
	used        inputs.Used
	fingerprint fingerprint
	// settled tells that the status speaks of all that this run is about.
	settled bool
	// rests tells that what was refused before is to be tried at rest, and not now.
	rests bool
	rest  time.Time
	// retry tells that what this run is about was tried before, and failed; paused is
	// until when that is not to be tried again, zero for now.
	retry  bool
	paused time.Time
	// aside tells that only looking at what goes on has failed: in this run, wasAside in
	// the one that is tried again.
	aside, wasAside bool
	// refused tells that Cobalt has refused a call that starts something, for a cause that
	// nothing but a change will end.
	refused bool
	// epoch is that of the environment's client.
	epoch int
	// annotations are those that obj should have had when the run began.
	annotations map[string]string
	// resolved is the attempt whose outcome the status tells from now on.
	resolved string
	// afterwards is what to tell the world once the status says so.
	afterwards []func()
	// early is in how long it may be written back what obj has lost; zero if it has all.
	early time.Duration
	// wake is when the next run is needed; zero leaves it to others.
	wake time.Time
	flow *ActionReconciler[T]
}

// Reconcile takes an object as far as it can go now, then reports how it stands.
func (r *ActionReconciler[T]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	environments, self := r.environments, breaker.Waiter{Waker: r.waker, Request: request}
	defer environments.Workers.Yield(self)
	obj := r.prototype.DeepCopyObject().(T)
	if err := r.client.Get(ctx, request.NamespacedName, obj); err != nil {
		r.memories.forget(request.NamespacedName)
		environments.Gone(self)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	lags, err := r.memories.lags(ctx, r.live, obj, r.clock.Now())
	switch {
	case lags || err != nil:
		return ctrl.Result{RequeueAfter: r.settings.ConflictPause}, err
	case !obj.GetDeletionTimestamp().IsZero():
		environments.Quit(self)
		return r.delete(ctx, obj)
	}
	obj, early, err := restore(ctx, r.client, r.memories, obj, lasting{r.Action.Annotations(obj), r.Action.Holds()})
	if err != nil {
		return r.memories.requeue(request.NamespacedName, err)
	}
	if obj.MemberSpec().Suspend {
		environments.Quit(self)
		return noLaterThan(early)(r.suspend(ctx, obj))
	}
	t, err := r.begin(ctx, obj)
	if err != nil {
		return ctrl.Result{}, err
	}
	if t.early = early; early > 0 {
		t.wakeAt(r.clock.Now().Add(early))
	}
	if !environment.NotAllowed(t.envErr) { // or else it has nothing to do there
		share := environments.Of(object.EnvironmentOf(obj)).Share
		if !share.Enter(self, !t.retry) {
			return ctrl.Result{RequeueAfter: breaker.WorkerPause}, nil
		}
		defer share.Leave(self)
	}
	stands, err := r.Action.Act(ctx, t)
	return r.finish(ctx, t, stands, err)
}

// suspend takes out of the status of an object what is not going to happen.
func (r *ActionReconciler[T]) suspend(ctx context.Context, obj T) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(obj)
	t := &actionRun[T]{obj: obj, before: obj.DeepCopyObject().(T), used: r.memories.get(key, obj.GetUID()).inputs, flow: r}
	r.Action.Suspend(obj)
	return r.memories.requeue(key, t.commit(ctx))
}

// begin finds out what a run is about.
func (r *ActionReconciler[T]) begin(ctx context.Context, obj T) (*actionRun[T], error) {
	key := client.ObjectKeyFromObject(obj)
	last := r.memories.get(key, obj.GetUID())
	used, err := r.inputs.Look(ctx, obj, r.Action.Uses(obj), last.inputs)
	if err != nil {
		return nil, err
	}
	if last.inputs != used {
		last.inputs = used
		r.memories.set(key, last)
	}
	t := &actionRun[T]{
		obj: obj, before: obj.DeepCopyObject().(T), inputs: r.inputs.Open(), used: used, flow: r, annotations: r.Action.Annotations(obj),
	}
	t.account, t.accountErr = r.accounts.Of(ctx, obj)
	t.env, t.envErr = r.environments.Find(ctx, obj, t.account.Id, r.waiterOf(obj))
	t.fingerprint = fingerprint{
		generation: obj.GetGeneration(), inputs: used.Edition, request: object.Wishes(obj), account: t.account.Made,
		environment: object.GenerationOf(t.env), refused: environment.NotAllowed(t.envErr),
	}
	t.settled = object.ConditionsOf(obj).Settled(obj.GetGeneration()) && used.IsIn(obj) &&
		obj.MemberStatus().LastHandledReconcileAt == object.Requested(obj)
	t.epoch = r.environments.Of(object.EnvironmentOf(obj)).Breaker.Epoch()
	last = r.memories.forgive(key, last, t.fingerprint, t.epoch)
	if t.retry = last.failure.Failing() && last.failure.like(t.fingerprint); t.retry && last.failure.Pauses(r.clock.Now()) {
		t.paused = last.failure.Until()
		t.wakeAt(t.paused)
	}
	t.wasAside = last.failure.aside
	if (last.fingerprint == fingerprint{}) && t.settled && !object.ConditionsOf(obj).IsReady(obj.GetGeneration()) { // after a restart: not all at once
		last.fingerprint, last.at = t.fingerprint, r.clock.Now().Add(r.settings.Spread(r.interval(t)))
		if r.Action.Refused(obj) {
			last.at = r.clock.Now().Add(never)
		}
		r.memories.set(key, last)
	}
	t.rests, t.rest = last.fingerprint == t.fingerprint && r.clock.Now().Before(last.at), last.at
	return t, nil
}

// interval is how often something that was refused is tried again.
func (r *ActionReconciler[T]) interval(t *actionRun[T]) time.Duration {
	interval := r.settings.SyncInterval
	if t.env != nil {
		interval = t.env.Settings().SyncInterval.Value(interval)
	}
	if interval == 0 {
		return usualInterval
	}
	return interval
}

// connect returns what calls are made through, and the context to make them in;
// until the environment lets obj through, it returns waiting. What is tried again does not
// go before others.
func (t *actionRun[T]) connect(ctx context.Context, retry bool) (*environment.Remote, context.Context, error) {
	r := t.flow
	switch {
	case t.envErr != nil:
		return nil, nil, t.envErr
	case t.accountErr != nil:
		return nil, nil, t.accountErr
	}
	api, err := r.environments.Connect(t.obj, t.env, r.waiterOf(t.obj), !retry)
	if err != nil {
		return nil, nil, err
	}
	lane := ratelimit.Foreground
	if retry {
		lane = ratelimit.Background
	}
	api.Account, api.Awaited = t.account.Id, true
	ctx = ratelimit.WithTenant(ctx, t.obj.GetNamespace())
	return api, ratelimit.WithCaller(ctx, lane, string(t.obj.GetUID())), nil
}

// connectOnce is connect for a call that must not be repeated, which waits as well while
// calls of others raise doubts in the environment.
func (t *actionRun[T]) connectOnce(ctx context.Context) (*environment.Remote, context.Context, error) {
	api, ctx, err := t.connect(ctx, t.retry && !t.wasAside)
	if err == nil && !t.flow.environments.Of(object.EnvironmentOf(t.obj)).Breaker.PassOnce(t.flow.waiterOf(t.obj)) {
		return nil, nil, condition.ErrWait
	}
	return api, ctx, err
}

// mayCall tells whether it is not too early to make a call again that failed.
func (t *actionRun[T]) mayCall() bool { return t.paused.IsZero() || t.wasAside }

// endRest has what was refused before be tried now, or as soon as the environment lets obj through.
func (t *actionRun[T]) endRest() {
	key := client.ObjectKeyFromObject(t.obj)
	last := t.flow.memories.get(key, t.obj.GetUID())
	last.at, t.rests = time.Time{}, false
	t.flow.memories.set(key, last)
}

// wakeAt has the next run come no later than at.
func (t *actionRun[T]) wakeAt(at time.Time) { t.wake = earlier(t.wake, at) }

func (r *ActionReconciler[T]) waiterOf(obj T) breaker.Waiter {
	return breaker.Waiter{Waker: r.waker, Request: ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}}
}

// delete lets an object go, and says what stays behind.
func (r *ActionReconciler[T]) delete(ctx context.Context, obj T) (ctrl.Result, error) {
	if !object.HasFinalizer(obj) {
		return ctrl.Result{}, nil
	}
	if left := r.Action.LeftBehind(obj); left != "" {
		r.event(obj, "Warning", "LeftBehind", "Delete", left)
		ctrl.LoggerFrom(ctx).Info("left behind in Cobalt", "what", left)
		metrics.LeftBehind.WithLabelValues(r.kind).Inc()
	}
	return r.memories.requeue(client.ObjectKeyFromObject(obj), object.RemoveFinalizer(ctx, r.client, obj))
}

func (r *ActionReconciler[T]) event(obj T, eventType, reason, action, note string) {
	r.events.Eventf(obj, nil, eventType, reason, action, "%s", note)
}

// later has something done once the status is written.
func (t *actionRun[T]) later(do func()) { t.afterwards = append(t.afterwards, do) }

// event makes an event of what happened, once the status says so.
func (t *actionRun[T]) event(eventType, reason, action, note string) {
	t.later(func() { t.flow.event(t.obj, eventType, reason, action, t.inputs.Redact(note)) })
}
