package controller

import (
	"sync"
)

// identityLocks keep two objects that stand for one thing in Cobalt from being worked on
// at a time: while both are new, the cache may show neither to the other.
type identityLocks struct {
	mu    sync.Mutex
	taken map[string]bool
}

func newIdentityLocks() *identityLocks { return &identityLocks{taken: map[string]bool{}} }

// take locks what these identities of an account stand for until it is released;
// false if somebody works on one of them. What has no account yet is nobody's.
func (c *identityLocks) take(account string, identities []string) (release func(), ok bool) {
	if account == "" {
		return func() {}, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, identity := range identities {
		if c.taken[account+"\x00"+identity] {
			return nil, false
		}
	}
	for _, identity := range identities {
		c.taken[account+"\x00"+identity] = true
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, identity := range identities {
			delete(c.taken, account+"\x00"+identity)
		}
	}, true
}
