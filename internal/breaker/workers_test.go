package breaker

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
)

// office is workers with a clock that stands still, and a queue that notes who is woken.
type office struct {
	*Workers
	clock *clocktesting.FakeClock
	kind  *Waker
	woken *wakings
}

func newOffice(t *testing.T, all int) *office {
	t.Helper()
	o := &office{
		clock: clocktesting.NewFakeClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)),
		kind:  &Waker{}, woken: &wakings{after: map[string]time.Duration{}},
	}
	o.Workers = NewWorkers(o.clock, all)
	if err := o.kind.Start(t.Context(), o.woken); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) waiter(name string) Waiter { return waiterOf(o.kind, name) }

func waiterOf(kind *Waker, name string) Waiter {
	request := ctrl.Request{}
	request.Name = name
	return Waiter{kind, request}
}

// enter has so many objects of an environment ask for a worker, and counts those who get one.
func (o *office) enter(share *WorkerShare, objects int) (entered int) {
	for i := range objects {
		if share.Enter(o.waiter(strconv.Itoa(i)), true) {
			entered++
		}
	}
	return entered
}

// hang has a call be under way for so long.
func (o *office) hang(share *WorkerShare, d time.Duration) (ended func()) {
	ended = share.Begun("upsertLinkedAccount")
	o.clock.Step(d)
	return ended
}

// TestWorkersOfFastEnvironments: half of the workers are for one environment, all are for several, and each has one.
func TestWorkersOfFastEnvironments(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		all, environments int
		want              []int
	}{
		"One":         {16, 1, []int{8}},
		"Two":         {16, 2, []int{8, 8}},
		"Many":        {16, 4, []int{8, 8, 1, 1}},
		"OneWorker":   {1, 2, []int{1, 1}},
		"FewWorkers":  {3, 3, []int{1, 1, 1}},
		"FourWorkers": {4, 3, []int{2, 2, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, tc.all)
			var got []int
			for range tc.environments {
				got = append(got, o.enter(o.Share(), 20))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("workers of each (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSlowEnvironmentsHaveOneWorkerEach: an environment is slow from when a call has taken a second, under way or over, until
// the same operation is quick, or for a while. It has one worker then, and all that are slow have half.
func TestSlowEnvironmentsHaveOneWorkerEach(t *testing.T) {
	t.Parallel()
	quick := func(o *office, share *WorkerShare, operation string) {
		ended := share.Begun(operation)
		o.clock.Step(slowFrom - time.Millisecond)
		ended()
	}
	cases := map[string]struct {
		reason string
		does   func(o *office, share *WorkerShare)
		want   int
	}{
		"Quick":      {"its calls take less", func(o *office, s *WorkerShare) { quick(o, s, "upsertLinkedAccount") }, 8},
		"UnderWay":   {"it has not ended, and is slow all the same", func(o *office, s *WorkerShare) { o.hang(s, slowFrom) }, 1},
		"NotYet":     {"it may still end in time", func(o *office, s *WorkerShare) { o.hang(s, slowFrom-1) }, 8},
		"Over":       {"the next one will take long as well", func(o *office, s *WorkerShare) { o.hang(s, slowFrom)() }, 1},
		"QuickAgain": {"it is fast again", func(o *office, s *WorkerShare) { o.hang(s, slowFrom)(); quick(o, s, "upsertLinkedAccount") }, 8},
		"OthersQuick": {"that another operation is quick says nothing", func(o *office, s *WorkerShare) {
			o.hang(s, slowFrom)()
			quick(o, s, "getWebhook")
		}, 1},
		"OneStillHangs": {"one is quick, another is under way", func(o *office, s *WorkerShare) {
			o.hang(s, slowFrom)
			quick(o, s, "upsertLinkedAccount")
		}, 1},
		"LongAgo": {"nobody has seen it for a while", func(o *office, s *WorkerShare) { o.hang(s, slowFrom)(); o.clock.Step(slowFor) }, 8},
		"Untried": {"it has answered nobody yet", func(_ *office, s *WorkerShare) { s.Untried() }, 1},
		"Tried": {"it has answered", func(o *office, s *WorkerShare) {
			s.Untried()
			quick(o, s, "getWebhook")
		}, 8},
		"TriedSlowly": {"it has, but it took long", func(o *office, s *WorkerShare) {
			s.Untried()
			o.hang(s, slowFrom)()
			o.clock.Step(slowFor)
		}, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, 16)
			share := o.Share()
			tc.does(o, share)
			if got := o.enter(share, 20); got != tc.want {
				t.Errorf("%s: it got %d workers, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestSlowEnvironmentsHaveHalfTogether, and take nothing away from those that are fast, whatever they had before
// they were slow.
func TestSlowEnvironmentsHaveHalfTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 4)
	var hung []*WorkerShare
	for range 10 {
		hung = append(hung, o.Share())
	}
	sum := 0
	for _, share := range hung[:3] { // before anybody can know
		sum += o.enter(share, 20)
	}
	good := o.Share()
	if sum != 5 || o.enter(good, 20) != 1 {
		t.Fatalf("%d workers were taken, want two, two, one, and one for the good environment", sum)
	}
	for _, share := range hung {
		o.hang(share, 0)
	}
	o.clock.Step(slowFrom)
	for _, share := range hung {
		if got := o.enter(share, 20); got != 0 {
			t.Errorf("slow environments have half of the workers or more, and got %d", got)
		}
	}
	if got := o.enter(good, 20); got != 1 {
		t.Errorf("the good environment has one and got %d more, want half of all", got)
	}
	again := newOffice(t, 4)
	sum = 0
	for range 10 {
		share := again.Share()
		again.hang(share, slowFrom)
		sum += again.enter(share, 20)
	}
	if sum != 2 {
		t.Errorf("ten slow environments got %d of 4 workers, want 2", sum)
	}
}

// TestFastAgain: those who waited while their environment was slow, or yet untried, are woken once it is not.
func TestFastAgain(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*office, *WorkerShare) (end func()){
		"Slow":    func(o *office, s *WorkerShare) func() { return o.hang(s, slowFrom) },
		"Untried": func(_ *office, s *WorkerShare) func() { s.Untried(); return func() {} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, 8)
			share := o.Share()
			end := limit(o, share)
			if got := o.enter(share, 20); got != 1 {
				t.Fatalf("%d workers, want one", got)
			}
			end()
			if len(o.woken.after) != 0 {
				t.Fatal("who is woken, if nothing has changed?")
			}
			share.Begun("upsertLinkedAccount")()
			if diff := cmp.Diff(map[string]time.Duration{"1": 0, "2": 0, "3": 0}, o.woken.after); diff != "" {
				t.Errorf("the next three were to be woken: %s", diff)
			}
		})
	}
}

// TestWorkersOfThoseTurnedSlow: nobody tells that a call has been under way for too long, so one of those whom it holds up
// comes to look, and all that there are workers for are woken then.
func TestWorkersOfThoseTurnedSlow(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 4)
	one, two, good := o.Share(), o.Share(), o.Share()
	o.enter(one, 2)
	o.enter(two, 2)
	if !good.Enter(o.waiter("first"), true) || good.Enter(o.waiter("second"), true) || good.Enter(o.waiter("third"), true) {
		t.Fatal("only the first one can come in")
	}
	if diff := cmp.Diff(map[string]time.Duration{"second": slowFrom}, o.woken.after); diff != "" {
		t.Errorf("one was to come to look: %s", diff)
	}
	one.Begun("getWebhook")
	two.Begun("getWebhook")
	o.clock.Step(slowFrom)
	if !good.Enter(o.waiter("second"), true) {
		t.Error("what slow environments hold is not taken from others")
	}
	good.Leave(o.waiter("first"))
	if after, ok := o.woken.after["third"]; !ok || after != 0 {
		t.Error("there is room for the third")
	}
}

// TestWorkersAreForTheWanted before others; and kinds do not get in each other's way.
func TestWorkersAreForTheWanted(t *testing.T) {
	t.Parallel()
	o, other := newOffice(t, 4), &Waker{}
	s := o.Share()
	a, b, c, d := o.waiter("a"), o.waiter("b"), o.waiter("c"), o.waiter("d")
	if !s.Enter(a, false) || !s.Enter(b, false) {
		t.Fatal("there was room for two")
	}
	if s.Enter(c, false) || s.Enter(d, true) {
		t.Fatal("there was no room for more")
	}
	if !s.Enter(waiterOf(other, "x"), false) {
		t.Error("another kind has workers of its own")
	}
	s.Leave(a)
	if _, woken := o.woken.after["d"]; !woken {
		t.Error("d is wanted, and was to be woken before c")
	}
	if !s.Enter(d, true) {
		t.Error("one worker was free")
	}
	if s.Enter(c, true) || !o.kinds[o.kind].lines[s].queued[c] {
		t.Error("c has become wanted while it waits")
	}
	s.Leave(b)
	s.Leave(d)
	if l := o.kinds[o.kind].lines[s]; l != nil {
		t.Errorf("nobody waits any more, but for %v", l.queued)
	}
}

// TestWorkersForgetWhoCameInAnotherWay: whoever found room without being woken must not be woken in the place of
// somebody who still waits, or nobody would wake that one.
func TestWorkersForgetWhoCameInAnotherWay(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 4)
	s := o.Share()
	a, b, c, d := o.waiter("a"), o.waiter("b"), o.waiter("c"), o.waiter("d")
	if !s.Enter(a, false) || !s.Enter(b, false) || s.Enter(c, true) || s.Enter(d, true) {
		t.Fatal("there was room for two")
	}
	s.Leave(a) // wakes c
	if !s.Enter(d, true) {
		t.Fatal("there was room for d, which a change has brought")
	}
	if s.Enter(c, true) {
		t.Fatal("d has taken the place")
	}
	clear(o.woken.after)
	s.Leave(b)
	if _, woken := o.woken.after["c"]; !woken {
		t.Error("c was to be woken, not d, which is inside")
	}
}

// TestWorkersArePassedOn: whoever was woken and needs no worker after all has the next one woken, and whoever was woken and
// does not come does not keep its worker from others for long.
func TestWorkersArePassedOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, 2)
	s := o.Share()
	a, b, c, d := o.waiter("a"), o.waiter("b"), o.waiter("c"), o.waiter("d")
	if !s.Enter(a, false) || s.Enter(b, false) || s.Enter(c, false) || s.Enter(d, false) {
		t.Fatal("there was room for one")
	}
	woken := func(who Waiter) bool {
		_, woken := o.woken.after[who.Request.Name]
		return woken
	}
	o.Yield(c)
	if woken(b) || woken(c) {
		t.Fatal("c was not woken, and has nothing to pass on")
	}
	s.Leave(a)
	if !woken(b) || woken(c) {
		t.Fatal("it was b's turn")
	}
	o.Yield(b)
	if !woken(c) {
		t.Error("b needs no worker, so it was c's turn")
	}
	o.clock.Step(comingFor)
	if !s.Enter(a, false) {
		t.Fatal("c has not come")
	}
	s.Leave(a)
	if !woken(d) {
		t.Error("c has not come for so long that it was d's turn")
	}
}
