package memory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
)

// TestPauseHolds: what brings an object back for another cause leaves its pause as it is, and what may make
// a difference ends it.
func TestPauseHolds(t *testing.T) {
	t.Parallel()
	tried := Fingerprint{Generation: 3, Inputs: 1, Request: "a", Account: "x", Environment: 1}
	cases := map[string]struct {
		reason string
		epoch  int
		change func(a *Fingerprint)
		// waits and grows: it is not tried before the pause is over, and if it fails again, the pause goes on.
		waits, grows bool
	}{
		"Nothing":     {"nothing has changed", 7, func(*Fingerprint) {}, true, true},
		"Environment": {"the environment has another rate limit, say", 7, func(a *Fingerprint) { a.Environment++ }, true, true},
		"Request":     {"somebody asks for a try", 7, func(a *Fingerprint) { a.Request = "b" }, false, true},
		"Account":     {"the account was made again", 7, func(a *Fingerprint) { a.Account = "y" }, false, true},
		"Spec":        {"spec is another", 7, func(a *Fingerprint) { a.Generation++ }, false, false},
		"Inputs":      {"a Secret is another", 7, func(a *Fingerprint) { a.Inputs++ }, false, false},
		"Client":      {"the key or the address is another", 8, func(*Fingerprint) {}, false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clocktesting.NewFakeClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
			d, key, uid := NewStore(clock, 0, LongestPause), types.NamespacedName{Name: "acme"}, types.UID("1")
			request := ctrl.Request{NamespacedName: key}
			fail := func(what Fingerprint, epoch int) time.Duration {
				entry := d.Forgive(key, d.Get(key, uid), what, epoch)
				entry.Failure.Fingerprint, entry.Failure.Epoch = what, epoch
				d.Set(key, entry)
				return d.When(request)
			}
			var got []time.Duration
			for range 4 {
				got = append(got, fail(tried, 7))
				clock.Step(got[len(got)-1])
				d.Forget(request) // as the queue does for who comes back for another cause
			}
			if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, got); diff != "" {
				t.Fatal(diff)
			}
			fail(tried, 7)
			clock.Step(6 * time.Second) // of 16

			now := tried
			tc.change(&now)
			entry := d.Forgive(key, d.Get(key, uid), now, tc.epoch)
			if waits := entry.Failure.Like(now) && entry.Failure.Pauses(clock.Now()); waits != tc.waits {
				t.Errorf("%s: it waits %t, want %t", tc.reason, waits, tc.waits)
			}
			want := time.Second
			if tc.grows {
				want = 10 * time.Second
			}
			if again := fail(now, tc.epoch); again != want {
				t.Errorf("%s: after another failure it waits for %s, want %s", tc.reason, again, want)
			}
		})
	}
}

// TestPauseLeavesOthersAlone: what does not fail comes in its time, and what the API asks for is kept.
func TestPauseLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	d, key := NewStore(clock, 200*time.Millisecond, LongestPause), types.NamespacedName{Name: "acme"}
	if got := d.Failed(key, time.Minute); got != time.Minute {
		t.Errorf("it comes back after %s, and the API has asked for a minute", got)
	}
	d.Set(key, Memory{Exceptional: Exceptional{Failure: d.Get(key, "").Failure, Wake: clock.Now().Add(3 * time.Second)}})
	if got := d.When(ctrl.Request{NamespacedName: key}); got != 3*time.Second {
		t.Errorf("it comes back after %s, and something was due after 3s", got)
	}
	var conflicts []time.Duration
	for range 3 {
		conflicts = append(conflicts, d.Refused(key))
	}
	if diff := cmp.Diff([]time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}, conflicts); diff != "" {
		t.Errorf("conflicts: %s", diff)
	}
}
