package managed

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Delete removes from Cobalt what the object stands for, unless it is to stay there. A lost object no longer exists: there is
// no finalizer to remove, and its name may be taken.
func (r *Reconciler[T, R]) Delete(ctx context.Context, run *Run[T]) error {
	err := r.remove(ctx, run)
	if err == nil && run.vanished {
		r.lostObjects.forget(client.ObjectKeyFromObject(run.Obj))
		return condition.ErrStale
	}
	return err
}

func (r *Reconciler[T, R]) remove(ctx context.Context, run *Run[T]) error {
	status, env, allowed := run.Obj.CommonStatus(), run.Env, !environment.NotAllowed(run.EnvErr)
	may := func(origin v1alpha1.Origin) bool {
		return object.MayDelete(run.Obj, origin, allowed)
	}
	keep := !mayEver(run.Obj, may)
	if !keep && env != nil && env.Settings().DeletionPolicy == v1alpha1.DeletionPolicyOrphan {
		if r.Environments.Lags(run.Obj, env) { // it may say so no longer, and there is no way back
			return condition.ErrStale
		}
		keep = true
	}
	if keep { // before connecting: the way out for users who lost the credentials
		run.Tell(corev1.EventTypeNormal, "Released", "Release", "left as it is in Cobalt")
		return nil
	}
	if run.Account.ID == "" {
		return nil // it never had an account to be in
	}
	if !allowed && (status.ID == "" || status.LinkedAccountID == "" || status.Origin == "") {
		// Finalizers and annotations can be forged, the status of what was held cannot. What was only looked at has no origin.
		run.Tell(corev1.EventTypeNormal, "Released", "Release", "nothing deleted in Cobalt: "+run.EnvErr.Error())
		return nil
	}
	if len(run.conflicting) > 0 { // it is theirs as well
		return r.handOver(ctx, run)
	}
	if status.ID == "" && run.Memory.Unmade { // and what is there, others have made
		return nil
	}
	api, err := r.Environments.ConnectToDelete(run.Obj, env, r.WaiterOf(run.Obj), object.WasCreatedByUs(run.Obj))
	if err != nil {
		return err
	}
	ctx = r.callsOf(ctx, run)
	run.look(api)
	switch err = r.Resource.Delete(ctx, api, run.Obj, may); {
	case errors.Is(err, condition.ErrNotOurs):
		run.Tell(corev1.EventTypeNormal, "Released", "Release", "left as it is in Cobalt: others made it")
		return nil
	case cobalt.IsNotFound(err): // some gateway may have said so
		err = r.confirm(ctx, api, run, err)
	}
	if err != nil {
		return err
	}
	run.Tell(corev1.EventTypeNormal, "Deleted", "Delete", "deleted in Cobalt")
	return nil
}

// mayEver tells whether deleting obj may delete anything, as far as obj itself tells: of what was recorded and not seen,
// Cobalt will tell.
func mayEver(obj object.Managed, may func(v1alpha1.Origin) bool) bool {
	if known := object.KnownOrigin(obj); known != "" {
		return may(known)
	}
	record, ok := object.RecordedOrigin(obj)
	return ok && may(record.Origin)
}

// Of a miss in a form that is not Cobalt's own, another one is waited for: between confirmPause and confirmWithin later.
const (
	confirmPause  = 30 * time.Second
	confirmWithin = 2 * time.Minute
)

// confirm makes sure that what a deletion has missed is gone: another look must miss it as well, and the API must be there
// and take the key. Whoever is on the way does not know the API's own form of a miss, so any other has to be repeated: the
// third miss is enough, whatever its form.
func (r *Reconciler[T, R]) confirm(ctx context.Context, api *environment.Remote, run *Run[T], miss error) error {
	if !cobalt.IsMiss(miss) {
		return errors.New("whether it is deleted cannot be seen: " + miss.Error())
	}
	now := r.Clock.Now()
	since := now.Sub(run.Memory.Missed)
	if since > confirmWithin { // or never
		since = 0
	}
	own := false
	if since < confirmPause {
		again, err := r.missAgain(ctx, api, run.Obj, miss)
		if err != nil {
			return err
		}
		own = cobalt.IsOwnAnswer(miss) && cobalt.IsOwnAnswer(again)
	}
	switch err := api.Answers(ctx); {
	case cobalt.IsNotFound(err): // which is no refusal either
		return errors.New("whether it is deleted cannot be seen: " + err.Error())
	case err != nil:
		return err
	}
	if own {
		return nil
	}
	return r.onceMore(&run.Memory.Missed, "that it is gone was said in a form that is not Cobalt's own, so Cobalt is asked once more: ", miss)
}

// onceMore waits for another miss, unless the one before it was long enough ago.
func (r *Reconciler[T, R]) onceMore(missed *time.Time, why string, miss error) error {
	now := r.Clock.Now()
	since := now.Sub(*missed)
	switch {
	case since > confirmWithin: // or never
		*missed, since = now, 0
	case since >= confirmPause:
		return nil
	}
	return &condition.WaitingError{Reason: v1alpha1.ReasonFailed, After: confirmPause - since, Message: why + miss.Error()}
}

// believe makes sure of a look that has found nothing: something on the way may have said so, and what is there must not be
// taken for gone, made again or called our own.
func (r *Reconciler[T, R]) believe(api *environment.Remote, run *Run[T]) error {
	if api.Miss == nil || cobalt.IsOwnAnswer(api.Miss) || run.readOnly() {
		return nil
	}
	return r.onceMore(&run.Memory.Unseen,
		"that it is not there was said in a form that is not Cobalt's own, so Cobalt is asked once more: ", api.Miss)
}

// missAgain looks for what a deletion has missed, and returns that this look misses it as well, or as err that it does not.
func (r *Reconciler[T, R]) missAgain(ctx context.Context, api *environment.Remote, obj T, miss error) (again, err error) {
	again = r.Resource.Find(ctx, api, obj)
	switch {
	case again == nil:
		return nil, errors.New("it is still there: " + miss.Error())
	case cobalt.IsNotFound(again) && !cobalt.IsMiss(again):
		return nil, errors.New("whether it is deleted cannot be seen: " + again.Error())
	case !cobalt.IsMiss(again):
		return nil, again
	}
	return again, nil
}

// handOver leaves what obj stands for to the rival that counts from now on. That
// one is held first, or it could go without a trace before it has looked. What
// obj has created is as good as created by it.
func (r *Reconciler[T, R]) handOver(ctx context.Context, run *Run[T]) error {
	heir := oldest(run.conflicting[0], run.conflicting[1:])
	annotations := object.Inheritance(run.Obj, heir, run.Account.ID)
	held, err := object.AddFinalizer(ctx, r.Client, heir, annotations)
	if err != nil {
		return err
	}
	if !object.HasFinalizer(heir) { // it may go all the same, or have gone by now
		r.lostObjects.put(held.(T))
		r.Waker.Wake(ctrl.Request{NamespacedName: client.ObjectKeyFromObject(heir)}, 0)
	}
	if annotations[object.OriginAnnotation] == string(v1alpha1.OriginCreated) {
		before := held.DeepCopyObject().(object.Managed)
		held.CommonStatus().Origin = v1alpha1.OriginCreated
		if err := r.Client.Status().Patch(ctx, held, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	name := "an object in another namespace"
	if heir.GetNamespace() == run.Obj.GetNamespace() { // others are not for readers of this event
		name = client.ObjectKeyFromObject(heir).String()
	}
	run.Tell(corev1.EventTypeNormal, "HandedOver", "Release", "left in Cobalt: it now belongs to "+name)
	return nil
}
