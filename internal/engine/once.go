package engine

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
	// changes in the status is written after it, and by Attempt before a call.
	Act(ctx context.Context, t *OnceRun[T]) (Readiness, error)
	// Annotations names the annotations that obj must carry once its status is written. It is pure.
	Annotations(obj T) map[string]string
	// Holds tells whether objects of the kind have a finalizer.
	Holds() bool
	// Refused tells whether the status says that Cobalt has refused what obj starts, which is not tried again by itself. It is pure.
	Refused(obj T) bool
	// Suspend takes out of the status what is not going to happen. It is pure.
	Suspend(obj T)
	// LeftBehind says what stays behind in Cobalt when obj goes; empty for nothing. It is pure.
	LeftBehind(obj T) string
}

// Readiness is how an object stands that nothing is wrong with.
type Readiness struct{ Reason, Message string }

// Once is the flow that the kinds share whose calls must not be made twice.
type Once[T object.Object] struct {
	Action Action[T]

	Core[T]
	attempts *attempts
}

// NewOnce returns the reconciler of a kind.
func NewOnce[T object.Object](d Deps, action Action[T], prototype T, list client.ObjectList) *Once[T] {
	return &Once[T]{Action: action, Core: NewCore(d, object.KindOf(prototype), prototype, list, LongestPause), attempts: newAttempts()}
}

// OnceRun is one reconcile of one object.
type OnceRun[T object.Object] struct {
	Obj T
	// before is obj as the API server has it.
	before T
	// account is what obj belongs to, or what is known of that beside accountErr.
	Account    account.Owner
	AccountErr error
	env        object.Environment
	envErr     error
	Inputs     *inputs.Reader
	// Used is what is known of the Secrets and ConfigMaps that spec uses.
	Used        inputs.Used
	fingerprint fingerprint
	// settled tells that the status speaks of all that this run is about.
	settled bool
	// Rests tells that what was refused before is to be tried at rest, and not now.
	Rests bool
	Rest  time.Time
	// Retry tells that what this run is about was tried before, and failed; paused is
	// until when that is not to be tried again, zero for now.
	Retry  bool
	Paused time.Time
	// Aside tells that only looking at what goes on has failed: in this run, wasAside in
	// the one that is tried again.
	Aside, wasAside bool
	// Refused tells that Cobalt has refused a call that starts something, for a cause that
	// nothing but a change will end.
	Refused bool
	// epoch is that of the environment's client.
	epoch int
	// annotations are those that obj should have had when the run began.
	annotations map[string]string
	// Resolved is the attempt whose outcome the status tells from now on.
	Resolved string
	// Afterwards is what to tell the world once the status says so.
	Afterwards []func()
	// early is in how long it may be written back what obj has lost; zero if it has all.
	early time.Duration
	// wake is when the next run is needed; zero leaves it to others.
	wake time.Time
	Flow *Once[T]
}

// Reconcile takes an object as far as it can go now, then reports how it stands.
func (r *Once[T]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	environments, self := r.Environments, breaker.Waiter{Waker: r.Waker, Request: request}
	defer environments.Workers.Yield(self)
	obj := r.New()
	if err := r.Client.Get(ctx, request.NamespacedName, obj); err != nil {
		r.Memories.Delete(request.NamespacedName)
		environments.Gone(self)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	lags, err := r.Memories.Lags(ctx, r.Live, obj, r.Clock.Now())
	switch {
	case lags || err != nil:
		return ctrl.Result{RequeueAfter: r.Settings.ConflictPause}, err
	case !obj.GetDeletionTimestamp().IsZero():
		environments.Quit(self)
		return r.delete(ctx, obj)
	}
	obj, early, err := restore(ctx, r.Client, r.Memories, obj, lasting{r.Action.Annotations(obj), r.Action.Holds()})
	if err != nil {
		return r.Memories.Requeue(request.NamespacedName, err)
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
		t.WakeAt(r.Clock.Now().Add(early))
	}
	if !environment.NotAllowed(t.envErr) { // or else it has nothing to do there
		share := environments.Of(object.EnvironmentOf(obj)).Share
		if !share.Enter(self, !t.Retry) {
			return ctrl.Result{RequeueAfter: breaker.WorkerPause}, nil
		}
		defer share.Leave(self)
	}
	stands, err := r.Action.Act(ctx, t)
	return r.finish(ctx, t, stands, err)
}

// suspend takes out of the status of an object what is not going to happen.
func (r *Once[T]) suspend(ctx context.Context, obj T) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(obj)
	t := &OnceRun[T]{Obj: obj, before: obj.DeepCopyObject().(T), Used: r.Memories.Get(key, obj.GetUID()).inputs, Flow: r}
	r.Action.Suspend(obj)
	return r.Memories.Requeue(key, t.Commit(ctx))
}

// begin finds out what a run is about.
func (r *Once[T]) begin(ctx context.Context, obj T) (*OnceRun[T], error) {
	key := client.ObjectKeyFromObject(obj)
	last, err := remembered(ctx, &r.Core, obj, r.Action.Uses(obj))
	if err != nil {
		return nil, err
	}
	used := last.inputs
	t := &OnceRun[T]{
		Obj: obj, before: obj.DeepCopyObject().(T), Inputs: r.Inputs.Open(), Used: used, Flow: r, annotations: r.Action.Annotations(obj),
	}
	t.Account, t.AccountErr = r.Accounts.Of(ctx, obj)
	t.env, t.envErr = r.Environments.Find(ctx, obj, t.Account.ID, r.WaiterOf(obj))
	t.fingerprint = fingerprint{
		generation: obj.GetGeneration(), inputs: used.Edition, request: object.Wishes(obj), account: t.Account.Made,
		environment: object.GenerationOf(t.env), refused: environment.NotAllowed(t.envErr),
	}
	t.settled = object.ConditionsOf(obj).Settled(obj.GetGeneration()) && used.IsIn(obj) &&
		obj.MemberStatus().LastHandledReconcileAt == object.Requested(obj)
	t.epoch = r.Environments.Of(object.EnvironmentOf(obj)).Breaker.Epoch()
	last = r.Memories.forgive(key, last, t.fingerprint, t.epoch)
	if t.Retry = last.failure.Failing() && last.failure.like(t.fingerprint); t.Retry && last.failure.Pauses(r.Clock.Now()) {
		t.Paused = last.failure.Until()
		t.WakeAt(t.Paused)
	}
	t.wasAside = last.failure.aside
	restarted := last.fingerprint == fingerprint{}
	if restarted && t.settled && !object.ConditionsOf(obj).IsReady(obj.GetGeneration()) { // not all at once
		last.fingerprint, last.at = t.fingerprint, r.Clock.Now().Add(r.Settings.Spread(r.interval(t)))
		if r.Action.Refused(obj) {
			last.at = r.Clock.Now().Add(Never)
		}
		r.Memories.Set(key, last)
	}
	t.Rests, t.Rest = last.fingerprint == t.fingerprint && r.Clock.Now().Before(last.at), last.at
	return t, nil
}

// interval is how often something that was refused is tried again.
func (r *Once[T]) interval(t *OnceRun[T]) time.Duration {
	interval := r.Settings.SyncInterval
	if t.env != nil {
		interval = t.env.Settings().SyncInterval.Value(interval)
	}
	if interval == 0 {
		return UsualInterval
	}
	return interval
}

// Connect returns what calls are made through, and the context to make them in;
// until the environment lets obj through, it returns waiting. What is tried again does not
// go before others.
func (t *OnceRun[T]) Connect(ctx context.Context, retry bool) (*environment.Remote, context.Context, error) {
	r := t.Flow
	switch {
	case t.envErr != nil:
		return nil, nil, t.envErr
	case t.AccountErr != nil:
		return nil, nil, t.AccountErr
	}
	api, err := r.Environments.Connect(t.Obj, t.env, r.WaiterOf(t.Obj), !retry)
	if err != nil {
		return nil, nil, err
	}
	lane := ratelimit.Foreground
	if retry {
		lane = ratelimit.Background
	}
	api.Account, api.Awaited = t.Account.ID, true
	ctx = ratelimit.WithTenant(ctx, t.Obj.GetNamespace())
	return api, ratelimit.WithCaller(ctx, lane, string(t.Obj.GetUID())), nil
}

// ConnectOnce is Connect for a call that must not be repeated, which waits as well while
// calls of others raise doubts in the environment.
func (t *OnceRun[T]) ConnectOnce(ctx context.Context) (*environment.Remote, context.Context, error) {
	api, ctx, err := t.Connect(ctx, t.Retry && !t.wasAside)
	if err == nil && !t.Flow.Environments.Of(object.EnvironmentOf(t.Obj)).Breaker.PassOnce(t.Flow.WaiterOf(t.Obj)) {
		return nil, nil, condition.ErrWait
	}
	return api, ctx, err
}

// MayCall tells whether it is not too early to make a call again that failed.
func (t *OnceRun[T]) MayCall() bool { return t.Paused.IsZero() || t.wasAside }

// EndRest has what was refused before be tried now, or as soon as the environment lets obj through.
func (t *OnceRun[T]) EndRest() {
	key := client.ObjectKeyFromObject(t.Obj)
	last := t.Flow.Memories.Get(key, t.Obj.GetUID())
	last.at, t.Rests = time.Time{}, false
	t.Flow.Memories.Set(key, last)
}

// WakeAt has the next run come no later than at.
func (t *OnceRun[T]) WakeAt(at time.Time) { t.wake = Earlier(t.wake, at) }

// delete lets an object go, and says what stays behind.
func (r *Once[T]) delete(ctx context.Context, obj T) (ctrl.Result, error) {
	if !object.HasFinalizer(obj) {
		return ctrl.Result{}, nil
	}
	if left := r.Action.LeftBehind(obj); left != "" {
		r.event(obj, "Warning", "LeftBehind", "Delete", left)
		ctrl.LoggerFrom(ctx).Info("left behind in Cobalt", "what", left)
		metrics.LeftBehind.WithLabelValues(r.Kind).Inc()
	}
	return r.Memories.Requeue(client.ObjectKeyFromObject(obj), object.RemoveFinalizer(ctx, r.Client, obj))
}

func (r *Once[T]) event(obj T, eventType, reason, action, note string) {
	r.Events.Eventf(obj, nil, eventType, reason, action, "%s", note)
}

// Later has something done once the status is written.
func (t *OnceRun[T]) Later(do func()) { t.Afterwards = append(t.Afterwards, do) }

// Event makes an event of what happened, once the status says so.
func (t *OnceRun[T]) Event(eventType, reason, action, note string) {
	t.Later(func() { t.Flow.event(t.Obj, eventType, reason, action, t.Inputs.Redact(note)) })
}

// PollAt has runs looked at again then.
func (t *OnceRun[T]) PollAt(at time.Time) {
	key := client.ObjectKeyFromObject(t.Obj)
	last := t.Flow.Memories.Get(key, t.Obj.GetUID())
	last.Poll = at
	t.Flow.Memories.Set(key, last)
	t.WakeAt(at)
}
