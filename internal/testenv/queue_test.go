package testenv

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
)

// As in the real queue: who is woken while being looked at, and asks to come back
// later, comes at once, and only once.
func TestAnItemWaitsOnce(t *testing.T) {
	clock := NewTime(time.Unix(0, 0))
	q := clock.Queue("linkedaccount", workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]()).(*queue)
	defer q.ShutDown()
	acme := ctrl.Request{NamespacedName: types.NamespacedName{Name: "acme"}}
	q.Add(acme)
	q.GetWithPriority()
	q.Add(acme)
	q.AddAfter(acme, time.Minute)
	q.Done(acme)
	if _, _, shutdown := q.GetWithPriority(); shutdown {
		t.Fatal("it does not come back")
	}
	q.AddAfter(acme, time.Hour)
	q.Done(acme)
	if delay, planned := clock.Delay("linkedaccount", acme); !planned || delay != time.Hour {
		t.Fatalf("comes back in %v (%v), want 1h", delay, planned)
	}
}
