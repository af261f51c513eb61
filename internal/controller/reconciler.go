package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// Reconciler is the flow that all kinds share which keep a state in Cobalt.
type Reconciler[T Object, R any] struct {
	Resource Resource[T, R]

	client       client.Client
	events       events.EventRecorder
	environments *environments
	inputs       inputStore
	options      Options
	clock        clock.Clock
	due          *dueTimes
	waker        *waker
	// prototype is an empty object of the kind, list an empty list.
	prototype T
	list      client.ObjectList
}

// Reconcile brings Cobalt in line with an object, then reports what came of it
// in one status patch, whichever path was taken.
func (r *Reconciler[T, R]) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	obj := r.prototype.DeepCopyObject().(T)
	if err := r.client.Get(ctx, request.NamespacedName, obj); err != nil {
		r.due.forget(request.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	slots, self := r.environments.connections.of(environmentOf(obj)).slots, r.waiterOf(obj)
	if !slots.enter(self, r.options.slots) {
		return ctrl.Result{RequeueAfter: slotPause}, nil
	}
	defer slots.leave(self)
	return r.reconcile(ctx, obj)
}

// reconcile is Reconcile for an object that exists and has a worker to itself.
func (r *Reconciler[T, R]) reconcile(ctx context.Context, obj T) (ctrl.Result, error) {
	deleting, held := !obj.GetDeletionTimestamp().IsZero(), controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer)
	if deleting && !held || !deleting && obj.CommonSpec().Suspend {
		return ctrl.Result{}, nil
	}
	if r.due.get(client.ObjectKeyFromObject(obj), obj.GetUID()).lags(obj) { // what we have reported is not in it yet
		return ctrl.Result{RequeueAfter: conflictPause}, nil
	}
	env, envErr := r.environments.find(ctx, obj, r.waiterOf(obj))
	p, err := r.begin(ctx, obj, env)
	if err != nil {
		return ctrl.Result{}, err
	}
	if rest, ok := r.rest(ctx, p); ok && envErr == nil {
		return background(rest), nil
	}
	var gone bool
	if deleting {
		gone, err = r.remove(ctx, p, env, envErr)
	} else if err = envErr; err == nil {
		err = r.sync(ctx, p, env)
	}
	if gone && err == nil {
		return r.letGo(ctx, obj)
	}
	if p.obj.GetResourceVersion() != obj.GetResourceVersion() {
		p.last.written = p.obj.GetResourceVersion()
	}
	return r.finish(ctx, p, judge(err))
}

// sync is the whole story of an object that is not being deleted.
func (r *Reconciler[T, R]) sync(ctx context.Context, p *pass[T], env EnvironmentObject) error {
	ctx = p.asCaller(ctx)
	if first := winner(p.obj, p.rivals); first.GetUID() != p.obj.GetUID() {
		return stalledBy(v1alpha1.ReasonConflict,
			"%s is older and stands for the same in Cobalt: delete one of the two objects", client.ObjectKeyFromObject(first))
	}
	api, err := r.environments.connect(p.obj, env, r.waiterOf(p.obj), p.wanted || p.urgent)
	if err != nil {
		return err
	}
	err = r.settle(ctx, api, p)
	status := p.obj.CommonStatus()
	if status.ID == "" || p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly || !reachable(err) {
		return err
	}
	// Although something else may be wrong: a typing error in spec must not let
	// a customer's session expire.
	wake, extendErr := r.Resource.Extend(ctx, api, p.inputs, p.obj)
	p.wake = wake
	if err != nil {
		return err
	}
	return extendErr
}

// reachable tells whether another call makes sense after one has ended with err.
func reachable(err error) bool {
	return err == nil || judge(err).class != silent && !cobalt.IsThrottled(err) && !cobalt.IsUnauthorized(err) && !cobalt.IsFailing(err)
}

// settle brings what obj stands for in line with spec.
func (r *Reconciler[T, R]) settle(ctx context.Context, api *cobalt.Client, p *pass[T]) error {
	desired, err := r.Resource.Desired(ctx, p.inputs, p.obj)
	if err != nil {
		return err
	}
	remote, err := r.Resource.Observe(ctx, api, p.obj)
	if err != nil {
		return err
	}
	if p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return r.compare(p, desired, remote)
	}
	if remote == nil && p.obj.CommonStatus().ID != "" && !r.environments.trusted(environmentOf(p.obj)) {
		r.environments.connections.of(environmentOf(p.obj)).gate.doubt(r.waiterOf(p.obj))
		return errNotYet // until it is clear that it is gone, and not all else as well
	}
	if p.obj, err = hold(ctx, r.client, p.obj, r.Resource.Marks(p.obj, remote)); err != nil {
		return err
	}
	if !controllerutil.ContainsFinalizer(p.before, v1alpha1.Finalizer) && remote != nil {
		r.event(p, corev1.EventTypeNormal, "Adopted", "Adopt", "found in Cobalt and adopted")
	}
	p.before = p.obj.DeepCopyObject().(T)
	remote, err = r.converge(ctx, api, p, desired, remote)
	if remote != nil {
		r.Resource.Publish(p.obj, desired, remote)
	}
	return err
}

func (r *Reconciler[T, R]) waiterOf(obj T) waiter {
	return waiter{r.waker, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}}
}
