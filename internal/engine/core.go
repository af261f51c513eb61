package engine

import (
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
)

// Core is what the reconcilers of all kinds have.
type Core[T client.Object] struct {
	Deps
	Memories *Memories
	Waker    *breaker.Waker
	// Kind is the name of the kind, Prototype an empty object of it, and List an empty list.
	Kind      string
	Prototype T
	List      client.ObjectList
}

// NewCore returns the core of a kind. The pauses of what fails grow up to longest.
func NewCore[T client.Object](d Deps, kind string, prototype T, list client.ObjectList, longest time.Duration) Core[T] {
	return Core[T]{
		Deps: d, Memories: NewMemories(d.Clock, d.Settings.ConflictPause, longest), Waker: &breaker.Waker{},
		Kind: kind, Prototype: prototype, List: list,
	}
}

// WaiterOf is obj as the one who waits for something.
func (c *Core[T]) WaiterOf(obj T) breaker.Waiter {
	return breaker.Waiter{Waker: c.Waker, Request: ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}}
}

// New returns an empty object of the kind.
func (c *Core[T]) New() T { return c.Prototype.DeepCopyObject().(T) }
