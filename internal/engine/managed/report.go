package managed

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/drift"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
)

// Commit writes the status. An object that is new to the operator may have been replaced by another of its name meanwhile, or
// not be what it was any more: then its status is somebody else's. But what was just made for an object is told although the
// object has changed meanwhile: the next run may not come as far, and then nobody would know what is to be taken away again.
func (r *Reconciler[T, R]) Commit(ctx context.Context, run *Run[T]) error {
	key := client.ObjectKeyFromObject(run.Obj)
	if run.vanished { // there is no status any more that could tell the next run
		r.lostObjects.update(run.Obj)
		return nil
	}
	written, err := run.PatchStatus(ctx, run.held || !run.known())
	for run.held && apierrors.IsConflict(err) {
		now := r.New()
		if err := r.Live.Get(ctx, key, now); err != nil {
			return err
		}
		if now.GetUID() != run.Obj.GetUID() {
			return err
		}
		run.Obj.SetResourceVersion(now.GetResourceVersion())
		written, err = run.PatchStatus(ctx, true)
	}
	if written {
		r.lostObjects.forget(key) // it was still there
	}
	return err
}

// Annotate writes nothing: the annotations come before anything is made.
func (r *Reconciler[T, R]) Annotate(context.Context, *Run[T]) error { return nil }

// Next has an object looked at again after its interval. When all is well, or somebody has to change something, nobody waits
// for that look. Otherwise a watch or the breaker wakes the object, and this is for what neither sees.
func (r *Reconciler[T, R]) Next(run *Run[T], o condition.Outcome, now time.Time) (at time.Time, background bool) {
	at = engine.Earlier(now.Add(r.Settings.Jitter(run.interval)), run.Wake)
	m := &run.Memory
	if o.Class == condition.Ready || o.Class == condition.Stuck && o.Err == nil {
		m.Fingerprint, m.Ready, m.At = run.Fingerprint, o.Class == condition.Ready, at
		m.Exceptional = memory.Exceptional{Wrote: run.corrected, Failure: m.Failure, Restored: m.Restored, Unmade: m.Unmade}
		return at, true
	}
	m.Wrote, m.Open = run.corrected, m.Open || run.wanted && o.Class == condition.Reconciling
	return at, false
}

func readOnlyMessage(differences int) string {
	if differences == 0 {
		return "Cobalt is as spec says; managementPolicy is ReadOnly"
	}
	count := fmt.Sprintf("%d differences", differences)
	switch differences {
	case 1:
		count = "1 difference"
	case drift.Most:
		count = fmt.Sprintf("%d differences or more", differences)
	}
	return count + " to spec, see status.drift; managementPolicy ReadOnly keeps the operator from correcting them"
}
