package controller

import (
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/backoff"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/gate"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// connection is what is kept in memory of one environment: its share of the workers,
// its gate, and the clients made from its key.
type connection struct {
	gate  *gate.Gate
	share *gate.Share
	clock clock.Clock
	// waits are the objects that wait for their turn at the limiter.
	waits *waits
	// newcomers are the business of runs and of the environment's own reconciler.
	newcomers *newcomers

	mu sync.Mutex
	// api uses the present key; nil if there never was one.
	api *cobalt.Client
	// lists are what objects share of what api sees.
	lists *lists
	// worked is the client that last was accepted: it serves deletions after the
	// Secret or the environment is gone.
	worked *cobalt.Client
	// version stands for what api was made from, and is empty while that is not to be
	// found; identity stands for the contents.
	version, identity string
	// endpoint is where api leads, record what it is recognised by once it was verified.
	endpoint *endpoint
	record   string
	// replaced is when a key that had worked was replaced by another.
	replaced time.Time
	// verified is when a list last showed that the environment is the one it was.
	verified time.Time
	// acceptance is the accept annotation that was last looked at.
	acceptance string
	// seen is the version of the environment that the API server had when we last
	// wrote or read it there.
	seen string
	lag  object.Lag
	// untold tells that the status does not have what the last run found.
	untold bool
	// resyncFactor is how many times as long sync intervals are as asked for; 0 for once.
	resyncFactor float64
	// verdict is what the last probe said, and pause the time until the next one, before
	// which a failure is not asked for again.
	verdict error
	pause   backoff.Backoff

	// firstReady and inputs are the business of the environment's own reconciler.
	firstReady firstReady
	inputs     inputs.Used
}

// place is where the client in use leads; nil if there never was one.
func (c *connection) place() *endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpoint
}

// view is what objects see through the client in use.
func (c *connection) view() *remoteView {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &remoteView{Client: c.api, lists: c.lists}
}

// lastResort returns the client that last was accepted, if its key was neither
// refused nor replaced but is merely no longer to be found.
func (c *connection) lastResort() *cobalt.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != "" {
		return nil
	}
	return c.worked
}

// madeFrom tells whether the client in use was made from these versions.
func (c *connection) madeFrom(version string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version == version
}

// unload notes that what the client was made from is not to be found.
func (c *connection) unload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = ""
}

// same tells whether the client in use has these contents, and if so takes the
// versions for its own.
func (c *connection) same(identity, version string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identity != identity {
		return false
	}
	c.version = version
	return true
}

// use puts a new client in place.
func (c *connection) use(api *cobalt.Client, shared *lists, where *endpoint, version, identity string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.worked != nil {
		c.replaced = c.clock.Now()
	}
	c.endpoint, c.record, c.verified = where, "", time.Time{}
	c.api, c.lists, c.version, c.identity = api, shared, version, identity
	c.verdict, c.pause = nil, backoff.Backoff{}
}

// verifiedWithin tells whether the environment was verified lately.
func (c *connection) verifiedWithin(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.verified.IsZero() && c.clock.Now().Sub(c.verified) < d
}

// recordOf returns the record of where the client leads, and whether that is
// where it led before: by what is remembered, or else by what was recorded in
// the status, which may be a version behind.
func (c *connection) recordOf(recorded string) (record string, same bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.record != "":
		return c.record, true
	case c.endpoint.made(recorded):
		return recorded, true
	}
	return c.endpoint.record(), c.endpoint.is(recorded)
}

// verifiedAs notes that the environment is the one of this record.
func (c *connection) verifiedAs(record string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record, c.verified = record, c.clock.Now()
}

// saw notes the version of the environment that the API server has.
func (c *connection) saw(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = version
}

// unseen tells that it is not known yet which version the API server has.
func (c *connection) unseen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen == ""
}

// lags tells whether env, from the cache, is older than what was seen.
func (c *connection) lags(env client.Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return object.OlderThan(env, c.seen)
}

// doubts returns what was seen of env, if that has not come to the cache for so long that
// it is to be asked for.
func (c *connection) doubts(env client.Object) (seen string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !object.OlderThan(env, c.seen) {
		c.lag = object.Lag{}
		return "", false
	}
	return c.seen, c.lag.Asks(c.clock.Now())
}

// hasTold notes whether the status has what a run found. If not, the next one probes
// again: what goes with a verdict is only in that status.
func (c *connection) hasTold(told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.untold = !told
}

func (c *connection) isUntold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.untold
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

// newly tells whether the accept annotation says something that it did not before.
func (c *connection) newly(acceptance string) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news = acceptance != "" && acceptance != c.acceptance
	c.acceptance = acceptance
	return news
}

// accepted notes that the API accepted the key.
func (c *connection) accepted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worked, c.replaced = c.api, time.Time{}
	c.verdict, c.pause = nil, backoff.Backoff{}
}

// failed notes what a probe said. The next one comes after a pause, and after one that
// grows with each probe that fails.
func (c *connection) failed(verdict error, pause time.Duration, grows bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if grows {
		c.pause = c.pause.Failed(now, backoff.Limits{Shortest: shortestPause, Longest: longestProbesPause})
	}
	c.verdict, c.pause = verdict, c.pause.NotBefore(now.Add(pause))
}

// held returns what the last probe said if it is too early for another.
func (c *connection) held() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pause.Pauses(c.clock.Now()) {
		return c.verdict
	}
	return nil
}

// says tells whether an error is what the last probe said.
func (c *connection) says(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return err != nil && errors.Is(err, c.verdict)
}

// untilProbe is the time left until the next probe of an API that failed; it may be due
// by now.
func (c *connection) untilProbe() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.pause.Until().Sub(c.clock.Now()), time.Millisecond)
}

// keyReplaced is when a key that had worked was replaced by one that has not yet.
func (c *connection) keyReplaced() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replaced
}
