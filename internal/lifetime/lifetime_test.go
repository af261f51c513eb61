package lifetime

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
	clocktesting "k8s.io/utils/clock/testing"
)

const (
	grace = 40 * time.Second
	lease = 15 * time.Second
	young = 10 * time.Second
)

// world is a lifetime and its clocks.
type world struct {
	*Lifetime
	wall   *clocktesting.FakePassiveClock
	steady *clocktesting.FakeClock
	tell   context.CancelFunc
}

// lived runs a test of a lifetime. Whatever goes on in other goroutines has ended when wait returns.
func lived(t *testing.T, options Options, test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{wall: clocktesting.NewFakePassiveClock(time.Now()), steady: clocktesting.NewFakeClock(time.Now())}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		options.Wall, options.Steady = w.wall, w.steady
		w.Lifetime, w.tell = New(ctx, options), cancel
		test(t, w)
	})
}

// pass lets time pass on both clocks.
func (w *world) pass(d time.Duration) {
	w.wall.SetTime(w.wall.Now().Add(d))
	w.steady.Step(d)
	synctest.Wait()
}

func (w *world) stop() {
	w.tell()
	synctest.Wait()
}

func changing(t *testing.T, w *world) context.Context {
	t.Helper()
	ctx, end, err := w.Changing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return ctx
}

// TestEachThingEndsInItsTime: reads at once, calls that change something 5 s before the end of the grace period, and what is
// to be written of them 2 s before it.
func TestEachThingEndsInItsTime(t *testing.T) {
	t.Parallel()
	lived(t, Options{Grace: grace}, func(t *testing.T, w *world) {
		reconciling, stopped := context.WithCancel(t.Context())
		working, end := w.Working(reconciling)
		defer end()
		call := changing(t, w)
		reading, ended := w.Reading(working)
		defer ended()
		stillGoing := func(want bool, what string, ctx context.Context) {
			t.Helper()
			if going := ctx.Err() == nil; going != want {
				t.Errorf("%s goes on: %v, want %v", what, going, want)
			}
		}
		stillGoing(true, "a read", reading)
		w.stop()
		stopped() // as the manager does then
		synctest.Wait()
		stillGoing(false, "a read", reading)
		if _, _, err := w.Changing(working); !errors.Is(err, ErrStopping) || !w.Stopping() {
			t.Errorf("a call may begin: %v", err)
		}
		if err := w.MaySend(); err != nil {
			t.Errorf("what has begun cannot go on: %v", err)
		}
		w.pass(grace - 5*time.Second - 1)
		stillGoing(true, "a call", call)
		w.pass(1)
		stillGoing(false, "a call", call)
		if cause := context.Cause(call); !errors.Is(cause, ErrStopping) {
			t.Errorf("it ends because of %v", cause)
		}
		w.pass(3*time.Second - 1)
		stillGoing(true, "what it came to", working)
		w.pass(1)
		stillGoing(false, "what it came to", working)
	})
}

// TestAShortGracePeriodIsUsedUp: where it has no room for calls, they end at once.
func TestAShortGracePeriodIsUsedUp(t *testing.T) {
	t.Parallel()
	lived(t, Options{Grace: 3 * time.Second}, func(t *testing.T, w *world) {
		working, end := w.Working(t.Context())
		defer end()
		call := changing(t, w)
		w.stop()
		w.steady.Step(0)
		synctest.Wait()
		if call.Err() == nil || working.Err() != nil {
			t.Errorf("the call: %v, want it over; its end: %v, want it open", call.Err(), working.Err())
		}
	})
}

// TestWorkEndsWithItsManager: where that ends although nobody has told us to stop, the lease is lost.
func TestWorkEndsWithItsManager(t *testing.T) {
	t.Parallel()
	lived(t, Options{Grace: grace}, func(t *testing.T, w *world) {
		reconciling, lost := context.WithCancel(t.Context())
		working, end := w.Working(reconciling)
		defer end()
		lost()
		synctest.Wait()
		if working.Err() == nil {
			t.Error("the work goes on although its manager has ended")
		}
	})
}

// election is a lease in memory.
type election struct {
	resourcelock.Interface
	failing error
	// slow is what happens while the API server is asked.
	slow   func()
	writes []string
}

func (*election) Identity() string { return "me" }

func (e *election) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	if e.slow != nil {
		e.slow()
	}
	if e.failing == nil {
		e.writes = append(e.writes, record.HolderIdentity)
	}
	return e.failing
}

func (e *election) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return e.Update(ctx, record)
}

var (
	ours  = resourcelock.LeaderElectionRecord{HolderIdentity: "me"}
	given = resourcelock.LeaderElectionRecord{}
)

func elected(t *testing.T, test func(*testing.T, *world, *election, resourcelock.Interface)) {
	t.Helper()
	lived(t, Options{Grace: grace, Lease: lease, Young: young}, func(t *testing.T, w *world) {
		e := &election{}
		test(t, w, e, w.Lock(e))
	})
}

func (w *world) may(t *testing.T, want error) {
	t.Helper()
	if got := w.MayBegin(); !errors.Is(got, want) {
		t.Errorf("whether a call may begin: %v, want %v", got, want)
	}
}

// TestACallNeedsAYoungLease, by either clock, from the moment at which it was asked for.
func TestACallNeedsAYoungLease(t *testing.T) {
	t.Parallel()
	elected(t, func(t *testing.T, w *world, e *election, lock resourcelock.Interface) {
		w.may(t, ErrLeaseOld)
		if err := lock.Create(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
		w.may(t, nil)
		w.pass(young)
		w.may(t, nil)
		w.pass(1)
		w.may(t, ErrLeaseOld)
		e.failing = errors.New("no leader")
		_ = lock.Update(t.Context(), ours)
		w.may(t, ErrLeaseOld)
		e.failing, e.slow = nil, func() { w.pass(time.Second) }
		_ = lock.Update(t.Context(), ours)
		w.pass(young - time.Second)
		w.may(t, nil)
		w.pass(1)
		w.may(t, ErrLeaseOld)
		e.slow = nil
		_ = lock.Update(t.Context(), ours)
		w.may(t, nil)
		w.wall.SetTime(w.wall.Now().Add(young + 1)) // the machine was paused, and its steady clock with it
		w.may(t, ErrLeaseOld)
		_ = lock.Update(t.Context(), ours)
		w.wall.SetTime(w.wall.Now().Add(-time.Hour)) // somebody has set the time
		w.may(t, nil)
		w.steady.Step(young + 1)
		w.may(t, ErrLeaseOld)
	})
}

// TestAllEndsWithTheLease, also while the operator is told to stop and has time to.
func TestAllEndsWithTheLease(t *testing.T) {
	t.Parallel()
	for name, stopping := range map[string]bool{"AtWork": false, "ToldToStop": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elected(t, func(t *testing.T, w *world, _ *election, lock resourcelock.Interface) {
				_ = lock.Update(t.Context(), ours)
				call := changing(t, w)
				w.pass(lease - 1)
				_ = lock.Update(t.Context(), ours)
				if stopping {
					w.stop()
				}
				w.pass(lease - 1)
				if call.Err() != nil || w.Lost() {
					t.Error("it ended although the lease was renewed")
				}
				w.pass(1)
				if call.Err() == nil || !w.Lost() || !errors.Is(w.MaySend(), ErrLeaseLost) {
					t.Errorf("the call goes on (%v), or something may be sent (%v)", call.Err(), w.MaySend())
				}
			})
		})
	}
}

// TestTheLeaseIsGivenBackWhenAllHasEnded, and never if it may be another's by then: who elects gives it back without a look.
func TestTheLeaseIsGivenBackWhenAllHasEnded(t *testing.T) {
	t.Parallel()
	elected(t, func(t *testing.T, w *world, e *election, lock resourcelock.Interface) {
		_ = lock.Update(t.Context(), ours)
		call := changing(t, w)
		e.slow = func() {
			synctest.Wait()
			if call.Err() == nil {
				t.Error("a call goes on while the lease is given back")
			}
		}
		if err := lock.Update(t.Context(), given); err != nil || len(e.writes) != 2 {
			t.Errorf("it was not given back: %v", err)
		}
	})
	for name, age := range map[string]func(*world){
		"Expired": func(w *world) { w.pass(lease) },
		"Paused":  func(w *world) { w.wall.SetTime(w.wall.Now().Add(lease)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elected(t, func(t *testing.T, w *world, e *election, lock resourcelock.Interface) {
				_ = lock.Update(t.Context(), ours)
				age(w)
				if err := lock.Update(t.Context(), given); !errors.Is(err, ErrLeaseLost) || len(e.writes) != 1 {
					t.Errorf("it was given back although it may be another's: %v", err)
				}
			})
		})
	}
}

func TestWithoutAnElectionThereIsNoLeaseToHold(t *testing.T) {
	t.Parallel()
	lived(t, Options{Grace: grace}, func(t *testing.T, w *world) {
		w.pass(1000 * time.Hour)
		w.may(t, nil)
		w.stop()
		w.may(t, ErrStopping)
	})
}
