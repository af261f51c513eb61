package gate

import (
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
)

// TestSlots: half of the workers are for one environment, those who come too
// many are remembered, the wanted before the others, and kinds do not get in each
// other's way.
func TestSlots(t *testing.T) {
	t.Parallel()
	s, one, other := NewSlots(), &Waker{}, &Waker{}
	waiterOf := func(kind *Waker, name string) Waiter {
		request := ctrl.Request{}
		request.Name = name
		return Waiter{kind, request}
	}
	a, b, c, d := waiterOf(one, "a"), waiterOf(one, "b"), waiterOf(one, "c"), waiterOf(one, "d")
	if !s.Enter(a, 2, false) || !s.Enter(b, 2, false) {
		t.Fatal("there was room for two")
	}
	if s.Enter(c, 2, false) || s.Enter(d, 2, true) {
		t.Fatal("there was no room for more")
	}
	if !s.Enter(waiterOf(other, "x"), 2, false) {
		t.Error("another kind has workers of its own")
	}
	s.Leave(a)
	if _, waits := s.queued[d]; waits {
		t.Error("d is wanted, and was to be woken before c")
	}
	if !s.Enter(d, 2, true) {
		t.Error("one slot was free")
	}
	if s.Enter(c, 2, true) || !s.queued[c] {
		t.Error("c has become wanted while it waits")
	}
	s.Leave(b)
	s.Leave(d)
	if len(s.queued) != 0 {
		t.Errorf("nobody waits any more, but for %v", s.queued)
	}
}

// TestSlotsForgetWhoCameInAnotherWay: whoever found room without being woken must not be woken in the place of
// somebody who still waits, or nobody would wake that one.
func TestSlotsForgetWhoCameInAnotherWay(t *testing.T) {
	t.Parallel()
	s, kind := NewSlots(), &Waker{}
	waiterOf := func(name string) Waiter {
		request := ctrl.Request{}
		request.Name = name
		return Waiter{kind, request}
	}
	a, b, c, d := waiterOf("a"), waiterOf("b"), waiterOf("c"), waiterOf("d")
	if !s.Enter(a, 2, false) || !s.Enter(b, 2, false) || s.Enter(c, 2, true) || s.Enter(d, 2, true) {
		t.Fatal("there was room for two")
	}
	s.Leave(a) // wakes c
	if !s.Enter(d, 2, true) {
		t.Fatal("there was room for d, which a change has brought")
	}
	if s.Enter(c, 2, true) {
		t.Fatal("d has taken the place")
	}
	s.Leave(b)
	if _, waits := s.queued[c]; waits {
		t.Error("c was to be woken, not d, which is inside")
	}
}

// TestSlotsArePassedOn: whoever was woken and needs no slot after all has the next one woken.
func TestSlotsArePassedOn(t *testing.T) {
	t.Parallel()
	s, kind := NewSlots(), &Waker{}
	waiterOf := func(name string) Waiter {
		request := ctrl.Request{}
		request.Name = name
		return Waiter{kind, request}
	}
	a, b, c := waiterOf("a"), waiterOf("b"), waiterOf("c")
	if !s.Enter(a, 1, false) || s.Enter(b, 1, false) || s.Enter(c, 1, false) {
		t.Fatal("there was room for one")
	}
	s.Yield(c)
	if len(s.queued) != 2 {
		t.Fatal("c was not woken, and has nothing to pass on")
	}
	s.Leave(a)
	s.Yield(b)
	if _, waits := s.queued[c]; waits {
		t.Error("b needs no slot, so it was c's turn")
	}
}
