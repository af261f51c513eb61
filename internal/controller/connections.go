package controller

import (
	"maps"
	"sync"

	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/internal/gate"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/pace"
)

// connections are those of all environments.
type connections struct {
	clock     clock.Clock
	pacemaker *pace.Pacemaker
	workers   *gate.Workers

	mu    sync.Mutex
	byKey map[object.EnvironmentKey]*connection
}

func newConnections(c clock.Clock, workers int) *connections {
	return &connections{
		clock: c, pacemaker: pace.New(c), workers: gate.NewWorkers(c, workers), byKey: map[object.EnvironmentKey]*connection{},
	}
}

// of returns the connection of an environment, with a closed gate if it is new.
func (c *connections) of(key object.EnvironmentKey) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.byKey[key]
	if conn == nil {
		conn = &connection{gate: gate.New(c.clock), share: c.workers.Share(), clock: c.clock, waits: &waits{}, newcomers: &newcomers{}}
		c.byKey[key] = conn
	}
	return conn
}

func (c *connections) forget(key object.EnvironmentKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
	c.pacemaker.Forget(key.String())
	metrics.Forget(key.String())
}

// gone has nobody wait for an object any more that does not exist, wherever it waited.
func (c *connections) gone(w gate.Waiter) {
	for _, conn := range c.all() {
		conn.gate.Forget(w)
	}
	c.quit(w)
}

// all returns the connections of now.
func (c *connections) all() map[object.EnvironmentKey]*connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.byKey)
}

// count has something counted of an environment, unless that is forgotten: what
// a late call says must not begin series anew that nobody ends.
func (c *connections) count(key object.EnvironmentKey, conn *connection, count func(environment string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] == conn {
		count(key.String())
	}
}

// generationOf is the generation of an environment; zero if there is none.
func generationOf(env object.Environment) int64 {
	if env == nil {
		return 0
	}
	return env.GetGeneration()
}
