package controller

import (
	"sync"
	"time"
)

// slotPause is when an object that found no slot comes back by itself, should the
// one that was woken before it be gone and wake nobody.
const slotPause = time.Minute

// slots are the workers of one kind that may be inside one environment at a
// time: at most half, so that a slow or throttled environment slows no other.
type slots struct {
	mu    sync.Mutex
	taken map[*waker]int
	// wanted wait for a slot before others do; queued are those in either.
	wanted, others map[*waker][]waiter
	queued         map[waiter]bool // and whether they are wanted
}

func newSlots() *slots {
	return &slots{
		taken: map[*waker]int{}, wanted: map[*waker][]waiter{}, others: map[*waker][]waiter{}, queued: map[waiter]bool{},
	}
}

// enter takes one of the slots that the kind of w has. If all are taken, w is
// woken when one becomes free, those that are wanted first.
func (s *slots) enter(w waiter, all int, wanted bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[w.waker] < all {
		s.taken[w.waker]++
		return true
	}
	queued, already := s.queued[w]
	if already && (queued || !wanted) {
		return false
	}
	s.queued[w] = wanted
	if wanted {
		s.wanted[w.waker] = append(s.wanted[w.waker], w)
	} else {
		s.others[w.waker] = append(s.others[w.waker], w)
	}
	return false
}

// leave gives a slot back and wakes the next.
func (s *slots) leave(w waiter) {
	s.mu.Lock()
	s.taken[w.waker]--
	next, wanted, ok := s.next(w.waker)
	s.mu.Unlock()
	switch {
	case ok && wanted:
		next.waker.wake(next.request, 0)
	case ok:
		next.waker.wakeBackground(next.request, 0)
	}
}

// next takes out whose turn it is. Who has become wanted since it began to wait
// stands in both queues, and counts once.
func (s *slots) next(kind *waker) (next waiter, wanted, ok bool) {
	for _, queue := range []map[*waker][]waiter{s.wanted, s.others} {
		for len(queue[kind]) > 0 {
			next, queue[kind] = queue[kind][0], queue[kind][1:]
			if wanted, ok = s.queued[next]; ok {
				delete(s.queued, next)
				return next, wanted, true
			}
		}
	}
	return waiter{}, false, false
}
