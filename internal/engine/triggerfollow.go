package engine

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// PollAt has runs looked at again then.
func (t *OnceRun[T]) PollAt(at time.Time) {
	key := client.ObjectKeyFromObject(t.Obj)
	last := t.Flow.Memories.Get(key, t.Obj.GetUID())
	last.Poll = at
	t.Flow.Memories.Set(key, last)
	t.WakeAt(at)
}
