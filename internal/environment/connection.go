package environment

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// Connection is what is kept in memory of one environment: its share of the workers,
// its breaker, and what was made from its key. Objects call through it; the environment's own
// reconciler keeps it as spec and the Secret say.
type Connection struct {
	Breaker *breaker.Breaker
	Share   *breaker.WorkerShare
	clock   clock.Clock
	// Waits are the objects that wait for their turn at the limiter.
	Waits *Waits
	// Newcomers are the business of runs and of the environment's own reconciler.
	Newcomers *Newcomers
	// Versions are those of the environment, which its own reconciler and deletions go by.
	Versions Versions

	// Clients are made from the present key; nil if there never was one.
	Clients atomic.Pointer[Clients]

	mu sync.Mutex
	// deleter is the client that last was accepted, while the key is not to be found: it
	// serves deletions after the Secret or the environment is gone.
	deleter *cobalt.Client
	// verified is when a list last showed that the environment is the one it was.
	verified time.Time
	// resyncFactor is how many times as long sync intervals are as asked for; 0 for once.
	resyncFactor float64
}

// Clients are all that is made from one key. They are replaced as a whole.
type Clients struct {
	API *cobalt.Client
	// Snapshots are what objects share of what API sees.
	Snapshots *Snapshots
	// Endpoint is where api leads.
	Endpoint *Endpoint
}

func newConnection(c clock.Clock, share *breaker.WorkerShare) *Connection {
	return &Connection{Breaker: breaker.New(c), Share: share, clock: c, Waits: &Waits{}, Newcomers: &Newcomers{}, Versions: Versions{clock: c}}
}

// Use puts new clients in place, of which nothing is known yet.
func (c *Connection) Use(made *Clients) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Clients.Store(made)
	c.deleter, c.verified = nil, time.Time{}
}

// ServeDeletions has deletions call with a client whose key is no longer to be found; nil ends that.
func (c *Connection) ServeDeletions(worked *cobalt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deleter = worked
}

// View is what objects see through the client in use.
func (c *Connection) View() *Remote {
	made := c.Clients.Load()
	return &Remote{Client: made.API, Snapshots: made.Snapshots}
}

// lastResort is what deletions see through the client that last was accepted, if its key was neither
// refused nor replaced but is merely no longer to be found; otherwise nil.
func (c *Connection) lastResort() *Remote {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deleter == nil {
		return nil
	}
	return &Remote{Client: c.deleter, Snapshots: c.Clients.Load().Snapshots}
}

// Verify notes that the environment has just proved to be the one it was.
func (c *Connection) Verify() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verified = c.clock.Now()
}

// verifiedWithin tells whether the environment was verified lately.
func (c *Connection) verifiedWithin(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.verified.IsZero() && c.clock.Now().Sub(c.verified) < d
}

// ResyncInterval is an interval as long as it has to be for all looks to fit.
func (c *Connection) ResyncInterval(interval time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(max(c.resyncFactor, 1) * float64(interval))
}

// SetResyncFactor makes sync intervals so many times as long as asked for.
func (c *Connection) SetResyncFactor(factor float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resyncFactor = factor
}

// Scrape tells how an environment stands.
func (c *Connection) Scrape(tell func(desc *prometheus.Desc, value float64)) {
	closed, _ := c.Breaker.IsClosed()
	slow, workless := c.Share.Stands()
	waiting, longest := c.Waits.now(c.clock.Now())
	tell(metrics.GateOpen, oneIf(closed))
	tell(metrics.Slow, oneIf(slow))
	tell(metrics.WorkersWaiting, float64(workless))
	tell(metrics.LimiterWaiting, float64(waiting))
	tell(metrics.LimiterWaitingSeconds, longest.Seconds())
	tell(metrics.SyncIntervalStretch, c.ResyncInterval(time.Second).Seconds())
	if made := c.Clients.Load(); made != nil {
		now, limit := made.API.Rate()
		tell(metrics.LimiterRate, now)
		tell(metrics.LimiterLimit, limit)
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Versions tell whether the cache shows of an environment what the API server has.
type Versions struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// seen is the version that the API server had when we last wrote or read it there.
	seen string
	lag  object.Lag
}

// Saw notes the version that the API server has.
func (v *Versions) Saw(version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen = version
}

// Unseen tells that it is not known yet which version the API server has.
func (v *Versions) Unseen() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen == ""
}

// Lags tells whether env, from the cache, is older than what was seen.
func (v *Versions) Lags(env client.Object) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return object.OlderThan(env, v.seen)
}

// Doubts returns what was seen of env, if that has not come to the cache for so long that
// it is to be asked for.
func (v *Versions) Doubts(env client.Object) (seen string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !object.OlderThan(env, v.seen) {
		v.lag = object.Lag{}
		return "", false
	}
	return v.seen, v.lag.Asks(v.clock.Now())
}
