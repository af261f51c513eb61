package engine

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/engine/memory"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Core is what the reconcilers of all kinds have.
type Core[T client.Object] struct {
	Deps
	Memories *memory.Store
	Waker    *breaker.Waker
	// Kind is the name of the kind, Prototype an empty object of it, and List an empty list.
	Kind      string
	Prototype T
	List      client.ObjectList
}

// NewCore returns the core of the kind of prototype. The pauses of what fails grow up to longest.
func NewCore[T client.Object](d Deps, prototype T, longest time.Duration) Core[T] {
	kind, _ := object.KindOf(prototype)
	return Core[T]{
		Deps: d, Memories: memory.NewStore(d.Clock, d.Settings.ConflictPause, longest), Waker: &breaker.Waker{},
		Kind: kind.Name, Prototype: prototype, List: kind.List,
	}
}

// WaiterOf is obj as the one who waits for something.
func (c *Core[T]) WaiterOf(obj T) breaker.Waiter {
	return breaker.Waiter{Waker: c.Waker, Request: ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}}
}

// New returns an empty object of the kind.
func (c *Core[T]) New() T { return c.Prototype.DeepCopyObject().(T) }

// tryAgain says when a run is tried again that an outcome has put to an end; false if it has not. comeBack is a result at
// the priority that the run has.
func (c *Core[T]) tryAgain(
	key types.NamespacedName, o condition.Outcome, comeBack func(time.Duration) ctrl.Result,
) (result ctrl.Result, ok bool, err error) {
	switch {
	case o.Conflict:
		return comeBack(c.Memories.Refused(key)), true, nil
	case o.Again:
		return comeBack(c.Settings.ConflictPause), true, nil
	case o.Err != nil && o.After == 0:
		return ctrl.Result{}, true, errors.New(o.Message) // without the secrets that o.Err may quote
	case o.Fails():
		return Background(c.Memories.Failed(key, o.After)), true, nil
	case o.After > 0:
		return comeBack(o.After), true, nil
	}
	return ctrl.Result{}, false, nil
}

// news is the Ready condition if it says something else than before, and not that all is well; otherwise nil.
func news(was, is []metav1.Condition) *metav1.Condition {
	before, now := meta.FindStatusCondition(was, v1alpha1.ConditionReady), meta.FindStatusCondition(is, v1alpha1.ConditionReady)
	if now == nil || now.Status == metav1.ConditionTrue || before != nil && before.Reason == now.Reason && before.Message == now.Message {
		return nil
	}
	return now
}

// Announce makes an event of news in the conditions of obj, and a line in the log.
func (c *Core[T]) Announce(ctx context.Context, obj T, action string, o condition.Outcome, was, is []metav1.Condition) {
	said := news(was, is)
	if said == nil {
		return
	}
	c.Events.Eventf(obj, nil, o.EventType(said.Reason), said.Reason, action, "%s", said.Message)
	if (o.Err == nil || o.After > 0) && said.Reason != v1alpha1.ReasonExecutionRunning { // or else the work queue logs it, or it is no problem
		ctrl.LoggerFrom(ctx).Info("not Ready", "reason", said.Reason, "message", said.Message)
	}
}

// PatchStatus writes what a run has made of the status that an object had before. If it is locked, nobody may have written the
// object meanwhile.
func (c *Core[T]) PatchStatus(ctx context.Context, before, obj T, locked bool) error {
	before = before.DeepCopyObject().(T)
	before.SetResourceVersion(obj.GetResourceVersion()) // annotations may have come since
	patch := client.MergeFrom(before)
	if locked {
		patch = client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	}
	return c.Client.Status().Patch(ctx, obj, patch)
}

// Requeue says when to come back after a step that says nothing in the status.
func (c *Core[T]) Requeue(key types.NamespacedName, err error) (ctrl.Result, error) {
	switch o := condition.Classify(err); {
	case o.Conflict:
		return ctrl.Result{RequeueAfter: c.Memories.Refused(key)}, nil
	case o.Again:
		return ctrl.Result{RequeueAfter: c.Settings.ConflictPause}, nil
	default:
		return ctrl.Result{RequeueAfter: o.After}, o.Err
	}
}
