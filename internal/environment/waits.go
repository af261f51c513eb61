package environment

import (
	"fmt"
	"sync"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
)

const (
	// WorthAWord is from how long a wait on the environment says that its objects wait, and
	// how often it looks whether that is still so.
	WorthAWord = time.Minute
	// notWorthAWord is below how long a wait it says so no more.
	notWorthAWord = WorthAWord / 2
)

// Waits are the objects of an environment that wait for their turn at the limiter. They
// write nothing themselves, so their environment says for all of them, in words so coarse
// that they seldom change, how many they are and for how long.
type Waits struct {
	mu    sync.Mutex
	since map[breaker.Waiter]time.Time
	// begins is called when somebody waits while nobody has before.
	begins func()
	// many and long are as many and as long as the environment says; zero for nothing.
	many int
	long time.Duration
}

// OnBegin sets what is done when somebody begins to wait.
func (w *Waits) OnBegin(begins func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begins = begins
}

// Note notes whether an object waits for its turn.
func (w *Waits) Note(who breaker.Waiter, waits bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, already := w.since[who]
	switch {
	case !waits:
		delete(w.since, who)
	case !already:
		if w.since == nil {
			w.since = map[breaker.Waiter]time.Time{}
		}
		w.since[who] = now
		if len(w.since) == 1 && w.begins != nil {
			w.begins()
		}
	}
}

// now tells how many objects wait, and for how long the first of them has.
func (w *Waits) now(now time.Time) (many int, long time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count(now)
}

func (w *Waits) count(now time.Time) (many int, long time.Duration) {
	for _, since := range w.since {
		long = max(long, now.Sub(since))
	}
	return len(w.since), long
}

// Say is what an environment says of its objects that wait; empty for nothing.
func (w *Waits) Say(now time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	many, long := w.count(now)
	if long < notWorthAWord || w.many == 0 && long < WorthAWord {
		w.many, w.long = 0, 0
		return ""
	}
	w.many = coarse(many, w.many, 10, func(many int) int { return 10 * many })
	w.long = coarse(long, w.long, 10*time.Minute, longer)
	return fmt.Sprintf("; up to %d objects wait for their turn to call, for up to %s now: raise rateLimit, or ask Cobalt to allow more calls",
		w.many, inWords(w.long))
}

// Pause is until when it is to be looked at again what is to be said, at most as long as interval.
func (w *Waits) Pause(interval time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.since) == 0 && w.many == 0 {
		return interval
	}
	return min(interval, WorthAWord)
}

// coarse is the first of some steps that a value does not exceed, or the one above it if
// that was said before and the value is not well below: what goes up and down around a
// step must not change the words.
func coarse[N int | time.Duration](value, said, first N, next func(N) N) N {
	step := first
	for value > step {
		step = next(step)
	}
	if said == next(step) && 2*value > step {
		return said
	}
	return step
}

// longer is the next step of waiting: ten minutes, an hour, ten hours and so on.
func longer(step time.Duration) time.Duration {
	if step < time.Hour {
		return time.Hour
	}
	return 10 * step
}

// inWords says how long the steps of waiting are.
func inWords(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d == time.Hour:
		return "an hour"
	}
	return fmt.Sprintf("%d hours", d/time.Hour)
}
