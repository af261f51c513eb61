package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// TestOldDeadlineIsNoHotLoop: after a restart, an object that had waited for
// longer than the deadline waits in silence for its environment to be looked at.
func TestOldDeadlineIsNoHotLoop(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	same := func(d time.Duration) time.Duration { return d }
	r := NewManaged(Deps{Settings: Settings{ProgressDeadline: time.Minute, Jitter: same}}, hooks{}, &v1alpha1.Webhook{}, nil)
	obj := &v1alpha1.Webhook{}
	meta.SetStatusCondition(&obj.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonSecretNotFound, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour)),
	})
	p := &Run[*v1alpha1.Webhook]{obj: obj, inputs: inputs.NewStore(nil, nil).Open(), interval: 10 * time.Minute}
	result, err := r.next(p, condition.Classify(condition.ErrWait), now)
	if err != nil || result.RequeueAfter != p.interval {
		t.Errorf("comes back after %s (%v), want %s", result.RequeueAfter, err, p.interval)
	}
}

// TestConflictsGrowUntilSomethingIsWritten: that a call had to wait for its turn says nothing of the next write.
func TestConflictsGrowUntilSomethingIsWritten(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	const pause = 200 * time.Millisecond
	d := Deps{Clock: clock, Settings: Settings{ConflictPause: pause, Jitter: func(d time.Duration) time.Duration { return d }}}
	r := NewManaged(d, hooks{}, &v1alpha1.Webhook{}, nil)
	obj := &v1alpha1.Webhook{}
	conflict := apierrors.NewConflict(schema.GroupResource{}, "acme", errors.New("another version"))
	var got []time.Duration
	for _, err := range []error{
		conflict, conflict, &cobalt.ThrottledError{After: 3 * time.Second}, conflict, condition.WaitingFor(v1alpha1.ReasonSecretNotFound, "x"), conflict,
	} {
		p := &Run[*v1alpha1.Webhook]{obj: obj, inputs: inputs.NewStore(nil, nil).Open(), interval: time.Minute}
		p.memory = r.Memories.Get(client.ObjectKeyFromObject(obj), obj.UID)
		result, _ := r.next(p, condition.Classify(err), clock.Now())
		got = append(got, result.RequeueAfter)
	}
	want := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 3 * time.Second, 800 * time.Millisecond, time.Minute, 200 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
