package breaker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TestGateIsDoubted: what calls of objects meet has the environment probed, and closes nothing by itself. Only
// what must not be repeated waits for the probe.
func TestGateIsDoubted(t *testing.T) {
	t.Parallel()
	failed := func(status int) cobalt.Call {
		return cobalt.Call{Operation: "getLinkedAccount", Err: &cobalt.Error{Status: status}}
	}
	fine := cobalt.Call{Operation: "getLinkedAccount", Status: http.StatusOK}
	bad := failed(http.StatusBadGateway)
	cases := map[string]struct {
		reason string
		calls  []cobalt.Call
		want   bool // trusted
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
			g, tripped, w := New(clock.RealClock{}), 0, Waiter{Waker: &Waker{}}
			g.OnSuspicion(func() { tripped++ })
			old := g.NewEpoch()
			epoch := g.NewEpoch()
			g.Reset(0)
			for range tripAfter {
				g.Saw(old, bad) // of a client that was replaced
			}
			for _, call := range tc.calls {
				g.Saw(epoch, call)
			}
			if _, ok := g.Pass(w, true); !ok {
				t.Errorf("%s: whoever can try again is held up", tc.reason)
			}
			if trusted, _ := g.IsTrusted(); trusted != tc.want || g.PassOnce(w) != tc.want {
				t.Errorf("%s: trusted %t, want %t", tc.reason, trusted, tc.want)
			}
			if (tripped == 1) == tc.want {
				t.Errorf("%s: the environment was woken %d times", tc.reason, tripped)
			}
			g.Reset(0)
			if !g.PassOnce(w) {
				t.Error("the probe was to clear it")
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
		if _, ok := g.Pass(Waiter{w, request}, wanted); ok {
			t.Fatal("somebody is let through before anything was seen")
		}
	}
	g.Reset(time.Second)
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
	g.Reset(time.Second)
	if diff := cmp.Diff(map[string]time.Duration{"patient": 0}, woken.after); diff != "" {
		t.Errorf("who was woken when (-want +got):\n%s", diff)
	}
}

// TestGateLeavesPausesAlone: opening does not wake who is in a pause of its own, another client does.
func TestGateLeavesPausesAlone(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		between func(g *Breaker, w Waiter)
		want    map[string]time.Duration
	}{
		"SameClient":    {"the same key meets the same refusal", func(*Breaker, Waiter) {}, map[string]time.Duration{}},
		"AnotherClient": {"another key may not", func(g *Breaker, _ Waiter) { g.NewEpoch() }, map[string]time.Duration{"failing": 0}},
		"Recovered":     {"who fails no more has nothing to try", func(g *Breaker, w Waiter) { g.Fails(w, false); g.NewEpoch() }, map[string]time.Duration{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noted, g, waker := &wakings{after: map[string]time.Duration{}}, New(clock.RealClock{}), &Waker{}
			if err := waker.Start(t.Context(), noted); err != nil {
				t.Fatal(err)
			}
			g.NewEpoch()
			g.Reset(0)
			failing := Waiter{Waker: waker}
			failing.Request.Name = "failing"
			g.Fails(failing, true)
			g.Trip("x")
			tc.between(g, failing)
			g.Reset(time.Second)
			if diff := cmp.Diff(tc.want, noted.after); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

// TestGateIsDoubtedEverMoreSeldom: those that go on being refused do not have the environment probed each time.
func TestGateIsDoubtedEverMoreSeldom(t *testing.T) {
	t.Parallel()
	fake := clocktesting.NewFakeClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	g, refused := New(fake), cobalt.Call{Operation: "migrateToken", Err: &cobalt.Error{Status: http.StatusUnauthorized}}
	probed := false
	g.OnSuspicion(func() { probed = true })
	epoch := g.NewEpoch()
	g.Reset(0)
	until := func() (calls int) {
		for probed = false; !probed; calls++ {
			g.Saw(epoch, refused)
		}
		return calls
	}
	var got []int
	for range 6 {
		got = append(got, until())
		g.Reset(0)
	}
	if diff := cmp.Diff([]int{1, 10, 20, 40, 40, 40}, got); diff != "" {
		t.Errorf("calls that it takes, where the probe finds nothing: %s", diff)
	}
	fake.Step(calmAfter)
	if n := until(); n != 1 {
		t.Errorf("after a while without suspicion it takes %d calls, want 1", n)
	}
	g.Trip("x")
	g.Reset(0)
	if n := until(); n != 1 {
		t.Errorf("after the probe has agreed it takes %d calls, want 1", n)
	}
}

// TestGateForgetsWhoIsGone: an object that was deleted while it waited takes nobody's turn, also for another client.
func TestGateForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	g, waker, woken := New(clock.RealClock{}), &Waker{}, &wakings{after: map[string]time.Duration{}}
	if err := waker.Start(t.Context(), woken); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gone", "patient"} {
		w := Waiter{Waker: waker}
		w.Request.Name = name
		g.Pass(w, true)
		g.Fails(w, true)
		if name == "gone" {
			g.Forget(w)
		}
	}
	g.NewEpoch()
	g.Reset(time.Second)
	if diff := cmp.Diff(map[string]time.Duration{"patient": 0}, woken.after); diff != "" {
		t.Errorf("who was woken when (-want +got):\n%s", diff)
	}
}

// TestGateWakesNamespacesInTurn: one with many objects does not hold up another.
func TestGateWakesNamespacesInTurn(t *testing.T) {
	t.Parallel()
	for _, wanted := range []bool{true, false} {
		g, waker, woken := New(clock.RealClock{}), &Waker{}, &wakings{after: map[string]time.Duration{}}
		if err := waker.Start(t.Context(), woken); err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			w := Waiter{Waker: waker}
			w.Request.Namespace, w.Request.Name = "many", fmt.Sprintf("many-%d", i)
			g.Pass(w, wanted)
		}
		few := Waiter{Waker: waker}
		few.Request.Namespace, few.Request.Name = "few", "few"
		g.Pass(few, wanted)
		g.Reset(time.Second)
		if after := woken.after["few"]; len(woken.after) != 1001 || after > time.Second {
			t.Errorf("wanted %t: of %d the one of another namespace is woken after %s", wanted, len(woken.after), after)
		}
	}
}
