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

// Loop is the reconcile of all kinds whose objects belong to an environment. R is what a run is to its handler.
type Loop[T object.Object, R any] struct {
	Core[T]
	Handler Handler[T, R]
}

// Handler is what kinds add to the loop: those that keep a state in Cobalt (managed), and those whose calls must not be made
// twice (once).
type Handler[T object.Object, R any] interface {
	// Uses names what spec uses of Secrets and ConfigMaps. It is pure.
	Uses(obj T) []inputs.Use
	// Lasting is what the metadata of obj must have. It is pure.
	Lasting(obj T) Lasting
	// Suspend takes out of the status what is not going to happen. It is pure.
	Suspend(obj T)
	// Lost returns an object of a name that is gone although it had the finalizer. seen is what the cache has of that name.
	Lost(ctx context.Context, key client.ObjectKey, seen T) (gone T, ok bool, err error)
	// Begin finds out what a run is for. If there is nothing to do yet, it says so by rest.
	Begin(ctx context.Context, run *Run[T]) (mine R, rest time.Duration, err error)
	// Sync takes the object as far as it can go now, and says how it stands if nothing is wrong.
	Sync(ctx context.Context, run R) (Readiness, error)
	// Delete removes from Cobalt what is to go with the object. Without an error, the finalizer can go.
	Delete(ctx context.Context, run R) error
	// Commit writes the status, if it has changed.
	Commit(ctx context.Context, run R) error
	// Annotate writes what must outlive the status, once that is written.
	Annotate(ctx context.Context, run R) error
	// Next notes what a run has come to, and says when the object is looked at again, if nothing else brings that about:
	// zero is never. What nobody waits for comes in the background.
	Next(run R, o condition.Outcome, now time.Time) (at time.Time, background bool)
}

// NewLoop returns the loop of the kind of prototype.
func NewLoop[T object.Object, R any](d Deps, handler Handler[T, R], prototype T) Loop[T, R] {
	return Loop[T, R]{NewCore(d, prototype, memory.LongestPause), handler}
}

// Readiness is how an object stands that nothing is wrong with.
type Readiness struct{ Reason, Message string }

// Reconcile takes an object as far as it can go now, then reports how it stands.
func (l *Loop[T, R]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	defer l.Environments.Workers.Yield(breaker.Waiter{Waker: l.Waker, Request: request})
	obj, err := l.read(ctx, request)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if lags, err := l.Memories.Lags(ctx, l.Live, obj, l.Clock.Now()); lags || err != nil { // what was reported is not in it yet
		return ctrl.Result{RequeueAfter: l.Settings.ConflictPause}, err
	}
	obj, early, err := restore(ctx, &l.Core, obj, l.Handler.Lasting(obj))
	if err != nil {
		return l.Requeue(request.NamespacedName, err)
	}
	return noLaterThan(early)(l.reconcile(ctx, obj, early > 0))
}

// read returns an object, or one of its name that was lost before, which comes first: what that has left in Cobalt must not
// be taken for somebody else's.
func (l *Loop[T, R]) read(ctx context.Context, request ctrl.Request) (T, error) {
	obj := l.New()
	err := l.Client.Get(ctx, request.NamespacedName, obj)
	if client.IgnoreNotFound(err) != nil {
		return obj, err
	}
	if gone, ok, lostErr := l.Handler.Lost(ctx, request.NamespacedName, obj); ok || lostErr != nil {
		return gone, lostErr
	}
	if err != nil {
		l.Memories.Delete(request.NamespacedName)
		l.Environments.Gone(breaker.Waiter{Waker: l.Waker, Request: request})
	}
	return obj, err
}

// reconcile is Reconcile for what the API server has. early tells that its metadata lacks what it is too early to write back.
func (l *Loop[T, R]) reconcile(ctx context.Context, obj T, early bool) (ctrl.Result, error) {
	deleting := !obj.GetDeletionTimestamp().IsZero()
	switch {
	case deleting && !object.HasFinalizer(obj):
		l.Environments.Quit(l.WaiterOf(obj))
		return ctrl.Result{}, nil
	case !deleting && obj.MemberSpec().Suspend:
		l.Environments.Quit(l.WaiterOf(obj))
		run := l.open(obj)
		l.Handler.Suspend(obj)
		return l.Requeue(client.ObjectKeyFromObject(obj), run.Commit(ctx))
	}
	run, err := l.begin(ctx, obj)
	if err != nil {
		return ctrl.Result{}, err
	}
	run.Early = early
	defer func() { run.Release() }()
	mine, rest, err := l.Handler.Begin(ctx, run)
	switch {
	case err != nil:
		return l.Requeue(client.ObjectKeyFromObject(obj), err)
	case rest > 0 && run.EnvErr == nil:
		l.waits(obj).Note(l.WaiterOf(obj), false, l.Clock.Now())
		return Background(rest), nil
	case l.mayCall(run):
		share := l.Environments.Of(object.EnvironmentOf(obj)).Share
		if !share.Enter(l.WaiterOf(obj), run.First) {
			return run.comeBack(breaker.WorkerPause), nil
		}
		defer share.Leave(l.WaiterOf(obj))
	}
	return l.work(ctx, run, mine)
}

// work is the part of a reconcile for which a worker may be needed for long.
func (l *Loop[T, R]) work(ctx context.Context, run *Run[T], mine R) (ctrl.Result, error) {
	if !run.Deleting() {
		ready, err := l.Handler.Sync(ctx, mine)
		return l.finish(ctx, run, mine, ready, err)
	}
	if err := l.Handler.Delete(ctx, mine); err != nil {
		return l.finish(ctx, run, mine, Readiness{}, err)
	}
	l.Environments.Quit(l.WaiterOf(run.Obj))
	return l.Requeue(client.ObjectKeyFromObject(run.Obj), object.RemoveFinalizer(ctx, l.Client, run.Obj))
}

// mayCall tells whether a run may come to calls, for which it needs a worker of its environment: only what keeps a state in
// Cobalt can be deleted there, even by whoever may do nothing else any more.
func (l *Loop[T, R]) mayCall(run *Run[T]) bool {
	if run.Deleting() {
		_, keeps := any(run.Obj).(object.Managed)
		return keeps
	}
	return !environment.NotAllowed(run.EnvErr)
}

// waits are those of the calls of an object's environment.
func (l *Loop[T, R]) waits(obj T) *environment.Waits {
	return l.Environments.Of(object.EnvironmentOf(obj)).Waits
}
