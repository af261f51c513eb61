package breaker

import "time"

const (
	// slowFrom is how long a call may take before its environment is slow.
	slowFrom = time.Second
	// slowFor is how long an operation that was slow counts as that, unless it is quick before.
	slowFor = 30 * time.Second
)

// WorkerShare is what one environment may take of the workers. It is slow while a call is under
// way that takes long, and afterwards until the same operation has been quick, or
// nobody has seen it be slow for a while: other operations say nothing about it.
type WorkerShare struct {
	workers *Workers
	// The lock of workers guards the rest.
	calls map[*call]struct{}
	// took is when each operation last took long.
	took map[string]time.Time
	// untried tells that no call of an object was answered since the API began to answer.
	untried bool
}

// call is one that is under way.
type call struct {
	operation string
	began     time.Time
}

// Enter takes a worker of the kind of who. If there is none, who is woken when one becomes
// free, those that are wanted first.
func (s *WorkerShare) Enter(who Waiter, wanted bool) bool { return s.workers.enter(s, who, wanted) }

// Leave gives a worker back and wakes the next.
func (s *WorkerShare) Leave(who Waiter) { s.workers.leave(s, who) }

// Untried notes that the API begins to answer: how it answers objects is yet to be seen.
func (s *WorkerShare) Untried() {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	s.untried = true
}

// Stands tells whether calls take long, and how many objects wait for a worker.
func (s *WorkerShare) Stands() (slow bool, waiting int) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	for _, staff := range s.workers.kinds {
		waiting += staff.lines[s].len()
	}
	return s.slow(s.workers.clock.Now()), waiting
}

// Begun notes that a call is under way until what it returns is called.
func (s *WorkerShare) Begun(operation string) (ended func()) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	c := &call{operation, s.workers.clock.Now()}
	s.calls[c] = struct{}{}
	return func() { s.ended(c) }
}

func (s *WorkerShare) ended(c *call) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	now := s.workers.clock.Now()
	limited := s.untried || s.slow(now)
	delete(s.calls, c)
	if now.Sub(c.began) >= slowFrom {
		s.took[c.operation] = now
	} else {
		delete(s.took, c.operation)
		s.untried = false
	}
	if limited && !s.untried && !s.slow(now) {
		for _, staff := range s.workers.kinds {
			s.workers.fill(staff)
		}
	}
}

// slow tells whether calls take long. The lock is held.
func (s *WorkerShare) slow(now time.Time) bool {
	for _, last := range s.took {
		if now.Sub(last) < slowFor {
			return true
		}
	}
	for c := range s.calls {
		if now.Sub(c.began) >= slowFrom {
			return true
		}
	}
	return false
}
