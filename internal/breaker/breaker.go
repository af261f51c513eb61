// Package breaker decides who may call the API of an environment, and wakes those
// who could not once they can: a circuit breaker for each environment, and its share
// of the workers.
package breaker

import (
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// tripAfter is how many calls in a row may fail before the environment is suspected. It
// takes twice as many after each suspicion that a probe has cleared, at most mostTripAfter,
// until there was none for calmAfter: those that go on failing would have it probed all the time.
const (
	tripAfter     = 5
	mostTripAfter = 40
	calmAfter     = 10 * time.Minute
)

// Breaker stands in front of an environment's API. It lets objects through while the API
// is known to answer and to accept the key. Once it has tripped, only the environment's own
// probe calls, and objects wait to be woken.
//
// What calls of objects meet is a suspicion and no more, as it may be about those
// objects alone: it has the environment probed, which trips the breaker or clears it.
type Breaker struct {
	clock clock.PassiveClock
	// probe has the environment looked at, because a call has met what may be its fault.
	probe func()

	mu sync.Mutex
	// closed is as of a circuit: calls go through. reason is why not, if that is known.
	closed bool
	reason string
	// suspected asks for a probe. Until then, calls that must not be repeated wait.
	suspected bool
	// threshold is how many failures it takes, cleared when a probe last said that there
	// was nothing to it.
	threshold int
	cleared   time.Time
	// epoch counts the clients: what a replaced one still hears is no news.
	epoch    int
	failures int
	// unverified asks for proof that this is still the same environment.
	unverified bool
	answered   time.Time
	// waiters are those to wake, and whether somebody waits for them in turn.
	waiters map[Waiter]bool
	// failing are those in a pause of their own, which only another client ends.
	failing map[Waiter]struct{}
}

// New returns a breaker that lets nobody through yet.
func New(c clock.PassiveClock) *Breaker {
	return &Breaker{clock: c, threshold: tripAfter, waiters: map[Waiter]bool{}, failing: map[Waiter]struct{}{}}
}

// Pass lets an object through, or remembers to wake it and tells why not. Those
// that are wanted are woken first.
func (b *Breaker) Pass(w Waiter, wanted bool) (reason string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return "", true
	}
	b.waiters[w] = b.waiters[w] || wanted
	return b.reason, false
}

// PassOnce is Pass for a call that must not be repeated: it waits while the environment
// is suspected as well.
func (b *Breaker) PassOnce(w Waiter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed && !b.suspected {
		return true
	}
	b.waiters[w] = true
	return false
}

// Fails notes whether an object is in a pause of its own. Reset does not wake it then,
// unless that is for another client.
func (b *Breaker) Fails(w Waiter, fails bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if fails {
		b.failing[w] = struct{}{}
	} else {
		delete(b.failing, w)
	}
}

// Quit forgets an object that waits for nothing here any more: others would be woken later for its sake.
func (b *Breaker) Quit(w Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiters, w)
}

// Forget forgets an object that is gone.
func (b *Breaker) Forget(w Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiters, w)
	delete(b.failing, w)
}

// Saw draws the conclusions from a finished call.
func (b *Breaker) Saw(epoch int, call cobalt.Call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return
	}
	if b.clock.Since(b.cleared) >= calmAfter {
		b.threshold = tripAfter
	}
	switch {
	case call.Err == nil:
		b.failures, b.answered = 0, b.clock.Now()
	case cobalt.IsUnauthorized(call.Err) && call.Operation == "createPublicWorkflow":
		// A refused session token concerns its object alone.
	case cobalt.IsUnauthorized(call.Err) && b.threshold == tripAfter:
		b.failures = b.threshold // one is enough, as long as none was found to say nothing
	case cobalt.IsUnauthorized(call.Err), cobalt.IsFailing(call.Err):
		b.failures++
	default:
		b.failures = 0
	}
	if b.closed && !b.suspected && b.failures >= b.threshold {
		b.suspected, b.reason, b.failures = true, "", 0
		b.probe()
	}
}

// OnSuspicion sets what is done when the environment is to be probed.
func (b *Breaker) OnSuspicion(probe func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probe = probe
}

// NewEpoch lets nobody through until a client that is about to be made has been answered.
func (b *Breaker) NewEpoch() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.reason, b.threshold = false, "", tripAfter
	b.epoch++
	for w := range b.failing { // with this one, they may not fail
		if _, waits := b.waiters[w]; !waits {
			b.waiters[w] = false
		}
	}
	clear(b.failing)
	return b.epoch
}

// Epoch is that of the present client.
func (b *Breaker) Epoch() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// Shut lets nobody through to an environment that is gone. If another comes in its place,
// nothing is known of it yet.
func (b *Breaker) Shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.reason = false, ""
}

// RequireVerification lets nobody through until the environment has proved to be the one it was:
// something that w had seen is gone, and it must not be made again elsewhere.
func (b *Breaker) RequireVerification(w Waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiters[w] = true
	if b.closed {
		b.closed, b.reason, b.unverified = false, "", true
		b.probe()
	}
}

// NeedsVerification tells whether proof is asked for.
func (b *Breaker) NeedsVerification() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unverified
}

// IsClosed tells whether objects may call, and when a call was last answered well.
func (b *Breaker) IsClosed() (closed bool, answered time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed, b.answered
}

// IsTrusted is IsClosed, unless the environment is suspected.
func (b *Breaker) IsTrusted() (trusted bool, answered time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed && !b.suspected, b.answered
}

// Trip lets nobody through, for a reason. Those who wait without knowing why look again.
func (b *Breaker) Trip(reason string) {
	b.mu.Lock()
	undecided := b.reason == ""
	b.closed, b.suspected, b.reason, b.threshold = false, false, reason, tripAfter
	b.mu.Unlock()
	if undecided {
		b.wake(0)
	}
}

// Reset lets objects through and wakes those who wait, one per pause.
func (b *Breaker) Reset(pause time.Duration) {
	b.mu.Lock()
	if b.suspected {
		b.threshold, b.cleared = min(2*b.threshold, mostTripAfter), b.clock.Now()
	}
	b.closed, b.suspected, b.unverified, b.failures = true, false, false, 0
	b.mu.Unlock()
	b.wake(pause)
}

// wake has those who wait look again, whether they may call or not.
func (b *Breaker) wake(pause time.Duration) {
	b.mu.Lock()
	waiters := b.waiters
	b.waiters = map[Waiter]bool{}
	b.mu.Unlock()
	var after time.Duration
	for _, wanted := range []bool{true, false} {
		for _, w := range inTurns(waiters, wanted) {
			if wanted {
				w.Waker.Wake(w.Request, after)
			} else {
				w.Waker.WakeBackground(w.Request, after)
			}
			after += pause
		}
	}
}

// inTurns are those who wait, or do not, that somebody waits for them, one of each namespace after
// the other: a namespace with many does not hold up the others.
func inTurns(waiters map[Waiter]bool, wanted bool) []Waiter {
	rounds, counts := [][]Waiter{}, map[string]int{}
	for w, is := range waiters {
		if is != wanted {
			continue
		}
		round := counts[w.Request.Namespace]
		counts[w.Request.Namespace]++
		if round == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[round] = append(rounds[round], w)
	}
	return slices.Concat(rounds...)
}
