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
var lastingMarks = []string{accountMark, originMark, credentialsMark, workflowMark, firedMark}

// restorePause is how long it takes at least from one restoring of an object to the next: whoever takes it away again and
// again must not have us write all the time.
const restorePause = time.Minute

// restore writes back what the status knows and the metadata has lost, which takes no call. after is when the object is
// looked at next if there is nothing to restore.
func (r *Reconciler[T, R]) restore(ctx context.Context, p *pass[T], after time.Duration) (ctrl.Result, error) {
	marks, lost := lostMarks(p.obj)
	if !lost || p.readOnly() {
		return background(after), nil
	}
	if left := restorePause - r.clock.Now().Sub(p.last.restored); left > 0 {
		return background(min(left, after)), nil
	}
	key := client.ObjectKeyFromObject(p.obj)
	held, err := hold(ctx, r.client, p.obj, marks)
	if err != nil {
		return r.due.requeue(key, err)
	}
	p.last.seen, p.last.restored = held.GetResourceVersion(), r.clock.Now()
	r.due.set(key, p.last)
	return background(after), nil
}

// lostMarks are the annotations that an object which stands for something has lost, by what its status knows, and whether
// it has lost any of them or the finalizer.
func lostMarks(obj Kept) (marks map[string]string, lost bool) {
	status := obj.CommonStatus()
	if status.ID == "" {
		return nil, false
	}
	marks = map[string]string{}
	for name, value := range map[string]string{accountMark: status.LinkedAccountID, originMark: string(status.Origin)} {
		if _, ok := mark(obj, name); !ok && value != "" {
			marks[name] = value
		}
	}
	account, ok := obj.(*v1alpha1.LinkedAccount)
	if _, marked := mark(obj, credentialsMark); ok && !marked && len(account.Status.Credentials) > 0 {
		marks[credentialsMark] = credentialsIn(rememberedInStatus(account))
	}
	return marks, len(marks) > 0 || !isHeld(obj)
}
