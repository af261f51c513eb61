package engine

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// lostObjects remembers the objects that were given the finalizer, until they have been seen
// with it. The API server does not look again for finalizers at the end of a deletion
// that has found none: an object that is deleted in the moment in which it is given one
// goes nevertheless, and what is made in Cobalt for it would be nobody's.
type lostObjects[T client.Object] struct {
	live client.Reader

	mu      sync.Mutex
	objects map[types.NamespacedName]T
}

func newLostObjects[T client.Object](live client.Reader) *lostObjects[T] {
	return &lostObjects[T]{live: live, objects: map[types.NamespacedName]T{}}
}

// put remembers an object that was given the finalizer just now.
func (h *lostObjects[T]) put(obj T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.objects[client.ObjectKeyFromObject(obj)] = obj.DeepCopyObject().(T)
}

func (h *lostObjects[T]) forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.objects, key)
}

func (h *lostObjects[T]) get(key types.NamespacedName) (T, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	obj, ok := h.objects[key]
	return obj, ok
}

// lost returns the object of a name that is gone in spite of its finalizer, as one that
// is being deleted. seen is what the cache has of that name, if anything.
func (h *lostObjects[T]) lost(ctx context.Context, key types.NamespacedName, seen T) (obj T, ok bool, err error) {
	held, ok := h.get(key)
	switch {
	case !ok:
		return obj, false, nil
	case seen.GetUID() == held.GetUID():
		if object.HasFinalizer(seen) {
			h.forget(key)
		}
		return obj, false, nil
	}
	now := held.DeepCopyObject().(T)
	err = h.live.Get(ctx, key, now)
	if err == nil && now.GetUID() == held.GetUID() || err != nil && !apierrors.IsNotFound(err) {
		return obj, false, err
	}
	held = held.DeepCopyObject().(T)
	held.SetDeletionTimestamp(new(metav1.Now()))
	return held, true, nil
}
