package controller

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// connection is what is kept in memory of one environment: its share of the workers,
// its breaker, and what was made from its key. Objects call through it; the environment's own
// reconciler keeps it as spec and the Secret say.
type connection struct {
	breaker *breaker.Breaker
	share   *breaker.WorkerShare
	clock   clock.Clock
	// waits are the objects that wait for their turn at the limiter.
	waits *waits
	// newcomers are the business of runs and of the environment's own reconciler.
	newcomers *newcomers
	// versions are those of the environment, which its own reconciler and deletions go by.
	versions versions

	// clients are made from the present key; nil if there never was one.
	clients atomic.Pointer[clients]

	mu sync.Mutex
	// deleter is the client that last was accepted, while the key is not to be found: it
	// serves deletions after the Secret or the environment is gone.
	deleter *cobalt.Client
	// verified is when a list last showed that the environment is the one it was.
	verified time.Time
	// resyncFactor is how many times as long sync intervals are as asked for; 0 for once.
	resyncFactor float64
}

// clients are all that is made from one key. They are replaced as a whole.
type clients struct {
	api *cobalt.Client
	// lists are what objects share of what api sees.
	lists *lists
	// endpoint is where api leads.
	endpoint *endpoint
}

func newConnection(c clock.Clock, share *breaker.WorkerShare) *connection {
	return &connection{breaker: breaker.New(c), share: share, clock: c, waits: &waits{}, newcomers: &newcomers{}, versions: versions{clock: c}}
}

// use puts new clients in place, of which nothing is known yet.
func (c *connection) use(made *clients) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients.Store(made)
	c.deleter, c.verified = nil, time.Time{}
}

// serveDeletions has deletions call with a client whose key is no longer to be found; nil ends that.
func (c *connection) serveDeletions(worked *cobalt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deleter = worked
}

// view is what objects see through the client in use.
func (c *connection) view() *remoteView {
	made := c.clients.Load()
	return &remoteView{Client: made.api, lists: made.lists}
}

// lastResort is what deletions see through the client that last was accepted, if its key was neither
// refused nor replaced but is merely no longer to be found; otherwise nil.
func (c *connection) lastResort() *remoteView {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deleter == nil {
		return nil
	}
	return &remoteView{Client: c.deleter, lists: c.clients.Load().lists}
}

// verify notes that the environment has just proved to be the one it was.
func (c *connection) verify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verified = c.clock.Now()
}

// verifiedWithin tells whether the environment was verified lately.
func (c *connection) verifiedWithin(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.verified.IsZero() && c.clock.Now().Sub(c.verified) < d
}

// resyncInterval is an interval as long as it has to be for all looks to fit.
func (c *connection) resyncInterval(interval time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(max(c.resyncFactor, 1) * float64(interval))
}

func (c *connection) setResyncFactor(factor float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resyncFactor = factor
}
