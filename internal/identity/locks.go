// Package identity keeps objects that stand for one thing in Cobalt apart.
package identity

import (
	"sync"
)

// Locks keep two objects that stand for one thing in Cobalt from being worked on
// at a time: while both are new, the cache may show neither to the other.
type Locks struct {
	mu    sync.Mutex
	taken map[string]bool
}

// NewLocks returns locks of which none is taken.
func NewLocks() *Locks { return &Locks{taken: map[string]bool{}} }

// Take locks what these identities of an account stand for until it is released;
// false if somebody works on one of them. What has no account yet is nobody's.
func (l *Locks) Take(account string, identities []string) (release func(), ok bool) {
	if account == "" {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, identity := range identities {
		if l.taken[account+"\x00"+identity] {
			return nil, false
		}
	}
	for _, identity := range identities {
		l.taken[account+"\x00"+identity] = true
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, identity := range identities {
			delete(l.taken, account+"\x00"+identity)
		}
	}, true
}
