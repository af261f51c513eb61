package engine

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// MetadataTakenAway lets through that somebody has taken away what the operator had written into the metadata of an object, as
// `kubectl replace` does. Without it, deleting the object would leave everything behind without a word.
var MetadataTakenAway = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if !e.ObjectNew.GetDeletionTimestamp().IsZero() {
			return false
		}
		if object.HasFinalizer(e.ObjectOld) && !object.HasFinalizer(e.ObjectNew) {
			return true
		}
		for _, name := range lastingAnnotations {
			_, before := object.Annotation(e.ObjectOld, name)
			if _, now := object.Annotation(e.ObjectNew, name); before && !now {
				return true
			}
		}
		return false
	},
}

// lastingAnnotations are those that an object keeps for as long as it stands for something.
var lastingAnnotations = []string{
	object.AccountAnnotation, object.OriginAnnotation, object.CredentialsAnnotation,
	object.WorkflowAnnotation, object.AdoptedAnnotation, object.FiredAnnotation,
}

// restorePause is how long it takes at least from one restoring of an object to the next: whoever takes it away again and
// again must not have us write all the time.
const restorePause = time.Minute

// Lasting are the annotations that an object must have by what its status knows, nil if none, and whether it must have the
// finalizer.
type Lasting struct {
	Annotations map[string]string
	Finalizer   bool
}

// restore writes back what the status knows and the metadata has lost, whatever else keeps obj from being looked after: it
// takes no call, and what is deleted without it stays in Cobalt. Values that obj has are left alone: they may be newer than
// what the cache has of the status. It returns obj as the API server has it then and, if it is too early to write that
// again, in how long it is not.
func restore[T object.Object](ctx context.Context, c *Core[T], obj T, must Lasting) (T, time.Duration, error) {
	lost := must.lostBy(obj)
	if !obj.GetDeletionTimestamp().IsZero() || len(lost) == 0 && !must.robbed(obj) {
		return obj, 0, nil
	}
	key, now := client.ObjectKeyFromObject(obj), c.Clock.Now()
	last := c.Memories.Get(key, obj.GetUID())
	if left := restorePause - now.Sub(last.Restored); left > 0 {
		return obj, left, nil
	}
	write := object.Annotate[T]
	if must.Finalizer {
		write = object.AddFinalizer[T]
	}
	whole, err := write(ctx, c.Client, obj, lost)
	if err != nil {
		return obj, 0, client.IgnoreNotFound(err)
	}
	last.Seen, last.Restored = whole.GetResourceVersion(), now
	c.Memories.Set(key, last)
	return whole, 0, nil
}

// lostBy are the annotations that obj lacks.
func (l Lasting) lostBy(obj client.Object) map[string]string {
	lost := map[string]string{}
	for name, value := range l.Annotations {
		if _, ok := object.Annotation(obj, name); !ok && value != "" {
			lost[name] = value
		}
	}
	return lost
}

// robbed tells whether obj lacks the finalizer.
func (l Lasting) robbed(obj client.Object) bool {
	return l.Annotations != nil && l.Finalizer && !object.HasFinalizer(obj)
}

// noLaterThan has an object come back after then at the latest, unless that is zero.
func noLaterThan(then time.Duration) func(ctrl.Result, error) (ctrl.Result, error) {
	return func(result ctrl.Result, err error) (ctrl.Result, error) {
		if err == nil && then > 0 && (result.RequeueAfter == 0 || result.RequeueAfter > then) {
			result.RequeueAfter = then
		}
		return result, err
	}
}
