package once

import (
	"context"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Action is what one kind teaches the loop whose calls must not be made twice. An implementation holds no state of a run.
type Action[T object.Object] interface {
	// Uses names what spec uses of Secrets and ConfigMaps. It is pure.
	Uses(obj T) []inputs.Use
	// Act takes the object as far as it can go now, and says how it stands. Whatever it
	// changes in the status is written after it, and by Attempt before a call.
	Act(ctx context.Context, run *Run[T]) (engine.Readiness, error)
	// Intent is that of the call whose outcome the status does not tell yet; nil for none. It is pure.
	Intent(obj T) *v1alpha1.Intent
	// Annotations names the annotations that obj must carry once its status is written. It is pure.
	Annotations(obj T) map[string]string
	// HasFinalizer tells whether an object of the kind is to have the finalizer once it has made something.
	HasFinalizer() bool
	// Refused tells whether the status says that Cobalt has refused what obj starts, which is not tried again by itself. It is pure.
	Refused(obj T) bool
	// Suspend takes out of the status, in memory, what is not going to happen.
	Suspend(obj T)
	// LeftBehind says what stays behind in Cobalt when obj goes; empty for nothing. It is pure.
	LeftBehind(obj T) string
}

// Reconciler reconciles the objects of a kind whose calls must not be made twice.
type Reconciler[T object.Object] struct {
	engine.Loop[T, *Run[T]]
	Action Action[T]
	// attempts has the Result of each attempt, by its id, until the status tells it: the API server may be away just then. A
	// crash forgets it, and then nobody knows.
	attempts sync.Map
}

// New returns the reconciler of the kind of prototype.
func New[T object.Object](d engine.Deps, action Action[T], prototype T) *Reconciler[T] {
	r := &Reconciler[T]{Action: action}
	r.Loop = engine.NewLoop(d, r, prototype)
	return r
}

// Run is a run for an object whose calls must not be made twice.
type Run[T object.Object] struct {
	*engine.Run[T]
	// settled tells that the status speaks of all that this run is about.
	settled bool
	// Resting tells that what was refused before is not to be tried before RestsUntil.
	Resting    bool
	RestsUntil time.Time
	// Paused is until when what was tried before, and failed, is not to be tried again; zero if it may be tried now.
	Paused time.Time
	// wasAside tells that of the run that is tried again, only the look at executions under way has failed.
	wasAside bool
	// annotations are those that the object should have had when the run began.
	annotations map[string]string
	reconciler  *Reconciler[T]
}

// Uses names what spec uses of Secrets and ConfigMaps.
func (r *Reconciler[T]) Uses(obj T) []inputs.Use { return r.Action.Uses(obj) }

// Suspend takes out of the status what is not going to happen.
func (r *Reconciler[T]) Suspend(obj T) { r.Action.Suspend(obj) }

// Lasting is what the metadata of obj must have.
func (r *Reconciler[T]) Lasting(obj T) engine.Lasting {
	return engine.Lasting{Annotations: r.Action.Annotations(obj), Finalizer: r.Action.HasFinalizer()}
}

// Lost is nothing: what is made for an object that goes meanwhile cannot be deleted in Cobalt.
func (r *Reconciler[T]) Lost(_ context.Context, _ client.ObjectKey, seen T) (T, bool, error) {
	return seen, false, nil
}

// quietPause is after how long a Ready object is looked at again whose run has failed without a word about it.
const quietPause = 30 * time.Second

// Begin finds out whether what the run is about was tried before, and how long that rests. Act knows what else there is to do.
func (r *Reconciler[T]) Begin(_ context.Context, base *engine.Run[T]) (*Run[T], time.Duration, error) {
	obj, m := base.Obj, &base.Memory
	conditions, generation := object.ConditionsOf(obj), obj.GetGeneration()
	run := &Run[T]{Run: base, reconciler: r, annotations: r.Action.Annotations(obj), wasAside: m.Failure.Aside}
	run.settled = conditions.Settled(generation) && m.Inputs.IsIn(obj) && obj.MemberStatus().LastHandledReconcileAt == run.Requested
	run.Calm, run.AfterQuiet, run.First = run.settled && conditions.IsReady(generation), quietPause, !run.Retry()
	if !run.First && m.Failure.Pauses(r.Clock.Now()) {
		run.Paused = m.Failure.Until()
		run.WakeAt(run.Paused)
	}
	unknown := m.Fingerprint == memory.Fingerprint{}               // of what is Stalled, since the operator started
	if unknown && run.settled && !conditions.IsReady(generation) { // not all at once
		m.Fingerprint, m.At = run.Fingerprint, r.Clock.Now().Add(r.Settings.Spread(r.interval(run)))
		if r.Action.Refused(obj) {
			m.At = r.Clock.Now().Add(engine.Never)
		}
		run.Remember()
	}
	run.Resting, run.RestsUntil = m.Fingerprint == run.Fingerprint && r.Clock.Now().Before(m.At), m.At
	return run, 0, nil
}

// interval is how often what is Stalled, or waits, is tried again.
func (r *Reconciler[T]) interval(run *Run[T]) time.Duration {
	interval := r.Settings.SyncInterval
	if run.Env != nil {
		interval = run.Env.Settings().SyncInterval.Value(interval)
	}
	if interval == 0 {
		return engine.UsualInterval
	}
	return interval
}

// Sync takes the object as far as it can go now.
func (r *Reconciler[T]) Sync(ctx context.Context, run *Run[T]) (engine.Readiness, error) {
	return r.Action.Act(ctx, run)
}

// Delete says what stays behind.
func (r *Reconciler[T]) Delete(ctx context.Context, run *Run[T]) error {
	if left := r.Action.LeftBehind(run.Obj); left != "" {
		run.Tell(corev1.EventTypeWarning, "LeftBehind", "Delete", left)
		ctrl.LoggerFrom(ctx).Info("left behind in Cobalt", "what", left)
		metrics.LeftBehind.WithLabelValues(r.Kind).Inc()
	}
	return nil
}

// Commit writes the status.
func (r *Reconciler[T]) Commit(ctx context.Context, run *Run[T]) error { return run.Commit(ctx) }

// Annotate puts the annotations on the object that must outlive its status, unless somebody has
// written it meanwhile: they may be older than those that it has.
func (r *Reconciler[T]) Annotate(ctx context.Context, run *Run[T]) error {
	annotations := r.Action.Annotations(run.Obj)
	if run.Early && maps.Equal(annotations, run.annotations) { // what somebody has taken away comes back in time
		return nil
	}
	return run.Became(object.Annotate(ctx, r.Client, run.Obj, annotations))
}

// Next has what is Stalled tried again after the interval, and what Cobalt has refused not at all. What is Ready waits for a
// change or its own time, all else comes after the interval.
func (r *Reconciler[T]) Next(run *Run[T], o condition.Outcome, now time.Time) (at time.Time, background bool) {
	m, again := &run.Memory, now.Add(r.Settings.Jitter(r.interval(run)))
	switch o.Class {
	case condition.Stuck:
		switch {
		case run.Resting:
			again = run.RestsUntil
		case run.Refused:
			again = now.Add(engine.Never)
		}
		m.Fingerprint, m.At = run.Fingerprint, again
		return again, false
	case condition.Silent:
		return time.Time{}, false
	}
	m.Fingerprint, m.At = memory.Fingerprint{}, time.Time{}
	if o.Class == condition.Ready {
		again = time.Time{}
	}
	return again, false
}

// Connect returns what calls are made through, and the context to make them in;
// until the environment lets the object through, it returns waiting. What is tried again does not
// go before others.
func (run *Run[T]) Connect(ctx context.Context, retry bool) (*environment.Remote, context.Context, error) {
	switch {
	case run.EnvErr != nil:
		return nil, nil, run.EnvErr
	case run.AccountErr != nil:
		return nil, nil, run.AccountErr
	}
	api, err := run.Core.Environments.Connect(run.Obj, run.Env, run.Core.WaiterOf(run.Obj), !retry)
	if err != nil {
		return nil, nil, err
	}
	lane := ratelimit.Foreground
	if retry {
		lane = ratelimit.Background
	}
	api.Account, api.Awaited = run.Account.ID, true
	ctx = ratelimit.WithTenant(ctx, run.Obj.GetNamespace())
	return api, ratelimit.WithCaller(ctx, lane, string(run.Obj.GetUID())), nil
}

// ConnectOnce is Connect for a call that must not be repeated, which waits as well while
// calls of others raise doubts in the environment.
func (run *Run[T]) ConnectOnce(ctx context.Context) (*environment.Remote, context.Context, error) {
	api, ctx, err := run.Connect(ctx, run.Retry() && !run.wasAside)
	if err == nil && !run.Core.Environments.Of(object.EnvironmentOf(run.Obj)).Breaker.PassOnce(run.Core.WaiterOf(run.Obj)) {
		return nil, nil, condition.ErrWait
	}
	return api, ctx, err
}

// MayCall tells whether the pause after a failed call is over; a failed look has none.
func (run *Run[T]) MayCall() bool { return run.Paused.IsZero() || run.wasAside }

// EndRest has what was refused before be tried now, or as soon as the environment lets the object through.
func (run *Run[T]) EndRest() { run.Memory.At, run.Resting = time.Time{}, false }

// AddFinalizer is that of Run. While somebody takes the finalizer away again and again, a run that has nothing to do leaves it
// at that.
func (run *Run[T]) AddFinalizer(ctx context.Context, annotations map[string]string) error {
	if run.Early && run.settled {
		return nil
	}
	return run.Run.AddFinalizer(ctx, annotations)
}

// PolledAt is when the executions that the object follows are looked at next, as far as that is known.
func (run *Run[T]) PolledAt() time.Time { return run.Memory.Poll }

// PollAt has executions looked at again then.
func (run *Run[T]) PollAt(at time.Time) {
	run.Memory.Poll = at
	run.WakeAt(at)
}
