package controller

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/lifetime"
)

var _ cobalt.Bounds = &lifetime.Lifetime{}

// finishing lets a reconcile that has begun come to its end when the operator is told to
// stop, so that what was done in Cobalt gets into the status. None begins any more: queues
// hand out what is left in them.
type finishing struct {
	reconcile.Reconciler
	lifetime *lifetime.Lifetime
}

// Reconcile reconciles, unless the operator was told to stop.
func (f finishing) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if f.lifetime.Stopping() {
		return ctrl.Result{}, nil
	}
	ctx, end := f.lifetime.Working(ctx)
	defer end()
	return f.Reconciler.Reconcile(ctx, request)
}

// complete has a controller run a reconciler.
func (s *setup) complete(b *builder.Builder, r reconcile.Reconciler, kind string, waker *breaker.Waker) error {
	if err := b.Complete(s.remembering(finishing{traced{r, s.options.Tracer, kind}, s.options.Lifetime}, waker)); err != nil {
		return fmt.Errorf("set up %s: %w", kind, err)
	}
	s.reconciled = append(s.reconciled, kind)
	return nil
}
