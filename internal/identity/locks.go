// Package identity keeps objects that stand for one thing in Cobalt apart.
package identity

import (
	"slices"
	"sync"
)

// Locks keep two objects that stand for one thing in Cobalt from being worked on
// at a time: while both are new, the cache may show neither to the other.
type Locks struct {
	mu    sync.Mutex
	taken map[thing]bool
}

// thing is what objects of one identity stand for, in one of the places where it may be.
type thing struct{ place, account, identity string }

// NewLocks returns locks of which none is taken.
func NewLocks() *Locks { return &Locks{taken: map[thing]bool{}} }

// Take locks what these identities of an account stand for until it is released;
// false if somebody works on one of them. places are all names by which the Cobalt environment
// of the account is known. What has no account yet is nobody's.
func (l *Locks) Take(places []string, account string, identities []string) (release func(), ok bool) {
	var things []thing
	for _, place := range places {
		for _, identity := range identities {
			things = append(things, thing{place, account, identity})
		}
	}
	if account == "" {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(things, func(t thing) bool { return l.taken[t] }) {
		return nil, false
	}
	for _, t := range things {
		l.taken[t] = true
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, t := range things {
			delete(l.taken, t)
		}
	}, true
}
