package controller

import (
	"testing"

	ctrl "sigs.k8s.io/controller-runtime"
)

// TestSlots: half of the workers are for one environment, those who come too
// many are remembered in order, and kinds do not get in each other's way.
func TestSlots(t *testing.T) {
	t.Parallel()
	s, one, other := newSlots(), &waker{}, &waker{}
	waiterOf := func(kind *waker, name string) waiter {
		request := ctrl.Request{}
		request.Name = name
		return waiter{kind, request}
	}
	a, b, c, d := waiterOf(one, "a"), waiterOf(one, "b"), waiterOf(one, "c"), waiterOf(one, "d")
	if !s.enter(a, 2) || !s.enter(b, 2) {
		t.Fatal("there was room for two")
	}
	if s.enter(c, 2) || s.enter(d, 2) {
		t.Fatal("there was no room for more")
	}
	if !s.enter(waiterOf(other, "x"), 2) {
		t.Error("another kind has workers of its own")
	}
	s.leave(a)
	if got := s.waiting[one]; len(got) != 1 || got[0] != d {
		t.Errorf("c was to be woken and d to wait, waiting are %v", got)
	}
	if !s.enter(c, 2) || s.enter(a, 2) {
		t.Error("one slot was free, for one")
	}
}
