package engine

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Memories remembers, of each object, what would otherwise have to be written
// into its status over and over: when it is looked at next, and since when
// looking at it has failed. A restart forgets it, which costs nothing.
type Memories struct {
	clock clock.PassiveClock
	// pauses are those between tries of what fails, conflicts those between writes
	// that the API server refuses because somebody else has written.
	pauses, conflicts backoff.Limits

	mu      sync.Mutex
	objects map[types.NamespacedName]Memory
}

// Memory is what is remembered of one object.
type Memory struct {
	UID types.UID
	// fingerprint is what the last finished run was about. Unlike the status in the
	// cache it never lags behind.
	fingerprint fingerprint
	// Ready tells that it ended well.
	Ready bool
	// open tells that a later one, which somebody waits for, has not ended.
	open bool
	// Seen is the version of the object that the API server had when we last wrote
	// or read it there.
	Seen string
	lag  object.Lag
	// wrote stands for the differences that were corrected last without an answer
	// that tells so.
	wrote string
	// Poll is when the executions that a trigger follows are looked at next.
	Poll time.Time
	// at is when the object is looked at next.
	at           time.Time
	failingSince time.Time
	inputs       inputs.Used
	// failure is what is known of the last try, if it failed.
	failure failure
	// conflict is the pause of an object that somebody else keeps writing.
	conflict backoff.Backoff
	// wake is when something needs a run beside what fails; zero for nothing.
	wake time.Time
	// restored is when what the object had lost was last written back.
	restored time.Time
	// missed is when a deletion was last told, in a foreign form, that nothing is there.
	missed time.Time
	// unseen is the same of a look at an object that is not being deleted.
	unseen time.Time
	// unmade tells that all that was tried to create it is known to have made nothing.
	unmade     bool
	firstReady metrics.FirstReady
}

// fingerprint is all that makes a run wanted.
type fingerprint struct {
	generation int64
	// inputs is the edition of the Secrets and ConfigMaps that spec uses.
	inputs  int64
	request string
	// environment is the generation of the environment, which may be what an
	// object that is not Ready waits for.
	environment int64
	// oldest is the object that counts among those of the same identity.
	oldest types.UID
	// account stands for the account in Cobalt that the object belongs to.
	account string
	// refused tells that the object may not use its environment.
	refused bool
}

// NewMemories returns a memory of nothing. The pauses of what fails grow up to longest.
func NewMemories(c clock.PassiveClock, conflictPause, longest time.Duration) *Memories {
	return &Memories{
		clock: c, objects: map[types.NamespacedName]Memory{},
		pauses:    backoff.Limits{Shortest: ShortestPause, Longest: longest},
		conflicts: backoff.Limits{Shortest: conflictPause, Longest: longest},
	}
}

// Get returns what is known of an object; nothing, if another had its name before.
func (d *Memories) Get(key types.NamespacedName, uid types.UID) Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	if entry := d.objects[key]; entry.UID == uid {
		return entry
	}
	return Memory{UID: uid}
}

// lags tells whether obj, from the cache, is older than what was seen.
func (d Memory) lags(obj client.Object) bool { return object.OlderThan(obj, d.Seen) }

// Set remembers what a run was about and when the next one is.
func (d *Memories) Set(key types.NamespacedName, entry Memory) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects[key] = entry
}

// Delete forgets an object that is gone.
func (d *Memories) Delete(key types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.objects, key)
}

// Never is the time between looks of an object whose syncInterval is 0s.
const Never = 100 * 365 * 24 * time.Hour

// UsualInterval is after how long an environment, a deletion, or a call that must not
// be made twice, is tried again that was refused, where drift is never looked for.
const UsualInterval = 10 * time.Minute

// Earlier returns the earlier of two times; zero is never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// perInterval is how many times in an interval objects are looked at, several at a
// time: waking up for each of them costs more than looking at it.
const perInterval = 600

// Together is after, or so much less that others of the interval come at the same time.
func Together(now time.Time, after, interval time.Duration) time.Duration {
	grid := min(interval/perInterval, time.Second)
	if grid <= 0 || after < grid {
		return after
	}
	return after - time.Duration(now.Add(after).UnixNano()%int64(grid))
}

// Background is a result at the lowest priority: the queue would otherwise keep
// the priority of the change that an object was last looked at for.
func Background(after time.Duration) ctrl.Result {
	return ctrl.Result{RequeueAfter: Soon(after), Priority: ptr.To(handler.LowPriority)}
}

// Soon is after, or nothing at all if that is never. What is overdue by now
// comes at once.
func Soon(after time.Duration) time.Duration {
	if after > Never/2 {
		return 0
	}
	return max(after, time.Millisecond)
}

// Lags tells whether obj, from the cache, is older than what this operator has seen of it.
func (d *Memories) Lags(ctx context.Context, live client.Reader, obj client.Object, now time.Time) (bool, error) {
	key := client.ObjectKeyFromObject(obj)
	last := d.Get(key, obj.GetUID())
	if !last.lags(obj) {
		if last.lag != (object.Lag{}) {
			last.lag = object.Lag{}
			d.Set(key, last)
		}
		return false, nil
	}
	var err error
	if last.lag.Asks(now) {
		last.Seen, err = object.CatchUp(ctx, live, obj, last.Seen)
	}
	d.Set(key, last)
	return last.lags(obj), err
}
