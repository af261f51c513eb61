package engine

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
func (r *Managed[T, R]) callsOf(ctx context.Context, p *Run[T]) context.Context {
	return cobalt.WithPrecondition(p.asCaller(ctx), func(ctx context.Context) error { return r.newest(ctx, p) })
}

// newest makes sure that an object is what the cache says. The cache of an
// operator that starts may be filled by an API server that lags: what it shows
// as new may be long past, and the object gone. So the first change that is made
// for an object asks the API server itself. From then on, what was written or
// read last tells whether the cache lags.
func (r *Managed[T, R]) newest(ctx context.Context, p *Run[T]) error {
	if p.known() || p.lost {
		return nil
	}
	now := r.New()
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.obj), now); err != nil {
		return err
	}
	if now.GetUID() != p.obj.GetUID() {
		return condition.ErrStale
	}
	p.memory.Seen = now.GetResourceVersion()
	r.Memories.Set(client.ObjectKeyFromObject(p.obj), p.memory)
	if !p.known() {
		return condition.ErrStale
	}
	return nil
}

// known tells whether obj is at least as new as what this operator has written or
// read at the API server.
func (p *Run[T]) known() bool { return p.memory.Seen != "" && !p.memory.lags(p.obj) }

// SameAccount makes sure that the account of an object is what the cache says, before
// anything is done that cannot be taken back.
func (t *OnceRun[T]) SameAccount(ctx context.Context) error {
	if t.Account.Linked.Name == "" {
		return nil
	}
	now := &v1alpha1.LinkedAccount{}
	if err := t.Flow.Live.Get(ctx, t.Account.Linked, now); err != nil {
		return err
	}
	if now.Status.ID != t.Account.Made || object.Vanished(now) || !now.DeletionTimestamp.IsZero() {
		return condition.ErrStale
	}
	return nil
}
