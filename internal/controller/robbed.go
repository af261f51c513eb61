package controller

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// robbed lets through that somebody has taken away what the operator had written into the metadata of an object, as
// `kubectl replace` does. Without it, deleting the object would leave everything behind without a word.
var robbed = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if !e.ObjectNew.GetDeletionTimestamp().IsZero() {
			return false
		}
		if isHeld(e.ObjectOld) && !isHeld(e.ObjectNew) {
			return true
		}
		for _, name := range lastingMarks {
			_, before := mark(e.ObjectOld, name)
			if _, now := mark(e.ObjectNew, name); before && !now {
				return true
			}
		}
		return false
	},
}

// lastingMarks are those that an object keeps for as long as it stands for something.
var lastingMarks = []string{accountMark, originMark, credentialsMark, workflowMark, adoptedMark, firedMark}

// restorePause is how long it takes at least from one restoring of an object to the next: whoever takes it away again and
// again must not have us write all the time.
const restorePause = time.Minute

// restore writes back what the status knows and the metadata has lost, whatever else keeps obj from being looked after: it
// takes no call, and what is deleted without it stays in Cobalt. It returns obj as the API server has it then and, if it is
// too early to write that again, in how long it is not.
func restore[T Object](ctx context.Context, c client.Client, due *dueTimes, obj T) (T, time.Duration, error) {
	marks, held := lasting(obj)
	if !obj.GetDeletionTimestamp().IsZero() || !isRobbed(obj, marks, held) {
		return obj, 0, nil
	}
	key, now := client.ObjectKeyFromObject(obj), due.clock.Now()
	last := due.get(key, obj.GetUID())
	if left := restorePause - now.Sub(last.restored); left > 0 {
		return obj, left, nil
	}
	write := annotate[T]
	if held {
		write = hold[T]
	}
	whole, err := write(ctx, c, obj, marks)
	if err != nil {
		return obj, 0, client.IgnoreNotFound(err)
	}
	last.seen, last.restored = whole.GetResourceVersion(), now
	due.set(key, last)
	return whole, 0, nil
}

// isRobbed tells whether obj lacks one of these annotations, or the finalizer.
func isRobbed(obj client.Object, marks map[string]string, held bool) bool {
	for name := range marks {
		if _, ok := mark(obj, name); !ok {
			return true
		}
	}
	return held && !isHeld(obj)
}

// lasting are the annotations that obj must have by what its status knows, and whether it must have the finalizer.
// Values that it has are left alone: they may be newer than what the cache has of the status.
func lasting(obj Object) (marks map[string]string, held bool) {
	switch obj := obj.(type) {
	case Kept:
		if marks = lastingOf(obj); marks == nil {
			return nil, false
		}
	case *v1alpha1.PublicWorkflow:
		if marks = (publicWorkflows{}).Marks(obj); marks == nil {
			return nil, false
		}
		marks[accountMark] = obj.Status.LinkedAccountID
	case *v1alpha1.EventTrigger: // which has no finalizer, as Cobalt has nothing to take back
		marks = (eventTriggers{}).Marks(obj)
	}
	for name, value := range marks {
		if present, ok := mark(obj, name); ok {
			marks[name] = present
		} else if value == "" {
			delete(marks, name)
		}
	}
	_, trigger := obj.(*v1alpha1.EventTrigger)
	return marks, !trigger
}

// lastingOf is lasting for an object that keeps a state; nil if it does not, or not yet: what was only looked at is
// nobody's before the first pass that may write.
func lastingOf(obj Kept) map[string]string {
	status := obj.CommonStatus()
	managed := obj.CommonSpec().ManagementPolicy != v1alpha1.ManagementPolicyReadOnly &&
		(status.Origin != "" || conditionsOf(obj).ready(obj.GetGeneration()))
	if status.ID == "" || !managed {
		return nil
	}
	marks := map[string]string{accountMark: status.LinkedAccountID, originMark: string(status.Origin)}
	if account, ok := obj.(*v1alpha1.LinkedAccount); ok && len(account.Status.Credentials) > 0 {
		marks[credentialsMark] = credentialsIn(rememberedInStatus(account))
	}
	return marks
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
