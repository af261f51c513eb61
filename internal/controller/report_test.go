package controller

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// TestOldDeadlineIsNoHotLoop: after a restart, an object that had waited for
// longer than the deadline waits in silence for its environment to be looked at.
func TestOldDeadlineIsNoHotLoop(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	same := func(d time.Duration) time.Duration { return d }
	r := &Reconciler[*v1alpha1.LinkedAccount, account]{due: newDueTimes(Options{}, longestPause), options: Options{ProgressDeadline: time.Minute, Jitter: same}}
	obj := &v1alpha1.LinkedAccount{}
	meta.SetStatusCondition(&obj.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonSecretNotFound, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour)),
	})
	p := &pass[*v1alpha1.LinkedAccount]{obj: obj, inputs: inputStore{}.open(), interval: 10 * time.Minute}
	result, err := r.next(p, judge(errNotYet), now)
	if err != nil || result.RequeueAfter != p.interval {
		t.Errorf("comes back after %s (%v), want %s", result.RequeueAfter, err, p.interval)
	}
}
