package engine

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Loop is the reconcile of all kinds whose objects belong to an environment. H is what a run is to its handler.
type Loop[T object.Object, H any] struct {
	Core[T]
	handler Handler[T, H]
}

// Handler is what kinds add to the loop: those that keep a state in Cobalt (managed), and those whose calls must not be made
// twice (once).
type Handler[T object.Object, H any] interface {
	// Uses names what spec uses of Secrets and ConfigMaps. It is pure.
	Uses(obj T) []inputs.Use
	// Lasting is what the metadata of obj must have. It is pure.
	Lasting(obj T) Lasting
	// Suspend takes out of the status, in memory, what is not going to happen.
	Suspend(obj T)
	// Lost returns an object of a name that is gone although it had the finalizer. seen is what the cache has of that name.
	Lost(ctx context.Context, key client.ObjectKey, seen T) (gone T, ok bool, err error)
	// Begin finds out what a run is for, and how long there is nothing to do yet: that counts if the environment can be used.
	// What it takes for the run, Release gives back.
	Begin(ctx context.Context, run *Run[T]) (handled H, rest time.Duration, err error)
	// Sync takes the object as far as it can go now, and says how it stands if nothing is wrong.
	Sync(ctx context.Context, run H) (Readiness, error)
	// Delete removes from Cobalt what is to go with the object. Without an error, the finalizer can go.
	Delete(ctx context.Context, run H) error
	// Commit writes the status, if it has changed.
	Commit(ctx context.Context, run H) error
	// Annotate writes what must be known also where the status is lost, as in a backup, once that is written.
	Annotate(ctx context.Context, run H) error
	// Next remembers what a run has come to, and says when the object is looked at again, if nothing else brings that about:
	// zero leaves it to run.Wake. What nobody waits for comes at low priority.
	Next(run H, o condition.Outcome, now time.Time) (at time.Time, background bool)
}

// NewLoop returns the loop of the kind of prototype.
func NewLoop[T object.Object, H any](d Deps, handler Handler[T, H], prototype T) Loop[T, H] {
	return Loop[T, H]{NewCore(d, prototype, memory.LongestPause), handler}
}

// Readiness is how an object stands that nothing is wrong with.
type Readiness struct{ Reason, Message string }

// Reconcile takes an object as far as it can go now, then reports how it stands.
func (l *Loop[T, H]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	defer l.Environments.Workers.Yield(breaker.Waiter{Waker: l.Waker, Request: request})
	obj, err := l.read(ctx, request)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if lags, err := l.Memories.Lags(ctx, l.Live, obj, l.Clock.Now()); lags || err != nil { // what was reported is not in it yet
		return ctrl.Result{RequeueAfter: l.Settings.ConflictPause}, err
	}
	obj, early, err := restore(ctx, &l.Core, obj, l.handler.Lasting(obj))
	if err != nil {
		return l.Requeue(request.NamespacedName, err)
	}
	return noLaterThan(early)(l.reconcile(ctx, obj, early > 0))
}

// read returns an object, or one of its name that was lost before, which comes first: what that has left in Cobalt must not
// be taken for somebody else's.
func (l *Loop[T, H]) read(ctx context.Context, request ctrl.Request) (T, error) {
	obj := l.New()
	err := l.Client.Get(ctx, request.NamespacedName, obj)
	if client.IgnoreNotFound(err) != nil {
		return obj, err
	}
	if gone, ok, lostErr := l.handler.Lost(ctx, request.NamespacedName, obj); ok || lostErr != nil {
		return gone, lostErr
	}
	if err != nil {
		l.Memories.Delete(request.NamespacedName)
		l.Environments.Gone(breaker.Waiter{Waker: l.Waker, Request: request})
	}
	return obj, err
}

// reconcile goes on with an object that the cache does not lag behind. early tells that its metadata still lacks what it is
// too early to write back.
func (l *Loop[T, H]) reconcile(ctx context.Context, obj T, early bool) (ctrl.Result, error) {
	deleting := !obj.GetDeletionTimestamp().IsZero()
	switch {
	case deleting && !object.HasFinalizer(obj):
		l.Environments.Quit(l.WaiterOf(obj))
		return ctrl.Result{}, nil
	case !deleting && obj.MemberSpec().Suspend:
		l.Environments.Quit(l.WaiterOf(obj))
		run := l.open(obj)
		l.handler.Suspend(obj)
		return l.Requeue(client.ObjectKeyFromObject(obj), run.Commit(ctx))
	}
	run, err := l.begin(ctx, obj)
	if err != nil {
		return ctrl.Result{}, err
	}
	run.Early = early
	defer func() { run.Release() }() // that of Begin
	handled, rest, err := l.handler.Begin(ctx, run)
	switch {
	case err != nil:
		return l.Requeue(client.ObjectKeyFromObject(obj), err)
	case rest > 0 && run.EnvErr == nil:
		l.waits(obj).Note(l.WaiterOf(obj), false, l.Clock.Now())
		return Background(rest), nil
	case needsWorker(run):
		share := l.Environments.Of(object.EnvironmentOf(obj)).Share
		if !share.Enter(l.WaiterOf(obj), run.First) {
			return run.comeBack(breaker.WorkerPause), nil
		}
		defer share.Leave(l.WaiterOf(obj))
	}
	return l.work(ctx, run, handled)
}

// work is the part of a reconcile for which a worker may be needed for long.
func (l *Loop[T, H]) work(ctx context.Context, run *Run[T], handled H) (ctrl.Result, error) {
	if !run.Deleting() {
		ready, err := l.handler.Sync(ctx, handled)
		return l.finish(ctx, run, handled, ready, err)
	}
	if err := l.handler.Delete(ctx, handled); err != nil {
		return l.finish(ctx, run, handled, Readiness{}, err)
	}
	l.Environments.Quit(l.WaiterOf(run.Obj))
	return l.Requeue(client.ObjectKeyFromObject(run.Obj), object.RemoveFinalizer(ctx, l.Client, run.Obj))
}

// needsWorker tells whether a run may come to calls. A deletion does for kinds that keep a state, and then although the
// environment may not be used any more; any other run unless it may not be used.
func needsWorker[T object.Object](run *Run[T]) bool {
	if run.Deleting() {
		_, keeps := any(run.Obj).(object.Managed)
		return keeps
	}
	return !environment.NotAllowed(run.EnvErr)
}

// waits are the objects of obj's environment that wait for their turn at the limiter.
func (l *Loop[T, H]) waits(obj T) *environment.Waits {
	return l.Environments.Of(object.EnvironmentOf(obj)).Waits
}
