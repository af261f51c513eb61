package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// remade knows which accounts are gone from Cobalt and made again there, as long as
// statuses may still tell of the ones before: what cannot be repeated must not be made
// in a new account for the sake of an old one, and then again for the new one. It holds
// one id for each account that ever vanished.
type remade struct {
	mu sync.Mutex
	// gone are Cobalt's ids of those accounts, busy the calls under way that must not
	// meet another account than they are for; both by LinkedAccount.
	gone map[types.NamespacedName]string
	busy map[types.NamespacedName]int
}

func newRemade() *remade {
	return &remade{gone: map[types.NamespacedName]string{}, busy: map[types.NamespacedName]int{}}
}

// vanish notes that an account is gone; false as long as calls for it are under way.
func (r *remade) vanish(linked types.NamespacedName, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[linked] > 0 {
		return false
	}
	r.gone[linked] = id
	return true
}

// replaced notes that an account is gone because another has just been made in its place, whatever is under way.
func (r *remade) replaced(linked types.NamespacedName, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[linked] = id
}

// found notes that an account is there.
func (r *remade) found(linked types.NamespacedName, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone[linked] == id {
		delete(r.gone, linked)
	}
}

// isGone tells whether an account is not the one that is there or to come.
func (r *remade) isGone(linked types.NamespacedName, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return id != "" && r.gone[linked] == id
}

// use keeps an account from being made again until it is released; false if it is gone.
func (r *remade) use(account owner) (release func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if account.made != "" && r.gone[account.linked] == account.made {
		return nil, false
	}
	r.busy[account.linked]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.busy[account.linked]--; r.busy[account.linked] == 0 {
			delete(r.busy, account.linked)
		}
	}, true
}
