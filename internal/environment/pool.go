// Package environment is what objects know of the environment that they refer to: whether they may use it, the connection
// to its API with what is shared of it, and how much its objects ask of it. The reconcilers of environments keep it up to
// date.
package environment

import (
	"maps"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// Pool finds the environment of an object and connects to it.
type Pool struct {
	Cache    client.Reader
	clock    clock.Clock
	Limiters *ratelimit.Limiters
	Workers  *breaker.Workers
	// namespaced operators watch single namespaces and cannot see cluster kinds.
	namespaced bool

	mu    sync.Mutex
	byKey map[object.EnvironmentKey]*Connection
}

// NewPool returns a pool without connections.
func NewPool(cache client.Reader, c clock.Clock, workers int, namespaced bool) *Pool {
	return &Pool{
		Cache: cache, clock: c, Limiters: ratelimit.NewLimiters(c), Workers: breaker.NewWorkers(c, workers), namespaced: namespaced,
		byKey: map[object.EnvironmentKey]*Connection{},
	}
}

// Of returns the connection of an environment, which lets nobody through yet if it is new.
func (p *Pool) Of(key object.EnvironmentKey) *Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	conn := p.byKey[key]
	if conn == nil {
		conn = newConnection(p.clock, p.Workers.Share())
		p.byKey[key] = conn
	}
	return conn
}

// Forget ends the connection of an environment that is gone.
func (p *Pool) Forget(key object.EnvironmentKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byKey, key)
	p.Limiters.Forget(key.String())
	metrics.Forget(key.String())
}

// Quit has nobody wait for an object that waits for nothing any more, wherever it waited.
func (p *Pool) Quit(w breaker.Waiter) {
	for _, conn := range p.All() {
		conn.Breaker.Quit(w)
		conn.Waits.Note(w, false, time.Time{})
	}
}

// Gone is Quit for an object that does not exist any more.
func (p *Pool) Gone(w breaker.Waiter) {
	for _, conn := range p.All() {
		conn.Breaker.Forget(w)
	}
	p.Quit(w)
}

// All returns the connections of now.
func (p *Pool) All() map[object.EnvironmentKey]*Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.byKey)
}

// Count has something counted of an environment, unless that is forgotten: what
// a late call says must not begin series anew that nobody ends.
func (p *Pool) Count(key object.EnvironmentKey, conn *Connection, count func(environment string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey[key] == conn {
		count(key.String())
	}
}
