package environment

import (
	"context"

	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// newest makes sure that an environment is what the cache says, before anything is
// done by what it says: an operator that starts could otherwise make accounts where
// it led before.
func (r *Reconciler[T]) newest(ctx context.Context, key object.EnvironmentKey, env T) error {
	conn := r.Environments.Of(key)
	if conn.Versions.Unseen() {
		now := r.New()
		if err := r.Live.Get(ctx, key.NamespacedName, now); err != nil {
			return err
		}
		conn.Versions.Saw(now.GetResourceVersion())
	}
	if seen, ok := conn.Versions.Doubts(env); ok {
		version, err := object.CatchUp(ctx, r.Live, env, seen)
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
