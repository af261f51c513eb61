package engine

import (
	"context"
	"maps"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
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

// lasting are the annotations that an object must have by what its status knows, nil if none, and whether it must have the
// finalizer.
type lasting struct {
	annotations map[string]string
	finalizer   bool
}

// restore writes back what the status knows and the metadata has lost, whatever else keeps obj from being looked after: it
// takes no call, and what is deleted without it stays in Cobalt. Values that obj has are left alone: they may be newer than
// what the cache has of the status. It returns obj as the API server has it then and, if it is too early to write that
// again, in how long it is not.
func restore[T object.Object](ctx context.Context, c client.Client, due *Memories, obj T, must lasting) (T, time.Duration, error) {
	lost := must.lostBy(obj)
	if !obj.GetDeletionTimestamp().IsZero() || len(lost) == 0 && !must.robbed(obj) {
		return obj, 0, nil
	}
	key, now := client.ObjectKeyFromObject(obj), due.clock.Now()
	last := due.Get(key, obj.GetUID())
	if left := restorePause - now.Sub(last.restored); left > 0 {
		return obj, left, nil
	}
	write := object.Annotate[T]
	if must.finalizer {
		write = object.AddFinalizer[T]
	}
	whole, err := write(ctx, c, obj, lost)
	if err != nil {
		return obj, 0, client.IgnoreNotFound(err)
	}
	last.Seen, last.restored = whole.GetResourceVersion(), now
	due.Set(key, last)
	return whole, 0, nil
}

// lostBy are the annotations that obj lacks.
func (l lasting) lostBy(obj client.Object) map[string]string {
	lost := map[string]string{}
	for name, value := range l.annotations {
		if _, ok := object.Annotation(obj, name); !ok && value != "" {
			lost[name] = value
		}
	}
	return lost
}

// robbed tells whether obj lacks the finalizer.
func (l lasting) robbed(obj client.Object) bool {
	return l.annotations != nil && l.finalizer && !object.HasFinalizer(obj)
}

// lasting is nothing for an object that does not keep a state, or not yet: what was only looked at is nobody's before the
// first run that may write.
func (r *Managed[T, R]) lasting(obj T) lasting {
	status := obj.CommonStatus()
	managed := obj.CommonSpec().ManagementPolicy != v1alpha1.ManagementPolicyReadOnly &&
		(status.Origin != "" || object.ConditionsOf(obj).IsReady(obj.GetGeneration()))
	if status.ID == "" || !managed {
		return lasting{}
	}
	annotations := map[string]string{object.AccountAnnotation: status.LinkedAccountID, object.OriginAnnotation: string(status.Origin)}
	maps.Copy(annotations, r.Resource.Remembered(obj))
	return lasting{annotations, true}
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
