package gate

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

func TestGateCloses(t *testing.T) {
	t.Parallel()
	failed := func(status int) cobalt.Call {
		return cobalt.Call{Operation: "getLinkedAccount", Err: &cobalt.Error{Status: status}}
	}
	fine := cobalt.Call{Operation: "getLinkedAccount", Status: http.StatusOK}
	bad := failed(http.StatusBadGateway)
	cases := map[string]struct {
		reason string
		calls  []cobalt.Call
		want   bool // open
	}{
		"Fine":            {"nothing is wrong", []cobalt.Call{fine}, true},
		"FewFailures":     {"failures happen", []cobalt.Call{bad, bad, bad, bad}, true},
		"FiveInARow":      {"the API is down", []cobalt.Call{bad, bad, bad, bad, bad}, false},
		"NotInARow":       {"it answers at times", []cobalt.Call{bad, bad, bad, bad, fine, bad}, true},
		"RefusalsBetween": {"a refusal is an answer", []cobalt.Call{bad, bad, bad, bad, failed(http.StatusNotFound), bad}, true},
		"Unauthorized":    {"the key is refused", []cobalt.Call{failed(http.StatusUnauthorized)}, false},
		"SessionToken": {"a refused session token concerns its object alone", []cobalt.Call{
			{Operation: "createPublicWorkflow", Err: &cobalt.Error{Status: http.StatusUnauthorized}},
		}, true},
		"OurOwnFault": {"a call that was given up says nothing of the API", []cobalt.Call{
			{Err: context.Canceled}, {Err: context.Canceled}, {Err: context.Canceled}, {Err: context.Canceled}, {Err: errors.New("x")},
		}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, tripped := New(clock.RealClock{}), 0
			g.OnTrip(func() { tripped++ })
			old := g.NewEpoch()
			epoch := g.NewEpoch()
			g.LetThrough(0)
			for range tripAfter {
				g.Saw(old, bad) // of a client that was replaced
			}
			for _, call := range tc.calls {
				g.Saw(epoch, call)
			}
			if open, _ := g.IsOpen(); open != tc.want {
				t.Errorf("%s: open %t, want %t", tc.reason, open, tc.want)
			}
			if (tripped == 1) == tc.want {
				t.Errorf("%s: the environment was woken %d times", tc.reason, tripped)
			}
		})
	}
}

// wakings is a queue that notes when whom it is to hand out.
type wakings struct {
	queue
	after map[string]time.Duration
}

func (w *wakings) AddAfter(request ctrl.Request, after time.Duration) { w.after[request.Name] = after }

// TestGateWakesInTurn: whoever somebody waits for comes first, and all of them spread out.
func TestGateWakesInTurn(t *testing.T) {
	t.Parallel()
	noted, g := &wakings{after: map[string]time.Duration{}}, New(clock.RealClock{})
	w := &Waker{}
	if err := w.Start(t.Context(), noted); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]bool{"quiet": false, "urgent": true} {
		request := ctrl.Request{}
		request.Name = name
		if _, open := g.Pass(Waiter{w, request}, wanted); open {
			t.Fatal("the gate is open before anything was seen")
		}
	}
	g.LetThrough(time.Second)
	if diff := cmp.Diff(map[string]time.Duration{"urgent": 0, "quiet": time.Second}, noted.after); diff != "" {
		t.Error(diff)
	}
}

// TestGateForgetsWhoQuits: whoever waits for nothing any more takes nobody's turn.
func TestGateForgetsWhoQuits(t *testing.T) {
	t.Parallel()
	g, waker, woken := New(clock.RealClock{}), &Waker{}, &wakings{after: map[string]time.Duration{}}
	if err := waker.Start(t.Context(), woken); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"refused", "patient"} {
		w := Waiter{Waker: waker}
		w.Request.Name = name
		g.Pass(w, true)
		if name == "refused" {
			g.Quit(w)
		}
	}
	g.LetThrough(time.Second)
	if diff := cmp.Diff(map[string]time.Duration{"patient": 0}, woken.after); diff != "" {
		t.Errorf("who was woken when (-want +got):\n%s", diff)
	}
}
