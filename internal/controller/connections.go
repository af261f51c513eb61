package controller

import (
	"maps"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/internal/breaker"
	"github.com/cobalt-operator/cobalt-operator/internal/metrics"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/ratelimit"
)

// newEnvironments returns a pool without connections.
func newEnvironments(cache client.Reader, c clock.Clock, workers int, kinds []object.Kind, namespaced bool) *environments {
	return &environments{
		cache: cache, clock: c, limiters: ratelimit.NewLimiters(c), workers: breaker.NewWorkers(c, workers), kinds: kinds, namespaced: namespaced,
		byKey: map[object.EnvironmentKey]*connection{},
	}
}

// of returns the connection of an environment, which lets nobody through yet if it is new.
func (e *environments) of(key object.EnvironmentKey) *connection {
	e.mu.Lock()
	defer e.mu.Unlock()
	conn := e.byKey[key]
	if conn == nil {
		conn = newConnection(e.clock, e.workers.Share())
		e.byKey[key] = conn
	}
	return conn
}

// forget ends the connection of an environment that is gone.
func (e *environments) forget(key object.EnvironmentKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byKey, key)
	e.limiters.Forget(key.String())
	metrics.Forget(key.String())
}

// quit has nobody wait for an object that waits for nothing any more, wherever it waited.
func (e *environments) quit(w breaker.Waiter) {
	for _, conn := range e.all() {
		conn.breaker.Quit(w)
		conn.waits.note(w, false, time.Time{})
	}
}

// gone is quit for an object that does not exist any more.
func (e *environments) gone(w breaker.Waiter) {
	for _, conn := range e.all() {
		conn.breaker.Forget(w)
	}
	e.quit(w)
}

// all returns the connections of now.
func (e *environments) all() map[object.EnvironmentKey]*connection {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.byKey)
}

// count has something counted of an environment, unless that is forgotten: what
// a late call says must not begin series anew that nobody ends.
func (e *environments) count(key object.EnvironmentKey, conn *connection, count func(environment string)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byKey[key] == conn {
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
