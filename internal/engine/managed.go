package engine

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/identity"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Managed is the flow that all kinds share which keep a state in Cobalt.
type Managed[T object.Managed, R any] struct {
	Resource Resource[T, R]

	Core[T]
	locks       *identity.Locks
	lostObjects *lostObjects[T]
}

// NewManaged returns the reconciler of a kind.
func NewManaged[T object.Managed, R any](d Deps, resource Resource[T, R], prototype T, list client.ObjectList) *Managed[T, R] {
	return &Managed[T, R]{
		Resource: resource, Core: NewCore(d, object.KindOf(prototype), prototype, list, LongestPause),
		locks: identity.NewLocks(), lostObjects: newLostObjects[T](d.Live, d.Clock),
	}
}

// Reconcile brings Cobalt in line with an object, then reports what came of it
// in one status patch, whichever path was taken.
func (r *Managed[T, R]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	environments, self := r.Environments, breaker.Waiter{Waker: r.Waker, Request: request}
	defer environments.Workers.Yield(self)
	obj, lost, err := r.read(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	deleting := !obj.GetDeletionTimestamp().IsZero()
	idle := deleting && !object.HasFinalizer(obj) || !deleting && obj.CommonSpec().Suspend
	if idle {
		environments.Quit(self)
	}
	if lags, err := r.Memories.Lags(ctx, r.Live, obj, r.Clock.Now()); lags || err != nil { // what we have reported is not in it yet
		return ctrl.Result{RequeueAfter: r.Settings.ConflictPause}, err
	}
	obj, early, err := restore(ctx, r.Client, r.Memories, obj, r.lasting(obj))
	switch {
	case err != nil:
		return r.Memories.Requeue(request.NamespacedName, err)
	case idle:
		return noLaterThan(early)(ctrl.Result{}, nil)
	}
	return noLaterThan(early)(r.reconcile(ctx, obj, lost))
}

// reconcile is Reconcile for an object that has something to do.
func (r *Managed[T, R]) reconcile(ctx context.Context, obj T, lost bool) (ctrl.Result, error) {
	environments, self := r.Environments, r.WaiterOf(obj)
	account, accountErr := r.Accounts.Of(ctx, obj)
	release, ok := r.locks.Take(environments.Places(object.EnvironmentOf(obj)), account.ID, r.Resource.Identities(obj))
	if !ok {
		return ctrl.Result{RequeueAfter: r.Settings.ConflictPause}, nil
	}
	defer release()
	env, envErr := r.Environments.Find(ctx, obj, account.ID, self)
	p, err := r.begin(ctx, obj, account, accountErr, env, envErr)
	if err != nil {
		return ctrl.Result{}, err
	}
	p.lost = lost
	if rest, ok := r.rest(ctx, p); ok && envErr == nil {
		environments.Of(object.EnvironmentOf(obj)).Waits.Note(self, false, r.Clock.Now())
		return Background(rest), nil
	}
	if !obj.GetDeletionTimestamp().IsZero() || !environment.NotAllowed(envErr) { // or else it has nothing to do there
		share := environments.Of(object.EnvironmentOf(obj)).Share
		if !share.Enter(self, p.first()) {
			return p.comeBack(breaker.WorkerPause), nil
		}
		defer share.Leave(self)
	}
	return r.run(ctx, p, env, envErr)
}

// read returns an object, or one of its name that was lost before, which comes first:
// what that has left in Cobalt must not be taken for somebody else's.
func (r *Managed[T, R]) read(ctx context.Context, key types.NamespacedName) (obj T, lost bool, err error) {
	obj = r.New()
	err = r.Client.Get(ctx, key, obj)
	if client.IgnoreNotFound(err) != nil {
		return obj, false, err
	}
	if gone, lost, lostErr := r.lostObjects.lost(ctx, key, obj); lost || lostErr != nil {
		return gone, lost, lostErr
	}
	if err != nil {
		r.Memories.Delete(key)
		r.Environments.Gone(breaker.Waiter{Waker: r.Waker, Request: ctrl.Request{NamespacedName: key}})
	}
	return obj, false, err
}

// run is the part of a reconcile for which a worker may be needed for long.
func (r *Managed[T, R]) run(ctx context.Context, p *Run[T], env object.Environment, envErr error) (ctrl.Result, error) {
	var (
		obj  = p.obj
		gone bool
		err  = envErr
	)
	if !obj.GetDeletionTimestamp().IsZero() {
		gone, err = r.remove(ctx, p, env, envErr)
	} else if err == nil {
		err = r.sync(ctx, p, env)
	}
	if gone && err == nil {
		return r.finalize(ctx, p)
	}
	if p.obj.GetResourceVersion() != obj.GetResourceVersion() {
		p.memory.Seen = p.obj.GetResourceVersion()
	}
	if p.held {
		r.lostObjects.put(p.obj)
	}
	return r.finish(ctx, p, condition.Classify(err))
}

// sync is the whole story of an object that is not being deleted.
func (r *Managed[T, R]) sync(ctx context.Context, p *Run[T], env object.Environment) error {
	ctx = r.callsOf(ctx, p)
	if first := oldest(p.obj, p.conflicting); first.GetUID() != p.obj.GetUID() {
		return conflict(p.obj, first)
	}
	if p.accountErr != nil {
		return p.accountErr
	}
	api, err := r.Environments.Connect(p.obj, env, r.WaiterOf(p.obj), p.first())
	if err != nil {
		return err
	}
	if !p.readOnly() && !object.HasFinalizer(p.obj) {
		newcomers := r.Environments.Of(object.EnvironmentOf(p.obj)).Newcomers
		if !object.HasFinalizer(env) || !newcomers.Enter(p.obj.GetUID()) {
			return condition.ErrStale // the environment could go before what is made in it
		}
		defer func() {
			if !p.held {
				newcomers.Leave(p.obj.GetUID())
			}
		}()
	}
	p.look(api)
	err = r.converge(ctx, api, p)
	if p.obj.CommonStatus().ID == "" || !reachable(err) {
		return err
	}
	// Although something else may be wrong: a typing error in spec must not let
	// a customer's session expire.
	wake, extendErr := r.Resource.Extend(ctx, api, p.inputs, p.obj)
	p.wake = wake
	return condition.First(err, extendErr)
}

// reachable tells whether another call makes sense after one has ended with err.
func reachable(err error) bool {
	return err == nil || condition.Classify(err).Class != condition.Silent &&
		!cobalt.IsThrottled(err) && !cobalt.IsUnauthorized(err) && !cobalt.IsFailing(err)
}

// converge brings what obj stands for in line with spec.
func (r *Managed[T, R]) converge(ctx context.Context, api *environment.Remote, p *Run[T]) error {
	desired, err := r.Resource.Desired(ctx, p.inputs, p.obj)
	if err != nil {
		return err
	}
	remote, err := r.observe(ctx, api, p, desired)
	if err != nil {
		return err
	}
	if p.readOnly() {
		return r.compare(p, desired, remote)
	}
	if remote == nil { // nothing is written before it is its turn
		if ctx, err = api.Admit(ctx); err != nil {
			return err
		}
	}
	annotations := r.annotations(api, p, remote)
	if p.obj, err = object.AddFinalizer(ctx, r.Client, p.obj, annotations); err != nil {
		return err
	}
	if p.begun != "" { // for this run alone: a refused object writes nothing each time
		object.SetAnnotation(p.obj, object.OriginAnnotation, p.begun)
	}
	if !object.HasFinalizer(p.before) && remote != nil {
		r.adopted(p)
	}
	if p.obj.GetResourceVersion() != p.before.GetResourceVersion() {
		p.memory.Seen = p.obj.GetResourceVersion()
	}
	p.held = !object.HasFinalizer(p.before)
	p.before = p.obj.DeepCopyObject().(T)
	return r.apply(ctx, api, p, desired, remote)
}

// annotations are those that the object must carry from now on.
func (r *Managed[T, R]) annotations(api *environment.Remote, p *Run[T], remote *R) map[string]string {
	annotations := maps.Clone(r.Resource.Annotations(p.obj, remote))
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[object.AccountAnnotation] = p.account.ID
	before, recorded := object.Annotation(p.obj, object.OriginAnnotation)
	if _, ok := annotations[object.OriginAnnotation]; !ok {
		if value := object.OriginAnnotationOf(p.obj, remote != nil, r.Resource.Origin(p.obj, remote), api.Now(), p.memory.unmade); value != "" {
			annotations[object.OriginAnnotation] = value
		}
	}
	p.fresh = p.memory.unmade || annotations[object.OriginAnnotation] != before
	if recorded && remote == nil && annotations[object.OriginAnnotation] != before {
		p.begun, annotations[object.OriginAnnotation] = annotations[object.OriginAnnotation], before
	}
	return annotations
}

// observe looks at Cobalt. What a list says is good enough as long as nothing is
// written because of it.
func (r *Managed[T, R]) observe(ctx context.Context, api *environment.Remote, p *Run[T], desired *R) (*R, error) {
	remote, err := r.Resource.Observe(ctx, api, p.obj)
	if err != nil || remote == nil && p.obj.CommonStatus().ID == "" {
		return nil, condition.First(err, r.believe(api, p))
	}
	if err := r.requireVerification(api, p, remote); err != nil {
		return nil, err
	}
	if remote != nil {
		differences := r.Resource.Diff(desired, remote)
		if len(differences) == 0 || p.readOnly() || p.triedInVain(differences) {
			return remote, nil
		}
	}
	if api.Live {
		return remote, nil
	}
	api.Live = true
	if remote, err = r.Resource.Observe(ctx, api, p.obj); err != nil {
		return nil, err
	}
	return remote, r.requireVerification(api, p, remote)
}

// requireVerification asks for proof that the environment is the one it was, if what was there
// is missing: all else may be missing as well, and must not be made again elsewhere.
func (r *Managed[T, R]) requireVerification(api *environment.Remote, p *Run[T], remote *R) error {
	if remote != nil || p.readOnly() {
		return nil
	}
	if err := r.believe(api, p); err != nil || r.Environments.Trusted(object.EnvironmentOf(p.obj)) {
		return err
	}
	r.Environments.Of(object.EnvironmentOf(p.obj)).Breaker.RequireVerification(r.WaiterOf(p.obj))
	return condition.ErrWait
}
