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

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/condition"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// interval is how often looks has its objects looked at.
const interval = 10 * time.Minute

// looks is a handler of objects that are looked at in an interval.
type looks struct {
	Handler[*v1alpha1.Webhook, *Run[*v1alpha1.Webhook]]
}

func (looks) Uses(*v1alpha1.Webhook) []inputs.Use { return nil }

func (looks) Next(_ *Run[*v1alpha1.Webhook], _ condition.Outcome, now time.Time) (time.Time, bool) {
	return now.Add(interval), false
}

// TestOldDeadlineIsNoHotLoop: after a restart, an object that had waited for
// longer than the deadline waits in silence for its environment to be looked at.
func TestOldDeadlineIsNoHotLoop(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := NewLoop(Deps{Settings: Settings{ProgressDeadline: time.Minute}}, looks{}, &v1alpha1.Webhook{})
	obj := &v1alpha1.Webhook{}
	meta.SetStatusCondition(&obj.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue,
		Reason: v1alpha1.ReasonSecretNotFound, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour)),
	})
	result, err := l.next(l.open(obj), nil, condition.Classify(condition.ErrWait), now)
	if err != nil || result.RequeueAfter != interval {
		t.Errorf("comes back after %s (%v), want %s", result.RequeueAfter, err, interval)
	}
}

// TestConflictsGrowUntilSomethingIsWritten: that a call had to wait for its turn says nothing of the next write.
func TestConflictsGrowUntilSomethingIsWritten(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	const pause = 200 * time.Millisecond
	d := Deps{Clock: clock, Settings: Settings{ConflictPause: pause}}
	l := NewLoop(d, looks{}, &v1alpha1.Webhook{})
	obj := &v1alpha1.Webhook{}
	conflict := apierrors.NewConflict(schema.GroupResource{}, "acme", errors.New("another version"))
	var got []time.Duration
	for _, err := range []error{
		conflict, conflict, &cobalt.ThrottledError{After: 3 * time.Second}, conflict, condition.WaitingFor(v1alpha1.ReasonSecretNotFound, "x"), conflict,
	} {
		result, _ := l.next(l.open(obj), nil, condition.Classify(err), clock.Now())
		got = append(got, result.RequeueAfter)
	}
	want := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 3 * time.Second, 800 * time.Millisecond, interval, 200 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
