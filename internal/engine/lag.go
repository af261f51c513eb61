package engine

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Lags tells whether obj, from the cache, is older than what this operator has seen of it.
func (d *Memories) Lags(ctx context.Context, live client.Reader, obj client.Object, now time.Time) (bool, error) {
	key := client.ObjectKeyFromObject(obj)
	last := d.Get(key, obj.GetUID())
	if !last.lags(obj) {
		if last.lag != (object.Lag{}) {
			last.lag = object.Lag{}
			d.Set(key, last)
		}
		return false, nil
	}
	var err error
	if last.lag.Asks(now) {
		last.Seen, err = object.CatchUp(ctx, live, obj, last.Seen)
	}
	d.Set(key, last)
	return last.lags(obj), err
}
