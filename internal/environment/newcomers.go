package environment

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Newcomers are the objects that are being given the finalizer, and have not been seen
// with it yet. Their environment must not go meanwhile: what is made for them could not be
// deleted any more.
type Newcomers struct {
	mu sync.Mutex
	// closed tells that the environment is about to go, and takes nobody in.
	closed  bool
	objects map[types.UID]bool
}

// Enter lets an object in; false if the environment is about to go.
func (n *Newcomers) Enter(obj types.UID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	if n.objects == nil {
		n.objects = map[types.UID]bool{}
	}
	n.objects[obj] = true
	return true
}

// Leave forgets an object that was not given the finalizer.
func (n *Newcomers) Leave(obj types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.objects, obj)
}

// Admit says whether the environment takes newcomers from now on.
func (n *Newcomers) Admit(open bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = !open
}

// Await keeps those that the cache shows without the finalizer, and tells whether there are any.
func (n *Newcomers) Await(unheld map[types.UID]bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for obj := range n.objects {
		if !unheld[obj] {
			delete(n.objects, obj)
		}
	}
	return len(n.objects) > 0
}
