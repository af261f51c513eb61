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
	mu      sync.Mutex
	taken   map[*waker]int
	waiting map[*waker][]waiter
	queued  map[waiter]struct{} // those in waiting
}

func newSlots() *slots {
	return &slots{taken: map[*waker]int{}, waiting: map[*waker][]waiter{}, queued: map[waiter]struct{}{}}
}

// enter takes one of the slots that the kind of w has. If all are taken, w is
// woken when one becomes free.
func (s *slots) enter(w waiter, all int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[w.waker] >= all {
		if _, queued := s.queued[w]; !queued {
			s.queued[w] = struct{}{}
			s.waiting[w.waker] = append(s.waiting[w.waker], w)
		}
		return false
	}
	s.taken[w.waker]++
	return true
}

// leave gives a slot back and wakes the next.
func (s *slots) leave(w waiter) {
	s.mu.Lock()
	s.taken[w.waker]--
	waiting := s.waiting[w.waker]
	var next *waiter
	if len(waiting) > 0 {
		next, s.waiting[w.waker] = &waiting[0], waiting[1:]
		delete(s.queued, *next)
	}
	s.mu.Unlock()
	if next != nil {
		next.waker.wake(next.request, 0)
	}
}
