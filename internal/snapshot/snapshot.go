// Package snapshot lets many ask for one thing each and has the API asked for
// all of them once.
//
// A List remembers what its last load found, and what its users have written
// since. It never takes silence for an answer: a load that breaks off is an
// error, and of what it does not remember it says Unknown, not Absent.
package snapshot

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"
)

// Presence is what a List knows of one thing.
type Presence int

const (
	// Unknown is said of what was there, but is not remembered, or no longer true, and of
	// what may stand where a load did not read on.
	Unknown Presence = iota
	// Absent is said of what was not there when the list was loaded: a hint, no proof.
	Absent
	// Present is said of what is remembered.
	Present
)

// The pauses after loads that failed.
const (
	shortestPause = time.Second
	longestPause  = time.Minute
)

// Source says where a List comes from.
type Source[V any] struct {
	// Load yields all there is, and ends with an error if that is not all.
	Load func(context.Context) iter.Seq2[V, error]
	// Key is how one of them is asked for.
	Key func(V) string
	// Keep tells whether anybody will ask for a key; the others are not remembered.
	Keep func(key string) bool
	// Wanted names the keys that somebody asks for at present, if that is known: a load
	// that has found all of them reads no further. Nil or nothing: all there is.
	Wanted func() []string
	// Personal tells whether an error of Load is about who called and says nothing
	// to the others.
	Personal func(error) bool
}

// List is a snapshot of all there is. It is safe for concurrent use.
type List[V any] struct {
	source Source[V]
	clock  clock.PassiveClock
	flight singleflight.Group
	seed   maphash.Seed

	mu sync.Mutex
	// entries are those that were kept, others the hashes of those that were not.
	entries map[string]V
	others  map[uint64]struct{}
	partial bool      // they are not all there is
	ended   time.Time // of the load that found them; zero if there was none
	asked   time.Time // when somebody last wanted to know
	loading bool
	// written is what is known better than from entries, and steps puts writes
	// and the beginnings of loads in an order, which a clock cannot: what a load says of
	// one thing is as old as its beginning.
	written map[string]write[V]
	steps   int
	failure error
	retryAt time.Time
	pause   time.Duration
}

type write[V any] struct {
	step  int
	value *V // nil: it is not known what is there now
}

// New returns a list that is loaded when somebody first asks for something.
func New[V any](c clock.PassiveClock, source Source[V]) *List[V] {
	return &List[V]{source: source, clock: c, asked: c.Now(), seed: maphash.MakeSeed(), written: map[string]write[V]{}}
}

// Find looks a key up in a list whose load ended less than maxAge ago: one that takes
// longer than that serves all who wait for it as well. If there is none, it is loaded,
// once for all who ask meanwhile. A load that failed is not repeated for a moment: all
// who ask then get the same error.
func (l *List[V]) Find(ctx context.Context, key string, maxAge time.Duration) (V, Presence, error) {
	if err := l.ensure(ctx, maxAge); err != nil {
		var none V
		return none, Unknown, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	value, presence := l.look(key)
	return value, presence, nil
}

// Load loads the list anew whatever came of the last time, or waits for a load
// that is under way.
func (l *List[V]) Load(ctx context.Context) error {
	for {
		loaded, err, _ := l.flight.Do("", func() (any, error) { return true, l.load(ctx) })
		if loaded == true {
			return err
		}
	}
}

// Fresh tells whether there is a list whose load ended less than maxAge ago.
func (l *List[V]) Fresh(maxAge time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fresh(maxAge)
}

// Idle tells whether nobody has wanted to know anything for so long.
func (l *List[V]) Idle(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.loading && l.clock.Since(l.asked) >= d
}

// Put has what a write was answered count from now on, until a later load.
func (l *List[V]) Put(key string, value V) { l.wrote(key, &value) }

// Forget has nothing count of what is known of a key, until a later load: it was
// deleted, or a write ended nobody knows how.
func (l *List[V]) Forget(key string) { l.wrote(key, nil) }

func (l *List[V]) wrote(key string, value *V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.IsZero() && !l.loading {
		return // a load that is yet to come will know
	}
	l.steps++
	l.written[key] = write[V]{l.steps, value}
}

func (l *List[V]) fresh(maxAge time.Duration) bool {
	return !l.ended.IsZero() && l.clock.Since(l.ended) < maxAge
}

func (l *List[V]) look(key string) (value V, presence Presence) {
	if w, ok := l.written[key]; ok {
		if w.value == nil {
			return value, Unknown
		}
		return *w.value, Present
	}
	if value, ok := l.entries[key]; ok {
		return value, Present
	}
	if _, ok := l.others[maphash.String(l.seed, key)]; ok {
		return value, Unknown
	}
	if l.partial {
		return value, Unknown
	}
	return value, Absent
}

// ensure returns nil once there is a list that is young enough.
func (l *List[V]) ensure(ctx context.Context, maxAge time.Duration) error {
	for {
		if done, err := l.settled(maxAge); done {
			return err
		}
		mine := false
		loaded, err, _ := l.flight.Do("", func() (any, error) {
			mine = true
			if done, err := l.settled(maxAge); done { // another has loaded it while this one came here
				return false, err
			}
			return true, l.load(ctx)
		})
		if mine || loaded == true && (err == nil || ctx.Err() != nil || !l.personal(err)) {
			return err
		}
		// It was young enough for the caller whom this one has waited for, or concerned that one alone: now it is its own turn.
	}
}

// settled tells whether there is a list, or an error to go with, without a load.
func (l *List[V]) settled(maxAge time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = l.clock.Now()
	if l.fresh(maxAge) {
		return true, nil
	}
	return l.failure != nil && l.clock.Now().Before(l.retryAt), l.failure
}

func (l *List[V]) load(ctx context.Context) error {
	l.mu.Lock()
	l.loading = true
	l.steps++
	step := l.steps
	l.mu.Unlock()
	entries, others, partial, err := l.collect(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loading = false
	if err != nil {
		l.fail(err)
		return err
	}
	l.entries, l.others, l.partial, l.ended = entries, others, partial, l.clock.Now()
	l.failure, l.pause = nil, 0
	for key, w := range l.written {
		if w.step < step {
			delete(l.written, key)
		}
	}
	return nil
}

func (l *List[V]) collect(ctx context.Context) (entries map[string]V, others map[uint64]struct{}, partial bool, err error) {
	entries, others = map[string]V{}, map[uint64]struct{}{}
	missing := l.wanted()
	bounded := len(missing) > 0
	for value, err := range l.source.Load(ctx) {
		if err != nil {
			return nil, nil, false, err
		}
		key := l.source.Key(value)
		if l.source.Keep(key) {
			entries[key] = value
		} else {
			others[maphash.String(l.seed, key)] = struct{}{}
		}
		if delete(missing, key); bounded && len(missing) == 0 {
			return entries, others, true, nil
		}
	}
	return entries, others, false, nil
}

// wanted are the keys that somebody asks for at present; none if that is not known.
func (l *List[V]) wanted() map[string]struct{} {
	keys := map[string]struct{}{}
	if l.source.Wanted != nil {
		for _, key := range l.source.Wanted() {
			keys[key] = struct{}{}
		}
	}
	return keys
}

// fail has the error answer for those who ask soon, unless it concerns the caller alone.
func (l *List[V]) fail(err error) {
	if l.personal(err) {
		return
	}
	l.pause = min(max(2*l.pause, shortestPause), longestPause)
	l.failure, l.retryAt = err, l.clock.Now().Add(l.pause)
}

func (l *List[V]) personal(err error) bool {
	return errors.Is(err, context.Canceled) || l.source.Personal != nil && l.source.Personal(err)
}
