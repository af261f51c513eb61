package managed

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
)

// callsOf returns the context of the calls that a run makes, of which none
// changes anything unless the run is about the newest version of its object.
func (r *Reconciler[T, R]) callsOf(ctx context.Context, run *Run[T]) context.Context {
	return cobalt.WithPrecondition(run.asCaller(ctx), func(ctx context.Context) error { return r.newest(ctx, run) })
}

// newest makes sure that an object is what the cache says. The cache of an
// operator that starts may be filled by an API server that lags: what it shows
// as new may be long past, and the object gone. So the first change that is made
// for an object asks the API server itself. From then on, what was written or
// read last tells whether the cache lags.
func (r *Reconciler[T, R]) newest(ctx context.Context, run *Run[T]) error {
	if run.known() || run.vanished {
		return nil
	}
	now := r.New()
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(run.Obj), now); err != nil {
		return err
	}
	if now.GetUID() != run.Obj.GetUID() {
		return condition.ErrStale
	}
	run.Memory.Seen = now.GetResourceVersion()
	run.Remember()
	if !run.known() {
		return condition.ErrStale
	}
	return nil
}

// known tells whether obj is at least as new as what this operator has written or
// read at the API server.
func (run *Run[T]) known() bool { return run.Memory.Seen != "" && !run.Memory.Behind(run.Obj) }
