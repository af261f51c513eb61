package gate

import (
	"sync"
	"time"
)

// SlotPause is when an object that found no slot comes back by itself, should the
// one that was woken before it be gone and wake nobody.
const SlotPause = time.Minute

// Slots are the workers of one kind that may be inside one environment at a
// time: at most half, so that a slow or throttled environment slows no other.
type Slots struct {
	mu    sync.Mutex
	taken map[*Waker]int
	// wanted wait for a slot before others do; queued are those in either.
	wanted, others map[*Waker][]Waiter
	queued         map[Waiter]bool // and whether they are wanted
	// woken are those whose turn it is and who have not come yet.
	woken map[Waiter]bool
}

// NewSlots returns slots of which none is taken.
func NewSlots() *Slots {
	return &Slots{
		taken: map[*Waker]int{}, wanted: map[*Waker][]Waiter{}, others: map[*Waker][]Waiter{},
		queued: map[Waiter]bool{}, woken: map[Waiter]bool{},
	}
}

// Enter takes one of the slots that the kind of w has. If all are taken, w is
// woken when one becomes free, those that are wanted first.
func (s *Slots) Enter(w Waiter, all int, wanted bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.woken, w)
	if s.taken[w.Waker] < all {
		s.taken[w.Waker]++
		delete(s.queued, w) // its turn would be lost on it, and those behind it would wait for nothing
		return true
	}
	queued, already := s.queued[w]
	if already && (queued || !wanted) {
		return false
	}
	s.queued[w] = wanted
	if wanted {
		s.wanted[w.Waker] = append(s.wanted[w.Waker], w)
	} else {
		s.others[w.Waker] = append(s.others[w.Waker], w)
	}
	return false
}

// Leave gives a slot back and wakes the next.
func (s *Slots) Leave(w Waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[w.Waker]--
	s.wakeNext(w.Waker)
}

// Yield passes on the turn of an object that was woken and has found that it needs
// no slot, or not yet.
func (s *Slots) Yield(w Waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.woken[w] {
		delete(s.woken, w)
		s.wakeNext(w.Waker)
	}
}

func (s *Slots) wakeNext(kind *Waker) {
	next, wanted, ok := s.next(kind)
	if !ok {
		return
	}
	s.woken[next] = true
	if wanted {
		next.Waker.Wake(next.Request, 0)
	} else {
		next.Waker.WakeBackground(next.Request, 0)
	}
}

// next takes out whose turn it is. Who has become wanted since it began to wait
// stands in both queues, and counts once.
func (s *Slots) next(kind *Waker) (next Waiter, wanted, ok bool) {
	for _, queue := range []map[*Waker][]Waiter{s.wanted, s.others} {
		for len(queue[kind]) > 0 {
			next, queue[kind] = queue[kind][0], queue[kind][1:]
			if wanted, ok = s.queued[next]; ok {
				delete(s.queued, next)
				return next, wanted, true
			}
		}
		delete(queue, kind)
	}
	if len(s.queued) == 0 {
		s.queued = map[Waiter]bool{} // as a map that was large stays so
	}
	return Waiter{}, false, false
}
