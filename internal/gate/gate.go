// Package gate decides who may call the API of an environment, and wakes those
// who could not once they can.
package gate

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

// Gate stands in front of an environment's API. It is open while the API is
// known to answer and to accept the key; while it is closed, only the
// environment's own probe calls, and objects wait to be woken.
//
// What calls of objects meet is a suspicion and no more, as it may be about those
// objects alone: it has the environment probed, which closes the gate or clears it.
type Gate struct {
	clock clock.PassiveClock
	// tripped has the environment looked at, because a call has met what may be its fault.
	tripped func()

	mu     sync.Mutex
	open   bool
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
	// doubted asks for proof that this is still the same environment.
	doubted  bool
	answered time.Time
	// waiters are those to wake, and whether somebody waits for them in turn.
	waiters map[Waiter]bool
	// failing are those in a pause of their own, which only another client ends.
	failing map[Waiter]struct{}
}

// New returns a closed gate.
func New(c clock.PassiveClock) *Gate {
	return &Gate{clock: c, threshold: tripAfter, waiters: map[Waiter]bool{}, failing: map[Waiter]struct{}{}}
}

// Pass lets an object through, or remembers to wake it and tells why not. Those
// that are wanted are woken first.
func (g *Gate) Pass(w Waiter, wanted bool) (reason string, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return "", true
	}
	g.waiters[w] = g.waiters[w] || wanted
	return g.reason, false
}

// PassOnce is Pass for a call that must not be repeated: it waits while the environment
// is suspected as well.
func (g *Gate) PassOnce(w Waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open && !g.suspected {
		return true
	}
	g.waiters[w] = true
	return false
}

// Fails notes whether an object is in a pause of its own. Opening does not wake it then,
// unless that is for another client.
func (g *Gate) Fails(w Waiter, fails bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if fails {
		g.failing[w] = struct{}{}
	} else {
		delete(g.failing, w)
	}
}

// Quit forgets an object that waits for nothing here any more: others would be woken later for its sake.
func (g *Gate) Quit(w Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiters, w)
}

// Forget forgets an object that is gone.
func (g *Gate) Forget(w Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiters, w)
	delete(g.failing, w)
}

// Saw draws the conclusions from a finished call.
func (g *Gate) Saw(epoch int, call cobalt.Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if epoch != g.epoch {
		return
	}
	if g.clock.Since(g.cleared) >= calmAfter {
		g.threshold = tripAfter
	}
	switch {
	case call.Err == nil:
		g.failures, g.answered = 0, g.clock.Now()
	case cobalt.IsUnauthorized(call.Err) && call.Operation == "createPublicWorkflow":
		// A refused session token concerns its object alone.
	case cobalt.IsUnauthorized(call.Err) && g.threshold == tripAfter:
		g.failures = g.threshold // one is enough, as long as none was found to say nothing
	case cobalt.IsUnauthorized(call.Err), cobalt.IsFailing(call.Err):
		g.failures++
	default:
		g.failures = 0
	}
	if g.open && !g.suspected && g.failures >= g.threshold {
		g.suspected, g.reason, g.failures = true, "", 0
		g.tripped()
	}
}

// OnTrip sets what is done when the environment is to be probed.
func (g *Gate) OnTrip(tripped func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tripped = tripped
}

// NewEpoch closes the gate until a client that is about to be made has been answered.
func (g *Gate) NewEpoch() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.reason, g.threshold = false, "", tripAfter
	g.epoch++
	for w := range g.failing { // with this one, they may not fail
		if _, waits := g.waiters[w]; !waits {
			g.waiters[w] = false
		}
	}
	clear(g.failing)
	return g.epoch
}

// Epoch is that of the present client.
func (g *Gate) Epoch() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.epoch
}

// Shut closes the gate of an environment that is gone. If another comes in its place,
// nothing is known of it yet.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.reason = false, ""
}

// Doubt closes the gate until the environment has proved to be the one it was:
// something that w had seen is gone, and it must not be made again elsewhere.
func (g *Gate) Doubt(w Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiters[w] = true
	if g.open {
		g.open, g.reason, g.doubted = false, "", true
		g.tripped()
	}
}

// InDoubt tells whether proof is asked for.
func (g *Gate) InDoubt() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.doubted
}

// IsOpen tells whether objects may call, and when a call was last answered well.
func (g *Gate) IsOpen() (open bool, answered time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.answered
}

// IsTrusted is IsOpen, unless the environment is suspected.
func (g *Gate) IsTrusted() (trusted bool, answered time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open && !g.suspected, g.answered
}

// CloseFor closes the gate. Those who wait without knowing why look again.
func (g *Gate) CloseFor(reason string) {
	g.mu.Lock()
	undecided := g.reason == ""
	g.open, g.suspected, g.reason, g.threshold = false, false, reason, tripAfter
	g.mu.Unlock()
	if undecided {
		g.wake(0)
	}
}

// LetThrough opens the gate and wakes those who wait, one per pause.
func (g *Gate) LetThrough(pause time.Duration) {
	g.mu.Lock()
	if g.suspected {
		g.threshold, g.cleared = min(2*g.threshold, mostTripAfter), g.clock.Now()
	}
	g.open, g.suspected, g.doubted, g.failures = true, false, false, 0
	g.mu.Unlock()
	g.wake(pause)
}

// wake has those who wait look again, whether the gate is open or not.
func (g *Gate) wake(pause time.Duration) {
	g.mu.Lock()
	waiters := g.waiters
	g.waiters = map[Waiter]bool{}
	g.mu.Unlock()
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
