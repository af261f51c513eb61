// Package gate decides who may call the API of an environment, and wakes those
// who could not once they can.
package gate

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// tripAfter is how many calls in a row may fail before the gate closes.
const tripAfter = 5

// Gate stands in front of an environment's API. It is open while the API is
// known to answer and to accept the key; while it is closed, only the
// environment's own probe calls, and objects wait to be woken.
type Gate struct {
	clock clock.PassiveClock
	// tripped has the environment looked at, because a call closed the gate.
	tripped func()

	mu     sync.Mutex
	open   bool
	reason string
	// epoch counts the clients: what a replaced one still hears is no news.
	epoch    int
	failures int
	// doubted asks for proof that this is still the same environment.
	doubted  bool
	answered time.Time
	// waiters are those to wake, and whether somebody waits for them in turn.
	waiters map[Waiter]bool
}

// New returns a closed gate.
func New(c clock.PassiveClock) *Gate {
	return &Gate{clock: c, waiters: map[Waiter]bool{}}
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

// Await remembers to wake an object when the gate opens, or closes for a reason that was not known.
func (g *Gate) Await(w Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiters[w] = true
}

// Saw draws the conclusions from a finished call.
func (g *Gate) Saw(epoch int, call cobalt.Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if epoch != g.epoch {
		return
	}
	unauthorized := false
	switch {
	case call.Err == nil:
		g.failures, g.answered = 0, g.clock.Now()
	case cobalt.IsUnauthorized(call.Err):
		// A refused session token concerns its object alone.
		unauthorized = call.Operation != "createPublicWorkflow"
	case cobalt.IsFailing(call.Err):
		g.failures++
	default:
		g.failures = 0
	}
	if g.open && (unauthorized || g.failures >= tripAfter) {
		g.open, g.reason = false, "its API stopped answering"
		if unauthorized {
			g.reason = "its API key was refused"
		}
		g.tripped()
	}
}

// OnTrip sets what is done when a call closes the gate.
func (g *Gate) OnTrip(tripped func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tripped = tripped
}

// NewEpoch closes the gate until a client that is about to be made has been answered.
func (g *Gate) NewEpoch() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open, g.reason = false, ""
	g.epoch++
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

// CloseFor closes the gate. Those who wait without knowing why look again.
func (g *Gate) CloseFor(reason string) {
	g.mu.Lock()
	undecided := g.reason == ""
	g.open, g.reason = false, reason
	g.mu.Unlock()
	if undecided {
		g.wake(0)
	}
}

// LetThrough opens the gate and wakes those who wait, one per pause.
func (g *Gate) LetThrough(pause time.Duration) {
	g.mu.Lock()
	g.open, g.doubted, g.failures = true, false, 0
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
	for w, wanted := range waiters {
		if wanted {
			w.Waker.Wake(w.Request, after)
			after += pause
		}
	}
	for w, wanted := range waiters {
		if !wanted {
			w.Waker.WakeBackground(w.Request, after)
			after += pause
		}
	}
}
