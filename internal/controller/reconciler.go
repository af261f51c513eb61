package controller

import (
	"context"
	"errors"
	"time"

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

// pass is one reconcile of one object.
type pass[T Object] struct {
	obj T
	// before is obj as the API server has it.
	before T
	inputs *Inputs
	// rivals are the other live objects that stand for the same thing.
	rivals []Object
	// about is what this pass is about, last what is known of the one before.
	about about
	last  dueTime
	// wanted tells that somebody waits for this pass: a change, a request, a
	// deletion. Otherwise it is a look in the background.
	wanted bool
	// urgent tells that this pass is not wanted, but must not wait behind looks.
	urgent bool
	// interval until the next look.
	interval time.Duration
	// wake is when the next pass is needed; zero leaves it to the interval.
	wake time.Time
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

// begin finds out what a pass is for. env is nil if there is none.
func (r *Reconciler[T, R]) begin(ctx context.Context, obj T, env EnvironmentObject) (*pass[T], error) {
	version, err := r.inputs.version(ctx, r.Resource.References(obj))
	if err != nil {
		return nil, err
	}
	rivals, err := r.rivals(ctx, obj)
	if err != nil {
		return nil, err
	}
	p := &pass[T]{
		obj: obj, before: obj.DeepCopyObject().(T), inputs: r.inputs.open(), rivals: rivals,
		about: about{obj.GetGeneration(), version, requested(obj), generationOf(env), winner(obj, rivals).GetUID()},
		last:  r.due.get(client.ObjectKeyFromObject(obj), obj.GetUID()),
	}
	restarted := p.last.about == about{}
	if restarted && conditionsOf(obj).settled(obj.GetGeneration()) {
		status := obj.CommonStatus()
		p.last.about = about{status.ObservedGeneration, status.InputsVersion, status.LastHandledReconcileAt, p.about.environment, p.about.winner}
	}
	if restarted {
		p.last.ready = conditionsOf(obj).ready(obj.GetGeneration())
	}
	if p.last.ready {
		p.last.about.environment = p.about.environment
	}
	p.wanted = p.last.about != p.about
	p.interval = r.options.SyncInterval
	if env != nil {
		p.interval = env.Settings().SyncInterval.Value(p.interval)
	}
	p.interval = obj.CommonSpec().SyncInterval.Value(p.interval)
	if p.interval == 0 {
		p.interval = never
	}
	if restarted && !p.wanted && p.last.ready {
		p.last.at = r.clock.Now().Add(r.options.Spread(p.interval)) // not all at once
		r.due.set(client.ObjectKeyFromObject(obj), p.last)
	}
	return p, nil
}

func generationOf(env EnvironmentObject) int64 {
	if env == nil {
		return 0
	}
	return env.GetGeneration()
}

// rest tells whether there is nothing to do before the next look, and how long
// that is.
func (r *Reconciler[T, R]) rest(ctx context.Context, p *pass[T]) (time.Duration, bool) {
	if p.wanted {
		return 0, false
	}
	now, at := r.clock.Now(), p.last.at
	if due := r.Resource.Due(ctx, p.obj); !due.IsZero() {
		p.urgent = !due.After(now)
		if due.Before(at) {
			at = due
		}
	}
	left := at.Sub(now)
	return left, left > 0
}

// sync is the whole story of an object that is not being deleted.
func (r *Reconciler[T, R]) sync(ctx context.Context, p *pass[T], env EnvironmentObject) error {
	ctx = p.asCaller(ctx)
	if first := winner(p.obj, p.rivals); first.GetUID() != p.obj.GetUID() {
		return stalledBy(v1alpha1.ReasonConflict,
			"%s is older and stands for the same in Cobalt: delete one of the two objects", client.ObjectKeyFromObject(first))
	}
	api, err := r.environments.connect(p.obj, env, r.waiterOf(p.obj))
	if err != nil {
		return err
	}
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
	if err != nil {
		return err
	}
	p.wake, err = r.Resource.Extend(ctx, api, p.inputs, p.obj)
	return err
}

// converge writes to Cobalt what is missing or different there, and returns
// what it has then.
func (r *Reconciler[T, R]) converge(ctx context.Context, api *cobalt.Client, p *pass[T], desired, remote *R) (*R, error) {
	if remote == nil {
		created, err := r.Resource.Create(ctx, api, desired)
		if err != nil {
			return nil, err
		}
		r.event(p, corev1.EventTypeNormal, "Created", "Create", "created in Cobalt")
		return created, p.kept(r.Resource.Diff(desired, created))
	}
	drift := r.Resource.Diff(desired, remote)
	if len(drift) == 0 {
		return remote, p.kept(nil)
	}
	if p.triedInVain(drift) {
		return remote, p.kept(drift)
	}
	p.setDrift(drift) // stays until correcting it works
	updated, err := r.Resource.Update(ctx, api, desired, remote)
	switch {
	case cobalt.IsNotFound(err): // gone since Observe: observe again
		return nil, errors.New("it vanished from Cobalt meanwhile: " + err.Error())
	case err != nil:
		return nil, err
	}
	r.event(p, corev1.EventTypeNormal, "Updated", "Update", "corrected in Cobalt: "+paths(drift))
	return updated, p.kept(r.Resource.Diff(desired, updated))
}

// compare is sync under managementPolicy ReadOnly: it tells what would change.
func (r *Reconciler[T, R]) compare(p *pass[T], desired, remote *R) error {
	if remote == nil {
		return waitingFor(v1alpha1.ReasonRemoteNotFound,
			"it does not exist in Cobalt, and managementPolicy ReadOnly keeps the operator from creating it")
	}
	p.setDrift(r.Resource.Diff(desired, remote))
	r.Resource.Publish(p.obj, desired, remote)
	return nil
}

// remove deletes what obj stands for in Cobalt, unless it is to stay there.
func (r *Reconciler[T, R]) remove(ctx context.Context, p *pass[T], env EnvironmentObject, envErr error) (gone bool, err error) {
	keep := r.Resource.DeletionPolicy(p.obj) == v1alpha1.DeletionPolicyOrphan ||
		p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly ||
		env != nil && env.Settings().DeletionPolicy == v1alpha1.DeletionPolicyOrphan
	if keep { // before connecting: the way out for users who lost the credentials
		r.event(p, corev1.EventTypeNormal, "Released", "Release", "left as it is in Cobalt")
		return true, nil
	}
	if notAllowed(envErr) && p.obj.CommonStatus().ID == "" {
		// Finalizers and annotations can be forged, the status of what was held cannot.
		r.event(p, corev1.EventTypeNormal, "Released", "Release", "nothing deleted in Cobalt: "+envErr.Error())
		return true, nil
	}
	if len(p.rivals) > 0 { // it is theirs as well
		return true, r.handOver(ctx, p)
	}
	api, err := r.environments.connectToDelete(p.obj, env, r.waiterOf(p.obj))
	if err != nil {
		return false, err
	}
	ctx = p.asCaller(ctx)
	err = r.Resource.Delete(ctx, api, p.obj)
	if cobalt.IsNotFound(err) { // some gateway may have said so: the API must have answered
		err = probe(ctx, api)
	}
	if err != nil {
		return false, err
	}
	r.event(p, corev1.EventTypeNormal, "Deleted", "Delete", "deleted in Cobalt")
	return true, nil
}

// handOver leaves what obj stands for to the rival that counts from now on. What
// obj has created is as good as created by that one.
func (r *Reconciler[T, R]) handOver(ctx context.Context, p *pass[T]) error {
	heir := winner(p.rivals[0], p.rivals)
	if origin, ok := mark(p.obj, originMark); ok && origin == string(v1alpha1.OriginCreated) {
		before, after := heir.DeepCopyObject().(client.Object), heir.DeepCopyObject().(client.Object)
		setMark(after, originMark, origin)
		if err := r.client.Patch(ctx, after, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	r.event(p, corev1.EventTypeNormal, "HandedOver", "Release",
		"left in Cobalt: it now belongs to "+client.ObjectKeyFromObject(heir).String())
	return nil
}

// letGo ends the life of an object that has nothing left to look after.
func (r *Reconciler[T, R]) letGo(ctx context.Context, obj T) (ctrl.Result, error) {
	o := judge(release(ctx, r.client, obj))
	return ctrl.Result{RequeueAfter: o.after}, o.err
}

func (r *Reconciler[T, R]) waiterOf(obj T) waiter {
	return waiter{r.waker, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}}
}

func (p *pass[T]) asCaller(ctx context.Context) context.Context {
	lane := cobalt.Background
	if p.wanted || p.urgent {
		lane = cobalt.Foreground
	}
	return cobalt.WithCaller(ctx, lane, string(p.obj.GetUID()))
}
