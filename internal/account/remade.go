package account

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Remade knows which accounts are gone from Cobalt and made again there, as long as
// statuses may still tell of the ones before: what cannot be repeated must not be made
// in a new account for the sake of an old one, and then again for the new one. It holds
// one id for each account that ever vanished.
type Remade struct {
	mu sync.Mutex
	// gone are Cobalt's ids of those accounts, busy the calls under way that must not
	// meet another account than they are for; both by LinkedAccount.
	gone map[types.NamespacedName]string
	busy map[types.NamespacedName]int
}

// NewRemade returns a memory of nothing.
func NewRemade() *Remade {
	return &Remade{gone: map[types.NamespacedName]string{}, busy: map[types.NamespacedName]int{}}
}

// Vanish notes that an account is gone; false as long as calls for it are under way.
func (r *Remade) Vanish(linked types.NamespacedName, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[linked] > 0 {
		return false
	}
	r.gone[linked] = id
	return true
}

// Replaced notes that an account is gone because another has just been made in its place, whatever is under way.
func (r *Remade) Replaced(linked types.NamespacedName, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[linked] = id
}

// Found notes that an account is there.
func (r *Remade) Found(linked types.NamespacedName, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone[linked] == id {
		delete(r.gone, linked)
	}
}

// IsGone tells whether an account is not the one that is there or to come.
func (r *Remade) IsGone(linked types.NamespacedName, id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return id != "" && r.gone[linked] == id
}

// Use keeps an account from being made again until it is released; false if it is gone.
func (r *Remade) Use(account Owner) (release func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if account.Made != "" && r.gone[account.Linked] == account.Made {
		return nil, false
	}
	r.busy[account.Linked]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.busy[account.Linked]--; r.busy[account.Linked] == 0 {
			delete(r.busy, account.Linked)
		}
	}, true
}
