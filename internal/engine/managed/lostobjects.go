package managed

import (
	"context"
	"maps"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// deletionTakes is for how long the API server may be at a deletion, and more: it ends each request after a minute.
const deletionTakes = 2 * time.Minute

// lostObjects remembers the objects that were given the finalizer, until their status was written after that, or until
// nothing can happen to them any more. The API server does not look again for finalizers at the end of a deletion that
// has found none: an object that is deleted in the moment in which it is given one goes nevertheless, even after it was
// seen with it, and what is made in Cobalt for it would be nobody's.
type lostObjects[T client.Object] struct {
	live  client.Reader
	clock clock.PassiveClock

	mu      sync.Mutex
	objects map[types.NamespacedName]heldObject[T]
}

// heldObject is one that was given the finalizer.
type heldObject[T client.Object] struct {
	obj   T
	since time.Time
	// lost tells that it is gone, and that what it stands for is still to be deleted.
	lost bool
}

func newLostObjects[T client.Object](live client.Reader, c clock.PassiveClock) *lostObjects[T] {
	return &lostObjects[T]{live: live, clock: c, objects: map[types.NamespacedName]heldObject[T]{}}
}

// put remembers an object that was given the finalizer just now, and forgets those that nothing can happen to any more.
func (l *lostObjects[T]) put(obj T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	maps.DeleteFunc(l.objects, func(_ types.NamespacedName, held heldObject[T]) bool {
		return !held.lost && now.Sub(held.since) >= deletionTakes
	})
	l.objects[client.ObjectKeyFromObject(obj)] = heldObject[T]{obj: obj.DeepCopyObject().(T), since: now}
}

// update remembers what is known by now of an object, if it is remembered.
func (l *lostObjects[T]) update(obj T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := client.ObjectKeyFromObject(obj)
	if held, ok := l.objects[key]; ok && held.obj.GetUID() == obj.GetUID() {
		held.obj = obj.DeepCopyObject().(T)
		l.objects[key] = held
	}
}

func (l *lostObjects[T]) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.objects, key)
}

func (l *lostObjects[T]) get(key types.NamespacedName) (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.objects[key]
	return held.obj, ok
}

// lost returns the object of a name that is gone in spite of its finalizer, as one that
// is being deleted. seen is what the cache has of that name, if anything.
func (l *lostObjects[T]) lost(ctx context.Context, key types.NamespacedName, seen T) (obj T, ok bool, err error) {
	held, ok := l.get(key)
	switch {
	case !ok:
		return obj, false, nil
	case seen.GetUID() == held.GetUID():
		if object.HasFinalizer(seen) && !seen.GetDeletionTimestamp().IsZero() { // its deletion waits for us
			l.forget(key)
		}
		return obj, false, nil
	}
	now := held.DeepCopyObject().(T)
	err = l.live.Get(ctx, key, now)
	if err == nil && now.GetUID() == held.GetUID() || err != nil && !apierrors.IsNotFound(err) {
		return obj, false, err
	}
	l.markLost(key)
	held = held.DeepCopyObject().(T)
	held.SetDeletionTimestamp(new(metav1.Now()))
	return held, true, nil
}

func (l *lostObjects[T]) markLost(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.objects[key]
	held.lost = true
	l.objects[key] = held
}

// isLost tells whether obj is one that was lost.
func (l *lostObjects[T]) isLost(obj T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.objects[client.ObjectKeyFromObject(obj)]
	return ok && held.lost && held.obj.GetUID() == obj.GetUID()
}
