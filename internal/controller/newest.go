package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// callsOf returns the context of the calls that a run makes, of which none
// changes anything unless the run is about the newest version of its object.
func (r *Reconciler[T, R]) callsOf(ctx context.Context, p *run[T]) context.Context {
	return cobalt.WithPrecondition(p.asCaller(ctx), func(ctx context.Context) error { return r.newest(ctx, p) })
}

// newest makes sure that an object is what the cache says. The cache of an
// operator that starts may be filled by an API server that lags: what it shows
// as new may be long past, and the object gone. So the first change that is made
// for an object asks the API server itself. From then on, what was written or
// read last tells whether the cache lags.
func (r *Reconciler[T, R]) newest(ctx context.Context, p *run[T]) error {
	if p.known() || p.lost {
		return nil
	}
	now := r.prototype.DeepCopyObject().(T)
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(p.obj), now); err != nil {
		return err
	}
	if now.GetUID() != p.obj.GetUID() {
		return condition.ErrStale
	}
	p.memory.seen = now.GetResourceVersion()
	r.memories.set(client.ObjectKeyFromObject(p.obj), p.memory)
	if !p.known() {
		return condition.ErrStale
	}
	return nil
}

// known tells whether obj is at least as new as what this operator has written or
// read at the API server.
func (p *run[T]) known() bool { return p.memory.seen != "" && !p.memory.lags(p.obj) }

// sameAccount makes sure that the account of an object is what the cache says, before
// anything is done that cannot be taken back.
func (t *actionRun[T]) sameAccount(ctx context.Context) error {
	if t.account.Linked.Name == "" {
		return nil
	}
	now := &v1alpha1.LinkedAccount{}
	if err := t.flow.live.Get(ctx, t.account.Linked, now); err != nil {
		return err
	}
	if now.Status.ID != t.account.Made || object.Vanished(now) || !now.DeletionTimestamp.IsZero() {
		return condition.ErrStale
	}
	return nil
}

// newest makes sure that an environment is what the cache says, before anything is
// done by what it says: an operator that starts could otherwise make accounts where
// it led before.
func (r *EnvironmentReconciler[T]) newest(ctx context.Context, key object.EnvironmentKey, env T) error {
	conn := r.environments.Of(key)
	if conn.Versions.Unseen() {
		now := r.prototype.DeepCopyObject().(T)
		if err := r.live.Get(ctx, key.NamespacedName, now); err != nil {
			return err
		}
		conn.Versions.Saw(now.GetResourceVersion())
	}
	if seen, ok := conn.Versions.Doubts(env); ok {
		version, err := object.CatchUp(ctx, r.live, env, seen)
		if err != nil {
			return err
		}
		conn.Versions.Saw(version)
	}
	if conn.Versions.Lags(env) {
		return condition.ErrStale
	}
	return nil
}
