package managed

import (
	"context"
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/identity"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Reconciler reconciles the objects of a kind that keeps a state in Cobalt.
type Reconciler[T object.Managed, R any] struct {
	engine.Loop[T, *Run[T]]
	Resource    Resource[T, R]
	locks       *identity.Locks
	lostObjects *lostObjects[T]
}

// New returns the reconciler of the kind of prototype.
func New[T object.Managed, R any](d engine.Deps, resource Resource[T, R], prototype T) *Reconciler[T, R] {
	r := &Reconciler[T, R]{Resource: resource, locks: identity.NewLocks(), lostObjects: newLostObjects[T](d.Live, d.Clock)}
	r.Loop = engine.NewLoop(d, r, prototype)
	return r
}

// Uses names what spec uses of Secrets and ConfigMaps.
func (r *Reconciler[T, R]) Uses(obj T) []inputs.Use { return r.Resource.Uses(obj) }

// Suspend changes nothing: what Cobalt has stays as it is.
func (r *Reconciler[T, R]) Suspend(T) {}

// Lost returns an object that is gone although it had the finalizer.
func (r *Reconciler[T, R]) Lost(ctx context.Context, key client.ObjectKey, seen T) (T, bool, error) {
	return r.lostObjects.lost(ctx, key, seen)
}

// Lasting is nothing for an object under ReadOnly, or that has not been Ready since: what was only looked at is nobody's.
func (r *Reconciler[T, R]) Lasting(obj T) engine.Lasting {
	status := obj.CommonStatus()
	managed := obj.CommonSpec().ManagementPolicy != v1alpha1.ManagementPolicyReadOnly &&
		(status.Origin != "" || object.ConditionsOf(obj).IsReady(obj.GetGeneration()))
	if status.ID == "" || !managed {
		return engine.Lasting{}
	}
	annotations := map[string]string{object.AccountAnnotation: status.LinkedAccountID, object.OriginAnnotation: string(status.Origin)}
	maps.Copy(annotations, r.Resource.Remembered(obj))
	return engine.Lasting{Annotations: annotations, Finalizer: true}
}

// Sync brings Cobalt in line with the object.
func (r *Reconciler[T, R]) Sync(ctx context.Context, run *Run[T]) (engine.Readiness, error) {
	if run.EnvErr != nil {
		return engine.Readiness{}, run.EnvErr
	}
	err := r.sync(ctx, run)
	if version := run.Obj.GetResourceVersion(); version != run.Before.GetResourceVersion() {
		run.Memory.Seen = version
	}
	if run.held { // it may be gone nevertheless: see there
		r.lostObjects.put(run.Obj)
	}
	if run.readOnly() {
		return engine.Readiness{Reason: v1alpha1.ReasonReadOnly, Message: readOnlyMessage(len(run.Obj.CommonStatus().Drift))}, err
	}
	return engine.Readiness{Reason: v1alpha1.ReasonSynced, Message: "Cobalt is as spec says"}, err
}

// sync is the whole story of an object that is not being deleted.
func (r *Reconciler[T, R]) sync(ctx context.Context, run *Run[T]) error {
	ctx = r.callsOf(ctx, run)
	if first := oldest(run.Obj, run.conflicting); first.GetUID() != run.Obj.GetUID() {
		return conflict(run.Obj, first)
	}
	if run.AccountErr != nil {
		return run.AccountErr
	}
	api, err := r.Environments.Connect(run.Obj, run.Env, r.WaiterOf(run.Obj), run.First)
	if err != nil {
		return err
	}
	if !run.readOnly() && !object.HasFinalizer(run.Obj) {
		newcomers := r.Environments.Of(object.EnvironmentOf(run.Obj)).Newcomers
		if !object.HasFinalizer(run.Env) || !newcomers.Enter(run.Obj.GetUID()) {
			return condition.ErrStale // the environment could go before what is made in it
		}
		defer func() {
			if !run.held {
				newcomers.Leave(run.Obj.GetUID())
			}
		}()
	}
	run.look(api)
	err = r.converge(ctx, api, run)
	if run.Obj.CommonStatus().ID == "" || !reachable(err) {
		return err
	}
	// Although something else may be wrong: a typing error in spec must not let
	// a customer's session expire.
	wake, extendErr := r.Resource.Extend(ctx, api, run.Inputs, run.Obj)
	run.Wake = wake
	return condition.First(err, extendErr)
}

// reachable tells whether another call makes sense after one has ended with err.
func reachable(err error) bool {
	return err == nil || condition.Classify(err).Class != condition.Silent &&
		!cobalt.IsThrottled(err) && !cobalt.IsUnauthorized(err) && !cobalt.IsFailing(err)
}

// converge brings what obj stands for in line with spec.
func (r *Reconciler[T, R]) converge(ctx context.Context, api *environment.Remote, run *Run[T]) error {
	desired, err := r.Resource.Desired(ctx, run.Inputs, run.Obj)
	if err != nil {
		return err
	}
	remote, err := r.observe(ctx, api, run, desired)
	if err != nil {
		return err
	}
	if run.readOnly() {
		return r.compare(run, desired, remote)
	}
	if remote == nil { // the finalizer is not written before the limiter has a call for what is to be made
		if ctx, err = api.Admit(ctx); err != nil {
			return err
		}
	}
	annotations, had := r.annotations(api, run, remote), object.HasFinalizer(run.Obj)
	if err := run.AddFinalizer(ctx, annotations); err != nil {
		return err
	}
	run.held = !had
	if run.begun != "" { // in memory only: what is refused each time must not write each time
		object.SetAnnotation(run.Obj, object.OriginAnnotation, run.begun)
		object.SetAnnotation(run.Before, object.OriginAnnotation, run.begun)
	}
	if run.held && remote != nil {
		run.adopted()
	}
	return r.apply(ctx, api, run, desired, remote)
}

// annotations are those that the object must carry from now on. It notes whether a creation begins anew.
func (r *Reconciler[T, R]) annotations(api *environment.Remote, run *Run[T], remote *R) map[string]string {
	annotations := maps.Clone(r.Resource.Annotations(run.Obj, remote))
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[object.AccountAnnotation] = run.Account.ID
	before, recorded := object.Annotation(run.Obj, object.OriginAnnotation)
	if _, ok := annotations[object.OriginAnnotation]; !ok {
		origin := r.Resource.Origin(run.Obj, remote)
		if value := object.OriginAnnotationOf(run.Obj, remote != nil, origin, api.Now(), run.Memory.Unmade); value != "" {
			annotations[object.OriginAnnotation] = value
		}
	}
	run.fresh = run.Memory.Unmade || annotations[object.OriginAnnotation] != before
	if recorded && remote == nil && annotations[object.OriginAnnotation] != before {
		run.begun, annotations[object.OriginAnnotation] = annotations[object.OriginAnnotation], before
	}
	return annotations
}

// observe looks at Cobalt. What a list says is good enough as long as nothing is
// written because of it.
func (r *Reconciler[T, R]) observe(ctx context.Context, api *environment.Remote, run *Run[T], desired *R) (*R, error) {
	remote, err := r.Resource.Observe(ctx, api, run.Obj)
	if err != nil || remote == nil && run.Obj.CommonStatus().ID == "" {
		return nil, condition.First(err, r.believe(api, run))
	}
	if err := r.requireVerification(api, run, remote); err != nil {
		return nil, err
	}
	if remote != nil {
		differences := r.Resource.Diff(desired, remote)
		if len(differences) == 0 || run.readOnly() || run.triedInVain(differences) {
			return remote, nil
		}
	}
	if api.Live {
		return remote, nil
	}
	api.Live = true
	if remote, err = r.Resource.Observe(ctx, api, run.Obj); err != nil {
		return nil, err
	}
	return remote, r.requireVerification(api, run, remote)
}

// requireVerification asks for proof that the environment is the one it was, if what was there
// is missing: all else may be missing as well, and must not be made again elsewhere.
func (r *Reconciler[T, R]) requireVerification(api *environment.Remote, run *Run[T], remote *R) error {
	if remote != nil || run.readOnly() {
		return nil
	}
	if err := r.believe(api, run); err != nil || r.Environments.Trusted(object.EnvironmentOf(run.Obj)) {
		return err
	}
	r.Environments.Of(object.EnvironmentOf(run.Obj)).Breaker.RequireVerification(r.WaiterOf(run.Obj))
	return condition.ErrWait
}
