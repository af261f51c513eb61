package breaker

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// Waker puts objects into the queue of their controller for a cause that no
// watch sees, such as an environment that lets objects through.
type Waker struct{ queue atomic.Pointer[queue] }

var _ source.Source = &Waker{}

// Start is called by the controller with its queue.
func (w *Waker) Start(_ context.Context, q queue) error {
	w.queue.Store(&q)
	return nil
}

// Wake puts an object into the queue after a while.
func (w *Waker) Wake(request ctrl.Request, after time.Duration) {
	if q := w.queue.Load(); q != nil {
		(*q).AddAfter(request, after)
	}
}

// WakeBackground wakes an object that nobody waits for: it lets others go first.
func (w *Waker) WakeBackground(request ctrl.Request, after time.Duration) {
	q := w.queue.Load()
	if q == nil {
		return
	}
	if prioritized, ok := (*q).(priorityqueue.PriorityQueue[ctrl.Request]); ok {
		prioritized.AddWithOpts(priorityqueue.AddOpts{After: after, Priority: ptr.To(handler.LowPriority)}, request)
		return
	}
	(*q).AddAfter(request, after)
}

// Waiter is an object in the queue that it is woken through.
type Waiter struct {
	Waker   *Waker
	Request ctrl.Request
}
