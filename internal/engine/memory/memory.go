// Package memory remembers of each object what would otherwise have to be written into its status over and over: when it
// is looked at next, and since when looking at it has failed. A restart forgets it, which costs nothing.
package memory

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Memory is what is remembered of one object.
type Memory struct {
	Usual
	Exceptional
}

// Usual is what there is to remember of each object.
type Usual struct {
	UID types.UID
	// Fingerprint is what the last run was about that ended Ready or Stalled; of what is done once, Stalled. Unlike the status
	// in the cache it never lags behind.
	Fingerprint Fingerprint
	// Ready tells that it ended well.
	Ready bool
	// Seen is the version of the object that the API server had when we last wrote
	// or read it there.
	Seen string
	// At is when the object is looked at next.
	At time.Time
	// Inputs is what is known of the Secrets and ConfigMaps that spec uses.
	Inputs     inputs.Used
	FirstReady metrics.FirstReady
}

// Exceptional is what there is to remember of few objects at a time: of one that goes its usual way, all of it is zero.
type Exceptional struct {
	// Open tells that a later run than the last finished one, which somebody waits for, has not ended.
	Open bool
	// Wrote stands for the differences that were corrected last without an answer
	// that tells so.
	Wrote string
	// Poll is when the executions that a trigger follows are looked at next.
	Poll time.Time
	// FailingSince is since when an object that is Ready could not be looked after.
	FailingSince time.Time
	// Failure is what is known of the last try, if it failed.
	Failure Failure
	// Conflict is the pause of an object that somebody else keeps writing.
	Conflict backoff.Backoff
	// Wake is when something needs a run beside what fails; zero for nothing.
	Wake time.Time
	// Restored is when what the object had lost was last written back.
	Restored time.Time
	// Missed is when a deletion was last told, in a foreign form, that nothing is there.
	Missed time.Time
	// Unseen is the same of a look at an object that is not being deleted.
	Unseen time.Time
	// Unmade tells that all that was tried to create it is known to have made nothing.
	Unmade bool
	lag    object.Lag
}

// Fingerprint is all that makes a run wanted.
type Fingerprint struct {
	Generation int64
	// Inputs is the edition of the Secrets and ConfigMaps that spec uses.
	Inputs  int64
	Request string
	// Environment is the generation of the environment, which may be what an
	// object that is not Ready waits for.
	Environment int64
	// Oldest is the object that counts among those of the same identity.
	Oldest types.UID
	// Account stands for the account in Cobalt that the object belongs to.
	Account string
	// NotAllowed tells that the object may not use its environment.
	NotAllowed bool
}

// Store has the memories of the objects of a kind.
type Store struct {
	clock clock.PassiveClock
	// pauses are those between tries of what fails, conflicts those between writes
	// that the API server refuses because somebody else has written.
	pauses, conflicts backoff.Limits

	mu      sync.Mutex
	objects map[types.NamespacedName]kept
}

// kept is a Memory that takes little room: exceptional is nil while there is nothing of that. What it points to is never
// changed.
type kept struct {
	Usual
	exceptional *Exceptional
}

// NewStore returns a memory of nothing. The pauses of what fails grow up to longest.
func NewStore(c clock.PassiveClock, conflictPause, longest time.Duration) *Store {
	return &Store{
		clock: c, objects: map[types.NamespacedName]kept{},
		pauses:    backoff.Limits{Shortest: ShortestPause, Longest: longest},
		conflicts: backoff.Limits{Shortest: conflictPause, Longest: longest},
	}
}

// Get returns what is known of an object; nothing, if another had its name before.
func (s *Store) Get(key types.NamespacedName, uid types.UID) Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.get(key); m.UID == uid {
		return m
	}
	return Memory{Usual: Usual{UID: uid}}
}

// Set remembers what is known of an object.
func (s *Store) Set(key types.NamespacedName, m Memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(key, m)
}

// Delete forgets an object that is gone.
func (s *Store) Delete(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}

func (s *Store) get(key types.NamespacedName) Memory {
	found := s.objects[key]
	m := Memory{Usual: found.Usual}
	if found.exceptional != nil {
		m.Exceptional = *found.exceptional
	}
	return m
}

func (s *Store) set(key types.NamespacedName, m Memory) {
	is := kept{Usual: m.Usual}
	if exceptional := m.Exceptional; exceptional != (Exceptional{}) {
		is.exceptional = &exceptional
	}
	s.objects[key] = is
}

// Behind tells whether obj, from the cache, is older than what was seen.
func (m Memory) Behind(obj client.Object) bool { return object.OlderThan(obj, m.Seen) }

// Lags tells whether obj, from the cache, is older than what this operator has seen of it.
func (s *Store) Lags(ctx context.Context, live client.Reader, obj client.Object, now time.Time) (bool, error) {
	key := client.ObjectKeyFromObject(obj)
	last := s.Get(key, obj.GetUID())
	if !last.Behind(obj) {
		if last.lag != (object.Lag{}) {
			last.lag = object.Lag{}
			s.Set(key, last)
		}
		return false, nil
	}
	var err error
	if last.lag.Asks(now) {
		last.Seen, err = object.CatchUp(ctx, live, obj, last.Seen)
	}
	s.Set(key, last)
	return last.Behind(obj), err
}
