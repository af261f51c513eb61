package controller

import (
	"context"
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/engine"
)

// TestJumpsOfTheClockWakeWhatIsDue: and nothing else, and nobody for a clock that is a little wrong.
func TestJumpsOfTheClockWakeWhatIsDue(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		by    time.Duration
		jumps bool
		want  []string
	}{
		"None":      {0, false, nil},
		"Little":    {smallestJump, false, nil},
		"Forward":   {time.Minute, true, []string{"minute"}},
		"ByHours":   {3 * time.Hour, true, []string{"hour", "minute"}},
		"Backwards": {-3 * time.Hour, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			wall, steady := clocktesting.NewFakeClock(start), clocktesting.NewFakeClock(start)
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
			waker := &breaker.Waker{}
			if err := waker.Start(t.Context(), queue); err != nil {
				t.Fatal(err)
			}
			p := &planned{Reconciler: afterItsName{}, clock: wall, waker: waker, times: map[ctrl.Request]plannedTime{}}
			for _, name := range []string{"minute", "hour", "day", "never"} {
				if _, err := p.Reconcile(t.Context(), requestFor(name)); err != nil {
					t.Fatal(err)
				}
			}
			j := &jumps{clock: wall, steady: steady, planned: []*planned{p}}
			j.look()
			wall.Step(jumpPause + tc.by)
			steady.Step(jumpPause)
			if by := j.look(); by != tc.by || by.Abs() > smallestJump != tc.jumps {
				t.Errorf("the clock has jumped by %s", by)
			}
			if tc.jumps {
				j.wakeDue()
			}
			if got := namesIn(queue); !slices.Equal(got, tc.want) {
				t.Errorf("%v are woken, want %v", got, tc.want)
			}
		})
	}
}

// afterItsName wants to look at an object again after the time that it is called.
type afterItsName struct{}

func (afterItsName) Reconcile(_ context.Context, request ctrl.Request) (ctrl.Result, error) {
	after := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[request.Name]
	if request.Name == "hour" {
		return engine.Background(after), nil
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "default", Name: name}}
}

func namesIn(queue workqueue.TypedRateLimitingInterface[ctrl.Request]) []string {
	var names []string
	for queue.Len() > 0 {
		request, _ := queue.Get()
		names = append(names, request.Name)
	}
	slices.Sort(names)
	return names
}
