package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// remove deletes what obj stands for in Cobalt, unless it is to stay there.
func (r *Reconciler[T, R]) remove(ctx context.Context, p *pass[T], env EnvironmentObject, envErr error) (gone bool, err error) {
	keep := r.Resource.DeletionPolicy(p.obj) == v1alpha1.DeletionPolicyOrphan ||
		p.obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly
	if !keep && env != nil && env.Settings().DeletionPolicy == v1alpha1.DeletionPolicyOrphan {
		if r.environments.lags(p.obj, env) { // it may say so no longer, and there is no way back
			return false, errAgain
		}
		keep = true
	}
	if keep { // before connecting: the way out for users who lost the credentials
		r.event(p, corev1.EventTypeNormal, "Released", "Release", "left as it is in Cobalt")
		return true, nil
	}
	if p.account.id == "" {
		return true, nil // it never had an account to be in
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
	ctx = r.callsOf(ctx, p)
	p.look(api)
	switch err = r.Resource.Delete(ctx, api, p.obj); {
	case errors.Is(err, errOthers):
		r.event(p, corev1.EventTypeNormal, "Released", "Release", "left as it is in Cobalt: others made it")
		return true, nil
	case cobalt.IsNotFound(err): // some gateway may have said so: the API must have answered
		err = answers(ctx, api)
	}
	if err != nil {
		return false, err
	}
	r.event(p, corev1.EventTypeNormal, "Deleted", "Delete", "deleted in Cobalt")
	return true, nil
}

// handOver leaves what obj stands for to the rival that counts from now on. That
// one is held first, or it could go without a trace before it has looked. What
// obj has created is as good as created by it.
func (r *Reconciler[T, R]) handOver(ctx context.Context, p *pass[T]) error {
	heir, marks := winner(p.rivals[0], p.rivals[1:]), map[string]string{}
	for _, name := range []string{accountMark, originMark} {
		if value, ok := mark(p.obj, name); ok {
			marks[name] = value
		}
	}
	if marks[originMark] != string(v1alpha1.OriginCreated) {
		delete(marks, originMark)
	}
	held, err := hold(ctx, r.client, heir, marks)
	if err != nil {
		return err
	}
	if !isHeld(heir) { // it may go all the same, or have gone by now
		r.holds.put(held.(T))
		r.waker.Wake(ctrl.Request{NamespacedName: client.ObjectKeyFromObject(heir)}, 0)
	}
	r.event(p, corev1.EventTypeNormal, "HandedOver", "Release",
		"left in Cobalt: it now belongs to "+client.ObjectKeyFromObject(heir).String())
	return nil
}

// letGo ends the life of an object that has nothing left to look after. Of one that was
// lost there is nothing to write, and another may have its name by now.
func (r *Reconciler[T, R]) letGo(ctx context.Context, p *pass[T]) (ctrl.Result, error) {
	if p.lost {
		r.holds.forget(client.ObjectKeyFromObject(p.obj))
		return ctrl.Result{RequeueAfter: r.options.ConflictPause}, nil
	}
	return r.due.requeue(client.ObjectKeyFromObject(p.obj), release(ctx, r.client, p.obj))
}

// lately is how long an answer proves that the API is there and takes the key.
const lately = 10 * time.Second

// answers makes sure that it is.
func answers(ctx context.Context, api *View) error {
	if api.lists.api == api.Client {
		_, _, err := api.lists.applications.Find(ctx, "", lately)
		return err
	}
	for _, err := range api.ListApplications(ctx, "") {
		return err // the first element says enough
	}
	return nil
}
