package breaker

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// WorkerPause is when an object that found no worker comes back by itself, should the
	// one that was woken before it be gone and wake nobody.
	WorkerPause = time.Minute
	// comingFor is how long a worker is kept for an object that was woken to take it.
	comingFor = 10 * time.Second
)

// Workers shares the workers of each kind out among environments, so that one whose calls
// take long, or which is throttled, holds up no other:
//
//   - The first worker of a kind is an environment's own. A second one it takes from those
//     of all environments, and has at most half of them.
//   - An environment that is slow has one, and all of them together have at most half. What
//     they hold does not count as taken from the others.
//   - An environment that has just begun to answer has one, until it has answered a call
//     of an object in good time.
//
// Nobody can take a worker away from a call that is under way. So there must be more workers
// than are shared out here: one for each environment that may turn slow at the same time.
type Workers struct {
	clock clock.PassiveClock
	// all is how many workers of a kind environments take from, and half is half of that.
	all, half int

	mu    sync.Mutex
	kinds map[*Waker]*staff
}

// staff are the workers of one kind.
type staff struct {
	taken map[*WorkerShare]int
	lines map[*WorkerShare]*line
	// coming are those that were woken to take a worker and have not come yet.
	coming map[Waiter]promise
	// look is when somebody comes to see whether those who hold workers have turned slow.
	look time.Time
}

// promise is a worker that is kept for an object, since a time.
type promise struct {
	share *WorkerShare
	since time.Time
}

// NewWorkers returns workers of which none is taken.
func NewWorkers(c clock.PassiveClock, all int) *Workers {
	return &Workers{clock: c, all: all, half: max(1, all/2), kinds: map[*Waker]*staff{}}
}

// Share returns what a new environment may take.
func (w *Workers) Share() *WorkerShare {
	return &WorkerShare{workers: w, calls: map[*call]struct{}{}, took: map[string]time.Time{}}
}

// Yield passes on the turn of an object that was woken and has found that it needs
// no worker, or not yet.
func (w *Workers) Yield(who Waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.kinds[who.Waker]
	if s == nil {
		return
	}
	if _, ok := s.coming[who]; ok {
		delete(s.coming, who)
		w.fill(s)
	}
}

func (w *Workers) enter(share *WorkerShare, who Waiter, wanted bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.kinds[who.Waker]
	if s == nil {
		s = &staff{taken: map[*WorkerShare]int{}, lines: map[*WorkerShare]*line{}, coming: map[Waiter]promise{}}
		w.kinds[who.Waker] = s
	}
	delete(s.coming, who)
	now := w.clock.Now()
	entered := w.mayTake(share, count(s.taken, now), now)
	if entered {
		s.taken[share]++
		s.lines[share].quit(who) // its turn would be lost on it, and those behind it would wait for nothing
	} else {
		if s.lines[share] == nil {
			s.lines[share] = newLine()
		}
		s.lines[share].join(who, wanted)
		w.lookLater(share, s, who)
	}
	w.fill(s)
	return entered
}

func (w *Workers) leave(share *WorkerShare, who Waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.kinds[who.Waker]
	if s.taken[share]--; s.taken[share] == 0 {
		delete(s.taken, share)
	}
	w.fill(s)
}

// taken are workers that are taken: by whom, by all that are slow, and by all others.
type taken struct {
	by           map[*WorkerShare]int
	slow, others int
}

func count(by map[*WorkerShare]int, now time.Time) taken {
	t := taken{by: map[*WorkerShare]int{}}
	for share, own := range by {
		t.add(share, own, now)
	}
	return t
}

func (t *taken) add(share *WorkerShare, workers int, now time.Time) {
	t.by[share] += workers
	if share.slow(now) {
		t.slow += workers
	} else {
		t.others += workers
	}
}

// mayTake tells whether an environment may take another worker, where so many are taken.
func (w *Workers) mayTake(share *WorkerShare, t taken, now time.Time) bool {
	own := t.by[share]
	switch {
	case share.slow(now):
		return own == 0 && t.slow < w.half
	case own == 0:
		return true
	case share.untried:
		return false
	}
	return own < w.half && t.others < w.all
}

// lookLater has an object that finds too many workers taken come back as soon as calls that
// are under way may have turned slow, as nothing else tells of that. One of a kind is enough.
func (w *Workers) lookLater(share *WorkerShare, s *staff, who Waiter) {
	now := w.clock.Now()
	if share.slow(now) || share.untried || s.taken[share] >= w.half || now.Before(s.look) {
		return
	}
	s.look = now.Add(slowFrom)
	who.Waker.Wake(who.Request, slowFrom)
}

// fill wakes those who wait, as many as there are workers for.
func (w *Workers) fill(s *staff) {
	if len(s.lines) == 0 {
		return
	}
	now := w.clock.Now()
	for t := s.promised(now); ; {
		share, l := w.next(s, t, now)
		if l == nil {
			return
		}
		who, wanted := l.pop()
		s.coming[who] = promise{share, now}
		t.add(share, 1, now)
		if wanted {
			who.Waker.Wake(who.Request, 0)
		} else {
			who.Waker.WakeBackground(who.Request, 0)
		}
	}
}

// next finds the environment whose turn it is: one that somebody waits for, and of several
// the one with the fewest workers.
func (w *Workers) next(s *staff, t taken, now time.Time) (next *WorkerShare, first *line) {
	for share, l := range s.lines {
		switch {
		case l.len() == 0:
			delete(s.lines, share)
		case !w.mayTake(share, t, now):
		case first == nil,
			l.isWanted() && !first.isWanted(),
			l.isWanted() == first.isWanted() && t.by[share] < t.by[next]:
			next, first = share, l
		}
	}
	return next, first
}

// promised are the workers that are taken, with those that are kept for somebody.
func (s *staff) promised(now time.Time) taken {
	t := count(s.taken, now)
	for who, p := range s.coming {
		if now.Sub(p.since) >= comingFor { // it is gone, or has found nothing to do
			delete(s.coming, who)
			continue
		}
		t.add(p.share, 1, now)
	}
	return t
}
